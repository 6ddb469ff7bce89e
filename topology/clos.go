package topology

import (
	"fmt"
	"math"
	"strconv"
)

// clos is leaves that all have one up-link to each of as many spines as they
// have up-links: the fabric of leaf-spine and of rail. Where NICs have several
// ports there is a leaf for each in place of one leaf: ports x i + p is that of
// port p. Ports p to p + tors - 1 lie in one plane, with spines of its own.
type clos struct {
	t           *Topology
	ports, tors int
	cables      LinkID  // link 2(ports i + p) leads from port p of NIC i to its leaf
	leafOf      []int32 // of port 0 of each NIC
	firstLeaf   NodeID
	firstSpine  NodeID
	spines      int      // of a plane
	trunks      []LinkID // of each leaf; link trunks[l] + 2s leads to spine s of its plane
	uplinks     []int32  // of each leaf
}

// LeafSpine builds racks of HostsPerRack hosts that join one leaf with all
// their NICs. A leaf has ceil(down-links / Oversubscription) up-links, one to
// each of the first so many spines; there are as many spines as a full leaf has
// up-links, or all leaves together where none is nearly full. An up-link has the
// rate of the NICs below.
func LeafSpine(f Fabric) (*Topology, error) {
	return f.buildClos("leaf-spine", func(*Host) int { return 1 }, func(_, leaf, _ int) string {
		return "leaf" + strconv.Itoa(leaf)
	})
}

// Rail builds groups of HostsPerRack hosts with one leaf for each NIC number:
// NIC j of every host of a group joins leaf j of the group. Up-links and spines
// are as in LeafSpine; all leaves share the spines.
//
// Between different NIC numbers of one group a message first moves inside the
// sending host to the accelerator that shares the receiver's rail, and so stays
// under one leaf (what NCCL calls PXN); between groups it crosses a spine, and
// changes rails there. A host without a switched or meshed scale-up network
// always crosses a spine.
func Rail(f Fabric) (*Topology, error) {
	return f.buildClos("rail", func(h *Host) int { return h.NICs }, func(rack, _, rail int) string {
		return "rack" + strconv.Itoa(rack) + "/leaf" + strconv.Itoa(rail)
	})
}

// buildClos builds a fabric in which NIC j of a host joins leaf j of its rack,
// modulo the leaves that a rack of such hosts has.
func (f *Fabric) buildClos(kind string, leaves func(*Host) int, name func(rack, leaf, inRack int) string) (*Topology, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if err := f.Routing.refuse(kind); err != nil {
		return nil, err
	}
	t, r, err := newHosts(kind, *f, func(*Host) int { return f.HostsPerRack })
	if err != nil || len(t.Servers) == 1 {
		return t, err
	}
	r.relays = kind == "rail"
	tors, planes := max(1, f.ToRs), max(1, f.Planes)
	ports := tors * planes
	c := &clos{t: t, ports: ports, tors: tors, leafOf: make([]int32, t.nics)}
	r.fabric = c
	if err := t.reserve(2 * ports * t.nics); err != nil {
		return nil, err
	}
	var down []int    // down-links of each leaf
	var below []*Host // that each leaf serves
	rack := -1
	for i := range t.Servers {
		s := &t.Servers[i]
		n := leaves(s.Spec)
		if s.Rack != rack {
			rack = s.Rack
			for j := range n * ports {
				label := name(rack, len(down)/ports, j/ports)
				if ports > 1 {
					label += "." + strconv.Itoa(j%ports)
				}
				if leaf := t.addSwitch(label); len(down) == 0 {
					c.firstLeaf = leaf
				}
				down, below = append(down, 0), append(below, s.Spec)
			}
		}
		for j := range s.Spec.NICs {
			leaf := len(down) - n*ports + j%n*ports
			c.leafOf[int(s.FirstNIC)-t.accelerators+j] = int32(leaf)
			for p := range ports {
				down[leaf+p]++
			}
		}
	}
	c.cables = LinkID(len(t.Links))
	for nic := range t.nics {
		for p := range ports {
			leaf := int(c.leafOf[nic]) + p
			h := below[leaf]
			f.trunk(t, NodeID(t.accelerators+nic), c.firstLeaf+NodeID(leaf), float64(h.NICBandwidth)/float64(ports), h.NICEfficiency, true)
		}
	}
	c.trunks, c.uplinks = make([]LinkID, len(down)), make([]int32, len(down))
	if len(down) == planes {
		return t, nil // all under one leaf
	}
	// 21/1.4 is 15 and a rounding error: it must not be rounded up to 16.
	up := func(down int) int {
		return int(min(math.Ceil(float64(down)/f.Oversubscription*(1-1e-12)), MaxLinks))
	}
	total := 0
	for l, d := range down {
		c.uplinks[l] = int32(up(d))
		total += up(d)
	}
	for _, p := range f.pools() {
		c.spines = max(c.spines, up(f.HostsPerRack*p.Host.NICs/leaves(&p.Host)))
	}
	c.spines = min(c.spines, total/planes) // the others would be without a cable
	if err := t.reserve(2 * total); err != nil {
		return nil, err
	}
	for s := range c.spines * planes {
		label := "spine" + strconv.Itoa(s%c.spines)
		if planes > 1 {
			label = fmt.Sprintf("plane%d/%s", s/c.spines, label)
		}
		if spine := t.addSwitch(label); s == 0 {
			c.firstSpine = spine
		}
	}
	for l := range down {
		c.trunks[l] = LinkID(len(t.Links))
		plane := l % ports / tors
		for s := range c.uplinks[l] {
			f.trunk(t, c.firstLeaf+NodeID(l), c.firstSpine+NodeID(plane*c.spines+int(s)),
				float64(below[l].NICBandwidth)/float64(ports), below[l].NICEfficiency, false)
		}
	}
	return t, nil
}

// port is the NIC port that a leaf serves. Divisions are what a step costs, so they
// are spared where there is one port, as mostly.
func (c *clos) port(leaf int) int {
	if c.ports == 1 {
		return 0
	}
	return leaf % c.ports
}

// plane is that of a spine, and its number there.
func (c *clos) plane(at NodeID) (plane, s int) {
	s = int(at - c.firstSpine)
	if c.ports == c.tors {
		return 0, s
	}
	return s / c.spines, s % c.spines
}

func (c *clos) fan(at, to NodeID) int {
	if at < c.firstLeaf { // a NIC
		return c.ports
	}
	if c.firstSpine != 0 && at >= c.firstSpine {
		return c.tors
	}
	leaf := int(at - c.firstLeaf)
	port := c.port(leaf)
	goal := int(c.leafOf[int(to)-c.t.accelerators])
	if leaf-port == goal {
		return 1
	}
	return int(min(c.uplinks[leaf], c.uplinks[goal+port]))
}

func (c *clos) step(at, to NodeID, i int) (LinkID, NodeID) {
	if at < c.firstLeaf {
		nic := int(at) - c.t.accelerators
		return c.cables + LinkID(2*(nic*c.ports+i)), c.firstLeaf + NodeID(int(c.leafOf[nic])+i)
	}
	nic := int(to) - c.t.accelerators
	goal := int(c.leafOf[nic])
	if c.firstSpine != 0 && at >= c.firstSpine {
		plane, s := c.plane(at)
		leaf := goal + plane*c.tors + i
		return c.trunks[leaf] + LinkID(2*s+1), c.firstLeaf + NodeID(leaf)
	}
	leaf := int(at - c.firstLeaf)
	port := c.port(leaf)
	if leaf-port == goal {
		return c.cables + LinkID(2*(nic*c.ports+port)+1), to
	}
	spine := c.firstSpine + NodeID(i)
	if port >= c.tors { // not of the first plane
		spine += NodeID(port / c.tors * c.spines)
	}
	return c.trunks[leaf] + LinkID(2*i), spine
}

func (c *clos) rank(_, to NodeID) int { return int(to) - c.t.accelerators }
