package page

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// However rows are thinned, each column keeps its least and its greatest value, the
// rows keep their order, and there are not many more than asked for.
func TestThin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 400).Draw(t, "rows")
		limit := rapid.IntRange(4, 100).Draw(t, "limit")
		columns := make([][]float64, rapid.IntRange(1, 3).Draw(t, "columns"))
		for i := range columns {
			columns[i] = rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-10, 10), rapid.Just(math.NaN())), rows, rows).Draw(t, "values")
		}
		keep := thin(columns, limit)
		if !slices.IsSorted(keep) || keep[0] != 0 || keep[len(keep)-1] != rows-1 {
			t.Fatalf("kept %v", keep)
		}
		if most := max(limit, 2+2*len(columns)); len(keep) > most {
			t.Fatalf("kept %d of %d, asked for %d", len(keep), rows, limit)
		}
		number := func(v float64) bool { return !math.IsNaN(v) }
		for _, c := range columns {
			var all, kept []float64
			for _, v := range c {
				if number(v) {
					all = append(all, v)
				}
			}
			for _, v := range pick(c, keep) {
				if number(v) {
					kept = append(kept, v)
				}
			}
			if len(all) > 0 && (slices.Max(all) != slices.Max(kept) || slices.Min(all) != slices.Min(kept)) {
				t.Fatalf("of %v to %v were kept %v to %v", slices.Min(all), slices.Max(all), slices.Min(kept), slices.Max(kept))
			}
		}
	})
}

// A thinned distribution is right where it has a point, ends at the greatest value
// with all, and lacks no more than a step anywhere.
func TestDistribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 10).Filter(func(v float64) bool { return true }), 1, 300).Draw(t, "values")
		for i := range values { // ties
			if i%3 == 0 {
				values[i] = math.Round(values[i])
			}
		}
		slices.Sort(values)
		limit := rapid.IntRange(1, 50).Draw(t, "limit")
		x, share := distribution(values, limit)
		upTo := func(v float64) float64 {
			n, _ := slices.BinarySearchFunc(values, v, func(e, v float64) int {
				if e <= v {
					return -1
				}
				return 1
			})
			return float64(n) / float64(len(values))
		}
		for i := range x {
			if share[i] != upTo(x[i]) || i > 0 && !(x[i] > x[i-1]) {
				t.Fatalf("at %v: %v, not %v", x[i], share[i], upTo(x[i]))
			}
		}
		if last := len(x) - 1; x[last] != values[len(values)-1] || share[last] != 1 || len(x) > limit+2 {
			t.Fatalf("ends at %v with %v, %d points of %d", x[last], share[last], len(x), limit)
		}
	})
}

// The front has what no other point beats, and all of it.
func TestFront(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "points")
		draw := func(name string) []float64 { // few values, so that there are ties
			var v []float64
			for range n {
				v = append(v, float64(rapid.IntRange(0, 6).Draw(t, name)))
			}
			return v
		}
		x, y := draw("x"), draw("y")
		moreX, moreY := rapid.Bool().Draw(t, "more x"), rapid.Bool().Draw(t, "more y")
		good := func(more bool, a, b float64) bool { return a == b || (a > b) == more }
		got := front(x, y, moreX, moreY)
		for i := range n {
			beaten := false
			for k := range n {
				beaten = beaten || good(moreX, x[k], x[i]) && good(moreY, y[k], y[i]) && (x[k] != x[i] || y[k] != y[i])
			}
			if slices.Contains(got, i) == beaten {
				t.Fatalf("point %d (%v, %v): beaten %v, the front is %v", i, x[i], y[i], beaten, got)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	text, err := numbers{0, 0.1, 1e-7, 123456789, math.NaN(), 0.987654321}.MarshalJSON()
	if want := "[0,0.1,1e-07,1.234568e+08,null,0.9876543]"; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}

// Every figure of the headline is a declared metric, so that it has a meaning.
func TestHeadlinesAreDeclared(t *testing.T) {
	check := func(path string) {
		if m, ok := declared(path); !ok || m.Definition == "" {
			t.Errorf("%s is not declared", path)
		}
	}
	for _, h := range headlines {
		of := h.of
		if h.list {
			of += ".0"
		}
		for _, s := range h.figures {
			check(of + "." + s.path)
		}
	}
	for _, s := range ofRun {
		check(s.path)
	}
	for _, l := range listed {
		for _, m := range l.by {
			if column(l.file, m.Name).Definition == "" {
				t.Errorf("%s has no column %s", l.file, m.Name)
			}
		}
	}
	for _, p := range preferred {
		if strings.HasSuffix(p, ".") {
			t.Errorf("%q", p)
		}
	}
}
