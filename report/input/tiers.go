package input

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Tiers gives every node of a network its tier in a picture, and how many tiers there are,
// at most so many: 0 for hosts and accelerators, or for those with the fewest neighbours
// where there are neither, and for others the distance from these.
func Tiers(names []string, neighbours [][]int, most int) (tier []int, tiers int) {
	tier = make([]int, len(names))
	fewest := math.MaxInt
	for i := range names {
		tier[i] = -1
		fewest = min(fewest, len(neighbours[i]))
	}
	var level []int
	start := func(is func(int) bool) {
		for i := range names {
			if is(i) {
				tier[i] = 0
				level = append(level, i)
			}
		}
	}
	start(func(i int) bool { return strings.HasPrefix(base(names[i]), "acc") || IsHost(base(names[i])) })
	if level == nil {
		start(func(i int) bool { return len(neighbours[i]) == fewest })
	}
	for len(level) > 0 {
		tiers++
		var above []int
		for _, i := range level {
			for _, k := range neighbours[i] {
				if tier[k] < 0 {
					tier[k] = min(tiers, most-1)
					above = append(above, k)
				}
			}
		}
		level = above
	}
	for i, t := range tier {
		tier[i] = max(t, 0)
	}
	return tier, lower(names, neighbours, tier)
}

// lower brings nodes that the climb met from above down to others of their kind, and
// counts the tiers: spines without a leaf, which only the gateway of their site leads to,
// stand beside the spines that it was reached by.
func lower(names []string, neighbours [][]int, tier []int) (tiers int) {
	kind := func(i int) string { return strings.TrimRight(base(names[i]), "0123456789") }
	for i, t := range tier {
		below := func(k int) bool {
			return tier[k] == t-1 && kind(k) != kind(i) && slices.ContainsFunc(neighbours[k], func(other int) bool {
				return tier[other] == t-2 && kind(other) == kind(i)
			})
		}
		if len(neighbours[i]) > 0 && !slices.ContainsFunc(neighbours[i], func(k int) bool { return !below(k) }) {
			tier[i] = t - 2
		}
		tiers = max(tiers, tier[i]+1)
	}
	return tiers
}

// Abreast is an order of nodes in which those of one site or rack follow each other.
func Abreast(names []string) []int {
	rank, order := make([]int, len(names)), make([]int, len(names))
	places := map[string]int{}
	for i, name := range names {
		first, _, inside := strings.Cut(name, "/")
		if !inside {
			first = ""
		}
		if _, known := places[first]; !known {
			places[first] = len(places)
		}
		rank[i], order[i] = places[first], i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rank[a], rank[b]) })
	return order
}

// base is the last part of a node's name.
func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
