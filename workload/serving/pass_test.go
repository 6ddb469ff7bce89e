package serving_test

import (
	"math"
	"testing"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
	"github.com/railyard/railyard/workload/serving"
)

var (
	a100 = &topology.Accelerator{Peak: [topology.NumPrecisions]units.Compute{topology.BF16: 312e12, topology.FP16: 312e12, topology.INT8: 624e12}}
	bert = workload.Model{Family: workload.FamilyBERT, Layers: 24, Hidden: 1024, Heads: 16, Vocab: 30522}
	rank = workload.Model{
		Family: workload.FamilyDLRM, DenseFeatures: 13, EmbeddingDim: 128, BottomMLP: []int64{128}, TopMLP: []int64{1},
		Rows: []int64{1e6, 1e6, 1e6}, Lookups: []int64{1, 2, 3},
	}
)

func format(name string) serving.Format {
	f, _ := serving.ParseFormat(name)
	return f
}

// Padded, three texts are three of the longest; else three of the mean, 200, whose
// attention has the mean of the squares: (100^2 + 200^2 + 300^2) / 3 = 1.1667 x 200^2.
// Candidates to rank are so many samples.
func TestShape(t *testing.T) {
	lengths := []int{100, 200, 300}
	for _, c := range []struct {
		m               workload.Model
		padded          bool
		samples, length int
		attention       float64
	}{
		{bert, true, 3, 300, 1},
		{bert, false, 3, 200, 140_000. / 3 / 40_000},
		{rank, true, 600, 1, 1},
	} {
		samples, length, attention := serving.NewPass(c.m, a100, format("none")).Shape(lengths, c.padded)
		if samples != c.samples || length != c.length || math.Abs(attention-c.attention) > 1e-12 {
			t.Errorf("%s, padded %v: %d of %d, attention %v", c.m.Family, c.padded, samples, length, attention)
		}
	}
}

// Eight bits halve what moves and what is kept; where the accelerator has no such
// products (A100 has none in FP8) only weights get narrower. Six rows of 128 values for
// each of ten candidates, an index each, and three vectors.
func TestPassFormats(t *testing.T) {
	sum := func(p *serving.Pass, samples, length int, class workload.Class) (bytes float64) {
		for _, o := range p.Operators(samples, length) {
			if o.Class == class {
				bytes += o.Bytes
			}
		}
		return bytes
	}
	wide, narrow, weights := serving.NewPass(bert, a100, format("none")), serving.NewPass(bert, a100, format("int8")), serving.NewPass(bert, a100, format("fp8"))
	if w, n := sum(wide, 8, 128, workload.Matrix), sum(narrow, 8, 128, workload.Matrix); n != w/2 {
		t.Errorf("products move %g and %g bytes", w, n)
	}
	matrices := 24*12*1024*1024 + 1024*1024 + 2*1024 // of the layers, the pooler, the classes
	if w, n := sum(wide, 8, 128, workload.Matrix), sum(weights, 8, 128, workload.Matrix); w-n != float64(matrices) {
		t.Errorf("narrow weights save %g bytes, want %d", w-n, matrices)
	}
	if w, n := wide.WeightBytes(), narrow.WeightBytes(); w != 2*335_143_938 || n != 335_143_938 {
		t.Errorf("weights take %g and %g bytes", w, n)
	}
	if got, want := sum(serving.NewPass(rank, a100, format("none")), 10, 1, workload.Embedding), 10*(6*(128*2+8)+3*128*2.); got != want {
		t.Errorf("look-ups read %g bytes, want %g", got, want)
	}
	if got := serving.NewPass(bert, a100, format("int8").TwoOfFour()).WeightBytes(); got != 335_143_938*(0.5+1./8) {
		t.Errorf("sparse weights take %g bytes", got)
	}
}

func TestPassValidate(t *testing.T) {
	p := serving.NewPass(rank, a100, format("none"))
	for _, c := range []struct {
		name              string
		requests, longest int
		memory            float64
		holds             bool
	}{
		{"as it should be", 10, 100, 80e9, true},
		{"too many candidates", 4096, 1 << 10, 80e9, false},
		{"no room", 10, 100, 700e6, false}, // 3 million rows of 256 bytes
		{"no requests", 10, 0, 80e9, true},
	} {
		if err := p.Validate(c.requests, c.longest, c.memory); (err == nil) != c.holds {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if n := serving.NewPass(bert, a100, format("none")).Longest(); n != 512 {
		t.Errorf("texts of %d tokens, BERT has 512 positions", n)
	}
}
