package workload

import (
	"testing"

	"github.com/railyard/railyard/topology"
)

var whisper = Model{Name: "whisper-large-v3", Family: FamilySpeech, Layers: 32, Hidden: 1280, Heads: 20, Mels: 128, Vocab: 51866}

// The checkpoint openai/whisper-large-v3 has 1,543,490,560 values, among them
// the encoder's 1500 x 1280 sinusoids, which are not trained.
func TestSpeechParameters(t *testing.T) {
	if err := whisper.Validate(); err != nil {
		t.Fatal(err)
	}
	if got, want := whisper.Parameters(), int64(1_543_490_560-1500*1280); got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
}

// The closed form of the doc comment, layer by layer.
func TestSpeechFLOPs(t *testing.T) {
	const b, f, s, h, n, v = 3., 1500., 448., 1280., 128., 51866.
	const ffn = 4 * h
	var forward, backward float64
	for _, l := range whisper.Unfold(Batch{Samples: b, Sequence: s, Precision: topology.BF16, Attention: AttentionUnfused}) {
		forward += products(l.Forward)
		backward += products(l.Backward)
	}
	first := 2 * b * f * 6 * n * h
	want := first + 2*b*f*3*h*h +
		32*b*f*(8*h*h+4*h*ffn+4*f*h) +
		32*b*(s*(12*h*h+4*h*ffn+4*s*h+4*f*h)+4*f*h*h) +
		2*b*s*v*h
	if forward != want {
		t.Errorf("%g FLOPs forward, want %g", forward, want)
	}
	if backward != 2*want-first { // the spectrogram needs no gradient
		t.Errorf("%g FLOPs backward, want %g", backward, 2*want-first)
	}
}

// Flash attention computes the same, the causal half of the text's left out.
func TestSpeechFlash(t *testing.T) {
	sum := func(attention string) (forward float64) {
		for _, l := range whisper.Unfold(Batch{Samples: 1, Sequence: 448, Precision: topology.BF16, Attention: attention}) {
			forward += products(l.Forward)
		}
		return forward
	}
	if got, want := sum(AttentionUnfused)-sum(AttentionFlash), 32*2*448.*448*1280; got != want {
		t.Errorf("flash attention saves %g FLOPs, want %g", got, want)
	}
}
