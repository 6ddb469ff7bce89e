package workload

import (
	"slices"
	"sync"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
)

// Class says what kind of work an operator is, hence what limits it.
type Class uint8

// The classes of operators.
const (
	Matrix          Class = iota // product with a weight matrix
	Attention                    // product of activations in unfused attention
	FlashAttention               // one fused kernel: scores never reach HBM (Dao 2022)
	FlashAttention2              // the same by the kernels of FlashAttention-2 (Dao 2023)
	Convolution                  // implicit matrix product over image patches
	Elementwise                  // streams tensors through HBM: norms, activations, dropout
	Embedding                    // gathers and scatters rows of a table
	Loss                         // softmax and cross entropy over the vocabulary
	Optimizer                    // one pass over parameters and their state
	Communication                // a collective with the other ranks of a group
	NumClasses
)

var classNames = [NumClasses]string{
	"matrix", "attention", "flash-attention", "flash-attention-2", "convolution", "elementwise", "embedding", "loss", "optimizer", "communication",
}

// String is the name that breakdowns use: "matrix".
func (c Class) String() string { return classNames[c] }

// Product reports whether the class does its work on the matrix units.
func (c Class) Product() bool { return c <= Convolution }

// Operator is the demand of one step of a model on the accelerator that runs
// it: what to compute and what to move, no rates.
type Operator struct {
	Name      string
	Class     Class
	Precision topology.Precision // number format of the operands

	// Dynamic marks work whose shape follows from where tokens are routed, which is
	// another each time. Before what is Counted the host waits until it is told.
	Dynamic, Counted bool
	// Issued is the number of kernels that the host launches, 0 where it is Launches.
	Issued int32

	// Batch products of an M x K by a K x N matrix. Zero where the work is not
	// a matrix product.
	Batch, M, N, K int64
	// Groups, of fused attention over a cache, are the heads of keys and values of all
	// sequences, each of which Batch / Groups heads of queries share.
	Groups int64

	// FLOPs is the arithmetic: two per multiply-add on the matrix units. For
	// the classes that run on the vector units it is two per instruction
	// slot, since a slot could have held a multiply-add, which is what a data
	// sheet's rate counts.
	FLOPs float64

	// Bytes is what crosses HBM, reads and writes, if nothing stays in cache
	// from one kernel to the next.
	Bytes float64

	// Launches is the number of kernels that the accelerator runs one after the other.
	Launches int

	// Eager marks a pass that a framework without fused kernels runs.
	Eager bool

	// Backward tells the gradient operators apart; Weight, of those, the ones
	// that only the optimizer waits for.
	Backward bool
	Weight   bool

	// Routed marks what is done to the rows that come to a rank's routed experts.
	Routed bool

	// Of class Communication: what the ranks of which group do together, with
	// Bytes the size as package collective counts it. Beside says that it runs
	// beside the operator that follows; both end before the next begins.
	Collective collective.Op
	Group      Group
	Beside     bool
	Copied     bool // by copy engines, which slow nothing beside them
}

// Group names the ranks that work together in one dimension of parallelism.
type Group uint8

// The groups.
const (
	DataGroup     Group = iota // replicas: gradients, and parameters that ZeRO shards
	TensorGroup                // shares every matrix
	ContextGroup               // shares every sequence
	ExpertGroup                // shares the routed experts
	PipelineGroup              // shares the layers
	NumGroups
)

var groupNames = [NumGroups]string{"data", "tensor", "context", "expert", "pipeline"}

// String is the name that a scenario gives the degree: "tensor".
func (g Group) String() string { return groupNames[g] }

// Layer is a part of a model that runs as a unit in either direction and whose
// parameter gradients are complete when its backward pass is.
type Layer struct {
	Name        string
	Parameters  int64 // trained values that belong to this layer alone
	Activations int64 // bytes kept from forward to backward of one micro-batch

	// ExpertParameters are those of routed experts, which only the replicas
	// that hold the same experts sum the gradients of. Not in Parameters.
	ExpertParameters int64

	// Frozen and FrozenExperts are what the layer computes with but does not train
	// of either: they have no gradients and no optimizer state.
	Frozen, FrozenExperts int64

	// Input is the bytes that the layer is computed again from in the backward
	// pass; 0 if it is never computed again. Forward[CoreFrom:CoreTo] is
	// attention without its products with weights, and CoreActivations what it
	// keeps: the part that selective recomputation computes again.
	Input            int64
	CoreFrom, CoreTo int
	CoreActivations  int64
	Again            int64 // bytes kept beside Activations while the backward pass runs, computed again

	// ShardedParameters are those of this accelerator whose gradients are not
	// summed over the data group, because each replica holds other ones: the
	// embedding tables of a recommender. The backward pass updates them itself,
	// so the optimizer's step leaves them out and no gradient is kept.
	// ShardedBytes is what they take with the state of their optimizer.
	ShardedParameters int64
	ShardedBytes      int64

	// Forward and Backward are in the order of execution. Layers of the same
	// shape share them: they must not be modified.
	Forward, Backward []Operator
}

// weights is all values that the layer computes with, sharded tables apart.
func (l Layer) weights() int64 { return l.Parameters + l.ExpertParameters + l.Frozen + l.FrozenExperts }

// SharesOperators reports whether l and o are of the same shape.
func (l *Layer) SharesOperators(o *Layer) bool {
	return len(l.Forward) > 0 && len(o.Forward) > 0 && &l.Forward[0] == &o.Forward[0]
}

// Attention kinds: how a transformer's attention is computed.
const (
	AttentionFlash   = "flash"   // fused, scores stay on chip: the accelerator's best kernel
	AttentionFlash2  = "flash-2" // fused, FlashAttention-2, which uses nothing newer than Ampere
	AttentionUnfused = "unfused" // two batched products around a softmax through HBM
)

// Batch is what one pass of a model processes at once on one accelerator.
type Batch struct {
	Samples   int64 // sequences or images
	Sequence  int64 // tokens in each; ignored by convnets
	Precision topology.Precision
	Attention string // AttentionFlash (the default), AttentionFlash2 or AttentionUnfused
	Eager     bool   // elementwise passes are not fused

	// The degrees by which the pass is shared with other accelerators; 0 is 1.
	// What Unfold gives is the part of one of them. Data is the number of
	// replicas, among which a recommender's tables are shared out.
	Tensor  int64
	Context int64
	Expert  int64
	Data    int64
	// SequenceParallel shares what the tensor-parallel ranks would all do the
	// same, along the sequence (Korthikanti et al. 2022).
	SequenceParallel bool
	// TensorOverlap runs the tensor-parallel exchanges of the backward pass beside
	// products that do not need them.
	TensorOverlap bool
	// TensorPipelining runs them, with SequenceParallel, piece by piece beside the products
	// that need or make what is exchanged.
	TensorPipelining bool
	// ExpertHosts is the hosts that the ranks of an expert group are spread over, where a
	// token goes once to each that has experts for it; 0 sends it to each expert.
	ExpertHosts int64

	// Inference has the forward pass alone, as runtimes compile it to serve: nothing is
	// kept for a gradient or dropped out, there is no loss, the norms of a convnet are
	// folded into its weights, and activations, shortcuts and changes of layout are done
	// in the kernel of the product before them (TensorRT Developer Guide, types of fusions).
	Inference bool

	// LoRARank is the rank of the adapters that are trained in place of the
	// weights; 0 trains the weights.
	LoRARank int64
}

func (b Batch) withDegrees() Batch {
	b.Tensor, b.Context, b.Expert, b.Data = max(b.Tensor, 1), max(b.Context, 1), max(b.Expert, 1), max(b.Data, 1)
	return b
}

// ElementBytes is the size of one activation or weight in format p as training
// frameworks store it: FP8 and narrower products read copies cast from 16-bit
// tensors, and TF32 is a mode of the matrix units over 32-bit tensors.
func ElementBytes(p topology.Precision) int64 {
	if p == topology.FP32 || p == topology.TF32 {
		return 4
	}
	return 2
}

// wide is the format of what FP8 recipes leave in 16 bits: attention, heads and
// convolutions (Micikevicius et al. 2022; Transformer Engine's defaults).
func wide(p topology.Precision) topology.Precision {
	if p == topology.FP8 {
		return topology.BF16
	}
	return p
}

// maskBytes is one element of a dropout mask.
const maskBytes = 1

// Unfold turns the model into its layers for one micro-batch, input first. m
// must be valid.
func (m Model) Unfold(b Batch) []Layer {
	m = m.WithDefaults()
	b = b.withDegrees()
	switch m.Family {
	case FamilyConvnet:
		return m.convnet(b)
	case FamilyUNet3D:
		return m.unet3d(b)
	case FamilyDLRM:
		return m.dlrm(b)
	case FamilyRNNT:
		return m.rnnt(b)
	}
	if b.Attention == "" {
		b.Attention = AttentionFlash
	}
	switch m.Family {
	case FamilyBERT:
		return m.bert(b)
	case FamilyTransformer:
		return m.decoder(b)
	case FamilySpeech:
		return m.speech(b)
	}
	panic("workload: Unfold of a model that Validate refuses: family " + m.Family)
}

// unfolder collects the operators of one layer. Each call adds forward
// operators and the backward operators that answer them; backward runs the
// calls in reverse.
type unfolder struct {
	batch    Batch
	element  float64 // bytes of one activation
	layer    Layer
	backward []Operator // in the order of the calls
	calls    []int      // where in backward each call's begin

	dynamic, counted bool // what follows is Dynamic, the next operator Counted

	adapters
}

// unfolders are used again for the room that their lists have.
var unfolders = sync.Pool{New: func() any { return &unfolder{} }}

func newUnfolder(name string, b Batch) *unfolder {
	b = b.withDegrees()
	u := unfolders.Get().(*unfolder)
	*u = unfolder{
		batch: b, element: float64(ElementBytes(b.Precision)), layer: Layer{Name: name, Forward: u.layer.Forward[:0]},
		backward: u.backward[:0], calls: u.calls[:0],
	}
	return u
}

// done returns the layer and gives the unfolder up.
func (u *unfolder) done() Layer {
	u.freeze()
	l := u.layer
	l.Forward = slices.Clone(l.Forward)
	end := len(u.backward)
	l.Backward = make([]Operator, 0, end)
	for _, begin := range slices.Backward(u.calls) {
		l.Backward = append(l.Backward, u.backward[begin:end]...)
		end = begin
	}
	unfolders.Put(u)
	return l
}

// product is the operator of batch products M x K by K x N.
func (u *unfolder) product(name string, class Class, batch, m, n, k int64) Operator {
	precision := u.batch.Precision
	if class == Attention {
		precision = wide(precision)
	}
	return Operator{
		Name: name, Class: class, Precision: precision,
		Batch: batch, M: m, N: n, K: k,
		FLOPs:    2 * float64(batch) * float64(m) * float64(n) * float64(k),
		Bytes:    float64(batch) * u.element * (float64(m)*float64(k) + float64(k)*float64(n) + float64(m)*float64(n)),
		Launches: 1,
	}
}

// add appends forward operators and the backward operators that answer them, if
// what came before wants a gradient.
func (u *unfolder) add(forward, backward []Operator) {
	if u.unwanted {
		backward = nil
	}
	u.append(forward, backward)
}

func (u *unfolder) append(forward, backward []Operator) {
	if u.batch.Inference {
		backward = nil
	}
	for i := range forward {
		forward[i].Routed, forward[i].Dynamic = u.routed, u.dynamic
	}
	if u.counted && len(forward) > 0 {
		forward[0].Counted, u.counted = true, false
	}
	u.layer.Forward = append(u.layer.Forward, forward...)
	begin := len(u.backward)
	u.calls = append(u.calls, begin)
	u.backward = append(u.backward, backward...)
	for i := begin; i < len(u.backward); i++ {
		u.backward[i].Backward, u.backward[i].Dynamic = true, u.dynamic
	}
}

// linear is a product of m rows with a k x n weight matrix. Its gradients are
// two products: of the output's gradient with the transposed weights for the
// input, and of the transposed input with it for the weights, which sums over
// the m rows.
func (u *unfolder) linear(name string, m, n, k int64) {
	forward, data, weight := u.weighted(name, 1, m, k, n)
	u.append(forward, append(data, weight...))
}

// weighted is the operators of one product with several weight matrices of height
// k side by side, of the given widths: those of the forward pass, and of the
// backward pass those for the input's gradient and those for what is trained.
func (u *unfolder) weighted(name string, batch, m, k int64, widths ...int64) (forward, data, weight []Operator) {
	var n int64
	for _, width := range widths {
		n += width
	}
	forward = []Operator{u.product(name, Matrix, batch, m, n, k)}
	data = []Operator{u.product(name+" data gradient", Matrix, batch, m, k, n)}
	if u.batch.LoRARank > 0 {
		return u.adapted(name, forward[0], data[0], widths)
	}
	gradient := u.product(name+" weight gradient", Matrix, batch, n, k, m)
	gradient.Weight = true
	u.issueProducts(&forward[0], &data[0], &gradient)
	return forward, data, []Operator{gradient}
}

// traffic is what a pass over tensors does: bytes through HBM, instruction
// slots on the vector units, kernels.
type traffic struct {
	bytes, slots float64
	launches     int
}

func (u *unfolder) vector(name string, class Class, t traffic) Operator {
	return Operator{
		Name: name, Class: class, Precision: u.batch.Precision,
		FLOPs: 2 * t.slots, Bytes: t.bytes, Launches: t.launches,
		Eager: u.batch.Eager && class == Elementwise,
	}
}

// pass is an elementwise operator and its gradient; a zero traffic adds none.
func (u *unfolder) pass(name string, class Class, forward, backward traffic) {
	var f, b []Operator
	if forward.launches > 0 {
		f = append(f, u.vector(name, class, forward))
	}
	if backward.launches > 0 {
		b = append(b, u.vector(name+" gradient", class, backward))
	}
	u.add(f, b)
}
