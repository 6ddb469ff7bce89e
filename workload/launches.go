package workload

import (
	"fmt"
	"math"

	"github.com/railyard/railyard/topology"
)

// What the host launches. Most operators are as many kernels for the host as for the
// accelerator. Where they are not, it is because the accelerator hardly notices some, or
// runs them side by side, but the host launches each: the products of a rank's experts,
// which Transformer Engine starts one by one on a few streams
// (nvte_multi_stream_cublas_gemm), and what surrounds FP8 products.
//
// The counts of a mixture of experts are those of Megatron-Core with its fused kernels
// for routing and permutation, read in router.py, moe_utils.py and token_dispatcher.py
// of megatron/core/transformer/moe: good to a third or so, since they move with every
// release.
const (
	scoring     = 12 // scores and top-k in a kernel, the loss that balances experts and its log
	scoringBack = 6
	counting    = 12 // tokens an expert and a rank: sums, their all-gather, copies to the host

	permuting     = 4 // the map of rows, three kernels, and the move
	permutingBack = 2

	// arranging is how often the scales of MXFP8 operands are put in the order that
	// tensor cores read them in: those of all matrices of an operand at a time.
	arranging = 2
)

// Kernels is how many kernels the host launches for the operator.
func (o *Operator) Kernels() int {
	switch {
	case o.Issued > 0:
		return int(o.Issued)
	case o.Class == Communication:
		return 1
	}
	return o.Launches
}

// issue says how many kernels the host launches for the pass that was added last.
func (u *unfolder) issue(forward, backward int32) {
	u.layer.Forward[len(u.layer.Forward)-1].Issued = forward
	if begin := u.calls[len(u.calls)-1]; begin < len(u.backward) {
		u.backward[begin].Issued = backward
	}
}

// issueProducts does so for a product and its gradients. In FP8 the input and the
// output's gradient are cast before they are multiplied, each matrix by a kernel of its
// own, and both ways at once, so that the weights' gradient needs no other; the weights
// are cast once an iteration. PyTorch starts the products of all experts by one kernel
// (torch._grouped_mm).
func (u *unfolder) issueProducts(forward, data, weight *Operator) {
	matrices := int32(min(forward.Batch, math.MaxInt32/4))
	if u.batch.Eager {
		matrices = 1
	}
	forward.Issued, data.Issued, weight.Issued = matrices, matrices, matrices
	if u.batch.Precision == topology.FP8 {
		forward.Issued += matrices + arranging
		data.Issued += matrices + arranging
		weight.Issued += arranging
	}
}

// What of a training is captured in CUDA graphs, which the host launches as a whole.
const (
	GraphsNone = "none"
	// GraphsPartial captures all whose shape is known: Megatron-Core's scopes attn, mlp,
	// moe_router and moe_preprocess (cuda_graph_impl = transformer_engine).
	GraphsPartial = "partial"
	// GraphsFull captures the whole iteration (cuda_graph_impl = full_iteration), for
	// which experts have room for as many tokens as may come.
	GraphsFull = "full"
)

// checkGraphs says what cannot be captured as t asks.
func (t Training) checkGraphs() error {
	switch t.CUDAGraphs {
	case GraphsNone, GraphsPartial, GraphsFull:
		return nil
	}
	return fmt.Errorf("cuda_graphs %q is unknown: %q, %q or %q", t.CUDAGraphs, GraphsNone, GraphsPartial, GraphsFull)
}
