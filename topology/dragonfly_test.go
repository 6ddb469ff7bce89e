package topology

import (
	"fmt"
	"math"
	"testing"

	"github.com/railyard/railyard/sim"
)

// terminals is a dragonfly of hosts of one accelerator and one NIC, p on a
// router, a routers of h global cables in a group.
func terminals(groups, p, a, h int, policy Policy) Fabric {
	hosts := groups * p * a
	f := fabric(host(1, 1, ScaleUpSwitch), hosts, p, 1, 0)
	f.Groups, f.Routers, f.GlobalLinks, f.Routing.Policy = groups, a, h, policy
	return f
}

// TestDragonfly holds the counts of Kim et al. 2008: N = a p (a h + 1) terminals
// at most, a router has p + a - 1 + h ports, every pair of groups one cable; with
// fewer groups the cables are spread over the others.
func TestDragonfly(t *testing.T) {
	for _, c := range []struct{ groups, p, a, h, parallel int }{
		{9, 2, 4, 2, 1},  // figure 5 of the paper: N = 72
		{33, 4, 8, 4, 1}, // 1056, the network of its simulations
		{3, 1, 2, 1, 1},
		{3, 2, 4, 2, 4},
		{4, 2, 4, 2, 2}, // 8 cables over 3 groups: two each, two idle
		{1, 2, 4, 2, 0},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			topo, err := Dragonfly(terminals(c.groups, c.p, c.a, c.h, HashECMP))
			built(t, topo, err)
			checkGraph(t, topo)
			if c.groups == c.a*c.h+1 && topo.Accelerators() != c.a*c.p*(c.a*c.h+1) {
				t.Errorf("%d terminals", topo.Accelerators())
			}
			if topo.Switches() != c.groups*c.a {
				t.Errorf("%d routers, want %d", topo.Switches(), c.groups*c.a)
			}
			between := map[[2]string]int{}
			for g := range c.groups {
				for r := range c.a {
					name := fmt.Sprintf("group%d/router%d", g, r)
					router := node(t, topo, name)
					if down := degree(topo, router, "host"); down != c.p {
						t.Errorf("%s has %d terminals, want %d", name, down, c.p)
					}
					local := degree(topo, router, fmt.Sprintf("group%d/", g))
					if local != c.a-1 {
						t.Errorf("%s has %d links in its group, want %d", name, local, c.a-1)
					}
					if global := degree(topo, router, "group") - local; global > c.h || c.parallel*(c.groups-1) == c.a*c.h && global != c.h {
						t.Errorf("%s has %d global links, want %d", name, global, c.h)
					}
					for peer := range c.groups {
						between[[2]string{fmt.Sprint(g), fmt.Sprint(peer)}] += degree(topo, router, fmt.Sprintf("group%d/", peer))
					}
				}
			}
			for g := range c.groups {
				for peer := range c.groups {
					if n := between[[2]string{fmt.Sprint(g), fmt.Sprint(peer)}]; g != peer && n != c.parallel {
						t.Errorf("%d cables from group %d to %d, want %d", n, g, peer, c.parallel)
					}
				}
			}
		})
	}
}

// A minimal way has one hop between groups and at most one in either; Valiant's
// has two between groups and at most one in each of three.
func TestDragonflyRoutes(t *testing.T) {
	for _, c := range []struct {
		policy        Policy
		groups        int
		global, local int
	}{{HashECMP, 9, 1, 2}, {HashECMP, 4, 1, 2}, {Valiant, 9, 2, 3}, {Valiant, 4, 2, 3}, {Valiant, 2, 1, 2}} {
		topo, err := Dragonfly(terminals(c.groups, 2, 4, 2, c.policy))
		built(t, topo, err)
		group := func(n NodeID) string {
			var g, r int
			if _, err := fmt.Sscanf(topo.NodeName(n), "group%d/router%d", &g, &r); err != nil {
				return ""
			}
			return fmt.Sprint(g)
		}
		for src := range NodeID(topo.Accelerators()) {
			for dst := range NodeID(topo.Accelerators()) {
				for label := range uint64(3) {
					route := topo.Route(src, dst, label, nil)
					if c.policy != Valiant { // which may pass a router twice
						checkRoute(t, topo, src, dst, route)
					}
					local, global := 0, 0
					for _, l := range route {
						from, to := group(topo.Links[l].From), group(topo.Links[l].To)
						switch {
						case from == "" || to == "":
						case from == to:
							local++
						default:
							global++
						}
					}
					same := topo.Servers[src].Rack/4 == topo.Servers[dst].Rack/4
					want := c.global
					if same {
						want = 0
					}
					if global != want || local > c.local || same && local > 1 {
						t.Fatalf("%v of %d groups, %d to %d: %d global and %d local hops", c.policy, c.groups, src, dst, global, local)
					}
				}
			}
		}
	}
}

// pattern is the load of all links if every accelerator sends one message, in
// order.
func pattern(topo *Topology, to func(src NodeID) NodeID) []float64 {
	load := make([]float64, len(topo.Links))
	var w Way
	for src := range NodeID(topo.Accelerators()) {
		topo.Way(src, to(src), 0, load, &w)
		for i, l := range w.Links {
			load[l] += w.Share(i)
		}
	}
	return load
}

func busiest(load []float64) (most float64) {
	for _, n := range load {
		most = max(most, n)
	}
	return most
}

// TestDragonflyAdversary is figure 8(b) of Kim et al. 2008, where every terminal
// of group i sends to group i+1. Minimal routing squeezes the a p messages of a
// group through one cable: throughput 1/(a p). Valiant spreads them over g - 2
// third groups and loads every other global cable with 2 a p/(g - 2): throughput
// one half. UGAL is as good as Valiant there. On random permutations it avoids the
// collisions of minimal routing, with fewer detours than Valiant's.
func TestDragonflyAdversary(t *testing.T) {
	const groups, p, a, h = 33, 4, 8, 4
	load := map[Policy]float64{}
	for _, policy := range []Policy{Minimal, Valiant, UGAL} {
		topo, err := Dragonfly(terminals(groups, p, a, h, policy))
		built(t, topo, err)
		n := NodeID(topo.Accelerators())
		load[policy] = busiest(pattern(topo, func(src NodeID) NodeID { return (src + p*a) % n }))
	}
	if load[Minimal] != a*p {
		t.Errorf("minimal: %v messages on the busiest link, want %d", load[Minimal], a*p)
	}
	if want := 2.0 * a * p / (groups - 2); math.Abs(load[Valiant]-want) > 1e-9 {
		t.Errorf("Valiant: %v messages on the busiest link, want %v", load[Valiant], want)
	}
	if load[UGAL] > 1.05*load[Valiant] {
		t.Errorf("UGAL: %v messages on the busiest link, Valiant %v", load[UGAL], load[Valiant])
	}

	// Uniform: a cable between two groups carries the (a p)^2 messages between
	// them, and on Valiant's ways twice as many.
	load = map[Policy]float64{}
	crowd, carried := map[Policy]float64{}, map[Policy]float64{}
	for _, policy := range []Policy{Minimal, Valiant, UGAL} {
		topo, err := Dragonfly(terminals(9, 2, 4, 2, policy))
		built(t, topo, err)
		for l, n := range uniform(topo) {
			var from, to, r int
			if k, _ := fmt.Sscanf(topo.LinkName(LinkID(l)), "group%d/router%d>group%d/", &from, &r, &to); k == 3 && from != to {
				load[policy] = max(load[policy], n)
			}
		}
		for seed := range uint64(20) {
			to := sim.Stream(seed, "permutation").Perm(72)
			on := pattern(topo, func(src NodeID) NodeID { return NodeID(to[src]) })
			crowd[policy] += busiest(on) / 20
			for _, n := range on {
				carried[policy] += n
			}
		}
	}
	if load[Minimal] != 8*8 || math.Abs(load[Valiant]-2*8*8) > 1e-9 {
		t.Errorf("uniform traffic: %v messages on a global cable, want 64 and, by Valiant's ways, 128", load)
	}
	if crowd[UGAL] > 0.8*crowd[Minimal] || carried[UGAL] >= carried[Valiant] {
		t.Errorf("random permutations: %v messages on the busiest link, %v on all", crowd, carried)
	}
}

func TestDragonflyDefaults(t *testing.T) {
	f := fabric(dgx(), 40, 0, 1, 0)
	topo, err := Dragonfly(f) // p = 8: 16 routers of 8 global cables, 40 of them used
	built(t, topo, err)
	if topo.Switches() != 40+3*16 || DragonflyHosts(f) != 16*(16*8+1) {
		t.Errorf("%d switches, room for %d hosts", topo.Switches(), DragonflyHosts(f))
	}
	for name, f := range map[string]Fabric{
		"too many groups":  terminals(10, 2, 4, 2, HashECMP),
		"too many hosts":   func() Fabric { f := terminals(9, 2, 4, 2, HashECMP); f.Hosts++; return f }(),
		"too many routers": func() Fabric { f := terminals(1, 1, 1, 1, HashECMP); f.Hosts, f.Routers = 2, 1<<40; return f }(),
		"a negative size":  func() Fabric { f := terminals(9, 2, 4, 2, HashECMP); f.GlobalLinks = -1; return f }(),
	} {
		if topo, err := Dragonfly(f); err == nil || topo != nil {
			t.Errorf("%s: built", name)
		}
	}
	for kind, build := range kinds {
		f := fabric(dgx(), 2, 4, 1, 8)
		f.Routing.Policy = UGAL
		if _, err := build(f); err == nil {
			t.Errorf("%s takes UGAL routing", kind)
		}
	}
}
