package collective_test

import (
	"testing"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
)

// Groups are even on a switch; on a ring of links not if one of two messages meets
// another on its way.
func TestEven(t *testing.T) {
	pairs := func(ids ...topology.NodeID) (groups [][]topology.NodeID) {
		for i := 0; i < len(ids); i += 2 {
			groups = append(groups, ids[i:i+2])
		}
		return groups
	}
	for _, c := range []struct {
		name   string
		kind   string
		groups [][]topology.NodeID
		want   bool
	}{
		{"pairs on a switch", "switch", pairs(0, 1, 2, 3, 4, 5), true},
		{"neighbours on a ring", "ring", pairs(0, 1, 2, 3, 4, 5), true},
		{"one pair far apart, through another", "ring", pairs(0, 1, 2, 5, 3, 4, 6, 7), false},
		{"all pairs through each other", "ring", pairs(0, 4, 1, 5, 2, 6, 3, 7), true},
		{"one group", "ring", pairs(2, 5), true},
	} {
		p := collective.NewPlanner(bare(c.kind, 8, 1e9, 0))
		even, err := p.Even(collective.AllReduce, collective.Ring, c.groups...)
		if err != nil || even != c.want {
			t.Errorf("%s: even %v, want %v (%v)", c.name, even, c.want, err)
		}
		// Planning goes on as before.
		if _, err := p.Plan(collective.AllReduce, collective.Ring, c.groups...); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	p := collective.NewPlanner(bare("ring", 8, 1e9, 0))
	if p.EvenSends([]topology.NodeID{0, 1, 6}, []topology.NodeID{2, 3, 7}) {
		t.Error("a message that shares no link is as fast as two that share one")
	}
	if !p.EvenSends([]topology.NodeID{0, 2}, []topology.NodeID{1, 3}) {
		t.Error("two messages that share no link are not even")
	}
}
