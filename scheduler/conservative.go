package scheduler

import (
	"slices"
	"sort"

	"github.com/railyard/railyard/units"
)

// maxReservations is how many jobs have a reservation at once, the first by arrival;
// those behind them wait for one. It bounds the time of a decision, as bf_max_job_test
// does in Slurm, far above what its users set.
const maxReservations = 10_000

// conservative is backfilling that delays nobody (Mu'alem, Feitelson 2001): each job
// is given, when it comes, the earliest time at which it fits beside all that run
// and all that have a reservation already. While estimates hold, it starts then.
// When one did not, all reservations are made anew, in the order of arrival.
type conservative struct {
	running  expectations
	reserved []reservation // in the order of arrival
	behind   []int32       // jobs that wait for one
	free     profile
	planned  int  // so many of the reservations are in free
	broken   bool // an estimate did not hold
}

// reservation is when a waiting job is to start.
type reservation struct {
	job   int32
	start units.Duration
}

// arrive lets a job that has been interrupted have its place again.
func (c *conservative) arrive(q *Queue, job int32) {
	r := &q.jobs[job]
	if q.latest(r) {
		c.behind = append(c.behind, job)
		return
	}
	later := func(job int32) bool { return q.jobs[job].seq > r.seq }
	i := sort.Search(len(c.reserved), func(i int) bool { return later(c.reserved[i].job) })
	if i < len(c.reserved) {
		c.reserved, c.broken = slices.Insert(c.reserved, i, reservation{job: job}), true
		return
	}
	c.behind = slices.Insert(c.behind, sort.Search(len(c.behind), func(i int) bool { return later(c.behind[i]) }), job)
}

func (c *conservative) replan() { c.broken = true }

func (c *conservative) finish(q *Queue, job int32) {
	if c.running.remove(job) != q.now {
		c.broken = true
	}
}

func (c *conservative) decide(q *Queue, m Machine) {
	if c.running.correct(q) || c.broken || c.free.steps == nil {
		c.free.reset(q.now, q.free)
		for _, x := range slices.Backward(c.running.all) {
			c.free.add(x.end, Never, int(x.size))
		}
		c.planned, c.broken = 0, false
	}
	c.free.forget(q.now)
	for len(c.behind) > 0 && len(c.reserved) < maxReservations {
		c.reserved = append(c.reserved, reservation{job: c.behind[0]})
		c.behind = c.behind[1:]
	}
	for ; c.planned < len(c.reserved); c.planned++ {
		w := &c.reserved[c.planned]
		r := &q.jobs[w.job]
		length := max(q.longest(r), 1)
		if w.start = c.free.earliest(q.now, length, r.Accelerators); w.start == Never {
			continue // too much has failed
		}
		c.free.add(w.start, w.start+min(length, Never-w.start), -r.Accelerators)
		if w.start > q.now {
			q.note(w.job, Reserve, why{Planned, none, w.start})
		}
	}
	left := c.reserved[:0]
	for _, w := range c.reserved {
		if w.start > q.now || !q.start(w.job, m, because(Reserved)) {
			if w.start <= q.now { // the machine could not place it: when it can is not known
				c.broken, w.start = true, Never
			}
			left = append(left, w)
			continue
		}
		c.running.add(q, w.job)
		if r := &q.jobs[w.job]; r.end() != q.now+min(q.longest(r), Never-q.now) { // on what it got
			c.broken = true
		}
	}
	c.reserved, c.planned = left, len(left)
}

// wake is when the next reservation is. If a job could not be placed that has one for now,
// those after it count on its end, which is not known: there is nothing to wake for until
// something happens. A job that takes no time would have it wake at every tick.
func (c *conservative) wake() units.Duration {
	next := Never
	if c.broken {
		return next
	}
	for _, w := range c.reserved {
		next = min(next, w.start)
	}
	return next
}

// profile is how many accelerators are free from a time on.
type profile struct{ steps []step }

// step holds until the next.
type step struct {
	at   units.Duration
	free int
}

// reset makes so many free from a time on.
func (p *profile) reset(from units.Duration, free int) {
	p.steps = append(p.steps[:0], step{from, free})
}

// forget drops what lies before a time.
func (p *profile) forget(now units.Duration) {
	i := sort.Search(len(p.steps), func(i int) bool { return p.steps[i].at > now })
	p.steps = p.steps[max(0, i-1):]
}

// split has a step begin at a time, and gives its index.
func (p *profile) split(at units.Duration) int {
	i := sort.Search(len(p.steps), func(i int) bool { return p.steps[i].at >= at })
	if i < len(p.steps) && p.steps[i].at == at {
		return i
	}
	p.steps = slices.Insert(p.steps, i, step{at, p.steps[i-1].free})
	return i
}

// add makes so many more free from one time to another.
func (p *profile) add(from, to units.Duration, by int) {
	i := p.split(from)
	end := len(p.steps)
	if to != Never {
		end = p.split(to)
	}
	for ; i < end; i++ {
		p.steps[i].free += by
	}
}

// earliest is the first time from now on at which so many are free for so long.
func (p *profile) earliest(now, length units.Duration, accelerators int) units.Duration {
	start := now
	for i := range p.steps {
		if p.steps[i].at > start && p.steps[i].at-start >= length {
			break
		}
		if p.steps[i].free < accelerators {
			start = Never
			if i+1 < len(p.steps) {
				start = max(now, p.steps[i+1].at)
			}
		}
	}
	return start
}
