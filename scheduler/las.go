package scheduler

import (
	"cmp"
	"math"
	"slices"

	"github.com/railyard/railyard/units"
)

// maxLevels bounds the limits of las.
const maxLevels = 64

// las is discretized least attained service (Tiresias, Gu et al., NSDI 2019,
// section 3.2): queues with rising limits of attained service, the first queue
// first, and within a queue in the order in which jobs came to it. A job begins in
// the first queue, and falls to the end of the next once its service reaches the
// limit, at most one queue in each decision. After a decision the running jobs of
// a queue stand before its waiting ones.
//
// Service is looked at in whole seconds of running: a job falls at the first at
// which it has reached the limit.
type las struct {
	limits []float64
	byTime bool

	// Places in the queues. Ranks are a queue with one of the phases, and a place.
	running     uint64 // the next of those that run
	front, back uint64 // the next ones before and behind those that wait

	next    units.Duration // no running job falls before
	demoted []int          // places among the running, for a moment
}

// phases of a job within its queue, in their order.
const (
	lasRuns = iota
	lasWaits
	lasFalls // has just come from the queue above, running
	lasPhases
)

func newLAS(p Policy) *las {
	return &las{limits: p.LASLimits, byTime: p.LASByTime, front: 1 << 62, back: 1 << 62, next: Never}
}

func (o *las) rank(r *record, phase, place uint64) rank {
	return rank{uint64(r.level)*lasPhases + phase, place, r.seq}
}

func (o *las) arrive(_ *Queue, r *record) rank {
	o.back++
	return o.rank(r, lasWaits, o.back)
}

// limit is the time for which a job runs before it falls from its queue.
func (o *las) limit(r *record) units.Duration {
	if int(r.level) == len(o.limits) {
		return Never
	}
	limit := o.limits[r.level]
	if !o.byTime {
		limit /= float64(max(1, r.Accelerators))
	}
	limit = math.Ceil(limit)
	if limit >= Never.Seconds() {
		return Never
	}
	return units.Duration(limit) * second
}

// turn is when a running job falls.
func (o *las) turn(r *record) units.Duration {
	limit := o.limit(r)
	if limit == Never || limit > Never-r.began {
		return Never
	}
	return r.began + limit - r.executed
}

func (o *las) begin(q *Queue, h *holder) {
	r := &q.jobs[h.job]
	o.running++
	h.rank = o.rank(r, lasRuns, o.running)
	h.turn = o.turn(r)
	o.next = min(o.next, h.turn)
}

func (o *las) rerank(q *Queue, running []holder) uint64 {
	o.demoted = o.demoted[:0]
	if q.now < o.next {
		return 0
	}
	o.next = Never
	for i := range running {
		if running[i].turn <= q.now {
			o.demoted = append(o.demoted, i)
		} else {
			o.next = min(o.next, running[i].turn)
		}
	}
	slices.SortFunc(o.demoted, func(a, b int) int { return cmp.Compare(running[a].seq, running[b].seq) })
	for _, i := range o.demoted {
		h := &running[i]
		r := &q.jobs[h.job]
		r.level++
		q.note(h.job, Demote, because(Service))
		h.turn = o.turn(r)
		o.next = min(o.next, h.turn)
		o.running++
		h.rank = o.rank(r, lasFalls, o.running)
	}
	sortHolders(running)
	return 0
}

func (o *las) settle(_ *Queue, running []holder) {
	if len(o.demoted) == 0 {
		return
	}
	for i := range running {
		h := &running[i]
		if h.hi%lasPhases == lasFalls {
			h.hi -= lasFalls - lasRuns
			o.running++
			h.lo = o.running
		}
	}
}

// Those that have just fallen are the last of their queue, the others come before
// all that wait there.
func (o *las) stopped(q *Queue, stopped []entry) {
	for i := range stopped {
		if e := &stopped[i]; e.hi%lasPhases == lasFalls {
			o.back++
			e.rank = o.rank(&q.jobs[e.job], lasWaits, o.back)
		}
	}
	for i := len(stopped) - 1; i >= 0; i-- {
		if e := &stopped[i]; e.hi%lasPhases == lasRuns {
			o.front--
			e.rank = o.rank(&q.jobs[e.job], lasWaits, o.front)
		}
	}
}

// wake is the next demotion. That of a job that has ended meanwhile moves nothing.
func (o *las) wake(running []holder) units.Duration {
	if len(running) == 0 {
		o.next = Never
	}
	return o.next
}
