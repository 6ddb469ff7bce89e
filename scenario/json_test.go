package scenario

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const jsonRing = `{"name": "ring", "topology": {"kind": "ring", "accelerators": 4, "bandwidth": "1GB/s", "latency": "1us"},
 "workload": {"collective": [{"op": "all_reduce", "sizes": ["1MiB", "2MiB"], "ranks": [0, 1], "expand": true}]},
 "expect": [{"metric": "makespan_s", "op": ">", "value": 1e-3}]}`

// A JSON object of the same shape is the same scenario.
func TestJSON(t *testing.T) {
	same := func(name, toml, object string) {
		s, faults := Parse(name, []byte(object), nil)
		if faults != nil {
			t.Errorf("%s: %v", name, faults)
			return
		}
		want, _ := json.Marshal(parse(t, toml).Resolved())
		got, _ := json.Marshal(s.Resolved())
		if string(got) != string(want) {
			t.Errorf("%s as JSON is\n%s\nand as TOML\n%s", name, got, want)
		}
	}
	same("by hand", `name = "ring"
[topology]
kind = "ring"
accelerators = 4
bandwidth = "1GB/s"
latency = "1us"
[[workload.collective]]
op = "all_reduce"
sizes = ["1MiB", "2MiB"]
ranks = [0, 1]
expand = true
[[expect]]
metric = "makespan_s"
op = ">"
value = 1e-3
`, jsonRing)
	files, err := filepath.Glob("../scenarios/*.toml")
	if err != nil || len(files) < 10 {
		t.Fatalf("scenarios %q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		object, err := json.Marshal(parse(t, string(text)).Resolved())
		if err != nil {
			t.Fatal(err)
		}
		same(filepath.Base(file), string(text), string(object))
	}
}

// What is wrong with a JSON object has its place in it.
func TestBadJSON(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", `"bandwidth"`, `"bandwith"`, `case.json:1:66: unknown key "bandwith" in topology (did you mean "bandwidth"?)`},
		{"not a value", `"1GB/s"`, `"1us"`, `case.json:1:79: topology.bandwidth: "1us" is a time`},
		{"null", `"1GB/s"`, `null`, `case.json:1:79: null is no value: leave the key out`},
		{"in a list", `"2MiB"`, `2`, `case.json:2:69: workload.collective[0].sizes: "2" has no unit`},
		{"twice", `"latency"`, `"kind"`, `case.json:1:88: the key "kind" is there twice`},
		{"a fraction", `"accelerators": 4`, `"accelerators": 4.5`, `must be a whole number, not 4.5`},
		{"no end", "}]}", "}]", `the object does not end`},
		{"no comma", `4, "b`, `4 "b`, `case.json:1:65: invalid character '"' after object`},
		{"more", "1e-3}]}", "1e-3}]} {}", `case.json:3:66: there is more behind the object`},
		{"too large", "1e-3", "1e999", "1e999 is out of range"},
		{"too large", `: 4,`, `: 99999999999999999999,`, "99999999999999999999 is out of range"},
		{"deep", `[0, 1]`, strings.Repeat("[", 40) + "0" + strings.Repeat("]", 40), "nested deeper than 32 levels"},
		{"long", `"expand"`, `"` + strings.Repeat("x", 600) + `"`, "more than 512 bytes"},
		{"no name", `"ring"`, `{"": 1}`, "a key without a name"},
		{"not UTF-8", "ring", "\xff", "not UTF-8"},
		{"empty", jsonRing, "{}", "there is no [topology]"},
	} {
		_, faults := Parse("case.json", []byte(strings.Replace(jsonRing, c.old, c.new, 1)), nil)
		if faults == nil || !strings.Contains(faults.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.name, faults, c.want)
		}
	}
}

// --set takes a table as JSON, too.
func TestJSONOverride(t *testing.T) {
	s := parse(t, switch8+allReduce, `sim={"seed": 7, "fidelity": "analytic"}`, `workload.collective.0={op="broadcast",sizes=["1MB"]}`)
	if s.Sim.Seed.Value != 7 || s.Sim.Fidelity.Value != "analytic" || s.Workload.Collective[0].Op.Value != "broadcast" {
		t.Errorf("%+v, %+v", s.Sim, s.Workload.Collective[0].Op)
	}
}

// FuzzJSON: a JSON text is a scenario that its own text gives again, or has faults.
func FuzzJSON(f *testing.F) {
	f.Add(jsonRing)
	f.Add(`{"topology": {}, "b": [], "a": {"b": [[1.5, true], {"c": "\u0000é"}]}}`)
	f.Add(`{"a": -0, "a b": 1e400`)
	f.Fuzz(func(t *testing.T, text string) {
		root, fault := readJSON(newSource("case.json", text), text)
		if fault != nil || !root.isTables() {
			return
		}
		again := (&Scenario{root: root}).Text()
		back, fault := parseText("case.toml", again)
		if fault != nil {
			t.Fatalf("%v in\n%s", fault, again)
		}
		want, _ := json.Marshal(root.plain())
		got, _ := json.Marshal(back.plain())
		if string(got) != string(want) {
			t.Fatalf("%s\nis %s\nand was %s", again, got, want)
		}
	})
}
