package page

import (
	"strconv"
	"strings"

	"github.com/railyard/railyard/report/input"
	"github.com/railyard/railyard/result"
)

// Bounds of the Gantt chart of jobs.
const (
	maxBars   = 20_000  // stretches on one host; of more, the shares of hosts are shown
	maxGroups = 64      // rows; of more hosts, neighbours share a row
	poolRow   = 8       // accelerators of a row where there are no hosts
	shareBins = 400     // intervals of those shares
	maxDevice = 1 << 24 // accelerators
)

// jobsInTime is who had what when, and who waited.
func jobsInTime(f *folder) (section, error) {
	sec := section{ID: "jobs", Title: "Jobs"}
	part, err := f.stretches()
	if err != nil {
		return sec, err
	}
	if part != nil {
		sec.Parts = append(sec.Parts, part)
	}
	parts, err := f.series("job_series.csv", []chart{
		{
			title: "The queue", y: axis{Label: "jobs"}, metrics: []result.Metric{result.SeriesQueued, result.SeriesRunning},
			names: []string{"waiting", "running"},
		},
		{
			title: "Accelerators that jobs hold, and that compute", y: axis{Label: "of all accelerators", Unit: "ratio", Max: 1},
			metrics: []result.Metric{result.SeriesAllocation, result.JobComputing}, names: []string{"allocated", "computing"},
		},
	})
	if err != nil {
		return sec, err
	}
	sec.Parts = append(sec.Parts, parts...)
	parts, err = f.loads()
	sec.Parts = append(sec.Parts, parts...)
	return sec, err
}

// stretches draws which job had which accelerators when: bars, or of very many jobs
// how much of each row was held.
func (f *folder) stretches() (any, error) {
	const file = "stretches.csv"
	total, end := f.summary.number("cluster.accelerators"), f.makespan()
	if !(total >= 1 && total <= maxDevice && end > 0) {
		return nil, nil
	}
	each, rows := f.groups(int(total))
	g := gantt{
		caption: caption{Kind: "gantt", Title: "Who had which accelerators", Text: []any{"A colour is a job; the height of a bar is its part of the row's accelerators."}},
		X:       timeAxis, End: end, Rows: rows,
	}
	shares := make([]numbers, len(rows))
	for i := range shares {
		shares[i] = make(numbers, shareBins)
	}
	known := map[string]int{}
	many := false
	need := []result.Metric{result.JobID, result.StretchStart, result.StretchEnd, result.StretchWhere}
	header, err := f.scan(file, need, nil, func(r *row) {
		from, to := r.number(1), r.number(2)
		if !(from >= 0 && from <= to && to <= end*(1+1e-9)) {
			r.fail("from %s to %s: not within the makespan of summary.json, %v", r.text(1), r.text(2), end)
			return
		}
		job, seen := known[r.text(0)]
		if !seen && !many {
			job = len(g.Names)
			g.Names = append(g.Names, strings.Clone(r.text(0)))
			known[g.Names[job]] = job
		}
		for part := range strings.FieldsSeq(r.text(3)) {
			first, last, ok := span(part, int(total))
			if !ok {
				r.fail("%s is %q: not accelerators of the %v", result.StretchWhere.Name, input.Shorten(part), total)
				return
			}
			for first <= last {
				k := first / each
				until := min(last, (k+1)*each-1)
				size := float64(min(each, int(total)-k*each)) // the last row may be shorter
				low, high := float64(first-k*each)/size, float64(until-k*each+1)/size
				if many = many || len(g.Row) == maxBars; !many {
					g.Row, g.Name = append(g.Row, k), append(g.Name, job)
					g.From, g.To = append(g.From, from), append(g.To, to)
					g.Low, g.High = append(g.Low, low), append(g.High, high)
				}
				share(shares[k], from/end*shareBins, to/end*shareBins, high-low)
				first = until + 1
			}
		}
	})
	switch {
	case err != nil || header == nil || len(g.Row) == 0:
		return nil, err
	case !many:
		return g, nil
	}
	h := heat{
		caption: caption{Kind: "heat", Title: "Accelerators that jobs held", Text: []any{"How much of each row jobs had, mean over an interval."}},
		X:       timeAxis, Rows: rows, Layers: []layer{{Name: "held", Values: shares}},
	}
	for i := range shareBins + 1 {
		h.At = append(h.At, end*float64(i)/shareBins)
	}
	return h, nil
}

// groups says how many accelerators share a row, and the rows' names.
func (f *folder) groups(total int) (each int, names []string) {
	each, kind := poolRow, "accelerator "
	if hosts := f.summary.number("cluster.hosts"); hosts >= 1 {
		each, kind = max(1, int(float64(total)/hosts)), "host "
	}
	groups := (total + each - 1) / each
	join := (groups + maxGroups - 1) / maxGroups
	for first := 0; first < groups; first += join {
		from, to := first, min(first+join, groups)-1
		if kind == "accelerator " {
			from, to = first*each, min((to+1)*each, total)-1
		}
		name := kind + strconv.Itoa(from)
		if to > from {
			name += "–" + strconv.Itoa(to)
		}
		names = append(names, name)
	}
	return each * join, names
}

// span reads "4" or "0-3".
func span(text string, total int) (first, last int, ok bool) {
	a, b, ranged := strings.Cut(text, "-")
	if !ranged {
		b = a
	}
	first, err1 := strconv.Atoi(a)
	last, err2 := strconv.Atoi(b)
	return first, last, err1 == nil && err2 == nil && first >= 0 && first <= last && last < total
}

// share spreads a part over bins of width 1.
func share(bins numbers, from, to, part float64) {
	for i := int(from); i < len(bins) && float64(i) < to; i++ {
		overlap := min(to, float64(i+1)) - max(from, float64(i))
		bins[i] = min(1, bins[i]+part*overlap)
	}
}

// loads draws how full a cluster gets as jobs come.
func (f *folder) loads() ([]any, error) {
	columns := make([][]float64, 3)
	_, err := f.scan("loads.csv", []result.Metric{result.LoadArrived, result.LoadAllocated, result.LoadFragments}, nil, func(r *row) {
		v := r.number(0)
		if n := len(columns[0]); !(v >= 0) || n > 0 && v < columns[0][n-1] {
			r.fail("%s is %q: less than before", result.LoadArrived.Name, r.text(0))
			return
		}
		for i := range columns {
			columns[i] = append(columns[i], r.number(i))
		}
	})
	if err != nil || len(columns[0]) < 2 {
		return nil, err
	}
	keep := thin(columns, maxSamples)
	p := lines{
		caption: caption{Kind: "lines", Title: "How full it gets"},
		X:       axis{Label: "asked for, of all accelerators", Unit: "ratio"}, Y: axis{Label: "of all, of what is free", Unit: "ratio", Max: 1},
		Lines: []line{
			{Name: "allocated", Definition: result.LoadAllocated.Definition, Values: pick(columns[1], keep)},
			{Name: "fragmented", Definition: result.LoadFragments.Definition, Values: pick(columns[2], keep)},
		},
	}
	p.At = pick(columns[0], keep)
	return []any{p}, nil
}
