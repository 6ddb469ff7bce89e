package topology

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// Fabric describes equal hosts and the switches between them.
type Fabric struct {
	Host         Host
	Hosts        int
	HostsPerRack int // hosts of one leaf (leaf-spine) or one rail group (rail)

	// Oversubscription is a leaf's down-links over its up-links.
	Oversubscription float64

	// LinkLatency is one cable, SwitchLatency one switch passed.
	LinkLatency, SwitchLatency units.Duration

	// Ports is the k of a fat tree: the ports of each of its switches.
	Ports int
}

// Defaults of the fabrics where a scenario says nothing.
const (
	LeafSpineHostsPerRack = 4
	RailHostsPerRack      = 32
)

// hostRouter finds ways in a fabric of hosts: inside a host by its scale-up
// network, between hosts from NIC to NIC by the fabric's switches.
type hostRouter struct {
	t       *Topology
	scaleUp []router // of each host
	pcie    []LinkID // first link of each host between accelerators and NICs
	cables  LinkID   // link 2i leads from NIC i to its leaf, 2i+1 back
	fabric  fabricRouter
	rail    *railFabric // set where a message may change rails in its host
}

// fabricRouter finds the links between the leaf switches of two NICs, numbered
// from 0, that the two cables do not cover.
type fabricRouter interface {
	between(srcNIC, dstNIC int, src, dst NodeID, label uint64, path []LinkID) []LinkID
}

// SingleHost builds one host; its NICs lead nowhere.
func SingleHost(h Host) (*Topology, error) {
	t, _, err := newHosts("single-host", Fabric{Host: h, Hosts: 1}, 1)
	return t, err
}

// newHosts builds the hosts of a fabric and their insides.
func newHosts(kind string, f Fabric, hostsPerRack int) (*Topology, *hostRouter, error) {
	h := &f.Host
	if h.Accelerators < 1 || h.NICs < 0 || f.Hosts < 1 || f.Hosts > MaxAccelerators/h.Accelerators {
		return nil, nil, fmt.Errorf("topology: %d hosts of %d accelerators; 1 to %d accelerators can be built",
			f.Hosts, h.Accelerators, MaxAccelerators)
	}
	if f.Hosts > 1 && h.NICs == 0 {
		return nil, nil, fmt.Errorf("topology: %d hosts without NICs cannot reach each other", f.Hosts)
	}
	perHost := 4*h.Accelerators + 2*h.NICs
	switch h.ScaleUp {
	case ScaleUpMesh:
		perHost += h.Accelerators * h.Accelerators
	case ScaleUpTorus:
		perHost += 4 * h.Accelerators
	}
	if perHost > MaxLinks/f.Hosts {
		return nil, nil, checkLinks(perHost * f.Hosts)
	}
	t := &Topology{
		Kind:         kind,
		accelerators: f.Hosts * h.Accelerators,
		nics:         f.Hosts * h.NICs,
		Servers:      make([]Server, f.Hosts),
		hostOf:       make([]int32, f.Hosts*h.Accelerators),
		Racks:        make([]Rack, (f.Hosts+hostsPerRack-1)/hostsPerRack),
	}
	t.Links = make([]Link, 0, f.Hosts*perHost)
	for i := range t.Racks {
		t.Racks[i] = Rack{Name: "rack" + strconv.Itoa(i), Site: "site0"}
	}
	r := &hostRouter{t: t, scaleUp: make([]router, f.Hosts), pcie: make([]LinkID, f.Hosts)}
	t.router = r
	for s := range t.Servers {
		first := NodeID(s * h.Accelerators)
		t.Servers[s] = Server{
			Spec: h, Rack: s / hostsPerRack, FirstAccelerator: first,
			FirstNIC: NodeID(t.accelerators + s*h.NICs),
		}
		for i := range h.Accelerators {
			t.hostOf[int(first)+i] = int32(s)
		}
		t.buildHost(r, s)
	}
	return t, r, nil
}

// buildHost adds the links inside host s.
func (t *Topology) buildHost(r *hostRouter, s int) {
	server := &t.Servers[s]
	h := server.Spec
	name := t.ServerName(s)
	rate, latency := float64(h.ScaleUpBandwidth), sim.Time(h.ScaleUpLatency)
	first, n := server.FirstAccelerator, h.Accelerators
	if n > 1 || h.ScaleUp == ScaleUpPCIe {
		switch h.ScaleUp {
		case ScaleUpMesh:
			r.scaleUp[s] = t.buildMesh(first, n, rate/float64(n-1), h.ScaleUpEfficiency, latency)
		case ScaleUpRing:
			r.scaleUp[s] = t.buildRing(first, n, rate/float64(min(n-1, 2)), h.ScaleUpEfficiency, latency)
		case ScaleUpTorus:
			r.scaleUp[s] = t.buildTorus(first, nearCube(n, cmp.Or(h.ScaleUpDimensions, 3)), rate, h.ScaleUpEfficiency, latency)
		case ScaleUpPCIe:
			r.scaleUp[s] = t.buildStar(name+"/pcie", first, n, rate, h.ScaleUpEfficiency, latency)
		default:
			r.scaleUp[s] = t.buildStar(name+"/switch", first, n, rate, h.ScaleUpEfficiency, latency)
		}
	}
	r.pcie[s] = LinkID(len(t.Links))
	pcie := math.Max(float64(h.PCIeBandwidth), float64(h.NICBandwidth))
	if h.NICs == 0 {
		return
	}
	if h.ScaleUp == ScaleUpPCIe { // NICs sit on the same PCIe switch
		hub := NodeID(t.accelerators + t.nics + len(t.switchNames) - 1)
		for i := range h.NICs {
			t.addCable(hub, server.FirstNIC+NodeID(i), pcie, 1, 0, 0)
		}
		return
	}
	for i := range n {
		t.addCable(first+NodeID(i), server.FirstNIC+NodeID(h.nicOf(i)), pcie, 1, 0, 0)
	}
}

// toNIC appends the links from an accelerator to its NIC.
func (r *hostRouter) toNIC(a NodeID, path []LinkID) []LinkID {
	s := r.t.hostOf[a]
	server := &r.t.Servers[s]
	i := int(a - server.FirstAccelerator)
	if star, ok := r.scaleUp[s].(starRouter); ok && server.Spec.ScaleUp == ScaleUpPCIe {
		return append(path, star.links+LinkID(2*i), r.pcie[s]+LinkID(2*server.Spec.nicOf(i)))
	}
	return append(path, r.pcie[s]+LinkID(2*i))
}

// fromNIC appends the links from an accelerator's NIC to it.
func (r *hostRouter) fromNIC(a NodeID, path []LinkID) []LinkID {
	s := r.t.hostOf[a]
	server := &r.t.Servers[s]
	i := int(a - server.FirstAccelerator)
	if star, ok := r.scaleUp[s].(starRouter); ok && server.Spec.ScaleUp == ScaleUpPCIe {
		return append(path, r.pcie[s]+LinkID(2*server.Spec.nicOf(i)+1), star.links+LinkID(2*i+1))
	}
	return append(path, r.pcie[s]+LinkID(2*i+1))
}

func (r *hostRouter) route(src, dst NodeID, label uint64, path []LinkID) []LinkID {
	from, to := r.t.hostOf[src], r.t.hostOf[dst]
	if from == to {
		return r.scaleUp[from].route(src, dst, label, path)
	}
	if r.rail != nil {
		if relay := r.rail.relay(src, dst); relay != src {
			path = r.scaleUp[from].route(src, relay, label, path)
			src = relay
		}
	}
	a := int(r.t.NIC(src)) - r.t.accelerators
	b := int(r.t.NIC(dst)) - r.t.accelerators
	path = r.toNIC(src, path)
	path = append(path, r.cables+LinkID(2*a))
	path = r.fabric.between(a, b, src, dst, label, path)
	path = append(path, r.cables+LinkID(2*b+1))
	return r.fromNIC(dst, path)
}

// trunk joins two switches, or a NIC and a switch, by one cable.
func (f *Fabric) trunk(t *Topology, a, b NodeID, toNIC bool) LinkID {
	link := sim.Time(f.LinkLatency)
	into, back := link+sim.Time(f.SwitchLatency), link+sim.Time(f.SwitchLatency)
	if toNIC {
		back = link
	}
	return t.addCable(a, b, float64(f.Host.NICBandwidth), f.Host.NICEfficiency, into, back)
}

func (f *Fabric) check() error {
	if !(f.Oversubscription > 0) || math.IsInf(f.Oversubscription, 0) {
		return fmt.Errorf("topology: an oversubscription of %v; more than 0 can be built", f.Oversubscription)
	}
	if f.HostsPerRack < 1 || f.HostsPerRack > MaxAccelerators {
		return fmt.Errorf("topology: %d hosts per rack; 1 to %d can be built", f.HostsPerRack, MaxAccelerators)
	}
	return nil
}

// clos is leaves that all have one up-link to each of as many spines as they
// have up-links: the fabric of leaf-spine and of rail.
type clos struct {
	leafOf  []int32 // of each NIC
	trunks  []LinkID
	uplinks []int32 // of each leaf
}

// LeafSpine builds racks of HostsPerRack hosts that join one leaf with all
// their NICs. A leaf has ceil(down-links / Oversubscription) up-links, one to
// each of the first so many spines; there are as many spines as a full leaf has
// up-links.
func LeafSpine(f Fabric) (*Topology, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	t, r, err := newHosts("leaf-spine", f, f.HostsPerRack)
	if err != nil || f.Hosts == 1 {
		return t, err
	}
	leaf := func(nic int) int { return nic / f.Host.NICs / f.HostsPerRack }
	name := func(leaf int) string { return "leaf" + strconv.Itoa(leaf) }
	return f.buildClos(t, r, len(t.Racks), f.HostsPerRack*f.Host.NICs, leaf, name)
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
	if err := f.check(); err != nil {
		return nil, err
	}
	t, r, err := newHosts("rail", f, f.HostsPerRack)
	if err != nil || f.Hosts == 1 {
		return t, err
	}
	rails := f.Host.NICs
	if f.Host.ScaleUp == ScaleUpSwitch || f.Host.ScaleUp == ScaleUpMesh {
		r.rail = &railFabric{t: t}
	}
	leaf := func(nic int) int { return nic/rails/f.HostsPerRack*rails + nic%rails }
	name := func(leaf int) string {
		return "rack" + strconv.Itoa(leaf/rails) + "/leaf" + strconv.Itoa(leaf%rails)
	}
	return f.buildClos(t, r, len(t.Racks)*rails, f.HostsPerRack, leaf, name)
}

func (f *Fabric) buildClos(t *Topology, r *hostRouter, leaves, full int, leafOf func(nic int) int, name func(leaf int) string) (*Topology, error) {
	c := &clos{leafOf: make([]int32, t.nics), trunks: make([]LinkID, leaves), uplinks: make([]int32, leaves)}
	r.fabric = c
	down := make([]int, leaves)
	nodes := make([]NodeID, leaves)
	for i := range nodes {
		nodes[i] = t.addSwitch(name(i))
	}
	r.cables = LinkID(len(t.Links))
	for nic := range t.nics {
		l := leafOf(nic)
		c.leafOf[nic] = int32(l)
		down[l]++
		f.trunk(t, NodeID(t.accelerators+nic), nodes[l], true)
	}
	if leaves == 1 {
		return t, nil
	}
	// 21/1.4 is 15 and a rounding error: it must not be rounded up to 16.
	up := func(down int) int {
		return int(min(math.Ceil(float64(down)/f.Oversubscription*(1-1e-12)), MaxLinks))
	}
	total := up(full)
	for _, d := range down {
		total += up(d)
	}
	if err := checkLinks(len(t.Links) + 2*total); err != nil {
		return nil, err
	}
	spines := make([]NodeID, up(full))
	for s := range spines {
		spines[s] = t.addSwitch("spine" + strconv.Itoa(s))
	}
	for l, node := range nodes {
		c.uplinks[l] = int32(up(down[l]))
		c.trunks[l] = LinkID(len(t.Links))
		for s := range c.uplinks[l] {
			f.trunk(t, node, spines[s], false)
		}
	}
	return t, nil
}

func (c *clos) between(a, b int, src, dst NodeID, label uint64, path []LinkID) []LinkID {
	from, to := c.leafOf[a], c.leafOf[b]
	if from == to {
		return path
	}
	s := LinkID(ECMP(src, dst, label, 0, int(min(c.uplinks[from], c.uplinks[to]))))
	return append(path, c.trunks[from]+2*s, c.trunks[to]+2*s+1)
}

// railFabric knows when a message changes rails inside its host.
type railFabric struct{ t *Topology }

// relay is the accelerator of src's host from which the message leaves it.
func (f *railFabric) relay(src, dst NodeID) NodeID {
	from, to := &f.t.Servers[f.t.hostOf[src]], &f.t.Servers[f.t.hostOf[dst]]
	if from.Rack != to.Rack {
		return src
	}
	want := to.Spec.nicOf(int(dst - to.FirstAccelerator))
	if from.Spec.nicOf(int(src-from.FirstAccelerator)) == want {
		return src
	}
	return from.FirstAccelerator + (dst - to.FirstAccelerator)
}

// fatTree is three tiers of k-port switches (Al-Fares, Loukissas, Vahdat,
// SIGCOMM 2008): k pods of k/2 edge and k/2 aggregation switches, k^2/4 cores.
type fatTree struct {
	half       int
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
func FatTree(f Fabric) (*Topology, error) {
	k := f.Ports
	if k < 2 || k%2 != 0 || k > 256 {
		return nil, fmt.Errorf("topology: a fat tree of %d-port switches; even numbers from 2 to 256 can be built", k)
	}
	if fit := FatTreeHosts(k, f.Host); f.Hosts > max(fit, 1) {
		return nil, fmt.Errorf("topology: %d hosts of %d NICs; a fat tree of %d-port switches takes %d", f.Hosts, f.Host.NICs, k, fit)
	}
	half := k / 2
	t, r, err := newHosts("fat-tree", f, max(1, half/max(1, f.Host.NICs)))
	if err != nil || f.Hosts == 1 {
		return t, err
	}
	pods := (t.nics + half*half - 1) / (half * half)
	if err := checkLinks(len(t.Links) + 2*t.nics + 4*pods*half*half); err != nil {
		return nil, err
	}
	edges := make([]NodeID, pods*half)
	aggregations := make([]NodeID, pods*half)
	for i := range edges {
		edges[i] = t.addSwitch(fmt.Sprintf("pod%d/edge%d", i/half, i%half))
	}
	for i := range aggregations {
		aggregations[i] = t.addSwitch(fmt.Sprintf("pod%d/agg%d", i/half, i%half))
	}
	cores := make([]NodeID, 0, half*half)
	if pods > 1 {
		for i := range half * half {
			cores = append(cores, t.addSwitch("core"+strconv.Itoa(i)))
		}
	}
	r.cables = LinkID(len(t.Links))
	for nic := range t.nics {
		f.trunk(t, NodeID(t.accelerators+nic), edges[nic/half], true)
	}
	tree := &fatTree{half: half, edgeTrunks: LinkID(len(t.Links))}
	r.fabric = tree
	for e, node := range edges {
		for a := range half {
			f.trunk(t, node, aggregations[e/half*half+a], false)
		}
	}
	tree.coreTrunks = LinkID(len(t.Links))
	if pods > 1 {
		for g, node := range aggregations {
			for c := range half {
				f.trunk(t, node, cores[g%half*half+c], false)
			}
		}
	}
	return t, nil
}

func (f *fatTree) between(a, b int, src, dst NodeID, label uint64, path []LinkID) []LinkID {
	h := f.half
	from, to := a/h, b/h // edge switches
	if from == to {
		return path
	}
	agg := ECMP(src, dst, label, 0, h)
	path = append(path, f.edgeTrunks+LinkID(2*(from*h+agg)))
	if from/h != to/h {
		core := ECMP(src, dst, label, 1, h)
		path = append(path,
			f.coreTrunks+LinkID(2*((from/h*h+agg)*h+core)),
			f.coreTrunks+LinkID(2*((to/h*h+agg)*h+core)+1))
	}
	return append(path, f.edgeTrunks+LinkID(2*(to*h+agg)+1))
}
