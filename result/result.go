// Package result is what a run found: metrics, each declared once, the tables
// whose columns they head, and the records of the summary. It holds values and
// knows nothing of how they came about or where they go.
package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Metric declares one quantity of the results. Its name heads the column of a
// table and is the key in the summary; where it has a unit, the name ends in it.
type Metric struct {
	Name       string
	Unit       string // SI; "" for names and counts
	Definition string
	Formula    string // "" where the definition says it all
}

// Column is one metric of every row of a table. Exactly one of the slices is
// set.
type Column struct {
	Metric   Metric
	Text     []string
	Numbers  []float64
	Integers []int64
}

// Len is the number of rows.
func (c *Column) Len() int { return max(len(c.Text), len(c.Numbers), len(c.Integers)) }

// Cell is row i as a file writes it: numbers as the shortest decimal that reads
// back the same.
func (c *Column) Cell(i int) string {
	switch {
	case c.Text != nil:
		return c.Text[i]
	case c.Integers != nil:
		return strconv.FormatInt(c.Integers[i], 10)
	}
	return Number(c.Numbers[i])
}

// Missing is a number that there is not, such as the finish of a flow that has
// not ended; a file has nothing in its place.
var Missing = math.NaN()

// Number is the shortest decimal that reads back as v, "" if it is Missing.
func Number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Table is rows of one kind of thing, in the order of the input.
type Table struct {
	Name    string // of its file, without the ending: "links"
	Columns []Column
	Lines   bool // its file has a JSON object a row, without what is missing, rather than CSV
}

// Rows is the number of rows.
func (t *Table) Rows() int {
	if len(t.Columns) == 0 {
		return 0
	}
	return t.Columns[0].Len()
}

// Record is row i without what is missing.
func (t *Table) Record(i int) *Record {
	r := &Record{}
	for _, c := range t.Columns {
		switch {
		case c.Text != nil:
			if c.Text[i] != "" {
				r.Add(c.Metric, c.Text[i])
			}
		case c.Integers != nil:
			r.Add(c.Metric, c.Integers[i])
		case !math.IsNaN(c.Numbers[i]):
			r.Add(c.Metric, c.Numbers[i])
		}
	}
	return r
}

// Column finds a column by the name of its metric, nil if there is none.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Metric.Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// Record is the metrics of one thing, in order. A value is a string, an int64,
// a float64, a bool, a *Record or a []*Record.
type Record struct {
	Fields []Field
}

// Field is one metric of a record.
type Field struct {
	Metric Metric
	Value  any
}

// Add appends a metric.
func (r *Record) Add(m Metric, value any) { r.Fields = append(r.Fields, Field{m, value}) }

// Get finds a value by the name of its metric, nil if there is none.
func (r *Record) Get(name string) any {
	for _, f := range r.Fields {
		if f.Metric.Name == name {
			return f.Value
		}
	}
	return nil
}

// Record gives the record of that name, nil if there is none.
func (r *Record) Record(name string) *Record {
	sub, _ := r.Get(name).(*Record)
	return sub
}

// Float gives the number of that name, 0 if there is none.
func (r *Record) Float(name string) float64 {
	switch v := r.Get(name).(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return 0
}

// Text gives the string of that name, "" if there is none.
func (r *Record) Text(name string) string {
	s, _ := r.Get(name).(string)
	return s
}

// List gives the records of that name.
func (r *Record) List(name string) []*Record {
	l, _ := r.Get(name).([]*Record)
	return l
}

// Lookup finds a number by a dotted path: "training.0.iteration_s". An error
// says how far the path leads, and what there is.
func (r *Record) Lookup(path string) (float64, error) {
	var at any = r
	walked := ""
	for _, part := range strings.Split(path, ".") {
		var next any
		var choices []string
		switch v := at.(type) {
		case *Record:
			next = v.Get(part)
			for _, f := range v.Fields {
				choices = append(choices, f.Metric.Name)
			}
		case []*Record:
			if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(v) {
				next = v[i]
			}
			for i := range v {
				choices = append(choices, strconv.Itoa(i))
			}
		}
		if next == nil {
			if walked == "" {
				walked = "the summary"
			}
			if choices == nil {
				return 0, fmt.Errorf("%s is a single value: %q leads nowhere", walked, part)
			}
			return 0, fmt.Errorf("%s has no %q; it has %s", walked, part, strings.Join(choices, ", "))
		}
		at = next
		walked = strings.TrimPrefix(walked+"."+part, ".")
	}
	switch v := at.(type) {
	case float64:
		return v, nil
	case int64:
		return float64(v), nil
	}
	return 0, fmt.Errorf("%s is not a number", path)
}

// marshal is json.Marshal that leaves "host0/nic0>leaf0" as it is.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// MarshalJSON writes the fields in their order.
func (r *Record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range r.Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := marshal(f.Metric.Name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		if v, ok := f.Value.(float64); ok {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("result: %s is %v", f.Metric.Name, v)
			}
			b.WriteString(Number(v))
			continue
		}
		value, err := marshal(f.Value)
		if err != nil {
			return nil, err
		}
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Results is all that a run found.
type Results struct {
	Summary *Record
	Tables  []*Table
	// Distributions are those of which the summary has means and percentiles of a queue.
	Distributions []Distribution
}

// Table finds a table by its name, nil if there is none.
func (r *Results) Table(name string) *Table {
	for _, t := range r.Tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Ratio is a/b, 0 if nothing could happen.
func Ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
