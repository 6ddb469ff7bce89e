package datacenter

import (
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/network/blocking"
	"github.com/railyard/railyard/topology"
)

// useBlocking has the cluster's network be a fluid with head-of-line blocking, if the
// scenario asks for that.
func (b *builder) useBlocking() {
	if !b.scenario.Topology.Blocking.Value {
		return
	}
	if !b.singlePaths(false) {
		return
	}
	b.cluster.Planner.Messages = true
	b.cluster.Network.Ship(func(o network.Observer) network.Carrier {
		return blocking.New(b.engine, b.topology, o)
	})
}

// spray takes off the links between hosts what sprayed packets cannot use of them.
// Packets that are simulated show that by themselves.
func (b *builder) spray() {
	share := b.scenario.Topology.SprayEfficiency.Value
	if share == 1 || b.scenario.Sim.Fidelity.Value == "packet" {
		return
	}
	t := b.topology
	inHost := func(n topology.NodeID) bool { return 0 <= n && int(n) < t.Accelerators() }
	for i := range t.Links {
		if l := &t.Links[i]; !inHost(l.From) && !inHost(l.To) {
			l.Payload *= share
		}
	}
}
