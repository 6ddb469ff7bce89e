package report

import (
	"strings"

	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/result"
)

// Bounds of what pictures of serving show.
const (
	maxServed   = 8         // workloads whose curves can be told apart, the first
	maxAnswered = 5_000_000 // requests of all
)

// latencies are the times of the answered requests of one workload.
type latencies struct {
	name               string
	first, each, whole []float64
}

// plotLatency draws the distributions of time to first token, per token after it, and
// from arrival to last token, of each workload.
func plotLatency(dir string, s *summary) (figure.Figure, string, error) {
	const name = "requests.csv"
	columns := []result.Metric{result.RequestArrival, result.RequestFirstToken, result.RequestFinish, result.RequestOutput, result.Workload}
	var all []*latencies
	known := map[string]*latencies{}
	answered := 0
	found, err := readTable(dir, name, columns, func(r *row) {
		if r.text(2) == "" {
			return
		}
		arrival, first, finish, output := r.number(0), r.number(1), r.number(2), r.number(3)
		switch {
		case first < arrival || finish < first:
			r.fail(1, "%s, %s and %s are not one after the other", columns[0].Name, columns[1].Name, columns[2].Name)
			return
		case answered == maxAnswered:
			r.fail(0, "more than %d requests", maxAnswered)
			return
		}
		answered++
		l := known[r.text(4)]
		if l == nil {
			if len(all) == maxServed {
				return
			}
			l = &latencies{name: strings.Clone(r.text(4))}
			all = append(all, l)
			known[l.name] = l
		}
		l.first, l.whole = append(l.first, first-arrival), append(l.whole, finish-arrival)
		if output > 1 {
			l.each = append(l.each, (finish-first)/(output-1))
		}
	})
	if err != nil || !found {
		return nil, "no " + name, err
	}
	f := figure.Lines{
		Title: s.title("latency of requests"), Subtitle: s.subtitle(),
		X: figure.Axis{Label: "time", Unit: figure.Seconds, Log: true},
		Y: figure.Axis{Label: "requests that took no longer", Unit: figure.Ratio},
	}
	for _, l := range all {
		before := ""
		if len(all) > 1 {
			before = l.name + ", "
		}
		for _, d := range []struct {
			name  string
			times []float64
		}{{"per token", l.each}, {"to first token", l.first}, {"end to end", l.whole}} {
			if curve, _ := distributionOf(d.times); curve.X != nil {
				curve.Name = before + d.name
				f.Series = append(f.Series, curve)
			}
		}
	}
	if f.Series == nil {
		return nil, "no request of " + name + " took any time", nil
	}
	return f, "", drawable(dir, name, f)
}

// plotServing draws the requests that wait and run over the share of the caches that is
// used, and over the replicas where their number is not the same at all times.
func plotServing(dir string, s *summary) (figure.Figure, string, error) {
	const name = "serving_series.csv"
	columns := []result.Metric{result.Workload, result.SeriesTime, result.SeriesQueue, result.SeriesBatch, result.SeriesCache, result.SeriesReplicas}
	type line struct {
		name string
		at   []float64
		y    [4][]float64 // by column from the third on
	}
	var all []*line
	scaled := false
	found, err := readTable(dir, name, columns, func(r *row) {
		if len(all) == 0 || all[len(all)-1].name != r.text(0) {
			if len(all) == maxServed {
				return
			}
			all = append(all, &line{name: strings.Clone(r.text(0))})
		}
		l := all[len(all)-1]
		l.at = r.interval(1, l.at, s.Makespan)
		for i := range l.y {
			v := r.number(i + 2)
			if v < 0 {
				r.fail(i+2, "%s is negative", columns[i+2].Name)
			}
			l.y[i] = append(l.y[i], v)
		}
		replicas := l.y[3]
		scaled = scaled || replicas[len(replicas)-1] != replicas[0]
	})
	if err != nil || !found {
		return nil, "no " + name, err
	}
	if all == nil {
		return nil, name + " is empty", nil
	}
	f := figure.Panels{
		Title: s.title("requests, caches and replicas"), Subtitle: s.subtitle(),
		X:      figure.Axis{Label: "time", Unit: figure.Seconds},
		Panels: []figure.Panel{{Y: figure.Axis{Label: "requests"}}, {Y: figure.Axis{Label: "cache", Unit: figure.Ratio}}},
	}
	if scaled {
		f.Panels = append(f.Panels, figure.Panel{Y: figure.Axis{Label: "replicas"}})
	}
	for _, l := range all {
		at := append(l.at, s.Makespan)
		for _, c := range []struct {
			column, panel int
			name          string
		}{{1, 0, "running"}, {0, 0, "waiting"}, {2, 1, "used"}, {3, 2, "answering"}} {
			if c.panel == len(f.Panels) {
				continue
			}
			if len(all) > 1 {
				c.name = l.name + ", " + c.name
			}
			y := l.y[c.column]
			y = append(y, y[len(y)-1]) // the last interval is held until the end
			p := &f.Panels[c.panel]
			p.Series = append(p.Series, figure.Series{Name: c.name, X: at, Y: y, Step: true})
		}
	}
	return f, "", drawable(dir, name, f)
}
