package scenario

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard/workload"
)

// Every model of the catalogue has the parameters that its authors publish: to
// the digits published, hence within half of the last, or exactly where a
// checkpoint or a formula says (last 0). Less is what the entry is said to leave
// out, negative what it has beside.
func TestPublishedParameters(t *testing.T) {
	const (
		M, B, T = 1e6, 1e9, 1e12

		sc21 = "Narayanan et al. 2021, table 1"
		mpt  = "NumParams of llm-foundry, scripts/train/benchmarking/README.md"
		hub  = "the published checkpoint"
		qwen = "the published checkpoint, less the norms of queries and keys"
	)
	seen := map[string]bool{}
	for _, c := range []struct {
		name             string
		want, last, less float64
		from             string
	}{
		{"bert-base", 110_106_428, 0, 0, "transformers' BertForPreTraining; 110M in Devlin et al."},
		{"bert-large", 336_226_108, 0, 0, "transformers' BertForPreTraining; 340M in Devlin et al."},
		{"gpt2-1.5b", 1_557_611_200, 0, 0, hub},
		{"gpt3-175b", 174_600 * M, 100 * M, 0, "Brown et al. 2020, table D.1"},
		{"gpt-1.7b", 1.7 * B, 0.1 * B, 0, sc21},
		{"gpt-3.6b", 3.6 * B, 0.1 * B, 0, sc21},
		{"gpt-7.5b", 7.5 * B, 0.1 * B, 0, sc21},
		{"gpt-18.4b", 18.4 * B, 0.1 * B, 0, sc21},
		{"gpt-39.1b", 39.1 * B, 0.1 * B, 0, sc21},
		{"gpt-76.1b", 76.1 * B, 0.1 * B, 0, sc21},
		{"gpt-145.6b", 145.6 * B, 0.1 * B, 0, sc21},
		{"gpt-310.1b", 310.1 * B, 0.1 * B, 0, sc21},
		{"gpt-529.6b", 529.6 * B, 0.1 * B, 0, sc21},
		{"gpt-1008b", 1008.0 * B, 0.1 * B, 0, sc21},
		{"gpt-22b", 22 * B, 1 * B, 0, "Korthikanti et al. 2022, table 3"},
		{"gpt-175b", 175 * B, 1 * B, 0, "Korthikanti et al. 2022, table 3"},
		{"gpt-530b", 530 * B, 1 * B, 0, "Korthikanti et al. 2022, table 3"},
		{"gpt-1t", 1 * T, 0.1 * T, 0, "Korthikanti et al. 2022, table 3"},
		{"llama-2-7b", 6_738_415_616, 0, 0, hub},
		{"llama-2-13b", 13_015_864_320, 0, 0, hub},
		{"llama-2-70b", 68_976_648_192, 0, 0, hub},
		{"llama-3-8b", 8_030_261_248, 0, 0, hub},
		{"llama-3-70b", 70_553_706_496, 0, 0, hub},
		{"llama-3.1-8b", 8_030_261_248, 0, 0, hub},
		{"llama-3.1-70b", 70_553_706_496, 0, 0, hub},
		{"llama-3.1-405b", 405_853_388_800, 0, 0, hub},
		{"mistral-7b", 7_241_732_096, 0, 0, hub},
		{"qwen3-0.6b", 596_049_920, 0, 28 * 256, qwen},
		{"qwen3-1.7b", 1_720_574_976, 0, 28 * 256, qwen},
		{"qwen3-4b", 4_022_468_096, 0, 36 * 256, qwen},
		{"qwen3-8b", 8_190_735_360, 0, 36 * 256, qwen},
		{"qwen3-14b", 14_768_307_200, 0, 40 * 256, qwen},
		{"qwen3-32b", 32_762_123_264, 0, 64 * 256, qwen},
		{"mixtral-8x7b", 46_702_792_704, 0, 0, hub},
		{"mixtral-8x22b", 140_620_634_112, 0, 0, hub},
		{"deepseek-v2", 235_741_434_880, 0, 0, hub},
		{"deepseek-v3", 671_026_419_200, 0, 58 * 256, "the published checkpoint without its multi-token module, less the router's biases"},
		{"qwen3-30b-a3b", 30_532_122_624, 0, 48 * 256, qwen},
		{"qwen3-235b-a22b", 235_093_634_560, 0, 94 * 256, qwen},
		{"mpt-125m", 125_311_488, 0, 0, mpt},
		{"mpt-350m", 355_985_408, 0, 0, mpt},
		{"mpt-760m", 760_470_528, 0, 0, mpt},
		{"mpt-1b", 1_315_950_592, 0, 0, mpt},
		{"mpt-3b", 2_651_837_440, 0, 0, mpt},
		{"mpt-7b", 6_658_859_008, 0, 0, mpt},
		{"mpt-13b", 12_853_954_560, 0, 0, mpt},
		{"mpt-30b", 29_975_214_080, 0, 0, mpt},
		{"mpt-70b", 64_862_437_376, 0, 0, mpt},
		{"bloom-176b", 176_247_271_424, 0, 2 * 14336, "the published checkpoint, less the norm after the embedding"},
		{"gpt-neox-20b", 20_554_567_680, 0, 0, "Black et al. 2022, table 1"},
		{"opt-175b", 175 * B, 1 * B, 0, "Zhang et al. 2022, table 1"},
		{"palm-540b", 540.35 * B, 0.01 * B, -(2*118 + 1) * 18432, "Chowdhery et al. 2022, table 1, which products and table alone make up, and the norms"},
		{"falcon-7b", 7_217_189_760, 0, 65024*4544 + 4544, "the published checkpoint, less its second copy of the table and the last norm's bias"},
		{"falcon-40b", 41_303_293_952, 0, (2*60 + 1) * 8192, "layers and table of the published config, less the norms' biases"},
		{"falcon-180b", 180 * B, 1 * B, 0, "Almazrouei et al. 2023"},
		{"resnet-50", 25_557_032, 0, 0, "torchvision"},
		{"resnet-101", 44_549_160, 0, 0, "torchvision"},
		{"resnet-152", 60_192_808, 0, 0, "torchvision"},
		{"dlrm", 187_767_399*128 + 171_392 + 2_197_505, 0, 0, "HugeCTR's rows and the reference's MLPs"},
		{"dlrm-dcnv2", 204_184_588*128 + 171_392 + 10_627_200 + 5_245_953, 0, 0, "the reference's rows, MLPs and cross network"},
		{"whisper-large-v3", 1_543_490_560, 0, 1500 * 1280, "the published checkpoint, less the encoder's fixed sinusoids"},
		{"rnnt", 45_323_037, 0, 0, "the reference's layers"},
		{"unet3d", 31_190_243, 0, 0, "the reference's layers"},
	} {
		seen[c.name] = true
		m, faults := (&Scenario{}).Model(c.name)
		if faults != nil {
			t.Error(faults)
			continue
		}
		if got := float64(m.Parameters()); math.Abs(got-(c.want-c.less)) > c.last/2 {
			t.Errorf("%s has %.0f parameters, want %.0f within %.0f (%s)", c.name, got, c.want-c.less, c.last/2, c.from)
		}
	}
	for _, name := range sortedNames(Stock().Models) {
		if !seen[name] {
			t.Errorf("%s: no published count is known to this test", name)
		}
	}
}

// What a token visits of a mixture of experts, to the digits that its authors
// publish.
func TestPublishedActiveParameters(t *testing.T) {
	for _, c := range []struct {
		name             string
		want, last, less float64 // billions
		from             string
	}{
		{"mixtral-8x7b", 12.9, 0.1, 0, "Jiang et al. 2024, section 2.2: 13B; 12.9B in the announcement"},
		{"mixtral-8x22b", 39, 1, 0, "Mistral AI's announcement"},
		{"deepseek-v2", 21, 1, 0, "DeepSeek-AI 2024 (arXiv:2405.04434), section 3.1.2"},
		{"deepseek-v3", 37, 1, 0.93, "DeepSeek-AI 2024 (arXiv:2412.19437), section 4.2, and 36.7 with one of the two tables in its repository's README_WEIGHTS.md"},
		{"qwen3-30b-a3b", 3.3, 0.2, 0, "the published model card, which cuts the digits off"},
		{"qwen3-235b-a22b", 22, 1, 0, "the published model card"},
		{"llama-3.1-8b", 8.030261248, 0, 0, "all of a dense model"},
	} {
		m, faults := (&Scenario{}).Model(c.name)
		if faults != nil {
			t.Error(faults)
			continue
		}
		if got := float64(m.ActiveParameters()) / 1e9; math.Abs(got-c.less-c.want) > c.last/2 {
			t.Errorf("%s: a token visits %.3f billion parameters, want %v (%s)", c.name, got-c.less, c.want, c.from)
		}
	}
}

// Every figure of a model is a key.
func TestEveryFigureOfAModelIsAKey(t *testing.T) {
	for _, c := range []struct {
		tables string
		want   workload.Model
	}{
		{
			"layers = 1\nhidden = 2\nheads = 2\nhead_dim = 3\nkv_heads = 1\nffn = 4\nvocab = 5\nsequence = 6\nactivation = \"swiglu\"\n" +
				"tied_embeddings = true\npositions = \"alibi\"\nbias = true\n",
			workload.Model{
				Family: "transformer", Layers: 1, Hidden: 2, Heads: 2, HeadDim: 3, KVHeads: 1, FFN: 4, Vocab: 5, Sequence: 6,
				Activation: "swiglu", TiedEmbeddings: true, Positions: "alibi", Bias: new(true),
			},
		},
		{
			"family = \"dlrm\"\ntables = 2\nrows = [3, 4]\nlookups = [5]\nembedding_dim = 6\ndense_features = 7\nbottom_mlp = [8, 6]\ntop_mlp = [9, 1]\n" +
				"cross_layers = 10\ncross_rank = 11\n",
			workload.Model{
				Family: "dlrm", Activation: "gelu", Tables: 2, Rows: []int64{3, 4}, Lookups: []int64{5}, EmbeddingDim: 6, DenseFeatures: 7,
				BottomMLP: []int64{8, 6}, TopMLP: []int64{9, 1}, CrossLayers: 10, CrossRank: 11,
			},
		},
		{
			"family = \"speech\"\nencoder_layers = 1\nlayers = 2\nhidden = 3\nheads = 3\nvocab = 4\nmels = 5\nframes = 6\n",
			workload.Model{Family: "speech", Activation: "gelu", EncoderLayers: 1, Layers: 2, Hidden: 3, Heads: 3, Vocab: 4, Mels: 5, Frames: 6},
		},
		{
			"family = \"unet3d\"\nfilters = [1, 2]\npatch = 4\nchannels = 3\nclasses = 5\n",
			workload.Model{Family: "unet3d", Activation: "gelu", Filters: []int64{1, 2}, Patch: 4, Channels: 3, Classes: 5},
		},
	} {
		s := parse(t, "[topology]\nkind = \"single-host\"\nhost = \"dgx-a100\"\n[[workload.training]]\nmodel = \"case\"\nglobal_batch = 8\n[models.case]\n"+c.tables)
		got, faults := s.Model("case")
		if faults != nil {
			t.Error(faults)
		}
		c.want.Name = "case"
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// A list of integers says which entry is wrong.
func TestListOfIntegers(t *testing.T) {
	text := "[topology]\nkind = \"single-host\"\nhost = \"dgx-a100\"\n[[workload.training]]\nmodel = \"case\"\nglobal_batch = 8\n[models.case]\nbase = \"dlrm\"\n"
	for _, c := range []struct{ line, want string }{
		{"rows = 5", "case.toml:9:8: models.case.rows: must be a list, not a number"},
		{"rows = []", "case.toml:9:8: models.case.rows: must not be an empty list"},
		{"rows = [5, 0]", "case.toml:9:12: models.case.rows: must be from 1 to 10000000000, not 0"},
		{"rows = [5, 2.5]", "case.toml:9:12: models.case.rows: must be a whole number, not 2.5"},
		{"rows = [5, 6]\nlookups = [1, 1, 1]", "case.toml:7:1: models.case: lookups has 3 entries, and tables is 2: one for each, or one for all"},
	} {
		_, faults := Parse("case.toml", []byte(text+c.line+"\n"), nil)
		if got := faults.Error(); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.line, got, c.want)
		}
	}
}
