package training

import (
	"math"
	"slices"
	"strconv"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
)

// Input is where the samples of a job come from. They are read from storage, prepared by
// workers on the hosts' CPUs and kept in a queue of Ahead iterations, from which each
// iteration takes its own when it begins; it waits if they are not there. Samples of one
// iteration are read at a time, and prepared while they come, those of the next read
// meanwhile: so in the steady state an iteration takes
//
//	max(computing and communicating, reading, preparing)
//
// and waits for the difference, as Mohan et al. have it ("Analyzing and Mitigating Data
// Stalls in DNN Training", VLDB 2021, whose fetch and prep stalls these are).
type Input struct {
	// Parts are what the samples of an iteration are for the network, if all of them
	// are read.
	Parts
	// Prepare is how long the workers have to do with the samples of an iteration.
	Prepare sim.Time
	Ahead   int // at least 1
	// Epoch is how many iterations are a pass over the data set, Missed which part of
	// the samples is read in each pass, the others being in memory. The last part holds
	// for all passes to come; none is all.
	Epoch  float64
	Missed []float64
	// Begun is how many iterations came before the first.
	Begun int64
	// Await, if set, says whether the samples of so many iterations have been made, of
	// which others are made while the job trains. If not, more is called once there are
	// more of them; nil only asks.
	Await func(iterations int64, more func()) bool
}

// epoch is the pass that an iteration belongs to, as Missed counts them.
func (i *Input) epoch(iteration int64) int {
	if len(i.Missed) == 0 {
		return 0
	}
	return min(int(float64(iteration)/i.Epoch), len(i.Missed)-1)
}

// bytes is how many of each of the Parts are read for an iteration.
func (i *Input) bytes(iteration int64) float64 {
	if len(i.Missed) == 0 {
		return i.Bytes
	}
	return i.Bytes * i.Missed[i.epoch(iteration)]
}

// alike is how many iterations from one on, and the one before it, read as many bytes.
func (i *Input) alike(iteration int64) int64 {
	e := i.epoch(iteration)
	switch {
	case i.bytes(iteration) != i.bytes(max(iteration-1, 0)):
		return 0
	case e >= len(i.Missed)-1:
		return math.MaxInt64
	}
	return int64(math.Ceil(float64(e+1)*i.Epoch)) - iteration
}

// feed is the input of a job as it runs.
type feed struct {
	Input
	Fed

	next    int64      // iteration whose samples are read, or will be next
	left    int64      // iterations whose samples are still to be taken
	reading sim.Time   // since when; -1: nothing is read
	ready   []sim.Time // of those read and not taken, when they are prepared
	free    sim.Time   // when the workers are
	waiting sim.Time   // since when the job does; -1: it does not
	stalled sim.Time   // how long it did for the iteration that is on
	steady  bool       // the iteration before was like the one before it
	state   []sim.Time // at the beginning of the iteration that is on
	blocked bool       // it reads on once more samples have been made
}

// Fed is what a job has had of its input.
type Fed struct {
	Read    float64  // bytes of each of the Parts
	Samples int64    // iterations whose samples were read or found in memory
	Waited  sim.Time // for them, of iterations that were undone too
}

// Fed gives what the job has had of its input, and that; nil if it has none, or has not
// begun.
func (j *Job) Fed() (*Input, Fed) {
	if j.feed == nil {
		return nil, Fed{}
	}
	return &j.feed.Input, j.feed.Fed
}

// nourish begins to read for the job.
func (j *Job) nourish() {
	if j.Input == nil {
		return
	}
	f := &feed{Input: j.Input(j.c.Jobs[j.job].Accelerators), left: j.Iterations - j.Done, reading: -1, waiting: -1}
	if was := j.feed; was != nil { // on other accelerators
		f.Fed = was.Fed
	}
	f.next = f.Begun + j.Done
	j.feed = f
	j.read(j.c.Engine.Now())
}

// read reads the samples of the next iteration, if there is room for them.
func (j *Job) read(now sim.Time) {
	f := j.feed
	for !f.blocked && f.reading < 0 && len(f.ready) < f.Ahead && int64(len(f.ready)) < f.left {
		if f.Await != nil && !f.Await(f.next+1, func() { j.unblock(f) }) {
			f.blocked = true
			return
		}
		bytes := f.bytes(f.next)
		f.next++
		f.reading = now
		f.Read += bytes
		f.Samples++
		if bytes == 0 {
			j.prepare(now)
			continue
		}
		j.c.Network.Add(&network.Transfer{
			Bytes: bytes, Latency: f.Latency, Links: f.Links, Counts: f.Counts, Owner: j.c.Jobs[j.job].Owner,
			Notify: true, Actor: j.actor, Arg: argRead, Forget: true,
		})
	}
}

// unblock goes on reading, since more samples have been made, unless the job has begun again
// on other accelerators meanwhile.
func (j *Job) unblock(f *feed) {
	if f == j.feed {
		f.blocked = false
		j.read(j.c.Engine.Now())
	}
}

// prepare is called when samples have been read. The workers have had them since they
// were free, or reading began; they are not done with them before the last is there.
func (j *Job) prepare(now sim.Time) {
	f := j.feed
	done := max(now, max(f.reading, f.free).After(f.Prepare))
	f.reading, f.free = -1, done
	if f.ready = append(f.ready, done); f.waiting >= 0 && len(f.ready) == 1 {
		j.c.Engine.Schedule(done, j.actor, argFed)
	}
}

// fed says whether the samples of the next iteration are there; if not the job begins it
// once they are. It jumps over iterations that go like the last: then it does so after
// them.
func (j *Job) fed(now sim.Time) bool {
	f := j.feed
	if f.waiting < 0 {
		f.left = j.Iterations - j.Done // what a failure has undone is read again
		j.read(now)
		f.waiting = now
		if len(f.ready) > 0 && f.ready[0] > now {
			j.c.Engine.Schedule(f.ready[0], j.actor, argFed)
		}
	}
	if len(f.ready) == 0 || f.ready[0] > now {
		return false
	}
	if f.steady && now-f.waiting == f.stalled && j.leap(now) {
		return false
	}
	f.steady = false
	return true
}

// take takes the samples of the iteration that begins.
func (j *Job) take(now sim.Time) {
	f := j.feed
	f.state = f.ahead(f.state[:0], now)
	f.stalled, f.waiting = now-f.waiting, -1
	f.Waited += f.stalled
	if c := j.c.Observer; c != nil && f.stalled > 0 {
		c.Observe(cluster.Activity{
			From: now - f.stalled, To: now, Stream: cluster.JobStream, Name: "waiting for samples", Job: j.job,
			Notes: []result.Note{{Name: "number", Text: strconv.FormatInt(j.Done+1, 10)}},
		})
	}
	f.ready = slices.Delete(f.ready, 0, 1)
	f.left = j.Iterations - j.Done - 1
	j.read(now)
}

// ahead appends what decides how the input goes on from an instant at which nothing is
// read: when samples will be prepared, and the workers free.
func (f *feed) ahead(state []sim.Time, now sim.Time) []sim.Time {
	for _, at := range append(f.ready[:len(f.ready):len(f.ready)], f.free) {
		state = append(state, max(at-now, 0))
	}
	return state
}

// leap jumps over iterations that go as the one before, from the beginning of which to
// now all came to be as it was. It reports whether there are any.
func (j *Job) leap(now sim.Time) bool {
	f := j.feed
	most := min(j.untilInterlude()-1, f.alike(f.next), j.Iterations-j.Done-int64(len(f.ready)))
	if most <= 0 || f.reading >= 0 || !slices.Equal(f.state, f.ahead(nil, now)) {
		return false
	}
	if f.Await != nil && !f.Await(math.MaxInt64, nil) { // what is still to come may be late
		return false
	}
	links, until := j.repeatable(j.before)
	if until <= now {
		return false
	}
	was, at, times := j.Done, now, int64(0)
	if j.course == nil {
		times = j.repeat(j.before, most, now)
		at += sim.Time(times) * (now - j.before.at)
		j.observe("iterations like the last", now, at, was+1, times)
		j.Done += times
	} else {
		if !j.cruises() || j.course.next.At < now { // it has failed while it waited
			return false
		}
		at, times = j.cruise(now, was+most, links, until)
	}
	if at == now {
		return false
	}
	f.steady = false
	f.Read += float64(times) * f.bytes(f.next)
	f.Samples += times
	f.Waited += sim.Time(times) * f.stalled
	f.next += times
	by := at - now
	for i := range f.ready {
		f.ready[i] += by
	}
	f.free, f.waiting = f.free+by, f.waiting+by
	if j.course != nil {
		j.resume(at, now)
	} else {
		j.c.Engine.Schedule(at, j.actor, argStart)
	}
	return true
}
