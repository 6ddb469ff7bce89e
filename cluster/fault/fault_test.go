package fault_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

const ms = sim.Millisecond

// twoSpines is two hosts of two accelerators, each with a NIC of 25 GB/s, under leaves
// of their own, which two spines join. There is no latency.
func twoSpines(t *testing.T) *topology.Topology {
	t.Helper()
	topo, err := topology.LeafSpine(topology.Fabric{
		Host: topology.Host{
			Name: "h", Accelerators: 2, ScaleUpBandwidth: 400e9, ScaleUpEfficiency: 1,
			NICs: 2, NICBandwidth: 25e9, NICEfficiency: 1, PCIeBandwidth: 400e9,
		},
		Hosts: 2, HostsPerRack: 1, Oversubscription: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

func newCluster(topo *topology.Topology, faults ...*fault.Fault) *cluster.Cluster {
	c := cluster.New(sim.New(), topo, 0)
	c.AllowReroutes()
	fault.New(c, faults)
	return c
}

// spine is a fault of spine1.
func spine(topo *topology.Topology, f fault.Fault) *fault.Fault {
	f.Links = topo.Parts().Switch("spine1")
	for _, l := range f.Links {
		if topo.NodeName(topo.Links[l].To) == "spine1" {
			f.Entries = append(f.Entries, l)
		}
	}
	return &f
}

// TestSpine: two flows of 250 MB take a spine each, 10 ms without the fault. What
// happens to spine1 at 5 ms, and when both end, by hand; rerouted are the bytes that
// the second has left when it moves.
func TestSpine(t *testing.T) {
	for _, c := range []struct {
		name     string
		fault    fault.Fault
		ends     [2]sim.Time
		rerouted float64
	}{
		// Both have 125 MB left and share spine0: the time of what is left doubles.
		{"for good, noticed at once", fault.Fault{At: 5 * ms}, [2]sim.Time{15 * ms, 15 * ms}, 125e6},
		// The second waits for 2 ms. The first then has 75 MB left, which take 6 ms at
		// half the rate; the second has 125 - 75 left then.
		{"for good, noticed after 2 ms", fault.Fault{At: 5 * ms, Delay: 2 * ms}, [2]sim.Time{13 * ms, 15 * ms}, 125e6},
		// Half the rate from 7 to 11 ms: 50 MB each. Then each has its spine again.
		{"repaired after 4 ms", fault.Fault{At: 5 * ms, Repair: 4 * ms, Delay: 2 * ms}, [2]sim.Time{12 * ms, 14 * ms}, 125e6},
		{"repaired before it was noticed", fault.Fault{At: 5 * ms, Repair: 1 * ms, Delay: 2 * ms}, [2]sim.Time{10 * ms, 11 * ms}, 0},
		{"half of the rate is left", fault.Fault{At: 5 * ms, Rate: 0.5}, [2]sim.Time{10 * ms, 15 * ms}, 0},
		{"half of the rate for 4 ms", fault.Fault{At: 5 * ms, Rate: 0.5, Repair: 4 * ms}, [2]sim.Time{10 * ms, 12 * ms}, 0},
		{"after the end", fault.Fault{At: 50 * ms}, [2]sim.Time{10 * ms, 10 * ms}, 0},
		{"before they begin", fault.Fault{}, [2]sim.Time{20 * ms, 20 * ms}, 250e6},
	} {
		t.Run(c.name, func(t *testing.T) {
			topo := twoSpines(t)
			f := spine(topo, c.fault)
			cl := newCluster(topo, f)
			flows := make([]cluster.Flow, 2)
			for i := range flows {
				of := network.Connection{From: topology.NodeID(i), To: topology.NodeID(2 + i)}
				for { // a connection that takes spine i
					flows[i] = cluster.Flow{Name: "f", Bytes: 250e6, Connection: of}
					if slices.ContainsFunc(topo.Route(of.From, of.To, of.Label, nil), func(l topology.LinkID) bool { return slices.Contains(f.Links, l) }) == (i == 1) {
						break
					}
					of.Label++
				}
			}
			set := cl.AddFlows("flows", flows)
			if err := cl.Engine.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			for i, id := range set.IDs {
				if _, end, _ := cl.Network.Times(id); end < c.ends[i]-1 || end > c.ends[i]+1 {
					t.Errorf("flow %d ends at %v, want %v", i, end, c.ends[i])
				}
			}
			moved := int64(0)
			if c.rerouted > 0 {
				moved = 1
			}
			if f.Rerouted != moved || math.Abs(f.Bytes-c.rerouted) > 1 {
				t.Errorf("%d transfers with %v bytes were rerouted, want %d with %v", f.Rerouted, f.Bytes, moved, c.rerouted)
			}
			if f.Happened != (c.fault.At < 50*ms) || cl.Engine.Now() > 20*ms {
				t.Errorf("happened: %v; the run ends at %v", f.Happened, cl.Engine.Now())
			}
		})
	}
}

// bench runs an all-reduce of 100 MB some times in a row, after which spine1 may fail,
// and gives when it ends. Where whole is set the repetitions are sizes of their own,
// which are simulated one by one.
func bench(t *testing.T, times int, whole, explode bool, f *fault.Fault) (end sim.Time, c *cluster.Cluster) {
	t.Helper()
	topo := twoSpines(t)
	if f == nil {
		c = cluster.New(sim.New(), topo, 0)
	} else {
		c = newCluster(topo, spine(topo, *f))
	}
	p := &cluster.CollectiveBenchmark{Op: collective.AllReduce, Algorithm: collective.Ring, Sizes: []float64{100e6}, Iterations: int64(times), Explode: explode}
	if whole {
		p.Iterations = 1
		for len(p.Sizes) < times {
			p.Sizes = append(p.Sizes, 100e6)
		}
	}
	c.Submit(&cluster.Job{Name: "job", Count: 4, Program: p})
	if err := c.Engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c.Jobs[0].FinishedAt, c
}

// Repetitions are not jumped over a fault, and what is jumped changes nothing.
func TestJumps(t *testing.T) {
	for _, f := range []*fault.Fault{
		nil, {At: 1234 * ms, Delay: 5 * ms}, {At: 1234 * ms, Delay: 65 * ms, Repair: 500 * ms}, {At: 1234 * ms, Rate: 0.3, Repair: 300 * ms},
	} {
		jumped, fast := bench(t, 1000, false, false, f)
		stepped, slow := bench(t, 1000, true, false, f)
		if jumped != stepped {
			t.Errorf("with %+v it ends at %v, step by step at %v", f, jumped, stepped)
		}
		if fast.Engine.Handled() > 200 || slow.Engine.Handled() < 1000 {
			t.Errorf("%d events, step by step %d", fast.Engine.Handled(), slow.Engine.Handled())
		}
		for l := range fast.Topology.Links {
			a, b := fast.Network.Use(topology.LinkID(l)), slow.Network.Use(topology.LinkID(l))
			if math.Abs(a.Bytes-b.Bytes) > 1e-6*b.Bytes || a.Busy != b.Busy {
				t.Errorf("link %s: %+v, step by step %+v", fast.Topology.LinkName(topology.LinkID(l)), a, b)
			}
		}
	}
}

// A collective that is on its way when a spine fails goes on over the other, as a phase
// or as messages; and so do those to come.
func TestCollective(t *testing.T) {
	without, _ := bench(t, 3, true, false, nil)
	coupled, _ := bench(t, 3, true, false, &fault.Fault{At: without / 2, Delay: ms})
	messages, _ := bench(t, 3, true, true, &fault.Fault{At: without / 2, Delay: ms})
	if coupled <= without {
		t.Errorf("with the fault it ends at %v, without at %v", coupled, without)
	}
	// A phase waits as a whole where of single messages some go on: a step at most.
	if step := without / 18; messages > coupled+step || messages < coupled-step {
		t.Errorf("message by message it ends at %v, as one at %v", messages, coupled)
	}
}

// A leaf that fails for good cuts its host off; one that is repaired does not.
func TestUnreachable(t *testing.T) {
	topo := twoSpines(t)
	for _, c := range []struct {
		name string
		at   sim.Time
	}{{"on the way", 2 * ms}, {"before", 0}} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster(topo, &fault.Fault{Links: topo.Parts().Switch("leaf1"), At: c.at, Delay: ms})
			cl.Submit(&cluster.Job{Name: "job", Start: 2 * c.at, Count: 4, Program: &cluster.CollectiveBenchmark{
				Op: collective.AllReduce, Algorithm: collective.Ring, Sizes: []float64{1e9}, Iterations: 1,
			}})
			err := cl.Engine.Run(context.Background())
			if _, ok := errors.AsType[*sim.DeadlockError](err); !ok {
				t.Fatal(err)
			}
			e, ok := errors.AsType[*cluster.UnreachableError](cl.Err)
			if !ok || !slices.Equal(e.Hosts, []string{"host1"}) {
				t.Errorf("%v, want that host1 is unreachable", cl.Err)
			}
		})
	}
	cl := newCluster(topo, &fault.Fault{Links: topo.Parts().Switch("leaf1"), At: 0, Delay: ms, Repair: 30 * ms})
	cl.Submit(&cluster.Job{Name: "job", Count: 4, Program: &cluster.CollectiveBenchmark{
		Op: collective.AllReduce, Algorithm: collective.Ring, Sizes: []float64{100e6}, Iterations: 1,
	}})
	if err := cl.Engine.Run(context.Background()); err != nil || cl.Err != nil {
		t.Error(err, cl.Err)
	}
	alone, _ := bench(t, 1, true, false, nil)
	if end := cl.Jobs[0].FinishedAt; end != 30*ms+alone {
		t.Errorf("it ends at %v, want %v after the repair at 30ms", end, alone)
	}
}
