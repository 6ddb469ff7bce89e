package report_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/report"
)

func servingFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"summary.json":       `{"name": "chat", "status": "done", "makespan_s": 100, "cluster": {"topology": "single-host", "accelerators": 8}}`,
		"serving_series.csv": "workload,time_s,queue,batch,kv_ratio,replicas\nm,0,0,2,0.1,1\nm,50,3,4,0.9,2\n",
		"requests.csv":       "request,arrival_s,first_token_s,finish_s,input_tokens,output_tokens,workload\na,0,1,3,10,3,m\nb,1,1.5,9,10,4,m\nc,2,,,10,4,m\n",
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The pictures of serving say what its tables hold; replicas have a panel where they come
// and go; what is broken is said with its line.
func TestPlotServing(t *testing.T) {
	files, err := report.Plot(servingFolder(t, nil), report.PlotOptions{Formats: []string{"svg"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		file string
		want []string
	}{
		{"serving.svg", []string{"chat: requests, caches and replicas", "waiting", "running", "used", "answering"}},
		{"latency.svg", []string{"chat: latency of requests", "per token", "to first token", "end to end"}},
	} {
		if i >= len(files) || filepath.Base(files[i]) != c.file {
			t.Fatalf("files %v", files)
		}
		got := texts(t, files[i])
		for _, w := range c.want {
			if !slices.Contains(got, w) {
				t.Errorf("%s does not say %q: %q", c.file, w, got)
			}
		}
	}
	for _, c := range []struct{ file, text, want string }{
		{"requests.csv", "arrival_s,first_token_s,finish_s,output_tokens,workload\n5,1,3,3,m\n", "requests.csv:2: arrival_s, first_token_s and finish_s are not one after the other"},
		{"serving_series.csv", "workload,time_s,queue,batch,kv_ratio,replicas\nm,0,-1,2,0.1,1\n", "serving_series.csv:2: queue is negative"},
	} {
		if _, err := report.Plot(servingFolder(t, map[string]string{c.file: c.text}), report.PlotOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.file, err, c.want)
		}
	}
}

// A sweep's folder has no summary: its points are drawn by their throughput, and those
// that failed are left out.
func TestPlotCurve(t *testing.T) {
	dir := t.TempDir()
	text := "point,workload.serving.0.rate,status,run,serving.0.ttft_s.p50,serving.0.ttft_s.p99,serving.0.tpot_s.p50,serving.0.tpot_s.p99,serving.0.output_tokens_per_s\n0,5,done,a,0.1,0.5,0.02,0.03,1000\n1,9,invalid,,,,,,\n2,20,done,b,0.3,2,0.04,0.09,2500\n"
	if err := os.WriteFile(filepath.Join(dir, "points.csv"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	files, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}, Only: []string{"curve"}})
	if err != nil || len(files) != 1 || filepath.Base(files[0]) != "curve.svg" {
		t.Fatalf("files %v, %v", files, err)
	}
	got := texts(t, files[0])
	for _, w := range []string{"latency against throughput", "median", "99th percentile", "tokens of answers a second"} {
		if !slices.Contains(got, w) {
			t.Errorf("it does not say %q: %q", w, got)
		}
	}
}
