package training_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"testing"

	"pgregory.net/rapid"

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
		"sequence parallel":    {Model: small, GlobalBatch: 4, Tensor: 4, SequenceParallel: true, TensorOverlap: true},
		"sequence, pipelined":  {Model: small, GlobalBatch: 4, Tensor: 4, SequenceParallel: true, TensorOverlap: true, TensorPipelining: true},
		"sequence, in turn":    {Model: small, GlobalBatch: 4, Tensor: 4, SequenceParallel: true},
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
		"expert, woven":        {Model: mixture, GlobalBatch: 64, Data: 8, Expert: 4, Pipeline: 2, ExpertOverlap: true},
		"five ways":            {Model: mixture, GlobalBatch: 16, Data: 2, Tensor: 2, Pipeline: 2, Context: 2, Expert: 2, SequenceParallel: true},
	}
	for _, name := range []string{"data", "sequence parallel", "tied", "zero bubble", "interleaved", "full", "five ways"} {
		lora := all[name]
		lora.Tuning = workload.TuningLoRA
		all[name+", lora"] = lora
		if name != "zero bubble" {
			lora.Zero = 3
			all[name+", lora, zero 3"] = lora
		}
	}
	for _, name := range []string{"data", "three ways", "zero bubble", "five ways"} {
		for _, compression := range []string{workload.CompressionTopK, workload.Compression8Bit} {
			compressed := all[name]
			compressed.GradientCompression = compression
			all[name+", "+compression] = compressed
		}
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
// where the network treats them alike, around one switch and within a host, with
// everything that can overlap and with nothing that can; so do one processor and two.
func TestFoldedIsUnfolded(t *testing.T) {
	for name, tr := range combinations() {
		for i := range 4 {
			overlap, within := i%2 == 0, i/2 == 0
			t.Run(fmt.Sprintf("%s, overlap %v, within a host %v", name, overlap, within), func(t *testing.T) {
				var got [3]books
				for i := range got {
					j := parallel(t, tr)
					j.Overlap, j.Prefetch, j.SendOverlap = overlap, overlap, overlap
					k := cluster.Shipped
					k.Interference = 0.2
					j.Roofline.Kernels = &k
					j.Unfold = i > 0
					if i == 2 {
						defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
					}
					n := j.Training.Ranks()
					topo := alike(n)
					if within {
						topo = leafSpine(host(), (n+7)/8, 1)
					}
					c := run(t, topo, &cluster.Job{Name: "it", Count: n, Program: j})
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

// Jumping over equal iterations changes nothing in any dimension either, folded or
// not.
func TestJumpInEveryDimension(t *testing.T) {
	for _, name := range []string{"five ways", "zero bubble, zero 3", "interleaved, zero 2", "tied"} {
		for _, unfold := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", unfold), func(t *testing.T) {
				var got [2]books
				var events [2]uint64
				for i := range got {
					j := parallel(t, combinations()[name])
					j.Iterations, j.Unfold = 30, unfold
					n := j.Training.Ranks()
					jobs := []*cluster.Job{{Name: "it", Count: n, Program: j}}
					if i == 1 {
						jobs = append(jobs, stranger())
					}
					c := run(t, leafSpine(host(), 3, 2), jobs...)
					got[i], events[i] = rankBooks(c, j), c.Engine.Handled()
				}
				sameBooks(t, got[0], got[1])
				if events[0] > events[1]/2 {
					t.Errorf("%d events with the jump, %d without", events[0], events[1])
				}
			})
		}
	}
}

// anyTraining draws a legal training of at most 32 ranks.
func anyTraining(t *rapid.T) workload.Training {
	power := func(name string, most int) int { return 1 << rapid.IntRange(0, most).Draw(t, name) }
	tr := workload.Training{
		Model: workload.Model{
			Name: "any", Family: workload.FamilyTransformer, Hidden: 64, Heads: 8, Vocab: 96, Sequence: 64,
			Activation:     rapid.SampledFrom([]string{workload.ActivationGELU, workload.ActivationSwiGLU}).Draw(t, "activation"),
			TiedEmbeddings: rapid.Bool().Draw(t, "tied"),
		},
		Tensor: power("tensor", 2), Context: power("context", 1), Data: power("data", 2), Pipeline: rapid.IntRange(1, 3).Draw(t, "pipeline"),
		MicroBatch:       rapid.IntRange(1, 2).Draw(t, "micro-batch"),
		SequenceParallel: rapid.Bool().Draw(t, "sequence parallel"),
		TensorOverlap:    rapid.Bool().Draw(t, "tensor overlap"),
		Zero:             rapid.IntRange(0, 3).Draw(t, "zero"),
		Recompute:        rapid.SampledFrom([]string{workload.RecomputeNone, workload.RecomputeSelective, workload.RecomputeFull}).Draw(t, "recompute"),
		Attention:        rapid.SampledFrom([]string{workload.AttentionFlash, workload.AttentionUnfused}).Draw(t, "attention"),
		PipelineSchedule: rapid.SampledFrom([]string{workload.GPipe, workload.OneFOneB, workload.Interleaved, workload.ZeroBubble}).Draw(t, "schedule"),
		Precision:        rapid.SampledFrom([]topology.Precision{topology.BF16, topology.FP32}).Draw(t, "precision"),
		Order:            rapid.Permutation(workload.DefaultOrder).Draw(t, "order"),
	}
	if tr.PipelineSchedule == workload.Interleaved {
		tr.VirtualStages = rapid.IntRange(1, 2).Draw(t, "chunks")
	}
	tr.Model.Layers = int64(tr.Pipeline*max(tr.VirtualStages, 1) + rapid.IntRange(0, 3).Draw(t, "more layers"))
	tr.GlobalBatch = tr.Data * tr.MicroBatch * tr.Pipeline * rapid.IntRange(1, 3).Draw(t, "micro-batches")
	if rapid.Bool().Draw(t, "mixture") {
		tr.Model.Experts, tr.Model.ExpertsPerToken = 16, int64(rapid.IntRange(1, 4).Draw(t, "top"))
		tr.Expert = min(power("expert", 3), tr.Data*tr.Context)
		tr.ExpertOverlap = tr.Expert > 1 && tr.Zero < 3 && tr.PipelineSchedule != workload.GPipe && rapid.Bool().Draw(t, "woven")
		if rapid.Bool().Draw(t, "shared") {
			tr.Model.SharedExperts, tr.Model.DenseLayers = 1, 1
		}
	}
	if rapid.Bool().Draw(t, "latent") {
		tr.Model.KVRank, tr.Model.RotaryDim = 16, 4
	}
	return tr
}

// Whatever is legal runs to its end: no stage waits for ever, the parts of an
// iteration and those of every ledger make up its time, what all send all receive,
// and folded ranks do it as fast as ranks on their own.
func TestAnyTraining(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := anyTraining(t)
		if err := tr.Validate(); err != nil {
			t.Fatal(err)
		}
		if m := tr.Memory(); min(m.Parameters, m.Gradients, m.Optimizer, m.Activations, m.Gathered, m.Buffers, m.Framework) < 0 {
			t.Fatalf("%+v", m)
		}
		overlap, prefetch, send := rapid.Bool().Draw(t, "overlap"), rapid.Bool().Draw(t, "prefetch"), rapid.Bool().Draw(t, "send")
		bucket, interference := rapid.Int64Range(0, 1<<20).Draw(t, "bucket"), rapid.Float64Range(0, 0.9).Draw(t, "interference")
		kernels := cluster.Shipped
		kernels.Interference = interference
		var took [2]training.Iteration
		for i := range took {
			accelerator := a100()
			accelerator.Peak[topology.FP32] = 19.5e12
			j := &training.Job{
				Training: tr.WithDefaults(), Iterations: 2, Roofline: cluster.Roofline{Accelerator: accelerator, Kernels: &kernels}, BucketBytes: bucket,
				Overlap: overlap, Prefetch: prefetch, SendOverlap: send, Unfold: i == 1,
			}
			n := j.Training.Ranks()
			topo := alike(n)
			engine := sim.New()
			c := cluster.New(engine, topo, 0)
			c.Submit(&cluster.Job{Name: "any", Count: n, Program: j})
			if err := engine.Run(context.Background()); err != nil || c.Err != nil || !c.Jobs[0].Finished {
				t.Fatalf("%v, %v, finished %v: %+v", err, c.Err, c.Jobs[0].Finished, c.Waiting())
			}
			l := j.Last
			if l.Time != l.Compute+l.AllExposed()+l.Bubble+l.Optimizer || min(l.Compute, l.Optimizer) <= 0 || l.Bubble < -1 {
				t.Fatalf("%+v", l)
			}
			if tr.Pipeline == 1 && l.Bubble > 1 {
				t.Fatalf("a bubble of %v without a pipeline: %+v", l.Bubble, l)
			}
			for _, ledger := range c.Ledgers() {
				if ledger.Compute+ledger.Exposed > engine.Now() || ledger.Overlapped > ledger.Compute {
					t.Fatalf("ledger %+v at %v", ledger, engine.Now())
				}
			}
			var sent, received float64
			for l, link := range topo.Links {
				bytes := c.Network.Use(topology.LinkID(l)).Bytes
				if int(link.From) < n {
					sent += bytes
				}
				if int(link.To) < n {
					received += bytes
				}
			}
			if math.Abs(sent-received) > 1e-9*sent || n > 1 && sent == 0 {
				t.Fatalf("%v bytes are sent, %v received", sent, received)
			}
			took[i] = l
		}
		if took[0] != took[1] {
			t.Fatalf("folded   %+v\nunfolded %+v", took[0], took[1])
		}
	})
}

// A model in every dimension at once: two of each.
func ExampleJob() {
	engine := sim.New()
	c := cluster.New(engine, leafSpine(host(), 2, 1), 0)
	j := &training.Job{
		Training: workload.Training{
			Model: small, GlobalBatch: 64, MicroBatch: 4, Precision: topology.BF16,
			Tensor: 2, SequenceParallel: true, Context: 2, Data: 2, Pipeline: 2, Zero: 1,
		},
		Iterations: 10, Roofline: cluster.Roofline{Accelerator: a100()}, SendOverlap: true,
	}
	if err := j.Training.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	c.Submit(&cluster.Job{Name: "small", Count: j.Training.Ranks(), Program: j})
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(j.Done, "iterations of", j.Training.Accumulation(), "micro-batches on", j.Training.Ranks(), "ranks")
	l := j.Last
	fmt.Println("waits for gradients, tensors and stages:", min(l.Exposed[training.Gradients], l.Exposed[training.Tensor], l.Exposed[training.Pipeline], l.Bubble) > 0)
	fmt.Println("parts make up the whole:", l.Compute+l.AllExposed()+l.Bubble+l.Optimizer == l.Time)
	// Output:
	// 10 iterations of 8 micro-batches on 16 ranks
	// waits for gradients, tensors and stages: true
	// parts make up the whole: true
}
