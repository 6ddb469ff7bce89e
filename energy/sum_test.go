package energy

import (
	"testing"

	"pgregory.net/rapid"
)

// drawSteps is any quantity of up to eight steps.
func drawSteps(t *rapid.T, name string, most float64) Steps {
	s := Steps{}
	at := 0.0
	for range rapid.IntRange(1, 8).Draw(t, name+" steps") {
		s.At, s.Values = append(s.At, at), append(s.Values, rapid.Float64Range(0, most).Draw(t, name))
		at += rapid.Float64Range(1, 1000).Draw(t, name+" lasts")
	}
	return s
}

// Sums are integrals, before the first instant and after the last too.
func TestSumIsIntegral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSteps(t, "quantity", 1000)
		from := rapid.Float64Range(-100, 9000).Draw(t, "from")
		to := from + rapid.Float64Range(0, 9000).Draw(t, "lasts")
		got, want := s.Sum().Between(from, to), s.Integral(from, to)
		if !near(got, want, 1e-6) {
			t.Fatalf("%v from %v to %v, the integral is %v", got, from, to, want)
		}
	})
}

// A product of two quantities integrates as they do together.
func TestCombine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawSteps(t, "a", 100), drawSteps(t, "b", 100)
		to := rapid.Float64Range(0, 9000).Draw(t, "to")
		c := a.Combine(b, func(a, b float64) float64 { return a * b })
		if got, want := c.Integral(0, to), a.IntegralWith(b, 0, to); !near(got, want, 1e-9) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}
