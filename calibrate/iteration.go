package calibrate

import (
	"fmt"
	"math"

	"github.com/railyard/railyard/topology"
)

// Iteration fits an accelerator to one measured iteration of training, in
// seconds. One number tells one constant: all shares of the peaks move by the
// same factor, found by bisection, until simulate takes as long. simulate must not
// get slower when they grow.
//
// It is an error if no factor, from a tenth to where a share would pass 1, gives
// the iteration: then something else binds it.
func Iteration(base topology.Accelerator, measured float64, simulate func(topology.Accelerator) (float64, error)) (topology.Accelerator, []Constant, error) {
	scaled := func(factor float64) topology.Accelerator {
		a := base
		for _, s := range shares(&a) {
			*s.value *= factor
		}
		return a
	}
	low, high := 0.1, math.Inf(1)
	for _, s := range shares(&base) {
		high = min(high, 1 / *s.value) // of those that there are not: no bound
	}
	slowest, err := simulate(scaled(low))
	if err != nil {
		return base, nil, err
	}
	fastest, err := simulate(scaled(high))
	if err != nil {
		return base, nil, err
	}
	if measured < fastest || measured > slowest {
		return base, nil, fmt.Errorf("the iteration takes %.4g to %.4g s whatever share of its peak %s reaches, not %.4g s: something else binds it",
			fastest, slowest, base.Name, measured)
	}
	for high/low > 1+1e-4 {
		middle := math.Sqrt(low * high)
		seconds, err := simulate(scaled(middle))
		if err != nil {
			return base, nil, err
		}
		if seconds > measured {
			low = middle
		} else {
			high = middle
		}
	}
	a := scaled(high)
	var constants []Constant
	fitted := shares(&a)
	for i, s := range shares(&base) {
		if *s.value > 0 {
			constants = append(constants, Constant{s.key, fmt.Sprintf("%.4f", *s.value), fmt.Sprintf("%.4f", *fitted[i].value), true})
		}
	}
	return a, constants, nil
}

// IterationResidual is the error of one predicted iteration.
func IterationResidual(predicted, measured float64) Residual {
	return residual("iteration", []float64{math.Log(predicted / measured)})
}

// part is a constant that says what of a peak is reached.
type part struct {
	key   string
	value *float64
}

func shares(a *topology.Accelerator) []part {
	return []part{
		{"matrix_efficiency", &a.MatrixEfficiency},
		{"fp8_efficiency", &a.FP8Efficiency},
		{"fp8_training_efficiency", &a.FP8TrainingEfficiency},
		{"fp4_efficiency", &a.FP4Efficiency},
		{"flash_efficiency", &a.FlashEfficiency},
	}
}
