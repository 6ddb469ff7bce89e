package workload

import (
	"math"
	"strings"
	"testing"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
)

// What leaves a replica, in closed form. Lin et al. 2018: with a density of 0.1 % in
// FP32 a 1/1000 of the values with as large indices, 500 times less. Dettmers 2016:
// a fourth of FP32.
func TestCompressed(t *testing.T) {
	const n, replicas = 2048 * 1000, 64
	for _, c := range []struct {
		compression string
		density     float64
		p           topology.Precision
		want        int64
		op          collective.Op
		sum         float64
	}{
		{CompressionNone, 0, topology.BF16, 4 * n, collective.AllReduce, 4 * n},
		{CompressionTopK, 0.001, topology.FP32, 8 * n / 1000, collective.AllGather, replicas * 8 * n / 1000},
		{CompressionTopK, 0, topology.FP16, 6 * n / 100, collective.AllGather, replicas * 6 * n / 100},
		{Compression8Bit, 0, topology.FP32, n + 4*1000, collective.AllReduce, n + 4*1000},
	} {
		tr := Training{Model: gpt3, GlobalBatch: replicas, Data: replicas, Precision: c.p, GradientCompression: c.compression, GradientDensity: c.density}
		if err := tr.Validate(); err != nil {
			t.Fatal(err)
		}
		if got := tr.Compressed(n); got != c.want {
			t.Errorf("%s, density %v: %d bytes, want %d", c.compression, c.density, got, c.want)
		}
		if op, bytes := tr.Summed(n, replicas); op != c.op || bytes != c.sum {
			t.Errorf("%s, density %v: %v of %v bytes, want %v of %v", c.compression, c.density, op, bytes, c.op, c.sum)
		}
		if got := tr.Compressed(0); got != 0 {
			t.Errorf("%s: nothing takes %d bytes", c.compression, got)
		}
	}
}

// Traffic of the passes in FP32, per gradient.
func TestCompressionPasses(t *testing.T) {
	const n, replicas = 1000, 8
	tr := Training{Model: gpt3, GlobalBatch: replicas, Data: replicas, Precision: topology.FP32}
	for _, c := range []struct {
		compression   string
		zero          int
		before, after float64
	}{
		{CompressionTopK, 0, 16 + 0.01*(8+32), 4 + 8*0.01*(8+64)},
		{Compression8Bit, 0, 9, 2 + 1./8 + 4},
		{Compression8Bit, 1, 9, 1 + 4./8},
	} {
		tr.GradientCompression, tr.Zero, tr.SequenceParallel = c.compression, c.zero, true
		if got := tr.Compress(n).Bytes / n; math.Abs(got-c.before) > 1e-9 {
			t.Errorf("%s, zero %d: %v bytes before, want %v", c.compression, c.zero, got, c.before)
		}
		if got := tr.Decompress(n, replicas).Bytes / n; math.Abs(got-c.after) > 1e-9 {
			t.Errorf("%s, zero %d: %v bytes after, want %v", c.compression, c.zero, got, c.after)
		}
	}
}

// Top-k keeps what it has not sent, of all gradients.
func TestMemoryOfTopK(t *testing.T) {
	tr := Training{Model: gpt3, GlobalBatch: 8, Data: 8, Precision: topology.BF16}
	plain := tr.Memory().Gradients
	tr.GradientCompression = CompressionTopK
	if got := tr.Memory().Gradients; got != 2*plain {
		t.Errorf("%d bytes, want twice %d", got, plain)
	}
	tr.GradientCompression = Compression8Bit
	if got := tr.Memory().Gradients; got != plain {
		t.Errorf("8-bit: %d bytes, want %d", got, plain)
	}
}

func TestCompressionValidate(t *testing.T) {
	for want, change := range map[string]func(*Training){
		`gradient_compression "1-bit" is unknown: "none", "top-k" or "8-bit"`:       func(t *Training) { t.GradientCompression = "1-bit" },
		`gradient_compression "8-bit": with zero = 2 gradients are reduced as they`: func(t *Training) { t.GradientCompression, t.Zero = Compression8Bit, 2 },
		`gradient_density 0.1 belongs to gradient_compression = "top-k"`:            func(t *Training) { t.GradientDensity = 0.1 },
		"gradient_density must be more than 0 and at most 1, got 2":                 func(t *Training) { t.GradientCompression, t.GradientDensity = CompressionTopK, 2 },
		"gradient_density must be more than 0 and at most 1, got NaN":               func(t *Training) { t.GradientCompression, t.GradientDensity = CompressionTopK, math.NaN() },
	} {
		tr := Training{Model: gpt3, GlobalBatch: 8, Precision: topology.BF16}
		change(&tr)
		if err := tr.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
