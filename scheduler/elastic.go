package scheduler

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/units"
)

// elastic gives every job a share that grows and shrinks. At each decision the jobs
// that run, and then those that wait, in the order of arrival and while there is room,
// are given the least that they can run on; what is left goes one by one to the job
// that has the least, up to the most that it can use. So shares are max-min fair. A
// running job whose share changes is stopped and started anew on as many
// accelerators, which costs what a preemption does.
type elastic struct {
	waiting waiting        // by the least that they can run on
	running []elasticShare // in the order of arrival
}

// elasticShare is what one job has, 0 before it starts, and shall have.
type elasticShare struct {
	job, least, most int32
	has, shall       int32
	fresh            bool // it does not run yet
}

// least is the least on which a job can run.
func (q *Queue) least(r *record) int32 {
	if least := q.asked[r.asks].Least; least > 0 && !r.Fixed {
		return int32(least)
	}
	return r.size()
}

func (e *elastic) arrive(q *Queue, job int32) {
	r := &q.jobs[job]
	e.waiting.push(q.least(r), entry{byArrival(r), job})
}

func (e *elastic) finish(_ *Queue, job int32) {
	i := slices.IndexFunc(e.running, func(x elasticShare) bool { return x.job == job })
	e.running = slices.Delete(e.running, i, i+1)
}

func (e *elastic) decide(q *Queue, m Machine) {
	e.divide(e.admit(q))
	for i := range e.running {
		if x := &e.running[i]; !x.fresh && x.has != x.shall {
			q.stop(x.job, m, because(Resized))
			x.fresh = true
		}
	}
	kept := e.running[:0]
	for _, x := range e.running {
		if x.fresh {
			r := &q.jobs[x.job]
			r.Accelerators = int(x.shall)
			if !q.start(x.job, m, because(Fits)) {
				e.waiting.push(x.least, entry{byArrival(r), x.job})
				continue
			}
			x.fresh, x.has = false, x.shall
		}
		kept = append(kept, x)
	}
	e.running = kept
}

// admit gives those that run and those that wait their least, and returns what is
// left.
func (e *elastic) admit(q *Queue) int32 {
	left := int32(q.total)
	for i := range e.running {
		e.running[i].shall = e.running[i].least
		left -= e.running[i].least
	}
	old := len(e.running)
	for c := e.waiting.best(left); c != none; c = e.waiting.best(left) {
		job := e.waiting.pop(c).job
		r := &q.jobs[job]
		x := elasticShare{job: job, least: q.least(r), most: r.size(), fresh: true}
		if most := q.asked[r.asks].Most; most > 0 && !r.Fixed {
			x.most = int32(min(most, q.total))
		}
		x.shall = x.least
		left -= x.least
		e.running = append(e.running, x)
	}
	if len(e.running) > old {
		slices.SortFunc(e.running, func(a, b elasticShare) int { return cmp.Compare(q.jobs[a.job].seq, q.jobs[b.job].seq) })
	}
	return left
}

// divide raises the shares as water does what is left, in O(running x the share that
// it rises to).
func (e *elastic) divide(left int32) {
	var growing []int32 // indices of jobs that can use more, in the order of arrival
	for i := range e.running {
		if x := &e.running[i]; x.shall < x.most {
			growing = append(growing, int32(i))
		}
	}
	for level := int32(1); left > 0 && len(growing) > 0; level++ {
		rest := growing[:0]
		for _, i := range growing {
			x := &e.running[i]
			if left > 0 && x.shall == level {
				x.shall++
				left--
			}
			if x.shall < x.most {
				rest = append(rest, i)
			}
		}
		growing = rest
	}
}

func (e *elastic) wake() units.Duration { return Never }
