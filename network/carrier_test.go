package network

import (
	"context"
	"slices"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// relay is a Carrier that takes 10 us for every message on each link in turn.
type relay struct {
	engine *sim.Engine
	actor  sim.Actor
	sent   []Message
	Observer
}

func (r *relay) Join([]topology.LinkID)           {}
func (r *relay) SetRate(topology.LinkID, float64) {}

func (r *relay) Send(m *Message) {
	r.sent = append(r.sent, *m)
	r.cross(len(r.sent)-1, 0)
}

func (r *relay) cross(n, hop int) {
	r.engine.Schedule(r.engine.Now()+10*sim.Microsecond, r.actor, uint64(n)<<32|uint64(hop))
}

func (r *relay) Handle(now sim.Time, arg uint64) {
	n, hop := int(arg>>32), int(uint32(arg))
	m := r.sent[n]
	r.Sent(m.Route[hop], m.Bytes, now-10*sim.Microsecond, now)
	if hop == 0 {
		r.Left(m.ID, now)
	}
	if hop+1 < len(m.Route) {
		r.cross(n, hop+1)
		return
	}
	r.Ended(m.ID, now)
}

// TestShip: transfers go to the carrier once what they wait for has ended and the part
// of their latency that is not their links' has passed; what it reports of links is in
// their accounts.
func TestShip(t *testing.T) {
	topo, err := topology.Links([]topology.BareLink{
		{Name: "a", Capacity: 1e9, Latency: sim.Microsecond}, {Name: "b", Capacity: 1e9, Latency: sim.Microsecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := New(engine, topo, 16)
	r := &relay{engine: engine}
	r.actor = engine.Register(r)
	n.Ship(func(o Observer) Carrier { r.Observer = o; return r })
	route := []topology.LinkID{0, 1}
	first := n.Add(&Transfer{Bytes: 1000, Links: route, Latency: 5 * sim.Microsecond, Owner: 7})
	other := n.Add(&Transfer{Bytes: 500, Links: route[1:], Latency: sim.Microsecond, Owner: NoOwner})
	after := n.Add(&Transfer{Bytes: 100, Links: route, After: []ID{first}, Latency: 2 * sim.Microsecond, Owner: 7, Connection: Connection{From: 3, To: 4}})
	empty := n.Add(&Transfer{Links: route, Latency: 2 * sim.Microsecond, Owner: 7})
	// Something waits for link b from 5 to 8 us, while first and other are on it.
	probe := &prober{do: []func(sim.Time){
		func(now sim.Time) { r.Waiting(1, true, now) }, func(now sim.Time) { r.Waiting(1, false, now) },
	}}
	actor := engine.Register(probe)
	engine.Schedule(5*sim.Microsecond, actor, 0)
	engine.Schedule(8*sim.Microsecond, actor, 1)
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[ID]sim.Time{
		first: 23 * sim.Microsecond, // 3 us beside its links, then two hops
		other: 10 * sim.Microsecond,
		after: 43 * sim.Microsecond,
		empty: 2 * sim.Microsecond, // which the carrier never sees
	} {
		if _, end, ended := n.Times(id); !ended || end != want {
			t.Errorf("transfer %d ends at %v, want %v", id, end, want)
		}
	}
	if m := r.sent[2]; len(r.sent) != 3 || m.ID != after || m.From != 3 || m.To != 4 || !slices.Equal(m.Route, route) {
		t.Errorf("the carrier got %v", r.sent)
	}
	if u := n.Use(1); u.Bytes != 1600 || u.Busy != 30*sim.Microsecond || u.Contended != 3*sim.Microsecond {
		t.Errorf("link b: %+v, want 1600 bytes, 30us busy, 3us contended", u)
	}
	owners, crowd, named := n.Contenders(1)
	if len(owners) != 1 || owners[0] != (Share{7, 3 * sim.Microsecond}) || crowd != 1 || named[0] != other {
		t.Errorf("contenders %v, %d: %v; want owner 7 for 3us and transfer %d", owners, crowd, named, other)
	}
	if !n.Idle() || n.Waiting() != nil {
		t.Error("the network is not idle")
	}
}

// prober does things at instants.
type prober struct{ do []func(sim.Time) }

func (p *prober) Handle(now sim.Time, arg uint64) { p.do[arg](now) }
