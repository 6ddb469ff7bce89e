// Package lab runs scenarios for tests of several packages: texts in, results out, and
// the test fails where a step does.
package lab

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/result"
)

// Load writes a scenario as case.toml, and files beside it, and reads it.
func Load(t testing.TB, toml string, files map[string]string, set ...string) (*railyard.Scenario, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "case.toml")
	if err := os.WriteFile(path, []byte(toml), 0o644); err != nil {
		t.Fatal(err)
	}
	return railyard.Load(path, set...)
}

// Run is [Load] and [railyard.Run]; the scenario must be right.
func Run(t testing.TB, toml string, files map[string]string, set ...string) *railyard.Result {
	t.Helper()
	s, err := Load(t, toml, files, set...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	declared(t, r)
	once(t, r.Summary, "summary")
	return r
}

// once holds a record, and those within it, to saying each thing once.
func once(t testing.TB, r *result.Record, path string) {
	t.Helper()
	said := map[string]bool{}
	for _, f := range r.Fields {
		name := path + "." + f.Metric.Name
		if said[name] {
			t.Errorf("%s is there twice", name)
		}
		said[name] = true
		switch v := f.Value.(type) {
		case *result.Record:
			once(t, v, name)
		case []*result.Record:
			for _, sub := range v {
				once(t, sub, name)
			}
		}
	}
}

// declared holds the tables of a run to what docs/results.md says of them: each is a file
// that is declared, and has columns that are, in that order.
func declared(t testing.TB, r *railyard.Result) {
	t.Helper()
	for _, table := range r.Tables {
		file := table.Name + ".csv"
		if table.Lines {
			file = table.Name + ".jsonl"
		}
		i := slices.IndexFunc(result.Files, func(f result.File) bool { return f.Name == file })
		if i < 0 {
			t.Errorf("%s is not declared", file)
			continue
		}
		left := result.Files[i].Columns()
		for _, c := range table.Columns {
			at := slices.IndexFunc(left, func(d result.Declared) bool { return d.Metric == c.Metric })
			if at < 0 {
				t.Errorf("%s: the column %s is not declared, or behind one that is later in the file", file, c.Metric.Name)
				break
			}
			left = left[at+1:]
		}
	}
}

// Refused is Load and Run of a scenario that is wrong: what is said of it.
func Refused(t testing.TB, toml string, files map[string]string, set ...string) string {
	t.Helper()
	s, err := Load(t, toml, files, set...)
	if err == nil {
		if checked := railyard.Check(s); checked == nil {
			_, err = railyard.Run(context.Background(), s, railyard.Options{})
			t.Errorf("Check found nothing; Run: %v", err)
			return ""
		}
		_, err = railyard.Run(context.Background(), s, railyard.Options{})
	}
	var faults railyard.Faults
	if !errors.As(err, &faults) {
		t.Errorf("%v is no fault of the input", err)
		return ""
	}
	return err.Error()
}

// Number is a value of the summary by its path, "training.0.iteration_s".
func Number(t testing.TB, r *railyard.Result, path string) float64 {
	t.Helper()
	v, err := r.Summary.Lookup(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Column is a column of numbers of a table.
func Column(t testing.TB, r *railyard.Result, table, name string) []float64 {
	t.Helper()
	tab := r.Table(table)
	if tab == nil || tab.Column(name) == nil {
		t.Fatalf("there is no %s.csv with a column %s", table, name)
	}
	return tab.Column(name).Numbers
}

// Near says whether a is b up to a part of it.
func Near(a, b, relative float64) bool { return math.Abs(a-b) <= relative*math.Abs(b) }

// Words is a column of texts.
func Words(t testing.TB, r *railyard.Result, table, name string) []string {
	t.Helper()
	for _, x := range r.Tables {
		for _, c := range x.Columns {
			if x.Name == table && c.Metric.Name == name {
				return c.Text
			}
		}
	}
	t.Fatalf("there is no %s.%s", table, name)
	return nil
}
