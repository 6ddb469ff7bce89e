package scenario

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A scenario may be written as a JSON object of the same shape, as programs make it: a
// table is an object, a list of tables a list of objects. A text that begins with a brace
// is one, since none of TOML does.

func isJSON(text string) bool { return strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") }

// readJSON turns a JSON object into a tree of values with positions.
func readJSON(src *source, text string) (*node, *Fault) {
	r := &jsonReader{walker{source: src, text: text}, json.NewDecoder(strings.NewReader(text))}
	r.in.UseNumber()
	if !utf8.ValidString(text) {
		return nil, new(src.at(0).Faultf("", "the scenario is not UTF-8"))
	}
	root := r.value(way{})
	if r.fault == nil {
		at := r.next()
		if _, err := r.in.Token(); !errors.Is(err, io.EOF) {
			r.fault = new(src.at(at).Faultf("", "there is more behind the object"))
		}
	}
	return root, r.fault
}

// jsonReader builds the tree of a JSON text.
type jsonReader struct {
	walker
	in *json.Decoder
}

// next is the offset of the token that comes next.
func (r *jsonReader) next() int {
	at := int(r.in.InputOffset())
	return at + len(r.text[at:]) - len(strings.TrimLeft(r.text[at:], " \t\r\n,:"))
}

// token reads a token, or sets the fault.
func (r *jsonReader) token() json.Token {
	at := r.next()
	t, err := r.in.Token()
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		r.fault = new(r.source.at(at).Faultf("", "%v", err))
	case err != nil: // the text ends
		r.fault = new(r.source.at(at).Faultf("", "the object does not end"))
	}
	return t
}

// value reads a value; at is how far it lies from the root.
func (r *jsonReader) value(at way) *node {
	offset := r.next()
	n := &node{source: r.source, key: offset, value: offset}
	switch t := r.token().(type) {
	case json.Delim:
		if t == '{' {
			r.object(n, at)
		} else {
			r.list(n, at)
		}
	case json.Number:
		r.number(n, string(t))
	case string:
		n.scalar = t
	case bool:
		n.scalar = t
	case nil:
		if r.fault == nil {
			r.fault = new(r.source.at(offset).Faultf("", "null is no value: leave the key out"))
		}
	}
	return n
}

// object reads the keys of a table, whose brace has been read.
func (r *jsonReader) object(n *node, at way) {
	n.makeTable()
	for r.fault == nil && r.in.More() {
		offset := r.next()
		key, _ := r.token().(string)
		if r.fault != nil {
			return
		}
		inside, ok := r.further(at, offset, len(key))
		if !ok {
			return
		}
		if key == "" { // of which TOML's library loses some, written as TOML
			r.fault = new(r.source.at(offset).Faultf("", "a key without a name"))
			return
		}
		if n.table[key] != nil {
			r.fault = new(r.source.at(offset).Faultf("", "the key %q is there twice", shown(key)))
			return
		}
		c := r.value(inside)
		c.key = offset
		n.put(key, c)
	}
	if r.fault == nil {
		r.token() // the closing brace
	}
}

// list reads the entries of a list, whose bracket has been read.
func (r *jsonReader) list(n *node, at way) {
	n.isList = true
	for r.fault == nil && r.in.More() {
		inside, ok := r.further(at, r.next(), 0)
		if !ok {
			return
		}
		n.list = append(n.list, r.value(inside))
	}
	if r.fault == nil {
		r.token() // the closing bracket
	}
}

// number is a whole number where it is written as one, as in TOML.
func (r *jsonReader) number(n *node, text string) {
	var err error
	if strings.ContainsAny(text, ".eE") {
		n.scalar, err = strconv.ParseFloat(text, 64)
	} else {
		n.scalar, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		r.fault = new(r.source.at(n.value).Faultf("", "%s is out of range", shown(text)))
	}
}
