package workload

import (
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
