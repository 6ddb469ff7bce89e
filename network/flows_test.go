package network

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// exactCase is a case of testdata/flows or of the reference folder: links,
// flows, and the finish of each, found by independent solvers or by hand.
type exactCase struct {
	Name  string
	Links []struct {
		Capacity float64
		Latency  float64
	}
	Flows []struct {
		Start  float64
		Size   float64
		Weight float64
		Deps   []ID
		Route  []topology.LinkID
		Finish float64 `json:"finish_check"`
	}
}

// TestExactFlows holds every finish to within 1e-6 of (finish + 100 us).
func TestExactFlows(t *testing.T) {
	paths, _ := filepath.Glob("testdata/flows/*.json")
	reference, _ := filepath.Glob("../../shared/reference/network/flows/*.json")
	if len(paths) == 0 {
		t.Fatal("testdata/flows is empty")
	}
	for _, path := range append(paths, reference...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var c exactCase
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			links := make([]topology.BareLink, len(c.Links))
			for i, l := range c.Links {
				links[i] = topology.BareLink{Capacity: l.Capacity, Latency: sim.FromSeconds(l.Latency)}
			}
			topo, err := topology.Links(links)
			if err != nil {
				t.Fatal(err)
			}
			engine := sim.New()
			n := New(engine, topo, 0)
			for _, f := range c.Flows {
				var latency sim.Time
				for _, l := range f.Route {
					latency += topo.Links[l].Latency
				}
				n.Add(&Transfer{
					Start: sim.FromSeconds(f.Start), Bytes: f.Size, Weight: f.Weight, Links: f.Route,
					Latency: latency, After: f.Deps, Owner: NoOwner,
				})
			}
			if err := engine.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			for i, f := range c.Flows {
				_, finish, ended := n.Times(ID(i))
				if e := math.Abs(finish.Seconds()-f.Finish) / (f.Finish + 1e-4); !ended || e > 1e-6 {
					t.Errorf("flow %d ends at %v, want %.9gs (error %.2g)", i, finish, f.Finish, e)
				}
			}
		})
	}
}
