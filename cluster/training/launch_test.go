package training_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
)

// launched runs iterations of a job, each kernel of which takes the host some time, alone.
// Kept series have it run step by step.
func launched(t rapid.TB, topo *topology.Topology, tr workload.Training, each units.Duration, series bool) (*training.Job, uint64) {
	a := a100()
	a.HostLaunch = each
	j := &training.Job{
		Training: tr, Iterations: 1, Roofline: cluster.Roofline{Accelerator: a},
		BucketBytes: tr.BucketBytes(), Overlap: tr.Pipeline == 1, Prefetch: true, SendOverlap: tr.VirtualStages > 1,
	}
	bins := 0
	if series {
		bins = 64
	}
	engine := sim.New()
	c := cluster.New(engine, topo, bins)
	c.Network.Isolate()
	c.Submit(&cluster.Job{Name: "it", Count: tr.Ranks(), Program: j})
	if err := engine.Run(context.Background()); err != nil || c.Err != nil {
		t.Fatal(err, c.Err)
	}
	return j, engine.Handled()
}

// withExperts is small with experts.
func withExperts() workload.Model {
	m := small
	m.Activation = workload.ActivationSwiGLU
	m.Experts, m.ExpertsPerToken, m.ExpertFFN = 8, 2, 512
	return m
}

// A host that takes a millisecond for each kernel bounds all passes: they take as long as
// their kernels are many.
func TestHostBound(t *testing.T) {
	topo := leafSpine(host(), 1, 1)
	for _, c := range []struct {
		name    string
		model   workload.Model
		graphs  string
		kernels int // of a micro-batch, forward and backward
	}{
		// A layer forward: norm, qkv, attention, projection, residual, norm, up, GELU, down,
		// residual. Backward: two for each of the four products, the two norms and attention;
		// four gradients of biases, GELU's, two sums where the residual stream forks.
		// Embedding: 1 and 4. Head: a norm, a product and a loss of 3; 2, 2 and 3.
		{"dense", small, workload.GraphsNone, 1 + 6*10 + 5 + 7 + 6*21 + 4},
		// A graph for each layer, one way and the other, and for embedding and head.
		{"dense, captured", small, workload.GraphsPartial, 8 + 8},
		// Forward 8 kernels with a rotation until the router's scores, 24 to choose and count,
		// 4 to permute; once the host knows the counts a product up and one down an expert with
		// a SwiGLU between, 4 to permute, a sum and a residual. Backward: a sum, 2, four products
		// an expert with a SwiGLU between, 2; of the router 6 and 2; 13 of norms, forks, two
		// products, attention and rotation.
		{"experts", withExperts(), workload.GraphsNone, 1 + 6*(8+24+4+23) + 5 + 7 + 6*(6+32+8+13) + 4},
		// In graphs: all before and after what is done to routed tokens.
		{"experts, captured", withExperts(), workload.GraphsPartial, 1 + 6*(1+4+22+1) + 1 + 1 + 6*(38+1) + 1},
	} {
		tr := workload.Training{Model: c.model, Precision: topology.BF16, GlobalBatch: 3, Framework: workload.FrameworkMegatron, CUDAGraphs: c.graphs}
		j, _ := launched(t, topo, tr.WithDefaults(), 1000*us, false)
		// Transformer Engine takes 2.7 times what PyTorch does.
		if got, want := j.Last.Compute+j.Last.Launch, sim.FromSeconds(3*2.7e-3*float64(c.kernels)); got < want-100 || got > want+100 {
			t.Errorf("%s: passes take %v, want %v", c.name, got, want)
		}
		if sum := j.Last.Compute + j.Last.Launch + j.Last.Optimizer; sum != j.Last.Time {
			t.Errorf("%s: parts of %v in an iteration of %v", c.name, sum, j.Last.Time)
		}
		tr.Framework = workload.FrameworkPyTorch
		tr.CUDAGraphs = workload.GraphsFull
		if j, _ := launched(t, topo, tr.WithDefaults(), 1000*us, false); j.Last.Launch != 0 {
			t.Errorf("%s: waits %v for the host that launches a graph of all", c.name, j.Last.Launch)
		}
	}
}

// A host that is faster than the accelerator costs nothing, and no event.
func TestHostAhead(t *testing.T) {
	topo := leafSpine(host(), 1, 1)
	model := small
	model.Hidden, model.Heads = 4096, 32
	tr := workload.Training{Model: model, Precision: topology.BF16, GlobalBatch: 64, MicroBatch: 4, Tensor: 2, Data: 4, Framework: workload.FrameworkMegatron}.WithDefaults()
	for _, series := range []bool{false, true} {
		without, few := launched(t, topo, tr, 0, series)
		with, events := launched(t, topo, tr, 4*us, series)
		if with.Last != without.Last || events != few {
			t.Errorf("%+v after %d events, %+v after %d without the host", with.Last, events, without.Last, few)
		}
	}
}

// What the host bounds takes the same to the tick whether passes run as one or step by
// step, and neither a faster host nor graphs that hold more are ever slower.
func TestLaunchRelations(t *testing.T) {
	topo := leafSpine(dgx(), 4, 2)
	rapid.Check(t, func(t *rapid.T) {
		tr := workload.Training{Precision: topology.BF16, GlobalBatch: 64, Model: small, Framework: workload.FrameworkMegatron}
		tr.Model.Layers = 8
		switch rapid.SampledFrom([]string{"data", "sharded", "tensor", "pipeline", "unbubbled", "experts", "woven"}).Draw(t, "kind") {
		case "data":
			tr.Data, tr.Zero = 32, rapid.IntRange(0, 2).Draw(t, "zero")
		case "sharded":
			tr.Data, tr.Zero, tr.Framework = 32, 3, workload.FrameworkPyTorch
		case "tensor":
			tr.Tensor, tr.Data, tr.SequenceParallel, tr.TensorOverlap = 8, 4, true, true
			tr.TensorPipelining = rapid.Bool().Draw(t, "pipelining")
		case "pipeline":
			tr.Pipeline, tr.Data, tr.VirtualStages = 4, 8, rapid.SampledFrom([]int{1, 2}).Draw(t, "chunks")
		case "unbubbled":
			tr.Tensor, tr.Pipeline, tr.PipelineSchedule = 8, 4, workload.ZeroBubble
		case "experts":
			tr.Model.Experts, tr.Model.ExpertsPerToken, tr.Model.ExpertFFN = 8, 2, 512
			tr.Data, tr.Expert, tr.Pipeline = 16, 8, 2
			tr.Recompute = rapid.SampledFrom([]string{workload.RecomputeNone, workload.RecomputeFull}).Draw(t, "recompute")
		case "woven":
			tr.Model.Experts, tr.Model.ExpertsPerToken, tr.Model.ExpertFFN = 8, 2, 512
			tr.Data, tr.Expert, tr.ExpertOverlap = 32, 8, true
		}
		each := units.Duration(rapid.IntRange(0, 30).Draw(t, "us")) * us
		took := func(each units.Duration, graphs string) sim.Time {
			tr := tr
			tr.CUDAGraphs = graphs
			tr = tr.WithDefaults()
			if err := tr.Validate(); err != nil {
				t.Fatal(err)
			}
			whole, _ := launched(t, topo, tr, each, false)
			steps, _ := launched(t, topo, tr, each, true)
			if whole.Last != steps.Last {
				t.Fatalf("%v, %s: an iteration is\n%+v, step by step\n%+v", each, graphs, whole.Last, steps.Last)
			}
			return whole.Last.Time
		}
		eager := took(each, workload.GraphsNone)
		for _, better := range []struct {
			each   units.Duration
			graphs string
		}{{each * 9 / 10, workload.GraphsNone}, {each, workload.GraphsPartial}} {
			if got := took(better.each, better.graphs); got > eager {
				t.Errorf("%v with %v and graphs %q, %v with %v and none", got, better.each, better.graphs, eager, each)
			}
		}
		if full, partial := took(each, workload.GraphsFull), took(each, workload.GraphsPartial); full > partial || full != took(0, workload.GraphsNone) {
			t.Errorf("%v in one graph, %v in many", full, partial)
		}
	})
}

// What waits for the host is on the critical path, which has no gap.
func TestLaunchOnPath(t *testing.T) {
	a := a100()
	a.HostLaunch = 1000 * us
	tr := workload.Training{Model: withExperts(), Precision: topology.BF16, GlobalBatch: 4, Data: 2, Expert: 2}.WithDefaults()
	j := &training.Job{Training: tr, Iterations: 1, Roofline: cluster.Roofline{Accelerator: a}, Trace: &training.Trace{}}
	run(t, leafSpine(host(), 1, 1), &cluster.Job{Name: "it", Count: 2, Program: j})
	path := j.Trace.Path
	for i := 1; i < len(path); i++ {
		if path[i].From != path[i-1].To {
			t.Fatalf("segment %d begins at %v, the one before ends at %v", i, path[i].From, path[i-1].To)
		}
	}
	totals := path.Totals()
	if path.Length() != j.Last.Time || totals.Launch != j.Last.Launch || totals.Launch < j.Last.Time/2 {
		t.Errorf("a path of %v with %v of launches, an iteration of %v with %v", path.Length(), totals.Launch, j.Last.Time, j.Last.Launch)
	}
}
