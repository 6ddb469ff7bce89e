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

// expectations are the running jobs in the order in which they are expected to
// end.
type expectations struct{ all []expected }

func (e *expectations) add(q *Queue, job int32) {
	r := &q.jobs[job]
	e.insert(expected{r.end(), job, r.size()})
}

func (e *expectations) insert(x expected) {
	i := sort.Search(len(e.all), func(i int) bool { return e.all[i].end > x.end })
	e.all = slices.Insert(e.all, i, x)
}

// remove takes out a job that has ended, and says when that was expected.
func (e *expectations) remove(job int32) units.Duration {
	i := slices.IndexFunc(e.all, func(x expected) bool { return x.job == job })
	end := e.all[i].end
	if i == 0 { // as estimates have it
		e.all = e.all[1:]
	} else {
		e.all = slices.Delete(e.all, i, i+1)
	}
	return end
}

// correct expects jobs that should have ended, but run on, to run for as long again
// as they have, so that an estimate of any size is corrected in few steps (after
// Tsafrir, Etsion, Feitelson 2007). It reports whether there are any.
func (e *expectations) correct(q *Queue) bool {
	late := 0
	for late < len(e.all) && e.all[late].end <= q.now {
		late++
	}
	if late == 0 {
		return false
	}
	moved := slices.Clone(e.all[:late])
	e.all = slices.Delete(e.all, 0, late)
	for _, x := range moved {
		ran := max(q.now-q.jobs[x.job].began, second)
		x.end = q.now + min(ran, Never-q.now)
		e.insert(x)
	}
	return true
}
