package topology

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// Fabric describes hosts and the switches between them.
type Fabric struct {
	Host  Host
	Hosts int
	// Pools, if there are any, stand in place of Host and Hosts: racks of
	// different hosts, those of one pool after those of another.
	Pools []HostPool

	HostsPerRack int // hosts of one leaf (leaf-spine) or one rail group (rail)

	// Oversubscription is a leaf's down-links over its up-links.
	Oversubscription float64

	// Planes is how many networks there are that do not meet, ToRs how many leaves
	// of one network a NIC joins where it else joins one; 0 is 1. A NIC has a port
	// for each, with an equal part of its rate. Leaf-spine and rail only.
	Planes, ToRs int

	// LinkLatency is one cable, SwitchLatency one switch passed.
	LinkLatency, SwitchLatency units.Duration

	// Ports is the k of a fat tree: the ports of each of its switches.
	Ports int

	// Groups, Routers of a group and GlobalLinks of a router are those of a
	// dragonfly; 0 is what Dragonfly takes. HostsPerRack is those of a router.
	Groups, Routers, GlobalLinks int

	Routing Routing
}

// HostPool is hosts that are alike. It begins a rack of its own.
type HostPool struct {
	Host  Host
	Hosts int
}

// Defaults of the fabrics where a scenario says nothing.
const (
	LeafSpineHostsPerRack = 4
	RailHostsPerRack      = 32
)

// MaxNICPorts bounds the ports of a NIC.
const MaxNICPorts = 16

// pools are the hosts of the fabric.
func (f *Fabric) pools() []HostPool {
	if f.Pools == nil {
		return []HostPool{{f.Host, f.Hosts}}
	}
	return f.Pools
}

// fastest is the host with the fastest NICs.
func (f *Fabric) fastest() Host {
	return slices.MaxFunc(f.pools(), func(a, b HostPool) int { return cmp.Compare(a.Host.NICBandwidth, b.Host.NICBandwidth) }).Host
}

// trunk joins two switches, or a NIC and a switch, by one cable of a rate.
func (f *Fabric) trunk(t *Topology, a, b NodeID, rate, efficiency float64, toNIC bool) {
	link := sim.Time(f.LinkLatency)
	into, back := link+sim.Time(f.SwitchLatency), link+sim.Time(f.SwitchLatency)
	if toNIC {
		back = link
	}
	t.addCable(a, b, rate, efficiency, into, back)
}

func (f *Fabric) check() error {
	if !(f.Oversubscription > 0) || math.IsInf(f.Oversubscription, 0) {
		return fmt.Errorf("topology: an oversubscription of %v; more than 0 can be built", f.Oversubscription)
	}
	if f.HostsPerRack < 1 || f.HostsPerRack > MaxAccelerators {
		return fmt.Errorf("topology: %d hosts per rack; 1 to %d can be built", f.HostsPerRack, MaxAccelerators)
	}
	if f.Planes < 0 || f.ToRs < 0 || max(1, f.Planes) > MaxNICPorts/max(1, f.ToRs) {
		return fmt.Errorf("topology: %d planes of %d leaves for each NIC; a NIC can have up to %d ports", f.Planes, f.ToRs, MaxNICPorts)
	}
	return nil
}

// refuse says that a kind of fabric knows no way but the shortest.
func (r Routing) refuse(kind string) error {
	if r.Policy == Valiant || r.Policy == UGAL {
		return fmt.Errorf("topology: %s routing in a %s; it takes a dragonfly", r.Policy, kind)
	}
	return r.check()
}
