package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/railyard/railyard/report"
)

// compared makes a folder of files.
func compared(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDiffRuns(t *testing.T) {
	a := compared(t, map[string]string{
		"manifest.json": `{"version":"v1","scenario":{"topology":{"hosts":8},"workload":{"training":[{"tensor":2}]}},"inputs":[{"path":"x/s.toml","sha256":"0"},{"path":"x/f.csv","sha256":"1"}]}`,
		"summary.json":  `{"name":"s","training":[{"iteration_s":2,"mfu_ratio":0.4,"algorithm":"ring","old":1,"zero":0}]}`,
	})
	b := compared(t, map[string]string{
		"manifest.json": `{"version":"v1","scenario":{"topology":{"hosts":16},"sim":{"seed":2},"workload":{"training":[{"tensor":2}]}},"inputs":[{"path":"y/s.toml","sha256":"9"},{"path":"y/f.csv","sha256":"2"}]}`,
		"summary.json":  `{"name":"s","training":[{"iteration_s":1,"mfu_ratio":0.44,"algorithm":"tree","new":1,"zero":3}]}`,
	})
	d, err := report.Diff(a, b)
	if err != nil {
		t.Fatal(err)
	}
	d.A, d.B = "a", "b"
	want := &report.Difference{
		A: "a", B: "b",
		Inputs: []report.Change{
			{Path: "file f.csv", A: "1", B: "2", Ratio: 1},
			{Path: "sim.seed", B: "2"},
			{Path: "topology.hosts", A: "8", B: "16", Ratio: 1},
		},
		Results: []report.Change{
			{Path: "training.0.algorithm", A: "ring", B: "tree"},
			{Path: "training.0.new", B: "1"},
			{Path: "training.0.old", A: "1"},
			{Path: "training.0.zero", A: "0", B: "3"},
			{Path: "training.0.iteration_s", A: "2", B: "1", Ratio: -0.5},
			{Path: "training.0.mfu_ratio", A: "0.4", B: "0.44", Ratio: 0.44/0.4 - 1},
		},
	}
	if diff := cmp.Diff(want, d, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Error(diff)
	}
	if d, err := report.Diff(a, a); err != nil || d.Inputs != nil || d.Results != nil {
		t.Errorf("a run differs from itself: %+v, %v", d, err)
	}
}

func TestDiffSweeps(t *testing.T) {
	a := compared(t, map[string]string{"points.csv": `point,hosts,tensor,status,run,iteration_s,mfu_ratio,reason
0,8,1,done,r0,4,0.5,
1,8,2,done,r1,2,0.5,
2,8,4,invalid,r2,,,too large
3,8,8,done,r3,1,0.5,
`})
	b := compared(t, map[string]string{"points.csv": `point,tensor,status,run,mfu_ratio,iteration_s,reason
0,2,done,q1,0.55,1,
1,1,done,q0,0.5,3,
2,4,done,q2,0.6,1,
3,16,done,q3,0.6,1,
`})
	d, err := report.Diff(a, b)
	if err != nil {
		t.Fatal(err)
	}
	d.A, d.B = "a", "b"
	want := &report.Difference{
		A: "a", B: "b",
		Inputs: []report.Change{{Path: "hosts", A: "varied"}},
		Results: []report.Change{
			{Path: "status", A: "invalid", B: "done", Point: "tensor=4", Of: 1},
			{Path: "iteration_s", A: "2", B: "1", Ratio: -0.5, Point: "tensor=2", Of: 2},
			{Path: "mfu_ratio", A: "0.5", B: "0.55", Ratio: 0.55/0.5 - 1, Point: "tensor=2", Of: 1},
		},
		Points: &report.Matched{Both: 3, OnlyA: 1, OnlyB: 1},
	}
	if diff := cmp.Diff(want, d, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Error(diff)
	}
	var text strings.Builder
	if err := d.Text(&text, 2); err != nil {
		t.Fatal(err)
	}
	const shown = `3 points in both, 1 only in a, 1 only in b
inputs
  hosts                          varied                         -
results
  status                        invalid                      done  at tensor=4; 1 points differ
  iteration_s                         2                         1     -50.0 %  at tensor=2; 2 points differ
  and 1 more
`
	if diff := cmp.Diff(shown, text.String()); diff != "" {
		t.Error(diff)
	}
}

func TestDiffFaults(t *testing.T) {
	sweep := compared(t, map[string]string{"points.csv": "point,status\n"})
	for _, c := range []struct {
		name, a, b, want string
	}{
		{"nothing there", t.TempDir(), t.TempDir(), "no results to compare"},
		{"a run and a sweep", sweep, t.TempDir(), "one is a sweep, the other is not"},
		{"not JSON", compared(t, map[string]string{"manifest.json": "{"}), sweep, "one is a sweep"},
		{"broken", compared(t, map[string]string{"manifest.json": "{"}), t.TempDir(), "manifest.json: unexpected EOF"},
		{"another table", compared(t, map[string]string{"points.csv": "x,y\n"}), sweep, "points.csv:1: this is no table of a sweep"},
		{"ragged", compared(t, map[string]string{"points.csv": "point,status\n1\n"}), sweep, "points.csv: record on line 2: wrong number of fields"},
	} {
		if _, err := report.Diff(c.a, c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}
