package topology

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// Hosts to build from. The one with 8 accelerators and 8 NICs has the rates of
// a DGX H100 (NVIDIA, "DGX H100/H200 User Guide"): 900 GB/s of NVLink both ways
// per accelerator, eight 400 Gbit/s NICs.
const (
	cable  = 500 * sim.Nanosecond
	pass   = 300 * sim.Nanosecond
	inside = 701 * sim.Tick // odd
)

func host(accelerators, nics int, scaleUp ScaleUp) Host {
	return Host{
		Name: "test", Accelerators: accelerators, NICs: nics,
		ScaleUp: scaleUp, ScaleUpBandwidth: 450e9, ScaleUpEfficiency: 0.8, ScaleUpLatency: units.Duration(inside),
		NICBandwidth: 50e9, NICEfficiency: 0.9, PCIeBandwidth: 64e9,
	}
}

func dgx() Host { return host(8, 8, ScaleUpSwitch) }

func fabric(h Host, hosts, hostsPerRack int, oversubscription float64, k int) Fabric {
	return Fabric{
		Host: h, Hosts: hosts, HostsPerRack: hostsPerRack, Oversubscription: oversubscription, Ports: k,
		LinkLatency: units.Duration(cable), SwitchLatency: units.Duration(pass),
	}
}

func built(t testing.TB, topo *Topology, err error) *Topology {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

// checkGraph holds what is true of every topology with nodes.
func checkGraph(t testing.TB, topo *Topology) {
	t.Helper()
	nodes := NodeID(topo.nodes())
	cables := map[[2]NodeID]int{}
	names := map[string]bool{}
	for n := range nodes {
		name := topo.NodeName(n)
		if name == "" || names[name] {
			t.Fatalf("node %d is called %q, as another is", n, name)
		}
		names[name] = true
	}
	links := map[string]bool{}
	for i, l := range topo.Links {
		if name := topo.LinkName(LinkID(i)); links[name] {
			t.Fatalf("two links are called %s", name)
		} else {
			links[name] = true
		}
		if l.From < 0 || l.From >= nodes || l.To < 0 || l.To >= nodes || l.From == l.To {
			t.Fatalf("link %d leads from %d to %d of %d nodes", i, l.From, l.To, nodes)
		}
		if !(l.Payload > 0) || l.Payload > l.Capacity || l.Latency < 0 {
			t.Fatalf("link %s carries %v of %v B/s, latency %v", topo.LinkName(LinkID(i)), l.Payload, l.Capacity, l.Latency)
		}
		cables[[2]NodeID{l.From, l.To}]++
	}
	for ends, n := range cables {
		if back := cables[[2]NodeID{ends[1], ends[0]}]; back != n {
			t.Fatalf("%d links from %s to %s, %d back", n, topo.NodeName(ends[0]), topo.NodeName(ends[1]), back)
		}
	}
}

// degree counts the links from a node to nodes whose name begins with prefix.
func degree(topo *Topology, from NodeID, prefix string) int {
	n := 0
	for _, l := range topo.Links {
		if l.From == from && strings.HasPrefix(topo.NodeName(l.To), prefix) {
			n++
		}
	}
	return n
}

// node finds a node by its name.
func node(t testing.TB, topo *Topology, name string) NodeID {
	t.Helper()
	for n := range NodeID(topo.Accelerators() + topo.NICs() + topo.Switches()) {
		if topo.NodeName(n) == name {
			return n
		}
	}
	t.Fatalf("no node %s", name)
	return None
}

// routeNames is a route by the names of its links.
func routeNames(topo *Topology, src, dst NodeID, label uint64) string {
	var names []string
	for _, l := range topo.Route(src, dst, label, nil) {
		names = append(names, topo.LinkName(l))
	}
	return strings.Join(names, " ")
}

// TestBare holds the kinds without hosts to the contract: how many links and
// switches n accelerators make, and over how many links they reach each other.
func TestBare(t *testing.T) {
	build := map[string]func(int, units.Rate, units.Duration) (*Topology, error){"ring": Ring, "switch": Switch, "full-mesh": FullMesh}
	for _, c := range []struct {
		kind            string
		n               int
		links, switches int
		farthest        int // links of the longest route
	}{
		{"ring", 1, 0, 0, 0},
		{"ring", 2, 2, 0, 1}, // one link each way in all
		{"ring", 3, 6, 0, 1},
		{"ring", 4, 8, 0, 2},
		{"ring", 9, 18, 0, 4},
		{"switch", 1, 2, 1, 0},
		{"switch", 2, 4, 1, 2},
		{"switch", 16, 32, 1, 2},
		{"full-mesh", 1, 0, 0, 0},
		{"full-mesh", 2, 2, 0, 1},
		{"full-mesh", 8, 56, 0, 1},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.kind, c.n), func(t *testing.T) {
			const bandwidth, latency = 25e9, 7 // an odd number of ticks
			topo, err := build[c.kind](c.n, bandwidth, latency)
			built(t, topo, err)
			checkGraph(t, topo)
			if topo.Kind != c.kind || topo.Accelerators() != c.n || len(topo.Links) != c.links || topo.Switches() != c.switches {
				t.Errorf("%s of %d accelerators, %d links, %d switches; want %s, %d, %d, %d",
					topo.Kind, topo.Accelerators(), len(topo.Links), topo.Switches(), c.kind, c.n, c.links, c.switches)
			}
			if !topo.Bare() || topo.NICs() != 0 || topo.NIC(0) != None || topo.Server(0) != -1 {
				t.Error("a bare topology has hosts or NICs")
			}
			for _, l := range topo.Links {
				if l.Capacity != bandwidth || l.Payload != bandwidth {
					t.Errorf("a link of %v B/s with a payload of %v, want %v", l.Capacity, l.Payload, float64(bandwidth))
				}
			}
			farthest := 0
			for src := range NodeID(c.n) {
				for dst := range NodeID(c.n) {
					route := topo.Route(src, dst, 0, nil)
					checkRoute(t, topo, src, dst, route)
					farthest = max(farthest, len(route))
					// A message through the switch meets the latency once, also
					// when it does not halve evenly.
					want := sim.Time(latency * len(route))
					if c.kind == "switch" {
						want = latency
					}
					if got := latencyOf(topo, route); src != dst && got != want {
						t.Errorf("latency from %d to %d is %d ticks, want %d", src, dst, got, want)
					}
				}
			}
			if farthest != c.farthest {
				t.Errorf("the longest route has %d links, want %d", farthest, c.farthest)
			}
		})
	}
}

func TestRingGoesTheShorterWay(t *testing.T) {
	for _, c := range []struct {
		n        int
		src, dst NodeID
		want     string
	}{
		{2, 0, 1, "acc0>acc1"},
		{2, 1, 0, "acc1>acc0"},
		{4, 0, 3, "acc0>acc3"},
		{4, 3, 0, "acc3>acc0"},
		{4, 0, 2, "acc0>acc1 acc1>acc2"}, // as far both ways: upwards
		{4, 2, 0, "acc2>acc3 acc3>acc0"},
		{5, 1, 4, "acc1>acc0 acc0>acc4"},
		{5, 4, 1, "acc4>acc0 acc0>acc1"},
	} {
		topo, err := Ring(c.n, 1e9, 1)
		if got := routeNames(built(t, topo, err), c.src, c.dst, 0); got != c.want {
			t.Errorf("ring of %d, %d to %d: %s, want %s", c.n, c.src, c.dst, got, c.want)
		}
	}
}

func TestLinks(t *testing.T) {
	topo, err := Links([]BareLink{{"a", 10, 3}, {"b", 20, 0}})
	built(t, topo, err)
	if len(topo.Links) != 2 || topo.LinkName(1) != "b" || topo.Links[0] != (Link{None, None, 3, 10, 10}) {
		t.Errorf("built %+v", topo.Links)
	}
	if topo.NodeName(topo.Links[0].From) != "" {
		t.Error("a bare link leads from somewhere")
	}
}

func TestSingleHost(t *testing.T) {
	for _, c := range []struct {
		name               string
		accelerators, nics int
		kind               ScaleUp
		links, switches    int
		capacity           float64 // of a scale-up link
	}{
		{"nvswitch", 8, 8, ScaleUpSwitch, 2*8 + 2*8, 1, 450e9},
		{"mesh", 4, 4, ScaleUpMesh, 4*3 + 2*4, 0, 150e9}, // 450 GB/s to three peers
		{"ring", 4, 2, ScaleUpRing, 2*4 + 2*4, 0, 225e9}, // to two neighbours
		{"ring of two", 2, 1, ScaleUpRing, 2 + 2*2, 0, 450e9},
		{"pcie", 4, 2, ScaleUpPCIe, 2*4 + 2*2, 1, 450e9},                  // NICs at the switch
		{"torus of 3 x 3 x 3", 27, 0, ScaleUpTorus, 2 * 3 * 27, 0, 75e9},  // 450 GB/s to six neighbours
		{"torus of 2 x 2 x 2", 8, 8, ScaleUpTorus, 2*3*4 + 2*8, 0, 150e9}, // two ports to each of three
		{"torus of a prime", 5, 1, ScaleUpTorus, 2*5 + 2*5, 0, 75e9},      // four ports are idle
		{"no nics", 8, 0, ScaleUpSwitch, 2 * 8, 1, 450e9},
		{"one accelerator", 1, 1, ScaleUpSwitch, 2, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			topo, err := SingleHost(host(c.accelerators, c.nics, c.kind))
			built(t, topo, err)
			checkGraph(t, topo)
			if len(topo.Links) != c.links || topo.Switches() != c.switches || topo.NICs() != c.nics || len(topo.Racks) != 1 {
				t.Errorf("%d links, %d switches, %d NICs, %d racks; want %d, %d, %d, 1",
					len(topo.Links), topo.Switches(), topo.NICs(), len(topo.Racks), c.links, c.switches, c.nics)
			}
			for i := range topo.Accelerators() {
				want := None
				if c.nics > 0 {
					want = NodeID(c.accelerators + i*c.nics/c.accelerators)
				}
				if got := topo.NIC(NodeID(i)); got != want {
					t.Errorf("accelerator %d uses NIC %d, want %d", i, got, want)
				}
			}
			if c.accelerators == 1 {
				return
			}
			for dst := NodeID(1); int(dst) < c.accelerators; dst++ {
				route := topo.Route(0, dst, 0, nil)
				checkRoute(t, topo, 0, dst, route)
				hops := sim.Time(1)
				if c.kind == ScaleUpRing || c.kind == ScaleUpTorus {
					hops = sim.Time(len(route))
				}
				if got := latencyOf(topo, route); got != hops*inside {
					t.Errorf("latency to %d is %d, want %d x %d", dst, got, hops, inside)
				}
				for _, l := range route {
					if k := topo.Links[l]; k.Capacity != c.capacity || math.Abs(k.Payload-0.8*k.Capacity) > 1 {
						t.Errorf("link %s has %v and %v B/s, want %v and four fifths of it", topo.LinkName(l), k.Capacity, k.Payload, c.capacity)
					}
				}
			}
		})
	}
}

// TestOneHost: hosts = 1 is allowed in every kind and builds no switch outside
// the host.
func TestOneHost(t *testing.T) {
	single, err := SingleHost(dgx())
	built(t, single, err)
	for name, build := range kinds {
		for _, h := range []Host{dgx(), host(8, 0, ScaleUpSwitch), host(16, 16, ScaleUpSwitch)} {
			t.Run(fmt.Sprintf("%s/%d NICs", name, h.NICs), func(t *testing.T) {
				topo, err := build(fabric(h, 1, 4, 1, 4))
				built(t, topo, err)
				if topo.Switches() != 1 {
					t.Errorf("%d switches, want the host's own", topo.Switches())
				}
				if h.NICs == 8 && !slices.Equal(topo.Links, single.Links) {
					t.Error("its links are not those of a single host")
				}
			})
		}
	}
}

var kinds = map[string]func(Fabric) (*Topology, error){"leaf-spine": LeafSpine, "rail": Rail, "fat-tree": FatTree}

// TestNICSharing: accelerator i of a host with a accelerators and n NICs uses
// NIC floor(i n / a).
func TestNICSharing(t *testing.T) {
	for _, c := range []struct {
		accelerators, nics int
		want               []int
	}{
		{8, 8, []int{0, 1, 2, 3, 4, 5, 6, 7}},
		{8, 4, []int{0, 0, 1, 1, 2, 2, 3, 3}},
		{8, 3, []int{0, 0, 0, 1, 1, 1, 2, 2}},
		{8, 1, []int{0, 0, 0, 0, 0, 0, 0, 0}},
		{4, 8, []int{0, 2, 4, 6}},
		{3, 2, []int{0, 0, 1}},
	} {
		for _, scaleUp := range []ScaleUp{ScaleUpSwitch, ScaleUpMesh, ScaleUpPCIe} {
			topo, err := LeafSpine(fabric(host(c.accelerators, c.nics, scaleUp), 2, 1, 1, 0))
			built(t, topo, err)
			for i, want := range c.want {
				src, dst := NodeID(i), NodeID(c.accelerators)
				nic := topo.NodeName(topo.NIC(src))
				if nic != fmt.Sprintf("host0/nic%d", want) {
					t.Errorf("%d accelerators, %d NICs: %d uses %s, want %d", c.accelerators, c.nics, i, nic, want)
				}
				if r := routeNames(topo, src, dst, 0); !strings.Contains(r, nic+">leaf0") {
					t.Errorf("%d goes by %s, want by %s", i, r, nic)
				}
				// A slow PCIe link does not hold the NIC back.
				if l := topo.Route(src, dst, 0, nil)[0]; scaleUp != ScaleUpPCIe && topo.Links[l].Payload < 50e9 {
					t.Errorf("the way to the NIC has %v B/s", topo.Links[l].Payload)
				}
			}
		}
	}
}

// TestLeafSpine counts leaves, spines and up-links. A leaf has as many up-links
// as ceil(down-links / oversubscription); up-link s leads to spine s; there are
// as many spines as a full leaf has up-links, and no more than all leaves have.
func TestLeafSpine(t *testing.T) {
	for _, c := range []struct {
		name                string
		nics, hosts, rack   int
		oversubscription    float64
		leaves, spines, ups int
		lastUps             int // of the last leaf, partial or not
	}{
		{"one leaf has no spine", 8, 4, 4, 1, 1, 0, 0, 0},
		{"non-blocking", 8, 8, 4, 1, 2, 32, 32, 32},
		{"two to one", 8, 8, 4, 2, 2, 16, 16, 16},
		{"three to one is rounded up", 8, 8, 4, 3, 2, 11, 11, 11},
		{"partial last leaf", 8, 9, 4, 1, 3, 32, 32, 8},
		{"partial last leaf, 3 to 1", 8, 9, 4, 3, 3, 11, 11, 3},
		{"at least one up-link", 1, 5, 4, 1000, 2, 1, 1, 1},
		{"undersubscribed", 4, 4, 2, 0.5, 2, 16, 16, 16},
		{"1.4 divides 21 exactly", 1, 42, 21, 1.4, 2, 15, 15, 15},
		{"0.35 divides 42 exactly", 2, 42, 21, 0.35, 2, 120, 120, 120},
		{"2.8 divides 42 exactly", 2, 42, 21, 2.8, 2, 15, 15, 15},
		{"1.1 does not divide 32", 8, 8, 4, 1.1, 2, 30, 30, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fabric(host(8, c.nics, ScaleUpSwitch), c.hosts, c.rack, c.oversubscription, 0)
			topo, err := LeafSpine(f)
			built(t, topo, err)
			checkGraph(t, topo)
			if got := topo.Switches() - c.hosts; got != c.leaves+c.spines || len(topo.Racks) != c.leaves {
				t.Fatalf("%d switches and %d racks, want %d leaves and %d spines", got, len(topo.Racks), c.leaves, c.spines)
			}
			for l := range c.leaves {
				leaf := node(t, topo, fmt.Sprintf("leaf%d", l))
				ups, hosts := c.ups, c.rack
				if l == c.leaves-1 {
					ups, hosts = c.lastUps, c.hosts-(c.leaves-1)*c.rack
				}
				if down := degree(topo, leaf, "host"); down != hosts*c.nics {
					t.Errorf("leaf %d has %d down-links, want %d", l, down, hosts*c.nics)
				}
				if up := degree(topo, leaf, "spine"); up != ups {
					t.Errorf("leaf %d has %d up-links, want %d", l, up, ups)
				}
				for s := range ups {
					if n := degree(topo, leaf, fmt.Sprintf("spine%d", s)) - 0; n < 1 {
						t.Errorf("leaf %d does not reach spine %d", l, s)
					}
				}
			}
			for i, k := range topo.Links {
				name := topo.LinkName(LinkID(i))
				if strings.Contains(name, "leaf") && (k.Capacity != 50e9 || k.Payload != 45e9) {
					t.Errorf("%s has %v and %v B/s, want the NIC's", name, k.Capacity, k.Payload)
				}
			}
		})
	}
}

// TestRail: NIC j of each host of a group joins leaf j of the group.
func TestRail(t *testing.T) {
	for _, c := range []struct {
		name                      string
		nics, hosts, group        int
		oversubscription          float64
		groups, spines, ups, last int
	}{
		{"one group", 8, 4, 4, 1, 1, 4, 4, 4},
		{"one rail is one leaf", 1, 4, 4, 1, 1, 0, 0, 0},
		{"two groups", 8, 8, 4, 1, 2, 4, 4, 4},
		{"partial group", 8, 9, 4, 1, 3, 4, 4, 1},
		{"partial group, oversubscribed", 4, 11, 8, 3, 2, 3, 3, 1},
		{"one host a group", 2, 3, 1, 1, 3, 1, 1, 1},
		{"room for more than there are", 8, 3, 1 << 18, 1, 1, 24, 3, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			topo, err := Rail(fabric(host(8, c.nics, ScaleUpSwitch), c.hosts, c.group, c.oversubscription, 0))
			built(t, topo, err)
			checkGraph(t, topo)
			if got := topo.Switches() - c.hosts; got != c.groups*c.nics+c.spines || len(topo.Racks) != c.groups {
				t.Fatalf("%d switches in %d racks, want %d leaves in %d and %d spines", got, len(topo.Racks), c.groups*c.nics, c.groups, c.spines)
			}
			for h := range c.hosts {
				for j := range c.nics {
					nic := node(t, topo, fmt.Sprintf("host%d/nic%d", h, j))
					if leaf := fmt.Sprintf("rack%d/leaf%d", h/c.group, j); degree(topo, nic, leaf) != 1 {
						t.Errorf("NIC %d of host %d does not join %s", j, h, leaf)
					}
				}
			}
			for g := range c.groups {
				ups := c.ups
				if g == c.groups-1 {
					ups = c.last
				}
				for j := range c.nics {
					leaf := node(t, topo, fmt.Sprintf("rack%d/leaf%d", g, j))
					if up := degree(topo, leaf, "spine"); up != ups {
						t.Errorf("leaf %d of group %d has %d up-links, want %d", j, g, up, ups)
					}
				}
			}
		})
	}
}

// TestFatTree holds the counts of Al-Fares, Loukissas and Vahdat (SIGCOMM
// 2008): k-port switches join k^3/4 ports with 5k^2/4 switches; each has k links.
func TestFatTree(t *testing.T) {
	for _, k := range []int{2, 4, 6, 8} {
		t.Run(fmt.Sprintf("k=%d", k), func(t *testing.T) {
			h := host(1, 1, ScaleUpSwitch)
			n := FatTreeHosts(k, h)
			if n != k*k*k/4 {
				t.Fatalf("%d hosts fit, want k^3/4 = %d", n, k*k*k/4)
			}
			topo, err := FatTree(fabric(h, n, 0, 1, k))
			built(t, topo, err)
			checkGraph(t, topo)
			if topo.Switches() != 5*k*k/4 {
				t.Errorf("%d switches, want 5k^2/4 = %d", topo.Switches(), 5*k*k/4)
			}
			degrees := map[NodeID]int{}
			for _, l := range topo.Links {
				degrees[l.From]++
			}
			for s := topo.Accelerators() + topo.NICs(); s < topo.Accelerators()+topo.NICs()+topo.Switches(); s++ {
				if degrees[NodeID(s)] != k {
					t.Errorf("%s has %d ports, want %d", topo.NodeName(NodeID(s)), degrees[NodeID(s)], k)
				}
			}
			if _, err := FatTree(fabric(h, n+1, 0, 1, k)); err == nil {
				t.Errorf("%d hosts were built where %d fit", n+1, n)
			}
		})
	}
	t.Run("hosts take consecutive ports", func(t *testing.T) {
		topo, err := FatTree(fabric(host(8, 3, ScaleUpSwitch), 5, 0, 1, 4)) // 15 of 16 ports
		built(t, topo, err)
		checkGraph(t, topo)
		for i := range 15 {
			nic := node(t, topo, fmt.Sprintf("host%d/nic%d", i/3, i%3))
			if edge := fmt.Sprintf("pod%d/edge%d", i/4, i/2%2); degree(topo, nic, edge) != 1 {
				t.Errorf("port %d is not at %s", i, edge)
			}
		}
	})
	t.Run("pods that nobody reaches are left out", func(t *testing.T) {
		for _, c := range []struct{ hosts, switches int }{
			{2, 4},          // one pod: two edges, two aggregations, no core
			{4, 4},          //
			{5, 8 + 4},      // two pods and the cores
			{16, 4*5/1 + 0}, // all: 5k^2/4
		} {
			topo, err := FatTree(fabric(host(1, 1, ScaleUpSwitch), c.hosts, 0, 1, 4))
			if got := built(t, topo, err).Switches(); got != c.switches {
				t.Errorf("%d hosts: %d switches, want %d", c.hosts, got, c.switches)
			}
		}
	})
}

func TestBounds(t *testing.T) {
	tiny := host(1, 1, ScaleUpSwitch)
	zero := dgx()
	zero.NICBandwidth = 0
	for _, c := range []struct {
		name  string
		build func() (*Topology, error)
	}{
		{"ring of none", func() (*Topology, error) { return Ring(0, 1, 1) }},
		{"ring of a negative number", func() (*Topology, error) { return Ring(-1, 1, 1) }},
		{"ring too long", func() (*Topology, error) { return Ring(MaxAccelerators+1, 1, 1) }},
		{"ring without bandwidth", func() (*Topology, error) { return Ring(4, 0, 1) }},
		{"ring of infinite bandwidth", func() (*Topology, error) { return Ring(4, units.Rate(math.Inf(1)), 1) }},
		{"ring of a bandwidth that is no number", func() (*Topology, error) { return Ring(4, units.Rate(math.NaN()), 1) }},
		{"ring back in time", func() (*Topology, error) { return Ring(4, 1, -1) }},
		{"switch of none", func() (*Topology, error) { return Switch(0, 1, 1) }},
		{"mesh of too many links", func() (*Topology, error) { return FullMesh(5000, 1, 1) }},
		{"mesh of far too many links", func() (*Topology, error) { return FullMesh(MaxAccelerators, 1, 1) }},
		{"bare link without capacity", func() (*Topology, error) { return Links([]BareLink{{"a", 0, 0}}) }},
		{"bare link of infinite capacity", func() (*Topology, error) { return Links([]BareLink{{"a", math.Inf(1), 0}}) }},
		{"bare link of a capacity that is no number", func() (*Topology, error) { return Links([]BareLink{{"a", math.NaN(), 0}}) }},
		{"bare link back in time", func() (*Topology, error) { return Links([]BareLink{{"a", 1, -1}}) }},
		{"no hosts", func() (*Topology, error) { return LeafSpine(fabric(dgx(), 0, 4, 1, 0)) }},
		{"a negative number of hosts", func() (*Topology, error) { return LeafSpine(fabric(dgx(), -1, 4, 1, 0)) }},
		{"too many hosts", func() (*Topology, error) { return LeafSpine(fabric(dgx(), MaxAccelerators/8+1, 4, 1, 0)) }},
		{"far too many hosts", func() (*Topology, error) { return LeafSpine(fabric(dgx(), math.MaxInt, 4, 1, 0)) }},
		{"host without accelerators", func() (*Topology, error) { return SingleHost(host(0, 1, ScaleUpSwitch)) }},
		{"a mesh too large in a host", func() (*Topology, error) { return SingleHost(host(5000, 1, ScaleUpMesh)) }},
		{"hosts without NICs", func() (*Topology, error) { return LeafSpine(fabric(host(8, 0, ScaleUpSwitch), 2, 4, 1, 0)) }},
		{"no hosts per rack", func() (*Topology, error) { return LeafSpine(fabric(dgx(), 8, 0, 1, 0)) }},
		{"no oversubscription", func() (*Topology, error) { return LeafSpine(fabric(dgx(), 8, 4, 0, 0)) }},
		{"oversubscription that is no number", func() (*Topology, error) { return Rail(fabric(dgx(), 8, 4, math.NaN(), 0)) }},
		{"infinite oversubscription", func() (*Topology, error) { return Rail(fabric(dgx(), 8, 4, math.Inf(1), 0)) }},
		{"more up-links than can be built", func() (*Topology, error) { return LeafSpine(fabric(dgx(), 8, 4, 1e-7, 0)) }},
		{"more up-links than can be counted", func() (*Topology, error) { return LeafSpine(fabric(dgx(), 8, 4, 1e-300, 0)) }},
		{"more spines than can be built", func() (*Topology, error) { return Rail(fabric(dgx(), 2, 1<<28, 1, 0)) }},
		{"more hosts per rack than can be counted", func() (*Topology, error) { return Rail(fabric(dgx(), 2, math.MaxInt, 1, 0)) }},
		{"fat tree of odd switches", func() (*Topology, error) { return FatTree(fabric(tiny, 2, 0, 1, 5)) }},
		{"fat tree of no switches", func() (*Topology, error) { return FatTree(fabric(tiny, 2, 0, 1, 0)) }},
		{"fat tree of negative switches", func() (*Topology, error) { return FatTree(fabric(tiny, 2, 0, 1, -4)) }},
		{"fat tree of huge switches", func() (*Topology, error) { return FatTree(fabric(tiny, 2, 0, 1, 1<<20)) }},
		{"fat tree that is full", func() (*Topology, error) { return FatTree(fabric(dgx(), 3, 0, 1, 4)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			topo, err := c.build()
			if err == nil || topo != nil || !strings.HasPrefix(err.Error(), "topology: ") {
				t.Errorf("built %v, error %v", topo != nil, err)
			}
		})
	}
}

func TestNames(t *testing.T) {
	topo, err := Rail(fabric(dgx(), 9, 4, 1, 0))
	built(t, topo, err)
	for _, want := range []string{"host0/acc0", "host8/acc7", "host3/nic5", "host2/switch", "rack2/leaf7", "spine3"} {
		if n := node(t, topo, want); topo.NodeName(n) != want {
			t.Errorf("node %d is %s, want %s", n, topo.NodeName(n), want)
		}
	}
	names := topo.AcceleratorNames()
	if len(names) != 72 || names["host8/acc7"] != 71 {
		t.Errorf("%d names; host8/acc7 is %d", len(names), names["host8/acc7"])
	}
	if got := routeNames(topo, 0, 8, 0); got != "host0/acc0>host0/nic0 host0/nic0>rack0/leaf0 rack0/leaf0>host1/nic0 host1/nic0>host1/acc0" {
		t.Error(got)
	}
}
