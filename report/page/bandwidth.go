package page

import (
	"cmp"
	"slices"
	"strings"

	"github.com/railyard/railyard/result"
)

// Bounds of the chart of bus bandwidth.
const (
	maxCurves = 12
	maxSizes  = 10_000 // of one curve
)

// bandwidth is bus bandwidth against message size, as nccl-tests shows it.
func bandwidth(f *folder) (section, error) {
	const file = "collectives.csv"
	sec := section{ID: "collectives", Title: "Collectives"}
	type size struct{ bytes, bus, limit, measured float64 }
	type curve struct {
		name  string
		sizes []size
	}
	var curves []*curve
	of := map[string]*curve{}
	need := []result.Metric{result.CollectiveOp, result.CollectiveRanks, result.CollectiveSize, result.BusBandwidth}
	_, err := f.scan(file, need, []result.Metric{result.Workload, result.BusLimit, result.MeasuredBusBW}, func(r *row) {
		name := r.text(0) + ", " + r.text(1) + " ranks"
		if w := r.text(4); w != "" {
			name = w + ": " + name
		}
		c := of[name]
		if c == nil {
			if len(curves) == maxCurves {
				return
			}
			c = &curve{name: strings.Clone(name)}
			of[c.name] = c
			curves = append(curves, c)
		}
		s := size{r.number(2), r.number(3), r.number(5), r.number(6)}
		if s.bytes > 0 && s.bus >= 0 && len(c.sizes) < maxSizes {
			c.sizes = append(c.sizes, s)
		}
	})
	if err != nil {
		return sec, err
	}
	p := lines{
		caption: caption{Kind: "lines", Title: "Bus bandwidth by message size", Text: []any{
			result.BusBandwidth.Definition + ": " + result.BusBandwidth.Formula + ". Dashed: " + result.BusLimit.Definition + ".",
		}},
		X: axis{Label: "size", Unit: "bytes", Log: 2}, Y: axis{Label: "bus bandwidth", Unit: "B/s"},
	}
	hue := 0
	for _, c := range curves {
		if len(c.sizes) < 2 {
			continue
		}
		slices.SortStableFunc(c.sizes, func(a, b size) int { return cmp.Compare(a.bytes, b.bytes) })
		hue++
		add := func(name string, of func(size) float64, like line) {
			for _, s := range c.sizes {
				if v := of(s); v >= 0 {
					like.At, like.Values = append(like.At, s.bytes), append(like.Values, v)
				}
			}
			if like.Name, like.Hue = name, hue; like.Values != nil {
				p.Lines = append(p.Lines, like)
			}
		}
		add(c.name, func(s size) float64 { return s.bus }, line{Definition: result.BusBandwidth.Definition})
		add(c.name+", limit", func(s size) float64 { return s.limit }, line{Dashed: true, Definition: result.BusLimit.Definition})
		add(c.name+", measured", func(s size) float64 { return s.measured }, line{Points: true, Definition: result.MeasuredBusBW.Definition})
	}
	if p.Lines != nil {
		sec.Parts = append(sec.Parts, p)
	}
	return sec, nil
}
