package workload

import (
	"cmp"
	"errors"
	"fmt"
)

// The families of models that the package knows how to unfold into operators.
const (
	FamilyTransformer = "transformer" // decoder: GPT, Llama
	FamilyBERT        = "bert"        // encoder with masked-LM and next-sentence heads
	FamilyConvnet     = "convnet"     // residual network of bottleneck blocks: ResNet-50

	FamilyDLRM   = "dlrm"   // recommender: embedding tables and MLPs
	FamilySpeech = "speech" // encoder of sound and decoder of text: Whisper
	FamilyUNet3D = "unet3d" // U-Net over volumes: medical images
	FamilyRNNT   = "rnnt"   // recurrent transducer: streams of speech
)

// How a decoder knows the positions of its tokens.
const (
	PositionsLearned = "learned" // a table of Sequence rows
	PositionsRotary  = "rotary"  // queries and keys are rotated (Su et al. 2021)
	PositionsALiBi   = "alibi"   // a penalty on scores by distance (Press et al. 2022), free in a fused kernel
)

// The activations of the feed-forward part of a transformer layer.
const (
	ActivationGELU   = "gelu"   // two matrices: up, GELU, down
	ActivationSwiGLU = "swiglu" // three matrices: gate and up, SiLU product, down (Shazeer 2020)
)

// Model is the architecture of a neural network: what a scenario's
// [models.NAME] holds. Zero fields take the defaults that [Model.WithDefaults]
// states; everything that computes applies them itself.
type Model struct {
	Name   string // what errors and reports call it
	Family string // FamilyTransformer (the default) or another

	// The shape of a transformer. A convnet has only Layers: 50, 101 or 152.
	Layers  int64 // transformer blocks
	Hidden  int64 // width of the residual stream
	Heads   int64 // query heads
	HeadDim int64 // width of a head; default Hidden / Heads
	KVHeads int64 // key and value heads (grouped-query attention); default Heads
	FFN     int64 // inner width of the feed-forward part; default 4 Hidden
	Vocab   int64 // tokens, as padded by whoever published the model; no default

	// Sequence is the longest sequence, hence the rows of a learned position
	// embedding, and the length that training takes unless it states another.
	// Zero for a model without a table of positions.
	Sequence int64

	Activation     string // ActivationGELU (the default) or ActivationSwiGLU
	TiedEmbeddings bool   // the output projection is the transposed embedding table

	// The shape of a mixture of experts.
	Experts         int64   // routed experts in a layer
	ExpertsPerToken int64   // of which each token visits so many; default 1
	SharedExperts   int64   // experts that every token visits
	ExpertFFN       int64   // inner width of one expert; default FFN
	DenseLayers     int64   // layers, from the first on, that have a dense part of width FFN instead
	CapacityFactor  float64 // rows computed for each row that an expert gets; default 1
	// ExpertGroups are runs of as many experts each, of which a token's are in
	// GroupsPerToken: node-limited routing (DeepSeek-V3, arXiv:2412.19437, section 2.1.2).
	// Default 1 and all of them.
	ExpertGroups   int64
	GroupsPerToken int64

	// The shape of multi-head latent attention, used if KVRank is not 0. HeadDim
	// is then the part of a query or key that is not rotated.
	KVRank    int64 // width of the latent vector of keys and values
	QueryRank int64 // width of the latent vector of queries; 0: queries have none
	RotaryDim int64 // rotated part of a query or key
	ValueDim  int64 // width of a value; default HeadDim

	// Where a decoder departs from its lineage; "" and nil take what its
	// activation says: SwiGLU models (Llama and after) rotate, normalise by RMS
	// and have no biases; GELU models (GPT-2, GPT-3) have tables, layer norms and
	// biases.
	Positions string // PositionsLearned, PositionsRotary or PositionsALiBi
	Bias      *bool  // products and norms have biases

	// The shape of a dlrm. Rows and Lookups have an entry for each table, or one
	// for all.
	Tables        int64   // embedding tables; default the entries of Rows
	Rows          []int64 // rows of each table
	Lookups       []int64 // rows that a sample reads of each table; default 1
	EmbeddingDim  int64   // values of a row
	DenseFeatures int64   // inputs of the bottom MLP
	BottomMLP     []int64 // outputs of its layers, the last EmbeddingDim
	TopMLP        []int64 // outputs of the top MLP's layers, the last 1
	CrossLayers   int64   // layers of a cross network; 0 is dot products
	CrossRank     int64   // inner width of one

	// The shape of a speech model, beside that of its decoder.
	EncoderLayers int64 // default Layers
	Mels          int64 // bands of the spectrogram, or inputs of a frame of a transducer
	Frames        int64 // rows of the encoder; default 1500, 30 s

	// The shape of a transducer: Layers and PredictionHidden are those of its
	// prediction network, EncoderLayers and Hidden those of its encoder.
	StackAfter       int64 // layers of the encoder before pairs of frames become one; 0: none do
	PredictionHidden int64
	JointHidden      int64 // inner width of the joint network

	// The shape of a unet3d.
	Filters  []int64 // channels of each level
	Patch    int64   // voxels of the input each way
	Channels int64   // of the input; default 1
	Classes  int64   // of the output
}

// Values that the families fix and a scenario cannot state.
const (
	bertPositions = 512  // rows of BERT's position table, where Sequence is 0
	bertTypes     = 2    // rows of BERT's segment table
	imageSide     = 224  // pixels of a convnet's input, each way
	imageClasses  = 1000 // outputs of a convnet: ImageNet

	speechFrames    = 1500 // rows of Whisper's encoder for 30 s
	speechPositions = 448  // rows of its decoder's position table, where Sequence is 0
)

// WithDefaults is m with every field that has a default filled in: ffn = 4
// hidden, kv_heads = heads, head_dim = hidden / heads, GELU, and 512 positions
// for BERT, whose decoder always shares the embedding table.
func (m Model) WithDefaults() Model {
	m.fillIn()
	return m
}

// fillIn fills in the defaults.
func (m *Model) fillIn() {
	if m.Family == "" {
		m.Family = FamilyTransformer
	}
	switch m.Family {
	case FamilyConvnet:
		return
	case FamilyDLRM:
		m.recommender()
		return
	case FamilyRNNT:
		return
	case FamilyUNet3D:
		m.Channels = max(m.Channels, 1)
		m.Sequence = 1 // a sample is one
		return
	}
	if m.HeadDim == 0 && m.Heads > 0 {
		m.HeadDim = m.Hidden / m.Heads
	}
	if m.KVHeads == 0 {
		m.KVHeads = m.Heads
	}
	if m.FFN == 0 {
		m.FFN = 4 * m.Hidden
	}
	if m.Activation == "" {
		m.Activation = ActivationGELU
	}
	if m.Experts > 0 {
		m.ExpertsPerToken = max(m.ExpertsPerToken, 1)
		m.ExpertGroups = max(m.ExpertGroups, 1)
		if m.GroupsPerToken == 0 {
			m.GroupsPerToken = m.ExpertGroups
		}
		if m.ExpertFFN == 0 {
			m.ExpertFFN = m.FFN
		}
	}
	if m.KVRank > 0 && m.ValueDim == 0 {
		m.ValueDim = m.HeadDim
	}
	if m.Family == FamilyBERT {
		m.TiedEmbeddings = true
		if m.Sequence == 0 {
			m.Sequence = bertPositions
		}
	}
	if m.Family == FamilySpeech {
		m.TiedEmbeddings = true
		m.EncoderLayers = cmp.Or(m.EncoderLayers, m.Layers)
		m.Frames = cmp.Or(m.Frames, speechFrames)
		m.Sequence = cmp.Or(m.Sequence, speechPositions)
	}
}

// Validate reports everything that is wrong with m, each as one error of the
// joined result, or nil.
func (m Model) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch m.Family {
	case "", FamilyTransformer, FamilyBERT, FamilySpeech:
		if m.HeadDim == 0 && m.Heads > 0 && m.Hidden > 0 && m.Hidden%m.Heads != 0 {
			bad("hidden %d is not a multiple of heads %d: state head_dim", m.Hidden, m.Heads)
		}
		d := m.WithDefaults()
		for _, f := range []struct {
			key   string
			value int64
		}{
			{"layers", d.Layers}, {"hidden", d.Hidden}, {"heads", d.Heads}, {"vocab", d.Vocab},
		} {
			if f.value < 1 {
				bad("%s must be 1 or more, got %d", f.key, f.value)
			}
		}
		for _, f := range []struct {
			key   string
			value int64
		}{
			{"head_dim", m.HeadDim},
			{"kv_heads", m.KVHeads},
			{"ffn", m.FFN},
			{"sequence", m.Sequence},
			{"experts", m.Experts},
			{"experts_per_token", m.ExpertsPerToken},
			{"shared_experts", m.SharedExperts},
			{"expert_ffn", m.ExpertFFN},
			{"dense_layers", m.DenseLayers},
			{"kv_rank", m.KVRank},
			{"query_rank", m.QueryRank},
			{"rotary_dim", m.RotaryDim},
			{"value_dim", m.ValueDim},
		} {
			if f.value < 0 {
				bad("%s must not be negative, got %d", f.key, f.value)
			}
		}
		if d.KVHeads > 0 && d.Heads > 0 && d.Heads%d.KVHeads != 0 {
			bad("kv_heads %d does not divide heads %d", d.KVHeads, d.Heads)
		}
		if d.Activation != ActivationGELU && d.Activation != ActivationSwiGLU {
			bad("activation %q is unknown: %q or %q", d.Activation, ActivationGELU, ActivationSwiGLU)
		}
		if d.Family == FamilyBERT {
			if d.Activation == ActivationSwiGLU {
				bad("the bert family has activation %q", ActivationGELU)
			}
			if d.KVHeads != d.Heads {
				bad("the bert family has as many kv_heads as heads")
			}
		}
		switch {
		case m.Experts == 0 && (m.ExpertsPerToken != 0 || m.SharedExperts != 0 || m.ExpertFFN != 0 || m.DenseLayers != 0 || m.CapacityFactor != 0 || m.ExpertGroups != 0 || m.GroupsPerToken != 0):
			bad("experts is missing: experts_per_token, shared_experts, expert_ffn, dense_layers, capacity_factor, expert_groups and groups_per_token belong to a mixture of experts")
		case m.Experts > 0 && d.Family == FamilyBERT:
			bad("the bert family has no experts")
		case d.ExpertsPerToken > d.Experts:
			bad("experts_per_token %d are more than the %d experts", d.ExpertsPerToken, d.Experts)
		case m.Experts > 0 && d.Experts%d.ExpertGroups != 0:
			bad("expert_groups %d do not divide the %d experts: nearest %s", d.ExpertGroups, d.Experts, NearestDivisors(d.ExpertGroups, d.Experts))
		case d.GroupsPerToken > d.ExpertGroups:
			bad("groups_per_token %d are more than the %d expert_groups", d.GroupsPerToken, d.ExpertGroups)
		case m.Experts > 0 && d.Experts/d.ExpertGroups*d.GroupsPerToken < d.ExpertsPerToken:
			bad("groups_per_token %d have %d experts, fewer than experts_per_token %d", d.GroupsPerToken, d.Experts/d.ExpertGroups*d.GroupsPerToken, d.ExpertsPerToken)
		}
		if m.KVRank == 0 && (m.QueryRank != 0 || m.RotaryDim != 0 || m.ValueDim != 0) {
			bad("kv_rank is missing: query_rank, rotary_dim and value_dim belong to multi-head latent attention")
		}
		if m.KVRank > 0 && d.Family == FamilyBERT {
			bad("the bert family has no latent attention")
		}
		m.checkLineage(bad)
		if d.Family == FamilySpeech {
			m.checkSpeech(bad)
		}
	case FamilyDLRM:
		m.checkRecommender(bad)
	case FamilyUNet3D:
		m.checkVolume(bad)
	case FamilyRNNT:
		m.checkTransducer(bad)
	case FamilyConvnet:
		if convnetBlocks(m.Layers) == nil {
			bad("layers of a convnet must be 50, 101 or 152, got %d", m.Layers)
		}
	default:
		bad("family %q is not built: %q, %q, %q, %q, %q, %q or %q", m.Family,
			FamilyTransformer, FamilyBERT, FamilyConvnet, FamilyDLRM, FamilySpeech, FamilyUNet3D, FamilyRNNT)
	}
	if len(errs) == 0 {
		return nil
	}
	if m.Name != "" {
		for i, err := range errs {
			errs[i] = fmt.Errorf("model %s: %w", m.Name, err)
		}
	}
	return errors.Join(errs...)
}

// rotary reports whether positions enter by rotation of queries and keys.
func (m Model) rotary() bool { return m.positions() == PositionsRotary }

// learned reports whether positions enter by a table.
func (m Model) learned() bool { return m.positions() == PositionsLearned }

func (m Model) positions() string {
	switch {
	case m.Positions != "":
		return m.Positions
	case m.Activation == ActivationSwiGLU:
		return PositionsRotary
	}
	return PositionsLearned
}

// biased reports whether products and norms have biases. Norms without are RMS
// norms here, of one parameter a value.
func (m Model) biased() bool {
	if m.Bias != nil {
		return *m.Bias
	}
	return m.Activation != ActivationSwiGLU
}

// checkLineage reports what is wrong with positions and bias.
func (m Model) checkLineage(bad func(format string, args ...any)) {
	switch m.Positions {
	case "", PositionsLearned, PositionsRotary, PositionsALiBi:
	default:
		bad("positions %q is unknown: %q, %q or %q", m.Positions, PositionsLearned, PositionsRotary, PositionsALiBi)
	}
	if m.Family != "" && m.Family != FamilyTransformer && (m.Positions != "" || m.Bias != nil) {
		bad("the %s family takes neither positions nor bias", m.Family)
	}
}

// capacity is the rows that are computed for each row that an expert gets.
func (m Model) capacity() float64 { return max(m.CapacityFactor, 1) }

// Parameters is the exact number of trainable values, heads included. A matrix
// that embedding and output projection share counts once. m must be valid.
func (m Model) Parameters() int64 {
	var alike int64 // blocks of a decoder that need not be unfolded, being like the last
	if m.Family == "" || m.Family == FamilyTransformer {
		alike = max(0, m.Layers-m.DenseLayers-1)
		m.Layers -= alike
	}
	layers := m.Unfold(Batch{Samples: 1, Sequence: max(m.Sequence, 1)})
	var sum int64
	for _, l := range layers {
		sum += l.Parameters + l.ExpertParameters + l.ShardedParameters
	}
	if alike > 0 {
		last := layers[len(layers)-2]
		sum += alike * (last.Parameters + last.ExpertParameters)
	}
	return sum
}

// ActiveParameters is the parameters that a token visits: all but those of the
// routed experts that it is not sent to. m must be valid.
func (m Model) ActiveParameters() int64 {
	m = m.WithDefaults()
	active := m.Parameters()
	if m.Experts == 0 {
		return active
	}
	for _, l := range m.Unfold(Batch{Samples: 1, Sequence: 1}) {
		active -= l.ExpertParameters / m.Experts * (m.Experts - m.ExpertsPerToken)
	}
	return active
}
