package training

import (
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
)

// A job that goes back to the queue when its accelerators fail makes room for others in
// the same way, where the policy says so. Nobody has foreseen it: what the job does ends
// within an iteration, a pause or a restart.

// Stop has the job make room. Suspended it goes on from its latest iteration: what it has
// to save, it pays for once it goes on. Requeued it goes on from its latest checkpoint, as
// after a failure. Cancelled, all was for nothing.
func (r *Requeued) Stop(c *cluster.Cluster, job int, how scheduler.Preemption) {
	now, way := c.Engine.Now(), r.course
	way.retract(now)
	way.pass()
	if way.struck { // it has failed, which nobody has noticed
		way.released = now
	} else {
		if from := r.standing; from >= 0 && from < now {
			way.spend(Checkpoint, from, now)
		}
		way.yield(r.worked(now), now, how == scheduler.Suspend)
		r.abandon(now)
		c.Withdraw(job)
	}
	r.Tenures[len(r.Tenures)-1].To = now
	switch {
	case how == scheduler.Cancel:
		way.Time[LostWork] += r.held() - (way.uncounted() - way.Time[Waiting])
	case r.lists > mostGangs || len(r.Tenures)*len(r.gangs) > mostGangs || r.kept() > mostLedgers:
		way.err = fmt.Errorf("is stopped for others more often than can be kept, %d times by %v", len(r.Tenures), now)
	}
}

// worked is since when the job has worked on what is not done.
func (r *Requeued) worked(now sim.Time) sim.Time {
	switch {
	case r.running > 0:
		return r.began
	case r.standing < 0 && r.feed != nil && r.feed.waiting >= 0:
		return min(r.feed.waiting, now)
	}
	return now
}

// held is for how long the job has had accelerators.
func (r *Requeued) held() (sum sim.Time) {
	for _, t := range r.Tenures {
		sum += t.To - t.From
	}
	return sum
}

// noFailure is the cause of an interruption that no failure caused.
const noFailure = -1

// foresee notes time that is counted ahead, and is told of once it is over. More spans
// than there are causes are not ahead at once: a recovery has one of each.
func (c *course) foresee(s span) {
	oldest := &c.ahead[c.spans%len(c.ahead)]
	c.told(oldest)
	*oldest = s
	c.spans++
}

// pass tells of what is over.
func (c *course) pass() {
	for i := range c.ahead {
		c.told(&c.ahead[(c.spans+i)%len(c.ahead)])
	}
}

// retract takes back the time that was counted ahead of an instant.
func (c *course) retract(now sim.Time) {
	for i := range c.ahead {
		s := &c.ahead[i]
		if over := s.to - max(now, s.from); over > 0 {
			c.Time[s.on] -= over
			c.down(-over)
			s.to -= over
		}
	}
	if n := len(c.Interruptions); n > 0 && c.Interruptions[n-1].Resumed > now {
		c.Interruptions[n-1].Resumed = now
	}
}

// yield has a job stand still until it gets other accelerators, whose own were taken for
// others: they had worked since an instant on what is not done.
func (c *course) yield(worked, now sim.Time, saves bool) {
	c.settle(now)
	c.fruitless++
	if saves {
		c.owed = c.Preempted
		if c.Interval > 0 && c.unsaved+c.inFlight > 0 {
			c.owed = c.owed.After(c.Write)
		}
		if c.done > c.saved {
			c.save(now)
		}
	}
	lost := c.undo(worked, now)
	if c.fruitless > maxFruitless {
		c.err = fmt.Errorf("is stopped for others again and again before any work is saved, %d times by %v", c.fruitless, now)
	}
	c.struck, c.failed, c.undone, c.cause, c.released = true, now, lost, noFailure, now
}
