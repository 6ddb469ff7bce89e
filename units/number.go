package units

import (
	"strconv"
	"strings"
)

// ParseNumber reads a number without a unit as tables of all programs write it: decimal,
// maybe with an exponent. It is [strconv.ParseFloat] without what Go's source has beside
// that: underscores between digits, and hexadecimal digits.
func ParseNumber(text string) (float64, error) {
	if strings.ContainsAny(text, "_xX") {
		return 0, &strconv.NumError{Func: "ParseNumber", Num: text, Err: strconv.ErrSyntax}
	}
	return strconv.ParseFloat(text, 64)
}
