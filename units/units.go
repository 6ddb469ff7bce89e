// Package units holds the quantities of a scenario: data, rates, time,
// compute, power, energy and money, parsed from and printed as strings such as
// "400Gbps", "1.5us" or "80GB".
//
// A quantity is a decimal number and a unit. The number may have any number of
// digits, a fraction and an exponent; it is rounded once, to the nearest value
// of the quantity's Go type. Bits and bytes differ by the case of b and B;
// powers of ten (kB, MB, ...) differ from powers of two (KiB, MiB, ...). Every
// quantity is zero or more: a sign, an infinity, a NaN and a number without a
// unit are errors, and so is a value that the type cannot hold.
//
// String prints the shortest quantity that parses back to the same value.
package units

// Bytes is an amount of data in bytes.
type Bytes int64

// Rate is data per time in bytes per second, whatever unit it was written in.
type Rate float64

// Duration is a span of virtual time in ticks of 10 ps, the resolution of the
// simulator's clock: one byte at 800 Gbit/s takes one tick, and the range is
// 2.9 years.
type Duration int64

// Compute is arithmetic per time in FLOP/s (operations, not multiply-adds).
type Compute float64

// Power is in watts.
type Power float64

// Energy is in joules.
type Energy float64

// Money is in US dollars.
type Money float64

// MoneyRate is in US dollars per hour.
type MoneyRate float64

// Tariff is the price of energy in US dollars per kilowatt-hour.
type Tariff float64
