package report

import (
	"io"

	"github.com/railyard/railyard/result"
)

// Topology writes what `railyard topo` shows: parts, cables, what the network can carry,
// how far its accelerators are apart, and what it costs.
func Topology(w io.Writer, r *result.Record) error {
	p := &printer{w: w}
	p.line("%s  %s", r.Text(result.Name.Name), describeCluster(r.Record(result.Cluster.Name)))
	p.line("")
	p.line("  %-20s %10s %14s %14s %16s", "tier", "nodes", "from below", "upwards", "oversubscribed")
	for _, t := range r.List(result.Tiers.Name) {
		rate := func(m result.Metric) string {
			if v := t.Float(m.Name); v > 0 {
				return Prefixed(v, "B/s")
			}
			return ""
		}
		over := ""
		if v := t.Float(result.TierOversubscription.Name); v > 0 {
			over = Count(v) + " : 1"
		}
		p.line("  %-20s %10s %14s %14s %16s", t.Text(result.TierName.Name), Count(t.Float(result.TierNodes.Name)), rate(result.TierDown), rate(result.TierUp), over)
	}
	p.line("")
	p.line("  %-36s %10s %14s", "cables", "number", "each way")
	for _, c := range r.List(result.CableList.Name) {
		least, most := c.Float(result.CableLeast.Name), c.Float(result.CableMost.Name)
		rate := Prefixed(most, "B/s")
		if least < most {
			rate = Prefixed(least, "B/s") + " to " + rate
		}
		p.line("  %-36s %10s %14s", c.Text(result.CableFrom.Name)+" - "+c.Text(result.CableTo.Name), Count(c.Float(result.CableCount.Name)), rate)
	}
	p.line("")
	bisection := Prefixed(r.Float(result.BisectionRate.Name), "B/s")
	if share, known := r.Get(result.BisectionShare.Name).(float64); known {
		bisection += ", " + Percent(share) + " of what the NICs of half of the hosts can send"
	}
	p.item("bisection bandwidth", "%s", bisection)
	p.item("diameter", "%s links, %.2f in the mean of %s", Count(r.Float(result.Diameter.Name)), r.Float(result.HopMean.Name), pairs(r))
	p.hops(r.List(result.Hops.Name))
	if c := r.Record(result.FabricCost.Name); c != nil {
		p.item("cost of the fabric", "%s, %s an accelerator: switches %s, cables between them %s, to NICs %s",
			dollars(c.Float(result.CostTotal.Name)), dollars(c.Float(result.CostPerAccelerator.Name)), dollars(c.Float(result.CostSwitches.Name)),
			dollars(c.Float(result.CostTrunks.Name)), dollars(c.Float(result.CostAccess.Name)))
	}
	if wrong := r.List(result.Problems.Name); len(wrong) > 0 {
		for _, x := range wrong {
			p.item("WRONG", "%s", x.Text(result.ProblemText.Name))
		}
	} else {
		p.item("checked", "every way joins and arrives, of %s", pairs(r))
	}
	return p.err
}

// hops draws the pairs by their distance.
func (p *printer) hops(hops []*result.Record) {
	sum := 0.0
	for _, h := range hops {
		sum += h.Float(result.HopPairs.Name)
	}
	for i, h := range hops {
		if i == rowsShown {
			p.line("    ... and further, up to the diameter")
			break
		}
		share := h.Float(result.HopPairs.Name) / sum
		p.line("    %3s links          %s %6s", Count(h.Float(result.HopCount.Name)), bar(share, 24), Percent(share))
	}
}

// pairs says which pairs of accelerators were looked at.
func pairs(r *result.Record) string {
	sum := 0.0
	for _, h := range r.List(result.Hops.Name) {
		sum += h.Float(result.HopPairs.Name)
	}
	if sampled, _ := r.Get(result.HopsSampled.Name).(bool); sampled {
		return Count(sum) + " pairs drawn at random"
	}
	return "all " + Count(sum) + " pairs"
}

// dollars prints an amount of money with four digits.
func dollars(v float64) string { return Prefixed(v, "USD") }
