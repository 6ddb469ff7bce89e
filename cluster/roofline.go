package cluster

import (
	"math"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Roofline is the time that an accelerator takes for an operator: what its
// matrix units, its vector units or its HBM need, whichever is most (Williams
// et al., CACM 2009), and a cost for each kernel.
//
// Matrix products. The result is cut into tiles, each computed by one
// multiprocessor; tiles run in waves of Multiprocessors at a time, and a wave
// that is not full costs as much as a full one. A multiprocessor runs a tile of
// inner dimension K at its share of Peak x MatrixEfficiency, times K / (K +
// TileOverhead) for filling and draining the tile, and less for small tiles.
// An inner dimension may be split over several tiles whose partial sums then
// meet in HBM. The best of a few tile shapes and splits is taken, as the
// libraries' heuristics aim to. Operands come from HBM at ReadEfficiency, which is
// measured apart from what passes over tensors reach: such kernels mostly read, but
// tile by tile.
//
// Fused attention (Dao et al. 2022) runs at Peak x FlashEfficiency, times L / (L
// + FlashOverhead) for queries that meet L keys on average, and not faster than
// one multiprocessor takes for the tile of queries that meets all keys. Where few heads meet
// many cached keys, these are split over multiprocessors, and on accelerators before Hopper
// a kernel more puts the parts together.
//
// The efficiencies are those that a kind holds while it is busy for long: what
// its power allows, not its highest clock. An H100 that starts from rest
// multiplies up to a seventh faster for the first fraction of a millisecond.
//
// Kernels of one stream wait for each other: while one drains and the next
// starts, nothing else runs. LaunchOverhead is therefore added for each kernel.
// The host is taken to launch far enough ahead; where it does not, in trainings of many
// short kernels, package training waits for it.
//
// Left out: kernels that overlap, and hits in the cache between kernels. Measured decodes
// show them: keys and values that the cache holds, 50 MB of an H100 and 126 MB of a B200,
// come faster the second time, which they do not where other layers run in between. So
// what attention reaches of the memory (CacheEfficiency) is taken from larger ones.
//
// Of 1,616 products in 16 bits measured on A100, H100 and B200 half are met within
// 5 to 10 %, nine in ten within 13 to 25 %; of 570 prefills half within 6 to 7 %, of 600
// decodes within 6 to 9 %; of products in FP8 and FP4 within 1 to 12 %, once what an
// engine's call takes beside the product is told apart (calibrate, TestMeasuredKernels).
// A smooth maximum of the two bounds and other tile overheads were tried: they lower the
// mean error by a fiftieth at most. So was that operands come in waves, too, one that is not
// full taking as long: on B200 products are then met within 9 % in place of 7.
type Roofline struct {
	Accelerator topology.Accelerator
	// Kernels are the constants of the model; nil is [Shipped].
	Kernels *Kernels
}

// Kernels are the constants that hold for every accelerator, precision and
// workload.
type Kernels struct {
	// TileOverhead is what filling and draining a tile costs, in steps of the
	// inner dimension. In TF32 both the steps and the drain take twice the time of
	// 16 bits, so their ratio stays; in fewer bits the steps are shorter, the drain
	// is not.
	TileOverhead int64

	// BackwardFactor is the rate of products in the backward pass relative to
	// those of the same shape in the forward pass: transposed operands, and sums
	// over many rows.
	BackwardFactor float64

	// FlashOverhead is what a query of fused attention pays beside its keys, in
	// keys: the half of the diagonal's block that is masked, filling and draining.
	FlashOverhead int64

	// FlashBackward is the rate of the backward pass of fused attention relative
	// to the forward pass, Flash2Backward that of the kernels which PyTorch trainings
	// had before Hopper's.
	FlashBackward, Flash2Backward float64

	// VectorEfficiency is the fraction of instruction slots that elementwise
	// kernels fill.
	VectorEfficiency float64

	// Eager is how much longer an elementwise pass takes in a framework that does
	// not fuse passes.
	Eager float64

	// Misaligned is how much slower products of activations are whose rows do not
	// start at multiples of 16 bytes, which tensor cores load at once.
	Misaligned float64

	// Interference is the share of its pace that computation loses while
	// communication kernels run beside it: they hold multiprocessors, and share
	// HBM.
	Interference float64
}

// Shipped are the constants that simulations use, and where they are from.
// "Kernels" are the measured ones of TestMeasuredKernels; "training" means fitted
// to the published iteration times of docs/validation.md, all sources together,
// one set for all.
var Shipped = Kernels{
	TileOverhead:     128,  // training
	BackwardFactor:   0.86, // training
	FlashOverhead:    400,  // kernels on A100, H100 and B200, which by themselves want 280, 530 and 430
	FlashBackward:    0.86, // FlashAttention-2 on A100: 63 % of the peak, forward 73 % (Dao 2023, section 4.1)
	Flash2Backward:   0.43, // training
	VectorEfficiency: 0.55, // training
	Eager:            1.2,  // training
	Misaligned:       14,   // training: head dimensions that 8 does not divide, in BLOOM's sweep
	Interference:     0.45, // training
}

const (
	// flashEfficiency is FlashEfficiency where the accelerator has none.
	flashEfficiency = 0.5
	flashTile       = 128 // queries that one multiprocessor takes

	// fp32Efficiency is the share of the FP32 peak that large products reach at
	// least. They run on the vector units, which neither memory nor power holds
	// back as they do matrix units: cuBLAS does about 14 of V100's 15.7 TFLOPS
	// (recalled).
	fp32Efficiency = 0.9

	alignment = 16  // bytes
	maxSplits = 32  // parts of an inner dimension
	minSplit  = 256 // length of a part
	partial   = 4   // bytes of a partial sum
)

// FLOPs of fused attention for each element of a head and each key that a query
// meets: two products forward, five backward.
const (
	flashForwardFLOPs  = 4
	flashBackwardFLOPs = 10
)

// tileShapes are the tiles that cuBLAS and CUTLASS build for tensor cores, with
// the rate that each reaches relative to the largest: a small tile reads more
// operand bytes per FLOP. The order is that of NVIDIA's Matrix Multiplication
// Background guide; the values are estimates, not fitted (BERT-large iterations
// move by 2 % if all are 1).
var tileShapes = [...]struct {
	m, n int64
	rate float64
}{
	{256, 128, 1},
	{128, 256, 1},
	{128, 128, 0.95},
	{256, 64, 0.9},
	{64, 256, 0.9},
	{128, 64, 0.85},
	{64, 128, 0.85},
	{64, 64, 0.7},
}

// Time is how long op takes, in seconds: infinite if the accelerator has no
// rate for its precision. Communication takes the accelerator no time: the
// network says how long it lasts.
func (r Roofline) Time(op workload.Operator) float64 {
	return duration(&r.Accelerator, r.kernels(), &op)
}

// Total is how long the operators take one after the other, in seconds.
func (r Roofline) Total(ops []workload.Operator) float64 {
	var sum float64
	k := r.kernels()
	for i := range ops {
		sum += duration(&r.Accelerator, k, &ops[i])
	}
	return sum
}

// Interference is the share of its pace that computation loses beside
// communication.
func (r Roofline) Interference() float64 { return r.kernels().Interference }

func (r *Roofline) kernels() *Kernels {
	if r.Kernels != nil {
		return r.Kernels
	}
	return &Shipped
}

func duration(a *topology.Accelerator, k *Kernels, op *workload.Operator) float64 {
	var busy float64
	switch {
	case op.Class == workload.Communication:
		return 0
	case op.Class == workload.FlashAttention || op.Class == workload.FlashAttention2:
		busy = flash(a, k, op)
	case op.Class.Product():
		busy = product(a, k, op)
	default:
		busy = max(op.FLOPs/(float64(a.Vector)*k.VectorEfficiency), op.Bytes/(float64(a.MemoryBandwidth)*a.MemoryEfficiency))
		if op.Eager {
			busy *= k.Eager
		}
	}
	return busy + float64(op.Launches)*a.LaunchOverhead.Seconds()
}

// readRate is the bytes per second that products and fused attention stream.
func readRate(a *topology.Accelerator) float64 {
	if a.ReadEfficiency > 0 {
		return float64(a.MemoryBandwidth) * a.ReadEfficiency
	}
	return float64(a.MemoryBandwidth) * a.MemoryEfficiency
}

// matrixRate is the FLOPs per second of large products.
func matrixRate(a *topology.Accelerator, p topology.Precision) float64 {
	efficiency := a.MatrixEfficiency
	switch {
	case p == topology.FP8 && a.FP8Efficiency > 0:
		efficiency = a.FP8Efficiency
	case p == topology.FP4 && a.FP4Efficiency > 0:
		efficiency = a.FP4Efficiency
	case p == topology.FP32:
		efficiency = max(efficiency, fp32Efficiency)
	}
	return float64(a.Peak[p]) * efficiency
}

// overhead is TileOverhead in steps of a precision.
func (k *Kernels) overhead(p topology.Precision) int64 {
	switch p {
	case topology.FP8, topology.INT8:
		return 2 * k.TileOverhead
	case topology.FP4:
		return 4 * k.TileOverhead
	}
	return k.TileOverhead
}

// flash is the time of a kernel of fused attention. Batch x M queries meet as
// many keys as its FLOPs tell, which is how it knows what a mask leaves out.
func flash(a *topology.Accelerator, k *Kernels, op *workload.Operator) float64 {
	efficiency, backward := a.FlashEfficiency, k.FlashBackward
	if op.Class == workload.FlashAttention2 {
		backward = k.Flash2Backward
		if a.Flash2Efficiency > 0 {
			efficiency = a.Flash2Efficiency
		}
	}
	if efficiency <= 0 {
		efficiency = flashEfficiency
	}
	rate := float64(a.Peak[op.Precision]) * efficiency
	each := flashForwardFLOPs * float64(op.K) // for each query and key
	if op.Backward {
		rate *= backward
		each = flashBackwardFLOPs * float64(op.K)
	}
	queries := float64(op.Batch) * float64(op.M)
	all := op.FLOPs + each*queries*float64(k.FlashOverhead)
	longest := each * float64(min(op.M, flashTile)) * float64(op.N+k.FlashOverhead)
	read := readRate(a)
	if a.CacheEfficiency > 0 {
		read = float64(a.MemoryBandwidth) * a.CacheEfficiency
	}
	return max(all/rate, longest/rate*float64(a.Multiprocessors), op.Bytes/read) + combine(a, op)
}

// product is the time of Batch products M x K by K x N at the best tile shape
// and split. Both bounds of more parts only grow, the traffic of their sums and
// the work without waves: the search of a shape ends where one of them has
// reached the best so far.
func product(a *topology.Accelerator, k *Kernels, op *workload.Operator) float64 {
	processors := int64(max(a.Multiprocessors, 1))
	rate := matrixRate(a, op.Precision) / float64(processors)
	if op.Backward {
		rate *= k.BackwardFactor
	}
	if element := workload.ElementBytes(op.Precision); op.Class == workload.Attention &&
		(op.K*element%alignment != 0 || op.N*element%alignment != 0) {
		rate /= k.Misaligned
	}
	perByte := 1 / readRate(a)
	stream := op.Bytes * perByte
	sums := 2 * partial * float64(op.Batch) * float64(op.M) * float64(op.N) * perByte
	overhead := k.overhead(op.Precision)

	best := math.Inf(1)
	for _, tile := range tileShapes {
		tiles := op.Batch * workload.Quotient(op.M, tile.m) * workload.Quotient(op.N, tile.n)
		step := 2 * float64(tile.m*tile.n) / (rate * tile.rate) // one of the inner dimension
		share := float64(tiles) / float64(processors) * step
		for split := int64(1); split <= maxSplits && share*float64(op.K+split*overhead) < best; split++ {
			part, traffic := op.K, stream
			if split > 1 {
				part = workload.Quotient(op.K, split)
				traffic += float64(split) * sums
				if part < minSplit || traffic >= best {
					break
				}
			}
			waves := workload.Quotient(tiles*split, processors)
			best = min(best, max(float64(waves)*float64(part+overhead)*step, traffic))
		}
		if best <= stream {
			break // nothing is faster than the operands come
		}
	}
	return best
}

// Bound is the time of work of which only the FLOPs and the bytes of memory are
// known, as in a trace: at the matrix units' rate for 16 bits or the memory's,
// whichever takes longer.
func (r Roofline) Bound(flops, bytes float64) float64 {
	a := r.Accelerator
	peak := max(a.Peak[topology.FP16], a.Peak[topology.BF16])
	return max(flops/(float64(peak)*a.MatrixEfficiency), bytes/(float64(a.MemoryBandwidth)*a.MemoryEfficiency))
}
