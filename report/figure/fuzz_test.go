package figure

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Numbers and names that break pictures.
var (
	awkward = []float64{
		0, math.Copysign(0, -1), 1, -1, 0.5, 1e-3, 1e3, 1e9, 1e9 + 1, 1e-9, 1 << 20, 86400, 1.0000001, 0.1 + 0.2,
		1e100, -1e100, 1e149, 1e-100, 1e-149, 1e-151, 5e-324, math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1),
	}
	names = []string{
		"", " ", "name", "name with spaces", "a\nname", "name\x00\x1b[1m", "\xff\xfename", "Ünïcode name µs 漢字 😀 مرحبا",
		"</text><script>name</script>", `"name' & style="font-family:Liberation Sans;font-variant:normal;`,
		"dgx-a100.3/nic.5>leaf.1 name", "name-" + string(slices.Repeat([]rune("long"), 300)),
	}
)

// tame are the awkward numbers that are no errors on a linear axis, in front of
// those that are.
func tame() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.SampledFrom(awkward[:20]), rapid.Float64Range(-10, 10), rapid.Float64Range(0.001, 1), rapid.Float64Range(1, 1e12))
}

func number() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.SampledFrom(awkward), rapid.SampledFrom(awkward[:14]), rapid.Float64Range(-10, 10),
		rapid.Float64Range(0, 1), rapid.Float64())
}

func values(t *rapid.T, name string, n int) []float64 {
	switch rapid.IntRange(0, 30).Draw(t, name+" kind") {
	case 0:
		return rapid.SliceOfN(number(), n, n).Draw(t, name)
	case 1, 2, 3, 4, 5, 6:
		return slices.Repeat([]float64{tame().Draw(t, name)}, n)
	case 7, 8, 9, 10, 11, 12:
		return rapid.SliceOfN(tame(), n, n).Draw(t, name)
	case 13, 14:
		return slices.Repeat([]float64{math.NaN()}, n)
	}
	return rapid.SliceOfN(rapid.Float64Range(0.1, 100), n, n).Draw(t, name)
}

func someEdges(t *rapid.T, n int) []float64 {
	if rapid.IntRange(0, 9).Draw(t, "wild edges") == 0 {
		return values(t, "edges", n+1)
	}
	e := []float64{rapid.SampledFrom([]float64{0, 1, -5, 1e6, 1e-9}).Draw(t, "start")}
	for range n {
		e = append(e, e[len(e)-1]+rapid.SampledFrom([]float64{1, 0.1, 1e-6, 100, 1e12, 0.5}).Draw(t, "width"))
	}
	return e
}

func shares(t *rapid.T, n int) []float64 {
	if rapid.IntRange(0, 9).Draw(t, "wild shares") == 0 {
		return values(t, "shares", n)
	}
	return rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.25, 1.0 / 3, 1, math.NaN(), 1 + 1e-9, -1e-9}), n, n).Draw(t, "shares")
}

func someAxis(t *rapid.T) Axis {
	a := Axis{
		Label: rapid.SampledFrom(names).Draw(t, "label"),
		Unit:  Unit(rapid.IntRange(0, 4).Draw(t, "unit")),
		Log:   rapid.IntRange(0, 5).Draw(t, "log") == 0,
	}
	if rapid.IntRange(0, 6).Draw(t, "has min") == 0 {
		v := tame().Draw(t, "min")
		a.Min = &v
	}
	if rapid.IntRange(0, 6).Draw(t, "has max") == 0 {
		v := tame().Draw(t, "max")
		a.Max = &v
	}
	return a
}

func someFigure(t *rapid.T) Figure {
	name := rapid.SampledFrom(names)
	title, subtitle := name.Draw(t, "title"), name.Draw(t, "subtitle")
	switch rapid.IntRange(0, 3).Draw(t, "kind of figure") {
	case 0:
		l := Lines{Title: title, Subtitle: subtitle, X: someAxis(t), Y: someAxis(t)}
		for range rapid.SampledFrom([]int{1, 1, 2, 3, 0, 20}).Draw(t, "series") {
			n := rapid.SampledFrom([]int{1, 1, 2, 3, 10}).Draw(t, "points")
			s := Series{
				Name: name.Draw(t, "name"), X: values(t, "x", n), Y: values(t, "y", n),
				Points: rapid.Bool().Draw(t, "markers"), Step: rapid.Bool().Draw(t, "step"), Dashed: rapid.Bool().Draw(t, "dashed"),
			}
			if rapid.IntRange(0, 4).Draw(t, "bars") == 0 {
				s.Low, s.High = values(t, "low", n), values(t, "high", n)
				s.Band = rapid.Bool().Draw(t, "band")
			}
			if rapid.IntRange(0, 4).Draw(t, "like") == 0 && len(l.Series) > 0 {
				s.Like = l.Series[0].Name
			}
			if s.Faint = rapid.IntRange(0, 4).Draw(t, "faint") == 0; s.Faint {
				for range n {
					s.Labels = append(s.Labels, name.Draw(t, "label"))
				}
			}
			if rapid.IntRange(0, 4).Draw(t, "sized") == 0 {
				s.Sizes = values(t, "size", n)
			}
			l.Series = append(l.Series, s)
		}
		if rapid.IntRange(0, 9).Draw(t, "categories") == 0 {
			l.X.Names = []string{name.Draw(t, "category"), name.Draw(t, "category"), name.Draw(t, "category")}
		}
		for range rapid.IntRange(0, 6).Draw(t, "limits") {
			l.Limits = append(l.Limits, Limit{name.Draw(t, "limit"), tame().Draw(t, "value")})
		}
		if rapid.IntRange(0, 3).Draw(t, "parity") == 0 {
			return parityOf(t, l)
		}
		if l.X.Log && rapid.Bool().Draw(t, "at") {
			l.X.At = slices.Sorted(slices.Values(values(t, "at", 3)))
		}
		return l
	case 1:
		n := rapid.SampledFrom([]int{1, 1, 2, 20, 0}).Draw(t, "bins")
		s := Stack{Title: title, Subtitle: subtitle, X: someAxis(t), Edges: someEdges(t, n)}
		layers := rapid.SampledFrom([]int{1, 2, 3, 0, 12}).Draw(t, "layers")
		for range layers {
			v := shares(t, n)
			for i := range v {
				v[i] /= float64(layers) * 1.001
			}
			s.Layers = append(s.Layers, Layer{name.Draw(t, "name"), v, Role(rapid.IntRange(0, 5).Draw(t, "role"))})
		}
		return s
	case 2:
		n := Network{Title: title, Subtitle: subtitle, Bar: name.Draw(t, "bar")}
		for range rapid.SampledFrom([]int{1, 2, 3, 0, 16, 17}).Draw(t, "tiers") {
			tier := NetworkTier{Name: name.Draw(t, "tier")}
			for range rapid.SampledFrom([]int{1, 2, 5, 64, 0, 65}).Draw(t, "nodes") {
				tier.Nodes = append(tier.Nodes, name.Draw(t, "node"))
			}
			n.Tiers = append(n.Tiers, tier)
		}
		end := func(label string) [2]int {
			return [2]int{rapid.IntRange(0, 2).Draw(t, label+" tier"), rapid.IntRange(0, 2).Draw(t, label+" node")}
		}
		widths := values(t, "widths", 6)
		for i, share := range shares(t, rapid.IntRange(0, 6).Draw(t, "edges")) {
			n.Edges = append(n.Edges, NetworkEdge{From: end("from"), To: end("to"), Width: widths[i] / 100, Share: share})
		}
		return n
	}
	n := rapid.SampledFrom([]int{1, 1, 2, 20, 0}).Draw(t, "bins")
	h := HeatMap{Title: title, Subtitle: subtitle, X: someAxis(t), Edges: someEdges(t, n), Bar: name.Draw(t, "bar"), NotesHead: name.Draw(t, "head")}
	for range rapid.SampledFrom([]int{1, 2, 10, 70, 0}).Draw(t, "rows") {
		h.Rows, h.Values = append(h.Rows, name.Draw(t, "name")), append(h.Values, shares(t, n))
		if h.Notes != nil || len(h.Rows) == 1 && rapid.Bool().Draw(t, "notes") {
			h.Notes = append(h.Notes, name.Draw(t, "note"))
		}
	}
	return h
}

// parityOf sets the values of a picture against each other, those below zero turned around.
func parityOf(t *rapid.T, l Lines) Parity {
	p := Parity{Title: l.Title, Subtitle: l.Subtitle, X: l.X, Label: l.Y.Label, Within: rapid.SampledFrom([]float64{0.1, 0.001, 0.999, 0}).Draw(t, "within")}
	for _, s := range l.Series {
		if s.Low == nil {
			s.High = nil
		}
		for _, of := range [][]float64{s.X, s.Y, s.Low, s.High} {
			for i, v := range of {
				of[i] = math.Abs(v)
			}
		}
		s.Like, s.Points, s.Band, s.Sizes = "", true, false, nil
		p.Series = append(p.Series, s)
	}
	return p
}

// Whatever comes in, the drawing libraries never panic, ink stays on the page,
// every text is inside the borders and the SVG is XML.
func TestAnything(t *testing.T) {
	drawn, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		f := someFigure(t)
		opt := Options{
			Width:  rapid.SampledFrom([]float64{0, 0, 160, 300, 1000, 4000}).Draw(t, "width"),
			Height: rapid.SampledFrom([]float64{0, 0, 100, 200, 1500}).Draw(t, "height"),
			DPI:    rapid.SampledFrom([]int{36, 72, 96}).Draw(t, "dpi"),
		}
		svg, err := render("svg", f, opt) // without the recover of Write
		if err != nil {
			refused++
			return
		}
		drawn++
		page(t, svg)
		if opt.Width*opt.Height > 1e6 {
			return // large pictures take long, and the SVG has shown it all
		}
		opt.Dark = rapid.Bool().Draw(t, "dark")
		for _, format := range []string{"png", "pdf"} {
			if _, err := render(format, f, opt); err != nil {
				t.Fatalf("SVG but no %s: %v", format, err)
			}
		}
	})
	t.Logf("%d drawn, %d refused", drawn, refused)
}

// The most that is accepted is drawn in bounded time.
func TestLargest(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds")
	}
	const n = maxPoints / 2
	x, y, noise := make([]float64, n), make([]float64, n), make([]float64, n)
	const scribble = 10_000
	for i := range x {
		noise[i] = math.Mod(float64(i)*math.Phi, 1)
		x[i], y[i] = float64(i), math.Sin(float64(i)/1e4)+0.1*math.Sin(float64(i)*1.7)
	}
	for name, f := range map[string]Figure{
		"lines":    Lines{Series: []Series{{Name: "line", X: x, Y: y}, {Name: "points", X: x, Y: y, Low: y, High: y, Points: true}}},
		"stack":    accelerators(maxPoints/3 - 1),
		"heatmap":  links(100, 1000),
		"rows":     links(1000, 100),
		"noise":    Lines{Series: []Series{{Name: "noise", X: x, Y: noise}}},
		"scribble": Lines{Series: []Series{{Name: "back and forth", X: noise[:scribble], Y: y[:scribble], Step: true}}},
		"hatched":  Stack{Edges: []float64{0, 1}, Layers: []Layer{{Name: "none", Values: []float64{math.NaN()}}}},
		"series":   Lines{Series: slices.Repeat([]Series{{Name: "one", X: x[:1], Y: y[:1]}}, maxParts)},
	} {
		for _, format := range []string{"png", "svg"} {
			start := time.Now()
			data := mustRender(t, format, f, Options{Width: 2000})
			t.Logf("%s.%s: %d KB, %v", name, format, len(data)/1000, time.Since(start).Round(time.Millisecond))
		}
	}
}
