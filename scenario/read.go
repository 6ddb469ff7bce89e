package scenario

import (
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
)

// parseText reads the file of a scenario.
func parseText(file, text string) (*node, *Fault) {
	if len(text) > maxText {
		return nil, new(Position{File: file}.Faultf("", "the scenario is larger than %d MiB", maxText>>20))
	}
	text = strings.TrimPrefix(text, "\ufeff")
	if isJSON(text) {
		return readJSON(newSource(file, text), text)
	}
	return read(newSource(file, text), text)
}

// maxText bounds the text of a scenario. Reading a hostile one of this
// size takes a few seconds; what is large belongs in the CSV files that a
// scenario names.
const maxText = 4 << 20

// read turns the text of a scenario into a tree of values with positions.
func read(src *source, text string) (*node, *Fault) {
	// The walk comes first because it bounds the nesting: the decoder recurses
	// without a limit of its own.
	root, fault := index(src, text)
	if fault != nil {
		return nil, fault
	}
	values := map[string]any{}
	if _, err := toml.Decode(text, &values); err != nil {
		var syntax toml.ParseError
		if !errors.As(err, &syntax) {
			return nil, new(src.at(0).Faultf("", "%s", strings.TrimPrefix(err.Error(), "toml: ")))
		}
		at := src.at(min(syntax.Position.Start, len(text)))
		if number, _, large := strings.Cut(syntax.Message, " is out of range for "); large {
			return nil, new(at.Faultf(syntax.LastKey, "%s: %s is more than any number can be", syntax.LastKey, shown(number)))
		}
		return nil, new(at.Faultf("", "%s", syntax.Message))
	}
	root.take(values)
	return root, nil
}

// take fills the values of the decoder into the tree. A key that the walk
// missed would stand where its table does.
func (n *node) take(value any) {
	switch v := value.(type) {
	case map[string]any:
		n.makeTable()
		for key, item := range v {
			n.child(key, n.key).take(item)
		}
	case []map[string]any:
		for i, item := range v {
			n.item(i).take(item)
		}
	case []any:
		for i, item := range v {
			n.item(i).take(item)
		}
	default:
		n.scalar = v
	}
}

func (n *node) item(i int) *node {
	n.isList = true
	if i == len(n.list) {
		n.list = append(n.list, &node{source: n.source, key: n.value, value: n.value})
	}
	return n.list[i]
}

// kind says what a value is, as a message puts it.
func (n *node) kind() string {
	switch v := n.scalar.(type) {
	case nil:
		if n.isList {
			return "a list"
		}
		return "a table"
	case string:
		return "a string"
	case int64, float64:
		return "a number"
	case bool:
		return fmt.Sprint(v)
	}
	return "a date or time"
}
