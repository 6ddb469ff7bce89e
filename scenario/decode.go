package scenario

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// The tables of a scenario are Go structs whose tags declare the keys:
//
//	Hosts Key[int64] `key:"hosts" min:"1" max:"262144" kinds:"rail fat-tree" doc:"number of hosts"`
//
// The binder fills them from the tree of a text and reports everything that
// does not fit. [Reference] lists the same declarations for documentation.
//
//	key       the name in the scenario
//	doc       one sentence for the reference
//	default   the value of a key left out, as the scenario would write it
//	min, max  the range of a number
//	most      the greatest quantity, as the scenario would write it
//	positive  "true": 0 is refused too (quantities are never negative)
//	enum      the strings accepted
//	extend    "policies" or "collectives": which Extensions add to the strings
//	required  "true", or the kinds of the table that cannot do without the key
//	kinds     the kinds of the table that take the key; without it, all do
//
// A field is a Key[T]; a struct or a pointer to one for a table; a
// slice of structs for a list of tables; a map from names to pointers for
// [hosts.NAME]; a free for a table that takes any key. An embedded struct adds
// its fields, Header the place.

// declared is the declaration of one key or table: a field's tags.
type declared struct {
	name, doc, standard string        // standard is the default as written
	fallback            reflect.Value // the Key that holds it
	min, max            *float64
	most                string // quantity
	positive            bool
	enum                []string
	extend              string
	required            bool
	requiredBy, takenBy []string // kinds
	index               []int    // of the struct field
	typ                 reflect.Type
	isKey               bool // rather than a table
}

var (
	keyType    = reflect.TypeFor[key]()
	headerType = reflect.TypeFor[Header]()
)

// declarations lists the keys and tables of a struct in the order of its
// fields. Tags are read once: a scenario may have many tables of one type.
func declarations(t reflect.Type) []declared {
	if all, ok := declarationsOf.Load(t); ok {
		return all.([]declared)
	}
	all := readTags(t)
	declarationsOf.Store(t, all)
	return all
}

var declarationsOf sync.Map // from reflect.Type to []declared

func readTags(t reflect.Type) []declared {
	var all []declared
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type != headerType {
			for _, d := range readTags(f.Type) {
				d.index = append([]int{i}, d.index...)
				all = append(all, d)
			}
			continue
		}
		name, ok := f.Tag.Lookup("key")
		if !ok {
			continue
		}
		d := declared{
			name:     name,
			doc:      f.Tag.Get("doc"),
			standard: f.Tag.Get("default"),
			min:      bound(f.Tag.Get("min")),
			max:      bound(f.Tag.Get("max")),
			most:     f.Tag.Get("most"),
			positive: f.Tag.Get("positive") == "true",
			enum:     words(f.Tag.Get("enum")),
			extend:   f.Tag.Get("extend"),
			takenBy:  words(f.Tag.Get("kinds")),
			index:    []int{i},
			typ:      f.Type,
			isKey:    reflect.PointerTo(f.Type).Implements(keyType),
		}
		if d.most != "" {
			d.doc += "; at most " + d.most
		}
		if r := f.Tag.Get("required"); r == "true" {
			d.required = true
		} else {
			d.requiredBy = words(r)
		}
		if d.standard != "" {
			d.fallback = d.parseDefault()
		}
		all = append(all, d)
	}
	return all
}

func words(tag string) []string {
	if tag == "" {
		return nil
	}
	return strings.Fields(tag)
}

func bound(tag string) *float64 {
	if tag == "" {
		return nil
	}
	v, err := strconv.ParseFloat(tag, 64)
	if err != nil {
		panic("scenario: a bound in a tag is not a number: " + tag)
	}
	return &v
}

// inRange judges a number against the declared bounds.
func (d declared) inRange(v float64, text string) error {
	low, high := d.min != nil && v < *d.min, d.max != nil && v > *d.max
	if !low && !high {
		return nil
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	switch {
	case d.min != nil && d.max != nil:
		return fmt.Errorf("must be from %s to %s, not %s", number(*d.min), number(*d.max), text)
	case low:
		return fmt.Errorf("must be %s or more, not %s", number(*d.min), text)
	}
	return fmt.Errorf("must be at most %s, not %s", number(*d.max), text)
}

// parseDefault is the key as it is where the scenario leaves it out.
func (d declared) parseDefault() reflect.Value {
	tree, fault := read(&source{}, "v = "+d.standard)
	if fault != nil {
		panic("scenario: a default in a tag is not TOML: " + d.standard)
	}
	k := reflect.New(d.typ)
	if err := k.Interface().(key).assign(tree.table["v"], d); err != nil {
		panic(fmt.Sprintf("scenario: the default of %s %v", d.name, err))
	}
	k.Elem().FieldByName("Set").SetBool(false)
	k.Elem().FieldByName("Pos").SetZero()
	return k.Elem()
}

// binder fills structs from a tree and collects what does not fit.
type binder struct {
	limited
	extended map[string][]string // what Extensions add, by the tag "extend"
	misread  map[string]bool     // tables with a key that is not what it should be
	unread   []string            // paths of keys and tables that are not what they should be
	judging  bool                // what has been read
}

// maxTables bounds the tables of one list or of one sort of name: each costs
// some kilobytes, however short its text.
const maxTables = 10_000

// maxFaults bounds the faults that a scenario reports: nobody reads more.
const maxFaults = 100

func newBinder() *binder {
	return &binder{limited: limited{most: maxFaults}, misread: map[string]bool{}}
}

// bind fills the struct that to points at.
func bind(root *node, to any) *binder { return bindExtended(root, to, nil) }

// bindExtended is bind with more strings for the keys that take Extensions.
func bindExtended(root *node, to any, extended map[string][]string) *binder {
	b := newBinder()
	b.extended = extended
	b.table(root, "", reflect.ValueOf(to).Elem())
	return b
}

func (b *binder) faultf(at Position, path, format string, args ...any) {
	if b.judging && b.misread[path] { // of the whole table: it may be because of that key
		return
	}
	if b.full() {
		b.more++ // spare the formatting
		return
	}
	message := fmt.Sprintf(format, args...)
	if b.judging && b.judgesUnread(path, message) {
		return
	}
	b.add(at.Faultf(path, "%s", join(path, message, ": ")))
}

// cannotRead notes that what is at a path is not what it should be. What is judged of it
// later, such as that it is missing, would be judged of its default.
func (b *binder) cannotRead(path string) {
	if len(b.unread) < maxFaults {
		b.unread = append(b.unread, path)
	}
}

// judgesUnread says whether a judgement at a path speaks of what could not be read: of
// another key of its table, or of a table by its header.
func (b *binder) judgesUnread(path, message string) bool {
	return slices.ContainsFunc(b.unread, func(unread string) bool {
		table, key := cutPath(unread)
		if key == "name" && mentions(message, "[["+withoutIndices(table)+"]]") || mentions(message, "["+withoutIndices(unread)+"]") {
			return true
		}
		of, _ := cutPath(path)
		return (table == of || table == path || mentions(message, "["+withoutIndices(table)+"]")) && mentions(message, key)
	})
}

// cutPath is the table that a path is in, and the last name of the path.
func cutPath(path string) (table, name string) {
	i := strings.LastIndexByte(path, '.')
	return path[:max(0, i)], path[i+1:]
}

// mentions says whether some words are in a message, whole.
func mentions(message, words string) bool {
	within := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-' }
	for words != "" {
		before, after, found := strings.Cut(message, words)
		if !found {
			break
		}
		last, _ := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(after)
		if !within(last) && !within(next) {
			return true
		}
		message = after
	}
	return false
}

// join is a and b with a separator where neither is empty.
func join(a, b, separator string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + separator + b
}

// table fills one struct. The path is what faults call the table.
func (b *binder) table(n *node, path string, v reflect.Value) {
	if h := v.FieldByName("Header"); h.IsValid() {
		h.Set(reflect.ValueOf(Header{At: n.keyAt(), Path: path}))
	}
	all := declarations(v.Type())
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = d.name
	}
	var misspelt []string // keys that are there under another name
	for _, name := range n.keys {
		if !slices.Contains(names, name) {
			b.unknown(n.table[name], path, name, names)
			if len(misspelt) < len(names) {
				near := Nearest(name, names)
				misspelt = append(misspelt, near)
				if near != "" {
					b.cannotRead(join(path, near, "."))
				}
			}
		}
	}
	kind := b.kind(n, all)
	for _, d := range all {
		field, item := v.FieldByIndex(d.index), n.table[d.name]
		keyPath := join(path, d.name, ".")
		setDefaults(d, field)
		if item == nil {
			if !slices.Contains(misspelt, d.name) {
				b.absent(n, path, kind, d)
			}
			continue
		}
		if kind != "" && d.takenBy != nil && !slices.Contains(d.takenBy, kind) {
			b.faultf(item.keyAt(), keyPath, "has no meaning with kind %q; kinds that take it: %s", kind, strings.Join(d.takenBy, ", "))
			continue
		}
		b.field(item, keyPath, d, field)
	}
}

// kind is the kind that a table says it is of, or "" where tables of this sort
// have no kinds or the value is not a kind.
func (b *binder) kind(n *node, all []declared) string {
	for _, d := range all {
		if d.name != "kind" || n.table["kind"] == nil {
			continue
		}
		if kind, err := wantString(n.table["kind"], d); err == nil {
			return kind
		}
	}
	return ""
}

// absent reports a key that the table cannot leave out.
func (b *binder) absent(n *node, path, kind string, d declared) {
	switch {
	case kind != "" && slices.Contains(d.requiredBy, kind):
		b.faultf(n.table["kind"].keyAt(), path, "kind %q needs the key %q (%s)", kind, d.name, d.doc)
	case d.required:
		b.faultf(n.keyAt(), path, "needs the key %q (%s)", d.name, d.doc)
	}
}

// setDefaults gives the key, or all keys of the table, their defaults.
func setDefaults(d declared, field reflect.Value) {
	if d.fallback.IsValid() {
		field.Set(d.fallback)
	}
	if d.typ.Kind() == reflect.Struct && !d.isKey {
		for _, inner := range declarations(d.typ) {
			setDefaults(inner, field.FieldByIndex(inner.index))
		}
	}
}

// field fills one key or table from a value that is there.
func (b *binder) field(n *node, path string, d declared, field reflect.Value) {
	switch {
	case d.isKey:
		if more := b.extended[d.extend]; more != nil {
			d.enum = slices.Concat(d.enum, more)
		}
		err := field.Addr().Interface().(key).assign(n, d)
		if entry, ok := errors.AsType[*itemError](err); ok {
			n = entry.item
		}
		if err != nil {
			b.faultf(n.valueAt(), path, "%v", err)
			table, _ := cutPath(path)
			b.misread[table] = true
			b.cannotRead(path)
		}
	case d.typ.Kind() == reflect.Struct:
		if b.isTable(n, path) {
			b.fill(n, path, field)
		}
	case d.typ.Kind() == reflect.Pointer:
		if b.isTable(n, path) {
			field.Set(reflect.New(d.typ.Elem()))
			b.table(n, path, field.Elem())
		}
	case d.typ.Kind() == reflect.Slice:
		if !n.isList {
			b.faultf(n.keyAt(), path, "must be a list of tables: write [[%s]]", withoutIndices(path))
			b.cannotRead(path)
			return
		}
		if b.tooMany(n, path, len(n.list)) {
			return
		}
		if len(n.list) == 0 {
			return // as if it were left out
		}
		field.Set(reflect.MakeSlice(d.typ, len(n.list), len(n.list)))
		tables := 0
		for i, item := range n.list {
			if itemPath := fmt.Sprintf("%s[%d]", path, i); b.isTable(item, itemPath) {
				b.fill(item, itemPath, field.Index(tables))
				tables++
			}
		}
		field.SetLen(tables)
	case d.typ.Kind() == reflect.Map:
		if !b.isTable(n, path) || b.tooMany(n, path, len(n.keys)) {
			return
		}
		field.Set(reflect.MakeMap(d.typ))
		for _, name := range n.keys {
			itemPath := path + "." + quoteKey(shown(name))
			if b.isTable(n.table[name], itemPath) {
				item := reflect.New(d.typ.Elem().Elem())
				b.table(n.table[name], itemPath, item.Elem())
				field.SetMapIndex(reflect.ValueOf(name), item)
			}
		}
	}
}

// fill fills a struct, or a table whose keys are not declared.
func (b *binder) fill(n *node, path string, v reflect.Value) {
	table, ok := v.Addr().Interface().(free)
	if !ok {
		b.table(n, path, v)
		return
	}
	if err := table.take(n); err != nil {
		if entry, ok := errors.AsType[*itemError](err); ok {
			n = entry.item
		}
		b.faultf(n.valueAt(), path, "%v", err)
	}
}

// isTable says where a value is no table. An override may have made a table
// without a key yet.
func (b *binder) isTable(n *node, path string) bool {
	if n.isList || n.scalar != nil {
		b.faultf(n.keyAt(), path, "must be a table, not %s", n.kind())
		b.cannotRead(path)
		return false
	}
	return true
}

func (b *binder) tooMany(n *node, path string, tables int) bool {
	if tables > maxTables {
		b.faultf(n.keyAt(), path, "has %d tables; at most %d are taken", tables, maxTables)
	}
	return tables > maxTables
}

// withoutIndices is the path of a table as its header has it.
func withoutIndices(path string) string {
	var b strings.Builder
	for path != "" {
		before, after, _ := strings.Cut(path, "[")
		b.WriteString(before)
		_, path, _ = strings.Cut(after, "]")
	}
	return b.String()
}

// quoteKey is a key as TOML writes it.
func quoteKey(key string) string {
	bare := key != "" && strings.IndexFunc(key, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) < 0
	if bare {
		return key
	}
	return strconv.Quote(key)
}

// unknown reports a key that its table does not have, with what was probably
// meant: a key of nearly this name, or another table that has the key.
func (b *binder) unknown(n *node, path, name string, names []string) {
	if b.full() {
		b.more++
		return
	}
	hint := meant(name, names)
	if tables := homes()[name]; hint == "" && tables != nil {
		hint = "; it belongs in " + strings.Join(tables, " or ")
	}
	where := ""
	if path != "" {
		where = " in " + path
	}
	sort := "key"
	if n.table != nil || n.isList && len(n.list) > 0 && n.list[0].table != nil {
		sort = "table"
	}
	b.add(n.keyAt().Faultf(join(path, quoteKey(shown(name)), "."), "unknown %s %q%s%s", sort, shown(name), where, hint))
}

// Declared is one key of the language, as [Reference] lists it.
type Declared struct {
	Path       string // "workload.training[].tensor", "hosts.NAME.nics"
	Type       string // "integer", "rate", "table", ...
	Default    string // as a scenario writes it; "" without one
	Doc        string
	Min, Max   *float64
	Accepted   []string // the strings that it may be; nil for any
	Required   bool
	RequiredBy []string // kinds of the table that need it
	TakenBy    []string // kinds of the table that take it; nil for all
}

// Reference lists every key and table of the language in the order of the
// language's description: what editors' schemas and manuals are made from.
func Reference() []Declared {
	var all []Declared
	var walk func(path string, t reflect.Type)
	walk = func(path string, t reflect.Type) {
		for _, d := range declarations(t) {
			p := join(path, d.name, ".")
			typ, inner := "table", d.typ
			switch {
			case d.isKey:
				typ, inner = reflect.New(d.typ).Interface().(key).typeName(), nil
			case d.typ.Kind() == reflect.Pointer:
				inner = d.typ.Elem()
			case d.typ.Kind() == reflect.Slice:
				p, typ, inner = p+"[]", "list of tables", d.typ.Elem()
			case d.typ.Kind() == reflect.Map:
				p, typ, inner = p+".NAME", "named tables", d.typ.Elem().Elem()
			}
			all = append(all, Declared{
				Path: p, Type: typ, Default: d.standard, Doc: d.doc, Min: d.min, Max: d.max, Accepted: d.enum,
				Required: d.required, RequiredBy: d.requiredBy, TakenBy: d.takenBy,
			})
			if inner != nil {
				walk(p, inner)
			}
		}
	}
	walk("", reflect.TypeFor[Scenario]())
	return all
}

// homes maps each key's name to the tables that have it, as headers.
var homes = sync.OnceValue(func() map[string][]string {
	tables := make(map[string][]string)
	for _, d := range Reference() {
		dot := strings.LastIndexByte(d.Path, '.')
		if dot < 0 || d.Type == "named tables" || d.Type == "list of tables" {
			continue
		}
		header := "[" + d.Path[:dot] + "]"
		if list, ok := strings.CutSuffix(d.Path[:dot], "[]"); ok {
			header = "[[" + list + "]]"
		}
		tables[d.Path[dot+1:]] = append(tables[d.Path[dot+1:]], header)
	}
	return tables
})

// overlay is a copy of base in which every key that over sets is taken from
// over: how an entry of a catalogue builds on another.
func overlay[T any](over, base *T) *T {
	result := *over
	to, from := reflect.ValueOf(&result).Elem(), reflect.ValueOf(base).Elem()
	for _, d := range declarations(to.Type()) {
		if k, ok := to.FieldByIndex(d.index).Addr().Interface().(key); ok && !k.isSet() {
			to.FieldByIndex(d.index).Set(from.FieldByIndex(d.index))
		}
	}
	return &result
}

// sortedNames is the names of a map's entries in order, for iteration that
// does not depend on the map.
func sortedNames[T any](m map[string]T) []string {
	return slices.Sorted(maps.Keys(m))
}
