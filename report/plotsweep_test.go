package report_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/report"
)

// sweepTable is a sweep of hosts and a degree, each with two seeds; eight accelerators a
// host. Twice the hosts give 1.8 times the tokens; one point does not fit.
const sweepTable = `point,topology.hosts,workload.training.0.tensor,sim.seed,status,run,name,cluster.accelerators,training.0.global_batch,training.0.tokens_per_s,training.0.memory_per_accelerator_bytes,reason
0,1,1,1,done,r,llm,8,64,900,40e9,
1,1,1,2,done,r,llm,8,64,1100,40e9,
2,1,2,1,done,r,llm,8,64,800,20e9,
3,1,2,2,done,r,llm,8,64,800,20e9,
4,2,1,1,done,r,llm,16,64,1800,30e9,
5,2,1,2,done,r,llm,16,64,1800,30e9,
6,2,2,1,done,r,llm,16,64,1500,15e9,
7,2,2,2,done,r,llm,16,64,1500,15e9,
8,4,1,1,done,r,llm,32,64,3240,25e9,
9,4,1,2,done,r,llm,32,64,3240,25e9,
10,4,2,1,invalid,r,,,,,,does not fit
11,4,2,2,invalid,r,,,,,,does not fit
`

// sweepFolder is a folder of a sweep.
func sweepFolder(t *testing.T, table string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "points.csv"), []byte(table), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Of a sweep there is the front, how it scales, and the response to each key.
func TestPlotSweep(t *testing.T) {
	dir := sweepFolder(t, sweepTable)
	files, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}, Metrics: []string{"training.0.tokens_per_s", "min training.0.memory_per_accelerator_bytes"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	if want := []string{"pareto.svg", "scaling.svg", "response-hosts.svg", "response-tensor.svg"}; !slices.Equal(files, want) {
		t.Fatalf("wrote %v, want %v", files, want)
	}
	for file, has := range map[string][]string{
		// From 15 GB on: 1,500, then 3,240 at 25 GB. All else is worse in both.
		"pareto.svg": {
			"llm: training.0.tokens_per_s against training.0.memory_per_accelerator_bytes",
			"10 points of 5 settings, the mean over seeds, 2 more without a result; 2 points than which none is better in both",
			"hosts 2, tensor 2", "hosts 4, tensor 1", "Pareto front", "all points",
		},
		"scaling.svg":         {"llm: strong scaling, the global batch being the same", "ideal", "simulated", "of the ideal", "accelerators"},
		"response-hosts.svg":  {"llm: training.0.tokens_per_s by topology.hosts", "tensor 1", "tensor 2", "topology.hosts"},
		"response-tensor.svg": {"hosts 1", "hosts 2", "hosts 4"},
	} {
		all := texts(t, filepath.Join(dir, file))
		for _, want := range has {
			if !slices.Contains(all, want) {
				t.Errorf("%s has no text %q; it has %q", file, want, all)
			}
		}
	}
	if all := texts(t, filepath.Join(dir, "pareto.svg")); slices.Contains(all, "hosts 1, tensor 1") {
		t.Errorf("a point that others dominate has a label: %q", all)
	}
}

// A batch that grows with the accelerators is weak scaling; words are categories; a
// metric is a time where nothing is a rate.
func TestPlotSweepKinds(t *testing.T) {
	const head = "point,topology.hosts,status,run,cluster.accelerators,training.0.global_batch,training.0.tokens_per_s,reason\n"
	dir := sweepFolder(t, head+"0,1,done,r,8,64,1000,\n1,2,done,r,16,128,1900,\n")
	if _, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}}); err != nil {
		t.Fatal(err)
	}
	if all := texts(t, filepath.Join(dir, "scaling.svg")); !slices.Contains(all, "weak scaling, the global batch growing with the accelerators") {
		t.Errorf("scaling.svg has %q", all)
	}
	dir = sweepFolder(t, "point,x.algorithm,status,run,makespan_s,reason\n0,ring,done,r,1,\n1,tree,done,r,2,\n")
	files, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}})
	if err != nil || len(files) != 1 || filepath.Base(files[0]) != "response-algorithm.svg" {
		t.Fatal(files, err)
	}
	if all := texts(t, files[0]); !slices.Contains(all, "ring") || !slices.Contains(all, "tree") || !slices.Contains(all, "makespan_s (s)") {
		t.Errorf("%s has %q", files[0], all)
	}
}

func TestPlotSweepFaults(t *testing.T) {
	const head = "point,a,status,run,makespan_s,reason\n"
	for _, c := range []struct{ name, table, metric, want string }{
		{"empty", "", "", "points.csv:1: no header"},
		{"another table", "job,submit_s\na,1\n", "", "points.csv:1: no table of a sweep"},
		{"nothing ran", "point,a,status,run,reason\n0,1,invalid,,does not fit\n", "", "points.csv:1: no point has a result"},
		{"no number", head + "0,1,done,r,soon,\n", "", "points.csv: no point has makespan_s"},
		{"no metric", head + "0,1,done,r,1,\n", "max speed", `points.csv:1: no metric "speed"; there are makespan_s, reason`},
		{"cut off", head + "0,1,done\n", "", "points.csv:2: wrong number of fields"},
		{"beyond any axis", head + "0,1,done,r,1e300,\n1,2,done,r,1,\n", "", "points.csv: series 0"},
		{"one point", head + "0,1,done,r,1,\n", "", ": nothing to draw: no second metric that changes, no throughput at two numbers of accelerators"},
	} {
		o := report.PlotOptions{}
		if c.metric != "" {
			o.Metrics = []string{c.metric}
		}
		files, err := report.Plot(sweepFolder(t, c.table), o)
		if err == nil || !strings.Contains(err.Error(), c.want) || len(files) > 0 {
			t.Errorf("%s: %v and %v, want %s", c.name, files, err, c.want)
		}
	}
}

// Where the points of a sweep have jobs, each has a curve of completion time and one of
// wait; those of other seeds are one. Half of the jobs of las wait for no time.
func TestPlotSweepJobs(t *testing.T) {
	const (
		table = "point,scheduler.policy,sim.seed,status,run,name,makespan_s,jobs.jct_s.mean,reason\n" +
			"0,fifo,1,done,r,night,1,15,\n1,fifo,2,done,r,night,1,25,\n2,las,1,done,r,night,1,5,\n3,las,2,invalid,r,,,,no\n"
		head = "point,metric,share,value\n"
		rows = head + "0,jobs.jct_s,0.5,10\n0,jobs.jct_s,1,20\n0,jobs.wait_s,1,10\n1,jobs.jct_s,1,25\n1,jobs.wait_s,1,20\n2,jobs.jct_s,1,5\n2,jobs.wait_s,0.5,0\n2,jobs.wait_s,1,30\n"
	)
	folder := func(rows string) string {
		dir := sweepFolder(t, table)
		if err := os.WriteFile(filepath.Join(dir, "distributions.csv"), []byte(rows), 0o666); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	dir := folder(rows)
	files, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}, Only: []string{"completion", "wait"}})
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for file, title := range map[string]string{"completion.svg": "night: completion time of jobs", "wait.svg": "night: wait of jobs"} {
		all := texts(t, filepath.Join(dir, file))
		for _, want := range []string{title, "3 points of 2 settings, the mean over seeds, 1 more without a result", "policy fifo", "policy las"} {
			if !slices.Contains(all, want) {
				t.Errorf("%s has no text %q; it has %q", file, want, all)
			}
		}
	}
	for rows, want := range map[string]string{
		"point,metric,share\n":                          `distributions.csv:1: no column "value"`,
		head + "9,jobs.jct_s,1,1\n":                     "distributions.csv:2: point 9 is none of points.csv",
		head + "0.5,jobs.jct_s,1,1\n":                   "distributions.csv:2: point 0.5 is none of points.csv",
		head + "0,jobs.jct_s,1,-1\n":                    "distributions.csv:2: value is negative",
		head + "0,jobs.jct_s,2,1\n":                     "distributions.csv:2: share is 2: not between 0 and 1",
		head + "0,jobs.jct_s,,1\n":                      "distributions.csv:2: share does not rise",
		head + "0,jobs.jct_s,1,1\n0,jobs.jct_s,0.5,2\n": "distributions.csv:3: share does not rise",
	} {
		if _, err := report.Plot(folder(rows), report.PlotOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Kernels lie under the roofs of the units that they run on; labels name those that take
// most of the time.
func TestPlotRoofline(t *testing.T) {
	const kernels = "workload,operator,pass,class,runs,flops,bytes,time_s,peak_tflops,memory_Bps\n" +
		"a,up,forward,matrix,1,3e14,3e11,2,312,2e12\na,gelu,forward,elementwise,1,1e12,2e11,1,19.5,2e12\na,nothing,forward,elementwise,1,0,0,0.1,19.5,2e12\nb,down,forward,matrix,1,1e14,1e11,1,312,2e12\n"
	dir := folder(t, map[string]string{"kernels.csv": kernels})
	if _, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}, Only: []string{"roofline"}}); err != nil {
		t.Fatal(err)
	}
	all := texts(t, filepath.Join(dir, "roofline.svg"))
	for _, want := range []string{
		"two-rings: kernels under the roofline", "up", "gelu", "matrix", "elementwise", "312.0 TFLOP/s", "19.50 TFLOP/s", "data sheet", "reached (FLOP/s)",
	} {
		if !slices.Contains(all, want) {
			t.Errorf("no text %q in %q", want, all)
		}
	}
	if slices.Contains(all, "down") {
		t.Error("kernels of a second job are drawn with those of the first")
	}
	for text, want := range map[string]string{
		"workload,operator\na,b\n":                                    `kernels.csv:1: no column "pass"`,
		strings.Replace(kernels, "3e14", "-1", 1):                     "kernels.csv:2: a kernel of -1 FLOP",
		strings.Replace(kernels, ",2e12\na,gelu", ",soon\na,gelu", 1): `kernels.csv:2: memory_Bps is "soon": not a number`,
	} {
		dir := folder(t, map[string]string{"kernels.csv": text})
		if _, err := report.Plot(dir, report.PlotOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
