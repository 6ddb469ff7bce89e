package scenario

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/railyard/railyard/units"
)

// Key is the value of one key of a scenario, and where it was given.
type Key[T any] struct {
	Value T        // the default, if the key has one, where Set is false
	Set   bool     // the scenario gives the key
	Pos   Position // of the value; zero where Set is false
}

// Header is embedded in every table and says where it begins: at its header,
// or where a dotted key first speaks of it. It is zero for a table that the
// scenario leaves out.
type Header struct {
	At   Position
	Path string // as faults name it: "workload.training[0]"
}

// Selection says which of an ordered set (accelerators, ranks) take part: so
// many from the first on, or exactly those listed.
type Selection struct {
	Count int64
	List  []int64 // nil where Count holds
}

// CountOrAuto is a whole number, or "auto" to have it chosen.
type CountOrAuto struct {
	Count int64
	Auto  bool
}

// key is what the binder sees of a Key[T].
type key interface {
	typeName() string
	schema(d declared) *schema
	assign(n *node, d declared) error
	isSet() bool
}

func (k *Key[T]) isSet() bool { return k.Set }

// isZero is true of the number 0 and a quantity of 0.
func (k *Key[T]) isZero() bool {
	v := reflect.ValueOf(k.Value)
	return (v.CanInt() || v.CanFloat()) && v.IsZero()
}

// beyond says whether a quantity is more than one that is written out.
func (k *Key[T]) beyond(most string) bool {
	var limit T
	if err := any(&limit).(encoding.TextUnmarshaler).UnmarshalText([]byte(most)); err != nil {
		panic("scenario: a bound in a tag is no quantity: " + most)
	}
	v, l := reflect.ValueOf(k.Value), reflect.ValueOf(limit)
	return v.CanInt() && v.Int() > l.Int() || v.CanFloat() && v.Float() > l.Float()
}

// typeName is the type of the value in the words of the reference.
func (k *Key[T]) typeName() string {
	switch any(k.Value).(type) {
	case string:
		return "string"
	case int64:
		return "integer"
	case float64:
		return "number"
	case bool:
		return "true or false"
	case units.Bytes:
		return "data"
	case units.Rate:
		return "rate"
	case units.Duration:
		return "time"
	case units.Compute:
		return "compute rate"
	case units.Power:
		return "power"
	case units.Energy:
		return "energy"
	case units.Money:
		return "money"
	case units.MoneyRate:
		return "price per hour"
	case units.Tariff:
		return "price of energy"
	case []units.Bytes:
		return "list of data"
	case []string:
		return "list of strings"
	case []int64:
		return "list of integers"
	case []float64:
		return "list of numbers"
	case []bool:
		return "true, false or a list of them"
	case Selection:
		return "integer or list of integers"
	case CountOrAuto:
		return `integer or "auto"`
	case DurationOrAuto:
		return `time or "auto"`
	case MTBF:
		return `time or "published"`
	case Lengths:
		return "integer or distribution"
	}
	panic(fmt.Sprintf("scenario: no key holds a %T", k.Value))
}

// assign sets the key to a value of the text, or says why it cannot be that.
func (k *Key[T]) assign(n *node, d declared) error {
	value := k.Value
	if err := assign(any(&value), n, d); err != nil {
		return err
	}
	given := Key[T]{Value: value, Set: true, Pos: n.valueAt()}
	if d.positive && given.isZero() {
		return fmt.Errorf("must be more than 0")
	}
	if d.most != "" && given.beyond(d.most) {
		return fmt.Errorf("must be at most %s, not %s", d.most, shown(fmt.Sprint(n.scalar)))
	}
	*k = given
	return nil
}

func assign(to any, n *node, d declared) (err error) {
	switch to := to.(type) {
	case *string:
		*to, err = wantString(n, d)
	case *int64:
		*to, err = wantInteger(n, d)
	case *float64:
		*to, err = wantNumber(n, d)
	case *bool:
		*to, err = wantBool(n)
	case *[]bool:
		if !n.isList {
			var b bool
			b, err = wantBool(n)
			*to = []bool{b}
			return err
		}
		*to, err = wantList(n, wantBool)
	case encoding.TextUnmarshaler:
		return wantQuantity(to, n)
	case *[]units.Bytes:
		*to, err = wantList(n, func(item *node) (b units.Bytes, err error) {
			return b, wantQuantity(&b, item)
		})
	case *[]string:
		*to, err = wantList(n, func(item *node) (string, error) { return wantString(item, d) })
	case *[]int64:
		*to, err = wantList(n, func(item *node) (int64, error) { return wantInteger(item, d) })
	case *[]float64:
		*to, err = wantList(n, func(item *node) (float64, error) { return wantNumber(item, d) })
	case *Selection:
		*to, err = wantSelection(n, d)
	case *Lengths:
		*to, err = wantLengths(n, d)
	case *CountOrAuto:
		if n.scalar == "auto" {
			*to = CountOrAuto{Auto: true}
			return nil
		}
		if _, isString := n.scalar.(string); isString {
			return fmt.Errorf(`must be an integer or "auto"`)
		}
		*to = CountOrAuto{}
		to.Count, err = wantInteger(n, d)
	default:
		panic(fmt.Sprintf("scenario: no key holds a %T", to))
	}
	return err
}

func wantString(n *node, d declared) (string, error) {
	s, ok := n.scalar.(string)
	switch {
	case !ok:
		return "", fmt.Errorf("must be a string, not %s", n.kind())
	case d.enum != nil && !slices.Contains(d.enum, s):
		return "", fmt.Errorf("%q is unknown%s; one of: %s",
			shown(s), meant(s, d.enum), strings.Join(d.enum, ", "))
	case s == "":
		return "", fmt.Errorf("must not be empty")
	case strings.ContainsFunc(s, unprintable):
		return "", fmt.Errorf("must not hold control characters, as %q does", shown(s))
	}
	return s, nil
}

// unprintable are the characters that a picture, which is XML, cannot hold, and that lead
// a terminal astray.
func unprintable(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' }

func wantBool(n *node) (bool, error) {
	b, ok := n.scalar.(bool)
	if !ok {
		return false, fmt.Errorf("must be true or false, not %s", n.kind())
	}
	return b, nil
}

// wantInteger takes a whole number; 300e9 is one, though TOML has it as a
// floating-point number.
func wantInteger(n *node, d declared) (int64, error) {
	var i int64
	switch v := n.scalar.(type) {
	case int64:
		i = v
	case float64:
		const exact = 1 << 53
		switch {
		case v != math.Trunc(v) || math.IsInf(v, 0): // nan is not its own whole part
			return 0, fmt.Errorf("must be a whole number, not %s", written(v))
		case math.Abs(v) > exact:
			return 0, fmt.Errorf("%s is out of range: with a point or an exponent a whole number goes to 2^53", written(v))
		}
		i = int64(v)
	default:
		return 0, fmt.Errorf("must be an integer, not %s", n.kind())
	}
	return i, d.inRange(float64(i), strconv.FormatInt(i, 10))
}

func wantNumber(n *node, d declared) (float64, error) {
	var f float64
	switch v := n.scalar.(type) {
	case int64:
		f = float64(v)
	case float64:
		f = v
	default:
		return 0, fmt.Errorf("must be a number, not %s", n.kind())
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("must be a finite number, not %s", written(f))
	}
	return f, d.inRange(f, written(f))
}

// written is a number as TOML has it.
func written(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// wantQuantity takes a string with a unit. A bare number goes to the parser of
// the quantity all the same: its error lists the units.
func wantQuantity(to encoding.TextUnmarshaler, n *node) error {
	text := ""
	switch v := n.scalar.(type) {
	case string:
		text = v
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = written(v)
	default:
		return fmt.Errorf("must be a quantity in a string, not %s", n.kind())
	}
	if err := to.UnmarshalText([]byte(text)); err != nil {
		return err
	}
	if v := reflect.ValueOf(to).Elem(); v.CanFloat() && v.Float() > mostNumber {
		return fmt.Errorf("%q is too large", shown(text))
	}
	return nil
}

// mostNumber bounds quantities in their base units, and numbers of tables: what is added up
// of a million of them over years is a number still.
const mostNumber = 1e30

// itemError is a fault in one entry of a list, which has its own place.
type itemError struct {
	item *node
	err  error
}

func (e *itemError) Error() string { return e.err.Error() }

// wantList takes a list with at least one entry.
func wantList[T any](n *node, want func(*node) (T, error)) ([]T, error) {
	if !n.isList {
		return nil, fmt.Errorf("must be a list, not %s", n.kind())
	}
	if len(n.list) == 0 {
		return nil, fmt.Errorf("must not be an empty list")
	}
	list := make([]T, len(n.list))
	for i, item := range n.list {
		v, err := want(item)
		if err != nil {
			return nil, &itemError{item, err}
		}
		list[i] = v
	}
	return list, nil
}

// wantSelection takes an integer in the declared range, or a list of distinct
// integers from 0 to below the most that the integer may be.
func wantSelection(n *node, d declared) (Selection, error) {
	if !n.isList {
		if _, isString := n.scalar.(string); isString || n.table != nil {
			return Selection{}, fmt.Errorf("must be an integer or a list of integers, not %s", n.kind())
		}
		count, err := wantInteger(n, d)
		return Selection{Count: count}, err
	}
	zero := 0.0
	each := declared{min: &zero}
	if d.max != nil {
		each.max = new(*d.max - 1)
	}
	seen := make(map[int64]bool, len(n.list))
	list, err := wantList(n, func(item *node) (int64, error) {
		i, err := wantInteger(item, each)
		if err == nil && seen[i] {
			err = fmt.Errorf("%d is listed twice", i)
		}
		seen[i] = true
		return i, err
	})
	return Selection{List: list}, err
}
