package sweep

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/scenario"
)

// Constraint is a condition on the values of a point, in the syntax of Go's
// expressions: + - * / %, comparisons, && || and !, with exact arithmetic. A
// name is a key that is varied, given in the scenario, or has a default; its
// front may be left off as long as it is clear which is meant, and so may the
// numbers of lists: tensor, training.tensor, workload.training[0].tensor.
// Quantities are strings, as in bandwidth >= "100Gbps", and are compared with quantities
// of their kind only.
type Constraint struct {
	text     string
	tree     ast.Expr
	constant map[string]operand // names that are not varied
	varied   map[string]int     // names that are: which key
}

// ParseConstraint reads a constraint on the keys that are varied. known are the
// values of those that the scenario gives.
func ParseConstraint(text string, varied []string, known map[string]string) (*Constraint, error) {
	c := &Constraint{text: text, constant: map[string]operand{}, varied: map[string]int{}}
	tree, err := parser.ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("where: %q cannot be read: %w", text, err)
	}
	c.tree = tree
	return c, c.names(tree, varied, known)
}

// names finds what the names in an expression stand for.
func (c *Constraint) names(e ast.Expr, varied []string, known map[string]string) error {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		if err := c.names(e.X, varied, known); err != nil {
			return err
		}
		return c.names(e.Y, varied, known)
	case *ast.UnaryExpr:
		return c.names(e.X, varied, known)
	case *ast.ParenExpr:
		return c.names(e.X, varied, known)
	case *ast.BasicLit:
		return nil
	}
	name, ok := dotted(e)
	if !ok {
		return fmt.Errorf("where: %q has more than keys, numbers, strings and operators", c.text)
	}
	if name == "true" || name == "false" {
		c.constant[name] = value(name)
		return nil
	}
	if found := matching(name, varied); len(found) == 1 {
		c.varied[name] = slices.Index(varied, found[0])
		return nil
	} else if len(found) > 1 {
		return fmt.Errorf("where: %s may be %s: write more of it", name, strings.Join(found, " or "))
	}
	given := slices.Sorted(maps.Keys(known))
	if found := matching(name, given); len(found) == 1 {
		c.constant[name] = value(known[found[0]])
		return nil
	} else if len(found) > 1 {
		return fmt.Errorf("where: %s may be %s: write more of it", name, strings.Join(found, " or "))
	}
	var defaults []string
	for _, d := range scenario.Reference() {
		if path := strings.ReplaceAll(d.Path, "[]", ".0"); d.Default != "" && len(matching(name, []string{path})) == 1 {
			defaults = append(defaults, d.Default)
		}
	}
	if len(defaults) == 1 {
		c.constant[name] = value(defaults[0])
		return nil
	}
	return fmt.Errorf("where: %s is neither varied nor given in the scenario; varied: %s", name, strings.Join(varied, ", "))
}

// dotted is a name such as workload.training[0].tensor as a key.
func dotted(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name, true
	case *ast.SelectorExpr:
		front, ok := dotted(e.X)
		return front + "." + e.Sel.Name, ok
	case *ast.IndexExpr:
		front, ok := dotted(e.X)
		index, isLiteral := e.Index.(*ast.BasicLit)
		if !ok || !isLiteral || index.Kind != token.INT {
			return "", false
		}
		return front + "." + index.Value, true
	}
	return "", false
}

// matching are the keys that a name may stand for.
func matching(name string, keys []string) []string {
	var found []string
	for _, key := range keys {
		if key == name || strings.HasSuffix(key, "."+name) || strings.HasSuffix("."+withoutIndices(key), "."+name) {
			found = append(found, key)
		}
	}
	return found
}

func withoutIndices(key string) string {
	parts := slices.DeleteFunc(strings.Split(key, "."), func(part string) bool {
		_, err := strconv.Atoi(part)
		return err == nil
	})
	return strings.Join(parts, ".")
}

// Holds says whether the values of the varied keys keep to the constraint.
func (c *Constraint) Holds(values []string) (bool, error) {
	v, err := c.eval(c.tree, values)
	if err != nil {
		return false, fmt.Errorf("where: %q: %w", c.text, err)
	}
	if v.Kind() != constant.Bool {
		return false, fmt.Errorf("where: %q is %s, not true or false", c.text, v)
	}
	return constant.BoolVal(v.Value), nil
}

func (c *Constraint) eval(e ast.Expr, values []string) (operand, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return c.eval(e.X, values)
	case *ast.BasicLit:
		if e.Kind == token.STRING || e.Kind == token.CHAR {
			return value(e.Value), nil
		}
		return operand{Value: constant.ToFloat(constant.MakeFromLiteral(e.Value, e.Kind, 0))}, nil
	case *ast.UnaryExpr:
		x, err := c.eval(e.X, values)
		if err != nil {
			return operand{}, err
		}
		isBool := x.Kind() == constant.Bool
		if e.Op == token.NOT && isBool || e.Op == token.SUB && x.isNumber() {
			return operand{constant.UnaryOp(e.Op, x.Value, 0), x.dimension}, nil
		}
		return operand{}, fmt.Errorf("%s %s has no meaning", e.Op, x)
	case *ast.BinaryExpr:
		x, err := c.eval(e.X, values)
		if err != nil {
			return operand{}, err
		}
		y, err := c.eval(e.Y, values)
		if err != nil {
			return operand{}, err
		}
		return binary(x, e.Op, y)
	}
	name, _ := dotted(e)
	if v, ok := c.constant[name]; ok {
		return v, nil
	}
	if text := values[c.varied[name]]; text != "" {
		return value(text), nil
	}
	return operand{}, fmt.Errorf("a point does not set %s", name)
}
