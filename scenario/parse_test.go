package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/railyard/railyard/units"
)

const (
	switch8   = "[topology]\nkind = \"switch\"\naccelerators = 8\nbandwidth = \"1GB/s\"\nlatency = \"1us\"\n"
	allReduce = "\n[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n"
)

// A key that is given and wrong is one fault: it is not called missing, too, and what
// belongs to it, or is called by it, is not judged by its default.
func TestOneFaultOnce(t *testing.T) {
	const (
		fabric  = "[topology]\nkind = \"leaf-spine\"\n"
		serving = "\n[[workload.serving]]\nmodel = \"llama-2-7b\"\ninput = 9\noutput = 5\ncount = 10\n"
		train   = "\n[[workload.training]]\nmodel = \"bert-large\"\nglobal_batch = 8\n"
	)
	for _, c := range []struct{ name, text, want string }{
		{
			"a length", switch8 + strings.Replace(serving, "= 9", "= 0", 1) + "rate = 5\n",
			"case.toml:9:9: workload.serving[0].input: must be from 1 to 16777216, not 0",
		},
		{
			"what keys belong to", fabric + "host = \"dgx-h100\"\nhosts = 2\n[topology.storage]\nlayout = \"stripd\"\ndrives = 4\ndrive_read = \"1GB/s\"\n" + train,
			"case.toml:6:10: topology.storage.layout: \"stripd\" is unknown (did you mean \"striped\"?); one of: local, striped, replicated, object, erasure-coded",
		},
		{
			"a key misspelt", fabric + "host = \"dgx-h100\"\nhosts = 2\n[topology.storage]\nlayuot = \"striped\"\ndrives = 4\ndrive_read = \"1GB/s\"\n" + train,
			"case.toml:6:1: unknown key \"layuot\" in topology.storage (did you mean \"layout\"?)",
		},
		{
			"in capitals", switch8 + serving + "rate = 5\narrivals = \"GAMMA\"\ncv = 2.0\n",
			"case.toml:13:12: workload.serving[0].arrivals: \"GAMMA\" is unknown (did you mean \"gamma\"?); one of: poisson, constant, gamma, diurnal",
		},
		{
			"a name", fabric + "[[topology.pool]]\nname = 5\nhost = \"dgx-h100\"\nhosts = 2\n[topology.storage]\nlayout = \"striped\"\npool = \"files\"\ndrive_read = \"1GB/s\"\n" + train,
			"case.toml:4:8: topology.pool[0].name: must be a string, not a number",
		},
		{
			"tables that are none", switch8 + "\n[workload]\nserving = [5]\n",
			"case.toml:8:12: workload.serving[0]: must be a table, not a number",
		},
		{
			"a table that is none", "workload = 5\n" + switch8,
			"case.toml:1:1: workload: must be a table, not a number",
		},
		{
			"a list of a list", switch8 + serving + "rate = 5\nclient = \"here\"\nsite_router = \"nearest\"\n",
			"case.toml:13:1: workload.serving[0].client: must be a list of tables: write [[workload.serving.client]]",
		},
		{
			"a number beyond all", strings.Replace(switch8, "= 8", "= 99999999999999999999", 1) + allReduce,
			"case.toml:3:16: topology.accelerators: 99999999999999999999 is more than any number can be",
		},
		{
			"a quantity beyond all", switch8 + "[topology.cost]\nserver = \"1e300USD\"\n" + allReduce,
			"case.toml:7:10: topology.cost.server: \"1e300USD\" is too large",
		},
		{
			"gaps of no variation", switch8 + serving + "rate = 5\narrivals = \"gamma\"\ncv = 1e-308\n",
			"case.toml:14:6: workload.serving[0].cv: must be from 0.001 to 100, not 1e-308",
		},
		{
			"what a terminal obeys", "name = \"a\\u001b[2J\"\n" + switch8 + allReduce,
			"case.toml:1:8: name: must not hold control characters, as \"a\\x1b[2J\" does",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, faults := Parse("case.toml", []byte(c.text), nil); len(faults) != 1 || faults.Error() != c.want {
				t.Errorf("got\n%v\nwant\n%s", faults, c.want)
			}
		})
	}
}

// parse fails the test on any fault.
func parse(t *testing.T, text string, overrides ...string) *Scenario {
	t.Helper()
	s, faults := Parse("case.toml", []byte(text), overrides)
	if faults != nil {
		t.Fatalf("%v\nin\n%s", faults, text)
	}
	return s
}

// The cases of check_bad_input of the reference, which fix the places.
func TestBadInput(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			"unknown key", "[topology]\nkind = \"switch\"\naccelerators = 8\nbandwith = \"1GB/s\"\nlatency = \"1us\"\n" + allReduce,
			`case.toml:4:1: unknown key "bandwith" in topology (did you mean "bandwidth"?)`,
		},
		{
			"missing unit", "[topology]\nkind = \"switch\"\naccelerators = 8\nbandwidth = 100\nlatency = \"1us\"\n" + allReduce,
			`case.toml:4:13: topology.bandwidth: "100" has no unit; a rate was expected: bps, kbps`,
		},
		{
			"wrong unit", "[topology]\nkind = \"switch\"\naccelerators = 8\nbandwidth = \"100us\"\nlatency = \"1us\"\n" + allReduce,
			`case.toml:4:13: topology.bandwidth: "100us" is a time; a rate was expected: bps, kbps`,
		},
		{
			"negative", "[topology]\nkind = \"switch\"\naccelerators = -8\nbandwidth = \"1GB/s\"\nlatency = \"1us\"\n" + allReduce,
			`case.toml:3:16: topology.accelerators: must be from 1 to 1048576, not -8`,
		},
		{
			"unknown kind", "[topology]\nkind = \"fat-three\"\nhosts = 8\n" + allReduce,
			`case.toml:2:8: topology.kind: "fat-three" is unknown (did you mean "fat-tree"?); one of: links, ring,`,
		},
		{
			"syntax", "[topology\nkind = \"switch\"\n",
			`case.toml:1:10: expected ']' to close table name`,
		},
		{
			"no workload", switch8,
			`case.toml: there is no workload`,
		},
		{
			"infinite", "[topology]\nkind = \"switch\"\naccelerators = 8\nbandwidth = \"infGB/s\"\nlatency = \"1us\"\n" + allReduce,
			`case.toml:4:13: topology.bandwidth: "infGB/s" does not begin with a number`,
		},
		{
			"empty workload", switch8 + "[workload]\ntraining = []\n",
			`case.toml: there is no workload`,
		},
		{
			"empty", "",
			`case.toml: there is no [topology]`,
		},
		{
			"huge", "[topology]\nkind = \"fat-tree\"\nhost = \"dgx-h100\"\nk = 100000000\n" + allReduce,
			`case.toml:4:5: topology.k: must be from 2 to 256, not 100000000`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, faults := Parse("case.toml", []byte(c.text), nil)
			if !strings.Contains(faults.Error(), c.want) {
				t.Errorf("got\n%v\nwant\n%s", faults, c.want)
			}
		})
	}
}

// Two of the cases are judged after parsing: files when they are read, degrees
// when the cluster is known. Parsing keeps the places for both.
func TestBadInputLater(t *testing.T) {
	s, faults := Parse("dir/case.toml", []byte("[topology]\nkind = \"links\"\nfile = \"absent.csv\"\n\n[[workload.flows]]\nfile = \"absent.csv\"\n"), nil)
	if faults != nil {
		t.Fatal(faults)
	}
	_, faults = s.ReadLinks()
	if got, want := faults.Error(), `dir/case.toml:3:8: topology.file: cannot read "absent.csv": no such file or directory`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	_, faults = s.ReadFlows(&s.Workload.Flows[0], nil)
	if got, want := faults.Error(), `dir/case.toml:6:8: workload.flows[0].file: cannot read "absent.csv": no such file or directory`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}

	s = parse(t, "[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n\n[[workload.training]]\nmodel = \"bert-large\"\ntensor = 3\nmicro_batch = 1\nglobal_batch = 8\n")
	if got := s.Workload.Training[0].Tensor.Pos.String(); got != "case.toml:7:10" {
		t.Errorf("tensor is at %s", got)
	}
}

func TestFaultsOfEveryKind(t *testing.T) {
	fabric := func(rest string) string {
		return "[topology]\nkind = \"rail\"\nhost = \"dgx-h100\"\nhosts = 2\n" + rest
	}
	training := func(rest string) string {
		return fabric("[[workload.training]]\nmodel = \"bert-large\"\nglobal_batch = 64\n" + rest)
	}
	for _, c := range []struct{ name, text, want string }{
		// Names.
		{
			"key of another table", fabric("tensor = 4\n" + allReduce),
			`case.toml:5:1: unknown key "tensor" in topology; it belongs in [[workload.training]]`,
		},
		{
			"unknown key at the top", "hosts_per_rack = 3\n" + switch8 + allReduce,
			`case.toml:1:1: unknown key "hosts_per_rack"; it belongs in [topology]`,
		},
		{
			"unknown table", switch8 + allReduce + "[toplogy]\nk = 1\n",
			`case.toml:10:1: unknown table "toplogy" (did you mean "topology"?)`,
		},
		{
			"unknown list", switch8 + "[[workload.trainings]]\nk = 1\n",
			`case.toml:6:1: unknown table "trainings" in workload (did you mean "training"?)`,
		},
		{
			"quoted key", switch8 + allReduce + "\"a b\" = 1\n",
			`case.toml:10:1: unknown key "a b" in workload.collective[0]`,
		},
		{
			"table for list", switch8 + "[workload.collective]\nop = \"all_reduce\"\n",
			`case.toml:6:1: workload.collective: must be a list of tables: write [[workload.collective]]`,
		},
		{
			"scalar for table", "topology = 3\n" + allReduce,
			`case.toml:1:1: topology: must be a table, not a number`,
		},
		{
			"list for table", "[[topology]]\nkind = \"ring\"\n" + allReduce,
			`case.toml:1:1: topology: must be a table, not a list`,
		},
		{
			"scalar in list of tables", "workload.collective = [3]\n" + switch8,
			`case.toml:1:24: workload.collective[0]: must be a table, not a number`,
		},
		// Types.
		{"string for integer", training("tensor = \"4\"\n"), `case.toml:8:10: workload.training[0].tensor: must be an integer, not a string`},
		{"fraction for integer", training("tensor = 1.5\n"), `case.toml:8:10: workload.training[0].tensor: must be a whole number, not 1.5`},
		{"infinite integer", training("tensor = inf\n"), `tensor: must be a whole number, not inf`},
		{"integer beyond what is exact", training("tensor = 1e18\n"), `tensor: 1e+18 is out of range`},
		{"table for integer", training("tensor = {a = 1}\n"), `case.toml:8:10: workload.training[0].tensor: must be an integer, not a table`},
		{"date for string", training("name = 2026-01-01\n"), `case.toml:8:8: workload.training[0].name: must be a string, not a date or time`},
		{"number for boolean", training("shared = 1\n"), `case.toml:8:10: workload.training[0].shared: must be true or false, not a number`},
		{"list for number", training("epochs = [1]\n"), `case.toml:8:10: workload.training[0].epochs: must be a number, not a list`},
		{"NaN", training("epochs = nan\n"), `epochs: must be a finite number, not nan`},
		{"boolean for quantity", training("start = true\n"), `case.toml:8:9: workload.training[0].start: must be a quantity in a string, not true`},
		{"bare zero", training("start = 0\n"), `start: "0" has no unit; a time was expected: ps, ns, us, ms, s, m, h, d`},
		{"neither integer nor auto", training("micro_batch = \"all\"\n"), `micro_batch: must be an integer or "auto"`},
		{"string for selection", training("accelerators = \"8\"\n"), `accelerators: must be an integer or a list of integers, not a string`},
		{"empty selection", training("accelerators = []\n"), `accelerators: must not be an empty list`},
		{"twice in selection", training("accelerators = [0, 1,\n  1]\n"), `case.toml:9:3: workload.training[0].accelerators: 1 is listed twice`},
		{"negative in selection", training("accelerators = [-1]\n"), `case.toml:8:17: workload.training[0].accelerators: must be from 0 to 1048575, not -1`},
		{"scalar for list", switch8 + "[[workload.collective]]\nop = \"all_reduce\"\nsizes = \"1B\"\n", `case.toml:8:9: workload.collective[0].sizes: must be a list, not a string`},
		{"wrong in list", switch8 + "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1B\", 2]\n", `case.toml:8:16: workload.collective[0].sizes: "2" has no unit; an amount of data`},
		{"list in list", switch8 + "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [[\"1B\"]]\n", `sizes: must be a quantity in a string, not a list`},
		// Values.
		{"zero where none may be", strings.Replace(switch8, "1GB/s", "0B/s", 1) + allReduce, `case.toml:4:13: topology.bandwidth: must be more than 0`},
		{"a quantity that is too large", strings.Replace(switch8, "latency = \"1us\"", "latency = \"2m\"", 1) + allReduce, `topology.latency: must be at most 1m, not 2m`},
		{"too small", training("zero = -1\n"), `zero: must be from 0 to 3, not -1`},
		{"too large", training("zero = 4\n"), `zero: must be from 0 to 3, not 4`},
		{"below the least", training("samples = 0\n"), `samples: must be 1 or more, not 0`},
		{"empty string", training("name = \"\"\n"), `name: must not be empty`},
		{"unknown value", training("precision = \"fp15\"\n"), `case.toml:8:13: workload.training[0].precision: "fp15" is unknown (did you mean "fp16"?); one of: fp32, tf32, fp16, bf16, fp8`},
		{"list for a table", switch8 + allReduce + "[scheduler]\nsecurity = [1]\n", `case.toml:11:1: scheduler.security: must be a table, not a list`},
		// Kinds.
		{"key of another kind", switch8 + "k = 4\n" + allReduce, `case.toml:6:1: topology.k: has no meaning with kind "switch"; kinds that take it: fat-tree`},
		{
			"key that a kind needs", "[topology]\nkind = \"switch\"\naccelerators = 2\nlatency = \"1us\"\n" + allReduce,
			`case.toml:2:1: topology: kind "switch" needs the key "bandwidth"`,
		},
		{"no kind", "[topology]\naccelerators = 2\n" + allReduce, `case.toml:1:1: topology: needs the key "kind"`},
		{"key that a table needs", switch8 + "\n[[workload.training]]\nmodel = \"bert-large\"\n", `case.toml:7:1: workload.training[0]: needs the key "global_batch"`},
		{"odd k", "[topology]\nkind = \"fat-tree\"\nhost = \"dgx-h100\"\nk = 5\n" + allReduce, `case.toml:4:5: topology.k: must be even, not 5`},
		{"hosts of a single host", "[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\nhosts = 2\n" + allReduce, `case.toml:4:9: topology.hosts: must be 1 with kind "single-host", not 2`},
		{"oversubscribed fat tree", "[topology]\nkind = \"fat-tree\"\nhost = \"dgx-h100\"\nk = 8\noversubscription = 2\n" + allReduce, `case.toml:5:20: topology.oversubscription: must be 1`},
		{"more than fit", "[topology]\nkind = \"fat-tree\"\nhost = \"dgx-h100\"\nk = 8\nhosts = 17\n" + allReduce, `case.toml:5:9: topology: a fat-tree of 8-port switches has 128 ports, room for 16 hosts of 8 NICs`},
		{"not one fits", "[topology]\nkind = \"fat-tree\"\nhost = \"dgx-h100\"\nk = 2\n" + allReduce, `case.toml:4:5: topology: a fat-tree of 2-port switches has 2 ports, room for 0 hosts`},
		{"too many accelerators", strings.Replace(fabric(allReduce), "hosts = 2", "hosts = 262144", 1), `case.toml:4:9: topology: 262144 hosts of 8 accelerators are more than`},
		{"largest fat tree", "[topology]\nkind = \"fat-tree\"\nhost = \"dgx-h100\"\nk = 256\n" + allReduce, `case.toml:4:5: topology: 524288 hosts of 8 accelerators are more than`},
		{"training on links", "[topology]\nkind = \"links\"\nfile = \"a\"\n[[workload.training]]\nmodel = \"bert-large\"\nglobal_batch = 1\n", `case.toml:4:1: workload.training[0]: has nowhere to run`},
		// References.
		{"unknown host", strings.Replace(fabric(allReduce), "dgx-h100", "dgx-h10", 1), `case.toml:3:8: topology.host: there is no host "dgx-h10" (did you mean "dgx-h100"?); railyard catalog hosts lists the 41 of the catalogue`},
		{"unknown model", training("") + "[[workload.training]]\nmodel = \"bert-small\"\nglobal_batch = 1\n", `case.toml:9:9: workload.training[1].model: there is no model "bert-small"; railyard catalog models lists the `},
		{"unused host", fabric(allReduce) + "[hosts.mine]\nbase = \"dgx-a100\"\n", `case.toml:9:1: hosts.mine: is not used`},
		{"unused accelerator", fabric(allReduce) + "[accelerators.mine]\nbase = \"a100-sxm-80gb\"\n", `case.toml:9:1: accelerators.mine: is not used`},
		{"unused model", fabric(allReduce) + "[models.mine]\nbase = \"bert-large\"\n", `case.toml:9:1: models.mine: is not used`},
		{"host of nothing", strings.Replace(fabric(allReduce), "dgx-h100", "mine", 1) + "[hosts.mine]\nnics = 2\n", `case.toml:9:1: hosts.mine: needs the key "base" or "accelerator"`},
		{"host on itself", strings.Replace(fabric(allReduce), "dgx-h100", "a", 1) + "[hosts.a]\nbase = \"b\"\n[hosts.b]\nbase = \"a\"\n", `case.toml:12:8: hosts.b.base: host "a" builds on itself`},
		{"host of an unknown accelerator", strings.Replace(fabric(allReduce), "dgx-h100", "a", 1) + "[hosts.a]\naccelerator = \"h100\"\n", `case.toml:10:15: hosts.a.accelerator: there is no accelerator "h100"`},
		{"accelerator without figures", strings.Replace(fabric(allReduce), "dgx-h100", "a", 1) + "[hosts.a]\nbase = \"dgx-h100\"\naccelerator = \"b\"\n[accelerators.b]\nmemory = \"1GB\"\n", `case.toml:12:1: accelerators.b: lacks memory_bandwidth, multiprocessors, peak_fp32`},
		{"host without a reference", strings.Replace(fabric(allReduce), "dgx-h100", "a", 1) + "[hosts.a]\naccelerator = \"b\"\n[accelerators.b]\nmemory = \"1GB\"\n", `case.toml:9:1: hosts.a: lacks accelerators, scale_up, scale_up_bandwidth, nics, nic_bandwidth`},
		{"model that is none", strings.Replace(training(""), "bert-large", "a", 1) + "[models.a]\nlayers = 2\nhidden = 10\nheads = 3\nvocab = 5\n", `case.toml:8:1: models.a: hidden 10 is not a multiple of heads 3: state head_dim`},
		{
			"same fault from two", strings.Replace(training(""), "bert-large", "a", 1) + "[[workload.training]]\nmodel = \"a\"\nglobal_batch = 1\n[models.a]\nfamily = \"convnet\"\nlayers = 2\n",
			"case.toml:11:1: models.a: layers of a convnet must be 50, 101 or 152, got 2",
		},
		{"two lengths", training("iterations = 3\ntokens = 300e9\n"), `case.toml:9:10: workload.training[0].tokens: contradicts iterations`},
		{"bad expectation", switch8 + allReduce + "[[expect]]\nmetric = \"a\"\nop = \"=\"\nvalue = 1\n", `case.toml:12:6: expect[0].op: "=" is unknown`},
		{"too many tables", switch8 + strings.Repeat(allReduce, maxTables+1), `case.toml:7:1: workload.collective: has 10001 tables; at most 10000 are taken`},
		// Text.
		{"key twice", "[topology]\nkind = \"ring\"\nkind = \"ring\"\n", `case.toml:3:1: `},
		{"integer out of range", "[topology]\nk = 99999999999999999999\n", `case.toml:2:5: `},
		{"broken string", "[topology]\nkind = \"ring\n", `case.toml:2:`},
		{"invalid UTF-8", "name = \"\xff\"\n", `case.toml:1:`},
		{"nested lists", "a = " + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "\n", `case.toml:1:5: nested deeper than 32 levels`},
		{"nested keys", strings.Repeat("a.", 100) + "a = 1\n", `case.toml:1:65: nested deeper than 32 levels`},
		{"nested headers", "[" + strings.Repeat("a.", 100) + "a]\n", `case.toml:1:66: nested deeper than 32 levels`},
		{"long name", "[models." + strings.Repeat("x", 600) + "]\n", `case.toml:1:9: the names of this key and its tables have more than 512 bytes`},
		{"too long", strings.Repeat("#", maxText+1), `case.toml: the scenario is larger than 4 MiB`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, faults := Parse("case.toml", []byte(c.text), nil)
			if !strings.Contains(faults.Error(), c.want) {
				t.Errorf("got\n%v\nwant\n%s\nin\n%.500s", faults, c.want, c.text)
			}
		})
	}
}

// Everything wrong is reported at once, in the order of the file, and once: a
// misspelt key is not missing as well.
func TestAllFaultsAtOnce(t *testing.T) {
	_, faults := Parse("case.toml", []byte("[topology]\nkind = \"switch\"\nk = 4\nbandwith = 1\nlatency = \"1GB\"\n"), nil)
	want := []string{
		`case.toml:2:1: topology: kind "switch" needs the key "accelerators" (number of bare accelerators)`,
		`case.toml:3:1: topology.k: has no meaning with kind "switch"; kinds that take it: fat-tree`,
		`case.toml:4:1: unknown key "bandwith" in topology (did you mean "bandwidth"?)`,
		`case.toml:5:11: topology.latency: "1GB" is an amount of data; a time was expected: ps, ns, us, ms, s, m, h, d`,
		`case.toml: there is no workload: add a [[workload.training]], [[workload.collective]] or [[workload.flows]]`,
	}
	if got := faults.Error(); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	for i, key := range []string{"topology", "topology.k", "topology.bandwith", "topology.latency", ""} {
		if faults[i].Key != key {
			t.Errorf("fault %d is of key %q, want %q", i, faults[i].Key, key)
		}
	}
}

func TestParse(t *testing.T) {
	s := parse(t, `# every table
name = "all"
sim = {seed = 7, horizon = "1.5s"}
topology.kind = "leaf-spine"
topology.host = "mine"
topology.hosts = 4
topology.oversubscription = 2
[hosts.mine]
base = "dgx-h100"
[[workload.training]]
model = "llama"
global_batch = 256
micro_batch = "auto"
tokens = 300e9
accelerators = [0, 1, 2]
[models.llama]
layers = 2
hidden = 64
heads = 4
vocab = 100
activation = "swiglu"
[[workload.collective]]
op = "all_reduce"
sizes = [
  "1MiB", # one
  "2 GB",
]
ranks = 4
[[expect]]
metric = "training.0.iteration_s"
op = "<="
value = 2
`)
	at := func(line, col int) Position { return Position{"case.toml", line, col} }
	training, collective := s.Workload.Training[0], s.Workload.Collective[0]
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"name", s.Name, Key[string]{"all", true, at(2, 8)}},
		{"seed", s.Sim.Seed, Key[int64]{7, true, at(3, 15)}},
		{"horizon", s.Sim.Horizon, Key[units.Duration]{1.5e11, true, at(3, 28)}},
		{"fidelity", s.Sim.Fidelity, Key[string]{Value: "fluid"}},
		{"sim", s.Sim.Header, Header{at(3, 1), "sim"}},
		{"topology", s.Topology.Header, Header{at(4, 1), "topology"}},
		{"kind", s.Topology.Kind, Key[string]{"leaf-spine", true, at(4, 17)}},
		{"oversubscription", s.Topology.Oversubscription, Key[float64]{2, true, at(7, 29)}},
		{"routing", s.Topology.Routing, Key[string]{Value: "ecmp"}},
		{"training", training.Header, Header{at(10, 1), "workload.training[0]"}},
		{"micro_batch", training.MicroBatch, Key[CountOrAuto]{CountOrAuto{Auto: true}, true, at(13, 15)}},
		{"tokens", training.Tokens, Key[int64]{300e9, true, at(14, 10)}},
		{"accelerators", training.Accelerators.Value, Selection{List: []int64{0, 1, 2}}},
		{"tensor", training.Tensor, Key[int64]{Value: 1}},
		{"data", training.Data, Key[int64]{}},
		{"precision", training.Precision, Key[string]{Value: "bf16"}},
		{"recompute", training.Recompute.Value, "none"},
		{"attention", training.Attention.Value, "flash"},
		{"iterations", training.Iterations, Key[int64]{Value: 3}},
		{"overlap", training.Overlap, Key[bool]{}},
		{"start", training.Start, Key[units.Duration]{}},
		{"model", s.Models["llama"].Header, Header{at(16, 1), "models.llama"}},
		{"sizes", collective.Sizes, Key[[]units.Bytes]{[]units.Bytes{1 << 20, 2e9}, true, at(24, 9)}},
		{"ranks", collective.Ranks.Value, Selection{Count: 4}},
		{"collective iterations", collective.Iterations.Value, int64(1)},
		{"value", s.Expect[0].Value, Key[float64]{2, true, at(32, 9)}},
		{"policy", s.Scheduler.Policy, Key[string]{Value: "fifo"}},
		{"scheduler", s.Scheduler.Header, Header{}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, c.got, c.want)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"two tables of one type", switch8 + allReduce + allReduce},
		{"byte order mark", "\ufeff" + switch8 + allReduce},
		{"carriage returns", strings.ReplaceAll(switch8+allReduce, "\n", "\r\n")},
		{"fat tree of all that fit", "[topology]\nkind = \"fat-tree\"\nhost = \"dgx-h100\"\nk = 8\n" + allReduce},
		{"inline list of tables", switch8 + "[workload]\ncollective = [{op = \"broadcast\", sizes = [\"1B\"]}, {op = \"reduce\", sizes = [\"1B\"]}]\n"},
		{"features of later", switch8 + "[[workload.training]]\nmodel = \"gpt3-175b\"\nglobal_batch = 8\ntensor = 8\npipeline = 2\nvirtual_stages = 2\nschedule = \"interleaved\"\ncontext = 2\nexpert = 2\nzero = 3\nrecompute = \"auto\"\nsequence_parallel = true\n"},
		{"one host of a rail", "[topology]\nkind = \"rail\"\nhost = \"dgx-h100\"\nhosts = 1\n" + allReduce},
	} {
		t.Run(c.name, func(t *testing.T) { parse(t, c.text) })
	}
	s := parse(t, "[topology]\nkind = \"fat-tree\"\nhost = \"dgx-h100\"\nk = 8\n"+allReduce)
	if s.Topology.Hosts.Value != 16 {
		t.Errorf("a fat-tree of 8-port switches holds %d hosts", s.Topology.Hosts.Value)
	}
	if got, want := s.Topology.LinkLatency.Value, units.Duration(32_000); got != want {
		t.Errorf("a cable takes %v, want the host's %v", got, want)
	}
	s = parse(t, "[topology]\nkind = \"rail\"\nhost = \"dgx-h100\"\nhosts = 2\n"+allReduce+"[[workload.training]]\nmodel = \"bert-large\"\nglobal_batch = 8\nvirtual_stages = 2\n")
	if got := s.Topology.HostsPerRack.Value; got != 32 {
		t.Errorf("a rail has %d hosts in a rack", got)
	}
	if got := s.Workload.Collective[0].Name.Value; got != "all_reduce" {
		t.Errorf("a collective without a name is called %q", got)
	}
	if tr := s.Workload.Training[0]; tr.Name.Value != "bert-large" || tr.Schedule.Value != "interleaved" {
		t.Errorf("a training is called %q and scheduled %q", tr.Name.Value, tr.Schedule.Value)
	}
	if s.Name.Value != "case" {
		t.Errorf("a scenario without a name is called %q", s.Name.Value)
	}
}

func TestPath(t *testing.T) {
	for _, c := range []struct{ file, name, want string }{
		{"case.toml", "a.csv", "a.csv"},
		{"dir/case.toml", "a.csv", "dir/a.csv"},
		{"dir/case.toml", "../a.csv", "a.csv"},
		{"dir/case.toml", "/a.csv", "/a.csv"},
		{"-", "a.csv", "a.csv"},
	} {
		if got := (&Scenario{File: c.file}).Path(c.name); got != c.want {
			t.Errorf("%s of %s: got %s, want %s", c.name, c.file, got, c.want)
		}
	}
}

func TestOverride(t *testing.T) {
	const text = switch8 + allReduce + "[models.\"a.b\"]\nbase = \"bert-large\"\n[[workload.training]]\nmodel = \"a.b\"\nglobal_batch = 8\n"
	s := parse(t, text, "topology.accelerators=16", "topology.bandwidth=400Gbps", `workload.collective.0.sizes=["1B", "2B"]`,
		"workload.collective.0.sizes.1=3B", "sim.seed = 9", `models."a.b".layers=3`, "name=a=b", "expect=[{metric='m', op='<', value=1}]")
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"accelerators", s.Topology.Accelerators, Key[int64]{16, true, Position{File: "--set topology.accelerators"}}},
		{"bandwidth", s.Topology.Bandwidth.Value, units.Rate(5e10)},
		{"sizes", s.Workload.Collective[0].Sizes.Value, []units.Bytes{1, 3}},
		{"seed", s.Sim.Seed.Value, int64(9)},
		{"layers", s.Models["a.b"].Layers.Value, int64(3)},
		{"name", s.Name.Value, "a=b"},
		{"expect", s.Expect[0].Metric.Value, "m"},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, c.got, c.want)
		}
	}

	const usage = "KEY=VALUE was expected, as in --set topology.hosts=16"
	for _, c := range []struct{ override, want string }{
		{"topology.bandwith=1GB/s", `--set topology.bandwith: unknown key "bandwith" in topology (did you mean "bandwidth"?)`},
		{"topology.accelerators=many", `--set topology.accelerators: topology.accelerators: must be an integer, not a string`},
		{"workload.collective.1.op=reduce", `--set workload.collective.1.op: workload.collective has 1 entries, counted from 0: there is no 1`},
		{"workload.collective.-1.op=reduce", `--set workload.collective.-1.op: workload.collective has 1 entries, counted from 0: there is no -1`},
		{"workload.collective.op=reduce", `--set workload.collective.op: workload.collective is a list: say which of its entries, as in 0.op`},
		{"workload.flows.0.file=a", `--set workload.flows.0.file: workload.flows is not in the scenario: there is no 0`},
		{"topology.kind.x=1", `--set topology.kind.x: topology.kind is a string, not a table`},
		{"topology=1", `--set topology: topology: must be a table, not a number`},
		{"topology", "--set topology: " + usage},
		{"=1", "--set : " + usage},
		{"a b=1", "--set a b: " + usage},
		{"a\nb=1", "--set a\nb: " + usage},
		{strings.Repeat("a.", 5000) + "a=1", "--set " + strings.Repeat("a.", 30) + "...: " + usage},
	} {
		_, faults := Parse("case.toml", []byte(switch8+allReduce), []string{c.override})
		if got := faults.Error(); got != c.want {
			t.Errorf("%.50s:\n got %s\nwant %s", c.override, got, c.want)
		}
	}
}

// The reference describes every key well enough to print.
func TestReference(t *testing.T) {
	seen := map[string]Declared{}
	for _, d := range Reference() {
		if d.Doc == "" {
			t.Errorf("%s has no doc", d.Path)
		}
		if _, dup := seen[d.Path]; dup {
			t.Errorf("%s is there twice", d.Path)
		}
		seen[d.Path] = d
	}
	for path, typ := range map[string]string{
		"name": "string", "topology.hosts": "integer", "topology.bandwidth": "rate", "workload.training[].micro_batch": `integer or "auto"`,
		"workload.training[].accelerators": "integer or list of integers", "workload.collective[].sizes": "list of data",
		"hosts.NAME.nics": "integer", "accelerators.NAME.peak_bf16": "compute rate", "hosts.NAME": "named tables", "workload.training[]": "list of tables",
		"workload.serving[].autoscale": "table", "scheduler.security": "table", "workload.serving[].input": "integer or distribution", "sim": "table",
	} {
		if d, ok := seen[path]; !ok || d.Type != typ {
			t.Errorf("%s: got type %q (there: %v), want %q", path, d.Type, ok, typ)
		}
	}
}

// No text takes longer than its length deserves.
func TestHostileText(t *testing.T) {
	const hostile = maxText / 8
	fill := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < hostile; i++ {
			if strings.Contains(format, "%") {
				fmt.Fprintf(&b, format, i)
			} else {
				b.WriteString(format)
			}
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"unknown keys":        fill("k%d=1\n"),
		"unknown tables":      fill("[t%d]\n"),
		"hosts":               fill("[hosts.h%d]\n"),
		"trainings":           fill("[[workload.training]]\n"),
		"long names":          "[a." + strings.Repeat("x", 480) + "]\n" + fill("k%d=1\n"),
		"long name":           "[hosts." + strings.Repeat("x", hostile) + "]\n" + fill("k%d=1\n"),
		"dotted key":          strings.Repeat("a.", hostile/2) + "a=1",
		"dotted keys":         fill("a.b.c.d.e.f.g.h%d=1\n"),
		"open lists":          fill("["),
		"open list value":     "a=" + fill("["),
		"open tables":         "a=" + fill("{a="),
		"long list":           "a=[" + fill("1,") + "]",
		"list of tables":      "workload.training=[" + fill("{},") + "]",
		"long inline table":   "hosts={" + fill("a%d=1,") + "}",
		"backslashes":         "a=\"\"\"" + fill("\\\n ") + "\"\"\"",
		"escapes":             "a=\"" + fill("\\u0041") + "\"",
		"quotes":              fill("\""),
		"long number":         "a=" + fill("9"),
		"long quantity":       "topology.bandwidth=\"" + fill("9") + "GB/s\"",
		"long enum":           "topology.kind=\"" + fill("r") + "\"",
		"comments":            fill("#\n"),
		"blank":               fill(" "),
		"ranks":               switch8 + allReduce + "ranks=[" + fill("%d,") + "]",
		"chain of hosts":      "topology.kind=\"rail\"\ntopology.host=\"h0\"\n" + chain(maxTables-1),
		"same header, twice":  fill("[topology]\n"),
		"underscores":         "a=" + fill("1_"),
		"unfinished dates":    "a=" + fill("1979-"),
		"carriage returns":    fill("\r"),
		"array of hosts":      fill("[[hosts.a]]\n"),
		"header in a list":    fill("[[a]]\n[a.b]\n"),
		"unknown in training": "[[workload.training]]\n" + fill("k%d=1\n"),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			if _, faults := Parse("case.toml", []byte(text), nil); faults == nil && name != "ranks" {
				t.Error("accepted")
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			} else {
				t.Logf("took %v", took)
			}
		})
	}
}

// chain is hosts that each build on the next.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "[hosts.h%d]\nbase = \"h%d\"\n", i, i+1)
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("../scenarios/*.toml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "topology.hosts=2")
	}
	f.Add(switch8+allReduce, "topology.accelerators=16")
	f.Add("[topology]\nkind = \"links\"\nfile = \"a.csv\"\n[[workload.flows]]\nfile = \"b.csv\"\n", "workload.flows.0.start=1s")
	f.Add("a = [{b = 1}, [2, '''x''']]\n[[c.d]]\n[c.d.e]\n", "c.d.0=1")
	f.Add("[models.\"a.b\"]\nlayers = 2\n[hosts.c]\nbase = \"dgx-2\"\nnics = 1\n", `models."a.b".layers=2`)
	f.Fuzz(func(t *testing.T, text, set string) {
		s, faults := Parse("case.toml", []byte(text), []string{set})
		if (s == nil) == (faults == nil) {
			t.Errorf("scenario %v, faults %v", s, faults)
		}
		_ = faults.Error()
	})
}
