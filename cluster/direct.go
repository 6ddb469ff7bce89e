package cluster

import (
	"slices"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// direct gives a message the way from one accelerator to another that the
// topology's routing takes: at once, or where that depends on the load of links,
// when the message starts.
func (c *Cluster) direct(t *network.Transfer, from, to topology.NodeID, label uint64) {
	way := func(load []float64) ([]topology.LinkID, []float64, sim.Time) {
		w := &c.way
		c.Topology.Way(from, to, label, load, w)
		return slices.Clone(w.Links), slices.Clone(w.Shares), w.Latency
	}
	if c.Topology.Routing.Policy.Adapts() {
		t.Route = way
		return
	}
	t.Links, t.Counts, t.Latency = way(nil)
}
