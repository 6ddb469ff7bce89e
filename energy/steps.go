package energy

import (
	"math"
	"sort"
)

// Steps is a quantity that is constant between instants: Values[i] holds from At[i]
// until At[i+1], the last for good; before the first it is that of the first. At, in
// seconds, rises.
type Steps struct {
	At, Values []float64
}

// Value is the quantity at an instant.
func (s Steps) Value(at float64) float64 {
	return s.Values[s.index(at)]
}

// index is the number of the step that holds at an instant.
func (s Steps) index(at float64) int {
	after := sort.Search(len(s.At), func(i int) bool { return s.At[i] > at })
	return max(0, after-1)
}

// next is when the step with a number ends.
func (s Steps) next(i int) float64 {
	if i+1 < len(s.At) {
		return s.At[i+1]
	}
	return math.Inf(1)
}

// Integral is that over time from one instant to another.
func (s Steps) Integral(from, to float64) float64 {
	return s.IntegralWith(Steps{At: []float64{0}, Values: []float64{1}}, from, to)
}

// IntegralWith is the integral of the product with another quantity. It takes a time
// proportional to the steps of both in between.
func (s Steps) IntegralWith(other Steps, from, to float64) float64 {
	sum := 0.0
	i, k := s.index(from), other.index(from)
	for at := from; at < to; {
		end := min(s.next(i), other.next(k), to)
		sum += s.Values[i] * other.Values[k] * (end - at)
		if s.next(i) <= end {
			i++
		}
		if other.next(k) <= end {
			k++
		}
		at = end
	}
	return sum
}

// Combine is a quantity made of two others, instant by instant.
func (s Steps) Combine(other Steps, of func(a, b float64) float64) Steps {
	var c Steps
	i, k := 0, 0
	for at := math.Min(s.At[0], other.At[0]); !math.IsInf(at, 1); at = min(s.next(i), other.next(k)) {
		for s.next(i) <= at {
			i++
		}
		for other.next(k) <= at {
			k++
		}
		c.At, c.Values = append(c.At, at), append(c.Values, of(s.Values[i], other.Values[k]))
	}
	return c
}

// Sum is a quantity of which many integrals are asked, each in the logarithm of its
// steps.
type Sum struct {
	steps Steps
	until []float64 // the integral from the first instant to each
}

// Sum prepares for many integrals.
func (s Steps) Sum() Sum {
	until := make([]float64, len(s.At))
	for i := 1; i < len(s.At); i++ {
		until[i] = until[i-1] + s.Values[i-1]*(s.At[i]-s.At[i-1])
	}
	return Sum{s, until}
}

// Between is the integral from one instant to another.
func (s Sum) Between(from, to float64) float64 {
	i, k := s.steps.index(from), s.steps.index(to)
	if i == k {
		return s.steps.Values[i] * (to - from)
	}
	reach := func(i int, at float64) float64 { return s.until[i] + s.steps.Values[i]*(at-s.steps.At[i]) }
	return reach(k, to) - reach(i, from)
}

// Emissions are the grams of carbon dioxide for a power in W and an intensity in g/kWh.
func Emissions(power, intensity Steps, from, to float64) float64 {
	return power.IntegralWith(intensity, from, to) / JoulesPerKWh
}
