package report

import "github.com/railyard/railyard/result"

// jobFailures writes what failures cost the jobs of a queue, if any could happen.
func (p *printer) jobFailures(j *result.Record) {
	causes := j.List(result.JobFaultCauses.Name)
	if len(causes) == 0 {
		return
	}
	p.item("failures", "interrupt %s jobs, %s times; accelerators are available for %s of the makespan", Count(j.Float(result.JobsInterrupted.Name)),
		Count(j.Float(result.JobInterruptions.Name)), Percent(j.Float(result.JobAvailability.Name)))
	p.item("goodput", "%s of what jobs held is work that counts", Percent(j.Float(result.JobGoodput.Name)))
	spent := j.Record(result.AcceleratorTime.Name)
	total := 0.0
	for _, part := range spent.Fields {
		total += spent.Float(part.Metric.Name)
	}
	p.line("  where the accelerators' time went")
	p.shares(spent, total)
	p.line("  %-22s %10s %14s %16s %16s", "what failed", "times", "interruptions", "work undone", "out of use")
	for i, c := range causes {
		if i == causesShown {
			p.line("    ... %d more causes in summary.json", len(causes)-i)
			return
		}
		p.line("    %-20s %10s %14s %16s %16s", c.Text(result.FaultCause.Name), Count(c.Float(result.CauseFailures.Name)), Count(c.Float(result.JobInterruptions.Name)),
			Percent(c.Float(result.CauseUndone.Name)/total), Percent(c.Float(result.CauseDown.Name)/total))
	}
}
