package datacenter

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
	demand "github.com/railyard/railyard/workload/serving"
)

const (
	// passRequests is the most requests of a pass where a scenario does not say.
	passRequests = 32
	// passMemory is the part of the memory that a server of such models may take; the
	// rest is the process's own.
	passMemory = 0.95
)

// passes says whether requests are answered in one pass each.
func (s *served) passes() bool {
	_, passes := s.Costs.(*serving.Passes)
	return passes
}

// passes has a fleet answer each request in one forward pass, and gives the bytes of the
// weights. A batch is what waits, up to max_batch; the answer is one token, and so
// the first is the last.
func (b *builder) passes(w *scenario.Serving, f *serving.Fleet, model workload.Model, j *cluster.Job) (weights float64, ok bool) {
	format, _ := demand.ParseFormat(w.Quantization.Value)
	if w.Sparsity.Value == "2:4" {
		format = format.TwoOfFour()
	}
	accelerator := b.accelerator(j, topology.BF16)
	model = model.WithDefaults()
	model.FFN = pruned(model.FFN, w.Pruning.Value)
	pass := demand.NewPass(model, &accelerator, format)

	requests := passRequests
	if w.MaxBatch.Set {
		requests = int(w.MaxBatch.Value)
	}
	f.Delay = sim.Time(w.MaxQueueDelay.Value)
	// Each request takes one block of a cache that has as many as there may be requests.
	f.Batching = scheduler.Batching{Order: scheduler.Static, MaxBatch: requests, Reserve: true, Blocks: requests, BlockSize: 1 << 24}
	if longest := pass.Longest() + 1; f.Context == 0 || f.Context > longest { // with the answer
		f.Context = longest
	}
	longest, answers := 0, false
	for i := range f.Requests {
		r := &f.Requests[i]
		answers = answers || r.Output > 1
		r.Input = max(r.Input, 1) // where the scenario has none
		if r.Output, r.Prefix = 1, nil; r.Input < f.Context {
			longest = max(longest, r.Input)
		}
	}
	if answers {
		b.warnings = append(b.warnings, w.Requests.Value+": output_tokens are not looked at: "+w.Model.Value+" answers in one pass")
	}
	if err := pass.Validate(requests, longest, passMemory*float64(accelerator.Memory)); err != nil {
		b.fault(w.MaxBatch.Pos.Or(w.At), w.Path, "%s: %v", w.Model.Value, err)
		return 0, false
	}
	f.Costs = &serving.Passes{
		Pass: pass, Roofline: cluster.Roofline{Accelerator: accelerator, Kernels: b.kernels},
		Overhead: sim.Time(w.PassOverhead.Value).Seconds(), Padded: !w.Padding.Set || w.Padding.Value,
	}
	return pass.WeightBytes(), true
}
