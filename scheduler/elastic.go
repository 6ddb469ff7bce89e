package scheduler

import (
	"slices"

	"github.com/railyard/railyard/units"
)

// elastic gives every job a share that grows and shrinks. At each decision the jobs
// that run, and then those that wait, in the order of arrival and while there is room,
// are given the least that they can run on; what is left goes one by one to the job
// that has the least, up to the most that it can use. So shares are max-min fair. A running job whose share changes is
// stopped and started anew on as many accelerators, which costs what a preemption
// does.
type elastic struct {
	jobs []elasticJob // that wait or run, in the order of arrival
}

type elasticJob struct {
	job         int32
	least, most int32
	runs        bool
	has, shall  int32 // accelerators now, and by the decision being made
}

func (e *elastic) arrive(q *Queue, job int32) {
	r := &q.jobs[job]
	x := elasticJob{job: job, least: r.size(), most: r.size()}
	if r.Least > 0 {
		x.least = int32(r.Least)
	}
	if r.Most > 0 {
		x.most = int32(min(r.Most, q.total))
	}
	e.jobs = append(e.jobs, x)
}

func (e *elastic) finish(_ *Queue, job int32) {
	i := slices.IndexFunc(e.jobs, func(x elasticJob) bool { return x.job == job })
	e.jobs = slices.Delete(e.jobs, i, i+1)
}

func (e *elastic) decide(q *Queue, m Machine) {
	e.divide(q)
	for i := range e.jobs {
		if x := &e.jobs[i]; x.runs && x.has != x.shall {
			x.runs, x.has = false, 0
			q.stop(x.job, m, because(Resized))
		}
	}
	for i := range e.jobs {
		x := &e.jobs[i]
		if x.runs || x.shall == 0 && q.jobs[x.job].size() > 0 {
			continue
		}
		q.jobs[x.job].Accelerators = int(x.shall)
		if q.start(x.job, m, because(Fits)) {
			x.runs, x.has = true, x.shall
		}
	}
}

// divide sets what each job shall have, in O(jobs x the share that water rises to).
func (e *elastic) divide(q *Queue) {
	left := int32(q.total)
	for i := range e.jobs {
		x := &e.jobs[i]
		x.shall = 0
		switch {
		case !x.runs:
			continue
		case q.jobs[x.job].Fixed:
			x.shall, x.most = x.has, x.has
		default:
			x.shall = x.least
		}
		left -= x.shall
	}
	for i := range e.jobs {
		if x := &e.jobs[i]; !x.runs && x.least <= left {
			x.shall = x.least
			left -= x.least
		}
	}
	var growing []int32 // indices of jobs that can use more, in the order of arrival
	for i := range e.jobs {
		if x := &e.jobs[i]; x.shall > 0 && x.shall < x.most {
			growing = append(growing, int32(i))
		}
	}
	for level := int32(1); left > 0 && len(growing) > 0; level++ {
		rest := growing[:0]
		for _, i := range growing {
			x := &e.jobs[i]
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
