package serving

import (
	"fmt"
	"math"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Format is how weights are stored and multiplied. Norms, embeddings and the head stay
// in 16 bits.
type Format struct {
	Name  string
	Bytes float64 // of a weight, the scales of its block included
	// Precision is that of the products on accelerators that have it. All others turn
	// the weights to 16 bits as they come (Frantar et al., Marlin, 2024).
	Precision topology.Precision
	// Sparse weights have two of four that are zero, which sparse tensor cores leave out.
	Sparse bool
}

// TwoOfFour is a format whose weights are 2:4 sparse: half of them, and two bits each to
// say which (Mishra et al., Accelerating Sparse Deep Neural Networks, 2021).
func (f Format) TwoOfFour() Format {
	f.Sparse, f.Bytes = true, f.Bytes/2+1.0/8
	return f
}

// Formats are those of weights. FP4 is NVFP4: a scale of a byte for each 16 values.
// INT4 is that of GPTQ and AWQ: a scale of two bytes and a zero for each 128, and never
// more than storage.
var Formats = []Format{
	{Name: "none", Bytes: 2, Precision: topology.BF16},
	{Name: "fp8", Bytes: 1, Precision: topology.FP8},
	{Name: "int8", Bytes: 1, Precision: topology.INT8},
	{Name: "fp4", Bytes: 0.5 + 1.0/16, Precision: topology.FP4},
	{Name: "int4", Bytes: 0.5 + 2.5/128, Precision: topology.BF16},
}

// ParseFormat finds a format by its name.
func ParseFormat(name string) (Format, bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// Forward is a model as it computes answers, shared by Tensor ranks: what one of them
// does.
type Forward struct {
	Model  workload.Model
	Tensor int
	// Expert is how many groups of Tensor ranks share the routed experts, each with the
	// attention of its own sequences; 0 is 1. That a rank has so many whole experts, or as
	// much of more, is the same work.
	Expert  int
	Weights Format
	KVBytes int // of a value in the cache
	// Precision is the number format of 16 bits that the accelerator has, Products
	// that of products with weights.
	Precision, Products topology.Precision
}

// NewForward gives the forward pass of a model on an accelerator.
func NewForward(m workload.Model, a *topology.Accelerator, tensor int, w Format, kvBytes int) *Forward {
	f := &Forward{Model: m.WithDefaults(), Tensor: tensor, Weights: w, KVBytes: kvBytes, Precision: topology.BF16}
	if a.Peak[topology.BF16] == 0 {
		f.Precision = topology.FP16
	}
	f.Products = f.Precision
	if w.Bytes < 2 && a.Peak[w.Precision] > 0 {
		f.Products = w.Precision
	}
	return f
}

// Validate reports why the model cannot be served in so many stages.
func (f *Forward) Validate(stages int) error {
	m := &f.Model
	switch t := int64(f.Tensor); {
	case m.Family != workload.FamilyTransformer:
		return fmt.Errorf("family %q answers no prompts, and not in one pass: serving takes transformer, bert, convnet, dlrm, unet3d and rnnt", m.Family)
	case m.Heads%t != 0:
		return fmt.Errorf("tensor = %d does not divide its %d heads", t, m.Heads)
	case f.Expert > 1 && m.Experts == 0:
		return fmt.Errorf("expert = %d, and it has no experts", f.Expert)
	case f.Expert > 1 && m.Experts%int64(f.Expert) != 0:
		return fmt.Errorf("expert = %d does not divide its %d experts", f.Expert, m.Experts)
	case int64(stages) > m.Layers:
		return fmt.Errorf("pipeline = %d is more than its %d layers", stages, m.Layers)
	}
	return nil
}

func (f *Forward) unfold(m workload.Model, tokens int) []workload.Layer {
	return m.Unfold(workload.Batch{Samples: 1, Sequence: int64(tokens), Precision: f.Precision, Tensor: int64(f.Tensor), Expert: int64(f.Expert)})
}

// kinds are the layers over so many tokens, one of those that are alike: the embedding,
// blocks and the head, and how many there are of each.
func (f *Forward) kinds(tokens int) (layers []workload.Layer, times []int) {
	m := f.Model
	times = []int{1}
	dense, others := m.DenseLayers, m.Layers-m.DenseLayers
	m.DenseLayers, m.Layers = 0, 0
	if dense > 0 {
		m.DenseLayers, m.Layers = 1, 1
		times = append(times, int(dense))
	}
	if others > 0 {
		m.Layers++
		times = append(times, int(others))
	}
	return f.unfold(m, tokens), append(times, 1)
}

// Dense calls op for every operator of a step over so many tokens but attention and the
// head, with how many times it runs. With Expert the tokens are those of a group, which
// all have so many in the mean.
func (f *Forward) Dense(tokens, mean int, op func(o workload.Operator, times int)) {
	layers, times := f.kinds(tokens)
	for i := range layers[:len(layers)-1] { // without the head
		for _, o := range layers[i].Forward {
			switch o.Class {
			case workload.FlashAttention, workload.FlashAttention2:
				continue
			case workload.Matrix:
				f.quantize(&o, mean)
			case workload.Communication:
				f.exchange(&o, tokens)
			default:
				if o.Routed {
					o.Bytes *= float64(mean) / float64(tokens)
					o.FLOPs *= float64(mean) / float64(tokens)
				}
			}
			op(o, times[i])
		}
	}
}

// exchange is what engines send of experts. What several give of a token is summed before
// the ranks sum. Where groups share experts, all ranks of a stage do: each sends a part of
// the group's tokens to their experts, and what has come back is gathered. Tokens go to
// FP8 products in FP8 and come back in 16 bits (DeepSeek-AI 2024, DeepSeek-V3, section
// 3.3.2): in the mean of both that is three quarters.
func (f *Forward) exchange(o *workload.Operator, tokens int) {
	if o.Group == workload.ExpertGroup {
		o.Bytes /= float64(f.Tensor)
		if f.Products == topology.FP8 {
			o.Bytes *= 0.75
		}
	}
	if o.Routed {
		o.Bytes = 2 * float64(tokens) * float64(f.Model.Hidden)
		if f.Expert > 1 {
			o.Collective = collective.AllGather
		}
	}
}

// quantize gives a product with weights its operands. Of experts those are read that a
// token visits: with even routing each of E is left out by n tokens that visit k with
// probability (1 - k / E)^n. A rank's experts have as many visits as all groups' tokens make
// of their share.
func (f *Forward) quantize(o *workload.Operator, tokens int) {
	if o.Routed {
		m := &f.Model
		visits := float64(tokens) * float64(m.ExpertsPerToken)
		share := float64(m.ExpertsPerToken) / float64(m.Experts)
		visited := math.Ceil(float64(o.Batch) * (1 - math.Pow(1-share, float64(tokens*max(1, f.Expert)))))
		o.Batch = max(1, int64(visited))
		o.M = max(1, int64(math.Ceil(visits/visited)))
		o.FLOPs = 2 * float64(o.Batch) * float64(o.M) * float64(o.N) * float64(o.K)
	}
	if f.Weights.Sparse {
		o.FLOPs /= 2
	}
	inputs := 2.0
	if o.Precision = f.Products; f.Products != f.Precision {
		inputs = f.Weights.Bytes
	}
	o.Bytes = float64(o.Batch) * (inputs*float64(o.M)*float64(o.K) + f.Weights.Bytes*float64(o.K)*float64(o.N) + 2*float64(o.M)*float64(o.N))
}

// Head calls op for the operators that choose the next token of so many sequences: norm,
// logits, and a pass of the sampler over them.
func (f *Forward) Head(sequences int, op func(o workload.Operator, times int)) {
	layers, _ := f.kinds(sequences)
	for _, o := range layers[len(layers)-1].Forward {
		if o.Class == workload.Loss || o.Class == workload.Communication {
			continue
		}
		op(o, 1)
	}
	logits := float64(sequences) * float64(f.Model.Vocab)
	op(workload.Operator{Name: "sampler", Class: workload.Elementwise, Precision: f.Precision, Bytes: logits * (2 + 4), FLOPs: 4 * logits, Launches: 2}, 1)
}

// LogitBytes is what the ranks gather of their shares of the logits.
func (f *Forward) LogitBytes(sequences int) float64 {
	return 2 * float64(sequences) * float64(f.Model.Vocab)
}

// heads is what attention has on one rank: heads of queries, widths of a key and a value
// as scores and sums meet them, and values in the cache of a token and layer. Latent
// attention works on the latent vector itself (DeepSeek-AI 2024, section 2.1.2), of
// which every rank has a copy.
func (f *Forward) heads() (queries, key, value, cached int64) {
	m := &f.Model
	t := int64(f.Tensor)
	queries = workload.Quotient(m.Heads, t)
	if m.KVRank > 0 {
		return queries, m.KVRank + m.RotaryDim, m.KVRank, m.KVRank + m.RotaryDim
	}
	return queries, m.HeadDim, m.HeadDim, 2 * workload.Quotient(m.KVHeads, t) * m.HeadDim
}

// groups is the heads of keys and values of a sequence on one rank; latent attention has
// one, which all heads of queries share.
func (f *Forward) groups() int64 {
	if f.Model.KVRank > 0 {
		return 1
	}
	return workload.Quotient(f.Model.KVHeads, int64(f.Tensor))
}

// Decode is the attention of one layer of so many tokens of some sequences, which
// together meet so many in the cache, themselves included: the next one of each, and
// those that are guessed beyond, which read the cache with it.
func (f *Forward) Decode(sequences, tokens int, cached int64) workload.Operator {
	queries, key, value, kv := f.heads()
	met, each := float64(cached), float64(tokens)/float64(sequences)
	return workload.Operator{
		Name: "decode attention", Class: workload.FlashAttention, Precision: f.Precision,
		Batch: int64(sequences) * queries, M: max(1, int64(each)), N: cached / int64(sequences), K: key, Groups: int64(sequences) * f.groups(),
		FLOPs: 2 * float64(key+value) * float64(queries) * met * each,
		Bytes: met*float64(kv)*float64(f.KVBytes) + 2*float64(tokens)*float64(queries*(key+value)), Launches: 1,
	}
}

// Prefill is the attention of one layer of so many tokens of a prompt, after those of it
// that are in the cache.
func (f *Forward) Prefill(tokens, cached int) workload.Operator {
	queries, key, value, kv := f.heads()
	n, c := float64(tokens), float64(cached)
	if f.Model.KVRank > 0 { // prompts expand keys and values
		key, value = f.Model.HeadDim+f.Model.RotaryDim, f.Model.ValueDim
	}
	return workload.Operator{
		Name: "prefill attention", Class: workload.FlashAttention, Precision: f.Precision,
		Batch: queries, M: int64(tokens), N: int64(tokens + cached), K: key,
		FLOPs: 2 * float64(key+value) * float64(queries) * n * (c + n/2),
		Bytes: (n+c)*float64(kv)*float64(f.KVBytes) + 2*n*float64(queries*(key+value)), Launches: 1,
	}
}

// WeightBytes is what the weights of a rank take.
func (f *Forward) WeightBytes() float64 {
	layers := f.unfold(f.Model, 1)
	var sum float64
	for i, l := range layers {
		bytes := f.Weights.Bytes
		if i == 0 || i == len(layers)-1 {
			bytes = 2
		}
		sum += bytes * float64(l.Parameters+l.ExpertParameters)
	}
	return sum
}

// ActivationBytes is what a step of so many tokens holds at its peak: the residual
// stream and the widest layer.
func (f *Forward) ActivationBytes(tokens int) float64 {
	m := &f.Model
	width := max(2*m.FFN, 2*m.ExpertFFN*m.ExpertsPerToken, (m.Heads+2*m.KVHeads)*m.HeadDim)
	return 2 * float64(tokens) * float64(2*m.Hidden+3*width/2/int64(f.Tensor))
}

// TokenBytes is what a token takes in the cache of a rank, over all layers.
func (f *Forward) TokenBytes() float64 {
	_, _, _, kv := f.heads()
	return float64(kv) * float64(f.KVBytes) * float64(f.Model.Layers)
}
