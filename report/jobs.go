package report

import "github.com/railyard/railyard/result"

// ownersShown is how many users, groups and types the terminal gets.
const ownersShown = 8

// jobs writes what became of the jobs of a queue.
func (p *printer) jobs(j *result.Record) {
	p.line("")
	finished := Count(j.Float(result.JobsFinished.Name))
	if n := j.Float(result.JobsFailed.Name); n > 0 {
		finished += ", " + Count(n) + " failed"
	}
	if n := j.Float(result.JobsCancelled.Name); n > 0 {
		finished += ", " + Count(n) + " cancelled"
	}
	if n := j.Float(result.JobsUnfinished.Name); n > 0 {
		finished += ", " + Count(n) + " unfinished"
	}
	p.line("jobs under %s: %s, of which finished %s", j.Text(result.JobPolicy.Name), Count(j.Float(result.JobCount.Name)), finished)
	spread := func(name string, m result.Metric, write func(float64) string) {
		d := j.Record(m.Name)
		p.item(name, "%-10s median %-10s p95 %-10s p99 %s", write(d.Float(result.Mean.Name)), write(d.Float(result.Median.Name)),
			write(d.Float(result.P95.Name)), write(d.Float(result.P99.Name)))
	}
	spread("completion time", result.JobCompletion, Seconds)
	spread("wait", result.JobWaits, Seconds)
	spread("slowdown", result.JobSlowdowns, Count)
	spread("finish-time fairness", result.JobRhos, Count)
	p.item("Jain's index", "%.3f", j.Float(result.JobJain.Name))
	p.item("makespan", "%s", Seconds(j.Float(result.JobMakespan.Name)))
	p.item("accelerators", "held %s of the makespan, computing %s, used %s", Percent(j.Float(result.JobAllocation.Name)), Percent(j.Float(result.JobComputing.Name)), Percent(j.Float(result.JobUtilization.Name)))
	if n := j.Float(result.JobAllPreemptions.Name); n > 0 {
		p.item("preemptions", "%s, of %s jobs", Count(n), Count(j.Float(result.JobPreempted.Name)))
	}
	p.jobFailures(j)
	for _, o := range []struct {
		name string
		all  []*result.Record
	}{
		{"user", j.List(result.JobUsers.Name)},
		{"group", j.List(result.JobGroups.Name)},
		{"type", j.List(result.JobTypes.Name)},
	} {
		p.owners(o.name, o.all, j.Float(result.JobHeld.Name))
	}
	for i, t := range j.List(result.JobAcceleratorUse.Name) {
		switch i {
		case 0:
			p.line("  %-22s %8s %10s", "by accelerator", "number", "allocated")
		case ownersShown:
			p.line("    ... more in summary.json")
			return
		}
		p.line("    %-20s %8s %10s", t.Text(result.Name.Name), Count(t.Float(result.AcceleratorCount.Name)), Percent(t.Float(result.JobAllocation.Name)))
	}
}

// owners writes what users, groups or types got.
func (p *printer) owners(name string, all []*result.Record, held float64) {
	if len(all) == 0 {
		return
	}
	p.line("  %-22s %8s %10s %12s %12s %10s", "by "+name, "jobs", "share", "completion", "wait", "slowdown")
	for i, o := range all {
		if i == ownersShown {
			p.line("    ... %d more in summary.json", len(all)-i)
			return
		}
		share := 0.0
		if held > 0 {
			share = o.Float(result.JobHeld.Name) / held
		}
		mean := func(m result.Metric) float64 { return o.Record(m.Name).Float(result.Mean.Name) }
		label := o.Text(result.JobOwner.Name)
		if label == "" {
			label = "(none)"
		}
		p.line("    %-20s %8s %10s %12s %12s %10s", label, Count(o.Float(result.JobCount.Name)), Percent(share),
			Seconds(mean(result.JobCompletion)), Seconds(mean(result.JobWaits)), Count(mean(result.JobSlowdowns)))
	}
}
