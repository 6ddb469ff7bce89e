package collective

import (
	"math"

	"github.com/railyard/railyard/topology"
)

// Even says whether groups that perform an operation side by side would all go at
// the same rate on an otherwise idle network if each went at its own: whether the
// most crowded link of every group is as crowded as those of the others. One
// activity for all of them then holds none back but by the latency of the farthest.
// It takes as long as two plans.
func (p *Planner) Even(op Op, a Algorithm, groups ...[]topology.NodeID) (bool, error) {
	all := make([][]round, len(groups))
	for g, ranks := range groups {
		rs, err := p.rounds(op, a, ranks)
		if err != nil {
			return false, err
		}
		all[g] = rs
	}
	for i := range all[0] {
		if !p.even(groups, func(g int) round { return all[g][i] }) {
			return false, nil
		}
	}
	return true, nil
}

// EvenSends is Even of a message from each of some accelerators to its partner.
func (p *Planner) EvenSends(from, to []topology.NodeID) bool {
	pairs := make([][]topology.NodeID, len(from))
	for i := range from {
		pairs[i] = []topology.NodeID{from[i], to[i]}
	}
	one := round{sends: func(yield func(int, int) bool) { yield(0, 1) }}
	return p.even(pairs, func(int) round { return one })
}

// even compares the paces of groups in one round of each.
func (p *Planner) even(groups [][]topology.NodeID, of func(group int) round) bool {
	var phase Phase
	p.budget = MaxHops
	for g, ranks := range groups {
		p.lay(&phase, of(g), ranks)
	}
	if p.budget < 0 {
		p.close(&phase)
		return false
	}
	var load []float64 // as it was when the message was laid
	if p.topology.Routing.Policy.Adapts() {
		load = make([]float64, len(p.count))
	}
	slowest, fastest := math.Inf(1), 0.0
	for g, ranks := range groups {
		pace := math.Inf(1)
		for from, to := range of(g).sends {
			p.topology.Way(ranks[from], ranks[to], 0, load, &p.way)
			for i, l := range p.way.Links {
				pace = min(pace, p.topology.Links[l].Payload/p.count[l])
				if load != nil {
					load[l] += p.way.Share(i)
				}
			}
		}
		slowest, fastest = min(slowest, pace), max(fastest, pace)
	}
	p.close(&phase)
	return slowest == fastest || fastest-slowest <= 1e-9*fastest
}
