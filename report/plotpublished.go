package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/report/input"
)

// Bounds of a comparison with published figures.
const (
	maxPublished = 1000 // figures
	fewFigures   = 24   // up to so many are labelled
	within       = 0.1  // half width of the band that is drawn
	folderKey    = "folder"
)

// published is a figure that somebody published, and what was simulated of it.
type published struct {
	line          int
	series, label string
	metric        string
	value         float64
	where         []string // of each selecting column, "" for any

	keys      []string // of the first point that it fits
	fits      int
	low, high float64 // of those points, which differ by their seed alone
	mean      float64
}

// publications is a table of published figures: a row each, with the columns metric and
// published, maybe series and label, and any others, which say of which point it is.
type publications struct {
	path  string
	name  string   // of the scenario
	names []string // of the selecting columns
	rows  []*published
}

func readPublished(path string) (*publications, error) {
	in, err := input.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &FileError{File: path, Err: errors.New("no such file")}
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	header := slices.Clone(in.Header)
	at := func(name string) int { return slices.Index(header, name) }
	metric, value, series, label := at("metric"), at("published"), at("series"), at("label")
	if metric < 0 || value < 0 {
		return nil, &FileError{File: path, Line: 1, Err: fmt.Errorf("no column %s: a table of published figures has metric and published, maybe series and label, and any columns of points.csv or summary.json that say which point is meant",
			map[bool]string{true: "metric", false: "published"}[metric < 0])}
	}
	p := &publications{path: path}
	var selecting []int
	for i, name := range header {
		if i != metric && i != value && i != series && i != label {
			p.names, selecting = append(p.names, name), append(selecting, i)
		}
	}
	cell := func(i int) string {
		if i < 0 {
			return ""
		}
		return strings.Clone(in.Row[i])
	}
	for in.Next() {
		if len(p.rows) == maxPublished {
			return nil, in.Fault(0, fmt.Errorf("more than %d figures", maxPublished))
		}
		v, err := strconv.ParseFloat(in.Row[value], 64)
		if err != nil || !(v > 0) || math.IsInf(v, 0) {
			return nil, in.Fault(value, fmt.Errorf("published is %q: not a number above 0", input.Shorten(in.Row[value])))
		}
		r := &published{line: in.Line(), series: cell(series), label: cell(label), metric: cell(metric), value: v}
		for _, i := range selecting {
			r.where = append(r.where, cell(i))
		}
		p.rows = append(p.rows, r)
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	if p.rows == nil {
		return nil, &FileError{File: path, Err: errors.New("has no figures")}
	}
	return p, nil
}

func (p *publications) fault(r *published, format string, args ...any) error {
	return &FileError{File: p.path, Line: r.line, Err: fmt.Errorf(format, args...)}
}

// results are rows of what was simulated, under one header.
type results struct {
	header []string
	keys   []string // the columns by which rows differ, the seed left out
	each   func(func(row []string) error) error
}

// meet finds what was simulated of each figure. Points that differ by their seed alone
// are one.
func (p *publications) meet(s results) error {
	places := func(names []string) (at []int) {
		for _, name := range names {
			at = append(at, slices.Index(s.header, name))
		}
		return at
	}
	selecting, keys := places(p.names), places(s.keys)
	for i, at := range selecting {
		if at < 0 {
			return &FileError{File: p.path, Line: 1, Err: fmt.Errorf("no column %q among the results, whose points differ by %s", input.Shorten(p.names[i]), strings.Join(s.keys, ", "))}
		}
	}
	name := slices.Index(s.header, "name")
	metrics := make([]int, len(p.rows))
	for i, r := range p.rows {
		if metrics[i] = slices.Index(s.header, r.metric); metrics[i] < 0 {
			return p.fault(r, "no metric %q among the results", input.Shorten(r.metric))
		}
	}
	return s.each(func(row []string) error {
		for i, r := range p.rows {
			if !r.selects(row, selecting) {
				continue
			}
			v, err := strconv.ParseFloat(row[metrics[i]], 64)
			if err != nil || !(v > 0) || math.IsInf(v, 0) {
				continue // a point without a result
			}
			if p.name == "" && name >= 0 {
				p.name = strings.Clone(row[name])
			}
			if r.fits == 0 {
				r.low, r.high = v, v
				for _, at := range keys {
					r.keys = append(r.keys, strings.Clone(row[at]))
				}
			}
			for k, at := range keys {
				if row[at] != r.keys[k] {
					return p.fault(r, "fits points whose %s is %q and %q: a column %s says which is meant", s.keys[k], input.Shorten(r.keys[k]), input.Shorten(row[at]), s.keys[k])
				}
			}
			r.low, r.high = min(r.low, v), max(r.high, v)
			r.mean = (r.mean*float64(r.fits) + v) / float64(r.fits+1)
			r.fits++
		}
		return nil
	})
}

// selects says whether a row of the results is meant.
func (r *published) selects(row []string, selecting []int) bool {
	for i, want := range r.where {
		got := row[selecting[i]]
		if want == "" || want == got {
			continue
		}
		a, errA := strconv.ParseFloat(want, 64)
		b, errB := strconv.ParseFloat(got, 64)
		if errA != nil || errB != nil || a != b {
			return false
		}
	}
	return true
}

// points are the rows of points.csv.
func (p *publications) points(dir string) error {
	in, err := input.Open(filepath.Join(dir, "points.csv"))
	if err != nil {
		return err
	}
	defer in.Close()
	status := slices.Index(in.Header, "status")
	if status < 1 {
		return &FileError{File: filepath.Join(dir, "points.csv"), Line: 1, Err: errors.New("no table of a sweep, which begins with point, the keys, status and run")}
	}
	header := slices.Clone(in.Header)
	keys := slices.DeleteFunc(slices.Clone(header[1:status]), func(k string) bool { return k == seedKey })
	return p.meet(results{header, keys, func(each func([]string) error) error {
		for in.Next() {
			if err := each(in.Row); err != nil {
				return err
			}
		}
		return in.Err()
	}})
}

// run is the one row that a run is: what its summary.json says, by dotted paths as in
// points.csv, and the name of its folder.
func (p *publications) run(dir string) error {
	text, err := readSummaryText(dir)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var all any
	if err := decoder.Decode(&all); err != nil {
		return &FileError{File: filepath.Join(dir, "summary.json"), Err: err}
	}
	header, row := []string{folderKey}, []string{filepath.Base(dir)}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		prefix := path
		if path != "" {
			prefix += "."
		}
		switch v := v.(type) {
		case map[string]any:
			for key, item := range v {
				walk(prefix+key, item)
			}
		case []any:
			for i, item := range v {
				walk(prefix+strconv.Itoa(i), item)
			}
		default:
			header, row = append(header, path), append(row, fmt.Sprint(v))
		}
	}
	walk("", all)
	return p.meet(results{header, []string{folderKey}, func(each func([]string) error) error { return each(row) }})
}

// plotPublished sets what was simulated against what somebody published, from a table of
// the user's: see publications.
func plotPublished(dirs []string, path string) (figure.Figure, error) {
	p, err := readPublished(path)
	if err != nil {
		return nil, err
	}
	if isSweep(dirs[0]) {
		err = p.points(dirs[0])
	} else {
		for _, dir := range dirs {
			if err = p.run(dir); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, err
	}
	f, err := p.picture()
	if err != nil {
		return nil, err
	}
	return f, drawable(filepath.Dir(path), filepath.Base(path), f)
}

// picture is the scatter of the figures that were simulated.
func (p *publications) picture() (figure.Figure, error) {
	axis, err := p.axis()
	if err != nil {
		return nil, err
	}
	f := figure.Parity{Title: (&summary{Name: p.name}).title("simulated against published " + axis.Label), X: axis, Label: "simulated", Within: within}
	f.X.Label = "published"
	if axis.Unit == figure.Count {
		f.X.Label, f.Label = "published "+axis.Label, "simulated "+axis.Label
	}
	var values, errs []float64
	worst := 0.0
	at := map[string]int{}
	for _, r := range p.rows {
		if r.fits == 0 {
			continue
		}
		i, seen := at[r.series]
		if !seen {
			i = len(f.Series)
			at[r.series] = i
			name := r.series
			if name == "" {
				name = "figures"
			}
			f.Series = append(f.Series, figure.Series{Name: name, Points: true})
		}
		s := &f.Series[i]
		s.X, s.Y = append(s.X, r.value), append(s.Y, r.mean)
		s.Low, s.High = append(s.Low, r.low), append(s.High, r.high)
		s.Labels = append(s.Labels, r.label)
		values = append(values, r.value, r.mean)
		e := r.mean/r.value - 1
		errs = append(errs, math.Abs(e))
		if math.Abs(e) > math.Abs(worst) {
			worst = e
		}
	}
	if errs == nil {
		return nil, &FileError{File: p.path, Err: errors.New("no figure is of a point that has a result")}
	}
	for i := range f.Series {
		s := &f.Series[i]
		if slices.Equal(s.Low, s.High) {
			s.Low, s.High = nil, nil
		}
		if len(errs) > fewFigures {
			s.Labels = nil
		}
	}
	f.X.Log = wide(values)
	slices.Sort(errs)
	n := len(errs)
	median := (errs[(n-1)/2] + errs[n/2]) / 2
	f.Subtitle = fmt.Sprintf("%s: median error %.1f %%, worst %+.1f %%", plural(n, "figure"), 100*median, 100*worst)
	if left := len(p.rows) - n; left > 0 {
		f.Subtitle += fmt.Sprintf("; %d more without a result", left)
	}
	return f, nil
}

// axis is that of all figures, which must have one unit.
func (p *publications) axis() (figure.Axis, error) {
	short := func(metric string) sweepMetric {
		parent, last, _ := cutLast(metric)
		if _, above, _ := cutLast(parent); !strings.Contains(last, "_") && above != "" {
			last = above + "." + last // ttft_s.p99
		}
		return sweepMetric{name: last}
	}
	first := p.rows[0]
	axis := short(first.metric).axis()
	for _, r := range p.rows[1:] {
		switch a := short(r.metric).axis(); {
		case a.Unit != axis.Unit, a.Unit == figure.Count && a.Label != axis.Label:
			return axis, p.fault(r, "%s beside %s, which has another unit: one table for each", input.Shorten(r.metric), input.Shorten(first.metric))
		case a.Label != axis.Label:
			axis.Label = "figures"
		}
	}
	return axis, nil
}
