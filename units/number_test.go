package units

import (
	"errors"
	"strconv"
	"testing"
)

func TestParseNumber(t *testing.T) {
	for text, want := range map[string]float64{"10000000": 1e7, "1e6": 1e6, "-2.50": -2.5, "+3": 3, ".5": 0.5, "1E-3": 1e-3} {
		if got, err := ParseNumber(text); got != want || err != nil {
			t.Errorf("%q is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"10_000_000", "1e1_0", "0x10", "0x1p4", "0X1_0P0", "", "1,5", "1 "} {
		if got, err := ParseNumber(text); !errors.Is(err, strconv.ErrSyntax) {
			t.Errorf("%q is %v (%v), want none", text, got, err)
		}
	}
	if _, err := ParseNumber("1e999"); !errors.Is(err, strconv.ErrRange) {
		t.Errorf("1e999: %v", err)
	}
}
