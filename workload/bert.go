package workload

// MaskedPositions is how many positions of a sequence BERT predicts: 15 %
// (Devlin et al. 2019), rounded up to a multiple of 4 as the recipes of
// NVIDIA DeepLearningExamples do: 20 of 128, 80 of 512.
func MaskedPositions(sequence int64) int64 {
	masked := (sequence*15 + 99) / 100
	return min((masked+3)/4*4, sequence)
}

// bert unfolds an encoder with normalisation after each part (post-LN), a
// masked-LM head on [MaskedPositions] and a next-sentence head.
//
// Elementwise passes are those of NVIDIA DeepLearningExamples' BERT for
// PyTorch as published for 21.11, which compiles the model with TorchScript
// and nvFuser (run_pretraining.py: torch.jit.script, _jit_set_nvfuser_enabled;
// modeling.py): query, key and value are three products, whose results are
// copied to a layout by heads; division, mask, softmax and dropout are one
// kernel; the norm is written out as a formula, which the compiler
// differentiates step by step, keeping the results between the steps
// ([unfolder.scriptedNorm]).
func (m Model) bert(b Batch) []Layer {
	layers := make([]Layer, 0, m.Layers+2)
	layers = append(layers, m.bertEmbedding(b))
	block := m.bertBlock(b, false)
	for i := range m.Layers {
		l := block
		if i == 0 && b.LoRARank > 0 {
			l = m.bertBlock(b, true)
		}
		layers = append(layers, l)
	}
	return append(layers, m.bertHead(b))
}

func (m Model) bertEmbedding(b Batch) Layer {
	u := newUnfolder("embedding", b)
	u.unwanted = b.LoRARank > 0
	tokens, shared := b.tokens(), b.shared()
	u.vocabulary(m)
	u.layer.Parameters += (m.Sequence + bertTypes) * m.Hidden
	u.embedding(tokens, m.Hidden, m.Sequence)
	u.embedding(tokens, m.Hidden, bertTypes)
	u.scriptedNorm(shared, m.Hidden, 3)
	u.dropout(shared * m.Hidden)
	return u.done()
}

// bertBlock is a layer; before the first nothing is trained.
func (m Model) bertBlock(b Batch, first bool) Layer {
	u := newUnfolder("layer", b)
	u.adapt(first)
	tokens := b.tokens()
	shared, inner := b.shared()*m.Hidden, tokens*b.part(m.FFN)
	width := b.part(m.Heads) * m.HeadDim
	u.layer.Input = shared * int64(u.element)

	u.keep(shared)
	u.fromInput(func() {
		for range 3 { // the gradients of three products and of the residual meet
			u.residualFork(shared)
		}
	})
	for _, name := range []string{"query", "key", "value"} {
		u.weights(m.Hidden, width, true)
		u.fromInput(func() { u.columns(name, 1, tokens, m.Hidden, width) })
		u.biasGradient(tokens * width)
		u.layout(name+" to heads", tokens*width)
	}
	u.attention(headShape{b.part(m.Heads), b.part(m.Heads), m.HeadDim, m.HeadDim}, false, true, true)
	u.layout("heads to rows", tokens*width)
	u.keep(tokens * width)
	u.weights(width, m.Hidden, true)
	u.rows("projection", 1, tokens, m.Hidden, width)
	u.biasGradient(shared)
	u.dropoutNorm(b.shared(), m.Hidden)

	u.residualFork(shared)
	u.keep(shared)
	u.weights(m.Hidden, b.part(m.FFN), true)
	u.columns("up", 1, tokens, m.Hidden, b.part(m.FFN))
	u.gelu(inner)
	u.keep(inner)
	u.weights(b.part(m.FFN), m.Hidden, true)
	u.rows("down", 1, tokens, m.Hidden, b.part(m.FFN))
	u.biasGradient(shared)
	u.dropoutNorm(b.shared(), m.Hidden)
	return u.done()
}

func (m Model) bertHead(b Batch) Layer {
	b.Precision = wide(b.Precision)
	u := newUnfolder("head", b)
	masked, vocab := b.Samples*MaskedPositions(b.Sequence), b.part(m.Vocab)

	// Next sentence: the first position through a tanh layer to two classes.
	u.weights(m.Hidden, m.Hidden, true)
	u.linear("pooler", b.Samples, m.Hidden, m.Hidden)
	u.pass("tanh", Elementwise, u.moves(b.Samples*m.Hidden, 2, 0, siluSlots), u.moves(b.Samples*m.Hidden, 3, 0, siluGradientSlots))
	u.weights(m.Hidden, 2, true)
	u.linear("next sentence", b.Samples, 2, m.Hidden)
	if b.Inference { // which classifies
		return u.done()
	}

	// Masked LM: gather the masked rows, transform, project on the vocabulary
	// with the embedding table.
	u.embedding(masked, m.Hidden, b.tokens()) // rows of the last layer
	u.keep(masked * m.Hidden)
	u.weights(m.Hidden, m.Hidden, true)
	u.linear("transform", masked, m.Hidden, m.Hidden)
	u.gelu(masked * m.Hidden)
	u.scriptedNorm(masked, m.Hidden, 1)
	u.keep(masked * m.Hidden)
	u.layer.Parameters += vocab // the decoder's bias
	u.columns("logits", 1, masked, m.Hidden, vocab)
	u.biasGradient(masked * vocab)
	u.loss(masked*vocab, false)
	return u.done()
}

// dropoutNorm is norm(residual + dropout(x + bias)).
func (u *unfolder) dropoutNorm(rows, n int64) {
	u.layer.Activations += rows * n * maskBytes
	u.pass("dropout", Elementwise,
		traffic{}, // in the norm's kernel
		u.moves(rows*n, 2, 1, maskSlots))
	u.scriptedNorm(rows, n, 2)
	if u.batch.Inference {
		return
	}
	f := &u.layer.Forward[len(u.layer.Forward)-1]
	f.Name = "dropout, residual and norm"
	f.Bytes += float64(rows*n) * maskBytes
	f.FLOPs += 2 * float64(rows*n) * (dropoutSlots - moveSlots)
}

// scriptedNorm is a layer norm of the sum of so many inputs, written out as
// (x - mean) / sqrt(variance + eps) * weight + bias and compiled: one kernel
// each way, but the backward one finds what the steps of the formula kept, so
// the forward one writes three tensors (the centred and the normalised input
// and the result), and the backward one reads the output's gradient and those
// and writes the input's gradient, beside the two sums over rows.
func (u *unfolder) scriptedNorm(rows, n int64, inputs float64) {
	u.layer.Parameters += 2 * n
	u.keep(2 * rows * n)
	backward := u.moves(rows*n, 7, 0, normGradientSlots)
	backward.launches = 3
	if u.batch.LoRARank > 0 { // no sums over rows
		backward = u.moves(rows*n, 4, 0, normGradientSlots)
	}
	results := 3.0
	if u.batch.Inference {
		results = 1
	}
	u.pass("norm", Elementwise, u.moves(rows*n, inputs+results, 0, normSlots), backward)
}

// layout is a copy of n elements to another order of dimensions.
func (u *unfolder) layout(name string, n int64) {
	if !u.batch.Inference {
		u.copies(name, n, 1)
	}
}
