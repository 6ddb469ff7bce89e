package report

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Difference is what two results folders, of runs or of sweeps, do not share.
type Difference struct {
	A       string   `json:"a"` // folders
	B       string   `json:"b"`
	Inputs  []Change `json:"inputs"`
	Results []Change `json:"results"` // the largest first
	// Points says how the points of two sweeps match; nil for runs.
	Points *Matched `json:"points,omitempty"`
}

// Change is one value that differs.
type Change struct {
	Path string `json:"path"`
	A    string `json:"a"` // "" where A has none
	B    string `json:"b"`
	// Ratio is B / A - 1, and 0 for what is no number or was nothing: that counts
	// as larger than any number.
	Ratio float64 `json:"change_ratio"`
	// Point is the values of the keys at which two sweeps differ most, and Of how
	// many points differ.
	Point string `json:"point,omitempty"`
	Of    int    `json:"points,omitempty"`
}

// Matched counts the points of two sweeps, matched by the values of the keys
// that both vary.
type Matched struct {
	Both  int `json:"both"`
	OnlyA int `json:"only_a"`
	OnlyB int `json:"only_b"`
}

// maxCompared bounds the files that Diff reads.
const maxCompared = 1 << 30

// Diff compares two results folders: of two runs by manifest.json and
// summary.json, of two sweeps by points.csv.
func Diff(a, b string) (*Difference, error) {
	d := &Difference{A: a, B: b}
	sweeps := 0
	for _, dir := range []string{a, b} {
		if _, err := os.Stat(filepath.Join(dir, "points.csv")); err == nil {
			sweeps++
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	var err error
	switch sweeps {
	case 2:
		err = d.sweeps()
	case 1:
		err = fmt.Errorf("%s and %s: one is a sweep, the other is not", a, b)
	default:
		err = d.runs()
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(d.Inputs, func(x, y Change) int { return strings.Compare(x.Path, y.Path) })
	slices.SortStableFunc(d.Results, func(x, y Change) int {
		return cmp.Or(cmp.Compare(y.size(), x.size()), strings.Compare(x.Path, y.Path))
	})
	return d, nil
}

func (c Change) size() float64 {
	if c.Ratio == 0 {
		return math.Inf(1)
	}
	return math.Abs(c.Ratio)
}

// runs compares two runs.
func (d *Difference) runs() error {
	var inputs, results [2]map[string]string
	for i, dir := range []string{d.A, d.B} {
		var m struct {
			Version  string
			Scenario map[string]any
			Inputs   []File
		}
		if err := readJSON(filepath.Join(dir, "manifest.json"), &m); err != nil {
			return err
		}
		inputs[i] = map[string]string{"version": m.Version}
		for _, f := range m.Inputs[min(1, len(m.Inputs)):] { // the first is the scenario, compared by its keys
			inputs[i]["file "+filepath.Base(f.Path)] = f.SHA256
		}
		flatten(inputs[i], "", m.Scenario)
		var summary any
		if err := readJSON(filepath.Join(dir, "summary.json"), &summary); err != nil {
			return err
		}
		results[i] = map[string]string{}
		flatten(results[i], "", summary)
	}
	d.Inputs = changes(inputs[0], inputs[1])
	d.Results = changes(results[0], results[1])
	return nil
}

func readJSON(path string, to any) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("no results to compare: %w", err)
	}
	defer f.Close()
	in := json.NewDecoder(io.LimitReader(f, maxCompared))
	in.UseNumber()
	if err := in.Decode(to); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// flatten lists the values of a JSON document by their dotted paths.
func flatten(to map[string]string, path string, v any) {
	in := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			flatten(to, in(name), item)
		}
	case []any:
		for i, item := range v {
			flatten(to, in(strconv.Itoa(i)), item)
		}
	default:
		to[path] = fmt.Sprint(v)
	}
}

// changes are the values that differ, in no order.
func changes(a, b map[string]string) []Change {
	var all []Change
	for path, was := range a {
		if now, ok := b[path]; !ok || now != was {
			all = append(all, change(path, was, now))
		}
	}
	for path, now := range b {
		if _, ok := a[path]; !ok {
			all = append(all, change(path, "", now))
		}
	}
	return all
}

func change(path, was, now string) Change {
	c := Change{Path: path, A: was, B: now}
	x, notA := strconv.ParseFloat(was, 64)
	y, notB := strconv.ParseFloat(now, 64)
	if r := y/x - 1; notA == nil && notB == nil && x != 0 && !math.IsNaN(r) && !math.IsInf(r, 0) {
		c.Ratio = r
	}
	return c
}

// points is a sweep's table.
type points struct {
	head []string
	keys int // columns 1 to keys are those varied
	rows [][]string
}

func readPoints(dir string) (*points, error) {
	path := filepath.Join(dir, "points.csv")
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := csv.NewReader(io.LimitReader(f, maxCompared)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p := &points{}
	if len(all) > 0 {
		p.head, p.rows = all[0], all[1:]
		p.keys = slices.Index(p.head, "status") - 1
	}
	if p.keys < 0 {
		return nil, fmt.Errorf("%s:1: this is no table of a sweep: it has no column status", path)
	}
	return p, nil
}

// at is a row's values of some keys.
func (p *points) at(row, keys []string) string {
	var parts []string
	for _, key := range keys {
		parts = append(parts, key+"="+row[slices.Index(p.head, key)])
	}
	return strings.Join(parts, ", ")
}

// sweeps compares two sweeps point by point: of each metric, the point at which
// it differs most.
func (d *Difference) sweeps() error {
	a, err := readPoints(d.A)
	if err != nil {
		return err
	}
	b, err := readPoints(d.B)
	if err != nil {
		return err
	}
	var common []string
	keysA, keysB := a.head[1:1+a.keys], b.head[1:1+b.keys]
	for _, key := range keysA {
		if slices.Contains(keysB, key) {
			common = append(common, key)
		} else {
			d.Inputs = append(d.Inputs, Change{Path: key, A: "varied"})
		}
	}
	for _, key := range keysB {
		if !slices.Contains(keysA, key) {
			d.Inputs = append(d.Inputs, Change{Path: key, B: "varied"})
		}
	}
	others := map[string][]string{}
	for _, row := range slices.Backward(b.rows) { // the first where several match
		others[b.at(row, common)] = row
	}
	column := map[string]int{}
	for i, name := range b.head {
		column[name] = i
	}
	largest := map[string]Change{}
	d.Points = &Matched{}
	for _, row := range a.rows {
		at := a.at(row, common)
		other, ok := others[at]
		if !ok || at == "" { // or the sweeps vary nothing in common
			d.Points.OnlyA++
			continue
		}
		d.Points.Both++
		for i, name := range a.head {
			j, ok := column[name]
			if i <= a.keys || name == "run" || !ok || row[i] == other[j] || row[i] == "" || other[j] == "" {
				continue // a metric that one point has not is told by its status
			}
			c := change(name, row[i], other[j])
			c.Point = at
			seen := largest[name]
			c.Of = seen.Of + 1
			if seen.Of > 0 && seen.size() >= c.size() {
				seen.Of = c.Of
				c = seen
			}
			largest[name] = c
		}
	}
	d.Points.OnlyB = len(b.rows) - d.Points.Both
	for _, c := range largest {
		d.Results = append(d.Results, c)
	}
	return nil
}

// Text writes a difference for a person, at most so many results; 0 is all.
func (d *Difference) Text(w io.Writer, most int) error {
	p := &printer{w: w}
	if d.Points != nil {
		p.line("%s points in both, %s only in %s, %s only in %s", Count(float64(d.Points.Both)),
			Count(float64(d.Points.OnlyA)), d.A, Count(float64(d.Points.OnlyB)), d.B)
	}
	if d.Inputs == nil && d.Results == nil {
		p.line("no difference")
		return p.err
	}
	width := 0
	for _, c := range slices.Concat(d.Inputs, d.Results) {
		width = max(width, len(c.Path))
	}
	side := func(v string) string {
		if v == "" {
			return "-"
		}
		if x, err := strconv.ParseFloat(v, 64); err == nil {
			return strconv.FormatFloat(x, 'g', 7, 64)
		}
		const longest = 24
		if len(v) > longest {
			return v[:longest-3] + "..."
		}
		return v
	}
	section := func(title string, all []Change, most int) {
		if all == nil {
			return
		}
		p.line("%s", title)
		for i, c := range all {
			if most > 0 && i == most {
				p.line("  and %d more", len(all)-most)
				break
			}
			line := fmt.Sprintf("  %-*s  %24s  %24s", width, c.Path, side(c.A), side(c.B))
			if c.Ratio != 0 {
				line += fmt.Sprintf("  %+8.1f %%", 100*c.Ratio)
			}
			if c.Of > 0 {
				line += fmt.Sprintf("  at %s; %d points differ", c.Point, c.Of)
			}
			p.line("%s", line)
		}
	}
	section("inputs", d.Inputs, 0)
	section("results", d.Results, most)
	return p.err
}
