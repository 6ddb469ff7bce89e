package units

import "strings"

// Pattern is a regular expression of what ParseBytes takes, in the syntax that RE2
// and ECMAScript share. The range is the parser's to judge.
func (b Bytes) Pattern() string { return dataQuantity.pattern() }

// Pattern is a regular expression of what ParseRate takes; see [Bytes.Pattern].
func (r Rate) Pattern() string { return rateQuantity.pattern() }

// Pattern is a regular expression of what ParseDuration takes; see [Bytes.Pattern].
func (d Duration) Pattern() string { return timeQuantity.pattern() }

// Pattern is a regular expression of what ParseCompute takes; see [Bytes.Pattern].
func (c Compute) Pattern() string { return computeQuantity.pattern() }

// Pattern is a regular expression of what ParsePower takes; see [Bytes.Pattern].
func (p Power) Pattern() string { return powerQuantity.pattern() }

// Pattern is a regular expression of what ParseEnergy takes; see [Bytes.Pattern].
func (e Energy) Pattern() string { return energyQuantity.pattern() }

// Pattern is a regular expression of what ParseMoney takes; see [Bytes.Pattern].
func (m Money) Pattern() string { return moneyQuantity.pattern() }

// Pattern is a regular expression of what ParseMoneyRate takes; see [Bytes.Pattern].
func (m MoneyRate) Pattern() string { return moneyRateQuantity.pattern() }

// Pattern is a regular expression of what ParseTariff takes; see [Bytes.Pattern].
func (t Tariff) Pattern() string { return tariffQuantity.pattern() }

func (q *quantity) pattern() string {
	names := make([]string, len(q.units))
	for i, u := range q.units {
		names[i] = u.name // letters and slashes: nothing to escape
	}
	return `^([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)? *(` + strings.Join(names, "|") + `)$`
}
