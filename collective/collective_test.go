package collective_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// stopwatch notes when a collective ends.
type stopwatch struct {
	engine *sim.Engine
	ended  sim.Time
}

func (s *stopwatch) Handle(now sim.Time, _ uint64) { s.ended = now }

// timeOf launches a plan at time 0 on the real network, beside other transfers.
func timeOf(topo *topology.Topology, plan *collective.Plan, size float64, explode bool, others ...network.Transfer) sim.Time {
	engine := sim.New()
	c := cluster.New(engine, topo, 0)
	watch := &stopwatch{engine: engine, ended: -1}
	for i := range others {
		c.Network.Add(&others[i])
	}
	c.Launch(cluster.Collective{Plan: plan, Size: size, Owner: c.Owner("it"), Explode: explode, Actor: engine.Register(watch)})
	if err := engine.Run(context.Background()); err != nil {
		panic(err)
	}
	return watch.ended
}

func bare(kind string, n int, bandwidth float64, latency sim.Time) *topology.Topology {
	build := map[string]func(int, units.Rate, units.Duration) (*topology.Topology, error){
		"ring": topology.Ring, "switch": topology.Switch, "full-mesh": topology.FullMesh,
	}[kind]
	return must(build(n, units.Rate(bandwidth), units.Duration(latency)))
}

// The formulas of the package comment (Thakur, Rabenseifner, Gropp 2005), on the
// topologies where every message has a link of its own rate.
func TestClosedForms(t *testing.T) {
	log2 := func(n float64) int { return int(math.Round(math.Log2(n))) }
	halving := func(n, s, l, b float64) (sum float64) {
		for i := 1; i <= log2(n); i++ {
			sum += l + s/math.Exp2(float64(i))/b
		}
		return sum
	}
	ring := func(n, s, l, b float64) float64 { return (n - 1) * (l + s/n/b) }
	for _, c := range []struct {
		kinds     string
		op        collective.Op
		algorithm collective.Algorithm
		ranks     []int
		seconds   func(n, s, l, b float64) float64
	}{
		{
			"ring switch full-mesh", collective.AllReduce, collective.Ring,
			[]int{1, 2, 3, 5, 8, 17, 64, 512},
			func(n, s, l, b float64) float64 { return 2 * ring(n, s, l, b) },
		},
		{"ring switch full-mesh", collective.AllGather, collective.Ring, []int{1, 2, 3, 6, 8, 100}, ring},
		{"ring switch full-mesh", collective.ReduceScatter, collective.Ring, []int{1, 2, 3, 6, 8, 100}, ring},
		{
			"switch full-mesh", collective.AllReduce, collective.HalvingDoubling,
			[]int{1, 2, 4, 8, 64, 512},
			func(n, s, l, b float64) float64 { return 2 * halving(n, s, l, b) },
		},
		// The ranks beyond a power of two fold in and are sent the result.
		{
			"switch full-mesh", collective.AllReduce, collective.HalvingDoubling,
			[]int{3, 5, 6, 7, 12},
			func(n, s, l, b float64) float64 {
				return 2*(l+s/b) + 2*halving(math.Exp2(math.Floor(math.Log2(n))), s, l, b)
			},
		},
		{"switch full-mesh", collective.AllGather, collective.HalvingDoubling, []int{1, 2, 4, 32}, halving},
		{"switch full-mesh", collective.ReduceScatter, collective.HalvingDoubling, []int{1, 2, 4, 32}, halving},
		// A binomial scatter, halves first, and the all-gather (van de Geijn).
		{
			"switch full-mesh", collective.Broadcast, collective.HalvingDoubling,
			[]int{1, 2, 4, 32},
			func(n, s, l, b float64) float64 { return 2 * halving(n, s, l, b) },
		},
		{
			"switch full-mesh", collective.Reduce, collective.HalvingDoubling,
			[]int{1, 2, 4, 32},
			func(n, s, l, b float64) float64 { return 2 * halving(n, s, l, b) },
		},
		{
			"switch", collective.AllReduce, collective.Direct,
			[]int{2, 3, 8, 33},
			func(n, s, l, b float64) float64 { return 2 * (l + (n-1)*s/n/b) },
		},
		{
			"switch", collective.AllToAll, collective.Direct,
			[]int{2, 3, 8, 33, 512},
			func(n, s, l, b float64) float64 { return l + (n-1)*s/n/b },
		},
		{
			"full-mesh", collective.AllReduce, collective.Direct,
			[]int{2, 3, 8, 33},
			func(n, s, l, b float64) float64 { return 2 * (l + s/n/b) },
		},
		{
			"full-mesh", collective.AllToAll, collective.Direct,
			[]int{2, 3, 8, 33},
			func(n, s, l, b float64) float64 { return l + s/n/b },
		},
		{
			"switch", collective.Broadcast, collective.Direct,
			[]int{2, 3, 8},
			func(n, s, l, b float64) float64 { return l + (n-1)*s/b },
		},
		{
			"full-mesh", collective.Broadcast, collective.Direct,
			[]int{2, 3, 8},
			func(_, s, l, b float64) float64 { return l + s/b },
		},
		// A pipelined chain: all hops at once, the first byte meets every latency.
		{
			"ring switch full-mesh", collective.Broadcast, collective.Ring,
			[]int{2, 3, 8, 33},
			func(n, s, l, b float64) float64 { return (n-1)*l + s/b },
		},
		{
			"ring switch full-mesh", collective.Reduce, collective.Ring,
			[]int{2, 3, 8, 33},
			func(n, s, l, b float64) float64 { return (n-1)*l + s/b },
		},
		{
			"ring switch full-mesh", collective.SendRecv, collective.Ring,
			[]int{2, 3, 8, 33},
			func(_, s, l, b float64) float64 { return l + s/b },
		},
	} {
		for _, kind := range strings.Fields(c.kinds) {
			for _, n := range c.ranks {
				if kind == "full-mesh" && n > 100 {
					continue // n^2 links
				}
				for _, b := range []float64{50e9, 450e9} {
					for _, l := range []sim.Time{0, 500 * sim.Nanosecond, sim.Microsecond} {
						topo := bare(kind, n, b, l)
						plan, err := collective.NewPlanner(topo).Plan(c.op, c.algorithm, accelerators(n))
						if err != nil {
							t.Fatal(err)
						}
						for _, size := range []float64{0, 1024, 1 << 30} {
							want := c.seconds(float64(n), size, l.Seconds(), b)
							if n == 1 {
								want = 0 // nothing to do
							}
							slack := (float64(len(plan.Phases))*0.5 + 0.01) * sim.Tick.Seconds() * (1 + want*1e-3)
							if got := plan.Predict(size); math.Abs(got-want) > slack {
								t.Errorf("%s %v %v n=%d %v B: predicted %v s, the closed form is %v s", kind, c.op, c.algorithm, n, size, got, want)
							}
							if got := timeOf(topo, plan, size, false).Seconds(); math.Abs(got-want) > slack {
								t.Errorf("%s %v %v n=%d %v B: took %v s, the closed form is %v s", kind, c.op, c.algorithm, n, size, got, want)
							}
						}
					}
				}
			}
		}
	}
}

// Factors of nccl-tests' doc/PERFORMANCE.md.
func TestBandwidth(t *testing.T) {
	for _, c := range []struct {
		op     collective.Op
		n      int
		factor float64
	}{
		{collective.AllReduce, 2, 1},
		{collective.AllReduce, 8, 1.75},
		{collective.AllReduce, 512, 2 * 511. / 512},
		{collective.AllGather, 8, 0.875},
		{collective.ReduceScatter, 8, 0.875},
		{collective.AllToAll, 8, 0.875},
		{collective.AllGather, 3, 2. / 3},
		{collective.Broadcast, 8, 1},
		{collective.Reduce, 8, 1},
		{collective.SendRecv, 8, 1},
		{collective.AllReduce, 1, 0},
	} {
		alg, bus := collective.Bandwidth(c.op, c.n, 1e9, 0.5)
		if alg != 2e9 || math.Abs(bus-2e9*c.factor) > 1 {
			t.Errorf("%v over %d ranks: algbw %v, busbw %v; want 2e9 and %v times it", c.op, c.n, alg, bus, c.factor)
		}
	}
	if alg, bus := collective.Bandwidth(collective.AllReduce, 8, 1e9, 0); alg != 0 || bus != 0 {
		t.Errorf("no time: %v, %v", alg, bus)
	}
}

// On an ideal network the bus bandwidth of a ring is the rate of its links.
func TestBusBandwidthOfARing(t *testing.T) {
	topo := bare("ring", 64, 50e9, 0)
	for _, op := range []collective.Op{collective.AllReduce, collective.AllGather, collective.ReduceScatter} {
		plan := must(collective.NewPlanner(topo).Plan(op, collective.Ring, accelerators(64)))
		_, bus := collective.Bandwidth(op, 64, 1<<30, plan.Predict(1<<30))
		if math.Abs(bus-50e9) > 1 {
			t.Errorf("%v: busbw %v", op, bus)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "reduce", "send_recv"} {
		if op, ok := collective.ParseOp(name); !ok || op.String() != name {
			t.Errorf("%q reads as %v, %v", name, op, ok)
		}
	}
	for _, name := range []string{"auto", "ring", "tree", "halving-doubling", "direct", "hierarchical", "nvls", "sharp", "pat"} {
		if a, ok := collective.ParseAlgorithm(name); !ok || a.String() != name {
			t.Errorf("%q reads as %v, %v", name, a, ok)
		}
	}
	if _, ok := collective.ParseOp("allreduce"); ok {
		t.Error("allreduce is no operation")
	}
	if _, ok := collective.ParseAlgorithm("collnet"); ok {
		t.Error("collnet is no algorithm")
	}
}

// What an algorithm cannot do is an error that says what it can.
func TestWhatAnAlgorithmCannot(t *testing.T) {
	for _, c := range []struct {
		op    collective.Op
		a     collective.Algorithm
		n     int
		words []string
	}{
		{collective.AllToAll, collective.Ring, 8, []string{"ring", "all_to_all", "all_reduce, all_gather, reduce_scatter, broadcast, reduce, send_recv"}},
		{collective.AllToAll, collective.HalvingDoubling, 8, []string{"halving-doubling", "all_to_all", "all_reduce, all_gather, reduce_scatter, broadcast, reduce"}},
		{collective.SendRecv, collective.HalvingDoubling, 8, []string{"halving-doubling", "send_recv"}},
		{collective.AllGather, collective.HalvingDoubling, 6, []string{"all_gather", "power of two", "not 6", "4 and 8"}},
		{collective.Broadcast, collective.HalvingDoubling, 1000, []string{"power of two", "512 and 1024"}},
		{collective.AllGather, collective.Tree, 8, []string{"tree", "all_gather", "takes all_reduce"}},
		{collective.AllReduce, collective.PAT, 8, []string{"pat", "all_reduce", "all_gather, reduce_scatter"}},
		{collective.Broadcast, collective.NVLS, 8, []string{"nvls", "broadcast", "all_reduce, all_gather, reduce_scatter"}},
		{collective.SendRecv, collective.Hierarchical, 8, []string{"hierarchical", "send_recv", "all_reduce, all_gather, reduce_scatter"}},
		{collective.AllToAll, collective.Direct, 4097, []string{"direct", "4096", "not 4097"}},
	} {
		planner := collective.NewPlanner(star(c.n))
		_, planned := planner.Plan(c.op, c.a, accelerators(c.n))
		_, _, counted := collective.Messages(c.op, c.a, c.n)
		for _, err := range []error{planned, counted} {
			for _, w := range c.words {
				if err == nil || !strings.Contains(err.Error(), w) {
					t.Errorf("%v %v n=%d: %v; want %q in it", c.op, c.a, c.n, err, w)
				}
			}
		}
	}
}

// Fastest is never beaten by an algorithm that could have been asked for.
func TestFastest(t *testing.T) {
	for _, kind := range []string{"ring", "switch", "full-mesh"} {
		for _, op := range everyOp {
			for _, n := range []int{1, 2, 3, 8, 24, 64} {
				topo := bare(kind, n, 50e9, sim.Microsecond)
				planner := collective.NewPlanner(topo)
				for _, size := range []float64{0, 1024, 1 << 20, 1 << 30} {
					plans, err := planner.Plans(op, accelerators(n))
					if err != nil {
						t.Fatalf("%s %v n=%d: %v", kind, op, n, err)
					}
					best := plans.Fastest(size)
					for _, a := range everyAlgorithm {
						other, err := planner.Plan(op, a, accelerators(n))
						if err == nil && other.Predict(size) < best.Predict(size) {
							t.Errorf("%s %v n=%d %v B: %v was chosen, %v is faster", kind, op, n, size, best.Algorithm, a)
						}
					}
				}
			}
		}
	}
	// Small messages are bound by latency, large ones by bandwidth.
	topo := bare("switch", 64, 50e9, sim.Microsecond)
	planner := collective.NewPlanner(topo)
	small := must(planner.Plans(collective.AllReduce, accelerators(64))).Fastest(1024)
	large := must(planner.Plans(collective.AllReduce, accelerators(64))).Fastest(1 << 30)
	if small.Steps > 12 || large.Predict(1<<30) > 1.01*2*63./64*(1<<30)/50e9 {
		t.Errorf("1 KiB by %v in %d steps, 1 GiB by %v in %v s", small.Algorithm, small.Steps, large.Algorithm, large.Predict(1<<30))
	}
}

// Predict is the engine's time on an idle network, to half a tick a phase, also
// on hosts, with the software's overhead.
func TestPredictIsTheTimeOnAnIdleNetwork(t *testing.T) {
	h := node(4, 2)
	h.CollectiveOverhead, h.StepOverhead, h.NetworkOverhead = 8*us, us/2, 3*us
	fabric := topology.Fabric{Host: h, Hosts: 6, HostsPerRack: 2, Oversubscription: 2, LinkLatency: us / 5, SwitchLatency: us / 10}
	for name, topo := range map[string]*topology.Topology{
		"rail": must(topology.Rail(fabric)), "leaf-spine": must(topology.LeafSpine(fabric)),
		"switch": star(24), "ring": bare("ring", 24, 1e9, 70),
	} {
		planner := collective.NewPlanner(topo)
		for _, op := range everyOp {
			for _, a := range everyAlgorithm {
				for _, n := range []int{2, 3, 8, 16, 24} {
					plan, err := planner.Plan(op, a, accelerators(n))
					if err != nil {
						continue
					}
					for _, size := range []float64{0, 999, 1 << 24} {
						got, want := timeOf(topo, plan, size, false).Seconds(), plan.Predict(size)
						if slack := (0.5*float64(len(plan.Phases)) + 0.01) * sim.Tick.Seconds(); math.Abs(got-want) > slack*(1+1e-4*want) {
							t.Errorf("%s %v %v n=%d %v B: took %.12g s, predicted %.12g s", name, op, a, n, size, got, want)
						}
					}
				}
			}
		}
	}
	// The overhead is the host's: once, and for every step, of which twelve go from one
	// of the six hosts to the next.
	plan := must(collective.NewPlanner(must(topology.Rail(fabric))).Plan(collective.AllReduce, collective.Ring, accelerators(24)))
	if want := sim.Time(8*us) + 34*sim.Time(us/2) + 12*sim.Time(3*us); plan.Launch(0) != want || plan.Steps != 46 || plan.NetworkSteps != 12 {
		t.Errorf("overhead %v of %d steps, %d between hosts; want %v of 46 and 12", plan.Launch(0), plan.Steps, plan.NetworkSteps, want)
	}
}

// More bytes never take less time, and a faster network never more.
func TestPredictIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "n")
		kind := rapid.SampledFrom([]string{"ring", "switch", "full-mesh"}).Draw(t, "kind")
		op := rapid.SampledFrom(everyOp).Draw(t, "op")
		a := rapid.SampledFrom(everyAlgorithm).Draw(t, "algorithm")
		b := rapid.Float64Range(1e6, 1e12).Draw(t, "bandwidth")
		l := sim.Time(rapid.Int64Range(0, 1e7).Draw(t, "latency"))
		size := rapid.Float64Range(0, 1e12).Draw(t, "size")
		plan, err := collective.NewPlanner(bare(kind, n, b, l)).Plan(op, a, accelerators(n))
		if err != nil {
			t.Skip(err)
		}
		faster := must(collective.NewPlanner(bare(kind, n, 2*b, l)).Plan(op, a, accelerators(n)))
		p := plan.Predict(size)
		if plan.Predict(2*size) < p || faster.Predict(size) > p {
			t.Fatalf("%v B takes %v s, twice that %v s, and on twice the bandwidth %v s", size, p, plan.Predict(2*size), faster.Predict(size))
		}
		if n > 1 && size > 0 && !(p > 0) {
			t.Fatalf("%v B take %v s", size, p)
		}
	})
}

func ExamplePlanner() {
	topo, err := topology.Switch(8, 50e9, 100_000) // 50 GB/s, 1 us
	if err != nil {
		fmt.Println(err)
		return
	}
	ranks := []topology.NodeID{0, 1, 2, 3, 4, 5, 6, 7}
	planner := collective.NewPlanner(topo)
	for _, a := range []collective.Algorithm{collective.Ring, collective.HalvingDoubling, collective.Direct} {
		plan, err := planner.Plan(collective.AllReduce, a, ranks)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%-17s %2d steps  1 MiB in %.2f us\n", a, plan.Steps, 1e6*plan.Predict(1<<20))
	}
	_, err = planner.Plan(collective.AllToAll, collective.Ring, ranks)
	fmt.Println(err)
	// Output:
	// ring              14 steps  1 MiB in 50.70 us
	// halving-doubling   6 steps  1 MiB in 42.70 us
	// direct             2 steps  1 MiB in 38.70 us
	// all_to_all has no ring form; ring takes all_reduce, all_gather, reduce_scatter, broadcast, reduce, send_recv
}

func ExamplePlans_Fastest() {
	topo, _ := topology.FullMesh(8, 50e9, 100_000)
	planner := collective.NewPlanner(topo)
	ranks := []topology.NodeID{0, 1, 2, 3, 4, 5, 6, 7}
	plans, _ := planner.Plans(collective.AllToAll, ranks)
	plan := plans.Fastest(1 << 20)
	_, busbw := collective.Bandwidth(plan.Op, len(ranks), 1<<20, plan.Predict(1<<20))
	fmt.Printf("%v: %.0f GB/s\n", plan.Algorithm, busbw/1e9)
	// Output:
	// direct: 253 GB/s
}
