package packet_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/network/packet"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// packetCase is a run of htsim in the reference folder.
type packetCase struct {
	Topology struct {
		LinkMbps     float64 `json:"link_mbps"`
		HopLatencyUs float64 `json:"hop_latency_us"`
	}
	Flows []struct {
		Acked  float64     `json:"bytes_acked"`
		Start  *float64    `json:"start_ps"`
		After  *network.ID `json:"after_conn_index"`
		Route  []string
		Finish float64 `json:"finish_us"`
	}
}

// htsim is the switches of those runs: links are paused at 15 packets of 9,000 bytes
// and go on below 12, and nothing else bounds a buffer.
func htsim() packet.Options {
	o := packet.Default()
	o.MTU, o.Header = 9000, 64
	o.Buffer, o.Alpha = 1<<40, 1
	o.Pause, o.Resume = 15*9000, 3*9000
	o.AwaitAcknowledge = true
	return o
}

// finishes runs a case and gives the finish of each flow in us.
func (c *packetCase) finishes(t *testing.T, o packet.Options) []float64 {
	t.Helper()
	links := map[string]topology.LinkID{}
	var bare []topology.BareLink
	for _, f := range c.Flows {
		for _, name := range f.Route {
			if _, known := links[name]; !known {
				links[name] = topology.LinkID(len(bare))
				bare = append(bare, topology.BareLink{
					Name: name, Capacity: c.Topology.LinkMbps * 1e6 / 8,
					Latency: sim.FromSeconds(c.Topology.HopLatencyUs * 1e-6),
				})
			}
		}
	}
	topo, err := topology.Links(bare)
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := network.New(engine, topo, 0)
	n.Ship(func(w network.Observer) network.Carrier { return packet.New(engine, topo, o, w) })
	ids := make([]network.ID, len(c.Flows))
	for i, f := range c.Flows {
		x := &network.Transfer{Bytes: f.Acked, Owner: network.NoOwner}
		for _, name := range f.Route {
			l := links[name]
			x.Links = append(x.Links, l)
			x.Latency += topo.Links[l].Latency
		}
		if f.After != nil {
			x.After = []network.ID{ids[*f.After]}
		} else {
			x.Start = sim.Time(*f.Start / 10)
		}
		ids[i] = n.Add(x)
	}
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	all := make([]float64, len(ids))
	for i, id := range ids {
		_, finish, _ := n.Times(id)
		all[i] = finish.Seconds() * 1e6
	}
	return all
}

func TestPacketsAgainstHtsim(t *testing.T) {
	paths, _ := filepath.Glob("../../../shared/reference/network/packets/roce_*.json")
	if len(paths) == 0 {
		t.Skip("no reference")
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var c packetCase
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			got := c.finishes(t, htsim())
			want := make([]float64, len(c.Flows))
			for i, f := range c.Flows {
				want[i] = f.Finish
			}
			if e := slices.Max(got)/slices.Max(want) - 1; math.Abs(e) > 0.10 {
				t.Errorf("makespan %.1f us, %.1f there: %+.1f %%", slices.Max(got), slices.Max(want), 100*e)
			} else {
				t.Logf("makespan %+.2f %%", 100*e)
			}
			bound := 0.15
			if strings.Contains(name, "incast") { // who is starved is a matter of arbitration
				bound = 0.25
				slices.Sort(got)
				slices.Sort(want)
			}
			sum := 0.0
			for i := range got {
				sum += math.Abs(got[i]/want[i] - 1)
			}
			t.Logf("mean flow error %.2f %%", 100*sum/float64(len(got)))
			if mean := sum / float64(len(got)); mean > bound {
				t.Errorf("flows are off by %.1f %% in the mean", 100*mean)
			}
		})
	}
}
