package page

import (
	"slices"
	"strings"

	"github.com/railyard/railyard/result"
)

// Bounds of distributions.
const (
	maxSteps  = 500       // of one curve
	maxValues = 5_000_000 // that one is made of
)

// spread is a distribution to draw: of what, by which columns, and how a row's value
// follows from them.
type spread struct {
	name    string
	metric  result.Metric // what it means
	columns []result.Metric
	value   func(v []float64) float64
}

func itself(v []float64) float64  { return v[0] }
func between(v []float64) float64 { return v[1] - v[0] }

// distributions are curves of what share of the rows of a table has no more than so
// much.
func distributions(f *folder) (section, error) {
	sec := section{ID: "distributions", Title: "Distributions", Text: []any{
		"Each curve says which share has no more than the value below it; the legend has the median, the 99th percentile and the greatest.",
	}}
	for _, c := range []struct {
		file, title string
		x           axis
		by          result.Metric // a curve for each of its values
		spreads     []spread
	}{
		{
			"requests.csv", "Latency of requests",
			axis{Label: "time", Unit: "s", Log: 10},
			result.Workload,
			[]spread{
				{"first token", result.FirstTokenTime, []result.Metric{result.RequestArrival, result.RequestFirstToken}, between},
				{"end to end", result.EndToEnd, []result.Metric{result.RequestArrival, result.RequestFinish}, between},
			},
		},
		{
			"requests.csv", "Time per token",
			axis{Label: "time", Unit: "s", Log: 10},
			result.Workload,
			[]spread{{
				"per token", result.TokenTime,
				[]result.Metric{result.RequestFirstToken, result.RequestFinish, result.RequestOutput},
				func(v []float64) float64 { return (v[1] - v[0]) / (v[2] - 1) },
			}},
		},
		{
			"jobs.csv", "Completion and wait of jobs",
			axis{Label: "time", Unit: "s", Log: 10},
			result.Metric{},
			[]spread{
				{"completion", result.JobCompletion, []result.Metric{result.JobSubmit, result.JobFinish}, between},
				{"wait", result.JobWait, []result.Metric{result.JobWait}, itself},
				{"run", result.JobRun, []result.Metric{result.JobRun}, itself},
			},
		},
		{
			"jobs.csv", "Slowdown and fairness of jobs",
			axis{Label: "ratio", Unit: "times", Log: 10},
			result.Metric{},
			[]spread{
				{"slowdown", result.JobSlowdown, []result.Metric{result.JobSlowdown}, itself},
				{"rho", result.JobRho, []result.Metric{result.JobRho}, itself},
			},
		},
		{
			"flows.csv", "Completion of flows",
			axis{Label: "time", Unit: "s", Log: 10},
			result.Metric{},
			[]spread{
				{"completion", result.Metric{Definition: "time from a flow's start to its finish"}, []result.Metric{result.FlowStart, result.FlowFinish}, between},
				{"alone", result.AloneTime, []result.Metric{result.AloneTime}, itself},
			},
		},
		{
			"links.csv", "Utilization of links",
			axis{Label: "utilization", Unit: "ratio"},
			result.Metric{},
			[]spread{{"all links", result.Utilization, []result.Metric{result.Utilization}, itself}, {"busy", result.Busy, []result.Metric{result.Busy}, itself}},
		},
		{
			"accelerators.csv", "What accelerators do",
			axis{Label: "of the run", Unit: "ratio"},
			result.Metric{},
			[]spread{{"computing", result.ComputeUtilization, []result.Metric{result.ComputeUtilization}, itself}},
		},
	} {
		p := lines{caption: caption{Kind: "lines", Title: c.title}, X: c.x, Y: axis{Label: "of all", Unit: "ratio", Max: 1}, Step: true}
		for _, s := range c.spreads {
			all, err := f.spread(c.file, c.by, s)
			if err != nil {
				return sec, err
			}
			for _, of := range all {
				positive := of.values
				if c.x.Log > 0 { // 0 has no place on the axis; the curve begins at its share
					first, _ := slices.BinarySearchFunc(positive, 0, func(v float64, _ int) int {
						if v > 0 {
							return 1
						}
						return -1
					})
					positive = positive[first:]
				}
				if len(positive) == 0 || positive[len(positive)-1] == 0 {
					continue
				}
				x, share := distribution(positive, maxSteps)
				below := float64(len(of.values) - len(positive))
				for i := range share {
					share[i] = (below + share[i]*float64(len(positive))) / float64(len(of.values))
				}
				foot := 0.0 // where the curve rises from
				if c.x.Log > 0 {
					foot = x[0] / 1.1
				}
				if x[0] > foot {
					x, share = append(numbers{foot}, x...), append(numbers{below / float64(len(of.values))}, share...)
				}
				name := s.name
				if of.of != "" {
					name = of.of + ", " + name
				}
				p.Lines = append(p.Lines, line{
					Name: name, Definition: s.metric.Definition, At: x, Values: share,
					Marks: []quantity{amount(percentile(of.values, 0.5), c.x.Unit), amount(percentile(of.values, 0.99), c.x.Unit), amount(of.values[len(of.values)-1], c.x.Unit)},
				})
			}
		}
		if p.Lines != nil {
			sec.Parts = append(sec.Parts, p)
		}
	}
	return sec, nil
}

// valued is the sorted values of one curve.
type valued struct {
	of     string
	values []float64
}

// spread reads the values of a distribution, of rows that have all its columns.
func (f *folder) spread(file string, by result.Metric, s spread) ([]*valued, error) {
	var all []*valued
	at := map[string]*valued{}
	may := append(slices.Clone(s.columns), by)
	read := 0
	_, err := f.scan(file, nil, may, func(r *row) {
		v := make([]float64, len(s.columns))
		for i := range v {
			if r.text(i) == "" {
				return
			}
			v[i] = r.number(i)
		}
		value := s.value(v)
		if read++; !(value >= 0) || value > 1e300 || read > maxValues {
			return
		}
		name := r.text(len(v))
		of := at[name]
		if of == nil {
			if len(all) == maxRecords {
				return
			}
			of = &valued{of: strings.Clone(name)}
			at[of.of], all = of, append(all, of)
		}
		of.values = append(of.values, value)
	})
	for _, of := range all {
		slices.Sort(of.values)
	}
	if len(all) == 1 {
		all[0].of = ""
	}
	return all, err
}
