package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
)

// outcome is what a row's scenario came to.
type outcome struct {
	seconds float64 // simulated time of an iteration
	err     error   // why there is none
}

// simulate runs the scenarios of rows with the given constants, nil being the
// shipped ones, and overrides of keys, as railyard run --set takes them. Rows of one configuration are run once. Rows
// run beside each other; none knows of another, so their order does not matter.
func simulate(rows []*row, k *cluster.Kernels, overrides ...string) []outcome {
	first := map[string]int{} // row of a scenario
	texts := make([]string, len(rows))
	var todo []int
	for i, r := range rows {
		texts[i] = r.scenario()
		if _, ok := first[texts[i]]; !ok {
			first[texts[i]] = i
			todo = append(todo, i)
		}
	}
	outcomes := make([]outcome, len(rows))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(todo)) {
		workers.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(todo); n = int(next.Add(1)) - 1 {
				i := todo[n]
				outcomes[i].seconds, outcomes[i].err = iteration(rows[i].id, texts[i], k, overrides)
			}
		})
	}
	workers.Wait()
	for i, text := range texts {
		outcomes[i] = outcomes[first[text]]
	}
	return outcomes
}

// iteration is the simulated time of an iteration, in seconds.
func iteration(name, text string, k *cluster.Kernels, overrides []string) (float64, error) {
	s, faults := scenario.Parse(name, []byte(text), overrides)
	if err := faults.Err(); err != nil {
		return 0, err
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{Kernels: k})
	if err != nil {
		return 0, err
	}
	jobs := r.Summary.List(result.Training.Name)
	if len(jobs) != 1 {
		return 0, fmt.Errorf("%s: %d training jobs", name, len(jobs))
	}
	return jobs[0].Float(result.IterationTime.Name), nil
}

// reason is an error in short: the message of the first fault of a scenario.
func reason(err error) string {
	var faults railyard.Faults
	if errors.As(err, &faults) && len(faults) > 0 {
		return faults[0].Message
	}
	return err.Error()
}
