package scenario

import (
	"strings"
	"testing"
)

func TestQuality(t *testing.T) {
	const head = "model,quantization,sparsity,pruning,score\n"
	for _, c := range []struct{ name, text, want string }{
		{"as it should be", head + "big,none,,,0.82\nbig,fp8,none,0,0.815\nbig,fp8,2:4,,0.79\nbig,none,,0.25,0.77\nstudent,none,,,0.74\n", ""},
		{"no score", "model,quantization\nbig,none\n", "score"},
		{"unknown format", head + "big,fp7,,,0.8\n", `q.csv:2:5: quantization: "fp7" is unknown: none, fp8, int8, fp4 or int4`},
		{"unknown sparsity", head + "big,none,1:2,,0.8\n", `q.csv:2:10: sparsity: "1:2" is unknown`},
		{"too much pruned", head + "big,none,,0.99,0.8\n", "q.csv:2:11: pruning: must be from 0 to 0.95"},
		{"twice", head + "big,none,,,0.8\nbig,none,none,0,0.7\n", "q.csv:3:1: model: big with quantization none, sparsity none is there twice"},
		{"no number", head + "big,none,,,good\n", `q.csv:2:12: score: "good" is not a number`},
		{"no name", head + ",none,,,0.8\n", "q.csv:2:1: model: must name a model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, faults := readQuality("q.csv", strings.NewReader(c.text))
			switch {
			case c.want == "" && faults != nil:
				t.Error(faults)
			case c.want == "":
				if score, ok := all.Of("big", "none", "none", 0.25); !ok || score != 0.77 || len(all) != 5 {
					t.Errorf("%v, %v of %v", score, ok, all)
				}
				if _, ok := all.Of("big", "int4", "none", 0); ok {
					t.Error("a score that nobody gave")
				}
			case !strings.Contains(faults.Error(), c.want):
				t.Errorf("got %v\nwant %s", faults, c.want)
			}
		})
	}
}

func FuzzQuality(f *testing.F) {
	f.Add("model,quantization,score\nbig,none,0.8\n")
	f.Add("model,quantization,sparsity,pruning,score\nbig,fp8,2:4,0.5,1e300\n")
	f.Fuzz(func(t *testing.T, text string) {
		if all, faults := readQuality("q.csv", strings.NewReader(text)); (all == nil) == (faults == nil) {
			t.Errorf("%v, faults %v", all, faults)
		}
	})
}
