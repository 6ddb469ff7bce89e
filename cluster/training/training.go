// Package training runs synchronous training of a model on a cluster, with any
// product of data, tensor, pipeline, context and expert parallelism.
//
// # Model
//
// Ranks that always do the same at the same time are one gang, which runs their
// program event by event. A pipeline stage runs its schedule
// ([workload.Training.Schedule]): each forward or backward pass of a micro-batch
// is a list of steps, computation and collectives in turn. A pass that needs
// activations or gradients of another stage waits for the message with them.
//
//   - Tensor, context and expert exchanges hold the pass up, but for those that
//     run beside the computation that follows them. With ExpertOverlap a forward and
//     a backward pass are woven: step by step the exchanges between experts of the
//     one run beside the computation of the other, which waits for them before it
//     exchanges itself.
//   - Gradients are summed over the replicas in buckets: when the backward pass
//     of the last micro-batch has finished the last layer of a bucket, its
//     all-reduce joins a queue and runs beside the rest of the backward pass, one
//     bucket at a time, as on the one communication stream of PyTorch's
//     DistributedDataParallel (Li et al., VLDB 2020).
//   - Compressed gradients are compressed in the backward pass, before their
//     collective, and made whole again before the optimizer steps, with whose time
//     that counts.
//   - ZeRO 1 and 2 reduce-scatter gradients and all-gather parameters after the
//     optimizer; 2, which keeps no whole gradient, does the former for every
//     micro-batch, or for those that follow each other on a chunk of the interleaved
//     schedule. ZeRO 3 all-gathers each layer's parameters before its forward
//     and before its backward pass, one layer ahead, and reduce-scatters its
//     gradients after it (Rajbhandari et al. 2020; Zhao et al. 2023, FSDP).
//   - Where no CUDA graphs do it, the host launches each kernel of a pass. It runs ahead
//     of the accelerator, which waits for it where many kernels are short, as those of
//     small experts; and it waits itself to be told how many tokens experts get.
//   - The optimizer steps once a stage's gradients are summed, and an iteration
//     ends when all stages' have.
//
// After every so many iterations all replicas may evaluate the model, with forward
// passes alone. The passes are those of training, dropout included. Or replicas are
// islands, as in local SGD and DiLoCo (Stich 2019; Douillard et al. 2023): gradients are
// summed within an island, and after every so many iterations the islands average what
// they have learnt ([workload.Training.Outer]).
//
// A communication kernel takes multiprocessors away from the computation beside
// it, which slows down in that proportion ([cluster.Kernels]).
//
// The time of a rank is computation, waits for kernels that are not launched yet, exposed
// communication (a wait for a collective or for a message on its way), the optimizer, and
// the bubble: a wait for a stage that has not sent yet.
//
// # Folding
//
// All ranks of a stage are one gang: their collectives are laid side by side over
// the real links of all and move at the pace of the slowest. That is exact while
// nothing tells the ranks apart; where their groups meet each other on links
// unequally, it holds the faster groups back to the slowest, which in synchronous
// training hold everyone up in the end. Unfold makes every rank a gang of its own,
// whose collectives start when the last member of the group has come. Both give
// the same times where links are alike.
//
// Where ranks compute at different paces ([Stragglers]) they are unfolded; and, in
// jobs small enough, where the groups of a stage would not all go at one pace by
// themselves ([collective.Planner.Even]).
//
// What it leaves out: time lost to the host, but for launching kernels and for waiting for
// samples where the job has an [Input].
//
// # Repetition
//
// Iterations are alike unless others share the network. After the first
// [Simulated], once two in a row take the same time and no other job may use the
// links of this one ([cluster.Cluster.Undisturbed]), the rest is jumped over: those
// until the next interlude, and once two rounds from one interlude to the next are
// alike, all whole rounds; none beyond the start of another job.
//
// # Failures
//
// A job may save its state and come back after failures ([Recovery]). Iterations are
// simulated until they are alike; then whole checkpoint cycles are jumped over between
// one failure and the next. An iteration in which a failure comes before that is run to
// its end on the network, where it may disturb others, and undone; the job goes on no
// sooner, and may fail again meanwhile.
//
// Where a checkpoint has [Parts] they are a transfer, with which all others that share its
// links contend; of the cycles that are jumped over it takes what it does on an idle
// network, and slows nothing of the job's own. What is read goes over no links.
//
// A job in a queue may go back to it instead ([Requeued]): what it has under way ends at
// once, what it computes as what it sends; it keeps its accelerators until the failure is
// noticed, and begins again, where and whenever it gets others, at its checkpoint. So it
// does when the scheduler takes its accelerators for others, which it gives back at once.
// If it is suspended, it loses no more than the iteration that it is in, and what it has to
// save it pays for when it begins again.
//
// # Whole passes
//
// A job that has the data centre to itself, and of which nobody keeps series, is run
// with fewer events and the same result to the tick. A pass whose collectives meet
// nothing else on their links, and that has none of the data stream beside it, is
// one event: its time is a sum of what its operators and its plans say. On a network
// that is isolated every collective is one event too, and passes with the messages
// between them are none: each begins when its stage is free and its message is there.
//
// # Explanation
//
// A [Trace] gives the critical path of an iteration: what its length is made of.
package training

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Simulated is how many iterations are always simulated one by one, so that the
// pictures of a short run show every one.
const Simulated = 8

// Job is a training job as a program of the cluster.
type Job struct {
	Training workload.Training
	// Layers are those of Training, if they are at hand.
	Layers     []workload.Layer
	Iterations int64
	Roofline   cluster.Roofline
	// BucketBytes is the size of gradient buckets; 0 is one for all.
	BucketBytes int64
	// Overlap reduces gradients while the backward pass runs, not after it.
	Overlap bool
	// Prefetch gathers the parameters of a layer while the one before computes,
	// under ZeRO 3.
	Prefetch bool
	// SendOverlap lets a stage go on while what it sends to another is on its
	// way.
	SendOverlap bool
	// Unfold makes every rank a gang of its own. Folded keeps those of a stage one
	// gang even if their groups are not even.
	Unfold, Folded bool
	// AsShared makes gangs on an isolated network as on one that is shared, so that what
	// the job takes without contention is not more than what it takes with it.
	AsShared bool
	// Bound has the passes of gangs go at once on an isolated network, also where gangs use
	// the same links. For how long these are busy may then be counted twice.
	Bound bool
	// Stragglers make ranks differ; they are then unfolded.
	Stragglers Stragglers
	// Recovery, if set, is how a job on some accelerators saves its state and comes back
	// after failures.
	Recovery func(accelerators []topology.NodeID) Recovery
	// Input, if set, is where a job on some accelerators has its samples from; else they
	// are there.
	Input func(accelerators []topology.NodeID) Input
	// Trace, if set, records what waits for what.
	Trace *Trace

	// Every is after how many iterations an interlude comes, 0 is never: with islands
	// the outer step by which they agree, else an evaluation on EvaluationSamples.
	Every             int64
	EvaluationSamples int64

	// Last is what the latest iteration took, and for what: the steady state
	// once the job has ended. With jitter it is the mean of all. Done counts
	// iterations.
	Last Iteration
	Done int64
	// Interlude is what the latest interlude took, and for what. Interludes counts them.
	Interlude  Iteration
	Interludes int64

	settled  bool // the times of collectives are known where nothing of the job is in their way
	known    bool // and everywhere
	foreseen bool // gangs are taken ahead

	c      *cluster.Cluster
	job    int
	actor  sim.Actor
	events sim.Handler // to which those of the actor go; nil: the job
	beside float64     // pace of computation beside communication, 1 being undisturbed

	parameters int64    // of the whole model
	parts      []known  // that passes are made of
	inner      struct { // the latest chunk that is not the first or the last
		layers []workload.Layer
		chunk  chunk
	}
	gangs    []*gang
	ledgers  map[topology.NodeID][]*cluster.Ledger // of its gangs so far, by their first accelerator; nil: not kept
	groups   []*group
	messages []message
	idle     []int32 // messages to use again

	micros   int // most micro-batches of an iteration or evaluation
	running  int // gangs that have not ended the iteration
	between  bool
	began    sim.Time // the iteration or interlude; between two of them when the next can
	before   *mark    // the beginning of the iteration
	round    round
	sum      Iteration // of all, with jitter
	course   *course   // with Recovery
	standing sim.Time  // since when it waits for a checkpoint to come; -1: it does not
	copies   *Copying  // of checkpoints at other sites; nil: it does not matter where they lie
	feed     *feed     // with Input
	ran      int64     // iterations, those jumped over left out
}

// Kind is what ranks communicate.
type Kind uint8

// The kinds of communication.
const (
	Gradients  Kind = iota // their sum over replicas
	Parameters             // shards of them
	Tensor
	Context
	Expert
	Lookups  // rows of a recommender's tables, and their gradients
	Outer    // what islands have learnt by themselves
	Pipeline // activations and their gradients between stages
	NumKinds
)

var kindNames = [NumKinds]string{"gradients", "parameters", "tensor", "context", "expert", "lookups", "outer", "pipeline"}

// String is the name that breakdowns use: "gradients".
func (k Kind) String() string { return kindNames[k] }

// Exchanged says what it is that ranks exchange.
func (k Kind) Exchanged() string {
	return [NumKinds]string{
		"gradients between replicas", "parameters between replicas", "activations between tensor-parallel ranks",
		"keys and values between context-parallel ranks", "tokens between expert-parallel ranks", "rows of embedding tables between replicas", "what islands have learnt", "activations between pipeline stages",
	}[k]
}

// kindOf is the kind of an exchange within a layer.
func kindOf(g workload.Group) Kind {
	switch g {
	case workload.TensorGroup:
		return Tensor
	case workload.ContextGroup:
		return Context
	case workload.ExpertGroup:
		return Expert
	}
	return Lookups
}

// Iteration is where the time of one iteration went: the mean over the ranks.
// Compute, Launch, Exposed, Bubble, Input and Optimizer sum to Time.
type Iteration struct {
	Time       sim.Time
	Compute    sim.Time // forward and backward passes, recomputation and accumulation
	Launch     sim.Time // waiting for the host to launch kernels
	Exposed    [NumKinds]sim.Time
	Bubble     sim.Time // waiting for another stage, or at the end for slower ranks
	Input      sim.Time // waiting for its samples, before it began
	Optimizer  sim.Time
	Overlapped sim.Time // communication beside computation; part of Compute
}

// AllExposed is the sum of Exposed.
func (i Iteration) AllExposed() sim.Time {
	var sum sim.Time
	for _, t := range i.Exposed {
		sum += t
	}
	return sum
}

// add adds the parts of another iteration, so many times.
func (i *Iteration) add(o Iteration, times int64) {
	n := sim.Time(times)
	i.Time += n * o.Time
	i.Compute += n * o.Compute
	i.Launch += n * o.Launch
	i.Bubble += n * o.Bubble
	i.Input += n * o.Input
	i.Optimizer += n * o.Optimizer
	i.Overlapped += n * o.Overlapped
	for k := range i.Exposed {
		i.Exposed[k] += n * o.Exposed[k]
	}
}

// over is the mean where i is the sum of n. What rounding leaves is the bubble's.
func (i Iteration) over(n int64) Iteration {
	d := sim.Time(n)
	i.Time, i.Compute, i.Optimizer, i.Overlapped = i.Time/d, i.Compute/d, i.Optimizer/d, i.Overlapped/d
	i.Launch /= d
	i.Input /= d
	for k := range i.Exposed {
		i.Exposed[k] /= d
	}
	i.Bubble = i.Time - i.Compute - i.Launch - i.Input - i.Optimizer - i.AllExposed()
	return i
}

// Events of a job, in the high bits of their argument; the rest is a number.
const (
	argComputed     uint64 = iota << 56 // the gang's computation has ended
	argExchanged                        // the group's collective has
	argArrived                          // the message has
	argStart                            // begin an iteration
	argInterlude                        // begin an interlude
	argInterludeEnd                     // one has ended
	argEnd                              // all iterations have been jumped over
	argAhead                            // the gang has been taken ahead until now
	argSent                             // the parts of a checkpoint have come
	argRead                             // samples have been read
	argFed                              // those that the job waits for are prepared
	argKind         = 0xff << 56
)

// Begin makes the gangs and their programs and starts.
func (j *Job) Begin(c *cluster.Cluster, job int) {
	j.c, j.job = c, job
	now := c.Engine.Now()
	j.began, j.round.began = now, now
	if j.events == nil {
		j.events = j
	}
	j.actor = c.Engine.Register(j.events)
	j.beside = 1 - j.Roofline.Interference()
	j.Training = j.Training.WithDefaults()
	j.Unfold = j.Unfold || j.Stragglers.any()
	err := j.form()
	if err == nil {
		err = j.traceable()
	}
	if err != nil {
		c.Fail(job, err)
		return
	}
	c.Bundle(job, j.footprints()...)
	if j.copies == nil || !j.copies.arrive(j) {
		j.enter()
	}
}

// enter has the job begin, or go on, once what it goes on from is where it is.
func (j *Job) enter() {
	c, job, now := j.c, j.job, j.c.Engine.Now()
	resumed := sim.Time(-1)
	if j.Recovery != nil {
		how := j.Recovery(c.Jobs[job].Accelerators)
		if j.course == nil {
			j.course = newCourse(how, now)
			j.course.tell = j.spent
		} else {
			resumed = j.course.again(how, now)
		}
		j.standing, j.course.send = -1, nil
		if j.course.Parts != nil && !c.Network.Ships() && !c.Reroutes {
			j.course.send = j.send
		}
		if j.copies != nil {
			j.course.made = j.copies.written
			j.copies.entered(max(resumed, 0))
		}
	}
	j.settled = j.settles()
	j.known = j.settled && c.Network.Isolated()
	j.settle()
	j.foreseen = j.foreseeable()
	j.nourish()
	if resumed >= 0 {
		j.resume(resumed, now)
		return
	}
	j.start()
}

// Algorithm is how gradients are summed over the replicas, "" with one.
func (j *Job) Algorithm() string {
	op, _ := j.Training.Summed(1, int64(j.replicas()))
	for _, d := range []dimension{overReplicas, overExpertReplicas} {
		if len(j.gangs) == 0 || j.gangs[0].groups[d] == nil {
			continue
		}
		for _, p := range j.gangs[0].groups[d].plans {
			if p.Op == op { // and not the gathering of parameters
				return p.Algorithm.String()
			}
		}
	}
	return ""
}

// GradientBytes is what a rank of the first stage sums over the replicas in an
// iteration: its gradients once, under ZeRO 2 and 3 as often as SummedTogether says. Of
// experts that no other rank holds it sums none.
func (j *Job) GradientBytes() int64 {
	t := j.Training
	if j.replicas() == 1 {
		return 0
	}
	var sum int64
	layers := j.Layers
	if layers == nil {
		layers = t.Layers()
	}
	chunks := t.Chunks(layers)
	for n := 0; n < len(chunks); n += t.Pipeline {
		for _, l := range layers[chunks[n][0]:chunks[n][1]] {
			sum += l.Parameters
			if replicasOf(t, true) > 1 {
				sum += l.ExpertParameters
			}
		}
	}
	sum *= int64(t.Accumulation() / t.SummedTogether())
	return sum * workload.GradientBytes(t.Precision)
}

// evaluates says whether interludes are evaluations.
func (j *Job) evaluates() bool { return j.Every > 0 && j.Training.Islands == 1 }

// start begins an iteration, if its samples are there.
func (j *Job) start() {
	now := j.c.Engine.Now()
	if j.feed != nil && !j.fed(now) {
		return
	}
	j.before = nil
	if j.ran >= Simulated-1 && j.Iterations > Simulated {
		j.before = j.mark()
	}
	if j.feed != nil {
		j.take(now)
	}
	j.begin(0)
}

// begin sets the gangs to work on an iteration, or an interlude.
func (j *Job) begin(program int) {
	now := j.c.Engine.Now()
	j.began, j.between = now, program == 1
	if j.feed != nil && !j.between {
		j.began = now - j.feed.stalled
	}
	if j.course != nil {
		j.course.pass()
	}
	j.Trace.reset()
	j.running = len(j.gangs)
	for _, g := range j.gangs {
		g.start(g.programs[program])
	}
	if j.foreseen {
		j.ahead(now)
		return
	}
	for _, g := range j.gangs {
		g.advance(now)
	}
}

// Handle moves a gang on.
func (j *Job) Handle(now sim.Time, arg uint64) {
	n := int32(arg &^ argKind)
	switch arg & argKind {
	case argSent:
		j.sent(arg&^argKind, now)
	case argRead:
		j.prepare(now)
		if f := j.feed; f.waiting < 0 || f.ready[0] > now { // else they are taken at this instant
			j.read(now)
		}
	case argFed:
		j.start()
	case argComputed:
		j.gangs[n].computed(now)
	case argExchanged:
		j.groups[n].ended(now)
	case argArrived:
		j.arrived(n, now)
	case argStart:
		if !j.stands(now) {
			j.start()
		}
	case argInterlude:
		if !j.stands(now) {
			j.begin(1)
		}
	case argInterludeEnd:
		j.endInterlude(now)
	case argEnd:
		j.done()
	case argAhead:
		j.gangs[n].caughtUp(now)
	}
}

// finished is called when a gang has ended the iteration or the interlude.
func (j *Job) finished(g *gang, now sim.Time) {
	g.credit(now)
	if j.running--; j.running > 0 {
		return
	}
	if j.between {
		j.c.Engine.Defer(j.actor, argInterludeEnd) // once the links of the last exchange are idle
		return
	}
	j.Trace.close(g.cause, j.began)
	j.end(now)
}

// end closes an iteration and begins the next, or jumps over those to come until the
// next interlude.
func (j *Job) end(now sim.Time) {
	current := j.mean(now - j.began)
	steady := current == j.Last
	j.Last = current
	j.Done++
	j.ran++
	j.observe("iteration", j.began, now, j.Done, 1)
	if j.Stragglers.Jitter > 0 {
		steady = false
		for _, g := range j.gangs {
			g.pace.sum += g.pace.now
		}
		j.sum.add(current, 1)
		j.Last = j.sum.over(j.ran)
	}
	if j.feed != nil { // iterations are jumped over where one begins
		j.feed.steady, steady = steady, false
	}
	if j.course != nil {
		j.recoverable(steady, now)
		return
	}
	left := j.untilInterlude()
	if steady {
		left = j.repeat(j.before, left, now)
		from := now
		now += sim.Time(left) * j.Last.Time
		j.observe("iterations like the last", from, now, j.Done+1, left)
		j.Done += left
	}
	j.follow(now)
}

// untilInterlude is how many iterations are left until the next interlude or the end.
func (j *Job) untilInterlude() int64 {
	left := j.Iterations - j.Done
	if every := j.Every; every > 0 {
		left = min(left, (every-j.Done%every)%every)
	}
	return left
}

// follow goes on at an instant with what comes after the iterations done, be it the
// end.
func (j *Job) follow(at sim.Time) {
	j.began = at
	if j.Every > 0 {
		j.Interludes = min(j.Interludes, j.Done/j.Every) // a failure may have undone some
	}
	next := argStart
	switch {
	case j.Every > 0 && j.Interludes < j.Done/j.Every:
		next = argInterlude
	case j.Done >= j.Iterations:
		next = argEnd
	}
	if next == argEnd && at == j.c.Engine.Now() {
		j.done()
		return
	}
	j.c.Engine.Schedule(at, j.actor, next)
}

// done ends the job.
func (j *Job) done() {
	if j.copies != nil {
		j.copies.leave()
	}
	j.c.Done(j.job)
}

// OuterShare is what an outer step adds to each of the iterations before it.
func (j *Job) OuterShare() Iteration {
	if j.Training.Islands <= 1 || j.Interludes == 0 {
		return Iteration{}
	}
	return j.Interlude.over(j.Every)
}

// mean is the iteration of the mean rank.
func (j *Job) mean(took sim.Time) Iteration {
	var sum struct {
		compute, launch, optimizer, overlapped float64
		exposed                                [NumKinds]float64
	}
	ranks := 0.0
	for _, g := range j.gangs {
		n := float64(len(g.ledger.Accelerators))
		ranks += n
		sum.compute += n * float64(g.parts.Compute)
		sum.launch += n * float64(g.parts.Launch)
		sum.optimizer += n * float64(g.parts.Optimizer)
		sum.overlapped += n * float64(g.parts.Overlapped)
		for k, t := range g.parts.Exposed {
			sum.exposed[k] += n * float64(t)
		}
	}
	mean := func(sum float64) sim.Time { return sim.Time(sum/ranks + 0.5) }
	i := Iteration{Time: took, Compute: mean(sum.compute), Launch: mean(sum.launch), Optimizer: mean(sum.optimizer), Overlapped: mean(sum.overlapped)}
	for k, t := range sum.exposed {
		i.Exposed[k] = mean(t)
	}
	if j.feed != nil && !j.between {
		i.Input = j.feed.stalled
	}
	i.Bubble = took - i.Compute - i.Launch - i.Input - i.Optimizer - i.AllExposed()
	return i
}
