package units

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
)

// unit is a name and how much of its quantity's own unit it is worth, as a
// fraction: a bit per second is 1/8 of a byte per second.
type unit struct {
	name     string
	num, den int64
}

// quantity is one row of the table of units: what messages call it, the units
// that it is written in, and those that String prints.
type quantity struct {
	name   string // with its article: "a rate"
	zero   string // the unit that 0 prints in
	units  []unit // as messages list them
	prints []unit // the smallest first, those that String prefers last
}

var (
	byteUnits = []unit{
		{"B", 1, 1},
	}
	decimalUnits = []unit{
		{"kB", 1e3, 1},
		{"MB", 1e6, 1},
		{"GB", 1e9, 1},
		{"TB", 1e12, 1},
		{"PB", 1e15, 1},
	}
	binaryUnits = []unit{
		{"KiB", 1 << 10, 1},
		{"MiB", 1 << 20, 1},
		{"GiB", 1 << 30, 1},
		{"TiB", 1 << 40, 1},
		{"PiB", 1 << 50, 1},
	}
	bitRateUnits = []unit{
		{"bps", 1, 8},
		{"kbps", 1e3, 8},
		{"Mbps", 1e6, 8},
		{"Gbps", 1e9, 8},
		{"Tbps", 1e12, 8},
	}
	byteRateUnits = []unit{
		{"B/s", 1, 1},
		{"kB/s", 1e3, 1},
		{"MB/s", 1e6, 1},
		{"GB/s", 1e9, 1},
		{"TB/s", 1e12, 1},
		{"KiB/s", 1 << 10, 1},
		{"MiB/s", 1 << 20, 1},
		{"GiB/s", 1 << 30, 1},
		{"TiB/s", 1 << 40, 1},
	}
	timeUnits = []unit{ // in ticks of 10 ps
		{"ps", 1, 10},
		{"ns", 100, 1},
		{"us", 1e5, 1},
		{"ms", 1e8, 1},
		{"s", 1e11, 1},
		{"m", 60e11, 1},
		{"h", 3600e11, 1},
		{"d", 86400e11, 1},
	}
	computeUnits = []unit{
		{"FLOPS", 1, 1},
		{"KFLOPS", 1e3, 1},
		{"MFLOPS", 1e6, 1},
		{"GFLOPS", 1e9, 1},
		{"TFLOPS", 1e12, 1},
		{"PFLOPS", 1e15, 1},
	}
	powerUnits  = []unit{{"W", 1, 1}, {"kW", 1e3, 1}, {"MW", 1e6, 1}}
	energyUnits = []unit{{"J", 1, 1}, {"Wh", 3600, 1}, {"kWh", 3600e3, 1}, {"MWh", 3600e6, 1}}
	moneyUnits  = []unit{{"USD", 1, 1}}
	priceUnits  = []unit{{"USD/h", 1, 1}}
	tariffUnits = []unit{{"USD/MWh", 1, 1000}, {"USD/kWh", 1, 1}}
)

var (
	dataQuantity      = quantity{"an amount of data", "B", slices.Concat(byteUnits, decimalUnits, binaryUnits), slices.Concat(byteUnits, binaryUnits, decimalUnits)}
	rateQuantity      = quantity{"a rate", "bps", slices.Concat(bitRateUnits, byteRateUnits), bitRateUnits}
	timeQuantity      = quantity{"a time", "s", timeUnits, timeUnits}
	computeQuantity   = quantity{"a compute rate", "FLOPS", computeUnits, computeUnits}
	powerQuantity     = quantity{"a power", "W", powerUnits, powerUnits}
	energyQuantity    = quantity{"an energy", "J", energyUnits, energyUnits}
	moneyQuantity     = quantity{"an amount of money", "USD", moneyUnits, moneyUnits}
	moneyRateQuantity = quantity{"a price per hour", "USD/h", priceUnits, priceUnits}
	tariffQuantity    = quantity{"a price of energy", "USD/kWh", tariffUnits, tariffUnits[1:]}
)

var quantities = []*quantity{
	&dataQuantity, &rateQuantity, &timeQuantity, &computeQuantity,
	&powerQuantity, &energyQuantity, &moneyQuantity, &moneyRateQuantity, &tariffQuantity,
}

// ParseBytes reads an amount of data: "80GB", "1 GiB". Fractions of a byte are
// rounded to the nearest byte, a tie to the even one.
func ParseBytes(text string) (Bytes, error) {
	n, err := dataQuantity.parseInt(text)
	return Bytes(n), err
}

// ParseRate reads a rate in bits or bytes per second: "400Gbps", "50GB/s".
func ParseRate(text string) (Rate, error) {
	v, err := rateQuantity.parseFloat(text)
	return Rate(v), err
}

// ParseDuration reads a time: "1.5us", "30d". Fractions of a tick are rounded
// to the nearest tick, a tie to the even one.
func ParseDuration(text string) (Duration, error) {
	n, err := timeQuantity.parseInt(text)
	return Duration(n), err
}

// ParseCompute reads a compute rate: "312TFLOPS".
func ParseCompute(text string) (Compute, error) {
	v, err := computeQuantity.parseFloat(text)
	return Compute(v), err
}

// ParsePower reads a power: "700W", "10.2kW".
func ParsePower(text string) (Power, error) {
	v, err := powerQuantity.parseFloat(text)
	return Power(v), err
}

// ParseEnergy reads an energy: "3.5MWh", "100J".
func ParseEnergy(text string) (Energy, error) {
	v, err := energyQuantity.parseFloat(text)
	return Energy(v), err
}

// ParseMoney reads an amount of money: "25000USD".
func ParseMoney(text string) (Money, error) {
	v, err := moneyQuantity.parseFloat(text)
	return Money(v), err
}

// ParseMoneyRate reads a price per hour: "2.5USD/h".
func ParseMoneyRate(text string) (MoneyRate, error) {
	v, err := moneyRateQuantity.parseFloat(text)
	return MoneyRate(v), err
}

// ParseTariff reads a price of energy: "0.08USD/kWh".
func ParseTariff(text string) (Tariff, error) {
	v, err := tariffQuantity.parseFloat(text)
	return Tariff(v), err
}

// UnmarshalText is [ParseBytes].
func (b *Bytes) UnmarshalText(text []byte) error { return unmarshal(b, ParseBytes, text) }

// UnmarshalText is [ParseRate].
func (r *Rate) UnmarshalText(text []byte) error { return unmarshal(r, ParseRate, text) }

// UnmarshalText is [ParseDuration].
func (d *Duration) UnmarshalText(text []byte) error { return unmarshal(d, ParseDuration, text) }

// UnmarshalText is [ParseCompute].
func (c *Compute) UnmarshalText(text []byte) error { return unmarshal(c, ParseCompute, text) }

// UnmarshalText is [ParsePower].
func (p *Power) UnmarshalText(text []byte) error { return unmarshal(p, ParsePower, text) }

// UnmarshalText is [ParseEnergy].
func (e *Energy) UnmarshalText(text []byte) error { return unmarshal(e, ParseEnergy, text) }

// UnmarshalText is [ParseMoney].
func (m *Money) UnmarshalText(text []byte) error { return unmarshal(m, ParseMoney, text) }

// UnmarshalText is [ParseMoneyRate].
func (m *MoneyRate) UnmarshalText(text []byte) error { return unmarshal(m, ParseMoneyRate, text) }

// UnmarshalText is [ParseTariff].
func (t *Tariff) UnmarshalText(text []byte) error { return unmarshal(t, ParseTariff, text) }

// unmarshal leaves the destination alone when the text is wrong.
func unmarshal[T any](to *T, parse func(string) (T, error), text []byte) error {
	v, err := parse(string(text))
	if err == nil {
		*to = v
	}
	return err
}

// DurationOf is the duration nearest to a number of seconds, a tie going to
// the even tick. NaN, an infinity, a negative number and one past the range
// are errors.
func DurationOf(seconds float64) (Duration, error) {
	if !(seconds >= 0) || math.IsInf(seconds, 1) {
		return 0, fmt.Errorf("%v s is not a span of time: it must be finite and zero or more", seconds)
	}
	const ticks = 1e11 // per second
	product := seconds * ticks
	rounded := math.RoundToEven(product)
	// The product is itself rounded. That matters only where it seems to lie
	// halfway between two ticks; what it lost then decides.
	switch lost, half := math.FMA(seconds, ticks, -product), product-rounded; {
	case half == 0.5 && lost > 0:
		rounded++
	case half == -0.5 && lost < 0:
		rounded--
	}
	if rounded >= math.MaxInt64 { // the constant rounds up to 2^63
		return 0, fmt.Errorf("%g s is too long: the range is %v", seconds, Duration(math.MaxInt64))
	}
	return Duration(rounded), nil
}

// Seconds is the duration as a floating-point number of seconds.
func (d Duration) Seconds() float64 { return float64(d) / 1e11 }

var errTooLarge = errors.New("is too large")

func (q *quantity) parseFloat(text string) (float64, error) {
	exact, err := q.exact(text)
	if err != nil {
		return 0, q.fail(text, err)
	}
	v, _ := exact.Float64()
	if math.IsInf(v, 0) {
		return 0, q.fail(text, errTooLarge)
	}
	return v, nil
}

func (q *quantity) parseInt(text string) (int64, error) {
	exact, err := q.exact(text)
	if err != nil {
		return 0, q.fail(text, err)
	}
	whole, rest := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
	switch rest.Lsh(rest, 1).Cmp(exact.Denom()) {
	case 1:
		whole.Add(whole, big.NewInt(1))
	case 0:
		whole.Add(whole, big.NewInt(int64(whole.Bit(0)))) // a tie goes to even
	}
	if !whole.IsInt64() {
		return 0, q.fail(text, errTooLarge)
	}
	return whole.Int64(), nil
}

// fail words an error: what is wrong with the text, what was expected instead.
func (q *quantity) fail(text string, problem error) error {
	names := make([]string, len(q.units))
	for i, u := range q.units {
		names[i] = u.name
	}
	return fmt.Errorf("%s %w; %s was expected: %s", quote(text), problem, q.name, strings.Join(names, ", "))
}

// quote is text as a message shows it, cut where it is long.
func quote(text string) string {
	const longest = 60
	if len(text) > longest {
		return fmt.Sprintf("%q...", text[:longest])
	}
	return fmt.Sprintf("%q", text)
}

// exact reads a number and a unit of q, and returns their product without any
// rounding. Where it certainly overflows every type it says so, and where it
// certainly rounds to nothing it returns 0, so that the size of an exponent
// costs neither time nor memory.
func (q *quantity) exact(text string) (*big.Rat, error) {
	number, rest, err := scanNumber(text)
	if err != nil {
		return nil, err
	}
	u, err := q.find(strings.TrimLeft(rest, " "))
	if err != nil {
		return nil, err
	}
	// Units span less than 10^±20, float64 10^-324 to 10^309.
	const reach = 400
	switch place := len(number.digits) + number.exponent; {
	case number.digits == "" || place < -reach:
		return new(big.Rat), nil
	case place > reach:
		return nil, errTooLarge
	}
	num, _ := new(big.Int).SetString(number.digits, 10)
	den := big.NewInt(u.den)
	num.Mul(num, big.NewInt(u.num))
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(number.exponent, -number.exponent))), nil)
	if number.exponent >= 0 {
		num.Mul(num, power)
	} else {
		den.Mul(den, power)
	}
	return new(big.Rat).SetFrac(num, den), nil
}

// decimal is digits times 10^exponent; no digits is zero.
type decimal struct {
	digits   string
	exponent int
}

// Beyond maxDigits significant digits it matters only whether any is not zero:
// a tie between two values of float64 has at most 767 of them.
const maxDigits = 1100

// scanNumber reads the number at the head of text.
func scanNumber(text string) (n decimal, rest string, err error) {
	var (
		digits   []byte
		any      bool // a digit was seen
		point    bool // the decimal point was seen
		sticky   bool // a digit that is not zero was left out
		position int
	)
scan:
	for ; position < len(text); position++ {
		switch c := text[position]; {
		case c == '.' && !point:
			point = true
		case c < '0' || c > '9':
			break scan
		default:
			any = true
			switch {
			case c == '0' && len(digits) == 0: // a leading zero
				if point {
					n.exponent--
				}
			case len(digits) < maxDigits:
				digits = append(digits, c)
				if point {
					n.exponent--
				}
			default:
				sticky = sticky || c != '0'
				if !point {
					n.exponent++
				}
			}
		}
	}
	if !any {
		if text != "" && (text[0] == '-' || text[0] == '+') {
			return n, "", errors.New("has a sign, which no quantity takes")
		}
		return n, "", errors.New("does not begin with a number in digits")
	}
	if sticky {
		digits = append(digits, '1')
		n.exponent--
	}
	n.digits = string(digits)
	exponent, rest := scanExponent(text[position:])
	n.exponent += exponent
	return n, rest, nil
}

// scanExponent reads "e", an optional sign and digits where text begins so.
func scanExponent(text string) (exponent int, rest string) {
	if text == "" || text[0]|0x20 != 'e' {
		return 0, text
	}
	position := 1
	negative := false
	if position < len(text) && (text[position] == '-' || text[position] == '+') {
		negative = text[position] == '-'
		position++
	}
	start := position
	for ; position < len(text) && text[position] >= '0' && text[position] <= '9'; position++ {
		if exponent < 1e9 { // more is as good as infinite: no text is that long
			exponent = 10*exponent + int(text[position]-'0')
		}
	}
	if position == start {
		return 0, text
	}
	if negative {
		exponent = -exponent
	}
	return exponent, text[position:]
}

// find looks a unit of q up; where there is none, its error tells what the
// writer may have meant.
func (q *quantity) find(name string) (unit, error) {
	if name == "" {
		return unit{}, errors.New("has no unit")
	}
	for _, u := range q.units {
		if u.name == name {
			return u, nil
		}
	}
	for _, other := range quantities {
		for _, u := range other.units {
			if u.name == name {
				return unit{}, fmt.Errorf("is %s", other.name)
			}
		}
	}
	for _, u := range q.units {
		if strings.EqualFold(u.name, name) {
			return unit{}, fmt.Errorf("has the unknown unit %s (did you mean %q?)", quote(name), u.name)
		}
	}
	return unit{}, fmt.Errorf("has the unknown unit %s", quote(name))
}
