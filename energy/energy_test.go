package energy

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(got, want, within float64) bool { return math.Abs(got-want) <= within*max(1, math.Abs(want)) }

func TestCurve(t *testing.T) {
	server := func(s Shape) Curve { return Curve{Shape: s, Idle: 100, Max: 200} }
	measured := Curve{Shape: Measured, Points: []Point{{0, 80}, {0.5, 300}, {1, 350}}}
	// The fit of vLLM's semantic router to the H100 of ML.ENERGY: 300 W for one request,
	// 600 W for 128 of them.
	h100 := Curve{Shape: Logistic, Idle: 300, Max: 600, Batch: 128, Steepness: 1, Midpoint: 4.2}
	for _, c := range []struct {
		name   string
		curve  Curve
		u      float64
		want   float64
		within float64
	}{
		{"linear idle", server(Linear), 0, 100, 0},
		{"linear quarter", server(Linear), 0.25, 125, 0},
		{"linear full", server(Linear), 1, 200, 0},
		{"constant", server(Constant), 0.25, 200, 0},
		{"sqrt", server(Sqrt), 0.25, 150, 0},
		{"square", server(Square), 0.5, 125, 0},
		{"cubic", server(Cubic), 0.5, 112.5, 0},
		{"measured at a point", measured, 0.5, 300, 0},
		{"measured between", measured, 0.25, 190, 1e-12},
		{"measured at the end", measured, 1, 350, 0},
		{"measured between the last", measured, 0.9, 340, 1e-12},
		{"logistic idle", h100, 0, 300, 0},
		{"logistic of one request", h100, 1.0 / 128, 300, 0.02},
		{"logistic of 128", h100, 1, 600, 0.04},
		// At 2^4.2 requests half of the way.
		{"logistic in the middle", h100, math.Exp2(4.2) / 128, 450, 1e-12},
	} {
		if got := c.curve.Power(c.u); !near(got, c.want, c.within) {
			t.Errorf("%s: %v W, want %v", c.name, got, c.want)
		}
		if err := c.curve.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, bad := range []Curve{
		{Idle: 200, Max: 100},
		{Shape: Measured},
		{Shape: Measured, Points: []Point{{0, 1}, {0, 2}}},
		{Shape: Measured, Points: []Point{{0, 1}, {1.5, 2}}},
	} {
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	for s := Linear; s <= Logistic; s++ {
		if got, ok := ParseShape(s.String()); !ok || got != s {
			t.Errorf("%v is read as %v", s, got)
		}
	}
}

func TestSteps(t *testing.T) {
	s := Steps{At: []float64{0, 10, 30}, Values: []float64{1, 2, 5}}
	for _, c := range []struct{ from, to, want float64 }{
		{0, 10, 10}, {0, 30, 50}, {0, 40, 100}, {5, 15, 15}, {35, 45, 50}, {7, 7, 0},
	} {
		if got := s.Integral(c.from, c.to); got != c.want {
			t.Errorf("from %v to %v: %v, want %v", c.from, c.to, got, c.want)
		}
	}
	if v := s.Value(-1); v != 1 {
		t.Errorf("before the beginning %v", v)
	}
	other := Steps{At: []float64{0, 20}, Values: []float64{3, 1}}
	// 10 s of 1 x 3, 10 s of 2 x 3, 10 s of 2 x 1, 10 s of 5 x 1.
	if got := s.IntegralWith(other, 0, 40); got != 30+60+20+50 {
		t.Errorf("of the product %v, want 160", got)
	}
}

// A battery of 0.1 kWh at a server of 150 W, under a grid that turns dirty after 10
// minutes. It charges at 1 kW for 6 minutes, then carries the load for 40 minutes.
func TestBattery(t *testing.T) {
	b := Battery{Capacity: 0.1 * JoulesPerKWh, Charge: 1000, Threshold: 100}
	load := Steps{At: []float64{0}, Values: []float64{150}}
	intensity := Steps{At: []float64{0, 600}, Values: []float64{80, 120}}
	grid, left := b.Grid(load, intensity, 3600)
	for _, c := range []struct{ at, want float64 }{{0, 1150}, {359, 1150}, {361, 150}, {599, 150}, {601, 0}, {2999, 0}, {3001, 150}} {
		if got := grid.Value(c.at); got != c.want {
			t.Errorf("after %v s the grid gives %v W, want %v", c.at, got, c.want)
		}
	}
	if left != 0 {
		t.Errorf("%v J are left", left)
	}
	// 960 s of 150 W at 80, 360 s of 1 kW at 80, 600 s of 150 W at 120.
	want := ((600*150+360*1000)*80 + 600*150*120) / JoulesPerKWh
	if got := Emissions(grid, intensity, 0, 3600); !near(got, want, 1e-12) {
		t.Errorf("%v g, want %v", got, want)
	}
}

// What the grid gives is what the load takes and the battery gains, whatever they do.
func TestBatteryConserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		load, intensity := drawSteps(t, "load", 1000), drawSteps(t, "intensity", 500)
		b := Battery{
			Capacity: rapid.Float64Range(0, 1e6).Draw(t, "capacity"), Charge: rapid.Float64Range(0, 2000).Draw(t, "charge"),
			Threshold: rapid.Float64Range(0, 500).Draw(t, "threshold"),
		}
		end := rapid.Float64Range(1, 10000).Draw(t, "end")
		grid, left := b.Grid(load, intensity, end)
		if left < 0 || left > b.Capacity*(1+1e-12) {
			t.Fatalf("%v J in a battery of %v", left, b.Capacity)
		}
		gave, took := grid.Integral(0, end), load.Integral(0, end)
		if !near(gave, took+left, 1e-9) {
			t.Fatalf("the grid gave %v J, the load took %v and %v are left", gave, took, left)
		}
	})
}
