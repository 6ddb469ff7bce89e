package training

import (
	"errors"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// recoverable closes an iteration of a job that has a Recovery, and jumps over those to
// come.
func (j *Job) recoverable(steady bool, now sim.Time) {
	added, _ := j.course.pace(j.began, j.computes())
	at := j.course.iterated(j.began, now.After(added), added, j.Iterations)
	j.Done = j.course.done
	if j.course.held {
		j.standing = at
		return
	}
	links, until := j.repeatable(j.before)
	if steady && j.cruises() && until > now {
		at, _ = j.cruise(at, j.Done+j.untilInterlude(), links, until)
	}
	j.resume(at, now)
}

// cruises says whether nothing of the job's own keeps it from jumping over iterations.
func (j *Job) cruises() bool { return j.course.err == nil && !j.course.struck && !j.course.sending }

// cruise jumps over iterations like the last from an instant on, until so many are done,
// or as far as it is known what comes. It gives when the next can begin, and how many
// ended.
func (j *Job) cruise(at sim.Time, goal int64, links []topology.LinkID, until sim.Time) (next sim.Time, ended int64) {
	if h := j.c.Engine.Horizon; h > 0 {
		until = min(until, h)
	}
	made := j.course.Checkpoints
	j.course.halts = j.copies != nil || j.c.Regularly(j.job)
	next, ended = j.course.run(at, j.Last.Time, j.computes(), goal, until)
	if j.course.struck {
		next = j.course.failed
	}
	if until == sim.Never && !j.course.halts && j.course.done < goal && j.course.err == nil {
		j.course.err = errors.New("takes longer than the clock can tell, 2.9 years")
	}
	j.account(j.before, links, ended, (next-at)/sim.Time(max(ended, 1)), at)
	j.credit(j.course.Checkpoints - made)
	j.observe("iterations jumped over", at, next, j.Done+1, ended)
	j.Done = j.course.done
	return next, ended
}

// computes is for how long an iteration computes.
func (j *Job) computes() sim.Time { return j.Last.Compute + j.Last.Optimizer }

// recoverableInterlude closes an interlude of such a job, which happens again if a
// failure came in it or undoes it later: it is work as iterations are.
func (j *Job) recoverableInterlude(now sim.Time) {
	at := now
	if j.course.next.At < now {
		at = j.course.fail(j.began)
		j.Done = j.course.done
	} else {
		j.Interludes++
		j.course.unsaved += now - j.began
	}
	j.resume(at, now)
}

// resume goes on at an instant that the course gives.
func (j *Job) resume(at, now sim.Time) {
	at = j.course.drain(at, now)
	switch {
	case j.course.struck: // the cluster interrupts it
		return
	case j.course.err != nil:
		j.c.Fail(j.job, j.course.err)
		return
	}
	if h := j.c.Engine.Horizon; h > 0 {
		at = min(at, h.After(1)) // that something is left to come
	}
	j.follow(at)
}

// send sends the parts of the latest checkpoint over the network.
func (j *Job) send(start sim.Time) {
	p := j.course.Parts
	j.c.Network.Add(&network.Transfer{
		Start: start, Bytes: p.Bytes, Latency: p.Latency, Links: p.Links, Counts: p.Counts, Owner: j.c.Jobs[j.job].Owner,
		Notify: true, Actor: j.actor, Arg: argSent | uint64(j.course.Checkpoints), Forget: true,
	})
}

// credit accounts for the parts of so many checkpoints that were jumped over.
func (j *Job) credit(checkpoints int64) {
	if p := j.course.Parts; j.course.send != nil && checkpoints > 0 {
		n := sim.Time(checkpoints)
		j.c.Network.Credit(&network.Footprint{Links: p.Links, Counts: p.Counts}, float64(checkpoints)*p.Bytes, n*(j.course.Write-p.Latency))
	}
}

// stands says whether the job cannot go on at an instant, since a synchronous checkpoint
// has not come yet.
func (j *Job) stands(now sim.Time) bool {
	c := j.course
	if c == nil || !c.sending || c.Pause < c.Write {
		return false
	}
	j.standing = now
	return true
}

// sent goes on when the parts of a checkpoint have come.
func (j *Job) sent(checkpoint uint64, now sim.Time) {
	c := j.course
	if !c.sending || checkpoint != uint64(c.Checkpoints) { // a failure has undone it
		return
	}
	c.sent(now)
	if j.copies != nil {
		j.copies.written(c.latest, c.durable)
	}
	if from := j.standing; from >= 0 {
		j.standing = -1
		at := c.waited(min(from, now), now)
		j.Done = c.done
		j.resume(at, now)
	}
}

// Outcome is how a job with a Recovery has fared, and with which; nil if it has none, or
// has not begun.
func (j *Job) Outcome() (*Recovery, *Outcome) {
	if j.course == nil {
		return nil, nil
	}
	if j.copies != nil {
		j.copies.fetching(j.course, j.c.Engine.Now())
	}
	if !j.c.Jobs[j.job].Finished {
		j.course.wait(j.c.Engine.Now())
	}
	j.course.pass()
	return &j.course.Recovery, &j.course.Outcome
}

// Fare is how a job would fare whose iterations all take the time of one, from an instant
// until so many are done or the horizon of its Recovery, and when that is.
func Fare(r Recovery, start sim.Time, one Iteration, iterations int64) (Outcome, sim.Time, error) {
	c := newCourse(r, start)
	until := sim.Never
	if r.Horizon > 0 {
		until = r.Horizon
	}
	end, _ := c.run(start, one.Time, one.Compute+one.Optimizer, iterations, until)
	if c.done < iterations {
		end = until
	}
	return c.Outcome, end, c.err
}
