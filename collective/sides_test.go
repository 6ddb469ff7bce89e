package collective

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// TestEverywhere: the messages of all groups together load every link as the phases of
// the plan do, and none waits for one of another group.
func TestEverywhere(t *testing.T) {
	topo, err := topology.Switch(12, units.Rate(1e9), 0)
	if err != nil {
		t.Fatal(err)
	}
	planner := NewPlanner(topo)
	planner.Messages = true
	groups := [][]topology.NodeID{{0, 1, 2, 3}, {4, 5, 6, 7}, {11, 10, 9, 8}}
	plans := map[string]*Plan{"sends": planner.Sends(groups[0], groups[2])}
	for _, op := range []Op{AllReduce, AllGather, ReduceScatter, AllToAll, Broadcast, Reduce, SendRecv} {
		for _, a := range []Algorithm{Ring, HalvingDoubling, Direct} {
			if plan, err := planner.Plan(op, a, groups...); err == nil {
				plans[op.String()+" "+a.String()] = plan
			}
		}
	}
	if len(plans) != 1+4+5+7 { // rings but for pipelines and all-to-all, halving but for all-to-all and send-recv, direct
		t.Errorf("%d plans, want 17", len(plans))
	}
	for name, plan := range plans {
		want, got := make([]float64, len(topo.Links)), make([]float64, len(topo.Links))
		for _, phase := range plan.Phases {
			for i, l := range phase.Links {
				want[l] += phase.Share * phase.Counts[i]
			}
		}
		var group []int // of each message
		err := plan.Everywhere(func(from, to topology.NodeID, m Message) {
			for _, l := range topo.Route(from, to, 0, nil) {
				got[l] += m.Share
			}
			of := int(from) / 4
			if name == "sends" {
				of = int(from)
			}
			for _, a := range slices.Concat(m.After, m.Behind) {
				if a >= len(group) || group[a] != of {
					t.Fatalf("%s: message %d of group %d waits for message %d", name, len(group), of, a)
				}
			}
			group = append(group, of)
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for l := range want {
			if math.Abs(got[l]-want[l]) > 1e-12 {
				t.Fatalf("%s: messages load link %d with %v, phases with %v", name, l, got[l], want[l])
			}
		}
	}
}

// TestMessages: a planner of messages refuses pipelines and what is too many, and leaves
// them out where there is a choice.
func TestMessages(t *testing.T) {
	topo, err := topology.Switch(2048, units.Rate(1e9), 0)
	if err != nil {
		t.Fatal(err)
	}
	ranks := make([]topology.NodeID, 2048)
	for i := range ranks {
		ranks[i] = topology.NodeID(i)
	}
	planner := NewPlanner(topo)
	planner.Messages = true
	// A ring all-reduce is 2 n (n-1) messages.
	for op, want := range map[Op]string{Broadcast: "is a pipeline", AllReduce: "2048 ranks is 8384512 messages, more than can be sent one by one"} {
		if _, err := planner.Plan(op, Ring, ranks); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", op, err, want)
		}
		plans, err := planner.Plans(op, ranks)
		if err != nil || len(plans) == 0 {
			t.Errorf("%v: no plans: %v", op, err)
		}
		for _, p := range plans {
			if p.Algorithm == Ring {
				t.Errorf("%v: a ring is among the plans", op)
			}
		}
	}
}
