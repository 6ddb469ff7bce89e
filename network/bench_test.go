//go:build unix

package network

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// play runs transfers to their end, and gives the time of the last.
func play(b *testing.B, topo *topology.Topology, transfers []Transfer) sim.Time {
	engine := sim.New()
	n := New(engine, topo, 0)
	for i := range transfers {
		n.Add(&transfers[i])
	}
	if err := engine.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
	return engine.Now()
}

// cpu is the CPU time of this process in seconds, which other processes do not
// stretch.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// playAll plays a case so often as the benchmark asks for.
func playAll(b *testing.B, topo *topology.Topology, transfers []Transfer) {
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	for range b.N {
		play(b, topo, transfers)
	}
	took := cpu(b) - before
	b.ReportMetric(float64(b.N)*float64(len(transfers))/took, "flows/cpu-s")
	b.ReportMetric(took/float64(b.N), "cpu-s")
}

// BenchmarkPoisson shows how the cost grows: with the flows, with the hosts at ten
// flows each, and with the load, which is what matters, for it is how far a change
// reaches. The package comment has the figures.
func BenchmarkPoisson(b *testing.B) {
	for _, c := range []struct {
		k, flows int
		load     float64
	}{
		{16, 1000, 0.5},
		{16, 10_000, 0.5},
		{16, 100_000, 0.5},
		{16, 1_000_000, 0.5},

		{4, 160, 0.5},
		{8, 1280, 0.5},
		{32, 81_920, 0.5},
		{74, 1_013_060, 0.5},

		{16, 10_000, 0.2},
		{16, 10_000, 0.8},
		{8, 10_000, 0.8},
	} {
		b.Run(fmt.Sprintf("hosts=%d/load=%v/flows=%d", c.k*c.k*c.k/4, c.load, c.flows), func(b *testing.B) {
			topo, transfers := poisson(c.k, c.flows, c.load, 7)
			playAll(b, topo, transfers)
		})
	}
}

// BenchmarkAllToAll is the dense case: each end changes the rates of many.
func BenchmarkAllToAll(b *testing.B) {
	for _, hosts := range []int{16, 64, 128} {
		b.Run(fmt.Sprintf("hosts=%d", hosts), func(b *testing.B) {
			topo, transfers := allToAll(hosts)
			playAll(b, topo, transfers)
		})
	}
}

// BenchmarkPhase is a phase over 12,288 links that are alike (the up and down
// links of the accelerators of 768 hosts) launched again and again: a launch of it
// as it is takes time by its links, of it bundled as if it had one.
func BenchmarkPhase(b *testing.B) {
	const links, launches = 12_288, 10_000
	bare := make([]topology.BareLink, links)
	for i := range bare {
		bare[i] = topology.BareLink{Name: fmt.Sprint(i), Capacity: 450e9}
	}
	topo, err := topology.Links(bare)
	if err != nil {
		b.Fatal(err)
	}
	for _, bundled := range []bool{false, true} {
		b.Run(fmt.Sprintf("links=%d/launches=%d/bundled=%v", links, launches, bundled), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				engine := sim.New()
				n := New(engine, topo, 64)
				f := &Footprint{Links: linkIDs(links)}
				if bundled {
					n.Bundle(f)
				}
				var after []ID
				for range launches {
					id := n.Add(&Transfer{Bytes: 1e6, Latency: sim.Microsecond, Footprint: f, Owner: 0, After: after})
					after = append(after[:0], id)
				}
				if err := engine.Run(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*launches/b.Elapsed().Seconds(), "launches/s")
		})
	}
}
