package bound_test

import (
	"context"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/bound"
	"github.com/railyard/railyard/internal/lab"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// A run without contention takes exactly what its ground says of an iteration.
func TestGround(t *testing.T) {
	const text = `
[topology]
kind = "rail"
host = "dgx-a100"
hosts = 4
[topology.power]
[topology.cost]
rack = "50000USD"
[[workload.training]]
model = "llama-2-7b"
tensor = 4
pipeline = 2
sequence_parallel = true
framework = "megatron"
zero = 1
global_batch = 64
iterations = 5
`
	for _, set := range [][]string{nil, {"workload.training.0.zero=3", "workload.training.0.pipeline=1", "workload.training.0.framework=pytorch"}, {"workload.training.0.virtual_stages=2"}} {
		set = append(set, "sim.fidelity=analytic")
		s, err := railyard.Parse("-", []byte(text), set...)
		if err != nil {
			t.Fatal(err)
		}
		r, err := railyard.Run(context.Background(), s, railyard.Options{SummaryOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		g, err := bound.NewGround(s)
		if err != nil {
			t.Fatal(err)
		}
		model, _ := s.Model("llama-2-7b")
		w := &s.Workload.Training[0]
		j := workload.Training{
			Model: model, Precision: topology.BF16, GlobalBatch: 64, Tensor: 4, SequenceParallel: true, TensorOverlap: true,
			Framework: w.Framework.Value, Pipeline: int(w.Pipeline.Value), Zero: int(w.Zero.Value), VirtualStages: int(w.VirtualStages.Value),
		}
		j.Data = 32 / (j.Tensor * j.Pipeline)
		j = j.WithDefaults()
		for range 2 { // the second meets the plans of the first
			found, err := g.Try(context.Background(), j, j.Layers())
			if err != nil {
				t.Fatal(err)
			}
			if got, want := found.Time.Seconds(), lab.Number(t, r, "training.0.iteration_s"); got != want {
				t.Errorf("%v: an iteration of %v s, want %v", set, got, want)
			}
			rates := g.Rates()
			took := 5 * found.Time.Seconds()
			joules := rates.Energy(32, took, 5*(found.Compute+found.Optimizer).Seconds(), 5*found.AllExposed().Seconds())
			for path, got := range map[string]float64{
				"energy.total_J":          joules,
				"cost.total_USD":          rates.Cost(took, joules),
				"cost.purchase.total_USD": rates.Purchase,
			} {
				if want := lab.Number(t, r, path); !lab.Near(got, want, 1e-6) {
					t.Errorf("%v: %s %v, want %v", set, path, got, want)
				}
			}
			if peak := lab.Number(t, r, "energy.peak_power_W"); rates.Power < peak*(1-1e-9) {
				t.Errorf("%v: at most %v W, it draws %v", set, rates.Power, peak)
			}
		}
	}
}
