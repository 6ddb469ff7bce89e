package result_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
)

// Whatever is added, in any order of lengths, the intervals hold all of it, and
// each holds what lies in it: against adding it up tick by tick.
func TestBins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 2, 3, 8, 16}).Draw(t, "n")
		var b result.Bins
		ticks := make([]float64, 4096) // amount of each
		var now sim.Time
		for range rapid.IntRange(0, 20).Draw(t, "adds") {
			from := now + sim.Time(rapid.IntRange(0, 50).Draw(t, "gap"))
			now = from + sim.Time(rapid.IntRange(0, 150).Draw(t, "length"))
			rate := rapid.Float64Range(0, 1e12).Draw(t, "rate")
			b.Add(from, now, rate, n)
			for i := from; i < now; i++ {
				ticks[i] += rate * sim.Tick.Seconds()
			}
		}
		end := now + 1
		shift := result.CommonShift(end, n, &b)
		width := sim.Time(1) << shift
		rates := b.Rates(shift, end)
		if int64(len(rates)) != int64((end+width-1)/width) || len(rates) > n {
			t.Fatalf("%d intervals of %d ticks up to %d, at most %d", len(rates), width, end, n)
		}
		total := 0.0
		for _, v := range ticks {
			total += v
		}
		for i, got := range rates {
			want := 0.0
			for k := sim.Time(i) * width; k < sim.Time(i+1)*width; k++ {
				want += ticks[k]
			}
			if got *= width.Seconds(); math.Abs(got-want) > 1e-5*max(total, 1e-300) {
				t.Fatalf("interval %d of %d ticks holds %v, want %v", i, width, got, want)
			}
		}
	})
}

// One unit all the time up to the last tick of the clock is a rate of one in each interval.
func TestBinsToTheEndOfTheClock(t *testing.T) {
	const n, end = 1000, sim.Never - 1
	var b result.Bins
	b.Add(0, 7, 1, n)
	b.Add(7, end, 1, n)
	shift := result.CommonShift(end, n, &b)
	rates := b.Rates(shift, end)
	if len(rates) == 0 || len(rates) > n {
		t.Fatalf("%d intervals, at most %d", len(rates), n)
	}
	for i, got := range rates[:len(rates)-1] {
		if math.Abs(got-1) > 1e-9 {
			t.Errorf("interval %d of %d: a rate of %v, want 1", i, len(rates), got)
		}
	}
}

// A count that never changes is the mean of every interval, exactly, in whatever spans it is
// added.
func TestBinsOfACount(t *testing.T) {
	const n, count = 100, 3
	var b result.Bins
	var now sim.Time
	for i := range 50_000 {
		next := now + sim.Millisecond/3 + sim.Time(i%17)
		b.Add(now, next, count, n)
		now = next
	}
	shift := result.CommonShift(now, n, &b)
	rates := b.Rates(shift, now)
	for i, got := range rates[:len(rates)-1] { // the last reaches beyond the end
		if got != count {
			t.Errorf("interval %d of %d: a mean of %v, want %d", i, len(rates), got, count)
		}
	}
}

func TestCommonShift(t *testing.T) {
	var short, long result.Bins
	short.Add(0, 10, 1, 4)
	long.Add(0, 1000, 1, 4)
	// 4 intervals reach 1000 with a width of 256, the least power of two.
	if got := result.CommonShift(10, 4, &short, &long); got != 8 {
		t.Errorf("shift %d, want 8", got)
	}
	if got := result.CommonShift(4, 4); got != 0 {
		t.Errorf("4 intervals reach 4 ticks with a shift of %d, want 0", got)
	}
	if got := result.CommonShift(5, 4); got != 1 {
		t.Errorf("4 intervals reach 5 ticks with a shift of %d, want 1", got)
	}
	if got := result.CommonShift(0, 4); got != 0 {
		t.Errorf("a run of no time: shift %d", got)
	}
}

// What two hold, merged, is what one would hold that was given both.
func TestBinsMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 2, 3, 8, 16}).Draw(t, "n")
		var apart [2]result.Bins
		var both result.Bins
		for i := range apart {
			var now sim.Time
			for range rapid.IntRange(0, 5).Draw(t, "adds") {
				from := now + sim.Time(rapid.IntRange(0, 50).Draw(t, "gap"))
				now = from + sim.Time(rapid.IntRange(0, 1500).Draw(t, "length"))
				rate := rapid.Float64Range(0, 1e12).Draw(t, "rate")
				apart[i].Add(from, now, rate, n)
				both.Add(from, now, rate, n)
			}
		}
		const end = 20_000
		shift := result.CommonShift(end, n, &both)
		want := both.Rates(shift, end)
		added := apart[1].Rates(shift, end)
		apart[0].Merge(&apart[1])
		for i, got := range apart[0].Rates(shift, end) {
			if math.Abs(got-want[i]) > 1e-9*want[i] {
				t.Fatalf("interval %d: %v, want %v", i, got, want[i])
			}
		}
		for i, got := range apart[1].Rates(shift, end) { // as it was
			if got != added[i] {
				t.Fatalf("interval %d of what was merged: %v, was %v", i, got, added[i])
			}
		}
	})
}
