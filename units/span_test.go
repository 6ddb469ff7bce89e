package units_test

import (
	"testing"

	"github.com/railyard/railyard/units"
)

// A span may be beyond the 2.9 years of the clock.
func TestParseSpan(t *testing.T) {
	for text, want := range map[string]units.Span{"143472h": 143472 * 3600, "2 d": 172800, "1.5ms": 0.0015, "0s": 0} {
		if got, err := units.ParseSpan(text); err != nil || got != want {
			t.Errorf("%q is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"143472", "1e400h", "-1h", "3GB", ""} {
		if got, err := units.ParseSpan(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
