package network_test

import (
	"context"
	"slices"
	"testing"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// A transfer that looks for its way when it starts is told of all that is on its way
// then: transfers over links given, phases of collectives with their counts, bundled
// or not, and those that have found theirs; not of what has ended or not begun.
func TestRouteKnowsTheLoad(t *testing.T) {
	topo, err := topology.Dragonfly(topology.Fabric{
		Host:    topology.Host{Accelerators: 1, NICs: 1, NICBandwidth: units.Rate(1e9), NICEfficiency: 1, PCIeBandwidth: 1e9},
		Hosts:   2,
		Routing: topology.Routing{Policy: topology.Adaptive},
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	n := network.New(engine, topo, 0)
	at := func(ms float64) sim.Time { return sim.FromSeconds(ms * 1e-3) }
	var told [][]float64
	look := func(take ...topology.LinkID) func([]float64) ([]topology.LinkID, []float64, sim.Time) {
		return func(load []float64) ([]topology.LinkID, []float64, sim.Time) {
			told = append(told, slices.Clone(load[:3]))
			return take, nil, at(1)
		}
	}
	phase := &network.Footprint{Links: []topology.LinkID{0, 1}, Counts: []float64{2, 0.5}}
	n.Bundle(phase)
	n.Add(&network.Transfer{Bytes: 1e6, Links: []topology.LinkID{2}, Owner: network.NoOwner})             // 1 ms from 0 on
	n.Add(&network.Transfer{Start: at(2), Bytes: 1e6, Footprint: phase, Owner: network.NoOwner})          // 2 ms from 2 on
	n.Add(&network.Transfer{Start: at(0.5), Bytes: 1e6, Route: look(1), Owner: network.NoOwner})          // from 0.5 to 2.5, latency and all
	last := n.Add(&network.Transfer{Start: at(2.2), Bytes: 1e6, Route: look(2), Owner: network.NoOwner})  // from 2.2 to 4.2
	n.Add(&network.Transfer{After: []network.ID{last}, Bytes: 1, Route: look(0), Owner: network.NoOwner}) // when all others have ended
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := [][]float64{{0, 0, 1}, {2, 1.5, 0}, {0, 0, 0}}
	if len(told) != 3 || !slices.EqualFunc(told, want, func(a, b []float64) bool { return slices.Equal(a, b) }) {
		t.Errorf("told of %v, want %v", told, want)
	}
	if eligible, finish, _ := n.Times(last); eligible != at(2.2) || finish != at(4.2) {
		t.Errorf("eligible at %v, finished at %v; want 2.2 and 4.2 ms", eligible, finish)
	}
}
