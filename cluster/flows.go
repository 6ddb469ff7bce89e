package cluster

import (
	"math"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Flow is one transfer that comes with its time, and with its route or its ends.
type Flow struct {
	Name   string
	Start  sim.Time
	Bytes  float64
	Weight float64           // 0 is 1
	Route  []topology.LinkID // in order; nil: what the topology's routing takes for Connection
	After  []int32           // flows of the set that must end first
	// Connection is the ends of a flow that came without its route.
	Connection network.Connection
}

// FlowSet is flows that were added together. They belong to no job and take no
// accelerators.
type FlowSet struct {
	Name  string
	Flows []Flow
	IDs   []network.ID // of each flow
	Alone []sim.Time   // that each takes on an idle network, from when it is eligible

	first network.ID
	added []int32 // flows in the order in which they were added, from first on
}

// AddFlows adds flows to the network, which must not have begun to run. Their
// dependencies must not form a cycle.
func (c *Cluster) AddFlows(name string, flows []Flow) *FlowSet {
	s := &FlowSet{Name: name, Flows: flows, IDs: make([]network.ID, len(flows)), Alone: make([]sim.Time, len(flows)), added: dependencyOrder(flows)}
	var after []network.ID
	for n, i := range s.added {
		f := &flows[i]
		t := network.Transfer{Start: f.Start, Bytes: f.Bytes, Weight: f.Weight, Owner: network.NoOwner}
		switch {
		case f.Route == nil:
			c.direct(&t, f.Connection)
		case c.Network.Ships():
			t.Links = f.Route
		default:
			t.Links, t.Counts = hops(f.Route)
		}
		for _, l := range f.Route {
			t.Latency += c.Topology.Links[l].Latency
		}
		after = after[:0]
		for _, d := range f.After {
			after = append(after, s.IDs[d])
		}
		t.After = after
		s.IDs[i] = c.Network.Add(&t)
		if t.Route != nil { // alone, it finds no link loaded
			t.Links, t.Counts, t.Latency = t.Route(nil)
		}
		s.Alone[i] = t.Latency + c.drain(&t)
		if n == 0 {
			s.first = s.IDs[i]
		}
	}
	c.Flows = append(c.Flows, s)
	return s
}

// drain is how long the bytes of a transfer take on an idle network.
func (c *Cluster) drain(t *network.Transfer) sim.Time {
	if t.Bytes == 0 || len(t.Links) == 0 {
		return 0
	}
	rate := math.Inf(1)
	for i, l := range t.Links {
		count := 1.0
		if t.Counts != nil {
			count = t.Counts[i]
		}
		rate = min(rate, c.Topology.Links[l].Payload/count)
	}
	return sim.FromSeconds(t.Bytes / rate)
}

// dependencyOrder puts flows behind those that they wait for, and otherwise
// leaves them in their order.
func dependencyOrder(flows []Flow) []int32 {
	order := make([]int32, 0, len(flows))
	placed := make([]bool, len(flows))
	var stack []int32
	for i := range flows {
		stack = append(stack, int32(i))
		for len(stack) > 0 {
			top := stack[len(stack)-1]
			ready := true
			for _, d := range flows[top].After {
				if !placed[d] {
					stack = append(stack, d)
					ready = false
				}
			}
			if ready {
				stack = stack[:len(stack)-1]
				if !placed[top] {
					placed[top] = true
					order = append(order, top)
				}
			}
		}
	}
	return order
}

// hops gives each link of a route once, with how often it stands there; counts
// is nil if that is once for all.
func hops(route []topology.LinkID) (links []topology.LinkID, counts []float64) {
	place := make(map[topology.LinkID]int, len(route))
	for _, l := range route {
		if _, again := place[l]; !again {
			place[l] = len(place)
		}
	}
	if len(place) == len(route) {
		return route, nil
	}
	links, counts = make([]topology.LinkID, len(place)), make([]float64, len(place))
	for _, l := range route {
		links[place[l]] = l
		counts[place[l]]++
	}
	return links, counts
}

// FlowName finds the flow that a transfer carries, "" if it carries none.
func (c *Cluster) FlowName(id network.ID) string {
	for _, s := range c.Flows {
		if n := int(id - s.first); n >= 0 && n < len(s.added) {
			return s.Flows[s.added[n]].Name
		}
	}
	return ""
}
