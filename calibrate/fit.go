package calibrate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
)

// Constant is one that a fit may change, as a scenario writes it.
type Constant struct {
	Key      string
	Was, Is  string // TOML values
	Measured bool   // false where the rows say nothing of it
}

// Residual is how far predictions are from a group of measurements:
// |predicted / measured - 1|, and the median of the signed error.
type Residual struct {
	Group         string
	Rows          int
	Median, Ninth float64 // half and nine in ten of the rows are met so well
	Bias          float64 // above 0: predicted slow
	Call          Call    // what these rows were timed with
}

// Residuals compares an accelerator with measured kernels, by class and
// precision, in the order of these.
func Residuals(a topology.Accelerator, kernels []Kernel) []Residual {
	errors := map[kind][]float64{}
	calls := map[kind]Call{}
	for _, k := range kernels {
		errors[kindOf(k)] = append(errors[kindOf(k)], deviation(&a, k))
		if k.Call != nil {
			calls[kindOf(k)] = *k.Call
		}
	}
	var all []Residual
	for class := range workload.NumClasses {
		for precision := range topology.NumPrecisions {
			if e := errors[kind{class, precision}]; e != nil {
				r := residual(fmt.Sprintf("%s %s", class, precision), e)
				r.Call = calls[kind{class, precision}]
				all = append(all, r)
			}
		}
	}
	return all
}

// residual sums up logarithms of predicted / measured.
func residual(group string, logs []float64) Residual {
	r := Residual{Group: group, Rows: len(logs)}
	slices.Sort(logs)
	r.Bias = math.Expm1(logs[len(logs)/2])
	for i, l := range logs {
		logs[i] = math.Abs(math.Expm1(l))
	}
	slices.Sort(logs)
	r.Median, r.Ninth = logs[len(logs)/2], logs[len(logs)*9/10]
	return r
}

// Error is predicted / measured - 1.
func (k Kernel) Error(a topology.Accelerator) float64 { return math.Expm1(deviation(&a, k)) }

// deviation is ln(predicted / measured).
func deviation(a *topology.Accelerator, k Kernel) float64 {
	return math.Log(k.Call.time(cluster.Roofline{Accelerator: *a}.Time(k.Operator)) / k.Seconds)
}

// meanDeviation is what fits make small.
func meanDeviation(a *topology.Accelerator, kernels []Kernel) float64 {
	var sum float64
	for _, k := range kernels {
		sum += math.Abs(deviation(a, k))
	}
	return sum / float64(len(kernels))
}

// Accelerator fits an accelerator to measured kernels: how much of the peaks and
// of the memory's rate its kernels reach, and what launching one costs. Products
// in 16 bits and more come first; narrower ones and fused attention then have
// one constant each.
func Accelerator(base topology.Accelerator, kernels []Kernel) (topology.Accelerator, []Constant, error) {
	if len(kernels) == 0 {
		return base, nil, errors.New("there is no kernel to fit to")
	}
	if err := checkRates(&base, kernels); err != nil {
		return base, nil, err
	}
	a := base
	a.ReadEfficiency = cmp.Or(a.ReadEfficiency, a.MemoryEfficiency)
	a.FP8Efficiency = cmp.Or(a.FP8Efficiency, a.MatrixEfficiency)
	a.FP4Efficiency = cmp.Or(a.FP4Efficiency, a.MatrixEfficiency)
	a.FlashEfficiency = cmp.Or(a.FlashEfficiency, 0.5)
	product := func(p ...topology.Precision) func(Kernel) bool {
		return func(k Kernel) bool {
			return k.Operator.Class == workload.Matrix && slices.Contains(p, k.Operator.Precision)
		}
	}
	launch := parameter{
		keys: []written{{"launch_overhead", func() string { return fmt.Sprintf("%q", a.LaunchOverhead) }}},
		get:  func() float64 { return math.Log(max(a.LaunchOverhead.Seconds(), 1e-9)) },
		set:  func(x float64) { a.LaunchOverhead = microseconds(math.Exp(x)) },
	}
	var constants []Constant
	for _, stage := range []struct {
		rows       func(Kernel) bool
		parameters []parameter
	}{
		{
			product(topology.FP32, topology.TF32, topology.FP16, topology.BF16, topology.INT8),
			[]parameter{share("matrix_efficiency", &a.MatrixEfficiency), share("read_efficiency", &a.ReadEfficiency), launch},
		},
		{product(topology.FP8), []parameter{share("fp8_efficiency", &a.FP8Efficiency)}},
		{product(topology.FP4), []parameter{share("fp4_efficiency", &a.FP4Efficiency)}},
		{func(k Kernel) bool { return k.Operator.Class == workload.FlashAttention }, []parameter{share("flash_efficiency", &a.FlashEfficiency)}},
	} {
		var rows []Kernel
		for _, k := range kernels {
			if stage.rows(k) {
				rows = append(rows, k)
			}
		}
		if rows == nil {
			continue
		}
		found, err := fit(append(stage.parameters, callParameters(rows)...), func() float64 { return meanDeviation(&a, rows) })
		if err != nil {
			return base, nil, err
		}
		constants = append(constants, found...)
	}
	return a, constants, nil
}

func checkRates(a *topology.Accelerator, kernels []Kernel) error {
	for _, k := range kernels {
		if p := k.Operator.Precision; a.Peak[p] == 0 {
			return fmt.Errorf("%s has no rate in %s, which the table has kernels in", a.Name, p)
		}
	}
	return nil
}

// parameter is a number without bounds that a fit moves, and the constants that
// move with it.
type parameter struct {
	keys []written
	get  func() float64
	set  func(x float64)
}

// written is a constant as a scenario writes it.
type written struct {
	key  string
	text func() string
}

// share is the parameter of a constant between 0 and 1.
func share(key string, value *float64) parameter {
	return parameter{
		keys: []written{{key, func() string { return fmt.Sprintf("%.3f", *value) }}},
		get:  func() float64 { return logit(*value) },
		set:  func(x float64) { *value = logistic(x) },
	}
}

func logit(share float64) float64 {
	share = min(max(share, 1e-6), 1-1e-6)
	return math.Log(share / (1 - share))
}
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// microseconds is a duration of at most a second, to the hundredth of a
// microsecond that is written.
func microseconds(seconds float64) units.Duration {
	return units.Duration(math.Round(min(seconds, 1)*1e8) * 1000)
}

const maxStarts = 5

// fit moves the parameters to where the mean error is least, and puts back
// those that it does not depend on there.
func fit(parameters []parameter, mean func() float64) ([]Constant, error) {
	start := make([]float64, len(parameters))
	var constants []Constant
	for i, p := range parameters {
		start[i] = p.get()
		for _, k := range p.keys {
			constants = append(constants, Constant{Key: k.key, Was: k.text()})
		}
	}
	set := func(x []float64) {
		for i, p := range parameters {
			p.set(x[i])
		}
	}
	problem := optimize.Problem{Func: func(x []float64) float64 {
		set(x)
		return mean()
	}}
	best, least := slices.Clone(start), problem.Func(start)
	for range maxStarts {
		before := least
		// A bound that does not bind is flat to a simplex, however far below it
		// the truth lies: look along each axis first, for gains beyond noise.
		for i := range best {
			at := best[i]
			for _, step := range []float64{-2, -1, -0.5, 0.5, 1, 2} {
				x := slices.Clone(best)
				x[i] = at + step
				if f := problem.Func(x); f < 0.8*least {
					best, least = x, f
				}
			}
		}
		result, err := optimize.Minimize(problem, best, &optimize.Settings{FuncEvaluations: 300}, &optimize.NelderMead{})
		if err != nil {
			return nil, fmt.Errorf("no fit: %w", err)
		}
		if result.F < least {
			best, least = result.X, result.F
		}
		if least > before*(1-1e-4) {
			break
		}
	}
	set(best)
	n := 0
	for i, p := range parameters {
		const step, matters = 0.2, 1e-3
		var most float64
		for _, x := range []float64{best[i] - step, best[i] + step} {
			p.set(x)
			most = max(most, mean()-least)
		}
		measured := most > matters*least+1e-6
		p.set(best[i])
		if !measured {
			p.set(start[i])
		}
		for _, k := range p.keys {
			constants[n].Is, constants[n].Measured = k.text(), measured
			n++
		}
	}
	return constants, nil
}
