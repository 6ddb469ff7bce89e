package input_test

import (
	"slices"
	"testing"

	"github.com/railyard/railyard/report/input"
)

// Two sites of a host, a leaf and two spines, of which the leaf has one, joined by their
// gateways; and a chain of nodes that are all alike, which stays one.
func TestTiers(t *testing.T) {
	sites := []string{
		"east/host0", "east/leaf0", "east/spine0", "east/gateway",
		"west/host0", "west/leaf0", "west/spine0", "west/gateway", "east/spine1", "west/spine1",
	}
	cables := [][2]int{{0, 1}, {1, 2}, {2, 3}, {4, 5}, {5, 6}, {6, 7}, {3, 7}, {3, 8}, {7, 9}}
	for _, c := range []struct {
		name   string
		nodes  []string
		cables [][2]int
		most   int
		tier   []int
		tiers  int
	}{
		{"sites", sites, cables, 8, []int{0, 1, 2, 3, 0, 1, 2, 3, 2, 2}, 4},
		{"few tiers", sites[:4], cables[:3], 3, []int{0, 1, 2, 2}, 3},
		{"a chain", []string{"acc0", "s0", "s1", "s2"}, cables[:3], 8, []int{0, 1, 2, 3}, 4},
		{"neither hosts nor accelerators", []string{"a", "b", "c"}, cables[:2], 8, []int{0, 1, 0}, 2},
		{"apart", []string{"host0", "lonely"}, nil, 8, []int{0, 0}, 1},
	} {
		neighbours := make([][]int, len(c.nodes))
		for _, ends := range c.cables {
			a, b := ends[0], ends[1]
			neighbours[a], neighbours[b] = append(neighbours[a], b), append(neighbours[b], a)
		}
		tier, tiers := input.Tiers(c.nodes, neighbours, c.most)
		if !slices.Equal(tier, c.tier) || tiers != c.tiers {
			t.Errorf("%s: %v of %d tiers, want %v of %d", c.name, tier, tiers, c.tier, c.tiers)
		}
	}
	if got, want := input.Abreast(sites), []int{0, 1, 2, 3, 8, 4, 5, 6, 7, 9}; !slices.Equal(got, want) {
		t.Errorf("abreast %v, want %v", got, want)
	}
}
