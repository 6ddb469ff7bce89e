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
// tileOverhead) for filling and draining the tile, and less for small tiles.
// An inner dimension may be split over several tiles whose partial sums then
// meet in HBM. The best of a few tile shapes and splits is taken, as the
// libraries' heuristics aim to.
//
// Kernels of one stream wait for each other: while one drains and the next
// starts, nothing else runs. LaunchOverhead is therefore added for each kernel.
// The host is taken to launch far enough ahead.
//
// Left out: kernels that overlap, hits in the cache between kernels, and
// throttling beyond what MatrixEfficiency holds.
type Roofline struct {
	Accelerator topology.Accelerator
}

// The constants of the model hold for every accelerator, precision and
// workload. "Fitted" means: from a fit of eight global constants to published
// training runs of BERT, GPT and Llama models on A100 and H100, whose median
// error is 2.9 %. vectorEfficiency is fitted here.
const (
	// tileOverhead is what filling and draining a tile costs, in steps of the
	// inner dimension. In TF32 both the steps and the drain take twice the
	// time of 16 bits, so their ratio stays. Fitted.
	tileOverhead = 128

	// backwardFactor is the rate of products in the backward pass relative to
	// those of the same shape in the forward pass: transposed operands, and
	// sums over many rows. Fitted.
	backwardFactor = 0.93

	// flashEfficiency is the fraction of Peak that fused attention reaches on
	// the FLOPs that it runs; its backward pass flashBackward of that. Fitted.
	flashEfficiency = 0.36
	flashBackward   = 0.85

	// vectorEfficiency is the fraction of instruction slots that elementwise
	// kernels fill. Fitted on two rows, BERT-large at sequence 128 on one A100
	// in FP16 and TF32: without the bound (1) they come out 8.5 % and 2.6 %
	// fast, at 0.45 4.2 % and 1.9 % slow.
	vectorEfficiency = 0.55

	// misaligned is how much slower products of activations are whose rows do
	// not start at multiples of 16 bytes, which tensor cores load at once.
	// Fitted on head dimensions that 8 does not divide (BLOOM's sweep).
	misaligned = 8
	alignment  = 16

	maxSplits = 32  // parts of an inner dimension
	minSplit  = 256 // length of a part
	partial   = 4   // bytes of a partial sum
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
// rate for its precision.
func (r Roofline) Time(op workload.Operator) float64 {
	a := r.Accelerator
	var busy float64
	switch {
	case op.Class == workload.FlashAttention:
		rate := float64(a.Peak[op.Precision]) * flashEfficiency
		if op.Backward {
			rate *= flashBackward
		}
		busy = max(op.FLOPs/rate, r.memory(op.Bytes))
	case op.Class.Product():
		busy = r.product(op)
	default:
		busy = max(op.FLOPs/(float64(a.Vector)*vectorEfficiency), r.memory(op.Bytes))
	}
	return busy + float64(op.Launches)*a.LaunchOverhead.Seconds()
}

// Total is how long the operators take one after the other, in seconds.
func (r Roofline) Total(ops []workload.Operator) float64 {
	var sum float64
	for _, op := range ops {
		sum += r.Time(op)
	}
	return sum
}

// memory is the time of streaming so many bytes through HBM.
func (r Roofline) memory(bytes float64) float64 {
	return bytes / (float64(r.Accelerator.MemoryBandwidth) * r.Accelerator.MemoryEfficiency)
}

// product is the time of Batch products M x K by K x N at the best tile shape
// and split.
func (r Roofline) product(op workload.Operator) float64 {
	a := r.Accelerator
	processors := int64(max(a.Multiprocessors, 1))
	rate := float64(a.Peak[op.Precision]) * a.MatrixEfficiency / float64(processors)
	if op.Backward {
		rate *= backwardFactor
	}
	if element := workload.ElementBytes(op.Precision); op.Class == workload.Attention &&
		(op.K*element%alignment != 0 || op.N*element%alignment != 0) {
		rate /= misaligned
	}
	best := math.Inf(1)
	for _, tile := range tileShapes {
		tiles := op.Batch * quotient(op.M, tile.m) * quotient(op.N, tile.n)
		step := 2 * float64(tile.m*tile.n) / (rate * tile.rate) // one of the inner dimension
		for split := int64(1); split <= maxSplits; split++ {
			k := quotient(op.K, split)
			bytes := op.Bytes
			if split > 1 {
				if k < minSplit {
					break
				}
				bytes += 2 * partial * float64(split*op.Batch*op.M) * float64(op.N)
			}
			waves := quotient(tiles*split, processors)
			best = min(best, max(float64(waves)*float64(k+tileOverhead)*step, r.memory(bytes)))
		}
	}
	return best
}

// quotient is a / b, rounded up.
func quotient(a, b int64) int64 { return (a + b - 1) / b }

// Bound is the time of work of which only the FLOPs and the bytes of memory are
// known, as in a trace: at the matrix units' rate for 16 bits or the memory's,
// whichever takes longer.
func (r Roofline) Bound(flops, bytes float64) float64 {
	a := r.Accelerator
	peak := max(a.Peak[topology.FP16], a.Peak[topology.BF16])
	return max(flops/(float64(peak)*a.MatrixEfficiency), r.memory(bytes))
}
