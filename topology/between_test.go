package topology

import (
	"slices"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// fourSites are a square of cables: 0-1, 1-3, 0-2 and 2-3, and a second cable from 0 to 1.
func fourSites(t *testing.T) *Topology {
	t.Helper()
	var sites []Site
	for _, name := range []string{"a", "b", "c", "d"} {
		f := fabric(host(2, 2, ScaleUpSwitch), 2, 2, 1, 4)
		topo, err := LeafSpine(f)
		sites = append(sites, Site{Name: name, Topology: built(t, topo, err)})
	}
	const ms = units.Duration(sim.Second / 1000)
	all, err := Sites(sites, []WAN{
		{From: 0, To: 1, Bandwidth: 10, Latency: ms},
		{From: 1, To: 3, Bandwidth: 10, Latency: 4 * ms},
		{From: 0, To: 2, Bandwidth: 10, Latency: 2 * ms},
		{From: 2, To: 3, Bandwidth: 10, Latency: 2 * ms},
		{From: 0, To: 1, Bandwidth: 10, Latency: ms},
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// From a to d there are two cables to b and one to c, each of which takes a third of the
// bytes; the longest way has 1 + 4 ms. Around b that is lost all goes by c, and with c lost,
// too, there is no way.
func TestBetween(t *testing.T) {
	all := fourSites(t)
	first, last := all.WANLinks()
	if last-first != 10 {
		t.Fatalf("%d WAN links, want those of 5 cables", last-first)
	}
	ms := sim.Second / 1000
	for _, c := range []struct {
		from, to int
		lost     []bool
		shares   map[string]float64
		latency  sim.Time
	}{
		{0, 1, nil, map[string]float64{"a/gateway>b/gateway": 0.5, "a/gateway>b/gateway#2": 0.5}, ms},
		{0, 3, nil, map[string]float64{"a/gateway>b/gateway": 1. / 3, "a/gateway>b/gateway#2": 1. / 3, "a/gateway>c/gateway": 1. / 3, "b/gateway>d/gateway": 2. / 3, "c/gateway>d/gateway": 1. / 3}, 5 * ms},
		{3, 0, []bool{false, true, false, false}, map[string]float64{"d/gateway>c/gateway": 1, "c/gateway>a/gateway": 1}, 4 * ms},
		{0, 3, []bool{false, true, true, false}, nil, 0},
	} {
		var w Way
		if ok := all.Between(c.from, c.to, c.lost, &w); ok != (c.shares != nil) {
			t.Errorf("%d to %d without %v: %v", c.from, c.to, c.lost, ok)
			continue
		}
		if len(w.Links) != len(c.shares) || c.shares != nil && w.Latency != c.latency {
			t.Errorf("%d to %d without %v: %d links, latency %v, want %d and %v", c.from, c.to, c.lost, len(w.Links), w.Latency, len(c.shares), c.latency)
		}
		for i, l := range w.Links {
			if got, want := w.Share(i), c.shares[all.LinkName(l)]; got < want-1e-12 || got > want+1e-12 {
				t.Errorf("%d to %d without %v: %.3f of it over %s, want %.3f", c.from, c.to, c.lost, got, all.LinkName(l), want)
			}
		}
	}
}

// The links of a site are those that begin or end in it, and no link is left out: WAN
// cables belong to both of their sites.
func TestSiteLinks(t *testing.T) {
	all := fourSites(t)
	count := make([]int, len(all.Links))
	for s, name := range all.SiteNames() {
		for _, l := range all.SiteLinks(s) {
			count[l]++
			from, to := all.NodeName(all.Links[l].From), all.NodeName(all.Links[l].To)
			if !slices.ContainsFunc([]string{from, to}, func(n string) bool { return n[:2] == name+"/" }) {
				t.Errorf("%s>%s is not of %s", from, to, name)
			}
		}
	}
	first, _ := all.WANLinks()
	for l, n := range count {
		want := 1
		if LinkID(l) >= first {
			want = 2
		}
		if n != want {
			t.Errorf("%s is of %d sites, want %d", all.LinkName(LinkID(l)), n, want)
		}
	}
	if a := NodeID(all.Accelerators() - 1); all.SiteOf(0) != 0 || all.SiteOf(a) != 3 {
		t.Errorf("the accelerators lie in sites %d to %d", all.SiteOf(0), all.SiteOf(a))
	}
}
