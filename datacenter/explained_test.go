package datacenter_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/result"
)

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
