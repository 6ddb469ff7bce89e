package calibrate_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/railyard/railyard/calibrate"
	"github.com/railyard/railyard/scenario"
)

// An H100 that holds 0.80 of its peak: 8192^3 in 16 waves where 15.5 have work,
// with 128 steps of the inner dimension to fill and drain. It reads at 0.90 of
// its memory's rate, and a launch costs it 3 us.
func ExampleAccelerator() {
	h100, faults := (&scenario.Scenario{}).Accelerator("h100-sxm-80gb")
	if faults != nil {
		log.Fatal(faults)
	}
	kernels, _, err := calibrate.ReadKernels("kernels.csv", strings.NewReader(`op,dtype,m,n,k,time_us
gemm,bf16,8192,8192,8192,1458.6
gemm,bf16,1,8192,8192,47.527
gemm,bf16,1,4096,4096,14.134
`), nil)
	if err != nil {
		log.Fatal(err)
	}
	_, constants, err := calibrate.Accelerator(h100, kernels)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range constants {
		fmt.Println(c.Key, c.Was, "->", c.Is)
	}
	// Output:
	// matrix_efficiency 0.730 -> 0.800
	// read_efficiency 0.870 -> 0.900
	// launch_overhead "4us" -> "3us"
}
