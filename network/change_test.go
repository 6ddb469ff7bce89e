package network

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

func bare(capacities ...float64) (links []topology.BareLink) {
	for i, c := range capacities {
		links = append(links, topology.BareLink{Name: string(rune('a' + i)), Capacity: c})
	}
	return links
}

// TestSetPayload: what a change of a link does, by hand.
func TestSetPayload(t *testing.T) {
	for _, c := range []struct {
		name string
		traffic
		want []float64 // seconds
	}{
		{
			"slower",
			traffic{
				Links:     bare(10),
				Transfers: []Transfer{{Bytes: 100, Links: []topology.LinkID{0}}},
				Changes:   []change{{5 * sim.Second, 0, 5}}, // 50 bytes left
			},
			[]float64{15},
		}, {
			"stopped for a while",
			traffic{
				Links:     bare(10),
				Transfers: []Transfer{{Bytes: 100, Links: []topology.LinkID{0}}},
				Changes:   []change{{2 * sim.Second, 0, 0}, {7 * sim.Second, 0, 10}},
			},
			[]float64{15},
		}, {
			"twice at one instant: the last counts",
			traffic{
				Links:     bare(10),
				Transfers: []Transfer{{Bytes: 100, Links: []topology.LinkID{0}}},
				Changes:   []change{{5 * sim.Second, 0, 0}, {5 * sim.Second, 0, 25}},
			},
			[]float64{7},
		}, {
			"at the instant at which a transfer ends",
			traffic{
				Links:     bare(10),
				Transfers: []Transfer{{Bytes: 50, Links: []topology.LinkID{0}}, {Bytes: 100, Links: []topology.LinkID{0}}},
				Changes:   []change{{10 * sim.Second, 0, 25}}, // 50 bytes left of the second
			},
			[]float64{10, 12},
		}, {
			"at the instant at which the last transfer ends",
			traffic{
				Links:     bare(10),
				Transfers: []Transfer{{Bytes: 50, Links: []topology.LinkID{0}}, {Start: 6 * sim.Second, Bytes: 50, Links: []topology.LinkID{0}}},
				Changes:   []change{{5 * sim.Second, 0, 50}},
			},
			[]float64{5, 7},
		}, {
			// f (weight 3) crosses a, b; g only b. b (10 B/s) gives them 7.5 and
			// 2.5. Then a holds f to 4, so that both together want 9 of b's 10:
			// b binds no more, and g gets all that c leaves it, 5.
			"a link that binds no more frees those it held",
			traffic{
				Links: bare(10, 10, 5),
				Transfers: []Transfer{
					{Bytes: 75, Weight: 3, Links: []topology.LinkID{0, 1}},
					{Bytes: 75, Links: []topology.LinkID{1, 2}},
				},
				Changes: []change{{4 * sim.Second, 0, 4}}, // 45 and 65 bytes left
			},
			[]float64{4 + 45.0/4, 4 + 13},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got := run(t, &c.traffic)
			for i, want := range c.want {
				if math.Abs(got[i].Seconds()-want) > 1e-9 {
					t.Errorf("transfer %d ends at %v, want %vs", i, got[i], want)
				}
			}
			if twin := fluid(&c.traffic); !slices.EqualFunc(twin, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
				t.Errorf("the twin says %v, want %v", twin, c.want)
			}
		})
	}
}

// TestChangeOfContention: a link may come to be contended, and cease to be,
// because its capacity changes, or that of another link on a transfer's way.
func TestChangeOfContention(t *testing.T) {
	for _, c := range []struct {
		name string
		traffic
		want sim.Time // contended time of link 0
	}{
		{
			// Each wants 4 by its own second link; 10 are enough, 5 are not.
			"comes to be",
			traffic{
				Links:     bare(10, 4, 4),
				Transfers: []Transfer{{Bytes: 40, Links: []topology.LinkID{0, 1}}, {Bytes: 40, Links: []topology.LinkID{0, 2}}},
				Changes:   []change{{5 * sim.Second, 0, 5}}, // 20 bytes left of each, 8 s
			},
			8 * sim.Second,
		}, {
			"ceases to be",
			traffic{
				Links:     bare(5, 4, 4),
				Transfers: []Transfer{{Bytes: 40, Links: []topology.LinkID{0, 1}}, {Bytes: 40, Links: []topology.LinkID{0, 2}}},
				Changes:   []change{{8 * sim.Second, 0, 10}},
			},
			8 * sim.Second,
		}, {
			"ceases to be because of another link",
			traffic{
				Links:     bare(7, 4, 4),
				Transfers: []Transfer{{Bytes: 40, Links: []topology.LinkID{0, 1}}, {Bytes: 40, Links: []topology.LinkID{0, 2}}},
				Changes:   []change{{8 * sim.Second, 1, 2}},
			},
			8 * sim.Second,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range c.Transfers {
				c.Transfers[i].Owner = Owner(i)
			}
			n, _ := run(t, &c.traffic)
			if got := n.Use(0).Contended; got != c.want {
				t.Errorf("contended for %v, want %v", got, c.want)
			}
		})
	}
}

// TestStoppedForGood: a link set to 0 locks up what crosses it and what waits
// for that; the report names the transfers and the link.
func TestStoppedForGood(t *testing.T) {
	c := &traffic{
		Links: bare(10, 10),
		Transfers: []Transfer{
			{Bytes: 100, Links: []topology.LinkID{0, 1}},
			{Bytes: 100, Links: []topology.LinkID{0}},
			{Bytes: 10, Links: []topology.LinkID{0}, After: []ID{0, 1}},
		},
		Changes: []change{{1 * sim.Second, 1, 0}},
	}
	engine, n := start(t, c)
	n.Name = func(id ID) string { return "flow " + string(rune('A'+id)) }
	var deadlock *sim.DeadlockError
	if err := engine.Run(context.Background()); !errors.As(err, &deadlock) {
		t.Fatalf("Run: %v, want a deadlock", err)
	}
	want := []sim.Wait{{Who: "flow A", For: "bandwidth on link b"}, {Who: "flow C", For: "1 transfers that have not ended"}}
	if !slices.Equal(deadlock.Waits, want) {
		t.Errorf("waiting: %v, want %v", deadlock.Waits, want)
	}
	// 5 bytes in the first second, 95 in the next 9.5.
	if _, finish, ended := n.Times(1); !ended || finish != 10*sim.Second+sim.Second/2 {
		t.Errorf("what does not cross the link ended at %v (%v), want 10.5s", finish, ended)
	}
	if n.Rate(0) != 0 {
		t.Errorf("a rate of %v over a link of 0 B/s", n.Rate(0))
	}
	if !strings.Contains(deadlock.Error(), "link b") {
		t.Error(deadlock)
	}
}

// A transfer that takes longer than the clock goes says so: the link is there, and slow.
func TestTooSlowForTheClock(t *testing.T) {
	engine, _ := start(t, &traffic{Links: bare(1e-3), Transfers: []Transfer{{Bytes: 1e9, Links: []topology.LinkID{0}}}})
	var deadlock *sim.DeadlockError
	if err := engine.Run(context.Background()); !errors.As(err, &deadlock) || len(deadlock.Waits) != 1 {
		t.Fatalf("Run: %v, want a deadlock", err)
	}
	if got := deadlock.Waits[0].For; !strings.HasPrefix(got, "bandwidth on link a, at whose rate, 0.001 B/s, it ends after the clock does") {
		t.Errorf("waits for %s", got)
	}
}

// What is left of a sum of rates after rounding must not let a transfer creep
// over a stopped link.
func TestStoppedIsStopped(t *testing.T) {
	c := &traffic{Links: bare(3e10), Changes: []change{{sim.Millisecond, 0, 0}}}
	for i := range 97 {
		c.Transfers = append(c.Transfers, Transfer{Bytes: 1e7, Weight: 1 / float64(i+3), Links: []topology.LinkID{0}})
	}
	engine, n := start(t, c)
	if err := engine.Run(context.Background()); err == nil {
		t.Fatal("all ended")
	}
	for i := range c.Transfers {
		if r := n.Rate(ID(i)); r != 0 {
			t.Fatalf("transfer %d creeps at %v B/s", i, r)
		}
	}
}
