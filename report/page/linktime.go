package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/railyard/railyard/result"
)

// Bounds of the heat map of links.
const (
	maxHeatRows  = 64
	maxIntervals = 512 // of a row
)

// histories are what links carried over time, the hottest first.
type histories struct {
	edges []float64 // where the intervals begin, the same for all
	end   float64   // of the last
	links []*history
	wants bool // whether it is known what was wanted
}

// history is one link, interval by interval.
type history struct {
	link         string
	used, wanted []float64
	sum          float64 // of used
}

// histories reads link_series.csv.
func (f *folder) histories() (*histories, error) {
	h := &histories{}
	var last *history
	need := []result.Metric{result.Link, result.SeriesTime, result.SeriesLinkUtilization}
	_, err := f.scan("link_series.csv", need, []result.Metric{result.SeriesOffered}, func(r *row) {
		if name := r.text(0); last == nil || last.link != name {
			last = &history{link: strings.Clone(name)}
			h.links = append(h.links, last)
		}
		t, u := r.number(1), r.number(2)
		n := len(last.used)
		switch {
		case !(t >= 0 && u >= 0):
			r.fail("%s is %q and %s %q: negative, or none", result.SeriesTime.Name, r.text(1), result.SeriesLinkUtilization.Name, r.text(2))
			return
		case len(h.links) == 1 && (n == 0 || t > h.edges[n-1]):
			h.edges = append(h.edges, t)
		case n >= len(h.edges) || t != h.edges[n]:
			r.fail("%s is %v: not an interval of the link before", result.SeriesTime.Name, t)
			return
		}
		last.used = append(last.used, u)
		last.sum += u
		if r.at[3] >= 0 {
			h.wants = true
			last.wanted = append(last.wanted, r.number(3))
		}
	})
	if err != nil || h.edges == nil {
		return nil, err
	}
	h.end = max(f.makespan(), h.edges[len(h.edges)-1])
	slices.SortStableFunc(h.links, func(a, b *history) int { return cmp.Compare(b.sum, a.sum) })
	return h, nil
}

// heat is the heat map of the hottest. Where there are more intervals than cells, a
// cell is the highest of those that it joins.
func (h *histories) heat() heat {
	part := heat{caption: caption{Kind: "heat", Title: "Links over time"}, X: timeAxis}
	intervals := len(h.edges)
	by := (intervals + maxIntervals - 1) / maxIntervals
	for i := 0; i < intervals; i += by {
		part.At = append(part.At, h.edges[i])
	}
	part.At = append(part.At, h.end)
	peaks := func(values []float64) numbers {
		var cells numbers
		for i := 0; i < intervals; i += by {
			if end := min(i+by, len(values)); i < end {
				cells = append(cells, slices.Max(values[i:end]))
			} else {
				cells = append(cells, math.NaN())
			}
		}
		return cells
	}
	used := layer{Name: "used", Text: result.SeriesLinkUtilization.Definition}
	wanted := layer{Name: "wanted", Text: result.SeriesOffered.Definition}
	for _, l := range h.links[:min(len(h.links), maxHeatRows)] {
		part.Rows = append(part.Rows, l.link)
		used.Values = append(used.Values, peaks(l.used))
		wanted.Values = append(wanted.Values, peaks(l.wanted))
	}
	part.Layers = []layer{used}
	part.Text = []any{fmt.Sprintf("The %d hottest links, the hottest first.", len(part.Rows))}
	if h.wants {
		part.Layers = append(part.Layers, wanted)
		part.Text = append(part.Text, " “Used” is what they carried, “wanted” what their owners would have sent alone: over 100 % they hold each other back.")
	}
	if by > 1 {
		part.Text = append(part.Text, fmt.Sprintf(" A cell is the highest of %d intervals.", by))
	}
	return part
}

// contended is what one link carried, under what was wanted of it.
func (h *histories) contended(link string, who []any) (lines, bool) {
	i := slices.IndexFunc(h.links, func(l *history) bool { return l.link == link })
	if i < 0 || !h.wants {
		return lines{}, false
	}
	l := h.links[i]
	columns := [][]float64{l.wanted, l.used}
	keep := thin(columns, maxSamples)
	hold := append(slices.Clone(keep), len(l.used)-1) // the last interval lasts to the end
	return lines{
		caption: caption{Kind: "lines", Title: "Contention on " + link, Text: who},
		X:       timeAxis, Y: axis{Label: "of the wire", Unit: "ratio"}, Step: true,
		At: append(pick(h.edges, keep), h.end),
		Lines: []line{
			{Name: "wanted", Definition: result.SeriesOffered.Definition, Values: pick(l.wanted, hold)},
			{Name: "carried", Definition: result.SeriesLinkUtilization.Definition, Values: pick(l.used, hold)},
		},
	}, true
}
