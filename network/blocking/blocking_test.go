package blocking

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

const rate = 1e9

// carry sends 1 MB over each route at once, links having no latency, and gives when
// each ended, in seconds.
func carry(t testing.TB, links int, bytes float64, routes ...[]topology.LinkID) []float64 {
	t.Helper()
	bare := make([]topology.BareLink, links)
	for i := range bare {
		bare[i] = topology.BareLink{Name: fmt.Sprint(i), Capacity: rate}
	}
	topo, err := topology.Links(bare)
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := network.New(engine, topo, 0)
	n.Ship(func(o network.Observer) network.Carrier { return New(engine, topo, o) })
	ids := make([]network.ID, len(routes))
	for i, r := range routes {
		ids[i] = n.Add(&network.Transfer{Bytes: bytes, Links: r, Owner: network.NoOwner})
	}
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	ends := make([]float64, len(ids))
	for i, id := range ids {
		_, end, _ := n.Times(id)
		ends[i] = end.Seconds()
	}
	carried := make([]float64, links)
	for _, r := range routes {
		for _, l := range r {
			carried[l] += bytes
		}
	}
	for l, want := range carried {
		if got := n.Use(topology.LinkID(l)).Bytes; math.Abs(got-want) > 1e-6*want {
			t.Errorf("link %d carried %v bytes, want %v", l, got, want)
		}
	}
	return ends
}

func expect(t *testing.T, got []float64, want ...float64) {
	t.Helper()
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-6*want[i] {
			t.Errorf("message %d ends at %v s, want %v", i, got[i], want[i])
		}
	}
}

// TestAlone: a message alone takes bytes / rate, over however many links.
func TestAlone(t *testing.T) {
	expect(t, carry(t, 3, 1e6, []topology.LinkID{0, 1, 2}), 1e-3)
}

// TestParkingLot: link 2 serves links 0 and 1 alike, and link 1 brings three messages.
// So the message of link 0 has half of it and ends after 2 ms; the others have a sixth
// each until then, and a third for what is left: 2/3 MB in 2 ms more.
func TestParkingLot(t *testing.T) {
	got := carry(t, 6, 1e6, []topology.LinkID{0, 2}, []topology.LinkID{3, 1, 2}, []topology.LinkID{4, 1, 2}, []topology.LinkID{5, 1, 2})
	expect(t, got, 2e-3, 4e-3, 4e-3, 4e-3)
}

// TestHeadOfLine: messages 0 and 1 share link 4; 0 then has a quarter of link 5, which
// three others lead to. Message 1 goes to link 6, which is idle: it moves at the pace
// of 0, less what blocked links lose, and not at three quarters as max-min has it.
// After 4 ms the four have ended, and it has the links to itself.
func TestHeadOfLine(t *testing.T) {
	got := carry(t, 7, 1e6, []topology.LinkID{0, 4, 5}, []topology.LinkID{1, 4, 6},
		[]topology.LinkID{2, 5}, []topology.LinkID{3, 5}, []topology.LinkID{5})
	left := 1 - 4*Efficiency/4
	expect(t, got, 4e-3, 4e-3+left*1e-3, 4e-3, 4e-3, 4e-3)
}

// TestRates checks on random routes, circular ones and such as cross a link twice too, that no link carries more than
// its rate, that every message moves and ends, and that links that stop messages are
// full or blocked.
func TestRates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const links = 8
		bare := make([]topology.BareLink, links)
		for i := range bare {
			bare[i] = topology.BareLink{
				Name: fmt.Sprint(i), Capacity: rapid.SampledFrom([]float64{1e9, 5e9, 25e9}).Draw(t, "rate"),
				Latency: rapid.SampledFrom([]sim.Time{0, sim.Microsecond}).Draw(t, "latency"),
			}
		}
		topo, err := topology.Links(bare)
		if err != nil {
			t.Fatal(err)
		}
		engine := sim.New()
		n := network.New(engine, topo, 0)
		var f *Fabric
		n.Ship(func(o network.Observer) network.Carrier {
			f = New(engine, topo, checked{o, func() {
				used := make([]float64, links)
				for _, m := range f.active {
					m := &f.messages[m]
					if m.remaining > 0 && m.rate < 0 {
						t.Fatalf("message %d has rate %v", m.ID, m.rate)
					}
					for _, h := range m.hops {
						used[h.link] += m.rate
					}
				}
				for l, u := range used {
					if u > bare[l].Capacity*(1+1e-9) {
						t.Fatalf("link %d carries %v of %v", l, u, bare[l].Capacity)
					}
				}
			}})
			return f
		})
		count := rapid.IntRange(1, 15).Draw(t, "messages")
		for range count {
			route := rapid.SliceOfN(rapid.IntRange(0, links-1), 1, 5).Draw(t, "route")
			x := &network.Transfer{
				Bytes: rapid.Float64Range(1, 1e6).Draw(t, "bytes"), Owner: network.NoOwner,
				Start: sim.Time(rapid.IntRange(0, 1000).Draw(t, "start")) * sim.Microsecond,
			}
			for _, l := range route {
				x.Links = append(x.Links, topology.LinkID(l))
			}
			n.Add(x)
		}
		if err := engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		for id := range network.ID(count) {
			if _, _, ended := n.Times(id); !ended {
				t.Fatalf("message %d never ends", id)
			}
		}
	})
}

// checked looks at the rates that bytes were sent at.
type checked struct {
	network.Observer
	look func()
}

func (c checked) Sent(l topology.LinkID, payload float64, from, now sim.Time) {
	c.look()
	c.Observer.Sent(l, payload, from, now)
}

// TestStopAndGo: a link that is down stops what is on it and blocks what is behind.
func TestStopAndGo(t *testing.T) {
	topo, err := topology.Links([]topology.BareLink{{Name: "a", Capacity: rate}, {Name: "b", Capacity: rate}, {Name: "c", Capacity: rate}})
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := network.New(engine, topo, 0)
	n.Ship(func(o network.Observer) network.Carrier { return New(engine, topo, o) })
	n.SetPayload(1, 0)
	through := n.Add(&network.Transfer{Bytes: 1e6, Links: []topology.LinkID{0, 1}, Owner: network.NoOwner})
	past := n.Add(&network.Transfer{Bytes: 1e6, Links: []topology.LinkID{0, 2}, Owner: network.NoOwner})
	_ = engine.Run(context.Background()) // a deadlock, as it should be
	for _, id := range []network.ID{through, past} {
		if _, _, ended := n.Times(id); ended {
			t.Errorf("message %d has passed a link that is down, or one that is blocked by it", id)
		}
	}
	n.SetPayload(1, rate)
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, end, _ := n.Times(past); end != 2*sim.Millisecond {
		t.Errorf("2 MB over one link end at %v, want 2ms", end)
	}
}
