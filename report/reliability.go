package report

import "github.com/railyard/railyard/result"

// causesShown is how many causes of failures the terminal gets.
const causesShown = 8

// reliability writes what failures and checkpoints cost a job.
func (p *printer) reliability(t *result.Record) {
	x := t.Record(result.Reliability.Name)
	if x == nil {
		return
	}
	goodput := t.Float(result.Goodput.Name)
	text := Percent(goodput) + " of the time in iterations that counted"
	if largest := x.Text(result.LargestLoss.Name); largest != "" {
		text += "; most of the rest: " + largest
	}
	p.item("goodput", "%s", text)
	text = Count(x.Float(result.Interruptions.Name)) + " interruptions"
	if mttf := x.Float(result.ExpectedMTTF.Name); mttf > 0 {
		text += ", one in " + Seconds(mttf) + " expected"
	}
	p.item("failures", "%s", text)
	if size := x.Float(result.CheckpointBytes.Name); size > 0 {
		p.item("checkpoints", "%s of %s after each %s of work, written in %s, for which the job stands still for %s", Count(x.Float(result.CheckpointCount.Name)),
			Prefixed(size, "B"), Seconds(x.Float(result.CheckpointInterval.Name)), Seconds(x.Float(result.CheckpointWrite.Name)), Seconds(x.Float(result.CheckpointPause.Name)))
	}
	if r := x.Record(result.FailureRuns.Name); r != nil {
		g, n := r.Record(result.RunGoodput.Name), r.Record(result.RunInterruptions.Name)
		if g != nil {
			p.item("of "+Count(r.Float(result.FailureRunCount.Name))+" seeds", "goodput %s (95 %% between %s and %s), %s interruptions (%s to %s)", Percent(g.Float(result.Mean.Name)),
				Percent(g.Float(result.Low.Name)), Percent(g.Float(result.High.Name)), Count(n.Float(result.Mean.Name)), Count(n.Float(result.Low.Name)), Count(n.Float(result.High.Name)))
		}
	}
	spent := x.Record(result.TimeByCause.Name)
	total := 0.0
	for _, part := range spent.Fields {
		total += spent.Float(part.Metric.Name)
	}
	p.line("  where the time of the job went")
	p.shares(spent, total)
	if causes := x.List(result.FaultCauses.Name); len(causes) > 0 {
		p.line("  what stopped it")
		for i, c := range causes {
			if i == causesShown {
				p.line("    ... %d more causes in summary.json", len(causes)-i)
				break
			}
			p.line("    %-34s %s, %s lost", c.Text(result.FaultCause.Name), Count(c.Float(result.Interruptions.Name)), Seconds(c.Float(result.LostToCause.Name)))
		}
	}
}
