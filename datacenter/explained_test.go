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

// Whatever energy, cost and an estimate hold can be explained where it is found.
func TestEnergyIsExplained(t *testing.T) {
	var walk func(where, path string, r *result.Record)
	walk = func(where, path string, r *result.Record) {
		for _, f := range r.Fields {
			at := strings.TrimPrefix(path+"."+f.Metric.Name, ".")
			x, err := railyard.Explain(at)
			if err != nil || !slices.ContainsFunc(x.Metrics, func(d result.Declared) bool { return d.Where == where }) {
				t.Errorf("%s of %s: %v", at, where, err)
			}
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
	toml, files := onePool("600")
	r := run(t, toml, files, "topology.carbon.intensity=100", "topology.battery.capacity=1kWh", "topology.battery.charge=1kW", "topology.battery.threshold=200", "topology.cost.tariff=1USD/kWh")
	walk("summary.json", "energy", r.Summary.Record("energy"))
	walk("summary.json", "cost", r.Summary.Record("cost"))
	for _, name := range []string{"jobs", "power_series"} {
		for _, c := range r.Table(name).Columns {
			x, err := railyard.Explain(name + "." + c.Metric.Name)
			here := func(d result.Declared) bool { return d.Where == name+".csv" }
			if err != nil || !slices.ContainsFunc(x.Metrics, here) {
				t.Errorf("%s of %s: %v", c.Metric.Name, name, err)
			}
		}
	}
	r = run(t, bert, nil, "topology.cost.rental=1USD/h", "topology.power.pue=1")
	walk("summary.json", "energy", r.Summary.Record("energy"))
	walk("summary.json", "cost", r.Summary.Record("cost"))
	s, err := load(t, bert, nil)
	if err != nil {
		t.Fatal(err)
	}
	estimate, err := railyard.Estimate(t.Context(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	walk("railyard estimate --json", "", estimate)
}
