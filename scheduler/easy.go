package scheduler

import (
	"slices"

	"github.com/railyard/railyard/units"
)

// easy is EASY backfilling (Lifka 1995; Mu'alem, Feitelson 2001). Jobs start in
// the order of arrival. The first for which there is no room has a reservation: at
// its shadow, the earliest time at which enough of the running jobs have ended. A
// job behind it starts now if it ends by the shadow, or takes no more than the
// extra accelerators, those that the first leaves free then.
//
// While estimates hold, nothing moves a shadow, and a decision need not look at
// running jobs.
type easy struct {
	sizes   []int32
	shelves []shelf
	running expectations

	head     int32 // the job with the reservation, none if there is none
	reserved bool  // shadow and extra hold
	shadow   units.Duration
	extra    int
}

func newEASY() *easy { return &easy{head: none} }

func (e *easy) arrive(q *Queue, job int32) {
	r := &q.jobs[job]
	c, found := slices.BinarySearch(e.sizes, r.size())
	if !found {
		e.sizes = slices.Insert(e.sizes, c, r.size())
		e.shelves = slices.Insert(e.shelves, c, shelf{})
	}
	s := &e.shelves[c]
	if q.latest(r) {
		s.add(job, q.longest(r))
		return
	}
	s.insert(job, q.longest(r), func(a, b int32) bool { return q.jobs[a].seq < q.jobs[b].seq })
	if head := e.head; head != none && q.jobs[head].seq > r.seq { // this one goes first
		e.head, e.reserved = none, false
		e.arrive(q, head)
	}
}

func (e *easy) replan() { e.reserved = false }

func (e *easy) finish(q *Queue, job int32) {
	if e.running.remove(job) != q.now {
		e.reserved = false
	}
}

func (e *easy) decide(q *Queue, m Machine) {
	for {
		if e.head == none && !e.next(q) {
			return
		}
		if q.jobs[e.head].Accelerators > q.free || !q.start(e.head, m, because(First)) {
			break
		}
		e.running.add(q, e.head)
		e.head, e.reserved = none, false
	}
	if e.running.correct(q) {
		e.reserved = false
	}
	if !e.reserved {
		e.reserve(q)
	}
	e.backfill(q, m)
}

// next makes the earliest of the waiting jobs the head.
func (e *easy) next(q *Queue) bool {
	class := none
	for c := range e.shelves {
		s := &e.shelves[c]
		p := s.first()
		if p == none {
			continue
		}
		if job := s.jobs[p]; e.head == none || q.jobs[job].seq < q.jobs[e.head].seq {
			e.head, class = job, c
		}
	}
	if class == none {
		return false
	}
	e.shelves[class].take(e.shelves[class].head)
	return true
}

// reserve finds the shadow of the head. Jobs that are expected to end at one
// instant all count.
func (e *easy) reserve(q *Queue) {
	need := q.jobs[e.head].Accelerators
	free := q.free
	e.shadow = q.now
	for i := len(e.running.all) - 1; i >= 0; i-- {
		x := &e.running.all[i]
		if free >= need && x.end != e.shadow {
			break
		}
		free += int(x.size)
		e.shadow = x.end
	}
	if free < need { // too much has failed: when it is back is not known
		e.shadow, free = Never, need
	}
	e.extra, e.reserved = free-need, true
	q.note(e.head, Reserve, why{Blocked, none, e.shadow})
}

// backfill starts jobs that do not delay the head, in the order of arrival. What
// did not fit does not do so later in the same decision: room only shrinks.
func (e *easy) backfill(q *Queue, m Machine) {
	type spot struct{ class, place int }
	var refused []spot
	for q.free > 0 {
		class, place, job := none, none, int32(none)
		for c, size := range e.sizes {
			if int(size) > q.free {
				break
			}
			s := &e.shelves[c]
			var p int
			if int(size) <= e.extra || e.shadow == Never {
				p = s.first()
			} else {
				p = s.within(e.shadow - q.now)
			}
			if p != none && (job == none || q.jobs[s.jobs[p]].seq < q.jobs[job].seq) {
				class, place, job = c, p, s.jobs[p]
			}
		}
		if class == none {
			break
		}
		e.shelves[class].take(place)
		w := why{EndsBefore, e.head, e.shadow}
		late := q.now+min(q.longest(&q.jobs[job]), Never-q.now) > e.shadow
		if late {
			w.reason = Beside
		}
		if !q.start(job, m, w) {
			refused = append(refused, spot{class, place})
			continue
		}
		e.running.add(q, job)
		later := q.jobs[job].end() > e.shadow
		if later {
			e.extra -= q.jobs[job].Accelerators
		}
		if later != late { // its accelerators are not the slowest
			e.reserved = false
		}
	}
	for _, at := range refused {
		s := &e.shelves[at.class]
		s.put(at.place, q.longest(&q.jobs[s.jobs[at.place]]))
	}
}

func (e *easy) wake() units.Duration { return Never }
