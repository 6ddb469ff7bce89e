package datacenter

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/result"
)

// spent is accelerator-seconds that jobs held and that were not work that counts.
type spent struct{ lost, overhead, slowed float64 }

func (s *spent) all() float64 { return s.lost + s.overhead + s.slowed }

func (s *spent) sum(o spent) {
	s.lost += o.lost
	s.overhead += o.overhead
	s.slowed += o.slowed
}

// add counts what a stretch on so many accelerators cost.
func (s *spent) add(accelerators float64, x jobs.Cost) {
	s.sum(spent{accelerators * x.Lost.Seconds(), accelerators * x.Overhead.Seconds(), accelerators * x.Slowed.Seconds()})
}

// spentBy is what a workload that runs event by event spent of the time that it had so many
// accelerators: of a training job that saves its state and recovers, as its outcome has it.
func (p *plant) spentBy(job int, accelerators float64) (s spent) {
	i := slices.Index(p.jobs, job)
	if i < 0 {
		return s
	}
	how, fared := p.training[i].Outcome()
	if fared == nil {
		return s
	}
	for c, t := range fared.Time {
		switch part := accelerators * t.Seconds(); training.Cause(c) {
		case training.Productive:
		case training.Waiting:
			if !how.Requeued { // else it holds none meanwhile
				s.overhead += part
			}
		case training.LostWork:
			s.lost += part
		case training.Slowed:
			s.slowed += part
		default:
			s.overhead += part
		}
	}
	return s
}

// setOutages takes those that lie in the makespan.
func (r *jobResults) setOutages(p *plant) {
	r.failing = p.failing
	for _, o := range p.cluster.Outages() {
		if o.To < 0 {
			o.To = r.end
		}
		o.From, o.To = max(o.From, r.first), min(o.To, r.last)
		if o.From < o.To {
			r.outages = append(r.outages, o)
		}
	}
}

// addTime adds to the summary where the accelerator-seconds went, of which jobs held
// some, and what failures cost.
func (r *jobResults) addTime(c *result.Record, held float64, s spent, total float64) {
	down := 0.0
	for _, o := range r.outages {
		down += float64(o.Count) * (o.To - o.From).Seconds()
	}
	c.Add(result.JobGoodput, result.Ratio(held-s.all(), held))
	c.Add(result.JobAvailability, 1-result.Ratio(down, total))
	t := &result.Record{}
	t.Add(result.TimeUseful, held-s.all())
	t.Add(result.TimeLost, s.lost)
	t.Add(result.TimeOverhead, s.overhead)
	t.Add(result.TimeSlowed, s.slowed)
	t.Add(result.TimeIdle, max(0, total-held-down))
	t.Add(result.TimeDown, down)
	c.Add(result.AcceleratorTime, t)
	if r.failing == nil {
		return
	}
	var all, interrupted int64
	for i := range r.jobs {
		all += int64(r.jobs[i].Interruptions)
		if r.jobs[i].Interruptions > 0 {
			interrupted++
		}
	}
	c.Add(result.JobInterruptions, all)
	c.Add(result.JobsInterrupted, interrupted)
	c.Add(result.JobFaultCauses, r.causes())
}

// causes is what each source of failures cost, the greatest first.
func (r *jobResults) causes() []*result.Record {
	type cost struct {
		source int
		down   float64
	}
	costs := make([]cost, len(r.failing.Tolls))
	for i := range costs {
		costs[i].source = i
	}
	for _, o := range r.outages {
		costs[o.Cause].down += float64(o.Count) * (o.To - o.From).Seconds()
	}
	slices.SortStableFunc(costs, func(a, b cost) int {
		return cmp.Compare(b.down+r.failing.Tolls[b.source].Undone, a.down+r.failing.Tolls[a.source].Undone)
	})
	records := []*result.Record{}
	for _, k := range costs {
		toll := r.failing.Tolls[k.source]
		c := &result.Record{}
		c.Add(result.FaultCause, causeOf(r.failing.said[k.source]))
		c.Add(result.FaultKind, r.failing.said[k.source].Kind.Value)
		c.Add(result.CauseFailures, toll.Happened)
		c.Add(result.JobInterruptions, toll.Interrupted)
		c.Add(result.CauseUndone, toll.Undone)
		c.Add(result.CauseDown, k.down)
		records = append(records, c)
	}
	return records
}

// outageTable is the accelerators that were out of use.
func (p *plant) outageTable() *result.Table {
	outages := p.cluster.Outages()
	n := len(outages)
	from, to, where := make([]float64, n), make([]float64, n), make([]string, n)
	kind, cause := make([]string, n), make([]string, n)
	for i, o := range outages {
		from[i], to[i] = o.From.Seconds(), result.Missing
		if o.To >= 0 {
			to[i] = o.To.Seconds()
		}
		where[i] = span(int(o.First), int(o.First+o.Count)-1)
		said := p.failing.said[o.Cause]
		kind[i], cause[i] = said.Kind.Value, causeOf(said)
	}
	return &result.Table{Name: "outages", Columns: []result.Column{
		{Metric: result.OutageStart, Numbers: from},
		{Metric: result.OutageEnd, Numbers: to},
		{Metric: result.OutageWhere, Text: where},
		{Metric: result.FaultKind, Text: kind},
		{Metric: result.FaultCause, Text: cause},
	}}
}

// resumptions are when jobs of traces began again after each of their interruptions.
func (p *plant) resumptions() []float64 {
	all := p.failing.Interruptions
	at := slices.Repeat([]float64{result.Missing}, len(all))
	waiting := map[int][]int{} // of each job, its interruptions in the order of time
	for i, x := range all {
		waiting[x.Job] = append(waiting[x.Job], i)
	}
	for _, s := range p.queued.trace.Stretches(p.engine.Now()) {
		for w := waiting[int(s.Job)]; len(w) > 0 && all[w[0]].At <= s.From; w = waiting[int(s.Job)] {
			at[w[0]] = s.From.Seconds()
			waiting[int(s.Job)] = w[1:]
		}
	}
	return at
}
