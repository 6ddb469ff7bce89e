package figure

import (
	"image/color"
	"math"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
)

// canvas is a sheet of paper, measured in points from its lower left corner.
type canvas struct {
	vg            vg.Canvas
	width, height float64
	// pixel is the size of a device pixel, or 0 if the device has none (SVG, PDF).
	pixel float64
	dark  bool // of the paper
	// anchors says that the device aligns texts itself (SVG); texts are those drawn so
	// far on it.
	anchors bool
	texts   []textBox
}

// textBox is how a text was aligned and how long it is in our font.
type textBox struct{ align, width float64 }

type point struct{ x, y float64 }

func (p point) vg() vg.Point { return vg.Point{X: vg.Length(p.x), Y: vg.Length(p.y)} }

// snap moves a coordinate to the nearest border between two pixels, so that
// the edges of rectangles are sharp.
func (c *canvas) snap(v float64) float64 {
	if c.pixel == 0 {
		return v
	}
	return math.Round(v/c.pixel) * c.pixel
}

// rect fills a rectangle, its edges snapped.
func (c *canvas) rect(fill color.Color, x0, y0, x1, y1 float64) {
	x0, y0, x1, y1 = c.snap(x0), c.snap(y0), c.snap(x1), c.snap(y1)
	c.polygon(fill, []point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}})
}

func (c *canvas) polygon(fill color.Color, points []point) {
	path := make(vg.Path, 0, len(points)+1)
	for i, p := range points {
		if i == 0 {
			path.Move(p.vg())
		} else {
			path.Line(p.vg())
		}
	}
	path.Close()
	c.vg.SetColor(c.shade(fill))
	c.vg.Fill(path)
}

// pen is how a line is drawn.
type pen struct {
	color color.Color
	width float64
	dash  []float64
}

// stroke draws polylines, as one element of an SVG.
//
// The rasterizer of PNGs keeps, for each row of pixels, a list of what crosses
// it that is searched from its head: its time grows with the square of the
// crossings. So it gets a few lines, or a piece of a long one, at once. Pieces
// share a segment, so that the corners at their ends are joined.
func (c *canvas) stroke(p pen, lines ...[]point) {
	if c.pixel == 0 {
		c.strokeOnce(p, 0, lines)
		return
	}
	const most = 48
	var batch [][]point
	n := 0
	for _, line := range lines {
		walked := 0.0
		for len(line) > most {
			c.strokeOnce(p, walked, [][]point{line[:most]})
			for i := 1; i < most-1; i++ {
				walked += math.Hypot(line[i].x-line[i-1].x, line[i].y-line[i-1].y)
			}
			line = line[most-2:]
		}
		if walked > 0 {
			c.strokeOnce(p, walked, [][]point{line})
			continue
		}
		if n+len(line) > most {
			c.strokeOnce(p, 0, batch)
			batch, n = batch[:0], 0
		}
		batch, n = append(batch, line), n+len(line)
	}
	c.strokeOnce(p, 0, batch)
}

// strokeOnce draws polylines that start at that length into the dash pattern.
func (c *canvas) strokeOnce(p pen, walked float64, lines [][]point) {
	var path vg.Path
	for _, line := range lines {
		for i, pt := range line {
			if i == 0 {
				path.Move(pt.vg())
			} else {
				path.Line(pt.vg())
			}
		}
	}
	if len(path) == 0 {
		return
	}
	dash, period := make([]vg.Length, len(p.dash)), 0.0
	for i, d := range p.dash {
		dash[i] = vg.Length(d)
		period += d
	}
	if period > 0 {
		walked = math.Mod(walked, period)
	} else {
		walked = 0
	}
	c.vg.SetColor(c.shade(p.color))
	c.vg.SetLineWidth(vg.Length(p.width))
	c.vg.SetLineDash(dash, vg.Length(walked))
	c.vg.Stroke(path)
}

// rule draws a straight horizontal or vertical line on whole pixels.
func (c *canvas) rule(p pen, x0, y0, x1, y1 float64) {
	if c.pixel > 0 {
		n := max(1, math.Round(p.width/c.pixel))
		p.width = n * c.pixel
		// A line of an odd number of pixels runs through their centres.
		centre := func(v float64) float64 {
			if int(n)%2 == 0 {
				return c.snap(v)
			}
			return (math.Floor(v/c.pixel) + 0.5) * c.pixel
		}
		if x0 == x1 {
			x0 = centre(x0)
			x1 = x0
		}
		if y0 == y1 {
			y0 = centre(y0)
			y1 = y0
		}
	}
	c.stroke(p, []point{{x0, y0}, {x1, y1}})
}

// type face is a font at a size.
type face struct {
	bold bool
	size float64
}

// fonts is parsed once: it is 2 MB of embedded constant data.
var fonts = sync.OnceValue(func() *font.Cache {
	return font.NewCache(liberation.Collection())
})

func (f face) font() font.Face {
	spec := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(f.size)}
	if f.bold {
		spec.Weight = 3 // WeightBold of golang.org/x/image/font, 400 + 3*100
	}
	return fonts().Lookup(spec, spec.Size)
}

// width returns the length of a line of text.
func (f face) width(s string) float64 {
	if s == "" {
		return 0
	}
	ff := f.font()
	return float64(ff.Width(s))
}

// How far a text stands to the left of its anchor, in units of its width.
const (
	fromLeft  = 0.0
	centred   = 0.5
	fromRight = 1.0
)

// text draws a line of text on the baseline y.
func (c *canvas) text(f face, ink color.Color, x, y, align float64, s string) {
	if s == "" {
		return
	}
	ff := f.font()
	w := float64(ff.Width(s))
	if c.anchors {
		c.texts = append(c.texts, textBox{align, w})
	} else {
		x -= align * w
		s = boxed(ff, s)
	}
	c.vg.SetColor(c.shade(ink))
	c.vg.FillString(ff, point{x, c.snap(y)}.vg(), s)
}

// boxed shows the characters that the font does not have as boxes, where it
// would draw nothing.
func boxed(f font.Face, s string) string {
	return strings.Map(func(r rune) rune {
		if i, err := f.Face.GlyphIndex(nil, r); err != nil || i == 0 {
			return '□'
		}
		return r
	}, s)
}

// textAt draws a line of text vertically centred at y.
func (c *canvas) textAt(f face, ink color.Color, x, y, align float64, s string) {
	c.text(f, ink, x, y-f.middle(), align, s)
}

// textUp draws a line of text that runs upwards, centred at the point.
func (c *canvas) textUp(f face, ink color.Color, x, y float64, s string) {
	if s == "" {
		return
	}
	c.vg.Push()
	// From one pixel border to another: turned glyphs are resampled, and
	// would be blurred in between.
	c.vg.Translate(point{c.snap(x + f.middle()), c.snap(y)}.vg())
	c.vg.Rotate(math.Pi / 2)
	if c.anchors {
		c.text(f, ink, 0, 0, centred, s)
	} else {
		c.text(f, ink, c.snap(-f.width(s)/2), 0, fromLeft, s)
	}
	c.vg.Pop()
}

// middle is the height of the middle of a digit above the baseline.
func (f face) middle() float64 { return 0.35 * f.size }

// clean makes any string fit for one line of an XML document: control
// characters and broken UTF-8 are replaced, very long strings lose their
// middle.
func clean(s string) string {
	const keep = 1000 // bytes at either end; far more than any picture shows
	if len(s) > 2*keep {
		head, tail := s[:keep], s[len(s)-keep:]
		for len(head) > 0 && !utf8.RuneStart(s[len(head)]) {
			head = head[:len(head)-1]
		}
		for len(tail) > 0 && !utf8.RuneStart(tail[0]) {
			tail = tail[1:]
		}
		s = head + "…" + tail
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return '\uFFFD'
	}, s)
	return strings.TrimSpace(s)
}

// elide shortens a name to the room it has by taking away its middle.
func (f face) elide(s string, room float64) string {
	return f.shorten(s, room, func(r []rune, n int) string {
		return string(r[:(n+1)/2]) + "…" + string(r[len(r)-n/2:])
	})
}

// cut shortens a sentence to the room it has by taking away its end.
func (f face) cut(s string, room float64) string {
	return f.shorten(s, room, func(r []rune, n int) string {
		return strings.TrimRight(string(r[:n]), " ,;.") + "…"
	})
}

func (f face) shorten(s string, room float64, keep func([]rune, int) string) string {
	s = clean(s)
	if f.width(s) <= room {
		return s
	}
	runes := []rune(s)
	// The largest number of runes kept that fits, by bisection.
	lo, hi := 0, len(runes)-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if f.width(keep(runes, mid)) <= room {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	if lo == 0 {
		return ""
	}
	return keep(runes, lo)
}

// header draws title and subtitle and returns the height at which the rest
// may begin.
func (c *canvas) header(title, subtitle string) float64 {
	y := c.height - margin
	room := c.width - 2*margin
	if title = (face{bold: true, size: titleSize}).cut(title, room); title != "" {
		y -= titleSize * 0.75
		c.text(face{bold: true, size: titleSize}, ink, margin, y, fromLeft, title)
		y -= 5
	}
	if subtitle = (face{size: subtitleSize}).cut(subtitle, room); subtitle != "" {
		y -= subtitleSize * 0.8
		c.text(face{size: subtitleSize}, dimInk, margin, y, fromLeft, subtitle)
		y -= 4
	}
	if title != "" || subtitle != "" {
		y -= 6
	}
	return y
}

// headerHeight is what header takes, the margin included.
func headerHeight(title, subtitle string) float64 {
	h := margin
	title, subtitle = clean(title), clean(subtitle)
	if title != "" {
		h += titleSize*0.75 + 5
	}
	if subtitle != "" {
		h += subtitleSize*0.8 + 4
	}
	if title != "" || subtitle != "" {
		h += 6
	}
	return h
}
