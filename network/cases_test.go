package network

import (
	"fmt"
	"math"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// poisson is flows of exponential size (1 MB in the mean) that arrive as a
// Poisson process between random hosts of a k-ary fat tree of 50 GB/s links,
// routed D-mod-k: the traffic of which simulators of data centres are asked.
func poisson(k, flows int, load float64, seed uint64) (*topology.Topology, []Transfer) {
	h, hosts := k/2, k*k*k/4
	const rate = 50e9
	links := make([]topology.BareLink, 6*hosts)
	for i := range links {
		links[i] = topology.BareLink{Name: fmt.Sprint(i), Capacity: rate}
	}
	topo, err := topology.Links(links)
	if err != nil {
		panic(err)
	}
	r := sim.Stream(seed, "poisson")
	now := 0.0
	transfers := make([]Transfer, flows)
	for i := range transfers {
		now += r.ExpFloat64() * 1e6 / (load * float64(hosts) * rate)
		s, d := r.IntN(hosts), r.IntN(hosts-1)
		if d >= s {
			d++
		}
		route := []topology.LinkID{topology.LinkID(s)}
		ps, es, pd, ed := s/(h*h), s/h%h, d/(h*h), d/h%h
		a, c := d%h, d/h%h
		if ps != pd || es != ed {
			route = append(route, topology.LinkID(2*hosts+(ps*h+es)*h+a))
			if ps != pd {
				route = append(route, topology.LinkID(4*hosts+(ps*h+a)*h+c), topology.LinkID(5*hosts+(pd*h+a)*h+c))
			}
			route = append(route, topology.LinkID(3*hosts+(pd*h+ed)*h+a))
		}
		route = append(route, topology.LinkID(hosts+d))
		transfers[i] = Transfer{Start: sim.FromSeconds(now), Bytes: math.Round(1000 + r.ExpFloat64()*1e6), Links: route, Owner: NoOwner}
	}
	return topo, transfers
}

// allToAll is a message of random size from every host of a switch to every other.
func allToAll(hosts int) (*topology.Topology, []Transfer) {
	topo, err := topology.Switch(hosts, 50e9, 0)
	if err != nil {
		panic(err)
	}
	r := sim.Stream(1, "all-to-all")
	var transfers []Transfer
	for i := range topology.NodeID(hosts) {
		for j := range topology.NodeID(hosts) {
			if i != j {
				transfers = append(transfers, Transfer{Bytes: math.Round(1e5 + 1e6*r.Float64()), Links: topo.Route(i, j, 0, nil), Owner: NoOwner})
			}
		}
	}
	return topo, transfers
}
