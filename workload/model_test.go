package workload

import (
	"slices"
	"strings"
	"testing"
)

// The models whose published sizes the tests know.
var (
	bertLarge = Model{Name: "bert-large", Family: FamilyBERT, Layers: 24, Hidden: 1024, Heads: 16, Vocab: 30522}
	gpt3      = Model{Name: "gpt3-175b", Layers: 96, Hidden: 12288, Heads: 96, Vocab: 50257, Sequence: 2048, TiedEmbeddings: true}
	resNet50  = Model{Name: "resnet-50", Family: FamilyConvnet, Layers: 50}
)

func llama(layers, hidden, heads, kv, ffn, vocab int64) Model {
	return Model{Layers: layers, Hidden: hidden, Heads: heads, KVHeads: kv, FFN: ffn, Vocab: vocab, Activation: ActivationSwiGLU, Sequence: 8192}
}

func TestParameters(t *testing.T) {
	for _, c := range []struct {
		name string
		m    Model
		want int64
		from string
	}{
		{"BERT-large", bertLarge, 336_226_108, "340M in Devlin et al. 2019; exact: transformers' BertForPreTraining"},
		{"BERT-base", Model{Family: FamilyBERT, Layers: 12, Hidden: 768, Heads: 12, Vocab: 30522}, 110_106_428, "110M in Devlin et al.; exact: BertForPreTraining"},
		{"GPT-2", Model{Layers: 12, Hidden: 768, Heads: 12, Vocab: 50257, Sequence: 1024, TiedEmbeddings: true}, 124_439_808, "the published checkpoint of 124M"},
		{"GPT-2 XL", Model{Layers: 48, Hidden: 1600, Heads: 25, Vocab: 50257, Sequence: 1024, TiedEmbeddings: true}, 1_557_611_200, "the published checkpoint of 1.5B"},
		{"GPT-3", gpt3, 174_604_259_328, "174,600M in Brown et al. 2020, table D.1; exact: 96 (12 h^2 + 13 h) + (50257 + 2048) h + 2 h"},
		{"Llama 2 7B", llama(32, 4096, 32, 32, 11008, 32000), 6_738_415_616, "the published checkpoint"},
		{"Llama 2 70B", llama(80, 8192, 64, 8, 28672, 32000), 68_976_648_192, "the published checkpoint"},
		{"Llama 3.1 8B", llama(32, 4096, 32, 8, 14336, 128256), 8_030_261_248, "the published checkpoint"},
		{"Llama 3.1 70B", llama(80, 8192, 64, 8, 28672, 128256), 70_553_706_496, "the published checkpoint"},
		{"Llama 3.1 405B", llama(126, 16384, 128, 8, 53248, 128256), 405_853_388_800, "the published checkpoint"},
		{"MPT-7B", Model{Layers: 32, Hidden: 4096, Heads: 32, Vocab: 50432, Sequence: 2048, TiedEmbeddings: true, Positions: PositionsALiBi, Bias: new(false)}, 6_649_286_656, "the published checkpoint"},
		{"GPT-NeoX-20B", Model{Layers: 44, Hidden: 6144, Heads: 64, Vocab: 50432, Sequence: 2048, Positions: PositionsRotary}, 20_554_567_680, "Black et al. 2022, table 1"},
		{"ResNet-50", resNet50, 25_557_032, "torchvision"},
		{"ResNet-101", Model{Family: FamilyConvnet, Layers: 101}, 44_549_160, "torchvision"},
		{"ResNet-152", Model{Family: FamilyConvnet, Layers: 152}, 60_192_808, "torchvision"},
	} {
		if err := c.m.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := c.m.Parameters(); got != c.want {
			t.Errorf("%s has %d parameters, want %d (%s)", c.name, got, c.want, c.from)
		}
	}
}

func TestModelValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		m    Model
		want []string // parts of the message, one line each
	}{
		{"empty", Model{}, []string{"layers", "hidden", "heads", "vocab"}},
		{"unknown family", Model{Family: "rnn"}, []string{`"rnn"`}},
		{
			"several at once",
			Model{Name: "m", Layers: -1, Hidden: 100, Heads: 16, Vocab: 5, Activation: "relu"},
			[]string{"model m: hidden 100 is not a multiple of heads 16", "layers must be 1 or more, got -1", `activation "relu"`},
		},
		{"grouped queries", Model{Layers: 1, Hidden: 64, Heads: 8, KVHeads: 3, Vocab: 5}, []string{"kv_heads 3 does not divide heads 8"}},
		{"experts", Model{Layers: 1, Hidden: 64, Heads: 8, Vocab: 5, ExpertFFN: 8}, []string{"experts is missing"}},
		{"more experts a token than there are", Model{Layers: 1, Hidden: 64, Heads: 8, Vocab: 5, Experts: 4, ExpertsPerToken: 8}, []string{"experts_per_token 8 are more than the 4 experts"}},
		{"latent attention", Model{Layers: 1, Hidden: 64, Heads: 8, Vocab: 5, RotaryDim: 8}, []string{"kv_rank is missing"}},
		{"bert", Model{Family: FamilyBERT, Layers: 1, Hidden: 64, Heads: 8, KVHeads: 4, Vocab: 5, Activation: ActivationSwiGLU}, []string{"activation", "kv_heads"}},
		{"lineage", Model{Layers: 1, Hidden: 64, Heads: 8, Vocab: 5, Positions: "sinusoidal"}, []string{`positions "sinusoidal" is unknown: "learned", "rotary" or "alibi"`}},
		{"bert without biases", Model{Family: FamilyBERT, Layers: 1, Hidden: 64, Heads: 8, Vocab: 5, Bias: new(false)}, []string{"neither positions nor bias"}},
		{"speech", Model{Family: FamilySpeech, Layers: 1, Hidden: 64, Heads: 8, KVHeads: 2, Vocab: 5, Frames: -1}, []string{"as many kv_heads as heads", "mels must be 1 or more, got 0", "frames must be 1 or more, got -1"}},
		{"unet3d", Model{Family: FamilyUNet3D, Filters: []int64{8, 16}, Patch: 10}, []string{"classes must be 1", "patch 10 is not a multiple of 4: each of the 2 filters halves it"}},
		{"unet3d without levels", Model{Family: FamilyUNet3D}, []string{"filters must have 1 to 10 levels, got 0"}},
		{
			"long dlrm",
			Model{Family: FamilyDLRM, Rows: []int64{5}, EmbeddingDim: 1, DenseFeatures: 1, BottomMLP: slices.Repeat([]int64{1}, 101), TopMLP: []int64{1}},
			[]string{"bottom_mlp and top_mlp may have 100 layers, got 101"},
		},
		{
			"empty dlrm",
			Model{Family: FamilyDLRM},
			[]string{"tables must be 1 to 10000, got 0", "lookups has 1 entries, and tables is 0", "embedding_dim", "dense_features", "bottom_mlp must end in embedding_dim", "top_mlp must end in 1"},
		},
		{
			"dlrm",
			Model{Family: FamilyDLRM, Tables: 3, Rows: []int64{5, 0}, EmbeddingDim: 8, DenseFeatures: 1, BottomMLP: []int64{4}, TopMLP: []int64{1}, CrossLayers: 2},
			[]string{"rows has 2 entries, and tables is 3: one for each, or one for all", "rows must be 1 or more, got 0", "bottom_mlp must end in embedding_dim 8", "cross_layers 2 and cross_rank 0"},
		},
		{"convnet", Model{Family: FamilyConvnet, Layers: 34}, []string{"50, 101 or 152, got 34"}},
	} {
		err := c.m.Validate()
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(c.want) {
			t.Errorf("%s: %d errors, want %d:\n%v", c.name, len(lines), len(c.want), err)
			continue
		}
		for i, part := range c.want {
			if !strings.Contains(lines[i], part) {
				t.Errorf("%s: error %q lacks %q", c.name, lines[i], part)
			}
		}
	}
}

func TestMaskedPositions(t *testing.T) {
	for sequence, want := range map[int64]int64{128: 20, 512: 80, 384: 60, 2: 2, 1: 1} {
		if got := MaskedPositions(sequence); got != want {
			t.Errorf("%d of %d positions masked, want %d", got, sequence, want)
		}
	}
}
