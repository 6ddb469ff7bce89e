package datacenter

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
	needs []scheduler.Request // of each row
	jobs  []cluster.Job       // of each row
	first int                 // number of the first in the cluster

	recoveries []jobs.Recovery // of each [[workload.jobs]]
	ends       []int           // and the row after its last
}

// policy is what [scheduler] says of who runs next.
func (p *plant) policy() scheduler.Policy {
	s := &p.scenario.Scheduler
	limits := s.LASLimits.Value
	if !s.LASLimits.Set {
		limits = []float64{3250, 7200}
	}
	y := scheduler.Policy{
		Name: s.Policy.Value, Decider: p.scenario.Extensions.Policies[s.Policy.Value], LASLimits: limits, LASByTime: s.LASService.Value == "time",
		PreemptionCost: s.PreemptionCost.Value, HalfLife: units.Duration(7 * 24 * 3600 * sim.Second), Lease: s.Lease.Value,
	}
	if s.Preemption.Set {
		y.Preemption, _ = scheduler.ParsePreemption(s.Preemption.Value)
	}
	if s.HalfLife.Set {
		y.HalfLife = s.HalfLife.Value
	}
	for _, g := range s.Group {
		y.Groups = append(y.Groups, scheduler.Group{Name: g.Name.Value, Weight: g.Weight.Value, Quota: int(g.Quota.Value), Limit: int(g.Limit.Value)})
	}
	if p.hosting != nil {
		y.Capacity, y.Types = p.hosting.capacity(), p.hosting.counts()
	}
	if p.queued != nil && y.Name == "gittins" {
		for i := range p.queued.rows {
			j := &p.queued.rows[i]
			y.Services = append(y.Services, j.Duration*float64(j.Accelerators))
		}
	}
	return y
}

// readFile reads a file in the format that is said.
func (b *builder) readFile(w *scenario.Jobs, seen map[string]int32) ([]workload.Job, scenario.Faults) {
	if w.Format.Value == "csv" {
		return b.scenario.ReadJobs(w, seen)
	}
	rows, warning, faults := b.scenario.ReadTrace(w, seen)
	if warning != "" {
		b.warnings = append(b.warnings, warning)
	}
	return rows, faults
}

// readJobs reads the jobs of all files.
func (b *builder) readJobs() {
	all := b.scenario.Workload.Jobs
	if len(all) == 0 {
		return
	}
	b.checkQuotas()
	q := &queued{}
	seen := map[string]int32{}
	wants := b.newRequests()
	n := b.topology.Accelerators()
	limits := map[string]int{}
	for _, g := range b.scenario.Scheduler.Group {
		if g.Limit.Set {
			limits[g.Name.Value] = int(g.Limit.Value)
		}
	}
	for i := range all {
		w := &all[i]
		rows, faults := b.readFile(w, seen)
		b.faults = append(b.faults, faults...)
		rows = b.fill(w, b.settle(w, rows))
		for k := range rows {
			j := &rows[k]
			at := scenario.Position{File: b.scenario.Path(w.File.Value), Line: j.Line, Col: 1}
			b.checkWhere(j, at)
			if j.Accelerators <= n {
				q.needs = append(q.needs, wants.add(j, at))
			} else {
				b.faults = append(b.faults, at.Faultf("accelerators", "accelerators: job %q wants %d at once, and the topology has %d", j.ID, j.Accelerators, n))
			}
			if limit, limited := limits[b.groupOf(j)]; limited && j.Accelerators > limit {
				b.faults = append(b.faults, at.Faultf("accelerators", "accelerators: job %q wants %d at once, and its group may hold %d", j.ID, j.Accelerators, limit))
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
		q.recoveries, q.ends = append(q.recoveries, jobRecovery(w)), append(q.ends, len(q.rows))
	}
	wants.finish()
	b.plant.queued = q
}

// addJobs submits the jobs that were read.
func (b *builder) addJobs() {
	q := b.queued
	if q == nil || b.faults != nil {
		return
	}
	q.first = len(b.cluster.Jobs)
	q.trace = jobs.New(b.cluster)
	q.trace.PreemptionCost = sim.Time(b.scenario.Scheduler.PreemptionCost.Value)
	q.trace.Scaling = b.scenario.Scheduler.Scaling.Value
	if b.sites != nil {
		q.trace.Sites, q.trace.Data = b.sites.WAN, b.inputs()
	}
	durations := make([]sim.Time, len(q.rows))
	for i := range q.rows {
		durations[i] = sim.FromSeconds(q.rows[i].Duration)
	}
	programs := make([]cluster.Program, 0, len(q.rows))
	for i, end := range q.ends {
		q.recoveries[i].Copying = b.copying(&b.scenario.Workload.Jobs[i], durations[len(programs):end])
		programs = append(programs, q.trace.Programs(durations[len(programs):end], q.recoveries[i])...)
	}
	estimate := estimates(&b.scenario.Scheduler, uint64(b.scenario.Sim.Seed.Value))
	q.jobs = make([]cluster.Job, len(q.rows))
	submitted := make([]*cluster.Job, len(q.rows))
	for i := range q.rows {
		r := &q.rows[i]
		q.jobs[i] = cluster.Job{
			Name: r.ID, Start: sim.FromSeconds(r.Submit), Count: r.Accelerators, Program: programs[i],
			Estimate: estimate(r), Priority: r.Priority, Group: b.groupOf(r), Least: r.Least, Most: r.Most,
		}
		if b.hosting != nil {
			q.jobs[i].Needs = &q.needs[i]
		}
		submitted[i] = &q.jobs[i]
	}
	b.cluster.Submit(submitted...)
}

// addAudit has the queue be that of the jobs that were added by now, and every decision of
// them kept, if that is asked for.
func (b *builder) addAudit() {
	b.queueing = len(b.cluster.Jobs)
	if b.scenario.Scheduler.Decisions.Value {
		b.cluster.Audit(func(d scheduler.Decision) {
			if d.Job < b.queueing {
				b.audit = append(b.audit, d)
			}
		})
	}
}

// groupOf is the group that a job counts towards.
func (b *builder) groupOf(j *workload.Job) string {
	if b.scenario.Scheduler.ShareBy.Value == "user" {
		return j.User
	}
	return j.Group
}

// checkQuotas sees to it that the quotas of all groups can be had at once.
func (b *builder) checkQuotas() {
	sum, n := int64(0), int64(b.topology.Accelerators())
	for _, g := range b.scenario.Scheduler.Group {
		if sum += g.Quota.Value; sum > n {
			b.fault(g.Quota.Pos, g.Path+".quota", "with those of the groups before, %d accelerators are promised, and the topology has %d", sum, n)
			return
		}
	}
}

// estimates gives what the policy is told of the time that a job runs, 0 if
// nothing.
func estimates(k *scenario.Scheduler, seed uint64) func(*workload.Job) sim.Time {
	known := func(seconds float64) sim.Time {
		if t := sim.FromSeconds(seconds); t > 0 {
			return t
		}
		return -1 // 0 would be none at all
	}
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
