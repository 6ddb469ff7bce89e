package report

import (
	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/result"
)

// plotCurve draws what latency a throughput costs: each point of a sweep, say over the
// rate of requests, by what its first model answered. Points and no line, since a sweep
// may vary anything.
func plotCurve(dir string) (figure.Figure, string, error) {
	const of = "serving.0."
	column := func(m result.Metric, part string) result.Metric { return result.Metric{Name: of + m.Name + part} }
	columns := []result.Metric{
		column(result.OutputRate, ""),
		column(result.FirstTokenTime, ".p50"), column(result.FirstTokenTime, ".p99"),
		column(result.TokenTime, ".p50"), column(result.TokenTime, ".p99"),
	}
	var rates []float64
	var times [4][]float64
	found, err := readTable(dir, "points.csv", nil, func(r *row) {
		rate := r.maybe(0)
		if rate != rate || len(rates) == maxSizes { // the point failed, or nothing was served
			return
		}
		rates = append(rates, rate)
		for i := range times {
			times[i] = append(times[i], r.maybe(i+1))
		}
	}, columns...)
	if err != nil || !found {
		return nil, "no points.csv", err
	}
	if rates == nil {
		return nil, "no serving in points.csv", nil
	}
	panel := func(label string, median, tail []float64) figure.Panel {
		return figure.Panel{Y: figure.Axis{Label: label, Unit: figure.Seconds, Log: true}, Series: []figure.Series{
			{Name: "median", X: rates, Y: median, Points: true}, {Name: "99th percentile", X: rates, Y: tail, Points: true},
		}}
	}
	second := panel("per token", times[2], times[3])
	second.Unnamed = true
	f := figure.Panels{
		Title: "latency against throughput", Subtitle: "each point of the sweep",
		X:      figure.Axis{Label: "tokens of answers a second"},
		Panels: []figure.Panel{panel("to first token", times[0], times[1]), second},
	}
	return f, "", nil
}
