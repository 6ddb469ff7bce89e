package report

import "github.com/railyard/railyard/result"

// alerts writes which fired.
func (p *printer) alerts(all []*result.Record) {
	if len(all) == 0 {
		return
	}
	p.line("")
	p.line("alerts")
	for _, a := range all {
		if a.Float(result.AlertTimes.Name) == 0 {
			p.line("    %-22s %s: never", a.Text(result.AlertName.Name), a.Text(result.AlertRule.Name))
			continue
		}
		p.line("    %-22s %s: fired %s times, first at %s, %s in all", a.Text(result.AlertName.Name), a.Text(result.AlertRule.Name),
			Count(a.Float(result.AlertTimes.Name)), Seconds(a.Float(result.AlertFirst.Name)), Seconds(a.Float(result.AlertLasted.Name)))
	}
}
