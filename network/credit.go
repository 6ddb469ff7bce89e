package network

import (
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// A transfer that nothing else can meet need not be simulated: its time is known
// when it begins. Whoever knows that accounts for it here, in place of Add.

// span is a time in which a link is busy.
type span struct{ from, to sim.Time }

// on is the links that transfers over a footprint are kept on, with their counts.
func (n *Network) on(f *Footprint) ([]topology.LinkID, []float64) {
	if f.network == n {
		return f.links, f.counts
	}
	n.separate(f.Links)
	return f.Links, f.Counts
}

// Credit accounts for so many bytes of each hop of a footprint, which have kept its
// links busy for so long while nothing else used them. They have passed by now.
func (n *Network) Credit(f *Footprint, bytes float64, busy sim.Time) {
	links, counts := n.on(f)
	for i, l := range links {
		k := &n.accounts.links[l]
		k.bytes += hops(counts, i) * bytes
		k.busy += busy
	}
}

// Carry accounts for so many bytes of each hop of a footprint, which keep its links
// busy from an instant on until another, neither of which has passed. What is carried
// later keeps links busy from an instant called later on. On a network that is not
// isolated nothing else may use the links meanwhile.
func (n *Network) Carry(f *Footprint, bytes float64, from, to, later sim.Time) {
	links, counts := n.on(f)
	for i, l := range links {
		k := &n.accounts.links[l]
		k.bytes += hops(counts, i) * bytes
		if to > from {
			k.busy += k.ahead.note(span{from, to}, later)
		}
	}
}

// hops is the number of hops on the i-th link.
func hops(counts []float64, i int) float64 {
	if counts == nil {
		return 1
	}
	return counts[i]
}

// meets says whether two times have an instant in common.
func (s span) meets(o span) bool { return s.from <= o.to && o.from <= s.to }

// length is how long it lasts.
func (s span) length() sim.Time { return s.to - s.from }

// ahead is the times in which a link will be busy, none of which meet.
type ahead struct {
	latest span // noted; of no length: none
	others []span
}

// note adds a time, which those noted later do not begin before an instant. It gives
// how long those last that nothing can meet any more, and forgets them.
func (a *ahead) note(s span, later sim.Time) (over sim.Time) {
	for i := 0; i < len(a.others); {
		o := a.others[i]
		switch {
		case o.meets(s):
			s = span{min(o.from, s.from), max(o.to, s.to)}
		case o.to <= later:
			over += o.length()
		default:
			i++
			continue
		}
		a.others[i] = a.others[len(a.others)-1]
		a.others = a.others[:len(a.others)-1]
	}
	switch o := a.latest; {
	case o.length() == 0:
	case o.meets(s):
		s = span{min(o.from, s.from), max(o.to, s.to)}
	case o.to <= later:
		over += o.length()
	default:
		a.others = append(a.others, o)
	}
	a.latest = s
	return over
}

// by is how long the times last until an instant.
func (a *ahead) by(now sim.Time) sim.Time {
	sum := max(0, min(a.latest.to, now)-a.latest.from)
	for _, s := range a.others {
		sum += max(0, min(s.to, now)-s.from)
	}
	return sum
}

// pass forgets the times that have passed, and gives how long they last.
func (a *ahead) pass(now sim.Time) (over sim.Time) {
	if a.latest.to <= now {
		over, a.latest = a.latest.length(), span{}
	}
	kept := a.others[:0]
	for _, s := range a.others {
		if s.to <= now {
			over += s.length()
		} else {
			kept = append(kept, s)
		}
	}
	a.others = kept
	return over
}

// add adds the times of another link.
func (a *ahead) add(o *ahead) {
	a.others = append(a.others, o.others...)
	switch {
	case o.latest.length() == 0:
	case a.latest.length() == 0:
		a.latest = o.latest
	default:
		a.others = append(a.others, o.latest)
	}
}

// pass has the times noted ahead that have passed join the link's busy time.
func (k *account) pass(now sim.Time) {
	if k.ahead.latest.length() > 0 || len(k.ahead.others) > 0 {
		k.busy += k.ahead.pass(now)
	}
}
