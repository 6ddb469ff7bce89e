package figure

import (
	"math"
	"strconv"
	"strings"
)

// Unit says what the numbers of an axis are and so how they are written.
type Unit int

const (
	// Count is a plain number: 200, 20 k, 3 M. It is the zero value; a
	// quantity without a Unit of its own can be a Count whose axis label
	// names the unit.
	Count Unit = iota
	// Seconds are written with SI prefixes from ps to ms, then as s, min, h and d: on
	// linear axes from three minutes on, on logarithmic ones that reach beyond two.
	Seconds
	// Bytes are written with binary prefixes (KiB, MiB), and a logarithmic
	// axis of bytes is ticked at powers of two.
	Bytes
	// BytesPerSecond are written with decimal prefixes (GB/s).
	BytesPerSecond
	// Ratio is a fraction written as a percentage: 0.8 is 80 %.
	Ratio
)

// prefix is a multiple of a unit with the symbol written for it.
type prefix struct {
	factor float64 // in units
	from   float64 // smallest magnitude that is written so, in units
	symbol string
}

var (
	countPrefixes = []prefix{
		{1, 0, ""}, {1e3, 1e4, "k"}, {1e6, 1e6, "M"}, {1e9, 1e9, "G"}, {1e12, 1e12, "T"},
	}
	siSeconds = []prefix{
		{1e-12, 0, "ps"}, {1e-9, 1e-9, "ns"}, {1e-6, 1e-6, "µs"}, {1e-3, 1e-3, "ms"}, {1, 1, "s"},
	}
	clockSeconds = append(siSeconds[:len(siSeconds):len(siSeconds)],
		prefix{60, 180, "min"}, prefix{3600, 3 * 3600, "h"}, prefix{86400, 3 * 86400, "d"})
	bytePrefixes = []prefix{
		{1, 0, "B"},
		{1 << 10, 1 << 10, "KiB"},
		{1 << 20, 1 << 20, "MiB"},
		{1 << 30, 1 << 30, "GiB"},
		{1 << 40, 1 << 40, "TiB"},
		{1 << 50, 1 << 50, "PiB"},
		{1 << 60, 1 << 60, "EiB"},
	}
	ratePrefixes = []prefix{
		{1, 0, "B/s"},
		{1e3, 1e3, "kB/s"},
		{1e6, 1e6, "MB/s"},
		{1e9, 1e9, "GB/s"},
		{1e12, 1e12, "TB/s"},
		{1e15, 1e15, "PB/s"},
	}
	ratioPrefixes = []prefix{{0.01, 0, "%"}}
)

// prefix chooses how to write a quantity of magnitude m. Beyond the named
// prefixes it is a power of a thousand of the unit itself.
func (u Unit) prefix(m float64, log bool) prefix {
	list, base := countPrefixes, ""
	switch u {
	case Seconds:
		list, base = clockSeconds, " s"
		if log {
			list = siSeconds
		}
	case Bytes:
		list, base = bytePrefixes, " B"
	case BytesPerSecond:
		list, base = ratePrefixes, " B/s"
	case Ratio:
		list = ratioPrefixes
	}
	best := list[0]
	for _, p := range list {
		if m >= p.from*(1-1e-12) {
			best = p
		}
	}
	if m != 0 && (m >= 1e5*best.factor || m < 1e-3*best.factor) {
		e := max(int(math.Floor(math.Log10(m)/3))*3, -300)
		factor := math.Pow10(e)
		return prefix{factor: factor, symbol: "×" + power(e) + base}
	}
	return best
}

// eachTick reports whether the symbol stands at every tick of a linear axis
// and not in the label of the axis.
func (p prefix) eachTick() bool { return len(p.symbol) == 1 && strings.Contains("kMGT%", p.symbol) }

// with writes a symbol behind a number.
func (p prefix) with(number string) string {
	switch {
	case p.symbol == "":
		return number
	case strings.HasPrefix(p.symbol, "×"):
		if number == "1" {
			return strings.TrimPrefix(p.symbol, "×")
		}
		return number + p.symbol
	}
	return number + " " + p.symbol
}

// short writes one quantity with a prefix of its own and three digits.
func (u Unit) short(v float64, log bool) string {
	p := u.prefix(math.Abs(v), log)
	if strings.HasPrefix(p.symbol, "×") { // 2×10^5 s rather than 200×10^3 s
		e := max(int(math.Floor(math.Log10(math.Abs(v))+1e-9)), -300)
		p = prefix{math.Pow10(e), 0, "×" + power(e) + p.symbol[strings.IndexAny(p.symbol+" ", " "):]}
	}
	return p.with(threeDigits(v / p.factor))
}

// exactly writes one quantity as short does, but a whole number with all its digits:
// 16,384 accelerators are not 16.4 k.
func (u Unit) exactly(v float64) string {
	if u != Count || v != math.Trunc(v) || math.Abs(v) >= 1e9 {
		return u.short(v, true)
	}
	digits := fixed(v, 0)
	for at := len(digits) - 3; len(digits) > 4 && at > 0 && digits[at-1] >= '0'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// threeDigits writes a number with three significant digits, no exponent and
// no trailing zeros.
func threeDigits(v float64) string {
	decimals := 0
	if v != 0 {
		decimals = min(max(2-int(math.Floor(math.Log10(math.Abs(v)))), 0), 12)
	}
	s := fixed(v, decimals)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// fixed writes a number with that many decimals. Zero has no sign and minus is
// a minus, not a hyphen.
func fixed(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	digits, negative := strings.CutPrefix(s, "-")
	if !negative {
		return s
	}
	if strings.Trim(digits, "0.") == "" {
		return digits
	}
	return "−" + digits
}

// power writes 10^e. The font has no superscripts of minus, 0 and 9.
func power(e int) string { return "10^" + fixed(float64(e), 0) }
