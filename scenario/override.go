package scenario

import (
	"fmt"
	"strconv"
	"strings"
)

// override applies one "KEY=VALUE" of the command line to the tree. The key is
// a dotted path in which a number picks an entry of a list, from 0, as in
// "workload.training.0.tensor"; a part that holds dots itself is quoted. The
// value is read as TOML, as a JSON object where it is one, and taken for a string
// where it is neither, so that topology.bandwidth=400Gbps needs no quotes.
//
// Faults name the flag in place of a file.
func override(root *node, text string) *Fault {
	key, value, found := strings.Cut(text, "=")
	flag := &source{file: "--set " + shown(key)}
	path, ok := splitKey(flag, key)
	if !found || !ok {
		return new(flag.at(0).Faultf("", "KEY=VALUE was expected, as in --set topology.hosts=16"))
	}
	n := root
	for i, name := range path {
		next, err := n.step(flag, name)
		if err != nil {
			if i > 0 {
				err = fmt.Errorf("%s %w", shown(strings.Join(path[:i], ".")), err)
			}
			return new(flag.at(0).Faultf(shown(key), "%v", err))
		}
		n = next
	}
	*n = *overrideValue(flag, value)
	return nil
}

// splitKey is the parts of a dotted key.
func splitKey(flag *source, key string) (path []string, ok bool) {
	tree, fault := index(flag, key+"=0")
	if fault != nil {
		return nil, false
	}
	for n := tree; len(n.keys) > 0; n = n.table[n.keys[0]] {
		path = append(path, n.keys[0])
	}
	return path, true
}

// step goes from a table or list to one of its entries. A key that a table
// lacks is made; a list does not grow.
func (n *node) step(flag *source, name string) (*node, error) {
	number, notNumber := strconv.Atoi(name)
	switch {
	case n.scalar != nil:
		return nil, fmt.Errorf("is %s, not a table", n.kind())
	case n.isList && notNumber != nil:
		return nil, fmt.Errorf("is a list: say which of its entries, as in 0.%s", shown(name))
	case n.isList && (number < 0 || number >= len(n.list)):
		return nil, fmt.Errorf("has %d entries, counted from 0: there is no %s", len(n.list), shown(name))
	case n.isList:
		return n.list[number], nil
	case n.table == nil && notNumber == nil: // made by the step before
		return nil, fmt.Errorf("is not in the scenario: there is no %s", shown(name))
	case n.table[name] == nil:
		n.put(name, &node{source: flag})
	}
	return n.table[name], nil
}

func overrideValue(flag *source, value string) *node {
	tree, fault := read(flag, "v = "+value)
	if fault != nil || len(tree.keys) != 1 {
		if isJSON(value) {
			if table, fault := readJSON(flag, value); fault == nil {
				return table
			}
		}
		return &node{source: flag, scalar: value}
	}
	return tree.table["v"]
}
