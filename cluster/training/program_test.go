package training

import (
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
)

// compiled is the program of the first stage of a training, and its layers.
func compiled(t *testing.T, tr workload.Training) (*Job, *program, []workload.Layer) {
	t.Helper()
	a := topology.Accelerator{Vector: 19.5e12, MemoryBandwidth: 2e12, MatrixEfficiency: 0.8, MemoryEfficiency: 0.8, LaunchOverhead: units.Duration(400_000)}
	a.Peak[topology.BF16] = 312e12
	tr.Precision = topology.BF16
	if err := tr.Validate(); err != nil {
		t.Fatal(err)
	}
	j := &Job{Training: tr.WithDefaults(), Roofline: cluster.Roofline{Accelerator: a}, BucketBytes: 25 << 20}
	layers := j.Training.Layers()
	j.parameters = j.Training.Model.Parameters()
	return j, j.compile(layers, 0), layers
}

var blocks = workload.Model{Family: workload.FamilyTransformer, Layers: 4, Hidden: 1024, Heads: 16, Vocab: 1024, Sequence: 512, TiedEmbeddings: true}

// A collective beside the computation hides behind the one operator that follows
// it, not behind those that need its result.
func TestBeside(t *testing.T) {
	j, p, layers := compiled(t, workload.Training{Model: blocks, GlobalBatch: 1, Tensor: 4, SequenceParallel: true, TensorOverlap: true})
	var want []sim.Time
	for i := len(layers) - 1; i >= 0; i-- {
		ops := layers[i].Backward
		for n, op := range ops {
			if op.Class == workload.Communication && op.Beside {
				want = append(want, sim.FromSeconds(j.Roofline.Time(ops[n+1])))
			}
		}
	}
	var got []sim.Time
	steps := p.chunks[0].back[0][1].joined()
	for n, s := range steps {
		if s.do == stepBeside {
			got = append(got, steps[n+1].duration)
		}
	}
	if len(got) != len(want) || len(want) != 2*2*4+2 { // two pairs of products a layer, and the logits
		t.Fatalf("%d collectives run beside computation, want %d", len(got), len(want))
	}
	for n := range want {
		if got[n] != want[n] {
			t.Errorf("collective %d has %v to hide behind, want %v", n, got[n], want[n])
		}
	}
}

// However a pass is cut by collectives, and split by ZB-H1, it computes what its
// operators take.
func TestPassesComputeTheirOperators(t *testing.T) {
	for name, tr := range map[string]workload.Training{
		"alone":       {Model: blocks, GlobalBatch: 3},
		"sequence":    {Model: blocks, GlobalBatch: 3, Tensor: 4, SequenceParallel: true, TensorOverlap: true},
		"overlapped":  {Model: blocks, GlobalBatch: 3, Tensor: 4, TensorOverlap: true, Recompute: workload.RecomputeFull},
		"zero 3":      {Model: blocks, GlobalBatch: 12, Data: 4, Zero: 3},
		"zero bubble": {Model: blocks, GlobalBatch: 3, Pipeline: 2, PipelineSchedule: workload.ZeroBubble},
	} {
		j, p, layers := compiled(t, tr)
		c := p.chunks[0]
		own := layers[:j.Training.Chunks(layers)[0][1]]
		var forward, backward float64
		var parameters int64
		for _, l := range own {
			for _, op := range l.Forward {
				if op.Class != workload.Communication {
					forward += j.Roofline.Time(op)
				}
			}
			for _, op := range l.Backward {
				if op.Class != workload.Communication {
					backward += j.Roofline.Time(op)
				}
			}
			parameters += l.Parameters
		}
		add := j.Roofline.Time(j.Training.GradientAdd(j.Training.Owned(parameters, 0, 2), j.Training.Model.Parameters()))
		sum := func(passes ...pass) (d sim.Time) {
			for _, p := range passes {
				for _, s := range p.joined() {
					d += s.duration
				}
			}
			return d
		}
		micros := j.Training.Accumulation()
		of := func(micro int) sim.Time {
			accumulate, reduce := variant(micro, j.Training.SummedTogether())
			return sum(c.back[accumulate][reduce], c.weight[accumulate][reduce])
		}
		for _, pass := range []struct {
			name string
			got  sim.Time
			want float64
		}{
			{"forward", sum(c.forward), forward},
			{"first backward", of(0), backward},
			{"later backward", of(1), backward + add},
			{"last backward", of(micros - 1), backward + add},
		} {
			if d := pass.got - sim.FromSeconds(pass.want); max(d, -d) > 200 { // a step rounds by half a tick
				t.Errorf("%s: the %s pass computes %v, want %v s", name, pass.name, pass.got, pass.want)
			}
		}
	}
}

// What is reported to be summed over the replicas is what the passes of the first
// stage hand over to be summed.
func TestGradientBytes(t *testing.T) {
	experts := blocks
	experts.Experts, experts.ExpertsPerToken, experts.ExpertFFN = 8, 2, 512
	for name, tr := range map[string]workload.Training{
		"alone":                  {Model: blocks, GlobalBatch: 4},
		"replicas":               {Model: blocks, GlobalBatch: 32, Data: 8},
		"stages":                 {Model: blocks, GlobalBatch: 32, Data: 8, Pipeline: 2},
		"zero 1":                 {Model: blocks, GlobalBatch: 32, Data: 8, Zero: 1},
		"zero 2":                 {Model: blocks, GlobalBatch: 32, Data: 8, Zero: 2},
		"zero 3":                 {Model: blocks, GlobalBatch: 32, Data: 8, Zero: 3},
		"experts on all":         {Model: experts, GlobalBatch: 32, Data: 8},
		"experts on two":         {Model: experts, GlobalBatch: 32, Data: 8, Expert: 4},
		"experts on one":         {Model: experts, GlobalBatch: 32, Data: 8, Expert: 8},
		"experts on one, zero 2": {Model: experts, GlobalBatch: 32, Data: 8, Expert: 8, Zero: 2},
	} {
		j, p, _ := compiled(t, tr)
		g := &gang{j: j, program: p, together: j.Training.SummedTogether()}
		var want float64
		for _, a := range p.actions {
			for _, s := range g.passSteps(a) {
				for _, transfer := range s.transfers {
					if s.do == stepReduce {
						want += transfer.bytes
					}
				}
			}
		}
		if got := j.GradientBytes(); float64(got) != want {
			t.Errorf("%s: %d bytes of gradients, the passes sum %.0f", name, got, want)
		}
	}
}
