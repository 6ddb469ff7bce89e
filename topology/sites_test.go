package topology

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/sim"
)

// threeSites is a chain east - west - north of different fabrics. WAN cables have
// 10 GB/s and 5 ms; there are two between east and west.
func threeSites(t testing.TB, routing Routing) *Topology {
	t.Helper()
	f := fabric(host(2, 2, ScaleUpSwitch), 4, 2, 1, 4)
	f.Routing = routing
	var sites []Site
	for name, build := range map[string]func(Fabric) (*Topology, error){"east": LeafSpine, "west": FatTree, "north": Dragonfly} {
		f := f
		if name == "north" {
			f.HostsPerRack, f.Routers, f.GlobalLinks = 1, 2, 1
		}
		topo, err := build(f)
		sites = append(sites, Site{name, built(t, topo, err), f.LinkLatency, f.SwitchLatency})
	}
	slices.SortFunc(sites, func(a, b Site) int { return strings.Compare(a.Name, b.Name) }) // east, north, west
	ms := func(n int) WAN { return WAN{Bandwidth: 10e9, Latency: 5e8, From: n} }
	cables := []WAN{ms(0), ms(0), ms(1)}
	for i := range cables {
		cables[i].To = 2
	}
	topo, err := Sites(sites, cables)
	return built(t, topo, err)
}

func TestSites(t *testing.T) {
	topo := threeSites(t, Routing{})
	checkGraph(t, topo)
	if topo.Accelerators() != 3*8 || topo.NICs() != 3*8 || len(topo.Servers) != 12 || topo.Kind != "sites" {
		t.Errorf("%d accelerators, %d NICs, %d hosts", topo.Accelerators(), topo.NICs(), len(topo.Servers))
	}
	for name, joined := range map[string]int{
		"east/gateway":  4 + 2, // spines, WAN cables
		"west/gateway":  4 + 3, // cores
		"north/gateway": 4 + 1, // routers
	} {
		n := 0
		for _, l := range topo.Links {
			if l.From == node(t, topo, name) {
				n++
			}
		}
		if n != joined {
			t.Errorf("%s has %d cables, want %d", name, n, joined)
		}
	}
	if got := topo.NodeName(23); got != "west/host3/acc1" {
		t.Errorf("the last accelerator is %s", got)
	}
	if r := topo.Racks[topo.Servers[11].Rack]; r.Site != "west" || !strings.HasPrefix(r.Name, "west/rack") {
		t.Errorf("its rack is %v", r)
	}
}

// Between sites a route climbs to the gateway, takes the fewest WAN cables and
// descends: over spines 4 links to the gateway with that of the accelerator, over
// cores 5, over routers 3. It meets each cable and each switch once.
func TestRoutesBetweenSites(t *testing.T) {
	topo := threeSites(t, Routing{})
	climb := map[string]int{"east": 4, "west": 5, "north": 3}
	wan := map[[2]string]int{{"east", "west"}: 1, {"east", "north"}: 2, {"west", "north"}: 1}
	used := map[string]bool{}
	for src := range NodeID(24) {
		for dst := range NodeID(24) {
			for label := range uint64(8) {
				route := topo.Route(src, dst, label, nil)
				checkRoute(t, topo, src, dst, route)
				a, _, _ := strings.Cut(topo.NodeName(src), "/")
				b, _, _ := strings.Cut(topo.NodeName(dst), "/")
				if a == b {
					if names := routeNames(topo, src, dst, label); strings.Contains(names, "gateway") || strings.Count(names, a+"/") != 2*len(route) {
						t.Fatalf("the way from %d to %d leaves its site: %s", src, dst, names)
					}
					continue
				}
				cables := wan[[2]string{a, b}] + wan[[2]string{b, a}]
				if want := climb[a] + climb[b] + cables; len(route) != want {
					t.Fatalf("%d links, want %d: %s", len(route), want, routeNames(topo, src, dst, label))
				}
				// Cables, and switches between them, gateways among these.
				passed := climb[a] + climb[b] - 2
				want := sim.Time(passed)*cable + sim.Time(passed-1)*pass + sim.Time(cables)*5e8
				if got := latencyOf(topo, route); got != want {
					t.Fatalf("latency %d from %s to %s, want %d", got, a, b, want)
				}
				for _, l := range route {
					used[topo.LinkName(l)] = true
					if strings.Contains(topo.LinkName(l), "east/gateway>west/gateway") && topo.Links[l].Capacity != 10e9 {
						t.Fatal("a WAN cable of another rate")
					}
				}
			}
		}
	}
	// Of two equal WAN cables both are used, and all spines.
	parallel := 0
	for i, l := range topo.Links {
		if used[topo.LinkName(LinkID(i))] && topo.NodeName(l.From) == "east/gateway" && topo.NodeName(l.To) == "west/gateway" {
			parallel++
		}
	}
	if parallel != 2 || !used["east/spine3>east/gateway"] || !used["east/gateway>east/spine0"] {
		t.Errorf("%d cables between gateways are used, of the links to them %v", parallel, used)
	}
}

// Sites do not change what happens within: a site of several has the ways that it
// would have alone under the same seed.
func TestSiteAlone(t *testing.T) {
	one := leafSpine(t, Routing{Policy: Spray})
	wrapped, err := Sites([]Site{{Name: "here", Topology: leafSpine(t, Routing{Policy: Spray})}}, nil)
	built(t, wrapped, err)
	var a, b Way
	for src := range NodeID(64) {
		for dst := range NodeID(64) {
			one.Way(src, dst, 0, nil, &a)
			wrapped.Way(src, dst, 0, nil, &b)
			if !slices.Equal(a.Links, b.Links) || !slices.Equal(a.Shares, b.Shares) || a.Latency != b.Latency {
				t.Fatalf("%d to %d: %v, alone %v", src, dst, b, a)
			}
		}
	}
}

// Messages between sites are whole on all ways, hashed, over queue pairs or
// sprayed: sprayed over all spines and WAN cables alike.
func TestWaysBetweenSites(t *testing.T) {
	for _, routing := range []Routing{{}, {QueuePairs: 5}, {Policy: Spray}, {Policy: Static}, {Policy: Adaptive}} {
		topo := threeSites(t, routing)
		load := make([]float64, len(topo.Links))
		rapid.Check(t, func(t *rapid.T) {
			var w Way
			src, dst := NodeID(rapid.IntRange(0, 23).Draw(t, "src")), NodeID(rapid.IntRange(0, 23).Draw(t, "dst"))
			topo.Way(src, dst, 1, load, &w)
			surplus := map[NodeID]float64{src: 1}
			surplus[dst]--
			for i, l := range w.Links {
				surplus[topo.Links[l].From] -= w.Share(i)
				surplus[topo.Links[l].To] += w.Share(i)
				name := topo.LinkName(l)
				if routing.Policy == Spray && (name == "east/gateway>west/gateway" && w.Share(i) != 0.5 ||
					strings.HasPrefix(name, "east/spine") && strings.HasSuffix(name, "/gateway") && w.Share(i) != 0.25) {
					t.Fatalf("%v of a sprayed message on %s", w.Share(i), name)
				}
			}
			for n, s := range surplus {
				if math.Abs(s) > 1e-9 {
					t.Fatalf("%v: %v of a message from %d to %d stays at %s", routing, s, src, dst, topo.NodeName(n))
				}
			}
		})
	}
}

func TestSitesFaults(t *testing.T) {
	site := func(name string) Site {
		topo, err := LeafSpine(fabric(dgx(), 1, 1, 1, 0))
		return Site{Name: name, Topology: built(t, topo, err)}
	}
	ring, _ := Ring(4, 1, 1)
	lonely, _ := SingleHost(host(8, 0, ScaleUpSwitch))
	cable := WAN{0, 1, 1, 1}
	for want, c := range map[string]struct {
		sites []Site
		wan   []WAN
	}{
		"0 sites":                        {},
		"not made of hosts":              {sites: []Site{{Name: "a", Topology: ring}}},
		"no NICs to reach others":        {sites: []Site{site("a"), {Name: "b", Topology: lonely}}, wan: []WAN{cable}},
		"two sites are called a":         {sites: []Site{site("a"), site("a")}, wan: []WAN{cable}},
		"no WAN cables lead from site b": {sites: []Site{site("a"), site("b")}},
		"a cable from site 0 to site 2":  {sites: []Site{site("a"), site("b")}, wan: []WAN{{0, 2, 1, 1}}},
		"a cable from site 1 to site 1":  {sites: []Site{site("a"), site("b")}, wan: []WAN{{1, 1, 1, 1}}},
		"has bandwidth 0":                {sites: []Site{site("a"), site("b")}, wan: []WAN{{0, 1, 0, 1}}},
		"latency -":                      {sites: []Site{site("a"), site("b")}, wan: []WAN{{0, 1, 1, -1}}},
	} {
		if topo, err := Sites(c.sites, c.wan); topo != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	// Single hosts are joined by their NICs.
	topo, err := Sites([]Site{site("a"), site("b")}, []WAN{cable})
	built(t, topo, err)
	if got := routeNames(topo, 1, 8, 0); got != "a/host0/acc1>a/host0/nic1 a/host0/nic1>a/gateway a/gateway>b/gateway b/gateway>b/host0/nic0 b/host0/nic0>b/host0/acc0" {
		t.Error(got)
	}
}
