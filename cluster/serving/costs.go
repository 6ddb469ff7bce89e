package serving

import (
	"math"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
	"github.com/railyard/railyard/workload/serving"
)

// Step is the shape of a step of an engine, which decides what it costs.
type Step struct {
	Tokens    int     // computed in all
	Sequences int     // that come to a token
	Decodes   int     // sequences whose prompt has been computed
	Guessed   int     // tokens of these beyond the next ones
	Context   int64   // tokens that these meet in the cache in all, themselves included
	Chunks    []Chunk // of prompts
}

// Chunk is a part of a prompt, after so much of it that is in the cache.
type Chunk struct{ Tokens, Cached int }

// Costs tells how long a step takes, in seconds. An error says why it cannot.
type Costs interface {
	// Place is called once, with the accelerators of the first replica, before steps are
	// priced.
	Place(c *cluster.Cluster, accelerators []topology.NodeID) error
	Time(s *Step) (float64, error)
}

// Computed are costs by the roofline of the accelerator: products with weights by the
// tokens of the step, attention by what each meets, all-reduces of the tensor-parallel
// ranks as they take with their links to themselves, and what the engine adds.
//
// What depends on the number of tokens or sequences alone is computed once.
type Computed struct {
	Forward  *serving.Forward
	Roofline cluster.Roofline
	Engine   *Engine
	// Draft is the small model that guesses the tokens of speculative decoding, nil if that
	// costs nothing (n-grams of the prompt). It is laid like the model itself.
	Draft *Computed
	// Steps, if set, is shared with fleets that run before or after.
	Steps *StepCache

	reduce, gather *collective.Plan // of the tensor-parallel ranks, nil for a single one
	own            *collective.Plan // all-reduce of these by kernels of the engine if they share a host, else nil
	switched       *collective.Plan // the same in the host's switch, nil if that cannot
	dispatch       *collective.Plan // all-to-all of those that share experts, nil where none do
	stages         int
	send           *collective.Plan // from a stage to the next, nil for a single one
}

// ownReduce is up to what size engines sum with their own kernels rather than those of the
// collective library (vLLM's and TensorRT-LLM's limit).
const ownReduce = 8 << 20

// leastSwitched is how many ranks there must be for an engine to have the switch of their
// host sum.
const leastSwitched = 4

// mostKnown is up to how many tokens of a step costs are kept.
const mostKnown = 1 << 18

// Place finds out what tensor-parallel ranks and stages have between them. Accelerators
// of a stage are next to each other.
func (x *Computed) Place(c *cluster.Cluster, accelerators []topology.NodeID) error {
	ranks := x.Forward.Tensor
	launch := &x.Roofline.Accelerator.LaunchOverhead
	*launch = units.Duration(math.Round(float64(*launch) * x.Engine.LaunchShare))
	each := ranks * max(1, x.Forward.Expert) // of a stage
	x.stages = len(accelerators) / each
	if ranks > 1 {
		group := accelerators[:ranks]
		reduce, err := c.Planner.Plans(collective.AllReduce, group)
		if err != nil {
			return err
		}
		gather, err := c.Planner.Plans(collective.AllGather, group)
		if err != nil {
			return err
		}
		x.reduce, x.gather = reduce.Fastest(ownReduce), gather.Fastest(ownReduce)
		if t := c.Topology; t.Server(group[0]) == t.Server(group[ranks-1]) {
			if x.own, err = c.Planner.Plan(collective.AllReduce, collective.Direct, group); err != nil {
				return err
			}
			if ranks >= leastSwitched {
				x.switched, _ = c.Planner.Plan(collective.AllReduce, collective.NVLS, group)
			}
		}
	}
	if each > ranks {
		plan, err := c.Planner.Plan(collective.AllToAll, collective.Direct, accelerators[:each])
		if err != nil {
			return err
		}
		x.dispatch = plan
	}
	if x.Steps == nil {
		x.Steps = &StepCache{}
	}
	x.Steps.keep(x)
	if x.Draft != nil {
		x.Draft.Engine = &Engine{LaunchShare: x.Engine.LaunchShare, ReduceOverhead: x.Engine.ReduceOverhead, SwitchedReduce: x.Engine.SwitchedReduce}
		if err := x.Draft.Place(c, accelerators[:ranks]); err != nil {
			return err
		}
	}
	if x.stages > 1 {
		x.send = c.Sends(accelerators[:1], accelerators[each:each+1])
	}
	return nil
}

// Time is the cost of a step through all stages.
func (x *Computed) Time(s *Step) (float64, error) {
	var t float64
	if x.Forward.Expert > 1 {
		t, _ = x.Split(s, Crossing{}, nil)
	} else {
		t = x.denseTime(s.Tokens) + x.headTime(s) + x.rest(s)
	}
	if x.send != nil {
		bytes := 2 * float64(s.Tokens) * float64(x.Forward.Model.Hidden)
		t += float64(x.stages-1) * x.send.Predict(bytes)
	}
	return t, nil
}

// rest is what a step takes beside products with weights, the head and what is sent from
// stage to stage: attention, the engine, and a draft.
func (x *Computed) rest(s *Step) float64 {
	e, layers := x.Engine, float64(x.Forward.Model.Layers)
	t := e.StepOverhead + float64(s.Sequences)*e.SequenceOverhead
	if s.Decodes > 0 {
		t += layers * x.Roofline.Time(x.Forward.Decode(s.Decodes, s.Decodes+s.Guessed, s.Context))
	}
	for _, c := range s.Chunks {
		t += layers * x.Roofline.Time(x.Forward.Prefill(c.Tokens, c.Cached))
	}
	if x.Draft != nil {
		t += x.Draft.guess(s)
	}
	return t
}

// guess is what a draft adds to a step: it computes the prompts, too, and each guessed
// token after the other, of all sequences together.
func (x *Computed) guess(s *Step) (t float64) {
	if len(s.Chunks) > 0 {
		prompts := *s
		prompts.Tokens -= s.Decodes + s.Guessed
		prompts.Sequences, prompts.Decodes, prompts.Guessed = 0, 0, 0
		v, _ := x.Time(&prompts)
		t += v
	}
	if s.Guessed == 0 {
		return t
	}
	one := Step{Tokens: s.Decodes, Sequences: s.Decodes, Decodes: s.Decodes, Context: s.Context}
	v, _ := x.Time(&one)
	return t + v*math.Ceil(float64(s.Guessed)/float64(s.Decodes))
}

func (x *Computed) denseTime(tokens int) float64 {
	if tokens > mostKnown { // of static batches with long prompts, which are few
		return x.computeDense(tokens)
	}
	m := x.Steps
	if n := len(m.dense); tokens >= n {
		m.dense = append(m.dense, make([]float64, tokens+1-n)...)
	}
	if m.dense[tokens] == 0 {
		m.dense[tokens] = x.computeDense(tokens)
	}
	return m.dense[tokens]
}

func (x *Computed) computeDense(tokens int) (t float64) {
	x.Forward.Dense(tokens, tokens, func(o workload.Operator, times int) {
		if o.Class == workload.Communication {
			t += float64(times) * x.reduceTime(o.Bytes)
		} else {
			t += float64(times) * x.Roofline.Time(o)
		}
	})
	return t
}

// headTime is the choice of the next tokens, and gathering what the ranks have of the
// logits.
func (x *Computed) headTime(s *Step) float64 {
	if s.Sequences == 0 {
		return 0
	}
	sequences := s.Sequences + s.Guessed
	m := x.Steps
	for sequences >= len(m.head) {
		m.head = append(m.head, 0)
	}
	if m.head[sequences] == 0 {
		var t float64
		x.Forward.Head(sequences, func(o workload.Operator, times int) { t += float64(times) * x.Roofline.Time(o) })
		if x.gather != nil {
			t += x.gather.Predict(x.Forward.LogitBytes(sequences))
		}
		m.head[sequences] = t
	}
	return m.head[sequences]
}

// reduceTime is an all-reduce of the tensor-parallel ranks. Within a host engines have
// kernels for those up to ownReduce, in which every rank reads what the others have, over
// all links at once: in one shot or, so that each sums a part and reads the others' sums,
// in two. The first moves n - 1 times the bytes over each rank's links, the second
// 2 (n - 1) / n times, and has a barrier more. A switch that sums does so in two shots, too,
// and moves them once. Otherwise the collective library does it. Engines know up to what
// size which is the fastest.
func (x *Computed) reduceTime(bytes float64) float64 {
	each, best := x.Engine.ReduceOverhead, x.reduce.Predict(bytes)
	if x.switched != nil && bytes <= x.Engine.SwitchedReduce {
		best = min(best, 2*each+drained(x.switched, bytes))
	}
	if x.own != nil && bytes <= ownReduce {
		two := drained(x.own, bytes)
		best = min(best, each+two*float64(x.Forward.Tensor)/2, 2*each+two)
	}
	return best
}

// drained is the time in which links carry a collective, without what starts it.
func drained(p *collective.Plan, bytes float64) (sum float64) {
	for i := range p.Phases {
		sum += p.Phases[i].Drain(bytes).Seconds()
	}
	return sum
}
