package training

import (
	"slices"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
)

// whole is a pass run as one computation. Where nothing can come between, a
// collective takes what its plan says, and what a pass takes and for what is a sum
// over its steps: the same to the tick as step by step.
type whole struct {
	parts   Iteration
	time    sim.Time
	held    []transfer // gradients that are complete, to wait until the passes are over
	carried []carried
	runs    int64 // in the iteration that is on
}

// price is a part of a pass as one, nil if it cannot be.
type price struct {
	part  *part
	whole *whole
}

// carried is what a collective of a pass sends, so many times.
type carried struct {
	plan  *collective.Plan
	bytes float64
	times int64
}

// settles says whether the times of collectives can be told in advance where
// nothing of the job itself is in their way: the job is alone, and nobody looks at
// what happens when.
func (j *Job) settles() bool {
	return j.c.SeriesBins == 0 && j.c.Observer == nil && j.c.Engine.Horizon == 0 && !j.c.Reroutes && !j.c.Network.Ships() && j.c.Alone() &&
		(j.course == nil || j.course.send == nil && !j.course.Requeued) && (j.Input == nil || j.c.Network.Isolated())
}

// settle finds the gangs whose passes nothing can disturb: none but their own
// collectives use the links of these, or nobody is in anybody's way and asks which links
// were busy when.
func (j *Job) settle() {
	if !j.settled || j.Unfold || j.Trace != nil {
		return
	}
	if j.known && j.Bound {
		for _, g := range j.gangs {
			g.apart = true
		}
		return
	}
	user := make([]int32, len(j.c.Topology.Links)) // gang in whose passes each link is used, from 1
	inPasses := []dimension{overTensor, overContext, overExpert, overLookups}
	for _, g := range j.gangs {
		g.apart = true
		for _, d := range inPasses {
			for l := range g.groups[d].links {
				if u := user[l]; u != 0 && u != int32(g.number+1) {
					j.gangs[u-1].apart, g.apart = false, false
				}
				user[l] = int32(g.number + 1)
			}
		}
	}
	for _, g := range j.gangs {
		for d, group := range g.groups {
			if slices.Contains(inPasses, dimension(d)) {
				continue
			}
			for l := range group.links {
				if u := user[l]; u != 0 && j.gangs[u-1].groups[d] != group {
					j.gangs[u-1].apart = false
				}
			}
		}
		for _, n := range []neighbour{g.next, g.previous} {
			for l := range n.links {
				if u := user[l]; u != 0 {
					j.gangs[u-1].apart = false
				}
			}
		}
	}
}

// wholeOf is the pass as one, nil if it has to be run step by step.
func (g *gang) wholeOf(p *pass) *whole {
	if !g.apart || len(g.stream) > 0 {
		return nil
	}
	if !p.priced {
		p.priced, p.whole = true, g.price(p)
	}
	return p.whole
}

// price works a pass out as one, nil if collectives of the data stream may run
// beside it.
func (g *gang) price(p *pass) *whole {
	w := &whole{carried: make([]carried, 0, 8)}
	for _, r := range p.runs {
		part := g.pricePart(r.part)
		if part == nil {
			return nil
		}
		w.parts.add(part.parts, int64(r.times))
		w.held = slices.Grow(w.held, r.times*len(part.held))
		for range r.times {
			w.held = append(w.held, part.held...)
		}
		for _, c := range part.carried {
			c.times *= int64(r.times)
			w.carry(c)
		}
	}
	w.parts.Launch += max(0, p.host-w.took())
	w.time = w.took()
	return w
}

// took is how long all parts are.
func (w *whole) took() sim.Time { return w.parts.Compute + w.parts.Launch + w.parts.AllExposed() }

// carry adds to what is carried.
func (w *whole) carry(c carried) {
	for i := range w.carried {
		if was := &w.carried[i]; was.plan == c.plan && was.bytes == c.bytes {
			was.times += c.times
			return
		}
	}
	w.carried = append(w.carried, c)
}

// pricePart is the same for a part, which several passes may have.
func (g *gang) pricePart(p *part) *whole {
	for _, known := range g.prices {
		if known.part == p {
			return known.whole
		}
	}
	w := &whole{}
	if !g.priceSteps(p.steps, w) {
		w = nil
	}
	g.prices = append(g.prices, price{p, w})
	return w
}

// priceSteps adds the steps of a part.
func (g *gang) priceSteps(part []step, w *whole) bool {
	var launching sim.Time
	for i := 0; i < len(part); i++ {
		s := &part[i]
		switch s.do {
		case stepCompute:
			w.parts.Compute += s.duration
		case stepExchange:
			w.parts.Exposed[s.transfer.kind] += g.exchange(s.transfer, w)
		case stepBeside:
			if i++; i == len(part) || part[i].do != stepCompute {
				return false
			}
			compute, overlapped, exposed := g.j.besides(part[i].duration, g.exchange(s.transfer, w), s.copied)
			w.parts.Compute += compute
			w.parts.Overlapped += overlapped
			w.parts.Exposed[s.transfer.kind] += exposed
		case stepReduce:
			if g.j.Overlap {
				return false
			}
			w.held = append(w.held, s.transfers...)
		case stepLaunch:
			launching = w.took()
		case stepLaunched:
			w.parts.Launch += max(0, launching+s.duration-w.took())
		case stepGather:
			return false
		}
	}
	return true
}

// exchange is how long a collective takes.
func (g *gang) exchange(t transfer, w *whole) sim.Time {
	p, err := g.groups[t.dimension()].plan(t.op)
	if err != nil {
		panic("training: " + err.Error()) // form has planned all that there is
	}
	w.carry(carried{p, t.bytes, 1})
	return p.Time(t.bytes)
}

// besides is how long a computation takes with a collective beside it that begins
// with it, how long of that it is slowed down, and how much longer the collective.
func (j *Job) besides(work, collective sim.Time, copied bool) (compute, overlapped, exposed sim.Time) {
	if copied {
		return work, 0, max(0, collective-work)
	}
	slow := sim.Time(float64(work)/j.beside + 0.5)
	if slow <= collective {
		return slow, slow, collective - slow
	}
	left := max(0, work-sim.Time(float64(collective)*j.beside+0.5))
	return collective + left, collective, 0
}

// run runs a pass as one.
func (g *gang) run(w *whole, now sim.Time) {
	g.computing, g.whole = true, w
	g.j.c.Engine.Schedule(now+w.time, g.j.actor, argComputed|uint64(g.number))
}

// ran is called when it has ended.
func (g *gang) ran(now sim.Time) {
	w := g.whole
	g.computing, g.whole = false, nil
	g.count(w)
	g.advance(now)
}

// count notes that the gang has run a pass as one.
func (g *gang) count(w *whole) {
	w.runs++
	if len(w.held) > 0 {
		g.held = append(g.held, w.held...)
	}
}

// credit accounts for the passes of the iteration, which has ended, that were run as
// one.
func (g *gang) credit(now sim.Time) {
	for p := range g.program.passes() {
		w := p.whole
		if w == nil || w.runs == 0 {
			continue
		}
		g.parts.add(w.parts, w.runs)
		g.ledger.Add(sim.Time(w.runs)*w.parts.Compute, sim.Time(w.runs)*w.parts.AllExposed(), sim.Time(w.runs)*w.parts.Overlapped, now)
		for _, c := range w.carried {
			for i := range c.plan.Phases {
				phase, times := &c.plan.Phases[i], w.runs*c.times
				g.j.c.Network.Credit(&phase.Footprint, float64(times)*phase.Share*c.bytes, sim.Time(times)*phase.Drain(c.bytes))
			}
		}
		w.runs = 0
	}
}
