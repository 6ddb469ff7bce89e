package training_test

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// mixture is a small mixture of experts.
var mixture = workload.Model{
	Name: "mixture", Family: workload.FamilyTransformer, Layers: 4, Hidden: 512, Heads: 8, FFN: 1024, Vocab: 1024, Sequence: 256,
	Activation: workload.ActivationSwiGLU, Experts: 8, ExpertsPerToken: 2,
}

// parallel is a job of the training, which must be legal, as a scenario would have
// it.
func parallel(t testing.TB, tr workload.Training) *training.Job {
	t.Helper()
	if tr.Precision == 0 {
		tr.Precision = topology.BF16
	}
	if err := tr.Validate(); err != nil {
		t.Fatal(err)
	}
	tr = tr.WithDefaults()
	return &training.Job{
		Training: tr, Iterations: 2, Roofline: cluster.Roofline{Accelerator: a100()}, BucketBytes: 25 << 20,
		Overlap: tr.Pipeline == 1, Prefetch: true, SendOverlap: true,
	}
}

// alike is a network that treats all accelerators the same: each has a link of its
// own to one switch.
func alike(n int) *topology.Topology {
	h := host()
	h.Accelerators, h.NICs = 1, 1
	t, err := topology.Rail(topology.Fabric{Host: h, Hosts: n, HostsPerRack: n, Oversubscription: 1, LinkLatency: us / 3, SwitchLatency: us / 8})
	if err != nil {
		panic(err)
	}
	return t
}

// combinations are trainings of every kind of parallelism.
func combinations() map[string]workload.Training {
	tied, small := small, small
	tied.TiedEmbeddings = true
	eight := small
	eight.Layers = 8
	all := map[string]workload.Training{
		"data":                 {Model: small, GlobalBatch: 16, Data: 8},
		"tensor":               {Model: small, GlobalBatch: 4, Tensor: 4},
		"tensor, overlapped":   {Model: small, GlobalBatch: 4, Tensor: 4, TensorOverlap: true},
		"sequence parallel":    {Model: small, GlobalBatch: 4, Tensor: 4, SequenceParallel: true},
		"context":              {Model: small, GlobalBatch: 8, Context: 4, Data: 2},
		"three ways":           {Model: small, GlobalBatch: 16, Tensor: 2, Pipeline: 2, Data: 2},
		"tied":                 {Model: tied, GlobalBatch: 16, Tensor: 2, Pipeline: 2, Data: 2},
		"gpipe":                {Model: small, GlobalBatch: 16, Tensor: 2, Pipeline: 2, Data: 2, PipelineSchedule: workload.GPipe},
		"zero bubble":          {Model: small, GlobalBatch: 16, Tensor: 2, Pipeline: 3, Data: 2, PipelineSchedule: workload.ZeroBubble, SequenceParallel: true},
		"interleaved":          {Model: eight, GlobalBatch: 16, Tensor: 2, Pipeline: 2, Data: 2, VirtualStages: 2, SequenceParallel: true},
		"selective, unfused":   {Model: small, GlobalBatch: 16, Tensor: 2, Pipeline: 2, Data: 2, Recompute: workload.RecomputeSelective, Attention: workload.AttentionUnfused},
		"full":                 {Model: small, GlobalBatch: 16, Tensor: 2, Pipeline: 2, Data: 2, Recompute: workload.RecomputeFull},
		"expert":               {Model: mixture, GlobalBatch: 16, Data: 8, Expert: 4},
		"expert, all replicas": {Model: mixture, GlobalBatch: 16, Data: 8, Expert: 8},
		"five ways":            {Model: mixture, GlobalBatch: 16, Data: 2, Tensor: 2, Pipeline: 2, Context: 2, Expert: 2, SequenceParallel: true},
	}
	for _, zero := range []int{1, 2, 3} {
		all[fmt.Sprintf("zero %d", zero)] = workload.Training{Model: small, GlobalBatch: 16, Data: 8, Zero: zero}
		all[fmt.Sprintf("three ways, zero %d", zero)] = workload.Training{Model: tied, GlobalBatch: 16, Tensor: 2, Pipeline: 2, Data: 2, Zero: zero, SequenceParallel: true}
		all[fmt.Sprintf("zero bubble, zero %d", zero)] = workload.Training{Model: small, GlobalBatch: 16, Pipeline: 3, Data: 2, Zero: zero, PipelineSchedule: workload.ZeroBubble}
		all[fmt.Sprintf("expert, zero %d", zero)] = workload.Training{Model: mixture, GlobalBatch: 16, Data: 8, Expert: 4, Zero: zero}
		all[fmt.Sprintf("interleaved, zero %d", zero)] = workload.Training{Model: eight, GlobalBatch: 16, Pipeline: 2, Data: 2, VirtualStages: 2, Zero: zero}
	}
	return all
}

// Ranks folded into gangs and ranks each on their own give the same to the tick,
// where the network treats them alike, with everything that can overlap and with
// nothing that can; so do one processor and two.
func TestFoldedIsUnfolded(t *testing.T) {
	for name, tr := range combinations() {
		for _, overlap := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " ", overlap), func(t *testing.T) {
				var got [3]books
				for i := range got {
					j := parallel(t, tr)
					j.Overlap, j.Prefetch, j.SendOverlap = overlap, overlap, overlap
					j.Interference = 0.2
					j.Unfold = i > 0
					if i == 2 {
						defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
					}
					n := j.Training.Ranks()
					c := run(t, alike(n), &cluster.Job{Name: "it", Count: n, Program: j})
					got[i] = rankBooks(c, j)
				}
				if !reflect.DeepEqual(got[1], got[2]) {
					t.Error("one processor gives another result than two")
				}
				sameBooks(t, got[0], got[1])
			})
		}
	}
}

// rankBooks are books whose ledger is the sum over the ranks.
func rankBooks(c *cluster.Cluster, j *training.Job) books {
	b := booksOf(c, j, 0)
	b.ledger = [3]sim.Time{}
	for _, l := range c.Ledgers() {
		n := sim.Time(len(l.Accelerators))
		b.ledger[0] += n * l.Compute
		b.ledger[1] += n * l.Exposed
		b.ledger[2] += n * l.Overlapped
	}
	return b
}
