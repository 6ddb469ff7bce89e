package scheduler

import (
	"math"
	"slices"
	"strconv"

	"github.com/railyard/railyard/units"
)

// gavel shares accelerators of several types in rounds (Gavel, Narayanan et al., OSDI
// 2020, section 5). At the begin of a round, which lasts a lease, the shares X are found
// anew if jobs or accelerators have changed ([allocate]). Then jobs and types are taken
// in the order of
//
//	priority = X / rounds received
//
// on this type, and a job goes to the first type at its turn on which there is room for
// its gang. Half a round is counted as received before there was any, as in the paper's
// own scheduler, so that a job which has just come is not before all others. Where X
// changes, what a job was due before counts as it was.
//
// While a round lasts, accelerators that become free go to the next in its order, also to
// jobs that have no share of them: nobody waits where there is room. Sharing of an
// accelerator by two jobs, and the other objectives of the paper, are left out.
//
// A round takes O(jobs x types) and the linear program, a start O(kinds of job x types).
type gavel struct {
	round   units.Duration
	end     units.Duration // of the round that is on
	weights map[string]float64
	kinds   []*kind // in the order in which they came
	named   map[string]*kind
	changed bool // jobs or accelerators have since shares were found

	all              []*contender // of each job that has come
	waiting, running []*contender
}

// kind is jobs that are alike: of equal gang, weight and speeds.
type kind struct {
	claim
	place  []uint64 // of each type in the order of speeds, the fastest 0
	offers []line   // what those that wait could have of each type, in the order of the round
}

// contender is a job that has come and not ended.
type contender struct {
	*kind
	job  int32
	seq  int32
	on   int       // type that it runs on, none while it waits
	next int       // type that it has in this round, none if it waits, gone if it has ended
	mine []float64 // X on each type

	since    units.Duration // when the times below were brought up to date
	due, had []float64      // seconds on each type, by its shares and in fact
}

const gone = none - 1

func newGavel(p Policy) *gavel {
	g := &gavel{round: p.Lease, weights: map[string]float64{}, named: map[string]*kind{}}
	for _, group := range p.Groups {
		g.weights[group.Name] = group.Weight
	}
	return g
}

// replan has the shares found anew: accelerators have come or gone.
func (g *gavel) replan() { g.changed = true }

func (g *gavel) arrive(q *Queue, job int32) {
	r, types := &q.jobs[job], len(q.types)
	times := make([]float64, 2*types)
	c := &contender{
		kind: g.kind(q, r), job: job, seq: r.seq, on: none, next: none,
		since: q.now, due: times[:types], had: times[types:],
	}
	for len(g.all) <= int(job) {
		g.all = append(g.all, nil)
	}
	g.all[job] = c
	g.waiting = append(g.waiting, c)
	g.offer(q, c)
	g.changed = true
}

// kind is that of a job.
func (g *gavel) kind(q *Queue, r *record) *kind {
	asks, types := &q.asked[r.asks], len(q.types)
	weight, known := g.weights[asks.Group]
	if !known {
		weight = 1
	}
	speeds := asks.Speeds
	if speeds == nil {
		speeds = slices.Repeat([]float64{1}, types)
	}
	name := strconv.AppendInt(nil, int64(r.size()), 10)
	for _, v := range append([]float64{weight}, speeds...) {
		name = strconv.AppendFloat(append(name, ' '), v, 'g', -1, 64)
	}
	k, known := g.named[string(name)]
	if known {
		return k
	}
	k = &kind{claim: claim{gang: float64(r.size()), weight: weight, speeds: speeds}, place: make([]uint64, types), offers: make([]line, types)}
	for t, speed := range speeds {
		for other, faster := range speeds {
			if faster > speed || faster == speed && other < t {
				k.place[t]++
			}
		}
	}
	g.kinds = append(g.kinds, k)
	g.named[string(name)] = k
	return k
}

func (g *gavel) finish(q *Queue, job int32) {
	c := g.all[job]
	c.on, c.next = none, gone
	i := slices.Index(g.running, c)
	g.running = slices.Delete(g.running, i, i+1)
	g.changed = true
}

func (g *gavel) decide(q *Queue, m Machine) {
	switch {
	case q.now >= g.end || len(g.running) == 0:
		g.begin(q, m)
	case g.end-q.now <= q.policy.PreemptionCost:
		return // a start might cost more than it gives
	}
	g.fill(q, m)
}

// begin begins a round: it chooses who runs, stops who does not run on, and starts the
// others that were chosen.
func (g *gavel) begin(q *Queue, m Machine) {
	g.end = q.now + min(g.round, Never-q.now)
	g.share(q)
	for _, k := range g.kinds {
		for t := range k.offers {
			k.offers[t] = line{all: k.offers[t].all[:0]}
		}
	}
	everyone := slices.Concat(g.running, g.waiting)
	for _, c := range everyone {
		c.account(q.now)
		if c.next = none; c.on != none && q.jobs[c.job].Fixed {
			c.next = c.on
			continue
		}
		g.offer(q, c)
	}
	left := g.room(q, func(c *contender) bool { return c.next != none })
	var chosen []*contender
	for k, t := g.best(left); k != nil; k, t = g.best(left) {
		c := g.all[k.offers[t].pop().job]
		c.next = t
		left[t] -= int(k.gang)
		chosen = append(chosen, c)
	}
	running := slices.Clone(g.running)
	g.running = g.running[:0]
	for _, c := range running {
		if c.next == c.on {
			g.running = append(g.running, c)
			continue
		}
		w := because(Behind)
		if c.next != none {
			w = because(Moved)
		}
		if c.on = none; q.stop(c.job, m, w) {
			g.waiting = append(g.waiting, c)
		} else {
			c.next = gone
		}
	}
	for _, c := range chosen {
		if c.on == none && c.next != gone && !g.start(q, m, c, c.next) {
			c.next = none
			g.offer(q, c)
		}
	}
}

// fill starts jobs that wait, in the order of the round, on what is free. One that the
// machine cannot place tries its next type, and leaves its room to those behind it.
func (g *gavel) fill(q *Queue, m Machine) {
	type offer struct {
		*line
		entry
	}
	var refused []offer
	left := g.room(q, func(*contender) bool { return true })
	for k, t := g.best(left); k != nil; k, t = g.best(left) {
		e := k.offers[t].pop()
		c := g.all[e.job]
		if int(k.gang) <= q.free && g.start(q, m, c, t) {
			left[t] -= int(k.gang)
		} else {
			refused = append(refused, offer{&k.offers[t], e})
		}
	}
	for _, o := range refused {
		o.push(o.entry)
	}
	g.waiting = slices.DeleteFunc(g.waiting, func(c *contender) bool { return c.on != none || c.next == gone })
}

// start starts a job on a type, if the machine can.
func (g *gavel) start(q *Queue, m Machine, c *contender, t int) bool {
	kind := t
	if len(c.due) == 1 { // or more than one, that the policy was not told of
		kind = AnyType
	}
	if !q.startOn(c.job, kind, m, because(Ahead)) {
		return false
	}
	c.account(q.now)
	c.on, c.next = t, t
	g.running = append(g.running, c)
	return true
}

// room is the accelerators of each type that no job holds of those that count.
func (g *gavel) room(q *Queue, counts func(*contender) bool) []int {
	left := slices.Clone(q.types)
	for _, c := range g.running {
		if counts(c) {
			left[c.on] -= int(c.gang)
		}
	}
	return left
}

// offer lists what a job could have, by priority, then the faster type first, then the
// earlier arrival. A job that would be given up if it were stopped moves to no other type.
func (g *gavel) offer(q *Queue, c *contender) {
	round := g.round.Seconds()
	for t, speed := range c.speeds {
		if !(speed > 0) || c.on != none && c.on != t && q.policy.Preemption == Cancel {
			continue
		}
		priority := 0.0
		if c.mine != nil && c.mine[t] > 0 {
			priority = (c.due[t] + float64(c.mine[t]*round)) / (c.had[t] + round/2)
		}
		c.offers[t].push(entry{rank{^math.Float64bits(priority), c.place[t], c.seq}, c.job})
	}
}

// best is the kind of job and the type of the first offer for which there is room; nil if
// there is none. Offers to those that have something by now are dropped.
func (g *gavel) best(left []int) (best *kind, on int) {
	for _, k := range g.kinds {
		for t := range k.offers {
			l := &k.offers[t]
			if int(k.gang) > left[t] {
				continue
			}
			for !l.empty() && g.all[l.first().job].next != none {
				l.pop()
			}
			if !l.empty() && (best == nil || l.first().less(&best.offers[on].first().rank)) {
				best, on = k, t
			}
		}
	}
	return best, on
}

// share finds the shares of all jobs, if they may have changed. Those that are never
// stopped keep what they have, and the others share the rest.
func (g *gavel) share(q *Queue) {
	if !g.changed {
		return
	}
	g.changed = false
	for _, k := range g.kinds {
		k.jobs = 0
	}
	var claims []*claim
	var sharing []*contender
	for _, c := range slices.Concat(g.running, g.waiting) {
		c.account(q.now)
		if c.gang == 0 || c.on != none && q.jobs[c.job].Fixed {
			continue
		}
		if c.jobs++; c.jobs == 1 {
			claims = append(claims, &c.claim)
		}
		sharing = append(sharing, c)
	}
	joint, in := alike(claims)
	allocate(joint, g.room(q, func(c *contender) bool { return q.jobs[c.job].Fixed }))
	for i, c := range claims {
		c.share = joint[in[i]].share
	}
	for _, c := range sharing {
		c.mine = c.share
	}
}

// account counts the time up to now.
func (c *contender) account(now units.Duration) {
	passed := (now - c.since).Seconds()
	c.since = now
	for t, x := range c.mine {
		c.due[t] += float64(x * passed)
	}
	if c.on != none {
		c.had[c.on] += passed
	}
}

// wake is the end of the round, if anybody waits or might go to another type. Where
// nothing runs, nothing changes until something happens.
func (g *gavel) wake() units.Duration {
	if len(g.running) > 0 && len(g.waiting) > 0 {
		return g.end
	}
	for _, c := range g.running {
		if g.changed && len(c.due) > 1 {
			return g.end
		}
		for t, x := range c.mine {
			if t != c.on && x > 0 {
				return g.end
			}
		}
	}
	return Never
}
