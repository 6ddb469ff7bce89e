package topology

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNearCube(t *testing.T) {
	for _, c := range []struct {
		n, dimensions int
		want          []int
	}{
		{64, 3, []int{4, 4, 4}},
		{64, 2, []int{8, 8}},
		{16, 3, []int{4, 2, 2}},
		{12, 3, []int{3, 2, 2}},
		{12, 2, []int{4, 3}},
		{7, 3, []int{7, 1, 1}},
		{1, 2, []int{1, 1}},
		{1024, 3, []int{16, 8, 8}},
	} {
		if got := nearCube(c.n, c.dimensions); !slices.Equal(got, c.want) {
			t.Errorf("%d in %d dimensions: got %v, want %v", c.n, c.dimensions, got, c.want)
		}
	}
}

// A route has the hops of the shorter ways round in all dimensions, stays within
// a dimension until it is done with it, and uses links that join.
func TestTorusRoutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := host(rapid.IntRange(2, 64).Draw(t, "accelerators"), 0, ScaleUpTorus)
		h.ScaleUpDimensions = rapid.IntRange(2, 3).Draw(t, "dimensions")
		topo, err := SingleHost(h)
		if err != nil {
			t.Fatal(err)
		}
		sizes := nearCube(h.Accelerators, h.ScaleUpDimensions)
		at := func(n NodeID) (place []int) {
			rest := int(n)
			for _, s := range sizes {
				place, rest = append(place, rest%s), rest/s
			}
			return place
		}
		src := NodeID(rapid.IntRange(0, h.Accelerators-1).Draw(t, "src"))
		dst := NodeID(rapid.IntRange(0, h.Accelerators-1).Draw(t, "dst"))
		route := topo.Route(src, dst, 0, nil)
		checkRoute(t, topo, src, dst, route)
		want := 0
		for d, s := range sizes {
			gap := (at(dst)[d] - at(src)[d] + s) % s
			want += min(gap, s-gap)
		}
		if src != dst && len(route) != want {
			t.Fatalf("%d hops from %v to %v in %v, want %d", len(route), at(src), at(dst), sizes, want)
		}
		last := 0
		for _, l := range route {
			from, to := at(topo.Links[l].From), at(topo.Links[l].To)
			for d := range sizes {
				if from[d] != to[d] {
					if d < last {
						t.Fatalf("the route from %v to %v comes back to dimension %d", at(src), at(dst), d)
					}
					last = d
				}
			}
		}
	})
}

// TestTorus counts cables by hand: one a side and direction, one for a side of
// two, none for a side of one; a line has one less than a ring.
func TestTorus(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		wrap  []bool
		links int
	}{
		{[]int{1}, nil, 0},
		{[]int{8}, nil, 16},
		{[]int{2}, nil, 2},
		{[]int{4, 4, 4}, nil, 2 * 3 * 64}, // a TPU v4 cube
		{[]int{4, 4, 4}, []bool{true}, 2 * 3 * 64},
		{[]int{2, 2, 1}, nil, 2 * 4},
		{[]int{2, 2, 4}, []bool{false}, 2 * (8 + 8 + 4*3)}, // a slice smaller than a cube
		{[]int{16, 8}, []bool{true, false}, 2 * (16*8 + 16*7)},
		{[]int{3, 1, 2, 5}, nil, 2 * (30 + 15 + 30)},
	} {
		t.Run(fmt.Sprint(c.sizes, c.wrap), func(t *testing.T) {
			topo, err := Torus(c.sizes, c.wrap, 50e9, 7)
			built(t, topo, err)
			checkGraph(t, topo)
			if len(topo.Links) != c.links || topo.Switches() != 0 || topo.Kind != "torus" || !topo.Bare() {
				t.Errorf("%d links and %d switches, want %d and none", len(topo.Links), topo.Switches(), c.links)
			}
		})
	}
}

// place is where an accelerator is in a grid.
func place(n NodeID, sizes []int) (at []int) {
	rest := int(n)
	for _, s := range sizes {
		at, rest = append(at, rest%s), rest/s
	}
	return at
}

// A route through any grid walks its dimensions in order, and through each by the
// shortest way that its shape has; both ways are as long.
func TestMultiRoutes(t *testing.T) {
	shapes := map[Shape]string{ShapeRing: "ring", ShapeLine: "line", ShapeSwitch: "switch", ShapeMesh: "mesh"}
	rapid.Check(t, func(t *rapid.T) {
		var dims []Dimension
		var sizes []int
		n := 1
		for range rapid.IntRange(1, 4).Draw(t, "dimensions") {
			d := Dimension{
				Shape:     rapid.SampledFrom([]Shape{ShapeRing, ShapeLine, ShapeSwitch, ShapeMesh}).Draw(t, "shape"),
				Size:      rapid.IntRange(1, 7).Draw(t, "size"),
				Bandwidth: 1e9 * 2, Latency: 5,
			}
			dims, sizes, n = append(dims, d), append(sizes, d.Size), n*d.Size
		}
		topo, err := Multi(dims)
		if err != nil {
			t.Fatal(err)
		}
		if topo.Accelerators() != n {
			t.Fatalf("%d accelerators, want %d", topo.Accelerators(), n)
		}
		src, dst := NodeID(rapid.IntRange(0, n-1).Draw(t, "src")), NodeID(rapid.IntRange(0, n-1).Draw(t, "dst"))
		route := topo.Route(src, dst, 0, nil)
		checkRoute(t, topo, src, dst, route)
		links, hops := 0, 0
		for i, d := range dims {
			gap := place(dst, sizes)[i] - place(src, sizes)[i]
			gap = max(gap, -gap)
			switch {
			case gap == 0:
			case d.Shape == ShapeSwitch:
				links, hops = links+2, hops+1
			case d.Shape == ShapeMesh:
				links, hops = links+1, hops+1
			case d.Shape == ShapeRing:
				gap = min(gap, d.Size-gap)
				fallthrough
			default:
				links, hops = links+gap, hops+gap
			}
		}
		if back := topo.Route(dst, src, 0, nil); len(route) != links || len(back) != links {
			t.Fatalf("%d links there and %d back, want %d", len(route), len(back), links)
		}
		// Through a switch a message meets the latency once.
		if got := latencyOf(topo, route); int(got) != 5*hops {
			t.Fatalf("latency %d over %d hops of 5", got, hops)
		}
		last := 0
		for _, l := range route {
			from, to := topo.Links[l].From, topo.Links[l].To
			for i, d := range dims {
				inside := int(from) < n && int(to) < n && place(from, sizes)[i] != place(to, sizes)[i]
				if inside && i < last {
					t.Fatalf("the route comes back to dimension %d, a %s", i, shapes[d.Shape])
				} else if inside {
					last = i
				}
			}
		}
	})
}

// uniform is the load of all links if every accelerator sends a message to every
// other.
func uniform(topo *Topology) []float64 {
	load := make([]float64, len(topo.Links))
	var w Way
	for src := range NodeID(topo.Accelerators()) {
		for dst := range NodeID(topo.Accelerators()) {
			topo.Way(src, dst, 0, load, &w)
			for i, l := range w.Links {
				load[l] += w.Share(i)
			}
		}
	}
	return load
}

// Uniform all-to-all on a torus is bound by its bisection: N^2/4 messages cross
// the middle one way over 2 N/k links of a dimension of even k, N k/8 each. All
// links of a dimension carry as much, which for odd k is N (k^2-1)/(8 k). Where k/2
// is odd, ways half round cannot be halved by whole messages: there are 4/8 more or
// less on a link and direction for each of the N/k lines. Of a line it is N^2/4 over
// N/k links.
func TestTorusAllToAllMeetsTheBisection(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		open  bool
	}{
		{[]int{4, 4, 4}, false},
		{[]int{8, 4, 2}, false},
		{[]int{6, 3}, false},
		{[]int{5, 7}, false},
		{[]int{4, 4, 2}, true},
		{[]int{6, 5}, true},
	} {
		topo, err := Torus(c.sizes, []bool{!c.open}, 50e9, 1)
		load := uniform(built(t, topo, err))
		n := float64(topo.Accelerators())
		greatest := make([]float64, len(c.sizes))
		for l, k := range topo.Links {
			from, to := place(k.From, c.sizes), place(k.To, c.sizes)
			d := 0
			for from[d] == to[d] {
				d++
			}
			size := float64(c.sizes[d])
			want := n * size / 8
			switch {
			case c.sizes[d] == 2:
				want = n / 2 // one cable: N/2 senders, each to N/2, over N/2 links
			case c.sizes[d]%2 == 1:
				want = n * (size*size - 1) / (8 * size)
			}
			slack := 0.0
			if c.sizes[d]%4 == 2 && c.sizes[d] > 2 {
				slack = n / size / 2
			}
			greatest[d] = max(greatest[d], load[l])
			if !c.open && math.Abs(load[l]-want) != slack {
				t.Errorf("%v: %s carries %v messages, want %v", c.sizes, topo.LinkName(LinkID(l)), load[l], want)
			}
		}
		for d, size := range c.sizes {
			half := float64(size / 2)
			if want := n / float64(size) * half * (float64(size) - half); c.open && greatest[d] != want {
				t.Errorf("%v: the middle of dimension %d carries %v, want %v", c.sizes, d, greatest[d], want)
			}
		}
	}
}

// A torus of one dimension has the links of a ring, a switch or full mesh of one
// dimension those of the bare kinds.
func TestOneDimension(t *testing.T) {
	for _, n := range []int{1, 2, 3, 8} {
		for shape, build := range map[Shape]func() (*Topology, error){
			ShapeRing:   func() (*Topology, error) { return Ring(n, 1e9, 7) },
			ShapeSwitch: func() (*Topology, error) { return Switch(n, 1e9, 7) },
			ShapeMesh:   func() (*Topology, error) { return FullMesh(n, 1e9, 7) },
		} {
			want, err := build()
			built(t, want, err)
			got, err := Multi([]Dimension{{shape, n, 1e9, 7}})
			if built(t, got, err); !slices.Equal(got.Links, want.Links) {
				t.Errorf("%d accelerators of shape %d: %v, want %v", n, shape, got.Links, want.Links)
			}
		}
	}
}

func TestGridBounds(t *testing.T) {
	for name, build := range map[string]func() (*Topology, error){
		"no dimensions":         func() (*Topology, error) { return Torus(nil, nil, 1, 1) },
		"a side of none":        func() (*Topology, error) { return Torus([]int{4, 0}, nil, 1, 1) },
		"more than can be":      func() (*Topology, error) { return Torus([]int{1 << 10, 1 << 10, 2}, nil, 1, 1) },
		"more than are counted": func() (*Topology, error) { return Torus([]int{1 << 62, 1 << 62}, nil, 1, 1) },
		"wrap of others":        func() (*Topology, error) { return Torus([]int{4, 4, 4}, []bool{true, false}, 1, 1) },
		"too many links":        func() (*Topology, error) { return Multi([]Dimension{{ShapeMesh, 4096, 1, 1}}) },
		"no bandwidth":          func() (*Topology, error) { return Multi([]Dimension{{ShapeRing, 4, 1, 1}, {ShapeRing, 4, 0, 1}}) },
	} {
		if topo, err := build(); err == nil || topo != nil {
			t.Errorf("%s: built", name)
		}
	}
}
