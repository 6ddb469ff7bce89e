package bound

import (
	"errors"
	"math"
	"slices"

	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/datacenter"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
)

// Deployment is the first [[workload.serving]] of a scenario, built to ask what it takes
// at the least before it runs.
type Deployment struct {
	fleet *serving.Fleet
	hurry bool // tokens may come several at a time, or prompts be there
}

// NewDeployment builds a scenario. What is wrong with it is returned as Faults, among it
// that the model does not fit. What is known of its steps may be given.
func NewDeployment(s *scenario.Scenario, known *datacenter.StepCache) (*Deployment, error) {
	built, err := datacenter.Build(s, datacenter.Options{SummaryOnly: true, NoPeak: true, StepCache: known})
	if err != nil {
		return nil, err
	}
	if len(built.Fleets) == 0 {
		return nil, errors.New("the scenario serves no model")
	}
	f := built.Fleets[0]
	accelerators := make([]topology.NodeID, f.Tensor*f.Stages)
	for i := range accelerators {
		accelerators[i] = topology.NodeID(i)
	}
	if err := f.Costs.Place(built.Cluster, accelerators); err != nil {
		return nil, err
	}
	return &Deployment{f, f.Batching.Lookahead > 0 || f.Batching.Piece > 0}, nil
}

// Floor is what requests take at the least of such a deployment, however many replicas
// there are: alone on one of them.
type Floor struct {
	First, Each, Whole float64 // s, at a share of the requests: to the first token, for each, to the last
	// Work is the time, in s, that one replica takes for the share of the requests which
	// is the least work; Span is that between the first arrival and the last.
	Work, Span float64
	Longest    int // tokens of an answer
}

// Floor finds it for a share of the requests, as of 0.99.
func (d *Deployment) Floor(share float64) (Floor, error) {
	f := d.fleet
	var x Floor
	if d.hurry || len(f.Requests) == 0 {
		return x, nil
	}
	unit, step, err := d.least()
	if err != nil {
		return x, err
	}
	var first, each, whole, work, steps []float64
	for _, r := range f.Requests {
		if tokens := r.Input + r.Output; !f.Batching.Fits(tokens) || f.Context > 0 && tokens > f.Context {
			continue // it is rejected, and counts nowhere
		}
		t, err := f.Costs.Time(&serving.Step{Tokens: r.Input, Sequences: 1, Chunks: []serving.Chunk{{Tokens: r.Input}}})
		if err != nil {
			return x, err
		}
		token := 0.0
		if r.Output > 1 {
			if token, err = f.Costs.Time(&serving.Step{Tokens: 1, Sequences: 1, Decodes: 1, Context: int64(r.Input + 1)}); err != nil {
				return x, err
			}
			each = append(each, token)
		}
		first, whole = append(first, t), append(whole, t+float64(r.Output-1)*token)
		work = append(work, unit*float64(r.Input+r.Output-1))
		steps = append(steps, step*float64(r.Output)/float64(f.Batching.MaxBatch))
		x.Longest = max(x.Longest, r.Output)
	}
	for _, times := range [][]float64{first, each, whole, work, steps} {
		slices.Sort(times)
	}
	x.First, x.Each, x.Whole = serving.Quantile(first, share), serving.Quantile(each, share), serving.Quantile(whole, share)
	var alone float64
	for i := range int(math.Ceil(share * float64(len(work)))) {
		x.Work += work[i]
		alone += steps[i]
	}
	x.Work = max(x.Work, alone)
	x.Span = f.Requests[len(f.Requests)-1].Arrival - f.Requests[0].Arrival
	return x, nil
}

// least is what a token takes of a replica at the least, whatever it is computed with, and
// what a step takes, which gives no more tokens of answers than sequences may run: 0 for
// models that answer in one pass, whose work depends on more than that.
func (d *Deployment) least() (token, step float64, err error) {
	if _, pass := d.fleet.Costs.(*serving.Passes); pass {
		return 0, 0, nil
	}
	token = math.Inf(1)
	for tokens := 1 << 16; tokens > 0; tokens /= 2 {
		t, err := d.fleet.Costs.Time(&serving.Step{Tokens: tokens})
		if err != nil {
			return 0, 0, err
		}
		if tokens == 1 {
			step = t
		}
		token = min(token, t/float64(tokens))
	}
	return token, step, nil
}
