package training

import (
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload"
)

// The course of a job may be known: nothing disturbs its passes, and what one sends
// takes as long as its plan says. Then a pass begins when its stage is free and its
// message has come, and that is all there is to simulate: the job is taken ahead
// from pass to pass by arithmetic. Where its stages come out, events go on.

// foreseeable says whether gangs can be taken ahead on their own, or where messages
// pass between them, all together.
func (j *Job) foreseeable() bool {
	if j.Training.ExpertOverlap { // two messages may have to come for a pass
		return false
	}
	for _, g := range j.gangs {
		if !g.apart {
			return false
		}
		for c := range g.program.chunks {
			for p := range g.program.chunks[c].passes() {
				if j.Training.Pipeline > 1 && (!j.known || g.foresee(p) == nil) {
					return false
				}
			}
		}
	}
	return true
}

// foresee is a pass as one after which the gang is free for the next, nil if it has
// to be run by events.
func (g *gang) foresee(p *pass) *whole {
	w := g.wholeOf(p)
	if w == nil || len(w.held) > 0 && g.j.Training.Zero >= 2 { // which the gang sees off first
		return nil
	}
	return w
}

// ahead takes the gangs through their passes, from now on, in the order in which
// these end.
func (j *Job) ahead(now sim.Time) {
	a := agenda{events: sim.Never}
	for _, g := range j.gangs {
		g.foretell(&a, now)
	}
	for len(a.heap) > 0 {
		e := a.pop()
		g := j.gangs[e.gang]
		g.count(g.whole)
		g.foretell(&a, g.sendAhead(&a, e.at))
	}
}

// foretell puts the end of the next pass of a gang that is free at an instant on the
// agenda, unless the gang has to wait for a message that is not sent yet.
func (g *gang) foretell(a *agenda, free sim.Time) {
	var next workload.Action
	var w *whole
	if g.action < len(g.program.actions) {
		next = g.program.actions[g.action]
		w = g.foresee(g.passOf(next))
	}
	if w == nil {
		g.computing, g.whole, a.events = true, nil, min(a.events, free)
		g.j.c.Engine.Schedule(free, g.j.actor, argAhead|uint64(g.number))
		return
	}
	from := free
	if l := g.letterFor(next); l != nil {
		if l.launched < 0 {
			g.await(forMessage, free)
			return
		}
		from = max(free, l.arrived)
		g.expose(Pipeline, max(free, l.launched), from)
	}
	g.wait, g.pass, g.whole = nothing, next, w
	g.action++
	a.push(ending{from + w.time, g.number})
}

// sendAhead sends on what the pass that ends at an instant has made, and gives when
// the gang is free.
func (g *gang) sendAhead(a *agenda, now sim.Time) (free sim.Time) {
	n, chunk, bytes := g.made(g.pass)
	if bytes == 0 {
		return now
	}
	l := n.letter(g.pass, chunk)
	l.launched, l.arrived = now, now
	if n.to == g {
		return now
	}
	l.arrived = g.j.c.Carry(n.plan, bytes, now, min(now, a.events))
	if to := n.to; to.wait == forMessage && to.letterFor(to.program.actions[to.action]) == l {
		to.foretell(a, to.since)
	}
	if g.j.SendOverlap {
		return now
	}
	g.expose(Pipeline, now, l.arrived)
	return l.arrived
}

// caughtUp is called at the instant up to which a gang was taken ahead.
func (g *gang) caughtUp(now sim.Time) {
	g.computing = false
	g.advance(now)
}

// ending is the end of the pass that a gang runs.
type ending struct {
	at   sim.Time
	gang int
}

func (e ending) before(o ending) bool { return e.at < o.at || e.at == o.at && e.gang < o.gang }

// agenda is ends of passes.
type agenda struct {
	heap   []ending // binary, the earliest first
	events sim.Time // when the first gang goes on by events
}

func (a *agenda) push(e ending) {
	h := append(a.heap, e)
	i := len(h) - 1
	for ; i > 0 && e.before(h[(i-1)/2]); i = (i - 1) / 2 {
		h[i] = h[(i-1)/2]
	}
	h[i] = e
	a.heap = h
}

func (a *agenda) pop() ending {
	h := a.heap
	first, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	i := 0
	for child := 1; child < len(h); child = 2*i + 1 {
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if last.before(h[child]) {
			break
		}
		h[i] = h[child]
		i = child
	}
	if len(h) > 0 {
		h[i] = last
	}
	a.heap = h
	return first
}
