package plan

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// choice is a way to share a model among accelerators.
type choice struct {
	tensor, pipeline, virtual, context, expert, data, micro, zero int
}

// ranks is the number of accelerators.
func (c choice) ranks() int { return c.tensor * c.pipeline * c.context * c.data }

// of is the training of a choice, with what is computed again.
func (c choice) of(base workload.Training, recompute string) workload.Training {
	t := base
	t.Tensor, t.Pipeline, t.VirtualStages, t.Context, t.Expert, t.Data = c.tensor, c.pipeline, c.virtual, c.context, c.expert, c.data
	t.MicroBatch, t.Zero, t.Recompute = c.micro, c.zero, recompute
	t.SequenceParallel = c.tensor > 1
	t.TensorOverlap = t.SequenceParallel
	t.Framework = workload.FrameworkMegatron
	if c.zero == 3 {
		t.Framework = workload.FrameworkPyTorch
	}
	return t.WithDefaults()
}

// leastTokens is what a context-parallel rank has of a sequence.
const leastTokens = 4096

// shareable says whether a model can be shared by more than its data.
func shareable(m *workload.Model) bool {
	return m.Family == workload.FamilyTransformer || m.Family == workload.FamilyBERT
}

// tensors are the tensor-parallel degrees within a host.
func tensors(m *workload.Model, host int) []int64 {
	return slices.DeleteFunc(workload.Divisors(m.Heads), func(d int64) bool { return d > int64(host) })
}

// pipelines are the numbers of stages.
func pipelines(m *workload.Model) []int64 {
	all := workload.Divisors(m.Layers)
	for p := int64(2); p < m.Layers; p *= 2 {
		all = append(all, p)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// virtuals are the numbers of chunks that a stage of so many can have.
func virtuals(m *workload.Model, pipeline int) []int64 {
	if p := int64(pipeline); p > 1 && m.Layers%p == 0 {
		return workload.Divisors(m.Layers / p)
	}
	return []int64{1}
}

// contexts are the context-parallel degrees.
func contexts(sequence int) []int64 {
	all := []int64{1}
	for c := 2; sequence%c == 0 && sequence/c >= leastTokens; c *= 2 {
		all = append(all, int64(c))
	}
	return all
}

// experts are the expert-parallel degrees.
func experts(m *workload.Model) []int64 {
	if m.Experts == 0 {
		return []int64{1}
	}
	return workload.Divisors(m.Experts)
}

// space calls each with all choices for a model on up to so many accelerators, of which a
// host has some, without regard to memory.
func space(base workload.Training, host, most int, each func(choice)) {
	m := &base.Model
	ts, ps, cs, es := []int64{1}, []int64{1}, []int64{1}, []int64{1}
	if shareable(m) {
		ts, ps, cs, es = tensors(m, host), pipelines(m), contexts(base.Sequence), experts(m)
	}
	for _, data := range workload.Divisors(int64(base.GlobalBatch)) {
		for _, t := range ts {
			for _, p := range ps {
				for _, c := range cs {
					if data*t*p*c > int64(most) {
						break
					}
					for _, e := range es {
						if data*c%e == 0 {
							inner(base, choice{tensor: int(t), pipeline: int(p), context: int(c), expert: int(e), data: int(data)}, each)
						}
					}
				}
			}
		}
	}
}

// inner completes a choice whose degrees are known.
func inner(base workload.Training, c choice, each func(choice)) {
	zeros := []int{0}
	if c.data*c.context > 1 {
		zeros = append(zeros, 1)
		if c.pipeline == 1 {
			zeros = append(zeros, 3)
		}
	}
	share := base.GlobalBatch / c.data
	for c.micro = 1; share%c.micro == 0; c.micro *= 2 {
		for _, v := range virtuals(&base.Model, c.pipeline) {
			if v > 1 && share/c.micro%c.pipeline != 0 {
				continue // interleaving takes micro-batches in groups of as many as stages
			}
			c.virtual = int(v)
			for _, c.zero = range zeros {
				each(c)
			}
		}
	}
}

// shape is what decides the layers of a choice, and what they compute.
type shape struct {
	tensor, context, expert, micro, data int // data only where layers depend on it
	pytorch, stages                      bool
	recompute                            string
}

// unfolded is a shape's layers, and how long a pass through them takes at the least.
type unfolded struct {
	layers []workload.Layer
	// Seconds forward and backward of the layers before each: computing, and exchanges
	// that nothing is computed beside.
	compute, exchange []float64
}

// shapes unfolds each shape once.
type shapes struct {
	base  workload.Training
	host  *topology.Host
	roof  cluster.Roofline
	known map[shape]*unfolded
}

func newShapes(base workload.Training, host *topology.Host) *shapes {
	return &shapes{base, host, cluster.Roofline{Accelerator: host.Accelerator.Training()}, map[shape]*unfolded{}}
}

func (s *shapes) of(c choice, recompute string) *unfolded {
	key := shape{c.tensor, c.context, c.expert, c.micro, 0, c.zero == 3, c.pipeline > 1, recompute}
	if s.base.Model.Family == workload.FamilyDLRM {
		key.data = c.data
	}
	u := s.known[key]
	if u == nil {
		u = &unfolded{layers: c.of(s.base, recompute).Layers()}
		u.compute, u.exchange = make([]float64, len(u.layers)+1), make([]float64, len(u.layers)+1)
		for i, l := range u.layers {
			u.compute[i+1] = u.compute[i] + s.roof.Total(l.Forward) + s.roof.Total(l.Backward)
			u.exchange[i+1] = u.exchange[i] + s.exchanges(c, l.Forward) + s.exchanges(c, l.Backward)
		}
		s.known[key] = u
	}
	return u
}

// exchanges is what collectives take at the least that hold a pass up. Whatever the
// algorithm, a rank gets what the others have of a result, or sends them what they need,
// through its port, and the library has to start it.
func (s *shapes) exchanges(c choice, ops []workload.Operator) (seconds float64) {
	h := s.host
	rate := max(float64(h.ScaleUpBandwidth)*max(h.ScaleUpEfficiency, h.NVLSEfficiency), float64(h.NICBandwidth)*h.NICEfficiency)
	for i := range ops {
		op := &ops[i]
		if op.Class != workload.Communication || op.Beside {
			continue
		}
		ranks := 1.0
		switch op.Group {
		case workload.TensorGroup:
			ranks = float64(c.tensor)
		case workload.ContextGroup:
			ranks = float64(c.context)
		case workload.ExpertGroup:
			ranks = float64(c.expert)
		}
		switch op.Collective {
		case collective.AllReduce, collective.AllGather, collective.ReduceScatter, collective.AllToAll:
			seconds += op.Bytes * (ranks - 1) / ranks / rate
			if ranks > 1 {
				seconds += min(h.CollectiveOverhead, h.NVLSOverhead).Seconds()
			}
		}
	}
	return seconds
}

// recomputes is what may be computed again, the least first.
var recomputes = []string{workload.RecomputeNone, workload.RecomputeSelective, workload.RecomputeFull}

// fit is the least that has to be computed again for a choice to fit in memory. If none
// does, over is by how many bytes the leanest is too large; below 0, the choice cannot be.
func (s *shapes) fit(c choice, memory int64) (recompute string, over int64) {
	over = -1
	for _, recompute := range recomputes {
		t := c.of(s.base, recompute)
		if t.Validate() != nil {
			continue
		}
		excess := t.MemoryOf(s.of(c, recompute).layers).Total() - memory
		if excess <= 0 {
			return recompute, 0
		}
		if over < 0 || excess < over {
			over = excess
		}
	}
	return "", over
}

// floor is what an iteration takes at the least, in seconds, and what the mean rank
// computes and exchanges in it: a stage begins when the first micro-batch has come through
// those before it, runs all its passes one after another, and ends before the last one's
// gradients go back through those before it.
func floor(t workload.Training, u *unfolded) (time, compute, exchange float64) {
	micros, stages := float64(t.Accumulation()), float64(t.Pipeline)
	chunks := t.Chunks(u.layers)
	pass := func(c int) float64 {
		from, to := chunks[c][0], chunks[c][1]
		return u.compute[to] - u.compute[from] + u.exchange[to] - u.exchange[from]
	}
	before := 0.0
	for stage := range t.Pipeline {
		own := 0.0
		for c := stage; c < len(chunks); c += t.Pipeline {
			own += pass(c)
		}
		time = max(time, before+micros*own)
		before += pass(stage)
	}
	last := len(u.layers)
	return time, micros * u.compute[last] / stages, micros * u.exchange[last] / stages
}
