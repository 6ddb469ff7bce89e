package topology

import (
	"testing"

	"github.com/railyard/railyard/sim"
)

// large is 100,000 accelerators in 12,500 hosts on rails, groups of 32.
func large() Fabric { return fabric(dgx(), 12_500, RailHostsPerRack, 1, 0) }

// BenchmarkBuild builds 100,000 accelerators: O(nodes + links).
func BenchmarkBuild(b *testing.B) {
	b.ReportAllocs()
	links := 0
	for range b.N {
		topo, err := Rail(large())
		if err != nil {
			b.Fatal(err)
		}
		links = len(topo.Links)
	}
	b.ReportMetric(float64(links)*float64(b.N)/b.Elapsed().Seconds(), "links/s")
}

// BenchmarkRoute routes a million random pairs of 100,000 accelerators.
func BenchmarkRoute(b *testing.B) {
	const pairs = 1_000_000
	topo, err := Rail(large())
	if err != nil {
		b.Fatal(err)
	}
	r := sim.Stream(1, "pairs")
	ends := make([][2]NodeID, pairs)
	for i := range ends {
		ends[i] = [2]NodeID{NodeID(r.IntN(topo.Accelerators())), NodeID(r.IntN(topo.Accelerators()))}
	}
	path := make([]LinkID, 0, 16)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for i, e := range ends {
			path = topo.Route(e[0], e[1], uint64(i), path[:0])
		}
	}
	b.ReportMetric(pairs*float64(b.N)/b.Elapsed().Seconds(), "routes/s")
}
