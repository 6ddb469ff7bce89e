package workload

import "fmt"

// speech unfolds an encoder and decoder of speech: Whisper (Radford et al. 2022,
// arXiv:2212.04356; github.com/openai/whisper, whisper/model.py). A sample is 30
// s of sound, a spectrogram of Mels bands at 2 Frames points of time. Two
// convolutions of 3 taps, the second with stride 2, make Frames rows of it;
// EncoderLayers blocks attend to all of them. Layers blocks of the decoder
// attend to the text before, then to the encoder's rows, and predict the next of
// Sequence tokens with the embedding table. Blocks normalise before each part;
// products have biases, those for keys none. The encoder's positions are fixed
// sinusoids and no parameters; the decoder's are learned.
//
// With B samples, F frames, s tokens, width h, ffn f, n bands, E and D layers and
// vocabulary V, products forward are
//
//	convolutions  2 B F (6 n h + 3 h^2)
//	encoder       E B F (8 h^2 + 4 h f + 4 F h)
//	decoder       D B (s (12 h^2 + 4 h f + 4 s h + 4 F h) + 4 F h^2)
//	head          2 B s V h
//
// Elementwise passes are those of the transformer family; there is no dropout,
// and the spectrogram is ready.
func (m Model) speech(b Batch) []Layer {
	sound, text := b, b
	sound.Sequence = m.Frames
	layers := make([]Layer, 0, m.EncoderLayers+m.Layers+4)

	layers = append(layers, m.speechStem(sound))
	block := m.speechEncoderBlock(sound)
	for i := range m.EncoderLayers {
		block.Name = fmt.Sprintf("encoder layer %d", i)
		layers = append(layers, block)
	}
	u := newUnfolder("encoder norm", sound)
	u.norm(b.Samples*m.Frames, m.Hidden, true)
	layers = append(layers, u.done())

	u = newUnfolder("embedding", text)
	u.layer.Parameters = (m.Vocab + m.Sequence) * m.Hidden
	u.embedding(b.Samples*b.Sequence, m.Hidden, m.Vocab)
	layers = append(layers, u.done())
	block = m.speechDecoderBlock(text)
	for i := range m.Layers {
		block.Name = fmt.Sprintf("decoder layer %d", i)
		layers = append(layers, block)
	}

	text.Precision = wide(b.Precision)
	u = newUnfolder("head", text)
	tokens := b.Samples * b.Sequence
	u.norm(tokens, m.Hidden, true)
	u.keep(tokens * m.Hidden)
	u.linear("logits", tokens, m.Vocab, m.Hidden)
	u.loss(tokens*m.Vocab, true)
	return append(layers, u.done())
}

// speechStem is the two convolutions, with GELU and biases.
func (m Model) speechStem(b Batch) Layer {
	b.Precision = wide(b.Precision)
	u := newUnfolder("stem", b)
	rows := b.Samples * m.Frames
	u.layer.Parameters = 2 * m.Hidden
	u.patches("convolution 1", m.Mels, m.Hidden, 3, 2*rows, 2*rows, true)
	u.gelu(2 * rows * m.Hidden)
	u.patches("convolution 2", m.Hidden, m.Hidden, 3, 2*rows, rows, false)
	u.gelu(rows * m.Hidden)
	u.pass("positions", Elementwise, u.moves(rows*m.Hidden, 2, 0, moveSlots), traffic{})
	return u.done()
}

func (m Model) speechEncoderBlock(b Batch) Layer {
	u := newUnfolder("", b)
	u.speechSelfAttention(m, false)
	u.speechFFN(m)
	return u.done()
}

func (m Model) speechDecoderBlock(b Batch) Layer {
	u := newUnfolder("", b)
	u.speechSelfAttention(m, true)

	tokens, rows := b.Samples*b.Sequence, b.Samples*m.Frames
	width, heads := tokens*m.Hidden, m.Heads*m.HeadDim
	u.residualFork(width)
	u.residualFork(rows * m.Hidden) // the gradients of all decoder layers meet in the encoder's rows
	u.norm(tokens, m.Hidden, true)
	u.keep(width)
	u.speechProjection("cross query", tokens, heads, m.Hidden, true)
	u.speechProjection("cross key", rows, heads, m.Hidden, false)
	u.speechProjection("cross value", rows, heads, m.Hidden, true)
	u.crossAttention(m)
	u.keep(tokens * heads)
	u.weights(heads, m.Hidden, true)
	u.linear("cross projection", tokens, m.Hidden, heads)
	u.join(width, true, false)

	u.speechFFN(m)
	return u.done()
}

// speechSelfAttention is the attention part of a block.
func (u *unfolder) speechSelfAttention(m Model, causal bool) {
	tokens := u.batch.Samples * u.batch.Sequence
	width, heads := tokens*m.Hidden, m.Heads*m.HeadDim
	u.residualFork(width)
	u.norm(tokens, m.Hidden, true)
	u.keep(width)
	u.speechProjection("query", tokens, heads, m.Hidden, true)
	u.speechProjection("key", tokens, heads, m.Hidden, false)
	u.speechProjection("value", tokens, heads, m.Hidden, true)
	u.attention(headShape{m.Heads, m.KVHeads, m.HeadDim, m.HeadDim}, causal, false, false)
	u.keep(tokens * heads)
	u.weights(heads, m.Hidden, true)
	u.linear("projection", tokens, m.Hidden, heads)
	u.join(width, true, false)
}

func (u *unfolder) speechProjection(name string, rows, n, k int64, bias bool) {
	u.weights(k, n, bias)
	u.linear(name, rows, n, k)
	if bias {
		u.biasGradient(rows * n)
	}
}

func (u *unfolder) speechFFN(m Model) {
	tokens := u.batch.Samples * u.batch.Sequence
	width := tokens * m.Hidden
	u.residualFork(width)
	u.norm(tokens, m.Hidden, true)
	u.keep(width)
	u.weights(m.Hidden, m.FFN, true)
	u.linear("up", tokens, m.FFN, m.Hidden)
	u.gelu(tokens * m.FFN)
	u.keep(tokens * m.FFN)
	u.weights(m.FFN, m.Hidden, true)
	u.linear("down", tokens, m.Hidden, m.FFN)
	u.join(width, true, false)
}

// crossAttention is the attention of the text's rows to the sound's: as
// [unfolder.attention], but with Frames keys for each query.
func (u *unfolder) crossAttention(m Model) {
	b, s, f, d := u.batch.Samples*m.Heads, u.batch.Sequence, m.Frames, m.HeadDim
	q, kv := float64(b*s*d), float64(b*f*d)
	if u.batch.Attention == AttentionFlash {
		statistics := 4 * float64(b*s)
		kernel := Operator{
			Name: "cross attention", Class: FlashAttention, Precision: wide(u.batch.Precision),
			Batch: b, M: s, N: f, K: d,
			FLOPs: 4 * q * float64(f), Bytes: u.element*(2*q+2*kv) + statistics, Launches: 1,
		}
		gradient := kernel
		gradient.Name += " gradient"
		gradient.FLOPs = 2.5 * kernel.FLOPs
		gradient.Bytes = u.element*(4*q+4*kv) + 2*statistics
		gradient.Launches = 2
		u.add([]Operator{kernel}, []Operator{gradient})
		u.layer.Activations += int64(u.element*(q+2*kv) + statistics)
		return
	}
	scores := float64(b*s) * float64(f)
	u.add(
		[]Operator{u.product("cross attention scores", Attention, b, s, f, d)},
		[]Operator{
			u.product("cross attention scores query gradient", Attention, b, s, d, f),
			u.product("cross attention scores key gradient", Attention, b, f, d, s),
		})
	u.pass("cross softmax", Elementwise,
		traffic{scores * 2 * u.element, scores * softmaxSlots, 1},
		traffic{scores * 3 * u.element, scores * softmaxGradientSlots, 1})
	u.add(
		[]Operator{u.product("cross attention output", Attention, b, s, d, f)},
		[]Operator{
			u.product("cross attention output probability gradient", Attention, b, s, f, d),
			u.product("cross attention output value gradient", Attention, b, f, d, s),
		})
	u.layer.Activations += int64(u.element * (scores + q + 2*kv))
}

// checkSpeech reports what is wrong with a model of family speech beside what a
// transformer would be refused for.
func (m Model) checkSpeech(bad func(format string, args ...any)) {
	d := m.WithDefaults()
	if d.Activation == ActivationSwiGLU || d.KVHeads != d.Heads {
		bad("the speech family has activation %q and as many kv_heads as heads", ActivationGELU)
	}
	positive(bad, "mels", []int64{d.Mels})
	positive(bad, "frames", []int64{d.Frames})
	positive(bad, "encoder_layers", []int64{d.EncoderLayers})
}
