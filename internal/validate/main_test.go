package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/railyard/railyard/scenario"
)

func table(t *testing.T) []*source {
	t.Helper()
	sources, err := readTable("../../testdata/published")
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

func rowsByID(t *testing.T) map[string]*row {
	rows := map[string]*row{}
	for _, r := range allRows(table(t)) {
		rows[r.id] = r
	}
	return rows
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every row says where it is from and makes a scenario. Of the sources that count
// 253 rows are 237 configurations.
func TestTable(t *testing.T) {
	rows, configurations := 0, map[string]bool{}
	for _, s := range table(t) {
		if s.title == "" || !strings.HasPrefix(s.url, "https://") {
			t.Errorf("%s: %q at %q", s.name, s.title, s.url)
		}
		for _, r := range s.rows {
			if _, faults := scenario.Parse(r.id, []byte(r.scenario()), nil); faults.Err() != nil {
				t.Errorf("%s: %v", r.id, faults.Err())
			}
			if s.apart == "" {
				rows++
				configurations[s.name+r.scenario()] = true
			}
		}
	}
	if rows != 253 || len(configurations) != 237 {
		t.Errorf("%d rows, %d configurations", rows, len(configurations))
	}
}

// Table 2 of Narayanan et al. (SC'21) prints TFLOP/s and how many days 300
// billion tokens take; equation 3 leads from one to the other.
func TestEquation3(t *testing.T) {
	rows := rowsByID(t)
	for id, days := range map[string]float64{
		"sc21-table2-PTD-P-174.6-384": 84, "sc21-table2-PTD-P-174.6-768": 43, "sc21-table2-PTD-P-174.6-1536": 23,
		"sc21-table2-PTD-P-529.6-560": 156, "sc21-table2-PTD-P-529.6-1120": 80, "sc21-table2-PTD-P-529.6-2240": 42,
	} {
		r := rows[id]
		iterations := 300e9 / (r.number("global_batch", 0) * r.number("sequence", 0))
		if got := r.seconds * iterations / 86400; math.Abs(got-days) > 0.5+0.01*days {
			t.Errorf("%s: %.1f days, published %v", id, got, days)
		}
	}
}

// The table was retyped: its times are those of the reference, where it is at
// hand.
func TestReference(t *testing.T) {
	text, err := os.ReadFile("../../../shared/reference/training/measured.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no reference data")
	}
	var measured []struct {
		ID       string
		Measured struct {
			Iteration float64 `json:"iter_time_s"`
			Samples   float64 `json:"samples_per_s"`
		}
		Derived struct {
			Iteration float64 `json:"iter_time_s"`
		}
		Batch struct {
			Global float64 `json:"global_batch"`
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &measured)
	}
	if err != nil {
		t.Fatal(err)
	}
	rows, seen := rowsByID(t), 0
	for _, m := range measured {
		r := rows[m.ID]
		if r == nil {
			continue
		}
		want := m.Measured.Iteration
		if want == 0 {
			want = m.Derived.Iteration
		}
		if want == 0 && m.Batch.Global > 0 {
			want = m.Batch.Global / m.Measured.Samples
		}
		if want == 0 {
			continue
		}
		seen++
		if math.Abs(r.seconds/want-1) > 1e-4 { // of rounding in the reference
			t.Errorf("%s: %v s, want %v", r.id, r.seconds, want)
		}
	}
	if seen < 253 {
		t.Errorf("%d rows of the reference", seen)
	}
}

// fresh are quick rows, spread over the sources.
var fresh = []string{
	"korthikanti-2022-22B-selective", "mosaicml-a100-80-002-70b-s2048-g32", "mosaicml-h100-052-760m-s512-g8",
	"torchtitan-a100-llama3-8b-selop", "dle-bert-a100-multinode-amp-8n-128", "dle-bert-squad-V100-fp16-8",
	"dle-resnet50-A100-fp16-8",
}

// docs/validation.md holds what the binary simulates, and the README its summary.
func TestFresh(t *testing.T) {
	page := read(t, "../../docs/validation.md")
	rows := rowsByID(t)
	for _, id := range fresh {
		r := rows[id]
		if want := r.line(simulate([]*row{r}, nil)[0]); !strings.Contains(page, want) {
			t.Errorf("docs/validation.md is stale: go run ./internal/validate. It lacks\n%s", want)
		}
	}
	for id := range rows {
		if !strings.Contains(page, "\n| "+id+" | ") {
			t.Errorf("docs/validation.md lacks %s", id)
		}
	}
	_, rest, _ := strings.Cut(read(t, "../../README.md"), summaryBegins)
	summary, _, found := strings.Cut(rest, summaryEnds)
	if !found || len(summary) < 100 || !strings.Contains(page, summary) {
		t.Error("the summary in README.md is not that of docs/validation.md")
	}
}

func benches(t *testing.T) []*bench {
	t.Helper()
	all, err := readBenches("../../testdata/published")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// docs/validation.md holds the bus bandwidths that the binary simulates.
func TestFreshCollectives(t *testing.T) {
	page := read(t, "../../docs/validation.md")
	all := benches(t)
	if err := simulateBenches(all); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if b.title == "" || !strings.HasPrefix(b.url, "https://") || len(b.points) == 0 {
			t.Errorf("%s: %q at %q, %d points", b.name, b.title, b.url, len(b.points))
		}
		for _, p := range b.points {
			if !strings.Contains(page, p.line()) {
				t.Errorf("docs/validation.md is stale: go run ./internal/validate. It lacks\n%s", p.line())
			}
		}
	}
	if !strings.Contains(page, collectiveSummary(all)) {
		t.Error("docs/validation.md lacks the summary of collectives")
	}
}

// One set of constants for all published bus bandwidths: from 16 MiB up half of them
// within 5 %, nine in ten within 20; below within 10 and 30.
func TestCollectivesAgree(t *testing.T) {
	all := benches(t)
	if err := simulateBenches(all); err != nil {
		t.Fatal(err)
	}
	var points []*point
	for _, b := range all {
		if b.apart == "" {
			points = append(points, b.points...)
		}
	}
	large, small := errorsBySize(points)
	for name, c := range map[string][3]float64{
		"from 16 MiB up": {summarize(large).median, summarize(large).p90, 0.05},
		"below":          {summarize(small).median, summarize(small).p90, 0.10},
	} {
		if p90 := map[float64]float64{0.05: 0.20, 0.10: 0.30}[c[2]]; c[0] > c[2] || c[1] > p90 {
			t.Errorf("%s: median %.3f, 90th percentile %.3f; want %v and %v", name, c[0], c[1], c[2], p90)
		}
	}
}

// What was retyped is what the reference has, where it is at hand.
func TestCollectivesReference(t *testing.T) {
	text, err := os.ReadFile("../../../shared/reference/collectives/points.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no reference data")
	}
	var points []struct {
		Collective string
		GPU        string
		Ranks      int `json:"n_gpus"`
		Bytes      float64
		BusBW      float64 `json:"busbw_gbps"`
	}
	if err == nil {
		err = json.Unmarshal(text, &points)
	}
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, p := range points {
		op := strings.Replace(p.Collective, "alltoall", "all_to_all", 1)
		known[fmt.Sprint(op, strings.ToLower(p.GPU), p.Ranks, p.Bytes, p.BusBW)] = true
	}
	elsewhere := map[string]bool{"nebius-h100": true, "azure-a100": true, "oke-a100": true}
	for _, b := range benches(t) {
		for _, p := range b.points {
			key := fmt.Sprint(p.cells["op"], p.cells["accelerator"], p.cells["ranks"], " ", p.size, " ", p.published/1e9)
			want := fmt.Sprint(p.cells["op"], p.cells["accelerator"], atoi(p.cells["ranks"]), p.size, p.published/1e9)
			if !elsewhere[b.name] && !known[want] {
				t.Errorf("%s: %s is not in the reference", b.name, key)
			}
		}
	}
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// docs/leave-one-out.md started from the constants that are shipped.
func TestLeaveOneOutFresh(t *testing.T) {
	var line bytes.Buffer
	writeLeft(&line, constants, shipped(constants), nil)
	for l := range strings.Lines(line.String()) {
		if (strings.HasPrefix(l, "| constants") || strings.HasPrefix(l, "| (as shipped)")) && !strings.Contains(read(t, "../../docs/leave-one-out.md"), l) {
			t.Errorf("docs/leave-one-out.md is stale: go run ./internal/validate -leave-one-out. It lacks\n%s", l)
		}
	}
}

// Constants set to the values that are listed as shipped change no time.
func TestConstantsAsShipped(t *testing.T) {
	rows := rowsByID(t)
	for _, id := range fresh {
		r := rows[id]
		without, with := simulate([]*row{r}, nil)[0], simulate([]*row{r}, kernels(constants, shipped(constants)))[0]
		if without.err != nil || with != without {
			t.Errorf("%s: %v with them, %v without", id, with, without)
		}
	}
}

// One iteration takes as long as each of three.
func TestOneIteration(t *testing.T) {
	rows := rowsByID(t)
	for _, id := range fresh {
		one := simulate([]*row{rows[id]}, nil)[0]
		three := simulate([]*row{rows[id]}, nil, "workload.training.0.iterations=3")[0]
		if one.err != nil || one != three {
			t.Errorf("%s: %v in one iteration, %v in three", id, one, three)
		}
	}
}

// A configuration measured three times counts once, with the error in the
// middle; a row that did not run does not.
func TestErrors(t *testing.T) {
	rows := []*row{}
	for _, micro := range []string{"1", "1", "2", "1", "4"} {
		rows = append(rows, &row{seconds: 2, cells: map[string]string{"micro_batch": micro}})
	}
	failed := errors.New("no memory")
	got, refused := errorsOf(rows, []outcome{{seconds: 2.2}, {seconds: 1.8}, {seconds: 3}, {seconds: 2.4}, {err: failed}})
	if refused != 1 || len(got) != 2 || math.Abs(got[0]-0.1) > 1e-12 || got[1] != 0.5 {
		t.Errorf("errors %v, %d refused", got, refused)
	}
}

func TestSummary(t *testing.T) {
	// Of |e| 1 to 10 % the median is 5.5 %; nine in ten are below 10 %.
	s := summarize([]float64{0.01, -0.02, 0.03, -0.04, 0.05, -0.06, 0.07, -0.08, 0.09, -0.10})
	for name, c := range map[string][2]float64{
		"median": {s.median, 0.055}, "p90": {s.p90, 0.10}, "worst": {s.worst, 0.10}, "bias": {s.bias, -0.005},
	} {
		if math.Abs(c[0]-c[1]) > 1e-12 {
			t.Errorf("%s %v, want %v", name, c[0], c[1])
		}
	}
}

func TestReplaceSummary(t *testing.T) {
	got, err := replaceSummary([]byte("a\n"+summaryBegins+"old\n"+summaryEnds+"b\n"), "new\n")
	if want := "a\n" + summaryBegins + "new\n" + summaryEnds + "b\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := replaceSummary([]byte("a\n"+summaryEnds+summaryBegins), "new"); err == nil {
		t.Error("marks in the wrong order are taken")
	}
}

// Sources that follow one law with constants of their own: a time is the product
// of powers of the constants. The fit finds the constants that the time was made
// with; a source that another constant made is met only if it is in the fit.
func TestFit(t *testing.T) {
	at := func(a, b float64) func(row, source int) float64 { // ln of a published time
		return func(row, source int) float64 {
			x := float64(row) / 4
			return x*math.Log(a) + (1-x)*math.Log(b) + float64(source)
		}
	}
	truth := []func(row, source int) float64{at(0.7, 3), at(0.7, 3), at(0.7, 3), at(0.35, 3)}
	evaluations := 0
	p := &problem{
		constants: []constant{
			{name: "a", value: 0.5, low: 0.1, high: 1},
			{name: "b", value: 4, low: 1, high: 10},
			{name: "says nothing", value: 8, low: 1, high: 9},
		},
		evaluate: func(v []float64) [][]float64 {
			evaluations++
			logs := make([][]float64, len(truth))
			for s := range logs {
				for i := range 5 {
					logs[s] = append(logs[s], at(v[0], v[1])(i, s)-truth[s](i, s))
				}
			}
			return logs
		},
	}
	_, out := leaveOneOut(p, []string{"first", "second", "third", "odd"}, func(leftOut) {})
	odd := out[3]
	for k, want := range []float64{0.7, 3, 8} {
		if got := odd.values[k]; math.Abs(got/want-1) > 0.01 {
			t.Errorf("%s is fitted as %.4g, it was %.4g", p.constants[k].name, got, want)
		}
	}
	// Its middle row takes (0.7 / 0.35)^(1/2) of its time.
	if want := math.Sqrt2 - 1; math.Abs(odd.without-want) > 0.02 {
		t.Errorf("left out, the odd source is off by %.3f, want %.3f", odd.without, want)
	}
	if first := out[0]; first.without > 0.02 || first.shipped < 0.05 {
		t.Errorf("the first source, left out, is off by %.3f; as shipped %.3f", first.without, first.shipped)
	}
	if evaluations > 100 {
		t.Errorf("%d evaluations", evaluations)
	}
	p.constants[0].high = 0.6
	p.known = nil
	if got := p.fit(3); got[0] > 0.6 {
		t.Errorf("a is fitted as %v, above its bound", got[0])
	}
}

// What is wrong with a table is said with its file and line.
func TestReadTableErrors(t *testing.T) {
	good := map[string]string{"id": "r", "source": "s", "published": "2", "unit": "s", "model": "bert-large", "accelerator": "a100-sxm-80gb", "accelerators": "8", "hosts": "1", "global_batch": "8"}
	for want, change := range map[string]map[string]string{
		"":                             nil,
		"no source \"x\"":              {"source": "x"},
		"published is \"fast\"":        {"published": "fast"},
		"published is \"-2\"":          {"published": "-2"},
		"unknown unit \"furlongs\"":    {"unit": "furlongs"},
		"training.csv:2: r: unknown":   {"unit": ""},
		"\"8\" accelerators on \"3\" ": {"hosts": "3"},
		"\"8\" accelerators on \"0\" ": {"hosts": "0"},
		"training.csv has no row of ":  {"id": "no row"},
	} {
		columns := slices.Concat(aboutRow, modelKeys, hostKeys, trainingKeys)
		var cells []string
		for _, c := range columns {
			v, changed := change[c]
			if !changed {
				v = good[c]
			}
			cells = append(cells, `"`+strings.ReplaceAll(v, `"`, `""`)+`"`)
		}
		text := strings.Join(columns, ",") + "\n"
		if change["id"] == "" {
			text += strings.Join(cells, ",") + "\n"
		}
		dir := t.TempDir()
		for name, text := range map[string]string{"sources.csv": "source,title,url,note,apart\ns,S,https://s,,\n", "training.csv": text} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err := readTable(dir)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("with %v: %v, want %q", change, err, want)
		}
	}
}
