// Package jobs runs jobs of which a trace knows only for how long they compute.
//
// # Model
//
// A job needs a time of service on its whole gang, wherever that lies, divided by the
// speed of the slowest of its accelerators; it communicates with nobody. If its
// accelerators are taken away and it is suspended, it keeps what it has done, and once
// it has accelerators again it needs the preemption cost in addition, to save and load
// its state. So a job is one event in each stretch that it runs. On n accelerators
// rather than the g of its gang an elastic job computes (n/g)^s times as fast, where s
// is how well it scales.
package jobs

import (
	"math"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Trace runs jobs on a cluster. Use New.
type Trace struct {
	// PreemptionCost is the time that a job needs in addition each time it was
	// stopped.
	PreemptionCost sim.Time
	// Scaling is how well jobs scale: 1 is with the accelerators, 0 not at all.
	Scaling float64

	c     *cluster.Cluster
	actor sim.Actor
	slots []slot
	idle  []int32 // slots without a run

	stretches []Stretch
	spans     []Span
}

// slot is a timer and the run for whose end it is set.
type slot struct {
	timer sim.Timer
	run   *run
}

// run is the program of one job.
type run struct {
	trace   *Trace
	whole   sim.Time // its service
	left    sim.Time // of it, at the beginning of the stretch
	owed    sim.Time // cost of preemptions, to be paid before
	speed   float64  // in this stretch
	slot    int32
	stretch int32
	job     int
}

// Stretch is a time in which a job ran.
type Stretch struct {
	Job      int // its number in the cluster
	From, To sim.Time
	// its spans end where those of the next begin
	spans int
}

// Span is accelerators in a row, the last included.
type Span struct{ First, Last topology.NodeID }

// New gives a trace without jobs.
func New(c *cluster.Cluster) *Trace {
	t := &Trace{c: c}
	t.actor = c.Engine.Register(t)
	return t
}

// Programs gives programs that run for the given times, one a job.
func (t *Trace) Programs(durations []sim.Time) []cluster.Program {
	runs := make([]run, len(durations))
	programs := make([]cluster.Program, len(durations))
	t.stretches = slices.Grow(t.stretches, len(durations))
	t.spans = slices.Grow(t.spans, len(durations))
	for i := range runs {
		runs[i] = run{trace: t, whole: durations[i], left: durations[i]}
		programs[i] = &runs[i]
	}
	return programs
}

// Begin sets a timer for the end of the job's service.
func (r *run) Begin(c *cluster.Cluster, job int) {
	t := r.trace
	if len(t.idle) == 0 {
		t.idle = append(t.idle, int32(len(t.slots)))
		t.slots = append(t.slots, slot{timer: c.Engine.NewTimer(t.actor, uint64(len(t.slots)))})
	}
	last := len(t.idle) - 1
	r.slot, r.job = t.idle[last], job
	t.idle = t.idle[:last]
	t.slots[r.slot].run = r
	now := c.Engine.Now()
	j := c.Jobs[job]
	r.speed = c.Speed(job)
	takes := r.left
	if n := len(j.Accelerators); n != j.Count {
		r.speed *= math.Pow(float64(n)/float64(j.Count), t.Scaling)
	}
	if r.speed != 1 {
		takes = sim.FromSeconds(r.left.Seconds() / r.speed)
	}
	c.Engine.Arm(t.slots[r.slot].timer, now.After(r.owed).After(takes))

	r.stretch = int32(len(t.stretches))
	t.stretches = append(t.stretches, Stretch{job, now, -1, len(t.spans)})
	for _, a := range j.Accelerators {
		if n := len(t.spans); n > t.stretches[r.stretch].spans && t.spans[n-1].Last == a-1 {
			t.spans[n-1].Last = a
			continue
		}
		t.spans = append(t.spans, Span{a, a})
	}
}

// Stop takes the timer back.
func (r *run) Stop(c *cluster.Cluster, _ int, how scheduler.Preemption) {
	t, now := r.trace, c.Engine.Now()
	c.Engine.Disarm(t.slots[r.slot].timer)
	ran := now - t.stretches[r.stretch].From
	paid := min(ran, r.owed)
	r.owed = (r.owed - paid).After(t.PreemptionCost)
	done := ran - paid
	if r.speed != 1 {
		done = sim.FromSeconds(done.Seconds() * r.speed)
	}
	r.left -= min(done, r.left)
	if how == scheduler.Requeue {
		r.left, r.owed = r.whole, 0
	}
	t.end(r, now)
}

func (t *Trace) end(r *run, now sim.Time) {
	t.stretches[r.stretch].To = now
	t.idle = append(t.idle, r.slot)
	t.slots[r.slot].run = nil
}

// Handle ends the job of a slot.
func (t *Trace) Handle(now sim.Time, slot uint64) {
	r := t.slots[slot].run
	t.end(r, now)
	t.c.Done(r.job)
}

// Stretches are the times in which jobs ran up to now, in the order in which they
// began.
func (t *Trace) Stretches(now sim.Time) []Stretch {
	for i := range t.stretches {
		if s := &t.stretches[i]; s.To < 0 {
			s.To = now
		}
	}
	return t.stretches
}

// Spans are the accelerators of stretch i.
func (t *Trace) Spans(i int) []Span {
	if i+1 < len(t.stretches) {
		return t.spans[t.stretches[i].spans:t.stretches[i+1].spans]
	}
	return t.spans[t.stretches[i].spans:]
}
