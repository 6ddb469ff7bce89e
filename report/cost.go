package report

import "github.com/railyard/railyard/result"

// cost says what the run cost, of what that consists, and what a million tokens cost.
func (p *printer) cost(c *result.Record) {
	if c == nil {
		return
	}
	p.line("")
	money := func(r *result.Record, m result.Metric) string { return dollars(r.Float(m.Name)) }
	p.line("cost: %s, %s an hour", money(c, result.CostTotal), money(c, result.CostPerHour))
	if bought := c.Record(result.CostPurchase.Name); bought != nil {
		p.item("hardware", "%s of the %s that it costs to buy: accelerators %s, hosts %s, switches %s, cables %s", money(c, result.CostCapital),
			money(bought, result.CostTotal), money(bought, result.BoughtAccelerators), money(bought, result.BoughtServers),
			money(bought, result.CostSwitches), money(bought, result.BoughtCables))
		p.item("energy", "%s", money(c, result.CostEnergy))
	} else {
		p.item("rent", "%s", money(c, result.CostRent))
	}
	for i, j := range c.List(result.CostJobs.Name) {
		if i == rowsShown {
			p.line("    ... %d more in summary.json", len(c.List(result.CostJobs.Name))-i)
			break
		}
		each := ""
		if v := j.Float(result.CostPerTokens.Name); v > 0 {
			each = ", " + dollars(v) + " a million tokens"
		} else if v := j.Float(result.CostPerSamples.Name); v > 0 {
			each = ", " + dollars(v) + " a million samples"
		}
		p.item(j.Text(result.Name.Name), "%s for %s accelerator-hours%s", money(j, result.JobCost), Count(j.Float(result.CostHours.Name)), each)
	}
}
