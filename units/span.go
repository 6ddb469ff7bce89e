package units

// Span is a length of time in seconds that may be beyond the range of [Duration]: the
// mean lifetime of a part, say.
type Span float64

// spanQuantity has the units of a time, in seconds.
var spanQuantity = quantity{"a time", "s", []unit{
	{"ps", 1, 1e12},
	{"ns", 1, 1e9},
	{"us", 1, 1e6},
	{"ms", 1, 1e3},
	{"s", 1, 1},
	{"m", 60, 1},
	{"h", 3600, 1},
	{"d", 86400, 1},
}, nil}

// ParseSpan reads a time: "143000h".
func ParseSpan(text string) (Span, error) {
	v, err := spanQuantity.parseFloat(text)
	return Span(v), err
}
