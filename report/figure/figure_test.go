package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustRender(t testing.TB, format string, f Figure, opt Options) []byte {
	t.Helper()
	data, err := render(format, f, opt)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSameInputSameBytes(t *testing.T) {
	for name, f := range gallery() {
		for _, format := range []string{"png", "svg"} {
			opt := Options{DPI: 72}
			if !bytes.Equal(mustRender(t, format, f, opt), mustRender(t, format, gallery()[name], opt)) {
				t.Errorf("%s.%s differs from one drawing to the next", name, format)
			}
		}
	}
}

func TestGolden(t *testing.T) {
	for name, f := range map[string]Figure{"stack": accelerators(24), "heatmap": links(6, 24), "lines": busbw(), "network": clos(4, 2, 2), "dark": accelerators(12), "pareto": pareto(), "categories": categories()} {
		path := filepath.Join("testdata", name+".svg")
		got := mustRender(t, "svg", f, Options{Dark: name == "dark"})
		if *update {
			if err := os.WriteFile(path, got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s has changed; look at it (-pictures), then -update", path)
		}
	}
}

// box is where a text is on the page, in points from the upper left corner.
type box struct {
	x0, y0, x1, y1 float64
	text           string
	turned         bool
}

// page parses an SVG and returns its texts. It fails on coordinates outside the
// page and on numbers that are none.
func page(t failer, svg []byte) []box {
	var boxes []box
	var w, h float64
	turned := false
	depth, turnedAt := 0, 0
	var at box
	inText := false
	shift := [2]float64{}
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			attr := map[string]string{}
			for _, a := range e.Attr {
				attr[a.Name.Local] = a.Value
			}
			num := func(s string) float64 {
				v, err := strconv.ParseFloat(s, 64)
				if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("number %q in <%s>", s, e.Name.Local)
				}
				return v
			}
			switch e.Name.Local {
			case "svg":
				v := strings.Fields(attr["viewBox"])
				w, h = num(v[2]), num(v[3])
			case "g":
				if tr := attr["transform"]; strings.HasPrefix(tr, "translate(") {
					xy := strings.Split(strings.TrimSuffix(strings.TrimPrefix(tr, "translate("), ")"), ",")
					shift = [2]float64{num(xy[0]), num(strings.TrimSpace(xy[1]))}
				} else if strings.HasPrefix(tr, "rotate") {
					turned, turnedAt = true, depth
				}
			case "path":
				for _, m := range regexp.MustCompile(`[ML]([^MLZ]*)`).FindAllStringSubmatch(attr["d"], -1) {
					xy := strings.Split(m[1], ",")
					x, y := num(xy[0]), num(xy[1])
					if x < -0.01 || x > w+0.01 || y < -0.01 || y > h+0.01 {
						t.Fatalf("path to (%v, %v) on a page of %v by %v", x, y, w, h)
					}
				}
				if strings.Contains(attr["d"], "N") || strings.Contains(attr["d"], "I") {
					t.Fatalf("path %q", attr["d"])
				}
			case "text":
				inText = true
				x, y, long := num(attr["x"]), -num(attr["y"]), num(attr["textLength"])
				switch attr["text-anchor"] {
				case "middle":
					x -= long / 2
				case "end":
					x -= long
				}
				_, style, _ := strings.Cut(attr["style"], "font-size:")
				style, _, _ = strings.Cut(style, "px")
				size := num(style)
				at = box{x, h - y - 0.7*size, x + long, h - y + 0.2*size, "", turned}
				if turned { // x runs upwards from the shift
					at = box{shift[0] - 0.7*size, h - shift[1] - x - long, shift[0] + 0.2*size, h - shift[1] - x, "", true}
				}
			}
		case xml.CharData:
			if inText {
				at.text += string(e)
			}
		case xml.EndElement:
			if e.Name.Local == "text" {
				inText = false
				boxes = append(boxes, at)
			}
			if turned && depth == turnedAt {
				turned = false
			}
			depth--
		}
	}
	for _, b := range boxes {
		if b.x0 < 1 || b.x1 > w-1 || b.y0 < 1 || b.y1 > h-1 {
			t.Fatalf("%q is cut at the border: %+v on %v by %v", b.text, b, w, h)
		}
		if regexp.MustCompile(`\d[eE][+-]?\d|NaN|Inf|^[-−]0(\.0+)?( |$)`).MatchString(b.text) && !strings.Contains(b.text, "name") {
			t.Fatalf("text %q", b.text)
		}
	}
	return boxes
}

type failer interface{ Fatalf(string, ...any) }

// overlaps returns a pair of texts that touch.
func overlaps(boxes []box) string {
	for i, a := range boxes {
		for _, b := range boxes[:i] {
			if a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1 {
				return fmt.Sprintf("%+v\n%+v", a, b)
			}
		}
	}
	return ""
}

func TestNothingIsCutOrOverlaps(t *testing.T) {
	for name, f := range gallery() {
		for _, opt := range []Options{{}, {Width: 300}, {Width: 252, Height: 160}, {Width: 900, Height: 500}, {Width: 700, Height: 1200}} {
			if both := overlaps(page(t, mustRender(t, "svg", f, opt))); both != "" {
				t.Errorf("%s at %+v: texts overlap:\n%s", name, opt, both)
			}
		}
	}
}

func TestBorderStaysWhite(t *testing.T) {
	for name, f := range gallery() {
		img, err := png.Decode(bytes.NewReader(mustRender(t, "png", f, Options{DPI: 96})))
		if err != nil {
			t.Fatal(err)
		}
		const border = 6 // pixels, of a margin of 16
		r := img.Bounds()
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if image.Pt(x, y).In(r.Inset(border)) {
					continue
				}
				if r, g, b, _ := img.At(x, y).RGBA(); r+g+b != 3*0xffff {
					t.Fatalf("%s: ink at (%d, %d)", name, x, y)
				}
			}
		}
	}
}

func TestAtLeastFourTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(0.001, 1e9).Draw(t, "lo")
		hi := lo * (1 + rapid.Float64Range(0.0001, 1e6).Draw(t, "factor"))
		a := Axis{
			Unit: Unit(rapid.IntRange(int(Count), int(Ratio)).Draw(t, "unit")),
			Log:  rapid.Bool().Draw(t, "log"),
		}
		p := a.plan(extent{lo, hi}, vertically(200), rapid.Bool().Draw(t, "round"))
		labels := map[string]bool{}
		for i, tick := range p.ticks {
			if at := p.at(tick.value); at < -1e-5 || at > 1+1e-5 {
				t.Fatalf("tick %v outside %v..%v", tick.value, p.lo, p.hi)
			}
			if i > 0 && tick.value <= p.ticks[i-1].value {
				t.Fatalf("ticks fall: %v", p.ticks)
			}
			if tick.label != "" {
				if labels[tick.label] {
					t.Fatalf("label %q twice: %v", tick.label, p.ticks)
				}
				labels[tick.label] = true
			}
		}
		if len(labels) < 4 || len(labels) > 11 {
			t.Fatalf("%d labels: %v", len(labels), p.ticks)
		}
	})
}

func labelsOf(a Axis, lo, hi float64, l layout, round bool) string {
	p := a.plan(extent{lo, hi}, l, round)
	var s []string
	for _, t := range p.ticks {
		if t.label != "" {
			s = append(s, t.label)
		}
	}
	return strings.Join(s, ", ") + " | " + p.label
}

func TestTicks(t *testing.T) {
	x, y := horizontally(360), vertically(180)
	for _, test := range []struct {
		name   string
		axis   Axis
		lo, hi float64
		layout layout
		round  bool
		want   string
	}{
		{"milliseconds", Axis{Label: "time", Unit: Seconds}, 0, 0.12, x, false, "0, 20, 40, 60, 80, 100, 120 | time (ms)"},
		{"microseconds", Axis{Label: "time", Unit: Seconds}, 0, 43e-6, x, false, "0, 5, 10, 15, 20, 25, 30, 35, 40 | time (µs)"},
		{"seconds", Axis{Label: "time", Unit: Seconds}, 0, 100, x, false, "0, 20, 40, 60, 80, 100 | time (s)"},
		{"minutes", Axis{Label: "time", Unit: Seconds}, 0, 3600, x, false, "0, 10, 20, 30, 40, 50, 60 | time (min)"},
		{"days", Axis{Label: "time", Unit: Seconds}, 0, 30 * 86400, x, false, "0, 5, 10, 15, 20, 25, 30 | time (d)"},
		{"far from zero", Axis{Label: "time", Unit: Seconds}, 100, 100.004, x, false, "100.000, 100.001, 100.002, 100.003, 100.004 | time (s)"},
		{"no label", Axis{Unit: Seconds}, 0, 4, x, false, "0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0 | s"},
		{"rate, rounded", Axis{Label: "bus bandwidth", Unit: BytesPerSecond}, 0, 287e9, y, true, "0, 50, 100, 150, 200, 250, 300 | bus bandwidth (GB/s)"},
		{"share", Axis{Label: "utilization", Unit: Ratio}, 0, 1, y, true, "0 %, 20 %, 40 %, 60 %, 80 %, 100 % | utilization"},
		{"counts", Axis{Label: "jobs"}, 0, 87000, y, true, "0 k, 20 k, 40 k, 60 k, 80 k, 100 k | jobs"},
		{"about zero", Axis{}, -0.2, 0.2, y, true, "−0.2, −0.1, 0.0, 0.1, 0.2 | "},
		{"beyond the prefixes", Axis{Label: "operations"}, 0, 3.2e21, y, true, "0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5 | operations (×10^21)"},
		{"message sizes", Axis{Label: "message size", Unit: Bytes, Log: true}, 1 << 10, 1 << 33, x, false, "1 KiB, 32 KiB, 1 MiB, 32 MiB, 1 GiB | message size"},
		{"few sizes", Axis{Unit: Bytes, Log: true}, 1 << 20, 1 << 26, x, false, "1 MiB, 2 MiB, 4 MiB, 8 MiB, 16 MiB, 32 MiB, 64 MiB | "},
		{"bytes", Axis{Label: "memory", Unit: Bytes}, 0, 80 << 30, y, true, "0, 20, 40, 60, 80 | memory (GiB)"},
		{"latencies", Axis{Label: "time", Unit: Seconds, Log: true}, 9e-6, 0.2, x, false, "10 µs, 100 µs, 1 ms, 10 ms, 100 ms | time"},
		{"one decade and a half", Axis{Log: true}, 1, 50, y, true, "1, 2, 5, 10, 20, 50 | "},
		{"part of a decade", Axis{Log: true, Unit: Seconds}, 2e-3, 7e-3, x, false, "2 ms, 3 ms, 4 ms, 5 ms, 6 ms, 7 ms | "},
		{"long seconds", Axis{Log: true, Unit: Seconds}, 1, 1e6, x, false, "1 s, 1 min, 1 h, 1 d, 10 d | "},
	} {
		if got := labelsOf(test.axis, test.lo, test.hi, test.layout, test.round); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, test := range []struct {
		unit  Unit
		value float64
		want  string
	}{
		{Count, 0, "0"},
		{Count, math.Copysign(0, -1), "0"},
		{Count, -1e-14, "−1×10^−14"},
		{Count, 9000, "9000"},
		{Count, 12500, "12.5 k"},
		{Count, 1e9, "1 G"},
		{BytesPerSecond, 46.875e9, "46.9 GB/s"},
		{BytesPerSecond, 300e9, "300 GB/s"},
		{Bytes, 65536, "64 KiB"},
		{Ratio, 0.8, "80 %"},
		{Ratio, 0.9995, "100 %"},
		{Seconds, 1.5e-6, "1.5 µs"},
		{Seconds, 5400, "90 min"},
	} {
		if got := test.unit.short(test.value, false); got != test.want {
			t.Errorf("unit %d: %v is written %q, want %q", test.unit, test.value, got, test.want)
		}
	}
}

// Every pixel of a row has one of the colours of the map: no seams, no mixing.
func TestCellsHaveNoSeams(t *testing.T) {
	allowed := map[color.NRGBA]bool{}
	for i := range levels {
		allowed[heat(i)] = true
	}
	h := HeatMap{Rows: make([]string, 40), Edges: edges(37, 1)}
	for range h.Rows {
		row := make([]float64, 37)
		for i := range row {
			row[i] = 0.9 - 0.02*float64(i%2)
		}
		h.Values = append(h.Values, row)
	}
	for _, dpi := range []int{72, 96, 100, 110, 144, 150, 192, 220, 300} {
		img, err := png.Decode(bytes.NewReader(mustRender(t, "png", h, Options{DPI: dpi, Height: 200}))) // no gaps between rows
		if err != nil {
			t.Fatal(err)
		}
		at := func(x, y float64) color.NRGBA {
			return color.NRGBAModel.Convert(img.At(int(x*float64(dpi)/72), int(y*float64(dpi)/72))).(color.NRGBA)
		}
		for y := 20.0; y < 160; y += 0.2 {
			if c := at(100, y); !allowed[c] {
				t.Fatalf("%d dpi: colour %v at height %v", dpi, c, y)
			}
		}
		for x := 30.0; x < 400; x += 0.2 {
			if c := at(x, 100); !allowed[c] {
				t.Fatalf("%d dpi: colour %v at %v", dpi, c, x)
			}
		}
	}
}

// The map gets lighter from level to level, so that it survives a printer
// without colours and colour-vision deficiencies.
func TestHeatRisesInLightness(t *testing.T) {
	linear := func(v uint8) float64 { // sRGB, IEC 61966-2-1
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	before := -1.0
	for i := range levels {
		c := heat(i)
		luminance := 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
		if luminance <= before {
			t.Errorf("level %d is no lighter than the one before", i)
		}
		before = luminance
	}
}

// Bins narrower than a pixel are averaged, each with its length.
func TestNarrowBinsAreAveraged(t *testing.T) {
	f := frame{x1: 10, y1: 1}
	e := edges(10000, 1)
	values := make([]float64, 10000)
	for i := range values {
		values[i] = float64(i % 2)
	}
	for _, g := range groups(f, scale{0, 1, false}, e, 0.5) {
		if m := mean(e, values, g.first, g.last); math.Abs(m-0.5) > 0.01 {
			t.Fatalf("bins %d to %d have mean %v", g.first, g.last, m)
		}
		if g.x1-g.x0 > 0.6 {
			t.Fatalf("%v is wider than need be", g)
		}
	}
	if m := mean([]float64{0, 3, 4, 9}, []float64{1, 0, math.NaN()}, 0, 3); m != 0.75 {
		t.Errorf("mean is %v, want 0.75", m)
	}
}

// A line thinned out is the same line to within its column.
// A dashed line of its own is a reference: thin, in the ink of the axes, and the
// series after it have the colours that they had without it.
func TestReferencesTakeNoColour(t *testing.T) {
	l := compared()
	looks := l.looks()
	for i := range 9 {
		if looks[i].color != palette[i%len(palette)] || looks[i].shape != i {
			t.Errorf("series %d has %v and shape %d", i, looks[i].color, looks[i].shape)
		}
	}
	for i := 9; i < 12; i++ {
		if looks[i].color != axisInk || looks[i].width >= looks[0].width || !slices.Equal(looks[i].dash, dashed) {
			t.Errorf("reference %d is drawn as %+v", i, looks[i])
		}
	}
	l.Series = slices.Concat(l.Series[9:10], l.Series[:9])
	for i, k := range l.looks()[1:] {
		if k.color != looks[i].color {
			t.Errorf("behind a reference series %d has %v, without it %v", i, k.color, looks[i].color)
		}
	}
	version := Lines{Series: []Series{{Name: "a"}, {Dashed: true, Like: "a"}}}.looks()
	if version[1].color != version[0].color || version[1].width != version[0].width {
		t.Errorf("another version of %+v is drawn as %+v", version[0], version[1])
	}
}

func TestThinOutKeepsExtremes(t *testing.T) {
	run := make([]point, 100_000)
	for i := range run {
		run[i] = point{float64(i) / 1000, math.Sin(float64(i)) * float64(i%977)}
	}
	out := thinOut(run)
	if len(out) > 4*201 {
		t.Errorf("%d points left of %d", len(out), len(run))
	}
	lo, hi := noExtent(), noExtent()
	for _, p := range run {
		lo.add(p.y)
	}
	for i, p := range out {
		hi.add(p.y)
		if i > 0 && p.x < out[i-1].x {
			t.Fatal("out of order")
		}
	}
	if lo != hi || out[0] != run[0] || out[len(out)-1] != run[len(run)-1] {
		t.Error("ends or extremes are lost")
	}
}

func TestElide(t *testing.T) {
	f := face{size: tickSize}
	const name = "rack-17/dgx-a100.3/nic.5>leaf.1"
	for room := 0.0; room < 200; room += 3 {
		s := f.elide(name, room)
		if f.width(s) > room {
			t.Errorf("%q is longer than %v", s, room)
		}
		head, tail, cut := strings.Cut(s, "…")
		if cut && (!strings.HasPrefix(name, head) || !strings.HasSuffix(name, tail)) {
			t.Errorf("%q is not both ends of %q", s, name)
		}
	}
	if got := f.elide("short", 100); got != "short" {
		t.Errorf("elided %q without need", got)
	}
	if got := clean("a\nb\x00c\xff " + strings.Repeat("ü", 5000)); !strings.HasPrefix(got, "a b\uFFFDc\uFFFD ü") || len(got) > 2100 {
		t.Errorf("cleaned to %.40q, %d bytes", got, len(got))
	}
}

func TestErrors(t *testing.T) {
	ok := Series{Name: "a", X: []float64{1, 2}, Y: []float64{1, 2}}
	with := func(change func(*Lines)) Lines {
		l := Lines{Series: []Series{ok}}
		change(&l)
		return l
	}
	zero, inf, nan := 0.0, math.Inf(1), math.NaN()
	stack := func(values ...float64) Stack {
		return Stack{Edges: edges(len(values), 1), Layers: []Layer{{Name: "a", Values: values}, {Name: "b", Values: make([]float64, len(values))}}}
	}
	for _, test := range []struct {
		name   string
		figure Figure
		want   string
	}{
		{"no series", Lines{}, "no series"},
		{"no points", with(func(l *Lines) { l.Series[0].X, l.Series[0].Y = nil, nil }), `series 0 ("a"): no points`},
		{"lengths", with(func(l *Lines) { l.Series[0].X = []float64{1} }), "x has 1 values and y 2"},
		{"a band without ends", with(func(l *Lines) { l.Series[0].Band = true }), "a band lies between low and high"},
		{"ticks of a linear axis", with(func(l *Lines) { l.X.At = []float64{1, 2} }), "x axis: tick at 1"},
		{"ticks that fall", with(func(l *Lines) { l.X.Log, l.X.At = true, []float64{2, 1} }), "x axis: tick at 1"},
		{"nothing to compare", Parity{Within: 0.1}, "no series"},
		{"no width", Parity{Series: []Series{ok}}, "a band of 0"},
		{"no share of zero", Parity{Within: 0.1, Series: []Series{{X: []float64{0}, Y: []float64{1}}}}, "value 0 is 0, want one above 0"},
		{"pairs", Parity{Within: 0.1, Series: []Series{{X: []float64{1, 2}, Y: []float64{1}}}}, "x has 2 values, y 1"},
		{"panel", Panels{Panels: []Panel{{Series: []Series{ok}, Height: 99}}}, "panel 0: a height of 99"},
		{"bars", with(func(l *Lines) { l.Series[0].Low = []float64{1} }), "low 1 and high 0"},
		{"NaN x", with(func(l *Lines) { l.Series[0].X = []float64{1, nan} }), "x[1] is NaN, not a finite number"},
		{"Inf y", with(func(l *Lines) { l.Series[0].Y = []float64{inf, 1} }), "y[0] is +Inf"},
		{"log x", with(func(l *Lines) { l.X.Log = true; l.Series[0].X = []float64{0, 1} }), "x[0] is 0, but a logarithmic axis shows positive values only"},
		{"log y", with(func(l *Lines) { l.Y.Log = true; l.Series[0].Y = []float64{1, -1} }), "y[1] is -1, but a logarithmic axis"},
		{"log limit", with(func(l *Lines) { l.Y.Log = true; l.Limits = []Limit{{"m", -1}} }), `limit 0 ("m")`},
		{"log min", with(func(l *Lines) { l.X.Log, l.X.Min = true, &zero }), "x axis: Min is 0"},
		{"min above max", with(func(l *Lines) { l.X.Min, l.X.Max = &zero, &zero }), "Min 0 is not below Max 0"},
		{"unit", with(func(l *Lines) { l.X.Unit = 99 }), "unknown unit 99"},
		{"like nothing", with(func(l *Lines) { l.Series[0].Like = "b" }), `like names "b"`},
		{"huge", with(func(l *Lines) { l.Series[0].Y = []float64{1, 1e300} }), "largest magnitude"},
		{"too many", Lines{Series: []Series{{X: make([]float64, 1e6+1), Y: make([]float64, 1e6+1)}}}, "1000001 points"},
		{"too many series", Lines{Series: make([]Series, 1001)}, "1001 series"},
		{"too many layers", Stack{Layers: make([]Layer, 1001)}, "1001 layers"},
		{"two at once", with(func(l *Lines) { l.X.Unit = 99; l.Series[0].Y = nil }), "and y 0"},
		{"no layers", Stack{Edges: edges(2, 1)}, "no layers"},
		{"no edges", Stack{Layers: []Layer{{}}}, "0 bin edges"},
		{"edges fall", Stack{Edges: []float64{0, 1, 1}, Layers: []Layer{{}}}, "edges[2] is 1, not above"},
		{"too much", stack(0.5, 1.2), "values[1] is 1.2"},
		{"sum", Stack{Edges: edges(1, 1), Layers: []Layer{{Values: []float64{0.6}}, {Values: []float64{0.6}}}}, "add up to 1.2"},
		{"role", Stack{Edges: edges(1, 1), Layers: []Layer{{Values: []float64{0.6}, Role: -1}}}, "unknown role"},
		{"stack too large", Stack{Edges: edges(600_000, 1), Layers: make([]Layer, 2)}, "more than the 1000000 points"},
		{"no rows", HeatMap{Edges: edges(1, 1)}, "no rows"},
		{"ragged", HeatMap{Edges: edges(2, 1), Rows: []string{"a"}, Values: [][]float64{{1}}}, "row 0 has 1 values for 2 bins"},
		{"names", HeatMap{Edges: edges(1, 1), Rows: []string{"a"}, Values: [][]float64{{1}, {1}}}, "2 rows of values for 1 names"},
		{"notes", HeatMap{Edges: edges(1, 1), Rows: []string{"a"}, Values: [][]float64{{1}}, Notes: []string{}}, "0 notes for 1 rows"},
		{"percent as 0..100", HeatMap{Edges: edges(1, 1), Rows: []string{"a"}, Values: [][]float64{{80}}}, "not within 0 and 1"},
		{"too many cells", links(1001, 100), "100100 cells"},
		{"none", nil, "no figure"},
		{"nil pointer", (*Lines)(nil), "cannot draw"},
	} {
		err := Write(io.Discard, "svg", test.figure, Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "figure: ") {
			t.Errorf("%s: error is %v, want %q", test.name, err, test.want)
		}
	}

	l := Lines{Series: []Series{ok}}
	for _, opt := range []Options{{Width: -1}, {Width: nan}, {Height: 1e9}, {DPI: -1}, {DPI: 1 << 30}, {Width: 4000, Height: 4000, DPI: 1200}} {
		if err := Write(io.Discard, "png", l, opt); err == nil {
			t.Errorf("%+v is no error", opt)
		}
	}
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "a.gif"):       `unknown format "gif"`,
		filepath.Join(dir, "a"):           `unknown format ""`,
		filepath.Join(dir, "no/such.svg"): "no such file",
		dir + "/.":                        "unknown format",
	} {
		if err := Save(path, l, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q", path, err, want)
		}
	}
	if err := Save(filepath.Join(dir, "no/such.svg"), l, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v does not wrap the system's error", err)
	}
	// A figure with errors leaves the file alone.
	path := filepath.Join(dir, "kept.SVG")
	if err := Save(path, l, Options{}); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	if err := Save(path, Lines{}, Options{}); err == nil {
		t.Error("an empty figure is no error")
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) || len(after) == 0 {
		t.Error("the file has changed")
	}
	if err := Write(brokenWriter{}, "svg", l, Options{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error of the writer is lost: %v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func BenchmarkHeatMap(b *testing.B) {
	for _, rows := range []int{16, 64, 512} {
		h := links(rows, 128)
		for _, format := range []string{"png", "svg"} {
			b.Run(fmt.Sprintf("%s/rows=%d", format, rows), func(b *testing.B) {
				for b.Loop() {
					if err := Write(io.Discard, format, h, Options{}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(rows*128)*float64(b.N)/b.Elapsed().Seconds(), "cells/s")
			})
		}
	}
}

// TestParityIsSquare: both axes of a scatter show one range, so that equal values lie on the
// diagonal, and the panel below shows what they differ by.
func TestParityIsSquare(t *testing.T) {
	for _, log := range []bool{false, true} {
		p := Parity{X: Axis{Log: log}, Within: 0.1, Series: []Series{{Name: "a", X: []float64{10, 100}, Y: []float64{11, 80}}}}
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		panels := p.panels()
		if x, y := panels.X, panels.Panels[0].Y; *x.Min != *y.Min || *x.Max != *y.Max || *x.Max < 100 {
			t.Errorf("x from %v to %v, y from %v to %v", *x.Min, *x.Max, *y.Min, *y.Max)
		}
		for i, want := range []float64{0.1, -0.2} {
			if got := panels.Panels[1].Series[0].Y[i]; math.Abs(got-want) > 1e-12 {
				t.Errorf("error of point %d is %v, want %v", i, got, want)
			}
		}
		for _, panel := range panels.Panels {
			for _, s := range panel.Series {
				if s.Band && (len(s.X) < 2 || slices.Min(s.Low) >= slices.Max(s.High)) {
					t.Errorf("band %v", s)
				}
			}
		}
	}
}

// Times that reach beyond minutes are ticked as a clock has them, however wide the axis.
func TestClockTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{10, 40_000, "10 s 1 min 10 min 1 h 10 h"},
		{150, 40_000, "5 min 10 min 20 min 1 h 2 h 5 h 10 h"},
		{5400, 40_000, "2 h 3 h 4 h 6 h 8 h"},
		{0.001, 1e6, "1 ms 10 ms 100 ms 1 s 1 min 1 h 1 d 10 d"},
		{20_000, 2e6, "6 h 8 h 12 h 1 d 2 d 3 d 5 d 10 d 20 d"},
		{0.01, 100, "10 ms 100 ms 1 s 10 s 100 s"}, // no clock
	} {
		p := Axis{Unit: Seconds, Log: true, Min: &c.lo, Max: &c.hi}.plan(extent{c.lo, c.hi}, horizontally(400), false)
		var got []string
		for _, tick := range p.ticks {
			if tick.label != "" {
				got = append(got, tick.label)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v to %v: %q, want %s", c.lo, c.hi, got, c.want)
		}
	}
}
