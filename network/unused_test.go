package network

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// What is kept of links that no transfer has crossed is as it was made, all zero, so that
// a large topology of which little is used takes no memory for the rest; so it is for
// links that are in a bundle, which stands for them.
func TestUnusedLinksTakeNothing(t *testing.T) {
	topo, err := topology.Links(bare(slices.Repeat([]float64{1e9}, 64)...))
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := New(engine, topo, 16)
	phase := &Footprint{Links: linkIDs(48)[16:]}
	n.Bundle(phase)
	n.Add(&Transfer{Bytes: 1e6, Links: linkIDs(16), Owner: 0})
	n.Add(&Transfer{Bytes: 1e6, Footprint: phase, Owner: 1})
	n.Add(&Transfer{Bytes: 1e6, Footprint: phase, Owner: 2})
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	n.Snapshot()
	n.Series(linkIDs(64))
	for l := range topology.LinkID(64) {
		unused := reflect.ValueOf(n.solver.links[l]).IsZero() && reflect.ValueOf(n.accounts.links[l]).IsZero() && n.accounts.owners[l] == nil
		if want := l >= 16; unused != want {
			t.Errorf("link %d is unused: %v, want %v", l, unused, want)
		}
		if u, want := n.Use(l), map[bool]float64{l < 16: 1e6, l >= 16 && l < 48: 2e6}[true]; u.Bytes != want {
			t.Errorf("link %d has carried %v bytes, want %v", l, u.Bytes, want)
		}
	}
}
