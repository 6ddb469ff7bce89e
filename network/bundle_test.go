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

// phases is traffic some of which is launched over footprints, and what is
// bundled when.
type phases struct {
	traffic
	Footprints []Footprint
	Over       []int // footprint of each transfer, -1: its own links
	Acts       []act
}

// act bundles or unbundles the footprints whose bit is set, at a time or when a
// transfer ends.
type act struct {
	At       sim.Time
	After    int // transfer, -1: none
	Unbundle bool
	Which    uint
}

// drawPhases draws groups of links that are alike, footprints over whole groups,
// now and then one that is not quite so, transfers over them and over some links
// only, changes of links, and acts.
func drawPhases(t *rapid.T) *phases {
	p := &phases{traffic: *drawTraffic(t, true)}
	p.Links, p.Changes = nil, nil
	var groups [][]topology.LinkID
	for range rapid.IntRange(1, 4).Draw(t, "groups") {
		capacity := float64(rapid.IntRange(1, 3).Draw(t, "capacity")) * 1e9
		var group []topology.LinkID
		for range rapid.IntRange(1, 5).Draw(t, "links") {
			group = append(group, topology.LinkID(len(p.Links)))
			p.Links = append(p.Links, topology.BareLink{Name: fmt.Sprint("l", len(p.Links)), Capacity: capacity})
		}
		groups = append(groups, group)
	}
	links := rapid.Permutation(linkIDs(len(p.Links))) // numbers say nothing
	number := links.Draw(t, "numbers")
	capacities := slices.Clone(p.Links)
	for l, to := range number {
		p.Links[to].Capacity = capacities[l].Capacity
	}
	for range rapid.IntRange(1, 4).Draw(t, "footprints") {
		var f Footprint
		counted := rapid.Bool().Draw(t, "counted")
		for g, group := range groups {
			if len(f.Links) > 0 && g > 0 && rapid.Bool().Draw(t, "skip") {
				continue
			}
			count := float64(rapid.IntRange(1, 3).Draw(t, "count"))
			for _, l := range group {
				odd := rapid.IntRange(0, 12).Draw(t, "odd")
				if odd == 12 && len(f.Links) > 0 {
					continue
				}
				f.Links = append(f.Links, number[l])
				if counted {
					f.Counts = append(f.Counts, count)
					if odd == 11 {
						f.Counts[len(f.Counts)-1]++
					}
				}
			}
		}
		p.Footprints = append(p.Footprints, f)
	}
	for i := range p.Transfers {
		tr := &p.Transfers[i]
		tr.Bytes *= math.Pi / 3 // so that no finish lies between two ticks but for rounding
		over := rapid.IntRange(-1, len(p.Footprints)-1).Draw(t, "over")
		if rapid.Bool().Draw(t, "first") {
			over = 0
		}
		p.Over = append(p.Over, over)
		if over < 0 {
			tr.Links = links.Draw(t, "route")[:rapid.IntRange(1, min(len(p.Links), 3)).Draw(t, "length")]
			tr.Counts = nil
		} else {
			tr.Links, tr.Counts = p.Footprints[over].Links, p.Footprints[over].Counts
		}
	}
	at := sim.Time(0)
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		at += sim.FromSeconds(1e-3*float64(rapid.IntRange(0, 5).Draw(t, "gap"))) + 12_345_679
		p.Changes = append(p.Changes, change{
			at, rapid.SampledFrom(number).Draw(t, "changed"), 1e9 * float64(rapid.IntRange(0, 2).Draw(t, "payload")),
		})
	}
	for _, ch := range p.Changes { // all goes on in the end
		p.Changes = append(p.Changes, change{at + 20*sim.Millisecond, ch.Link, p.Links[ch.Link].Capacity})
	}
	all := uint(1)<<len(p.Footprints) - 1
	p.Acts = []act{{After: -1, Which: all}}
	for range rapid.IntRange(0, 6).Draw(t, "acts") {
		p.Acts = append(p.Acts, act{
			sim.FromSeconds(1e-3 * float64(rapid.IntRange(0, 30).Draw(t, "when"))),
			rapid.IntRange(-1, len(p.Transfers)-1).Draw(t, "at the end of"),
			rapid.Bool().Draw(t, "unbundle"), rapid.UintRange(1, all).Draw(t, "which"),
		})
	}
	return p
}

// doer is an actor that does the acts.
type doer struct {
	n          *Network
	footprints []*Footprint
	acts       []act
	idle       bool
	actor      sim.Actor
}

func (d *doer) Handle(_ sim.Time, i uint64) {
	if d.idle {
		return
	}
	var which []*Footprint
	for k, f := range d.footprints {
		if d.acts[i].Which>>k&1 == 1 {
			which = append(which, f, f)
		}
	}
	if d.acts[i].Unbundle {
		d.n.Unbundle(which...)
	} else {
		d.n.Bundle(which...)
	}
}

// begin adds a case to a network. Acts do nothing if nothing is to be bundled.
func (p *phases) begin(engine *sim.Engine, n *Network, bundle bool) *doer {
	d := &doer{n: n, acts: p.Acts, idle: !bundle}
	for _, f := range p.Footprints {
		d.footprints = append(d.footprints, &f)
	}
	d.actor = engine.Register(d)
	for i, a := range p.Acts {
		if a.After < 0 {
			engine.Schedule(a.At, d.actor, uint64(i))
		}
	}
	actor := engine.Register(&changer{n, p.Changes})
	for i, ch := range p.Changes {
		engine.Schedule(ch.At, actor, uint64(i))
	}
	p.add(n, d, 0)
	return d
}

// add adds the transfers of a case, later by some time.
func (p *phases) add(n *Network, d *doer, later sim.Time) {
	var ids []ID
	for i, tr := range p.Transfers {
		if p.Over[i] >= 0 {
			tr.Links, tr.Counts, tr.Footprint = nil, nil, d.footprints[p.Over[i]]
		}
		tr.Start += later
		for k, a := range p.Acts {
			if a.After == i {
				tr.Notify, tr.Actor, tr.Arg = true, d.actor, uint64(k)
			}
		}
		after := tr.After
		tr.After = nil
		for _, a := range after {
			tr.After = append(tr.After, ids[a])
		}
		ids = append(ids, n.Add(&tr))
	}
}

func (p *phases) network(t *rapid.T) (*sim.Engine, *Network) {
	topo, err := topology.Links(p.Links)
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	return engine, New(engine, topo, p.Bins)
}

// alike holds a network to another in which nothing was bundled.
func alike(t *rapid.T, n, plain *Network, transfers int) {
	for i := range transfers {
		got, _, gotEnded := n.Times(ID(i))
		want, _, wantEnded := plain.Times(ID(i))
		if got != want || gotEnded != wantEnded {
			t.Fatalf("transfer %d: eligible at %v, ended %v; unbundled at %v, %v", i, got, gotEnded, want, wantEnded)
		}
		if got, want := n.Rate(ID(i)), plain.Rate(ID(i)); math.Abs(got-want) > 1e-12*want {
			t.Fatalf("transfer %d has %v B/s, unbundled %v", i, got, want)
		}
	}
	if got, want := finishes(n, transfers), finishes(plain, transfers); !slices.Equal(got, want) {
		t.Fatalf("finishes %d, unbundled %d", got, want)
	}
	links := linkIDs(len(n.topology.Links))
	for _, l := range links {
		got, want := n.Use(l), plain.Use(l)
		if math.Abs(got.Bytes-want.Bytes) > 1e-9*want.Bytes || got.Busy != want.Busy || got.Contended != want.Contended || math.Abs(got.Wanted-want.Wanted) > 1e-9*want.Wanted {
			t.Fatalf("link %d: %+v, unbundled %+v", l, got, want)
		}
		if got, want := n.Losses(l), plain.Losses(l); !slices.EqualFunc(got, want, sameLoss) {
			t.Fatalf("link %d: losses %v, unbundled %v", l, got, want)
		}
		owners, crowd, named := n.Contenders(l)
		wantOwners, wantCrowd, wantNamed := plain.Contenders(l)
		if !slices.Equal(owners, wantOwners) || crowd != wantCrowd || !slices.Equal(named, wantNamed) {
			t.Fatalf("link %d: contenders %v, %d: %v; unbundled %v, %d: %v", l, owners, crowd, named, wantOwners, wantCrowd, wantNamed)
		}
	}
	got, want := n.Series(links), plain.Series(links)
	if got.Width != want.Width || len(got.Rate) != len(want.Rate) {
		t.Fatalf("%d series of width %v, unbundled %d of %v", len(got.Rate), got.Width, len(want.Rate), want.Width)
	}
	for l, rates := range want.Rate {
		for i, rate := range rates {
			if math.Abs(got.Rate[l][i]-rate) > 1e-9*plain.topology.Links[l].Capacity {
				t.Fatalf("link %d: rate %d of the series is %v, unbundled %v", l, i, got.Rate[l][i], rate)
			}
		}
	}
}

// checkBundles holds what is kept of bundles together: sizes, and that the links
// of each bundled footprint are all there.
func checkBundles(t *rapid.T, n *Network, footprints []*Footprint) {
	sizes := map[topology.LinkID]int{}
	for l := range n.topology.Links {
		if b := n.bundles.holds(topology.LinkID(l)); b != 0 {
			sizes[b]++
			if n.solver.limit(topology.LinkID(l)) != n.solver.links[b].limit || len(n.solver.links[l].flows) > 0 {
				t.Fatalf("link %d is %+v, bundle %d %+v", l, n.solver.links[l], b, n.solver.links[b])
			}
		}
	}
	if live := len(n.bundles.all) - len(n.bundles.free); live != len(sizes) {
		t.Fatalf("%d bundles are in use, links are in %d", live, len(sizes))
	}
	for b, size := range sizes {
		if n.bundle(b).size != size || len(n.bundle(b).users) == 0 {
			t.Fatalf("bundle %d is %+v, of size %d", b, n.bundle(b), size)
		}
	}
	for _, f := range footprints {
		if f.network == nil {
			continue
		}
		single := map[topology.LinkID]float64{}
		for i, l := range f.links {
			if int(l) < len(n.topology.Links) {
				single[l] = f.counts[i]
				continue
			}
			for m := range n.topology.Links {
				if n.bundles.holds(topology.LinkID(m)) == l {
					single[topology.LinkID(m)] = f.counts[i]
				}
			}
		}
		for i, l := range f.Links {
			if single[l] != f.count(i) {
				t.Fatalf("%+v: %d hops on link %d", f, int(single[l]), l)
			}
		}
		if len(single) != len(f.Links) {
			t.Fatalf("%+v stands for %v", f, single)
		}
	}
}

func checkPhases(t *rapid.T) {
	p := drawPhases(t)
	engine, n := p.network(t)
	d := p.begin(engine, n, true)
	plainEngine, plain := p.network(t)
	unbundled := p.begin(plainEngine, plain, false)
	for range rapid.IntRange(0, 3).Draw(t, "looks") {
		engine.Horizon += sim.FromSeconds(rapid.Float64Range(1e-4, 2e-2).Draw(t, "look"))
		plainEngine.Horizon = engine.Horizon
		err, plainErr := engine.Run(context.Background()), plainEngine.Run(context.Background())
		if (err == nil) != (plainErr == nil) {
			t.Fatalf("%v, unbundled %v", err, plainErr)
		}
		alike(t, n, plain, len(p.Transfers))
		checkBundles(t, n, d.footprints)
	}
	engine.Horizon, plainEngine.Horizon = 0, 0
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := plainEngine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	alike(t, n, plain, len(p.Transfers))
	checkBundles(t, n, d.footprints)

	// The same traffic once more, with all capacities as they are now.
	from, wasPlain := n.Snapshot(), plain.Snapshot()
	later := engine.Now() + sim.Second
	if rapid.Bool().Draw(t, "anew") {
		n.Unbundle(d.footprints[0])
		n.Bundle(d.footprints...)
	}
	p.add(n, d, later)
	p.add(plain, unbundled, later)
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := plainEngine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	alike(t, n, plain, 2*len(p.Transfers))
	n.Repeat(from, nil, 3, engine.Now()-from.at)
	plain.Repeat(wasPlain, nil, 3, plainEngine.Now()-wasPlain.at)
	alike(t, n, plain, 0)
	n.Unbundle(d.footprints...)
	alike(t, n, plain, 0)
	if n.bundles.any() {
		t.Fatal("no footprint is left, but bundles are")
	}
}

// TestBundles: whatever is bundled and taken apart meanwhile, all that can be seen
// is as if nothing was.
func TestBundles(t *testing.T) { rapid.Check(t, checkPhases) }

func FuzzBundles(f *testing.F) {
	r := sim.Stream(1, "phases")
	for _, n := range []int{0, 1000, 4000} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(rapid.MakeFuzz(checkPhases))
}
