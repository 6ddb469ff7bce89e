// Package serving is inference as a program of the cluster: replicas of a model that
// take requests and answer them step by step.
//
// # Model
//
// A request comes, a router gives it to a replica, and there it waits until the
// engine's batching ([scheduler.Batcher]) takes it into a step. A step computes some
// tokens of prompts and the next token of sequences whose prompt has been computed, and
// takes as long as its shape costs ([Costs]). At its end every sequence that has
// computed all that it knows has come to a token; the first of a request is its time to
// first token. Then the next step is decided. Steps follow each other at once; an idle
// replica begins as soon as a request comes.
//
// Keys and values lie in a paged cache (Kwon et al., SOSP 2023). A sequence that is
// preempted for want of blocks loses them, and computes prompt and tokens again.
//
// With pipeline stages a replica has as many batches as stages, each with its share of
// the cache, which follow each other through the stages; a request stays with its batch.
//
// Left out: replicas do not share links with others while they compute, their
// all-reduces take what they take alone; tokenising, and the way of a request to its
// replica and back.
package serving

import (
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload/serving"
)

// Fleet is the replicas of a model, and the requests that they are sent. Requests that
// cannot ever be served, for the context or the cache, are rejected as they come.
type Fleet struct {
	Requests    []serving.Request // in the order of arrival
	Concurrency int               // clients that each send their next request when the last has ended; 0: requests come at their Arrival

	Replicas, Tensor, Stages int
	Batching                 scheduler.Batching // of a batch: with stages, its share of the cache
	Context                  int                // tokens that prompt and answer may have together; 0: no limit
	Routing                  scheduler.Routing
	Costs                    Costs

	Outcomes []Outcome // of each request
	Gaps     Gaps      // between tokens of a request
	Steps    int64
	Level    Level // over time

	c         *cluster.Cluster
	job       int
	actor     sim.Actor
	base      sim.Time
	lanes     []lane
	replicas  []replica
	sequences []scheduler.Sequence
	latest    []sim.Time // token of each request
	loads     []scheduler.Load
	next      int // request to come
	routed    int
	ended     int
	thinking  int // clients whose request has just ended
	now       sim.Time
	shape     Step
	token     func(s *scheduler.Sequence, last bool)
}

// lane is a batch that goes through the stages of a replica.
type lane struct {
	*scheduler.Batcher
	replica   *replica
	due, busy bool
}

// replica is the accelerators of one copy of the model.
type replica struct {
	ledger *cluster.Ledger
	free   []sim.Time // when each stage has ended its latest step
}

// Events, in the high bits of their argument.
const (
	argArrive uint64 = iota << 56 // a request
	argEnd                        // of the step of a lane
	argDecide                     // a lane's next step
	argKind   = 0xff << 56
)

// Begin starts the replicas, and has the first requests come.
func (f *Fleet) Begin(c *cluster.Cluster, job int) {
	f.c, f.job, f.base = c, job, c.Engine.Now()
	f.actor = c.Engine.Register(f)
	f.Level = Level{bins: c.SeriesBins, first: f.base, last: f.base}
	f.Outcomes = make([]Outcome, len(f.Requests))
	f.sequences = make([]scheduler.Sequence, len(f.Requests))
	f.latest = make([]sim.Time, len(f.Requests))
	f.loads = make([]scheduler.Load, f.Replicas)
	f.replicas = make([]replica, f.Replicas)
	f.token = f.tokenOf
	for i := range f.Outcomes {
		f.Outcomes[i] = Outcome{Arrival: -1, First: -1, Finish: -1, Replica: -1}
	}
	all := c.Jobs[job].Accelerators
	each := f.Tensor * f.Stages
	for i := range f.replicas {
		f.replicas[i] = replica{ledger: c.NewLedger(all[i*each : (i+1)*each]), free: make([]sim.Time, f.Stages)}
		for range f.Stages {
			f.lanes = append(f.lanes, lane{Batcher: scheduler.NewBatcher(f.Batching), replica: &f.replicas[i]})
		}
	}
	if err := f.Costs.Place(c, all[:each]); err != nil {
		c.Fail(job, err)
		return
	}
	f.now = f.base
	if f.Concurrency == 0 {
		f.expect()
		return
	}
	for range f.Concurrency {
		f.send()
	}
	f.finish() // if all are rejected
}

// expect schedules the arrival of the next request.
func (f *Fleet) expect() {
	if f.next < len(f.Requests) {
		at := f.base.After(sim.FromSeconds(f.Requests[f.next].Arrival))
		f.c.Engine.Schedule(max(at, f.now), f.actor, argArrive|uint64(f.next))
		f.next++
	}
}

// send has a client send the next request, and those after it while they are rejected.
func (f *Fleet) send() {
	for f.next < len(f.Requests) {
		f.next++
		if f.arrive(f.next - 1) {
			return
		}
	}
}

// Handle is the reaction to an event.
func (f *Fleet) Handle(now sim.Time, arg uint64) {
	f.now = now
	f.Level.until(now)
	n := int(arg &^ argKind)
	switch arg & argKind {
	case argArrive:
		f.arrive(n)
		f.expect()
	case argEnd:
		l := &f.lanes[n]
		l.busy = false
		f.Level.change(l, -1)
		l.Finish(f.token)
		f.Level.change(l, 1)
		for ; f.thinking > 0; f.thinking-- {
			f.send()
		}
		f.due(n)
	case argDecide:
		f.decide(n)
	}
	f.finish()
}

// finish ends the job once all requests have ended.
func (f *Fleet) finish() {
	if f.ended == len(f.Requests) {
		f.ended++ // once
		f.c.Done(f.job)
	}
}

// due has a lane decide its next step once all else of this instant has happened.
func (f *Fleet) due(n int) {
	if l := &f.lanes[n]; !l.due && !l.busy {
		l.due = true
		f.c.Engine.Defer(f.actor, argDecide|uint64(n))
	}
}

// arrive gives a request to a replica. It reports false if it is rejected.
func (f *Fleet) arrive(i int) bool {
	r, o := &f.Requests[i], &f.Outcomes[i]
	o.Arrival = f.now
	if tokens := r.Input + r.Output; !f.Batching.Fits(tokens) || f.Context > 0 && tokens > f.Context {
		o.Rejected = true
		f.ended++
		return false
	}
	if f.Routing != scheduler.RoundRobin {
		clear(f.loads)
		for n := range f.lanes {
			load := &f.loads[n/f.Stages]
			load.Waiting += f.lanes[n].Waiting()
			load.Running += f.lanes[n].Running()
		}
	}
	to := f.Routing.Route(f.routed, f.loads)
	f.routed++
	n := f.leastLane(to)
	o.Replica = int32(to)
	f.sequences[i] = scheduler.Sequence{Request: int32(i), Prompt: int32(r.Input), Left: int32(r.Output)}
	f.lanes[n].Add(&f.sequences[i])
	f.Level.waiting++
	f.due(n)
	return true
}

// leastLane is the batch of a replica that has the fewest requests.
func (f *Fleet) leastLane(replica int) int {
	first := replica * f.Stages
	best := first
	for n := first + 1; n < first+f.Stages; n++ {
		if f.lanes[n].Waiting()+f.lanes[n].Running() < f.lanes[best].Waiting()+f.lanes[best].Running() {
			best = n
		}
	}
	return best
}

// longestStep is what no sensible step takes, in seconds, and what leaves the clock room.
const longestStep = 1e6

// decide begins the next step of a lane, if there is one and the first stage is free.
func (f *Fleet) decide(n int) {
	l := &f.lanes[n]
	l.due = false
	if l.busy {
		return
	}
	free := l.replica.free
	if free[0] > f.now { // another batch is in it
		l.due = true
		f.c.Engine.Schedule(free[0], f.actor, argDecide|uint64(n))
		return
	}
	f.Level.change(l, -1)
	step := l.Next()
	f.Level.change(l, 1)
	if len(step) == 0 {
		return
	}
	f.measure(step)
	seconds, err := f.Costs.Time(&f.shape)
	if err == nil && seconds > longestStep {
		err = fmt.Errorf("a step of %d tokens would take %.3g s", f.shape.Tokens, seconds)
	}
	if err != nil {
		f.ended = len(f.Requests) + 1
		f.c.Fail(f.job, fmt.Errorf("request %s: %w", f.Requests[step[len(step)-1].Request].ID, err))
		return
	}
	stage := sim.FromSeconds(seconds / float64(f.Stages))
	at := f.now
	for i := range free {
		at = max(at, free[i]).After(stage)
		free[i] = at
		f.observe(l.replica, i, at-stage, at)
	}
	l.replica.ledger.AddCompute(f.now, f.now+stage)
	l.busy = true
	f.Steps++
	f.c.Engine.Schedule(at, f.actor, argEnd|uint64(n))
}

// measure is the shape of a step.
func (f *Fleet) measure(step []*scheduler.Sequence) {
	s := &f.shape
	*s = Step{Chunks: s.Chunks[:0]}
	for _, q := range step {
		s.Tokens += int(q.Tokens)
		if !q.Prefills() {
			s.Decodes++
			s.Sequences++
			s.Context += int64(q.Cached) + 1
			continue
		}
		s.Chunks = append(s.Chunks, Chunk{int(q.Tokens), int(q.Cached)})
		if q.Cached+q.Tokens == q.Prompt {
			s.Sequences++
		}
	}
}

// tokenOf notes a token of a sequence.
func (f *Fleet) tokenOf(s *scheduler.Sequence, last bool) {
	o := &f.Outcomes[s.Request]
	if o.First < 0 {
		o.First = f.now
	} else {
		f.Gaps.add(f.now - f.latest[s.Request])
	}
	f.latest[s.Request] = f.now
	if last {
		o.Finish, o.Stops = f.now, s.Stops
		f.ended++
		if f.Concurrency > 0 {
			f.thinking++
		}
	}
}

// Busy is how long the replicas computed, in all.
func (f *Fleet) Busy() (sum sim.Time) {
	for i := range f.replicas {
		sum += f.replicas[i].ledger.Compute
	}
	return sum
}

// Waiting says what is not done, for a report of a deadlock.
func (f *Fleet) Waiting() []sim.Wait {
	return []sim.Wait{{Who: f.c.Jobs[f.job].Name, For: fmt.Sprintf("%d requests that no step takes up", len(f.Requests)-f.ended)}}
}

// Level is how many sequences wait and run, and how many blocks of the caches are used,
// over time.
type Level struct {
	Queue, Batch, Cache result.Bins
	// The integrals of them, in seconds.
	Queued, Ran, Held float64

	waiting, running, used int
	bins                   int
	first, last            sim.Time
}

// Lasted is the time that has been accounted for, in seconds.
func (l *Level) Lasted() float64 { return (l.last - l.first).Seconds() }

// until accounts for the time up to now.
func (l *Level) until(now sim.Time) {
	if now == l.last {
		return
	}
	span := (now - l.last).Seconds()
	l.Queued += span * float64(l.waiting)
	l.Ran += span * float64(l.running)
	l.Held += span * float64(l.used)
	if l.bins > 0 {
		l.Queue.Add(l.last, now, float64(l.waiting), l.bins)
		l.Batch.Add(l.last, now, float64(l.running), l.bins)
		l.Cache.Add(l.last, now, float64(l.used), l.bins)
	}
	l.last = now
}

// change adds what a lane has so often.
func (l *Level) change(x *lane, times int) {
	l.waiting += times * x.Waiting()
	l.running += times * x.Running()
	l.used += times * x.Used()
}
