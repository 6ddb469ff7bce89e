package cluster

import (
	"slices"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/topology"
)

// Between is a transfer from one NIC or accelerator to one of another host that crosses
// services, too, such as drives.
func (c *Cluster) Between(from, to topology.NodeID, label uint64, services ...topology.LinkID) network.Transfer {
	c.Topology.Way(from, to, label, nil, &c.way)
	t := network.Transfer{Links: slices.Concat(c.way.Links, services), Latency: c.way.Latency, Owner: network.NoOwner}
	if c.way.Shares != nil {
		t.Counts = slices.Clone(c.way.Shares)
		for range services {
			t.Counts = append(t.Counts, 1)
		}
	}
	return t
}
