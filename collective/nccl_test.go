package collective_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// near fails unless two figures agree to a part in 10^4.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-4*math.Abs(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Double binary trees (Sanders, Speck, Träff 2009) carry the vector twice over the
// link of a node, whatever their number of nodes, once where there are two: an inner
// node of one tree, a leaf of the other, sends half of it up in both and down to two
// children. Every chunk goes up and down the depth of the trees.
func TestDoubleBinaryTrees(t *testing.T) {
	const size, bandwidth, latency = 1 << 30, 50e9, 1e-6
	for _, c := range []struct {
		n, depth int
		vectors  float64
	}{{2, 1, 1}, {4, 2, 2}, {8, 3, 2}, {16, 4, 2}, {64, 6, 2}, {512, 9, 2}} {
		plan := must(collective.NewPlanner(star(c.n)).Plan(collective.AllReduce, collective.Tree, accelerators(c.n)))
		near(t, fmt.Sprintf("%d ranks", c.n), plan.Predict(size), c.vectors*size/bandwidth+2*float64(c.depth)*latency)
		if plan.Steps != 2*c.depth {
			t.Errorf("%d ranks take %d steps, want %d", c.n, plan.Steps, 2*c.depth)
		}
	}
	// Of any number of ranks: each node has at most two children and a way to the root.
	for n := 2; n < 70; n++ {
		plan := must(collective.NewPlanner(star(n)).Plan(collective.AllReduce, collective.Tree, accelerators(n)))
		if up := math.Ceil(math.Log2(float64(n))); float64(plan.Steps) > 2*up {
			t.Errorf("%d ranks take %d steps; trees of that many are %v deep", n, plan.Steps, up)
		}
		if got := plan.Predict(size) * bandwidth / size; got > 2.01 && n%2 == 0 || got > 2.51 {
			t.Errorf("%d ranks carry %v vectors over a link", n, got)
		}
	}
}

// PAT takes ceil(log2 n) steps and sends no byte more than a ring.
func TestPAT(t *testing.T) {
	const size, bandwidth, latency = 1 << 20, 50e9, 1e-6
	for _, n := range []int{2, 3, 5, 8, 13, 64} {
		steps := math.Ceil(math.Log2(float64(n)))
		for _, op := range []collective.Op{collective.AllGather, collective.ReduceScatter} {
			plan := must(collective.NewPlanner(star(n)).Plan(op, collective.PAT, accelerators(n)))
			near(t, fmt.Sprint(op, n), plan.Predict(size), steps*latency+float64(n-1)/float64(n)*size/bandwidth)
		}
	}
}

// nvswitch is hosts in round figures whose switch can add, without software.
func nvswitch(hosts, accelerators int) *topology.Topology {
	h := node(accelerators, accelerators)
	h.NVLSEfficiency = 1
	return must(topology.Rail(topology.Fabric{
		Host: h, Hosts: hosts, HostsPerRack: 4, Oversubscription: 1, LinkLatency: us / 5, SwitchLatency: us / 10,
	}))
}

// The bus bandwidth of sums in the switch of one host: 2 (n - 1)/(n + 1) of the port,
// and (n - 1)/n for each half of it.
func TestNVLS(t *testing.T) {
	const size, port = 1 << 36, 300e9
	for _, n := range []int{2, 4, 5, 8} {
		planner := collective.NewPlanner(nvswitch(1, 8))
		f := float64(n)
		for op, want := range map[collective.Op]float64{
			collective.AllReduce: 2 * (f - 1) / (f + 1), collective.AllGather: (f - 1) / f, collective.ReduceScatter: (f - 1) / f,
		} {
			plan := must(planner.Plan(op, collective.NVLS, accelerators(n)))
			_, busbw := collective.Bandwidth(op, n, size, plan.Predict(size))
			near(t, fmt.Sprint(op, n), busbw, want*port)
		}
	}
	// What its switch reaches less than its ports costs time, not bytes.
	h := node(8, 8)
	h.NVLSEfficiency = 0.5
	plan := must(collective.NewPlanner(must(topology.SingleHost(h))).Plan(collective.AllReduce, collective.NVLS, accelerators(8)))
	_, busbw := collective.Bandwidth(collective.AllReduce, 8, size, plan.Predict(size))
	near(t, "half the rate", busbw, 14./9*port/2)
	for i, l := range plan.Phases[0].Links {
		near(t, fmt.Sprint("link ", l), plan.Phases[0].Counts[i]*plan.Phases[0].Share, 9./8)
	}
}

// Between hosts the shards of the owners go over double binary trees, half of each
// vector twice over a NIC, or over two hosts once; with sums in the fabric once.
func TestSumsBetweenHosts(t *testing.T) {
	const size, nic = 1 << 36, 25e9
	for _, c := range []struct {
		a       collective.Algorithm
		hosts   int
		vectors float64 // over a NIC, of a shard
	}{
		{collective.NVLS, 2, 1},
		{collective.NVLS, 8, 2},
		{collective.SHARP, 2, 1},
		{collective.SHARP, 8, 1},
		{collective.SHARP, 9, 1}, // three racks
	} {
		topo := nvswitch(c.hosts, 4)
		plan := must(collective.NewPlanner(topo).Plan(collective.AllReduce, c.a, accelerators(topo.Accelerators())))
		// NICs bind: what the switches of hosts lose is hidden.
		near(t, fmt.Sprint(c.a, c.hosts), plan.Predict(size), c.vectors*size/4/nic)
	}
	// Of SHARP a link between switches carries a shard once each way.
	topo := nvswitch(9, 4)
	plan := must(collective.NewPlanner(topo).Plan(collective.AllReduce, collective.SHARP, accelerators(36)))
	between := 0
	for i, l := range plan.Phases[0].Links {
		link := topo.Links[l]
		first := topology.NodeID(topo.Accelerators() + topo.NICs())
		if link.From < first || link.To < first {
			continue
		}
		between++
		near(t, topo.LinkName(l), plan.Phases[0].Counts[i]*plan.Phases[0].Share, 1./4)
	}
	// Two of the three racks send up to a spine and on to the first, and back, on four
	// rails; where both take the same spine they share the way from there.
	if between < 6*4 || between > 8*4 {
		t.Errorf("sums cross %d links between switches, want 24 to 32", between)
	}
}

// Hierarchical collectives use NVLink for what a host can do and every rail for its
// shard: reduce-scatter and all-gather inside, rings between.
func TestHierarchical(t *testing.T) {
	const size, port, nic = 1 << 36, 300e9, 25e9
	topo := rail(4, 8, 8)
	inside, between := 7./8*size/port, size/8/nic*3/4
	for op, want := range map[collective.Op]float64{
		collective.AllReduce:     2*inside + 2*between,
		collective.AllGather:     inside + between,
		collective.ReduceScatter: inside + between,
		// To three hosts a quarter each over eight NICs; then seven in eight hands on.
		collective.AllToAll: 7./8*size/port + 3./4*size/nic,
	} {
		plan := must(collective.NewPlanner(topo).Plan(op, collective.Hierarchical, accelerators(32)))
		near(t, op.String(), plan.Predict(size), want)
	}
	if _, err := collective.NewPlanner(topo).Plan(collective.AllReduce, collective.Hierarchical, accelerators(12)); err == nil {
		t.Error("eight ranks in one host and four in another are refused")
	}
}

// The tuner's choice as NCCL's: LL for the smallest sizes, then LL128, then Simple;
// trees or NVLS between hosts while latency counts, never a slower plan than another.
func TestTuner(t *testing.T) {
	h := node(8, 8)
	h.CollectiveOverhead, h.StepOverhead, h.NetworkOverhead, h.SimpleOverhead, h.RampOverhead = 5*us, 7*us/10, 7*us, 6*us, 50*us
	one := must(collective.NewPlanner(must(topology.SingleHost(h))).Plan(collective.AllReduce, collective.Ring, accelerators(8)))
	last := collective.LL
	seen := map[collective.Protocol]bool{}
	for size := 8.0; size < 1e10; size *= 2 {
		p := one.Protocol(size)
		if p < last {
			t.Errorf("%v B by %v, less by %v", size, p, last)
		}
		last, seen[p] = p, true
	}
	if len(seen) != 3 {
		t.Errorf("protocols chosen: %v", seen)
	}
	if p := must(collective.NewPlanner(star(8)).Plan(collective.AllReduce, collective.Ring, accelerators(8))).Protocol(8); p != collective.NoProtocol {
		t.Errorf("bare accelerators have protocol %v", p)
	}

	many := must(topology.Rail(topology.Fabric{Host: h, Hosts: 32, HostsPerRack: 32, Oversubscription: 1, LinkLatency: us / 5, SwitchLatency: us / 10}))
	plans := must(collective.NewPlanner(many).Plans(collective.AllReduce, accelerators(256)))
	if a := plans.Fastest(8).Algorithm; a != collective.Tree {
		t.Errorf("8 B over 32 hosts by %v", a)
	}
	for size := 8.0; size < 1e10; size *= 2 {
		best := plans.Fastest(size)
		for _, p := range plans {
			if p.Predict(size) < best.Predict(size) {
				t.Errorf("%v B by %v, though %v is faster", size, best.Algorithm, p.Algorithm)
			}
		}
	}

	// Send and receive take LL up to 16 KiB a message, never LL128.
	all := must(collective.NewPlanner(must(topology.SingleHost(h))).Plan(collective.AllToAll, collective.Direct, accelerators(8)))
	for size, want := range map[float64]collective.Protocol{1024: collective.LL, 1 << 18: collective.Simple, 1 << 30: collective.Simple} {
		if p := all.Protocol(size); p != want {
			t.Errorf("all-to-all of %v B by %v, want %v", size, p, want)
		}
	}
}

// A ring over many hosts waits for its steps where messages are small; large ones
// cover them.
func TestRingHidesSteps(t *testing.T) {
	h := node(1, 1)
	h.NetworkOverhead = 7 * us
	const hosts = 64
	topo := must(topology.Rail(topology.Fabric{Host: h, Hosts: hosts, HostsPerRack: hosts, Oversubscription: 1}))
	plan := must(collective.NewPlanner(topo).Plan(collective.AllReduce, collective.Ring, accelerators(hosts)))
	if got, want := plan.Launch(0), sim.Time(2*(hosts-1)*7*us); got != want {
		t.Errorf("no bytes wait for %v, want %v", got, want)
	}
	if got := plan.Launch(1 << 34); got != 0 || plan.Protocol(1<<34) != collective.Simple {
		t.Errorf("16 GiB wait for %v by %v", got, plan.Protocol(1<<34))
	}
	last := 0.0
	for size := 1.0; size < 1e11; size *= 1.3 {
		if now := plan.Predict(size); now < last-sim.Tick.Seconds() { // but for rounding
			t.Errorf("%v B take %v s, less take %v", size, now, last)
		} else {
			last = now
		}
	}
}

// What cannot be carried out on a topology says why.
func TestSupports(t *testing.T) {
	for _, c := range []struct {
		topo *topology.Topology
		a    collective.Algorithm
		ok   bool
	}{
		{star(4), collective.NVLS, false},
		{star(4), collective.SHARP, false},
		{star(4), collective.Tree, true},
		{rail(2, 4, 4), collective.NVLS, false},
		{rail(2, 4, 4), collective.SHARP, true},
		{nvswitch(1, 4), collective.SHARP, false},
		{nvswitch(1, 4), collective.NVLS, true},
	} {
		err := collective.Supports(c.topo, c.a)
		if (err == nil) != c.ok {
			t.Errorf("%v on %s: %v", c.a, c.topo.Kind, err)
		}
		_, planned := collective.NewPlanner(c.topo).Plan(collective.AllReduce, c.a, accelerators(c.topo.Accelerators()))
		if (planned == nil) != c.ok {
			t.Errorf("%v on %s: planned, %v", c.a, c.topo.Kind, planned)
		}
	}
}
