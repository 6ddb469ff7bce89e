package scheduler

import "github.com/railyard/railyard/units"

// planner is a discipline that plans ahead, by what there is.
type planner interface {
	// replan drops the plans: what there is has changed, or a job has come back.
	replan()
}

// Remove takes accelerators out that no job holds, so many of each type: they have
// failed, or are kept free.
func (q *Queue) Remove(n ...int) { q.resize(n, -1) }

// Restore brings accelerators back that were taken out.
func (q *Queue) Restore(n ...int) { q.resize(n, 1) }

func (q *Queue) resize(n []int, sign int) {
	by := 0
	for t := range n {
		q.types[t] += sign * n[t]
		by += sign * n[t]
	}
	q.free += by
	q.total += by
	if p, ok := q.discipline.(planner); ok && by != 0 {
		p.replan()
	}
}

// Interrupt takes out a running job whose accelerators have failed at the given time. Of
// what it ran, so much was for nothing, or has to be run in addition. It waits again at
// once if it is to begin again.
func (q *Queue) Interrupt(job int, now, lost units.Duration, again bool) {
	q.now = now
	r := &q.jobs[job]
	r.running = false
	r.ran(now, lost)
	q.free += r.Accelerators
	q.discipline.finish(q, int32(job))
	r.Accelerators = int(r.gang)
	if !again {
		q.present--
		return
	}
	q.discipline.arrive(q, int32(job))
}

// latest says whether no job has come after one. A job that has been interrupted arrives
// again with others behind it.
func (q *Queue) latest(r *record) bool { return r.seq+1 == q.arrived }
