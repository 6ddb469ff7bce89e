package main

import "strconv"

// constant is a figure of the model that holds for every accelerator, host and
// workload and that the published runs say something of.
type constant struct {
	name      string
	key       string  // of a row's scenario
	unit      string  // of its value in a scenario
	value     float64 // shipped
	low, high float64 // what a fit may give it
}

// constants are fitted by -leave-one-out.
var constants = []constant{
	{"memory_efficiency", "accelerators.case.memory_efficiency", "", 0.80, 0.5, 1},
	{"launch_overhead", "accelerators.case.launch_overhead", "us", 4, 0.5, 20},
	{"nic_efficiency", "hosts.case.nic_efficiency", "", 0.92, 0.3, 1},
}

// override sets the constant in a scenario.
func (c constant) override(value float64) string {
	text := strconv.FormatFloat(value, 'g', -1, 64)
	if c.unit != "" {
		text = strconv.Quote(text + c.unit)
	}
	return c.key + "=" + text
}

// suffix is the unit as it stands behind a number.
func (c constant) suffix() string {
	if c.unit == "" {
		return ""
	}
	return " " + c.unit
}

// shipped are the values that the constants have.
func shipped(constants []constant) []float64 {
	values := make([]float64, len(constants))
	for k, c := range constants {
		values[k] = c.value
	}
	return values
}
