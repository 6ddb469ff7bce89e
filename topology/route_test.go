package topology

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/sim"
)

func latencyOf(topo *Topology, route []LinkID) (sum sim.Time) {
	for _, l := range route {
		sum += topo.Links[l].Latency
	}
	return sum
}

// checkRoute: a route is a connected path from src to dst with no link twice
// and no node twice.
func checkRoute(t interface{ Fatalf(string, ...any) }, topo *Topology, src, dst NodeID, route []LinkID) {
	at := src
	visited := map[NodeID]bool{src: true}
	for i, l := range route {
		k := topo.Links[l]
		if k.From != at {
			t.Fatalf("link %d of the route from %s to %s is %s, at %s", i, topo.NodeName(src), topo.NodeName(dst), topo.LinkName(l), topo.NodeName(at))
		}
		at = k.To
		if visited[at] {
			t.Fatalf("the route from %s to %s comes to %s twice", topo.NodeName(src), topo.NodeName(dst), topo.NodeName(at))
		}
		visited[at] = true
	}
	if at != dst {
		t.Fatalf("the route from %s to %s ends at %s", topo.NodeName(src), topo.NodeName(dst), topo.NodeName(at))
	}
}

// drawFabric draws a fabric of hosts and says of which kind it is.
func drawFabric(t *rapid.T) (string, Fabric, *Topology) {
	a := rapid.SampledFrom([]int{1, 2, 3, 4, 8}).Draw(t, "accelerators")
	h := host(a, rapid.IntRange(1, 9).Draw(t, "nics"),
		rapid.SampledFrom([]ScaleUp{ScaleUpSwitch, ScaleUpMesh, ScaleUpRing, ScaleUpPCIe, ScaleUpTorus}).Draw(t, "scale-up"))
	f := fabric(h, rapid.IntRange(1, 20).Draw(t, "hosts"), rapid.IntRange(1, 6).Draw(t, "hosts per rack"),
		rapid.SampledFrom([]float64{0.5, 1, 1.5, 2, 3, 8}).Draw(t, "oversubscription"),
		rapid.SampledFrom([]int{2, 4, 6, 8}).Draw(t, "k"))
	kind := rapid.SampledFrom([]string{"leaf-spine", "rail", "fat-tree"}).Draw(t, "kind")
	if kind == "fat-tree" {
		if fit := FatTreeHosts(f.Ports, h); fit < 1 {
			f.Ports, f.Hosts = 8, min(f.Hosts, FatTreeHosts(8, h))
		} else {
			f.Hosts = min(f.Hosts, fit)
		}
	}
	topo, err := kinds[kind](f)
	if err != nil {
		t.Fatal(err)
	}
	return kind, f, topo
}

// distances is the obviously right shortest path between all nodes: breadth
// first over cables and switches between NICs. It gives how many links lead
// from one NIC to all nodes.
func distances(topo *Topology, from NodeID) []int {
	out := make([][]NodeID, topo.Accelerators()+topo.NICs()+topo.Switches())
	outside := func(n NodeID) bool {
		name := topo.NodeName(n)
		return int(n) >= topo.Accelerators() && !strings.Contains(name, "/switch") && !strings.Contains(name, "/pcie")
	}
	for _, l := range topo.Links {
		if outside(l.From) && outside(l.To) {
			out[l.From] = append(out[l.From], l.To)
		}
	}
	d := slices.Repeat([]int{-1}, len(out))
	d[from] = 0
	for queue := []NodeID{from}; len(queue) > 0; queue = queue[1:] {
		for _, n := range out[queue[0]] {
			if d[n] < 0 {
				d[n] = d[queue[0]] + 1
				queue = append(queue, n)
			}
		}
	}
	return d
}

// TestRoutes holds the routes of random fabrics to what a route is, to the
// shortest way between the NICs, and to the contract's latency: each cable and
// each switch outside the hosts once.
func TestRoutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind, f, topo := drawFabric(t)
		n := topo.Accelerators()
		for range 20 {
			src, dst := NodeID(rapid.IntRange(0, n-1).Draw(t, "src")), NodeID(rapid.IntRange(0, n-1).Draw(t, "dst"))
			label := rapid.Uint64().Draw(t, "label")
			route := topo.Route(src, dst, label, nil)
			checkRoute(t, topo, src, dst, route)
			if !slices.Equal(route, topo.Route(src, dst, label, nil)) {
				t.Fatalf("the route from %d to %d differs from one call to the next", src, dst)
			}
			if with := topo.Route(src, dst, label, []LinkID{1, 2}); !slices.Equal(with[2:], route) || with[0] != 1 || with[1] != 2 {
				t.Fatalf("Route does not append: %v and %v", with, route)
			}
			sameHost := topo.Server(src) == topo.Server(dst)
			cables, nics := 0, []NodeID{}
			for _, l := range route {
				k := topo.Links[l]
				for _, end := range []NodeID{k.From, k.To} {
					if end >= NodeID(n) && end < NodeID(n+topo.NICs()) && !slices.Contains(nics, end) {
						nics = append(nics, end)
					}
				}
				if strings.HasPrefix(topo.NodeName(k.From), "host") != strings.HasPrefix(topo.NodeName(k.To), "host") ||
					!strings.HasPrefix(topo.NodeName(k.From), "host") {
					cables++
				}
			}
			if sameHost {
				if len(nics) > 0 {
					t.Fatalf("%d and %d of one host talk by a NIC", src, dst)
				}
				continue
			}
			if len(nics) != 2 || nics[1] != topo.NIC(dst) || kind != "rail" && nics[0] != topo.NIC(src) {
				t.Fatalf("from %d to %d by %v, want %d and %d", src, dst, nics, topo.NIC(src), topo.NIC(dst))
			}
			if want := distances(topo, nics[0])[nics[1]]; cables != want {
				t.Fatalf("%s: %d cables from %s to %s, the shortest way has %d",
					kind, cables, topo.NodeName(nics[0]), topo.NodeName(nics[1]), want)
			}
			// A way of c cables passes c-1 switches.
			want := sim.Time(cables)*cable + sim.Time(cables-1)*pass
			got := latencyOf(topo, route)
			switch f.Host.ScaleUp {
			case ScaleUpPCIe: // up to the NIC and down from it is one pass in all
				want += inside
			default:
				if exit := relayOf(topo, route); exit != src {
					want += latencyOf(topo, topo.Route(src, exit, label, nil))
				}
			}
			if got != want {
				t.Fatalf("%s: latency %d from %d to %d over %d cables, want %d", kind, got, src, dst, cables, want)
			}
		}
	})
}

// relayOf is the accelerator from which a route leaves its host.
func relayOf(topo *Topology, route []LinkID) NodeID {
	for _, l := range route {
		if k := topo.Links[l]; int(k.To) >= topo.Accelerators() && int(k.To) < topo.Accelerators()+topo.NICs() {
			return k.From
		}
	}
	return None
}

// TestRelay: in one rail group a message changes rails inside the sending host
// and so stays under one leaf; between groups it leaves by its own NIC and
// crosses a spine. A host without a switched or meshed scale-up network always
// leaves by its own NIC.
func TestRelay(t *testing.T) {
	for _, scaleUp := range []ScaleUp{ScaleUpSwitch, ScaleUpMesh, ScaleUpRing, ScaleUpPCIe, ScaleUpTorus} {
		t.Run(scaleUp.String(), func(t *testing.T) {
			topo, err := Rail(fabric(host(8, 4, scaleUp), 6, 3, 1, 0))
			built(t, topo, err)
			for src := range NodeID(48) {
				for dst := range NodeID(48) {
					if topo.Server(src) == topo.Server(dst) {
						continue
					}
					route := routeNames(topo, src, dst, 0)
					group := topo.Servers[topo.Server(src)].Rack == topo.Servers[topo.Server(dst)].Rack
					rail := topo.NIC(src)%4 == topo.NIC(dst)%4
					relays := scaleUp == ScaleUpSwitch || scaleUp == ScaleUpMesh
					if spine := strings.Contains(route, "spine"); spine != (!group || !relays && !rail) {
						t.Fatalf("from %d to %d: %s", src, dst, route)
					}
					own := strings.Contains(route, topo.NodeName(topo.NIC(src))+">")
					if own != (!group || rail || !relays) {
						t.Fatalf("from %d to %d: %s", src, dst, route)
					}
				}
			}
		})
	}
}

// TestECMPSpreads counts which spine connections take. With 32 spines and
// 20,480 connections, the chi-square of 31 degrees of freedom exceeds 61.1 once
// in a thousand times for a fair hash (Abramowitz and Stegun, table 26.8).
func TestECMPSpreads(t *testing.T) {
	for _, c := range []struct {
		name string
		draw func(i int) (src, dst NodeID, label uint64)
	}{
		{"labels of one pair", func(i int) (NodeID, NodeID, uint64) { return 3, 77, uint64(i) }},
		{"sources", func(i int) (NodeID, NodeID, uint64) { return NodeID(i), 100_000, 0 }},
		{"destinations", func(i int) (NodeID, NodeID, uint64) { return 100_000, NodeID(i), 0 }},
		{"shift permutation", func(i int) (NodeID, NodeID, uint64) { return NodeID(i), NodeID(i + 8), 0 }},
		{"shifted labels", func(i int) (NodeID, NodeID, uint64) { return 1, 2, uint64(i) << 40 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			const spines, connections = 32, 20_480
			for at := range NodeID(2) {
				var taken [spines]float64
				for i := range connections {
					src, dst, label := c.draw(i)
					s := ECMP(1, at, src, dst, label, spines)
					if s != ECMP(1, at, src, dst, label, spines) {
						t.Fatal("the hash is not a function")
					}
					taken[s]++
				}
				chi := 0.0
				for _, n := range taken {
					chi += (n - connections/spines) * (n - connections/spines) / (connections / spines)
				}
				if chi > 61.1 {
					t.Errorf("switch %d: chi-square %.1f over 32 spines: %v", at, chi, taken)
				}
			}
		})
	}
}

// The choices at two switches of one way are independent, or all traffic of an
// aggregation switch would meet on few of its cores (hash polarization). So are
// those of one switch under two seeds.
func TestECMPDoesNotPolarize(t *testing.T) {
	const n, connections = 8, 64 * 320
	var switches, seeds [n * n]float64
	for i := range connections {
		src, dst := NodeID(i), NodeID(i*7+1)
		first := ECMP(1, 40, src, dst, 0, n)
		switches[first*n+ECMP(1, 41, src, dst, 0, n)]++
		seeds[first*n+ECMP(2, 40, src, dst, 0, n)]++
	}
	for name, pairs := range map[string][n * n]float64{"two switches": switches, "two seeds": seeds} {
		chi := 0.0
		for _, k := range pairs {
			chi += (k - 320) * (k - 320) / 320
		}
		if chi > 103.4 { // 63 degrees of freedom, once in a thousand times
			t.Errorf("%s: chi-square %.1f over pairs of choices", name, chi)
		}
	}
}

func TestECMPIsInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1<<20).Draw(t, "n")
		got := ECMP(rapid.Uint64().Draw(t, "seed"), NodeID(rapid.Int32().Draw(t, "at")),
			NodeID(rapid.Int32().Draw(t, "src")), NodeID(rapid.Int32().Draw(t, "dst")), rapid.Uint64().Draw(t, "label"), n)
		if got < 0 || got >= n {
			t.Fatalf("next hop %d of %d", got, n)
		}
	})
}

// A route to a partial leaf uses only the spines that both leaves reach.
func TestRoutesToAPartialLeaf(t *testing.T) {
	topo, err := LeafSpine(fabric(host(8, 8, ScaleUpSwitch), 9, 4, 1, 0))
	built(t, topo, err)
	used := map[string]bool{}
	for label := range uint64(2000) {
		for _, ends := range [][2]NodeID{{0, 64}, {64, 0}} {
			route := topo.Route(ends[0], ends[1], label, nil)
			checkRoute(t, topo, ends[0], ends[1], route)
			used[topo.NodeName(topo.Links[route[2]].To)] = true
		}
	}
	if len(used) != 8 {
		t.Errorf("%d spines used, want the 8 that the small leaf reaches: %v", len(used), used)
	}
}

func TestRouteDoesNotAllocate(t *testing.T) {
	for name, build := range kinds {
		topo, err := build(fabric(dgx(), 16, 4, 1, 8))
		built(t, topo, err)
		path := make([]LinkID, 0, 16)
		r := sim.Stream(1, name)
		if n := testing.AllocsPerRun(1000, func() {
			path = topo.Route(NodeID(r.IntN(128)), NodeID(r.IntN(128)), 0, path[:0])
		}); n > 0 {
			t.Errorf("%s: %v allocations a route, want 0", name, n)
		}
	}
}

func Example() {
	topo, err := Rail(Fabric{
		Host: Host{
			Accelerators: 2, NICs: 2,
			ScaleUp: ScaleUpSwitch, ScaleUpBandwidth: 450e9, ScaleUpEfficiency: 1,
			NICBandwidth: 50e9, NICEfficiency: 1, PCIeBandwidth: 64e9,
		},
		Hosts: 2, HostsPerRack: 2, Oversubscription: 2,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, l := range topo.Links {
		if l.From < l.To { // one direction of each cable
			fmt.Printf("%-24s %3.0f GB/s\n", topo.LinkName(LinkID(i)), l.Capacity/1e9)
		}
	}
	// Output:
	// host0/acc0>host0/switch  450 GB/s
	// host0/acc1>host0/switch  450 GB/s
	// host0/acc0>host0/nic0     64 GB/s
	// host0/acc1>host0/nic1     64 GB/s
	// host1/acc0>host1/switch  450 GB/s
	// host1/acc1>host1/switch  450 GB/s
	// host1/acc0>host1/nic0     64 GB/s
	// host1/acc1>host1/nic1     64 GB/s
	// host0/nic0>rack0/leaf0    50 GB/s
	// host0/nic1>rack0/leaf1    50 GB/s
	// host1/nic0>rack0/leaf0    50 GB/s
	// host1/nic1>rack0/leaf1    50 GB/s
	// rack0/leaf0>spine0        50 GB/s
	// rack0/leaf1>spine0        50 GB/s
}
