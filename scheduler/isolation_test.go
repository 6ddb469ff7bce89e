package scheduler

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// sharing is how many hosts, leaves and pods, and up-links of them, two jobs share, found
// from the shares alone. A job uses the up-links of a part of the cluster if it has hosts
// within and without.
func sharing(i *Isolation, a, b []Share) (hosts, leaves, links int) {
	within := func(of []int32, job []Share, zone int32) (in, out int) {
		for _, s := range job {
			if of[s.Host] == zone {
				in++
			} else {
				out++
			}
		}
		return in, out
	}
	each := make([]int32, len(i.Leaf))
	for h := range each {
		each[h] = int32(h)
	}
	for level, of := range [][]int32{each, i.Leaf, i.Pod} {
		zones := slices.Compact(slices.Sorted(slices.Values(of)))
		for _, z := range zones {
			if z < 0 {
				continue
			}
			inA, outA := within(of, a, z)
			inB, outB := within(of, b, z)
			strays := level == 1 && i.Strays && inA > 1 && inB > 1
			switch {
			case inA == 0 || inB == 0:
				continue
			case level == 0:
				hosts++
			case level == 1:
				leaves++
			}
			if outA > 0 && outB > 0 || strays {
				links++
			}
		}
	}
	return hosts, leaves, links
}

// Whatever comes and goes, no two tenants share what one of them forbids, and nobody is
// on what is another's own. What is refused for a reason would be placed without it.
func TestIsolation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const tenants = 3
		n := rapid.IntRange(1, 12).Draw(t, "hosts")
		how := &Isolation{Names: make([]string, tenants+1), Forbids: make([]Sharing, tenants+1), Strays: rapid.Bool().Draw(t, "strays")}
		inLeaf, inPod := rapid.IntRange(1, 3).Draw(t, "hosts of a leaf"), rapid.IntRange(1, 3).Draw(t, "leaves of a pod")
		pods := rapid.Bool().Draw(t, "pods")
		for k := range tenants {
			how.Forbids[k+1] = Sharing(rapid.SampledFrom([]Sharing{0, ShareHost, ShareRack, ShareLink, ShareRack | ShareLink}).Draw(t, "forbids"))
		}
		var hosts []Host
		for i := range n {
			leaf := int32(i / inLeaf)
			pod := int32(-1)
			if pods {
				pod = leaf / int32(inPod)
			}
			hosts = append(hosts, Host{Accelerators: rapid.IntRange(1, 4).Draw(t, "accelerators"), Near: [3]int32{leaf, -1, pod}})
			how.Leaf, how.Pod = append(how.Leaf, leaf), append(how.Pod, pod)
			how.Owner = append(how.Owner, rapid.SampledFrom([]int32{0, 0, 0, 1, 2}).Draw(t, "owner"))
		}
		p := NewPlacer(hosts, Placing{
			Rule: Placement(rapid.IntRange(0, len(placementNames)-1).Draw(t, "rule")), Consolidate: rapid.Bool().Draw(t, "consolidate"),
			Random: rand.New(rand.NewPCG(1, 2)), Isolation: how,
		})
		var running []placed
		for range rapid.IntRange(0, 25).Draw(t, "steps") {
			if len(running) > 0 && rapid.IntRange(0, 2).Draw(t, "leave") == 0 {
				i := rapid.IntRange(0, len(running)-1).Draw(t, "who")
				p.Give(running[i].wants, running[i].has)
				running = slices.Delete(running, i, i+1)
				continue
			}
			r := Request{Count: rapid.IntRange(0, 9).Draw(t, "count"), Tenant: rapid.Int32Range(1, tenants).Draw(t, "tenant"), Milli: rapid.SampledFrom([]int32{0, 500}).Draw(t, "milli")}
			shares := p.Place(r)
			if shares == nil {
				if reason, _ := p.Refusal(r); reason == "" && p.Rule != Random && !p.Consolidate {
					if free := NewPlacer(hosts, Placing{Rule: p.Rule}); fits(free, running, r) {
						t.Fatalf("%+v waits, and would fit without isolation", r)
					}
				}
				continue
			}
			if !p.Holds(r, shares) {
				t.Fatalf("%+v is placed on %v, which does not hold it", r, shares)
			}
			for _, s := range shares {
				if owner := how.Owner[s.Host]; owner != r.Tenant && (owner != 0 || slices.Contains(how.Owner, r.Tenant)) {
					t.Fatalf("tenant %d runs on host %d of tenant %d", r.Tenant, s.Host, owner)
				}
			}
			for _, j := range running {
				forbidden := how.Forbids[r.Tenant] | how.Forbids[j.wants.Tenant]
				if j.wants.Tenant == r.Tenant || forbidden == 0 {
					continue
				}
				hosts, leaves, links := sharing(how, shares, j.has)
				if hosts > 0 || leaves > 0 && forbidden&ShareRack != 0 || links > 0 && forbidden&ShareLink != 0 {
					t.Fatalf("%+v on %v shares %d hosts, %d leaves, %d up-links with %+v on %v", r, shares, hosts, leaves, links, j.wants, j.has)
				}
			}
			p.Take(r, shares)
			running = append(running, placed{r, shares})
		}
		for _, j := range running {
			p.Give(j.wants, j.has)
		}
		for _, zones := range [][]zone{p.fence.hosts, p.fence.leaves, p.fence.pods} {
			for _, z := range zones {
				if len(z.inside)+len(z.leaving) > 0 {
					t.Fatalf("all have left, and not %+v", z)
				}
			}
		}
	})
}

// fits says whether a job has room beside others, whoever they are.
func fits(p *Placer, running []placed, r Request) bool {
	for _, j := range running {
		p.Take(j.wants, j.has)
	}
	return p.Place(r) != nil
}

// Two racks of two hosts of four. Each case: who holds what, who comes, where he goes,
// or why he does not.
func TestIsolationByHand(t *testing.T) {
	hosts := slices.Repeat([]Host{{Accelerators: 4}}, 4)
	for _, c := range []struct {
		name    string
		forbids Sharing // of tenant 1; the others forbid nothing
		strays  bool
		owner   []int32
		first   int
		second  int32
		count   int
		want    []int32 // hosts
		reason  Reason
		whose   int32
	}{
		{name: "nothing is forbidden", first: 2, second: 2, count: 2, want: []int32{0}},
		{name: "another host", forbids: ShareHost, first: 2, second: 2, count: 2, want: []int32{1}},
		{name: "its own host", forbids: ShareHost | ShareRack | ShareLink, first: 2, second: 1, count: 2, want: []int32{0}},
		{name: "another rack", forbids: ShareRack, first: 2, second: 2, count: 2, want: []int32{2}},
		{name: "no rack", forbids: ShareRack, first: 10, second: 2, count: 2, reason: SharedRack, whose: 1},
		{name: "no host", forbids: ShareHost, first: 13, second: 2, count: 2, reason: SharedHost, whose: 1},
		// Ten lie on three hosts, so on both leaves, and use their up-links. Four more
		// need none.
		{name: "no up-links are needed", forbids: ShareLink, first: 10, second: 2, count: 4, want: []int32{3}},
		// Four lie on host 0 and use no link. Eight have room on hosts 1 and 2, too, but
		// go where they need no up-link.
		{name: "rather within a rack", forbids: ShareLink, first: 4, second: 2, count: 8, want: []int32{2, 3}},
		{name: "across racks while nobody does", forbids: ShareLink, first: 4, second: 2, count: 12, want: []int32{1, 2, 3}},
		// Eight stay on the first leaf. Another eight have the second, unless they stray.
		{name: "each a leaf", forbids: ShareLink, strays: true, first: 8, second: 2, count: 8, want: []int32{2, 3}},
		{name: "hosts of another", owner: []int32{2, 2, 1, 0}, first: 0, second: 3, count: 8, reason: NotOwn, whose: 2},
		{name: "hosts of nobody", owner: []int32{2, 2, 1, 0}, first: 0, second: 3, count: 4, want: []int32{3}},
		{name: "hosts of its own", owner: []int32{2, 1, 1, 0}, first: 0, second: 1, count: 8, want: []int32{1, 2}},
		{name: "no room anyway", forbids: ShareRack, first: 10, second: 2, count: 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			how := &Isolation{
				Names: make([]string, 4), Forbids: []Sharing{0, c.forbids, 0, 0}, Owner: make([]int32, 4), Strays: c.strays,
				Leaf: []int32{0, 0, 1, 1}, Pod: []int32{-1, -1, -1, -1},
			}
			copy(how.Owner, c.owner)
			p := NewPlacer(hosts, Placing{Isolation: how})
			if c.first > 0 {
				r := Request{Count: c.first, Tenant: 1}
				p.Take(r, p.Place(r))
			}
			r := Request{Count: c.count, Tenant: c.second}
			var got []int32
			for _, s := range p.Place(r) {
				got = append(got, s.Host)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("on hosts %v, want %v", got, c.want)
			}
			if got == nil {
				if reason, whose := p.Refusal(r); reason != c.reason || whose != c.whose {
					t.Errorf("refused for %q, tenant %d, want %q, %d", reason, whose, c.reason, c.whose)
				}
			}
		})
	}
}

// Two jobs that each cross two racks would share up-links: the second waits for those.
func TestIsolationOfLinks(t *testing.T) {
	how := &Isolation{
		Names: make([]string, 3), Forbids: []Sharing{0, 0, ShareLink}, Owner: make([]int32, 6),
		Leaf: []int32{0, 0, 0, 1, 1, 1}, Pod: slices.Repeat([]int32{-1}, 6),
	}
	p := NewPlacer(slices.Repeat([]Host{{Accelerators: 1}}, 6), Placing{Rule: Spread, Isolation: how})
	p.Take(Request{Count: 2, Tenant: 1}, []Share{{0, []int32{0}}, {3, []int32{0}}})
	if got := p.Place(Request{Count: 3, Tenant: 2}); got != nil {
		t.Errorf("placed on %v", got)
	}
	if reason, tenant := p.Refusal(Request{Count: 3, Tenant: 2}); reason != SharedLink || tenant != 1 {
		t.Errorf("refused for %q, tenant %d", reason, tenant)
	}
	if got := p.Place(Request{Count: 2, Tenant: 2}); len(got) != 2 || how.Leaf[got[0].Host] != how.Leaf[got[1].Host] {
		t.Errorf("two are placed on %v", got)
	}
}
