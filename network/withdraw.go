package network

import (
	"slices"

	"github.com/railyard/railyard/sim"
)

// Withdraw has nothing more of what an owner sends cross a link: what drains ends now,
// and what is still to start ends when it would have started, without its bytes. What a
// Carrier has been given it carries to the end. O(transfers).
func (n *Network) Withdraw(owner Owner) {
	now := n.engine.Now()
	for id := range n.transfers {
		t := &n.transfers[id]
		switch {
		case t.ended || t.owner != owner:
		case t.slot >= 0:
			n.interrupt(ID(id), now)
		default:
			t.bytes = 0
		}
	}
}

// interrupt ends a draining transfer before all of it has drained.
func (n *Network) interrupt(id ID, now sim.Time) {
	t := &n.transfers[id]
	slot := t.slot
	f := &n.solver.flows[slot]
	t.bytes -= max(0, f.remaining-f.rate*(now-f.since).Seconds())
	n.finishes.remove(slot)
	if i := slices.Index(n.arrivals, slot); i >= 0 {
		n.arrivals = slices.Delete(n.arrivals, i, i+1)
	}
	n.leave(slot, now)
	n.end(id, now)
	n.deferRepair()
}
