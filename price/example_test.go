package price_test

import (
	"fmt"

	"github.com/railyard/railyard/price"
	"github.com/railyard/railyard/scenario"
)

// Two hosts of four accelerators at 25,000 USD and of 60,000 USD beside them, over four
// years: 320,000 USD, 80,000 a year.
func ExampleFor() {
	s, faults := scenario.Parse("owned.toml", []byte(`
[topology]
kind = "rail"
host = "quad"
hosts = 2

[hosts.quad]
base = "dgx-a100"
accelerators = 4

[topology.prices]
switch = "0USD"
trunk = "0USD"
access = "0USD"

[topology.cost]
accelerator = "25000USD"
server = "60000USD"
life_years = 4
tariff = "0.1USD/kWh"

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
	const year = 365.25 * 24 * 3600
	bill := price.For(built.Topology, s.Topology, year, 1000*3.6e6)
	fmt.Printf("%.0f USD to buy; a year takes %.0f USD of it, and 1,000 kWh %.0f USD\n", bill.Bought.Total(), bill.Capital, bill.Energy)
	// Output: 320000 USD to buy; a year takes 80000 USD of it, and 1,000 kWh 100 USD
}
