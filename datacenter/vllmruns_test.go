package datacenter_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// Two runs of vLLM 0.19 (LLMServingSim 2's validation): 300 conversations of ShareGPT, more
// than either server keeps up with, on accelerators that no measured point has. The hosts are what the runs say of theirs: links of 16 GB/s, and on the RTX 4090 a
// cache of 2,588 blocks. LLMServingSim itself is within 2.2 % of times per token and end to
// end and 14 % of the first token.
func TestVLLMRuns(t *testing.T) {
	for _, c := range []struct {
		file, accelerator   string
		accelerators        int
		keys                string
		first, each, whole  float64 // most that means may be off
		eachMost, wholeMost float64 // and half of the requests, each by itself
	}{
		{"RTXPRO6000__Qwen3-32B", "rtx-pro-6000", 2, "model = \"qwen3-32b\"\ntensor = 2\nmax_batch = 128\n", 0.10, 0.03, 0.04, 0.04, 0.04},
		{"RTX4090__Llama-3.1-8B", "rtx-4090", 1, "model = \"llama-3.1-8b\"\nmax_batch = 256\nkv_blocks = 2588\n", 0.13, 0.10, 0.12, 0.10, 0.12},
	} {
		t.Run(c.file, func(t *testing.T) {
			rows := measured(t, "vllm_runs/"+c.file+".csv")
			slices.SortStableFunc(rows, func(a, b []string) int { return cmp.Compare(decimal(t, a[1]), decimal(t, b[1])) })
			var text strings.Builder
			text.WriteString("request,arrival_s,input_tokens,output_tokens\n")
			for _, r := range rows {
				fmt.Fprintf(&text, "%s,%s,%s,%s\n", r[0], r[1], r[2], r[3])
			}
			host := servingOn(c.accelerator, c.accelerators, c.keys+"requests = \"r.csv\"\n")
			host = strings.Replace(host, "\n\n[[workload", "\nscale_up_bandwidth = \"16GB/s\"\n\n[[workload", 1)
			table := run(t, host, map[string]string{"r.csv": text.String()}).Table("requests")
			arrival, first, finish := table.Column("arrival_s").Numbers, table.Column("first_token_s").Numbers, table.Column("finish_s").Numbers
			for _, m := range []struct {
				name       string
				column     int
				got        func(i int) float64
				mean, each float64
			}{
				{"first token", 5, func(i int) float64 { return first[i] - arrival[i] }, c.first, math.Inf(1)},
				{"each token", 7, func(i int) float64 { return (finish[i] - first[i]) / (decimal(t, rows[i][3]) - 1) }, c.each, c.eachMost},
				{"end to end", 6, func(i int) float64 { return finish[i] - arrival[i] }, c.whole, c.wholeMost},
			} {
				var got, want float64
				var off []float64
				for i, r := range rows {
					if r[3] == "1" {
						continue // no token after the first
					}
					x := decimal(t, r[m.column]) / 1e3
					got, want = got+m.got(i), want+x
					off = append(off, math.Abs(m.got(i)/x-1))
				}
				slices.Sort(off)
				t.Logf("%s: mean %+.1f %%, median of %d requests %.1f %%", m.name, 100*(got/want-1), len(off), 100*off[len(off)/2])
				if math.Abs(got/want-1) > m.mean || off[len(off)/2] > m.each {
					t.Errorf("%s: mean %v s, measured %v s; half of the requests off by %v", m.name, got/float64(len(off)), want/float64(len(off)), off[len(off)/2])
				}
			}
		})
	}
}
