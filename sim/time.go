package sim

import (
	"fmt"
	"math"
)

// Time is an instant or a span of virtual time: a count of ticks of 10 ps.
// One byte at 800 Gbit/s takes one tick; an int64 reaches 2.9 years.
type Time int64

// Spans of virtual time.
const (
	Tick        Time = 1
	Nanosecond       = 100 * Tick
	Microsecond      = 1000 * Nanosecond
	Millisecond      = 1000 * Microsecond
	Second           = 1000 * Millisecond

	// Never is later than every event.
	Never Time = math.MaxInt64
)

const ticksPerSecond = float64(Second)

// Seconds is t as a floating-point number of seconds.
func (t Time) Seconds() float64 { return float64(t) / ticksPerSecond }

// FromSeconds is the tick nearest to s seconds. Anything beyond the range of
// the clock, and NaN, becomes Never, so that a rate of zero gives a finish that
// does not come.
//
// The product with the ticks of a second is taken to its last bit: rounded
// twice, once to a float64 and once to a tick, it would miss by a tick from
// about six hours on.
func FromSeconds(s float64) Time {
	product := s * ticksPerSecond
	switch {
	case product < math.MaxInt64 && product >= 0:
		lost := math.FMA(s, ticksPerSecond, -product)
		whole := math.Floor(product)
		return Time(whole) + Time(math.Round(product-whole+lost))
	case product < 0:
		return 0
	}
	return Never
}

// After is the instant d later than t, or Never where the clock ends.
func (t Time) After(d Time) Time {
	if d > Never-t {
		return Never
	}
	return t + d
}

// Times is n spans of t one after another, or Never where the clock ends.
func (t Time) Times(n int64) Time {
	if n > 0 && t > Never/Time(n) {
		return Never
	}
	return Time(n) * t
}

// String prints t with a unit that suits a reader, to about six digits.
func (t Time) String() string {
	s := t.Seconds()
	switch {
	case t == Never:
		return "never"
	case t >= Second:
		return fmt.Sprintf("%.6gs", s)
	case t >= Millisecond:
		return fmt.Sprintf("%.6gms", s*1e3)
	case t >= Microsecond:
		return fmt.Sprintf("%.6gus", s*1e6)
	}
	return fmt.Sprintf("%.6gns", s*1e9)
}
