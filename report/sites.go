package report

import "github.com/railyard/railyard/result"

// sites says what became of several sites, and of what is copied between them.
func (p *printer) sites(s *result.Record) {
	if s == nil {
		return
	}
	p.line("")
	p.line("sites")
	for _, r := range s.List(result.SiteList.Name) {
		text := "never lost"
		if n := r.Float(result.SiteLosses.Name); n > 0 {
			text = "lost " + Count(n) + " times, " + Seconds(r.Float(result.SiteDown.Name))
			if n == 1 {
				text = "lost for " + Seconds(r.Float(result.SiteDown.Name))
			}
		}
		if r.Get(result.SiteAnswered.Name) != nil {
			text += "; answered " + Count(r.Float(result.SiteAnswered.Name)) + " requests, clients near it sent " + Count(r.Float(result.SiteAsked.Name))
		}
		if r.Get(result.SiteEnergy.Name) != nil {
			text += "; " + wattHours(r.Float(result.SiteEnergy.Name)) + " for " + dollars(r.Float(result.SitePrice.Name))
		}
		if r.Get(result.CarbonEmissions.Name) != nil {
			text += ", " + Prefixed(r.Float(result.CarbonEmissions.Name), "g") + " of carbon dioxide"
		}
		p.item(r.Text(result.Name.Name), "%s", text)
	}
	text := Prefixed(s.Float(result.WANTotal.Name), "B")
	if cost := s.Float(result.WANCost.Name); cost > 0 {
		text += " for " + dollars(cost)
	}
	p.item("crossed cables", "%s", text)
	for _, r := range s.List(result.Replications.Name) {
		text := r.Text(result.ReplicaKind.Name) + ", " + r.Text(result.ReplicaMode.Name)
		if n := r.Float(result.ReplicaCount.Name); n > 0 {
			text += ": " + Count(n) + " copies, " + Seconds(r.Float(result.ReplicaTime.Name)) + " each, the longest " + Seconds(r.Float(result.ReplicaWorst.Name))
		}
		if n := r.Float(result.FailoverCount.Name); n > 0 {
			text += "; " + Count(n) + " failovers, RPO " + Seconds(r.Float(result.RPOMost.Name)) + ", RTO " + Seconds(r.Float(result.RTOMost.Name)) + " at the most"
		}
		p.item(r.Text(result.Name.Name), "%s", text)
	}
}
