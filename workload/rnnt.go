package workload

import "fmt"

// rnnt unfolds a recurrent transducer (Graves 2012, arXiv:1211.3711; He et al. 2018,
// arXiv:1811.06621) as it recognizes speech, forward only. A sample is Sequence frames of
// Mels inputs. EncoderLayers layers of LSTM go over them, of which those after the first
// StackAfter see pairs of frames as one, so half as many. A prediction network of Layers
// LSTM goes over the symbols that have been found, of a vocabulary that includes the
// blank, and a joint network says for a frame and the latest symbol what comes next.
//
// An LSTM of width h over T steps and n inputs is, of B samples,
//
//	one product of B T x n by n x 4 h: the inputs of all steps
//	T times, one after the other, B x h by h x 4 h and the gates
//
// Decoding is greedy: after each symbol the prediction network goes on and the joint
// network looks at the same frame again, after a blank at the next. Taken is a symbol a
// frame: LibriSpeech has some 15 letters a second, and MLPerf's encoder 16.7 frames.
// Samples of a batch go frame by frame together. Left out: the search of beams, and
// features, which are ready.
func (m Model) rnnt(b Batch) []Layer {
	b.Precision = wide(b.Precision)
	b.Inference = true
	var layers []Layer
	inputs, frames := m.Mels, b.Sequence
	for i := range m.EncoderLayers {
		u := newUnfolder(fmt.Sprintf("encoder layer %d", i), b)
		u.lstm(frames, inputs, m.Hidden)
		if inputs = m.Hidden; m.StackAfter > 0 && i == m.StackAfter-1 {
			inputs, frames = 2*inputs, max(1, frames/2)
		}
		layers = append(layers, u.done())
	}

	u := newUnfolder("decoder", b)
	u.layer.Parameters += (m.Vocab - 1) * m.PredictionHidden
	u.weights(m.Hidden, m.JointHidden, true)
	u.linear("joint of the frames", b.Samples*frames, m.JointHidden, m.Hidden)
	u.weights(m.PredictionHidden, m.JointHidden, false)
	u.weights(m.JointHidden, m.Vocab, true)
	for range m.Layers {
		u.layer.Parameters += lstmParameters(m.PredictionHidden, m.PredictionHidden)
	}
	for range frames {
		u.embedding(b.Samples, m.PredictionHidden, m.Vocab)
		for range m.Layers {
			u.linear("prediction", b.Samples, 4*m.PredictionHidden, 2*m.PredictionHidden)
			u.gates(m.PredictionHidden)
		}
		u.linear("joint of the symbol", b.Samples, m.JointHidden, m.PredictionHidden)
		for range 2 { // the symbol, and the blank after it
			u.linear("logits", b.Samples, m.Vocab, m.JointHidden)
			u.pass("greatest", Elementwise, u.moves(b.Samples*m.Vocab, 1, 0, moveSlots), traffic{})
		}
	}
	return append(layers, u.done())
}

// lstm is a layer of so many steps.
func (u *unfolder) lstm(steps, inputs, hidden int64) {
	u.layer.Parameters += lstmParameters(inputs, hidden)
	u.linear("inputs", u.batch.Samples*steps, 4*hidden, inputs)
	for range steps {
		u.linear("recurrence", u.batch.Samples, 4*hidden, hidden)
		u.gates(hidden)
	}
}

// lstmParameters are those of a layer: two matrices, and two biases as cuDNN has them.
func lstmParameters(inputs, hidden int64) int64 { return 4 * hidden * (inputs + hidden + 2) }

// gates reads four gates from inputs and from the step before, and the cell; it writes
// cell and output.
func (u *unfolder) gates(hidden int64) {
	u.pass("gates", Elementwise, u.moves(u.batch.Samples*hidden, 4+4+1+2, 0, 5*siluSlots), traffic{})
}

// checkTransducer reports what is wrong with a model of family rnnt.
func (m Model) checkTransducer(bad func(format string, args ...any)) {
	for _, f := range []struct {
		key   string
		value int64
	}{
		{"encoder_layers", m.EncoderLayers},
		{"layers", m.Layers},
		{"hidden", m.Hidden},
		{"mels", m.Mels},
		{"prediction_hidden", m.PredictionHidden},
		{"joint_hidden", m.JointHidden},
		{"vocab", m.Vocab},
	} {
		positive(bad, f.key, []int64{f.value})
	}
	const most = 100 // each is as many operators as a sample has frames
	if m.EncoderLayers > most || m.Layers > most {
		bad("encoder_layers and layers may be %d, got %d and %d", most, m.EncoderLayers, m.Layers)
	}
	if m.StackAfter >= m.EncoderLayers && m.StackAfter > 0 {
		bad("stack_after %d must be below the %d encoder_layers", m.StackAfter, m.EncoderLayers)
	}
}
