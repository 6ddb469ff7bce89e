package scenario

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard/topology"
)

const graphNodes = "node,kind\nh0,host\ns0,switch\na0,accelerator\n"

func readGraph(nodes, cables string) (*GraphTable, Faults) {
	g := &GraphTable{}
	index, faults := g.readNodes("n.csv", strings.NewReader(nodes))
	if faults != nil {
		return nil, faults
	}
	return g, g.readCables("l.csv", strings.NewReader(cables), index)
}

func TestReadGraph(t *testing.T) {
	got, faults := readGraph("kind , node\nhost,h0\nswitch,s0\naccelerator, a0\n", "to,from,latency_s,bandwidth_Bps\ns0,h0,1e-6,50e9\na0,h0,0,1e9\n")
	if faults != nil {
		t.Fatal(faults)
	}
	want := &GraphTable{
		Node: []string{"h0", "s0", "a0"},
		Kind: []topology.NodeKind{topology.GraphHost, topology.GraphSwitch, topology.GraphAccelerator},
		From: []int32{0, 0}, To: []int32{1, 2}, Bandwidth: []float64{50e9, 1e9}, Latency: []float64{1e-6, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGraphFaults(t *testing.T) {
	const links = "from,to,bandwidth_Bps,latency_s\n"
	for _, c := range []struct{ name, nodes, links, want string }{
		{"no kind", "node\nh0\n", links, "n.csv:1:1: there is no column kind"},
		{"unknown kind", "node,kind\nh0,hots\n", links, `n.csv:2:4: kind: "hots" is unknown; one of: accelerator, host, switch`},
		{"twice", graphNodes + "s0,host\n", links, `n.csv:5:1: node: "s0" is there twice`},
		{"no name", "node,kind\n,host\n", links, `n.csv:2:1: node: is empty`},
		{"unknown end", graphNodes, links + "h0,s1,1,0\n", `l.csv:2:4: to: there is no node "s1"`},
		{"unknown ends", graphNodes, links + "x,x,1,0\n", `l.csv:2:1: from: there is no node "x"`},
		{"to itself", graphNodes, links + "h0,s0,1,0\ns0,s0,1,0\n", `l.csv:3:4: to: is where the cable comes from`},
		{"no bandwidth", graphNodes, links + "h0,s0,0,0\n", `l.csv:2:7: bandwidth_Bps: must be more than 0`},
		{"a quantity", graphNodes, links + "h0,s0,1GB/s,0\n", `l.csv:2:7: bandwidth_Bps: "1GB/s" is not a number`},
		{"back in time", graphNodes, links + "h0,s0,1,-1\n", `l.csv:2:9: latency_s: -1 is negative`},
		{"no cables", graphNodes, links, `l.csv: there are no rows below the header`},
	} {
		if _, faults := readGraph(c.nodes, c.links); !strings.Contains(faults.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.name, faults, c.want)
		}
	}
}

// FuzzReadGraph: any two files are a graph that can be built or refused, or have
// faults with their places.
func FuzzReadGraph(f *testing.F) {
	f.Add(graphNodes, "from,to,bandwidth_Bps,latency_s\nh0,s0,1e9,1e-6\na0,s0,1e9,0\n")
	f.Add(graphNodes, "from,to,bandwidth_Bps,latency_s\nh0,a0,1e9,1e-6\n")
	f.Add("node,kind\n\"h,0\",host\n", "from,to,bandwidth_Bps,latency_s\n\"h,0\",\"h,0\",1e9,1e-6\n")
	f.Fuzz(func(t *testing.T, nodes, cables string) {
		g, faults := readGraph(nodes, cables)
		if faults != nil {
			for _, fault := range faults {
				if fault.File == "" || fault.Message == "" {
					t.Errorf("a fault without place or message: %+v", fault)
				}
			}
			return
		}
		all := make([]topology.GraphNode, len(g.Node))
		for i := range all {
			all[i] = topology.GraphNode{Name: g.Node[i], Kind: g.Kind[i]}
		}
		between := make([]topology.GraphCable, len(g.From))
		for i := range between {
			between[i] = topology.GraphCable{From: g.From[i], To: g.To[i], Capacity: g.Bandwidth[i]}
		}
		topo, err := topology.Graph(all, between, topology.Routing{})
		if err != nil {
			return
		}
		if n := topology.NodeID(topo.Accelerators()); n > 1 && len(topo.Route(0, n-1, 0, nil)) == 0 {
			t.Errorf("no route from %s to %s", topo.NodeName(0), topo.NodeName(n-1))
		}
	})
}
