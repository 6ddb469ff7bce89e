package railyard

import (
	"math"

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
	n := b.topology.Accelerators()
	for i := range all {
		w := &all[i]
		rows, faults := b.readJobs(w, seen)
		b.faults = append(b.faults, faults...)
		for k := range rows {
			j := &rows[k]
			at := scenario.Position{File: b.scenario.Path(w.File.Value), Line: j.Line, Col: 1}
			if j.Accelerators > n {
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
	if b.faults != nil {
		return
	}
	durations := make([]sim.Time, len(q.rows))
	for i := range q.rows {
		durations[i] = sim.FromSeconds(q.rows[i].Duration)
	}
	programs := q.trace.Programs(durations)
	estimate := estimates(&b.scenario.Scheduler, uint64(b.scenario.Sim.Seed.Value))
	q.jobs = make([]cluster.Job, len(q.rows))
	submitted := make([]*cluster.Job, len(q.rows))
	for i := range q.rows {
		r := &q.rows[i]
		q.jobs[i] = cluster.Job{
			Name: r.ID, Start: sim.FromSeconds(r.Submit), Count: r.Accelerators, Program: programs[i],
			Estimate: estimate(r),
		}
		submitted[i] = &q.jobs[i]
	}
	b.cluster.Submit(submitted...)
	b.plant.queued = q
}

// estimates gives what the policy is told of the time that a job runs, 0 if
// nothing.
func estimates(k *scenario.Scheduler, seed uint64) func(*workload.Job) sim.Time {
	// An estimate of 0 would be none at all.
	known := func(seconds float64) sim.Time { return max(sim.FromSeconds(seconds), 1) }
	switch k.Estimates.Value {
	case "trace":
		return func(j *workload.Job) sim.Time {
			if j.Estimate == 0 {
				return 0
			}
			return known(j.Estimate)
		}
	case "noisy":
		variation := 0.5
		if k.EstimateError.Set {
			variation = k.EstimateError.Value
		}
		sigma := math.Sqrt(math.Log1p(variation * variation))
		random := sim.Stream(seed, "scheduler/estimates")
		return func(j *workload.Job) sim.Time {
			return known(j.Duration * math.Exp(sigma*random.NormFloat64()-sigma*sigma/2))
		}
	}
	return func(j *workload.Job) sim.Time { return known(j.Duration) }
}
