package fault_test

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// reducer sums a vector by all algorithms in turn, some times.
type reducer struct {
	bundle bool
	left   int
	ends   []sim.Time

	plans collective.Plans
	actor sim.Actor
	c     *cluster.Cluster
	job   int
}

func (r *reducer) Begin(c *cluster.Cluster, job int) {
	r.c, r.job = c, job
	r.actor = c.Engine.Register(r)
	var err error
	if r.plans, err = c.Planner.Plans(collective.AllReduce, c.Jobs[job].Accelerators); err != nil {
		c.Fail(job, err)
		return
	}
	if r.bundle {
		var footprints []*network.Footprint
		for _, p := range r.plans {
			footprints = append(footprints, p.Footprints()...)
		}
		c.Bundle(job, footprints...)
	}
	r.launch()
}

func (r *reducer) launch() {
	r.c.Launch(cluster.Collective{Plan: r.plans[r.left%len(r.plans)], Size: 3e6, Owner: r.c.Jobs[r.job].Owner, Actor: r.actor})
}

func (r *reducer) Handle(now sim.Time, _ uint64) {
	r.ends = append(r.ends, now)
	if r.left--; r.left > 0 {
		r.launch()
		return
	}
	r.c.Done(r.job)
}

// Whatever breaks and is repaired, jobs that bundle what they launch end when they would
// without, and every link has carried the same.
func TestBundledThroughFaults(t *testing.T) {
	topo, err := topology.Rail(topology.Fabric{
		Host: topology.Host{
			Name: "h", Accelerators: 4, ScaleUpBandwidth: 100e9, ScaleUpEfficiency: 1,
			NICs: 2, NICBandwidth: 25e9, NICEfficiency: 1, PCIeBandwidth: 32e9,
		},
		Hosts: 8, HostsPerRack: 4, Oversubscription: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	play := func(faults []fault.Fault, bundle bool) (ends [][]sim.Time, uses []network.LinkUse, rerouted float64) {
		var all []*fault.Fault
		for _, f := range faults {
			all = append(all, &f)
		}
		c := newCluster(topo, all...)
		var programs []*reducer
		for i, accelerators := range [][]int32{{0, 1, 8, 9, 16, 17, 24, 25}, {2, 3, 10, 11, 18, 19, 26, 27}, {0, 1, 2, 3, 20, 21, 22, 23}} {
			p := &reducer{bundle: bundle, left: 2 + i}
			programs = append(programs, p)
			c.Submit(&cluster.Job{Name: "job", Start: sim.Time(i) * ms / 4, Count: len(accelerators), List: accelerators, Shared: true, Program: p})
		}
		if err := c.Engine.Run(context.Background()); err != nil || c.Err != nil {
			t.Fatal(err, c.Err)
		}
		for l := range topo.Links {
			uses = append(uses, c.Network.Use(topology.LinkID(l)))
		}
		for _, p := range programs {
			ends = append(ends, p.ends)
		}
		for _, f := range all {
			rerouted += f.Bytes
		}
		return ends, uses, rerouted
	}
	// Sums in another order differ by a few ticks.
	close := func(a, b sim.Time) bool { return a-b <= 10 && b-a <= 10 }
	rapid.Check(t, func(t *rapid.T) {
		var faults []fault.Fault
		for range rapid.IntRange(1, 4).Draw(t, "faults") {
			l := topo.Links[rapid.IntRange(0, len(topo.Links)-1).Draw(t, "link")]
			f := fault.Fault{
				Links:  topo.Parts().Cable(topo.NodeName(l.From) + ">" + topo.NodeName(l.To)),
				At:     sim.Time(rapid.IntRange(0, 120).Draw(t, "at")) * ms / 100,
				Repair: sim.Time(rapid.IntRange(1, 300).Draw(t, "repair")) * ms / 100,
				Delay:  sim.Time(rapid.IntRange(0, 100).Draw(t, "delay")) * ms / 100,
				Rate:   rapid.SampledFrom([]float64{0, 0, 0, 0.3}).Draw(t, "rate"),
			}
			if rapid.Bool().Draw(t, "a switch") && int(l.To) >= topo.Accelerators()+topo.NICs() {
				f.Links = topo.Parts().Switch(topo.NodeName(l.To))
			}
			faults = append(faults, f)
		}
		ends, uses, rerouted := play(faults, true)
		wantEnds, wantUses, wantRerouted := play(faults, false)
		for i := range ends {
			for k, end := range ends[i] {
				if !close(end, wantEnds[i][k]) {
					t.Fatalf("job %d: collective %d ends at %v, unbundled at %v", i, k, end, wantEnds[i][k])
				}
			}
		}
		if math.Abs(rerouted-wantRerouted) > 1e-6*(1+wantRerouted) {
			t.Fatalf("%v bytes were rerouted, unbundled %v", rerouted, wantRerouted)
		}
		for l, u := range uses {
			w := wantUses[l]
			if math.Abs(u.Bytes-w.Bytes) > 1e-6*(1+w.Bytes) || !close(u.Busy, w.Busy) || !close(u.Contended, w.Contended) {
				t.Fatalf("link %s: %+v, unbundled %+v", topo.LinkName(topology.LinkID(l)), u, w)
			}
		}
	})
}
