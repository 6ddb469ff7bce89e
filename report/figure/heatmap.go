package figure

import (
	"errors"
	"fmt"
	"math"
)

// maxCells is the number of cells that a heat map may have.
const maxCells = 100_000

// HeatMap draws one intensity in 0..1 for each row and each bin of the x axis:
// the utilization of links over time. Rows appear in the order given, the first
// at the top; sort them so that neighbours have something in common, by switch
// or by load, and patterns show as stripes.
type HeatMap struct {
	Title, Subtitle string
	X               Axis
	Edges           []float64   // increasing; one more than there are bins
	Rows            []string    // names; long ones lose their middle
	Values          [][]float64 // [row][bin] in 0..1; NaN is no data
	Bar             string      // label of the colour bar; "utilization" if empty
	// Notes, if not nil, has one short text for each row, shown at its right
	// end: its mean, or "contended 12 %". NotesHead stands above them.
	Notes     []string
	NotesHead string
}

// Validate reports everything that keeps the picture from being drawn.
func (h HeatMap) Validate() error {
	errs := []error{h.X.check("x")}
	cells := 0
	for _, row := range h.Values {
		cells += max(len(row), 1)
	}
	if cells > maxCells || len(h.Rows) > maxCells || len(h.Edges) > maxCells+1 {
		return errors.Join(append(errs, fmt.Errorf("%d cells, more than the %d that fit one picture: join bins or choose rows",
			max(cells, len(h.Rows), len(h.Edges)-1), maxCells))...)
	}
	if len(h.Rows) == 0 {
		errs = append(errs, errors.New("no rows"))
	}
	if len(h.Values) != len(h.Rows) {
		errs = append(errs, fmt.Errorf("%d rows of values for %d names", len(h.Values), len(h.Rows)))
	}
	if h.Notes != nil && len(h.Notes) != len(h.Rows) {
		errs = append(errs, fmt.Errorf("%d notes for %d rows", len(h.Notes), len(h.Rows)))
	}
	if err := checkEdges(h.X, h.Edges); err != nil {
		return errors.Join(append(errs, err)...)
	}
	for i, row := range h.Values {
		if len(errs) > 20 {
			errs = append(errs, errors.New("and maybe more"))
			break
		}
		if len(row) != len(h.Edges)-1 {
			errs = append(errs, fmt.Errorf("row %d has %d values for %d bins", i, len(row), len(h.Edges)-1))
			continue
		}
		for j, v := range row {
			if err := checkShare(v); err != nil {
				errs = append(errs, fmt.Errorf("values[%d][%d] is %v, %w", i, j, v, err))
				break
			}
		}
	}
	return errors.Join(errs...)
}

// rowPitch is the height of a row if the picture may choose its own: generous
// for few rows, the smallest that holds a name for many.
func (h HeatMap) rowPitch() float64 {
	switch n := len(h.Rows); {
	case n <= 10:
		return 15
	case n <= 40:
		return 11
	}
	return 8.5
}

func (h HeatMap) size() (width, height float64) {
	const page = 800 // more rows than fit a page share it and are thinned out
	rows := max(h.rowPitch()*float64(len(h.Rows)), 60)
	return 504, min(headerHeight(h.Title, h.Subtitle)+h.notesHead()+rows+h.X.bottom()+4, page)
}

func (h HeatMap) notesHead() float64 {
	if clean(h.NotesHead) != "" && h.Notes != nil {
		return smallSize + 4
	}
	return 0
}

func (h HeatMap) draw(c *canvas) {
	top := c.header(h.Title, h.Subtitle)
	f := frame{y0: h.X.bottom(), y1: top - 2 - h.notesHead()}
	rowHeight := (f.y1 - f.y0) / float64(len(h.Rows))
	name := face{size: min(max(rowHeight*0.8, smallSize), tickSize)}

	// The widths of the columns: names, cells, notes, colour bar.
	names, notes := 0.0, 0.0
	stride := rowStride(rowHeight, name.size+1)
	for i := 0; i < len(h.Rows); i += stride {
		names = max(names, name.width(clean(h.Rows[i])))
		if h.Notes != nil {
			notes = max(notes, name.width(clean(h.Notes[i])))
		}
	}
	if h.Notes != nil {
		notes = max(notes, face{size: smallSize}.width(clean(h.NotesHead)))
	}
	names, notes = min(names, 0.27*c.width), min(notes, 0.18*c.width)
	const bar = 10.0
	percents := face{size: tickSize}.width("100 %")
	f.x0 = margin + names + 6
	barX := c.width - margin - labelSize - 6 - percents - 6 - bar
	f.x1 = barX - 16
	if notes > 0 {
		f.x1 -= notes + 4
	}
	x := c.planX(h.X, &f, extent{h.Edges[0], h.Edges[len(h.Edges)-1]})

	missing := h.drawCells(c, f, x.scale)
	for i := 0; i < len(h.Rows); i += stride {
		mid := f.y1 - (float64(i)+0.5)*rowHeight
		c.textAt(name, ink, f.x0-6, mid, fromRight, name.elide(h.Rows[i], names))
		if h.Notes != nil {
			c.textAt(name, dimInk, f.x1+6, mid, fromLeft, name.elide(h.Notes[i], notes))
		}
	}
	if h.notesHead() > 0 {
		small := face{size: smallSize}
		c.text(small, dimInk, f.x1+6, f.y1+5, fromLeft, small.elide(h.NotesHead, notes+4))
	}
	c.drawX(f, x)
	h.drawBar(c, frame{barX, f.y0, barX + bar, f.y1}, missing)
}

// rowStride is the least of 1, 2, 5, 10, ... rows that have room for a name.
func rowStride(height, need float64) int {
	for k := 1; ; k *= 10 {
		for _, m := range []int{1, 2, 5} {
			if s := m * k; float64(s)*height >= need || s > maxCells {
				return s
			}
		}
	}
}

// drawCells draws the rows and reports whether a cell had no data.
//
// Neighbours of equal colour are one rectangle, and every rectangle reaches a
// little under the one at its right, which is drawn after it: where an edge
// falls inside a pixel, the paper does not shine through.
func (h HeatMap) drawCells(c *canvas, f frame, x scale) (missing bool) {
	const empty = -1
	at := groups(f, x, h.Edges, c.least())
	rowHeight := (f.y1 - f.y0) / float64(len(h.Rows))
	gap, under := 0.0, 0.0
	switch {
	case rowHeight >= 6:
		// Rows are links of their own: a thin white line between them, of
		// the same whole number of pixels everywhere.
		gap = max(c.snap(0.8), c.pixel)
	default:
		under = max(c.pixel, 0.4)
	}
	for i, row := range h.Values {
		y1 := c.snap(f.y1 - float64(i)*rowHeight)
		y0 := c.snap(f.y1 - float64(i+1)*rowHeight)
		if i < len(h.Rows)-1 {
			y0 += gap - under
		}
		for j := 0; j < len(at); {
			cell := func(g group) int {
				if m := mean(h.Edges, row, g.first, g.last); !math.IsNaN(m) {
					return level(m)
				}
				return empty
			}
			start, color := at[j].x0, cell(at[j])
			for j++; j < len(at) && cell(at[j]) == color; j++ {
			}
			end := at[j-1].x1
			if color == empty {
				missing = true
				c.hatched(start, y0, end, y1)
				continue
			}
			if j < len(at) {
				end = min(end+max(c.pixel, 0.4), f.x1)
			}
			c.rect(heat(color), start, y0, end, y1)
		}
	}
	return missing
}

// drawBar draws the colour bar, as tall as the rows.
func (h HeatMap) drawBar(c *canvas, f frame, missing bool) {
	small := face{size: tickSize}
	if missing && f.y1-f.y0 > 50 {
		// The key of the hatching stands under the bar's foot.
		c.hatched(f.x0, f.y0, f.x1, f.y0+9)
		c.textAt(small, axisInk, f.x1+6, f.y0+4.5, fromLeft, "no data")
		f.y0 += 17
	}
	step := (f.y1 - f.y0) / levels
	for i := range levels {
		y0 := f.y0 + float64(i)*step
		y1 := y0 + step
		if i < levels-1 {
			y1 += max(c.pixel, 0.4)
		}
		c.rect(heat(i), f.x0, y0, f.x1, min(y1, f.y1))
	}
	y := percent(f.y1 - f.y0)
	for _, t := range y.ticks {
		at := f.y(min(max(y.at(t.value), 0), 1))
		c.rule(pen{color: axisInk, width: 0.6}, f.x1, at, f.x1+tickMark, at)
		c.textAt(small, axisInk, f.x1+6, at, fromLeft, t.label)
	}
	label := clean(h.Bar)
	if label == "" {
		label = "utilization"
	}
	name := face{size: labelSize}
	c.textUp(name, ink, c.width-margin-labelSize/2, (f.y0+f.y1)/2, name.cut(label, f.y1-f.y0))
}
