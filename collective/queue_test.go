package collective_test

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Rings of eight ranks sum 64 MiB in K = 14 steps of 8 MiB, T = 167.8 us at 50 GB/s. The
// last hop but one shares its link:
//
//   - with a transfer that stays, it has half of it. In the coupled form each step takes
//     l + 2T. In the exploded one its rank has the next message before the one before has
//     left, as the other hops pass it on around the ring in (n-1)(l + T) < (n-1) 2T: it
//     sends all the time, and its queue hides all latencies but the first, l + K 2T.
//   - with one of 40 MB and no latency, the hop sends as much until that has ended, and
//     then goes on alone: the link carries both without a gap, in either form.
func TestTwoOnOneLink(t *testing.T) {
	const n, size, b, steps = 8, 1 << 26, 50e9, 14
	const each = float64(size) / n
	for _, c := range []struct {
		name              string
		latency           sim.Time
		other             float64
		coupled, exploded float64
	}{
		{"nothing else", sim.Microsecond, 0, steps * (1e-6 + each/b), steps * (1e-6 + each/b)},
		{"a transfer that stays", sim.Microsecond, 1e12, steps * (1e-6 + 2*each/b), 1e-6 + steps*2*each/b},
		{"a transfer that ends", 0, 40e6, (steps*each + 40e6) / b, (steps*each + 40e6) / b},
	} {
		topo := bare("ring", n, b, c.latency)
		plan := must(collective.NewPlanner(topo).Plan(collective.AllReduce, collective.Ring, accelerators(n)))
		coupled, exploded := both(topo, plan, size, network.Transfer{Bytes: c.other, Links: topo.Route(6, 7, 0, nil), Latency: c.latency, Owner: network.NoOwner})
		slack := (halfATickAStep(plan) + 1).Seconds()
		if math.Abs(coupled.Seconds()-c.coupled) > slack || math.Abs(exploded.Seconds()-c.exploded) > slack {
			t.Errorf("beside %s: coupled %v, exploded %v; want %v s and %v s", c.name, coupled, exploded, c.coupled, c.exploded)
		}
	}
}

// Two rings of four hosts, three hosts under a leaf with one up-link: hosts 0 to 3 come
// back to host 0 from the second leaf, hosts 4 to 7 leave it on their way. Each has half of
// that up-link for its 6 messages, which follow each other, and the way over the spine
// once: two PCIe hops, two cables, two up-links, three switches. It is what the coupled
// form takes, but for the latency of the other steps.
func TestTwoRingsOverOneUplink(t *testing.T) {
	const size, steps = 1 << 26, 6
	topo := must(topology.LeafSpine(topology.Fabric{
		Host: node(1, 1), Hosts: 8, HostsPerRack: 3, Oversubscription: 3, LinkLatency: 3 * us / 10, SwitchLatency: us / 10,
	}))
	engine := sim.New()
	c := cluster.New(engine, topo, 0)
	var rings [2]stopwatch
	for i := range rings {
		plan := must(collective.NewPlanner(topo).Plan(collective.AllReduce, collective.Ring, accelerators(8)[4*i:4*i+4]))
		plan.SetOverhead(0)
		c.Launch(cluster.Collective{Plan: plan, Size: size, Owner: c.Owner("it"), Explode: true, Actor: engine.Register(&rings[i])})
	}
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	way := sim.Time(0)
	for _, l := range topo.Route(3, 0, 0, nil) {
		way += topo.Links[l].Latency
	}
	want := way.Seconds() + steps*2*float64(size)/4/25e9
	for i := range rings {
		if got := rings[i].ended.Seconds(); math.Abs(got-want) > 6e-11 {
			t.Errorf("ring %d takes %v s, want %v", i, got, want)
		}
	}
}

// Two hosts of eight under a leaf each, eight rings of 16 ranks through both, a byte to
// sum: 30 steps around a ring of 14 hops inside hosts, 0.1 us each, and two between
// them, of four cables, 0.3 us, and three switches, 0.1 us: twice around less two hops.
// Latencies of messages that wait for their turn pass meanwhile, also where
// each finds its way through the fabric when it is its turn.
func TestLatencyPassesInQueues(t *testing.T) {
	for _, policy := range []topology.Policy{topology.HashECMP, topology.Spray, topology.Adaptive} {
		topo := must(topology.LeafSpine(topology.Fabric{
			Host: node(8, 8), Hosts: 2, HostsPerRack: 1, Oversubscription: 1, LinkLatency: 3 * us / 10, SwitchLatency: us / 10,
			Routing: topology.Routing{Policy: policy},
		}))
		plan := must(collective.NewPlanner(topo).Plan(collective.AllReduce, collective.Ring, accelerators(16)))
		plan.SetOverhead(0)
		coupled, exploded := both(topo, plan, 1)
		want := 2*(14*0.1e-6+2*(4*0.3e-6+3*0.1e-6)) - 2*0.1e-6
		if math.Abs(coupled.Seconds()-want) > 1e-9 || math.Abs(exploded.Seconds()-want) > 1e-9 {
			t.Errorf("%v: coupled %v, exploded %v, want %v s", policy, coupled, exploded, want)
		}
	}
}

// Whatever else is under way, a ring in the exploded form takes at most
//
//	L + K s / r,  r = least over its links of capacity / (its hops + other transfers)
//
// for K steps of s bytes with a longest way of L. As messages leave in order, a hop has
// one at a time on its links, and max-min fairness leaves that at least r. A message waits
// for the one that its rank received, of the step before, or leaves behind the one that it
// sent in the step before: going back from the last, each step costs at most s/r, and the
// latency of the next hop around the ring or none.
//
// The coupled form, which moves at r or faster and takes L besides, has the same bound, and
// takes exactly that where nothing else is under way, as r is then its rate. So alone it
// is never the faster one. Neither is faster than the bytes over the narrowest link.
func TestExplodedRingIsBoundByFairShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topo := drawFabric(t)
		n := topo.Accelerators()
		op := rapid.SampledFrom([]collective.Op{collective.AllReduce, collective.AllGather, collective.ReduceScatter}).Draw(t, "op")
		ranks := accelerators(n)[:rapid.IntRange(2, n).Draw(t, "ranks")]
		plan := must(collective.NewPlanner(topo).Plan(op, collective.Ring, ranks))
		plan.SetOverhead(0)
		phase := &plan.Phases[0]
		size := math.Exp2(rapid.Float64Range(0, 32).Draw(t, "log2 size"))
		idle := plan.Predict(size)
		var others []network.Transfer
		for range rapid.IntRange(0, 6).Draw(t, "others") {
			pair := rapid.Permutation(accelerators(n)).Draw(t, "pair")
			others = append(others, network.Transfer{
				Links: topo.Route(pair[0], pair[1], 0, nil), Owner: network.NoOwner,
				Bytes: size * rapid.Float64Range(0, 4).Draw(t, "bytes"), Start: sim.FromSeconds(idle * rapid.Float64Range(0, 3).Draw(t, "start")),
			})
		}
		crossing, carried := map[topology.LinkID]float64{}, map[topology.LinkID]float64{}
		for _, o := range others {
			for _, l := range o.Links {
				crossing[l]++
				carried[l] += o.Bytes
			}
		}
		r, alone := math.Inf(1), math.Inf(1)
		for i, l := range phase.Links {
			r = min(r, topo.Links[l].Payload/(phase.Counts[i]+crossing[l]))
			alone = min(alone, topo.Links[l].Payload/phase.Counts[i])
			carried[l] += phase.Counts[i] * phase.Share * size
		}
		ticks := sim.Time(plan.Steps + 2).Seconds()
		for _, explode := range []bool{false, true} {
			took, bytes := carry(topo, plan, size, explode, others)
			if bound := phase.Latency.Seconds() + phase.Share*size/r; took.Seconds() > bound*(1+1e-9)+ticks {
				t.Fatalf("exploded %v: %v, at least fair shares of all links would take %v s", explode, took, bound)
			}
			if bound := phase.Share * size / alone; took.Seconds() < bound*(1-1e-9)-ticks {
				t.Fatalf("exploded %v: %v, the narrowest link needs %v s", explode, took, bound)
			}
			for l, want := range carried {
				if got := bytes[l]; math.Abs(got-want) > 1e-9*want {
					t.Fatalf("exploded %v: link %s carries %v bytes, want %v", explode, topo.LinkName(l), got, want)
				}
			}
		}
	})
}

// drawFabric draws a topology of a few accelerators.
func drawFabric(t *rapid.T) *topology.Topology {
	if kind := rapid.SampledFrom([]string{"ring", "switch", "hosts"}).Draw(t, "kind"); kind != "hosts" {
		return bare(kind, rapid.IntRange(2, 12).Draw(t, "n"), rapid.Float64Range(1e9, 1e11).Draw(t, "bandwidth"), sim.Time(rapid.Int64Range(0, 1e6).Draw(t, "latency")))
	}
	acc := rapid.IntRange(1, 4).Draw(t, "accelerators")
	return leafSpine(rapid.IntRange(2, 5).Draw(t, "hosts"), acc, rapid.IntRange(1, acc).Draw(t, "nics"), rapid.SampledFrom([]float64{1, 2, 4}).Draw(t, "oversubscription"))
}

// carry runs a plan beside other transfers to the end of all of them, and gives the time
// that it took and the bytes of each link.
func carry(topo *topology.Topology, plan *collective.Plan, size float64, explode bool, others []network.Transfer) (sim.Time, []float64) {
	engine := sim.New()
	c := cluster.New(engine, topo, 0)
	for i := range others {
		c.Network.Add(&others[i])
	}
	var watch stopwatch
	c.Launch(cluster.Collective{Plan: plan, Size: size, Owner: c.Owner("it"), Explode: explode, Actor: engine.Register(&watch)})
	if err := engine.Run(context.Background()); err != nil {
		panic(err)
	}
	bytes := make([]float64, len(topo.Links))
	for l := range bytes {
		bytes[l] = c.Network.Use(topology.LinkID(l)).Bytes
	}
	return watch.ended, bytes
}
