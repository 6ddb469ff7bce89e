package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/report/input"
	"github.com/railyard/railyard/result"
)

// fewLimits is up to how many theoretical limits a picture of bus bandwidth shows.
const fewLimits = 3

// bandwidthCurve is bus bandwidth by message size of one collective of a workload.
type bandwidthCurve struct {
	op, ranks, workload string
	algorithms          []string // in the order in which sizes take them
	limits              []float64
	last                float64 // the largest size
	points              []bandwidthPoint
}

type bandwidthPoint struct{ size, busbw, measured float64 }

// name tells a curve from those of other operations, algorithms and ranks.
func (c *bandwidthCurve) name() string {
	return fmt.Sprintf("%s %s, %s ranks", c.op, strings.Join(c.algorithms, "/"), c.ranks)
}

// plotBandwidth draws bus bandwidth against message size, a curve for each collective
// of a workload, with what was measured at the same sizes and with the theoretical
// limits of its algorithms where these are few. What auto took at different sizes is
// one curve.
func plotBandwidth(dir string, s *summary) (figure.Figure, string, error) {
	const name = "collectives.csv"
	curves, more, found, err := readBandwidth(dir, name)
	if err != nil || !found {
		return nil, "no " + name, err
	}
	shared := map[string]int{}
	long := false
	for _, c := range curves {
		slices.SortStableFunc(c.points, func(a, b bandwidthPoint) int { return cmp.Compare(a.size, b.size) })
		shared[c.name()]++
		long = long || c.points[0].size < c.points[len(c.points)-1].size
	}
	if !long {
		return nil, name + " has no collective of two sizes", nil
	}
	f := figure.Lines{
		Title: s.title("bus bandwidth by message size"), Subtitle: s.subtitle(),
		X: figure.Axis{Label: "message size", Unit: figure.Bytes, Log: true},
		Y: figure.Axis{Label: "bus bandwidth", Unit: figure.BytesPerSecond},
	}
	if more {
		f.Subtitle = s.subtitle(fmt.Sprintf("the first %d collectives", maxCurves))
	}
	var marks []figure.Series
	for _, c := range curves {
		one := figure.Series{Name: c.name()}
		if shared[c.name()] > 1 {
			one.Name += ", " + c.workload
		}
		measured := figure.Series{Name: "measured", Like: one.Name, Points: true}
		if len(curves) > 1 {
			measured.Name += ": " + one.Name
		}
		for _, p := range c.points {
			one.X, one.Y = append(one.X, p.size), append(one.Y, p.busbw)
			if !math.IsNaN(p.measured) {
				measured.X, measured.Y = append(measured.X, p.size), append(measured.Y, p.measured)
			}
		}
		one.Points = len(one.X) == 1
		f.Series = append(f.Series, one)
		switch {
		case measured.X != nil:
			marks = append(marks, measured)
		case len(one.X) > 1 && len(one.X) <= fewSizes:
			marks = append(marks, figure.Series{Like: one.Name, X: one.X, Y: one.Y, Points: true})
		}
	}
	f.Series = append(f.Series, marks...)
	f.Limits = bandwidthLimits(curves)
	return f, "", drawable(dir, name, f)
}

// bandwidthLimits are the distinct limits of all curves, none where they are many.
func bandwidthLimits(curves []*bandwidthCurve) []figure.Limit {
	var all []figure.Limit
	for _, c := range curves {
		for i, v := range c.limits {
			limit := figure.Limit{Name: c.algorithms[i] + " on the wire", Value: v}
			if math.IsNaN(v) || slices.Contains(all, limit) {
				continue
			}
			if all = append(all, limit); len(all) > fewLimits {
				return nil
			}
		}
	}
	return all
}

// readBandwidth reads the curves of a table, and says whether there are more.
func readBandwidth(dir, name string) (curves []*bandwidthCurve, more, found bool, err error) {
	columns := []result.Metric{
		result.CollectiveOp, result.CollectiveAlgorithm, result.CollectiveRanks, result.CollectiveSize, result.BusBandwidth, result.Workload,
	}
	type key struct{ op, ranks, workload string }
	find := map[key][]*bandwidthCurve{} // several where algorithms have the same sizes
	found, err = readTable(dir, name, columns, func(r *row) {
		if n, err := strconv.ParseInt(r.text(2), 10, 64); err != nil || n < 1 {
			r.fail(2, "%s is %q: not a number of ranks", columns[2].Name, input.Shorten(r.text(2)))
		}
		p := bandwidthPoint{r.number(3), r.number(4), r.maybe(7)}
		for i, v := range []float64{p.size, p.busbw} {
			if v < 0 {
				r.fail(3+i, "%s is %v: negative", columns[3+i].Name, v)
			}
		}
		if p.size == 0 { // has no place on a logarithmic axis
			return
		}
		k, a := key{r.text(0), r.text(2), r.text(5)}, r.text(1)
		i := slices.IndexFunc(find[k], func(c *bandwidthCurve) bool { return slices.Contains(c.algorithms, a) })
		if i < 0 {
			i = slices.IndexFunc(find[k], func(c *bandwidthCurve) bool { return c.last < p.size })
		}
		var c *bandwidthCurve
		switch {
		case i >= 0 && len(find[k][i].points) == maxSizes:
			r.fail(3, "more than %d sizes of one collective", maxSizes)
			return
		case i >= 0:
			c = find[k][i]
		case len(curves) == maxCurves:
			more = true
			return
		default:
			c = &bandwidthCurve{op: k.op, ranks: k.ranks, workload: k.workload}
			find[k], curves = append(find[k], c), append(curves, c)
		}
		c.last = max(c.last, p.size)
		if !slices.Contains(c.algorithms, a) {
			c.algorithms, c.limits = append(c.algorithms, a), append(c.limits, r.maybe(6))
		}
		c.points = append(c.points, p)
	}, result.BusLimit, result.MeasuredBusBW)
	return curves, more, found, err
}
