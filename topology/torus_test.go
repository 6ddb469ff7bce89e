package topology

import (
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
