package figure

import (
	"errors"
	"fmt"
	"math"
)

// maxBars is the number of bars that a Gantt chart may have: more are thinner than
// the lines between them.
const maxBars = 20_000

// Bar is a time in which something takes a part of a row.
type Bar struct {
	Row       int
	Low, High float64 // part of the row's height, from 0 at its top to 1
	From, To  float64
	Name      string // written into the bar where there is room
	Hue       int    // bars of one hue have one colour; there are few colours, which repeat
	Grey      bool   // it has no hue, since nobody holds it
}

// Gantt draws what holds which part of which row when: jobs on the accelerators of
// hosts. Rows appear in the order given, the first at the top.
type Gantt struct {
	Title, Subtitle string
	X               Axis
	Rows            []string // names; long ones lose their middle
	Bars            []Bar
	End             float64 // of the x axis, which begins at 0; 0 is the end of the last bar
}

// Validate reports everything that keeps the picture from being drawn.
func (g Gantt) Validate() error {
	errs := []error{g.X.check("x")}
	switch {
	case len(g.Rows) == 0:
		errs = append(errs, errors.New("no rows"))
	case len(g.Rows) > maxParts:
		errs = append(errs, fmt.Errorf("%d rows, more than %d", len(g.Rows), maxParts))
	case len(g.Bars) > maxBars:
		errs = append(errs, fmt.Errorf("%d bars, more than %d", len(g.Bars), maxBars))
	case !(g.End >= 0) || math.IsInf(g.End, 0):
		errs = append(errs, fmt.Errorf("end is %v", g.End))
	}
	for i, b := range g.Bars[:min(len(g.Bars), maxBars)] {
		if len(errs) > 20 {
			errs = append(errs, errors.New("and maybe more"))
			break
		}
		switch {
		case b.Row < 0 || b.Row >= len(g.Rows):
			errs = append(errs, fmt.Errorf("bar %d is in row %d of %d", i, b.Row, len(g.Rows)))
		case !(b.Low >= 0 && b.Low < b.High && b.High <= 1):
			errs = append(errs, fmt.Errorf("bar %d takes %v to %v of its row", i, b.Low, b.High))
		case !(b.From <= b.To) || g.X.problem(b.From) != "" || g.X.problem(b.To) != "":
			errs = append(errs, fmt.Errorf("bar %d is from %v to %v", i, b.From, b.To))
		case b.Hue < 0:
			errs = append(errs, fmt.Errorf("bar %d has hue %d", i, b.Hue))
		}
	}
	return errors.Join(errs...)
}

func (g Gantt) titles() (title, subtitle string) { return g.Title, g.Subtitle }

func (g Gantt) size() (width, height float64) {
	pitch := 10.0
	switch n := len(g.Rows); {
	case n <= 4:
		pitch = 48
	case n <= 12:
		pitch = 28
	case n <= 32:
		pitch = 16
	}
	return 504, min(headerHeight(g.Title, g.Subtitle)+pitch*float64(len(g.Rows))+g.X.bottom()+4, 800)
}

func (g Gantt) draw(c *canvas) {
	top := c.header(g.Title, g.Subtitle)
	f := frame{y0: g.X.bottom(), y1: top - 2}
	height := (f.y1 - f.y0) / float64(len(g.Rows))
	name := face{size: min(max(height*0.8, smallSize), tickSize)}
	names := 0.0
	stride := rowStride(height, name.size+1)
	for i := 0; i < len(g.Rows); i += stride {
		names = max(names, name.width(clean(g.Rows[i])))
	}
	names = min(names, 0.27*c.width)
	f.x0, f.x1 = margin+names+6, c.width-margin
	data := noExtent()
	data.add(0)
	data.add(g.End)
	if g.End == 0 {
		for _, b := range g.Bars {
			data.add(b.To)
		}
	}
	x := c.planX(g.X, &f, data)
	c.grid(f, x, plan{})
	gap := 0.0
	if height >= 6 {
		gap = max(c.snap(0.8), c.pixel) // rows are hosts of their own
	}
	for _, b := range g.Bars {
		x0, x1 := f.x(x.at(b.From)), f.x(min(max(x.at(b.To), 0), 1))
		y1 := f.y1 - (float64(b.Row)+b.Low)*height
		y0 := f.y1 - (float64(b.Row)+b.High)*height
		if b.High == 1 {
			y0 += gap
		}
		c.bar(b, x0, y0, x1, y1)
	}
	for i := 0; i < len(g.Rows); i += stride {
		mid := f.y1 - (float64(i)+0.5)*height
		c.textAt(name, ink, f.x0-6, mid, fromRight, name.elide(g.Rows[i], names))
	}
	c.drawX(f, x)
}

// bar draws a bar with a light edge, and its name where it fits.
func (c *canvas) bar(b Bar, x0, y0, x1, y1 float64) {
	const hues = len(palette) - 1 // text could not be read on black
	fill := tint(palette[b.Hue%hues], 0.25+0.2*float64(b.Hue/hues%3))
	if b.Grey {
		fill = grid
	}
	x1 = max(x1, x0+c.least())
	c.rect(fill, x0, y0, x1, y1)
	if x1-x0 > 2 && y1-y0 > 1.5 {
		edge := pen{color: paper, width: 0.4}
		c.rule(edge, x1, y0, x1, y1)
		c.rule(edge, x0, y0, x1, y0)
	}
	f := face{size: smallSize}
	if label := clean(b.Name); y1-y0 >= smallSize && x1-x0 > 6 && f.width(label) <= x1-x0-4 {
		c.textAt(f, ink, (x0+x1)/2, (y0+y1)/2, centred, label)
	}
}
