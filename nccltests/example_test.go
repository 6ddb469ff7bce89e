package nccltests_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/nccltests"
)

// As `all_reduce_perf -b 8M -e 128M -f 4 -g 8` does on a DGX H100.
func Example() {
	sizes, err := nccltests.Sizes(8<<20, 128<<20, 4, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := nccltests.Load("", &nccltests.Test{Op: "all_reduce", Host: "dgx-h100", Ranks: 8, Sizes: sizes})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range r.Summary.List("collectives") {
		fmt.Printf("%.0f MiB: %.0f GB/s on the bus\n", row.Float("size_bytes")/(1<<20), row.Float("busbw_Bps")/1e9)
	}
	// Output:
	// 8 MiB: 188 GB/s on the bus
	// 32 MiB: 291 GB/s on the bus
	// 128 MiB: 402 GB/s on the bus
}
