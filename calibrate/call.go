package calibrate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Call is what an engine's call takes beside the kernel that it is named after, in
// seconds. A product in FP8 or FP4 is called with activations of 16 bits, and is then
// several kernels: one finds their largest value, one turns them into the narrow format.
// Timed call by call, without a CUDA graph, it also lasts as long at least as the host
// takes to get there. A served model pays neither: its kernels of this kind are fused
// with those before, and a graph launches them all at once.
type Call struct {
	Extra float64 // on the accelerator
	Host  float64 // at least
}

// time is how long the call of a kernel takes that takes seconds by itself.
func (c *Call) time(seconds float64) float64 {
	if c == nil {
		return seconds
	}
	return max(seconds+c.Extra, c.Host)
}

func (c *Call) String() string {
	switch {
	case c.Extra > 0 && c.Host > 0:
		return fmt.Sprintf("%.1f us beside the kernel, and %.1f us at least, for the host", 1e6*c.Extra, 1e6*c.Host)
	case c.Host > 0:
		return fmt.Sprintf("%.1f us at least, for the host", 1e6*c.Host)
	}
	return fmt.Sprintf("%.1f us beside the kernel", 1e6*c.Extra)
}

// kind is what kernels have one Call and one residual for.
type kind struct {
	class     workload.Class
	precision topology.Precision
}

func kindOf(k Kernel) kind { return kind{k.Operator.Class, k.Operator.Precision} }

// Calls takes the kernels for calls of one engine, and gives each class and precision of
// them one Call, the one that meets an accelerator best as it is. [Accelerator] then fits
// them along with its constants. Of products in 16 bits and more nothing comes beside the
// launch, which is a constant of the accelerator.
func Calls(a topology.Accelerator, kernels []Kernel) error {
	if err := checkRates(&a, kernels); err != nil {
		return err
	}
	rows := map[kind][]Kernel{}
	var kinds []kind
	for i := range kernels {
		k := kindOf(kernels[i])
		if rows[k] == nil {
			kinds = append(kinds, k)
			kernels[i].Call = &Call{}
		} else {
			kernels[i].Call = rows[k][0].Call
		}
		rows[k] = append(rows[k], kernels[i])
	}
	for _, k := range kinds {
		if err := fitCall(&a, rows[k]); err != nil {
			return err
		}
	}
	return nil
}

// wide says whether the kernel is a product that needs nothing beside it.
func wide(k Kernel) bool {
	p := k.Operator.Precision
	return k.Operator.Class == workload.Matrix && p != topology.FP8 && p != topology.FP4
}

// fitCall finds the Call of kernels of one kind, from where each could be: a launch
// more, and a host that the shortest call waits for. What explains nothing is left out.
func fitCall(a *topology.Accelerator, kernels []Kernel) error {
	call := kernels[0].Call
	shortest := slices.MinFunc(kernels, func(x, y Kernel) int { return cmp.Compare(x.Seconds, y.Seconds) }).Seconds
	*call = Call{Extra: max(a.LaunchOverhead.Seconds(), 1e-6), Host: shortest}
	if wide(kernels[0]) {
		call.Extra = 0
	}
	mean := func() float64 { return meanDeviation(a, kernels) }
	if _, err := fit(callParameters(kernels), mean); err != nil {
		return err
	}
	const matters = 0.01
	for _, part := range []*float64{&call.Host, &call.Extra} {
		was, least := *part, mean()
		if *part = 0; mean() > least*(1+matters) {
			*part = was
		}
	}
	return nil
}

// callParameters are those that a fit may move: the parts of the kernels' calls that
// are not nothing.
func callParameters(kernels []Kernel) []parameter {
	var all []parameter
	seen := map[*Call]bool{nil: true}
	for _, k := range kernels {
		if seen[k.Call] {
			continue
		}
		seen[k.Call] = true
		for _, part := range []*float64{&k.Call.Extra, &k.Call.Host} {
			if *part > 0 {
				all = append(all, parameter{
					get: func() float64 { return math.Log(*part) },
					set: func(x float64) { *part = math.Exp(min(x, 0)) }, // a second at most
				})
			}
		}
	}
	return all
}
