package network

import (
	"maps"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Snapshot is what all links have done up to an instant.
type Snapshot struct {
	at      sim.Time
	links   []account // of links, and after them of bundles
	shares  map[topology.LinkID]map[Owner]sim.Time
	bundles []topology.LinkID // that each link was in
	changes int               // of bundles, by then
}

// Snapshot notes what all links have done, for Repeat of those that are idle.
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
		s.bundles = slices.Clone(n.bundles.of)
	}
	return s
}

// Repeat accounts for what happened on some links since a snapshot happening times more,
// once in each period from now on, without simulating it; links nil is all. They must be
// idle, and have been so then, and whoever calls it must see to it that nothing else
// happens on them in that time.
func (n *Network) Repeat(from *Snapshot, links []topology.LinkID, times int64, period sim.Time) {
	if links == nil {
		links = n.all()
	}
	if from.changes != n.bundles.changes { // what a bundle did is not what its links did
		n.separate(links)
		from.separate(len(n.topology.Links))
	}
	now := n.engine.Now()
	n.accounts.pass(now)
	a := &n.accounts
	for _, l := range n.accounted(links) {
		for owner, shared := range a.shares[l] {
			a.shares[l][owner] += sim.Time(times) * (shared - from.shares[l][owner])
		}
		k, was := &a.links[l], &from.links[l]
		bytes := k.bytes - was.bytes
		k.bytes += float64(times) * bytes
		k.busy += sim.Time(times) * (k.busy - was.busy)
		k.contended += sim.Time(times) * (k.contended - was.contended)
		if a.series.bins > 0 && bytes > 0 {
			a.series.record(l, bytes/period.Seconds(), now)
			a.series.record(l, 0, now+sim.Time(times)*period)
		}
	}
}

// all are the links of the topology.
func (n *Network) all() []topology.LinkID {
	links := make([]topology.LinkID, len(n.topology.Links))
	for l := range links {
		links[l] = topology.LinkID(l)
	}
	return links
}

// accounted are the links under which accounts of some links are kept, in order: their
// own, or those of bundles, once for all that are in one.
func (n *Network) accounted(links []topology.LinkID) []topology.LinkID {
	all := make([]topology.LinkID, len(links))
	for i, l := range links {
		all[i] = l
		if b := n.bundles.holds(l); b != 0 {
			all[i] = b
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// pass brings the busy times of all links up to now, also where traffic that has ended
// at this instant has not been settled.
func (a *accounts) pass(now sim.Time) {
	for l := range a.links {
		k := &a.links[l]
		k.pass(now)
		if k.busySince.lasts() {
			k.busy += k.busySince.end(now)
			k.busySince.begin(now)
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
