package energy

import (
	"math"
	"testing"
)

func TestBudget(t *testing.T) {
	for _, c := range []struct {
		budget      Budget
		exponent    float64
		share, want float64
	}{
		{Budget{Limit: 3200, Fixed: 1600, Dynamic: 3200}, 3, 0.5, math.Cbrt(0.5)},
		{Budget{Limit: 3200, Fixed: 1600, Dynamic: 3200}, 1, 0.5, 0.5},
		{Budget{Limit: 4800, Fixed: 1600, Dynamic: 3200}, 3, 1, 1},
		{Budget{Limit: 9000, Fixed: 1600, Dynamic: 0}, 3, 1, 1},
	} {
		g := c.budget.Share()
		if f := Clock(g, c.exponent); g != c.share || math.Abs(f-c.want) > 1e-15 {
			t.Errorf("%+v leaves a share of %v and clocks of %v, want %v and %v", c.budget, g, f, c.share, c.want)
		}
	}
	if g := (Budget{Limit: 1000, Fixed: 1600, Dynamic: 3200}).Share(); g > 0 {
		t.Errorf("what no clock keeps leaves a share of %v", g)
	}
}
