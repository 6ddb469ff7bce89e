package workload

import (
	"errors"
	"fmt"

	"github.com/railyard/railyard/topology"
)

// Training is a job that fits a model to data on Data identical replicas:
// synchronous data parallelism, one replica an accelerator. Every iteration
// each replica runs Accumulation micro-batches forward and backward, the
// replicas sum their gradients, and each takes the same optimizer step.
type Training struct {
	Model       Model
	MicroBatch  int // sequences or samples in one pass of one replica; default 1
	GlobalBatch int // sequences or samples of an iteration, all replicas
	Sequence    int // tokens in a sequence; default the model's
	Data        int // replicas; default 1
	Precision   topology.Precision
	Attention   string // AttentionFlash (the default) or AttentionUnfused
}

// WithDefaults is t with every field that has a default filled in.
func (t Training) WithDefaults() Training {
	t.Model = t.Model.WithDefaults()
	if t.MicroBatch == 0 {
		t.MicroBatch = 1
	}
	if t.Data == 0 {
		t.Data = 1
	}
	if t.Sequence == 0 {
		t.Sequence = int(t.Model.Sequence)
	}
	if t.Attention == "" {
		t.Attention = AttentionFlash
	}
	return t
}

// Validate reports everything that is wrong with t and its model, joined, or
// nil.
func (t Training) Validate() error {
	errs := []error{t.Model.Validate()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	t = t.WithDefaults()
	positive := true
	for _, f := range []struct {
		key   string
		value int
	}{
		{"micro_batch", t.MicroBatch}, {"global_batch", t.GlobalBatch}, {"data", t.Data},
	} {
		if f.value < 1 {
			positive = false
			bad("%s must be 1 or more, got %d", f.key, f.value)
		}
	}
	if step := t.Data * t.MicroBatch; positive && t.GlobalBatch%step != 0 {
		below := t.GlobalBatch / step * step
		nearest := fmt.Sprintf("%d or %d", below, below+step)
		if below == 0 {
			nearest = fmt.Sprint(step)
		}
		bad("global_batch %d is not a multiple of data x micro_batch = %d x %d = %d: nearest %s",
			t.GlobalBatch, t.Data, t.MicroBatch, step, nearest)
	}
	if t.Model.Family != FamilyConvnet {
		limit := t.Model.Sequence
		switch {
		case t.Sequence < 1:
			bad("sequence must be 1 or more, got %d", t.Sequence)
		case limit > 0 && int64(t.Sequence) > limit && !t.Model.rotary():
			bad("sequence %d is longer than the model's table of %d positions", t.Sequence, limit)
		}
		if t.Attention != AttentionFlash && t.Attention != AttentionUnfused {
			bad("attention %q is unknown: %q or %q", t.Attention, AttentionFlash, AttentionUnfused)
		}
	}
	switch t.Precision {
	case topology.FP32, topology.TF32, topology.FP16, topology.BF16, topology.FP8:
	default:
		bad("precision %v does not train: fp32, tf32, fp16, bf16 or fp8", t.Precision)
	}
	return errors.Join(errs...)
}

// Accumulation is the number of micro-batches that each replica runs in an
// iteration. t must be valid, as for all that follows.
func (t Training) Accumulation() int {
	t = t.WithDefaults()
	return t.GlobalBatch / (t.Data * t.MicroBatch)
}

// Batch is the micro-batch of one replica.
func (t Training) Batch() Batch {
	t = t.WithDefaults()
	return Batch{
		Samples: int64(t.MicroBatch), Sequence: int64(t.Sequence),
		Precision: t.Precision, Attention: t.Attention,
	}
}

// Layers unfolds one micro-batch of one replica, input first.
func (t Training) Layers() []Layer { return t.Model.Unfold(t.Batch()) }

// GradientBytes is the width in which a gradient is kept, accumulated and
// summed over replicas.
//
// The rule is by precision: 16-bit training keeps the whole model and its
// gradients in 16 bits beside an FP32 master copy in the optimizer (apex O2;
// NVIDIA DeepLearningExamples' BERT, run_pretraining.py: model.half() under
// --allreduce_post_accumulation_fp16, which its scripts set), so 2 bytes;
// fp32 and tf32 4. Native autocast keeps FP32 weights and reduces 4 bytes in
// 16-bit training; that recipe is not modelled.
func GradientBytes(p topology.Precision) int64 { return ElementBytes(p) }

// GradientAdd is the operator that adds a micro-batch's gradients to those of
// the micro-batches before: it runs in every micro-batch of an iteration but
// the first.
func (t Training) GradientAdd() Operator {
	n := float64(t.Model.Parameters())
	return Operator{
		Name: "gradient accumulation", Class: Elementwise, Precision: t.Precision,
		FLOPs: 2 * moveSlots * n, Bytes: 3 * n * float64(GradientBytes(t.Precision)),
		Launches: int(t.tensors()), Backward: true,
	}
}

// Step is the optimizer's update at the end of an iteration.
func (t Training) Step() Operator {
	return t.Model.Optimizer().Step(t.Model.Parameters(), t.tensors(), t.Precision)
}

// tensors is about how many arrays hold the parameters: weights, biases and
// the two of a norm. It only sets the number of launches.
func (t Training) tensors() int64 {
	if t.Model.Family == FamilyConvnet {
		return 3 * t.Model.Layers
	}
	return 16*t.Model.Layers + 8
}

// FLOPs is the model's arithmetic in one iteration over all replicas, the
// numerator of model FLOPs utilisation (Chowdhery et al. 2022): three times
// the forward pass's products, two FLOPs a multiply-add. Counted are products
// with weights (the head and its vocabulary included, on the positions where
// it runs), convolutions, and attention's two products over the full square of
// scores, causal or not. Not counted are recomputation, embedding look-ups and
// everything elementwise.
//
// For a decoder that is 72 B s l h^2 (1 + s/6h + V/12lh) for ffn = 4 hidden
// (Narayanan et al. 2021 without recomputation; Korthikanti et al. 2022), or
// 6N + 12 l h s a token with N the parameters in products.
func (t Training) FLOPs() float64 {
	t = t.WithDefaults()
	b := t.Batch()
	b.Attention = AttentionUnfused
	var forward float64
	for _, l := range t.Model.Unfold(b) {
		for _, op := range l.Forward {
			if op.Class.Product() {
				forward += op.FLOPs
			}
		}
	}
	return 3 * forward * float64(t.GlobalBatch/t.MicroBatch)
}

// Bucket is gradients that are summed over the replicas together.
type Bucket struct {
	// Layer is the index of the layer after whose backward pass the bucket is
	// complete.
	Layer      int
	Parameters int64
	Bytes      int64
}

// BucketBytes is the bucket size that the model's recipe asks for: 25 MiB, the
// default of PyTorch's DistributedDataParallel, but one bucket for all
// gradients, written 0, in NVIDIA DeepLearningExamples' BERT
// (run_pretraining.py: bucket_cap_mb is the size of the memory), whose sum
// therefore starts when the backward pass has ended.
func (t Training) BucketBytes() int64 {
	if t.Model.Family == FamilyBERT {
		return 0
	}
	return 25 << 20
}

// Buckets groups the gradients in the order in which the backward pass
// finishes them, last layer first, whole layers until a bucket holds at least
// bucketBytes (Li et al., VLDB 2020). One bucket takes all if bucketBytes is
// zero or less. A table that embedding and head share belongs to the embedding,
// whose backward pass completes its gradient.
func (t Training) Buckets(bucketBytes int64) []Bucket {
	layers := t.Layers()
	width := GradientBytes(t.Precision)
	var buckets []Bucket
	var open Bucket
	for i := len(layers) - 1; i >= 0; i-- {
		if layers[i].Parameters == 0 {
			continue
		}
		open.Layer = i
		open.Parameters += layers[i].Parameters
		open.Bytes += layers[i].Parameters * width
		if bucketBytes > 0 && open.Bytes >= bucketBytes {
			buckets = append(buckets, open)
			open = Bucket{}
		}
	}
	if open.Bytes > 0 {
		buckets = append(buckets, open)
	}
	return buckets
}

// Memory is what one replica's accelerator holds, in bytes.
type Memory struct {
	Parameters  int64 // the weights that the passes compute with
	Gradients   int64
	Optimizer   int64 // master weights and moments
	Activations int64 // of one micro-batch, kept for its backward pass
}

// Total is the sum.
func (m Memory) Total() int64 { return m.Parameters + m.Gradients + m.Optimizer + m.Activations }

// Memory is the peak of one replica without recomputation, sharding or
// offloading: 16 bytes a parameter for Adam in 16 bits, and the activations
// that the layers keep. In 16 bits with dropout a GELU layer with unfused
// attention keeps s b h (34 + 5 a s / h) bytes (Korthikanti et al. 2022,
// equation 1); flash attention keeps a statistic a row instead of 5 a s^2 b.
// Temporary buffers, the allocator's slack and the framework's own gigabyte
// are not in it.
func (t Training) Memory() Memory {
	t = t.WithDefaults()
	layers := t.Layers()
	var m Memory
	var n int64
	for _, l := range layers {
		n += l.Parameters
		m.Activations += l.Activations
	}
	m.Parameters = n * ElementBytes(t.Precision)
	m.Gradients = n * GradientBytes(t.Precision)
	m.Optimizer = n * t.Model.Optimizer().StateBytes(t.Precision)
	return m
}
