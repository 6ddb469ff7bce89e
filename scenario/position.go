package scenario

import (
	"errors"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// The decoder of TOML that fills values knows no positions, so the text is
// walked twice: here for the shape and the places, then in decode.go for the
// values. This is the only file that knows the walking parser, whose package
// promises no stable interface.

// Bounds of the way to a value, dotted keys included. A real scenario needs
// five levels and some fifty bytes; both parsers recurse, and the decoder keeps
// the whole way for every key.
const (
	maxDepth = 32  // tables in tables and lists in lists
	maxPath  = 512 // bytes in their names
)

// source turns offsets in a text into positions.
type source struct {
	file  string
	lines []int // offset of the first byte of each line; none for a flag of the command line
}

func newSource(file, text string) *source {
	s := &source{file: file, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

func (s *source) at(offset int) Position {
	line, exact := slices.BinarySearch(s.lines, offset)
	if !exact {
		line-- // the line that begins before the offset
	}
	if line < 0 {
		return Position{File: s.file}
	}
	return Position{File: s.file, Line: line + 1, Col: offset - s.lines[line] + 1}
}

// node is one value of the scenario's text and where it was written: a table,
// a list, or else a scalar.
type node struct {
	source     *source
	key, value int // offsets

	keys   []string // of the table, in the order written
	table  map[string]*node
	list   []*node
	isList bool
	scalar any // string, int64, float64, bool or time.Time
}

// keyAt is where the key stands, for a table the head of its header.
func (n *node) keyAt() Position { return n.source.at(n.key) }

// valueAt is where the value begins.
func (n *node) valueAt() Position { return n.source.at(n.value) }

// child finds the value of a key in a table, and makes it at the given offset
// if it is not there.
func (n *node) child(key string, offset int) *node {
	if c := n.table[key]; c != nil {
		return c
	}
	c := &node{source: n.source, key: offset, value: offset}
	n.put(key, c)
	return c
}

func (n *node) put(key string, c *node) {
	n.makeTable()
	if n.table[key] == nil {
		n.keys = append(n.keys, key)
	}
	n.table[key] = c
}

// drop takes a key out of a table.
func (n *node) drop(key string) {
	delete(n.table, key)
	n.keys = slices.DeleteFunc(n.keys, func(k string) bool { return k == key })
}

func (n *node) makeTable() {
	if n.table == nil {
		n.table = make(map[string]*node)
	}
}

// last is the table that a key under n goes to: n, or the last of its list.
func (n *node) last() *node {
	for n.isList && len(n.list) > 0 {
		n = n.list[len(n.list)-1]
	}
	return n
}

// walker builds the tree of a text.
type walker struct {
	parser *unstable.Parser
	source *source
	text   string
	fault  *Fault // what nests too deep, or the first error of syntax
}

// index walks a text and returns its shape with positions, values not yet
// filled in, or what is wrong with its syntax. It runs in O(len(text)).
func index(src *source, text string) (*node, *Fault) {
	data := []byte(text)
	w := &walker{parser: &unstable.Parser{}, source: src, text: text}
	w.parser.Reset(data)
	root := &node{source: w.source, table: map[string]*node{}}
	current, at := root, way{}
	for w.fault == nil && w.parser.NextExpression() {
		switch e := w.parser.Expression(); e.Kind {
		case unstable.Table:
			current, at = w.header(root, e.Key(), false)
		case unstable.ArrayTable:
			current, at = w.header(root, e.Key(), true)
		case unstable.KeyValue:
			w.keyValue(current, e, at)
		}
	}
	if err := w.parser.Error(); w.fault == nil && err != nil {
		w.fault = new(w.syntax(data, err))
	}
	return root, w.fault
}

// syntax is the parser's error at its place.
func (w *walker) syntax(data []byte, err error) Fault {
	var at *unstable.ParserError
	if !errors.As(err, &at) {
		return w.source.at(0).Faultf("", "%v", err)
	}
	// The highlight is a part of data, so their capacities tell its offset.
	offset := min(max(cap(data)-cap(at.Highlight), 0), len(data))
	return w.source.at(offset).Faultf("", "%s", at.Message)
}

// way is the size of the way from the root to a value: how many tables and
// lists, and how many bytes in their names.
type way struct{ depth, length int }

// further goes on into a table or list whose name has so many bytes. Where
// that is too far, the walk ends with a fault.
func (w *walker) further(at way, offset, length int) (next way, ok bool) {
	at.depth++
	at.length += length
	switch {
	case at.depth > maxDepth:
		w.fault = new(w.source.at(offset).Faultf("", "nested deeper than %d levels", maxDepth))
	case at.length > maxPath:
		w.fault = new(w.source.at(offset).Faultf("", "the names of this key and its tables have more than %d bytes", maxPath))
	}
	return at, w.fault == nil
}

// follow goes along a dotted key from a table to what it names, making what is
// not there. It returns the range of the key's last part too.
func (w *walker) follow(n *node, key unstable.Iterator, at way) (end *node, last unstable.Range, next way, ok bool) {
	for key.Next() {
		last = key.Node().Raw
		if at, ok = w.further(at, int(last.Offset), int(last.Length)); !ok {
			return nil, last, at, false
		}
		n = n.last().child(string(key.Node().Data), int(last.Offset))
	}
	return n, last, at, true
}

// header finds the table that "[a.b]" speaks of, or adds the one that
// "[[a.b]]" does.
func (w *walker) header(root *node, key unstable.Iterator, isItem bool) (*node, way) {
	n, last, at, ok := w.follow(root, key, way{})
	if !ok {
		return root, at
	}
	bracket := strings.LastIndexByte(w.text[:last.Offset], '[')
	if !isItem {
		n.makeTable()
		n.key, n.value = bracket, bracket
		return n, at
	}
	bracket-- // the first of the two
	if !n.isList {
		n.isList, n.key = true, bracket
	}
	item := &node{source: w.source, key: bracket, value: bracket, table: map[string]*node{}}
	n.list = append(n.list, item)
	at.depth++
	return item, at
}

// keyValue adds "a.b = value" under a table.
func (w *walker) keyValue(n *node, e *unstable.Node, at way) {
	n, last, at, ok := w.follow(n, e.Key(), at)
	if !ok {
		return
	}
	// Not every value knows its own place, but each follows its "=".
	n.value = len(w.text) - len(strings.TrimLeft(w.text[last.Offset+last.Length:], " \t="))
	w.fill(n, e.Value(), at)
}

// fill adds what is inside a value.
func (w *walker) fill(n *node, value *unstable.Node, at way) {
	switch value.Kind {
	case unstable.InlineTable:
		n.makeTable()
		for items := value.Children(); items.Next(); {
			w.keyValue(n, items.Node(), at)
		}
	case unstable.Array:
		n.isList = true
		for items := value.Children(); items.Next(); {
			item := &node{source: w.source, key: n.value, value: n.value}
			if raw := items.Node().Raw; raw.Length > 0 {
				item.key, item.value = int(raw.Offset), int(raw.Offset)
			}
			inside, ok := w.further(at, item.value, 0)
			if !ok {
				return
			}
			n.list = append(n.list, item)
			w.fill(item, items.Node(), inside)
		}
	}
}
