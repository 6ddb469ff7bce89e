package network

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// permuted gives the case with its transfers in another order, a place of p
// holding which transfer comes there. Dependencies must come first.
func permuted(transfers []Transfer, p []int) []Transfer {
	where := make([]ID, len(p))
	for to, from := range p {
		where[from] = ID(to)
	}
	out := make([]Transfer, len(p))
	for to, from := range p {
		out[to] = transfers[from]
		out[to].After, out[to].Behind = nil, nil
		for _, d := range transfers[from].After {
			out[to].After = append(out[to].After, where[d])
		}
		for _, d := range transfers[from].Behind {
			out[to].Behind = append(out[to].Behind, where[d])
		}
	}
	return out
}

// anOrder draws an order of the transfers in which dependencies come first.
func anOrder(t *rapid.T, transfers []Transfer) []int {
	rank := rapid.Permutation(seq(len(transfers))).Draw(t, "order")
	return ordered(transfers, rank)
}

func ordered(transfers []Transfer, rank []int) []int {
	var p []int
	placed := make([]bool, len(transfers))
	var place func(i int)
	place = func(i int) {
		if placed[i] {
			return
		}
		placed[i] = true
		for _, d := range slices.Concat(transfers[i].After, transfers[i].Behind) {
			place(int(d))
		}
		p = append(p, i)
	}
	for _, i := range rank {
		place(i)
	}
	return p
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// TestPermutation: the order of the input changes no finish, to the few ticks
// that sums in another order cost.
func TestPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawTraffic(t, false)
		_, want := run(t, c)
		p := anOrder(t, c.Transfers)
		other := *c
		other.Transfers = permuted(c.Transfers, p)
		_, got := run(t, &other)
		for to, from := range p {
			if d := got[to] - want[from]; d < -2 || d > 2 {
				t.Fatalf("transfer %d ends at %d ticks, as number %d at %d", from, want[from], to, got[to])
			}
		}
	})
}

// TestPermutationOfReference permutes the exact cases of the reference folder.
func TestPermutationOfReference(t *testing.T) {
	paths, _ := filepath.Glob("../../shared/reference/network/flows/*.json")
	if len(paths) == 0 {
		t.Skip("no reference folder")
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var e exactCase
			if err := json.Unmarshal(text, &e); err != nil {
				t.Fatal(err)
			}
			c := &traffic{}
			for _, l := range e.Links {
				c.Links = append(c.Links, topology.BareLink{Capacity: l.Capacity, Latency: sim.FromSeconds(l.Latency)})
			}
			for _, f := range e.Flows {
				tr := Transfer{Start: sim.FromSeconds(f.Start), Bytes: f.Size, Weight: f.Weight, Links: f.Route, After: f.Deps, Owner: NoOwner}
				for _, l := range f.Route {
					tr.Latency += c.Links[l].Latency
				}
				c.Transfers = append(c.Transfers, tr)
			}
			for seed := range uint64(3) {
				p := ordered(c.Transfers, sim.Stream(seed, "order").Perm(len(c.Transfers)))
				other := *c
				other.Transfers = permuted(c.Transfers, p)
				_, got := run(t, &other)
				for to, from := range p {
					want := e.Flows[from].Finish
					if d := math.Abs(got[to].Seconds()-want) / (want + 1e-4); d > 1e-6 {
						t.Fatalf("order %d: flow %d ends at %v, want %.9gs (error %.2g)", seed, from, got[to], want, d)
					}
				}
			}
		})
	}
}

// TestMoreCapacityDoesNotDelay: all transfers share one link that is the
// bottleneck of each of them. Max-min fairness keeps it full while there is
// anything to send, so more of it never delays the last finish.
func TestMoreCapacityDoesNotDelay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 15).Draw(t, "transfers")
		c := &traffic{Links: []topology.BareLink{{Capacity: rapid.Float64Range(1e9, 5e9).Draw(t, "capacity")}}}
		for i := range n {
			c.Links = append(c.Links, topology.BareLink{Capacity: 100e9})
			c.Transfers = append(c.Transfers, Transfer{
				Start:  sim.Time(rapid.Int64Range(0, int64(20*sim.Millisecond)).Draw(t, "start")),
				Bytes:  rapid.Float64Range(1, 1e7).Draw(t, "bytes"),
				Weight: rapid.Float64Range(0.1, 10).Draw(t, "weight"),
				Links:  []topology.LinkID{topology.LinkID(i + 1), 0},
				Owner:  NoOwner,
			})
		}
		_, before := run(t, c)
		c.Links[0].Capacity *= rapid.Float64Range(1, 10).Draw(t, "more")
		_, after := run(t, c)
		if a, b := slices.Max(after), slices.Max(before); a > b+sim.Time(n) {
			t.Fatalf("with more capacity the last ends at %v instead of %v", a, b)
		}
	})
}

// ringPhases is a ring all-reduce over n equal links, exploded: in step s, rank
// i sends a chunk to i+1 once it has sent and received that of step s-1.
func ringPhases(n int, chunk float64, latency sim.Time) []Transfer {
	var transfers []Transfer
	for s := range 2 * (n - 1) {
		for i := range n {
			tr := Transfer{Bytes: chunk, Latency: latency, Links: []topology.LinkID{topology.LinkID(i)}, Owner: 0}
			if s > 0 {
				before := (s - 1) * n
				tr.After = []ID{ID(before + i), ID(before + (i+n-1)%n)}
			}
			transfers = append(transfers, tr)
		}
	}
	return transfers
}

// TestCoupledRing holds a ring as one activity to its exploded form: half a
// tick a step. See network.md.
func TestCoupledRing(t *testing.T) {
	for _, n := range []int{2, 3, 8, 16} {
		for _, chunk := range []float64{1, 1000, 12345.678, 1e6, 1e9 / 3} {
			t.Run(fmt.Sprintf("n=%d/chunk=%v", n, chunk), func(t *testing.T) {
				const latency = 1500 * sim.Nanosecond
				steps := 2 * (n - 1)
				c := &traffic{Links: make([]topology.BareLink, n), Bins: 16}
				for i := range c.Links {
					c.Links[i].Capacity = 46.7e9
				}
				c.Transfers = ringPhases(n, chunk, latency)
				exploded, ends := run(t, c)
				want := slices.Max(ends)
				c.Transfers = []Transfer{{
					Bytes: float64(steps) * chunk, Latency: sim.Time(steps) * latency, Links: linkIDs(n),
					Counts: slices.Repeat([]float64{1}, n), Owner: 0,
				}}
				coupled, ends := run(t, c)
				if d := math.Abs(float64(ends[0] - want)); d > float64(steps)/2+1 {
					t.Errorf("coupled %d ticks, exploded %d: %v apart in %d steps", ends[0], want, d, steps)
				}
				closed := float64(steps) * (latency.Seconds() + chunk/46.7e9)
				if e := math.Abs(ends[0].Seconds() - closed); e > 1e-11 {
					t.Errorf("coupled %v, by formula %v s", ends[0], closed)
				}
				for l := range topology.LinkID(n) {
					if a, b := coupled.Use(l), exploded.Use(l); math.Abs(a.Bytes-b.Bytes) > 1e-9*b.Bytes || a.Contended != 0 || b.Contended != 0 {
						t.Errorf("link %d: %+v coupled, %+v exploded", l, a, b)
					}
				}
			})
		}
	}
}

// TestCountsAreTransfers: a transfer with a count of k gets on a link what k
// transfers of their own get, next to others.
func TestCountsAreTransfers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawTraffic(t, false)
		var one, many []Transfer
		var whose []int
		for i, tr := range c.Transfers {
			tr.After, tr.Behind = nil, nil
			k := rapid.IntRange(1, 4).Draw(t, "multiplicity")
			for range k {
				single := tr
				single.Counts = nil
				many, whose = append(many, single), append(whose, i)
			}
			tr.Counts = slices.Repeat([]float64{float64(k)}, len(tr.Links))
			one = append(one, tr)
		}
		c.Transfers = one
		_, want := run(t, c)
		c.Transfers = many
		_, got := run(t, c)
		for j, i := range whose {
			if d := math.Abs(float64(got[j] - want[i])); d > 2+1e-9*float64(want[i]) {
				t.Fatalf("transfer %d ends at %d ticks as one, at %d as many", i, want[i], got[j])
			}
		}
	})
}

// TestTiesAreOneRepair: what happens at one instant is repaired once.
func TestTiesAreOneRepair(t *testing.T) {
	c := &traffic{Links: bare(1e9, 2e9)}
	for range 1000 {
		c.Transfers = append(c.Transfers, Transfer{Start: sim.Second, Bytes: 1e6, Links: []topology.LinkID{0, 1}, Owner: NoOwner})
	}
	engine, n := start(t, c)
	before := n.solver.repair
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	// One when they begin, one when they all end together.
	if repairs := n.solver.repair - before; repairs != 2 {
		t.Errorf("%d repairs, want 2", repairs)
	}
	if _, finish, _ := n.Times(999); finish != 2*sim.Second {
		t.Errorf("ends at %v, want 2s", finish)
	}
}

// TestForget: a transfer that is to be forgotten gives its ID back when it ends,
// also to one that waits for nothing, and dependents still come to run.
func TestForget(t *testing.T) {
	topo, err := topology.Links(bare(10))
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := New(engine, topo, 0)
	on := []topology.LinkID{0}
	a := n.Add(&Transfer{Bytes: 10, Links: on, Forget: true, Owner: NoOwner})
	b := n.Add(&Transfer{Bytes: 10, Links: on, After: []ID{a}, Owner: NoOwner})
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, finish, ended := n.Times(b); !ended || finish != 2*sim.Second {
		t.Errorf("what waited ended at %v (%v), want 2s", finish, ended)
	}
	if c := n.Add(&Transfer{Bytes: 10, Links: on, Owner: NoOwner}); c != a {
		t.Errorf("the next transfer is %d, want the forgotten %d", c, a)
	}
	if d := n.Add(&Transfer{Bytes: 10, Links: on, Owner: NoOwner}); d == b {
		t.Error("an ID that was not to be forgotten was used again")
	}
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if engine.Now() != 4*sim.Second || n.Use(0).Bytes != 40 {
		t.Errorf("done at %v with %v bytes, want 4s and 40", engine.Now(), n.Use(0).Bytes)
	}
}

// again is an actor that adds a transfer whenever one ends.
type again struct {
	n         *Network
	transfers []Transfer
	after     [1]ID
	chain     bool
}

func (a *again) Handle(_ sim.Time, i uint64) {
	tr := &a.transfers[i]
	id := a.n.Add(tr)
	if a.chain { // and one that waits for it
		a.after[0] = id
		next := Transfer{Bytes: tr.Bytes / 2, Links: tr.Links, Owner: tr.Owner, Forget: true, After: a.after[:]}
		a.n.Add(&next)
	}
}

// TestNoAllocations holds the network to none in the steady state.
func TestNoAllocations(t *testing.T) {
	for _, c := range []struct {
		name string
		bins int
		own  bool
	}{{"plain", 0, false}, {"with series", 64, false}, {"with owners", 0, true}} {
		t.Run(c.name, func(t *testing.T) {
			topo, transfers := poisson(8, 200, 0.5, 3)
			engine := sim.New()
			n := New(engine, topo, c.bins)
			a := &again{n: n, transfers: transfers}
			actor := engine.Register(a)
			for i := range transfers {
				tr := &transfers[i]
				tr.Start, tr.Forget, tr.Notify, tr.Actor, tr.Arg = 0, true, true, actor, uint64(i)
				if c.own {
					tr.Owner = Owner(i % 5)
				}
				n.Add(tr)
			}
			events := func() {
				engine.MaxEvents = engine.Handled() + 5000
				if err := engine.Run(context.Background()); err != sim.ErrEventLimit {
					t.Fatal(err)
				}
			}
			for range 40 {
				events()
			}
			if got := testing.AllocsPerRun(20, events); got > 1 { // a list may yet grow
				t.Errorf("%v allocations in 5000 events, want 0", got)
			}
		})
	}
}

// TestNoAllocationsOverFootprints holds it to none with footprints too.
func TestNoAllocationsOverFootprints(t *testing.T) {
	for _, bundled := range []bool{false, true} {
		t.Run(fmt.Sprintf("bundled=%v", bundled), func(t *testing.T) {
			topo, err := topology.Links(bare(slices.Repeat([]float64{1e9}, 64)...))
			if err != nil {
				t.Fatal(err)
			}
			engine := sim.New()
			n := New(engine, topo, 16)
			a := &again{n: n}
			actor := engine.Register(a)
			footprints := []*Footprint{{Links: linkIDs(64)}, {Links: linkIDs(48)}}
			if bundled {
				n.Bundle(footprints...)
			}
			for i := range 8 {
				a.transfers = append(a.transfers, Transfer{
					Bytes: 1e6 * float64(i+1), Footprint: footprints[i%2], Owner: Owner(i % 3),
					Forget: true, Notify: true, Actor: actor, Arg: uint64(i),
				})
				n.Add(&a.transfers[i])
			}
			events := func() {
				engine.MaxEvents = engine.Handled() + 1000
				if err := engine.Run(context.Background()); err != sim.ErrEventLimit {
					t.Fatal(err)
				}
			}
			for range 20 {
				events()
			}
			if got := testing.AllocsPerRun(20, events); got > 0 {
				t.Errorf("%v allocations in 1000 events, want 0", got)
			}
		})
	}
}

func Example() {
	// A parking lot of two links: one transfer goes through both, and each has
	// one of its own. The long one gets half of the narrow link; the short one
	// on the wide link gets all that the long one leaves.
	topo, err := topology.Links([]topology.BareLink{
		{Name: "wide", Capacity: 10e9},
		{Name: "narrow", Capacity: 4e9},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	engine := sim.New()
	n := New(engine, topo, 0)
	long := n.Add(&Transfer{Bytes: 2e9, Links: []topology.LinkID{0, 1}, Owner: NoOwner})
	wide := n.Add(&Transfer{Bytes: 10e9, Links: []topology.LinkID{0}, Owner: NoOwner})
	narrow := n.Add(&Transfer{Bytes: 4e9, Links: []topology.LinkID{1}, Owner: NoOwner})

	engine.Horizon = sim.Second / 2
	fmt.Println(engine.Run(context.Background()))
	fmt.Printf("long %.0f, wide %.0f, narrow %.0f GB/s\n", n.Rate(long)/1e9, n.Rate(wide)/1e9, n.Rate(narrow)/1e9)

	engine.Horizon = 0
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	for _, id := range []ID{long, wide, narrow} {
		_, finish, _ := n.Times(id)
		fmt.Println(finish)
	}
	// Output:
	// sim: horizon reached
	// long 2, wide 8, narrow 2 GB/s
	// 1s
	// 1.2s
	// 1.5s
}
