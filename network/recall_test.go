package network

import (
	"context"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// doing is something done to a network at a time.
type doing func()

func (d doing) Handle(sim.Time, uint64) { d() }

// Two transfers share 10 B/s from 0 s. At 4 s the first, of which 20 of 100 bytes have gone,
// is taken back: the other has the link to itself and its other 80 bytes take 8 s. The link
// has carried 120 bytes in 12 s. What comes after the first goes on at once, and one that
// is taken back while its latency passes moves nothing.
func TestRecall(t *testing.T) {
	e := sim.New()
	topo, err := topology.Links(bare(10))
	if err != nil {
		t.Fatal(err)
	}
	n := New(e, topo, 0)
	on := []topology.LinkID{0}
	first := n.Add(&Transfer{Bytes: 100, Links: on})
	second := n.Add(&Transfer{Bytes: 100, Links: on})
	after := n.Add(&Transfer{After: []ID{first}})
	late := n.Add(&Transfer{Bytes: 50, Links: on, Latency: 6 * sim.Second})
	e.Schedule(4*sim.Second, e.Register(doing(func() {
		if left := n.Recall(first); left != 80 {
			t.Errorf("%v bytes were left, want 80", left)
		}
		if left := n.Recall(late); left != 50 {
			t.Errorf("%v bytes were left of the late one, want 50", left)
		}
	})), 0)
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id   ID
		want sim.Time
	}{{second, 12 * sim.Second}, {after, 4 * sim.Second}} {
		if _, at, ended := n.Times(c.id); !ended || at != c.want {
			t.Errorf("transfer %d ends at %v, %v, want %v", c.id, at, ended, c.want)
		}
	}
	if u := n.Use(0); u.Bytes != 120 || u.Busy != 12*sim.Second {
		t.Errorf("the link carried %v bytes in %v", u.Bytes, u.Busy)
	}
}

// A transfer of 100 bytes at 10 B/s is cut twice, from 2 s to 5 s and from 4 s to 8 s, in
// which time its link becomes half as fast: 20 bytes by 2 s, the other 80 at 5 B/s from 8 s.
func TestCut(t *testing.T) {
	e := sim.New()
	topo, err := topology.Links(bare(10))
	if err != nil {
		t.Fatal(err)
	}
	n := New(e, topo, 0)
	id := n.Add(&Transfer{Bytes: 100, Links: []topology.LinkID{0}})
	for _, step := range []struct {
		at sim.Time
		do doing
	}{
		{2, func() { n.Cut(0) }},
		{4, func() { n.Cut(0) }},
		{5, func() { n.Mend(0) }},
		{6, func() { n.SetPayload(0, 5) }},
		{8, func() { n.Mend(0) }},
	} {
		e.Schedule(step.at*sim.Second, e.Register(step.do), 0)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, at, _ := n.Times(id); at != 24*sim.Second {
		t.Errorf("it ends at %v, want 24 s", at)
	}
}
