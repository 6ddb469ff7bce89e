package workload

import (
	"math"

	"gonum.org/v1/gonum/stat/combin"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
)

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
//
// With ExpertHosts a token's activations cross to a host once, however many of its
// experts are there, and the outputs are summed before they come back; in FP8 training
// they are sent in 8 bits, the outputs return in 16 (DeepSeek-V3, arXiv:2412.19437,
// sections 3.2.2 and 3.3.3). What a host hands on inside is taken to be hidden behind
// what arrives, its links being faster.
func (u *unfolder) experts(m Model) {
	b := u.batch
	shared := b.shared()
	if m.SharedExperts == 0 { // which keep their input, the router's too
		u.keep(shared * m.Hidden)
	}

	u.layer.Parameters += m.Hidden * m.Experts
	u.linear("router", shared, m.Experts, m.Hidden)
	u.pass("top-k", Elementwise, u.moves(shared*m.Experts, 3, 0, softmaxSlots), u.moves(shared*m.Experts, 3, 0, softmaxGradientSlots))
	u.issue(scoring+counting, scoringBack)

	if m.SharedExperts > 0 {
		u.feedForward(m, m.SharedExperts*m.ExpertFFN)
	}

	routed := shared * m.ExpertsPerToken
	there := float64(routed*m.Hidden) * u.element
	back := there
	if b.ExpertHosts > 0 {
		back = float64(shared*m.Hidden) * m.hostsPerToken(b.ExpertHosts) * u.element
		if there = back; b.Precision == topology.FP8 {
			there /= u.element
		}
	}
	u.dynamic = m.CapacityFactor == 0 // else there are so many rows, empty ones among them
	unknown := u.dynamic              // how many go where, to the host
	travel := func(forward, backward float64) {
		u.copies("permute", routed*m.Hidden, 1)
		u.issue(permuting, permutingBack)
		u.counted, unknown = unknown, false
		if b.Expert > 1 {
			u.add([]Operator{u.exchange(collective.AllToAll, ExpertGroup, forward)},
				[]Operator{u.exchange(collective.AllToAll, ExpertGroup, backward)})
		}
	}
	travel(there, back)
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
	travel(back, there)
	u.pass("weighted sum", Elementwise, u.moves(routed*m.Hidden, 2, 0, moveSlots), u.moves(routed*m.Hidden, 3, 0, moveSlots))
	u.dynamic = false
}

// hostsPerToken is on how many of so many hosts, which share the experts out, those of a
// token are in the mean: its groups drawn evenly, and its experts from these.
func (m Model) hostsPerToken(hosts int64) float64 {
	own := max(m.ExpertGroups/hosts, 1) // groups that a host has experts of
	each := float64(m.Experts) / float64(hosts*own)
	among := float64(m.Experts / m.ExpertGroups * m.GroupsPerToken)
	var visited float64 // the chance that a host is
	for drawn := range min(own, m.GroupsPerToken) + 1 {
		missed := 1.0
		for i := range m.ExpertsPerToken {
			missed *= max(0, among-float64(drawn)*each-float64(i)) / (among - float64(i))
		}
		visited += hypergeometric(drawn, m.ExpertGroups, own, m.GroupsPerToken) * (1 - missed)
	}
	return float64(hosts) * visited
}

// hypergeometric is the chance that, of n with so many marked, exactly k of those drawn
// are marked.
func hypergeometric(k, n, marked, draws int64) float64 {
	if draws-k > n-marked {
		return 0
	}
	choose := func(n, k int64) float64 { return combin.LogGeneralizedBinomial(float64(n), float64(k)) }
	return math.Exp(choose(marked, k) + choose(n-marked, draws-k) - choose(n, draws))
}
