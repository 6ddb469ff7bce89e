package packet

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// fatTree is k^3/4 hosts of one accelerator behind one NIC of 400 Gbit/s.
func fatTree(t testing.TB, k int) *topology.Topology {
	t.Helper()
	topo, err := topology.FatTree(topology.Fabric{
		Host: topology.Host{
			Name: "one", Accelerators: 1, NICs: 1, ScaleUpEfficiency: 1, ScaleUpBandwidth: rate,
			NICBandwidth: rate, NICEfficiency: 1, PCIeBandwidth: rate,
		},
		Hosts: k * k * k / 4, Ports: k, LinkLatency: units.Duration(sim.Microsecond),
	})
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

// BenchmarkPermutation has 1,024 hosts of a fat tree send 2 MB each to one other, the
// load at which htsim does 1.5 M events a CPU-second. An event is one that the engine
// handles: a packet leaves a link or arrives, a pause frame comes. The network's accounts
// and series are kept.
func BenchmarkPermutation(b *testing.B) {
	topo := fatTree(b, 16)
	for _, c := range []struct {
		name   string
		change func(*Options)
	}{
		{"roce", func(*Options) {}},
		{"dcqcn", func(o *Options) { o.ECN, o.DCQCN = true, true }},
		{"ndp", func(o *Options) { o.Transport = NDP }},
	} {
		o := Default()
		o.MTU, o.Resume = 9000, 18000
		c.change(&o)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var events uint64
			for b.Loop() {
				engine := sim.New()
				n := network.New(engine, topo, 32)
				n.Ship(func(w network.Observer) network.Carrier { return New(engine, topo, o, w) })
				for i, j := range rand.New(rand.NewPCG(1, 1)).Perm(topo.Accelerators()) {
					if from, to := topology.NodeID(i), topology.NodeID(j); from != to {
						n.Add(&network.Transfer{Bytes: 2e6, Links: topo.Route(from, to, 0, nil), Connection: network.Connection{From: from, To: to}, Owner: network.NoOwner})
					}
				}
				if err := engine.Run(context.Background()); err != nil {
					b.Fatal(err)
				}
				events += engine.Handled()
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
