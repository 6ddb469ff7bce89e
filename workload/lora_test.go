package workload

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/topology"
)

var llama7b = Model{
	Name: "llama-2-7b", Layers: 32, Hidden: 4096, Heads: 32, FFN: 11008, Vocab: 32000, Sequence: 4096, Activation: ActivationSwiGLU,
}

// loraOf is a fine-tuning of a model with adapters.
func loraOf(m Model, rank int) Training {
	return Training{Model: m, GlobalBatch: 8, Precision: topology.BF16, Tuning: TuningLoRA, LoRARank: rank}
}

// What Hugging Face PEFT prints as trainable parameters with all-linear.
func TestTrainedParameters(t *testing.T) {
	mistral := Model{Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 8, FFN: 14336, Vocab: 32000, Sequence: 8192, Activation: ActivationSwiGLU}
	seventy := Model{Layers: 80, Hidden: 8192, Heads: 64, KVHeads: 8, FFN: 28672, Vocab: 32000, Sequence: 4096, Activation: ActivationSwiGLU}
	const head = 8 * (4096 + 32000) // also adapted in the published count of Mistral 7B
	for _, c := range []struct {
		name string
		m    Model
		rank int
		want int64
	}{
		{"llama-2-7b", llama7b, 8, 19_988_480},
		{"llama-2-7b", llama7b, 64, 159_907_840},
		{"llama-2-70b", seventy, 16, 207_093_760},
		{"mistral-7b", mistral, 8, 21_260_288 - head},
	} {
		tr := loraOf(c.m, c.rank)
		if got := tr.Trained(); got != c.want {
			t.Errorf("%s: %d trained parameters, want %d", c.name, got, c.want)
		}
		var trained, frozen int64
		for _, l := range tr.Layers() {
			trained += l.Parameters
			frozen += l.Frozen
		}
		if trained != c.want || frozen != c.m.Parameters() {
			t.Errorf("%s: layers train %d and freeze %d, want %d and %d", c.name, trained, frozen, c.want, c.m.Parameters())
		}
	}
	full := Training{Model: llama7b, GlobalBatch: 1}
	if got := full.Trained(); got != llama7b.Parameters() {
		t.Errorf("full tuning trains %d parameters of %d", got, llama7b.Parameters())
	}
}

// An adapter has r (k + n) parameters, of a routed expert's matrix too; of one that
// tensor parallelism cuts, each rank has a part on one side.
func TestAdapterParameters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := int64(rapid.IntRange(1, 64).Draw(t, "rank"))
		tp := rapid.SampledFrom([]int64{1, 2, 4}).Draw(t, "tensor")
		h, f := int64(256), 4*rapid.Int64Range(1, 300).Draw(t, "ffn")
		m := Model{Layers: 2, Hidden: h, Heads: 8, FFN: f, Vocab: 100, Sequence: 64, Activation: ActivationSwiGLU}
		tr := loraOf(m, int(r))
		tr.Tensor = int(tp)
		want := r * (3*(h+h/tp) + (h/tp + h) + 2*(h+f/tp) + (f/tp + h))
		if got := tr.Layers()[1].Parameters; got != want {
			t.Fatalf("%d parameters, want %d", got, want)
		}
		m.Experts, m.ExpertsPerToken, m.ExpertFFN = 4, 2, f
		tr.Model = m
		l := tr.Layers()[1]
		if want := r*(4*(h+h/tp)) + r*(h+4); l.Parameters != want { // and the router
			t.Fatalf("%d parameters outside the experts, want %d", l.Parameters, want)
		}
		if want := 4 * r * 3 * (h + f/tp); l.ExpertParameters != want || l.FrozenExperts != 4*3*h*f/tp {
			t.Fatalf("experts train %d and freeze %d, want %d and %d", l.ExpertParameters, l.FrozenExperts, want, 4*3*h*f/tp)
		}
	})
}

// LoRA computes what full tuning does but for the weights' gradients and the
// gradient of the first block's input, and 6 r (k + n) FLOPs a token for each
// adapter, less that gradient's part.
func TestFLOPsOfLoRA(t *testing.T) {
	// More than 2/3 by attention, which has no weights to save at, and the adapters.
	for rank, share := range map[int]float64{8: 0.71, 64: 0.73} {
		tr := loraOf(llama7b, rank)
		full := tr
		full.Tuning, full.LoRARank = TuningFull, 0
		h, f, V, L, r := 4096., 11008., 32000., 32., float64(rank)
		tokens := 8 * 4096.
		weights := L*(4*h*h+3*h*f) + V*h
		first := 3 * h * h
		adapters := 6*float64(tr.Trained()) - 2*3*h*r
		want := full.FLOPs() - 2*tokens*(weights+first) + tokens*adapters
		if got := tr.FLOPs(); math.Abs(got/want-1) > 1e-12 {
			t.Errorf("rank %d: %g FLOPs, want %g", rank, got, want)
		}
		if got := tr.FLOPs() / full.FLOPs(); math.Abs(got-share) > 0.01 {
			t.Errorf("rank %d: %.3f of full tuning's FLOPs, want %.2f", rank, got, share)
		}
	}
}

// Nothing frozen has a gradient, and the embedding no backward pass at all.
func TestFrozenHasNoGradients(t *testing.T) {
	for _, m := range []Model{
		llama7b, bertLarge,
		{Layers: 3, Hidden: 512, Heads: 8, Vocab: 100, Sequence: 64, HeadDim: 64, KVRank: 32, QueryRank: 48, RotaryDim: 16, Activation: ActivationSwiGLU},
		{Layers: 3, Hidden: 512, Heads: 8, Vocab: 100, Sequence: 64, HeadDim: 64, KVRank: 32, RotaryDim: 16, Activation: ActivationSwiGLU},
	} {
		for _, tp := range []int{1, 4} {
			tr := loraOf(m, 0)
			tr.Tensor, tr.SequenceParallel = tp, tp > 1
			layers := tr.Layers()
			if n := len(layers[0].Backward); n > 0 || layers[0].Activations > 0 {
				t.Errorf("%s, tensor %d: the embedding has %d gradient operators and keeps %d bytes", m.Name, tp, n, layers[0].Activations)
			}
			for i, l := range layers {
				for _, op := range l.Backward {
					if op.Weight && !strings.Contains(op.Name, "adapter") {
						t.Errorf("%s: %s has %q", m.Name, l.Name, op.Name)
					}
					// What leads to the embedding alone.
					if name, ok := strings.CutSuffix(op.Name, " data gradient"); i == 1 && ok && !strings.HasSuffix(name, "adapter up") {
						for _, first := range []string{"qkv", "query", "key", "value", "query down", "key and value down"} {
							if strings.TrimSuffix(name, " adapter down") == first {
								t.Errorf("%s: the first block has %q", m.Name, op.Name)
							}
						}
					}
				}
			}
			if got := layers[len(layers)-1].Parameters; got != 0 {
				t.Errorf("%s: the head trains %d parameters", m.Name, got)
			}
			if a, b := len(layers[1].Backward), len(layers[2].Backward); a >= b {
				t.Errorf("%s: the first block has %d gradient operators, the second %d", m.Name, a, b)
			}
		}
	}
	// Without a narrow vector of its own the queries come from the block's input.
	direct := loraOf(Model{Layers: 2, Hidden: 512, Heads: 8, Vocab: 100, Sequence: 64, HeadDim: 64, KVRank: 32, RotaryDim: 16, Activation: ActivationSwiGLU}, 8)
	for _, op := range direct.Layers()[1].Backward {
		if op.Name == "query up data gradient" {
			t.Error("the first block has " + op.Name)
		}
	}
}

// Frozen weights take 2 bytes in 16 bits, and nothing else; ZeRO shares them out
// from stage 3 on, adapters as any parameters.
func TestMemoryOfLoRA(t *testing.T) {
	const n = 8
	for zero := range 4 {
		tr := loraOf(llama7b, 8)
		tr.Data, tr.Zero, tr.Framework, tr.Recompute = n, zero, FrameworkMegatron, RecomputeFull
		trained, frozen := tr.Trained(), llama7b.Parameters()
		share := func(parameters int64, from int) int64 {
			if zero >= from {
				return parameters / n
			}
			return parameters
		}
		m := tr.Memory()
		if want := 2 * (share(trained, 3) + share(frozen, 3)); m.Parameters != want {
			t.Errorf("zero %d: %d bytes of parameters, want %d", zero, m.Parameters, want)
		}
		if want := 4 * share(trained, 2); m.Gradients != want {
			t.Errorf("zero %d: %d bytes of gradients, want %d", zero, m.Gradients, want)
		}
		if want := 12 * share(trained, 1); m.Optimizer != want {
			t.Errorf("zero %d: %d bytes of optimizer, want %d", zero, m.Optimizer, want)
		}
	}
	// FSDP has no FP32 copy of what it does not train.
	tr := loraOf(llama7b, 8)
	tr.Data, tr.Zero = n, 3
	if got, want := tr.Memory().Parameters, 2*llama7b.Parameters()/n; got != want {
		t.Errorf("FSDP: %d bytes of parameters, want %d", got, want)
	}
}

// A layer keeps the middle of its seven adapters beside what it keeps anyway; full
// recomputation keeps its input.
func TestActivationsOfLoRA(t *testing.T) {
	tr := loraOf(llama7b, 8)
	full := tr
	full.Tuning, full.LoRARank = TuningFull, 0
	if got, want := tr.Layers()[2].Activations-full.Layers()[2].Activations, int64(2*4096*7*8); got != want {
		t.Errorf("adapters keep %d bytes, want %d", got, want)
	}
	tr.Recompute = RecomputeFull
	if got, want := tr.Layers()[2].Activations, int64(2*4096*4096); got != want {
		t.Errorf("full recomputation keeps %d bytes, want %d", got, want)
	}
	if got := tr.Recomputed(); got < 1.45 || got > 1.5 { // a forward pass for every two, all but the head
		t.Errorf("%v of the FLOPs with recomputation", got)
	}
}

func TestTuningValidate(t *testing.T) {
	for want, change := range map[string]func(*Training){
		`tuning "qlora" is unknown: "full" or "lora"`:                                                func(t *Training) { t.Tuning = "qlora" },
		`lora_rank 8 belongs to tuning = "lora"`:                                                     func(t *Training) { t.Tuning, t.LoRARank = TuningFull, 8 },
		"lora_rank must be 1 or more, got -1":                                                        func(t *Training) { t.LoRARank = -1 },
		`tuning "lora": adapters are built for families "transformer" and "bert", not for a convnet`: func(t *Training) { t.Model = Model{Family: FamilyConvnet, Layers: 50} },
	} {
		tr := loraOf(llama7b, 0)
		change(&tr)
		if err := tr.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if tr := loraOf(llama7b, 0).WithDefaults(); tr.LoRARank != 16 {
		t.Errorf("rank %d, want 16", tr.LoRARank)
	}
}
