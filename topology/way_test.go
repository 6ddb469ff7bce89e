package topology

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/sim"
)

// Under every policy, on every fabric, a message leaves its sender whole, comes
// to its receiver whole, and as much of it leaves every other node as comes there;
// every link has a part of it once; and its latency is that of its longest path.
func TestWaysCarryWholeMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		routing := Routing{
			Policy:     rapid.SampledFrom([]Policy{HashECMP, Adaptive, Spray, Static, Minimal, Valiant, UGAL}).Draw(t, "policy"),
			Seed:       rapid.Uint64().Draw(t, "seed"),
			QueuePairs: rapid.IntRange(0, 9).Draw(t, "queue pairs"),
		}
		var topo *Topology
		dragonfly := rapid.Bool().Draw(t, "dragonfly")
		switch {
		case dragonfly:
			f := terminals(rapid.IntRange(1, 7).Draw(t, "groups"), rapid.IntRange(1, 3).Draw(t, "p"), rapid.IntRange(2, 3).Draw(t, "a"), 3, routing.Policy)
			var err error
			if topo, err = Dragonfly(f); err != nil {
				t.Fatal(err)
			}
		case rapid.Bool().Draw(t, "graph"):
			topo = drawGraph(t, Routing{})
		default:
			_, _, topo = drawFabric(t)
		}
		if !dragonfly && routing.Policy > Static {
			routing.Policy = HashECMP
		}
		topo.Routing = routing
		load := make([]float64, len(topo.Links))
		var w Way
		n := topo.Accelerators()
		for range 10 {
			src, dst := NodeID(rapid.IntRange(0, n-1).Draw(t, "src")), NodeID(rapid.IntRange(0, n-1).Draw(t, "dst"))
			topo.Way(src, dst, rapid.Uint64().Draw(t, "label"), load, &w)
			surplus := map[NodeID]float64{src: 1}
			surplus[dst]--
			seen := map[LinkID]bool{}
			var sum float64
			for i, l := range w.Links {
				k := topo.Links[l]
				if seen[l] || !(w.Share(i) > 0) {
					t.Fatalf("link %s is there twice, or has %v of the message", topo.LinkName(l), w.Share(i))
				}
				seen[l] = true
				surplus[k.From] -= w.Share(i)
				surplus[k.To] += w.Share(i)
				load[l] += w.Share(i)
				sum += w.Share(i) * k.Latency.Seconds()
			}
			for at, s := range surplus {
				if math.Abs(s) > 1e-9 {
					t.Fatalf("%v from %d to %d: %v of the message stays at %s", routing.Policy, src, dst, s, topo.NodeName(at))
				}
			}
			// The mean over the paths is at most the longest.
			if sum > w.Latency.Seconds()*(1+1e-9) {
				t.Fatalf("a latency of %v s, and a mean of %v s", w.Latency.Seconds(), sum)
			}
			if w.Shares == nil && w.Latency != latencyOf(topo, w.Links) {
				t.Fatalf("latency %v of a path of %v", w.Latency, latencyOf(topo, w.Links))
			}
		}
	})
}

// leafSpine is 4 leaves of 16 single-NIC hosts with 16 spines.
func leafSpine(t testing.TB, routing Routing) *Topology {
	f := fabric(host(1, 1, ScaleUpSwitch), 64, 16, 1, 0)
	f.Routing = routing
	topo, err := LeafSpine(f)
	return built(t, topo, err)
}

// trunks are the loads of the links from leaves to spines.
func trunks(topo *Topology, load []float64) (all []float64) {
	for l, k := range topo.Links {
		if from, to := topo.NodeName(k.From), topo.NodeName(k.To); from[:4] == "leaf" && to[:4] == "spin" {
			all = append(all, load[l])
		}
	}
	return all
}

// All hosts of a leaf send to the next leaf: 16 messages over 16 up-links. Under
// ECMP their number on an up-link is binomial: mean 1, variance 15/16. q queue
// pairs divide the variance by q. Spraying puts exactly one message on each.
func TestECMPIsBinomial(t *testing.T) {
	shift := func(src NodeID) NodeID { return (src + 16) % 64 }
	for _, pairs := range []int{1, 4, 16} {
		var sum, squares, n float64
		for seed := range uint64(200) {
			topo := leafSpine(t, Routing{Seed: seed, QueuePairs: pairs})
			for _, on := range trunks(topo, pattern(topo, shift)) {
				sum, squares, n = sum+on, squares+on*on, n+1
			}
		}
		mean := sum / n
		variance := squares/n - mean*mean
		want := 15.0 / 16 / float64(pairs)
		// Of 12,800 counts the variance is known to about 1.3 %: five of these.
		if math.Abs(mean-1) > 1e-9 || math.Abs(variance-want) > 0.07*want {
			t.Errorf("%d queue pairs: mean %v and variance %v, want 1 and %v", pairs, mean, variance, want)
		}
	}
	topo := leafSpine(t, Routing{Policy: Spray})
	for _, on := range trunks(topo, pattern(topo, shift)) {
		if on != 1 {
			t.Errorf("spraying puts %v messages on an up-link, want 1", on)
		}
	}
}

// Of equal paths, adaptive routing takes a free one while there is one: 16
// messages from one leaf to another have a spine each. Random permutations, which
// rearranged would have one message on every link, get no more than two.
func TestAdaptiveAvoidsLoad(t *testing.T) {
	topo := leafSpine(t, Routing{Policy: Adaptive})
	for _, on := range trunks(topo, pattern(topo, func(src NodeID) NodeID { return (src + 16) % 64 })) {
		if on != 1 {
			t.Errorf("%v messages on an up-link, want 1", on)
		}
	}
	adaptive, hashed := 0.0, 0.0
	for seed := range uint64(50) {
		to := sim.Stream(seed, "permutation").Perm(64)
		send := func(src NodeID) NodeID { return NodeID(to[src]) }
		adaptive = max(adaptive, busiest(pattern(topo, send)))
		hashed = max(hashed, busiest(pattern(leafSpine(t, Routing{Seed: seed}), send)))
	}
	if adaptive > 2 || hashed < 4 {
		t.Errorf("the busiest link of a permutation has %v messages, and %v under ECMP", adaptive, hashed)
	}
}

// Under D-mod-k every shift of a full fat tree has one message on each link at
// most (Zahavi 2012, theorem 1); ECMP has collisions.
func TestStaticShiftsDoNotMeet(t *testing.T) {
	f := fabric(host(1, 1, ScaleUpSwitch), 128, 0, 1, 8)
	f.Routing.Policy = Static
	topo, err := FatTree(f)
	built(t, topo, err)
	for shift := range NodeID(128) {
		if most := busiest(pattern(topo, func(src NodeID) NodeID { return (src + shift) % 128 })); most > 1 {
			t.Errorf("shift %d: %v messages on a link", shift, most)
		}
	}
	topo.Routing.Policy = HashECMP
	if most := busiest(pattern(topo, func(src NodeID) NodeID { return (src + 64) % 128 })); most < 2 {
		t.Errorf("no collision under ECMP")
	}
}

// With a port in each of two planes, or at each of two leaves, a NIC has two cables
// of half its rate. Planes do not meet: what goes up in one comes down in it. Two
// leaves of a NIC share the spines, so that a message may come by either.
func TestNICPorts(t *testing.T) {
	for _, c := range []struct {
		name                       string
		planes, tors               int
		leaves, spines, ups, paths int
	}{
		{"one port", 1, 1, 2 * 2, 4, 4, 4},
		{"two planes", 2, 1, 2 * 2 * 2, 2 * 4, 4, 2 * 4},
		{"two leaves", 1, 2, 2 * 2 * 2, 4, 4, 2 * 4 * 2},
		{"two planes of two leaves", 2, 2, 2 * 2 * 4, 2 * 4, 4, 4 * 4 * 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fabric(host(2, 2, ScaleUpRing), 8, 4, 1, 0)
			f.Planes, f.ToRs, f.Routing.Policy = c.planes, c.tors, Spray
			topo, err := Rail(f)
			built(t, topo, err)
			checkGraph(t, topo)
			if got := topo.Switches(); got != c.leaves+c.spines {
				t.Errorf("%d switches, want %d leaves and %d spines", got, c.leaves, c.spines)
			}
			ports := c.planes * c.tors
			for i := range topo.NICs() {
				nic := NodeID(topo.Accelerators() + i)
				if got := degree(topo, nic, "rack"); got != ports {
					t.Errorf("NIC %d has %d cables, want %d", i, got, ports)
				}
			}
			for _, l := range topo.Links {
				if int(l.From) >= topo.Accelerators() && int(l.To) >= topo.Accelerators() && l.Capacity != 50e9/float64(ports) {
					t.Fatalf("a cable of %v B/s", l.Capacity)
				}
			}
			seen := map[string]bool{}
			for label := range uint64(2000) {
				route := topo.Route(0, 8, label, nil)
				checkRoute(t, topo, 0, 8, route)
				if len(route) != 6 {
					t.Fatalf("%d links: %s", len(route), routeNames(topo, 0, 8, label))
				}
				seen[routeNames(topo, 0, 8, label)] = true
			}
			if len(seen) != c.paths {
				t.Errorf("%d paths to another rack, want %d", len(seen), c.paths)
			}
			var w Way
			topo.Way(0, 8, 0, nil, &w)
			for i, l := range w.Links {
				if k := topo.Links[l]; k.Capacity == 50e9/float64(ports) && int(k.From) == topo.Accelerators() && w.Share(i) != 1/float64(ports) {
					t.Errorf("%v of a sprayed message by %s", w.Share(i), topo.LinkName(l))
				}
			}
		})
	}
}

// Racks of different hosts: each pool begins a rack; its leaves have the number
// and the rate of its NICs; the fabric has the spines of the largest leaf.
func TestPools(t *testing.T) {
	small := host(4, 2, ScaleUpMesh)
	small.NICBandwidth = 25e9
	f := fabric(Host{}, 0, 4, 1, 8)
	f.Pools = []HostPool{{dgx(), 6}, {small, 3}}
	for kind, build := range kinds {
		topo, err := build(f)
		built(t, topo, err)
		checkGraph(t, topo)
		if topo.Accelerators() != 6*8+3*4 || topo.NICs() != 6*8+3*2 || len(topo.Servers) != 9 {
			t.Errorf("%s: %d accelerators, %d NICs, %d hosts", kind, topo.Accelerators(), topo.NICs(), len(topo.Servers))
		}
		if kind != "fat-tree" && (topo.Servers[5].Rack != 1 || topo.Servers[6].Rack != 2 || len(topo.Racks) != 3) {
			t.Errorf("%s: the racks are %v", kind, topo.Racks)
		}
		for src := range NodeID(topo.Accelerators()) {
			for dst := range NodeID(topo.Accelerators()) {
				route := topo.Route(src, dst, 0, nil)
				checkRoute(t, topo, src, dst, route)
				least := math.Inf(1)
				for _, l := range route {
					least = min(least, topo.Links[l].Capacity)
				}
				if a, b := topo.Server(src), topo.Server(dst); a != b && least != 25e9 != (a < 6 && b < 6) {
					t.Fatalf("%s: %v B/s from host %d to host %d", kind, least, a, b)
				}
			}
		}
	}
	topo, err := Rail(f)
	built(t, topo, err)
	if outside := topo.Switches() - 9 + 3; outside != 8+8+2+4 { // meshes have no switch inside
		t.Errorf("%d leaves and spines, want 8 + 8 + 2 and 4", outside)
	}
}

// Ways are found without allocating, under any policy.
func TestWayDoesNotAllocate(t *testing.T) {
	for _, policy := range []Policy{HashECMP, Adaptive, Spray, Static, Valiant, UGAL} {
		topo, err := Dragonfly(terminals(9, 2, 4, 2, policy))
		built(t, topo, err)
		topo.Routing.QueuePairs = 4
		load := make([]float64, len(topo.Links))
		r := sim.Stream(1, "ends")
		var w Way
		for range 100 { // until it has room
			topo.Way(NodeID(r.IntN(72)), NodeID(r.IntN(72)), 0, load, &w)
		}
		if n := testing.AllocsPerRun(1000, func() {
			topo.Way(NodeID(r.IntN(72)), NodeID(r.IntN(72)), 0, load, &w)
		}); n > 0 {
			t.Errorf("%v: %v allocations a way, want 0", policy, n)
		}
	}
}
