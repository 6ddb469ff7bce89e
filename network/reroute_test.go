package network

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// rerouter gives transfer 0 another way at an instant.
type rerouter struct {
	n     *Network
	links []topology.LinkID
	moved []Moved
}

func (r *rerouter) Handle(sim.Time, uint64) {
	r.n.Reroute(nil, func(c Connection) ([]topology.LinkID, []float64) {
		return r.links, nil
	}, func(m Moved) { r.moved = append(r.moved, m) })
}

// rerouted runs a case in which transfer 0, which has a connection, goes over other links
// from an instant on.
func rerouted(t interface{ Fatal(...any) }, c *traffic, at sim.Time, links ...topology.LinkID) (*Network, []sim.Time, []Moved) {
	topo, err := topology.Links(c.Links)
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := New(engine, topo, c.Bins)
	n.KeepConnections()
	c.Transfers[0].Connection = Connection{From: 1, To: 2}
	for i := range c.Transfers {
		n.Add(&c.Transfers[i])
	}
	r := &rerouter{n: n, links: links}
	engine.Schedule(at, engine.Register(r), 0)
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return n, finishes(n, len(c.Transfers)), r.moved
}

// TestReroute: what moves, when it ends, and what each link has carried, by hand.
func TestReroute(t *testing.T) {
	a, b := []topology.LinkID{0}, []topology.LinkID{1}
	for _, c := range []struct {
		name string
		traffic
		at    sim.Time
		ends  []float64
		bytes []float64 // of links a and b
		left  float64   // of transfer 0 when it moves
	}{
		{
			// 40 of 100 bytes on a, the rest at 5 B/s.
			"to a slower link",
			traffic{Links: bare(10, 5), Transfers: []Transfer{{Bytes: 100, Links: a}}},
			4 * sim.Second,
			[]float64{16},
			[]float64{40, 60},
			60,
		}, {
			// Alone until 4 s, then both at 5 B/s on b: the other one's 20 last until 8 s,
			// by when 60 - 20 are left.
			"to where another is",
			traffic{Links: bare(10, 10), Transfers: []Transfer{{Bytes: 100, Links: a}, {Start: 4 * sim.Second, Bytes: 20, Links: b}}},
			4 * sim.Second,
			[]float64{12, 8},
			[]float64{40, 80},
			60,
		}, {
			"away from another",
			traffic{Links: bare(10, 10), Transfers: []Transfer{{Bytes: 100, Links: a}, {Bytes: 100, Links: a}}},
			4 * sim.Second,
			[]float64{12, 12},
			[]float64{120, 80},
			80,
		}, {
			"before it drains",
			traffic{Links: bare(10, 5), Transfers: []Transfer{{Bytes: 100, Latency: 6 * sim.Second, Links: a}}},
			4 * sim.Second,
			[]float64{26},
			[]float64{0, 100},
			100,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, ends, moved := rerouted(t, &c.traffic, c.at, 1)
			for i, want := range c.ends {
				if math.Abs(ends[i].Seconds()-want) > 1e-9 {
					t.Errorf("transfer %d ends at %v, want %v s", i, ends[i], want)
				}
			}
			for l, want := range c.bytes {
				if got := n.Use(topology.LinkID(l)).Bytes; math.Abs(got-want) > 1e-6 {
					t.Errorf("link %d carried %v bytes, want %v", l, got, want)
				}
			}
			if len(moved) != 1 || math.Abs(moved[0].Left-c.left) > 1e-6 || !slices.Equal(moved[0].Links, a) {
				t.Errorf("moved %v, want one with %v left of link a", moved, c.left)
			}
		})
	}
}

// TestRerouteNothingLost: wherever a transfer goes on, and whenever, all bytes are
// carried once.
func TestRerouteNothingLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &traffic{Links: bare(10, 7, 13)}
		sum := 0.0
		for range rapid.IntRange(1, 8).Draw(t, "transfers") {
			x := Transfer{
				Start: sim.Time(rapid.IntRange(0, 10).Draw(t, "start")) * sim.Second, Bytes: float64(rapid.IntRange(1, 200).Draw(t, "bytes")),
				Links: []topology.LinkID{topology.LinkID(rapid.IntRange(0, 2).Draw(t, "link"))}, Owner: Owner(rapid.IntRange(-1, 2).Draw(t, "owner")),
			}
			c.Transfers = append(c.Transfers, x)
			sum += x.Bytes
		}
		n, _, _ := rerouted(t, c, sim.Time(rapid.IntRange(0, 40).Draw(t, "at"))*sim.Second, topology.LinkID(rapid.IntRange(0, 2).Draw(t, "to")))
		for l := range topology.LinkID(3) {
			sum -= n.Use(l).Bytes
		}
		if math.Abs(sum) > 1e-6 {
			t.Fatalf("%v bytes too few were carried", sum)
		}
	})
}
