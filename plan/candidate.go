package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/workload"
)

// What a plan is judged by: the less of each, the better.
const (
	byTime   = iota // s
	byCost          // USD
	byEnergy        // J
	aims
)

// value is what a choice takes of each, or a bound of it.
type value [aims]float64

// covers says whether a is as good as b in everything.
func (a value) covers(b value) bool {
	for i := range a {
		if a[i] > b[i] {
			return false
		}
	}
	return true
}

// dominates says whether it is better in something, too.
func (a value) dominates(b value) bool { return a.covers(b) && a != b }

// size orders choices: the product of all.
func (a value) size() float64 {
	sum := 0.0
	for _, v := range a {
		sum += math.Log(max(v, math.SmallestNonzeroFloat64))
	}
	return sum
}

// stage is how much is known of a choice.
type stage uint8

const (
	bounded   stage = iota // by what its passes compute
	tried                  // without contention
	simulated              // as `railyard run` does
)

// slack is taken off bounds, as rounding to ticks of the clock may.
const slack = 1e-3

// candidate is a choice on hosts of a site.
type candidate struct {
	choice
	ground *ground
	number int
	u      *unfolded

	recompute string

	known  stage
	value  value              // or a bound of it
	alone  value              // without contention, once tried
	last   training.Iteration // of it
	found  *outcome           // once simulated
	refuse string             // why it cannot be, or is too much
}

// outcome is what a run of a choice found.
type outcome struct{ iteration, mfu, memory float64 }

// ground is a number of hosts of a site.
type ground struct {
	*site
	hosts      int
	rates      railyard.Rates
	refuse     string  // why it cannot be, whatever is trained on it
	over       float64 // by what part of the limit
	candidates []*candidate
	simulated  bool // one of them has been
}

// iterations is how many the training takes.
func (r *Request) iterations() float64 {
	if r.Samples > 0 {
		return float64(1 + (r.Samples-1)/r.GlobalBatch)
	}
	return float64(1 + (r.Tokens-1)/(r.GlobalBatch*r.Sequence))
}

// training is that of a candidate.
func (s *search) training(c *candidate) workload.Training { return c.of(s.base, c.recompute) }

// take is what iterations of so many seconds take in all, in which the mean rank computes
// and waits for communication.
func (c *candidate) take(iterations, time, compute, communicate float64) value {
	r := &c.ground.rates
	time, compute, communicate = iterations*time, iterations*compute, iterations*communicate
	joules := r.Energy(c.ranks(), time, compute, communicate)
	return value{time, r.Cost(time, joules), joules}
}

// lowered is a bound that rounding cannot break.
func (a value) lowered() value {
	for i := range a {
		a[i] *= 1 - slack
	}
	return a
}

// broken says which limit a value breaks the most and by what part of it, "" if none.
func (l *Limits) broken(v value) (text string, over float64) {
	see := func(what string, has, limit float64, show func(float64) string) {
		if limit > 0 && has > limit && has/limit-1 > over {
			over = has/limit - 1
			text = fmt.Sprintf("%s %s, %.1f %% more than %s", what, show(has), 100*over, show(limit))
		}
	}
	see("takes", v[byTime], l.Deadline.Seconds(), report.Seconds)
	see("costs", v[byCost], float64(l.Budget), money)
	return text, over
}

// workload is the training of a candidate as a scenario has it.
func (s *search) workload(c *candidate) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	t := s.training(c)
	line("[[workload.training]]")
	line("model = %q", s.Model)
	if n := c.ranks(); n < c.ground.rates.Accelerators {
		line("accelerators = %d", n)
	}
	for _, d := range []struct {
		key   string
		value int
	}{{"tensor", c.tensor}, {"pipeline", c.pipeline}, {"virtual_stages", c.virtual}, {"context", c.context}, {"expert", c.expert}} {
		if d.value > 1 {
			line("%s = %d", d.key, d.value)
		}
	}
	line("data = %d", c.data)
	if t.SequenceParallel {
		line("sequence_parallel = true")
	}
	if c.zero > 0 {
		line("zero = %d", c.zero)
	}
	line("framework = %q", t.Framework)
	line("precision = %q", t.Precision)
	line("micro_batch = %d", t.MicroBatch)
	line("global_batch = %d", t.GlobalBatch)
	if t.Sequence > 1 {
		line("sequence = %d", t.Sequence)
	}
	if t.Recompute != workload.RecomputeNone {
		line("recompute = %q", t.Recompute)
	}
	if s.Samples > 0 {
		line("samples = %d", s.Samples)
	} else {
		line("tokens = %d", s.Tokens)
	}
	return b.String()
}

// String says how the model is shared.
func (c choice) String() string {
	parts := []string{fmt.Sprintf("tensor %d", c.tensor), fmt.Sprintf("pipeline %d", c.pipeline)}
	if c.virtual > 1 {
		parts[1] += fmt.Sprintf(" x %d", c.virtual)
	}
	if c.context > 1 {
		parts = append(parts, fmt.Sprintf("context %d", c.context))
	}
	if c.expert > 1 {
		parts = append(parts, fmt.Sprintf("expert %d", c.expert))
	}
	return strings.Join(append(parts, fmt.Sprintf("data %d", c.data), fmt.Sprintf("zero %d", c.zero), fmt.Sprintf("micro-batch %d", c.micro)), ", ")
}

// front are those of candidates that no other dominates, the fastest first; of equal ones
// the first.
func front(all []*candidate) []*candidate {
	var kept []*candidate
	for i, c := range all {
		beaten := false
		for k, other := range all {
			beaten = beaten || other.value.dominates(c.value) || k < i && other.value == c.value
		}
		if !beaten {
			kept = append(kept, c)
		}
	}
	slices.SortStableFunc(kept, func(a, b *candidate) int { return slices.Compare(a.value[:], b.value[:]) })
	return kept
}
