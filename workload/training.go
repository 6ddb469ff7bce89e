package workload

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/topology"
)

// Training is a job that fits a model to data. Its accelerators are
//
//	Tensor x Context x Data x Pipeline
//
// ranks: Data replicas, each of which is Pipeline stages, each of which is Context
// parts of every sequence, each of which is Tensor parts of every matrix. Routed
// experts are shared by Expert ranks among the Data x Context ones. In every
// iteration each replica runs Accumulation micro-batches forward and backward,
// the replicas sum their gradients, and each takes the same optimizer step.
type Training struct {
	Model       Model
	MicroBatch  int // sequences or samples in one pass of one replica; default 1
	GlobalBatch int // sequences or samples of an iteration, all replicas
	Sequence    int // tokens in a sequence; default the model's
	Precision   topology.Precision
	Attention   string // AttentionFlash (the default), AttentionFlash2 or AttentionUnfused

	// Framework is whose kernels and habits the job has; default PyTorch under
	// Zero 3, DeepSpeed under Zero 1 and 2 without SequenceParallel, else Megatron.
	Framework string

	// The degrees of parallelism; default 1.
	Data, Tensor, Pipeline, Context, Expert int

	// Islands are groups of replicas that train apart and only now and then agree on
	// their parameters; default 1. See [Training.Outer].
	Islands int

	// SequenceParallel shares norms, dropouts and residuals between the
	// tensor-parallel ranks. TensorOverlap runs the exchanges of the backward pass
	// beside products that do not need them.
	SequenceParallel bool
	TensorOverlap    bool
	// TensorPipelining runs exchanges beside the very products that need or make what is
	// exchanged, in pieces; it takes SequenceParallel.
	TensorPipelining bool
	// ExpertOverlap weaves the forward pass of one micro-batch and the backward pass of
	// another, so that tokens of the one travel between experts while the other computes:
	// the idea of DualPipe (DeepSeek-V3, arXiv:2412.19437, section 3.2.1), on the
	// schedules of Megatron-LM, whose overlap_moe_expert_parallel_comm it is.
	ExpertOverlap bool
	// ExpertHosts, if set, is the hosts over which the ranks of an expert group are
	// spread: tokens are sent once to each host. See [Batch].
	ExpertHosts int

	VirtualStages    int    // chunks of layers a stage; default 1
	PipelineSchedule string // OneFOneB (the default), Interleaved (with VirtualStages > 1), GPipe or ZeroBubble

	// Zero is what the replicas share out instead of each holding all of it
	// (Rajbhandari et al. 2020): 1 optimizer state, 2 gradients too, 3 parameters
	// too, which is PyTorch's FSDP.
	Zero int

	// Tuning is what is trained; default TuningFull. LoRARank is the rank of the
	// adapters of TuningLoRA; default 16.
	Tuning   string
	LoRARank int

	// GradientCompression is how gradients travel between replicas; default
	// CompressionNone. GradientDensity is the part of them that CompressionTopK
	// sends; default 0.01.
	GradientCompression string
	GradientDensity     float64

	// Recompute is what the backward pass computes again instead of keeping it;
	// default RecomputeNone.
	Recompute string

	// CUDAGraphs is what captured graphs launch in place of the host; default GraphsNone.
	CUDAGraphs string

	// Order is the dimensions of parallelism from the innermost, whose ranks are
	// next to each other, to the outermost; default tensor, context, data,
	// pipeline.
	Order []Group
}

// The frameworks, as far as they differ in what an iteration takes.
const (
	// FrameworkMegatron fuses elementwise passes and computes whole layers again.
	// Gradients are summed when the pipeline has run dry.
	FrameworkMegatron = "megatron"
	// FrameworkPyTorch is PyTorch with FSDP: elementwise passes run one by one,
	// attention is FlashAttention-2, a checkpoint stops where its results are no
	// longer needed, and selective recomputation keeps attention and every second
	// product's result.
	FrameworkPyTorch = "pytorch"
	// FrameworkDeepSpeed is Megatron-LM's model on DeepSpeed's pipeline and ZeRO
	// (Megatron-DeepSpeed, which trained BLOOM): stages send each other whole
	// activations from every tensor-parallel rank, and under Zero 1 gradients are
	// all-reduced before each rank steps its share.
	FrameworkDeepSpeed = "deepspeed"
)

// DefaultOrder is where ranks are placed unless a job says otherwise: as in
// Megatron-LM tensor-parallel ranks are neighbours, and stages are farthest.
var DefaultOrder = []Group{TensorGroup, ContextGroup, DataGroup, PipelineGroup}

// WithDefaults is t with every field that has a default filled in.
func (t Training) WithDefaults() Training {
	t.Model.fillIn()
	for _, degree := range []*int{&t.MicroBatch, &t.Data, &t.Tensor, &t.Pipeline, &t.Context, &t.Expert, &t.VirtualStages, &t.Islands} {
		if *degree == 0 {
			*degree = 1
		}
	}
	if t.Sequence == 0 {
		t.Sequence = int(t.Model.Sequence)
	}
	if t.Framework == "" {
		t.Framework = FrameworkMegatron
		switch {
		case t.Zero == 3:
			t.Framework = FrameworkPyTorch
		case t.Zero > 0 && !t.SequenceParallel:
			t.Framework = FrameworkDeepSpeed
		}
	}
	if t.Attention == "" {
		t.Attention = AttentionFlash
	}
	if t.Attention == AttentionFlash && t.Framework == FrameworkPyTorch {
		t.Attention = AttentionFlash2
	}
	if t.PipelineSchedule == "" {
		t.PipelineSchedule = OneFOneB
		if t.VirtualStages > 1 {
			t.PipelineSchedule = Interleaved
		}
	}
	if t.Recompute == "" {
		t.Recompute = RecomputeNone
	}
	if t.GradientCompression == "" {
		t.GradientCompression = CompressionNone
	}
	if t.GradientCompression == CompressionTopK && t.GradientDensity == 0 {
		t.GradientDensity = gradientDensity
	}
	if t.CUDAGraphs == "" {
		t.CUDAGraphs = GraphsNone
	}
	if t.Tuning == "" {
		t.Tuning = TuningFull
	}
	if t.Tuning == TuningLoRA && t.LoRARank == 0 {
		t.LoRARank = loraRank
	}
	if t.Order == nil {
		t.Order = DefaultOrder
	}
	return t
}

// Validate reports everything that is wrong with t and its model, joined, or
// nil. Each message begins with the key that it is about.
func (t Training) Validate() error {
	errs := []error{t.Model.Validate()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	t = t.WithDefaults()
	positive := errs[0] == nil
	for _, f := range []struct {
		key   string
		value int
	}{
		{"micro_batch", t.MicroBatch},
		{"global_batch", t.GlobalBatch},
		{"data", t.Data},
		{"tensor", t.Tensor},
		{"pipeline", t.Pipeline},
		{"context", t.Context},
		{"expert", t.Expert},
		{"virtual_stages", t.VirtualStages},
		{"islands", t.Islands},
	} {
		if f.value < 1 {
			positive = false
			bad("%s must be 1 or more, got %d", f.key, f.value)
		}
	}
	if step := t.Data * t.MicroBatch; positive && t.GlobalBatch%step != 0 {
		bad("global_batch %d is not a multiple of data x micro_batch = %d x %d = %d: nearest %s",
			t.GlobalBatch, t.Data, t.MicroBatch, step, nearest(t.GlobalBatch, step))
	} else if positive {
		if err := t.checkSchedule(); err != nil {
			errs = append(errs, err)
		}
	}
	if positive {
		errs = append(errs, t.checkDegrees()...)
		if err := t.checkSize(); err != nil {
			errs = append(errs, err)
		}
	}
	if t.Model.Family != FamilyConvnet {
		limit := t.Model.Sequence
		switch {
		case t.Sequence < 1:
			bad("sequence must be 1 or more, got %d", t.Sequence)
		case limit > 0 && int64(t.Sequence) > limit && t.Model.learned():
			bad("sequence %d is longer than the model's table of %d positions", t.Sequence, limit)
		}
		if t.Attention != AttentionFlash && t.Attention != AttentionFlash2 && t.Attention != AttentionUnfused {
			bad("attention %q is unknown: %q, %q or %q", t.Attention, AttentionFlash, AttentionFlash2, AttentionUnfused)
		}
	}
	switch t.Precision {
	case topology.FP32, topology.TF32, topology.FP16, topology.BF16, topology.FP8:
	default:
		bad("precision %v does not train: fp32, tf32, fp16, bf16 or fp8", t.Precision)
	}
	if t.Framework != FrameworkMegatron && t.Framework != FrameworkPyTorch && t.Framework != FrameworkDeepSpeed {
		bad("framework %q is unknown: %q, %q or %q", t.Framework, FrameworkMegatron, FrameworkPyTorch, FrameworkDeepSpeed)
	}
	if t.Zero < 0 || t.Zero > 3 {
		bad("zero must be 0 to 3, got %d", t.Zero)
	}
	if t.TensorPipelining && !t.SequenceParallel {
		bad("tensor_pipelining is of exchanges along the sequence: sequence_parallel = true")
	}
	switch {
	case !t.ExpertOverlap:
	case t.Expert == 1:
		bad("expert_overlap: no tokens travel with expert = 1")
	case t.Zero == 3:
		bad("expert_overlap: zero = 3 gathers parameters pass by pass: nearest zero = 2")
	}
	switch t.Recompute {
	case RecomputeNone, RecomputeSelective, RecomputeFull:
	default:
		bad("recompute %q is unknown: %q, %q or %q", t.Recompute, RecomputeNone, RecomputeSelective, RecomputeFull)
	}
	return errors.Join(append(errs, t.checkTuning(), t.checkCompression(), t.checkGraphs())...)
}

// checkSize refuses a micro-batch so large that the bytes of its activations could
// not be counted.
func (t Training) checkSize() error {
	m := t.Model
	sequence := float64(max(t.Sequence, 1))
	widest := float64(max(m.Vocab, 8*m.Hidden, 4*m.FFN, 4*m.ExpertFFN*max(m.ExpertsPerToken, 1), 1<<20))
	if t.Attention == AttentionUnfused {
		widest = max(widest, float64(m.Heads)*sequence)
	}
	const most = 1 << 62
	if bytes := 32 * widest * sequence * float64(max(m.Layers, 1)); bytes*float64(t.MicroBatch) > most {
		return fmt.Errorf("micro_batch %d x sequence %d are more activations than can be counted: nearest micro_batch %.0f",
			t.MicroBatch, t.Sequence, max(1, math.Floor(most/bytes)))
	}
	return nil
}

// checkDegrees says by which degrees the model cannot be shared.
func (t Training) checkDegrees() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	m := t.Model
	switch {
	case m.Family == FamilyRNNT:
		bad("models of the family %s are served, not trained: their loss over all alignments of frames and symbols is not built", m.Family)
		return errs
	case t.Data%t.Islands != 0:
		bad("islands %d do not divide data %d: nearest %s", t.Islands, t.Data, NearestDivisors(int64(t.Islands), int64(t.Data)))
		return errs
	case t.Islands > 1 && m.Family == FamilyDLRM:
		bad("islands %d: the embedding tables of the family %s are shared by all replicas: 1", t.Islands, m.Family)
	}
	if m.Family != FamilyTransformer && m.Family != FamilyBERT {
		for _, d := range []struct {
			key   string
			value int
		}{{"tensor", t.Tensor}, {"pipeline", t.Pipeline}, {"context", t.Context}, {"expert", t.Expert}, {"virtual_stages", t.VirtualStages}} {
			if d.value > 1 {
				bad("%s %d: models of the family %s are shared by data only: 1", d.key, d.value, m.Family)
			}
		}
		if t.Recompute != RecomputeNone {
			bad("recompute %q: models of the family %s keep their activations: %q", t.Recompute, m.Family, RecomputeNone)
		}
		return errs
	}
	if d := int64(t.Tensor); m.Heads%d != 0 {
		bad("tensor %d does not divide the %d heads: nearest %s", d, m.Heads, NearestDivisors(d, m.Heads))
	}
	if d := int64(t.Context); int64(t.Sequence)%d != 0 {
		bad("context %d does not divide the sequence of %d: nearest %s", d, t.Sequence, NearestDivisors(d, int64(t.Sequence)))
	}
	switch chunks := int64(t.Pipeline * t.VirtualStages); {
	case t.VirtualStages > 1 && chunks > m.Layers+2:
		bad("virtual_stages %d x pipeline %d = %d chunks are more than the %d layers, the embedding and the head: nearest %d",
			t.VirtualStages, t.Pipeline, chunks, m.Layers, max((m.Layers+2)/int64(t.Pipeline), 1))
	case t.VirtualStages == 1 && chunks > m.Layers:
		bad("pipeline %d stages are more than the %d layers: nearest %d", t.Pipeline, m.Layers, m.Layers)
	}
	switch d, ranks := int64(t.Expert), int64(t.Replicas()); {
	case d > 1 && m.Experts == 0:
		bad("expert %d: the model has no routed experts: 1", d)
	case d > 1 && m.Experts%d != 0:
		bad("expert %d does not divide the %d experts: nearest %s", d, m.Experts, NearestDivisors(d, m.Experts))
	case ranks%d != 0:
		of := "data x context"
		if t.Islands > 1 {
			of += " / islands"
		}
		bad("expert %d does not divide %s = %d: nearest %s", d, of, ranks, NearestDivisors(d, ranks))
	}
	return errs
}

// nearest is the multiples of step on both sides of n.
func nearest(n, step int) string {
	if below := n / step * step; below > 0 {
		return fmt.Sprintf("%d or %d", below, below+step)
	}
	return fmt.Sprint(step)
}

// NearestDivisors is the divisors of n on both sides of d, which is none, as a
// message says them: "3 or 6".
func NearestDivisors(d, n int64) string {
	below := int64(1)
	for _, i := range Divisors(n) {
		if i > d {
			return fmt.Sprintf("%d or %d", below, i)
		}
		below = i
	}
	return fmt.Sprint(below)
}

// Divisors are those of n, ascending.
func Divisors(n int64) (all []int64) {
	for d := int64(1); d <= n/d; d++ {
		if n%d == 0 {
			all = append(all, d)
			if d*d != n {
				all = append(all, n/d)
			}
		}
	}
	slices.Sort(all)
	return all
}

// Accumulation is the number of micro-batches that each replica runs in an
// iteration. t must be valid, as for all that follows.
func (t Training) Accumulation() int {
	t = t.WithDefaults()
	return t.GlobalBatch / (t.Data * t.MicroBatch)
}

// SummedTogether is the number of micro-batches whose gradients a chunk adds up before
// it sums them over the replicas: all of an iteration, but under ZeRO 2 and 3, which keep
// no whole gradients, each alone. Under ZeRO 2 with the interleaved schedule they are
// those that follow each other on a chunk, one a stage: the whole gradients of a chunk
// are there for so long (Chu et al., Scaling Llama 3 Training with Efficient Parallelism
// Strategies, ISCA 2025).
func (t Training) SummedTogether() int {
	t = t.WithDefaults()
	switch {
	case t.Zero < 2:
		return t.Accumulation()
	case t.Zero == 2 && t.VirtualStages > 1:
		return t.Pipeline
	}
	return 1
}

// Batch is the micro-batch of one rank.
func (t Training) Batch() Batch {
	t = t.WithDefaults()
	return Batch{
		Samples: int64(t.MicroBatch), Sequence: int64(t.Sequence),
		Precision: t.Precision, Attention: t.Attention, Eager: t.Framework == FrameworkPyTorch,
		Tensor: int64(t.Tensor), Context: int64(t.Context), Expert: int64(t.Expert), Data: int64(t.Data),
		SequenceParallel: t.SequenceParallel && t.Tensor > 1, TensorOverlap: t.TensorOverlap, TensorPipelining: t.TensorPipelining,
		ExpertHosts: int64(t.ExpertHosts),
		LoRARank:    int64(t.LoRARank),
	}
}

// Layers unfolds one micro-batch for one rank of each stage, input first, with
// what the backward pass computes again. Where the last stage has a copy of the
// first one's embedding table, it is the head's.
func (t Training) Layers() []Layer {
	t = t.WithDefaults()
	layers := t.Model.Unfold(t.Batch())
	if t.Recompute != RecomputeNone {
		var before, after Layer // the latest layer, without and with what is recomputed
		for i := range layers {
			if l := &layers[i]; !l.SharesOperators(&before) {
				before, after = *l, t.recomputed(*l)
			}
			layers[i] = after
		}
	}
	if head := &layers[len(layers)-1]; t.Tuning == TuningLoRA {
		head.Frozen += t.TiedTable()
	} else {
		head.Parameters += t.TiedTable()
	}
	return layers
}

// TiedTable is a rank's parameters of the embedding table that the first and the
// last of several stages each keep a copy of, whose gradients, if it has any, they
// sum (Shoeybi et al. 2019); 0 if there is none.
func (t Training) TiedTable() int64 {
	t = t.WithDefaults()
	if !t.Model.TiedEmbeddings || t.Pipeline == 1 {
		return 0
	}
	return t.Batch().part(t.Model.Vocab) * t.Model.Hidden
}

// Owned is what of the parameters of a rank's layers, those of routed experts
// apart, it takes care of itself if ZeRO shares them out from a stage on.
func (t Training) Owned(shared, experts int64, from int) int64 {
	t = t.WithDefaults()
	if t.Zero < from {
		return shared + experts
	}
	replicas := int64(t.Replicas())
	return Quotient(shared, replicas) + Quotient(experts, replicas/int64(t.Expert))
}

// MessageBytes is the activations that a rank passes on to the next stage: of its
// tokens, and of those its share among the tensor-parallel ranks (Narayanan et al.
// 2021, section 4.1), but all of them under DeepSpeed.
func (t Training) MessageBytes() int64 {
	t = t.WithDefaults()
	b := t.Batch()
	whole := b.tokens() * t.Model.Hidden * ElementBytes(t.Precision)
	if t.Framework == FrameworkDeepSpeed && !b.SequenceParallel {
		return whole
	}
	return Quotient(whole, b.Tensor)
}

// Chunks cuts layers into Pipeline x VirtualStages runs in the order of the
// forward pass; chunk i is on stage i mod Pipeline. Each is the range of its
// layers. Layers are spread evenly; the chunks that get one less than others are
// the first and the last, which also hold the embedding and the head, then those
// next to them. Of as many chunks as there are layers and two more the first is the
// embedding alone, and the last the head (The Llama 3 Herd of Models, 2024, section
// 3.3.2).
func (t Training) Chunks(layers []Layer) [][2]int {
	t = t.WithDefaults()
	n := t.Pipeline * t.VirtualStages
	if n == 1 {
		return [][2]int{{0, len(layers)}}
	}
	blocks := len(layers) - 2
	most := (blocks + n - 1) / n
	size := make([]int, n)
	for i := range size {
		size[i] = most
	}
	for less, i := most*n-blocks, 0; less > 0; less, i = less-1, i+1 {
		at := i / 2
		if i%2 == 1 {
			at = n - 1 - i/2
		}
		size[at]--
	}
	chunks := make([][2]int, n)
	from := 0
	for i := range chunks {
		to := from + size[i]
		if i == 0 {
			to++ // the embedding
		}
		if i == n-1 {
			to++ // the head
		}
		chunks[i] = [2]int{from, to}
		from = to
	}
	return chunks
}

// Replicas is the number of ranks that hold the same parameters and sum gradients: of
// an island, those that are context-parallel included.
func (t Training) Replicas() int {
	t = t.WithDefaults()
	return t.Data * t.Context / t.Islands
}

// Ranks is the number of accelerators.
func (t Training) Ranks() int {
	t = t.WithDefaults()
	return t.Data * t.Tensor * t.Pipeline * t.Context
}

// GradientBytes is the width in which a gradient is kept, accumulated and
// summed over replicas: 2 bytes in fp16, 4 in all else.
//
// FP16 training keeps the whole model and its gradients in 16 bits beside an FP32
// master copy in the optimizer (apex O2, as in NVIDIA DeepLearningExamples' BERT;
// Megatron-LM without accumulate-allreduce-grads-in-fp32). BF16 has 8 bits of
// mantissa, too few to sum many gradients in: Megatron-LM and DeepSpeed's
// BF16Optimizer accumulate and reduce them in FP32, and so do FSDP's usual mixed
// precision policies (torchtitan; Composer's DEFAULT).
func GradientBytes(p topology.Precision) int64 {
	if p == topology.FP16 {
		return 2
	}
	return 4
}

// GradientAdd is the operator that adds a micro-batch's gradients of so many
// parameters to those of the micro-batches before: it runs in every micro-batch
// of an iteration but the first. DeepSpeed's BF16Optimizer runs it in all
// ([Training.AddsAlways]): it converts the gradients to FP32, adds them to the sum
// and clears them, each a pass of its own (bf16_optimizer.py, update_hp_grads). The
// model has so many parameters in all ([Model.Parameters]).
func (t Training) GradientAdd(parameters, all int64) Operator {
	n := float64(parameters)
	e, g := float64(ElementBytes(t.Precision)), float64(GradientBytes(t.Precision))
	op := Operator{
		Name: "gradient accumulation", Class: Elementwise, Precision: t.Precision,
		FLOPs: 2 * moveSlots * n, Bytes: n * (e + 2*g),
		Launches: int(t.tensors(parameters, all)), Backward: true,
	}
	if t.AddsAlways() {
		op.Bytes = n * (e + g + 3*g + e)
		op.FLOPs *= 3
		op.Launches *= 3
	}
	return op
}

// AddsAlways says whether gradients are added to a sum even in the first
// micro-batch.
func (t Training) AddsAlways() bool {
	t = t.WithDefaults()
	return t.Framework == FrameworkDeepSpeed && GradientBytes(t.Precision) > ElementBytes(t.Precision)
}

// Step is the optimizer's update of so many parameters at the end of an
// iteration, of a model that has so many in all.
func (t Training) Step(parameters, all int64) Operator {
	return t.Model.Optimizer().Step(parameters, t.tensors(parameters, all), t.Precision)
}

// tensors is about how many arrays hold so many of all parameters of the model:
// weights, biases and the two of a norm. It only sets the number of launches.
func (t Training) tensors(parameters, all int64) int64 {
	arrays := 16*t.Model.Layers + 8
	switch {
	case t.Model.Family == FamilyConvnet:
		arrays = 3 * t.Model.Layers
	case t.Tuning == TuningLoRA: // a pair for each of q, k, v, o, gate, up and down
		arrays, all = 14*t.Model.Layers, t.Trained()
	}
	return max(1, arrays*parameters/max(all, 1))
}

// FLOPs is the model's arithmetic in one iteration over all replicas, the
// numerator of model FLOPs utilisation (Chowdhery et al. 2022): three times
// the forward pass's products, two FLOPs a multiply-add; under LoRA, which has no
// gradients of frozen weights, the products of both passes, about twice. Counted are products
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
	// Experts compute whole rows, and more than come with a capacity factor; the
	// model's arithmetic is of those that come.
	t.Model.CapacityFactor = 0
	samples := max(t.Model.Experts, 1)
	b := Batch{Samples: samples, Sequence: int64(t.Sequence), Precision: t.Precision, Attention: AttentionUnfused, LoRARank: int64(t.LoRARank)}
	needed, _ := t.products(t.Model.Unfold(b))
	return needed * float64(t.GlobalBatch) / float64(samples)
}

// products is the FLOPs of the products of layers that an iteration cannot do
// without, and of those that the backward pass computes again.
func (t Training) products(layers []Layer) (needed, again float64) {
	var forward, backward float64
	for _, l := range layers {
		for _, op := range l.Forward {
			if op.Class.Product() {
				forward += op.FLOPs
			}
		}
		for _, op := range l.Backward {
			switch {
			case !op.Class.Product():
			case op.Backward:
				backward += op.FLOPs
			default:
				again += op.FLOPs
			}
		}
	}
	if t.Tuning == TuningLoRA {
		return forward + backward, again
	}
	return 3 * forward, again
}

// Recomputed is the products' FLOPs of an iteration with those that the backward
// pass computes again, per FLOP without.
func (t Training) Recomputed() float64 {
	t = t.WithDefaults()
	needed, again := t.products(t.Layers())
	if needed == 0 {
		return 1
	}
	return 1 + again/needed
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

// Buckets groups the gradients of layers in the order in which the backward pass
// finishes them, last layer first, whole layers until a bucket holds at least
// bucketBytes (Li et al., VLDB 2020). One bucket takes all if bucketBytes is
// zero or less. A table that embedding and head share belongs to the embedding,
// whose backward pass completes its gradient. Routed experts are left out: others
// sum them.
func (t Training) Buckets(layers []Layer, bucketBytes int64) []Bucket {
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
