package report

import (
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
	"github.com/railyard/railyard/result"
)

// Bounds of what pictures of jobs show.
const (
	maxBars     = 3000      // of a Gantt chart; more stretches are drawn as shares of hosts
	hostRows    = 64        // of a Gantt chart or heat map; more hosts share rows
	shareBins   = 240       // of that heat map
	poolRow     = 8         // accelerators of a row where there are no hosts
	maxRuns     = 12        // that are compared
	curvePoints = 1000      // of a distribution
	maxJobs     = 5_000_000 // of one run
)

// rowsOf says how many accelerators share a row of a picture, and the rows' names.
func (s *summary) rowsOf() (accelerators int64, names []string) {
	c := &s.Cluster
	each, sort := int64(poolRow), ""
	if c.Hosts > 0 {
		each, sort = max(1, c.Accelerators/c.Hosts), "host "
	}
	groups := (c.Accelerators + each - 1) / each
	join := (groups + hostRows - 1) / hostRows // hosts, or rows of a pool, that share a row
	for first := int64(0); first < groups; first += join {
		last := min(first+join, groups) - 1
		from, to := first, last
		if sort == "" {
			from, to = first*each, min((last+1)*each, c.Accelerators)-1
		}
		name := sort + strconv.FormatInt(from, 10)
		if to > from {
			name += "–" + strconv.FormatInt(to, 10)
		}
		names = append(names, name)
	}
	return each * join, names
}

// chart is bars on the accelerators of a run.
type chart struct {
	*summary
	each int64 // accelerators of a row
	rows []string
	bars []figure.Bar
	many bool // too many to draw; those that there are remain
}

// take has a bar, of which the time and the looks are given, on the accelerators of a
// cell of a table. each, if not nil, is called for the part of it in each row.
func (c *chart) take(r *row, column int, like figure.Bar, each func(figure.Bar)) {
	total := c.Cluster.Accelerators
	if !(like.From >= 0 && like.From <= like.To && like.To <= c.Makespan*(1+1e-9)) {
		r.fail(1, "from %v to %v: not within the makespan of summary.json, %v", like.From, like.To, c.Makespan)
		return
	}
	like.To = min(like.To, c.Makespan)
	for part := range strings.FieldsSeq(r.text(column)) {
		first, last, ok := span(part, total)
		if !ok {
			r.fail(column, "%s is %q: not accelerators of the %d", r.columns[column].Name, input.Shorten(part), total)
			return
		}
		for first <= last {
			k := first / c.each
			end := min(last, (k+1)*c.each-1)
			size := min(c.each, total-k*c.each) // the last row may be shorter
			b := like
			b.Row, b.Low, b.High = int(k), float64(first-k*c.each)/float64(size), float64(end-k*c.each+1)/float64(size)
			if c.many = c.many || len(c.bars) == maxBars; !c.many {
				c.bars = append(c.bars, b)
			}
			if each != nil {
				each(b)
			}
			first = end + 1
		}
	}
}

// plotStretches draws which job had which accelerators when, and which were out of use.
func plotStretches(dir string, s *summary) (figure.Figure, string, error) {
	const name = "stretches.csv"
	if n := s.Cluster.Accelerators; n < 1 || n > 1<<20 || s.Makespan == 0 {
		return nil, "no accelerators for " + name, nil
	}
	c := &chart{summary: s}
	c.each, c.rows = s.rowsOf()
	columns := []result.Metric{result.OutageStart, result.OutageEnd, result.OutageWhere}
	if _, err := readTable(dir, "outages.csv", columns, func(r *row) {
		b := figure.Bar{From: r.number(0), To: s.Makespan, Grey: true}
		if r.text(1) != "" {
			b.To = r.number(1)
		}
		c.take(r, 2, b, nil)
	}); err != nil {
		return nil, "", err
	}
	shares := make([][]float64, len(c.rows))
	for i := range shares {
		shares[i] = make([]float64, shareBins)
	}
	width := s.Makespan / shareBins
	hues := map[string]int{}
	columns = []result.Metric{result.JobID, result.StretchStart, result.StretchEnd, result.StretchWhere}
	taken := false
	found, err := readTable(dir, name, columns, func(r *row) {
		job := r.text(0)
		hue, known := hues[job]
		if !known && !c.many {
			job = strings.Clone(job)
			hue = len(hues)
			hues[job] = hue
		}
		c.take(r, 3, figure.Bar{From: r.number(1), To: r.number(2), Name: job, Hue: hue}, func(b figure.Bar) {
			taken = true
			addShare(shares[b.Row], b.From/width, b.To/width, b.High-b.Low)
		})
	})
	if err != nil || !found {
		return nil, "no " + name, err
	}
	if !taken {
		return nil, name + " is empty", nil
	}
	subtitle := s.subtitle(s.Jobs.Policy)
	x := figure.Axis{Label: "time", Unit: figure.Seconds}
	if !c.many {
		if slices.ContainsFunc(c.bars, func(b figure.Bar) bool { return b.Grey }) {
			subtitle += "; grey: out of use"
		}
		f := figure.Gantt{Title: s.title("jobs on their accelerators"), Subtitle: subtitle, X: x, Rows: c.rows, Bars: c.bars, End: s.Makespan}
		return f, "", drawable(dir, name, f)
	}
	edges := make([]float64, shareBins+1)
	for i := range edges {
		edges[i] = s.Makespan * float64(i) / shareBins
	}
	f := figure.HeatMap{
		Title: s.title("accelerators that jobs held"), Subtitle: subtitle, X: x,
		Edges: edges, Rows: c.rows, Values: shares, Bar: "allocated",
	}
	return f, "", drawable(dir, name, f)
}

// span reads "4" or "0-3".
func span(text string, total int64) (first, last int64, ok bool) {
	a, b, ranged := strings.Cut(text, "-")
	if !ranged {
		b = a
	}
	first, err1 := strconv.ParseInt(a, 10, 64)
	last, err2 := strconv.ParseInt(b, 10, 64)
	return first, last, err1 == nil && err2 == nil && first >= 0 && first <= last && last < total
}

// addShare spreads a share over bins of width 1.
func addShare(bins []float64, from, to, share float64) {
	for i := int(from); i < len(bins) && float64(i) < to; i++ {
		overlap := min(to, float64(i+1)) - max(from, float64(i))
		bins[i] = min(1, bins[i]+share*overlap)
	}
}

// plotQueue draws the queue over the utilization, on one axis of time.
func plotQueue(dir string, s *summary) (figure.Figure, string, error) {
	const name = "job_series.csv"
	columns := []result.Metric{result.SeriesTime, result.SeriesQueued, result.SeriesRunning, result.SeriesAllocation}
	const computes, out = 4, 5 // columns, if they are there
	var edges, queued, running, allocated, computing, down []float64
	found, err := readTable(dir, name, columns, func(r *row) {
		edges = r.interval(0, edges, s.Makespan)
		queued, running, allocated = append(queued, r.number(1)), append(running, r.number(2)), append(allocated, r.ratio(3))
		for i := 1; i < 3; i++ {
			if r.number(i) < 0 {
				r.fail(i, "%s is negative", columns[i].Name)
			}
		}
		if r.at[computes] >= 0 {
			computing = append(computing, r.ratio(computes))
		}
		if r.at[out] >= 0 {
			down = append(down, r.ratio(out))
		}
	}, result.JobComputing, result.SeriesDown)
	if err != nil || !found {
		return nil, "no " + name, err
	}
	if edges == nil {
		return nil, name + " is empty", nil
	}
	// The last interval is held until the end.
	at := append(edges, s.Makespan)
	hold := func(values []float64) []float64 { return append(values, values[len(values)-1]) }
	queued, running, allocated = hold(queued), hold(running), hold(allocated)
	use := []figure.Series{{Name: "allocated", X: at, Y: allocated, Step: true}}
	if computing != nil {
		use = append(use, figure.Series{Name: "computing", X: at, Y: hold(computing), Step: true})
	}
	if down != nil {
		use = append(use, figure.Series{Name: "out of use", X: at, Y: hold(down), Step: true})
	}
	f := figure.Panels{
		Title: s.title("the queue and what runs"), Subtitle: s.subtitle(s.Jobs.Policy),
		X: figure.Axis{Label: "time", Unit: figure.Seconds},
		Panels: []figure.Panel{
			{Y: figure.Axis{Label: "jobs"}, Series: []figure.Series{
				{Name: "running", X: at, Y: running, Step: true}, {Name: "waiting", X: at, Y: queued, Step: true},
			}},
			{Y: figure.Axis{Label: "accelerators", Unit: figure.Ratio}, Series: use},
		},
	}
	return f, "", drawable(dir, name, f)
}

// plotCompletion draws the distribution of completion time and wait, of this run
// and of those that it is compared with.
func plotCompletion(dir string, s *summary, with []string) (figure.Figure, string, error) {
	const name = "jobs.csv"
	if len(with) >= maxRuns {
		return nil, "", fmt.Errorf("%d runs to compare; at most %d", len(with)+1, maxRuns)
	}
	f := figure.Lines{
		Title: s.title("completion time and wait of jobs"), Subtitle: s.subtitle(),
		X: figure.Axis{Label: "time", Unit: figure.Seconds, Log: true},
		Y: figure.Axis{Label: "jobs that took no longer", Unit: figure.Ratio},
	}
	var names []string
	var zeros []float64
	for i, d := range slices.Concat([]string{dir}, with) {
		run := s
		if i > 0 {
			var err error
			if run, err = readSummary(d); err != nil {
				return nil, "", err
			}
		}
		jct, wait, err := completions(d)
		switch {
		case errors.Is(err, fs.ErrNotExist) && i == 0:
			return nil, "no " + name, nil
		case err != nil:
			return nil, "", err
		case len(jct) == 0:
			return nil, "no job of " + filepath.Join(d, name) + " has finished", nil
		}
		label := run.Jobs.Policy
		if slices.Contains(names, label) {
			label += " (" + filepath.Base(d) + ")"
		}
		names = append(names, label)
		whole, none := distributionOf(jct)
		whole.Name = label + ", completion"
		if whole.X != nil {
			f.Series, zeros = append(f.Series, whole), append(zeros, none)
		}
		if waits, none := distributionOf(wait); waits.X != nil && whole.X != nil {
			waits.Name, waits.Like, waits.Dashed = label+", wait", whole.Name, true
			f.Series, zeros = append(f.Series, waits), append(zeros, none)
		}
	}
	if f.Series == nil {
		return nil, "no job took any time", nil
	}
	fromZero(f.Series, zeros)
	return f, "", drawable(dir, name, f)
}

// completions reads completion time and wait of the finished jobs.
func completions(dir string) (jct, wait []float64, err error) {
	columns := []result.Metric{result.JobSubmit, result.JobFinish, result.JobWait}
	found, err := readTable(dir, "jobs.csv", columns, func(r *row) {
		if r.text(1) == "" {
			return
		}
		j, w := r.number(1)-r.number(0), r.number(2)
		switch {
		case j < 0:
			r.fail(1, "%s is before %s", columns[1].Name, columns[0].Name)
		case w < 0:
			r.fail(2, "%s is negative", columns[2].Name)
		case len(jct) == maxJobs:
			r.fail(0, "more than %d jobs", maxJobs)
		}
		jct, wait = append(jct, j), append(wait, w)
	})
	if err == nil && !found {
		err = &FileError{File: filepath.Join(dir, "jobs.csv"), Err: fs.ErrNotExist}
	}
	return jct, wait, err
}

// distributionOf is the share of values that are no greater, for each that is
// positive: 0 has no place on a logarithmic axis. none is its share.
func distributionOf(values []float64) (s figure.Series, none float64) {
	slices.Sort(values)
	n := len(values)
	s.Step = true
	zeros, _ := slices.BinarySearch(values, math.SmallestNonzeroFloat64)
	stride := max(1, (n-zeros)/curvePoints)
	for i := zeros; i < n; i++ {
		if i < n-1 && ((i-zeros)%stride != 0 || values[i] == values[i+1]) {
			continue
		}
		s.X, s.Y = append(s.X, values[i]), append(s.Y, float64(i+1)/float64(n))
	}
	return s, float64(zeros) / float64(max(1, n))
}

// fromZero has curves of distributions begin at the left of the picture, with the share
// that took no time.
func fromZero(curves []figure.Series, none []float64) {
	least := math.Inf(1)
	for i := range curves {
		least = min(least, curves[i].X[0])
	}
	for i := range curves {
		if c := &curves[i]; none[i] > 0 {
			c.X, c.Y = append([]float64{least}, c.X...), append([]float64{none[i]}, c.Y...)
		}
	}
}
