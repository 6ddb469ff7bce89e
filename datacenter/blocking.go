package datacenter

import (
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/network/blocking"
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
