package scenario

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadNodes(t *testing.T) {
	want := &NodeTable{
		Name: []string{"a", "b"}, Accelerators: []int{8, 0}, Type: []string{"A100", ""}, Speed: []float64{2.5, 1},
		CPU: []int64{96000, 32000}, Memory: []int64{1 << 30, 2 << 30}, Near: [3][]string{{"r0", "r0"}, {"", ""}, {"p0", ""}},
		HasCPU: true, HasMemory: true,
	}
	for _, text := range []string{
		"node,accelerators,type,speed,cpu_milli,memory_bytes,rack,pod\na,8,A100,2.5,96000,1073741824,r0,p0\nb,0,,,32000,2147483648,r0,\n",
		"sn,gpu,model,speed,cpu_milli,memory_mib,rack,pod\na,8,A100,2.5,96000,1024,r0,p0\nb,0,,,32000,2048,r0,\n",
	} {
		got, faults := readNodes("nodes.csv", strings.NewReader(text))
		if faults != nil {
			t.Fatal(faults)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	got, faults := readNodes("nodes.csv", strings.NewReader("node,accelerators\na,1\n"))
	if faults != nil || got.HasCPU || got.HasMemory {
		t.Errorf("%+v, %v: CPUs and memory are not known", got, faults)
	}
}

func TestReadNodesFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no name", "accelerators\n8\n", "nodes.csv:1:1: there is no column node"},
		{"no accelerators", "node\na\n", "nodes.csv:1:1: there is no column accelerators"},
		{"unknown column", "node,accelerators,gpus\na,1,1\n", `nodes.csv:1:19: unknown column "gpus"`},
		{"twice", "node,accelerators\na,1\na,1\n", `nodes.csv:3:1: node: "a" is there twice`},
		{"negative", "node,accelerators,cpu_milli\na,1,-1\n", "nodes.csv:2:5: cpu_milli: must be from 0 to 1099511627776, not -1"},
		{"no speed", "node,accelerators,speed\na,1,0\n", "nodes.csv:2:5: speed: must be more than 0"},
		{"none at all", "node,accelerators\na,0\n", "nodes.csv:1:1: no node has accelerators"},
		{"too many", "node,accelerators\na,1048576\nb,1\n", "nodes.csv:3:3: accelerators: more than 1048576 in all"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, faults := readNodes("nodes.csv", strings.NewReader(c.text))
			if got != nil || len(faults) != 1 || !strings.HasPrefix(faults.Error(), c.want) {
				t.Errorf("got %v, %v, want %s", got, faults, c.want)
			}
		})
	}
}

func TestCheckPlacement(t *testing.T) {
	trace := "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
	pool := "[topology]\nkind = \"pool\"\n"
	for _, c := range []struct{ name, text, want string }{
		{"neither", pool + trace, "case.toml:1:1: topology.accelerators: is missing: a pool has so many, or a file of hosts"},
		{"both", pool + "accelerators = 8\nfile = \"n.csv\"\n" + trace, "case.toml:4:8: topology.file: contradicts accelerators"},
		{"no hosts to choose from", pool + "accelerators = 8\n" + trace + "[scheduler]\nplacement = \"spread\"\n", `case.toml:7:13: scheduler.placement: "spread" chooses hosts, and a topology of kind "pool" has none`},
		{"no hosts to be few", pool + "accelerators = 8\n" + trace + "[scheduler]\nconsolidate = true\n", `case.toml:7:15: scheduler.consolidate: is about hosts`},
		{"fine", pool + "file = \"n.csv\"\n" + trace + "[scheduler]\nplacement = \"best-fit\"\nconsolidate = true\n", ""},
		{"packed on a bare pool", pool + "accelerators = 8\n" + trace + "[scheduler]\nplacement = \"pack\"\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, faults := Parse("case.toml", []byte(c.text), nil)
			if c.want == "" && faults != nil || c.want != "" && (len(faults) != 1 || !strings.HasPrefix(faults.Error(), c.want)) {
				t.Errorf("got %v, want %s", faults, c.want)
			}
		})
	}
}

func FuzzNodes(f *testing.F) {
	f.Add("node,accelerators,type,speed,cpu_milli,memory_bytes,rack,pod\na,8,A100,2.5,96000,1073741824,r0,p0\nb,0,,,32000,2147483648,r0,\n")
	f.Fuzz(func(t *testing.T, text string) {
		nodes, faults := readNodes("nodes.csv", strings.NewReader(text))
		if (nodes == nil) == (faults == nil) {
			t.Fatalf("%v, %v", nodes, faults)
		}
	})
}
