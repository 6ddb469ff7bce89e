package main

import (
	"context"
	"fmt"
	"log"
	"slices"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/scheduler"
)

// smallest starts the jobs that want the fewest accelerators first.
func smallest(t *scheduler.Turn) {
	jobs := t.Waiting()
	slices.SortStableFunc(jobs, func(a, b scheduler.State) int { return a.Accelerators - b.Accelerators })
	for _, j := range jobs {
		t.Start(j.Number)
	}
}

// star has rank 0 take in the vectors of all, and send their sum to all.
func star(_ collective.Op, host []int) ([]collective.Round, error) {
	in, out := collective.Round{Share: 1}, collective.Round{Share: 1}
	for r := 1; r < len(host); r++ {
		in.Sends = append(in.Sends, collective.Send{From: r, To: 0})
		out.Sends = append(out.Sends, collective.Send{From: 0, To: r})
	}
	return []collective.Round{in, out}, nil
}

func main() {
	mine := railyard.Extensions{
		Policies:    map[string]scheduler.Decider{"smallest": smallest},
		Collectives: map[collective.Algorithm]collective.Own{"star": star},
	}
	s, err := mine.Load("lab.toml")
	if err != nil {
		log.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range r.Summary.List("collectives") {
		fmt.Printf("%s by %s: %.2f ms\n", c.Text("op"), c.Text("algorithm"), 1e3*c.Float("time_s"))
	}
	jobs := r.Table("jobs")
	for i := range jobs.Rows() {
		j := jobs.Record(i)
		fmt.Printf("job %s starts at %g s\n", j.Text("job"), j.Float("start_s"))
	}
}
