package figure

import (
	"errors"
	"fmt"
	"math"
)

// checkEdges reports what is wrong with the edges of bins on an axis.
func checkEdges(a Axis, edges []float64) error {
	if len(edges) < 2 {
		return fmt.Errorf("%d bin edges, need at least 2", len(edges))
	}
	for i, e := range edges {
		if problem := a.problem(e); problem != "" {
			return fmt.Errorf("edges[%d] is %v, %s", i, e, problem)
		}
		if i > 0 && e <= edges[i-1] {
			return fmt.Errorf("edges[%d] is %v, not above edges[%d], %v", i, e, i-1, edges[i-1])
		}
	}
	return nil
}

// slack is how far beyond 0..1 a share may be from adding up in floating point.
const slack = 1e-6

// checkShare reports why a value is no share of a whole; NaN is no data.
func checkShare(v float64) error {
	switch {
	case math.IsInf(v, 0):
		return errors.New("not a finite number")
	case v < -slack || v > 1+slack:
		return errors.New("not within 0 and 1")
	}
	return nil
}

// group is a range of bins drawn as one: [first, last).
type group struct {
	first, last int
	x0, x1      float64 // points on the page
}

// groups places the bins on the page, cut at the ends of the axis. Neighbours
// that are narrower than the eye or the device resolves are drawn as one, with
// their mean; least is that width.
func groups(f frame, x scale, edges []float64, least float64) []group {
	var all []group
	at := func(v float64) float64 { return f.x(min(max(x.at(v), 0), 1)) }
	for i := range len(edges) - 1 {
		if edges[i+1] <= x.lo || edges[i] >= x.hi {
			continue
		}
		g := group{i, i + 1, at(edges[i]), at(edges[i+1])}
		if n := len(all); n > 0 && g.x1-g.x0 < least && all[n-1].x1-all[n-1].x0 < least {
			all[n-1].last, all[n-1].x1 = g.last, g.x1
			continue
		}
		all = append(all, g)
	}
	return all
}

// least is the width below which bins are drawn together.
func (c *canvas) least() float64 {
	if c.pixel > 0 {
		return c.pixel
	}
	return 0.3
}

// mean is the mean of the values of bins, weighted with their widths and
// without those that have none; NaN if all have none.
func mean(edges, values []float64, first, last int) float64 {
	sum, weight := 0.0, 0.0
	for i := first; i < last; i++ {
		if v := values[i]; !math.IsNaN(v) {
			w := edges[i+1] - edges[i]
			sum += w * min(max(v, 0), 1)
			weight += w
		}
	}
	if weight == 0 {
		return math.NaN()
	}
	return sum / weight
}

// hatched fills a rectangle so that it cannot be taken for a value.
func (c *canvas) hatched(x0, y0, x1, y1 float64) {
	c.rect(noData, x0, y0, x1, y1)
	const step = 4.0
	if y1-y0 < 2 || x1-x0 < 1 {
		return
	}
	// Diagonals x-y = k·step over the page, so that they continue from one
	// rectangle to the next, cut to this one.
	f := frame{x0, y0, x1, y1}
	var lines [][]point
	for k := math.Ceil((x0 - y1) / step); k*step <= x1-y0; k++ {
		if a, b, ok := f.segment(point{k*step + y0, y0}, point{k*step + y1, y1}); ok {
			lines = append(lines, []point{a, b})
		}
	}
	c.stroke(pen{color: hatch, width: 0.5}, lines...)
}
