package collective

import (
	"fmt"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Rings follow NCCL's channels: each is a permutation of the ranks, passes every
// host in one go, and enters and leaves it by a NIC of its own.
func TestRings(t *testing.T) {
	for _, c := range []struct{ hosts, accelerators, nics, rings int }{
		{1, 8, 8, 1}, // inside a host there is rank order alone
		{2, 8, 8, 8}, {16, 8, 8, 8}, {3, 8, 4, 4}, {3, 8, 1, 1}, {4, 16, 8, 8}, {4, 6, 4, 4}, {5, 1, 1, 1}, {3, 4, 3, 3},
	} {
		t.Run(fmt.Sprintf("%d_hosts_%d_accelerators_%d_nics", c.hosts, c.accelerators, c.nics), func(t *testing.T) {
			topo, err := topology.Rail(topology.Fabric{
				Host: topology.Host{
					Accelerators: c.accelerators, ScaleUpBandwidth: 1e9, ScaleUpEfficiency: 1,
					NICs: c.nics, NICBandwidth: 1e9, NICEfficiency: 1, PCIeBandwidth: 1e9,
				},
				Hosts: c.hosts, HostsPerRack: 32, Oversubscription: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			n := topo.Accelerators()
			ranks := make([]topology.NodeID, n)
			for i := range ranks {
				ranks[i] = topology.NodeID(i)
			}
			rings := NewPlanner(topo).rings(ranks)
			if len(rings) != c.rings {
				t.Fatalf("%d rings, want %d", len(rings), c.rings)
			}
			entries := map[topology.NodeID]int{} // NICs that rings enter by
			exits := map[topology.NodeID]int{}
			for i, ring := range rings {
				seen := make([]bool, n)
				crossings := 0
				for p, r := range ring {
					if seen[r] {
						t.Fatalf("ring %d passes rank %d twice: %v", i, r, ring)
					}
					seen[r] = true
					next := ring[(p+1)%n]
					if topo.Server(ranks[r]) != topo.Server(ranks[next]) {
						crossings++
						exits[topo.NIC(ranks[r])]++
						entries[topo.NIC(ranks[next])]++
					}
				}
				if len(ring) != n {
					t.Fatalf("ring %d has %d of %d ranks", i, len(ring), n)
				}
				if want := c.hosts; c.hosts > 1 && crossings != want {
					t.Errorf("ring %d leaves hosts %d times; there are %d hosts", i, crossings, want)
				}
			}
			if c.hosts > 1 {
				if len(entries) != c.hosts*c.rings || len(exits) != c.hosts*c.rings {
					t.Errorf("rings enter by %d NICs and leave by %d, of %d", len(entries), len(exits), c.hosts*c.nics)
				}
			}
		})
	}
}

// The longest way round a ring of unequal hops, against trying every start.
func TestLongestWay(t *testing.T) {
	ring := []int64{3, 1, 4, 1, 5, 9, 2}
	hops := make([]sim.Time, len(ring))
	for i, v := range ring {
		hops[i] = sim.Time(v)
	}
	for count := range 4 * len(ring) {
		var want sim.Time
		for start := range ring {
			var way sim.Time
			for i := range count {
				way += hops[(start+i)%len(ring)]
			}
			want = max(want, way)
		}
		if got := longestWay(hops, count); got != want {
			t.Errorf("%d hops: %d, want %d", count, got, want)
		}
	}
}
