package cluster_test

import (
	"context"
	"math"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// twoLeaves is two leaves of four hosts each with four spines, or fewer if they are
// over-subscribed: every link 1 GB/s, without latency.
func twoLeaves(t *testing.T, oversubscription float64, routing topology.Routing) *topology.Topology {
	t.Helper()
	topo, err := topology.LeafSpine(topology.Fabric{
		Host: topology.Host{
			Accelerators: 1, NICs: 1, ScaleUpBandwidth: 1e9, ScaleUpEfficiency: 1,
			NICBandwidth: 1e9, NICEfficiency: 1, PCIeBandwidth: 1e9,
		},
		Hosts: 8, HostsPerRack: 4, Oversubscription: oversubscription, Routing: routing,
	})
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

// Four flows of 1 MB cross from one leaf to the other, each from and to a host of
// its own, one starting half a millisecond after the other: two at a time. Under
// adaptive routing none meets another and each takes 1 ms; nor do they sprayed
// over all spines. Under static routing they are apart by their destinations.
// Under ECMP some seed has two of them meet.
func TestRoutingOfFlows(t *testing.T) {
	finish := func(routing topology.Routing) (last float64) {
		engine := sim.New()
		c := cluster.New(engine, twoLeaves(t, 1, routing), 0)
		flows := make([]cluster.Flow, 4)
		for i := range flows {
			flows[i] = cluster.Flow{
				Start: sim.FromSeconds(float64(i) * 0.5e-3), Bytes: 1e6,
				Connection: network.Connection{From: topology.NodeID(i), To: topology.NodeID(4 + i)},
			}
		}
		set := c.AddFlows("flows", flows)
		if err := engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, id := range set.IDs {
			eligible, end, _ := c.Network.Times(id)
			last = max(last, (end-eligible).Seconds()*1e3)
			if eligible != flows[i].Start {
				t.Errorf("flow %d is eligible at %v", i, eligible)
			}
		}
		return last
	}
	for _, policy := range []topology.Policy{topology.Adaptive, topology.Spray, topology.Static} {
		if got := finish(topology.Routing{Policy: policy}); math.Abs(got-1) > 1e-6 {
			t.Errorf("%v: the longest flow takes %v ms, want 1", policy, got)
		}
	}
	worst := 0.0
	for seed := range uint64(20) {
		worst = max(worst, finish(topology.Routing{Seed: seed}))
	}
	if worst < 1.5 {
		t.Errorf("ecmp: the longest flow of twenty seeds takes %v ms; two that meet for half of their time take 1.5", worst)
	}
}

// An all-to-all of 8 MB over up-links that are over-subscribed 2:1 is bound by them:
// the 16 messages of 1 MB from leaf to leaf have two, and are sprayed over both alike,
// coupled or message by message. Under ECMP one has more than the other.
func TestSprayedAllToAll(t *testing.T) {
	ranks := make([]topology.NodeID, 8)
	for i := range ranks {
		ranks[i] = topology.NodeID(i)
	}
	for _, c := range []struct {
		policy  topology.Policy
		explode bool
		slower  bool
	}{
		{topology.Spray, false, false},
		{topology.Spray, true, false},
		{topology.HashECMP, false, true},
		{topology.HashECMP, true, true},
	} {
		engine := sim.New()
		cl := cluster.New(engine, twoLeaves(t, 2, topology.Routing{Policy: c.policy}), 0)
		plan, err := cl.Planner.Plan(collective.AllToAll, collective.Direct, ranks)
		if err != nil {
			t.Fatal(err)
		}
		done := &stopwatch{}
		actor := engine.Register(done)
		cl.Launch(cluster.Collective{Plan: plan, Size: 8e6, Explode: c.explode, Actor: actor})
		if err := engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := done.at.Seconds() * 1e3; (got > 8*(1+1e-6)) != c.slower || got < 8*(1-1e-6) {
			t.Errorf("%v, message by message %v: %v ms, the up-links need 8", c.policy, c.explode, got)
		}
	}
}

// stopwatch notes when it is told.
type stopwatch struct{ at sim.Time }

func (s *stopwatch) Handle(now sim.Time, _ uint64) { s.at = now }
