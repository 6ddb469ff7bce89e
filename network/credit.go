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
			k.ahead(span{from, to}, later)
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

// ahead notes a time in which the link will be busy, which those noted later do not
// begin before an instant. Times that meet are one; those that nothing can meet any
// more join the link's busy time.
func (k *account) ahead(s span, later sim.Time) {
	kept := k.spans[:0]
	for _, o := range k.spans {
		switch {
		case o.from <= s.to && s.from <= o.to:
			s = span{min(o.from, s.from), max(o.to, s.to)}
		case o.to <= later:
			k.busy += o.to - o.from
		default:
			kept = append(kept, o)
		}
	}
	k.spans = append(kept, s)
}

// busyAhead is how much of the times that were noted ahead has passed.
func (k *account) busyAhead(now sim.Time) (sum sim.Time) {
	for _, s := range k.spans {
		sum += max(0, min(s.to, now)-s.from)
	}
	return sum
}

// pass has the times noted ahead that have passed join the link's busy time.
func (k *account) pass(now sim.Time) {
	kept := k.spans[:0]
	for _, s := range k.spans {
		if s.to <= now {
			k.busy += s.to - s.from
		} else {
			kept = append(kept, s)
		}
	}
	k.spans = kept
}
