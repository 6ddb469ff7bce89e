package workload

import "github.com/railyard/railyard/collective"

// experts is a mixture of experts in place of the feed-forward part (Shazeer et
// al. 2017; Lepikhin et al. 2020, GShard): a router scores every token, the
// token's activations go to the ExpertsPerToken experts of the highest scores,
// whose outputs come back and are summed with the scores as weights. Shared
// experts, which every token visits, are one dense part of their summed width.
//
// The experts are shared by the ranks of the expert group: tokens reach them by
// an all-to-all, and the outputs return by another; backward the same two take
// the gradients. Load is taken to be even, CapacityFactor rows being computed
// for each row that arrives. A rank's experts run as one batched product.
func (u *unfolder) experts(m Model) {
	b := u.batch
	shared := b.shared()
	if m.SharedExperts == 0 { // which keep their input, the router's too
		u.keep(shared * m.Hidden)
	}

	u.layer.Parameters += m.Hidden * m.Experts
	u.linear("router", shared, m.Experts, m.Hidden)
	u.pass("top-k", Elementwise, u.moves(shared*m.Experts, 3, 0, softmaxSlots), u.moves(shared*m.Experts, 3, 0, softmaxGradientSlots))

	if m.SharedExperts > 0 {
		u.feedForward(m, m.SharedExperts*m.ExpertFFN)
	}

	routed := shared * m.ExpertsPerToken
	bytes := float64(routed*m.Hidden) * u.element
	travel := func() {
		u.copies("permute", routed*m.Hidden, 1)
		if b.Expert > 1 {
			u.add([]Operator{u.exchange(collective.AllToAll, ExpertGroup, bytes)},
				[]Operator{u.exchange(collective.AllToAll, ExpertGroup, bytes)})
		}
	}
	travel()
	own := Quotient(m.Experts, b.Expert)
	rows := Quotient(int64(float64(routed)*m.capacity()), own)
	if b.SequenceParallel {
		rows *= b.Tensor // gathered from the tensor-parallel ranks
	}
	width := b.part(m.ExpertFFN)
	u.keep(own * rows * m.Hidden)
	widths := []int64{width}
	if m.Activation == ActivationSwiGLU {
		widths = []int64{width, width}
	}
	u.layer.ExpertParameters += own * int64(len(widths)+1) * m.Hidden * width
	u.routed = true
	u.columns("experts up", own, rows, m.Hidden, widths...)
	if len(widths) == 2 {
		u.swiglu(own * rows * width)
	} else {
		u.gelu(own * rows * width)
	}
	u.keep(own * rows * width)
	u.rows("experts down", own, rows, m.Hidden, width)
	u.routed = false
	travel()
	u.pass("weighted sum", Elementwise, u.moves(routed*m.Hidden, 2, 0, moveSlots), u.moves(routed*m.Hidden, 3, 0, moveSlots))
}
