package workload

import (
	"errors"
	"fmt"
)

// The families of models that the package knows how to unfold into operators.
const (
	FamilyTransformer = "transformer" // decoder: GPT, Llama
	FamilyBERT        = "bert"        // encoder with masked-LM and next-sentence heads
	FamilyConvnet     = "convnet"     // residual network of bottleneck blocks: ResNet-50
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
	Family string // FamilyTransformer (the default), FamilyBERT or FamilyConvnet

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

	// The shape of multi-head latent attention, used if KVRank is not 0. HeadDim
	// is then the part of a query or key that is not rotated.
	KVRank    int64 // width of the latent vector of keys and values
	QueryRank int64 // width of the latent vector of queries; 0: queries have none
	RotaryDim int64 // rotated part of a query or key
	ValueDim  int64 // width of a value; default HeadDim
}

// Values that the families fix and a scenario cannot state.
const (
	bertPositions = 512  // rows of BERT's position table, where Sequence is 0
	bertTypes     = 2    // rows of BERT's segment table
	imageSide     = 224  // pixels of a convnet's input, each way
	imageClasses  = 1000 // outputs of a convnet: ImageNet
)

// WithDefaults is m with every field that has a default filled in: ffn = 4
// hidden, kv_heads = heads, head_dim = hidden / heads, GELU, and 512 positions
// for BERT, whose decoder always shares the embedding table.
func (m Model) WithDefaults() Model {
	if m.Family == "" {
		m.Family = FamilyTransformer
	}
	if m.Family == FamilyConvnet {
		return m
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
	return m
}

// Validate reports everything that is wrong with m, each as one error of the
// joined result, or nil.
func (m Model) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch m.Family {
	case "", FamilyTransformer, FamilyBERT:
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
			{"head_dim", m.HeadDim}, {"kv_heads", m.KVHeads}, {"ffn", m.FFN}, {"sequence", m.Sequence},
			{"experts", m.Experts}, {"experts_per_token", m.ExpertsPerToken}, {"shared_experts", m.SharedExperts}, {"expert_ffn", m.ExpertFFN}, {"dense_layers", m.DenseLayers},
			{"kv_rank", m.KVRank}, {"query_rank", m.QueryRank}, {"rotary_dim", m.RotaryDim}, {"value_dim", m.ValueDim},
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
		case m.Experts == 0 && (m.ExpertsPerToken != 0 || m.SharedExperts != 0 || m.ExpertFFN != 0 || m.DenseLayers != 0 || m.CapacityFactor != 0):
			bad("experts is missing: experts_per_token, shared_experts, expert_ffn, dense_layers and capacity_factor belong to a mixture of experts")
		case m.Experts > 0 && d.Family == FamilyBERT:
			bad("the bert family has no experts")
		case d.ExpertsPerToken > d.Experts:
			bad("experts_per_token %d are more than the %d experts", d.ExpertsPerToken, d.Experts)
		}
		if m.KVRank == 0 && (m.QueryRank != 0 || m.RotaryDim != 0 || m.ValueDim != 0) {
			bad("kv_rank is missing: query_rank, rotary_dim and value_dim belong to multi-head latent attention")
		}
		if m.KVRank > 0 && d.Family == FamilyBERT {
			bad("the bert family has no latent attention")
		}
	case FamilyConvnet:
		if convnetBlocks(m.Layers) == nil {
			bad("layers of a convnet must be 50, 101 or 152, got %d", m.Layers)
		}
	default:
		bad("family %q is not built: %q, %q or %q", m.Family, FamilyTransformer, FamilyBERT, FamilyConvnet)
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

// rotary reports whether positions enter by rotation of queries and keys
// rather than by a learned table. The activation tells the two lineages apart:
// SwiGLU models (Llama and after) rotate, normalise by RMS and have no biases;
// GELU models (GPT-2, GPT-3, BERT) have tables, layer norms and biases.
func (m Model) rotary() bool { return m.Activation == ActivationSwiGLU }

// blocks is the number of layers between the first and the last, which any
// pipeline stage may hold.
func (m Model) blocks() int64 {
	if m.Family == FamilyConvnet {
		var n int64
		for _, stage := range convnetBlocks(m.Layers) {
			n += stage
		}
		return n
	}
	return m.Layers
}

// capacity is the rows that are computed for each row that an expert gets.
func (m Model) capacity() float64 { return max(m.CapacityFactor, 1) }

// Parameters is the exact number of trainable values, heads included. A matrix
// that embedding and output projection share counts once. m must be valid.
func (m Model) Parameters() int64 {
	var sum int64
	for _, l := range m.Unfold(Batch{Samples: 1, Sequence: max(m.Sequence, 1)}) {
		sum += l.Parameters + l.ExpertParameters
	}
	return sum
}
