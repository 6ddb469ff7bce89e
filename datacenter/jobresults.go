package datacenter

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	workload "github.com/railyard/railyard/workload/jobs"
)

// Bounds of what is kept of jobs: intervals of their series, and users, groups and
// types in the summary.
const (
	jobBins   = 256
	jobOwners = 100
)

// jobResult is what became of one job of the queue.
type jobResult struct {
	*cluster.Job
	row   *workload.Job // empty for a workload that runs event by event
	ran   sim.Time      // with its accelerators
	held  float64       // accelerator-seconds
	spent spent         // what they went to
	alone sim.Time      // what it takes without others
	rho   float64
}

// stretch is a time in which a job had its accelerators.
type stretch struct {
	job          int
	accelerators float64 // that it holds, parts as parts
	from, to     sim.Time
	where        string
}

// jobResults is what became of all jobs of the queue.
type jobResults struct {
	end       sim.Time
	first     sim.Time // submission
	last      sim.Time // end of a job, or of the run
	jobs      []jobResult
	stretches []stretch
	computes  []computing // jobs that are durations
	events    events
	types     []acceleratorType
	total     int              // accelerators of the cluster
	outages   []cluster.Outage // in the makespan
	failing   *failing

	distributions []result.Distribution // of what record sums up
}

// collectJobs tells what became of all jobs, where some may wait, fail or make room: nil
// where none may.
func (p *plant) collectJobs(r *Result) *jobResults {
	if p.queued == nil && p.failing == nil && !p.scenario.Scheduler.Decisions.Value && !(p.cluster.Stops() && p.scenario.Workload.Several()) {
		return nil
	}
	jobs := p.jobResults()
	r.Tables = append(r.Tables, jobs.table(), jobs.stretchTable(), jobs.series())
	if p.scenario.Scheduler.Decisions.Value {
		r.Tables = append(r.Tables, jobs.decisionTable(p.audit))
	}
	r.Summary.Add(result.Jobs, jobs.record(p.scenario.Scheduler.Policy.Value))
	r.Distributions = jobs.distributions
	return jobs
}

func (p *plant) jobResults() *jobResults {
	q, end := p.queued, p.engine.Now()
	r := &jobResults{end: end, first: end, total: p.cluster.Topology.Accelerators()}
	var trace []jobs.Stretch
	if q != nil {
		trace = q.trace.Stretches(end)
	}
	for n, j := range p.cluster.Jobs[:p.queueing] {
		x := jobResult{Job: j, row: &workload.Job{}}
		if k := p.row(n); k >= 0 {
			x.row = &q.rows[k]
			x.alone = sim.FromSeconds(x.row.Duration)
		} else if j.Started {
			p.addStretches(r, &x, n)
		}
		r.jobs = append(r.jobs, x)
		r.first = min(r.first, j.Start)
		if j.Finished {
			r.last = max(r.last, j.FinishedAt)
		} else {
			r.last = end
		}
	}
	for i, s := range trace {
		var where strings.Builder
		held := 0.0
		for _, x := range q.trace.Spans(i) {
			writeRange(&where, int(x.First), int(x.Last))
			held += float64(x.Last-x.First) + 1
		}
		held *= r.jobs[s.Job].part()
		r.stretches = append(r.stretches, stretch{int(s.Job), held, s.From, s.To, where.String()})
		from, share := q.trace.Computes(i)
		r.computes = append(r.computes, computing{from, s.To, held * share})
		j := &r.jobs[s.Job]
		length := s.To - s.From
		j.ran += length
		j.held += held * length.Seconds()
		j.spent.add(held, q.trace.Cost(i))
	}
	r.setOutages(p)
	r.events, r.types = p.events(end), p.acceleratorTypes(end)
	r.fairness()
	return r
}

// ranges writes rising numbers as "0-3 7".
func ranges(list []int) string {
	var b strings.Builder
	for i := 0; i < len(list); {
		k := i
		for k+1 < len(list) && list[k+1] == list[k]+1 {
			k++
		}
		writeRange(&b, list[i], list[k])
		i = k + 1
	}
	return b.String()
}

func writeRange(b *strings.Builder, first, last int) {
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(span(first, last))
}

// span is numbers in a row: "3", or "3-5".
func span(first, last int) string {
	if last == first {
		return strconv.Itoa(first)
	}
	return strconv.Itoa(first) + "-" + strconv.Itoa(last)
}

// fairness sets rho of the finished jobs.
func (r *jobResults) fairness() {
	type change struct {
		at sim.Time
		by int
	}
	var changes []change
	for i := range r.jobs {
		if j := &r.jobs[i]; j.Start <= r.end {
			changes = append(changes, change{j.Start, 1})
			if j.Finished {
				changes = append(changes, change{j.FinishedAt, -1})
			}
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	// sums[i] is the time that all jobs together spent in the system up to
	// changes[i].
	sums := make([]float64, len(changes))
	inside := 0
	for i, c := range changes {
		if i > 0 {
			sums[i] = sums[i-1] + float64(inside)*(c.at-changes[i-1].at).Seconds()
		}
		inside += c.by
	}
	until := func(t sim.Time) float64 {
		i, _ := slices.BinarySearchFunc(changes, t, func(c change, t sim.Time) int { return cmp.Compare(c.at, t) })
		return sums[i]
	}
	for i := range r.jobs {
		j := &r.jobs[i]
		j.rho = result.Missing
		if !j.timed() {
			continue
		}
		took := (j.FinishedAt - j.Start).Seconds()
		others := (until(j.FinishedAt) - until(j.Start)) / took
		share := max(1, j.demand()*others/float64(r.total))
		j.rho = took / (j.alone.Seconds() * share)
	}
}

func (j *jobResult) status() string {
	switch {
	case j.Failed:
		return "failed"
	case j.Cancelled:
		return "cancelled"
	case j.Finished:
		return "finished"
	}
	return "unfinished"
}

// done says whether all of its work is.
func (j *jobResult) done() bool { return j.Finished && !j.Failed && !j.Cancelled }

// completion is the time from submission to the end, wait the part of it without
// accelerators, up to now where the job has not ended.
func (j *jobResult) completion(now sim.Time) sim.Time {
	if j.Finished {
		now = j.FinishedAt
	}
	return max(0, now-j.Start)
}

// timed says whether a job has ended and took time, alone and as it was.
func (j *jobResult) timed() bool { return j.done() && j.alone > 0 && j.FinishedAt > j.Start }

func (j *jobResult) slowdown() float64 {
	if !j.timed() {
		return result.Missing
	}
	return j.completion(0).Seconds() / j.alone.Seconds()
}

func (r *jobResults) table() *result.Table {
	n := len(r.jobs)
	number := func(f func(j *jobResult) float64) []float64 {
		all := make([]float64, n)
		for i := range r.jobs {
			all[i] = f(&r.jobs[i])
		}
		return all
	}
	integer := func(f func(j *jobResult) int) []int64 {
		all := make([]int64, n)
		for i := range r.jobs {
			all[i] = int64(f(&r.jobs[i]))
		}
		return all
	}
	text := func(f func(j *jobResult) string) []string {
		all := make([]string, n)
		for i := range r.jobs {
			all[i] = f(&r.jobs[i])
		}
		return all
	}
	t := &result.Table{Name: "jobs", Columns: []result.Column{
		{Metric: result.JobID, Text: text(func(j *jobResult) string { return j.Name })},
		{Metric: result.JobSubmit, Numbers: number(func(j *jobResult) float64 { return j.Start.Seconds() })},
		{Metric: result.JobStart, Numbers: number(func(j *jobResult) float64 {
			if !j.Started {
				return result.Missing
			}
			return j.StartedAt.Seconds()
		})},
		{Metric: result.JobFinish, Numbers: number(func(j *jobResult) float64 {
			if !j.Finished {
				return result.Missing
			}
			return j.FinishedAt.Seconds()
		})},
		{Metric: result.JobAccelerators, Integers: integer(func(j *jobResult) int { return j.Count })},
		{Metric: result.JobStatus, Text: text((*jobResult).status)},
		{Metric: result.JobWait, Numbers: number(func(j *jobResult) float64 { return (j.completion(r.end) - j.ran).Seconds() })},
		{Metric: result.JobRun, Numbers: number(func(j *jobResult) float64 { return j.ran.Seconds() })},
		{Metric: result.JobSlowdown, Numbers: number((*jobResult).slowdown)},
		{Metric: result.JobPreemptions, Integers: integer(func(j *jobResult) int { return j.Stops })},
		{Metric: result.JobRho, Numbers: number(func(j *jobResult) float64 { return j.rho })},
	}}
	if r.failing != nil {
		t.Columns = append(t.Columns, result.Column{Metric: result.JobInterruptions, Integers: integer(func(j *jobResult) int { return j.Interruptions })})
	}
	for _, c := range []struct {
		metric result.Metric
		of     func(j *jobResult) string
	}{
		{result.JobUser, func(j *jobResult) string { return j.row.User }},
		{result.JobGroup, func(j *jobResult) string { return j.row.Group }},
		{result.JobType, func(j *jobResult) string { return j.row.Type }},
		{result.JobModel, func(j *jobResult) string { return j.row.Model }},
	} {
		column := text(c.of)
		if slices.ContainsFunc(column, func(s string) bool { return s != "" }) {
			t.Columns = append(t.Columns, result.Column{Metric: c.metric, Text: column})
		}
	}
	return t
}

func (r *jobResults) stretchTable() *result.Table {
	n := len(r.stretches)
	job, where := make([]string, n), make([]string, n)
	from, to := make([]float64, n), make([]float64, n)
	for i, s := range r.stretches {
		job[i], where[i] = r.jobs[s.job].Name, s.where
		from[i], to[i] = s.from.Seconds(), s.to.Seconds()
	}
	return &result.Table{Name: "stretches", Columns: []result.Column{
		{Metric: result.JobID, Text: job},
		{Metric: result.StretchStart, Numbers: from},
		{Metric: result.StretchEnd, Numbers: to},
		{Metric: result.StretchWhere, Text: where},
	}}
}

// decisionTable is the audit of the queue.
func (r *jobResults) decisionTable(audit []scheduler.Decision) *result.Table {
	n := len(audit)
	at, until, free := make([]float64, n), make([]float64, n), make([]int64, n)
	job, action, reason, other, part := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, d := range audit {
		at[i], until[i], free[i] = d.At.Seconds(), result.Missing, int64(d.Free)
		action[i], reason[i], part[i] = string(d.Action), string(d.Reason), d.Part
		if d.Job >= 0 {
			job[i] = r.jobs[d.Job].Name
		}
		if d.Until != scheduler.Never {
			until[i] = d.Until.Seconds()
		}
		if d.Other >= 0 {
			other[i] = r.jobs[d.Other].Name
		}
	}
	t := &result.Table{Name: "decisions", Lines: true, Columns: []result.Column{
		{Metric: result.DecisionTime, Numbers: at},
		{Metric: result.JobID, Text: job},
		{Metric: result.DecisionAction, Text: action},
		{Metric: result.DecisionReason, Text: reason},
		{Metric: result.DecisionOther, Text: other},
		{Metric: result.DecisionUntil, Numbers: until},
		{Metric: result.DecisionFree, Integers: free},
	}}
	if r.failing != nil || slices.Contains(action, string(scheduler.Refuse)) {
		t.Columns = append(t.Columns, result.Column{Metric: result.DecisionPart, Text: part})
	}
	return t
}

// series is what waits and what runs over time.
func (r *jobResults) series() *result.Table {
	var inside, wanted, running, served, held, down result.Bins // inside: in the system, waiting or running
	for i := range r.jobs {
		j := &r.jobs[i]
		to := j.Start + j.completion(r.end)
		inside.Add(j.Start, to, 1, jobBins)
		wanted.Add(j.Start, to, j.demand(), jobBins)
	}
	for _, s := range r.stretches {
		running.Add(s.from, s.to, 1, jobBins)
		served.Add(s.from, s.to, r.jobs[s.job].demand(), jobBins)
		held.Add(s.from, s.to, s.accelerators, jobBins)
	}
	for _, o := range r.outages {
		down.Add(o.From, o.To, float64(o.Count), jobBins)
	}
	computing := r.computing()
	shift := result.CommonShift(r.end, jobBins, &inside, &wanted, &running, &served, &held, &down, &computing)
	width := sim.Time(1) << shift
	a, b, c, d := inside.Rates(shift, r.end), wanted.Rates(shift, r.end), running.Rates(shift, r.end), held.Rates(shift, r.end)
	e, f, g := served.Rates(shift, r.end), down.Rates(shift, r.end), computing.Rates(shift, r.end)
	n := len(a)
	at := make([]float64, n)
	for i := range n {
		begin := sim.Time(i) << shift
		part := float64(min(width, r.end-begin)) / float64(width)
		at[i] = begin.Seconds()
		a[i] = max(0, a[i]-c[i]) / part
		b[i] = max(0, b[i]-e[i]) / part
		c[i] /= part
		d[i] = min(1, d[i]/part/float64(r.total))
		f[i] = min(1, f[i]/part/float64(r.total))
		g[i] = min(1, g[i]/part/float64(r.total))
	}
	t := &result.Table{Name: "job_series", Columns: []result.Column{
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.SeriesQueued, Numbers: a},
		{Metric: result.SeriesQueuedDemand, Numbers: b},
		{Metric: result.SeriesRunning, Numbers: c},
		{Metric: result.SeriesAllocation, Numbers: d},
	}}
	if r.events.known() {
		t.Columns = append(t.Columns, result.Column{Metric: result.JobComputing, Numbers: g})
	}
	if r.failing != nil {
		t.Columns = append(t.Columns, result.Column{Metric: result.SeriesDown, Numbers: f})
	}
	return t
}

// distribution is mean and percentiles of values.
func distribution(values []float64) *result.Record {
	slices.Sort(values)
	n := len(values)
	mean, median := 0.0, 0.0
	rank := func(p float64) float64 { return 0 }
	if n > 0 {
		for _, v := range values {
			mean += v
		}
		mean /= float64(n)
		median = (values[(n-1)/2] + values[n/2]) / 2
		rank = func(p float64) float64 { return values[int(math.Ceil(p*float64(n)))-1] }
	}
	d := &result.Record{}
	d.Add(result.Mean, mean)
	d.Add(result.Median, median)
	d.Add(result.P95, rank(0.95))
	d.Add(result.P99, rank(0.99))
	return d
}

// record sums up the jobs.
func (r *jobResults) record(policy string) *result.Record {
	var jct, wait, slowdown, rho []float64
	var held, pace, squares float64
	var spent spent
	var failed, cancelled, unfinished, stops, stopped int64
	for i := range r.jobs {
		j := &r.jobs[i]
		held += j.held
		spent.sum(j.spent)
		stops += int64(j.Stops)
		if j.Stops > 0 {
			stopped++
		}
		switch {
		case j.Failed:
			failed++
		case j.Cancelled:
			cancelled++
		case !j.Finished:
			unfinished++
		default:
			jct = append(jct, j.completion(r.end).Seconds())
			wait = append(wait, (j.completion(r.end) - j.ran).Seconds())
			if j.timed() {
				s := j.slowdown()
				slowdown, rho = append(slowdown, s), append(rho, j.rho)
				pace += 1 / s
				squares += 1 / (s * s)
			}
		}
	}
	makespan := max(0, r.last-r.first).Seconds()
	c := &result.Record{}
	c.Add(result.JobPolicy, policy)
	c.Add(result.JobCount, int64(len(r.jobs)))
	c.Add(result.JobsFinished, int64(len(jct)))
	c.Add(result.JobsFailed, failed)
	c.Add(result.JobsCancelled, cancelled)
	c.Add(result.JobsUnfinished, unfinished)
	c.Add(result.JobMakespan, makespan)
	n := float64(len(slowdown))
	c.Add(result.JobCompletion, distribution(jct))
	c.Add(result.JobWaits, distribution(wait))
	for _, d := range []struct {
		of     result.Metric
		sorted []float64
	}{{result.JobCompletion, jct}, {result.JobWaits, wait}} {
		r.distributions = append(r.distributions, result.Distribute(result.Jobs.Name+"."+d.of.Name, d.sorted))
	}
	c.Add(result.JobSlowdowns, distribution(slowdown))
	c.Add(result.JobRhos, distribution(rho))
	c.Add(result.JobJain, result.Ratio(pace*pace, n*squares))
	c.Add(result.JobAllocation, result.Ratio(held, makespan*float64(r.total)))
	c.Add(result.JobComputing, result.Ratio(r.computed(), makespan*float64(r.total)))
	c.Add(result.JobUtilization, result.Ratio(held-spent.all(), makespan*float64(r.total)))
	c.Add(result.JobHeld, held)
	c.Add(result.JobLost, spent.lost+spent.overhead)
	c.Add(result.JobAllPreemptions, stops)
	c.Add(result.JobPreempted, stopped)
	r.addTime(c, held, spent, makespan*float64(r.total))
	for _, o := range []struct {
		metric result.Metric
		of     func(j *jobResult) string
	}{
		{result.JobUsers, func(j *jobResult) string { return j.row.User }},
		{result.JobGroups, func(j *jobResult) string { return j.row.Group }},
		{result.JobTypes, func(j *jobResult) string { return j.row.Type }},
	} {
		if all := r.owners(o.of); all != nil {
			c.Add(o.metric, all)
		}
	}
	r.addTypes(c, makespan)
	return c
}

// demand is the accelerators that the job wants, parts of them as parts.
func (j *jobResult) demand() float64 { return float64(j.Count) * j.part() }

// part is what the job has of each of its accelerators.
func (j *jobResult) part() float64 {
	if j.Needs != nil && j.Needs.Milli > 0 {
		return float64(j.Needs.Milli) / scheduler.Whole
	}
	return 1
}

// owners sums up the jobs of each user, group or type, those that held the most
// first; nil if no job names one.
func (r *jobResults) owners(of func(j *jobResult) string) []*result.Record {
	type owner struct {
		name                                 string
		jobs, finished, stops, interruptions int64
		held                                 float64
		jct, wait, slowdown, rho             []float64
	}
	place := map[string]int{}
	var all []owner
	for i := range r.jobs {
		j := &r.jobs[i]
		k, known := place[of(j)]
		if !known {
			k = len(all)
			place[of(j)] = k
			all = append(all, owner{name: of(j)})
		}
		o := &all[k]
		o.jobs++
		o.held += j.held
		o.stops += int64(j.Stops)
		o.interruptions += int64(j.Interruptions)
		if j.done() {
			o.finished++
			o.jct = append(o.jct, j.completion(r.end).Seconds())
			o.wait = append(o.wait, (j.completion(r.end) - j.ran).Seconds())
			if j.timed() {
				o.slowdown, o.rho = append(o.slowdown, j.slowdown()), append(o.rho, j.rho)
			}
		}
	}
	if len(all) == 0 || len(all) == 1 && all[0].name == "" {
		return nil
	}
	slices.SortStableFunc(all, func(a, b owner) int { return cmp.Compare(b.held, a.held) })
	var records []*result.Record
	for _, o := range all[:min(len(all), jobOwners)] {
		c := &result.Record{}
		c.Add(result.JobOwner, o.name)
		c.Add(result.JobCount, o.jobs)
		c.Add(result.JobsFinished, o.finished)
		c.Add(result.JobHeld, o.held)
		c.Add(result.JobCompletion, distribution(o.jct))
		c.Add(result.JobWaits, distribution(o.wait))
		c.Add(result.JobSlowdowns, distribution(o.slowdown))
		c.Add(result.JobRhos, distribution(o.rho))
		c.Add(result.JobAllPreemptions, o.stops)
		c.Add(result.JobInterruptions, o.interruptions)
		records = append(records, c)
	}
	return records
}
