package cluster_test

import (
	"math"
	"testing"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Keys are split where there is more than one block of 128, and tiles of queries are fewer
// than 0.8 of A100's 108 multiprocessors: with 8 heads of keys, at most 10 sequences.
func TestSplitKV(t *testing.T) {
	r := rooflineOf("A100-SXM-80GB")
	r.Accelerator.CombineOverhead = 500_000 // 5 us
	whole := r
	whole.Accelerator.CombineOverhead = 0
	for _, c := range []struct {
		name               string
		sequences, keys, m int64
		split              bool
	}{
		{"one block", 1, 128, 1, false},
		{"two blocks", 1, 129, 1, true},
		{"ten sequences", 10, 4096, 1, true},
		{"eleven", 11, 4096, 1, false},
		{"guesses in one tile", 10, 4096, 16, true}, // of 8 heads that share keys: 128 rows
		{"guesses in two", 10, 4096, 17, false},
	} {
		decode := workload.Operator{
			Class: workload.FlashAttention, Precision: topology.FP16, Batch: c.sequences * 64, Groups: c.sequences * 8, M: c.m, N: c.keys, K: 128,
			FLOPs: 4 * 128 * 64 * float64(c.sequences*c.m*c.keys), Bytes: 2 * 2 * 8 * 128 * float64(c.sequences*c.keys), Launches: 1,
		}
		want := 0.0
		if c.split {
			want = 5e-6
		}
		if got := r.Time(decode) - whole.Time(decode); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: parts take %v s to put together, want %v", c.name, got, want)
		}
		decode.Groups = 0 // as in training, which keeps no cache
		if r.Time(decode) != whole.Time(decode) {
			t.Errorf("%s: split without a cache", c.name)
		}
	}
}
