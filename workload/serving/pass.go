package serving

import (
	"fmt"
	"math"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Pass is a model that answers in one forward pass, on one accelerator: a classifier of
// text or images, a recommender, a network that segments volumes, a transducer of speech.
//
// Its operators are those of training's forward pass, as inference runtimes compile them
// ([workload.Batch.Inference]). Weights and what goes from kernel to kernel are in
// Weights if the accelerator multiplies in that format, attention in 16 bits. If it does
// not, weights and rows of tables are turned to 16 bits as they come.
type Pass struct {
	Model   workload.Model
	Weights Format
	// Precision is the number format of 16 bits that the accelerator has, Products
	// that of products with weights.
	Precision, Products topology.Precision
}

// NewPass gives the pass of a model on an accelerator.
func NewPass(m workload.Model, a *topology.Accelerator, w Format) *Pass {
	f := NewForward(m, a, 1, w, 2)
	return &Pass{Model: f.Model, Weights: w, Precision: f.Precision, Products: f.Products}
}

// Answers reports whether models of a family answer in one pass.
func Answers(family string) bool {
	switch family {
	case workload.FamilyBERT, workload.FamilyConvnet, workload.FamilyDLRM, workload.FamilyUNet3D, workload.FamilyRNNT:
		return true
	}
	return false
}

// Long reports whether a request to a model of a family is one sample of some length: the
// tokens of a text, the frames of an utterance. To the others it is some samples of one
// size: images, candidates to rank, patches of a volume.
func Long(family string) bool {
	return family == workload.FamilyBERT || family == workload.FamilyRNNT
}

// Bounds of a pass, so that what it computes can be counted.
const (
	mostFrames  = 10_000  // of an utterance: 5 minutes of 30 ms
	mostSamples = 1 << 20 // of one size
	mostTokens  = 1 << 24
)

// Longest is how long a request may be.
func (p *Pass) Longest() int {
	switch p.Model.Family {
	case workload.FamilyBERT:
		return int(min(p.Model.Sequence, mostTokens)) // its table of positions
	case workload.FamilyRNNT:
		return mostFrames
	}
	return mostSamples
}

// Validate reports why passes of so many requests, each of at most so many tokens or
// samples, cannot be computed with so much memory.
func (p *Pass) Validate(requests, longest int, memory float64) error {
	most, what := mostSamples, "samples"
	if Long(p.Model.Family) {
		most, what = mostTokens, "tokens or frames"
	}
	if n := float64(requests) * float64(longest); n > float64(most) {
		return fmt.Errorf("a pass of %d requests of up to %d %s is more than the %d that can be counted: lower max_batch", requests, longest, what, most)
	}
	weights, work := p.WeightBytes(), 0.0
	if longest > 0 {
		work = p.ActivationBytes(requests, longest)
	}
	if weights+work > memory {
		return fmt.Errorf("it does not fit: %.1f GB of weights and %.1f GB for a pass of %d requests of up to %d %s are more than the %.1f GB of the accelerator: lower max_batch, or a quantization",
			weights/1e9, work/1e9, requests, longest, what, memory/1e9)
	}
	return nil
}

func (p *Pass) unfold(samples, length int) []workload.Layer {
	return p.Model.Unfold(workload.Batch{Samples: int64(samples), Sequence: int64(length), Precision: p.Precision, Inference: true})
}

// Operators are those of a pass over so many samples of a length, which matters to the
// families of [Long].
func (p *Pass) Operators(samples, length int) (all []workload.Operator) {
	for _, l := range p.unfold(samples, length) {
		for _, o := range l.Forward {
			p.quantize(&o)
			all = append(all, o)
		}
	}
	return all
}

func (p *Pass) quantize(o *workload.Operator) {
	weighted := o.Class == workload.Matrix || o.Class == workload.Convolution
	if weighted && p.Weights.Sparse {
		o.FLOPs /= 2
	}
	switch {
	case o.Class == workload.FlashAttention:
	case p.Products != p.Precision:
		o.Precision = p.Products
		o.Bytes *= p.Weights.Bytes / 2
	case weighted:
		o.Bytes -= (2 - p.Weights.Bytes) * float64(o.Batch) * float64(o.N) * float64(o.K)
	case o.Class == workload.Embedding:
		o.Bytes *= p.Weights.Bytes / 2
	}
}

// WeightBytes is what the weights take, tables of a recommender included.
func (p *Pass) WeightBytes() (sum float64) {
	for _, l := range p.unfold(1, 1) {
		sum += p.Weights.Bytes * (float64(l.Parameters) + float64(l.ShardedParameters))
	}
	return sum
}

// ActivationBytes is what a pass over requests of a length holds beside the weights,
// taken as twice the operator that touches most: its own, and what waits for later ones.
func (p *Pass) ActivationBytes(requests, length int) (most float64) {
	samples := requests
	if !Long(p.Model.Family) {
		samples, length = requests*length, 1
	}
	for _, o := range p.Operators(samples, length) {
		if o.Class != workload.Embedding || Long(p.Model.Family) { // rows of tables stay where they are
			most = max(most, o.Bytes)
		}
	}
	return 2 * most
}

// Shape is what a pass over some requests is computed as: how many samples of which
// length, and what attention has more of than that. Padded, all are as long as the
// longest; else as long as the mean, and attention, which is quadratic, has the mean of
// their squares.
func (p *Pass) Shape(lengths []int, padded bool) (samples, length int, attention float64) {
	var sum, squares float64
	longest := 0
	for _, n := range lengths {
		sum += float64(n)
		squares += float64(n) * float64(n)
		longest = max(longest, n)
	}
	if !Long(p.Model.Family) {
		return int(sum), 1, 1
	}
	if padded {
		return len(lengths), longest, 1
	}
	mean := sum / float64(len(lengths))
	length = int(math.Ceil(mean))
	return len(lengths), length, squares / float64(len(lengths)) / float64(length*length)
}
