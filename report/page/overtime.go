package page

import (
	"cmp"
	"slices"
	"strings"

	"github.com/railyard/railyard/result"
)

// Bounds of charts over time.
const (
	maxSamples = 4000 // of a series, about
)

// timeAxis is the time of the run.
var timeAxis = axis{Label: "time", Unit: "s", Time: true}

// chart is a time line made of some columns of a series.
type chart struct {
	title   string
	y       axis
	metrics []result.Metric
	names   []string
	stacked bool
}

// overTime is what the run did over time.
func overTime(f *folder) (section, error) {
	sec := section{ID: "over-time", Title: "Over time"}
	for _, s := range []struct {
		file   string
		charts []chart
	}{
		{"accelerator_series.csv", []chart{{
			title: "What accelerators do", y: axis{Label: "of all accelerators", Unit: "ratio", Max: 1}, stacked: true,
			metrics: []result.Metric{result.SeriesCompute, result.SeriesCommunication, result.SeriesIdle},
			names:   []string{"compute", "communication", "idle"},
		}}},
		{"serving_series.csv", []chart{
			{
				title: "Requests", y: axis{Label: "requests"}, metrics: []result.Metric{result.SeriesBatch, result.SeriesQueue},
				names: []string{"running", "waiting"},
			},
			{
				title: "Cache of keys and values", y: axis{Label: "in use", Unit: "ratio"}, metrics: []result.Metric{result.SeriesCache},
				names: []string{"in use"},
			},
		}},
		{"power_series.csv", []chart{
			{
				title: "Power", y: axis{Label: "power", Unit: "W"}, metrics: []result.Metric{result.SeriesPower, result.SeriesGrid},
				names: []string{"site", "grid"},
			},
			{
				title: "Carbon intensity of the grid", y: axis{Label: "intensity", Unit: "g/kWh"}, metrics: []result.Metric{result.SeriesIntensity},
				names: []string{"intensity"},
			},
		}},
	} {
		parts, err := f.series(s.file, s.charts)
		if err != nil {
			return sec, err
		}
		sec.Parts = append(sec.Parts, parts...)
	}
	for _, name := range []string{"interruptions.csv", "faults.csv"} {
		g, err := f.failures(name)
		if err != nil {
			return sec, err
		}
		if g.Row != nil {
			sec.Parts = append(sec.Parts, g)
			break // interruptions are those of the faults that stopped a job
		}
	}
	if len(sec.Parts) > 0 {
		sec.Text = []any{"All charts over the time of the run show the same part of it: drag across one to zoom, double-click to see all."}
	}
	return sec, nil
}

// series makes charts of a table over time, of each workload in it. Columns that it
// does not have are left out.
func (f *folder) series(file string, charts []chart) ([]any, error) {
	var may []result.Metric
	for _, c := range charts {
		may = append(may, c.metrics...)
	}
	may = append(may, result.Workload)
	type samples struct {
		at     []float64
		values [][]float64
	}
	of := map[string]*samples{}
	var workloads []string
	has := make([]bool, len(may))
	_, err := f.scan(file, []result.Metric{result.SeriesTime}, may, func(r *row) {
		name := r.text(len(may))
		s := of[name]
		if s == nil {
			if len(of) == maxRecords {
				return
			}
			s = &samples{values: make([][]float64, len(may))}
			name = strings.Clone(name)
			of[name], workloads = s, append(workloads, name)
		}
		t := r.number(0)
		if n := len(s.at); !(t >= 0) || n > 0 && t <= s.at[n-1] {
			r.fail("%s is %v: not later than the row before", result.SeriesTime.Name, r.text(0))
			return
		}
		s.at = append(s.at, t)
		for i := range may[:len(may)-1] {
			has[i] = r.at[i+1] >= 0
			s.values[i] = append(s.values[i], r.number(i+1))
		}
	})
	if err != nil {
		return nil, err
	}
	var parts []any
	for _, w := range workloads {
		s := of[w]
		first := 0
		for _, c := range charts {
			var columns [][]float64
			happens := false // anything but idleness
			p := lines{caption: caption{Kind: "lines", Title: c.title}, X: timeAxis, Y: c.y, Stacked: c.stacked, Step: true}
			if w != "" {
				p.Title += " · " + w
			}
			for i, m := range c.metrics {
				if !has[first+i] {
					continue
				}
				columns = append(columns, s.values[first+i])
				p.Lines = append(p.Lines, line{Name: c.names[i], Definition: m.Definition})
				happens = happens || c.names[i] != "idle" && slices.ContainsFunc(s.values[first+i], func(v float64) bool { return v != 0 })
			}
			first += len(c.metrics)
			if !happens {
				continue
			}
			keep := thin(columns, maxSamples)
			p.At = append(pick(s.at, keep), max(f.makespan(), s.at[len(s.at)-1])) // the last interval lasts to the end
			for i, v := range columns {
				p.Lines[i].Values = pick(append(v, v[len(v)-1]), append(keep, len(v)))
			}
			parts = append(parts, p)
		}
	}
	return parts, nil
}

// failures are what failed when, a row a cause, until the job went on or the part
// worked again.
func (f *folder) failures(file string) (gantt, error) {
	end := f.makespan()
	g := gantt{caption: caption{Kind: "gantt", Title: "Failures"}, X: timeAxis, End: end}
	rows, names := map[string]int{}, map[string]int{}
	may := []result.Metric{result.FaultCause, result.FaultKind, result.FaultName, result.ResumedAt, result.FaultRepair}
	_, err := f.scan(file, []result.Metric{result.InterruptedAt}, may, func(r *row) {
		from := r.number(0)
		if !(from >= 0) || from > end || len(g.Row) == maxBars {
			return
		}
		to := r.number(4)
		if repair := r.number(5); repair >= 0 {
			to = from + repair
		}
		if !(to >= from && to <= end) {
			to = end
		}
		kind := cmp.Or(r.text(1), r.text(2))
		g.Row = append(g.Row, place(rows, &g.Rows, kind, maxCauses))
		g.Name = append(g.Name, place(names, &g.Names, cmp.Or(r.text(3), kind), maxBars))
		g.From, g.To = append(g.From, from), append(g.To, to)
	})
	g.Hues, g.Hue = g.Rows, g.Row
	g.Text = []any{"What failed, from when to when: until the job went on, or the part worked again."}
	return g, err
}

// place is that of a text in a list, to which it is added; of too many the rest is
// "other".
func place(of map[string]int, list *[]string, text string, most int) int {
	if _, known := of[text]; !known && len(*list) >= most-1 {
		text = "other"
	}
	i, known := of[text]
	if !known {
		i = len(*list)
		text = strings.Clone(text)
		of[text] = i
		*list = append(*list, text)
	}
	return i
}
