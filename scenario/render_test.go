package scenario

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestText reads every scenario that ships, writes it, and reads it again: the same keys,
// the same values, and the same text the second time.
func TestText(t *testing.T) {
	files, err := filepath.Glob("../scenarios/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		again(t, file, string(text), nil)
	}
}

// TestTextOf holds awkward values to the same.
func TestTextOf(t *testing.T) {
	const text = `name = "a \"quoted\" \\ name\twith é"
[topology]
kind = "ring"
accelerators = 4
bandwidth = "1GB/s"
latency = "1us"
fault = [{kind = "link", name = "acc0>acc1", at = "1ms"}]
[[workload.collective]]
op = "all_reduce"
sizes = ["1MiB", "2MiB"]
ranks = [0, 1, 2]
[[workload.collective]]
op = "all_gather"
sizes = ["1MiB"]
accelerators = 4
[[expect]]
metric = "makespan_s"
op = "<"
value = 1e30
[sweep]
seeds = 2
[sweep.vary]
sim.seed = [1, 2]
`
	again(t, "-", text, []string{"topology.latency=2us", "workload.collective.0.accelerators=[0,1,2]", "workload.collective.0.ranks=3"})
}

func again(t *testing.T, file, text string, overrides []string) {
	t.Helper()
	s, faults := Parse(file, []byte(text), overrides)
	if faults != nil {
		t.Fatal(faults)
	}
	written := s.Text()
	r, faults := Parse(file, []byte(written), nil)
	if faults != nil {
		t.Fatalf("%s: %v in\n%s", file, faults, written)
	}
	was, err := json.Marshal(s.Resolved())
	if err != nil {
		t.Fatal(err)
	}
	is, _ := json.Marshal(r.Resolved())
	if string(was) != string(is) {
		t.Errorf("%s: written and read again it is\n%s, not\n%s", file, is, was)
	}
	if r.Text() != written || strings.HasPrefix(written, "\n") {
		t.Errorf("%s: it does not come out the same\n%s", file, written)
	}
}

// With another workload, entries of the text's own catalogue that are left without a use
// go too.
func TestParseWithDropsWhatIsUnused(t *testing.T) {
	const text = `[topology]
kind = "rail"
host = "a"
hosts = 2
[hosts.a]
base = "dgx-h100"
[hosts.b]
base = "dgx-a100"
[models.m]
base = "llama-2-7b"
[[workload.training]]
model = "m"
global_batch = 16
`
	s, faults := ParseWith("-", []byte(text), "other", "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n", nil)
	if faults != nil {
		t.Fatal(faults)
	}
	if got := s.Text(); !strings.Contains(got, "[hosts.a]") || strings.Contains(got, "hosts.b") || strings.Contains(got, "models") || strings.Contains(got, "training") {
		t.Errorf("it has\n%s", got)
	}
}

func TestKinds(t *testing.T) {
	s, faults := Parse("-", []byte(`[topology]
kind = "rail"
host = "dgx-h100"
hosts = 2
[accelerators.own]
base = "h100-sxm-80gb"
price = "1000USD"
[hosts.dgx-h100]
base = "dgx-h100"
accelerator = "own"
[[workload.training]]
model = "llama-2-7b"
global_batch = 16
`), nil)
	if faults != nil {
		t.Fatal(faults)
	}
	of := map[string]Kind{}
	for _, k := range s.Kinds() {
		of[k.Accelerator] = k
	}
	for name, want := range map[string]Kind{
		"own":            {Accelerator: "own", Priced: true},
		"a100-sxm-80gb":  {Accelerator: "a100-sxm-80gb", Host: "dgx-a100", Priced: true, Rental: 1.3},
		"h200-sxm-141gb": {Accelerator: "h200-sxm-141gb", Rental: 4}, // comes in a DGX H100 of another price
		"gh200-sxm":      {Accelerator: "gh200-sxm", Host: "gh200-nvl32"},
	} {
		if of[name] != want {
			t.Errorf("%s: %+v, want %+v", name, of[name], want)
		}
	}
	if k, faults := s.Kind("h100-sxm"); faults == nil || !strings.Contains(faults.Error(), `did you mean "h100-sxm-80gb"?`) {
		t.Errorf("%+v, %v", k, faults)
	}
	if got := s.Batch("llama-2-70b"); got != 1024 {
		t.Errorf("Llama 2 was trained with %d sequences, want 4M tokens of 4,096", got)
	}
}
