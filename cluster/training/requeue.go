package training

import (
	"fmt"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Requeued is a job that goes back to the queue when its accelerators fail. Its Recovery
// says so, too, and foresees the failures of which the cluster interrupts it.
type Requeued struct {
	*Job
	// Copying, if set, is where its checkpoints lie; without it they are wherever it is.
	Copying *Copying
	// Tenures are the times in which it had accelerators.
	Tenures []Tenure

	asked   *Job // as it was before it began
	lists   int  // accelerators in all Tenures
	attempt *attempt
}

// Tenure is a time in which a job had accelerators.
type Tenure struct {
	From, To     sim.Time // To is -1 while it lasts
	Accelerators []topology.NodeID
}

// How many gangs a job may have made, in all of its attempts together, and how many
// ledgers, before it is given up: they take memory.
const (
	mostGangs   = 1 << 22
	mostLedgers = 1 << 17
)

// attempt is a job from one interruption to the next, to which its events go.
type attempt struct {
	job  *Job
	over bool
}

// Handle hands events on that do not come late.
func (a *attempt) Handle(now sim.Time, arg uint64) {
	if !a.over {
		a.job.Handle(now, arg)
	}
}

// Begin starts the job, or has it go on from its checkpoint on the accelerators that it
// has got.
func (r *Requeued) Begin(c *cluster.Cluster, job int) {
	if r.asked == nil {
		r.ledgers = map[topology.NodeID][]*cluster.Ledger{}
		asked := *r.Job
		r.asked = &asked
	} else {
		was := *r.Job
		*r.Job = *r.asked
		r.Last, r.Done, r.Interlude, r.Interludes, r.course, r.feed = was.Last, was.Done, was.Interlude, was.Interludes, was.course, was.feed
	}
	r.Tenures = append(r.Tenures, Tenure{c.Engine.Now(), -1, slices.Clone(c.Jobs[job].Accelerators)})
	r.lists += len(c.Jobs[job].Accelerators)
	r.attempt = &attempt{job: r.Job}
	r.events, r.copies = r.attempt, r.Copying
	r.Job.Begin(c, job)
}

// Interrupt has the job fail.
func (r *Requeued) Interrupt(c *cluster.Cluster, job int, planned bool) cluster.Setback {
	now, way := c.Engine.Now(), r.course
	if k := r.Copying; k != nil && k.fetch != 0 { // it has not gone on yet since
		k.fetching(way, now)
		way.struck, r.began, r.standing = false, now, -1
	}
	switch {
	case way.struck && way.failed != now:
		panic(fmt.Sprintf("training: interrupted at %v by a failure foreseen for %v", now, way.failed))
	case !way.struck:
		worked := r.began
		if from := r.standing; from >= 0 {
			worked = now
			way.spend(Checkpoint, from, now)
		}
		way.next.At, way.next.Planned = now, planned
		way.fail(worked)
	}
	if k := r.Copying; k != nil && way.struck {
		way.undone += k.struck(way)
	}
	r.abandon(now)
	c.Withdraw(job)
	last := &r.Tenures[len(r.Tenures)-1]
	if last.To = now; !way.struck { // it is the horizon
		return cluster.Setback{}
	}
	last.To = way.released
	return cluster.Setback{
		Undone: way.undone, Lost: way.uncounted() - way.spared, Held: way.released - now,
		GivenUp: way.err != nil || way.Interrupted*int64(len(r.gangs)) > mostGangs || r.kept() > mostLedgers,
	}
}

// abandon ends what the job has under way, and is told of nothing more.
func (r *Requeued) abandon(now sim.Time) {
	r.attempt.over, r.Done = true, r.course.done
	if r.feed != nil {
		r.feed.left = 0
	}
	for _, g := range r.gangs {
		g.abandon(now)
	}
}

// Repace has nothing to do: the Recovery foresees that, too.
func (r *Requeued) Repace(*cluster.Cluster, int) {}

// ledger is that of a gang, the one of a gang on the same accelerators before an
// interruption if there was one.
func (j *Job) ledger(accelerators []topology.NodeID) *cluster.Ledger {
	first := accelerators[0]
	for _, l := range j.ledgers[first] {
		if slices.Equal(l.Accelerators, accelerators) {
			return l
		}
	}
	l := j.c.NewLedger(accelerators)
	if j.ledgers != nil {
		j.ledgers[first] = append(j.ledgers[first], l)
	}
	return l
}

// kept is how many ledgers the job has.
func (j *Job) kept() (n int) {
	for _, all := range j.ledgers {
		n += len(all)
	}
	return n
}

// abandon ends what a gang computes, or waits for.
func (g *gang) abandon(now sim.Time) {
	g.j.c.Engine.Disarm(g.timer)
	switch g.wait {
	case nothing:
		if g.computing {
			g.ledger.End(now)
		}
	case forExchange, forBeside, forGather, forSend, forStream:
		g.ledger.AddExposed(g.since, now)
	}
}

// requeue is the state of a course that is Requeued.
type requeue struct {
	struck   bool     // it has failed, and has not got other accelerators since
	failed   sim.Time // when it did last
	undone   sim.Time // work, then
	released sim.Time // when it gives its accelerators back, or is known to have waited since
	spared   sim.Time // what of its time had not counted when it got those that it has

	owed  sim.Time // to save its state, of which it pays first when it goes on
	ahead [NumCauses]span
	spans int // that were in ahead, one after another
}

// stand has a job that has failed stand still until it gets other accelerators. It gives
// its own back once that is noticed, or its state is saved.
func (c *course) stand(f Failure, lost, saving sim.Time) {
	on, held := Detecting, c.Detection
	if f.Planned {
		on, held = Checkpoint, saving
	}
	c.struck, c.failed, c.undone = true, f.At, lost
	c.released = f.At.After(held)
	c.spend(on, f.At, c.released)
	c.interrupted(Interruption{f, lost, -1}, held)
}

// again has a job go on that has got accelerators. It gives when its iterations do, or
// sim.Never if it fails before.
func (c *course) again(r Recovery, now sim.Time) sim.Time {
	c.wait(now)
	c.spared = c.uncounted()
	c.goBy(r)
	c.struck = false
	at, recovered := c.recover(Failure{At: now, Until: now, Planned: true}, now, c.owed)
	c.owed = 0
	c.resumes(now, at)
	if !recovered {
		return c.fail(at)
	}
	return at
}

// wait counts the time for which the job has waited for accelerators by an instant.
func (c *course) wait(now sim.Time) {
	if c.struck && now > c.released {
		c.spend(Waiting, c.released, now)
		c.down(now - c.released)
		c.released = now
	}
}

// uncounted is the time of all that does not count.
func (c *course) uncounted() (sum sim.Time) {
	for on, t := range c.Time {
		if Cause(on) != Productive {
			sum += t
		}
	}
	return sum
}
