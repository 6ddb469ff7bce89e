package main

import "github.com/railyard/railyard/cluster"

// constant is a figure of the time model that holds for every accelerator, host and
// workload and that the published runs say something of.
type constant struct {
	name      string
	value     float64 // shipped
	low, high float64 // what a fit may give it
	of        func(*cluster.Kernels) *float64
}

// constants are fitted by -leave-one-out.
var constants = []constant{
	{"BackwardFactor", cluster.Shipped.BackwardFactor, 0.6, 1, func(k *cluster.Kernels) *float64 { return &k.BackwardFactor }},
	{"Flash2Backward", cluster.Shipped.Flash2Backward, 0.2, 1, func(k *cluster.Kernels) *float64 { return &k.Flash2Backward }},
	{"VectorEfficiency", cluster.Shipped.VectorEfficiency, 0.2, 1, func(k *cluster.Kernels) *float64 { return &k.VectorEfficiency }},
	{"Eager", cluster.Shipped.Eager, 1, 3, func(k *cluster.Kernels) *float64 { return &k.Eager }},
	{"Misaligned", cluster.Shipped.Misaligned, 1, 30, func(k *cluster.Kernels) *float64 { return &k.Misaligned }},
	{"Interference", cluster.Shipped.Interference, 0.05, 0.6, func(k *cluster.Kernels) *float64 { return &k.Interference }},
}

// kernels are the shipped constants with other values of some.
func kernels(constants []constant, values []float64) *cluster.Kernels {
	k := cluster.Shipped
	for i, c := range constants {
		*c.of(&k) = values[i]
	}
	return &k
}

// shipped are the values that the constants have.
func shipped(constants []constant) []float64 {
	values := make([]float64, len(constants))
	for k, c := range constants {
		values[k] = c.value
	}
	return values
}
