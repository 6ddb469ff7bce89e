package training_test

import (
	"context"
	"math"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Jobs that follow each other find plans and bundles of those before them. Each does
// what it does alone, and its links carry what they carry for it alone.
func TestJobsAfterEachOther(t *testing.T) {
	topo := leafSpine(dgx(), 4, 2)
	model := small
	model.TiedEmbeddings = true
	configurations := []workload.Training{
		{Model: model, Tensor: 4, Pipeline: 4, Data: 2},
		{Model: model, Tensor: 4, Pipeline: 4, Data: 2, Zero: 1, SequenceParallel: true},
		{Model: model, Tensor: 4, Pipeline: 2, Data: 2},
		{Model: model, Data: 32},
		{Model: model, Tensor: 4, Pipeline: 4, Data: 2},
	}
	for _, analytic := range []bool{false, true} {
		engine := sim.New()
		together := cluster.New(engine, topo, 0)
		if analytic {
			together.Network.Isolate()
		}
		bytes, busy := make([]float64, len(topo.Links)), make([]sim.Time, len(topo.Links))
		for i, tr := range configurations {
			tr.Precision, tr.GlobalBatch = topology.BF16, 64
			tr = tr.WithDefaults()
			alone, c := iterate(t, topo, tr, 3, analytic, 0)
			j := training.Job{
				Training: tr, Iterations: 3, Roofline: alone.Roofline, BucketBytes: alone.BucketBytes,
				Overlap: alone.Overlap, Prefetch: alone.Prefetch, SendOverlap: alone.SendOverlap,
			}
			together.Submit(&cluster.Job{Name: "it", Start: engine.Now(), Count: tr.Ranks(), Program: &j})
			if err := engine.Run(context.Background()); err != nil || together.Err != nil {
				t.Fatal(err, together.Err)
			}
			if j.Last != alone.Last {
				t.Errorf("job %d: an iteration is\n%+v after others,\n%+v alone", i, j.Last, alone.Last)
			}
			for l := range topo.Links {
				use := c.Network.Use(topology.LinkID(l))
				bytes[l] += use.Bytes
				busy[l] += use.Busy
			}
		}
		for l := range topo.Links {
			if use := together.Network.Use(topology.LinkID(l)); use.Busy != busy[l] || math.Abs(use.Bytes-bytes[l]) > 1e-9*bytes[l] {
				t.Fatalf("analytic %v: %s: %v bytes in %v, alone %v in %v", analytic, topo.LinkName(topology.LinkID(l)), use.Bytes, use.Busy, bytes[l], busy[l])
			}
		}
	}
}
