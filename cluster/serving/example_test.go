package serving_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	demand "github.com/railyard/railyard/workload/serving"
)

// A step of any prompt takes 0.1 s for each 100 tokens, and one of tokens alone 10 ms.
func Example() {
	costs := serving.NewTable([]serving.Row{
		{Part: serving.DensePart, Tokens: 10, Seconds: 0.01},
		{Part: serving.DensePart, Tokens: 100, Seconds: 0.1},
		{Part: serving.PrefillPart, Sequences: 1, Cached: 1000, Tokens: 100},
		{Part: serving.DecodePart, Sequences: 10, Cached: 1000},
	})
	fleet := &serving.Fleet{
		Pool: serving.Pool{
			Replicas: 1, Tensor: 1, Stages: 1, Costs: costs,
			Batching: scheduler.Batching{Order: scheduler.Mixed, Budget: 100, MaxBatch: 10, Blocks: 100, BlockSize: 16},
		},
		Requests: []demand.Request{{ID: "first", Input: 100, Output: 3}, {ID: "second", Arrival: 0.05, Input: 90, Output: 3}},
	}
	pool, _ := topology.Pool(1)
	engine := sim.New()
	c := cluster.New(engine, pool, 0)
	c.Submit(&cluster.Job{Name: "chat", Count: 1, Program: fleet})
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	for i, o := range fleet.Outcomes {
		fmt.Printf("%s: first token at %v, last at %v\n", fleet.Requests[i].ID, o.First, o.Finish)
	}
	// Output:
	// first: first token at 100ms, last at 210ms
	// second: first token at 200ms, last at 220ms
}
