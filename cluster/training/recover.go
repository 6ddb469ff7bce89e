package training

import (
	"errors"

	"github.com/railyard/railyard/sim"
)

// recoverable closes an iteration of a job that has a Recovery, and jumps over those to
// come.
func (j *Job) recoverable(steady bool, now sim.Time) {
	added, _ := j.course.pace(j.began, j.computes())
	at := j.course.iterated(j.began, now.After(added), added, j.Iterations)
	j.Done = j.course.done
	if steady && j.course.err == nil && j.repeatable(j.before) {
		until := j.c.QuietUntil
		if h := j.c.Engine.Horizon; h > 0 {
			until = min(until, h)
		}
		goal := j.Done + j.untilEvaluation()
		next, ended := j.course.run(at, j.Last.Time, j.computes(), goal, until)
		if until == sim.Never && j.course.done < goal && j.course.err == nil {
			j.course.err = errors.New("takes longer than the clock can tell, 2.9 years")
		}
		j.account(j.before, ended, (next-at)/sim.Time(max(ended, 1)), at)
		j.observe("iterations jumped over", at, next, j.Done+1, ended)
		at, j.Done = next, j.course.done
	}
	j.resume(at, now)
}

// computes is for how long an iteration computes.
func (j *Job) computes() sim.Time { return j.Last.Compute + j.Last.Optimizer }

// recoverableEvaluation closes an evaluation of such a job, which happens again if a
// failure came in it.
func (j *Job) recoverableEvaluation(now sim.Time) {
	at := now
	if j.course.next.At < now {
		at = j.course.fail(j.began)
		j.Done = j.course.done
	} else {
		j.Evaluations++
	}
	j.resume(at, now)
}

// resume goes on at an instant that the course gives.
func (j *Job) resume(at, now sim.Time) {
	switch {
	case j.course.err != nil:
		j.c.Fail(j.job, j.course.err)
		return
	case at < now: // the network was still busy with what a failure undid
		j.course.spend(Restarting, at, now)
		at = now
	}
	if h := j.c.Engine.Horizon; h > 0 {
		at = min(at, h.After(1)) // that something is left to come
	}
	j.follow(at)
}

// Outcome is how a job with a Recovery has fared, and with which; nil if it has none, or
// has not begun.
func (j *Job) Outcome() (*Recovery, *Outcome) {
	if j.course == nil {
		return nil, nil
	}
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
