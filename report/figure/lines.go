package figure

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"sort"
)

// maxPoints is the number of points that a picture may have. More is a mistake
// of the caller: a page has about 1,500 columns of pixels.
const maxPoints = 1_000_000

// maxParts is the number of series, layers and limits that a picture may have.
const maxParts = 1000

// Series is one curve, or one set of measured points.
type Series struct {
	// Name stands in the legend. A picture of one nameless series has none.
	Name string
	// X and Y are of equal length. A NaN in Y is a gap in the curve. X should
	// rise: only then are more points than pixels thinned out.
	X, Y []float64
	// Low and High, if not nil, are the ends of an error bar at each point.
	Low, High []float64
	// Points draws markers and no line: for measured values.
	Points bool
	// Step holds each value until the next x, as a rate or a queue length does.
	Step bool
	// Dashed is for what is not a result: another version, or, in the ink of the
	// axes if it is Like no series, a reference such as y = x.
	Dashed bool
	// Like names an earlier series whose colour this one takes, so that
	// measured and simulated values of one thing look related. Without a Name
	// of its own the series shares that one's line of the legend, too.
	Like string
	// Faint is for what is there to be compared with: paler, and below the others.
	Faint bool
	// Labels, if not nil, stand beside the points where they have room: of a point that
	// is one of few.
	Labels []string
	// Sizes, if not nil, are what the areas of the markers stand for, relative to
	// Largest, or to the largest of them.
	Sizes   []float64
	Largest float64
	// Band fills what lies between Low and High, in place of error bars: a tolerance about
	// a line.
	Band bool
}

// Limit is a value that cannot or should not be passed, such as the theoretical
// bandwidth of a link: a dashed horizontal line, labelled at its end with name
// and value.
type Limit struct {
	Name  string
	Value float64
}

// Lines draws curves and points over two axes.
type Lines struct {
	Title, Subtitle string
	X, Y            Axis
	Series          []Series
	Limits          []Limit
}

// Validate reports everything that keeps the picture from being drawn.
func (l Lines) Validate() error {
	errs := []error{l.X.check("x"), l.Y.check("y")}
	if len(l.Series) == 0 {
		errs = append(errs, errors.New("no series"))
	}
	if n := max(len(l.Series), len(l.Limits)); n > maxParts {
		return errors.Join(append(errs, fmt.Errorf("%d series and %d limits, more than %d", len(l.Series), len(l.Limits), maxParts))...)
	}
	total := 0
	for _, s := range l.Series {
		total += len(s.X)
	}
	if total > maxPoints {
		return errors.Join(append(errs, fmt.Errorf("%d points, more than the %d that fit one picture", total, maxPoints))...)
	}
	names := map[string]bool{}
	for i, s := range l.Series {
		if err := l.check(s, names); err != nil {
			errs = append(errs, fmt.Errorf("series %d (%q): %w", i, clean(s.Name), err))
		}
		names[s.Name] = true
		if len(errs) > 20 {
			errs = append(errs, errors.New("and maybe more"))
			break
		}
	}
	for i, limit := range l.Limits {
		if problem := l.Y.problem(limit.Value); problem != "" {
			if len(errs) > 20 {
				break
			}
			errs = append(errs, fmt.Errorf("limit %d (%q): %v is %s", i, clean(limit.Name), limit.Value, problem))
		}
	}
	return errors.Join(errs...)
}

// check reports the first thing wrong with the values of a series.
func (l Lines) check(s Series, earlier map[string]bool) error {
	switch {
	case len(s.X) == 0 && len(s.Y) == 0:
		return errors.New("no points")
	case len(s.X) != len(s.Y):
		return fmt.Errorf("x has %d values and y %d", len(s.X), len(s.Y))
	case (s.Low != nil || s.High != nil) && (len(s.Low) != len(s.X) || len(s.High) != len(s.X)):
		return fmt.Errorf("x has %d values, low %d and high %d", len(s.X), len(s.Low), len(s.High))
	case s.Sizes != nil && len(s.Sizes) != len(s.X):
		return fmt.Errorf("x has %d values and there are %d sizes", len(s.X), len(s.Sizes))
	case s.Band && (s.Low == nil || s.Points):
		return errors.New("a band lies between low and high about a line")
	case slices.ContainsFunc(s.Sizes, func(v float64) bool { return !(v >= 0) || v > largest }):
		return errors.New("sizes must be numbers of 0 or more")
	case s.Labels != nil && len(s.Labels) != len(s.X):
		return fmt.Errorf("x has %d values and there are %d labels", len(s.X), len(s.Labels))
	case s.Like != "" && !earlier[s.Like]:
		return fmt.Errorf("like names %q, which is no earlier series", clean(s.Like))
	}
	for i, x := range s.X {
		if problem := l.X.problem(x); problem != "" {
			return fmt.Errorf("x[%d] is %v, %s", i, x, problem)
		}
		if math.IsNaN(s.Y[i]) {
			continue
		}
		if problem := l.Y.problem(s.Y[i]); problem != "" {
			return fmt.Errorf("y[%d] is %v, %s", i, s.Y[i], problem)
		}
		if s.Low == nil {
			continue
		}
		if problem := l.Y.problem(s.Low[i]); problem != "" {
			return fmt.Errorf("low[%d] is %v, %s", i, s.Low[i], problem)
		}
		if problem := l.Y.problem(s.High[i]); problem != "" {
			return fmt.Errorf("high[%d] is %v, %s", i, s.High[i], problem)
		}
	}
	return nil
}

func (l Lines) size() (width, height float64) { return 504, 270 }

// look is how a series is drawn.
type look struct {
	color color.NRGBA
	width float64 // of the line
	dash  []float64
	shape int
	grow  float64 // of a marker; 0 is as large as it is
}

// looks gives colours in order of appearance, and shares those of Like.
func (l Lines) looks() []look {
	looks := make([]look, len(l.Series))
	byName := map[string]look{}
	next := 0
	for i, s := range l.Series {
		k, shared := byName[s.Like]
		switch {
		case s.Like != "" && shared:
		case s.Dashed && !s.Points:
			k = look{color: axisInk, width: 0.9} // as limits are
		default:
			k = look{
				color: palette[next%len(palette)],
				width: 1.6,
				dash:  dashes[next/len(palette)%len(dashes)],
				shape: next,
			}
			next++
		}
		if _, taken := byName[s.Name]; !taken {
			byName[s.Name] = k // as it is before it is paled
		}
		if s.Dashed {
			k.dash = dashed
		}
		if s.Faint {
			k.color = tint(k.color, 0.6)
		}
		looks[i] = k
	}
	return looks
}

// extents gathers the data's range and, where an axis is linear and begins at
// zero or needs air at the top, changes it so.
func (l Lines) extents() (x, y extent) {
	x, y = noExtent(), noExtent()
	markers := false
	for _, s := range l.Series {
		markers = markers || s.Points
		for i := range s.X {
			if x.add(s.X[i]); math.IsNaN(s.Y[i]) {
				continue
			}
			y.add(s.Y[i])
			if s.Low != nil {
				y.add(s.Low[i])
				y.add(s.High[i])
			}
		}
	}
	for _, limit := range l.Limits {
		y.add(limit.Value)
	}
	if markers && x.lo < x.hi { // room for half a marker
		if l.X.Log {
			k := math.Pow(x.hi/x.lo, 0.015)
			x.lo, x.hi = x.lo/k, x.hi*k
		} else {
			d := 0.015 * (x.hi - x.lo)
			x.lo, x.hi = x.lo-d, x.hi+d
		}
	}
	if !l.Y.Log && y.lo <= y.hi {
		if y.lo >= 0 {
			y.lo = 0
		}
		air := 0.02
		if slices.ContainsFunc(l.Series, func(s Series) bool { return s.Labels != nil }) {
			air = 0.12 // for a label above the highest point
		}
		top := y.hi + air*(y.hi-y.lo)
		if l.Y.Unit == Ratio && y.hi <= 1 {
			top = min(top, 1) // nothing is above 100 %, not even air
		}
		y.hi = top
	}
	return x, y
}

func (l Lines) draw(c *canvas) {
	top := c.header(l.Title, l.Subtitle)
	dataX, dataY := l.extents()
	looks := l.looks()

	f := frame{y0: l.X.bottom(), y1: top - tickSize/2}
	y := l.Y.plan(dataY, vertically(f.y1-f.y0), true)
	side := l.strip(f, y, looks)
	strip := min(side.width(), 0.34*c.width)
	f.x0 = y.left()
	f.x1 = c.width - margin
	if strip > 0 {
		f.x1 = c.width - margin - strip - stripGap
	}
	x := c.planX(l.X, &f, dataX)

	l.drawBands(c, f, x, y)
	c.grid(f, x, y)
	l.drawLimits(c, f, y)
	c.drawX(f, x)
	c.drawY(f, y)
	l.drawSeries(c, f, x, y, looks)
	if dataY.lo > dataY.hi {
		c.textAt(face{size: labelSize}, dimInk, (f.x0+f.x1)/2, (f.y0+f.y1)/2, centred, "no data")
	}
	side.draw(c, f, strip)
}

// drawBands fills the bands of series, below all else.
func (l Lines) drawBands(c *canvas, f frame, x, y plan) {
	for _, s := range l.Series {
		if !s.Band || len(s.X) < 2 {
			continue
		}
		at := func(x0, v float64) point {
			return point{f.x(min(max(x.at(x0), 0), 1)), f.y(min(max(y.at(v), 0), 1))}
		}
		var corners []point
		for i, v := range s.Low {
			corners = append(corners, at(s.X[i], v))
		}
		for i := len(s.X) - 1; i >= 0; i-- {
			corners = append(corners, at(s.X[i], s.High[i]))
		}
		c.polygon(bandInk, corners)
	}
}

// drawLimits draws the lines of the limits into the frame.
func (l Lines) drawLimits(c *canvas, f frame, y plan) {
	for _, limit := range l.Limits {
		if y.contains(limit.Value) {
			at := f.y(y.at(limit.Value))
			c.rule(pen{color: axisInk, width: 0.9, dash: dashed}, f.x0, at, f.x1, at)
		}
	}
}

// drawSeries draws the series into the frame, points over curves.
func (l Lines) drawSeries(c *canvas, f frame, x, y plan, looks []look) {
	for _, faint := range []bool{true, false} {
		for i, s := range l.Series {
			if s.Faint == faint && !s.Points {
				c.curve(f, x.scale, y.scale, s, looks[i])
			}
		}
		for i, s := range l.Series {
			if s.Faint == faint && s.Low != nil && !s.Points && !s.Band {
				c.errorBars(f, x.scale, y.scale, s, looks[i], f.visible(x.scale, y.scale, s))
			}
		}
		for i, s := range l.Series {
			if s.Faint == faint && s.Points {
				c.points(f, x.scale, y.scale, s, looks[i])
			}
		}
	}
	l.drawLabels(c, f, x, y)
}

// drawLabels writes the labels of points on patches of paper, each at the first of some
// places beside its point where it covers neither another label nor a marker.
func (l Lines) drawLabels(c *canvas, f frame, x, y plan) {
	const beside = 2.2 // of a label from the edge of its marker
	small := face{size: smallSize}
	var taken []frame
	for i, s := range l.Series {
		if s.Labels == nil && !s.Points {
			continue
		}
		grown := s.growth()
		for _, k := range f.visible(x.scale, y.scale, l.Series[i]) {
			if len(taken) == 4*maxParts {
				break
			}
			q := point{f.x(x.at(s.X[k])), f.y(y.at(s.Y[k]))}
			half := 0.9 * markerRadius * grown(k)
			taken = append(taken, frame{q.x - half, q.y - half, q.x + half, q.y + half})
		}
	}
	free := func(b frame) bool {
		return f.holds(point{b.x0 - beside, b.y0}) && f.holds(point{b.x1, b.y1}) && !slices.ContainsFunc(taken, func(o frame) bool {
			return b.x0 < o.x1 && o.x0 < b.x1 && b.y0 < o.y1 && o.y0 < b.y1
		})
	}
	// Lines first, whose labels are few and say what they are.
	var lines, points []Series
	for _, s := range l.Series {
		if s.Points {
			points = append(points, s)
		} else {
			lines = append(lines, s)
		}
	}
	for _, s := range append(lines, points...) {
		grown := s.growth()
		for i, label := range s.Labels[:min(len(s.Labels), maxParts)] {
			if label = clean(label); label == "" || math.IsNaN(s.Y[i]) {
				continue
			}
			q, w, h := point{f.x(x.at(s.X[i])), f.y(y.at(s.Y[i]))}, small.width(label), smallSize
			apart := markerRadius*grown(i) + beside
			for _, to := range []point{
				{-w - apart, apart - 2},
				{-w / 2, apart},
				{apart, apart - 2},
				{apart, -h / 2},
				{-w - apart, -h / 2},
				{apart, -apart - h + 2},
				{-w / 2, -apart - h},
				{-w - apart, -apart - h + 2},
			} {
				b := frame{q.x + to.x, q.y + to.y, q.x + to.x + w, q.y + to.y + h}
				if free(b) {
					c.rect(paper, b.x0-1, b.y0, b.x1+1, b.y1)
					c.text(small, dimInk, b.x0, b.y0+1.5, fromLeft, label)
					taken = append(taken, b)
					break
				}
			}
		}
	}
}

// legend names the series. A series without a name that is like another is
// shown by its mark on the key of that one.
func (l Lines) legend(looks []look) legend {
	var leg legend
	byName := map[string]int{}
	for i, s := range l.Series {
		sample := func(c *canvas, x, y float64) {
			if s.Points {
				c.marker(looks[i], point{x + swatch/2, y})
				return
			}
			if s.Band {
				c.rect(bandInk, x, y-pitch/2+2, x+swatch, y+pitch/2-2)
			}
			c.stroke(pen{looks[i].color, looks[i].width, looks[i].dash}, []point{{x, y}, {x + swatch, y}})
		}
		name := s.Name
		if clean(name) == "" {
			if k, ok := byName[s.Like]; ok && s.Like != "" {
				first := leg.entries[k].key
				leg.entries[k].key = func(c *canvas, x, y float64) {
					first(c, x, y)
					sample(c, x, y)
				}
				continue
			}
			if len(l.Series) == 1 {
				return legend{}
			}
			name = "unnamed"
		}
		if _, taken := byName[s.Name]; !taken {
			byName[s.Name] = len(leg.entries)
		}
		leg.entries = append(leg.entries, entry{name: name, key: sample})
	}
	return leg
}

// strip is what stands at the right of the axes: the labels of the limits
// beside their lines, and the legend in the highest place they leave.
type strip struct {
	legend legend
	top    float64 // of the legend
	labels []limitLabel
}

// limitLabel is the label of a limit.
type limitLabel struct {
	name, value string
	line        float64 // where the limit is, in points
	low, high   float64 // box of the label
}

// strip arranges the strip. Labels that leave no place for the legend, or have
// none themselves, become lines of the legend.
func (l Lines) strip(f frame, y plan, looks []look) strip {
	s := strip{legend: l.legend(looks), top: f.y1 + 4}
	for _, limit := range l.Limits {
		if !y.contains(limit.Value) {
			continue
		}
		label := limitLabel{name: clean(limit.Name), value: y.write(limit.Value), line: f.y(y.at(limit.Value))}
		s.labels = append(s.labels, label)
	}
	sort.SliceStable(s.labels, func(i, j int) bool { return s.labels[i].line < s.labels[j].line })

	// From the lowest line on, each label above the one before; then down
	// again what that pushed over the top.
	floor, ceiling := f.y0, f.y1+labelSize
	for i := range s.labels {
		b := &s.labels[i]
		h := smallSize + 2.0
		if b.name != "" {
			h += labelSize + 1
		}
		b.low = max(b.line-h/2, floor)
		b.high = b.low + h
		floor = b.high + 3
	}
	for i := len(s.labels) - 1; i >= 0; i-- {
		b := &s.labels[i]
		if b.high > ceiling {
			b.low, b.high = ceiling-(b.high-b.low), ceiling
		}
		ceiling = b.low - 3
	}
	crowded := len(s.labels) > 0 && s.labels[0].low < f.y0-labelSize
	need := s.legend.height()
	if need > 0 {
		for i := len(s.labels) - 1; i >= 0; i-- {
			if b := s.labels[i]; b.high > s.top-need-4 && b.low < s.top+4 {
				s.top = b.low - 6
			}
		}
		crowded = crowded || len(s.labels) > 0 && s.top-need < f.y0-pitch/2
	}
	if crowded {
		entries := make([]entry, 0, len(s.labels)+len(s.legend.entries))
		for i := len(s.labels) - 1; i >= 0; i-- { // the highest first
			entries = append(entries, entry{
				name: s.labels[i].name, note: s.labels[i].value,
				key: func(c *canvas, x, y float64) {
					c.stroke(pen{axisInk, 0.9, dashed}, []point{{x, y}, {x + swatch, y}})
				},
			})
		}
		s = strip{legend: legend{entries: append(entries, s.legend.entries...)}, top: f.y1 + 4}
	}
	return s
}

func (s strip) width() float64 {
	w := s.legend.width()
	for _, b := range s.labels {
		w = max(w, face{size: labelSize}.width(b.name), face{size: smallSize}.width(b.value))
	}
	return w
}

func (s strip) draw(c *canvas, f frame, width float64) {
	x := f.x1 + stripGap
	name, value := face{size: labelSize}, face{size: smallSize}
	for _, b := range s.labels {
		if mid := (b.low + b.high) / 2; math.Abs(mid-b.line) > 2 { // moved away from its line
			c.stroke(pen{axisInk, 0.6, nil}, []point{{f.x1 + 2, b.line}, {x - 8, b.line}, {x - 3, mid}})
		}
		c.text(name, ink, x, b.high-labelSize*0.85, fromLeft, name.elide(b.name, width))
		c.text(value, dimInk, x, b.low+2, fromLeft, value.elide(b.value, width))
	}
	s.legend.draw(c, x, s.top, width, min(f.y0, s.top-pitch))
}

// curve draws the line of a series, cut at the frame and at gaps.
func (c *canvas) curve(f frame, x, y scale, s Series, k look) {
	p := pen{k.color, k.width, k.dash}
	var run []point
	flush := func() {
		switch {
		case len(run) == 1: // a point between two gaps is a dot
			if q := run[0]; f.holds(q) {
				c.marker(look{color: k.color}, q)
			}
		case len(run) > 1:
			c.stroke(p, f.clip(thinOut(run))...)
		}
		run = run[:0]
	}
	for i := range s.X {
		if math.IsNaN(s.Y[i]) {
			flush()
			continue
		}
		q := point{f.x(x.at(s.X[i])), f.y(y.at(s.Y[i]))}
		if s.Step && len(run) > 0 {
			run = append(run, point{q.x, run[len(run)-1].y})
		}
		run = append(run, q)
	}
	flush()
}

// thinOut keeps of each half point of width the first, the lowest, the highest
// and the last point of a line that runs to the right, which draws the same
// picture from a bounded number of points. Other lines stay as they are.
func thinOut(run []point) []point {
	const column = 0.5
	n := len(run)
	if n < 4000 {
		return run
	}
	for i := 1; i < n; i++ {
		if run[i].x < run[i-1].x {
			return run
		}
	}
	var out []point
	for i := 0; i < n; {
		first, low, high, last := i, i, i, i
		at := math.Floor(run[i].x / column)
		for ; i < n && math.Floor(run[i].x/column) == at; i++ {
			last = i
			if run[i].y < run[low].y {
				low = i
			}
			if run[i].y > run[high].y {
				high = i
			}
		}
		before := -1
		for _, j := range []int{first, min(low, high), max(low, high), last} {
			if j != before {
				out = append(out, run[j])
			}
			before = j
		}
	}
	return out
}

// holds reports whether a point is inside the frame, its border included.
func (f frame) holds(p point) bool {
	const slack = 1e-6
	return p.x >= f.x0-slack && p.x <= f.x1+slack && p.y >= f.y0-slack && p.y <= f.y1+slack
}

// clip cuts a line into the pieces inside the frame.
func (f frame) clip(line []point) [][]point {
	var pieces [][]point
	var piece []point
	for i := 1; i < len(line); i++ {
		a, b, ok := f.segment(line[i-1], line[i])
		if !ok {
			continue
		}
		if n := len(piece); n == 0 || piece[n-1] != a {
			if n > 0 {
				pieces = append(pieces, piece)
			}
			piece = []point{a}
		}
		piece = append(piece, b)
	}
	if len(piece) > 0 {
		pieces = append(pieces, piece)
	}
	return pieces
}

// segment returns the part of a straight line inside the frame (Liang and
// Barsky, 1984). The result is clamped, so that rounding of far-away ends
// cannot carry it outside.
func (f frame) segment(a, b point) (point, point, bool) {
	dx, dy := b.x-a.x, b.y-a.y
	t0, t1 := 0.0, 1.0
	for _, side := range [4][2]float64{{-dx, a.x - f.x0}, {dx, f.x1 - a.x}, {-dy, a.y - f.y0}, {dy, f.y1 - a.y}} {
		speed, room := side[0], side[1]
		switch {
		case speed == 0:
			if room < -1e-6 {
				return a, b, false
			}
		case speed < 0:
			t0 = max(t0, room/speed)
		default:
			t1 = min(t1, room/speed)
		}
	}
	if t0 > t1 {
		return a, b, false
	}
	at := func(t float64, end point) point {
		if t != 0 && t != 1 {
			end = point{a.x + t*dx, a.y + t*dy}
		}
		return point{min(max(end.x, f.x0), f.x1), min(max(end.y, f.y0), f.y1)}
	}
	return at(t0, a), at(t1, b), true
}

// points draws the markers of a series, and its error bars below them.
func (c *canvas) points(f frame, x, y scale, s Series, k look) {
	shown := f.visible(x, y, s)
	if s.Low != nil {
		c.errorBars(f, x, y, s, k, shown)
	}
	grown := s.growth()
	if s.Sizes != nil { // the small ones on top
		slices.SortStableFunc(shown, func(a, b int) int { return cmp.Compare(s.Sizes[b], s.Sizes[a]) })
	}
	for _, i := range shown {
		k.grow = grown(i)
		c.marker(k, point{f.x(x.at(s.X[i])), f.y(y.at(s.Y[i]))})
	}
}

// growth gives how many times as wide as others the marker of a point is.
func (s Series) growth() func(i int) float64 {
	most := max(s.Largest, 0)
	for _, v := range s.Sizes {
		most = max(most, v)
	}
	if s.Sizes == nil || most == 0 {
		return func(int) float64 { return 1 }
	}
	return func(i int) float64 { return max(0.5, 3.2*math.Sqrt(s.Sizes[i]/most)) }
}

// visible returns the points of a series inside the frame. Of very many it
// leaves out those that lie on top of one another.
func (f frame) visible(x, y scale, s Series) []int {
	const raster = 0.5
	var taken map[[2]int]bool
	if len(s.X) > 4000 {
		taken = map[[2]int]bool{}
	}
	var shown []int
	for i := range s.X {
		if math.IsNaN(s.Y[i]) {
			continue
		}
		q := point{f.x(x.at(s.X[i])), f.y(y.at(s.Y[i]))}
		if !f.holds(q) {
			continue
		}
		if taken != nil {
			cell := [2]int{int(q.x / raster), int(q.y / raster)}
			if taken[cell] {
				continue
			}
			taken[cell] = true
		}
		shown = append(shown, i)
	}
	return shown
}

func (c *canvas) errorBars(f frame, x, y scale, s Series, k look, shown []int) {
	const cap = 2.0 // half the width of the bar's ends
	var bars [][]point
	for _, i := range shown {
		at, lo, hi := f.x(x.at(s.X[i])), f.y(y.at(s.Low[i])), f.y(y.at(s.High[i]))
		for _, line := range [][]point{{{at, lo}, {at, hi}}, {{at - cap, lo}, {at + cap, lo}}, {{at - cap, hi}, {at + cap, hi}}} {
			bars = append(bars, f.clip(line)...)
		}
	}
	c.stroke(pen{color: k.color, width: 0.8}, bars...)
}

// markerRadius is that of a marker that stands for no size.
const markerRadius = 2.8

// marker draws a filled shape with a white border, which keeps markers apart
// from each other and from the line they lie on.
func (c *canvas) marker(k look, at point) {
	radius := markerRadius * cmp.Or(k.grow, 1)
	corners, turn, size := 16, 0.0, radius
	switch k.shape % 4 {
	case 1:
		corners, turn, size = 4, math.Pi/4, radius*1.2
	case 2:
		corners, turn, size = 3, math.Pi/2, radius*1.35
	case 3:
		corners, turn, size = 4, 0, radius*1.3
	}
	const border = 0.84
	for _, layer := range []struct {
		grow  float64
		color color.NRGBA
	}{{1 + border/radius, paper}, {1, k.color}} {
		shape := make([]point, corners)
		for i := range shape {
			sin, cos := math.Sincos(turn + 2*math.Pi*float64(i)/float64(corners))
			shape[i] = point{at.x + layer.grow*size*cos, at.y + layer.grow*size*sin}
		}
		c.polygon(layer.color, shape)
	}
}
