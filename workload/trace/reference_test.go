package trace_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/railyard/railyard/workload/trace"
)

// The inventory of the reference traces, counted by another reader: nodes,
// collectives, bytes, durations and dependencies of each. They are outside the
// repository; RAILYARD_REFERENCE says where.
func TestInventory(t *testing.T) {
	root := os.Getenv("RAILYARD_REFERENCE")
	if root == "" {
		root = "../../../shared/reference"
	}
	root = filepath.Join(root, "replay")
	text, err := os.ReadFile(filepath.Join(root, "traces", "inventory.json"))
	if err != nil {
		t.Skip("no reference traces in " + root)
	}
	var all []struct {
		Path        string
		Nodes       int
		Types       map[string]int
		Collectives map[string]int
		Bytes       float64 `json:"comm_bytes"`
		Micros      float64 `json:"sum_duration_us"`
		Data        int     `json:"data_deps"`
		Control     int     `json:"ctrl_deps"`
		Dangling    int     `json:"dangling_deps"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		f, err := os.Open(filepath.Join(root, c.Path))
		if err != nil {
			t.Fatal(err)
		}
		tr, err := trace.Read(f)
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", c.Path, err)
			continue
		}
		bytes, seconds, messages, collectives := 0.0, 0.0, 0, 0
		for _, n := range tr.Nodes {
			seconds += n.Seconds
			switch n.Type {
			case trace.Collective:
				bytes += n.Size
				collectives++
			case trace.Send, trace.Receive:
				messages++
			}
		}
		want := 0
		for _, n := range c.Collectives {
			want += n
		}
		if d := seconds*1e6 - c.Micros; len(tr.Nodes) != c.Nodes || bytes != c.Bytes || d > 1 || d < -1 || collectives != want ||
			messages != c.Types["COMM_SEND"]+c.Types["COMM_RECV"] || tr.DataDependencies != c.Data || tr.ControlDependencies != c.Control ||
			tr.Mended.Dangling != c.Dangling {
			t.Errorf("%s: %d nodes, %v bytes in %d collectives, %v s, %d messages, %d and %d dependencies, %+v; want %+v", c.Path, len(tr.Nodes), bytes, collectives,
				seconds, messages, tr.DataDependencies, tr.ControlDependencies, tr.Mended, c)
		}
	}
}
