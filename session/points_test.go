package session

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const object = `{"topology":{"kind":"ring","accelerators":4,"bandwidth":"1GB/s","latency":"1us"},` +
	`"workload":{"collective":[{"op":"all_reduce","algorithm":"ring","sizes":["4MB"]}]}}`

// A scenario that is an object is the one that its text would be, and so has its run's id.
func TestObjects(t *testing.T) {
	got := ask(t,
		request1(ring, `,"set":["topology.accelerators=2"]`),
		`{"id":7,"scenario":`+object+`,"set":{"topology.accelerators":2}}`,
		`{"id":7,"scenario":`+object+`,"set":{"topology":{"kind":"ring","accelerators":2,"bandwidth":"1GB/s","latency":"1us"}}}`,
	)
	for i, a := range got {
		if a["run"] == nil || !reflect.DeepEqual(a, got[0]) {
			t.Errorf("answer %d is\n%v\nand as a text\n%v", i, a, got[0])
		}
	}
}

// The points of a sweep are columns, the last key fastest; a point that cannot be has its
// reason.
func TestSweep(t *testing.T) {
	got := ask(t, `{"id":1,"do":"sweep","scenario":`+object+
		`,"set":{"workload.collective.0.sizes":["8MB"]},"vary":{"topology.bandwidth":["1GB/s","2GB/s"],"topology.accelerators":"2..4*2","workload.collective.0.algorithm":["ring","rign"]},"where":["accelerators > 2"],"workers":1}`)[0]
	points, _ := got["points"].(map[string]any)
	want := map[string][]any{
		"point":                           {0.0, 1.0, 2.0, 3.0},
		"topology.bandwidth":              {"1GB/s", "1GB/s", "2GB/s", "2GB/s"},
		"topology.accelerators":           {4.0, 4.0, 4.0, 4.0},
		"workload.collective.0.algorithm": {"ring", "rign", "ring", "rign"},
		"status":                          {"done", "invalid", "done", "invalid"},
		// 2 x 3/4 of 8 MB at 1 or 2 GB/s, and six latencies of 1 us
		"makespan_s": {0.012006, nil, 0.006006, nil},
	}
	for name, column := range want {
		if !reflect.DeepEqual(points[name], column) {
			t.Errorf("%s is %v, want %v (of %v)", name, points[name], column, got["error"])
		}
	}
	if reasons := fmt.Sprint(points["reason"]); !strings.Contains(reasons, `"rign" is unknown`) || !strings.Contains(reasons, "<nil>") {
		t.Errorf("reasons %s", reasons)
	}
}

// Values of a sweep are one each, whatever is in them.
func TestVariations(t *testing.T) {
	var v variations
	if err := v.UnmarshalJSON([]byte(`{"b":[1,2.5,true],"a":"1..8*2","c":["x","y,z"],"d":[[0,1],[2,3]],"e":7}`)); err != nil {
		t.Fatal(err)
	}
	if want := (variations{"b=1,2.5,true", "a=1..8*2", `c=x,"y,z"`, "d=[0,1],[2,3]", "e=7"}); !reflect.DeepEqual(v, want) {
		t.Errorf("got  %q\nwant %q", v, want)
	}
}

// What is wrong with a request for points or an estimate is an object with a code, and with
// a place where it has one.
func TestErrorsOfRequests(t *testing.T) {
	for _, c := range []struct {
		request, message string
		code             float64
		column           float64
	}{
		{`{"do":"sweep","scenario":` + object + `,"vary":{"topology.acelerators":[1]}}`, `unknown key "acelerators"`, 3, 0},
		{`{"do":"sweep","scenario":` + object + `,"vary":{"topology.accelerators":[]}}`, `empty value`, 3, 0},
		{`{"do":"sweep","scenario":` + object + `,"vary":[1]}`, "an object of keys and values was expected", 2, 0},
		{`{"do":"sweep","scenario":` + object + `,"vary":{"topology.accelerators":"2..20000"}}`, "more than a session runs", 3, 0},
		{`{"do":"sweep","scenario":` + object + `,"vary":{"topology.accelerators":[2]},"where":["nonsense >"]}`, "", 3, 0},
		{`{"do":"sweep","scenario":{"topology":{"kynd":"ring"}},"vary":{"sim.seed":[2]}}`, `unknown key "kynd"`, 3, 14},
		{`{"scenario":` + object + `,"vary":{"sim.seed":[2]}}`, "belong to sweep", 2, 0},
		{`{"do":"check","scenario":` + object + `,"tables":["links"]}`, "tables belong to run", 2, 0},
		{`{"do":"estimate","scenario":` + object + `}`, "there is no [[workload.training]] to estimate", 3, 0},
		{`{"scenario":` + strings.Replace(object, `"1us"`, `null`, 1) + `}`, "null is no value", 3, 75},
		{`{"scenario":` + object + `,"set":7}`, "no request", 2, 0},
		{`{"scenario":7}`, "no request", 2, 0},
		{`{"scenario":[]}`, "no request", 2, 0},
	} {
		a := ask(t, `{"id":9,`+c.request[1:])[0]
		e, _ := a["error"].(map[string]any)
		if a["id"] != 9.0 || e["code"] != c.code || !strings.Contains(fmt.Sprint(e["message"]), c.message) {
			t.Errorf("%s:\n%v, want %v: %s", c.request, a, c.code, c.message)
			continue
		}
		if c.column > 0 {
			if at := e["where"].([]any)[0].(map[string]any)["column"]; at != c.column {
				t.Errorf("%s: column %v, want %v", c.request, at, c.column)
			}
		}
	}
}

func TestEstimate(t *testing.T) {
	a := ask(t, `{"do":"estimate","scenario":{"topology":{"kind":"rail","host":"dgx-h100","hosts":2},"workload":{"training":[{"model":"llama-2-7b","zero":3,"global_batch":16}]}}}`)[0]
	e, _ := a["estimate"].(map[string]any)
	if e == nil || e["cluster"].(map[string]any)["hosts"] != 2.0 || len(e["training"].([]any)) != 1 {
		t.Errorf("%v", a)
	}
}
