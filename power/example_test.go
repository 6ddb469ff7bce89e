package power_test

import (
	"fmt"

	"github.com/railyard/railyard/power"
	"github.com/railyard/railyard/scenario"
)

// Two DGX H100 of eight accelerators of 700 W, whose rest draws 4.6 kW at full power. A
// rack that may draw 16 kW lowers the clocks of all.
func Example() {
	s, faults := scenario.Parse("capped.toml", []byte(`
[topology]
kind = "rail"
host = "dgx-h100"
hosts = 2

[topology.power]
rack_cap = "16kW"

[[workload.collective]]
op = "all_reduce"
sizes = ["1GB"]
`), nil)
	if faults != nil {
		fmt.Println(faults)
		return
	}
	built, faults := s.BuildTopology()
	if faults != nil {
		fmt.Println(faults)
		return
	}
	model, faults := power.Read(s, built.Topology)
	if faults != nil {
		fmt.Println(faults)
		return
	}
	full := model.Of(built.Topology.Servers[0].Spec)
	capped, faults := model.Cap(s, built.Topology)
	if faults != nil {
		fmt.Println(faults)
		return
	}
	limited := model.Of(capped.Servers[0].Spec)
	fmt.Printf("computing: %.0f W, limited %.0f W\n", full.Accelerator.Compute, limited.Accelerator.Compute)
	fmt.Printf("at most: %.1f kW at clocks of %.2f\n", 16*(limited.Accelerator.Compute+limited.Host.Compute)/1e3, model.Limits.Lowest())
	// Output:
	// computing: 700 W, limited 425 W
	// at most: 16.0 kW at clocks of 0.82
}
