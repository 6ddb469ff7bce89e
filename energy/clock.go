package energy

import "math"

// Budget is parts that share a limit of power, of which the accelerators' can be lowered
// with their clocks. All are in W, with everything at work.
type Budget struct {
	Limit   float64
	Fixed   float64 // what no clock changes: hosts, switches, and accelerators without work
	Dynamic float64 // what accelerators draw beyond that at their full clocks
}

// Share is the part of their dynamic power that accelerators may draw, all the same, for
// the limit never to be exceeded: 1 where it binds nobody, not more than 0 where clocks
// cannot keep it.
func (b Budget) Share() float64 {
	if b.Fixed+b.Dynamic <= b.Limit {
		return 1
	}
	return (b.Limit - b.Fixed) / b.Dynamic
}

// Clock is the part of the full clock at which a processor draws a share of its dynamic
// power. That goes with the clock times the square of the voltage (Mudge, "Power: A
// First-Class Architectural Design Constraint", Computer 2001), and as the voltage goes
// with the clock the exponent is 3; where the voltage is at its lowest, 1.
func Clock(share, exponent float64) float64 { return math.Pow(share, 1/exponent) }
