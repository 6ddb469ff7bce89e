package workload

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/railyard/railyard/topology"
)

// BigScience's sweep before BLOOM (train/tr11-176B-ml/chronicles-prequel.md):
// every row that states the memory and the whole model. nvidia-smi showed it, on the
// stage with the embedding.
func TestMemoryOfBLOOM(t *testing.T) {
	text, err := os.ReadFile("../../shared/reference/training/measured.json")
	if err != nil {
		t.Skip("no reference measurements")
	}
	var rows []struct {
		ID          string
		SourceGroup string `json:"source_group"`
		Precision   string
		Model       struct{ Layers, Hidden, Heads, Vocab int64 }
		Batch       struct {
			Global int `json:"global_batch"`
			Micro  int `json:"micro_batch"`
		}
		Parallelism struct{ TP, PP, DP, Zero int }
		Measured    struct {
			MaxMem string `json:"max_mem"`
		}
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	var errors []float64
	for _, r := range rows {
		var gb float64
		if n, _ := fmt.Sscanf(r.Measured.MaxMem, "%fGB", &gb); n == 0 || r.SourceGroup != "bloom-sweep" || r.Model.Layers == 0 {
			continue
		}
		p := r.Parallelism
		tr := Training{
			Model:      Model{Layers: r.Model.Layers, Hidden: r.Model.Hidden, Heads: r.Model.Heads, Vocab: r.Model.Vocab, Sequence: 2048, TiedEmbeddings: true, Positions: PositionsALiBi},
			MicroBatch: r.Batch.Micro, GlobalBatch: r.Batch.Global, Tensor: p.TP, Pipeline: p.PP, Data: p.DP, Zero: p.Zero,
			Recompute: RecomputeFull, Attention: AttentionUnfused, Precision: topology.BF16,
		}
		tr.GlobalBatch -= tr.GlobalBatch % (p.DP * r.Batch.Micro) // one row's is no multiple
		if err := tr.Validate(); err != nil {
			t.Fatalf("%s: %v", r.ID, err)
		}
		m := tr.Memory()
		e := float64(m.Total())/(gb*(1<<30)) - 1
		errors = append(errors, math.Abs(e))
		t.Logf("%s: tensor %d, pipeline %d, data %d, micro-batch %d: %.1f GiB, measured %.0f: %+.1f %%", r.ID, p.TP, p.PP, p.DP, r.Batch.Micro,
			float64(m.Total())/(1<<30), gb, 100*e)
	}
	slices.Sort(errors)
	median := errors[len(errors)/2]
	t.Logf("%d rows, median error %.1f %%, worst %.1f %%", len(errors), 100*median, 100*errors[len(errors)-1])
	if len(errors) != 70 || median > 0.15 {
		t.Errorf("%d rows, median error %.1f %%", len(errors), 100*median)
	}
}
