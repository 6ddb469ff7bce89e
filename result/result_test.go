package result_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/result"
)

// record is a summary as a run makes it, in small.
func record() *result.Record {
	breakdown := &result.Record{}
	breakdown.Add(result.ComputePart, 0.75)
	breakdown.Add(result.ExposedPart, 0.25)
	training := &result.Record{}
	training.Add(result.Name, "bert")
	training.Add(result.IterationTime, 1.0)
	training.Add(result.IterationCount, int64(7))
	training.Add(result.Breakdown, breakdown)
	s := &result.Record{}
	s.Add(result.Name, "case")
	s.Add(result.Makespan, 1e-7)
	s.Add(result.Training, []*result.Record{training})
	return s
}

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		path  string
		want  float64
		words []string // of the error
	}{
		{path: "makespan_s", want: 1e-7},
		{path: "training.0.iterations", want: 7},
		{path: "training.0.breakdown_s.compute", want: 0.75},
		{path: "trainings.0", words: []string{"the summary", `"trainings"`, "name, makespan_s, training"}},
		{path: "training.1.iteration_s", words: []string{"training", `"1"`, "it has 0"}},
		{path: "training.0.itertion_s", words: []string{"training.0", `"itertion_s"`, "iteration_s"}},
		{path: "training.-1", words: []string{`"-1"`}},
		{path: "makespan_s.x", words: []string{"makespan_s is a single value", `"x"`}},
		{path: "name", words: []string{"name is not a number"}},
		{path: "training.0", words: []string{"training.0 is not a number"}},
		{path: "", words: []string{`""`}},
	} {
		got, err := record().Lookup(c.path)
		if (err != nil) != (c.words != nil) || got != c.want {
			t.Errorf("%q: %v, %v; want %v", c.path, got, err, c.want)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v; want %q in it", c.path, err, w)
			}
		}
	}
}

func TestRecord(t *testing.T) {
	r := record()
	if r.Text("name") != "case" || r.Float("makespan_s") != 1e-7 || len(r.List("training")) != 1 || r.List("training")[0].Float("iterations") != 7 {
		t.Error("a record does not give back what was added")
	}
	if r.Get("x") != nil || r.Record("x") != nil || r.Text("makespan_s") != "" || r.Float("name") != 0 || r.List("name") != nil {
		t.Error("a record has what was not added")
	}
}

// The JSON keeps the order of the fields and reads back the same.
func TestJSON(t *testing.T) {
	text, err := json.Marshal(record())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"name":"case","makespan_s":1e-07,"training":[{"name":"bert","iteration_s":1,"iterations":7,"breakdown_s":{"compute":0.75,"exposed_communication":0.25}}]}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		r := &result.Record{}
		r.Add(result.Makespan, v)
		if _, err := json.Marshal(r); err == nil || !strings.Contains(err.Error(), "makespan_s") {
			t.Errorf("%v was written: %v", v, err)
		}
	}
}

// A number is the shortest decimal that reads back the same.
func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", -3: "-3", 0.1: "0.1", 1e9: "1000000000", 1e15: "1e+15", 1e-9: "1e-09", 1.5e300: "1.5e+300"} {
		if got := result.Number(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
	if result.Number(result.Missing) != "" {
		t.Error("what is missing was written")
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64().Draw(t, "v")
		text := result.Number(v)
		back, err := strconv.ParseFloat(text, 64)
		if err != nil || back != v {
			t.Fatalf("%v is written %q and reads %v, %v", v, text, back, err)
		}
		if shortest := strconv.FormatFloat(v, 'g', -1, 64); math.Abs(v) >= 1e15 && text != shortest {
			t.Fatalf("%v is written %q; shortest is %q", v, text, shortest)
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q is no JSON", text)
		}
	})
}

func TestTable(t *testing.T) {
	table := result.Table{Name: "flows", Columns: []result.Column{
		{Metric: result.Flow, Text: []string{"a", "b"}},
		{Metric: result.FlowFinish, Numbers: []float64{0.5, result.Missing}},
		{Metric: result.Events, Integers: []int64{3, -4}},
	}}
	if table.Rows() != 2 || table.Column("finish_s").Len() != 2 || table.Column("start_s") != nil || (&result.Table{}).Rows() != 0 {
		t.Error("rows or columns are not those that were given")
	}
	for i, want := range [][]string{{"a", "0.5", "3"}, {"b", "", "-4"}} {
		for k := range table.Columns {
			if got := table.Columns[k].Cell(i); got != want[k] {
				t.Errorf("row %d, column %d: %q, want %q", i, k, got, want[k])
			}
		}
	}
	all := result.Results{Tables: []*result.Table{&table}}
	if all.Table("flows") != &table || all.Table("links") != nil {
		t.Error("tables are not found by name")
	}
}

func ExampleRecord() {
	s := &result.Record{}
	s.Add(result.Makespan, 2.5)
	job := &result.Record{}
	job.Add(result.IterationTime, 0.125)
	s.Add(result.Training, []*result.Record{job})
	text, _ := json.Marshal(s)
	fmt.Println(string(text))
	v, _ := s.Lookup("training.0.iteration_s")
	fmt.Println(v)
	_, err := s.Lookup("training.0.iterations")
	fmt.Println(err)
	// Output:
	// {"makespan_s":2.5,"training":[{"iteration_s":0.125}]}
	// 0.125
	// training.0 has no "iterations"; it has iteration_s
}
