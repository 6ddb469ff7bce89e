package training

import "github.com/railyard/railyard/workload"

// woven is a forward pass and a backward pass of another micro-batch as one.
type woven struct {
	forward, backward *pass
	both              pass
}

// weave is two passes of the schedule that run as one.
func (g *gang) weave(forward, backward workload.Action) *pass {
	p := g.program
	f, b := g.passOf(forward), g.passOf(backward)
	for _, w := range p.woven {
		if w.forward == f && w.backward == b {
			return &w.both
		}
	}
	w := &woven{forward: f, backward: b}
	forwards, host := unqueued(f.joined())
	backwards, more := unqueued(b.joined())
	both := weave(forwards, backwards)
	if host += more; host > 0 { // which launches both
		both = append(append([]step{{do: stepLaunch}}, both...), step{do: stepLaunched, duration: host})
	}
	w.both.add(newPart(both...))
	p.woven = append(p.woven, w)
	return &w.both
}

// weave takes steps of two passes in turn, from one exchange between experts to the
// next: the exchange of the one is under way while the other computes. Where that one
// has none of its own left it computes to its end, and where it has something else to
// exchange first nothing runs beside.
func weave(passes ...[]step) []step {
	all := make([]step, 0, len(passes[0])+len(passes[1]))
	for own, other := passes[0], passes[1]; len(own) > 0; own, other = other, own {
		n := 0
		for n < len(own) && (own[n].do != stepExchange || own[n].transfer.kind != Expert) {
			n++
		}
		all = append(all, own[:n]...)
		if own = own[n:]; len(own) == 0 {
			return append(all, other...)
		}
		exchange := own[0]
		if len(other) > 0 && other[0].do == stepCompute {
			exchange.do = stepBeside
		}
		all, own = append(all, exchange), own[1:]
		if len(other) == 0 {
			other, own = own, nil
		}
	}
	return all
}
