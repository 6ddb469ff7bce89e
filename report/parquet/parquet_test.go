package parquet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/railyard/railyard/result"
)

// sample has every type of column, names that are not in alphabetical order, a missing
// number, and more rows than are handed over at once.
func sample() *result.Table {
	var name []string
	var count []int64
	var at []float64
	for i := range 3*batch + 7 {
		name = append(name, "link "+strconv.Itoa(i%5)+` ü"`)
		count = append(count, int64(i)-10)
		at = append(at, float64(i)/7)
	}
	at[3], at[batch] = result.Missing, math.Nextafter(1, 2)
	return &result.Table{Name: "sample", Columns: []result.Column{
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.Link, Text: name},
		{Metric: result.Events, Integers: count},
	}}
}

func written(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, sample()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ExampleWrite() {
	t := &result.Table{Name: "links", Columns: []result.Column{
		{Metric: result.Link, Text: []string{"a>b"}},
		{Metric: result.Capacity, Numbers: []float64{5e10}},
	}}
	var b bytes.Buffer
	if err := Write(&b, t); err != nil {
		panic(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		panic(err)
	}
	fmt.Println(f.Schema())
	about, _ := f.Lookup("capacity_Bps")
	fmt.Println(about)
	// Output:
	// message links {
	// 	required binary link (STRING);
	// 	optional double capacity_Bps;
	// }
	// rate of the wire
}

func TestSameBytes(t *testing.T) {
	for range 5 {
		if !bytes.Equal(written(t), written(t)) {
			t.Fatal("the same table gives other bytes")
		}
	}
}

// TestReadBack reads the rows with the library that wrote them.
func TestReadBack(t *testing.T) {
	text, want := written(t), sample()
	r := parquet.NewReader(bytes.NewReader(text))
	defer r.Close()
	rows := make([]parquet.Row, want.Rows()+1)
	n, err := r.ReadRows(rows)
	for err == nil && n < want.Rows() {
		var more int
		more, err = r.ReadRows(rows[n:])
		n += more
	}
	if err != nil && err != io.EOF || n != want.Rows() {
		t.Fatalf("%d rows of %d: %v", n, want.Rows(), err)
	}
	for i, row := range rows[:n] {
		for c := range want.Columns {
			got := row[c].String()
			if row[c].IsNull() {
				got = ""
			} else if want.Columns[c].Numbers != nil {
				got = result.Number(row[c].Double())
			}
			if want := want.Columns[c].Cell(i); got != want {
				t.Fatalf("row %d has %s %q, want %q", i, want, got, want)
			}
		}
	}
}

// reader prints a Parquet file as JSON by hyparquet, which shares nothing with the
// library that wrote it: https://github.com/hyparam/hyparquet.
const reader = `
import { readFileSync } from 'node:fs'
import { parquetReadObjects, parquetMetadata } from 'hyparquet'
const text = readFileSync(process.argv[2])
const file = text.buffer.slice(text.byteOffset, text.byteOffset + text.byteLength)
const metadata = parquetMetadata(file)
const rows = await parquetReadObjects({ file })
const plain = (_, v) => typeof v === 'bigint' ? Number(v) : v
console.log(JSON.stringify({ schema: metadata.schema, about: metadata.key_value_metadata, rows }, plain))
`

// TestIndependentReader reads what was written with hyparquet, which npm has put into
// $RAILYARD_NPM.
func TestIndependentReader(t *testing.T) {
	modules := os.Getenv("RAILYARD_NPM")
	_, noNode := exec.LookPath("node")
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "hyparquet")); noNode != nil || err != nil {
		t.Skip("needs node, and in RAILYARD_NPM the folder in which `npm install hyparquet` ran")
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(modules, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"read.mjs": []byte(reader), "sample.parquet": written(t)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("node", "read.mjs", "sample.parquet")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	var got struct {
		Schema []struct{ Name, Type string }
		About  []struct{ Key, Value string }
		Rows   []map[string]any
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := sample()
	for i, kind := range []string{"DOUBLE", "BYTE_ARRAY", "INT64"} {
		if c := got.Schema[i+1]; c.Name != want.Columns[i].Metric.Name || c.Type != kind {
			t.Errorf("column %d is %v, want %s %s", i, c, want.Columns[i].Metric.Name, kind)
		}
	}
	if len(got.Rows) != want.Rows() {
		t.Fatalf("%d rows, want %d", len(got.Rows), want.Rows())
	}
	for i, row := range got.Rows {
		for c := range want.Columns {
			cell := ""
			switch v := row[want.Columns[c].Metric.Name].(type) {
			case float64:
				cell = result.Number(v)
			case string:
				cell = v
			}
			if want := want.Columns[c].Cell(i); cell != want {
				t.Fatalf("row %d has %q, want %q", i, cell, want)
			}
		}
	}
	about := map[string]string{}
	for _, a := range got.About {
		about[a.Key] = a.Value
	}
	if about["link"] != result.Link.Definition {
		t.Errorf("the column link is said to be %q", about["link"])
	}
}
