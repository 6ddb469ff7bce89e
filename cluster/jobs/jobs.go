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
//
// A job of which accelerators fail loses what it has done since its latest checkpoint,
// those of its suspensions included, and waits to go on from there ([Recovery]). It stands
// still for every checkpoint but that it makes none at its end. While one of its
// accelerators is slow, so is all that the job does.
package jobs

import (
	"fmt"
	"iter"
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

	jobs      int // programs given
	stretches []Stretch
	spans     []Span
	costs     []Cost

	recoveries []Recovery

	// Sites, if set, are those that accelerators lie in, of which some may be lost, and Data
	// what jobs read; nil if they read nothing that matters.
	Sites cluster.Sites
	Data  Data
	// Failovers are the first MaxFailovers of those of jobs, and Copies what was copied of the
	// jobs of each call of Programs.
	Failovers []Failover
	Copies    []cluster.Copies
	states    []*state
}

// Recovery is how jobs come back after failures. With the zero value they do not.
type Recovery struct {
	// Interval is the work between two checkpoints, in time of service; 0: none are made.
	// A job that makes them saves its state before a failure that is planned.
	Interval sim.Time
	// Pause is for how long a job stands still for one, after which it is safe.
	Pause sim.Time
	// Restart is the time that it takes to start again and to read the state.
	Restart sim.Time
	// Restarts is how often a job begins again: with one failure more that was not
	// planned it has failed.
	Restarts int
	// Copying, if set, has checkpoints copied to other sites.
	Copying *Copying
}

// Bounds of what jobs go through before they are taken never to end.
const (
	maxInterruptions = 1 << 16 // of one job
	maxAgain         = 1 << 21 // how often all together begin again, each time a stretch to keep
)

// slot is a job that runs: how far it is.
type slot struct {
	run   *run
	timer sim.Timer // set for its end
	since sim.Time  // the instant up to which its time is counted
	ran   sim.Time  // then, in this stretch, after what it owed, by its full pace
	speed float64   // in this stretch
	pace  float64   // part of its speed at present: 1 but where an accelerator is slow

	checkpoint sim.Timer // set for its next checkpoint, where these are copied
	made       int64     // checkpoints in this stretch that have been looked at
}

// run is the program of one job.
type run struct {
	trace    *Trace
	whole    sim.Time // its service
	saved    sim.Time // of it, what was done when the stretch began, or is safe
	owed     sim.Time // cost of preemptions and restarts, to be paid first
	recovery int32    // number of its Recovery
	slot     int32
	stretch  int32 // none before the first, and before the first since it began anew
	failures int32
	job      int32
	state    *state // nil where sites do not matter
}

// Stretch is a time in which a job ran.
type Stretch struct {
	From, To sim.Time
	Job      int32 // its number in the cluster

	spans  int32 // which end where those of the next begin
	before int32 // the job's stretch before; none if it began anew with this one
	cost   int32 // none: all of it was work that counts
}

const none = -1

// Cost is what of the time of a stretch was not work that counts.
type Cost struct {
	Overhead sim.Time // of preemptions and restarts
	First    sim.Time // of that, what came before any work; the rest are pauses in it
	Slowed   sim.Time // what slow accelerators added
	Lost     sim.Time // what has been done again, or for nothing
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
func (t *Trace) Programs(durations []sim.Time, r Recovery) []cluster.Program {
	runs := make([]run, len(durations))
	programs := make([]cluster.Program, len(durations))
	t.jobs += len(durations)
	t.stretches = slices.Grow(t.stretches, len(durations))
	t.spans = slices.Grow(t.spans, len(durations))
	t.recoveries, t.Copies = append(t.recoveries, r), append(t.Copies, cluster.Copies{})
	for i := range runs {
		runs[i] = run{trace: t, recovery: int32(len(t.recoveries)) - 1, whole: durations[i], stretch: none}
		programs[i] = &runs[i]
	}
	return programs
}

// Links are none: of a job that is a duration only the accelerators are known.
func (r *run) Links() (links iter.Seq[topology.LinkID], known bool) { return nil, true }

// Begin sets a timer for the end of the job's service.
func (r *run) Begin(c *cluster.Cluster, job int) {
	t := r.trace
	if len(t.idle) == 0 {
		t.idle = append(t.idle, int32(len(t.slots)))
		n := uint64(len(t.slots))
		t.slots = append(t.slots, slot{timer: c.Engine.NewTimer(t.actor, argEnd|n)})
		if t.Sites != nil {
			t.slots[n].checkpoint = c.Engine.NewTimer(t.actor, argCheckpoint|n)
		}
	}
	last := len(t.idle) - 1
	r.slot, r.job = t.idle[last], int32(job)
	t.idle = t.idle[:last]
	j, s := c.Jobs[job], &t.slots[r.slot]
	s.run, s.since, s.ran, s.speed, s.pace, s.made = r, c.Engine.Now(), 0, c.Speed(job), c.Pace(job), 0
	if n := len(j.Accelerators); n != j.Count {
		s.speed *= math.Pow(float64(n)/float64(j.Count), t.Scaling)
	}
	if t.Sites != nil {
		t.settleAt(r, job)
	}
	if len(t.stretches)-t.jobs == maxAgain {
		c.Abort(job, fmt.Errorf("begins again as jobs have done %d times by %v: failures, preemptions or leases come faster than they get on", maxAgain, s.since))
	}
	t.stretches = append(t.stretches, Stretch{s.since, -1, int32(job), int32(len(t.spans)), r.stretch, none})
	r.stretch = int32(len(t.stretches)) - 1
	for _, a := range j.Accelerators {
		if n := len(t.spans); n > int(t.stretches[r.stretch].spans) && t.spans[n-1].Last == a-1 {
			t.spans[n-1].Last = a
			continue
		}
		t.spans = append(t.spans, Span{a, a})
	}
	if r.state == nil || r.state.awaited == 0 {
		t.computes(s)
	}
}

// arm sets the timer to when the job ends at its present pace.
func (t *Trace) arm(s *slot) {
	r := s.run
	left := r.whole - r.saved
	takes := s.takes(left)
	if p := &t.recoveries[r.recovery]; p.Pause > 0 && p.Interval > 0 && left > 0 {
		takes = takes.After(times(int64((left-1)/p.Interval), p.Pause))
	}
	takes -= s.ran
	if s.pace != 1 {
		takes = sim.FromSeconds(takes.Seconds() / s.pace)
	}
	e := t.c.Engine
	e.Arm(s.timer, e.Now().After(r.owed).After(max(0, takes)))
	t.expect(s)
}

// times is so many times a time, or Never.
func times(n int64, t sim.Time) sim.Time {
	if t > 0 && n > int64(sim.Never/t) {
		return sim.Never
	}
	return sim.Time(n) * t
}

// takes is the time of some work at full pace.
func (s *slot) takes(work sim.Time) sim.Time {
	if s.speed == 1 {
		return work
	}
	return sim.FromSeconds(work.Seconds() / s.speed)
}

// work is what is done in a time at full pace.
func (s *slot) work(time sim.Time) sim.Time {
	if s.speed == 1 {
		return time
	}
	return sim.FromSeconds(time.Seconds() * s.speed)
}

// advance counts the time up to now.
func (t *Trace) advance(s *slot, now sim.Time) {
	r, time := s.run, now-s.since
	s.since = now
	if x := r.state; x != nil && x.awaited > 0 {
		t.cost(r.stretch).Overhead += time
		x.staged += time
		return
	}
	if r.owed > 0 {
		paid := min(time, r.owed)
		r.owed -= paid
		time -= paid
		x := t.cost(r.stretch)
		x.Overhead += paid
		x.First += paid
	}
	if s.pace != 1 {
		slowed := sim.Time((1 - s.pace) * float64(time))
		time -= slowed
		t.cost(r.stretch).Slowed += slowed
	}
	s.ran += time
}

// progress is what the job has done in this stretch: all of it, and up to its latest
// checkpoint, which is none of it without them; and for how long it stood still.
func (t *Trace) progress(s *slot) (done, kept, paused sim.Time) {
	p, left := &t.recoveries[s.run.recovery], s.run.whole-s.run.saved
	if p.Interval == 0 {
		return min(s.work(s.ran), left), 0, 0
	}
	work := max(1, s.takes(p.Interval))
	cycle := work.After(p.Pause)
	n := s.ran / cycle
	rest := min(s.ran%cycle, work)
	done = min(n*p.Interval+s.work(rest), left)
	return done, min(n*p.Interval, done), n*p.Pause + s.ran%cycle - rest
}

// settle counts all that the job has done in this stretch, and gives its progress.
func (t *Trace) settle(s *slot, now sim.Time) (done, kept, paused sim.Time) {
	t.advance(s, now)
	if done, kept, paused = t.progress(s); paused > 0 {
		t.cost(s.run.stretch).Overhead += paused
	}
	return done, kept, paused
}

// cost is that of a stretch, to be changed.
func (t *Trace) cost(stretch int32) *Cost {
	s := &t.stretches[stretch]
	if s.cost == none {
		s.cost = int32(len(t.costs))
		t.costs = append(t.costs, Cost{})
	}
	return &t.costs[s.cost]
}

// Cost is what of stretch i was not work that counts.
func (t *Trace) Cost(i int) Cost {
	if t.stretches[i].cost == none {
		return Cost{}
	}
	return t.costs[t.stretches[i].cost]
}

// Computes says from when on stretch i computed, and for which share of the time from
// then on: not while it saved its state, nor where it waited for slow accelerators. What
// it computed may have been for nothing.
func (t *Trace) Computes(i int) (from sim.Time, share float64) {
	s, x := &t.stretches[i], t.Cost(i)
	from = s.From + x.First
	if from >= s.To {
		return s.To, 0
	}
	return from, 1 - (x.Overhead-x.First+x.Slowed).Seconds()/(s.To-from).Seconds()
}

// Repace goes on at the pace that the accelerators have now.
func (r *run) Repace(c *cluster.Cluster, job int) {
	s := &r.trace.slots[r.slot]
	r.trace.advance(s, c.Engine.Now())
	s.pace = c.Pace(job)
	if r.state == nil || r.state.awaited == 0 {
		r.trace.arm(s)
	}
}

// Stop takes the timer back.
func (r *run) Stop(c *cluster.Cluster, _ int, how scheduler.Preemption) {
	now := c.Engine.Now()
	done, _, _ := r.leave(now)
	if r.state != nil {
		x := r.trace.cost(r.stretch)
		r.trace.halt(r.state, done, now-r.trace.stretches[r.stretch].From-x.Overhead-x.Slowed)
	}
	r.owed = r.owed.After(r.trace.PreemptionCost)
	r.saved += done
	if how != scheduler.Suspend {
		r.anew()
	}
}

// Interrupt takes the timer back, and the work that is not saved.
func (r *run) Interrupt(c *cluster.Cluster, job int, planned bool) cluster.Setback {
	now := c.Engine.Now()
	done, kept, paused := r.leave(now)
	p := &r.trace.recoveries[r.recovery]
	if planned && p.Interval > 0 {
		kept = done
	} else if r.state != nil {
		kept = r.trace.counts(r.state, kept)
	}
	x := r.trace.cost(r.stretch)
	ran := now - r.trace.stretches[r.stretch].From
	owed := r.owed + x.Overhead - paused // when the stretch began
	if r.state != nil {
		owed -= r.state.staged
	}
	safe := min(r.trace.slots[r.slot].takes(kept), ran-x.Overhead-x.Slowed)
	x.Lost = ran - x.Overhead - x.Slowed - safe
	if r.state != nil {
		r.trace.halt(r.state, kept, safe)
		switch lost := r.trace.Sites.Lost(r.state.home); {
		case lost && planned:
			r.state.at = anywhere
		case lost:
			r.trace.struck(r.state, x.Lost)
		}
	}
	r.saved += kept
	r.owed = p.Restart
	b := cluster.Setback{Undone: x.Lost, Lost: ran - safe - owed + r.owed}
	if !planned {
		r.failures++
	}
	if int(r.failures) > p.Restarts || c.Jobs[job].Interruptions >= maxInterruptions {
		b.GivenUp = true
		r.anew()
		if r.state != nil {
			r.trace.leave(r.state)
		}
	}
	return b
}

// anew forgets all that the job has done: it was for nothing.
func (r *run) anew() {
	for i := r.stretch; i != none; i = r.trace.stretches[i].before {
		s, x := &r.trace.stretches[i], r.trace.cost(i)
		x.Lost = s.To - s.From - x.Overhead - x.Slowed
	}
	r.saved, r.owed, r.stretch = 0, 0, none
}

// leave ends a stretch before the job has, and gives its progress.
func (r *run) leave(now sim.Time) (done, kept, paused sim.Time) {
	t := r.trace
	s := &t.slots[r.slot]
	t.c.Engine.Disarm(s.timer)
	done, kept, paused = t.settle(s, now)
	t.end(s, now)
	return done, kept, paused
}

// end frees the slot of a job that runs no more.
func (t *Trace) end(s *slot, now sim.Time) {
	r := s.run
	t.stretches[r.stretch].To = now
	t.idle = append(t.idle, r.slot)
	s.run = nil
}

// Handle ends the job of a slot, or sees to checkpoints and what jobs wait for.
func (t *Trace) Handle(now sim.Time, arg uint64) {
	n, time := arg&argIndex, arg>>32&argTime
	switch arg & argKind {
	case argCheckpoint:
		t.made(&t.slots[n], now)
		return
	case argCopied:
		t.hasCopied(t.states[n], time, now)
		return
	case argFetched:
		t.fetched(t.states[n], time, now)
		return
	}
	s := &t.slots[n]
	r := s.run
	if r.owed > 0 || s.pace != 1 || t.recoveries[r.recovery].Pause > 0 {
		t.settle(s, now)
	}
	if r.state != nil {
		t.halt(r.state, 0, 0)
		t.leave(r.state)
	}
	t.end(s, now)
	t.c.Done(int(r.job))
}

// Stretches are the times in which jobs ran up to now, in the order in which they
// began.
func (t *Trace) Stretches(now sim.Time) []Stretch {
	for i := range t.slots {
		s := &t.slots[i]
		if s.run == nil || t.stretches[s.run.stretch].To >= 0 {
			continue
		}
		t.settle(s, now)
		t.stretches[s.run.stretch].To = now
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
