package serving

import (
	"math/bits"

	"github.com/railyard/railyard/sim"
)

// Integral is a count over time. It is a whole number of ticks in 128 bits, and so exact:
// in seconds, the sum of as many spans as a fleet has steps would drift from what it is.
type Integral struct{ high, low uint64 }

// add has a count hold for a span.
func (i *Integral) add(count int, span sim.Time) {
	high, low := bits.Mul64(uint64(count), uint64(span))
	var carry uint64
	i.low, carry = bits.Add64(i.low, low, 0)
	i.high, _ = bits.Add64(i.high, high, carry)
}

// Seconds is the count times seconds.
func (i Integral) Seconds() float64 {
	return (float64(i.high)*0x1p64 + float64(i.low)) / float64(sim.Second)
}

// Mean is the mean count over all of the time that it was kept for, exactly the count where
// that never changed; 0 of no time.
func (i Integral) Mean(over sim.Time) float64 {
	if over == 0 {
		return 0
	}
	whole, rest := bits.Div64(i.high, i.low, uint64(over))
	return float64(whole) + float64(rest)/float64(over)
}
