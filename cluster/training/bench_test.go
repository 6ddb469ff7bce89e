//go:build unix

package training_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/sim"
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
// at in a second of CPU time: each is validated, its memory worked out, and one
// iteration simulated, which a job alone repeats. They run one after another, each
// alone, on one topology that is built before and a cluster that a few of them share,
// with the plans of collectives that it has laid over the same accelerators.
func BenchmarkConfigurations(b *testing.B) {
	topo := leafSpine(dgx(), 8, 1)
	configurations := sweep()
	for _, fidelity := range []string{"analytic", "fluid"} {
		b.Run(fidelity, func(b *testing.B) {
			used := cpu()
			for b.Loop() {
				var engine *sim.Engine
				var c *cluster.Cluster
				for i, t := range configurations {
					if i%16 == 0 {
						engine = sim.New()
						c = cluster.New(engine, topo, 0)
						if fidelity == "analytic" {
							c.Network.Isolate()
						}
					}
					if err := t.Validate(); err != nil {
						b.Fatal(err)
					}
					layers := t.Layers()
					if t.MemoryOf(layers).Total() == 0 {
						b.Fatal("no memory")
					}
					j := &training.Job{
						Training: t, Layers: layers, Iterations: 1, Roofline: cluster.Roofline{Accelerator: a100()},
						BucketBytes: t.BucketBytes(), Overlap: t.Pipeline == 1, Folded: true,
					}
					c.Submit(&cluster.Job{Name: "it", Start: engine.Now(), Count: t.Ranks(), Program: j})
					if err := engine.Run(context.Background()); err != nil || c.Err != nil || j.Done != 1 {
						b.Fatal(err, c.Err)
					}
				}
			}
			b.ReportMetric(float64(b.N*len(configurations))/(cpu()-used).Seconds(), "configurations/cpu-s")
		})
	}
}

// cpu is the CPU time that the process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
