package study_test

import (
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/internal/lab"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/study"
)

func estimate(t *testing.T, toml string, set ...string) *result.Record {
	t.Helper()
	s, err := lab.Load(t, toml, nil, set...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := study.Estimate(t.Context(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Llama 2 7B on two DGX H100, by hand: 16 x 989.4 TFLOPS, 6,738,415,616 parameters, 10
// iterations of 32 sequences of 4,096 tokens.
func TestEstimate(t *testing.T) {
	r := estimate(t, `[topology]
kind = "leaf-spine"
host = "dgx-h100"
hosts = 2
[[workload.training]]
model = "llama-2-7b"
zero = 3
recompute = "full"
global_batch = 32
iterations = 10
`)
	const (
		parameters = 6738415616.0
		compute    = 16 * 989.4e12
		tokens     = 10 * 32 * 4096.0
	)
	for path, want := range map[string]float64{
		"resources.workers":       2,
		"resources.cpus":          2 * 112,
		"resources.gpus":          16,
		"resources.tpus":          0,
		"resources.memory_bytes":  4e12,
		"resources.storage_bytes": 2 * 30.72e12,
		// (112 + 8) x 2 + 4,000 GB + 61,440 GB
		"resources.as_written": 240 + 4000 + 61440,
		// 32 sequences of 4,096 tokens of 4 bytes through 8 NICs of 50 GB/s, twice.
		"transfer.0.batch_bytes":       32 * 4096 * 4,
		"transfer.0.as_written_s":      32 * 4096 * 4 / 400e9 * 2,
		"transfer.0.checkpoint_bytes":  14 * parameters,
		"transfer.0.storage_write_Bps": 14 * parameters / 36,
		"training.0.parameters":        parameters,
		"training.0.as_written_s":      parameters / compute * 32,
		"training.0.six_flops_s":       6 * parameters * tokens / compute,
		"training.0.factors.tokens":    10 * 4096,
		"training.0.factors.active":    1,
	} {
		if got, err := r.Lookup(path); err != nil || !lab.Near(got, want, 1e-3) && got != want {
			t.Errorf("%s is %v, want %v; %v", path, got, want, err)
		}
	}
	x := r.List("training")[0]
	if took, six := x.Float("simulated_s"), x.Float("six_flops_s"); took <= six {
		t.Errorf("it trains in %v s, faster than the peak allows, %v s", took, six)
	}
	y := r.List("transfer")[0]
	if got, want := y.Float("simulated_over_written"), y.Float("simulated_s")/y.Float("as_written_s"); !lab.Near(got, want, 1e-12) {
		t.Errorf("the transfer is off by %v, want %v", got, want)
	}
}

// What the model of training leaves out leads from it to the simulation, whatever is
// trained and however it is counted.
func TestEstimateFactors(t *testing.T) {
	toml := `[topology]
kind = "leaf-spine"
host = "dgx-h100"
hosts = 2
[[workload.training]]
model = "%"
micro_batch = 1
global_batch = 32
`
	for _, c := range []struct{ model, more string }{
		{"llama-2-7b", "zero = 3\nrecompute = \"full\"\n"},
		{"llama-2-7b", "zero = 3\nrecompute = \"full\"\nepochs = 2.5\ndataset = 100\n"},
		{"resnet-50", ""},
		{"bert-large", "tokens = 100000\n"},
		{"mixtral-8x7b", "zero = 3\nrecompute = \"full\"\n"},
	} {
		r := estimate(t, strings.Replace(toml, "%", c.model, 1)+c.more)
		x := r.List("training")[0]
		product := 1.0
		for _, f := range x.Record("factors").Fields {
			product *= f.Value.(float64)
		}
		if want := x.Float("simulated_over_written"); !lab.Near(product, want, 1e-9) {
			t.Errorf("%s %s: the factors give %v, want %v", c.model, c.more, product, want)
		}
		if active := x.Record("factors").Float("active"); (active < 1) != (c.model == "mixtral-8x7b") {
			t.Errorf("%s: %v of the parameters are visited", c.model, active)
		}
	}
}
