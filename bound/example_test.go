package bound_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard/bound"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Whether a model is trained faster by tensor or by data parallelism, before anything else
// shares the network.
func ExampleGround() {
	s, faults := scenario.Parse("site.toml", []byte(`
[topology]
kind = "rail"
host = "dgx-h100"
hosts = 2

[[workload.collective]]
op = "all_reduce"
sizes = ["1GB"]
`), nil)
	if faults != nil {
		fmt.Println(faults)
		return
	}
	g, err := bound.NewGround(s)
	if err != nil {
		fmt.Println(err)
		return
	}
	model, faults := s.Model("gpt-1.7b")
	if faults != nil {
		fmt.Println(faults)
		return
	}
	for _, tensor := range []int{1, 8} {
		t := workload.Training{Model: model, Precision: topology.BF16, GlobalBatch: 64, Tensor: tensor, Data: 16 / tensor}.WithDefaults()
		last, err := g.Try(context.Background(), t, t.Layers())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("tensor %d: %.0f ms an iteration\n", tensor, 1e3*last.Time.Seconds())
	}
	// Output:
	// tensor 1: 265 ms an iteration
	// tensor 8: 1013 ms an iteration
}
