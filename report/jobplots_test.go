package report_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/report"
)

// queueFolder is the results of three jobs on 16 accelerators, with some files
// replaced.
func queueFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"summary.json":   `{"name": "night", "status": "done", "makespan_s": 100, "cluster": {"topology": "pool", "accelerators": 16}, "jobs": {"policy": "srtf"}}`,
		"stretches.csv":  "job,start_s,finish_s,placement\na,0,100,0-7\nb,0,40,8 10-11\nc,50,100,9-15\n",
		"job_series.csv": "time_s,queued,queued_accelerators,running,allocation_ratio,computing_ratio\n0,0,0,2,0.7,0.6\n50,1,1,2,0.9,0.9\n",
		"jobs.csv":       "job,submit_s,start_s,finish_s,accelerators,wait_s\na,0,0,100,8,0\nb,0,0,40,3,0\nc,10,50,100,7,40\n",
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

// The pictures of a queue say what its tables hold.
func TestPlotJobs(t *testing.T) {
	dir := queueFolder(t, nil)
	other := queueFolder(t, map[string]string{
		"summary.json": `{"makespan_s": 100, "cluster": {"accelerators": 16}, "jobs": {"policy": "fifo"}}`,
	})
	files, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}, With: []string{other}})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		file string
		want []string
	}{
		{"jobs.svg", []string{"night: jobs on their accelerators", "pool, 16 accelerators, srtf", "0–7", "8–15", "a", "c", "time (s)"}},
		{"queue.svg", []string{"night: the queue and what runs", "waiting", "running", "allocated", "computing", "100 %"}},
		{"completion.svg", []string{"night: completion time and wait of jobs", "srtf, completion", "srtf, wait", "fifo, completion", "fifo, wait"}},
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
}

// More stretches than bars become shares of the hosts.
func TestPlotManyJobs(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("job,start_s,finish_s,placement\n")
	for i := range 4000 {
		fmt.Fprintf(&rows, "j%d,%d,%d,%d\n", i, i%100, i%100+1, i%16)
	}
	dir := queueFolder(t, map[string]string{
		"summary.json":  `{"makespan_s": 100, "cluster": {"topology": "rail", "accelerators": 16, "hosts": 4, "host": "small"}}`,
		"stretches.csv": rows.String(),
	})
	files, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}})
	if err != nil {
		t.Fatal(err)
	}
	got := texts(t, files[0])
	for _, w := range []string{"accelerators that jobs held", "allocated", "host 0", "host 3"} {
		if !slices.Contains(got, w) {
			t.Errorf("%s does not say %q: %q", files[0], w, got)
		}
	}
}

// What is wrong with a table is said with its line.
func TestPlotJobsFaults(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"beyond the makespan", "stretches.csv", "job,start_s,finish_s,placement\na,0,200,0\n", "stretches.csv:2: from 0 to 200: not within the makespan"},
		{"no such accelerator", "stretches.csv", "job,start_s,finish_s,placement\na,0,10,14-16\n", `stretches.csv:2: placement is "14-16": not accelerators of the 16`},
		{"backwards", "stretches.csv", "job,start_s,finish_s,placement\na,0,10,5-3\n", `stretches.csv:2: placement is "5-3"`},
		{"less than nothing waits", "job_series.csv", "time_s,queued,queued_accelerators,running,allocation_ratio\n0,-1,0,0,0\n", "job_series.csv:2: queued is negative"},
		{"ends before it comes", "jobs.csv", "job,submit_s,finish_s,wait_s\na,10,5,0\n", "jobs.csv:2: finish_s is before submit_s"},
		{"a column is missing", "jobs.csv", "job,submit_s,finish_s\na,10,15\n", `jobs.csv:1: no column "wait_s"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := report.Plot(queueFolder(t, map[string]string{c.file: c.text}), report.PlotOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	_, err := report.Plot(queueFolder(t, nil), report.PlotOptions{With: []string{t.TempDir()}})
	if err == nil || !strings.Contains(err.Error(), "no summary.json") {
		t.Errorf("comparing with nothing: %v", err)
	}
}

// What is out of use is grey, and has a curve beside what is allocated.
func TestPlotJobsOutOfUse(t *testing.T) {
	dir := queueFolder(t, map[string]string{
		"outages.csv":    "from_s,to_s,accelerators,kind,cause\n40,70,8-11,host,host\n90,,12,host,host\n",
		"job_series.csv": "time_s,queued,queued_accelerators,running,allocation_ratio,down_ratio\n0,0,0,2,0.7,0.1\n50,1,1,2,0.9,0\n",
	})
	if _, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}}); err != nil {
		t.Fatal(err)
	}
	if all := texts(t, filepath.Join(dir, "jobs.svg")); !slices.Contains(all, "pool, 16 accelerators, srtf; grey: out of use") {
		t.Errorf("jobs.svg has %q", all)
	}
	if all := texts(t, filepath.Join(dir, "queue.svg")); !slices.Contains(all, "out of use") {
		t.Errorf("queue.svg has %q", all)
	}
	for rows, want := range map[string]string{
		"40,70,99\n":  `outages.csv:2: accelerators is "99": not accelerators of the 16`,
		"70,40,8\n":   "outages.csv:2: from 70 to 40",
		"0,1e9,8\n":   "outages.csv:2: from 0 to 1e+09: not within the makespan",
		"soon,40,8\n": `outages.csv:2: from_s is "soon"`,
	} {
		dir := queueFolder(t, map[string]string{"outages.csv": "from_s,to_s,accelerators\n" + rows})
		if _, err := report.Plot(dir, report.PlotOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
