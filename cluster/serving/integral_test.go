package serving

import (
	"testing"

	"github.com/railyard/railyard/sim"
)

// A count that never changes is its own mean, however long it lasts and in however many
// pieces it is added: 100 000 spans of 1/7 s and a little, then one of two years, which is
// more ticks than a float64 can tell apart.
func TestIntegralOfAConstant(t *testing.T) {
	for _, count := range []int{0, 1, 3, 7, 4096, 1 << 40} {
		var sum Integral
		var lasted sim.Time
		for i := range 100_000 {
			span := sim.Second/7 + sim.Time(i%13)
			sum.add(count, span)
			lasted += span
		}
		if got := sum.Mean(lasted); got != float64(count) {
			t.Errorf("%d for %v: a mean of %v", count, lasted, got)
		}
		rest := 2*365*24*3600*sim.Second + 1
		sum.add(count, rest)
		lasted += rest
		if got := sum.Mean(lasted); got != float64(count) {
			t.Errorf("%d for %v: a mean of %v", count, lasted, got)
		}
	}
}

// Two for 1 s, then five for 3 s: 17 in all, 4.25 in the mean.
func TestIntegral(t *testing.T) {
	var sum Integral
	sum.add(2, sim.Second)
	sum.add(5, 3*sim.Second)
	if sum.Seconds() != 17 || sum.Mean(4*sim.Second) != 4.25 {
		t.Errorf("%v s, a mean of %v, want 17 and 4.25", sum.Seconds(), sum.Mean(4*sim.Second))
	}
	if got := (Integral{}).Mean(0); got != 0 {
		t.Errorf("of no time: a mean of %v", got)
	}
}
