package network

import (
	"maps"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Snapshot is what all links have done up to an instant at which the network
// was idle.
type Snapshot struct {
	at      sim.Time
	links   []account // of links, and after them of bundles
	shares  map[topology.LinkID]map[Owner]sim.Time
	bundles []topology.LinkID // that each link was in
	changes int               // of bundles, by then
}

// Snapshot notes what all links have done. The network must be idle.
func (n *Network) Snapshot() *Snapshot {
	n.accounts.pass(n.engine.Now())
	s := &Snapshot{
		at: n.engine.Now(), links: slices.Clone(n.accounts.links), changes: n.bundles.changes,
		shares: make(map[topology.LinkID]map[Owner]sim.Time, len(n.accounts.shares)),
	}
	for l, shares := range n.accounts.shares {
		s.shares[l] = maps.Clone(shares)
	}
	if n.bundles.any() {
		s.bundles = make([]topology.LinkID, len(n.topology.Links))
		for l := range s.bundles {
			s.bundles[l] = n.solver.links[l].bundle
		}
	}
	return s
}

// Repeat accounts for what happened since a snapshot happening times more, once in each
// period from now on, without simulating it. The network must be idle, and whoever calls it
// must see to it that nothing else happens in that time.
func (n *Network) Repeat(from *Snapshot, times int64, period sim.Time) {
	if from.changes != n.bundles.changes { // what a bundle did is not what its links did
		for l := range n.topology.Links {
			n.separate([]topology.LinkID{topology.LinkID(l)})
		}
		from.separate(len(n.topology.Links))
		from.changes = n.bundles.changes
	}
	now := n.engine.Now()
	n.accounts.pass(now)
	a := &n.accounts
	for l, shares := range a.shares {
		for owner, shared := range shares {
			shares[owner] += sim.Time(times) * (shared - from.shares[l][owner])
		}
	}
	for l := range from.links {
		k, was := &a.links[l], &from.links[l]
		bytes := k.bytes - was.bytes
		k.bytes += float64(times) * bytes
		k.busy += sim.Time(times) * (k.busy - was.busy)
		k.contended += sim.Time(times) * (k.contended - was.contended)
		if a.series.bins > 0 && bytes > 0 {
			a.series.record(topology.LinkID(l), bytes/period.Seconds(), now)
			a.series.record(topology.LinkID(l), 0, now+sim.Time(times)*period)
		}
	}
}

// pass brings the busy times of all links up to now, also where traffic that has ended
// at this instant has not been settled.
func (a *accounts) pass(now sim.Time) {
	for l := range a.links {
		k := &a.links[l]
		k.pass(now)
		if k.busySince >= 0 {
			k.busy += now - k.busySince
			k.busySince = now
		}
	}
}

// separate makes a snapshot one of so many single links.
func (s *Snapshot) separate(links int) {
	for l, b := range s.bundles {
		if b == 0 {
			continue
		}
		s.links[l].add(&s.links[b])
		for owner, t := range s.shares[b] {
			if s.shares[topology.LinkID(l)] == nil {
				s.shares[topology.LinkID(l)] = map[Owner]sim.Time{}
			}
			s.shares[topology.LinkID(l)][owner] += t
		}
	}
	s.links, s.bundles = s.links[:links], nil
}
