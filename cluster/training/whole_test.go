package training_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Passes run as one, and collectives whose end is known when they begin, are only
// faster. With series kept nothing of that is done: what an iteration takes and for
// what is the same to the tick, and each link carries the same bytes in the same
// time.
func TestWholeIsAsStepByStep(t *testing.T) {
	model := small
	model.Layers, model.TiedEmbeddings = 8, true
	experts := model
	experts.Experts, experts.ExpertsPerToken, experts.ExpertFFN = 8, 2, 512
	cases := map[string]workload.Training{
		"data":                {Data: 32},
		"data, zero 1":        {Data: 32, Zero: 1},
		"data, zero 2":        {Data: 32, Zero: 2},
		"data, zero 3":        {Data: 32, Zero: 3},
		"tensor":              {Tensor: 4, Data: 8},
		"tensor beside":       {Tensor: 8, Data: 4, TensorOverlap: true},
		"sequence":            {Tensor: 8, Data: 4, SequenceParallel: true, Recompute: workload.RecomputeFull},
		"sequence, pipelined": {Tensor: 8, Data: 4, SequenceParallel: true, TensorOverlap: true, TensorPipelining: true},
		"sequence, zero 2":    {Tensor: 4, Data: 8, SequenceParallel: true, Zero: 2},
		"pipeline":            {Pipeline: 4, Data: 8},
		"tensor and pipeline": {Tensor: 8, Pipeline: 4, SequenceParallel: true, Recompute: workload.RecomputeSelective},
		"pipeline, zero 2":    {Tensor: 4, Pipeline: 4, Data: 2, Zero: 2, SequenceParallel: true},
		"stages in a host":    {Tensor: 2, Pipeline: 8, Data: 2, SequenceParallel: true},
		"interleaved":         {Tensor: 2, Pipeline: 4, Data: 4, VirtualStages: 2},
		"zero bubble":         {Tensor: 8, Pipeline: 4, PipelineSchedule: workload.ZeroBubble},
		"context":             {Context: 4, Pipeline: 2, Data: 4},
		"experts":             {Model: experts, Tensor: 2, Pipeline: 2, Data: 8, Expert: 4},
		"experts, woven":      {Model: experts, Tensor: 2, Pipeline: 2, Data: 8, Expert: 4, ExpertOverlap: true},
		"woven, one stage":    {Model: experts, Data: 32, Expert: 8, ExpertOverlap: true},
	}
	topo := leafSpine(dgx(), 4, 2)
	for name, tr := range cases {
		if tr.Model.Layers == 0 {
			tr.Model = model
		}
		tr.GlobalBatch, tr.Precision = 128, topology.BF16
		tr = tr.WithDefaults()
		if err := tr.Validate(); err != nil {
			t.Fatal(name, err)
		}
		for _, analytic := range []bool{false, true} {
			for _, iterations := range []int64{1, 100} {
				t.Run(fmt.Sprintf("%s/analytic=%v/%d", name, analytic, iterations), func(t *testing.T) {
					fast, quick := iterate(t, topo, tr, iterations, analytic, 0)
					slow, steps := iterate(t, topo, tr, iterations, analytic, 64)
					if fast.Last != slow.Last {
						t.Errorf("an iteration is\n%+v, step by step\n%+v", fast.Last, slow.Last)
					}
					if iterations == 1 && tr.Zero < 3 && tr.Accumulation() > 1 && analytic && quick.Engine.Handled() >= steps.Engine.Handled() {
						t.Errorf("%d events, step by step %d", quick.Engine.Handled(), steps.Engine.Handled())
					}
					for l := range topo.Links {
						l := topology.LinkID(l)
						got, want := quick.Network.Use(l), steps.Network.Use(l)
						if math.Abs(got.Bytes-want.Bytes) > 1e-9*want.Bytes || got.Busy != want.Busy || got.Contended != want.Contended {
							t.Fatalf("%s: %+v, step by step %+v", topo.LinkName(l), got, want)
						}
					}
					for i, want := range steps.Ledgers() {
						got := quick.Ledgers()[i]
						if got.Compute != want.Compute || got.Exposed != want.Exposed || got.Overlapped != want.Overlapped {
							t.Errorf("ledger %d: %+v, step by step %+v", i, got, want)
						}
					}
				})
			}
		}
	}
}

// On an isolated network the passes of a pipeline take no events, however many
// micro-batches there are.
func TestPassesTakeNoEvents(t *testing.T) {
	topo := leafSpine(dgx(), 4, 2)
	var handled [2]uint64
	for i, batch := range []int{64, 1024} {
		tr := workload.Training{Model: small, Precision: topology.BF16, GlobalBatch: batch, Tensor: 4, Pipeline: 4, Data: 2}.WithDefaults()
		_, c := iterate(t, topo, tr, 1, true, 0)
		handled[i] = c.Engine.Handled()
	}
	if handled[0] != handled[1] {
		t.Errorf("%d events for 32 micro-batches, %d for 512", handled[0], handled[1])
	}
}

// iterate simulates so many iterations of a configuration, on a network that keeps
// so many bins.
func iterate(t testing.TB, topo *topology.Topology, tr workload.Training, iterations int64, analytic bool, bins int) (*training.Job, *cluster.Cluster) {
	j := &training.Job{
		Training: tr, Iterations: iterations, Roofline: cluster.Roofline{Accelerator: a100()},
		BucketBytes: tr.BucketBytes(), Overlap: tr.Pipeline == 1, Prefetch: true, SendOverlap: tr.VirtualStages > 1,
	}
	engine := sim.New()
	c := cluster.New(engine, topo, bins)
	if analytic {
		c.Network.Isolate()
	}
	c.Submit(&cluster.Job{Name: "it", Count: tr.Ranks(), Program: j})
	if err := engine.Run(context.Background()); err != nil || c.Err != nil {
		t.Fatal(err, c.Err)
	}
	return j, c
}
