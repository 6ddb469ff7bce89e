package training_test

import (
	"context"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Where stages share links, a bound takes what an isolated run takes, to the tick, and
// the passes of a pipeline take no events however many there are.
func TestBound(t *testing.T) {
	topo := leafSpine(dgx(), 4, 2)
	for name, tr := range map[string]workload.Training{
		"stages in a host": {Tensor: 2, Pipeline: 8, Data: 2, SequenceParallel: true},
		"interleaved":      {Tensor: 2, Pipeline: 4, Data: 4, VirtualStages: 2, SequenceParallel: true, TensorOverlap: true},
	} {
		tr.Model, tr.Precision = small, topology.BF16
		tr.Model.Layers = 8
		var handled [2]uint64
		for i, batch := range []int{64, 512} {
			tr.GlobalBatch = batch
			tr := tr.WithDefaults()
			want, _ := iterate(t, topo, tr, 1, true, 64)
			j := &training.Job{
				Training: tr, Iterations: 1, Roofline: cluster.Roofline{Accelerator: a100()},
				BucketBytes: tr.BucketBytes(), Prefetch: true, SendOverlap: tr.VirtualStages > 1, Bound: true, Folded: true,
			}
			engine := sim.New()
			c := cluster.New(engine, topo, 0)
			c.Network.Isolate()
			c.Submit(&cluster.Job{Name: "it", Count: tr.Ranks(), Program: j})
			if err := engine.Run(context.Background()); err != nil || c.Err != nil {
				t.Fatal(err, c.Err)
			}
			if j.Last != want.Last {
				t.Errorf("%s: an iteration is\n%+v, step by step\n%+v", name, j.Last, want.Last)
			}
			handled[i] = engine.Handled()
		}
		if handled[0] != handled[1] {
			t.Errorf("%s: %d events for a batch of 64, %d for one of 512", name, handled[0], handled[1])
		}
	}
}

// Where the ranks of a stage meet each other on links unequally, a run with contention
// takes them apart, and so does the bound: it takes no more.
func TestBoundOfUnevenRanks(t *testing.T) {
	topo := leafSpine(host(), 3, 1)
	n := topo.Accelerators()
	tr := workload.Training{Model: small, Precision: topology.BF16, GlobalBatch: 2 * n, Pipeline: 2, Data: n / 2}.WithDefaults()
	run := func(bound bool) *training.Job {
		j := &training.Job{Training: tr, Iterations: 1, Roofline: cluster.Roofline{Accelerator: a100()}, Bound: bound, AsShared: bound}
		engine := sim.New()
		c := cluster.New(engine, topo, 0)
		if bound {
			c.Network.Isolate()
		}
		c.Submit(&cluster.Job{Name: "it", Count: n, Program: j})
		if err := engine.Run(context.Background()); err != nil || c.Err != nil {
			t.Fatal(err, c.Err)
		}
		return j
	}
	if bound, with := run(true), run(false); bound.Last.Time > with.Last.Time || bound.Unfold != with.Unfold {
		t.Errorf("the bound is %v, unfolded %v; with contention it takes %v, unfolded %v", bound.Last.Time, bound.Unfold, with.Last.Time, with.Unfold)
	}
}
