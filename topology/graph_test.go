package topology

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/sim"
)

func TestGraph(t *testing.T) {
	nodes := []GraphNode{
		{"s0", GraphSwitch}, {"h0", GraphHost}, {"a", GraphAccelerator}, {"b", GraphAccelerator}, {"h1", GraphHost}, {"s1", GraphSwitch},
	}
	cables := []GraphCable{
		{2, 1, 64e9, 1}, {3, 1, 64e9, 1}, // two accelerators at host h0
		{1, 0, 25e9, 2}, {1, 5, 25e9, 2}, // which has a cable to either switch
		{4, 0, 10e9, 3}, {4, 5, 10e9, 3}, // and h1 alone is an end
	}
	topo, err := Graph(nodes, cables, Routing{})
	built(t, topo, err)
	checkGraph(t, topo)
	if topo.Accelerators() != 3 || topo.Switches() != 2 || len(topo.Links) != 12 || !topo.Bare() {
		t.Errorf("%d ends, %d switches, %d links", topo.Accelerators(), topo.Switches(), len(topo.Links))
	}
	names := topo.AcceleratorNames()
	if names["a"] != 0 || names["b"] != 1 || names["h1"] != 2 || names["h0"] != 5 || len(names) != 4 {
		t.Errorf("ends: %v", names)
	}
	if got := routeNames(topo, 0, 1, 0); got != "a>h0 h0>b" {
		t.Error(got)
	}
	seen := map[string]bool{}
	for label := range uint64(50) {
		seen[routeNames(topo, 0, 2, label)] = true
	}
	if !seen["a>h0 h0>s0 s0>h1"] || !seen["a>h0 h0>s1 s1>h1"] || len(seen) != 2 {
		t.Errorf("ways from a to h1: %v", seen)
	}
	if k := topo.Links[topo.Route(0, 1, 0, nil)[0]]; k.Capacity != 64e9 || k.Payload != 64e9 || k.Latency != 1 {
		t.Errorf("the cable of a is %+v", k)
	}
}

func TestGraphFaults(t *testing.T) {
	end := func(n int) (nodes []GraphNode) {
		for i := range n {
			nodes = append(nodes, GraphNode{fmt.Sprint("n", i), GraphAccelerator})
		}
		return nodes
	}
	for _, c := range []struct {
		want   string
		nodes  []GraphNode
		cables []GraphCable
	}{
		{"no cables lead from n0 to n2", end(3), []GraphCable{{0, 1, 1, 1}}},
		{"a cable from node 1 to node 1", end(2), []GraphCable{{0, 1, 1, 1}, {1, 1, 1, 1}}},
		{"a cable from node 0 to node 2", end(2), []GraphCable{{0, 2, 1, 1}}},
		{"a cable from node -1", end(2), []GraphCable{{-1, 0, 1, 1}}},
		{"has capacity 0", end(2), []GraphCable{{0, 1, 0, 1}}},
		{"latency -", end(2), []GraphCable{{0, 1, 1, -1}}},
		{"nothing sends or receives", []GraphNode{{"s", GraphSwitch}}, nil},
		{"nothing sends or receives", nil, nil},
	} {
		if topo, err := Graph(c.nodes, c.cables, Routing{}); topo != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q: %v", c.want, err)
		}
	}
	if topo, err := Graph(end(1), nil, Routing{}); err != nil || topo.Accelerators() != 1 {
		t.Errorf("one accelerator: %v", err)
	}
}

// drawGraph draws a connected graph: a random tree, and some more cables.
func drawGraph(t *rapid.T, routing Routing) *Topology {
	n := rapid.IntRange(2, 24).Draw(t, "nodes")
	nodes := make([]GraphNode, n)
	var cables []GraphCable
	for i := range nodes {
		nodes[i] = GraphNode{fmt.Sprint("n", i), rapid.SampledFrom([]NodeKind{GraphAccelerator, GraphHost, GraphSwitch}).Draw(t, "kind")}
		if i > 0 {
			cables = append(cables, GraphCable{int32(i), int32(rapid.IntRange(0, i-1).Draw(t, "parent")), 1e9, sim.Time(1)})
		}
	}
	nodes[0].Kind, nodes[n-1].Kind = GraphAccelerator, GraphAccelerator
	for range rapid.IntRange(0, 2*n).Draw(t, "more") {
		a, b := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
		if a != b {
			cables = append(cables, GraphCable{int32(a), int32(b), 1e9, sim.Time(1)})
		}
	}
	topo, err := Graph(nodes, cables, routing)
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

// Distances that are found anew, for want of room or by several at once, are the same.
func TestGraphForgets(t *testing.T) {
	var nodes []GraphNode
	var cables []GraphCable
	for i := range int32(60) {
		nodes = append(nodes, GraphNode{fmt.Sprint("n", i), GraphAccelerator})
		cables = append(cables, GraphCable{i, (i + 1) % 60, 1e9, 1}, GraphCable{i, (i + 7) % 60, 1e9, 1})
	}
	whole, err := Graph(nodes, cables, Routing{})
	built(t, whole, err)
	forgetful, err := Graph(nodes, cables, Routing{})
	built(t, forgetful, err)
	forgetful.router.(*graph).room = 150 // for two destinations
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for src := range NodeID(60) {
				for dst := range NodeID(60) {
					if a, b := whole.Route(src, dst, 0, nil), forgetful.Route(src, dst, 0, nil); !slices.Equal(a, b) {
						t.Errorf("%d to %d: %v and %v", src, dst, a, b)
					}
				}
			}
		})
	}
	group.Wait()
}

// Every route of a graph is as short as a search from its start finds, and the
// one back is as long.
func TestGraphRoutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topo := drawGraph(t, Routing{})
		n := topo.Accelerators()
		src := NodeID(rapid.IntRange(0, n-1).Draw(t, "src"))
		d := map[NodeID]int{src: 0}
		for queue := []NodeID{src}; len(queue) > 0; queue = queue[1:] {
			for _, l := range topo.Links {
				if _, seen := d[l.To]; l.From == queue[0] && !seen {
					d[l.To] = d[queue[0]] + 1
					queue = append(queue, l.To)
				}
			}
		}
		for dst := range NodeID(n) {
			label := rapid.Uint64().Draw(t, "label")
			route := topo.Route(src, dst, label, nil)
			checkRoute(t, topo, src, dst, route)
			if len(route) != d[dst] || len(topo.Route(dst, src, label, nil)) != d[dst] {
				t.Fatalf("%d links from %d to %d, want %d", len(route), src, dst, d[dst])
			}
		}
	})
}

// A leaf-spine fabric drawn as a graph has the same ways: as long, and as many.
func TestGraphOfAFatTree(t *testing.T) {
	const k = 4
	tree, err := FatTree(fabric(host(1, 1, ScaleUpSwitch), 16, 0, 1, k))
	built(t, tree, err)
	var nodes []GraphNode
	var cables []GraphCable
	for n := range NodeID(tree.Accelerators() + tree.NICs() + tree.Switches()) {
		kind := GraphSwitch
		if int(n) < tree.Accelerators() {
			kind = GraphAccelerator
		}
		nodes = append(nodes, GraphNode{tree.NodeName(n), kind})
	}
	for _, l := range tree.Links {
		if l.From < l.To {
			cables = append(cables, GraphCable{int32(l.From), int32(l.To), l.Capacity, l.Latency})
		}
	}
	topo, err := Graph(nodes, cables, Routing{Policy: Spray})
	built(t, topo, err)
	tree.Routing.Policy = Spray
	var a, b Way
	for src := range NodeID(16) {
		for dst := range NodeID(16) {
			tree.Way(src, dst, 0, nil, &a)
			topo.Way(src, dst, 0, nil, &b)
			shares := map[string]float64{}
			for i, l := range a.Links {
				shares[tree.LinkName(l)] = a.Share(i)
			}
			if len(a.Links) != len(b.Links) {
				t.Fatalf("%d to %d: %d links of the tree, %d of the graph", src, dst, len(a.Links), len(b.Links))
			}
			for i, l := range b.Links {
				if shares[topo.LinkName(l)] != b.Share(i) {
					t.Fatalf("%d to %d: %v of the message on %s, want %v", src, dst, b.Share(i), topo.LinkName(l), shares[topo.LinkName(l)])
				}
			}
		}
	}
}
