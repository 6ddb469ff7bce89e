package units

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// The printed form of a quantity is chosen so. Of the units in which the
// number is at least 1 (the smallest unit, where there is none), take the one
// that needs the fewest digits: exactly the value for whole numbers, enough to
// parse back to it for floating-point ones. Where several need as few, take
// the largest, powers of ten before powers of two. Rates print in bits, as the
// field writes them. A number of more than 21 digits takes an exponent.
//
// A difference of quantities may be negative, a quotient not finite: they
// print too, but what they print does not parse.

// String is the amount in its shortest form: "80GB", "1GiB".
func (b Bytes) String() string { return dataQuantity.formatInt(int64(b)) }

// String is the rate in its shortest form in bits per second: "400Gbps".
func (r Rate) String() string { return rateQuantity.formatFloat(float64(r)) }

// String is the duration in its shortest form: "1.5us", "30d".
func (d Duration) String() string { return timeQuantity.formatInt(int64(d)) }

// String is the compute rate in its shortest form: "312TFLOPS".
func (c Compute) String() string { return computeQuantity.formatFloat(float64(c)) }

// String is the power in its shortest form: "10.2kW".
func (p Power) String() string { return powerQuantity.formatFloat(float64(p)) }

// String is the energy in its shortest form: "1kWh".
func (e Energy) String() string { return energyQuantity.formatFloat(float64(e)) }

// String is the amount in dollars: "25000USD".
func (m Money) String() string { return moneyQuantity.formatFloat(float64(m)) }

// String is the price in dollars per hour: "2.5USD/h".
func (m MoneyRate) String() string { return moneyRateQuantity.formatFloat(float64(m)) }

// String is the price in dollars per kilowatt-hour: "0.08USD/kWh".
func (t Tariff) String() string { return tariffQuantity.formatFloat(float64(t)) }

// MarshalText is String.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// MarshalText is String.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// MarshalText is String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalText is String.
func (c Compute) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// MarshalText is String.
func (p Power) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// MarshalText is String.
func (e Energy) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// MarshalText is String.
func (m Money) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// MarshalText is String.
func (m MoneyRate) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// MarshalText is String.
func (t Tariff) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

func (q *quantity) formatInt(n int64) string {
	return q.format(new(big.Rat).SetInt64(n), func(text string, magnitude *big.Rat) bool {
		exact, err := q.exact(text)
		return err == nil && exact.Cmp(magnitude) == 0
	})
}

func (q *quantity) formatFloat(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, 64) + q.zero
	}
	return q.format(new(big.Rat).SetFloat64(v), func(text string, magnitude *big.Rat) bool {
		back, err := q.parseFloat(text)
		return err == nil && new(big.Rat).SetFloat64(back).Cmp(magnitude) == 0
	})
}

// format prints a value; is reports whether a text stands for a magnitude.
func (q *quantity) format(value *big.Rat, is func(text string, magnitude *big.Rat) bool) string {
	if value.Sign() == 0 {
		return "0" + q.zero
	}
	sign := ""
	if value.Sign() < 0 {
		sign, value = "-", new(big.Rat).Neg(value)
	}
	// Twenty digits hold every int64 in picoseconds, seventeen any float64.
	best, fewest := "", 20
	for i, u := range q.prints {
		number := new(big.Rat).Mul(value, big.NewRat(u.den, u.num))
		if i > 0 && number.Cmp(big.NewRat(1, 1)) < 0 {
			continue
		}
		// Enough bits that 20 digits of any number in range are right.
		approximate := new(big.Float).SetPrec(256).SetRat(number)
		for digits := 1; digits <= fewest; digits++ {
			if text := numeral(approximate.Text('e', digits-1)) + u.name; is(text, value) {
				best, fewest = text, digits
				break
			}
		}
	}
	return sign + best
}

// numeral rewrites "1.25e+03" as "1250", or as "1.25e30" where that would be
// long.
func numeral(scientific string) string {
	mantissa, power, _ := strings.Cut(scientific, "e")
	exponent, err := strconv.Atoi(power)
	if err != nil {
		panic("units: big.Float printed " + scientific)
	}
	digits := strings.TrimRight(strings.Replace(mantissa, ".", "", 1), "0")
	point := exponent + 1 // how many digits stand before the decimal point
	const longest = 21
	switch {
	case max(point, len(digits)-point) > longest:
		if len(digits) > 1 {
			digits = digits[:1] + "." + digits[1:]
		}
		return digits + "e" + strconv.Itoa(exponent)
	case point <= 0:
		return "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		return digits + strings.Repeat("0", point-len(digits))
	}
	return digits[:point] + "." + digits[point:]
}
