package fault

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Shape is the sort of distribution that a lifetime has.
type Shape uint8

// The distributions of lifetimes.
const (
	// Exponential has no memory: what is old fails as often as what is new.
	Exponential Shape = iota
	// Weibull has a hazard that falls with age where its parameter is below 1, as
	// that of most recorded failures does (0.7 to 0.8: Schroeder and Gibson, DSN 2006).
	Weibull
	// LogNormal has a logarithm that is normal, the parameter being its deviation.
	LogNormal
)

var shapeNames = []string{"exponential", "weibull", "log-normal"}

// String is the name that scenarios use: "weibull".
func (s Shape) String() string { return shapeNames[s] }

// ParseShape is the distribution of a name.
func ParseShape(name string) (Shape, error) {
	for s, n := range shapeNames {
		if n == name {
			return Shape(s), nil
		}
	}
	return 0, fmt.Errorf("fault: there is no distribution %q", name)
}

// Lifetime is how long a part works until it fails.
type Lifetime struct {
	Mean      float64 // s
	Shape     Shape
	Parameter float64 // of a Weibull or log-normal distribution, more than 0
}

// draw is one lifetime in seconds.
func (l Lifetime) draw(r *rand.Rand) float64 {
	switch l.Shape {
	case Weibull: // by the inverse of its distribution; its mean is scale x gamma(1 + 1/k)
		return l.Mean / math.Gamma(1+1/l.Parameter) * math.Pow(r.ExpFloat64(), 1/l.Parameter)
	case LogNormal: // of mean 1 where the logarithm's is minus half the variance
		return l.Mean * math.Exp(l.Parameter*r.NormFloat64()-l.Parameter*l.Parameter/2)
	}
	return l.Mean * r.ExpFloat64()
}
