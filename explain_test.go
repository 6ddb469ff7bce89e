package railyard_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/result"
)

// A name means what its path ends in; numbers of a list's entries and names of
// one's own do not matter.
func TestExplain(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string // paths of metrics, then of keys, then files
	}{
		{"mfu_ratio", []string{"training[].mfu_ratio", "points[].mfu_ratio", "plan.mfu_ratio"}},
		{"training.0.iteration_s", []string{"training[].iteration_s"}},
		{"training[1].breakdown_s.compute", []string{"training[].breakdown_s.compute"}},
		{"compute_by_class_s.matrix", []string{"training[].compute_by_class_s.CLASS"}},
		{"topology.oversubscription", []string{"topology.oversubscription"}},
		{"workload.training.0.zero", []string{"workload.training[].zero"}},
		{"hosts.dgx-h100.nics", []string{"hosts.NAME.nics"}},
		{"seed", []string{"seed", "sim.seed"}},
		{"links.csv", []string{"links.csv"}},
		{"decisions.jsonl", []string{"decisions.jsonl"}},
	} {
		x, err := railyard.Explain(c.name)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, m := range x.Metrics {
			got = append(got, m.Path)
		}
		for _, k := range x.Keys {
			got = append(got, k.Path)
		}
		for _, f := range x.Files {
			got = append(got, f.Name)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
	for name, want := range map[string]string{
		"iteraton_s":            `"iteraton_s" (did you mean "iteration_s"?)`,
		"topology.oversubcript": `(did you mean "topology.oversubscription"?)`,
		"zzzzzzzzzz":            `"zzzzzzzzzz"`,
		"":                      `""`,
		"0.1":                   `"0.1"`,
		"link.csv":              `(did you mean "links.csv"?)`,
	} {
		if _, err := railyard.Explain(name); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// Whatever a run or an explanation holds can be explained.
func TestEverythingIsExplained(t *testing.T) {
	explained := func(where, path string) {
		x, err := railyard.Explain(path)
		if err != nil || !slices.ContainsFunc(x.Metrics, func(d result.Declared) bool { return d.Where == where }) {
			t.Errorf("%s of %s: %v", path, where, err)
		}
	}
	var walk func(where, path string, r *result.Record)
	walk = func(where, path string, r *result.Record) {
		for _, f := range r.Fields {
			at := strings.TrimPrefix(path+"."+f.Metric.Name, ".")
			explained(where, at)
			switch v := f.Value.(type) {
			case *result.Record:
				walk(where, at, v)
			case []*result.Record:
				for _, r := range v {
					walk(where, at, r)
				}
			}
		}
	}
	r := run(t, everything, everythingFiles)
	walk("summary.json", "", r.Summary)
	for _, table := range r.Tables {
		for _, c := range table.Columns {
			explained(table.Name+".csv", table.Name+"."+c.Metric.Name)
		}
	}
	s, err := load(t, bert, nil)
	if err != nil {
		t.Fatal(err)
	}
	explanation, err := railyard.Why(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range explanation.List("training") {
		for _, name := range []string{"sensitivity", "critical_path"} {
			for _, r := range job.List(name) {
				walk("railyard why --json", "training."+name, r)
			}
		}
		walk("railyard why --json", "training.critical_path_s", job.Record("critical_path_s"))
	}
}
