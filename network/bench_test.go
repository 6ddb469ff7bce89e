package network

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// poisson is flows of exponential size (1 MB in the mean) that arrive as a
// Poisson process between random hosts of a k-ary fat tree of 50 GB/s links,
// routed D-mod-k: the traffic of which simulators of data centres are asked.
func poisson(k, flows int, load float64, seed uint64) (*topology.Topology, []Transfer) {
	h, hosts := k/2, k*k*k/4
	const rate = 50e9
	links := make([]topology.BareLink, 6*hosts)
	for i := range links {
		links[i] = topology.BareLink{Name: fmt.Sprint(i), Capacity: rate}
	}
	topo, err := topology.Links(links)
	if err != nil {
		panic(err)
	}
	r := sim.Stream(seed, "poisson")
	now := 0.0
	transfers := make([]Transfer, flows)
	for i := range transfers {
		now += r.ExpFloat64() * 1e6 / (load * float64(hosts) * rate)
		s, d := r.IntN(hosts), r.IntN(hosts-1)
		if d >= s {
			d++
		}
		route := []topology.LinkID{topology.LinkID(s)}
		ps, es, pd, ed := s/(h*h), s/h%h, d/(h*h), d/h%h
		a, c := d%h, d/h%h
		if ps != pd || es != ed {
			route = append(route, topology.LinkID(2*hosts+(ps*h+es)*h+a))
			if ps != pd {
				route = append(route, topology.LinkID(4*hosts+(ps*h+a)*h+c), topology.LinkID(5*hosts+(pd*h+a)*h+c))
			}
			route = append(route, topology.LinkID(3*hosts+(pd*h+ed)*h+a))
		}
		route = append(route, topology.LinkID(hosts+d))
		transfers[i] = Transfer{Start: sim.FromSeconds(now), Bytes: math.Round(1000 + r.ExpFloat64()*1e6), Links: route, Owner: NoOwner}
	}
	return topo, transfers
}

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
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				play(b, topo, transfers)
			}
			b.ReportMetric(float64(b.N)*float64(c.flows)/b.Elapsed().Seconds(), "flows/s")
		})
	}
}

// allToAll is a message of random size from every host of a switch to every other.
func allToAll(hosts int) (*topology.Topology, []Transfer) {
	topo, err := topology.Switch(hosts, 50e9, 0)
	if err != nil {
		panic(err)
	}
	r := sim.Stream(1, "all-to-all")
	var transfers []Transfer
	for i := range topology.NodeID(hosts) {
		for j := range topology.NodeID(hosts) {
			if i != j {
				transfers = append(transfers, Transfer{Bytes: math.Round(1e5 + 1e6*r.Float64()), Links: topo.Route(i, j, 0, nil), Owner: NoOwner})
			}
		}
	}
	return topo, transfers
}

// BenchmarkAllToAll is the dense case: each end changes the rates of many.
func BenchmarkAllToAll(b *testing.B) {
	for _, hosts := range []int{16, 64, 128} {
		b.Run(fmt.Sprintf("hosts=%d", hosts), func(b *testing.B) {
			topo, transfers := allToAll(hosts)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				play(b, topo, transfers)
			}
			b.ReportMetric(float64(b.N)*float64(len(transfers))/b.Elapsed().Seconds(), "flows/s")
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
