package scheduler

import (
	"math/bits"

	"github.com/railyard/railyard/units"
)

// mover is a waiting job whose urgency rises with time as a straight line does: at
// now it is (now - since + ahead) / per, beyond all others where per is 0.
type mover struct {
	since, ahead, per units.Duration
	job, seq          int32

	overtakes units.Duration // when it is before its parent
	changes   units.Duration // when any below it is before its parent
}

// height is the numerator. Both terms are 0 or more and below 2^63.
func (m *mover) height(now units.Duration) uint64 { return uint64(now-m.since) + uint64(m.ahead) }

// before compares two movers exactly, the earlier arrival first among equals.
func (m *mover) before(n *mover, now units.Duration) bool {
	if m.per == 0 || n.per == 0 {
		if m.per != n.per {
			return m.per == 0
		}
		return m.seq < n.seq
	}
	aHi, aLo := bits.Mul64(m.height(now), uint64(n.per))
	bHi, bLo := bits.Mul64(n.height(now), uint64(m.per))
	if aHi != bHi {
		return aHi > bHi
	}
	if aLo != bLo {
		return aLo > bLo
	}
	return m.seq < n.seq
}

// overtaking is a time, later than now, before which m does not come before n, which
// is before it now.
func (m *mover) overtaking(n *mover, now units.Duration) units.Duration {
	if m.per == 0 || n.per <= m.per { // it does not rise faster
		return Never
	}
	aHi, aLo := bits.Mul64(n.height(now), uint64(m.per))
	bHi, bLo := bits.Mul64(m.height(now), uint64(n.per))
	lo, borrow := bits.Sub64(aLo, bLo, 0)
	hi, _ := bits.Sub64(aHi, bHi, borrow)
	gain := uint64(n.per - m.per) // in a tick
	if hi >= gain {
		return Never
	}
	ticks, rest := bits.Div64(hi, lo, gain)
	if rest > 0 {
		ticks++
	}
	if ticks >= uint64(Never-now) {
		return Never
	}
	return now + max(1, units.Duration(ticks))
}

// kinetic is a heap of movers, the most urgent at the root, that stays one as time
// goes on: each knows when it overtakes its parent, and each subtree when that next
// happens in it, so that only what changes is looked at (Basch, Guibas, Hershberger,
// "Data structures for mobile data", SODA 1997). Time must not go back. A job is added
// and taken in O(log n), a change of places costs as much.
type kinetic []mover

// advance brings the heap to a time.
func (k kinetic) advance(now units.Duration) {
	if len(k) > 0 {
		k.settle(0, now)
	}
}

// settle restores the order in the subtree of i, from below.
func (k kinetic) settle(i int, now units.Duration) {
	if k[i].changes > now {
		return
	}
	for c := 2*i + 1; c <= 2*i+2 && c < len(k); c++ {
		k.settle(c, now)
	}
	k.down(i, now)
}

// down moves i away from the root to its place in a subtree that is in order else.
func (k kinetic) down(i int, now units.Duration) {
	first := i
	for {
		c := 2*i + 1
		if c >= len(k) {
			break
		}
		if c+1 < len(k) && k[c+1].before(&k[c], now) {
			c++
		}
		if !k[c].before(&k[i], now) {
			break
		}
		k[i], k[c] = k[c], k[i]
		i = c
	}
	for ; ; i = (i - 1) / 2 {
		k.certify(i, now)
		if i == first {
			return
		}
	}
}

// certify finds when the children of i overtake it, and when anything below changes.
func (k kinetic) certify(i int, now units.Duration) {
	m := &k[i]
	m.changes = Never
	for c := 2*i + 1; c <= 2*i+2 && c < len(k); c++ {
		k[c].overtakes = k[c].overtaking(m, now)
		m.changes = min(m.changes, k[c].overtakes, k[c].changes)
	}
}

// ancestors certifies all above i.
func (k kinetic) ancestors(i int, now units.Duration) {
	for i > 0 {
		i = (i - 1) / 2
		k.certify(i, now)
	}
}

func (k *kinetic) push(m mover, now units.Duration) {
	k.advance(now)
	*k = append(*k, m)
	h := *k
	i := len(h) - 1
	for p := (i - 1) / 2; i > 0 && h[i].before(&h[p], now); i, p = p, (p-1)/2 {
		h[i], h[p] = h[p], h[i]
		h.certify(i, now)
	}
	h.certify(i, now)
	h.ancestors(i, now)
}

// pop takes out the most urgent.
func (k *kinetic) pop(now units.Duration) mover {
	k.advance(now)
	h := *k
	first, n := h[0], len(h)-1
	last := h[n]
	h = h[:n]
	*k = h
	h.ancestors(n, now)
	if n > 0 {
		h[0] = last
		h.down(0, now)
	}
	return first
}
