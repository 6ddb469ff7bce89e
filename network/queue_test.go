package network

import (
	"context"
	"math"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Messages of 10 bytes that leave one behind the other over a link of 10 B/s drain
// without a gap while their latencies pass, one of no bytes in its turn; beside them a
// message of 100 bytes takes half of the link, not a share for each.
func TestBehind(t *testing.T) {
	a := []topology.LinkID{0}
	c := &traffic{Links: bare(10), Transfers: []Transfer{
		{Bytes: 10, Links: a, Latency: sim.Second, Owner: 1},
		{Bytes: 10, Links: a, Latency: sim.Second, Owner: 1, Behind: []ID{0}},
		{Links: a, Latency: sim.Second, Owner: 1, Behind: []ID{1}},
		{Bytes: 10, Links: a, Latency: sim.Second, Owner: 1, Behind: []ID{2}, Start: sim.Second},
		{Bytes: 10, Links: a, Latency: sim.Second, Owner: 1, Behind: []ID{3}, Start: 9 * sim.Second},
		{Bytes: 100, Links: a, Latency: sim.Second, Owner: 2},
	}}
	n, got := run(t, c)
	// From 1 to 7 s three messages have half of the link, from 10 to 12 s the last has.
	for id, want := range []float64{3, 5, 5, 7, 12, 15} {
		if math.Abs(got[id].Seconds()-want) > 1e-9 {
			t.Errorf("transfer %d ends at %v, want %v s", id, got[id], want)
		}
	}
	if u := n.Use(0); math.Abs(u.Bytes-140) > 1e-9 || u.Busy != 14*sim.Second {
		t.Errorf("the link carries %v bytes in %v, want 140 in 14s", u.Bytes, u.Busy)
	}
}

// What is behind a transfer that is withdrawn goes on, and what is itself withdrawn
// comes to nothing in its turn.
func TestBehindWithdrawn(t *testing.T) {
	a := []topology.LinkID{0}
	c := &traffic{Links: bare(10), Transfers: []Transfer{
		{Bytes: 100, Links: a, Owner: 1},
		{Bytes: 50, Links: a, Owner: 2, Behind: []ID{0}},
		{Bytes: 100, Links: a, Owner: 1, Behind: []ID{1}},
	}}
	n := withdrawn(t, c, 1, 4*sim.Second)
	for id, want := range []float64{4, 9, 9} {
		if _, at, _ := n.Times(ID(id)); math.Abs(at.Seconds()-want) > 1e-9 {
			t.Errorf("transfer %d ends at %v, want %v s", id, at, want)
		}
	}
}

// A carrier says when a message has left its sender; the next is sent then, though the
// first has still a link to cross.
func TestBehindShipped(t *testing.T) {
	topo, err := topology.Links([]topology.BareLink{
		{Name: "a", Capacity: 1e9, Latency: sim.Microsecond}, {Name: "b", Capacity: 1e9, Latency: sim.Microsecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := New(engine, topo, 0)
	r := &relay{engine: engine}
	r.actor = engine.Register(r)
	n.Ship(func(o Observer) Carrier { r.Observer = o; return r })
	route := []topology.LinkID{0, 1}
	first := n.Add(&Transfer{Bytes: 1000, Links: route, Latency: 2 * sim.Microsecond, Owner: 7})
	second := n.Add(&Transfer{Bytes: 1000, Links: route, Latency: 2 * sim.Microsecond, Behind: []ID{first}, Owner: 7})
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[ID]sim.Time{first: 20 * sim.Microsecond, second: 30 * sim.Microsecond} { // 10 a hop
		if _, end, _ := n.Times(id); end != want {
			t.Errorf("transfer %d ends at %v, want %v", id, end, want)
		}
	}
}

// Where routing looks at the load of links, a message finds its way when it is its turn:
// one that is behind another loads nothing before. Its latency passes meanwhile.
func TestBehindFindsItsWayInTurn(t *testing.T) {
	topo, err := topology.Links(bare(10, 10))
	if err != nil {
		t.Fatal(err)
	}
	topo.Routing.Policy = topology.Adaptive
	engine := sim.New()
	n := New(engine, topo, 0)
	var loads []float64
	way := func(load []float64) ([]topology.LinkID, []float64, sim.Time) {
		loads = append(loads, load[0]+load[1])
		return []topology.LinkID{0}, nil, sim.Second
	}
	first := n.Add(&Transfer{Bytes: 10, Route: way, Owner: 1})
	second := n.Add(&Transfer{Bytes: 10, Route: way, Owner: 1, Behind: []ID{first}})
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, end, _ := n.Times(second); end != 3*sim.Second || len(loads) != 2 || loads[1] != 0 {
		t.Errorf("the second ends at %v and found loads %v; want 3s and none", end, loads)
	}
}
