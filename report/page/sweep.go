package page

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/railyard/railyard/result"
)

// Bounds of a page of a sweep.
const (
	maxPoints    = 4000    // in charts, about
	maxMetrics   = 40      // in charts
	maxCells     = 1 << 25 // of points.csv
	fewTexts     = 60      // values of a key that is no number
	statusColumn = "status"
)

// sweepDocument is the page of a sweep: what the keys that were varied do to the
// metrics.
func sweepDocument(f *folder, objectives []Objective) (*document, error) {
	const file = "points.csv"
	var columns [][]string
	header, err := f.scan(file, nil, nil, func(r *row) {
		if columns == nil {
			columns = make([][]string, len(r.Row))
		}
		if (len(columns[0])+1)*len(columns) > maxCells {
			r.fail("more than %d cells", maxCells)
			return
		}
		for i, c := range r.Row {
			columns[i] = append(columns[i], strings.Clone(c))
		}
	})
	if err != nil {
		return nil, err
	}
	s := slices.Index(header, statusColumn)
	fault := func(format string, args ...any) error {
		return &FileError{File: filepath.Join(f.dir, file), Line: 1, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case s < 1 || header[0] != "point":
		return nil, fault("not the points of a sweep: no column point at the beginning, or no %s", statusColumn)
	case columns == nil:
		return nil, fault("no points")
	}
	p := &points{header: header, columns: columns, keys: header[1:s], objectives: objectives}
	p.choose(columns[s])
	d := &document{Title: "sweep"}
	if i := slices.Index(header, result.Name.Name); i > 0 {
		for _, name := range columns[i] {
			if name != "" {
				d.Title = name
				break
			}
		}
	}
	d.Subtitle = []any{count(float64(len(columns[0]))), " points of " + strings.Join(p.keys, ", ")}
	d.Sections = append(d.Sections, p.outcome(columns[s]))
	if charts := p.charts(); charts.Columns != nil {
		d.Sections = append(d.Sections, section{
			ID: "sweep", Title: "What the keys do", Parts: []any{charts},
			Text: []any{"Choose what the charts compare. A point on the front is one than which no other is as good in both and better in one."},
		})
	}
	t, err := f.table(file, "Points", nil)
	if err != nil {
		return nil, err
	}
	for i := range t.Columns {
		m, _ := declared(t.Columns[i].Name)
		t.Columns[i].Unit, t.Columns[i].Definition = unitOf(t.Columns[i].Name, m), m.Definition
	}
	last := section{ID: "tables", Title: "Tables", Parts: []any{t}}
	if l := p.left(columns[s]); l.Total > 0 {
		last.Parts = append(last.Parts, l)
	}
	d.Sections = append(d.Sections, last)
	return d, nil
}

// points are the rows of a sweep.
type points struct {
	header  []string
	columns [][]string
	keys    []string
	done    []int // rows that have results
	metrics []int // columns of numbers that differ between them

	objectives []Objective
}

// choose finds the rows that ended well and the metrics that differ between them.
func (p *points) choose(status []string) {
	for i, s := range status {
		if s == "done" || s == "horizon" {
			p.done = append(p.done, i)
		}
	}
	for c := len(p.keys) + 2; c < len(p.header); c++ {
		first, differ := math.NaN(), false
		for _, i := range p.done {
			text := p.columns[c][i]
			if text == "" {
				continue
			}
			v, ok := parse(text)
			if !ok {
				differ = false
				break
			}
			if math.IsNaN(first) {
				first = v
			}
			differ = differ || v != first
		}
		if differ {
			p.metrics = append(p.metrics, c)
		}
	}
	slices.SortStableFunc(p.metrics, func(a, b int) int { return p.rank(p.header[a]) - p.rank(p.header[b]) })
	p.metrics = p.metrics[:min(len(p.metrics), maxMetrics)]
}

// preferred are metrics that a sweep is most often about, the most often first.
var preferred = []string{
	"iteration_s", "ttft_s.p99", "jct_s.mean", "collectives.0.time_s", "flows.mean_completion_s", "memory_per_accelerator_bytes", "output_tokens_per_s",
	"wait_s.mean", "allocation_ratio", "busbw_Bps", "total_USD", "total_J", "mfu_ratio", "goodput_ratio", "tokens_per_s", "samples_per_s", "tpot_s.p99", "e2e_s.p99",
	"peak_utilization_ratio", "contended_s", "makespan_s",
}

// rank is the place of a metric among the objectives and what is preferred, that of
// ordinary if it is in neither.
func (p *points) rank(name string) int {
	if i := slices.IndexFunc(p.objectives, func(o Objective) bool { return o.Metric == name }); i >= 0 {
		return i - len(p.objectives)
	}
	if i := slices.IndexFunc(preferred, func(end string) bool { return strings.HasSuffix(name, end) }); i >= 0 {
		return i
	}
	return ordinary
}

const ordinary = 1000

// better are endings of metrics of which more is better.
var better = []string{"_per_s", "tflops_per_accelerator", "mfu_ratio", "goodput_ratio", "allocation_ratio", "busbw_Bps", "algbw_Bps", "jain_ratio", ".finished"}

// more reports whether more of a metric is better.
func (p *points) more(name string) bool {
	if i := slices.IndexFunc(p.objectives, func(o Objective) bool { return o.Metric == name }); i >= 0 {
		return p.objectives[i].More
	}
	return slices.ContainsFunc(better, func(end string) bool { return strings.HasSuffix(name, end) })
}

// outcome is how the points ended, and the best of each metric.
func (p *points) outcome(status []string) section {
	sec := section{ID: "headline", Title: "In short"}
	ended := map[string]int{}
	var names []string
	for _, s := range status {
		if ended[s] == 0 {
			names = append(names, s)
		}
		ended[s]++
	}
	slices.SortFunc(names, func(a, b string) int { // what ran first
		return cmp.Or(cmp.Compare(slices.Index(endings, a), slices.Index(endings, b)), strings.Compare(a, b))
	})
	fig := figures{caption: caption{Kind: "figures", Title: "points"}}
	for _, name := range names {
		fig.Figures = append(fig.Figures, single{Label: name, Value: float64(ended[name]), Definition: meaning[name]})
	}
	sec.Parts = append(sec.Parts, fig)
	best := figures{caption: caption{Kind: "figures", Title: "best of each"}}
	for _, c := range p.metrics[:min(len(p.metrics), maxRecords)] {
		name := p.header[c]
		if p.rank(name) == ordinary {
			break
		}
		m, _ := declared(name)
		at, value := -1, 0.0
		for _, i := range p.done {
			v, ok := parse(p.columns[c][i])
			if ok && (at < 0 || p.more(name) && v > value || !p.more(name) && v < value) {
				at, value = i, v
			}
		}
		where := []any{"at "}
		for k, key := range p.keys {
			if k > 0 {
				where = append(where, ", ")
			}
			where = append(where, key[strings.LastIndexByte(key, '.')+1:]+" = ")
			if v, ok := parse(p.columns[k+1][at]); ok {
				where = append(where, count(v))
			} else {
				where = append(where, p.columns[k+1][at])
			}
		}
		which := "least"
		if p.more(name) {
			which = "greatest"
		}
		best.Figures = append(best.Figures, single{
			Label: name + ", " + which, Value: value, Unit: unitOf(name, m),
			Definition: m.Definition, Formula: m.Formula, Note: where, Path: "point " + p.columns[0][at],
		})
	}
	if best.Figures != nil {
		sec.Parts = append(sec.Parts, best)
	}
	return sec
}

// left is why points have no results.
func (p *points) left(status []string) table {
	t := table{caption: caption{Kind: "table", Title: "Points without results"}, File: "points.csv"}
	i := slices.Index(p.header, "reason")
	if i < 0 {
		return t
	}
	var point, how, why []string
	for n, reason := range p.columns[i] {
		if reason == "" {
			continue
		}
		if t.Total++; len(why) < maxTableRows {
			point, how, why = append(point, p.columns[0][n]), append(how, status[n]), append(why, reason)
		}
	}
	if t.Total > len(why) {
		t.Text = []any{count(float64(len(why))), " of ", count(float64(t.Total)), ", the first; all are in points.csv."}
	}
	t.Columns = []cells{{Name: "point", Values: point}, {Name: "status", Values: how}, {Name: "reason", Values: why}}
	return t
}

// meaning of how a point ended.
var endings = []string{"done", "horizon", "invalid", "failed"}

var meaning = map[string]string{
	"done":    "ran to its end",
	"horizon": "ran to the horizon with work left",
	"invalid": "cannot be: it does not fit, or contradicts itself",
	"failed":  "could not finish",
}

// charts are the points for scatter, response and parallel coordinates.
func (p *points) charts() studies {
	s := studies{caption: caption{Kind: "studies"}}
	if len(p.metrics) == 0 || len(p.done) < 2 {
		return s
	}
	numbersOf := func(c int) ([]float64, bool) {
		values := make([]float64, len(p.done))
		for k, i := range p.done {
			v, ok := parse(p.columns[c][i])
			if !ok && p.columns[c][i] != "" {
				return nil, false
			}
			values[k] = v
		}
		return values, true
	}
	var found [][]float64
	for _, c := range p.metrics {
		values, _ := numbersOf(c)
		found = append(found, values)
	}
	s.X, s.Y = p.pair()
	column := func(name string) int {
		return slices.IndexFunc(p.metrics, func(c int) bool { return p.header[c] == name })
	}
	keep := thin(found, maxPoints)
	if len(keep) < len(p.done) {
		best := front(found[column(s.X)], found[column(s.Y)], p.more(s.X), p.more(s.Y))
		keep = append(keep, best[:min(len(best), maxPoints)]...)
		slices.Sort(keep)
		keep = slices.Compact(keep)
		s.Text = []any{count(float64(len(keep))), " of ", count(float64(len(p.done))), " points, among them the front of these two and the least and the greatest values of all; the others are in points.csv."}
	}
	for k, key := range p.keys {
		st := study{Name: key, Key: true}
		if values, ok := numbersOf(k + 1); ok {
			st.Values = numbers(pick(values, keep))
		} else {
			var texts []string
			for _, i := range keep {
				texts = append(texts, p.columns[k+1][p.done[i]])
			}
			if distinct := slices.Compact(slices.Sorted(slices.Values(texts))); len(distinct) > fewTexts {
				continue
			}
			st.Values = texts
		}
		s.Columns = append(s.Columns, st)
	}
	for k, c := range p.metrics {
		m, _ := declared(p.header[c])
		s.Columns = append(s.Columns, study{
			Name: p.header[c], Unit: unitOf(p.header[c], m), Definition: m.Definition, More: p.more(p.header[c]), Values: numbers(pick(found[k], keep)),
		})
	}
	return s
}

// pair is what the first chart compares: the first two objectives, or else the metric
// that sweeps are most often about and the next that is another kind of thing.
func (p *points) pair() (x, y string) {
	x = p.header[p.metrics[0]]
	unit := func(name string) string {
		m, _ := declared(name)
		return unitOf(name, m)
	}
	for _, c := range p.metrics[1:] {
		if y = p.header[c]; p.rank(y) < 0 || unit(y) != unit(x) {
			return x, y
		}
	}
	return x, x
}

// front is the Pareto front: the points than which no other is as good in both x and
// y and better in one. It sorts by x and keeps what is better in y than all before.
func front(x, y []float64, moreX, moreY bool) []int {
	sign := func(more bool) float64 {
		if more {
			return -1
		}
		return 1
	}
	sx, sy := sign(moreX), sign(moreY)
	var order, best []int
	for i := range x {
		if !math.IsNaN(x[i]) && !math.IsNaN(y[i]) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(sx*x[a], sx*x[b]), cmp.Compare(sy*y[a], sy*y[b]), a-b)
	})
	for _, i := range order {
		last := len(best) - 1
		if last < 0 || sy*y[i] < sy*y[best[last]] || y[i] == y[best[last]] && x[i] == x[best[last]] {
			best = append(best, i)
		}
	}
	return best
}
