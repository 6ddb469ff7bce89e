package network

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// TestContended holds contended time to its definition: time during which two
// or more owners together wanted more than the capacity.
func TestContended(t *testing.T) {
	zero := []topology.LinkID{0}
	for _, c := range []struct {
		name string
		traffic
		contended, busy sim.Time // of link 0
	}{
		{
			"two owners",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: 1}, {Bytes: 100, Links: zero, Owner: 2},
			}},
			10 * sim.Second, 15 * sim.Second,
		}, {
			"one owner with two transfers",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: 1}, {Bytes: 100, Links: zero, Owner: 1},
			}},
			0, 15 * sim.Second,
		}, {
			"two owners that fit together",
			traffic{Links: bare(10, 4, 6), Transfers: []Transfer{
				{Bytes: 40, Links: []topology.LinkID{0, 1}, Owner: 1}, {Bytes: 60, Links: []topology.LinkID{0, 2}, Owner: 2},
			}},
			0, 10 * sim.Second,
		}, {
			"two owners that do not quite fit",
			traffic{Links: bare(10, 4, 8), Transfers: []Transfer{
				{Bytes: 40, Links: []topology.LinkID{0, 1}, Owner: 1}, {Bytes: 60, Links: []topology.LinkID{0, 2}, Owner: 2},
			}},
			10 * sim.Second, 10 * sim.Second,
		}, {
			"flows without owners each count",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: NoOwner}, {Bytes: 50, Links: zero, Owner: NoOwner},
			}},
			10 * sim.Second, 10 * sim.Second,
		}, {
			"one flow alone",
			traffic{Links: bare(10), Transfers: []Transfer{{Bytes: 50, Links: zero, Owner: NoOwner}}},
			0, 5 * sim.Second,
		}, {
			"an owner and a flow",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: 3}, {Bytes: 100, Links: zero, Owner: NoOwner},
			}},
			10 * sim.Second, 15 * sim.Second,
		}, {
			"one after the other",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: 1}, {Start: 5 * sim.Second, Bytes: 50, Links: zero, Owner: 2},
			}},
			0, 10 * sim.Second,
		}, {
			"latency wants nothing",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: 1}, {Latency: 20 * sim.Second, Bytes: 50, Links: zero, Owner: 2},
			}},
			0, 10 * sim.Second,
		}, {
			// Ends of one owner's transfers change nothing while another of it
			// is there: 3 and 3 B/s of three for 10 s, then 5 and 5.
			"one of two transfers ends",
			traffic{Links: bare(9), Transfers: []Transfer{
				{Bytes: 30, Links: zero, Owner: 1}, {Bytes: 75, Links: zero, Owner: 1}, {Bytes: 75, Links: zero, Owner: 2},
			}},
			20 * sim.Second, 20 * sim.Second,
		}, {
			"a coupled phase wants count times its rate",
			traffic{Links: bare(10, 4), Transfers: []Transfer{
				{Bytes: 30, Links: []topology.LinkID{0, 1}, Counts: []float64{3, 2}, Owner: 1}, // 2 B/s, 6 on link 0
				{Bytes: 40, Links: zero, Owner: 2},                                             // alone 10
			}},
			10 * sim.Second, 15 * sim.Second,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, _ := run(t, &c.traffic)
			u := n.Use(0)
			if u.Contended != c.contended || u.Busy != c.busy {
				t.Errorf("contended for %v, busy for %v; want %v and %v", u.Contended, u.Busy, c.contended, c.busy)
			}
		})
	}
}

func TestContenders(t *testing.T) {
	zero := []topology.LinkID{0}
	c := &traffic{Links: bare(10, 10), Transfers: []Transfer{
		{Bytes: 100, Links: zero, Owner: 7},                          // 0 to 20, with 3 and 9
		{Bytes: 50, Links: zero, Owner: 3},                           // 0 to 10
		{Start: 10 * sim.Second, Bytes: 50, Links: zero, Owner: 9},   // 10 to 20
		{Start: 30 * sim.Second, Bytes: 50, Links: zero, Owner: 3},   // 30 to 40, with a flow
		{Start: 30 * sim.Second, Bytes: 50, Links: zero, Owner: -1},  // 30 to 40
		{Start: 100 * sim.Second, Bytes: 60, Links: zero, Owner: -1}, // five together
		{Start: 100 * sim.Second, Bytes: 60, Links: zero, Owner: -1},
		{Start: 100 * sim.Second, Bytes: 60, Links: zero, Owner: -1},
		{Start: 100 * sim.Second, Bytes: 60, Links: zero, Owner: -1},
		{Start: 100 * sim.Second, Bytes: 60, Links: zero, Owner: -1},
		{Start: 0, Bytes: 60, Links: []topology.LinkID{1}, Owner: 7},
	}}
	n, _ := run(t, c)
	owners, crowd, named := n.Contenders(0)
	want := []Share{{3, 20 * sim.Second}, {7, 20 * sim.Second}, {9, 10 * sim.Second}}
	if !slices.Equal(owners, want) || crowd != 5 || len(named) != crowdSize || slices.Min(named) < 5 || slices.Max(named) > 9 {
		t.Errorf("%v, and %d flows, of them %v; want %v, and 5 of 5 to 9", owners, crowd, named, want)
	}
	if owners, crowd, named := n.Contenders(1); len(owners)+crowd+len(named) > 0 {
		t.Errorf("contenders of a link with one owner: %v, %d, %v", owners, crowd, named)
	}
}

// TestUseMeanwhile: accounts are right also while transfers are on their way.
func TestUseMeanwhile(t *testing.T) {
	zero := []topology.LinkID{0}
	c := &traffic{Links: bare(10), Bins: 4, Transfers: []Transfer{
		{Bytes: 100, Links: zero, Owner: 1},
		{Start: 2 * sim.Second, Bytes: 40, Links: zero, Counts: []float64{2}, Owner: 2},
	}}
	engine, n := start(t, c)
	for at := sim.Second; at < 18*sim.Second; at += sim.Second {
		engine.Horizon = at
		if err := engine.Run(context.Background()); err != sim.ErrHorizon {
			t.Fatal(err)
		}
		u := n.Use(0)
		if math.Abs(u.Bytes-10*at.Seconds()) > 1e-6 || u.Busy != at || u.Contended != min(max(0, at-2*sim.Second), 12*sim.Second) {
			t.Errorf("at %v: %+v", at, u)
		}
		owners, _, _ := n.Contenders(0)
		for _, o := range owners {
			if o.Contended != u.Contended {
				t.Errorf("at %v: %+v, contended %v", at, o, u.Contended)
			}
		}
		s, sum := n.Series(zero), 0.0
		for _, r := range s.Rate[0] {
			sum += r * s.Width.Seconds()
		}
		if math.Abs(sum-u.Bytes) > 1e-5*u.Bytes {
			t.Errorf("at %v: the series sums to %v of %v bytes", at, sum, u.Bytes)
		}
	}
}

// TestSeries: the sum of the series x width is the bytes carried, for any
// number of intervals, also over many orders of magnitude of time.
func TestSeries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &traffic{Links: bare(1e9, 3e9, 1e9), Bins: rapid.IntRange(1, 300).Draw(t, "bins")}
		at, bytes := 0.0, 0.0
		for range rapid.IntRange(1, 30).Draw(t, "transfers") {
			b := math.Pow(10, rapid.Float64Range(0, 9).Draw(t, "log bytes"))
			c.Transfers = append(c.Transfers, Transfer{Start: sim.FromSeconds(at), Bytes: b, Links: []topology.LinkID{0, 1}, Owner: NoOwner})
			at += math.Pow(10, rapid.Float64Range(-9, 5).Draw(t, "log gap"))
			bytes += b
		}
		engine, n := start(t, c)
		if err := engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		s := n.Series([]topology.LinkID{1, 2, 0})
		if columns := len(s.Rate[0]); columns < 1 || columns > c.Bins || sim.Time(columns)*s.Width < engine.Now() || sim.Time(columns-1)*s.Width >= engine.Now() {
			t.Fatalf("%d columns of %v for %v in %d bins", columns, s.Width, engine.Now(), c.Bins)
		}
		for row, want := range []float64{bytes, 0, bytes} {
			sum := 0.0
			for _, r := range s.Rate[row] {
				if r < 0 || r > 1e9*(1+1e-5) {
					t.Fatalf("a mean rate of %v over a link of 1e9", r)
				}
				sum += r * s.Width.Seconds()
			}
			// A finish is rounded to a tick, a bin to a float32.
			if math.Abs(sum-want) > 1e-5*want+float64(len(c.Transfers))*0.01 {
				t.Fatalf("row %d sums to %v bytes, want %v", row, sum, want)
			}
		}
	})
}

// TestSeriesOfManyTransfers: many small equal amounts must not be lost to
// rounding where they add up in one interval.
func TestSeriesOfManyTransfers(t *testing.T) {
	const count = 1_000_000
	topo, err := topology.Links(bare(1e9))
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := New(engine, topo, 1)
	a := &again{n: n, transfers: []Transfer{{Bytes: 0.1e6, Links: []topology.LinkID{0}, Owner: NoOwner, Forget: true, Notify: true}}}
	a.transfers[0].Actor = engine.Register(a)
	n.Add(&a.transfers[0])
	for n.accounts.links[0].bytes < count*0.1e6 {
		engine.MaxEvents = engine.Handled() + 4*count/100
		if err := engine.Run(context.Background()); err != sim.ErrEventLimit {
			t.Fatal(err)
		}
	}
	s := n.Series([]topology.LinkID{0})
	if sum, want := s.Rate[0][0]*s.Width.Seconds(), n.Use(0).Bytes; math.Abs(sum-want) > 1e-4*want {
		t.Errorf("the series sums to %v bytes, carried were %v: %.2g off", sum, want, sum/want-1)
	}
}

// iterations is one iteration of some traffic, made n times on one network.
func iterate(t *testing.T, bins, times int, repeat int64) *Network {
	topo, err := topology.Links(bare(10e9, 7e9, 3e9))
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := New(engine, topo, bins)
	tick := engine.Register(&changer{n, []change{{0, 0, 10e9}}}) // changes nothing
	var from *Snapshot
	for i := range times {
		if i == 1 {
			from = n.Snapshot()
		}
		now := engine.Now()
		for k := range 6 {
			n.Add(&Transfer{
				Start: now + sim.Time(k)*sim.Millisecond, Bytes: 3e6 * float64(k+1), Owner: Owner(k % 3),
				Links: []topology.LinkID{topology.LinkID(k % 3), topology.LinkID((k + 1) % 3)},
			})
		}
		engine.Schedule(now+30*sim.Millisecond, tick, 0) // every iteration takes 30 ms
		if err := engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if repeat > 0 {
		n.Repeat(from, nil, repeat, 30*sim.Millisecond)
		engine.Schedule(engine.Now()+sim.Time(repeat)*30*sim.Millisecond, tick, 0)
		if err := engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestRepeat: iterations that are accounted for and not simulated leave the
// same accounts as if they were.
func TestRepeat(t *testing.T) {
	for _, bins := range []int{0, 1, 16} {
		t.Run(fmt.Sprintf("bins=%d", bins), func(t *testing.T) {
			simulated, repeated := iterate(t, bins, 12, 0), iterate(t, bins, 2, 10)
			if a, b := simulated.engine.Now(), repeated.engine.Now(); a != b {
				t.Fatalf("simulated to %v, repeated to %v", a, b)
			}
			for l := range topology.LinkID(3) {
				a, b := simulated.Use(l), repeated.Use(l)
				if math.Abs(a.Bytes-b.Bytes) > 1e-9*a.Bytes || a.Busy != b.Busy || a.Contended != b.Contended || a.Bytes == 0 {
					t.Errorf("link %d: simulated %+v, repeated %+v", l, a, b)
				}
			}
			if bins == 0 {
				return
			}
			s, r := simulated.Series(linkIDs(3)), repeated.Series(linkIDs(3))
			for l := range s.Rate {
				a, b := 0.0, 0.0
				for i := range s.Rate[l] {
					a += s.Rate[l][i]
					b += r.Rate[l][i]
				}
				if math.Abs(a-b) > 1e-4*a {
					t.Errorf("link %d: the series sum to %v and %v", l, a, b)
				}
			}
		})
	}
}

// TestRepeatContenders: also who contended is as if it had been simulated.
func TestRepeatContenders(t *testing.T) {
	simulated, repeated := iterate(t, 0, 12, 0), iterate(t, 0, 2, 10)
	for l := range topology.LinkID(3) {
		a, _, _ := simulated.Contenders(l)
		b, _, _ := repeated.Contenders(l)
		if !slices.Equal(a, b) {
			t.Errorf("link %d: simulated %v, repeated %v", l, a, b)
		}
	}
}
