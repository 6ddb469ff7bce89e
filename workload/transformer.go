package workload

import "fmt"

// decoder unfolds a causal language model with normalisation before each part
// (pre-LN): embedding, layers, head with cross-entropy loss over every
// position.
//
// Elementwise passes are those of Megatron-LM and its like, which fuse bias
// with GELU, and bias, dropout and residual addition, in one kernel each
// (Shoeybi et al. 2019, and its fused kernels since). Models with a table of
// positions and unfused attention train with dropout, as GPT-2 and GPT-3
// recipes of that time do; all others without.
func (m Model) decoder(b Batch) []Layer {
	dropout := b.Attention == AttentionUnfused && m.learned()
	layers := make([]Layer, 0, m.Layers+2)
	layers = append(layers, m.decoderEmbedding(b, dropout))
	block := m.decoderBlock(b, dropout)
	for i := range m.Layers {
		block.Name = fmt.Sprintf("layer %d", i)
		layers = append(layers, block)
	}
	return append(layers, m.decoderHead(b))
}

func (m Model) decoderEmbedding(b Batch, dropout bool) Layer {
	u := newUnfolder("embedding", b)
	tokens := b.Samples * b.Sequence
	u.embedding(tokens, m.Hidden, m.Vocab)
	u.layer.Parameters = m.Vocab * m.Hidden
	if m.learned() {
		u.layer.Parameters += m.Sequence * m.Hidden
	}
	if dropout {
		u.dropout(tokens * m.Hidden)
	}
	return u.done()
}

func (m Model) decoderBlock(b Batch, dropout bool) Layer {
	u := newUnfolder("", b)
	tokens := b.Samples * b.Sequence
	width := tokens * m.Hidden
	queries, keys := m.Heads*m.HeadDim, m.KVHeads*m.HeadDim
	bias := m.biased()

	u.residualFork(width)
	u.norm(tokens, m.Hidden, bias)
	u.keep(width) // input of the products
	u.weights(m.Hidden, queries+2*keys, bias)
	u.linear("qkv", tokens, queries+2*keys, m.Hidden)
	if m.rotary() {
		t := traffic{2 * u.element * float64(tokens*(queries+keys)), float64(tokens*(queries+keys)) * moveSlots, 1}
		u.pass("rotary", Elementwise, t, t)
	}
	if bias {
		u.biasGradient(tokens * (queries + 2*keys))
	}
	u.attention(m, true, dropout, false)
	if b.Attention == AttentionUnfused {
		u.copies("heads to rows", tokens*queries, 1)
	}
	u.keep(tokens * queries)
	u.weights(queries, m.Hidden, bias)
	u.linear("projection", tokens, m.Hidden, queries)
	u.join(width, bias, dropout)

	u.residualFork(width)
	u.norm(tokens, m.Hidden, bias)
	u.keep(width)
	inner := tokens * m.FFN
	if m.Activation == ActivationSwiGLU {
		u.weights(m.Hidden, 2*m.FFN, false)
		u.linear("gate and up", tokens, 2*m.FFN, m.Hidden)
		u.swiglu(inner)
	} else {
		u.weights(m.Hidden, m.FFN, bias)
		u.linear("up", tokens, m.FFN, m.Hidden)
		u.gelu(inner)
	}
	u.keep(inner)
	u.weights(m.FFN, m.Hidden, bias)
	u.linear("down", tokens, m.Hidden, m.FFN)
	u.join(width, bias, dropout)
	return u.done()
}

func (m Model) decoderHead(b Batch) Layer {
	b.Precision = wide(b.Precision)
	u := newUnfolder("head", b)
	tokens := b.Samples * b.Sequence
	u.norm(tokens, m.Hidden, m.biased())
	u.keep(tokens * m.Hidden)
	if !m.TiedEmbeddings {
		u.layer.Parameters += m.Vocab * m.Hidden
	}
	u.linear("logits", tokens, m.Vocab, m.Hidden)
	u.loss(tokens*m.Vocab, true)
	return u.done()
}

// The parts that transformer families share.

// weights counts a k x n matrix and its bias.
func (u *unfolder) weights(k, n int64, bias bool) {
	u.layer.Parameters += k * n
	if bias {
		u.layer.Parameters += n
	}
}

// keep counts n activations held until the backward pass.
func (u *unfolder) keep(n int64) { u.layer.Activations += n * int64(u.element) }

// moves is a pass over n elements: so many 16- or 32-bit accesses and mask
// accesses each.
func (u *unfolder) moves(n int64, accesses, masks, slots float64) traffic {
	return traffic{float64(n) * (accesses*u.element + masks*maskBytes), float64(n) * slots, 1}
}

// embedding gathers a row for each token; its gradient clears the table's
// gradient, then adds a row for each token.
func (u *unfolder) embedding(tokens, hidden, vocab int64) {
	forward := u.moves(tokens*hidden, 2, 0, moveSlots)
	backward := u.moves(tokens*hidden, 3, 0, moveSlots)
	backward.bytes += u.element * float64(vocab*hidden)
	backward.launches = 4 // clear, sort of the tokens, bounds of the runs, sums
	u.pass("embedding", Embedding, forward, backward)
}

// norm is one fused layer norm or RMS norm of rows of width n. The backward
// pass reads the output's gradient and the input twice, once for the input's
// gradient and once for the sums over rows that are the parameters' gradients.
func (u *unfolder) norm(rows, n int64, bias bool) {
	u.layer.Parameters += n
	if bias {
		u.layer.Parameters += n
	}
	u.keep(rows * n)
	backward := u.moves(rows*n, 5, 0, normGradientSlots)
	backward.launches = 2
	u.pass("norm", Elementwise, u.moves(rows*n, 2, 0, normSlots), backward)
}

// biasGradient sums the output's gradient over rows. The bias itself is added
// in the epilogue of the product or in the pass that follows.
func (u *unfolder) biasGradient(n int64) {
	u.pass("bias", Elementwise, traffic{}, u.moves(n, 1, 0, moveSlots))
}

// copies changes the layout of n elements, and of their gradient, so often.
func (u *unfolder) copies(name string, n int64, times float64) {
	t := u.moves(n, 2*times, 0, moveSlots*times)
	t.launches = int(times)
	u.pass(name, Elementwise, t, t)
}

func (u *unfolder) dropout(n int64) {
	u.layer.Activations += n * maskBytes
	u.pass("dropout", Elementwise, u.moves(n, 2, 1, dropoutSlots), u.moves(n, 2, 1, maskSlots))
}

// join adds bias, drops out and adds the residual stream, in one pass.
func (u *unfolder) join(n int64, bias, dropout bool) {
	if bias {
		u.biasGradient(n)
	}
	if dropout {
		u.layer.Activations += n * maskBytes
		u.pass("dropout and residual", Elementwise, u.moves(n, 3, 1, dropoutSlots), u.moves(n, 2, 1, maskSlots))
	} else {
		u.pass("residual", Elementwise, u.moves(n, 3, 0, moveSlots), traffic{})
	}
}

// residualFork is where the residual stream also enters a part: backward, the
// two gradients are summed.
func (u *unfolder) residualFork(n int64) {
	u.pass("residual fork", Elementwise, traffic{}, u.moves(n, 3, 0, moveSlots))
}

// gelu adds the bias and applies GELU to n elements.
func (u *unfolder) gelu(n int64) {
	u.keep(n)
	u.biasGradient(n)
	u.pass("gelu", Elementwise, u.moves(n, 2, 0, geluSlots), u.moves(n, 3, 0, geluGradientSlots))
}

// swiglu multiplies n up values by the SiLU of n gate values.
func (u *unfolder) swiglu(n int64) {
	u.keep(2 * n)
	u.pass("swiglu", Elementwise, u.moves(n, 3, 0, siluSlots), u.moves(n, 5, 0, siluGradientSlots))
}

// loss is softmax and cross entropy of n logits. Log-softmax reads its input
// twice (normaliser, then result) and writes; backward reads that and writes
// the gradient. In fp32 (the default of autocast and of the large-model
// frameworks) 16-bit logits are converted before and their gradient after.
func (u *unfolder) loss(n int64, fp32 bool) {
	forward, backward := u.moves(n, 3, 0, softmaxSlots), u.moves(n, 2, 0, softmaxGradientSlots)
	forward.launches, backward.launches = 2, 2
	kept := float64(n) * u.element
	if fp32 && u.element < 4 {
		forward.bytes = float64(n) * (u.element + 4 + 3*4)
		backward.bytes = float64(n) * (2*4 + 4 + u.element)
		forward.launches, backward.launches = 3, 3
		kept = float64(n) * 4
	}
	u.layer.Activations += int64(kept)
	u.pass("cross entropy", Loss, forward, backward)
}
