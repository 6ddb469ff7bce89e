package figure

import "fmt"

// entry is one line of a legend: a key, a name, a number at the right.
type entry struct {
	name, note string
	key        func(c *canvas, x, y float64) // draws in a box swatch wide, centred on y
}

// legend is the list of names at the right of the axes.
type legend struct {
	entries  []entry
	noteHead string // heads the column of notes
}

// width returns what the legend would like to take.
func (l legend) width() float64 {
	if len(l.entries) == 0 {
		return 0
	}
	f := face{size: labelSize}
	w := 0.0
	for _, e := range l.entries[:min(len(l.entries), 300)] { // more do not fit on a page
		name := f.width(clean(e.name))
		if e.note != "" {
			name += 12 + f.width(e.note)
		}
		w = max(w, name)
	}
	return swatch + 5 + max(w, f.width(l.noteHead))
}

// height returns the height of the legend.
func (l legend) height() float64 {
	h := pitch * float64(len(l.entries))
	if l.noteHead != "" {
		h += pitch * 0.8
	}
	return h
}

// draw draws the legend from its upper left corner. What has no room above
// bottom is counted in a last line.
func (l legend) draw(c *canvas, x, top, width, bottom float64) {
	f := face{size: labelSize}
	y := top
	if l.noteHead != "" && len(l.entries) > 0 {
		c.text(face{size: smallSize}, dimInk, x+width, y-smallSize*0.8, fromRight, l.noteHead)
		y -= pitch * 0.8
	}
	room := max(int((y-bottom)/pitch+0.01), 1)
	for i, e := range l.entries {
		mid := y - pitch*(float64(i)+0.5)
		if i == room-1 && len(l.entries) > room {
			c.textAt(f, dimInk, x+swatch+5, mid, fromLeft,
				f.cut(fmt.Sprintf("and %d more", len(l.entries)-i), width-swatch-5))
			return
		}
		e.key(c, x, mid)
		left := width - swatch - 5
		if e.note != "" {
			c.textAt(f, dimInk, x+width, mid, fromRight, e.note)
			left -= f.width(e.note) + 6
		}
		c.textAt(f, ink, x+swatch+5, mid, fromLeft, f.elide(e.name, left))
	}
}
