package workload

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/topology"
)

// products sums the matrix arithmetic of operators.
func products(ops []Operator) float64 {
	var sum float64
	for _, op := range ops {
		if op.Class.Product() {
			sum += op.FLOPs
		}
	}
	return sum
}

func anyTransformer(t *rapid.T) Model {
	heads := rapid.Int64Range(1, 16).Draw(t, "heads")
	m := Model{
		Layers:  rapid.Int64Range(1, 6).Draw(t, "layers"),
		Heads:   heads,
		Hidden:  heads * 8 * rapid.Int64Range(1, 16).Draw(t, "head"),
		FFN:     rapid.Int64Range(0, 9000).Draw(t, "ffn"),
		Vocab:   rapid.Int64Range(1, 60000).Draw(t, "vocab"),
		HeadDim: rapid.SampledFrom([]int64{0, 64, 128}).Draw(t, "head_dim"),
		Family:  rapid.SampledFrom([]string{"", FamilyTransformer, FamilyBERT}).Draw(t, "family"),
	}
	if m.Family != FamilyBERT {
		m.Activation = rapid.SampledFrom([]string{"", ActivationGELU, ActivationSwiGLU}).Draw(t, "activation")
		m.TiedEmbeddings = rapid.Bool().Draw(t, "tied")
		if heads%2 == 0 {
			m.KVHeads = rapid.SampledFrom([]int64{0, heads / 2, 1}).Draw(t, "kv_heads")
		}
	}
	return m
}

// Every product of a transformer's forward pass answers with two of its size.
func TestBackwardIsTwiceForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyTransformer(t)
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, l := range m.Unfold(Batch{
			Samples: rapid.Int64Range(1, 8).Draw(t, "samples"), Sequence: rapid.Int64Range(1, 512).Draw(t, "sequence"),
			Precision: topology.BF16, Attention: AttentionUnfused,
		}) {
			forward, backward := products(l.Forward), products(l.Backward)
			if math.Abs(backward-2*forward) > 1e-9*forward {
				t.Fatalf("%s: %g FLOPs backward, %g forward", l.Name, backward, forward)
			}
		}
	})
}

// Every operator is well formed.
func TestOperators(t *testing.T) {
	batches := []Batch{
		{Samples: 4, Sequence: 128, Precision: topology.FP16, Attention: AttentionUnfused},
		{Samples: 4, Sequence: 128, Precision: topology.TF32},
		{Samples: 4, Sequence: 128, Precision: topology.FP8},
	}
	for _, m := range []Model{bertLarge, gpt3, llama(2, 4096, 32, 8, 14336, 128256), resNet50, dlrm, dcnv2, whisper, unet3D} {
		for _, b := range batches {
			for _, l := range m.Unfold(b) {
				for i, op := range append(append([]Operator{}, l.Forward...), l.Backward...) {
					if op.Backward != (i >= len(l.Forward)) {
						t.Errorf("%s %s: backward is %t", l.Name, op.Name, op.Backward)
					}
					if op.Name == "" || op.Launches < 1 || op.FLOPs <= 0 || op.Bytes <= 0 || op.Class.String() == "" {
						t.Errorf("%s: incomplete operator %+v", l.Name, op)
					}
					if op.Class.Product() != (op.M > 0 && op.N > 0 && op.K > 0 && op.Batch > 0) {
						t.Errorf("%s %s: shape %d x (%d, %d, %d)", l.Name, op.Name, op.Batch, op.M, op.N, op.K)
					}
					if op.Precision == topology.FP8 && op.Class != Matrix && op.Class.Product() {
						t.Errorf("%s %s: attention in FP8", l.Name, op.Name)
					}
				}
			}
		}
	}
}

// Multiply-adds of one image: torchvision's model table gives 4.09, 7.80 and
// 11.51 billion, convolutions and classifier.
func TestConvnetMultiplyAdds(t *testing.T) {
	for layers, want := range map[int64]float64{50: 4.089e9, 101: 7.801e9, 152: 11.514e9} {
		var sum float64
		for _, l := range (Model{Family: FamilyConvnet, Layers: layers}).Unfold(Batch{Samples: 1, Precision: topology.FP16}) {
			sum += products(l.Forward) / 2
		}
		if math.Abs(sum/want-1) > 0.0005 {
			t.Errorf("ResNet-%d needs %.4g multiply-adds an image, want %.4g", layers, sum, want)
		}
	}
}

// Shape by shape, the convolutions of ResNet-50 answer with gradients of their
// own size, save the first, whose input needs none.
func TestConvnetBackward(t *testing.T) {
	for i, l := range resNet50.Unfold(Batch{Samples: 3, Precision: topology.FP16}) {
		want := 2 * products(l.Forward)
		if i == 0 {
			want /= 2
		}
		if got := products(l.Backward); got != want {
			t.Errorf("%s: %g FLOPs backward, want %g", l.Name, got, want)
		}
	}
}

// Traffic per score of unfused attention with dropout in 16 bits.
func TestUnfusedAttentionBytes(t *testing.T) {
	const samples, sequence = 1, 65536 // so long that Q, K and V vanish beside the scores
	m := Model{Layers: 1, Hidden: 64, Heads: 1, Vocab: 1}.WithDefaults()
	u := newUnfolder("", Batch{Samples: samples, Sequence: sequence, Precision: topology.BF16, Attention: AttentionUnfused})
	u.attention(headShape{m.Heads, m.KVHeads, m.HeadDim, m.HeadDim}, true, true, false)
	l := u.done()
	for _, c := range []struct {
		pass string
		ops  []Operator
		want float64
	}{{"forward", l.Forward, 13}, {"backward", l.Backward, 19}} {
		var sum float64
		for _, op := range c.ops {
			sum += op.Bytes
		}
		if got := sum / (samples * sequence * sequence); math.Abs(got-c.want) > 0.05 {
			t.Errorf("%s: %.2f bytes a score, want %g", c.pass, got, c.want)
		}
	}
}

func BenchmarkUnfold(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		gpt3.Unfold(Batch{Samples: 1, Sequence: 2048, Precision: topology.BF16})
	}
}
