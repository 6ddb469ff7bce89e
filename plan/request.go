package plan

import (
	"errors"
	"fmt"
	"math"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// Request is what is wanted, where, and within which limits.
type Request struct {
	Model string // of the catalogue, or of the scenarios
	// Tokens or Samples are how much to train; of neither it is 20 tokens for each
	// parameter, as much as the compute is best spent on (Hoffmann et al. 2022).
	Tokens, Samples int64
	GlobalBatch     int64  // sequences or samples; default as the model was trained, else 4 Mi tokens
	Sequence        int64  // tokens; default the model's
	Precision       string // default "bf16"

	// Accelerators are the kinds to choose from; default what the scenarios have, and
	// without scenarios those of the catalogue that have a price, or a rent.
	Accelerators []string
	// Sites are scenarios of data centres to choose from, whose own workload is left out:
	// what they give of topology, power and cost holds. Hosts, if given, are the most that
	// there are. None is the catalogue's hosts on rails.
	Sites []string
	Set   []string // KEY=VALUE, for all scenarios

	Rent bool            // rather than buy
	Rate units.MoneyRate // of an accelerator; default the catalogue's of its kind

	Limits
	Folder string // in which the scenarios will stand, for the files that they name; default the working folder
}

// Limits are what a plan must keep to; what is 0 is no limit, but for Accelerators.
type Limits struct {
	Accelerators int // of the hosts that are bought or rented, used or not; default 1024
	Racks        int
	Deadline     units.Duration // of the training
	Power        units.Power    // the most that the site draws
	Budget       units.Money    // what the training costs
	Purchase     units.Money    // what the data centre costs to buy
}

// The defaults of a request.
const (
	defaultAccelerators = 1024
	defaultBatchTokens  = 4 << 20
	tokensPerParameter  = 20
)

// InputError is something wrong with a request.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

// InfeasibleError says that nothing meets the limits, and what comes nearest.
type InfeasibleError struct{ Nearest string }

func (e *InfeasibleError) Error() string { return "nothing meets the limits: " + e.Nearest }

// Validate reports everything that is wrong with the request itself, and fills in its
// defaults.
func (r *Request) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if r.Model == "" {
		bad("which model? none is given")
	}
	if r.Tokens > 0 && r.Samples > 0 {
		bad("tokens contradict samples: give one of them")
	}
	for _, n := range []struct {
		what  string
		value int64
	}{
		{"tokens", r.Tokens},
		{"samples", r.Samples},
		{"the batch", r.GlobalBatch},
		{"the sequence", r.Sequence},
		{"accelerators", int64(r.Limits.Accelerators)},
		{"racks", int64(r.Racks)},
	} {
		if n.value < 0 {
			bad("%s cannot be %d", n.what, n.value)
		}
	}
	const mostBatch, mostSequence = 1_000_000_000, 100_000_000 // as a scenario may have
	if r.GlobalBatch > mostBatch || r.Sequence > mostSequence {
		bad("a batch of %d with sequences of %d is more than can be simulated, %d and %d", r.GlobalBatch, r.Sequence, mostBatch, mostSequence)
	}
	if r.Limits.Accelerators > scenarioMost {
		bad("%d accelerators are more than can be simulated, %d", r.Limits.Accelerators, scenarioMost)
	}
	for _, v := range []float64{float64(r.Power), float64(r.Budget), float64(r.Purchase), float64(r.Rate)} {
		if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			bad("a limit or rent cannot be %v", v)
		}
	}
	if r.Rent && r.Purchase > 0 {
		bad("a limit on the purchase contradicts renting")
	}
	if r.Rate > 0 && !r.Rent {
		bad("a rent contradicts buying")
	}
	if r.Precision == "" {
		r.Precision = topology.BF16.String()
	}
	if _, ok := topology.ParsePrecision(r.Precision); !ok {
		bad("precision %q is unknown: fp32, tf32, fp16, bf16 or fp8", r.Precision)
	}
	if r.Limits.Accelerators == 0 {
		r.Limits.Accelerators = defaultAccelerators
	}
	if errs == nil {
		return nil
	}
	return &InputError{errors.Join(errs...)}
}
