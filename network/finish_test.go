package network

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// TestTournament holds the tournament to a look at all flows: of those that drain,
// the one that finishes first, of equals the lower slot. Flows come, go, and become
// faster or slower.
func TestTournament(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tree tournament
		flows := make([]flow, 40)
		drains := make([]bool, len(flows))
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			slot := int32(rapid.IntRange(0, len(flows)-1).Draw(t, "slot"))
			f := &flows[slot]
			rate := float64(rapid.IntRange(0, 4).Draw(t, "rate"))
			switch {
			case drains[slot] && rapid.Bool().Draw(t, "goes"):
				drains[slot] = false
				tree.remove(slot)
			case drains[slot] && rate < f.rate:
				f.rate, f.slowed = rate, true
			default:
				if !drains[slot] {
					*f = flow{remaining: float64(rapid.IntRange(1, 12).Draw(t, "bytes"))}
				}
				f.rate, f.slowed, drains[slot] = rate, false, true
				tree.set(slot, f.finish())
			}
			wantSlot, want := int32(-1), sim.Never
			for i := range flows {
				if drains[i] && flows[i].finish() < want {
					wantSlot, want = int32(i), flows[i].finish()
				}
			}
			if got, at := tree.first(flows); got != wantSlot || at != want {
				t.Fatalf("flow %d at %v is first, want %d at %v", got, at, wantSlot, want)
			}
		}
	})
}

// TestLevelHeap holds the heap to sorting.
func TestLevelHeap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		levels := rapid.SliceOf(rapid.Float64Range(0, 4)).Draw(t, "levels")
		var h levelHeap
		for i, level := range levels {
			h.push(levelAt{level, topology.LinkID(i)})
		}
		want := slices.Sorted(slices.Values(levels))
		for i := range want {
			if got := levels[h.pop()]; got != want[i] {
				t.Fatalf("number %d is %v, want %v", i, got, want[i])
			}
		}
	})
}
