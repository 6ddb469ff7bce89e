// Package parquet writes tables as Apache Parquet, which data frames read several times
// as fast as CSV, with the types of columns. It is the one package that imports a Parquet
// library, and is linked into the command alone: who embeds Railyard does not pay for it.
//
// # Schema
//
// A table is one file. Its columns have the names, the order and the units of those of
// the CSV file, a unit ending the name: time_s, bytes, capacity_Bps.
//
//	texts     required BYTE_ARRAY (STRING), in a dictionary
//	integers  required INT64
//	numbers   optional DOUBLE; what there is not is null
//
// What a column means is in the file's key-value metadata, under the column's name.
// Pages are compressed with Snappy. There is a row group every 1<<20 rows. The same
// table gives the same bytes.
package parquet

import (
	"io"
	"math"

	"github.com/parquet-go/parquet-go"

	"github.com/railyard/railyard/result"
)

// Rows that are handed over at once, and rows of a row group.
const (
	batch = 1 << 10
	group = 1 << 20
)

// Write writes a table.
func Write(w io.Writer, t *result.Table) error {
	root := columns{Group: parquet.Group{}}
	options := []parquet.WriterOption{parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(group)}
	for i := range t.Columns {
		c := &t.Columns[i]
		var node parquet.Node
		switch {
		case c.Text != nil:
			node = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
		case c.Integers != nil:
			node = parquet.Int(64)
		default:
			node = parquet.Optional(parquet.Leaf(parquet.DoubleType))
		}
		root.Group[c.Metric.Name] = node
		root.names = append(root.names, c.Metric.Name)
		options = append(options, parquet.KeyValueMetadata(c.Metric.Name, c.Metric.Definition))
	}
	f := parquet.NewWriter(w, append(options, parquet.NewSchema(t.Name, root))...)
	rows := make([]parquet.Row, 0, batch)
	values := make([]parquet.Value, batch*len(t.Columns))
	for n := range t.Rows() {
		row := parquet.Row(values[len(rows)*len(t.Columns):][:0])
		for i := range t.Columns {
			row = append(row, value(&t.Columns[i], n, i))
		}
		if rows = append(rows, row); len(rows) == batch {
			if _, err := f.WriteRows(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	if _, err := f.WriteRows(rows); err != nil {
		return err
	}
	return f.Close()
}

// value is a row of a column, which has a number.
func value(c *result.Column, row, column int) parquet.Value {
	switch {
	case c.Text != nil:
		return parquet.ByteArrayValue([]byte(c.Text[row])).Level(0, 0, column)
	case c.Integers != nil:
		return parquet.Int64Value(c.Integers[row]).Level(0, 0, column)
	case math.IsNaN(c.Numbers[row]):
		return parquet.NullValue().Level(0, 0, column)
	}
	return parquet.DoubleValue(c.Numbers[row]).Level(0, 1, column)
}

// columns is a group whose fields are in the order of the table, not of their names.
type columns struct {
	parquet.Group
	names []string
}

// Fields gives the columns in their order.
func (c columns) Fields() []parquet.Field {
	place := map[string]int{}
	for i, name := range c.names {
		place[name] = i
	}
	fields := make([]parquet.Field, len(c.names))
	for _, f := range c.Group.Fields() {
		fields[place[f.Name()]] = f
	}
	return fields
}
