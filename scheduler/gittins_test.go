package scheduler

import (
	"math"
	"slices"
	"testing"
)

// Half of the jobs need 1, half 10. At first the best ratio is to stop at 1: half of
// them end, at a cost of 1. Who has attained 1 needs 9 more for sure.
func TestIndices(t *testing.T) {
	got := indices([]float64{1, 10}, []float64{0, 1, 10})
	want := []float64{0.5, 1.0 / 9, 0}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12 {
			t.Errorf("indices %v, want %v", got, want)
			break
		}
	}
}

// With a falling hazard rate the least attained service goes first, with a rising one
// who has come furthest (Aalto, Ayesta, Righter 2009), but for the last class, of
// which the sample knows no end.
func TestGittinsReducesToKnownPolicies(t *testing.T) {
	var pareto, uniform []float64
	for i := range 2000 {
		u := (float64(i) + 0.5) / 2000
		pareto = append(pareto, math.Pow(1-u, -1)-1) // hazard 1/(1+s)
		uniform = append(uniform, 1+u)
	}
	g := newGittins(Policy{Services: pareto})
	if !slices.IsSorted(g.place) || len(g.place) != maxClasses+1 {
		t.Errorf("falling hazard: places %v", g.place)
	}
	g = newGittins(Policy{Services: uniform})
	known := slices.Clone(g.place[:len(g.place)-1])
	slices.Reverse(known)
	if !slices.IsSorted(known) {
		t.Errorf("rising hazard: places %v", g.place)
	}
}
