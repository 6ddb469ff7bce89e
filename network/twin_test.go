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

// traffic is links, transfers, and changes of the links' capacity.
type traffic struct {
	Links     []topology.BareLink
	Transfers []Transfer
	Changes   []change
	Bins      int
}

type change struct {
	At      sim.Time
	Link    topology.LinkID
	Payload float64
}

func counts(t *Transfer, i int) float64 {
	if t.Counts == nil {
		return 1
	}
	return t.Counts[i]
}

func weight(t *Transfer) float64 {
	if t.Weight == 0 {
		return 1
	}
	return t.Weight
}

// fairRates is the obviously right twin of the solver: progressive filling
// from scratch. All levels rise together from 0; the link that saturates next
// stops those on it.
func fairRates(limits []float64, transfers []*Transfer) []float64 {
	rates := make([]float64, len(transfers))
	stopped := make([]bool, len(transfers))
	free := append([]float64(nil), limits...)
	for range transfers {
		tightest, lowest := topology.LinkID(-1), math.Inf(1)
		for l := range free {
			weights := 0.0
			for i, t := range transfers {
				for k, on := range t.Links {
					if int(on) == l && !stopped[i] {
						weights += counts(t, k) * weight(t)
					}
				}
			}
			if level := max(0, free[l]) / weights; weights > 0 && level < lowest {
				tightest, lowest = topology.LinkID(l), level
			}
		}
		for i, t := range transfers {
			if stopped[i] {
				continue
			}
			for _, on := range t.Links {
				if on == tightest {
					stopped[i] = true
				}
			}
			if stopped[i] {
				rates[i] = lowest * weight(t)
				for k, on := range t.Links {
					free[on] -= counts(t, k) * rates[i]
				}
			}
		}
	}
	return rates
}

// fluid is the obviously right twin of the network: in floating-point time,
// with all rates found anew at every change. It gives all finishes, +Inf for
// what never ends.
func fluid(c *traffic) []float64 {
	const (
		waiting = iota
		delayed
		draining
		ended
	)
	n := len(c.Transfers)
	state := make([]int, n)
	at := make([]float64, n) // begin while delayed, finish once ended
	left := make([]float64, n)
	limits := make([]float64, len(c.Links))
	for l := range limits {
		limits[l] = c.Links[l].Capacity
	}
	for i := range left {
		left[i] = c.Transfers[i].Bytes
	}
	changes := append([]change(nil), c.Changes...)
	for now := 0.0; ; {
		for moved := true; moved; {
			moved = false
			for i := range c.Transfers {
				t := &c.Transfers[i]
				if state[i] == waiting {
					eligible := t.Start.Seconds()
					for _, d := range t.After {
						if state[d] != ended {
							eligible = math.Inf(1)
						}
					}
					if eligible < math.Inf(1) {
						state[i], at[i] = delayed, max(eligible, now)+t.Latency.Seconds()
						moved = true
					}
				}
				if state[i] == delayed && at[i] <= now && !slices.ContainsFunc(t.Behind, func(d ID) bool { return state[d] != ended }) {
					state[i], moved = draining, true
				}
				if state[i] == draining && left[i] <= 0 {
					state[i], at[i], moved = ended, now, true
				}
			}
		}
		var on []*Transfer
		var which []int
		for i := range c.Transfers {
			if state[i] == draining {
				on, which = append(on, &c.Transfers[i]), append(which, i)
			}
		}
		rates := fairRates(limits, on)
		next := math.Inf(1)
		for i := range c.Transfers {
			if state[i] == delayed && at[i] > now {
				next = min(next, at[i])
			}
		}
		first := -1
		for k, i := range which {
			if finish := now + left[i]/rates[k]; rates[k] > 0 && finish < next {
				next, first = finish, i
			}
		}
		if len(changes) > 0 && changes[0].At.Seconds() <= next {
			next, first = changes[0].At.Seconds(), -1
		}
		if math.IsInf(next, 1) {
			break
		}
		for k, i := range which {
			left[i] = max(0, left[i]-rates[k]*(next-now))
		}
		if first >= 0 {
			left[first] = 0
		}
		now = next
		if first < 0 && len(changes) > 0 && changes[0].At.Seconds() == now {
			limits[changes[0].Link] = changes[0].Payload
			changes = changes[1:]
		}
	}
	for i := range at {
		if state[i] != ended {
			at[i] = math.Inf(1)
		}
	}
	return at
}

// changer is an actor that makes the changes.
type changer struct {
	n       *Network
	changes []change
}

func (c *changer) Handle(_ sim.Time, i uint64) {
	c.n.SetPayload(c.changes[i].Link, c.changes[i].Payload)
}

// start adds all of a case to a new network.
func start(t interface{ Fatal(...any) }, c *traffic) (*sim.Engine, *Network) {
	topo, err := topology.Links(c.Links)
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := New(engine, topo, c.Bins)
	actor := engine.Register(&changer{n, c.Changes})
	for i, ch := range c.Changes {
		engine.Schedule(ch.At, actor, uint64(i))
	}
	for i := range c.Transfers {
		if id := n.Add(&c.Transfers[i]); int(id) != i {
			t.Fatal("transfer", i, "is called", id)
		}
	}
	return engine, n
}

// run plays a case to its end, and gives the finishes.
func run(t interface{ Fatal(...any) }, c *traffic) (*Network, []sim.Time) {
	engine, n := start(t, c)
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return n, finishes(n, len(c.Transfers))
}

func finishes(n *Network, transfers int) []sim.Time {
	f := make([]sim.Time, transfers)
	for i := range f {
		var ended bool
		if _, f[i], ended = n.Times(ID(i)); !ended {
			f[i] = sim.Never
		}
	}
	return f
}

// step plays a case event by event and calls settled whenever rates are.
func step(t interface{ Fatal(...any) }, engine *sim.Engine, n *Network, settled func()) {
	for {
		engine.MaxEvents = engine.Handled() + 1
		err := engine.Run(context.Background())
		if err == nil {
			engine.MaxEvents = 0
			return
		}
		if err != sim.ErrEventLimit {
			t.Fatal(err)
		}
		if !n.repairing {
			settled()
		}
	}
}

// drawTraffic draws a case. On a grid, capacities, sizes and times are few, so
// that many things happen at one instant and many levels are equal.
func drawTraffic(t *rapid.T, changes bool) *traffic {
	grid := rapid.Bool().Draw(t, "grid")
	draw := func(name string, lo, hi float64) float64 {
		if grid {
			return lo * float64(rapid.IntRange(1, 3).Draw(t, name))
		}
		return rapid.Float64Range(lo, hi).Draw(t, name)
	}
	c := &traffic{Bins: rapid.SampledFrom([]int{0, 1, 2, 7, 64}).Draw(t, "bins")}
	links := rapid.IntRange(1, 8).Draw(t, "links")
	for l := range links {
		c.Links = append(c.Links, topology.BareLink{Name: fmt.Sprint("l", l), Capacity: draw("capacity", 1e9, 50e9)})
	}
	all := rapid.Permutation(linkIDs(links))
	transfers := rapid.IntRange(1, 20).Draw(t, "transfers")
	for i := range transfers {
		route := all.Draw(t, "route")[:rapid.IntRange(1, min(links, 4)).Draw(t, "length")]
		tr := Transfer{
			Start:   sim.FromSeconds(1e-3 * float64(rapid.IntRange(0, 4).Draw(t, "start"))),
			Bytes:   draw("bytes", 1e6, 1e8),
			Links:   route,
			Latency: sim.Time(rapid.SampledFrom([]int64{0, 0, 1, 150_000, 1e8}).Draw(t, "latency")),
			Owner:   Owner(rapid.IntRange(-1, 2).Draw(t, "owner")),
		}
		if rapid.IntRange(0, 20).Draw(t, "nothing") == 7 {
			tr.Bytes = 0
		}
		if rapid.Bool().Draw(t, "weighted") {
			tr.Weight = draw("weight", 0.5, 20)
		}
		if rapid.IntRange(0, 3).Draw(t, "coupled") == 3 {
			for range route {
				tr.Counts = append(tr.Counts, float64(rapid.IntRange(1, 6).Draw(t, "count")))
			}
		}
		for i > 0 && rapid.IntRange(0, 4).Draw(t, "after") == 4 {
			tr.After = append(tr.After, ID(rapid.IntRange(0, i-1).Draw(t, "before")))
		}
		for i > 0 && rapid.IntRange(0, 5).Draw(t, "behind") == 5 {
			tr.Behind = append(tr.Behind, ID(rapid.IntRange(0, i-1).Draw(t, "ahead")))
		}
		c.Transfers = append(c.Transfers, tr)
	}
	if changes {
		at := sim.Time(0)
		for range rapid.IntRange(0, 6).Draw(t, "changes") {
			at += sim.FromSeconds(1e-3 * float64(rapid.IntRange(0, 5).Draw(t, "gap")))
			l := rapid.IntRange(0, links-1).Draw(t, "changed")
			to := 0.0
			if rapid.IntRange(0, 2).Draw(t, "to zero") > 0 {
				to = draw("payload", 1e9, 50e9)
			}
			if to == 0 {
				// Stopped in its last tick, a transfer waits for good, or ends
				// if rounding has it a tick ahead: both are right. So none is.
				at += 12_345_679
			}
			c.Changes = append(c.Changes, change{at, topology.LinkID(l), to})
		}
		for l := range links { // all goes on in the end
			c.Changes = append(c.Changes, change{at + sim.Millisecond, topology.LinkID(l), c.Links[l].Capacity})
		}
	}
	return c
}

func linkIDs(n int) []topology.LinkID {
	ids := make([]topology.LinkID, n)
	for i := range ids {
		ids[i] = topology.LinkID(i)
	}
	return ids
}

// checkTraffic plays a case and holds it, at every instant, to the twin's
// rates, the capacities and the bottleneck condition, and in the end to the
// twin's finishes and to conservation.
func checkTraffic(t *rapid.T, c *traffic) {
	engine, n := start(t, c)
	carried := make([]float64, len(c.Links)) // integral of the links' rates
	drained := make([]float64, len(c.Transfers))
	fastest := 0.0
	rates := make([]float64, len(c.Transfers))
	last := sim.Time(0)
	integrate := func() {
		dt := (engine.Now() - last).Seconds()
		last = engine.Now()
		for i := range c.Transfers {
			drained[i] += rates[i] * dt
			for k, l := range c.Transfers[i].Links {
				carried[l] += counts(&c.Transfers[i], k) * rates[i] * dt
			}
		}
	}
	instants := 0
	step(t, engine, n, func() {
		integrate()
		instants++
		var on []*Transfer
		var ids []ID
		limits := make([]float64, len(c.Links))
		used := make([]float64, len(c.Links))
		highest := make([]float64, len(c.Links))
		for l := range limits {
			limits[l] = n.solver.limit(topology.LinkID(l))
		}
		for i := range c.Transfers {
			tr, id := &c.Transfers[i], ID(i)
			rates[i] = n.Rate(id)
			fastest = max(fastest, rates[i])
			if n.transfers[id].slot < 0 {
				if rates[i] != 0 {
					t.Fatalf("transfer %d has a rate of %v and does not drain", i, rates[i])
				}
				continue
			}
			on, ids = append(on, tr), append(ids, id)
			for k, l := range tr.Links {
				used[l] += counts(tr, k) * rates[i]
				highest[l] = max(highest[l], rates[i]/weight(tr))
			}
		}
		for l := range used {
			if used[l] > limits[l]*(1+1e-9) {
				t.Fatalf("%v: link %d carries %v of %v B/s", engine.Now(), l, used[l], limits[l])
			}
			if kept := n.solver.links[l].used; math.Abs(kept-used[l]) > 1e-9*c.Links[l].Capacity {
				t.Fatalf("%v: link %d is thought to carry %v B/s; it is %v", engine.Now(), l, kept, used[l])
			}
		}
		for k, want := range fairRates(limits, on) {
			if got := rates[ids[k]]; math.Abs(got-want) > 1e-8*want {
				t.Fatalf("%v: transfer %d has %v B/s, want %v", engine.Now(), ids[k], got, want)
			}
			level, bottleneck := rates[ids[k]]/weight(on[k]), false
			for _, l := range on[k].Links {
				bottleneck = bottleneck || used[l] >= limits[l]*(1-1e-9) && highest[l] <= level*(1+1e-9)
			}
			if !bottleneck {
				t.Fatalf("%v: transfer %d of level %v has no bottleneck", engine.Now(), ids[k], level)
			}
		}
	})
	integrate()
	if !n.Idle() || n.Waiting() != nil {
		t.Fatal("not idle in the end")
	}

	want := fluid(c)
	got := finishes(n, len(c.Transfers))
	bytes := make([]float64, len(c.Links))
	slack := float64(instants+2) * sim.Tick.Seconds() * fastest // a tick each time something changed
	for i := range c.Transfers {
		tr := &c.Transfers[i]
		if e := math.Abs(got[i].Seconds() - want[i]); !(e <= 1e-6*(want[i]+1e-4)) {
			t.Fatalf("transfer %d ends at %v, want %.12gs", i, got[i], want[i])
		}
		if math.Abs(drained[i]-tr.Bytes) > slack+1e-9*tr.Bytes {
			t.Fatalf("transfer %d has drained %v of %v bytes", i, drained[i], tr.Bytes)
		}
		for k, l := range tr.Links {
			bytes[l] += counts(tr, k) * tr.Bytes
		}
	}
	makespan := engine.Now()
	series := n.Series(linkIDs(len(c.Links)))
	for l := range c.Links {
		u := n.Use(topology.LinkID(l))
		if math.Abs(u.Bytes-bytes[l]) > 1e-9*bytes[l] {
			t.Fatalf("link %d has carried %v bytes, sent were %v", l, u.Bytes, bytes[l])
		}
		if math.Abs(carried[l]-bytes[l]) > 200*slack+1e-9*bytes[l] {
			t.Fatalf("the rates on link %d sum to %v bytes, sent were %v", l, carried[l], bytes[l])
		}
		if u.Contended < 0 || u.Contended > u.Busy || u.Busy > makespan {
			t.Fatalf("link %d: contended for %v, busy for %v of %v", l, u.Contended, u.Busy, makespan)
		}
		owners, _, _ := n.Contenders(topology.LinkID(l))
		for _, o := range owners {
			if o.Contended <= 0 || o.Contended > u.Contended {
				t.Fatalf("owner %d contended for %v of the link's %v", o.Owner, o.Contended, u.Contended)
			}
		}
		if c.Bins > 0 && makespan > 0 {
			sum := 0.0
			for _, rate := range series.Rate[l] {
				sum += rate * series.Width.Seconds()
			}
			if math.Abs(sum-bytes[l]) > 200*slack+1e-5*bytes[l] { // float32 within
				t.Fatalf("%d bins of link %d sum to %v bytes, want %v", c.Bins, l, sum, bytes[l])
			}
		}
	}
}

func checkDrawn(t *rapid.T) { checkTraffic(t, drawTraffic(t, false)) }

func checkDrawnWithChanges(t *rapid.T) { checkTraffic(t, drawTraffic(t, true)) }

func TestTraffic(t *testing.T) { rapid.Check(t, checkDrawn) }

func TestTrafficOnChangingLinks(t *testing.T) { rapid.Check(t, checkDrawnWithChanges) }

func FuzzTraffic(f *testing.F) {
	r := sim.Stream(1, "traffic")
	for _, n := range []int{0, 200, 2000, 4000} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(rapid.MakeFuzz(checkDrawnWithChanges))
}
