package scenario

import (
	"encoding/json"
	"io"
	"reflect"
	"slices"

	"github.com/railyard/railyard/units"
)

// WriteJSONSchema writes the JSON Schema (draft 2020-12) of a scenario, from the
// declarations that decode one: editors complete, explain and check by it. It
// knows each key by itself and with the kind of its table. What keys have to do
// with one another, and with files and the catalogue, [Parse] alone judges.
func WriteJSONSchema(w io.Writer) error {
	made := schemas{}
	root := made.table(reflect.TypeFor[Scenario]())
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.Title = "Scenario of Railyard"
	root.Defs = made
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(root)
}

// schema is the part of JSON Schema that the declarations need.
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        string             `json:"type,omitempty"`
	Default     any                `json:"default,omitempty"`
	Const       string             `json:"const,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Minimum     *float64           `json:"minimum,omitempty"`
	Maximum     *float64           `json:"maximum,omitempty"`
	Above       *float64           `json:"exclusiveMinimum,omitempty"`
	MinLength   int                `json:"minLength,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	MinItems    int                `json:"minItems,omitempty"`
	MaxItems    int                `json:"maxItems,omitempty"`
	Unique      bool               `json:"uniqueItems,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Others      any                `json:"additionalProperties,omitempty"` // false, or a *schema
	MaxProps    int                `json:"maxProperties,omitempty"`
	AnyOf       []*schema          `json:"anyOf,omitempty"`
	AllOf       []*schema          `json:"allOf,omitempty"`
	If          *schema            `json:"if,omitempty"`
	Then        *schema            `json:"then,omitempty"`
	Not         *schema            `json:"not,omitempty"`
	Defs        map[string]*schema `json:"$defs,omitempty"`
}

// schemas are the schemas of tables by the name of their Go types: a table that
// stands in several places is described once.
type schemas map[string]*schema

// ref refers to the schema of a table.
func (all schemas) ref(t reflect.Type) *schema {
	if all[t.Name()] == nil {
		all[t.Name()] = &schema{} // it may hold itself
		*all[t.Name()] = *all.table(t)
	}
	return &schema{Ref: "#/$defs/" + t.Name()}
}

// table is the schema of one struct.
func (all schemas) table(t reflect.Type) *schema {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[free]()) {
		return &schema{Type: "object"}
	}
	s := &schema{Type: "object", Properties: map[string]*schema{}, Others: false}
	for _, d := range declarations(t) {
		property := all.field(d)
		property.Description = d.doc
		if d.fallback.IsValid() {
			property.Default = d.plainDefault()
		}
		s.Properties[d.name] = property
		if d.required {
			s.Required = append(s.Required, d.name)
		}
	}
	s.AllOf = byKind(declarations(t))
	return s
}

// field is the schema of one key or table, as the binder would take it.
func (all schemas) field(d declared) *schema {
	if d.isKey {
		return reflect.New(d.typ).Interface().(key).schema(d)
	}
	switch d.typ.Kind() {
	case reflect.Pointer:
		return all.ref(d.typ.Elem())
	case reflect.Slice:
		return &schema{Type: "array", Items: all.ref(d.typ.Elem()), MaxItems: maxTables}
	case reflect.Map:
		return &schema{Type: "object", Others: all.ref(d.typ.Elem().Elem()), MaxProps: maxTables}
	}
	return all.ref(d.typ)
}

// byKind says, for each kind that a table may be of, which keys it needs and
// which have no meaning.
func byKind(all []declared) []*schema {
	i := slices.IndexFunc(all, func(d declared) bool { return d.name == "kind" })
	if i < 0 {
		return nil
	}
	var rules []*schema
	for _, kind := range all[i].enum {
		then := &schema{Properties: map[string]*schema{}}
		for _, d := range all {
			if d.takenBy != nil && !slices.Contains(d.takenBy, kind) {
				then.Properties[d.name] = &schema{Not: &schema{}}
			}
			if slices.Contains(d.requiredBy, kind) {
				then.Required = append(then.Required, d.name)
			}
		}
		if len(then.Properties) > 0 || then.Required != nil {
			rules = append(rules, &schema{
				If:   &schema{Properties: map[string]*schema{"kind": {Const: kind}}, Required: []string{"kind"}},
				Then: then,
			})
		}
	}
	return rules
}

// plainDefault is the default as encoding/json can write it.
func (d declared) plainDefault() any {
	tree, _ := read(&source{}, "v = "+d.standard) // readTags has read it before
	return tree.table["v"].plain()
}

// schema is what assign takes.
func (k *Key[T]) schema(d declared) *schema {
	switch v := any(k.Value).(type) {
	case string:
		return stringSchema(d)
	case int64:
		return numberSchema("integer", d)
	case float64:
		return numberSchema("number", d)
	case bool:
		return &schema{Type: "boolean"}
	case []bool:
		return anyOf(&schema{Type: "boolean"}, listSchema(&schema{Type: "boolean"}))
	case interface{ Pattern() string }:
		return &schema{Type: "string", Pattern: v.Pattern()}
	case []units.Bytes:
		return listSchema(&schema{Type: "string", Pattern: units.Bytes(0).Pattern()})
	case []string:
		return listSchema(stringSchema(d))
	case []int64:
		return listSchema(numberSchema("integer", d))
	case []float64:
		return listSchema(numberSchema("number", d))
	case DurationOrAuto:
		return anyOf(&schema{Const: "auto"}, &schema{Type: "string", Pattern: units.Duration(0).Pattern()})
	case MTBF:
		return anyOf(&schema{Const: "published"}, &schema{Type: "string", Pattern: units.Duration(0).Pattern()})
	case CountOrAuto:
		return anyOf(&schema{Const: "auto"}, numberSchema("integer", d))
	case Selection:
		each := declared{min: new(0.0)}
		if d.max != nil {
			each.max = new(*d.max - 1)
		}
		list := listSchema(numberSchema("integer", each))
		list.Unique = true
		return anyOf(numberSchema("integer", d), list)
	case Lengths:
		return lengthsSchema(d)
	}
	panic("scenario: no schema of a key that is a " + k.typeName())
}

func anyOf(all ...*schema) *schema { return &schema{AnyOf: all} }

func stringSchema(d declared) *schema {
	if d.enum != nil {
		return &schema{Type: "string", Enum: d.enum}
	}
	return &schema{Type: "string", MinLength: 1}
}

func numberSchema(typ string, d declared) *schema {
	s := &schema{Type: typ, Minimum: d.min, Maximum: d.max}
	if d.positive && (d.min == nil || *d.min == 0) {
		s.Minimum, s.Above = nil, new(0.0)
	}
	return s
}

func listSchema(item *schema) *schema {
	return &schema{Type: "array", Items: item, MinItems: 1}
}

// lengthsSchema is what wantLengths takes.
func lengthsSchema(d declared) *schema {
	uniform := &schema{
		Type: "object", Required: []string{"distribution", "max"}, Others: false,
		Properties: map[string]*schema{
			"distribution": {Const: "uniform"},
			"min":          numberSchema("integer", d),
			"max":          numberSchema("integer", d),
		},
	}
	lognormal := &schema{
		Type: "object", Required: []string{"distribution", "mean"}, Others: false,
		Properties: map[string]*schema{
			"distribution": {Const: "lognormal"},
			"mean":         numberSchema("number", d),
			"cv":           {Type: "number", Minimum: new(0.0), Maximum: new(100.0)},
			"min":          numberSchema("integer", d),
			"max":          numberSchema("integer", d),
		},
	}
	return anyOf(numberSchema("integer", d), uniform, lognormal)
}
