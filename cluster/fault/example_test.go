package fault_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Two accelerators of a ring of four send to each other; then the cable between them
// fails, and the message goes the other way round.
func Example() {
	ring, err := topology.Ring(4, 100e9, 0)
	if err != nil {
		panic(err)
	}
	c := cluster.New(sim.New(), ring, 0)
	c.AllowReroutes()
	f := &fault.Fault{Links: ring.Parts().Cable("acc0>acc1"), At: 5 * sim.Millisecond, Delay: 2 * sim.Millisecond}
	fault.New(c, []*fault.Fault{f})
	c.Submit(&cluster.Job{Name: "message", List: []int32{0, 1}, Count: 2, Program: &cluster.CollectiveBenchmark{
		Op: collective.Broadcast, Algorithm: collective.Direct, Sizes: []float64{1e9}, Iterations: 1,
	}})
	if err := c.Engine.Run(context.Background()); err != nil {
		panic(err)
	}
	fmt.Printf("ends at %v; %d rerouted with %.0f MB left\n", c.Jobs[0].FinishedAt, f.Rerouted, f.Bytes/1e6)
	// Output: ends at 12ms; 1 rerouted with 500 MB left
}
