package record_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/record"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Two accelerators sum up a megabyte over a link of 1 GB/s each way.
func Example() {
	ring, err := topology.Ring(2, 1e9, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	engine := sim.New()
	c := cluster.New(engine, ring, 0)
	r := record.New(c, &record.Options{All: true}, func(warning string) { fmt.Println(warning) })
	c.Submit(&cluster.Job{Name: "sum", Count: 2, Program: &cluster.CollectiveBenchmark{
		Op: collective.AllReduce, Algorithm: collective.Ring, Sizes: []float64{1e6}, Iterations: 1,
	}})
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	t := r.Finish(engine.Now(), nil, nil)
	for _, s := range t.Slices {
		track := t.Tracks[s.Track]
		fmt.Printf("%s, %s: %s for %.2f ms\n", t.Processes[track.Process].Name, track.Name, t.Names[s.Name], 1e3*(s.To-s.From).Seconds())
	}
	// Output:
	// accelerators, acc0 communication, 1 of 2 alike: all_reduce for 1.00 ms
	// accelerators, acc1 communication, 1 of 2 alike: all_reduce for 1.00 ms
}
