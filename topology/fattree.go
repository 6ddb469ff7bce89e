package topology

import (
	"fmt"
	"strconv"
)

// fatTree is three tiers of k-port switches (Al-Fares, Loukissas, Vahdat,
// SIGCOMM 2008): k pods of k/2 edge and k/2 aggregation switches, k^2/4 cores.
type fatTree struct {
	t          *Topology
	half       int
	firstEdge  NodeID
	firstAgg   NodeID
	firstCore  NodeID // behind the aggregation switches, also where there are none
	cables     LinkID // link 2i leads from NIC i to its edge
	edgeTrunks LinkID // link 2(e*half+a) from edge e to aggregation a of its pod
	coreTrunks LinkID // link 2(g*half+c) from aggregation g to its core c
}

// FatTreeHosts is how many hosts fit a fat tree of k-port switches.
func FatTreeHosts(k int, h Host) int {
	if h.NICs == 0 {
		return 0
	}
	return k * k * k / 4 / h.NICs
}

// FatTree builds three tiers of Ports-port switches with Ports^3/4 NIC ports,
// of which hosts take consecutive ones. Pods that no host reaches are left out.
// The cables between switches have the rate of the fastest NIC.
func FatTree(f Fabric) (*Topology, error) {
	k := f.Ports
	if k < 2 || k%2 != 0 || k > 256 {
		return nil, fmt.Errorf("topology: a fat tree of %d-port switches; even numbers from 2 to 256 can be built", k)
	}
	if err := f.Routing.refuse("fat-tree"); err != nil {
		return nil, err
	}
	hosts, nics := 0, 0
	for _, p := range f.pools() {
		hosts = min(hosts+p.Hosts, MaxAccelerators+1)
		nics = min(nics+min(p.Hosts, MaxAccelerators)*p.Host.NICs, MaxLinks)
	}
	if ports := k * k * k / 4; hosts > 1 && nics > ports {
		return nil, fmt.Errorf("topology: %d hosts of %d NICs in all; a fat tree of %d-port switches takes %d NICs", hosts, nics, k, ports)
	}
	half := k / 2
	t, r, err := newHosts("fat-tree", f, func(h *Host) int { return max(1, half/max(1, h.NICs)) })
	if err != nil || len(t.Servers) == 1 {
		return t, err
	}
	pods := (t.nics + half*half - 1) / (half * half)
	if err := t.reserve(2*t.nics + 4*pods*half*half); err != nil {
		return nil, err
	}
	tree := &fatTree{t: t, half: half}
	r.fabric = tree
	tree.firstEdge = NodeID(t.nodes())
	tree.firstAgg = tree.firstEdge + NodeID(pods*half)
	tree.firstCore = tree.firstAgg + NodeID(pods*half)
	for i := range pods * half {
		t.addSwitch(fmt.Sprintf("pod%d/edge%d", i/half, i%half))
	}
	for i := range pods * half {
		t.addSwitch(fmt.Sprintf("pod%d/agg%d", i/half, i%half))
	}
	tree.cables = LinkID(len(t.Links))
	for i := range t.Servers {
		h := t.Servers[i].Spec
		for j := range h.NICs {
			nic := t.Servers[i].FirstNIC + NodeID(j)
			f.trunk(t, nic, tree.firstEdge+NodeID((int(nic)-t.accelerators)/half), float64(h.NICBandwidth), h.NICEfficiency, true)
		}
	}
	fastest := f.fastest()
	rate, efficiency := float64(fastest.NICBandwidth), fastest.NICEfficiency
	tree.edgeTrunks = LinkID(len(t.Links))
	for e := range pods * half {
		for a := range half {
			f.trunk(t, tree.firstEdge+NodeID(e), tree.firstAgg+NodeID(e/half*half+a), rate, efficiency, false)
		}
	}
	tree.coreTrunks = LinkID(len(t.Links))
	if pods == 1 {
		return t, nil
	}
	for i := range half * half {
		t.addSwitch("core" + strconv.Itoa(i))
	}
	for g := range pods * half {
		for c := range half {
			f.trunk(t, tree.firstAgg+NodeID(g), tree.firstCore+NodeID(g%half*half+c), rate, efficiency, false)
		}
	}
	return t, nil
}

func (f *fatTree) fan(at, to NodeID) int {
	edge := (int(to) - f.t.accelerators) / f.half // of the other end
	switch {
	case at < f.firstEdge || at >= f.firstCore:
		return 1
	case at < f.firstAgg && int(at-f.firstEdge) == edge:
		return 1
	case at >= f.firstAgg && int(at-f.firstAgg)/f.half == edge/f.half:
		return 1
	}
	return f.half
}

func (f *fatTree) step(at, to NodeID, i int) (LinkID, NodeID) {
	h := f.half
	nic := int(to) - f.t.accelerators
	edge := nic / h
	pod := edge / h
	switch {
	case at < f.firstEdge:
		from := int(at) - f.t.accelerators
		return f.cables + LinkID(2*from), f.firstEdge + NodeID(from/h)
	case at < f.firstAgg:
		e := int(at - f.firstEdge)
		if e == edge {
			return f.cables + LinkID(2*nic+1), to
		}
		return f.edgeTrunks + LinkID(2*(e*h+i)), f.firstAgg + NodeID(e/h*h+i)
	case at < f.firstCore:
		g := int(at - f.firstAgg)
		if g/h == pod {
			return f.edgeTrunks + LinkID(2*(edge*h+g%h)+1), f.firstEdge + NodeID(edge)
		}
		return f.coreTrunks + LinkID(2*(g*h+i)), f.firstCore + NodeID(g%h*h+i)
	}
	c := int(at - f.firstCore)
	agg := pod*h + c/h
	return f.coreTrunks + LinkID(2*(agg*h+c%h)+1), f.firstAgg + NodeID(agg)
}

// rank is D-mod-k: NIC number d goes up by d modulo k/2, then by the next digit.
func (f *fatTree) rank(at, to NodeID) int {
	d := int(to) - f.t.accelerators
	if at >= f.firstAgg {
		return d / f.half
	}
	return d
}
