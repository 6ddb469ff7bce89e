package workload

import "github.com/railyard/railyard/collective"

// headShape is the part of attention that one rank computes.
type headShape struct {
	query, kv  int64 // number of query heads, and of key and value heads
	key, value int64 // width of a query or key, and of a value
}

// attention adds softmax(Q K^T / sqrt(d)) V over samples sequences. Both kinds compute the same result from the same operands.
//
// Unfused, a score crosses HBM several times. With e bytes an element and a
// mask byte, the forward pass writes the product Q K^T (e), masks and softmaxes
// it in one kernel (2e), drops out in another that writes a mask (2e + 1), and
// reads the result into the product with V (e); backward pays e for each of
// the four products (dP, dV, dQ, dK) and for dropout (2e + 1) and softmax (3e):
// 13 and 19 bytes a score at e = 2 with dropout. A kernel that fuses softmax
// and dropout (fusedDropout) saves the read of the probabilities forward, and
// a write and a read backward.
//
// Fused (Dao et al. 2022, FlashAttention), only Q, K, V, the output and one
// statistic a row cross HBM; backward recomputes the scores, five products
// instead of the forward pass's two. A causal kernel skips the masked half:
// FLOPs counts what runs.
//
// Context parallelism gives a rank a part of each sequence's queries; keys and
// values go around the group in a ring beside the kernel, and backward so do
// they and their gradients (Liu et al. 2023, Ring Attention), with the parts
// dealt out so that the causal work is equal.
func (u *unfolder) attention(h headShape, causal, dropout, fusedDropout bool) {
	b, s := u.batch.Samples, u.batch.Sequence
	part := Quotient(s, u.batch.Context) // queries of a sequence
	batch := b * h.query
	rows := float64(batch) * float64(part)
	q, o := rows*float64(h.key), rows*float64(h.value)
	kv := float64(b*h.kv*s) * float64(h.key+h.value)
	own := kv * float64(part) / float64(s) // keys and values of the rank's tokens
	u.layer.CoreFrom = len(u.layer.Forward)
	before := u.layer.Activations
	defer func() {
		u.layer.CoreTo = len(u.layer.Forward)
		// The queries, keys and values that the core starts from are kept anyway.
		u.layer.CoreActivations = u.layer.Activations - before
		u.layer.Activations += int64(u.element * (q + own))
	}()
	var ring, ringBack []Operator
	if u.batch.Context > 1 {
		pass := u.exchange(collective.AllGather, ContextGroup, u.element*kv)
		pass.Beside = true
		back := u.exchange(collective.AllReduce, ContextGroup, u.element*kv)
		back.Beside = true
		ring, ringBack = []Operator{pass}, []Operator{back}
	}
	if u.batch.Attention != AttentionUnfused {
		flops := 2 * (q + o) * float64(s)
		if causal {
			flops /= 2
		}
		kernel := Operator{
			Name: "attention", Class: FlashAttention, Precision: wide(u.batch.Precision),
			Batch: batch, M: part, N: s, K: h.key,
			FLOPs: flops, Bytes: u.element*(q+o+kv) + 4*rows, Launches: 1,
		}
		if u.batch.Attention == AttentionFlash2 {
			kernel.Class = FlashAttention2
		}
		gradient := kernel
		gradient.Name = "attention gradient"
		gradient.FLOPs = 2.5 * flops
		gradient.Bytes = u.element*(2*q+2*o+2*kv) + 8*rows
		gradient.Launches = 2 // row sums of dO * O first
		u.add(append(ring, kernel), append(ringBack, gradient))
		u.layer.Activations += int64(4 * rows)
		return
	}

	scores := rows * float64(s)
	e := u.element
	u.add(
		append(ring, u.product("attention scores", Attention, batch, part, s, h.key)),
		[]Operator{
			u.product("attention scores query gradient", Attention, batch, part, h.key, s),
			u.product("attention scores key gradient", Attention, batch, s, h.key, part),
		})
	switch {
	case dropout && fusedDropout:
		u.pass("softmax and dropout", Elementwise,
			traffic{scores * (3*e + maskBytes), scores * (softmaxSlots + dropoutSlots), 1},
			traffic{scores * (3*e + maskBytes), scores * (softmaxGradientSlots + maskSlots), 1})
	case dropout:
		u.pass("softmax", Elementwise,
			traffic{scores * 2 * e, scores * softmaxSlots, 1},
			traffic{scores * 3 * e, scores * softmaxGradientSlots, 1})
		u.pass("attention dropout", Elementwise,
			traffic{scores * (2*e + maskBytes), scores * dropoutSlots, 1},
			traffic{scores * (2*e + maskBytes), scores * maskSlots, 1})
	default:
		u.pass("softmax", Elementwise,
			traffic{scores * 2 * e, scores * softmaxSlots, 1},
			traffic{scores * 3 * e, scores * softmaxGradientSlots, 1})
	}
	u.add(
		[]Operator{u.product("attention output", Attention, batch, part, h.value, s)},
		append(ringBack,
			u.product("attention output probability gradient", Attention, batch, part, s, h.value),
			u.product("attention output value gradient", Attention, batch, s, h.value, part),
		))
	kept := e // probabilities
	if dropout {
		kept += e + maskBytes // what the product with V read, and the mask
	}
	u.layer.Activations += int64(scores * kept)
}
