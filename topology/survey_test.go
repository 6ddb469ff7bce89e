package topology

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Bisection by hand, in links of 1 GB/s or cables of a NIC.
func TestBisection(t *testing.T) {
	nic := float64(host(1, 1, ScaleUpSwitch).NICBandwidth)
	for _, c := range []struct {
		name string
		topo *Topology
		want float64
	}{
		{"a ring is cut in two places", must(Ring(16, 1e9, 0)), 2e9},
		{"a small ring", must(Ring(6, 1e9, 0)), 2e9},
		{"a switch: each of a half sends by its own link", must(Switch(16, 1e9, 0)), 8e9},
		{"a full mesh: n/2 squared", must(FullMesh(16, 1e9, 0)), 64e9},
		{"an odd switch", must(Switch(5, 1e9, 0)), 2e9},
		{"leaf-spine without oversubscription: half of the hosts", must(LeafSpine(fabric(host(8, 8, ScaleUpSwitch), 16, 4, 1, 0))), 8 * 8 * nic},
		{"oversubscribed 4 to 1", must(LeafSpine(fabric(host(8, 8, ScaleUpSwitch), 16, 4, 4, 0))), 2 * 8 * nic},
		{"under one leaf", must(LeafSpine(fabric(host(8, 8, ScaleUpSwitch), 4, 4, 4, 0))), 2 * 8 * nic},
		{"a fat tree: full", must(FatTree(fabric(host(1, 1, ScaleUpSwitch), 16, 1, 1, 4))), 8 * nic},
		{"rails", must(Rail(fabric(host(8, 8, ScaleUpSwitch), 8, 4, 2, 0))), 4 * 8 * nic / 2},
		{"one host", must(SingleHost(host(8, 8, ScaleUpSwitch))), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.topo.Bisection(); got < c.want*(1-1e-9) || got > c.want*(1+1e-9) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// No other way to halve the hosts of a fabric is worse than those that are looked at.
func TestBisectionOfFabrics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, f, topo := drawFabric(t)
		n := len(topo.Servers)
		if n < 2 || n%2 != 0 || f.Hosts%f.HostsPerRack != 0 || n/f.HostsPerRack%2 != 0 {
			t.Skip()
		}
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		half := map[int]bool{}
		for _, i := range rapid.Permutation(order).Draw(t, "order")[:n/2] {
			half[i] = true
		}
		least := topo.Bisection()
		if other := newCut(topo).flow(func(end int) bool { return half[end] }); other < least*(1-1e-9) {
			t.Fatalf("%v, but %v between %v and the others", least, other, half)
		}
	})
}

func TestSurvey(t *testing.T) {
	topo := must(FatTree(fabric(host(2, 2, ScaleUpSwitch), 8, 1, 1, 4)))
	s := topo.Survey()
	var got []string
	for i := range s.Tiers {
		got = append(got, fmt.Sprintf("%d %s %v", s.Tiers[i].Nodes, s.Tiers[i].Name, s.Tiers[i].Oversubscription()))
	}
	// k = 4: 16 NICs, 4 pods of 2 and 2 switches, 4 cores.
	want := fmt.Sprint([]string{"16 accelerators 0", "16 NICs 0", "8 scale-up switches 0", "8 edge 1", "8 agg 1", "4 core 0"})
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
	cables := 0
	for _, c := range s.Cables {
		cables += c.Count
		if c.IntoHost != (s.Tiers[c.From].Name == "NICs") || c.BetweenSwitch && c.Count != 16 {
			t.Errorf("%+v", c)
		}
	}
	if 2*cables != len(topo.Links) || s.Ports != 20*4 { // all ports of the 20 switches are in use
		t.Errorf("%d cables and %d ports for %d links", cables, s.Ports, len(topo.Links))
	}
	over := must(LeafSpine(fabric(host(8, 8, ScaleUpSwitch), 16, 4, 4, 0))).Survey()
	if leaf := over.Tiers[3]; leaf.Name != "leaf" || leaf.Oversubscription() != 4 || leaf.Nodes != 4 {
		t.Errorf("%+v", leaf)
	}
}

func TestWalk(t *testing.T) {
	// Of 8 in a ring: 2 at each distance up to 3, one at 4.
	w := must(Ring(8, 1e9, 0)).Walk(1)
	if fmt.Sprint(w.Hops) != "[0 16 16 16 8]" || w.Diameter() != 4 || w.Sampled || w.Wrong != nil || w.Mean() != (2*1+2*2+2*3+4)/7.0 {
		t.Errorf("%+v", w)
	}
	// Acc to NIC to leaf to NIC to acc, and over a spine two more; the insides of a host: 2.
	w = must(LeafSpine(fabric(host(2, 2, ScaleUpSwitch), 4, 2, 1, 0))).Walk(1)
	if fmt.Sprint(w.Hops) != "[0 0 8 0 16 0 32]" {
		t.Errorf("%+v", w)
	}
	w = must(LeafSpine(fabric(host(8, 8, ScaleUpSwitch), 128, 4, 1, 0))).Walk(7)
	if !w.Sampled || w.Pairs != mostPairs || w.Diameter() != 6 || w.Wrong != nil {
		t.Errorf("%+v", w)
	}
}
