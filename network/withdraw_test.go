package network

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// withdrawer withdraws what an owner sends.
type withdrawer struct {
	n     *Network
	owner Owner
}

func (w *withdrawer) Handle(sim.Time, uint64) { w.n.Withdraw(w.owner) }

// withdrawn runs a case in which an owner is withdrawn at an instant.
func withdrawn(t interface{ Fatal(...any) }, c *traffic, owner Owner, at sim.Time) *Network {
	topo, err := topology.Links(c.Links)
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := New(engine, topo, c.Bins)
	for i := range c.Transfers {
		n.Add(&c.Transfers[i])
	}
	engine.Schedule(at, engine.Register(&withdrawer{n, owner}), 0)
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !n.Idle() {
		t.Fatal("a transfer has not ended")
	}
	return n
}

// Two owners share a link of 10 B/s. From 4 s on, when each has had 20 of its 100 bytes,
// the other has it alone; what the first was to send later comes to nothing, and so does
// what waits for it.
func TestWithdraw(t *testing.T) {
	a := []topology.LinkID{0}
	c := &traffic{Links: bare(10), Transfers: []Transfer{
		{Bytes: 100, Links: a, Owner: 1},
		{Bytes: 100, Links: a, Owner: 2},
		{Bytes: 100, Links: a, Owner: 1, Start: 5 * sim.Second, Latency: sim.Second},
		{Bytes: 100, Links: a, Owner: 1, After: []ID{0, 2}, Latency: sim.Second},
	}}
	n := withdrawn(t, c, 1, 4*sim.Second)
	for id, want := range []float64{4, 12, 6, 7} {
		if _, at, _ := n.Times(ID(id)); math.Abs(at.Seconds()-want) > 1e-9 {
			t.Errorf("transfer %d ends at %v, want %v s", id, at, want)
		}
	}
	if got := n.Use(0); math.Abs(got.Bytes-120) > 1e-6 || got.Busy != 12*sim.Second || got.Contended != 4*sim.Second {
		t.Errorf("%+v, want 120 bytes in 12 s, contended for 4", got)
	}
}

// Whoever is withdrawn when, all others send all that they have, and links are busy no
// longer than their bytes take.
func TestWithdrawTakesNothingFromOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &traffic{Links: bare(10, 7)}
		others, all := 0.0, 0.0
		for i := range rapid.IntRange(1, 8).Draw(t, "transfers") {
			x := Transfer{
				Start: sim.Time(rapid.IntRange(0, 10).Draw(t, "start")) * sim.Second, Bytes: float64(rapid.IntRange(0, 200).Draw(t, "bytes")),
				Links: []topology.LinkID{topology.LinkID(rapid.IntRange(0, 1).Draw(t, "link"))}, Owner: Owner(rapid.IntRange(-1, 2).Draw(t, "owner")),
				Latency: sim.Time(rapid.IntRange(0, 2).Draw(t, "latency")) * sim.Second,
			}
			if i > 0 && rapid.Bool().Draw(t, "waits") {
				x.After = []ID{ID(rapid.IntRange(0, i-1).Draw(t, "for"))}
			}
			c.Transfers = append(c.Transfers, x)
			all += x.Bytes
			if x.Owner != 1 {
				others += x.Bytes
			}
		}
		n := withdrawn(t, c, 1, sim.Time(rapid.IntRange(0, 40).Draw(t, "at"))*sim.Second)
		sum := 0.0
		for l := range topology.LinkID(2) {
			sum += n.Use(l).Bytes
		}
		if sum < others-1e-6 || sum > all+1e-6 {
			t.Fatalf("%v bytes were carried, the others had %v, and all %v", sum, others, all)
		}
	})
}
