package scenario

import (
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload/jobs"
)

// maxJobs bounds the jobs of a scenario: each takes some hundred bytes.
const maxJobs = 1 << 22

// Jobs is one [[workload.jobs]].
type Jobs struct {
	Header
	Name  Key[string]         `key:"name" doc:"name in messages; the file's base name where left out"`
	File  Key[string]         `key:"file" required:"true" doc:"CSV of jobs in the order of their submission: job,submit_s,accelerators,duration_s, optional min_accelerators, max_accelerators, estimate_s, user, group, type, priority and model; and what it needs of a host beside: milli (thousandths of each accelerator), cpu_milli (thousandths of a core), memory_bytes, accelerator (types that it runs on, separated by bars), speeds (how fast it runs on types of them, in place of their hosts' speed: v100=1 k80=0.25), status; and with several sites the site that it must be at, and the dataset that it reads"`
	Start Key[units.Duration] `key:"start" default:"\"0s\"" doc:"added to every submit_s"`

	Format Key[string]  `key:"format" default:"\"csv\"" enum:"csv philly helios acme pai openb slurm swf" doc:"how the file is written: csv as above, or a trace as railyard trace convert reads it, in any order and rebased to its first submission"`
	Fill   Key[float64] `key:"fill" min:"0.01" max:"100" doc:"fill the cluster: whatever times the file has, its jobs come in random order, one a second, copies of random ones after them, until they want this many times the accelerators that there are; all end after the last has come (the experiment of Weng et al., USENIX ATC 2023)"`
	Strict Key[bool]    `key:"strict" default:"false" doc:"refuse a trace with rows that cannot be understood, which are left out with a warning otherwise; a csv is always refused"`

	JobRecovery
	CheckpointCopies
}

// Group is one [[scheduler.group]].
type Group struct {
	Header
	Name   Key[string]  `key:"name" required:"true" doc:"name, as in the column that share_by says"`
	Weight Key[float64] `key:"weight" default:"1" positive:"true" min:"0" max:"1e9" doc:"weight of its share, with fair-share and drf; with gavel that of each of its jobs"`
	Quota  Key[int64]   `key:"quota" default:"0" min:"0" max:"1048576" doc:"accelerators that are its own: what others borrow of them they give back when it has a job for them"`
	Limit  Key[int64]   `key:"limit" min:"1" max:"1048576" doc:"accelerators that it may hold at the most, with those that it borrows; no limit where left out"`
}

// ReadJobs reads the file that a [[workload.jobs]] names. Jobs are numbered and
// their names are told apart in seen, over all files of a scenario.
func (s *Scenario) ReadJobs(w *Jobs, seen map[string]int32) ([]jobs.Job, Faults) {
	var all []jobs.Job
	faults := s.withTable(w.File, w.Path+".file", func(file string, in io.Reader) (faults Faults) {
		all, faults = s.readJobs(file, in, seen)
		return faults
	})
	return all, faults
}

func (s *Scenario) readJobs(file string, in io.Reader, seen map[string]int32) ([]jobs.Job, Faults) {
	rows := newRows(file, in)
	optional := []string{"min_accelerators", "max_accelerators", "estimate_s", "user", "group", "type", "priority", "model", "status", "milli", "cpu_milli", "memory_bytes", "accelerator", "speeds", "site", "dataset"}
	if !rows.header([]string{"job", "submit_s", "accelerators", "duration_s"}, optional) {
		return nil, rows.all()
	}
	job, submit, accelerators, duration := rows.column("job"), rows.column("submit_s"), rows.column("accelerators"), rows.column("duration_s")
	estimate, user, group := rows.column("estimate_s"), rows.column("user"), rows.column("group")
	kind, priority, model := rows.column("type"), rows.column("priority"), rows.column("model")
	least, most := rows.column("min_accelerators"), rows.column("max_accelerators")
	needs := newNeeds(rows)
	where := s.newWhere(rows)
	var all []jobs.Job
	words := map[string]string{} // users, groups and the like are few: each is kept once
	word := func(column int) string {
		text := rows.text(column)
		kept, ok := words[text]
		if !ok {
			kept = strings.Clone(text)
			words[kept] = kept
		}
		return kept
	}
	for rows.next() {
		if len(all) == maxJobs {
			rows.faultf(job, "more than %d jobs", maxJobs)
			break
		}
		j := jobs.Job{
			ID: rows.id(job, seen), Submit: rows.time(submit), Accelerators: rows.gang(accelerators, needs.least()), Duration: rows.time(duration),
			User: word(user), Group: word(group), Type: word(kind), Model: word(model), Line: int(rows.line()),
		}
		if rows.text(estimate) != "" {
			j.Estimate = rows.time(estimate)
		}
		if rows.text(least) != "" {
			if j.Least = rows.gang(least, 1); j.Least > j.Accelerators {
				rows.faultf(least, "%d is more than the accelerators, %d", j.Least, j.Accelerators)
			}
		}
		if rows.text(most) != "" {
			if j.Most = rows.gang(most, 1); j.Most < j.Accelerators {
				rows.faultf(most, "%d is less than the accelerators, %d", j.Most, j.Accelerators)
			}
		}
		if rows.text(priority) != "" {
			j.Priority = rows.integer(priority)
		}
		needs.read(rows, &j)
		where.read(rows, &j)
		if n := len(all); n > 0 && j.Submit < all[n-1].Submit {
			rows.faultf(submit, "%s is before the %s of the row above: rows stand in the order of submission",
				rows.text(submit), strconv.FormatFloat(all[n-1].Submit, 'f', -1, 64))
			j.Submit = all[n-1].Submit
		}
		all = append(all, j)
	}
	if faults := rows.all(); faults != nil {
		return nil, faults
	}
	return all, nil
}

// gang is a number of accelerators.
func (r *rows) gang(column int, least int64) int {
	n := r.integer(column)
	if n < least || n > MaxAccelerators {
		r.faultf(column, "must be from %d to %d, not %d", least, MaxAccelerators, n)
		return 1
	}
	return int(n)
}

// integer is a whole number.
func (r *rows) integer(column int) int64 {
	text := r.text(column)
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return n
	}
	// Tables of other programs write 8.0.
	if v, err := units.ParseNumber(text); err == nil && v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return int64(v)
	}
	r.faultf(column, "%q is not a whole number", shown(text))
	return 1
}

// checkJobs judges what jobs and their policy ask for.
func (s *Scenario) checkJobs(b *binder) {
	k := &s.Scheduler
	refuse := func(set bool, at Position, key string) {
		if set && k.Policy.Value != "las" {
			b.faultf(at, "scheduler."+key, `belongs to policy = "las"; policy is %q`, k.Policy.Value)
		}
	}
	refuse(k.LASLimits.Set, k.LASLimits.Pos, "las_limits")
	refuse(k.LASService.Set, k.LASService.Pos, "las_service")
	switch policy := k.Policy.Value; {
	case policy == "elastic" && k.Preemption.Set && k.Preemption.Value != "suspend":
		b.faultf(k.Preemption.Pos, "scheduler.preemption", `must be "suspend" with policy "elastic", which resizes jobs so`)
	case scheduler.Preempts(policy) && k.Preemption.Value == "none":
		b.faultf(k.Preemption.Pos, "scheduler.preemption", `must not be "none": policy %q stops jobs`, policy)
	}
	if k.Scaling.Set && k.Policy.Value != "elastic" {
		b.faultf(k.Scaling.Pos, "scheduler.scaling", `belongs to policy = "elastic"; policy is %q`, k.Policy.Value)
	}
	leases := scheduler.Leases(k.Policy.Value)
	if leases {
		if k.Preemption.Value == "requeue" {
			b.faultf(k.Preemption.Pos, "scheduler.preemption", `must not be "requeue" with policy %q: what takes longer than a lease would never end`, k.Policy.Value)
		}
		if k.PreemptionCost.Value >= k.Lease.Value {
			b.faultf(k.PreemptionCost.Pos, "scheduler.preemption_cost", "must be less than the lease, %v: jobs would never end", k.Lease.Value)
		}
	}
	if k.Lease.Set && !leases {
		b.faultf(k.Lease.Pos, "scheduler.lease", `belongs to policy = "finish-time-fairness", "max-min" or "gavel"; policy is %q`, k.Policy.Value)
	}
	if k.HalfLife.Set && k.Policy.Value != "fair-share" {
		b.faultf(k.HalfLife.Pos, "scheduler.half_life", `belongs to policy = "fair-share"; policy is %q`, k.Policy.Value)
	}
	if k.EstimateError.Set && k.Estimates.Value != "noisy" {
		b.faultf(k.EstimateError.Pos, "scheduler.estimate_error", `belongs to estimates = "noisy"; estimates is %q`, k.Estimates.Value)
	}
	if !slices.IsSorted(k.LASLimits.Value) {
		b.faultf(k.LASLimits.Pos, "scheduler.las_limits", "must rise from one to the next")
	}
	s.checkPlacement(b)
	s.checkGroups(b)
	s.checkSecurity(b)
	s.checkJobRecovery(b)
	if s.Topology == nil || s.Topology.Kind.Value != "pool" {
		return
	}
	network := func(h Header) {
		b.faultf(h.At, h.Path, `needs a network, and a topology of kind "pool" has none: it takes [[workload.jobs]]`)
	}
	for _, w := range s.Workload.Training {
		network(w.Header)
	}
	for _, w := range s.Workload.Collective {
		network(w.Header)
	}
	for _, w := range s.Workload.Flows {
		network(w.Header)
	}
	for _, w := range s.Workload.Replay {
		network(w.Header)
	}
	for _, w := range s.Workload.Serving {
		network(w.Header)
	}
}

// checkGroups judges the groups and whether the policy can keep their quotas.
func (s *Scenario) checkGroups(b *binder) {
	k := &s.Scheduler
	names := map[string]bool{}
	keep := slices.DeleteFunc(scheduler.Policies(), func(p string) bool { return !scheduler.KeepsQuotas(p) })
	for i := range k.Group {
		g := &k.Group[i]
		if names[g.Name.Value] {
			b.faultf(g.Name.Pos, g.Path+".name", "%q is there twice", shown(g.Name.Value))
		}
		names[g.Name.Value] = true
		if g.Limit.Set && g.Limit.Value < g.Quota.Value {
			b.faultf(g.Limit.Pos, g.Path+".limit", "must not be below the quota, %d", g.Quota.Value)
		}
		if (g.Quota.Value > 0 || g.Limit.Set) && !scheduler.KeepsQuotas(k.Policy.Value) {
			b.faultf(g.At, g.Path, "has a quota or a limit, which policy %q does not keep; these do: %s", k.Policy.Value, strings.Join(keep, ", "))
		}
	}
}
