package topology

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/railyard/railyard/sim"
)

// NodeKind is what a node of a graph is.
type NodeKind uint8

// The kinds of nodes.
const (
	GraphAccelerator NodeKind = iota
	GraphHost
	GraphSwitch
)

// GraphNode is one node of a graph.
type GraphNode struct {
	Name string
	Kind NodeKind
}

// GraphCable is one cable of a graph, two links, between nodes by number.
type GraphCable struct {
	From, To int32
	Capacity float64 // B/s, each way
	Latency  sim.Time
}

// MaxGraphNodes bounds the nodes of a graph.
const MaxGraphNodes = MaxAccelerators

// Graph builds any network from its nodes and cables. Accelerators send and
// receive. So does a host without an accelerator at one of its cables: it counts
// as one accelerator of its name. Other hosts are nodes on the way, like switches,
// that flows may name as their ends too. Every node passes messages on.
//
// Ways are shortest by the number of cables; of several the routing chooses at
// every node. The distances of all nodes to a destination are found when it is
// first asked for, in O(nodes + cables), and kept in a store of bounded size; nodes
// with a single cable share those of their neighbour.
func Graph(nodes []GraphNode, cables []GraphCable, routing Routing) (*Topology, error) {
	if len(nodes) > MaxGraphNodes {
		return nil, fmt.Errorf("topology: %d nodes; at most %d can be built", len(nodes), MaxGraphNodes)
	}
	if err := checkLinks(2 * len(cables)); err != nil {
		return nil, err
	}
	if err := routing.refuse("graph"); err != nil {
		return nil, err
	}
	serves := make([]bool, len(nodes)) // hosts with accelerators
	for _, c := range cables {
		if uint(c.From) >= uint(len(nodes)) || uint(c.To) >= uint(len(nodes)) || c.From == c.To {
			return nil, fmt.Errorf("topology: a cable from node %d to node %d of %d", c.From, c.To, len(nodes))
		}
		if !(c.Capacity > 0) || math.IsInf(c.Capacity, 0) || c.Latency < 0 {
			return nil, fmt.Errorf("topology: the cable from %s to %s has capacity %v and latency %v",
				nodes[c.From].Name, nodes[c.To].Name, c.Capacity, c.Latency)
		}
		serves[c.From] = serves[c.From] || nodes[c.To].Kind == GraphAccelerator
		serves[c.To] = serves[c.To] || nodes[c.From].Kind == GraphAccelerator
	}
	t := &Topology{Kind: "graph", Routing: routing, Links: make([]Link, 0, 2*len(cables))}
	// Ends come first, then switches, then hosts on the way.
	order := func(i int) int {
		switch n := nodes[i]; {
		case n.Kind == GraphSwitch:
			return 1
		case n.Kind == GraphHost && serves[i]:
			return 2
		}
		return 0
	}
	number := make([]NodeID, len(nodes))
	next := NodeID(0)
	for group := range 3 {
		for i, n := range nodes {
			if order(i) != group {
				continue
			}
			number[i] = next
			next++
			if group == 0 {
				t.endNames = append(t.endNames, n.Name)
			} else {
				t.switchNames = append(t.switchNames, n.Name)
			}
		}
		switch group {
		case 0:
			t.accelerators = int(next)
		case 1:
			t.passing = len(nodes) - int(next)
		}
	}
	if t.accelerators == 0 {
		return nil, fmt.Errorf("topology: a graph of switches alone; nothing sends or receives")
	}
	g := &graph{t: t, room: mostDistances, first: make([]int32, len(nodes)+1), distances: make([]atomic.Pointer[[]int32], len(nodes))}
	for _, c := range cables {
		from, to := number[c.From], number[c.To]
		t.addCable(from, to, c.Capacity, 1, c.Latency, c.Latency)
		g.first[from+1]++
		g.first[to+1]++
	}
	for i := range nodes {
		g.first[i+1] += g.first[i]
	}
	g.out = make([]LinkID, len(t.Links))
	room := append([]int32(nil), g.first...)
	for i, l := range t.Links {
		g.out[room[l.From]] = LinkID(i)
		room[l.From]++
	}
	for i, d := range g.explore(0) {
		if d < 0 {
			return nil, fmt.Errorf("topology: no cables lead from %s to %s", t.NodeName(0), t.NodeName(NodeID(i)))
		}
	}
	t.router = g
	t.countParallel(0)
	return t, nil
}

// graph finds shortest ways by the distances of nodes to the destination.
type graph struct {
	t         *Topology
	first     []int32  // of each node in out
	out       []LinkID // links out of each node, in the order of the cables
	distances []atomic.Pointer[[]int32]
	kept      atomic.Int64 // how many nodes' distances are
	room      int64        // distances that may be kept, of all destinations together
}

// mostDistances is the room for distances: 256 MB of them.
const mostDistances = 1 << 26

// explore gives the distance of all nodes to one, -1 where there is no way.
func (g *graph) explore(to NodeID) []int32 {
	d := make([]int32, len(g.distances))
	for i := range d {
		d[i] = -1
	}
	d[to] = 0
	queue := append(make([]NodeID, 0, len(d)), to)
	for head := 0; head < len(queue); head++ {
		at := queue[head]
		for _, l := range g.links(at) {
			if n := g.t.Links[l].To; d[n] < 0 {
				d[n] = d[at] + 1
				queue = append(queue, n)
			}
		}
	}
	return d
}

func (g *graph) links(at NodeID) []LinkID { return g.out[g.first[at]:g.first[at+1]] }

// toward gives the distances of all nodes to a destination, which if it has one
// cable is its neighbour.
func (g *graph) toward(to NodeID) (root NodeID, distances []int32) {
	root = to
	if out := g.links(to); len(out) == 1 {
		root = g.t.Links[out[0]].To
	}
	if kept := g.distances[root].Load(); kept != nil {
		return root, *kept
	}
	d := g.explore(root)
	if g.kept.Add(1)*int64(len(d)) > g.room {
		for i := range g.distances {
			g.distances[i].Store(nil)
		}
		g.kept.Store(1)
	}
	g.distances[root].Store(&d)
	return root, d
}

func (g *graph) route(src, dst NodeID, label uint64, path []LinkID) []LinkID {
	return g.t.routeForked(g, connection{src, dst, label}, path)
}

func (g *graph) steps() stepper { return g }

func (g *graph) fork(src, dst NodeID, path []LinkID) ([]LinkID, NodeID, NodeID) {
	return path, src, dst
}

func (g *graph) join(_ NodeID, path []LinkID) []LinkID { return path }

func (g *graph) fan(at, to NodeID) int {
	root, d := g.toward(to)
	if at == root {
		return 1
	}
	n := 0
	for _, l := range g.links(at) {
		if d[g.t.Links[l].To] == d[at]-1 {
			n++
		}
	}
	return n
}

func (g *graph) step(at, to NodeID, i int) (LinkID, NodeID) {
	root, d := g.toward(to)
	if at == root {
		return g.links(to)[0] ^ 1, to // the other direction of its cable
	}
	for _, l := range g.links(at) {
		if next := g.t.Links[l].To; d[next] == d[at]-1 {
			if i == 0 {
				return l, next
			}
			i--
		}
	}
	panic(fmt.Sprintf("topology: no link %d of %s leads to %s", i, g.t.NodeName(at), g.t.NodeName(to)))
}

func (g *graph) rank(_, to NodeID) int { return int(to) }
