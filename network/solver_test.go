package network

import (
	"math"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// TestManyLeaveAtOnce: what rounding leaves of the demand of many transfers
// must not hide that a link binds the one that stays.
func TestManyLeaveAtOnce(t *testing.T) {
	const crowd, capacity = 300_000, 50e9
	r := sim.Stream(3, "crowd")
	links := make([]topology.BareLink, 1001)
	links[0].Capacity = capacity
	for i := range links[1:] {
		links[i+1].Capacity = capacity * (0.1 + 0.9*r.Float64())
	}
	topo, err := topology.Links(links)
	if err != nil {
		t.Fatal(err)
	}
	var s solver
	s.init(topo)
	stays := s.attach(0, &transfer{links: []topology.LinkID{0}, bytes: 1, weight: 1}, 0)
	slots := []int32{stays}
	for i := range crowd {
		tr := &transfer{links: []topology.LinkID{topology.LinkID(1 + i%1000), 0}, bytes: 1, weight: 1}
		slots = append(slots, s.attach(ID(i+1), tr, 0))
	}
	s.solve(slots, nil)
	s.settle()
	for _, i := range r.Perm(crowd) {
		s.detach(slots[i+1])
	}
	s.solve(nil, nil)
	if got := s.flows[stays].level; math.Abs(got-capacity) > 1e-9*capacity {
		t.Errorf("the last has %v B/s, want %v", got, float64(capacity))
	}
}

// TestBusyWhileStopped: links are busy with a transfer that came while one of them
// was stopped, and so has no rate.
func TestBusyWhileStopped(t *testing.T) {
	c := &traffic{
		Links:     bare(10, 10),
		Transfers: []Transfer{{Start: sim.Second, Bytes: 20, Links: []topology.LinkID{0, 1}, Owner: NoOwner}},
		Changes:   []change{{0, 0, 0}, {3 * sim.Second, 0, 10}},
	}
	n, ends := run(t, c)
	if ends[0] != 5*sim.Second {
		t.Errorf("ends at %v, want 5s", ends[0])
	}
	for l := range topology.LinkID(2) {
		if got := n.Use(l).Busy; got != 4*sim.Second {
			t.Errorf("link %d busy for %v, want 4s", l, got)
		}
	}
}
