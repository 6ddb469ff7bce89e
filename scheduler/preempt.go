package scheduler

import (
	"math/bits"
	"slices"
	"sort"

	"github.com/railyard/railyard/units"
)

// holder is a running job of a preemptive policy.
type holder struct {
	rank
	job, size int32
	turn      units.Duration // what its ranker makes of it: its end, or its next demotion
}

// ranker is the order of a preemptive policy. The rank of a job that waits stays as
// it is, unless the policy is one that drifts.
type ranker interface {
	// arrive ranks a job that has come.
	arrive(q *Queue, r *record) rank
	// rerank brings the running jobs to the present time and into their order. What
	// it returns is to be added to the ranks of waiting jobs to compare them.
	rerank(q *Queue, running []holder) (offset uint64)
	// stopped ranks the jobs that were stopped, given in their order.
	stopped(q *Queue, stopped []entry)
	// begin sets rank and turn of a job that begins to run; those of one decision
	// come in their order.
	begin(q *Queue, h *holder)
	// settle looks at the running jobs once a decision has been carried out.
	settle(q *Queue, running []holder)
	// wake is when ranks change in a way that needs a decision.
	wake(running []holder) units.Duration
}

// preemptive gives the accelerators to the first jobs in the order of its ranker,
// whether they run or wait. A decision takes time linear in the running jobs, and
// less if all that wait fits beside them; where ranks drift, also logarithmic in the
// waiting ones for each class, start, stop and change of their order.
type preemptive struct {
	ranker  ranker
	drifts  bool // ranks of waiting jobs change with time, too
	waiting waiting
	running []holder // in order; not those that are fixed
	held    int32    // accelerators of fixed jobs

	starts, stops []entry // of a decision, for a moment
}

func newPreemptive(r ranker) *preemptive { return &preemptive{ranker: r} }

func newLeases(p Policy, u urgency) *preemptive {
	o := &leases{p.Lease, u}
	return &preemptive{ranker: o, drifts: true, waiting: waiting{drift: &drift{moves: u.moves, rank: o.arrive}}}
}

func (p *preemptive) arrive(q *Queue, job int32) {
	r := &q.jobs[job]
	if p.drifts {
		p.waiting.drift.queue = q // the same each time
	}
	p.waiting.push(r.size(), entry{p.ranker.arrive(q, r), job})
}

func (p *preemptive) finish(q *Queue, job int32) {
	if r := &q.jobs[job]; r.Fixed {
		p.held -= r.size()
		return
	}
	for i := range p.running {
		if p.running[i].job == job {
			p.running = slices.Delete(p.running, i, i+1)
			return
		}
	}
}

func (p *preemptive) decide(q *Queue, m Machine) {
	if p.drifts && !p.open(q) {
		return
	}
	offset := p.ranker.rerank(q, p.running)
	if p.drifts {
		p.waiting.rerank()
	}
	p.starts, p.stops = p.starts[:0], p.stops[:0]
	left := int32(q.free)
	if p.waiting.total > int64(q.free) {
		left = p.choose(int32(q.total)-p.held, offset)
	}
	for c := p.waiting.best(left); c != none; c = p.waiting.best(left) {
		left -= p.waiting.sizes[c]
		p.starts = append(p.starts, p.waiting.pop(c))
	}
	stopped := p.stops[:0]
	for _, e := range p.stops {
		if q.stop(e.job, m, because(Behind)) {
			stopped = append(stopped, e)
		}
	}
	p.stops = stopped
	p.ranker.stopped(q, p.stops)
	for _, e := range p.stops {
		p.waiting.push(q.jobs[e.job].size(), e)
	}
	for _, e := range p.starts {
		p.start(q, e, m)
	}
	p.ranker.settle(q, p.running)
}

// open says whether there is anything to compete for: a lease that has ended, or room
// for a job that waits.
func (p *preemptive) open(q *Queue) bool {
	return p.waiting.best(int32(q.free)) != none || slices.ContainsFunc(p.running, func(h holder) bool { return h.turn <= q.now })
}

// choose goes through running and waiting jobs in their order. It moves those for
// which there is room from waiting to starts, and those for which there is none
// from running to stops, and returns what is left behind the last running job.
func (p *preemptive) choose(left int32, offset uint64) int32 {
	w := &p.waiting
	var first rank // of the waiting
	next := func() int {
		c := w.best(left)
		if c != none {
			first = w.first(c).rank
			first.lo += offset
		}
		return c
	}
	c := next()
	kept := 0
	for i := range p.running {
		h := &p.running[i]
		for c != none && first.less(&h.rank) {
			left -= w.sizes[c]
			p.starts = append(p.starts, w.pop(c))
			c = next()
		}
		if h.size > left {
			p.stops = append(p.stops, entry{h.rank, h.job})
			continue
		}
		left -= h.size
		if c != none && w.sizes[c] > left {
			c = next()
		}
		if kept < i {
			p.running[kept] = *h
		}
		kept++
	}
	p.running = p.running[:kept]
	return left
}

// start starts a job, or leaves it waiting.
func (p *preemptive) start(q *Queue, e entry, m Machine) {
	r := &q.jobs[e.job]
	switch {
	case !q.start(e.job, m, because(Ahead)):
		p.waiting.push(r.size(), e)
	case r.Fixed:
		p.held += r.size()
	default:
		h := holder{rank: e.rank, job: e.job, size: r.size()}
		p.ranker.begin(q, &h)
		i := sort.Search(len(p.running), func(i int) bool { return h.less(&p.running[i].rank) })
		p.running = slices.Insert(p.running, i, h)
	}
}

func (p *preemptive) wake() units.Duration {
	if p.drifts && p.waiting.count == 0 { // nobody could take over
		return Never
	}
	return p.ranker.wake(p.running)
}

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

// shortest ranks by remaining time: that of a waiting job as it is, that of a
// running job as its end, which does not change at speed 1, so the present time makes up
// the difference.
type shortest struct {
	mixed bool // a job has run at another speed
}

func (o *shortest) arrive(_ *Queue, r *record) rank { return rank{lo: uint64(r.left()), seq: r.seq} }

func (o *shortest) rerank(q *Queue, running []holder) uint64 {
	if o.mixed {
		for i := range running {
			h := &running[i]
			if left := q.jobs[h.job].remaining(q.now); left != Never {
				h.lo = uint64(q.now + left)
			}
		}
		sortHolders(running)
	}
	return uint64(q.now)
}

func (o *shortest) stopped(q *Queue, stopped []entry) {
	for i := range stopped {
		stopped[i].rank = o.arrive(q, &q.jobs[stopped[i].job])
	}
}

func (o *shortest) begin(q *Queue, h *holder) {
	r := &q.jobs[h.job]
	h.lo = uint64(r.end())
	o.mixed = o.mixed || r.speed != 1
}

func (o *shortest) settle(*Queue, []holder) {}

func (o *shortest) wake([]holder) units.Duration { return Never }

// leastService ranks by remaining service, time x accelerators. Wider jobs lose it
// faster, so running jobs overtake each other.
type leastService struct {
	mixed bool // a job has run at another speed than 1
}

func (o *leastService) arrive(_ *Queue, r *record) rank {
	hi, lo := bits.Mul64(uint64(r.left()), uint64(r.size()))
	return rank{hi, lo, r.seq}
}

func (o *leastService) rerank(q *Queue, running []holder) uint64 {
	for i := range running {
		h := &running[i]
		left := Never
		switch {
		case o.mixed:
			left = q.jobs[h.job].remaining(q.now)
		case h.turn != Never:
			left = max(0, h.turn-q.now)
		}
		h.hi, h.lo = bits.Mul64(uint64(left), uint64(h.size))
	}
	sortHolders(running)
	return 0
}

func (o *leastService) stopped(q *Queue, stopped []entry) {
	for i := range stopped {
		stopped[i].rank = o.arrive(q, &q.jobs[stopped[i].job])
	}
}

func (o *leastService) begin(q *Queue, h *holder) {
	r := &q.jobs[h.job]
	h.turn = r.end()
	o.mixed = o.mixed || r.speed != 1
}

func (o *leastService) settle(*Queue, []holder) {}

func (o *leastService) wake([]holder) units.Duration { return Never }

// fixed ranks by what does not change.
type fixed order

func (o fixed) arrive(_ *Queue, r *record) rank { return o(r) }

func (o fixed) rerank(*Queue, []holder) uint64 { return 0 }

func (o fixed) stopped(*Queue, []entry) {}

func (o fixed) begin(*Queue, *holder) {}

func (o fixed) settle(*Queue, []holder) {}

func (o fixed) wake([]holder) units.Duration { return Never }
