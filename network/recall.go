package network

import (
	"fmt"
	"slices"

	"github.com/railyard/railyard/topology"
)

// Recall takes back a transfer that has not ended, and forgets it. It gives the bytes that
// each of its hops still had to move; those that have moved stay accounted for. Nobody is
// notified, and what comes after it goes on. It is for a fluid only.
func (n *Network) Recall(id ID) (left float64) {
	t := &n.transfers[id]
	if n.shipping != nil || t.ended {
		panic(fmt.Sprintf("network: transfer %d cannot be recalled", id))
	}
	left, t.notify, t.forget = n.Left(id), false, true
	if t.slot < 0 { // it ends when its latency has passed, or those before it have ended
		t.bytes = 0
		return left
	}
	now := n.engine.Now()
	t.bytes -= left
	n.arrivals = slices.DeleteFunc(n.arrivals, func(slot int32) bool { return slot == t.slot })
	n.finishes.remove(t.slot)
	n.leave(t.slot, now)
	n.end(id, now)
	n.deferRepair()
	return left
}

// Left is the bytes that each of the hops of a transfer still has to move: all, until its
// latency has passed. It is for a fluid only.
func (n *Network) Left(id ID) float64 {
	t := &n.transfers[id]
	switch {
	case t.ended:
		return 0
	case t.slot < 0:
		return t.bytes
	}
	f := &n.solver.flows[t.slot]
	return max(0, f.remaining-f.rate*(n.engine.Now()-f.since).Seconds())
}

// Forget lets the ID of a transfer that has ended be used again.
func (n *Network) Forget(id ID) { n.freeIDs = append(n.freeIDs, id) }

// throttle is what has become of a link: the rate that it has been given, and how often it is
// cut, which leaves it none.
type throttle struct {
	payload float64
	cuts    int
}

func (n *Network) throttle(l topology.LinkID) *throttle {
	c := n.throttles[l]
	if c == nil {
		if n.throttles == nil {
			n.throttles = map[topology.LinkID]*throttle{}
		}
		c = &throttle{payload: n.topology.Links[l].Payload}
		n.throttles[l] = c
	}
	return c
}

// Cut stops a link until it has been mended as often. SetPayload meanwhile says at what
// rate it goes on then.
func (n *Network) Cut(l topology.LinkID) {
	c := n.throttle(l)
	if c.cuts++; c.cuts == 1 {
		n.setPayload(l, 0)
	}
}

// Mend takes back a Cut.
func (n *Network) Mend(l topology.LinkID) {
	c := n.throttle(l)
	if c.cuts--; c.cuts == 0 {
		n.setPayload(l, c.payload)
	}
}
