package workload

import (
	"testing"

	"github.com/railyard/railyard/topology"
)

var rnnt = Model{
	Name: "rnnt", Family: FamilyRNNT, EncoderLayers: 5, StackAfter: 2, Hidden: 1024, Mels: 240,
	Layers: 2, PredictionHidden: 320, JointHidden: 512, Vocab: 29,
}

// The layers of MLPerf's reference (mlcommons/inference, speech_recognition/rnnt,
// pytorch/model_separable_rnnt.py), written out: LSTM of PyTorch have two matrices and two
// biases for each of four gates, the table has no row for the blank, and the joint network
// is a layer over both vectors, ReLU, and a layer to the 29 symbols.
func TestTransducer(t *testing.T) {
	if err := rnnt.Validate(); err != nil {
		t.Fatal(err)
	}
	lstm := func(inputs, hidden int64) int64 { return 4 * (hidden*inputs + hidden*hidden + 2*hidden) }
	want := lstm(240, 1024) + lstm(1024, 1024) + lstm(2048, 1024) + 2*lstm(1024, 1024) +
		28*320 + 2*lstm(320, 320) + (1024+320)*512 + 512 + 512*29 + 29
	if got := rnnt.Parameters(); got != want || got != 45_323_037 {
		t.Errorf("%d parameters, want %d", got, want)
	}

	// A frame of 30 ms meets each weight of the first two layers, every second one those
	// of all others; a pair of them the prediction network once and the joint network's
	// last layer twice.
	const samples, frames = 4, 100
	macs := float64(frames*4*1024*(240+1024+1024+1024)) +
		frames/2*float64(4*1024*(2048+1024+2*2048)+1024*512+2*4*320*640+320*512+2*512*29)
	var got float64
	for _, l := range rnnt.Unfold(Batch{Samples: samples, Sequence: frames, Precision: topology.FP16}) {
		got += products(l.Forward)
		if len(l.Backward) > 0 {
			t.Errorf("%s has a backward pass", l.Name)
		}
	}
	if got != 2*samples*macs {
		t.Errorf("%g FLOPs, want %g", got, 2*samples*macs)
	}

	training := Training{Model: rnnt, MicroBatch: 1, GlobalBatch: 1, Data: 1, Sequence: frames}
	if err := training.Validate(); err == nil {
		t.Error("it trains")
	}
	for _, bad := range []Model{
		{Family: FamilyRNNT},
		{Family: FamilyRNNT, EncoderLayers: 2, StackAfter: 2, Hidden: 8, Mels: 8, Layers: 1, PredictionHidden: 8, JointHidden: 8, Vocab: 8},
		{Family: FamilyRNNT, EncoderLayers: 1000, Hidden: 8, Mels: 8, Layers: 1, PredictionHidden: 8, JointHidden: 8, Vocab: 8},
	} {
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// A forward pass that only answers has the products of the one that trains, less those of
// heads that only training has, and none of what only a gradient wants.
func TestInference(t *testing.T) {
	bert := Model{Family: FamilyBERT, Layers: 24, Hidden: 1024, Heads: 16, Vocab: 30522}
	resnet := Model{Family: FamilyConvnet, Layers: 50}
	for _, m := range []Model{resnet, dlrm, unet3D, bert} {
		b := Batch{Samples: 2, Sequence: 128, Precision: topology.FP16}
		train, answer, bytes, less := 0.0, 0.0, 0.0, 0.0
		for _, l := range m.Unfold(b) {
			train += products(l.Forward)
			for _, o := range l.Forward {
				bytes += o.Bytes
			}
		}
		b.Inference = true
		parameters := int64(0)
		for _, l := range m.Unfold(b) {
			answer += products(l.Forward)
			parameters += l.Parameters + l.ShardedParameters
			if len(l.Backward) > 0 {
				t.Errorf("%s: %s has a backward pass", m.Family, l.Name)
			}
			for _, o := range l.Forward {
				if bytes -= o.Bytes; o.Class == Loss {
					t.Errorf("%s: %s has a loss", m.Family, l.Name)
				}
			}
		}
		if m.Family == FamilyBERT { // predicts no masked words: 20 positions of 2 samples
			less = 2 * 2 * 20 * (1024*1024 + 1024*30522)
			// transformers' BertForSequenceClassification of two classes.
			if parameters != 335_143_938 {
				t.Errorf("%d parameters to classify with", parameters)
			}
		}
		if answer != train-less {
			t.Errorf("%s: %g FLOPs, %g of training", m.Family, answer, train-less)
		}
		if bytes <= 0 {
			t.Errorf("%s moves as much as in training", m.Family)
		}
	}
	// 4.09 billion multiply-adds an image, and torchvision's parameters.
	var macs float64
	var parameters int64
	for _, l := range resnet.Unfold(Batch{Samples: 1, Precision: topology.FP16, Inference: true}) {
		macs += products(l.Forward) / 2
		parameters += l.Parameters
	}
	if macs < 4.08e9 || macs > 4.10e9 || parameters != 25_557_032 {
		t.Errorf("%g multiply-adds, %d parameters", macs, parameters)
	}
}
