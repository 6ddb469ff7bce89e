package serving_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/railyard/railyard/workload/serving"
)

func ExampleDemand() {
	d := serving.Demand{
		Count: 3, Rate: 4, Process: serving.Constant,
		Input:  serving.Lengths{Mean: 1024},
		Output: serving.Lengths{Mean: 128},
	}
	for _, r := range d.Requests(rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(1, 2)), nil) {
		fmt.Printf("%s at %v s: %d tokens, answered by %d\n", r.ID, r.Arrival, r.Input, r.Output)
	}
	// Output:
	// 0 at 0 s: 1024 tokens, answered by 128
	// 1 at 0.25 s: 1024 tokens, answered by 128
	// 2 at 0.5 s: 1024 tokens, answered by 128
}
