package scheduler

import (
	"slices"
	"sort"

	"github.com/railyard/railyard/units"
)

// expected is when a running job is expected to end.
type expected struct {
	end       units.Duration
	job, size int32
}

// expectations are the running jobs in the order in which they are expected to end, the
// first of them last: that is where most that begin belong, and where those leave that
// end as expected.
type expectations struct{ all []expected }

func (e *expectations) add(q *Queue, job int32) {
	r := &q.jobs[job]
	e.insert(expected{r.end(), job, r.size()})
}

func (e *expectations) insert(x expected) {
	i := sort.Search(len(e.all), func(i int) bool { return e.all[i].end <= x.end })
	e.all = append(e.all, x)
	copy(e.all[i+1:], e.all[i:])
	e.all[i] = x
}

// remove takes out a job that has ended, and says when that was expected.
func (e *expectations) remove(job int32) units.Duration {
	i := len(e.all) - 1
	for e.all[i].job != job {
		i--
	}
	end := e.all[i].end
	e.all = slices.Delete(e.all, i, i+1)
	return end
}

// correct expects jobs that should have ended, but run on, to run for as long again
// as they have, so that an estimate of any size is corrected in few steps (after
// Tsafrir, Etsion, Feitelson 2007). It reports whether there are any.
func (e *expectations) correct(q *Queue) bool {
	due := len(e.all)
	for due > 0 && e.all[due-1].end <= q.now {
		due--
	}
	if due == len(e.all) {
		return false
	}
	late := slices.Clone(e.all[due:])
	begins := func(x expected) bool { return q.jobs[x.job].began == q.now } // and takes no time
	if late = slices.DeleteFunc(late, begins); len(late) == 0 {
		return false
	}
	for _, x := range late {
		e.remove(x.job)
	}
	for _, x := range late {
		ran := max(q.now-q.jobs[x.job].began, second)
		x.end = q.now + min(ran, Never-q.now)
		e.insert(x)
	}
	return true
}
