package units_test

import (
	"regexp"
	"testing"

	"github.com/railyard/railyard/units"
)

// A pattern takes what the parser takes, but for what is too large.
func TestPatterns(t *testing.T) {
	texts := []string{
		"", "B", "1", "1B", "1 B", "80GB", "1.5e3 MiB", "1.e3MiB", ".5TB", ".B", "5.B", "-1B", "+1B", "1e B", "1b", "1 Bx", " 1B", "1\tB",
		"400Gbps", "50GB/s", "1e-3 KiB/s", "1.5us", "1 d", "2m", "2M", "989TFLOPS", "700W", "1.2kW", "3J", "1kWh", "2USD", "2USD/h", "80USD/MWh", "0.1USD/kWh",
	}
	for _, q := range []struct {
		name, pattern string
		parse         func(string) error
	}{
		{"data", units.Bytes(0).Pattern(), func(s string) error { _, err := units.ParseBytes(s); return err }},
		{"rate", units.Rate(0).Pattern(), func(s string) error { _, err := units.ParseRate(s); return err }},
		{"time", units.Duration(0).Pattern(), func(s string) error { _, err := units.ParseDuration(s); return err }},
		{"compute", units.Compute(0).Pattern(), func(s string) error { _, err := units.ParseCompute(s); return err }},
		{"power", units.Power(0).Pattern(), func(s string) error { _, err := units.ParsePower(s); return err }},
		{"energy", units.Energy(0).Pattern(), func(s string) error { _, err := units.ParseEnergy(s); return err }},
		{"money", units.Money(0).Pattern(), func(s string) error { _, err := units.ParseMoney(s); return err }},
		{"price", units.MoneyRate(0).Pattern(), func(s string) error { _, err := units.ParseMoneyRate(s); return err }},
		{"tariff", units.Tariff(0).Pattern(), func(s string) error { _, err := units.ParseTariff(s); return err }},
	} {
		pattern, taken := regexp.MustCompile(q.pattern), 0
		for _, text := range texts {
			err := q.parse(text)
			if pattern.MatchString(text) != (err == nil) {
				t.Errorf("%s %q: the pattern says %v, the parser %v", q.name, text, err != nil, err)
			}
			if err == nil {
				taken++
			}
		}
		if taken == 0 {
			t.Errorf("%s: no text is one", q.name)
		}
	}
}
