package railyard_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/scheduler"
)

func ExampleRun() {
	s, err := railyard.Load("testdata/two_rings.toml")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range r.Summary.List("collectives") {
		fmt.Printf("%s: %.2f ms, %.1f GB/s on the bus\n", c.Text("workload"), 1e3*c.Float("time_s"), c.Float("busbw_Bps")/1e9)
	}
	contended := r.Summary.Record("network").List("most_contended")[0]
	fmt.Printf("%s: contended for %.2f ms\n", contended.Text("link"), 1e3*contended.Float("contended_s"))
	// Output:
	// north: 60.01 ms, 25.0 GB/s on the bus
	// south: 60.01 ms, 25.0 GB/s on the bus
	// acc0>switch: contended for 60.00 ms
}

func ExampleLoad() {
	s, err := railyard.Load("testdata/two_rings.toml", "topology.accelerators=2", "workload.collective.0.op=all_to_all")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(railyard.Check(s) != nil) // four accelerators of two
	// Output:
	// true
}

// A result is the summary, as summary.json has it, and the tables, as the CSV files have
// them.
func ExampleResult() {
	s, err := railyard.Load("testdata/two_rings.toml")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	end, err := r.Summary.Lookup("makespan_s")
	fmt.Printf("ends after %.3f s (%v)\n", end, err)
	links := r.Table("links")
	for i := range 2 {
		row := links.Record(i)
		fmt.Printf("%s is used to %.0f %%\n", row.Text("link"), 100*row.Float("utilization_ratio"))
	}
	unit := links.Column("contended_s").Metric
	fmt.Printf("%s: %s\n", unit.Name, unit.Definition)
	// Output:
	// ends after 0.060 s (<nil>)
	// acc0>switch is used to 100 %
	// switch>acc0 is used to 100 %
	// contended_s: time during which two or more owners together wanted more than the link can carry; an owner wants what it would get alone on the network
}

// A collective of one's own: rank 0 sends to all others, one message to each.
func ExampleExtensions() {
	mine := railyard.Extensions{Collectives: map[collective.Algorithm]collective.Own{
		"fan": func(_ collective.Op, host []int) ([]collective.Round, error) {
			var out collective.Round
			for r := 1; r < len(host); r++ {
				out.Sends = append(out.Sends, collective.Send{From: 0, To: r})
			}
			out.Share = 1
			return []collective.Round{out}, nil
		},
	}}
	s, err := mine.Load("testdata/two_rings.toml", "workload.collective.0.op=broadcast", "workload.collective.0.algorithm=fan")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := r.Summary.List("collectives")[0]
	fmt.Printf("%s by %s: %.1f ms\n", c.Text("op"), c.Text("algorithm"), 1e3*c.Float("time_s"))

	_, err = railyard.Load("testdata/two_rings.toml", "workload.collective.0.algorithm=fan") // without them
	fmt.Println(err != nil)
	// Output:
	// broadcast by fan: 80.0 ms
	// true
}

// A scheduling policy of one's own: the job that wants the most goes first.
func ExampleExtensions_policy() {
	largest := func(t *scheduler.Turn) {
		for most := 8; most > 0; most-- {
			for _, j := range t.Waiting() {
				if j.Accelerators == most {
					t.Start(j.Number)
				}
			}
		}
	}
	mine := railyard.Extensions{Policies: map[string]scheduler.Decider{"largest": largest}}
	s, err := mine.Load("testdata/embed/lab.toml", "scheduler.policy=largest", "workload.collective.0.algorithm=ring")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Table("jobs").Column("start_s").Numbers)
	// Output:
	// [120 60 0 60 120]
}
