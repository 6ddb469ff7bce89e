package railyard

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
	workload "github.com/railyard/railyard/workload/jobs"
)

// queued is the jobs of all [[workload.jobs]], in the order of the input.
type queued struct {
	trace *jobs.Trace
	rows  []workload.Job
	jobs  []cluster.Job // of each row
	first int           // number of the first in the cluster
}

// policy is what [scheduler] says of who runs next.
func policy(s *scenario.Scheduler) scheduler.Policy {
	limits := s.LASLimits.Value
	if !s.LASLimits.Set {
		limits = []float64{3250, 7200}
	}
	return scheduler.Policy{
		Name: s.Policy.Value, LASLimits: limits, LASByTime: s.LASService.Value == "time",
		PreemptionCost: s.PreemptionCost.Value,
	}
}

// readJobs reads a file in the format that is said.
func (b *builder) readJobs(w *scenario.Jobs, seen map[string]int32) ([]workload.Job, scenario.Faults) {
	if w.Format.Value == "csv" {
		return b.scenario.ReadJobs(w, seen)
	}
	rows, warning, faults := b.scenario.ReadTrace(w, seen)
	if warning != "" {
		b.warnings = append(b.warnings, warning)
	}
	return rows, faults
}

// addJobs reads the jobs of all files and submits them.
func (b *builder) addJobs() {
	all := b.scenario.Workload.Jobs
	if len(all) == 0 {
		return
	}
	q := &queued{trace: jobs.New(b.cluster), first: len(b.cluster.Jobs)}
	q.trace.PreemptionCost = sim.Time(b.scenario.Scheduler.PreemptionCost.Value)
	seen := map[string]int32{}
	wants := b.newRequests()
	var needs []scheduler.Request
	n := b.topology.Accelerators()
	for i := range all {
		w := &all[i]
		rows, faults := b.readJobs(w, seen)
		b.faults = append(b.faults, faults...)
		rows = b.fill(w, b.settle(w, rows))
		for k := range rows {
			j := &rows[k]
			at := scenario.Position{File: b.scenario.Path(w.File.Value), Line: j.Line, Col: 1}
			if j.Accelerators <= n {
				needs = append(needs, wants.add(j, at))
			} else {
				b.faults = append(b.faults, at.Faultf("accelerators", "accelerators: job %q wants %d at once, and the topology has %d", j.ID, j.Accelerators, n))
			}
			j.Submit += w.Start.Value.Seconds()
			if _, err := units.DurationOf(j.Submit); err != nil {
				b.faults = append(b.faults, at.Faultf("submit_s", "submit_s: with start: %v", err))
			}
			if len(b.faults) > 20 {
				return
			}
		}
		q.rows = append(q.rows, rows...)
	}
	wants.finish()
	if b.faults != nil {
		return
	}
	durations := make([]sim.Time, len(q.rows))
	for i := range q.rows {
		durations[i] = sim.FromSeconds(q.rows[i].Duration)
	}
	programs := q.trace.Programs(durations)
	q.jobs = make([]cluster.Job, len(q.rows))
	submitted := make([]*cluster.Job, len(q.rows))
	for i := range q.rows {
		r := &q.rows[i]
		q.jobs[i] = cluster.Job{
			Name: r.ID, Start: sim.FromSeconds(r.Submit), Count: r.Accelerators, Needs: needs[i], Program: programs[i],
			Estimate: max(durations[i], 1), // 0 would be none
		}
		submitted[i] = &q.jobs[i]
	}
	b.cluster.Submit(submitted...)
	b.plant.queued = q
}
