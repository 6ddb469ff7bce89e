package study_test

import (
	"testing"

	"github.com/railyard/railyard/internal/lab"
	"github.com/railyard/railyard/study"
)

// The fabric of a 2,048-accelerator cluster, and its price: 64 switches of 64 ports at
// 400 Gbit/s and 32 spines of as many, as the two-level fat tree of Table 3 in
// "Insights into DeepSeek-V3" (ISCA 2025), 96 switches and 2,048 links for 9 MUSD.
func TestTopology(t *testing.T) {
	s, err := lab.Load(t, `
[hosts.node]
accelerator = "h100-sxm-80gb"
accelerators = 8
nics = 8
nic_bandwidth = "400Gbps"
[topology]
kind = "leaf-spine"
host = "node"
hosts = 256
hosts_per_rack = 4
[[workload.collective]]
op = "all_reduce"
sizes = ["1MiB"]
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := study.Topology(s)
	if err != nil {
		t.Fatal(err)
	}
	tiers := r.List("tiers")
	for i, want := range []struct {
		name  string
		nodes float64
	}{{"accelerators", 2048}, {"NICs", 2048}, {"scale-up switches", 256}, {"leaf", 64}, {"spine", 32}} {
		if tiers[i].Text("tier") != want.name || tiers[i].Float("nodes") != want.nodes {
			t.Errorf("tier %d is %v %s, want %+v", i, tiers[i].Float("nodes"), tiers[i].Text("tier"), want)
		}
	}
	if share := r.Float("bisection_ratio"); !lab.Near(share, 1, 1e-9) {
		t.Errorf("bisection %v of what the NICs of a half can send, want all", share)
	}
	if cost := r.Record("cost").Float("total_USD"); !lab.Near(cost, 9e6, 0.01) {
		t.Errorf("it costs %v, published are 9 MUSD", cost)
	}
	if r.Float("diameter") != 6 || len(r.List("problems")) > 0 {
		t.Errorf("diameter %v, problems %v", r.Float("diameter"), r.List("problems"))
	}
}

// A price is what the scenario says. The fabric is four hosts under two leaves, which eight
// spines join.
func TestPrices(t *testing.T) {
	const fabric = lab.Fabric
	cost := func(set ...string) float64 {
		s, err := lab.Load(t, fabric+"[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n", nil, set...)
		if err != nil {
			t.Fatal(err)
		}
		r, err := study.Topology(s)
		if err != nil {
			t.Fatal(err)
		}
		return r.Record("cost").Float("total_USD")
	}
	// 16 cables of NICs and 16 between switches, of 400 Gbit/s; 48 ports in use.
	for _, c := range []struct {
		key  string
		more float64 // USD, for each dollar a Gbit/s
	}{{"switch", 48 * 400}, {"trunk", 16 * 400}, {"access", 16 * 400}} {
		other := "topology.prices." + c.key + "="
		if got := cost(other+"5USD") - cost(other+"4USD"); !lab.Near(got, c.more, 1e-9) {
			t.Errorf("a dollar more of %s is %v USD more, want %v", c.key, got, c.more)
		}
	}
}
