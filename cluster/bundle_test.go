package cluster_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/railyard/railyard/cluster"
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

// Jobs that bundle what they launch over end when they would without, and so does
// what meets them, whichever comes and goes first.
func TestBundle(t *testing.T) {
	play := func(bundle bool) (ends [][]sim.Time, uses []network.LinkUse, owners [][]network.Share) {
		topo, err := topology.LeafSpine(topology.Fabric{
			Host: topology.Host{
				Name: "h", Accelerators: 2, ScaleUpBandwidth: 100e9, ScaleUpEfficiency: 1,
				NICs: 1, NICBandwidth: 25e9, NICEfficiency: 1, PCIeBandwidth: 32e9,
			},
			Hosts: 16, HostsPerRack: 4, Oversubscription: 2,
		})
		if err != nil {
			t.Fatal(err)
		}
		c := newCluster(t, topo, 16)
		var programs []*reducer
		for i, accelerators := range [][]int32{
			{0, 1, 8, 9, 16, 17, 24, 25},
			{2, 3, 10, 11, 18, 19, 26, 27},
			{0, 1, 2, 3, 10, 11, 12, 13},
		} {
			p := &reducer{bundle: bundle, left: 10 + 5*i}
			programs = append(programs, p)
			c.Submit(&cluster.Job{
				Name: "job", Start: sim.Time(i) * sim.Millisecond, Count: len(accelerators), List: accelerators, Shared: true, Program: p,
			})
		}
		c.Engine.Horizon = 4 * sim.Millisecond
		if err := c.Engine.Run(context.Background()); !errors.Is(err, sim.ErrHorizon) {
			t.Fatal(err)
		}
		look := func() {
			for l := range topo.Links {
				uses = append(uses, c.Network.Use(topology.LinkID(l)))
				of, _, _ := c.Network.Contenders(topology.LinkID(l))
				owners = append(owners, of)
			}
		}
		look()
		c.Engine.Horizon = 0
		finish(t, c)
		look()
		for _, p := range programs {
			ends = append(ends, p.ends)
		}
		return ends, uses, owners
	}
	ends, uses, owners := play(true)
	wantEnds, wantUses, wantOwners := play(false)
	for i := range ends {
		if !slices.Equal(ends[i], wantEnds[i]) {
			t.Errorf("job %d: collectives end at %v, unbundled at %v", i, ends[i], wantEnds[i])
		}
	}
	contended := 0
	for i, u := range uses {
		w := wantUses[i]
		if d := u.Bytes - w.Bytes; d*d > 1 || u.Busy != w.Busy || u.Contended != w.Contended || !slices.Equal(owners[i], wantOwners[i]) {
			t.Errorf("link %d: %+v by %v, unbundled %+v by %v", i%(len(uses)/2), u, owners[i], w, wantOwners[i])
		}
		if u.Contended > 0 {
			contended++
		}
	}
	if contended == 0 {
		t.Error("the jobs did not meet")
	}
}
