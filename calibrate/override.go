package calibrate

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Override is an entry of the catalogue that builds on another.
type Override struct {
	Table     string // "accelerators" or "hosts"
	Name      string
	Base      string
	Data      string // what it was fitted to
	Constants []Constant
	Before    []Residual // of Base
	After     []Residual
}

// WriteTOML writes the override as a scenario may hold it, with the residuals as
// comments. Constants of which the data say nothing are comments, too.
func (o Override) WriteTOML(w io.Writer) error {
	var b strings.Builder
	rows := 0
	for _, r := range o.After {
		rows += r.Rows
	}
	fmt.Fprintf(&b, "# Fitted by railyard calibrate to %d rows of %s.\n", rows, plain(o.Data))
	fmt.Fprintf(&b, "# Errors before and after; a bias above 0 is a prediction that is slow.\n")
	fmt.Fprintf(&b, "#\n# %-36s %6s   %16s   %16s   %18s\n", "error of the prediction", "rows", "median", "nine in ten", "bias")
	for i, r := range o.After {
		was := o.Before[i]
		fmt.Fprintf(&b, "# %-36s %6d   %5.1f -> %5.1f %%   %5.1f -> %5.1f %%   %+6.1f -> %+6.1f %%\n", r.Group, r.Rows,
			100*was.Median, 100*r.Median, 100*was.Ninth, 100*r.Ninth, 100*was.Bias, 100*r.Bias)
	}
	for _, r := range o.After {
		if r.Call != (Call{}) {
			fmt.Fprintf(&b, "# A call of %s takes %v.\n", r.Group, &r.Call)
		}
	}
	fmt.Fprintf(&b, "\n[%s.%q]\nbase = %q\nsource = %q\n", o.Table, plain(o.Name), plain(o.Base),
		fmt.Sprintf("fit to %s, %d rows; the rest: %s", plain(o.Data), rows, plain(o.Base)))
	for _, c := range o.Constants {
		if c.Measured {
			fmt.Fprintf(&b, "%s = %s # was %s\n", c.Key, c.Is, c.Was)
		} else {
			fmt.Fprintf(&b, "# %s = %s: nothing measured depends on it\n", c.Key, c.Was)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// plain is text that a comment and a string of TOML can hold as it is.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, text)
}
