package datacenter_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The exact cases of the reference collection, two independent max-min solvers
// that agree, through scenario and CSV files: each finish within 1e-6 of (finish
// + 100 us). They are outside the repository; RAILYARD_REFERENCE says where.
func TestReferenceFlows(t *testing.T) {
	root := os.Getenv("RAILYARD_REFERENCE")
	if root == "" {
		root = "../../shared/reference"
	}
	paths, _ := filepath.Glob(filepath.Join(root, "network", "flows", "*.json"))
	if len(paths) == 0 {
		t.Skip("no reference cases in " + root)
	}
	for _, path := range paths {
		var c struct {
			Name  string
			Links []struct {
				ID                int
				Capacity, Latency float64
			}
			Flows []struct {
				ID          int
				Start, Size float64
				Weight      *float64
				Route       []int
				Deps, After []int
				Check       float64 `json:"finish_check"`
			}
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &c)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			names := func(prefix string, ids []int) string {
				all := make([]string, len(ids))
				for i, id := range ids {
					all[i] = prefix + strconv.Itoa(id)
				}
				return strings.Join(all, " ")
			}
			var links, flows strings.Builder
			links.WriteString("link,capacity_Bps,latency_s\n")
			for _, l := range c.Links {
				fmt.Fprintf(&links, "l%d,%v,%v\n", l.ID, l.Capacity, l.Latency)
			}
			flows.WriteString("flow,start_s,bytes,route,weight,after\n")
			for _, f := range c.Flows {
				weight := 1.0
				if f.Weight != nil {
					weight = *f.Weight
				}
				fmt.Fprintf(&flows, "f%d,%v,%v,%s,%v,%s\n", f.ID, f.Start, f.Size, names("l", f.Route), weight, names("f", append(f.Deps, f.After...)))
			}
			r := run(t, "[topology]\nkind = \"links\"\nfile = \"links.csv\"\n\n[[workload.flows]]\nfile = \"flows.csv\"\n",
				map[string]string{"links.csv": links.String(), "flows.csv": flows.String()})
			finish := column(t, r, "flows", "finish_s")
			if len(finish) != len(c.Flows) {
				t.Fatalf("%d flows of %d", len(finish), len(c.Flows))
			}
			worst := 0.0
			for i, f := range c.Flows {
				worst = max(worst, math.Abs(finish[i]-f.Check)/(f.Check+1e-4))
			}
			t.Logf("%d flows, worst error %.1e", len(finish), worst)
			if worst > 1e-6 {
				t.Errorf("worst error %.1e", worst)
			}
		})
	}
}
