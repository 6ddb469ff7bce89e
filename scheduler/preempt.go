package scheduler

import (
	"math/bits"

	"github.com/railyard/railyard/units"
)

// holder is a running job of a preemptive policy.
type holder struct {
	rank
	job, size int32
	turn      units.Duration // what its ranker makes of it: its end, or its next demotion
}

// ranker is the order of a preemptive policy. Ranks of jobs that wait stay as
// they are; those of jobs that run change with time.
type ranker interface {
	// arrive ranks a job that has come.
	arrive(r *record) rank
	// begin sets rank and turn of a job that begins to run.
	begin(r *record, h *holder)
	// rerank sets the ranks of all running jobs to those of the present time.
	rerank(q *Queue, running []holder)
	// settle looks at the running jobs after a decision, in their order.
	settle(running []holder)
	// stopped ranks the jobs that were stopped, given in their order.
	stopped(q *Queue, stopped []entry)
	// wake is when ranks change in a way that needs a decision.
	wake(running []holder) units.Duration
}

// preemptive gives the accelerators to the first jobs in the order of its ranker,
// whether they run or wait. A decision takes time linear in the running jobs.
type preemptive struct {
	ranker  ranker
	waiting waiting
	running []holder // in order, but for fixed jobs
	next    []holder // the running of a decision that is being made
	stops   []entry
	held    int32 // accelerators of fixed jobs
}

func newPreemptive(r ranker) *preemptive { return &preemptive{ranker: r} }

func (p *preemptive) arrive(q *Queue, job int32) {
	r := &q.jobs[job]
	p.waiting.push(r.size(), entry{p.ranker.arrive(r), job})
}

func (p *preemptive) finish(q *Queue, job int32) {
	if r := &q.jobs[job]; r.Fixed {
		p.held -= r.size()
		return
	}
	for i := range p.running {
		if p.running[i].job == job {
			p.running = append(p.running[:i], p.running[i+1:]...)
			return
		}
	}
}

func (p *preemptive) decide(q *Queue, m Machine) {
	p.ranker.rerank(q, p.running)
	sortHolders(p.running)
	left := int32(q.total) - p.held
	next, stops := p.next[:0], p.stops[:0]
	c := p.waiting.best(left)
	take := func() {
		e, size := p.waiting.pop(c), p.waiting.sizes[c]
		left -= size
		next = append(next, holder{rank: e.rank, job: e.job, size: size, turn: starting})
		c = p.waiting.best(left)
	}
	for i := range p.running {
		h := &p.running[i]
		for c != none && p.waiting.heaps[c][0].less(&h.rank) {
			take()
		}
		if h.size > left {
			stops = append(stops, entry{h.rank, h.job})
			continue
		}
		left -= h.size
		next = append(next, *h)
		if c != none && p.waiting.sizes[c] > left {
			c = p.waiting.best(left)
		}
	}
	for c != none {
		take()
	}
	for _, e := range stops {
		q.stop(e.job, m)
	}
	p.ranker.stopped(q, stops)
	for _, e := range stops {
		p.waiting.push(q.jobs[e.job].size(), e)
	}
	kept := next[:0]
	for i := range next {
		h := next[i]
		if h.turn == starting {
			r := &q.jobs[h.job]
			if !q.start(h.job, m) {
				p.waiting.push(h.size, entry{h.rank, h.job})
				continue
			}
			if r.Fixed {
				p.held += h.size
				continue
			}
			p.ranker.begin(r, &h)
		}
		kept = append(kept, h)
	}
	p.running, p.next, p.stops = kept, p.running, stops
	p.ranker.settle(p.running)
}

// starting is the turn of a holder that does not run yet.
const starting units.Duration = -1

func (p *preemptive) wake() units.Duration { return p.ranker.wake(p.running) }

// sortHolders sorts by insertion: from one decision to the next, few jobs change
// places.
func sortHolders(all []holder) {
	for i := 1; i < len(all); i++ {
		if !all[i].less(&all[i-1].rank) {
			continue
		}
		h, k := all[i], i
		for ; k > 0 && h.less(&all[k-1].rank); k-- {
			all[k] = all[k-1]
		}
		all[k] = h
	}
}

// remaining ranks by remaining time, or by remaining service: time x
// accelerators.
type remaining struct{ service bool }

func (o remaining) of(left units.Duration, size int32) (hi, lo uint64) {
	if o.service {
		return bits.Mul64(uint64(left), uint64(size))
	}
	return 0, uint64(left)
}

func (o remaining) arrive(r *record) rank {
	hi, lo := o.of(r.left(), r.size())
	return rank{hi, lo, r.seq}
}

func (o remaining) begin(r *record, h *holder) { h.turn = r.end() }

func (o remaining) rerank(q *Queue, running []holder) {
	for i := range running {
		h := &running[i]
		left := Never
		if h.turn != Never {
			left = max(0, h.turn-q.now)
		}
		h.hi, h.lo = o.of(left, h.size)
	}
}

func (o remaining) settle([]holder) {}

func (o remaining) stopped(q *Queue, stopped []entry) {
	for i := range stopped {
		stopped[i].rank = o.arrive(&q.jobs[stopped[i].job])
	}
}

func (o remaining) wake([]holder) units.Duration { return Never }
