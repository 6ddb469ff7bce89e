package sim

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestFromSeconds(t *testing.T) {
	for _, c := range []struct {
		name    string
		seconds float64
		want    Time
	}{
		{"zero", 0, 0},
		{"minus zero", math.Copysign(0, -1), 0},
		{"one second", 1, 100_000_000_000},
		{"one byte at 800 Gbit/s", 8 / 800e9, Tick},
		{"down to the nearest tick", 1.4e-11, 1},
		{"up to the nearest tick", 1.6e-11, 2},
		{"less than half a tick", 4.9e-12, 0},
		{"more than half a tick", 5.1e-12, 1},
		{"1.5 us", 1.5e-6, 1500 * Nanosecond},
		{"rounded once, not twice", 33876.12708478727, 3387612708478727},
		{"a year", 365 * 86400, 365 * 86400 * Second},
		{"2.9 years", 2.9 * 365.25 * 86400, Time(math.Round(2.9*365.25*86400)) * Second},
		{"3 years do not fit", 3 * 365.25 * 86400, Never},
		{"just beyond", 92233720.4, Never},
		{"infinity", math.Inf(1), Never},
		{"not a number", math.NaN(), Never},
		{"the past is now", -1, 0},
		{"minus infinity", math.Inf(-1), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := FromSeconds(c.seconds); got != c.want {
				t.Errorf("FromSeconds(%v) = %d, want %d", c.seconds, got, c.want)
			}
		})
	}
}

// A float64 holds every tick of the first 25 hours exactly.
func TestSecondsThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ticks := Time(rapid.Int64Range(0, 1<<52).Draw(t, "ticks"))
		if back := FromSeconds(ticks.Seconds()); back != ticks {
			t.Errorf("%d ticks are %v s are %d ticks", ticks, ticks.Seconds(), back)
		}
	})
}

func TestAfter(t *testing.T) {
	for _, c := range []struct{ at, d, want Time }{
		{1, 2, 3},
		{0, Never, Never},
		{5, Never, Never},
		{Never, 0, Never},
		{Never, Never, Never},
		{Never - 1, 1, Never},
		{Never - 1, 2, Never},
		{Never - 2, 1, Never - 1},
	} {
		if got := c.at.After(c.d); got != c.want {
			t.Errorf("%d.After(%d) = %d, want %d", c.at, c.d, got, c.want)
		}
	}
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		t    Time
		n    int64
		want Time
	}{
		{3, 4, 12},
		{3, 0, 0},
		{Never, 0, 0},
		{Never, 1, Never},
		{Never, 2, Never},
		{Never / 7, 7, 7 * (Never / 7)},
		{Never/7 + 1, 7, Never},
		{2, math.MaxInt64, Never},
	} {
		if got := c.t.Times(c.n); got != c.want {
			t.Errorf("%d.Times(%d) = %d, want %d", c.t, c.n, got, c.want)
		}
	}
}

func TestTimeString(t *testing.T) {
	for _, c := range []struct {
		t    Time
		want string
	}{
		{0, "0ns"},
		{1, "0.01ns"},
		{Nanosecond, "1ns"},
		{999 * Nanosecond, "999ns"},
		{1500 * Nanosecond, "1.5us"},
		{20 * Microsecond, "20us"},
		{123456789, "1.23457ms"},
		{Second, "1s"},
		{90 * Second, "90s"},
		{3600 * Second, "3600s"},
		{Never, "never"},
	} {
		if got := c.t.String(); got != c.want {
			t.Errorf("%d ticks print as %q, want %q", c.t, got, c.want)
		}
	}
}
