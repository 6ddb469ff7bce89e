package fault_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Things are lost when a part of theirs fails and back when the last is repaired; what is not
// watched, and what is in place again at once, is nobody's loss. A thing that fails at the
// instant of its return is back and lost again.
func TestWatch(t *testing.T) {
	topo, err := topology.Pool(1)
	if err != nil {
		t.Fatal(err)
	}
	const s = sim.Second
	listed := func(part int, times ...sim.Time) fault.Outage {
		return fault.Outage{At: times[0] * s, Repaired: times[1] * s, Part: part}
	}
	parts := [][]int32{{0}, {0}}
	o := fault.NewOutages(1, 0, []fault.Source{
		{Name: "sites", Parts: parts, Names: []string{"0", "1"}, Listed: []fault.Outage{listed(0, 10, 20), listed(1, 12, 40), listed(0, 15, 30), listed(0, 30, 31), listed(1, 50, 50)}},
		{Name: "hosts", Parts: parts, Names: []string{"0", "1"}, Listed: []fault.Outage{listed(0, 5, 100)}},
	})
	c := cluster.New(sim.New(), topo, 0)
	var told []string
	w := fault.NewWatch(c, o, func(source, part int) int {
		if source > 0 {
			return -1
		}
		return part
	})
	note := func(what string) func(int) {
		return func(thing int) {
			w.Settle() // whoever is told may ask
			told = append(told, fmt.Sprintf("%g %s %d", c.Engine.Now().Seconds(), what, thing))
		}
	}
	w.Lost, w.Back = note("lost"), note("back")
	c.Engine.Schedule(60*s, c.Engine.Register(c), 1<<56) // something to go on for
	if err := c.Engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := []string{"10 lost 0", "12 lost 1", "30 back 0", "30 lost 0", "31 back 0", "40 back 1"}
	if !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
}
