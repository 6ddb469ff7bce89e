package units

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// parsers is every Parse function, with its result as an any.
var parsers = map[string]func(string) (fmt.Stringer, error){
	"data":       func(s string) (fmt.Stringer, error) { v, err := ParseBytes(s); return v, err },
	"rate":       func(s string) (fmt.Stringer, error) { v, err := ParseRate(s); return v, err },
	"time":       func(s string) (fmt.Stringer, error) { v, err := ParseDuration(s); return v, err },
	"compute":    func(s string) (fmt.Stringer, error) { v, err := ParseCompute(s); return v, err },
	"power":      func(s string) (fmt.Stringer, error) { v, err := ParsePower(s); return v, err },
	"energy":     func(s string) (fmt.Stringer, error) { v, err := ParseEnergy(s); return v, err },
	"money":      func(s string) (fmt.Stringer, error) { v, err := ParseMoney(s); return v, err },
	"money rate": func(s string) (fmt.Stringer, error) { v, err := ParseMoneyRate(s); return v, err },
	"tariff":     func(s string) (fmt.Stringer, error) { v, err := ParseTariff(s); return v, err },
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		quantity, text string
		want           fmt.Stringer
	}{
		{"data", "80GB", Bytes(80e9)},
		{"data", "1GiB", Bytes(1 << 30)},
		{"data", "1 GiB", Bytes(1 << 30)},
		{"data", "0B", Bytes(0)},
		{"data", "0.0000PiB", Bytes(0)},
		{"data", "1.5kB", Bytes(1500)},
		{"data", ".5kB", Bytes(500)},
		{"data", "5.kB", Bytes(5000)},
		{"data", "0012B", Bytes(12)},
		{"data", "1e3MB", Bytes(1e9)},
		{"data", "25E-1kB", Bytes(2500)},
		{"data", "1e+2B", Bytes(100)},
		{"data", "9223372036854775807B", Bytes(math.MaxInt64)},
		{"data", "9223372036854775807.4999B", Bytes(math.MaxInt64)},
		{"data", "0.5B", Bytes(0)},
		{"data", "1.5B", Bytes(2)},
		{"data", "2.5B", Bytes(2)},
		{"data", "2.5" + strings.Repeat("0", 5000) + "1B", Bytes(3)},
		{"data", "0." + strings.Repeat("0", 5000) + "1e5001B", Bytes(1)},
		{"data", "1" + strings.Repeat("0", 5000) + "e-5000B", Bytes(1)},
		{"data", "1e-999999999999999999999B", Bytes(0)},
		{"data", "0e999999999999999999999B", Bytes(0)},
		{"rate", "400Gbps", Rate(5e10)},
		{"rate", "50GB/s", Rate(5e10)},
		{"rate", "1bps", Rate(0.125)},
		{"rate", "1KiB/s", Rate(1024)},
		{"rate", "1TiB/s", Rate(1 << 40)},
		{"rate", "15.75GB/s", Rate(15.75e9)},
		// One half ulp above 1: a tie goes to even, anything more goes up.
		{"rate", "1.00000000000000011102230246251565404236316680908203125B/s", Rate(1)},
		{"rate", "1.00000000000000011102230246251565404236316680908203125" + strings.Repeat("0", 3000) + "1B/s", Rate(math.Nextafter(1, 2))},
		{"rate", "4.9406564584124654e-324B/s", Rate(math.SmallestNonzeroFloat64)},
		{"rate", "1e-400B/s", Rate(0)},
		{"time", "10ps", Duration(1)},
		{"time", "1ns", Duration(100)},
		{"time", "1.5us", Duration(150_000)},
		{"time", "1s", Duration(1e11)},
		{"time", "2m", Duration(120e11)},
		{"time", "1h", Duration(3600e11)},
		{"time", "30d", Duration(30 * 86400e11)},
		{"time", "5ps", Duration(0)},
		{"time", "15ps", Duration(2)},
		{"compute", "312TFLOPS", Compute(312e12)},
		{"compute", "1.979PFLOPS", Compute(1979e12)},
		{"power", "10.2kW", Power(10200)},
		{"energy", "1Wh", Energy(3600)},
		{"energy", "2MWh", Energy(7.2e9)},
		{"energy", "3J", Energy(3)},
		{"money", "25000USD", Money(25000)},
		{"money rate", "2.5USD/h", MoneyRate(2.5)},
		{"tariff", "0.08USD/kWh", Tariff(0.08)},
		{"tariff", "80 USD/MWh", Tariff(0.08)},
	} {
		got, err := parsers[c.quantity](c.text)
		if err != nil || got != c.want {
			t.Errorf("%s %.60q: got %v, %v; want %v", c.quantity, c.text, got, err, c.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const rates = "bps, kbps, Mbps, Gbps, Tbps, B/s, kB/s, MB/s, GB/s, TB/s, KiB/s, MiB/s, GiB/s, TiB/s"
	const times = "ps, ns, us, ms, s, m, h, d"
	for _, c := range []struct{ quantity, text, want string }{
		{"rate", "100us", `"100us" is a time; a rate was expected: ` + rates},
		{"rate", "100", `"100" has no unit; a rate was expected: ` + rates},
		{"rate", "0", `"0" has no unit; a rate was expected: ` + rates},
		{"rate", "", `"" does not begin with a number in digits; a rate was expected: ` + rates},
		{"rate", ".B/s", `".B/s" does not begin with a number in digits; a rate was expected: ` + rates},
		{"rate", "-1GB/s", `"-1GB/s" has a sign, which no quantity takes; a rate was expected: ` + rates},
		{"rate", "+1GB/s", `"+1GB/s" has a sign, which no quantity takes; a rate was expected: ` + rates},
		{"rate", "infGB/s", `"infGB/s" does not begin with a number in digits; a rate was expected: ` + rates},
		{"rate", "NaN", `"NaN" does not begin with a number in digits; a rate was expected: ` + rates},
		{"rate", "10gbps", `"10gbps" has the unknown unit "gbps" (did you mean "Gbps"?); a rate was expected: ` + rates},
		{"rate", "1e400GB/s", `"1e400GB/s" is too large; a rate was expected: ` + rates},
		{"rate", "1e999999999999999999999GB/s", `"1e999999999999999999999GB/s" is too large; a rate was expected: ` + rates},
		{"rate", "1.8e308TB/s", `"1.8e308TB/s" is too large; a rate was expected: ` + rates},
		{"time", "1x", `"1x" has the unknown unit "x"; a time was expected: ` + times},
		{"time", "1.2.3s", `"1.2.3s" has the unknown unit ".3s"; a time was expected: ` + times},
		{"time", "1e", `"1e" has the unknown unit "e"; a time was expected: ` + times},
		{"time", "1e+s", `"1e+s" has the unknown unit "e+s"; a time was expected: ` + times},
		{"time", "1_000s", `"1_000s" has the unknown unit "_000s"; a time was expected: ` + times},
		{"time", "3y", `"3y" has the unknown unit "y"; a time was expected: ` + times},
		{"time", "1100d", `"1100d" is too large; a time was expected: ` + times},
		{"data", "4kb", `"4kb" has the unknown unit "kb" (did you mean "kB"?); an amount of data was expected: B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB`},
		{"data", "9223372036854775807.5B", `"9223372036854775807.5B" is too large; an amount of data was expected: B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB`},
		{"compute", "1W", `"1W" is a power; a compute rate was expected: FLOPS, KFLOPS, MFLOPS, GFLOPS, TFLOPS, PFLOPS`},
		{"power", "1J", `"1J" is an energy; a power was expected: W, kW, MW`},
		{"energy", "1kW", `"1kW" is a power; an energy was expected: J, Wh, kWh, MWh`},
		{"money", "1USD/h", `"1USD/h" is a price per hour; an amount of money was expected: USD`},
		{"money rate", "1USD", `"1USD" is an amount of money; a price per hour was expected: USD/h`},
		{"money", "1" + strings.Repeat("x", 1000), `"1` + strings.Repeat("x", 59) + `"... has the unknown unit "` + strings.Repeat("x", 60) + `"...; an amount of money was expected: USD`},
	} {
		_, err := parsers[c.quantity](c.text)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %.60q:\n got %v\nwant %s", c.quantity, c.text, err, c.want)
		}
	}
}

// The longest texts that a scenario may hold take no noticeable time.
func TestParseBoundsWork(t *testing.T) {
	start := time.Now()
	for _, text := range []string{
		strings.Repeat("9", 4<<20) + "B",
		"0." + strings.Repeat("3", 4<<20) + "TB",
		"1e" + strings.Repeat("9", 4<<20) + "B",
		"1e-" + strings.Repeat("9", 4<<20) + "B",
	} {
		_, _ = ParseBytes(text)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestString(t *testing.T) {
	for _, c := range []struct {
		value fmt.Stringer
		want  string
	}{
		{Bytes(0), "0B"},
		{Bytes(1), "1B"},
		{Bytes(100), "100B"},
		{Bytes(1000), "1kB"},
		{Bytes(1024), "1KiB"},
		{Bytes(1500), "1.5kB"},
		{Bytes(1536), "1.5KiB"},
		{Bytes(128000), "128kB"},
		{Bytes(80e9), "80GB"},
		{Bytes(1 << 30), "1GiB"},
		{Bytes(math.MaxInt64), "9223.372036854775807PB"},
		{Bytes(-80e9), "-80GB"},
		{Bytes(math.MinInt64), "-8192PiB"},
		{Rate(0), "0bps"},
		{Rate(5e10), "400Gbps"},
		{Rate(450e9), "3.6Tbps"},
		{Rate(1e300), "8e288Tbps"},
		{Rate(1.25e-30), "1e-29bps"},
		{Rate(1e10 / 3), "26.666666666666668Gbps"},
		{Rate(math.Inf(1)), "+Infbps"},
		{Rate(math.NaN()), "NaNbps"},
		{Duration(0), "0s"},
		{Duration(1), "10ps"},
		{Duration(150_000), "1.5us"},
		{Duration(100e5), "100us"},
		{Duration(1e11), "1s"},
		{Duration(60e11), "1m"},
		{Duration(30 * 86400e11), "30d"},
		{Duration(math.MaxInt64), "92233720.36854775807s"},
		{Compute(312e12), "312TFLOPS"},
		{Compute(494.5e12), "494.5TFLOPS"},
		{Power(700), "700W"},
		{Power(10200), "10.2kW"},
		{Energy(3600), "1Wh"},
		{Energy(100), "100J"},
		{Money(25000), "25000USD"},
		{MoneyRate(2.5), "2.5USD/h"},
		{MoneyRate(0.1), "0.1USD/h"},
		{Tariff(0.08), "0.08USD/kWh"},
	} {
		if got := c.value.String(); got != c.want {
			t.Errorf("%T: got %s, want %s", c.value, got, c.want)
		}
	}
}

// Whatever a type can hold prints as a text that parses back to it.
func TestStringParsesBack(t *testing.T) {
	whole := rapid.Int64Range(0, math.MaxInt64)
	real := rapid.Float64Range(0, math.MaxFloat64/1e10)
	rapid.Check(t, func(t *rapid.T) {
		n, v := whole.Draw(t, "n"), real.Draw(t, "v")
		for name, value := range map[string]fmt.Stringer{
			"data": Bytes(n), "time": Duration(n), "rate": Rate(v), "compute": Compute(v),
			"power": Power(v), "energy": Energy(v), "money": Money(v), "money rate": MoneyRate(v), "tariff": Tariff(v),
		} {
			text := value.String()
			if back, err := parsers[name](text); err != nil || back != value {
				t.Fatalf("%s: %#v prints as %s, which parses as %#v, %v", name, value, text, back, err)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"80GB", "400 Gbps", "1.5us", "1e-3TFLOPS", "-1W", "0", "1e999s", ".5kWh", "2.5USD/h", "USD"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, parse := range parsers {
			value, err := parse(text)
			if err != nil {
				continue
			}
			if back, err := parse(value.String()); err != nil || back != value {
				t.Errorf("%s: %q parses as %s, which parses as %v, %v", name, text, value, back, err)
			}
		}
	})
}

func TestMarshal(t *testing.T) {
	var (
		_ encoding.TextMarshaler   = Bytes(0)
		_ encoding.TextUnmarshaler = new(Bytes)
	)
	type all struct {
		B Bytes
		R Rate
		D Duration
		C Compute
		P Power
		E Energy
		M Money
		H MoneyRate
		T Tariff
	}
	want := all{80e9, 5e10, 150_000, 312e12, 700, 3600, 25000, 2.5, 0.08}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	const wire = `{"B":"80GB","R":"400Gbps","D":"1.5us","C":"312TFLOPS","P":"700W","E":"1Wh","M":"25000USD","H":"2.5USD/h","T":"0.08USD/kWh"}`
	if string(text) != wire {
		t.Errorf("got %s\nwant %s", text, wire)
	}
	var got all
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	b := Bytes(7)
	if err := b.UnmarshalText([]byte("8")); err == nil || b != 7 {
		t.Errorf("a wrong text left %v, %v", b, err)
	}
}

func TestDurationOf(t *testing.T) {
	for _, c := range []struct {
		seconds float64
		want    Duration
	}{
		{0, 0},
		{1, 1e11},
		{1e-6, 100_000},
		{1e-11, 1},
		{4.9e-12, 0},
		{1.5e-11, 1}, // the nearest float64 lies just below one and a half ticks
		{1 << 26, 1 << 26 * 1e11},
		{math.SmallestNonzeroFloat64, 0},
	} {
		if got, err := DurationOf(c.seconds); err != nil || got != c.want {
			t.Errorf("DurationOf(%g) = %d, %v; want %d", c.seconds, got, err, c.want)
		}
	}
	for _, seconds := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, -1e-300, 92233720.36854776, 1e300} {
		if d, err := DurationOf(seconds); err == nil {
			t.Errorf("DurationOf(%g) = %d, want an error", seconds, d)
		}
	}
}

// DurationOf is the exact product rounded once, as the parser rounds.
func TestDurationOfRoundsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		half := float64(rapid.Int64Range(0, 1<<40).Draw(t, "ticks")) + 0.5
		seconds := half / 1e11
		for range rapid.IntRange(0, 3).Draw(t, "ulps") {
			seconds = math.Nextafter(seconds, 0)
		}
		got, err := DurationOf(seconds)
		want, _ := ParseDuration(fmt.Sprintf("%.200fs", seconds))
		if err != nil || got != want {
			t.Fatalf("DurationOf(%g) = %d, %v; want %d", seconds, got, err, want)
		}
	})
}

func TestSeconds(t *testing.T) {
	if got := Duration(150_000).Seconds(); got != 1.5e-6 {
		t.Errorf("got %g", got)
	}
}
