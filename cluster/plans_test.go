package cluster_test

import (
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// A plan is laid once for the same operation over the same groups of ranks, and
// anew for any other.
func TestPlansAreKept(t *testing.T) {
	topo, err := topology.Ring(8, 1e9, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := cluster.New(sim.New(), topo, 0)
	plan := func(op collective.Op, groups ...[]topology.NodeID) *collective.Plan {
		algorithm := collective.Ring
		if op == collective.AllToAll {
			algorithm = collective.Direct
		}
		p, err := c.Plan(op, algorithm, groups...)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	a, b := []topology.NodeID{0, 1}, []topology.NodeID{2, 3}
	both := []topology.NodeID{0, 1, 2, 3}
	all := map[*collective.Plan]bool{}
	for range 2 {
		for _, p := range []*collective.Plan{
			plan(collective.AllReduce, a), plan(collective.AllReduce, b), plan(collective.AllReduce, a, b), plan(collective.AllReduce, both),
			plan(collective.AllGather, a, b), plan(collective.AllToAll, a, b), c.Sends(a, b), c.Sends(b, a),
		} {
			all[p] = true
		}
	}
	if len(all) != 8 {
		t.Errorf("%d plans for 8 kinds", len(all))
	}
	if _, err := c.Plan(collective.AllToAll, collective.Ring, a); err == nil {
		t.Error("all-to-all over a ring is planned")
	}
}
