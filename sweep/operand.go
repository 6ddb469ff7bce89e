package sweep

import (
	"errors"
	"fmt"
	"go/constant"
	"go/token"
	"strconv"
	"strings"

	"github.com/railyard/railyard/units"
)

// operand is a value in a constraint: a truth, a string, or a number of a dimension.
type operand struct {
	constant.Value
	dimension
}

// dimension is the powers of bytes, seconds, operations, joules and dollars that a
// quantity is measured in; a bare number has none.
type dimension struct{ bytes, seconds, operations, joules, dollars int }

// times is the dimension of a product with a power of another quantity.
func (d dimension) times(other dimension, power int) dimension {
	return dimension{
		d.bytes + power*other.bytes, d.seconds + power*other.seconds, d.operations + power*other.operations,
		d.joules + power*other.joules, d.dollars + power*other.dollars,
	}
}

// unit is what a number of the dimension is measured in, as in "B/s".
func (d dimension) unit() string {
	var above, below string
	for _, base := range []struct {
		name  string
		power int
	}{{"B", d.bytes}, {"FLOP", d.operations}, {"J", d.joules}, {"USD", d.dollars}, {"s", d.seconds}} {
		above += strings.Repeat(" "+base.name, max(0, base.power))
		below += strings.Repeat("/"+base.name, max(0, -base.power))
	}
	switch {
	case d == dimension{}:
		return "a bare number"
	case above == "":
		return "1" + below
	}
	return above[1:] + below
}

// value is a value of --set: a truth, a number, a quantity in SI units, or
// else a string.
func value(text string) operand {
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	switch text {
	case "true", "false":
		return operand{Value: constant.MakeBool(text == "true")}
	}
	if v := constant.MakeFromLiteral(strings.ReplaceAll(text, "_", ""), token.FLOAT, 0); v.Kind() != constant.Unknown {
		return operand{Value: constant.ToFloat(v)}
	}
	if v, in, ok := quantity(text); ok {
		return operand{constant.MakeFloat64(v), in}
	}
	return operand{Value: constant.MakeString(text)}
}

// quantity is a quantity in its SI base unit.
func quantity(text string) (float64, dimension, bool) {
	if v, err := units.ParseBytes(text); err == nil {
		return float64(v), dimension{bytes: 1}, true
	}
	if v, err := units.ParseRate(text); err == nil {
		return float64(v), dimension{bytes: 1, seconds: -1}, true
	}
	if v, err := units.ParseDuration(text); err == nil {
		return v.Seconds(), dimension{seconds: 1}, true
	}
	if v, err := units.ParseCompute(text); err == nil {
		return float64(v), dimension{operations: 1, seconds: -1}, true
	}
	if v, err := units.ParsePower(text); err == nil {
		return float64(v), dimension{joules: 1, seconds: -1}, true
	}
	if v, err := units.ParseEnergy(text); err == nil {
		return float64(v), dimension{joules: 1}, true
	}
	if v, err := units.ParseMoney(text); err == nil {
		return float64(v), dimension{dollars: 1}, true
	}
	if v, err := units.ParseMoneyRate(text); err == nil {
		return float64(v) / 3600, dimension{dollars: 1, seconds: -1}, true
	}
	if v, err := units.ParseTariff(text); err == nil {
		return float64(v) / 3.6e6, dimension{dollars: 1, joules: -1}, true
	}
	return 0, dimension{}, false
}

func (x operand) isNumber() bool { return x.Kind() == constant.Float || x.Kind() == constant.Int }

// alike says whether two numbers can be compared and added: quantities of one dimension,
// or bare numbers. Zero is that of any quantity.
func alike(x, y operand) bool {
	return x.dimension == y.dimension || constant.Sign(x.Value) == 0 || constant.Sign(y.Value) == 0
}

func binary(x operand, op token.Token, y operand) (operand, error) {
	numbers := x.isNumber() && y.isNumber()
	switch op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ, token.ADD, token.SUB, token.REM:
		if numbers && !alike(x, y) {
			return operand{}, fmt.Errorf("%s %s %s has no meaning: the first is in %s, the second in %s; a quantity has its unit with it, as in \"100Gbps\"", x, op, y, x.unit(), y.unit())
		}
	}
	truth := func(v bool) (operand, error) { return operand{Value: constant.MakeBool(v)}, nil }
	switch op {
	case token.LAND, token.LOR:
		if x.Kind() == constant.Bool && y.Kind() == constant.Bool {
			return operand{Value: constant.BinaryOp(x.Value, op, y.Value)}, nil
		}
	case token.EQL, token.NEQ:
		if numbers || x.Kind() == y.Kind() {
			return truth(constant.Compare(x.Value, op, y.Value))
		}
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		if numbers {
			return truth(constant.Compare(x.Value, op, y.Value))
		}
	case token.ADD, token.SUB:
		if !numbers {
			break
		}
		in := x.dimension
		if constant.Sign(x.Value) == 0 {
			in = y.dimension
		}
		return operand{constant.BinaryOp(x.Value, op, y.Value), in}, nil
	case token.MUL:
		if numbers {
			return operand{constant.BinaryOp(x.Value, op, y.Value), x.times(y.dimension, 1)}, nil
		}
	case token.QUO, token.REM:
		if !numbers {
			break
		}
		if constant.Sign(y.Value) == 0 {
			return operand{}, errors.New("division by zero")
		}
		if op == token.QUO {
			return operand{constant.BinaryOp(x.Value, op, y.Value), x.times(y.dimension, -1)}, nil
		}
		a, b := constant.ToInt(x.Value), constant.ToInt(y.Value)
		if a.Kind() == constant.Int && b.Kind() == constant.Int {
			return operand{constant.ToFloat(constant.BinaryOp(a, op, b)), x.dimension}, nil
		}
	}
	return operand{}, fmt.Errorf("%s %s %s has no meaning", x, op, y)
}
