package blocking_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/network/blocking"
	"github.com/railyard/railyard/network/packet"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// fatTree is k^3/4 hosts of one accelerator behind one NIC of 400 Gbit/s.
func fatTree(t testing.TB, k int) *topology.Topology {
	t.Helper()
	topo, err := topology.FatTree(topology.Fabric{
		Host: topology.Host{
			Name: "one", Accelerators: 1, NICs: 1, ScaleUpEfficiency: 1, ScaleUpBandwidth: 50e9,
			NICBandwidth: 50e9, NICEfficiency: 1, PCIeBandwidth: 50e9,
		},
		Hosts: k * k * k / 4, Ports: k, LinkLatency: units.Duration(sim.Microsecond),
	})
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

// permutation has every host of a fat tree send 2 MB to one other, and gives when each
// message ended, in seconds. Without a carrier the network is a fluid.
func permutation(t testing.TB, topo *topology.Topology, seed uint64, carrier func(*sim.Engine, network.Observer) network.Carrier) []float64 {
	t.Helper()
	engine := sim.New()
	n := network.New(engine, topo, 0)
	if carrier != nil {
		n.Ship(func(o network.Observer) network.Carrier { return carrier(engine, o) })
	}
	var ids []network.ID
	for from, to := range rand.New(rand.NewPCG(seed, 7)).Perm(topo.Accelerators()) {
		if from == to {
			continue
		}
		x := &network.Transfer{Bytes: 2e6, Owner: network.NoOwner}
		x.Links = topo.Route(topology.NodeID(from), topology.NodeID(to), seed, nil)
		for _, l := range x.Links {
			x.Latency += topo.Links[l].Latency
		}
		ids = append(ids, n.Add(x))
	}
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	ends := make([]float64, len(ids))
	for i, id := range ids {
		_, end, _ := n.Times(id)
		ends[i] = end.Seconds()
	}
	return ends
}

func throughQueues(topo *topology.Topology) func(*sim.Engine, network.Observer) network.Carrier {
	return func(e *sim.Engine, o network.Observer) network.Carrier { return blocking.New(e, topo, o) }
}

// off is how far times are off others: the last, and all in the mean.
func off(got, want []float64) (last, mean float64) {
	var lastGot, lastWant float64
	for i := range got {
		lastGot, lastWant = max(lastGot, got[i]), max(lastWant, want[i])
		mean += math.Abs(got[i]/want[i]-1) / float64(len(got))
	}
	return lastGot/lastWant - 1, mean
}

// TestEfficiency holds permutations of 128 hosts to packets with pauses at 15 packets of
// 9,000 bytes: closer than max-min in the last end and in all.
func TestEfficiency(t *testing.T) {
	topo := fatTree(t, 8)
	o := packet.Default()
	o.MTU, o.Buffer, o.Alpha, o.Pause, o.Resume = 9000, 1<<40, 1, 15*9000, 3*9000
	byPackets := func(e *sim.Engine, w network.Observer) network.Carrier { return packet.New(e, topo, o, w) }
	const seeds = 8
	var lasts, means, fluidLasts, fluidMeans float64
	for seed := range uint64(seeds) {
		want := permutation(t, topo, seed, byPackets)
		last, mean := off(permutation(t, topo, seed, throughQueues(topo)), want)
		fluidLast, fluidMean := off(permutation(t, topo, seed, nil), want)
		t.Logf("seed %d: last %+.1f %%, mean %.1f %%; max-min %+.1f %%, %.1f %%", seed, 100*last, 100*mean, 100*fluidLast, 100*fluidMean)
		lasts += math.Abs(last) / seeds
		means += mean / seeds
		fluidLasts += math.Abs(fluidLast) / seeds
		fluidMeans += fluidMean / seeds
	}
	t.Logf("all: %.1f %%, %.1f %%; max-min %.1f %%, %.1f %%", 100*lasts, 100*means, 100*fluidLasts, 100*fluidMeans)
	if lasts > 0.12 || means > 0.12 {
		t.Errorf("the last ends are off by %.1f %% and all by %.1f %% in the mean, want 12 %%", 100*lasts, 100*means)
	}
	if lasts > fluidLasts || means > fluidMeans {
		t.Errorf("max-min is closer: %.1f %% and %.1f %%", 100*fluidLasts, 100*fluidMeans)
	}
}

// BenchmarkPermutation grows with the square of the hosts and more: see Cost.
func BenchmarkPermutation(b *testing.B) {
	for _, k := range []int{4, 8, 16} {
		topo := fatTree(b, k)
		b.Run(fmt.Sprintf("hosts=%d", topo.Accelerators()), func(b *testing.B) {
			for b.Loop() {
				permutation(b, topo, 1, throughQueues(topo))
			}
			b.ReportMetric(float64(b.N*topo.Accelerators())/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// Message 1 goes to an idle link, but shares one with message 0, which waits for a busy
// link: it moves at the pace of that, less a fifth. Max-min would let it end first.
func Example() {
	topo, err := topology.Links([]topology.BareLink{
		{Name: "in", Capacity: 1e9}, {Name: "other", Capacity: 1e9}, {Name: "shared", Capacity: 1e9}, {Name: "busy", Capacity: 0.25e9}, {Name: "idle", Capacity: 1e9},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	engine := sim.New()
	n := network.New(engine, topo, 0)
	n.Ship(func(o network.Observer) network.Carrier { return blocking.New(engine, topo, o) })
	for _, route := range [][]topology.LinkID{{0, 2, 3}, {1, 2, 4}} {
		n.Add(&network.Transfer{Bytes: 1e6, Links: route, Owner: network.NoOwner})
	}
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	for id := range network.ID(2) {
		_, end, _ := n.Times(id)
		fmt.Printf("message %d ends at %v\n", id, end)
	}
	// Output:
	// message 0 ends at 4ms
	// message 1 ends at 4.2ms
}
