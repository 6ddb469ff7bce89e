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

// publishedTable is of sweepTable: the mean over seeds of one host is what was published,
// two hosts are 10 % slow, and four with tensor 2 did not run.
const publishedTable = `series,label,topology.hosts,workload.training.0.tensor,metric,published
tensor 1,1 host,1,1.0,training.0.tokens_per_s,1000
tensor 1,2 hosts,2,1,training.0.tokens_per_s,2000
tensor 2,4 hosts,4,2,training.0.tokens_per_s,3000
`

func publishedFile(t *testing.T, table string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "published.csv")
	if err := os.WriteFile(path, []byte(table), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func plotPublished(t *testing.T, dir, table string, with ...string) ([]string, error) {
	t.Helper()
	out := t.TempDir()
	files, err := report.Plot(dir, report.PlotOptions{
		Out: out, Formats: []string{"svg"}, Only: []string{"published"}, With: with, Published: publishedFile(t, table),
	})
	if err != nil {
		return nil, err
	}
	if len(files) != 1 || filepath.Base(files[0]) != "published.svg" {
		t.Fatal(files, err)
	}
	return texts(t, files[0]), nil
}

// Points that differ by their seed are one, numbers are equal as numbers, and what did not
// run is counted.
func TestPlotPublished(t *testing.T) {
	all, err := plotPublished(t, sweepFolder(t, sweepTable), publishedTable)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"llm: simulated against published tokens_per_s",
		"2 figures: median error 5.0 %, worst -10.0 %; 1 more without a result",
		"published tokens_per_s", "simulated tokens_per_s", "error", "tensor 1", "1 host", "2 hosts", "equal, ±10 %",
	} {
		if !slices.Contains(all, want) {
			t.Errorf("no text %q; there are %q", want, all)
		}
	}
	if slices.Contains(all, "tensor 2") {
		t.Error("a series of which nothing ran has a name in the legend")
	}
}

// Of runs each is a point, and its folder says which.
func TestPlotPublishedRuns(t *testing.T) {
	run := func(seconds float64) string {
		return folder(t, map[string]string{"summary.json": fmt.Sprintf(`{"name": "a", "status": "done", "makespan_s": 1, "cluster": {}, "training": [{"iteration_s": %v}]}`, seconds)})
	}
	fast, slow := run(0.5), run(2)
	table := "folder,metric,published\n" +
		filepath.Base(fast) + ",training.0.iteration_s,0.5\n" +
		filepath.Base(slow) + ",training.0.iteration_s,2.5\n"
	all, err := plotPublished(t, fast, table, slow)
	if err != nil {
		t.Fatal(err)
	}
	if want := "2 figures: median error 10.0 %, worst -20.0 %"; !slices.Contains(all, want) {
		t.Errorf("no text %q; there are %q", want, all)
	}
	if all, err = plotPublished(t, fast, "metric,published\ntraining.0.iteration_s,1\n"); err != nil {
		t.Fatal(err)
	}
	if want := "1 figure: median error 50.0 %, worst -50.0 %"; !slices.Contains(all, want) {
		t.Errorf("no text %q; there are %q", want, all)
	}
}

func TestPlotPublishedFaults(t *testing.T) {
	const head = "topology.hosts,metric,published\n"
	for _, c := range []struct{ name, table, want string }{
		{"empty", "", "published.csv:1: no header"},
		{"no figures", head, "published.csv: has no figures"},
		{"another table", "job,submit_s\na,1\n", "published.csv:1: no column metric"},
		{"no value", "metric,value\na,1\n", "published.csv:1: no column published"},
		{"no number", head + "1,makespan_s,fast\n", `published.csv:2: published is "fast": not a number above 0`},
		{"zero", head + "1,makespan_s,0\n", `published.csv:2: published is "0"`},
		{"no such metric", head + "1,training.0.tokens_per_s,1\n1,speed,1\n", `published.csv:3: no metric "speed" among the results`},
		{"no such key", "hosts,metric,published\n1,training.0.tokens_per_s,1\n", `published.csv:1: no column "hosts" among the results, whose points differ by topology.hosts, workload.training.0.tensor`},
		{"ambiguous", head + "1,training.0.tokens_per_s,1\n", `published.csv:2: fits points whose workload.training.0.tensor is "1" and "2"`},
		{"two units", "topology.hosts,workload.training.0.tensor,metric,published\n1,1,training.0.tokens_per_s,1\n1,1,training.0.memory_per_accelerator_bytes,1\n", "published.csv:3: training.0.memory_per_accelerator_bytes beside training.0.tokens_per_s, which has another unit"},
		{"nothing ran", "topology.hosts,workload.training.0.tensor,metric,published\n4,2,training.0.tokens_per_s,1\n", "published.csv: no figure is of a point that has a result"},
	} {
		all, err := plotPublished(t, sweepFolder(t, sweepTable), c.table)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v and %q, want %s", c.name, err, all, c.want)
		}
	}
	if _, err := report.Plot(sweepFolder(t, sweepTable), report.PlotOptions{Published: "nowhere.csv"}); err == nil || !strings.Contains(err.Error(), "nowhere.csv: no such file") {
		t.Error(err)
	}
}
