package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/report/input"
)

// Bounds of the pictures of a sweep.
const (
	maxSwept  = 200_000 // points of the sweep
	maxVaried = 12      // keys that have a picture of their own
	fewValues = 6       // up to so many values of another key have a line each
	fewNames  = 40      // categories on an axis
	seedKey   = "sim.seed"
)

// sweepMetric is a metric to draw, and whether more of it is better.
type sweepMetric struct {
	name string
	max  bool
}

// parseMetric reads "max training.0.mfu_ratio". Without a direction more of a rate and
// less of all else is better.
func parseMetric(text string) sweepMetric {
	words := strings.Fields(text)
	if len(words) == 2 && (words[0] == "min" || words[0] == "max") {
		return sweepMetric{words[1], words[0] == "max"}
	}
	return sweepMetric{text, isRate(text)}
}

// isRate says whether more of a metric is better, by its name.
func isRate(metric string) bool {
	return slices.ContainsFunc([]string{"per_s", "_Bps", "tflops", "mfu_ratio", "goodput", "utilization_ratio"}, func(part string) bool { return strings.Contains(metric, part) })
}

func (m sweepMetric) better(a, b float64) bool {
	if m.max {
		return a > b
	}
	return a < b
}

// cutLast takes the last part of a path off.
func cutLast(path string) (parent, last string, found bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// axis writes a metric in its unit.
func (m sweepMetric) axis() figure.Axis {
	a := figure.Axis{Label: m.name}
	name := m.name
	if parent, statistic, found := cutLast(name); found && !strings.Contains(statistic, "_") {
		name = parent // ttft_s.p99 has the unit of ttft_s
	}
	for _, u := range []struct {
		end  string
		unit figure.Unit
		name string
	}{
		{"per_s", figure.Count, ""},
		{"_s", figure.Seconds, ""},
		{"_bytes", figure.Bytes, ""},
		{"_Bps", figure.BytesPerSecond, ""},
		{"_ratio", figure.Ratio, ""},
		{"_W", figure.Count, "W"},
		{"_J", figure.Count, "J"},
		{"_USD", figure.Count, "USD"},
	} {
		if strings.HasSuffix(name, u.end) {
			if a.Unit = u.unit; u.name != "" {
				a.Label += " (" + u.name + ")"
			}
			break
		}
	}
	return a
}

// The metrics that a sweep is drawn by where none are asked for, the first that there
// are: what it is for, and what that takes.
var (
	sweepAims = []string{
		"training.0.tokens_per_s", "training.0.samples_per_s", "serving.0.output_tokens_per_s", "collectives.0.busbw_Bps", "jobs.jct_s.mean", "makespan_s",
	}
	sweepPrices = []string{
		"cost.per_hour_USD", "cost.total_USD", "energy.average_power_W", "cluster.accelerators", "training.0.memory_per_accelerator_bytes", "serving.0.ttft_s.p99", "makespan_s",
	}
)

// swept is the points of a sweep of one folder that have the metrics to be drawn, those
// that differ by their seed alone being one.
type swept struct {
	name   string
	keys   []string
	points []sweptPoint
	place  []int // of each row of the table, its point; -1 without the metric
	rows   int
	failed int // rows without the metric
	aim    sweepMetric
	price  sweepMetric // "" where there is none
}

type sweptPoint struct {
	values       []string // of the keys
	aim          float64  // mean over seeds
	low, high    float64  // of the seeds
	seeds        int
	price        float64
	prices       []float64 // by the metrics of which one is chosen
	accelerators float64
	batch        float64
}

// readSwept reads points.csv.
func readSwept(dir string, metrics []string) (*swept, error) {
	path := filepath.Join(dir, "points.csv")
	in, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	fail := func(line int, format string, args ...any) error {
		return &FileError{File: path, Line: line, Err: fmt.Errorf(format, args...)}
	}
	header := in.Header
	status := slices.Index(header, "status")
	if len(header) == 0 || header[0] != "point" || status < 1 || status+1 >= len(header) || header[status+1] != "run" {
		return nil, fail(1, "no table of a sweep, which begins with point, the keys, status and run")
	}
	s := &swept{keys: header[1:status]}
	found := header[status+2:]
	candidates := func(asked int, among []string) ([]sweepMetric, error) {
		if asked < len(metrics) {
			among = metrics[asked : asked+1]
		}
		var all []sweepMetric
		for _, text := range among {
			if m := parseMetric(text); slices.Contains(found, m.name) {
				all = append(all, m)
			} else if asked < len(metrics) {
				return nil, fail(1, "no metric %q; there are %s", input.Shorten(m.name), input.Shorten(strings.Join(found, ", ")))
			}
		}
		return all, nil
	}
	if len(found) < 2 { // but for the reason
		return nil, fail(1, "no point has a result")
	}
	aims, err := candidates(0, sweepAims)
	if err != nil {
		return nil, err
	}
	if aims == nil {
		return nil, fail(1, "no point has a metric to draw")
	}
	s.aim = aims[0]
	prices, err := candidates(1, sweepPrices)
	if err != nil {
		return nil, err
	}
	index := map[string]int{}
	at := func(record []string, name string) float64 {
		i := slices.Index(header, name)
		if i < 0 {
			return math.NaN()
		}
		v, err := strconv.ParseFloat(record[i], 64)
		if err != nil || math.IsInf(v, 0) {
			return math.NaN()
		}
		return v
	}
	for in.Next() {
		record := in.Row
		if s.rows++; s.rows > maxSwept {
			return nil, in.Fault(0, fmt.Errorf("more than %d points", maxSwept))
		}
		p := sweptPoint{
			values: slices.Clone(record[1:status]), aim: at(record, s.aim.name),
			accelerators: at(record, "cluster.accelerators"), batch: at(record, "training.0.global_batch"),
		}
		if math.IsNaN(p.aim) {
			s.failed++
			s.place = append(s.place, -1)
			continue
		}
		for _, m := range prices {
			p.prices = append(p.prices, at(record, m.name))
		}
		if i := slices.Index(header, "name"); s.name == "" && i > 0 {
			s.name = strings.Clone(record[i])
		}
		s.place = append(s.place, s.add(p, index))
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	if s.points == nil {
		return nil, &FileError{File: path, Err: fmt.Errorf("no point has %s", s.aim.name)}
	}
	s.choosePrice(prices)
	return s, nil
}

// choosePrice takes the first of some metrics that is another than what the sweep is for,
// and not the same at all points.
func (s *swept) choosePrice(among []sweepMetric) {
	for k, m := range among {
		low, high := math.Inf(1), math.Inf(-1)
		for i := range s.points {
			if v := s.points[i].prices[k]; !math.IsNaN(v) {
				low, high = min(low, v), max(high, v)
			}
		}
		if m.name == s.aim.name || low >= high {
			continue
		}
		s.price = m
		for i := range s.points {
			s.points[i].price = s.points[i].prices[k]
		}
		return
	}
}

// add adds a point, to that of other seeds if there is one, and gives its place.
func (s *swept) add(p sweptPoint, index map[string]int) int {
	same := slices.Clone(p.values)
	if i := slices.Index(s.keys, seedKey); i >= 0 {
		same[i] = ""
	}
	id := strings.Join(same, "\x00")
	i, seen := index[id]
	if !seen {
		index[id] = len(s.points)
		p.low, p.high, p.seeds = p.aim, p.aim, 1
		s.points = append(s.points, p)
		return index[id]
	}
	q := &s.points[i]
	n := float64(q.seeds)
	q.low, q.high = min(q.low, p.aim), max(q.high, p.aim)
	q.aim = (q.aim*n + p.aim) / (n + 1)
	for k := range q.prices {
		q.prices[k] = (q.prices[k]*n + p.prices[k]) / (n + 1)
	}
	q.seeds++
	return i
}

// title says what is seen of the sweep.
func (s *swept) title(seen string) string {
	if s.name == "" {
		return seen
	}
	return s.name + ": " + seen
}

// subtitle counts the points.
func (s *swept) subtitle(more ...string) string {
	n := s.rows - s.failed
	text := plural(n, "point")
	if len(s.points) < n {
		text += " of " + plural(len(s.points), "setting") + ", the mean over seeds"
	}
	if s.failed > 0 {
		text += fmt.Sprintf(", %d more without a result", s.failed)
	}
	return strings.Join(append([]string{text}, more...), "; ")
}

// plotSweep draws the table of a sweep. The pictures have names of their own.
func plotSweep(dir string, o PlotOptions) ([]picture, []string, error) {
	s, err := readSwept(dir, o.Metrics)
	if err != nil {
		return nil, nil, err
	}
	var pictures []picture
	var lacks []string
	add := func(name string, f figure.Figure, lack string) error {
		switch {
		case len(o.Only) > 0 && !slices.Contains(o.Only, name):
			return nil
		case f == nil:
			lacks = append(lacks, lack)
			return nil
		}
		pictures = append(pictures, picture{name, f})
		return drawable(dir, "points.csv", f)
	}
	f, lack := s.pareto()
	if err := add("pareto", f, lack); err != nil {
		return nil, nil, err
	}
	f, lack = s.scaling()
	if err := add("scaling", f, lack); err != nil {
		return nil, nil, err
	}
	drawn := 0
	for k, key := range s.keys {
		if key == seedKey || drawn == maxVaried || len(s.distinct(k)) < 2 {
			continue
		}
		drawn++
		f, lack := s.response(k)
		if err := add("response-"+s.shortKey(k), f, lack); err != nil {
			return nil, nil, err
		}
	}
	jobs, lack, err := s.distributions(dir)
	if err != nil {
		return nil, nil, err
	}
	if jobs == nil {
		lacks = append(lacks, lack)
	}
	for _, p := range jobs {
		if err := add(p.name, p.Figure, ""); err != nil {
			return nil, nil, err
		}
	}
	f, lack, err = plotCurve(dir)
	if err == nil {
		err = add("curve", f, lack)
	}
	if err != nil {
		return nil, nil, err
	}
	return pictures, lacks, nil
}

// shortKey is the end of a key that no other key has: tensor of workload.training.0.tensor.
func (s *swept) shortKey(k int) string {
	parts := strings.Split(s.keys[k], ".")
	for n := 1; n < len(parts); n++ {
		end := strings.Join(parts[len(parts)-n:], ".")
		if !slices.ContainsFunc(s.keys, func(other string) bool { return other != s.keys[k] && strings.HasSuffix(other, "."+end) }) {
			return safeName(end)
		}
	}
	return safeName(s.keys[k])
}

// safeName keeps of a key what any file system takes.
func safeName(key string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, input.Shorten(key))
}

// distinct are the values of a key, in the order in which they appear.
func (s *swept) distinct(k int) []string {
	var all []string
	seen := map[string]bool{}
	for i := range s.points {
		if v := s.points[i].values[k]; !seen[v] {
			seen[v] = true
			all = append(all, v)
		}
	}
	return all
}

// pareto draws what the sweep is for against what that takes, and the points than which
// none is better in both.
func (s *swept) pareto() (figure.Figure, string) {
	if s.price.name == "" {
		return nil, "no second metric that changes"
	}
	var all []int
	for i := range s.points {
		if !math.IsNaN(s.points[i].price) {
			all = append(all, i)
		}
	}
	// From the cheapest on, each that is better than all before.
	slices.SortStableFunc(all, func(i, j int) int {
		a, b := &s.points[i], &s.points[j]
		order := cmp.Compare(a.price, b.price)
		if s.price.max {
			order = -order
		}
		if order == 0 && s.aim.better(a.aim, b.aim) {
			return -1
		}
		if order == 0 && s.aim.better(b.aim, a.aim) {
			return 1
		}
		return order
	})
	points := figure.Series{Name: "all points", Points: true, Faint: true}
	front := figure.Series{Name: "Pareto front", Points: true}
	var best []*sweptPoint
	for _, i := range all {
		p := &s.points[i]
		points.X, points.Y = append(points.X, p.price), append(points.Y, p.aim)
		if n := len(best); n == 0 || s.aim.better(p.aim, best[n-1].aim) {
			front.X, front.Y = append(front.X, p.price), append(front.Y, p.aim)
			best = append(best, p)
		}
	}
	front.Labels = s.labels(best)
	line := front
	line.Points, line.Step, line.Labels = false, true, nil
	points.Like = front.Name
	line.Name, line.Like = "", front.Name
	x, y := s.price.axis(), s.aim.axis()
	x.Log, y.Log = wide(points.X), wide(points.Y)
	if x.Log && x.Unit == figure.Count {
		x.At = few(points.X)
	}
	return figure.Lines{
		Title: s.title(s.aim.name + " against " + s.price.name), Subtitle: s.subtitle(plural(len(front.X), "point") + " than which none is better in both"),
		X: x, Y: y, Series: []figure.Series{front, line, points},
	}, ""
}

// labels tell some points from each other by the keys that are not the same in all.
func (s *swept) labels(points []*sweptPoint) []string {
	labels := make([]string, len(points))
	for k, key := range s.keys {
		same := !slices.ContainsFunc(points, func(p *sweptPoint) bool { return p.values[k] != points[0].values[k] })
		if key == seedKey || same && len(points) > 1 {
			continue
		}
		for i, p := range points {
			labels[i] = strings.TrimPrefix(labels[i]+", "+s.shortKey(k)+" "+p.values[k], ", ")
		}
	}
	return labels
}

// wide says whether numbers span so much that only a logarithmic axis shows them.
func wide(values []float64) bool {
	low, high := slices.Min(values), slices.Max(values)
	return low > 0 && high/low >= 20
}

// few are the distinct values, where they are few enough to be the ticks of an axis.
func few(values []float64) []float64 {
	const most = 10
	distinct := slices.Compact(slices.Sorted(slices.Values(values)))
	if len(distinct) < 2 || len(distinct) > most {
		return nil
	}
	return distinct
}

// scaling draws the best throughput of each number of accelerators beside that of the
// smallest times as many, and the ratio of the two.
func (s *swept) scaling() (figure.Figure, string) {
	best := map[float64]*sweptPoint{}
	for i := range s.points {
		p := &s.points[i]
		if n := p.accelerators; n >= 1 && p.aim > 0 && (best[n] == nil || s.aim.better(p.aim, best[n].aim)) {
			best[n] = p
		}
	}
	if !strings.HasSuffix(s.aim.name, "per_s") || len(best) < 2 {
		return nil, "no throughput at two numbers of accelerators"
	}
	var got, ideal, efficiency figure.Series
	strong, weak := true, true
	var first *sweptPoint
	for _, n := range slices.Sorted(maps.Keys(best)) {
		p := best[n]
		if first == nil {
			first = p
		}
		scale := n / first.accelerators
		got.X, got.Y = append(got.X, n), append(got.Y, p.aim)
		ideal.X, ideal.Y = append(ideal.X, n), append(ideal.Y, first.aim*scale)
		efficiency.X, efficiency.Y = append(efficiency.X, n), append(efficiency.Y, p.aim/(first.aim*scale))
		strong = strong && p.batch == first.batch
		weak = weak && math.Abs(p.batch-first.batch*scale) <= 1e-9*p.batch
	}
	kind := "scaling"
	switch {
	case strong:
		kind = "strong scaling, the global batch being the same"
	case weak:
		kind = "weak scaling, the global batch growing with the accelerators"
	}
	got.Name, ideal.Name, ideal.Dashed, efficiency.Name = "simulated", "ideal", true, "simulated"
	mark := figure.Series{Like: got.Name, X: got.X, Y: got.Y, Points: true}
	y := s.aim.axis()
	y.Log = true
	zero := 0.0
	return figure.Panels{
		Title: s.title(kind), Subtitle: s.subtitle("the best of each number of accelerators"),
		X: figure.Axis{Label: "accelerators", Log: true, At: few(got.X)},
		Panels: []figure.Panel{
			{Y: y, Series: []figure.Series{got, ideal, mark}},
			{
				Y: figure.Axis{Label: "of the ideal", Unit: figure.Ratio, Min: &zero}, Unnamed: true,
				Series: []figure.Series{efficiency, {Like: efficiency.Name, X: efficiency.X, Y: efficiency.Y, Points: true}},
			},
		},
	}, ""
}

// response draws how the metric goes with one key: a line for each value of the only
// other key that is varied; of several others all points, and the best at each value.
func (s *swept) response(k int) (figure.Figure, string) {
	x, place, lack := s.keyAxis(k)
	if lack != "" {
		return nil, lack
	}
	var others []int
	for other, key := range s.keys {
		if other != k && key != seedKey && len(s.distinct(other)) > 1 {
			others = append(others, other)
		}
	}
	f := figure.Lines{Title: s.title(s.aim.name + " by " + s.keys[k]), Subtitle: s.subtitle(), X: x, Y: s.aim.axis()}
	line := func(name string, use []int) {
		slices.SortStableFunc(use, func(i, j int) int { return cmp.Compare(place[i], place[j]) })
		one := figure.Series{Name: name}
		for _, i := range use {
			p := &s.points[i]
			one.X, one.Y = append(one.X, place[i]), append(one.Y, p.aim)
			if p.seeds > 1 || one.Low != nil {
				one.Low, one.High = append(one.Low, p.low), append(one.High, p.high)
			}
		}
		if len(one.Low) != len(one.X) {
			one.Low, one.High = nil, nil
		}
		if x.Names == nil && len(one.X) > 1 {
			f.Series = append(f.Series, one)
			if len(one.X) > fewSizes {
				return
			}
			one = figure.Series{Like: name, X: one.X, Y: one.Y}
		}
		one.Points = true
		f.Series = append(f.Series, one)
	}
	var everything []int
	for i := range s.points {
		everything = append(everything, i)
	}
	switch {
	case len(others) == 0:
		line("simulated", everything)
	case len(others) == 1 && len(s.distinct(others[0])) <= fewValues:
		for _, value := range s.distinct(others[0]) {
			var use []int
			for i := range s.points {
				if s.points[i].values[others[0]] == value {
					use = append(use, i)
				}
			}
			line(s.shortKey(others[0])+" "+cmp.Or(value, "(none)"), use)
		}
	default:
		best := map[float64]int{}
		for i, at := range place {
			if other, seen := best[at]; !seen || s.aim.better(s.points[i].aim, s.points[other].aim) {
				best[at] = i
			}
		}
		if len(best) <= len(s.points)/2 {
			line("the best", slices.Sorted(maps.Values(best)))
		}
		all := figure.Series{Name: "all points", Points: true, Faint: true}
		for i := range s.points {
			all.X, all.Y = append(all.X, place[i]), append(all.Y, s.points[i].aim)
		}
		if len(f.Series) > 0 {
			all.Like = "the best"
		}
		f.Series = append(f.Series, all)
	}
	var values []float64
	for i := range s.points {
		values = append(values, s.points[i].aim)
	}
	f.Y.Log = wide(values)
	return f, ""
}

// keyAxis is an axis of the values of a key and where each point lies on it: numbers
// with one unit, else categories.
func (s *swept) keyAxis(k int) (a figure.Axis, place []float64, lack string) {
	a.Label = s.keys[k]
	place = make([]float64, len(s.points))
	unit, numbers := "", true
	for i := range s.points {
		v, u, ok := numberAndUnit(s.points[i].values[k])
		if i == 0 {
			unit = u
		}
		if !ok || u != unit {
			numbers = false
			break
		}
		place[i] = v
	}
	if numbers {
		if unit != "" {
			a.Label += " (" + unit + ")"
		}
		low, high := slices.Min(place), slices.Max(place)
		if a.Log = low > 0 && high/low >= 8; a.Log {
			a.At = few(place)
		}
		return a, place, ""
	}
	a.Names = s.distinct(k)
	if len(a.Names) > fewNames {
		return a, nil, fmt.Sprintf("%s has %d values that are no numbers of one unit", s.keys[k], len(a.Names))
	}
	for i := range s.points {
		place[i] = float64(slices.Index(a.Names, s.points[i].values[k]))
	}
	for i, name := range a.Names {
		a.Names[i] = cmp.Or(name, "(none)")
	}
	return a, place, ""
}

// numberAndUnit takes a value as --set has it apart: "100Gbps" is 100 and "Gbps".
func numberAndUnit(text string) (v float64, unit string, ok bool) {
	text = strings.TrimSpace(text)
	for end := len(text); end > 0; end-- {
		if c := text[end-1]; c >= '0' && c <= '9' || c == '.' {
			v, err := strconv.ParseFloat(text[:end], 64)
			if err == nil && !math.IsInf(v, 0) && math.Abs(v) < 1e150 {
				return v, strings.TrimSpace(text[end:]), true
			}
		}
	}
	return 0, "", false
}

// plural counts things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(float64(n)) + " " + thing + "s"
}
