package figure

import (
	"errors"
	"fmt"
	"image/color"
	"math"
)

// Role says what a layer of a stack stands for and so its colour, the same in
// every picture of a report.
type Role int

const (
	Automatic Role = iota // the next colour not taken by another layer
	Useful                // what the machine is there for: blue
	Overhead              // the price of working together: orange
	Waiting               // for data, a partner, a lock: reddish purple
	Failed                // lost work, repair: vermilion
	Idle                  // nothing to do: light grey
)

var roleColors = map[Role]color.NRGBA{
	Useful:   rgb(0x0072b2),
	Overhead: rgb(0xe69f00),
	Waiting:  rgb(0xcc79a7),
	Failed:   rgb(0xd55e00),
	Idle:     rgb(0xdcdcdc),
}

// Layer is one part of the whole, over all bins.
type Layer struct {
	Name   string
	Values []float64 // one fraction in 0..1 for each bin; NaN is no data
	Role   Role
}

// Stack draws how a whole divides into parts over time: accelerator time into
// computing, waiting for communication and idling. The first layer is at the
// bottom. In each bin the layers add up to at most 1; what is missing stays
// white, and a bin in which any layer is NaN is hatched. The legend stands in
// the order of the stack with the mean share of each layer.
type Stack struct {
	Title, Subtitle string
	X               Axis
	Edges           []float64 // increasing; one more than there are bins
	Layers          []Layer
}

// Validate reports everything that keeps the picture from being drawn.
func (s Stack) Validate() error {
	errs := []error{s.X.check("x")}
	if len(s.Layers) == 0 {
		errs = append(errs, errors.New("no layers"))
	}
	if len(s.Layers) > maxParts {
		return errors.Join(append(errs, fmt.Errorf("%d layers, more than %d", len(s.Layers), maxParts))...)
	}
	if n := len(s.Edges) * max(len(s.Layers), 1); n > maxPoints {
		return errors.Join(append(errs, fmt.Errorf("%d edges of %d layers, more than the %d points that fit one picture",
			len(s.Edges), len(s.Layers), maxPoints))...)
	}
	if err := checkEdges(s.X, s.Edges); err != nil {
		return errors.Join(append(errs, err)...)
	}
	sums := make([]float64, len(s.Edges)-1)
	for i, layer := range s.Layers {
		if err := layer.check(sums); err != nil {
			errs = append(errs, fmt.Errorf("layer %d (%q): %w", i, clean(layer.Name), err))
		}
		if len(errs) > 20 {
			return errors.Join(append(errs, errors.New("and maybe more"))...)
		}
	}
	for i, sum := range sums {
		if sum > 1+slack {
			errs = append(errs, fmt.Errorf("the layers of bin %d add up to %v, more than 1", i, sum))
			break
		}
	}
	return errors.Join(errs...)
}

// check reports the first thing wrong with a layer, and adds it to the sums.
func (l Layer) check(sums []float64) error {
	if l.Role < Automatic || l.Role > Idle {
		return fmt.Errorf("unknown role %d", int(l.Role))
	}
	if len(l.Values) != len(sums) {
		return fmt.Errorf("%d values for %d bins", len(l.Values), len(sums))
	}
	for i, v := range l.Values {
		if err := checkShare(v); err != nil {
			return fmt.Errorf("values[%d] is %v, %w", i, v, err)
		}
		sums[i] += v
	}
	return nil
}

func (s Stack) size() (width, height float64) { return 504, 216 }

// colors gives each layer the colour of its role. A second layer of the same
// role is lighter; layers without one take what is left of the palette.
func (s Stack) colors() []color.NRGBA {
	taken := map[color.NRGBA]bool{}
	count := map[Role]int{}
	for _, l := range s.Layers {
		taken[roleColors[l.Role]] = true
	}
	var free []color.NRGBA
	for _, c := range palette {
		if !taken[c] {
			free = append(free, c)
		}
	}
	colors := make([]color.NRGBA, len(s.Layers))
	for i, l := range s.Layers {
		n := count[l.Role]
		count[l.Role]++
		if l.Role == Automatic {
			colors[i] = tint(free[n%len(free)], min(0.35*float64(n/len(free)), 0.7))
			continue
		}
		colors[i] = tint(roleColors[l.Role], min(0.4*float64(n), 0.8))
	}
	return colors
}

func (s Stack) draw(c *canvas) {
	top := c.header(s.Title, s.Subtitle)
	colors := s.colors()
	bins := len(s.Edges) - 1

	// valid marks the bins in which every layer has a value.
	valid := make([]float64, bins)
	for _, l := range s.Layers {
		for i, v := range l.Values {
			valid[i] += v // NaN stays NaN
		}
	}
	missing := false
	values := make([][]float64, len(s.Layers))
	for k, l := range s.Layers {
		values[k] = make([]float64, bins)
		for i, v := range l.Values {
			if math.IsNaN(valid[i]) {
				v, missing = math.NaN(), true
			}
			values[k][i] = v
		}
	}

	leg := legend{noteHead: "mean"}
	for k := len(s.Layers) - 1; k >= 0; k-- {
		name := s.Layers[k].Name
		if clean(name) == "" {
			name = "unnamed"
		}
		note := "–"
		if m := mean(s.Edges, values[k], 0, bins); !math.IsNaN(m) {
			note = fixed(100*m, 0) + " %"
		}
		leg.entries = append(leg.entries, entry{name: name, note: note, key: func(c *canvas, x, y float64) {
			c.rect(colors[k], x+2, y-4, x+swatch-1, y+4)
		}})
	}
	if missing {
		leg.entries = append(leg.entries, entry{name: "no data", key: func(c *canvas, x, y float64) {
			c.hatched(x+2, y-4, x+swatch-1, y+4)
		}})
	}

	f := frame{y0: s.X.bottom(), y1: top - tickSize/2}
	y := percent(f.y1 - f.y0)
	strip := min(leg.width(), 0.34*c.width)
	f.x0, f.x1 = y.left(), c.width-margin-strip-stripGap
	x := c.planX(s.X, &f, extent{s.Edges[0], s.Edges[bins]})

	at := groups(f, x.scale, s.Edges, c.least())
	for i := range at {
		at[i].x0, at[i].x1 = c.snap(at[i].x0), c.snap(at[i].x1)
	}
	c.grid(f, plan{scale: x.scale}, y)
	s.drawLayers(c, f, at, values, colors)
	// The grid again, over the layers, light enough to see them.
	over := color.NRGBA{R: 0xff, G: 0xff, B: 0xff, A: 0x60}
	for _, t := range y.ticks {
		if h := y.at(t.value); h > 0.001 && h < 0.999 && t.label != "" {
			c.rule(pen{color: over, width: 0.5}, f.x0, f.y(h), f.x1, f.y(h))
		}
	}
	c.drawX(f, x)
	c.drawY(f, y)
	leg.draw(c, f.x1+stripGap, f.y1+4, strip, f.y0)
}

// drawLayers fills each layer from the bottom of the axes to its top, the
// uppermost layer first, so that no background shines through between two.
func (s Stack) drawLayers(c *canvas, f frame, at []group, values [][]float64, colors []color.NRGBA) {
	tops := make([]float64, len(at)) // cumulated share; NaN is no data
	for k := range values {
		for i, g := range at {
			tops[i] += mean(s.Edges, values[k], g.first, g.last)
		}
	}
	for i, g := range at {
		if math.IsNaN(tops[i]) {
			c.hatched(g.x0, f.y0, g.x1, f.y1)
		}
	}
	for k := len(values) - 1; k >= 0; k-- {
		for i := 0; i < len(at); {
			if math.IsNaN(tops[i]) {
				i++
				continue
			}
			outline := []point{{at[i].x0, f.y0}}
			for ; i < len(at) && !math.IsNaN(tops[i]); i++ {
				h := f.y(min(max(tops[i], 0), 1))
				outline = append(outline, point{at[i].x0, h}, point{at[i].x1, h})
			}
			outline = append(outline, point{at[i-1].x1, f.y0})
			c.polygon(colors[k], outline)
		}
		for i, g := range at {
			tops[i] -= mean(s.Edges, values[k], g.first, g.last)
		}
	}
}
