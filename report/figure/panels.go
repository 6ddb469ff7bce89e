package figure

import (
	"cmp"
	"errors"
	"fmt"
)

// Panel is one picture of several over a common x axis.
type Panel struct {
	Y      Axis
	Series []Series
	Limits []Limit
	// Height is that of the panel relative to the others; 0 is 1.
	Height float64
	// Unnamed leaves the legend out: that of the panel above names the same series in the
	// same order.
	Unnamed bool
}

// Panels draws pictures of different quantities one above the other, over one x
// axis, so that what happens at one time stands in one column. Two scales in one
// frame would suggest crossings that mean nothing.
type Panels struct {
	Title, Subtitle string
	X               Axis
	Panels          []Panel // the first at the top
}

// maxPanels is how many panels have room on a page.
const maxPanels = 6

// lines is panel i as a picture of its own.
func (p Panels) lines(i int) Lines {
	return Lines{X: p.X, Y: p.Panels[i].Y, Series: p.Panels[i].Series, Limits: p.Panels[i].Limits}
}

// Validate reports everything that keeps the picture from being drawn.
func (p Panels) Validate() error {
	if n := len(p.Panels); n == 0 || n > maxPanels {
		return fmt.Errorf("%d panels, need 1 to %d", n, maxPanels)
	}
	var errs []error
	for i := range p.Panels {
		if h := p.Panels[i].Height; !(h == 0 || h >= 0.1 && h <= 10) {
			errs = append(errs, fmt.Errorf("panel %d: a height of %v, want 0.1 to 10", i, h))
		}
		if err := p.lines(i).Validate(); err != nil {
			errs = append(errs, fmt.Errorf("panel %d: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

func (p Panels) titles() (title, subtitle string) { return p.Title, p.Subtitle }

// panelGap is between two panels.
const panelGap = 14.0

func (p Panels) size() (width, height float64) {
	gaps := float64(len(p.Panels)-1) * panelGap
	return 504, headerHeight(p.Title, p.Subtitle) + p.heights()*112 + gaps + p.X.bottom()
}

// heights is the sum of the relative heights.
func (p Panels) heights() (sum float64) {
	for _, one := range p.Panels {
		sum += one.height()
	}
	return sum
}

func (p Panel) height() float64 { return cmp.Or(p.Height, 1) }

func (p Panels) draw(c *canvas) {
	top := c.header(p.Title, p.Subtitle) - tickSize/2
	n := len(p.Panels)
	height := (top - p.X.bottom() - float64(n-1)*panelGap) / p.heights() // of one that is 1

	// All frames have the width that the widest labels leave.
	data := noExtent()
	frames, ys, sides := make([]frame, n), make([]plan, n), make([]strip, n)
	left, right, above := 0.0, 0.0, top
	for i := range p.Panels {
		l := p.lines(i)
		x, y := l.extents()
		if x.lo <= x.hi {
			data.add(x.lo)
			data.add(x.hi)
		}
		f := frame{y1: above}
		f.y0 = f.y1 - height*p.Panels[i].height()
		above = f.y0 - panelGap
		frames[i], ys[i] = f, l.Y.plan(y, vertically(f.y1-f.y0), true)
		sides[i] = l.strip(f, ys[i], l.looks())
		if p.Panels[i].Unnamed {
			sides[i].legend = legend{}
		}
		left, right = max(left, ys[i].left()), max(right, sides[i].width())
	}
	common := frame{x0: left, x1: c.width - margin}
	if right = min(right, 0.34*c.width); right > 0 {
		common.x1 -= right + stripGap
	}
	x := c.planX(p.X, &common, data)
	for i := range p.Panels {
		f, l := frames[i], p.lines(i)
		f.x0, f.x1 = common.x0, common.x1
		l.drawBands(c, f, x, ys[i])
		c.grid(f, x, ys[i])
		l.drawLimits(c, f, ys[i])
		if i == n-1 {
			c.drawX(f, x)
		} else {
			c.rule(pen{color: axisInk, width: 0.8}, f.x0, f.y0, f.x1, f.y0)
		}
		c.drawY(f, ys[i])
		l.drawSeries(c, f, x, ys[i], l.looks())
		sides[i].draw(c, f, right)
	}
}
