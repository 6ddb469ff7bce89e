package network

import (
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Connection is whose bytes a transfer carries: those of one connection between two
// accelerators, by which it can be given another way.
type Connection struct {
	From, To topology.NodeID
	Label    uint64
}

// Moved is a transfer that goes another way from now on.
type Moved struct {
	Links  []topology.LinkID // that it took
	Counts []float64
	Left   float64 // bytes that each hop still has to move
}

// KeepConnections has the network keep the connections of transfers, so that they can
// be rerouted. Without, only those with a footprint can. It must be called before
// transfers are added.
func (n *Network) KeepConnections() { n.connections = []Connection{} }

// Reroute gives transfers that have not ended the way that they are to take: one whose
// footprint is in was the links that this has now, was being what it had before; one
// with a connection what way gives for it. What has drained stays accounted for on the
// links it went over; the rest drains over the others, without latency. moved is called
// for each transfer whose way is another. None of the footprints may be bundled.
func (n *Network) Reroute(was map[*Footprint]Footprint, way func(Connection) ([]topology.LinkID, []float64), moved func(Moved)) {
	now := n.engine.Now()
	for id := range n.transfers {
		t := &n.transfers[id]
		if t.ended {
			continue
		}
		m := Moved{Links: t.links, Counts: t.counts, Left: t.bytes}
		links, counts := t.links, t.counts
		switch {
		case n.loads.routes[ID(id)] != nil: // finds its way when it starts
			continue
		case t.footprint != nil:
			before, changed := was[t.footprint]
			if !changed {
				continue
			}
			m.Links, m.Counts = before.Links, before.Counts
			links, counts = t.footprint.Links, t.footprint.Counts
		case id < len(n.connections) && n.connections[id] != Connection{}:
			links, counts = way(n.connections[id])
		}
		if slices.Equal(links, m.Links) && slices.Equal(counts, m.Counts) {
			continue
		}
		if t.departed {
			n.loads.put(m.Links, m.Counts, -1)
			n.loads.put(links, counts, 1)
		}
		if t.slot >= 0 {
			m.Left = n.move(ID(id), links, counts, now)
		} else {
			t.links, t.counts = links, counts
		}
		moved(m)
	}
}

// move puts a draining transfer on other links, and gives what is left of it.
func (n *Network) move(id ID, links []topology.LinkID, counts []float64, now sim.Time) float64 {
	t := &n.transfers[id]
	f := &n.solver.flows[t.slot]
	left := max(0, f.remaining-f.rate*(now-f.since).Seconds())
	n.finishes.remove(t.slot)
	was, wasCounts := f.links, f.counts
	n.solver.detach(t.slot)
	n.accounts.left(was, wasCounts, t.owner, t.bytes-left, now)
	if n.bundles.any() {
		n.separate(links)
	}
	t.links, t.counts, t.bytes = links, counts, left
	t.slot = n.solver.attach(id, t, now)
	n.arrivals = append(n.arrivals, t.slot)
	n.accounts.joined(links, t.owner, now)
	n.deferRepair()
	return left
}

// Crossing calls yield for each transfer that has not ended and crosses one of some
// links, with its owner and the first such link.
func (n *Network) Crossing(some []bool, yield func(ID, Owner, topology.LinkID)) {
	for id := range n.transfers {
		t := &n.transfers[id]
		if t.ended {
			continue
		}
		links := t.links
		if t.footprint != nil { // it may have bundles in links
			links = t.footprint.Links
		}
		if i := slices.IndexFunc(links, func(l topology.LinkID) bool { return some[l] }); i >= 0 {
			yield(ID(id), t.owner, links[i])
		}
	}
}
