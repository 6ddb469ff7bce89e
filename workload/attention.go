package workload

// attention adds softmax(Q K^T / sqrt(d)) V for heads query heads over samples
// sequences. Both kinds compute the same result from the same operands.
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
func (u *unfolder) attention(m Model, causal, dropout, fusedDropout bool) {
	b, s, d := u.batch.Samples, u.batch.Sequence, m.HeadDim
	batch := b * m.Heads
	rows := float64(batch) * float64(s)
	if u.batch.Attention == AttentionFlash {
		q := rows * float64(d)
		kv := q * float64(m.KVHeads) / float64(m.Heads)
		flops := 4 * q * float64(s)
		if causal {
			flops /= 2
		}
		kernel := Operator{
			Name: "attention", Class: FlashAttention, Precision: wide(u.batch.Precision),
			Batch: batch, M: s, N: s, K: d,
			FLOPs: flops, Bytes: u.element*(2*q+2*kv) + 4*rows, Launches: 1,
		}
		gradient := kernel
		gradient.Name = "attention gradient"
		gradient.FLOPs = 2.5 * flops
		gradient.Bytes = u.element*(4*q+4*kv) + 8*rows
		gradient.Launches = 2 // row sums of dO * O first
		u.add([]Operator{kernel}, []Operator{gradient})
		u.layer.Activations += int64(u.element*(q+2*kv) + 4*rows)
		return
	}

	scores := rows * float64(s)
	e := u.element
	u.add(
		[]Operator{u.product("attention scores", Attention, batch, s, s, d)},
		[]Operator{
			u.product("attention scores query gradient", Attention, batch, s, d, s),
			u.product("attention scores key gradient", Attention, batch, s, d, s),
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
		[]Operator{u.product("attention output", Attention, batch, s, d, s)},
		[]Operator{
			u.product("attention output probability gradient", Attention, batch, s, s, d),
			u.product("attention output value gradient", Attention, batch, s, d, s),
		})
	kept := e // probabilities
	if dropout {
		kept += e + maskBytes // what the product with V read, and the mask
	}
	q := rows * float64(d)
	u.layer.Activations += int64(scores*kept + e*q*(1+2*float64(m.KVHeads)/float64(m.Heads)))
}
