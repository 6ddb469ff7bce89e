package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
)

func twoTables() *result.Results {
	s := &result.Record{}
	s.Add(result.Name, `a "name", quoted`)
	s.Add(result.Makespan, 0.1)
	return &result.Results{Summary: s, Tables: []*result.Table{
		{Name: "flows", Columns: []result.Column{
			{Metric: result.Flow, Text: []string{"plain", `with, comma and "quote"`, ""}},
			{Metric: result.FlowFinish, Numbers: []float64{1e-9, result.Missing, 3}},
		}},
		{Name: "empty", Columns: []result.Column{{Metric: result.Link, Text: []string{}}}},
	}}
}

// Write writes the summary and one file a table, and says which.
func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	files, err := report.Write(dir, twoTables())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ name, text string }{
		{"summary.json", "{\n  \"name\": \"a \\\"name\\\", quoted\",\n  \"makespan_s\": 0.1\n}\n"},
		{"flows.csv", "flow,finish_s\nplain,1e-09\n\"with, comma and \"\"quote\"\"\",\n,3\n"},
		{"empty.csv", "link\n"},
	} {
		if i >= len(files) || files[i] != filepath.Join(dir, want.name) {
			t.Fatalf("files %v, want %s at %d", files, want.name, i)
		}
		text, err := os.ReadFile(files[i])
		if err != nil || string(text) != want.text {
			t.Errorf("%s is %q, %v; want %q", want.name, text, err, want.text)
		}
	}
	// Nothing else is left there, and a second run replaces the first.
	if _, err := report.Write(dir, twoTables()); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 3 {
		t.Errorf("the folder holds %v", entries)
	}
}

func TestWriteWhereItCannot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var at *fs.PathError
	if _, err := report.Write(file, twoTables()); !errors.As(err, &at) {
		t.Errorf("writing into a file: %v", err)
	}
	// A table that cannot be written leaves no half of a file.
	bad := &result.Record{}
	bad.Add(result.Makespan, result.Missing)
	dir := t.TempDir()
	if _, err := report.Write(dir, &result.Results{Summary: bad}); err == nil {
		t.Error("NaN was written")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("the folder holds %v", entries)
	}
}

// What is written is CSV and JSON to others.
func TestReadBack(t *testing.T) {
	r := twoTables()
	var b bytes.Buffer
	if err := report.WriteCSV(&b, r.Tables[0]); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 4 || rows[2][0] != `with, comma and "quote"` {
		t.Errorf("%q, %v", rows, err)
	}
	if err := report.WriteJSON(&b, r.Summary); err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back["name"] != `a "name", quoted` || back["makespan_s"] != 0.1 {
		t.Errorf("%v, %v", back, err)
	}
	if !strings.HasSuffix(b.String(), "}\n") {
		t.Error("no newline at the end")
	}
}

// A table is the same bytes as encoding/csv writes of its cells.
func TestWriteCSVAsEncodingCSV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "rows")
		text := rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", `\.`, ` x`, `"`, "a,b", "a\r\nb", "a>b"})), n, n).Draw(t, "text")
		numbers := rapid.SliceOfN(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1, 1e21, 0.1, result.Missing})), n, n).Draw(t, "numbers")
		integers := rapid.SliceOfN(rapid.Int64(), n, n).Draw(t, "integers")
		table := &result.Table{Columns: []result.Column{
			{Metric: result.Metric{Name: "text, quoted"}, Text: text}, {Metric: result.Metric{Name: "number"}, Numbers: numbers}, {Metric: result.Metric{Name: "integer"}, Integers: integers},
		}}
		var want, got bytes.Buffer
		w := csv.NewWriter(&want)
		_ = w.Write([]string{"text, quoted", "number", "integer"})
		for i := range n {
			_ = w.Write([]string{text[i], result.Number(numbers[i]), strconv.FormatInt(integers[i], 10)})
		}
		w.Flush()
		if err := report.WriteCSV(&got, table); err != nil || got.String() != want.String() {
			t.Fatalf("%q, %v, want %q", got.String(), err, want.String())
		}
	})
}
