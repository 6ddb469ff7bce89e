package workload

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/railyard/railyard/topology"
)

func TestTrainingValidate(t *testing.T) {
	ok := Training{Model: bertLarge, MicroBatch: 256, GlobalBatch: 65536, Sequence: 128, Data: 8, Precision: topology.FP16, Attention: AttentionUnfused}
	if err := ok.Validate(); err != nil {
		t.Error(err)
	}
	if got := ok.Accumulation(); got != 32 {
		t.Errorf("accumulates %d micro-batches, want 32", got)
	}
	for _, c := range []struct {
		name   string
		change func(*Training)
		want   string
	}{
		{
			"not a multiple", func(t *Training) { t.GlobalBatch, t.MicroBatch = 100, 3 },
			"global_batch 100 is not a multiple of data x micro_batch = 8 x 3 = 24: nearest 96 or 120",
		},
		{"too small", func(t *Training) { t.GlobalBatch = 10 }, "nearest 2048"},
		{"no batch", func(t *Training) { t.GlobalBatch = 0 }, "global_batch must be 1 or more, got 0"},
		{"too long", func(t *Training) { t.Sequence = 1024 }, "sequence 1024 is longer than the model's table of 512 positions"},
		{"attention", func(t *Training) { t.Attention = "ring" }, `attention "ring" is unknown: "flash", "flash-2" or "unfused"`},
		{"precision", func(t *Training) { t.Precision = topology.INT8 }, "precision int8 does not train"},
		{"model", func(t *Training) { t.Model.Vocab = 0 }, "model bert-large: vocab must be 1 or more, got 0"},
		{"two", func(t *Training) { t.GlobalBatch, t.Data = 0, -1 }, "data must be 1 or more, got -1"},
	} {
		bad := ok
		c.change(&bad)
		err := bad.Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// Narayanan et al. 2021 (SC), section 5.1, equation 3, without recomputation:
// 72 B s l h^2 (1 + s/6h + V/12lh) FLOPs an iteration.
func TestFLOPsOfDecoder(t *testing.T) {
	for _, attention := range []string{AttentionFlash, AttentionUnfused} {
		job := Training{Model: gpt3, MicroBatch: 2, GlobalBatch: 1536, Data: 64, Precision: topology.BF16, Attention: attention}
		B, s, l, h, V := 1536., 2048., 96., 12288., 50257.
		want := 72 * B * s * l * h * h * (1 + s/(6*h) + V/(12*l*h))
		if got := job.FLOPs(); math.Abs(got/want-1) > 1e-12 {
			t.Errorf("%s: %g FLOPs an iteration, want %g", attention, got, want)
		}
	}
}

// 6 N + 12 l h s FLOPs a token, with N the parameters that products use: for
// models with tied embeddings all but positions, biases and norms.
func TestFLOPsPerToken(t *testing.T) {
	for name, m := range map[string]Model{
		"gpt3":   gpt3,
		"gpt2":   {Layers: 12, Hidden: 768, Heads: 12, Vocab: 50257, Sequence: 1024, TiedEmbeddings: true},
		"swiglu": {Layers: 16, Hidden: 2048, Heads: 32, FFN: 8192, Vocab: 128256, Activation: ActivationSwiGLU, TiedEmbeddings: true, Sequence: 8192},
	} {
		job := Training{Model: m, GlobalBatch: 4, Precision: topology.BF16}
		s := float64(m.Sequence)
		got := job.FLOPs() / (4 * s)
		want := 6*float64(m.Parameters()) + 12*float64(m.Layers*m.Hidden)*s
		if got > want || got < 0.99*want {
			t.Errorf("%s: %g FLOPs a token, want little less than %g", name, got, want)
		}
	}
}

func TestFLOPsScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyTransformer(t)
		job := Training{Model: m, MicroBatch: 1, GlobalBatch: 8, Sequence: rapid.IntRange(1, 256).Draw(t, "sequence"), Precision: topology.BF16}
		one := job.FLOPs()
		job.MicroBatch, job.Data = 2, 4
		if got := job.FLOPs(); math.Abs(got-one) > 1e-9*one {
			t.Fatalf("FLOPs depend on how the batch is cut: %g and %g", one, got)
		}
	})
}

// Korthikanti et al. 2022, equation 1: s b h (34 + 5 a s / h) bytes a layer.
func TestActivations(t *testing.T) {
	for name, m := range map[string]Model{
		"22B":  {Layers: 48, Hidden: 6144, Heads: 64, Vocab: 51200, Sequence: 2048},
		"175B": gpt3,
	} {
		const b, s = 4, 2048
		l := m.Unfold(Batch{Samples: b, Sequence: s, Precision: topology.BF16, Attention: AttentionUnfused})[1]
		if want := s * b * (34*m.Hidden + 5*m.Heads*s); l.Activations != want {
			t.Errorf("%s: a layer keeps %d bytes, want %d", name, l.Activations, want)
		}
		flash := m.Unfold(Batch{Samples: b, Sequence: s, Precision: topology.BF16})[1]
		if want := s * b * (32*m.Hidden + 4*m.Heads); flash.Activations != want { // no dropout masks
			t.Errorf("%s: a layer with flash attention keeps %d bytes, want %d", name, flash.Activations, want)
		}
	}
}

func TestStateBytes(t *testing.T) {
	n := gpt3.Parameters()
	for p, want := range map[topology.Precision]int64{
		topology.FP16: 16, // Rajbhandari et al. 2020, section 3.1
		topology.BF16: 18, // Megatron-LM, docs/distrib_optimizer: gradients in fp32
		topology.FP32: 16, // 4 + 4 + 8
	} {
		m := Training{Model: gpt3, GlobalBatch: 1, Precision: p}.Memory()
		if got := m.Parameters + m.Gradients + m.Optimizer; got != want*n {
			t.Errorf("Adam in %v keeps %d bytes, want %d a parameter: %d", p, got, want, want*n)
		}
		if sum := want*n + m.Activations + m.Gathered + m.Buffers + m.Framework; m.Total() != sum {
			t.Errorf("total %d, want %d", m.Total(), sum)
		}
	}
	for _, c := range []struct {
		kind OptimizerKind
		p    topology.Precision
		want int64
	}{
		{Adam, topology.BF16, 12},
		{LAMB, topology.FP16, 12},
		{SGD, topology.FP16, 8},
		{Adam, topology.FP32, 8},
		{LAMB, topology.TF32, 8},
		{SGD, topology.TF32, 4},
	} {
		if got := c.kind.StateBytes(c.p); got != c.want {
			t.Errorf("%v in %v keeps %d bytes a parameter, want %d", c.kind, c.p, got, c.want)
		}
	}
}

func TestOptimizerStep(t *testing.T) {
	for _, c := range []struct {
		kind OptimizerKind
		p    topology.Precision
		want float64 // bytes a parameter
	}{
		{Adam, topology.BF16, 42}, // gradients of 4 bytes, four times
		{Adam, topology.FP16, 34},
		{Adam, topology.FP32, 40},
		{LAMB, topology.FP16, 48},
		{LAMB, topology.TF32, 60},
		{SGD, topology.FP16, 26},
		{SGD, topology.FP32, 32},
	} {
		if got := c.kind.Step(1000, 10, c.p).Bytes / 1000; got != c.want {
			t.Errorf("%v in %v moves %g bytes a parameter, want %g", c.kind, c.p, got, c.want)
		}
	}
}

func TestBuckets(t *testing.T) {
	m := Model{Layers: 3, Hidden: 64, Heads: 1, Vocab: 1000}
	job := Training{Model: m, GlobalBatch: 1, Sequence: 16, Precision: topology.TF32}
	block := int64(12*64*64 + 13*64)
	want := []Bucket{
		{Layer: 3, Parameters: 1000*64 + 2*64 + block, Bytes: 4 * (1000*64 + 2*64 + block)},
		{Layer: 0, Parameters: 2*block + 1000*64, Bytes: 4 * (2*block + 1000*64)},
	}
	if diff := cmp.Diff(want, job.Buckets(job.Layers(), 420_000)); diff != "" {
		t.Error(diff)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := anyTransformer(t)
		job := Training{Model: m, GlobalBatch: 1, Sequence: 8, Precision: rapid.SampledFrom([]topology.Precision{topology.TF32, topology.BF16}).Draw(t, "precision")}
		size := rapid.Int64Range(0, 1<<28).Draw(t, "size")
		buckets := job.Buckets(job.Layers(), size)
		var sum int64
		for i, b := range buckets {
			sum += b.Parameters
			if b.Bytes != b.Parameters*GradientBytes(job.Precision) {
				t.Fatalf("bucket %d: %+v", i, b)
			}
			if i > 0 && b.Layer >= buckets[i-1].Layer {
				t.Fatalf("bucket %d is ready after layer %d, the one before after %d", i, b.Layer, buckets[i-1].Layer)
			}
			if i < len(buckets)-1 && b.Bytes < size {
				t.Fatalf("bucket %d of %d is closed with %d bytes of %d", i, len(buckets), b.Bytes, size)
			}
		}
		if sum != m.Parameters() {
			t.Fatalf("buckets hold %d parameters of %d", sum, m.Parameters())
		}
		if size == 0 && len(buckets) != 1 {
			t.Fatalf("%d buckets without a size", len(buckets))
		}
	})
}
