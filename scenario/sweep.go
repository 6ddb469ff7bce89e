package scenario

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Sweep is [sweep]: runs of one scenario with some of its keys varied. What
// the methods do says package sweep, which makes the points.
type Sweep struct {
	Header
	Method     Key[string]   `key:"method" default:"\"grid\"" enum:"grid zip random latin-hypercube halton" doc:"grid: every combination of values; zip: the first values of all keys, then the second, ...; random, latin-hypercube, halton: so many points spread over the ranges"`
	Points     Key[int64]    `key:"points" min:"1" max:"1000000" doc:"number of points, with the methods random, latin-hypercube and halton"`
	Seeds      Key[int64]    `key:"seeds" default:"1" min:"1" max:"1000000" doc:"each point runs with so many seeds, from sim.seed on"`
	Where      Key[[]string] `key:"where" doc:"constraints, as in \"tensor * pipeline <= 64\": points that break one are left out"`
	Objectives Key[[]string] `key:"objectives" doc:"metrics to find the best points by: a path into summary.json with min (the default) or max before it, as in \"max training.0.mfu_ratio\""`
	Vary       Variations    `key:"vary" doc:"keys and their values: topology.hosts = \"16..256*2\", or a list"`
	Point      []Settings    `key:"point" doc:"points spelt out, keys and their values; in place of vary"`
}

// Variations are the keys that a sweep varies.
type Variations struct{ Keys []Variation }

// Variation is one key that a sweep varies, and its values.
type Variation struct {
	Key string // dotted, as --set takes it
	// Values are the values of a list as --set takes them. A single value has
	// its text in Range in place of that.
	Values []string
	Range  string
	Pos    Position
}

// Settings are keys and their values, as --set takes them.
type Settings struct{ Keys []Setting }

// Setting is a key and its value.
type Setting struct {
	Key, Value string
	Pos        Position
}

// free is a table whose keys are not declared.
type free interface{ take(n *node) error }

func (v *Variations) take(n *node) error {
	return n.leaves("", func(key string, leaf *node) error {
		found := Variation{Key: key, Pos: leaf.valueAt()}
		switch {
		case leaf.isList:
			for _, item := range leaf.list {
				found.Values = append(found.Values, item.override())
			}
			if found.Values == nil {
				return &itemError{leaf, fmt.Errorf("%s must not be an empty list", key)}
			}
		case leaf.table != nil:
			return &itemError{leaf, fmt.Errorf("%s is an empty table", key)}
		default:
			found.Range = fmt.Sprint(leaf.scalar)
		}
		v.Keys = append(v.Keys, found)
		return nil
	})
}

func (s *Settings) take(n *node) error {
	return n.leaves("", func(key string, leaf *node) error {
		s.Keys = append(s.Keys, Setting{key, leaf.override(), leaf.valueAt()})
		return nil
	})
}

// leaves visits what is not a table with keys, in the order written.
func (n *node) leaves(path string, visit func(key string, leaf *node) error) error {
	for _, name := range n.keys {
		key, item := join(path, quoteKey(name), "."), n.table[name]
		err := error(nil)
		if len(item.keys) > 0 {
			err = item.leaves(key, visit)
		} else {
			err = visit(key, item)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// override is a value as --set takes it: a string stands bare where it is read
// as the same string.
func (n *node) override() string {
	if s, ok := n.scalar.(string); ok {
		if back := overrideValue(&source{}, s); back.scalar == n.scalar {
			return s
		}
	}
	return n.toml()
}

// toml is a value in the language.
func (n *node) toml() string {
	switch v := n.scalar.(type) {
	case string:
		return quoteString(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case nil:
		var parts []string
		if n.isList {
			for _, item := range n.list {
				parts = append(parts, item.toml())
			}
			return "[" + strings.Join(parts, ", ") + "]"
		}
		for _, name := range n.keys {
			parts = append(parts, quoteKey(name)+" = "+n.table[name].toml())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return fmt.Sprint(v)
	}
}

// quoteString is a basic string of TOML.
func quoteString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// check judges [sweep] by itself.
func (w *Sweep) check(b *binder) {
	sampled := w.Method.Value != "grid" && w.Method.Value != "zip"
	switch {
	case w.Vary.Keys == nil && w.Point == nil:
		return // all may come from the command line
	case w.Vary.Keys != nil && w.Point != nil:
		b.faultf(w.At, w.Path, "has both vary and point: points are either made or spelt out")
	case sampled && w.Vary.Keys != nil && !w.Points.Set:
		b.faultf(w.Method.Pos, w.Path+".points", "is missing: method %q takes so many points", w.Method.Value)
	}
	for _, v := range w.Vary.Keys {
		if err := CheckKey(v.Key); err != nil {
			b.faultf(v.Pos, w.Path+".vary", "%v", err)
		}
	}
	for _, p := range w.Point {
		for _, set := range p.Keys {
			if err := CheckKey(set.Key); err != nil {
				b.faultf(set.Pos, w.Path+".point", "%v", err)
			}
		}
	}
}

// CheckKey says what is wrong with a dotted key, as --set takes it, that no
// scenario could have; nil if one could.
func CheckKey(key string) error {
	parts, ok := splitKey(&source{}, key)
	if !ok {
		return fmt.Errorf("%q is not a dotted key such as topology.hosts", shown(key))
	}
	at := reflect.TypeFor[Scenario]()
	for i, part := range parts {
		walked := strings.Join(parts[:i], ".")
		switch {
		case at.Kind() == reflect.Slice:
			if _, err := strconv.ParseUint(part, 10, 31); err != nil {
				return fmt.Errorf("%s is a list: say which of its entries, as in %s.0", walked, walked)
			}
			at = at.Elem()
			continue
		case at.Kind() == reflect.Map:
			at = at.Elem().Elem()
			continue
		case at.Kind() != reflect.Struct || at.Implements(keyType):
			return fmt.Errorf("%s is a single value: %q leads nowhere", walked, shown(part))
		}
		all := declarations(at)
		names := make([]string, len(all))
		for j, d := range all {
			names[j] = d.name
		}
		j := slices.Index(names, part)
		if j < 0 {
			hint := meant(part, names)
			if tables := homes()[part]; hint == "" && tables != nil {
				hint = "; it belongs in " + strings.Join(tables, " or ")
			}
			return fmt.Errorf("unknown key %q in %q%s", shown(part), shown(key), hint)
		}
		at = all[j].typ
		if all[j].isKey {
			if i < len(parts)-1 {
				return fmt.Errorf("%s is a single value: %q leads nowhere", strings.Join(parts[:i+1], "."), shown(parts[i+1]))
			}
			return nil
		}
		if at.Kind() == reflect.Pointer {
			at = at.Elem()
		}
	}
	return fmt.Errorf("%s is a table: say which of its keys", shown(key))
}

// ReadSweep reads the [sweep] of a scenario and nothing else, since the scenario
// may lack what the sweep varies. With it come all keys that the scenario gives,
// dotted, and their values as --set takes them.
func ReadSweep(file string, text []byte, overrides []string) (*Sweep, map[string]string, Faults) {
	root, faults := tree(file, text, overrides)
	if faults != nil {
		return nil, nil, faults
	}
	s := &Scenario{}
	b := newBinder()
	if n := root.table["sweep"]; n == nil {
		setDefaults(declared{typ: reflect.TypeFor[Sweep]()}, reflect.ValueOf(&s.Sweep).Elem())
	} else if b.isTable(n, "sweep") {
		b.table(n, "sweep", reflect.ValueOf(&s.Sweep).Elem())
		s.Sweep.check(b)
	}
	return &s.Sweep, root.values(), b.all()
}

// values are all keys of a tree, dotted, with their values as --set takes them.
func (n *node) values() map[string]string {
	values := map[string]string{}
	var walk func(path string, n *node)
	walk = func(path string, n *node) {
		switch {
		case n.isList && len(n.list) > 0 && n.list[0].table != nil:
			for i, item := range n.list {
				walk(join(path, strconv.Itoa(i), "."), item)
			}
		case len(n.keys) > 0:
			for _, name := range n.keys {
				walk(join(path, quoteKey(name), "."), n.table[name])
			}
		case n.table == nil:
			values[path] = n.override()
		}
	}
	walk("", n)
	return values
}
