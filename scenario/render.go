package scenario

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Text is the scenario as TOML: the keys of its text with what the command line set,
// in the order written. Read again it is the same scenario; comments are lost.
func (s *Scenario) Text() string {
	var b strings.Builder
	s.root.render(&b, "")
	return strings.TrimPrefix(b.String(), "\n")
}

// render writes a table: first its values, then the tables in it, under their headers.
func (n *node) render(b *strings.Builder, path string) {
	for _, key := range n.keys {
		if c := n.table[key]; !c.isTables() {
			fmt.Fprintf(b, "%s = %s\n", bareKey(key), c.inline())
		}
	}
	for _, key := range n.keys {
		c, at := n.table[key], bareKey(key)
		if path != "" {
			at = path + "." + at
		}
		switch {
		case !c.isTables():
		case c.isList:
			for _, item := range c.list {
				fmt.Fprintf(b, "\n[[%s]]\n", at)
				item.render(b, at)
			}
		default:
			if c.hasValues() || len(c.keys) == 0 {
				fmt.Fprintf(b, "\n[%s]\n", at)
			}
			c.render(b, at)
		}
	}
}

// isTables says whether a value is a table, or a list of nothing but tables.
func (n *node) isTables() bool {
	if !n.isList {
		return n.table != nil
	}
	for _, item := range n.list {
		if item.table == nil {
			return false
		}
	}
	return len(n.list) > 0
}

// hasValues says whether a table holds anything but tables.
func (n *node) hasValues() bool {
	for _, c := range n.table {
		if !c.isTables() {
			return true
		}
	}
	return false
}

// inline is a value as it stands behind its key.
func (n *node) inline() string {
	switch {
	case n.isList:
		items := make([]string, len(n.list))
		for i, item := range n.list {
			items[i] = item.inline()
		}
		return "[" + strings.Join(items, ", ") + "]"
	case n.table != nil:
		items := make([]string, len(n.keys))
		for i, key := range n.keys {
			items[i] = bareKey(key) + " = " + n.table[key].inline()
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	switch v := n.scalar.(type) {
	case string:
		return quoted(v)
	case float64:
		switch {
		case math.IsNaN(v):
			return "nan"
		case math.IsInf(v, 0):
			return fmt.Sprintf("%+f", v)[:1] + "inf"
		}
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0" // or it would be read as an integer
		}
		return text
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(n.scalar)
}

// bareKey is a key, quoted where it has to be.
func bareKey(key string) string {
	for _, r := range key {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-') {
			return quoted(key)
		}
	}
	if key == "" {
		return quoted(key)
	}
	return key
}

// quoted is a string of TOML, whose escapes are fewer than those of Go.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
