package workload

import "github.com/railyard/railyard/collective"

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
	block := m.decoderBlock(b, dropout, false, false)
	dense := block
	if m.DenseLayers > 0 {
		dense = m.decoderBlock(b, dropout, true, false)
	}
	for i := range m.Layers {
		l := block
		if i < m.DenseLayers {
			l = dense
		}
		if i == 0 && b.LoRARank > 0 {
			l = m.decoderBlock(b, dropout, m.DenseLayers > 0, true)
		}
		layers = append(layers, l)
	}
	return append(layers, m.decoderHead(b))
}

func (m Model) decoderEmbedding(b Batch, dropout bool) Layer {
	u := newUnfolder("embedding", b)
	u.unwanted = b.LoRARank > 0
	u.vocabulary(m)
	if m.learned() {
		u.layer.Parameters += m.Sequence * m.Hidden
	}
	if dropout {
		u.dropout(b.shared() * m.Hidden)
	}
	return u.done()
}

// vocabulary looks tokens up in a table that the tensor-parallel ranks share by
// rows: each finds some, and their sum is the embedding.
func (u *unfolder) vocabulary(m Model) {
	b := u.batch
	rows := b.part(m.Vocab)
	u.layer.Parameters = rows * m.Hidden
	u.embedding(b.tokens(), m.Hidden, rows)
	if b.Tensor == 1 {
		return
	}
	bytes := float64(b.tokens()*m.Hidden) * u.element
	if b.SequenceParallel {
		u.add([]Operator{u.exchange(collective.ReduceScatter, TensorGroup, bytes)},
			[]Operator{u.exchange(collective.AllGather, TensorGroup, bytes)})
		return
	}
	u.add([]Operator{u.exchange(collective.AllReduce, TensorGroup, bytes)}, nil)
}

// decoderBlock is a layer; dense has no experts, and before the first nothing is
// trained.
func (m Model) decoderBlock(b Batch, dropout, dense, first bool) Layer {
	u := newUnfolder("layer", b)
	u.adapt(first)
	shared := b.shared()
	bias := m.biased()
	u.layer.Input = shared * m.Hidden * int64(u.element)

	u.fromInput(func() {
		u.residualFork(shared * m.Hidden)
		u.norm(shared, m.Hidden, bias)
	})
	if m.KVRank > 0 {
		u.latentAttention(m, dropout)
	} else {
		u.selfAttention(m, dropout)
	}
	u.join(shared*m.Hidden, bias, dropout)

	u.residualFork(shared * m.Hidden)
	u.norm(shared, m.Hidden, bias)
	if m.Experts > 0 && !dense {
		u.experts(m)
	} else {
		u.feedForward(m, m.FFN)
	}
	u.join(shared*m.Hidden, bias, dropout)
	return u.done()
}

// selfAttention is multi-head, grouped-query or multi-query attention with its
// two products.
func (u *unfolder) selfAttention(m Model, dropout bool) {
	b := u.batch
	tokens, bias := b.tokens(), m.biased()
	queries, keys := b.part(m.Heads)*m.HeadDim, b.part(m.KVHeads)*m.HeadDim
	u.keep(b.shared() * m.Hidden)
	u.weights(m.Hidden, queries+2*keys, bias)
	u.fromInput(func() { u.columns("qkv", 1, tokens, m.Hidden, queries, keys, keys) })
	if m.rotary() {
		u.rotate(tokens * (queries + keys))
	}
	if bias {
		u.biasGradient(tokens * (queries + 2*keys))
	}
	u.attention(headShape{b.part(m.Heads), b.part(m.KVHeads), m.HeadDim, m.HeadDim}, true, dropout, false)
	if b.Attention == AttentionUnfused {
		u.copies("heads to rows", tokens*queries, 1)
	}
	u.keep(tokens * queries)
	u.weights(queries, m.Hidden, bias)
	u.rows("projection", 1, tokens, m.Hidden, queries)
}

// latentAttention is multi-head latent attention (DeepSeek-AI 2024,
// arXiv:2405.04434, section 2.1): queries, and keys with values, come from
// narrow latent vectors by an up-projection each; of a query's and a key's width
// a part is rotated, and the key's rotated part is shared by all heads. The
// narrow products are the same on all tensor-parallel ranks.
func (u *unfolder) latentAttention(m Model, dropout bool) {
	b := u.batch
	tokens, shared := b.tokens(), b.shared()
	n := b.part(m.Heads)
	queries, values := n*(m.HeadDim+m.RotaryDim), n*m.ValueDim
	u.keep(shared * m.Hidden)
	width := m.Hidden // of what the queries are projected from
	if m.QueryRank > 0 {
		u.weights(m.Hidden, m.QueryRank, false)
		u.fromInput(func() { u.linear("query down", shared, m.QueryRank, m.Hidden) })
		u.norm(shared, m.QueryRank, false)
		u.keep(shared * m.QueryRank)
		width = m.QueryRank
	}
	u.weights(m.Hidden, m.KVRank+m.RotaryDim, false)
	u.fromInput(func() { u.linear("key and value down", shared, m.KVRank+m.RotaryDim, m.Hidden) })
	u.norm(shared, m.KVRank, false)
	u.weights(width, queries, false)
	up := func() { u.columns("query up", 1, tokens, width, queries) }
	if m.QueryRank > 0 {
		up()
	} else {
		u.fromInput(up)
	}
	u.keep(shared * m.KVRank)
	u.weights(m.KVRank, n*(m.HeadDim+m.ValueDim), false)
	u.columns("key and value up", 1, tokens, m.KVRank, n*(m.HeadDim+m.ValueDim))
	u.rotate(tokens * (n + 1) * m.RotaryDim)
	u.attention(headShape{n, n, m.HeadDim + m.RotaryDim, m.ValueDim}, true, dropout, false)
	u.keep(tokens * values)
	u.weights(values, m.Hidden, false)
	u.rows("projection", 1, tokens, m.Hidden, values)
}

// rotate turns n elements of queries and keys by their positions: in place in a
// fused kernel, as complex numbers of FP32 where passes run one by one (Llama's
// reference code: conversion, product, conversion back).
func (u *unfolder) rotate(n int64) {
	t := u.moves(n, 2, 0, moveSlots)
	if u.batch.Eager {
		t = traffic{float64(n) * (2*u.element + 4*4), 3 * moveSlots * float64(n), 3}
	}
	u.pass("rotary", Elementwise, t, t)
}

// feedForward is the dense feed-forward part of inner width ffn.
func (u *unfolder) feedForward(m Model, ffn int64) {
	b := u.batch
	tokens, width := b.tokens(), b.part(ffn)
	u.keep(b.shared() * m.Hidden)
	if m.Activation == ActivationSwiGLU {
		u.weights(m.Hidden, 2*width, false)
		u.columns("gate and up", 1, tokens, m.Hidden, width, width)
		u.swiglu(tokens * width)
	} else {
		u.weights(m.Hidden, width, m.biased())
		u.columns("up", 1, tokens, m.Hidden, width)
		u.gelu(tokens * width)
	}
	u.keep(tokens * width)
	u.weights(width, m.Hidden, m.biased())
	u.rows("down", 1, tokens, m.Hidden, width)
}

func (m Model) decoderHead(b Batch) Layer {
	b.Precision = wide(b.Precision)
	u := newUnfolder("head", b)
	shared, vocab := b.shared(), b.part(m.Vocab)
	u.norm(shared, m.Hidden, m.biased())
	if b.LoRARank == 0 { // the gradient of the weights needs the input
		u.keep(shared * m.Hidden)
	}
	if !m.TiedEmbeddings {
		u.layer.Parameters += vocab * m.Hidden
	}
	u.columns("logits", 1, b.tokens(), m.Hidden, vocab)
	u.loss(b.tokens()*vocab, true)
	if b.Tensor > 1 { // the greatest logit, the right one and the sum of exponentials
		sum := u.exchange(collective.AllReduce, TensorGroup, 4*float64(b.tokens()))
		u.add([]Operator{sum, sum, sum}, nil)
	}
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
func (u *unfolder) keep(n int64) {
	if !u.unwanted {
		u.layer.Activations += n * int64(u.element)
	}
}

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
// gradient and once for the sums over rows that are the parameters' gradients,
// which frozen ones have none of.
func (u *unfolder) norm(rows, n int64, bias bool) {
	u.layer.Parameters += n
	if bias {
		u.layer.Parameters += n
	}
	u.keep(rows * n)
	backward := u.moves(rows*n, 5, 0, normGradientSlots)
	backward.launches = 2
	if u.batch.LoRARank > 0 {
		backward = u.moves(rows*n, 3, 0, normGradientSlots)
	}
	u.pass("norm", Elementwise, u.moves(rows*n, 2, 0, normSlots), backward)
}

// biasGradient sums the output's gradient over rows. The bias itself is added
// in the epilogue of the product or in the pass that follows. A frozen one has
// none.
func (u *unfolder) biasGradient(n int64) {
	if u.batch.LoRARank > 0 {
		return
	}
	u.pass("bias", Elementwise, traffic{}, u.moves(n, 1, 0, moveSlots))
}

// copies changes the layout of n elements, and of their gradient, so often.
func (u *unfolder) copies(name string, n int64, times float64) {
	t := u.moves(n, 2*times, 0, moveSlots*times)
	t.launches = int(times)
	u.pass(name, Elementwise, t, t)
}

func (u *unfolder) dropout(n int64) {
	if u.batch.Inference {
		return
	}
	if !u.unwanted {
		u.layer.Activations += n * maskBytes
	}
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
	if u.batch.Inference {
		return
	}
	u.pass("gelu", Elementwise, u.moves(n, 2, 0, geluSlots), u.moves(n, 3, 0, geluGradientSlots))
}

// swiglu multiplies n up values by the SiLU of n gate values, in one kernel each
// way or, where passes run one by one, in two forward and three backward.
func (u *unfolder) swiglu(n int64) {
	u.keep(2 * n)
	forward, backward := u.moves(n, 3, 0, siluSlots), u.moves(n, 5, 0, siluGradientSlots)
	if u.batch.Eager {
		u.keep(n) // the SiLU
		forward, backward = u.moves(n, 5, 0, siluSlots+moveSlots), u.moves(n, 9, 0, siluGradientSlots+2*moveSlots)
		forward.launches, backward.launches = 2, 3
	}
	u.pass("swiglu", Elementwise, forward, backward)
}

// loss is softmax and cross entropy of n logits. Log-softmax reads its input
// twice (normaliser, then result) and writes; backward reads that and writes
// the gradient. In fp32 (the default of autocast and of the large-model
// frameworks) 16-bit logits are converted before and their gradient after.
func (u *unfolder) loss(n int64, fp32 bool) {
	if u.batch.Inference {
		return
	}
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
