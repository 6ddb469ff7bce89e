package energy

import (
	"errors"
	"fmt"
	"math"
)

// Shape is how power goes from idle to full utilization.
type Shape uint8

// The shapes of a curve. With P0 idle, P1 full and u the utilization:
const (
	Linear   Shape = iota // P0 + (P1-P0) u
	Constant              // P1 at any utilization
	Sqrt                  // P0 + (P1-P0) sqrt(u)
	Square                // P0 + (P1-P0) u^2
	Cubic                 // P0 + (P1-P0) u^3
	Measured              // between Points, along straight lines
	// Logistic is P0 + (P1-P0) / (1 + exp(-k (log2(max(1, b)) - x0))), where b = u Batch
	// requests are in work, k is Steepness and x0 Midpoint; nothing in work draws P0. It
	// is the model of vLLM's semantic router for fleets of inference servers.
	Logistic
)

var shapeNames = [...]string{"linear", "constant", "sqrt", "square", "cubic", "measured", "logistic"}

func (s Shape) String() string { return shapeNames[s] }

// ParseShape is the shape of that name.
func ParseShape(name string) (Shape, bool) {
	for i, n := range shapeNames {
		if n == name {
			return Shape(i), true
		}
	}
	return 0, false
}

// Curve is the power of a part by its utilization.
type Curve struct {
	Shape     Shape
	Idle, Max float64 // W, of all shapes but Measured
	Points    []Point // of Measured

	Batch, Steepness, Midpoint float64 // of Logistic
}

// Point is a power that was measured at a utilization.
type Point struct{ Utilization, Power float64 }

// Validate says all that is wrong with a curve.
func (c *Curve) Validate() error {
	var all []error
	bad := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if c.Shape == Measured {
		if len(c.Points) == 0 {
			bad("a measured curve needs points")
		}
		for i, p := range c.Points {
			if !(p.Utilization >= 0 && p.Utilization <= 1) {
				bad("a utilization is from 0 to 1, not %v", p.Utilization)
			}
			if i > 0 && p.Utilization <= c.Points[i-1].Utilization {
				bad("the utilization %v does not follow %v: points ascend", p.Utilization, c.Points[i-1].Utilization)
			}
		}
		return errors.Join(all...)
	}
	if c.Idle > c.Max {
		bad("idle it draws %v W, more than the %v W at full utilization", c.Idle, c.Max)
	}
	return errors.Join(all...)
}

// Power is in W at a utilization from 0 to 1. Before the first measured point it is that
// of the first, after the last that of the last.
func (c *Curve) Power(u float64) float64 {
	span := c.Max - c.Idle
	switch c.Shape {
	case Constant:
		return c.Max
	case Sqrt:
		return c.Idle + span*math.Sqrt(u)
	case Square:
		return c.Idle + span*u*u
	case Cubic:
		return c.Idle + span*u*u*u
	case Measured:
		return c.between(u)
	case Logistic:
		if u == 0 {
			return c.Idle
		}
		return c.Idle + span/(1+math.Exp(-c.Steepness*(math.Log2(max(1, u*c.Batch))-c.Midpoint)))
	}
	return c.Idle + span*u
}

// between is the power on the line between the points beside a utilization.
func (c *Curve) between(u float64) float64 {
	for i, p := range c.Points {
		switch {
		case u > p.Utilization:
		case i == 0 || u == p.Utilization:
			return p.Power
		default:
			before := c.Points[i-1]
			return before.Power + (p.Power-before.Power)*(u-before.Utilization)/(p.Utilization-before.Utilization)
		}
	}
	return c.Points[len(c.Points)-1].Power
}
