package collective_test

import (
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

const us = units.Duration(100_000) // in units of 10 ps

// node is a host in round figures: scale-up at 300 GB/s, NICs at 25 GB/s, no
// efficiency lost, no software.
func node(accelerators, nics int) topology.Host {
	return topology.Host{
		Name: "node", Accelerators: accelerators, ScaleUp: topology.ScaleUpSwitch,
		ScaleUpBandwidth: 300e9, ScaleUpEfficiency: 1, ScaleUpLatency: us / 10,
		NICs: nics, NICBandwidth: 25e9, NICEfficiency: 1, PCIeBandwidth: 50e9,
		LinkLatency: 3 * us / 10, SwitchLatency: us / 10,
	}
}

func rail(hosts, accelerators, nics int) *topology.Topology {
	return must(topology.Rail(topology.Fabric{
		Host: node(accelerators, nics), Hosts: hosts, HostsPerRack: topology.RailHostsPerRack,
		Oversubscription: 1, LinkLatency: 3 * us / 10, SwitchLatency: us / 10,
	}))
}
