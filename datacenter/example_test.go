package datacenter_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard/datacenter"
	"github.com/railyard/railyard/scenario"
)

// Four accelerators on a ring sum up a gigabyte: each sends 3/4 of it twice over its link
// of 10 GB/s.
func Example() {
	s, faults := scenario.Parse("ring.toml", []byte(`
[topology]
kind = "ring"
accelerators = 4
bandwidth = "10GB/s"
latency = "1us"

[[workload.collective]]
op = "all_reduce"
algorithm = "ring"
sizes = ["1GB"]
`), nil)
	if faults != nil {
		fmt.Println(faults)
		return
	}
	r, err := datacenter.Run(context.Background(), s, datacenter.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sum := r.Summary.List("collectives")[0]
	fmt.Printf("%.0f ms, %.1f GB/s on the bus\n", 1e3*sum.Float("time_s"), sum.Float("busbw_Bps")/1e9)
	// Output: 150 ms, 10.0 GB/s on the bus
}
