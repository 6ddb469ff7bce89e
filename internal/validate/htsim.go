package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/network/blocking"
	"github.com/railyard/railyard/network/packet"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// A run of htsim (Handley et al., the simulator of NDP) on a fat tree: packets of
// 9,000 bytes behind 64, and links that are paused when 15 of them wait and go on
// below 12. Its times are those at which the sender had the last acknowledgement.
type htsimRun struct {
	Name      string
	Transport string
	Topology  struct {
		K            int
		Hosts        int
		LinkMbps     float64 `json:"link_mbps"`
		HopLatencyUs float64 `json:"hop_latency_us"`
	}
	Flows []struct {
		Src, Dst int
		Bytes    float64     `json:"bytes_acked"`
		Start    float64     `json:"start_ps"`
		After    *network.ID `json:"after_conn_index"`
		Route    []string
		Finish   float64 `json:"finish_us"`
	}

	fabric *topology.Topology
	routes [][]topology.LinkID
}

const (
	htsimPayload, htsimHeader = 9000, 64
	htsimAcknowledgement      = 64
	sprayEfficiency           = 0.85
)

// readHtsim reads the runs in a folder, in the order of their names.
func readHtsim(dir string) ([]*htsimRun, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s has no runs", dir)
	}
	var all []*htsimRun
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		r := &htsimRun{}
		if err = json.Unmarshal(text, r); err == nil {
			err = r.build()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, r)
	}
	return all, nil
}

func (r *htsimRun) rate() float64 { return r.Topology.LinkMbps * 1e6 / 8 }

// sprays says whether flows have no routes of their own.
func (r *htsimRun) sprays() bool { return strings.HasPrefix(r.Transport, "NDP") }

// build makes the links of the run and the routes of its flows. Those that spray have
// a fat tree whose accelerators are as good as at their NIC.
func (r *htsimRun) build() (err error) {
	latency := units.Duration(sim.FromSeconds(r.Topology.HopLatencyUs * 1e-6))
	if r.sprays() {
		r.fabric, err = topology.FatTree(topology.Fabric{
			Host: topology.Host{
				Accelerators: 1, NICs: 1, ScaleUpBandwidth: units.Rate(r.rate()), ScaleUpEfficiency: 1,
				NICBandwidth: units.Rate(r.rate()), NICEfficiency: 1, PCIeBandwidth: 1e15,
			},
			Hosts: r.Topology.Hosts, Ports: r.Topology.K, LinkLatency: latency,
		})
		if err != nil {
			return err
		}
		for _, f := range r.Flows {
			r.routes = append(r.routes, r.fabric.Route(topology.NodeID(f.Src), topology.NodeID(f.Dst), 0, nil))
		}
		return nil
	}
	number := map[string]topology.LinkID{}
	var links []topology.BareLink
	for _, f := range r.Flows {
		var route []topology.LinkID
		for _, name := range f.Route {
			if _, known := number[name]; !known {
				number[name] = topology.LinkID(len(links))
				links = append(links, topology.BareLink{Name: name, Capacity: r.rate(), Latency: sim.Time(latency)})
			}
			route = append(route, number[name])
		}
		r.routes = append(r.routes, route)
	}
	r.fabric, err = topology.Links(links)
	return err
}

// carry runs the flows over links of a topology, by what ship sets up, and gives their
// ends in us. latency is what a flow on a route of the run takes beside its bytes.
func (r *htsimRun) carry(t *topology.Topology, routes [][]topology.LinkID, latency func(route []topology.LinkID) sim.Time,
	ship func(*sim.Engine, *network.Network),
) ([]float64, error) {
	engine := sim.New()
	n := network.New(engine, t, 0)
	ship(engine, n)
	ids := make([]network.ID, len(r.Flows))
	for i, f := range r.Flows {
		x := &network.Transfer{
			Start: sim.Time(f.Start / 10), Bytes: f.Bytes, Links: routes[i], Owner: network.NoOwner,
			Connection: network.Connection{From: topology.NodeID(f.Src), To: topology.NodeID(f.Dst)}, Latency: latency(r.routes[i]),
		}
		if f.After != nil {
			x.After = []network.ID{ids[*f.After]}
		}
		ids[i] = n.Add(x)
	}
	if err := engine.Run(context.Background()); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Name, err)
	}
	ends := make([]float64, len(ids))
	for i, id := range ids {
		_, end, _ := n.Times(id)
		ends[i] = end.Seconds() * 1e6
	}
	return ends, nil
}

// packets runs the flows packet by packet, with the switches of the run.
func (r *htsimRun) packets() ([]float64, error) {
	o := packet.Default()
	o.MTU, o.Header, o.AwaitAcknowledge = htsimPayload, htsimHeader, true
	o.Buffer, o.Alpha = 1<<40, 1
	o.Pause, o.Resume = 15*htsimPayload, 3*htsimPayload
	if r.sprays() {
		o.Transport, o.Queue, o.Window = packet.NDP, 100, 100
	}
	way := func(route []topology.LinkID) (time sim.Time) {
		for _, l := range route {
			time += r.fabric.Links[l].Latency
		}
		return time
	}
	return r.carry(r.fabric, r.routes, way, func(e *sim.Engine, n *network.Network) {
		n.Ship(func(w network.Observer) network.Carrier { return packet.New(e, r.fabric, o, w) })
	})
}

// fluid runs the flows as a fluid, at the payload rate. The way of a first packet, and
// that of the acknowledgement, is time beside. What is sprayed is limited by the links
// of hosts alone. With option, paths block, or spraying costs what it does.
func (r *htsimRun) fluid(option bool) ([]float64, error) {
	rate := r.rate() * htsimPayload / (htsimPayload + htsimHeader)
	if r.sprays() && option {
		rate *= sprayEfficiency
	}
	t := *r.fabric
	t.Links = slices.Clone(t.Links)
	for i := range t.Links {
		if t.Links[i].Payload == r.rate() {
			t.Links[i].Payload = rate
		}
	}
	routes := r.routes
	if r.sprays() {
		routes = make([][]topology.LinkID, len(r.routes))
		for i, route := range r.routes {
			routes[i] = []topology.LinkID{route[1], route[len(route)-2]} // the NICs' cables
		}
	}
	full := sim.FromSeconds((htsimPayload + htsimHeader) / r.rate())
	back := sim.FromSeconds(htsimAcknowledgement / r.rate())
	thereAndBack := func(route []topology.LinkID) (time sim.Time) {
		for _, l := range route {
			if l := r.fabric.Links[l]; l.Payload == r.rate() { // not one inside a host
				time += 2*l.Latency + full + back
			}
		}
		return time - full
	}
	return r.carry(&t, routes, thereAndBack, func(e *sim.Engine, n *network.Network) {
		if option && !r.sprays() {
			n.Ship(func(w network.Observer) network.Carrier { return blocking.New(e, &t, w) })
		}
	})
}

// off is how far ends are off those of the run: the last, and all in the mean. Of an
// incast, where who comes last is a matter of arbitration, they are compared in order.
func (r *htsimRun) off(ends []float64) (makespan, flows float64) {
	want := make([]float64, len(ends))
	for i, f := range r.Flows {
		want[i] = f.Finish
	}
	makespan = slices.Max(ends)/slices.Max(want) - 1
	if strings.Contains(r.Name, "incast") {
		ends = slices.Clone(ends)
		slices.Sort(ends)
		slices.Sort(want)
	}
	for i := range ends {
		flows += math.Abs(ends[i]/want[i]-1) / float64(len(ends))
	}
	return makespan, flows
}
