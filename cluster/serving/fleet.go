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
// preempted for want of blocks loses them, and computes prompt and tokens again; or they
// are moved to the host's memory and back, for which the step waits. What
// prompts begin with is kept for others while its blocks are not needed, where requests
// name it; the router may go by that, or by the session.
//
// With speculative decoding a step computes some guessed tokens with the next one of each
// sequence, and keeps them up to the first that is wrong, which is drawn.
//
// # Replicas
//
// Their number is fixed, or follows the load ([Scaling], [scheduler.Autoscaler]). One
// that starts waits for its host and image, loads the weights, and then takes requests
// ([Start]). One that is to go gets no more requests, and goes when it has ended those
// that it has; what is left after a grace is sent to others. So is all that a replica
// has whose hosts fail ([Failures]); it starts again once they are back. Clients have
// the tokens that had come, and these are computed again with the prompt. Requests wait
// before the router while no replica is ready. Where the queue has a limit, those that
// find it full are turned away.
//
// With pipeline stages a replica has as many batches as stages, each with its share of
// the cache, which follow each other through the stages; a request stays with its batch.
//
// Of a model with experts several groups of ranks may share these, each with sequences of
// its own. To the batching they are one replica with so many times the cache; what a step
// costs is that of the busiest.
//
// Prompts and the tokens after the first may have replicas of their own, between which
// keys and values go over the network ([Handover]). Each kind may have an autoscaler of its
// own. One of those that compute prompts goes when all that it holds has been fetched; one
// of the others still has what is on its way to it.
//
// A replica within a host exchanges what it takes alone, by closed form. What one on several
// hosts sends between them is on the links of the network ([Splitter]).
//
// In data centres far from each other requests go to one of them first ([Geography]).
//
// Left out: failures are noticed at once, but for the loss of a site; the way of a
// request to its replica and back within a data centre.
package serving

import (
	"fmt"
	"math/rand/v2"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload/serving"
)

// Fleet is the replicas of a model, and the requests that they are sent. Requests that
// cannot ever be served, for the context or the cache, are rejected as they come.
type Fleet struct {
	Requests    []serving.Request // in the order of arrival
	Priorities  []int32           // of each tenant; nil: all are equal
	Concurrency int               // clients that each send their next request when the last has ended; 0: requests come at their Arrival

	Pool
	// Decode, if set, goes on with requests whose prompt Pool has computed; see Handover.
	Decode     *Pool
	TokenBytes float64    // that a token has in the cache of an accelerator of Decode
	Delay      sim.Time   // that a request may wait for its batch to fill
	Acceptance float64    // probability that a guessed token is right
	Context    int        // tokens that prompt and answer may have together; 0: no limit
	Random     *rand.Rand // that routing draws from

	Intake   Intake                                        // of the replicas that compute prompts
	Failures func(accelerators []topology.NodeID) Failures // of a replica; nil: none fails
	MaxQueue int                                           // requests that may wait; 0: no limit

	Geography *Geography // nil: clients and replicas are all in one place

	Outcomes  []Outcome  // of each request
	Handovers []Handover // of each request, where there is Decode
	Gaps      Gaps       // between tokens of a request
	Steps     int64
	Swapped   int64 // blocks moved to the host's memory and back
	Grown     Grown

	c         *cluster.Cluster
	job       int
	actor     sim.Actor
	base      sim.Time
	pools     []*Pool
	lanes     []lane
	replicas  []replica
	sequences []scheduler.Sequence
	latest    []sim.Time            // token of each request
	handed    []*scheduler.Sequence // whose prompts have been computed in the step that ends
	ways      map[way]*collective.Plan
	next      int             // request to come
	homes     map[int32]int32 // replica of the last request of each session
	came      int
	ended     int
	thinking  int // clients whose request has just ended
	now       sim.Time
	shape     Step
	token     func(s *scheduler.Sequence, tokens int, last bool)
}

// lane is a batch that goes through the stages of a replica.
type lane struct {
	*scheduler.Batcher
	number    int
	replica   *replica
	due, busy bool
	ends      sim.Time // of the step that keeps it busy
	passage   passage  // of that step, on several hosts
	window    sim.Timer
}

// Events, in the high bits of their argument.
const (
	argArrive   uint64 = iota << 56 // a request
	argEnd                          // of the step of a lane
	argDecide                       // a lane's next step
	argPhase                        // of a replica has passed
	argFail                         // hosts of a replica fail
	argSync                         // the autoscaler of a pool decides
	argPoll                         // it looks whether anybody asks
	argFetched                      // keys and values of a request have come
	argPassed                       // a stage has computed, or exchanged
	argSent                         // a step comes to its next stage
	argTaken                        // a request is taken in
	argReach                        // a request comes to its site
	argDispatch                     // a request is sent to another site
	argAnswer                       // the last token of a request comes to its client
	argKind     = 0xff << 56
)

// Begin starts the replicas, and has the first requests come.
func (f *Fleet) Begin(c *cluster.Cluster, job int) {
	f.c, f.job, f.base = c, job, c.Engine.Now()
	f.actor = c.Engine.Register(f)
	f.pools = f.Pools()
	for _, p := range f.pools {
		p.Level = Level{bins: c.SeriesBins, first: f.base, last: f.base}
	}
	f.Outcomes = make([]Outcome, len(f.Requests))
	f.sequences = make([]scheduler.Sequence, len(f.Requests))
	f.latest = make([]sim.Time, len(f.Requests))
	f.homes = map[int32]int32{}
	f.token = f.tokenOf
	for i := range f.Outcomes {
		f.Outcomes[i] = Outcome{Arrival: -1, First: -1, Finish: -1, Replica: -1}
	}
	if f.Decode != nil {
		f.Handovers = make([]Handover, len(f.Requests))
		f.ways = map[way]*collective.Plan{}
	}
	f.now = f.base
	if f.Geography != nil {
		f.Geography.begin(f)
	}
	if err := f.beginReplicas(); err != nil {
		c.Fail(job, err)
		return
	}
	if f.Concurrency == 0 {
		f.await()
		return
	}
	for range f.Concurrency {
		f.send()
	}
	f.finish() // if all are rejected
}

// await schedules the arrival of the next request.
func (f *Fleet) await() {
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
	if f.ended > len(f.Requests) { // or it has failed
		return
	}
	f.now = now
	for _, p := range f.pools {
		p.Level.until(now)
	}
	n := int(arg &^ argKind)
	switch arg & argKind {
	case argArrive:
		f.arrive(n)
		f.await()
	case argEnd:
		l := &f.lanes[n]
		if !l.busy || l.ends != now { // a failure cut the step short
			return
		}
		f.finishStep(l)
	case argDecide:
		f.decide(n)
	case argPhase:
		f.phasePassed(&f.replicas[n])
	case argFail:
		f.fail(&f.replicas[n])
	case argSync:
		f.sync(f.pools[n])
	case argPoll:
		f.poll(f.pools[n])
	case argFetched:
		f.fetched(n)
	case argPassed:
		f.passed(n)
	case argSent:
		f.arrived(n)
	case argReach:
		f.Geography.reach(f, &f.sequences[n])
	case argDispatch:
		f.Geography.dispatch(f, &f.sequences[n], -1)
	case argAnswer:
		f.answered(n)
		f.think()
	case argTaken:
		f.taken(n)
	}
	f.finish()
}

// finishStep is the end of a lane's step.
func (f *Fleet) finishStep(l *lane) {
	l.busy = false
	l.count(-1)
	l.Finish(f.token)
	l.count(1)
	f.handOver(l)
	f.think()
	f.due(l.number)
	f.drained(l.replica)
}

// think has the clients whose request has just ended send the next.
func (f *Fleet) think() {
	for ; f.thinking > 0; f.thinking-- {
		f.send()
	}
}

// finish ends the job once all requests have ended.
func (f *Fleet) finish() {
	if f.ended == len(f.Requests) {
		f.ended++ // once
		f.end()
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

// arrive takes a request. It reports false if it is rejected.
func (f *Fleet) arrive(i int) bool {
	r, o := &f.Requests[i], &f.Outcomes[i]
	o.Arrival = f.now
	f.came++
	if tokens := r.Input + r.Output; !f.fits(tokens) || f.Context > 0 && tokens > f.Context {
		o.Rejected = true
		f.ended++
		return false
	}
	if f.MaxQueue > 0 && f.waiting() >= f.MaxQueue {
		o.Refused = true
		f.ended++
		return false
	}
	s := &f.sequences[i]
	*s = scheduler.Sequence{Request: int32(i), Prompt: int32(r.Input), Left: int32(r.Output), Prefix: r.Prefix}
	if f.Priorities != nil {
		s.Priority = f.Priorities[r.Tenant]
	}
	f.begin(s)
	return true
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
	if a := l.replica.across; a != nil && a.stages[0].busy {
		l.due = true
		a.stages[0].queue = append(a.stages[0].queue, l)
		return
	}
	free := l.replica.free
	if free[0] > f.now { // another batch is in it
		l.due = true
		f.c.Engine.Schedule(free[0], f.actor, argDecide|uint64(n))
		return
	}
	if f.Delay > 0 && f.holds(n) {
		return
	}
	p := l.replica.pool
	l.count(-1)
	step := l.Next()
	f.fetch(l)
	l.count(1)
	if len(step) == 0 {
		f.drained(l.replica)
		return
	}
	f.measure(step)
	var seconds float64
	var err error
	if a := l.replica.across; a != nil {
		seconds, l.passage.exchanges = a.costs.Split(&f.shape, a.crossing, l.passage.exchanges[:0])
	} else {
		seconds, err = p.Costs.Time(&f.shape)
	}
	moved := l.Moved()
	f.Swapped += int64(moved)
	seconds += float64(moved) * p.SwapTime
	if err == nil && seconds > longestStep {
		err = fmt.Errorf("a step of %d tokens would take %.3g s", f.shape.Tokens, seconds)
	}
	if err != nil {
		f.stop(fmt.Errorf("request %s: %w", f.Requests[step[len(step)-1].Request].ID, err))
		return
	}
	stage := sim.FromSeconds(seconds / float64(p.Stages))
	f.Steps++
	l.busy = true
	if l.replica.across != nil {
		l.passage.compute, l.passage.tokens = stage, f.shape.Tokens
		f.enterStage(l, 0)
		return
	}
	at := f.now
	for i := range free {
		at = max(at, free[i]).After(stage)
		free[i] = at
		f.step(l.replica, i, at-stage, at)
	}
	l.replica.ledger.AddCompute(f.now, f.now+stage)
	l.ends = at
	f.c.Engine.Schedule(at, f.actor, argEnd|uint64(n))
}

// stop ends the job with an error.
func (f *Fleet) stop(err error) {
	f.ended = len(f.Requests) + 1
	f.end()
	f.c.Fail(f.job, err)
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
			s.Guessed += int(q.Tokens) - 1
			s.Context += int64(q.Cached + q.Tokens)
			continue
		}
		s.Chunks = append(s.Chunks, Chunk{int(q.Tokens), int(q.Cached)})
		if q.Cached+q.Tokens == q.Prompt {
			s.Sequences++
		}
	}
}

// tokenOf notes the tokens that a sequence has come to. Guessed ones come at once.
func (f *Fleet) tokenOf(s *scheduler.Sequence, tokens int, last bool) {
	o, at := &f.Outcomes[s.Request], f.now
	if g := f.Geography; g != nil {
		at = g.back(f, int(s.Request), tokens)
	}
	if o.First < 0 {
		o.First = at
	} else {
		f.Gaps.add(at - f.latest[s.Request])
	}
	for range tokens - 1 {
		f.Gaps.add(0)
	}
	f.latest[s.Request] = at
	if f.Decode != nil {
		last = f.brought(s, last)
	}
	if !last {
		return
	}
	if o.Stops = s.Stops; f.Geography != nil {
		f.Geography.answer(f, s, at)
	} else {
		f.answered(int(s.Request))
	}
}

// answered notes that a request has ended.
func (f *Fleet) answered(request int) {
	f.Outcomes[request].Finish = f.now
	f.ended++
	if f.Concurrency > 0 {
		f.thinking++
	}
}

// Busy is how long the replicas of a pool computed until now, in all: the first stage of each,
// which stands for the others.
func (f *Fleet) Busy(p *Pool) (sum sim.Time) {
	for i := range p.replicas {
		l := p.replicas[i].ledger
		sum += l.ComputeBy(f.c.Engine.Now()) + l.Exposed
	}
	return sum
}

// accept draws how many guessed tokens are right, each of which has the one before it
// for a condition: with the next token 1 + a + ... + a^k are expected of a step, (1 -
// a^(k + 1)) / (1 - a) (Leviathan et al. 2023, equation 1).
func (f *Fleet) accept(guessed int) (right int) {
	for right < guessed && f.Random.Float64() < f.Acceptance {
		right++
	}
	return right
}

// Settle accounts for what has happened until now, where the run ends with requests left, and
// between sites.
func (f *Fleet) Settle() {
	if f.c != nil && f.ended < len(f.Requests) {
		for _, p := range f.pools {
			p.Level.until(f.c.Engine.Now())
		}
	}
	if f.Geography != nil {
		f.Geography.settle(f)
	}
}

// Prefixes is how many tokens of prompts were admitted, and how many of them their replica
// had kept.
func (f *Fleet) Prefixes() (asked, hit int64) {
	for i := range f.lanes {
		a, h := f.lanes[i].Prefixes()
		asked, hit = asked+a, hit+h
	}
	return asked, hit
}

// Waiting says what is not done, for a report of a deadlock.
func (f *Fleet) Waiting() []sim.Wait {
	what := fmt.Sprintf("%d requests that no step takes up", len(f.Requests)-f.ended)
	if f.gone() {
		what += ": the hosts of all replicas are lost for good"
	}
	return []sim.Wait{{Who: f.c.Jobs[f.job].Name, For: what}}
}
