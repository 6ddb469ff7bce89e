package workload

import (
	"math"
	"testing"

	"github.com/railyard/railyard/topology"
)

// Korthikanti et al. 2022, table 2: the bytes that a layer keeps, for the models
// of their table 3.
func TestActivationsOfTable2(t *testing.T) {
	for _, m := range []Model{
		{Name: "22B", Layers: 48, Hidden: 6144, Heads: 64, Vocab: 51200, Sequence: 2048},
		{Name: "175B", Layers: 96, Hidden: 12288, Heads: 96, Vocab: 51200, Sequence: 2048},
		{Name: "530B", Layers: 105, Hidden: 20480, Heads: 128, Vocab: 51200, Sequence: 2048},
		{Name: "1T", Layers: 128, Hidden: 25600, Heads: 160, Vocab: 51200, Sequence: 2048},
	} {
		for _, tp := range []int64{1, 2, 8} {
			const b, s = 4, 2048
			h, a := m.Hidden, m.Heads
			for _, c := range []struct {
				name      string
				sequence  bool
				recompute string
				want      int64
			}{
				{"no parallelism but tensor", false, RecomputeNone, s * b * (10*h + 24*h/tp + 5*a*s/tp)},
				{"and sequence", true, RecomputeNone, s * b * (34*h + 5*a*s) / tp},
				{"selective", false, RecomputeSelective, s * b * (10*h + 24*h/tp)},
				{"selective and sequence", true, RecomputeSelective, s * b * 34 * h / tp},
				{"full", false, RecomputeFull, s * b * 2 * h},
				{"full and sequence", true, RecomputeFull, s * b * 2 * h / tp},
			} {
				tr := Training{
					Model: m, MicroBatch: b, GlobalBatch: b, Tensor: int(tp), SequenceParallel: c.sequence,
					Recompute: c.recompute, Attention: AttentionUnfused, Precision: topology.BF16,
				}
				if got := tr.Layers()[1].Activations; got != c.want {
					t.Errorf("%s, tensor %d, %s: a layer keeps %d bytes, want %d: %.4f", m.Name, tp, c.name, got, c.want, float64(got)/float64(c.want))
				}
			}
		}
	}
}

// Rajbhandari et al. 2020, figure 1: 7.5 billion parameters on 64 replicas with
// Adam in fp16 take 120, 31.4, 16.6 and 1.9 GB a rank.
func TestStateOfZero(t *testing.T) {
	m := Model{Layers: 36, Hidden: 4096, Heads: 32, Vocab: 51200, Sequence: 2048}
	psi := float64(m.Parameters())
	for zero, want := range []struct{ bytes, published float64 }{
		{16, 120},
		{4 + 12./64, 31.4},
		{2 + 14./64, 16.6},
		{16. / 64, 1.9},
	} {
		got := Training{Model: m, GlobalBatch: 64, Data: 64, Zero: zero, Precision: topology.FP16, Framework: FrameworkMegatron}.Memory()
		state := float64(got.Parameters + got.Gradients + got.Optimizer)
		if math.Abs(state/(want.bytes*psi)-1) > 1e-9 {
			t.Errorf("zero %d: %.0f bytes of state, want %.0f", zero, state, want.bytes*psi)
		}
		if gb := state / psi * 7.5; math.Abs(gb-want.published) > 0.06 {
			t.Errorf("zero %d: %.2f GB for 7.5 billion parameters, published %v", zero, gb, want.published)
		}
	}
}

// Korthikanti et al. 2022, section 4.2.3: the first stage keeps the activations of
// all L layers under 1F1B, whatever the stages, and (1 + (p-1)/(pv)) times those
// interleaved; the embedding's beside them.
func TestActivationsOfFirstStage(t *testing.T) {
	m := Model{Layers: 48, Hidden: 1024, Heads: 16, Vocab: 32, Sequence: 512, Positions: PositionsRotary}
	layer := m.Unfold(Batch{Samples: 1, Sequence: 512, Precision: topology.BF16})[1].Activations
	for _, c := range []struct{ stages, chunks int }{{2, 1}, {4, 1}, {8, 1}, {4, 2}, {4, 3}, {8, 2}} {
		tr := Training{Model: m, GlobalBatch: 64, Pipeline: c.stages, VirtualStages: c.chunks, Precision: topology.BF16}
		want := layer * 48
		if c.chunks > 1 {
			p, v := int64(c.stages), int64(c.chunks)
			want = layer * 48 * (p*v + p - 1) / (p * v)
		}
		if got := tr.memory(tr.Layers(), 0).Activations; got != want {
			t.Errorf("%d stages of %d chunks: the first keeps %d bytes, want %d", c.stages, c.chunks, got, want)
		}
	}
}

// Full recomputation keeps the inputs of a stage's layers and one layer at a time.
func TestWorkingMemory(t *testing.T) {
	m := Model{Layers: 8, Hidden: 1024, Heads: 16, Vocab: 32, Sequence: 512, Positions: PositionsRotary}
	whole := m.Unfold(Batch{Samples: 1, Sequence: 512, Precision: topology.BF16})[1].Activations
	tr := Training{Model: m, GlobalBatch: 8, Pipeline: 2, Recompute: RecomputeFull, Precision: topology.BF16}
	input := int64(2 * 512 * 1024)
	if got, want := tr.memory(tr.Layers(), 0).Activations, 2*4*input+whole-input; got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}
