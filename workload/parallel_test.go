package workload

import (
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/topology"
)

// Whatever a training says, it is refused or all that is asked of it has an answer:
// each rank has one place and one group in each dimension, of the size of its
// degree; chunks hold every layer once; memory is not negative.
func TestAnyTrainingIsJudged(t *testing.T) {
	legal := 0
	rapid.Check(t, func(t *rapid.T) {
		wrong := rapid.Bool().Draw(t, "anything goes")
		number := func(name string, most int) int {
			if wrong {
				return rapid.IntRange(-1, most).Draw(t, name)
			}
			return 1 << rapid.IntRange(0, bits.Len(uint(most))-1).Draw(t, name)
		}
		word := func(name string, right ...string) string {
			if wrong {
				right = append(right, "none such")
			}
			return rapid.SampledFrom(right).Draw(t, name)
		}
		tr := Training{
			Model: Model{
				Family: word("family", "", FamilyTransformer, FamilyBERT, FamilySpeech, FamilyDLRM, FamilyUNet3D),
				Layers: int64(number("layers", 8)), Hidden: int64(number("hidden", 4) * 8), Heads: int64(number("heads", 8)), Vocab: 64,
				Experts: int64(number("experts", 8)), ExpertsPerToken: int64(number("top", 2)), KVRank: int64(number("latent", 1)),
				TiedEmbeddings: rapid.Bool().Draw(t, "tied"),
				Mels:           80, Rows: []int64{7, 9}, EmbeddingDim: 4, DenseFeatures: 3, BottomMLP: []int64{4}, TopMLP: []int64{1}, Filters: []int64{4, 8}, Patch: 16, Classes: 2,
			},
			Sequence: number("sequence", 16), MicroBatch: number("micro-batch", 3), GlobalBatch: number("global batch", 32),
			Tensor: number("tensor", 4), Context: number("context", 3), Data: number("data", 4), Pipeline: number("pipeline", 4), Expert: number("expert", 4),
			VirtualStages: number("chunks", 3), PipelineSchedule: word("schedule", "", GPipe, OneFOneB, Interleaved, ZeroBubble),
			Zero: number("zero", 3), Recompute: word("recompute", "", RecomputeSelective, RecomputeFull),
			Attention: word("attention", "", AttentionUnfused), SequenceParallel: rapid.Bool().Draw(t, "sequence parallel"),
			Precision: rapid.SampledFrom([]topology.Precision{topology.FP32, topology.BF16, topology.FP8}).Draw(t, "precision"),
			Order:     rapid.Permutation(DefaultOrder).Draw(t, "order"),
		}
		if !wrong { // most are right
			tr.Model.Layers, tr.GlobalBatch = 16, 192
			if tr.Model.Family == FamilyBERT || rapid.Bool().Draw(t, "dense") {
				tr.Model.Experts, tr.Model.ExpertsPerToken, tr.Model.KVRank, tr.Expert = 0, 0, 0, 1
			}
			if tr.PipelineSchedule != Interleaved {
				tr.VirtualStages = 1
			}
			if f := tr.Model.Family; f != "" && f != FamilyTransformer && f != FamilyBERT {
				tr.Tensor, tr.Context, tr.Pipeline, tr.Expert, tr.VirtualStages, tr.Recompute = 1, 1, 1, 1, 1, ""
			}
		}
		if tr.Validate() != nil {
			return
		}
		legal++
		layers := tr.Layers()
		tr = tr.WithDefaults()
		at := 0
		for _, c := range tr.Chunks(layers) {
			if c[0] != at || c[1] < c[0] {
				t.Fatalf("chunks %v of %d layers", tr.Chunks(layers), len(layers))
			}
			at = c[1]
		}
		if at != len(layers) {
			t.Fatalf("chunks end at %d of %d layers", at, len(layers))
		}
		m := tr.Memory()
		if min(m.Parameters, m.Gradients, m.Optimizer, m.Activations, m.Gathered, m.Buffers, m.Framework) < 0 {
			t.Fatalf("%+v", m)
		}
		if tr.FLOPs() <= 0 || tr.Recomputed() < 1 || tr.Recomputed() > 4./3 {
			t.Fatalf("%v FLOPs, %v of them with those computed again", tr.FLOPs(), tr.Recomputed())
		}
		layout := tr.Layout()
		sizes := map[Group]int{TensorGroup: tr.Tensor, ContextGroup: tr.Context, DataGroup: tr.Data * tr.Context, PipelineGroup: tr.Pipeline, ExpertGroup: tr.Expert}
		for g, size := range sizes {
			count := map[int]int{}
			for rank := range tr.Ranks() {
				if got := layout.Rank(layout.Place(rank)); got != rank {
					t.Fatalf("rank %d stands where rank %d does", rank, got)
				}
				count[layout.Group(g, layout.Place(rank))]++
			}
			for id, n := range count {
				if n != size {
					t.Fatalf("%v group %d has %d ranks, want %d", g, id, n, size)
				}
			}
		}
		// The same experts are on ranks of different expert groups.
		for rank := range tr.Ranks() {
			for other := range rank {
				a, b := layout.Place(rank), layout.Place(other)
				if layout.ExpertReplicas(a) == layout.ExpertReplicas(b) && layout.Group(ExpertGroup, a) == layout.Group(ExpertGroup, b) {
					t.Fatalf("ranks %d and %d of one expert group hold the same experts", other, rank)
				}
			}
		}
	})
	if legal == 0 {
		t.Error("none was legal")
	}
}

// Layers are spread evenly, and the ends, which also hold the embedding and the
// head, get less first.
func TestChunks(t *testing.T) {
	for _, c := range []struct {
		layers int64
		stages int
		want   []int // of each stage, without embedding and head
	}{
		{8, 4, []int{2, 2, 2, 2}},
		{9, 4, []int{2, 2, 3, 2}}, // three have less: both ends, then the one next to the first
		{7, 4, []int{1, 2, 2, 2}},
		{6, 4, []int{1, 2, 2, 1}},
		{70, 12, []int{5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5}}, // BLOOM, Le Scao et al. 2022
		{6, 8, []int{0, 1, 1, 1, 1, 1, 1, 0}},               // the embedding and the head alone, as in Llama 3
	} {
		tr := Training{Model: Model{Layers: c.layers, Hidden: 8, Heads: 1, Vocab: 8, Sequence: 8}, Pipeline: c.stages, GlobalBatch: 1}
		var got []int
		for i, chunk := range tr.Chunks(tr.Layers()) {
			n := chunk[1] - chunk[0]
			if i == 0 {
				n--
			}
			if i == c.stages-1 {
				n--
			}
			got = append(got, n)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d layers on %d stages: %v, want %v", c.layers, c.stages, got, c.want)
		}
	}
}

func TestDivisors(t *testing.T) {
	for n := int64(1); n <= 400; n++ {
		var want []int64
		for d := int64(1); d <= n; d++ {
			if n%d == 0 {
				want = append(want, d)
			}
		}
		if got := Divisors(n); !slices.Equal(got, want) {
			t.Errorf("of %d: %v, want %v", n, got, want)
		}
	}
	for _, c := range []struct {
		d, n int64
		want string
	}{
		{4, 6, "3 or 6"}, {7, 6, "6"}, {5, 96, "4 or 6"}, {2, 1, "1"}, {3, 999_999_937 * 2, "2 or 999999937"},
	} {
		if got := NearestDivisors(c.d, c.n); got != c.want {
			t.Errorf("of %d next to %d: %s, want %s", c.n, c.d, got, c.want)
		}
	}
}
