package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/report"
)

var update = flag.Bool("update", false, "rewrite the golden pictures in testdata/golden")

// TestGoldenPictures holds every picture to the one that somebody has looked at: go test
// ./report -run Golden -update rewrites them.
func TestGoldenPictures(t *testing.T) {
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	measured := "op,algorithm,ranks,size_bytes,time_s,algbw_Bps,busbw_Bps,workload,protocol,bus_limit_Bps,measured_busbw_Bps\n" +
		"all_reduce,ring,16,1048576,0.00008,1.31e10,2.4e10,a,Simple,4.6e10,2.6e10\n" +
		"all_reduce,ring,16,16777216,0.0008,2.1e10,3.9e10,a,Simple,4.6e10,3.7e10\n" +
		"all_reduce,ring,16,268435456,0.0111,2.42e10,4.5e10,a,Simple,4.6e10,4.4e10\n"
	weak := "point,topology.hosts,status,run,name,cluster.accelerators,training.0.global_batch,training.0.tokens_per_s,reason\n" +
		"0,1,done,r,llm,8,64,1000,\n1,2,done,r,llm,16,128,1960,\n2,4,done,r,llm,32,256,3700,\n3,8,done,r,llm,64,512,6900,\n"
	curve := "point,workload.serving.0.rate,status,run,serving.0.ttft_s.p50,serving.0.ttft_s.p99,serving.0.tpot_s.p50,serving.0.tpot_s.p99,serving.0.output_tokens_per_s\n" +
		"0,5,done,a,0.1,0.5,0.02,0.03,1000\n1,10,done,a,0.12,0.7,0.025,0.04,1900\n2,20,done,b,0.3,2,0.04,0.09,2500\n"
	contended := map[string]string{
		"summary.json":   `{"name": "two", "status": "done", "makespan_s": 4, "cluster": {}}`,
		"contention.csv": "link,owner,other,shared_s,lost_s\na,north,south,3,1\na,south,north,3,2\n",
		"link_series.csv": "link,time_s,utilization_ratio,offered_ratio\n" +
			"a,0,0.92,1.84\na,1,0.92,1.6\na,2,0.4,0.5\na,3,0.3,0.3\n",
		"accelerator_series.csv": "", "links.csv": "", "collectives.csv": "",
	}
	var drawn []string
	rates := []string{"training.0.tokens_per_s", "min training.0.memory_per_accelerator_bytes"}
	for _, c := range []struct {
		dir       string
		metrics   []string
		pictures  string // those that are looked at, as name or name=file
		published string
	}{
		{"testdata/run", nil, "utilization links network busbw", ""},
		{folder(t, map[string]string{"collectives.csv": measured}), nil, "busbw=busbw-measured", ""},
		{folder(t, map[string]string{"kernels.csv": read("testdata/kernels.csv")}), nil, "roofline", ""},
		{folder(t, contended), nil, "contention", ""},
		{folder(t, map[string]string{"summary.json": `{"name":"plan for m","limits":{"accelerators":64}}`, "plan.csv": planCSV, "accelerator_series.csv": "", "link_series.csv": "", "links.csv": "", "collectives.csv": ""}), nil, "plan", ""},
		{queueFolder(t, nil), nil, "jobs queue completion", ""},
		{servingFolder(t, nil), nil, "serving latency", ""},
		{sweepFolder(t, sweepTable), rates, "pareto scaling=scaling-strong response-hosts", ""},
		{sweepFolder(t, sweepTable), rates, "published", publishedFile(t, publishedTable)},
		{sweepFolder(t, weak), nil, "scaling=scaling-weak", ""},
		{sweepFolder(t, curve), nil, "curve", ""},
	} {
		out := t.TempDir()
		if _, err := report.Plot(c.dir, report.PlotOptions{Out: out, Formats: []string{"svg"}, Metrics: c.metrics, Published: c.published}); err != nil {
			t.Errorf("%s: %v", c.pictures, err)
			continue
		}
		for picture := range strings.FieldsSeq(c.pictures) {
			name, file, _ := strings.Cut(picture, "=")
			if file == "" {
				file = name
			}
			got, err := os.ReadFile(filepath.Join(out, name+".svg"))
			if err != nil {
				t.Error(err)
				continue
			}
			golden := filepath.Join("testdata", "golden", file+".svg")
			if *update {
				if err := os.WriteFile(golden, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s has changed (%v); look at it, then -update", golden, err)
			}
			drawn = append(drawn, name)
		}
	}
	// What Plot says that it draws, one of each.
	for _, name := range []string{"utilization", "links", "network", "contention", "busbw", "jobs", "queue", "completion", "serving", "latency", "roofline", "plan", "pareto", "scaling", "response-hosts", "curve", "published"} {
		if !slices.Contains(drawn, name) {
			t.Errorf("no golden picture of %s", name)
		}
	}
}
