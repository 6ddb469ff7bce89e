package replay_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/replay"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload/trace"
)

// One trace for four ranks on a ring: 250 us of computation, then an all-reduce
// of 1 MB, 2 x 3 x (1 us + 0.25 MB / 50 GB/s) = 36 us.
func Example() {
	t, err := trace.Read(strings.NewReader(`{"workload_graph": [
		{"Id": 1, "Name": "forward", "NodeType": 4, "runtime": 250},
		{"Id": 2, "Name": "gradients", "NodeType": 7, "comm_type": 0, "comm_size": 1000000, "data_deps": [1]}
	]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	ring, err := topology.Ring(4, 50e9, units.Duration(sim.Microsecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	engine := sim.New()
	c := cluster.New(engine, ring, 0)
	j := &replay.Job{Ranks: 4, Traces: []*trace.Trace{t}, Algorithm: collective.Ring}
	c.Submit(&cluster.Job{Name: "step", Count: 4, Program: j})
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	finish, _ := j.Finish(3)
	fmt.Println(finish)
	// Output: 286us
}
