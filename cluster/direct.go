package cluster

import (
	"slices"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// direct gives a message the way that the topology's routing takes for a connection:
// at once, or where that depends on the load of links, when the message starts.
func (c *Cluster) direct(t *network.Transfer, of network.Connection) {
	t.Connection = of
	way := func(load []float64) ([]topology.LinkID, []float64, sim.Time) {
		c.Topology.Way(of.From, of.To, of.Label, load, &c.way)
		return slices.Clone(c.way.Links), slices.Clone(c.way.Shares), c.way.Latency
	}
	switch {
	case c.Network.Ships(): // packets of a connection take one path, or find their own
		t.Links = c.Topology.Route(of.From, of.To, of.Label, nil)
		for _, l := range t.Links {
			t.Latency += c.Topology.Links[l].Latency
		}
	case c.Topology.Routing.Policy.Adapts():
		t.Route = way
	default:
		t.Links, t.Counts, t.Latency = way(nil)
	}
}
