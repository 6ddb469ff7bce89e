package network

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// TestLosses holds what owners lose to each other to sums by hand, on links of 10 B/s.
func TestLosses(t *testing.T) {
	zero := []topology.LinkID{0}
	for _, c := range []struct {
		name string
		traffic
		want   []Loss  // on link 0
		wanted float64 // bytes, while it was contended
	}{
		{
			// Both at 5 B/s until the first ends at 10; alone they take 5 and 10 s and
			// here 10 and 15.
			"two owners",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: 1}, {Bytes: 100, Links: zero, Owner: 2},
			}},
			[]Loss{{1, 2, 10 * sim.Second, 5}, {2, 1, 10 * sim.Second, 5}},
			200,
		}, {
			"one owner with two transfers",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: 1}, {Bytes: 100, Links: zero, Owner: 1},
			}},
			nil, 0,
		}, {
			// Three transfers of owner 1, one of 2, at 2.5 B/s each until all end at 20.
			// Alone 1 takes 15 s and 2 takes 5.
			"more transfers than the other",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: 1},
				{Bytes: 50, Links: zero, Owner: 1},
				{Bytes: 50, Links: zero, Owner: 1},
				{Bytes: 50, Links: zero, Owner: 2},
			}},
			[]Loss{{1, 2, 20 * sim.Second, 5}, {2, 1, 20 * sim.Second, 15}},
			400,
		}, {
			// Weights 1 and 3: rates 2.5 and 7.5 until both end at 20.
			"weights",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: 1}, {Bytes: 150, Weight: 3, Links: zero, Owner: 2},
			}},
			[]Loss{{1, 2, 20 * sim.Second, 15}, {2, 1, 20 * sim.Second, 5}},
			400,
		}, {
			// Owner 1 has no more than 4 B/s by its other link, and gets that: owner 2
			// alone is held back.
			"one that gets what it wants",
			traffic{Links: bare(10, 4), Transfers: []Transfer{
				{Bytes: 40, Links: []topology.LinkID{0, 1}, Owner: 1}, {Bytes: 100, Links: zero, Owner: 2},
			}},
			[]Loss{{1, 2, 10 * sim.Second, 0}, {2, 1, 10 * sim.Second, 4}},
			140,
		}, {
			// 2 hops of a phase: it has 5 B/s a hop alone, and 10/3 beside the other.
			"a phase that crosses twice",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Counts: []float64{2}, Owner: 1}, {Bytes: 50, Links: zero, Owner: 2},
			}},
			[]Loss{{1, 2, 15 * sim.Second, 5}, {2, 1, 15 * sim.Second, 10}},
			300,
		}, {
			// Three owners at 10/3 B/s until 30: each loses 20 s, half to each other one.
			"three owners",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 100, Links: zero, Owner: 1}, {Bytes: 100, Links: zero, Owner: 2}, {Bytes: 100, Links: zero, Owner: 3},
			}},
			[]Loss{
				{1, 2, 30 * sim.Second, 10},
				{1, 3, 30 * sim.Second, 10},
				{2, 1, 30 * sim.Second, 10},
				{2, 3, 30 * sim.Second, 10},
				{3, 1, 30 * sim.Second, 10},
				{3, 2, 30 * sim.Second, 10},
			},
			900,
		}, {
			"an owner and flows without one",
			traffic{Links: bare(10), Transfers: []Transfer{
				{Bytes: 50, Links: zero, Owner: 1}, {Bytes: 50, Links: zero, Owner: NoOwner}, {Bytes: 50, Links: zero, Owner: NoOwner},
			}},
			[]Loss{{1, NoOwner, 15 * sim.Second, 10}},
			450,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, _ := run(t, &c.traffic)
			got := n.Losses(0)
			if !slices.EqualFunc(got, c.want, sameLoss) {
				t.Errorf("lost %v, want %v", got, c.want)
			}
			if wanted := n.Use(0).Wanted; math.Abs(wanted-c.wanted) > 1e-6 {
				t.Errorf("%v bytes were wanted, want %v", wanted, c.wanted)
			}
		})
	}
}

func sameLoss(a, b Loss) bool {
	return a.Owner == b.Owner && a.Other == b.Other && a.Shared == b.Shared && math.Abs(a.Lost-b.Lost) <= 1e-6*(1+b.Lost)
}

// TestCrowdedLink: where more than eight owners meet they lose to the crowd.
func TestCrowdedLink(t *testing.T) {
	c := &traffic{Links: bare(10)}
	for o := range Owner(10) {
		c.Transfers = append(c.Transfers, Transfer{Bytes: 10, Links: []topology.LinkID{0}, Owner: o})
	}
	n, _ := run(t, c)
	for _, x := range n.Losses(0) { // 1 s alone, 10 s here
		if !sameLoss(x, Loss{x.Owner, Crowd, 10 * sim.Second, 9}) {
			t.Errorf("lost %v", x)
		}
	}
}

// TestOneLink: of owners with one transfer each on one link, what each loses to all
// others is the difference between its time here and alone, whatever comes when.
func TestOneLink(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &traffic{Links: bare(10)}
		for o := range Owner(rapid.IntRange(1, 12).Draw(t, "owners")) {
			c.Transfers = append(c.Transfers, Transfer{
				Start: sim.Time(rapid.IntRange(0, 20).Draw(t, "start")) * sim.Second,
				Bytes: float64(rapid.IntRange(1, 200).Draw(t, "bytes")), Weight: float64(rapid.IntRange(1, 3).Draw(t, "weight")),
				Links: []topology.LinkID{0}, Owner: o,
			})
		}
		n, finish := run(t, c)
		lost := map[Owner]float64{}
		for _, x := range n.Losses(0) {
			lost[x.Owner] += x.Lost
		}
		for i, tr := range c.Transfers {
			want := (finish[i] - tr.Start).Seconds() - tr.Bytes/10
			if got := lost[tr.Owner]; math.Abs(got-want) > 1e-6*(1+want) {
				t.Fatalf("owner %d lost %v s, want %v", tr.Owner, got, want)
			}
		}
	})
}

// TestOfferedSeries: 10 B/s carried, and 20 wanted while two owners were there.
func TestOfferedSeries(t *testing.T) {
	zero := []topology.LinkID{0}
	n, _ := run(t, &traffic{Links: bare(10), Bins: 64, Transfers: []Transfer{
		{Bytes: 50, Links: zero, Owner: 1}, {Bytes: 100, Links: zero, Owner: 2},
	}})
	s := n.Series(zero)
	var carried, offered float64
	for k := range s.Rate[0] {
		carried += s.Rate[0][k] * s.Width.Seconds()
		offered += s.Offered[0][k] * s.Width.Seconds()
	}
	if math.Abs(carried-150) > 1e-6 || math.Abs(offered-250) > 1e-6 {
		t.Errorf("carried %v, offered %v; want 150 and 250", carried, offered)
	}
}
