// Package training runs synchronous data-parallel training on a cluster.
//
// # Model
//
// An iteration of every replica is
//
//	accumulation x (forward of every layer, then backward of every layer)
//	the optimizer's step, once the gradients are summed
//
// Each micro-batch after the first adds its gradients to those before. In the
// last micro-batch gradients are summed over the replicas in buckets: when the
// backward pass has finished the last layer of a bucket, its all-reduce joins a
// queue and runs beside the rest of the backward pass, one bucket at a time, as
// on the one communication stream of PyTorch's DistributedDataParallel (Li et
// al., VLDB 2020). The time from the end of the backward pass to the end of the
// last all-reduce is exposed communication.
//
// The replicas are alike and in step, so one program stands for all of them; the
// all-reduces run over the real links of all. What it leaves out: data loading,
// stragglers, and the slowing of compute kernels by communication kernels.
//
// Iterations are alike unless others share the network. After the first
// [Simulated], once two in a row take the same time and the job is alone in the
// data centre, the rest is jumped over.
package training

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload"
)

// Simulated is how many iterations are always simulated one by one, so that the
// pictures of a short run show every one.
const Simulated = 8

// Job is a training job as a program of the cluster.
type Job struct {
	Training   workload.Training
	Iterations int64
	Roofline   cluster.Roofline
	// BucketBytes is the size of gradient buckets; 0 is one for all.
	BucketBytes int64
	// Overlap reduces gradients while the backward pass runs, not after it.
	Overlap bool

	// Last is what the latest iteration took, and for what: the steady state
	// once the job has ended. Done counts iterations.
	Last Iteration
	Done int64

	c      *cluster.Cluster
	job    int
	actor  sim.Actor
	ledger *cluster.Ledger

	forward, backward []sim.Time // of each layer
	gradientAdd       sim.Time
	optimizer         sim.Time
	buckets           []workload.Bucket
	plans             []*collective.Plan // of each bucket; nil with one replica

	micro     int // micro-batch that is on
	layer     int
	inBack    bool
	ready     int // buckets whose gradients are complete
	reduced   int // buckets summed
	reducing  bool
	began     sim.Time // the iteration
	backEnd   sim.Time // of the last backward pass; -1 while it is to come
	reduceAt  sim.Time // the all-reduce that is on began
	current   Iteration
	before    *network.Snapshot
	wasLedger cluster.Ledger
}

// Iteration is where the time of one iteration went.
type Iteration struct {
	Time       sim.Time
	Compute    sim.Time // forward, backward and accumulation
	Exposed    sim.Time
	Optimizer  sim.Time
	Overlapped sim.Time // communication during the backward pass
}

// Events of a job.
const (
	argStep    uint64 = iota // the segment that is on has ended
	argReduced               // a bucket has been summed
	argStart                 // begin an iteration
	argEnd                   // all iterations have been jumped over
)

// Begin works out what every segment takes on the accelerators and starts.
func (j *Job) Begin(c *cluster.Cluster, job int) {
	j.c, j.job = c, job
	j.actor = c.Engine.Register(j)
	ranks := c.Jobs[job].Accelerators
	j.ledger = c.NewLedger(ranks)
	layers := j.Training.Layers()
	j.forward, j.backward = make([]sim.Time, len(layers)), make([]sim.Time, len(layers))
	for i, l := range layers {
		j.forward[i] = sim.FromSeconds(j.Roofline.Total(l.Forward))
		j.backward[i] = sim.FromSeconds(j.Roofline.Total(l.Backward))
	}
	j.gradientAdd = sim.FromSeconds(j.Roofline.Time(j.Training.GradientAdd()))
	j.optimizer = sim.FromSeconds(j.Roofline.Time(j.Training.Step()))
	if len(ranks) > 1 {
		plans, err := c.Planner.Plans(collective.AllReduce, ranks)
		if err != nil {
			c.Fail(job, err)
			return
		}
		j.buckets = j.Training.Buckets(j.BucketBytes)
		var footprints []*network.Footprint
		for _, b := range j.buckets {
			plan := plans.Fastest(float64(b.Bytes))
			j.plans = append(j.plans, plan)
			footprints = append(footprints, plan.Footprints()...)
		}
		c.Bundle(job, footprints...)
	}
	j.start()
}

// Algorithm is how the gradients' largest bucket is reduced, "" with one replica.
func (j *Job) Algorithm() string {
	name, most := "", int64(0)
	for i, b := range j.buckets {
		if b.Bytes > most {
			name, most = j.plans[i].Algorithm.String(), b.Bytes
		}
	}
	return name
}

func (j *Job) start() {
	now := j.c.Engine.Now()
	j.began, j.backEnd = now, -1
	j.micro, j.layer, j.inBack = 0, 0, false
	j.ready, j.reduced = 0, 0
	j.current, j.before = Iteration{}, nil
	if j.Done >= Simulated-1 && j.Iterations > Simulated && j.c.Alone() {
		j.before, j.wasLedger = j.c.Network.Snapshot(), *j.ledger
	}
	j.compute(j.forward[0])
}

// compute keeps the accelerators busy until the segment's end.
func (j *Job) compute(d sim.Time) {
	now := j.c.Engine.Now()
	j.ledger.AddCompute(now, now+d)
	j.current.Compute += d
	j.c.Engine.Schedule(now+d, j.actor, argStep)
}

// Handle moves the job on at the end of a segment or of an all-reduce.
func (j *Job) Handle(now sim.Time, arg uint64) {
	switch arg {
	case argStart:
		j.start()
	case argReduced:
		j.reducing = false
		j.reduced++
		if hidden := min(now, j.backwardEnd(now)) - j.reduceAt; hidden > 0 {
			j.current.Overlapped += hidden
			j.ledger.Overlapped += hidden
		}
		j.reduce(now)
		j.update(now)
	case argStep:
		j.step(now)
	case argEnd:
		j.c.Done(j.job)
	}
}

// backwardEnd is when the last backward pass ended, or now while it is on.
func (j *Job) backwardEnd(now sim.Time) sim.Time {
	if j.backEnd < 0 {
		return now
	}
	return j.backEnd
}

// step follows a segment by the next: layers upwards, then downwards, micro-batch
// by micro-batch, then the optimizer.
func (j *Job) step(now sim.Time) {
	last := j.micro == j.Training.Accumulation()-1
	switch {
	case j.backEnd >= 0: // the optimizer has stepped
		j.end(now)
	case !j.inBack && j.layer < len(j.forward)-1:
		j.layer++
		j.compute(j.forward[j.layer])
	case !j.inBack:
		j.inBack = true
		j.compute(j.backward[j.layer])
	default:
		if last {
			for j.ready < len(j.buckets) && j.buckets[j.ready].Layer >= j.layer {
				j.ready++
			}
			if j.Overlap || j.layer == 0 {
				j.reduce(now)
			}
		}
		switch {
		case j.layer > 0:
			j.layer--
			d := j.backward[j.layer]
			if j.layer == 0 && j.micro > 0 {
				d += j.gradientAdd
			}
			j.compute(d)
		case !last:
			j.micro++
			j.inBack = false
			j.compute(j.forward[0])
		default:
			j.backEnd = now
			j.update(now)
		}
	}
}

// reduce starts the all-reduce of the next bucket that is ready.
func (j *Job) reduce(now sim.Time) {
	if j.reducing || j.reduced == j.ready {
		return
	}
	j.reducing = true
	j.reduceAt = now
	j.c.Launch(cluster.Collective{
		Plan: j.plans[j.reduced], Size: float64(j.buckets[j.reduced].Bytes),
		Owner: j.c.Jobs[j.job].Owner, Actor: j.actor, Arg: argReduced,
	})
}

// update steps the optimizer once the backward pass has ended and all gradients
// are summed.
func (j *Job) update(now sim.Time) {
	if j.backEnd < 0 || j.reduced < len(j.buckets) {
		return
	}
	j.current.Exposed = now - j.backEnd
	j.ledger.AddExposed(j.backEnd, now)
	j.current.Optimizer = j.optimizer
	j.ledger.AddCompute(now, now+j.optimizer)
	j.c.Engine.Schedule(now+j.optimizer, j.actor, argStep)
}

// end closes an iteration and begins the next, or jumps over the rest.
func (j *Job) end(now sim.Time) {
	j.current.Time = now - j.began
	steady := j.current == j.Last
	j.Last = j.current
	j.Done++
	left := j.Iterations - j.Done
	if h := j.c.Engine.Horizon; h > 0 {
		left = min(left, int64((h-now)/j.Last.Time))
	}
	if j.before != nil && steady && left > 0 && left < int64((sim.Never-now)/j.Last.Time) && j.c.Alone() {
		j.c.Network.Repeat(j.before, left)
		j.ledger.Repeat(j.wasLedger, j.Last.Time, left, now)
		next := argEnd
		if j.Done += left; j.Done < j.Iterations {
			next = argStart // the horizon comes first
		}
		j.c.Engine.Schedule(now+sim.Time(left)*j.Last.Time, j.actor, next)
		return
	}
	if j.Done >= j.Iterations {
		j.c.Done(j.job)
		return
	}
	j.c.Engine.Schedule(now, j.actor, argStart)
}
