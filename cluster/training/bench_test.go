package training_test

import (
	"testing"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// gpt3 is the largest model of Brown et al. 2020, its vocabulary padded as
// Narayanan et al. 2021 do.
var gpt3 = workload.Model{Name: "gpt3-175b", Layers: 96, Hidden: 12288, Heads: 96, Vocab: 51200, Sequence: 2048, TiedEmbeddings: true}

// sweep is the configurations of a model on 64 accelerators that whoever tunes a job
// looks through. Those that do not fit in memory are in it.
func sweep() []workload.Training {
	var all []workload.Training
	for _, tensor := range []int{1, 2, 4, 8} {
		for _, pipeline := range []int{1, 2, 4, 8} {
			for _, micro := range []int{1, 2, 4} {
				for _, recompute := range []string{workload.RecomputeNone, workload.RecomputeSelective, workload.RecomputeFull} {
					for _, zero := range []int{0, 1} {
						all = append(all, workload.Training{
							Model: gpt3, Precision: topology.BF16, GlobalBatch: 512, MicroBatch: micro, Framework: workload.FrameworkMegatron,
							Tensor: tensor, Pipeline: pipeline, Data: 64 / (tensor * pipeline), SequenceParallel: tensor > 1,
							Recompute: recompute, Zero: zero,
						}.WithDefaults())
					}
				}
			}
		}
	}
	return all
}

// dgx is host with the software's overheads of the catalogue's dgx-a100.
func dgx() topology.Host {
	h := host()
	h.CollectiveOverhead, h.StepOverhead = 12*us, us
	return h
}

// BenchmarkConfigurations measures how many configurations of a model can be looked
// at in a second: each is validated, its memory worked out, and one iteration
// simulated, which a job alone repeats. The topology is built once.
func BenchmarkConfigurations(b *testing.B) {
	topo := leafSpine(dgx(), 8, 1)
	configurations := sweep()
	for _, fidelity := range []string{"analytic", "fluid"} {
		b.Run(fidelity, func(b *testing.B) {
			for b.Loop() {
				for _, t := range configurations {
					if err := t.Validate(); err != nil {
						b.Fatal(err)
					}
					if t.Memory().Total() == 0 {
						b.Fatal("no memory")
					}
					iterate(b, topo, t, 1, fidelity == "analytic", 0)
				}
			}
			b.ReportMetric(float64(b.N*len(configurations))/b.Elapsed().Seconds(), "configurations/s")
		})
	}
}
