package collective_test

import (
	"context"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// h100s is hosts like dgx-h100 of the catalogue, on rails.
func h100s(hosts int) *topology.Topology {
	h := node(8, 8)
	h.ScaleUpBandwidth, h.NICBandwidth, h.PCIeBandwidth = 450e9, 50e9, 63e9
	h.CollectiveOverhead, h.StepOverhead = 810_000, 71_000
	return must(topology.Rail(topology.Fabric{Host: h, Hosts: hosts, HostsPerRack: 32, Oversubscription: 1, LinkLatency: 32_000, SwitchLatency: 13_000}))
}

// A ring all-reduce over 16,384 accelerators as one activity: planned and run.
// Eight rings of 16,384 hops, 491 k hops in all over 65,536 links.
func BenchmarkRingAllReduce16384(b *testing.B) {
	topo := h100s(2048)
	ranks := accelerators(topo.Accelerators())
	b.Run("plan", func(b *testing.B) {
		for b.Loop() {
			must(collective.NewPlanner(topo).Plan(collective.AllReduce, collective.Ring, ranks))
		}
	})
	plan := must(collective.NewPlanner(topo).Plan(collective.AllReduce, collective.Ring, ranks))
	b.Run("network", func(b *testing.B) { // its state of every link
		for b.Loop() {
			cluster.New(sim.New(), topo, 0)
		}
	})
	b.Run("again", func(b *testing.B) { // one more on a network that has carried one
		engine := sim.New()
		c := cluster.New(engine, topo, 0)
		it := cluster.Collective{Plan: plan, Size: 1 << 30, Owner: c.Owner("it"), Actor: engine.Register(&stopwatch{})}
		for b.Loop() {
			c.Launch(it)
			if err := engine.Run(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("plan+run", func(b *testing.B) {
		var took sim.Time
		for b.Loop() {
			plan := must(collective.NewPlanner(topo).Plan(collective.AllReduce, collective.Ring, ranks))
			took = timeOf(topo, plan, 1<<30, false)
		}
		b.ReportMetric(took.Seconds()*1e3, "simulated-ms")
	})
}

// A ring all-reduce message by message: where all links are alike, and where two rings
// leave a rack over one up-link.
func BenchmarkExploded(b *testing.B) {
	for _, c := range []struct {
		name  string
		topo  *topology.Topology
		rings [][]topology.NodeID
	}{
		{"alone", bare("switch", 256, 50e9, sim.Microsecond), [][]topology.NodeID{accelerators(256)}},
		{"shared", leafSpine(64, 4, 1, 2), [][]topology.NodeID{accelerators(256)[4:132], accelerators(256)[132:252]}},
	} {
		b.Run(c.name, func(b *testing.B) {
			messages := 0
			for b.Loop() {
				engine := sim.New()
				on := cluster.New(engine, c.topo, 0)
				messages = 0
				for _, ranks := range c.rings {
					plan := must(collective.NewPlanner(c.topo).Plan(collective.AllReduce, collective.Ring, ranks))
					on.Launch(cluster.Collective{Plan: plan, Size: 1 << 28, Explode: true, Actor: engine.Register(&stopwatch{})})
					messages += len(ranks) * plan.Steps
				}
				if err := engine.Run(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(messages)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
