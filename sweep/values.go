package sweep

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MaxPoints is the most points that a sweep may have.
const MaxPoints = 1_000_000

// Parameter is one key that is varied.
type Parameter struct {
	Key    string
	Values []string // as --set takes them
	// span, if set, is a range that the sampling methods draw from.
	span *span
}

// span is the numbers from one to another, both included, with a unit.
type span struct {
	from, to float64
	integers bool
	unit     string
}

// at is the number at a fraction of the way, in [0, 1).
func (s *span) at(fraction float64) string {
	if s.integers {
		return strconv.FormatInt(int64(s.from)+int64(fraction*(s.to-s.from+1)), 10) + s.unit
	}
	return number(s.from+fraction*(s.to-s.from)) + s.unit
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// ParseVary reads "KEY=VALUES" as --vary takes it. VALUES are separated by
// commas; each is a value as --set takes it, or a range: 1..8 is 1, 2, ..., 8;
// 16..256*2 is 16, 32, ..., 256; 0..1+0.25 is 0, 0.25, ..., 1. Numbers may have a
// unit: 100Gbps..800Gbps*2. Commas in quotes or brackets do not separate.
func ParseVary(text string) (Parameter, error) {
	key, values, found := strings.Cut(text, "=")
	if !found || key == "" {
		return Parameter{}, fmt.Errorf("%q: KEY=VALUES was expected, as in topology.hosts=16..256*2", text)
	}
	return ParseValues(key, values)
}

// ParseValues reads the values of a key; see [ParseVary].
func ParseValues(key, text string) (Parameter, error) {
	p := Parameter{Key: key}
	parts := split(text)
	for _, part := range parts {
		part = strings.TrimSpace(part)
		if part == "" {
			return p, fmt.Errorf("%s: %q has an empty value", key, text)
		}
		values, s, err := parseRange(part)
		switch {
		case err != nil:
			return p, fmt.Errorf("%s: %w", key, err)
		case values == nil && s == nil:
			values = []string{part}
		case values == nil && len(parts) > 1:
			return p, fmt.Errorf("%s: the range %s needs a step beside other values, as in %s+%s", key, part, part, number((s.to-s.from)/10))
		case len(parts) == 1:
			p.span = s
		}
		p.Values = append(p.Values, values...)
		if len(p.Values) > MaxPoints {
			return p, fmt.Errorf("%s: %s has more than %d values", key, text, MaxPoints)
		}
	}
	return p, nil
}

// split cuts at commas outside quotes and brackets.
func split(text string) []string {
	var parts []string
	depth, from, quote := 0, 0, byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote && (quote == '\'' || text[i-1] != '\\') {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth <= 0:
			parts = append(parts, text[from:i])
			from = i + 1
		}
	}
	return append(parts, text[from:])
}

// parseRange reads FROM..TO, FROM..TO*FACTOR or FROM..TO+STEP. It gives neither
// values nor a span where the text is no range, no span where it has a step, and
// no values where it has none and its ends are not integers.
func parseRange(text string) ([]string, *span, error) {
	low, rest, found := strings.Cut(text, "..")
	from, unit, integer, ok := leading(low)
	if !found || !ok {
		return nil, nil, nil
	}
	high, stepText, operator := rest, "", strings.LastIndexAny(rest, "*+")
	if operator > 0 && rest[operator-1] != 'e' && rest[operator-1] != 'E' { // but of an exponent
		high, stepText = rest[:operator], rest[operator:]
	}
	to, unitTo, integerTo, ok := leading(high)
	switch {
	case !ok:
		return nil, nil, fmt.Errorf("%q is no range: FROM..TO, FROM..TO*FACTOR or FROM..TO+STEP", text)
	case unitTo != unit:
		return nil, nil, fmt.Errorf("the range %s has two units: write both ends in one", text)
	case to < from:
		return nil, nil, fmt.Errorf("the range %s is empty: it goes from %s to %s", text, low, high)
	}
	s := &span{from, to, integer && integerTo, unit}
	if stepText == "" {
		if !s.integers {
			return nil, s, nil
		}
		values, err := s.steps(text, func(i int) float64 { return from + float64(i) })
		return values, s, err
	}
	step, unitStep, integerStep, ok := leading(stepText[1:])
	if !ok || unitStep != "" && (unitStep != unit || stepText[0] == '*') {
		return nil, nil, fmt.Errorf("%q is no step of the range %s", stepText[1:], text)
	}
	s.integers = s.integers && integerStep
	next := func(i int) float64 { return from + float64(i)*step }
	if stepText[0] == '*' {
		next = func(i int) float64 { return from * math.Pow(step, float64(i)) }
	}
	if next(1) <= from {
		return nil, nil, fmt.Errorf("the range %s never ends: a step must be above 0, a factor above 1 and its start above 0", text)
	}
	values, err := s.steps(text, next)
	return values, nil, err
}

// steps are the values up to the end of the span. An end that rounding misses
// belongs to it.
func (s *span) steps(text string, value func(i int) float64) ([]string, error) {
	form := byte('g')
	if s.integers {
		form = 'f'
	}
	var values []string
	for i := 0; ; i++ {
		v := value(i)
		if v > s.to+1e-9*math.Abs(s.to) {
			return values, nil
		}
		if i == MaxPoints {
			return nil, fmt.Errorf("the range %s has more than %d values", text, MaxPoints)
		}
		if s.integers {
			v = math.Round(v)
		}
		values = append(values, strconv.FormatFloat(v, form, -1, 64)+s.unit)
	}
}

// leading is the number at the beginning of a text and what follows it.
func leading(text string) (v float64, unit string, integer, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" || strings.IndexByte("+-.0123456789", text[0]) < 0 || strings.HasPrefix(text, "0x") {
		return 0, "", false, false
	}
	for end := len(text); end > 0; end-- {
		if c := text[end-1]; c >= '0' && c <= '9' || c == '.' {
			v, err := strconv.ParseFloat(text[:end], 64)
			if err == nil && !math.IsInf(v, 0) {
				_, notInteger := strconv.ParseInt(text[:end], 10, 53)
				return v, strings.TrimSpace(text[end:]), notInteger == nil, true
			}
		}
	}
	return 0, "", false, false
}
