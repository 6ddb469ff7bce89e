package energy_test

import (
	"fmt"

	"github.com/railyard/railyard/energy"
)

func Example() {
	server := energy.Curve{Shape: energy.Linear, Idle: 100, Max: 200}
	// Half utilized for an hour, then idle for another.
	power := energy.Steps{At: []float64{0, 3600}, Values: []float64{server.Power(0.5), server.Power(0)}}
	fmt.Println(power.Integral(0, 7200)/energy.JoulesPerKWh, "kWh")
	// A grid that becomes cleaner after half an hour.
	grid := energy.Steps{At: []float64{0, 1800}, Values: []float64{400, 200}}
	fmt.Println(energy.Emissions(power, grid, 0, 7200), "g")
	// Output:
	// 0.25 kWh
	// 65 g
}
