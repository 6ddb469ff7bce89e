package datacenter

import (
	"fmt"
	"strings"

	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// buildTopology builds what [topology] describes.
func (b *builder) buildTopology() {
	var faults scenario.Faults
	var err error
	t := b.scenario.Topology
	at := t.Kind.Pos
	switch t.Kind.Value {
	case "": // several sites
		at = t.At
		faults, err = b.buildSites()
	case "links":
		faults, err = b.buildLinks()
	case "graph":
		faults, err = b.buildGraph()
	case "pool":
		faults, err = b.buildPool()
	case "ring":
		b.topology, err = topology.Ring(int(t.Accelerators.Value), t.Bandwidth.Value, t.Latency.Value)
	case "switch":
		b.topology, err = topology.Switch(int(t.Accelerators.Value), t.Bandwidth.Value, t.Latency.Value)
	case "full-mesh":
		b.topology, err = topology.FullMesh(int(t.Accelerators.Value), t.Bandwidth.Value, t.Latency.Value)
	case "torus":
		sizes := make([]int, len(t.Dims.Value))
		for i, size := range t.Dims.Value {
			sizes[i] = int(size)
		}
		b.topology, err = topology.Torus(sizes, t.Wrap.Value, t.Bandwidth.Value, t.Latency.Value)
	case "multi":
		b.topology, err = topology.Multi(dimensions(t.Dimension))
	default:
		b.topology, faults, err = b.buildFabric(&t.Network)
	}
	b.faults = append(b.faults, faults...)
	if err != nil {
		b.fault(at, "topology", "%s", strings.TrimPrefix(err.Error(), "topology: "))
	}
}

func (b *builder) buildPool() (faults scenario.Faults, err error) {
	n := int(b.scenario.Topology.Accelerators.Value)
	if b.scenario.Topology.File.Set {
		if b.nodes, faults = b.scenario.ReadNodes(); faults != nil {
			return faults, nil
		}
		n = 0
		for _, of := range b.nodes.Accelerators {
			n += of
		}
	}
	b.topology, err = topology.Pool(n)
	return nil, err
}

func (b *builder) buildLinks() (faults scenario.Faults, err error) {
	if b.links, faults = b.scenario.ReadLinks(); faults != nil {
		return faults, nil
	}
	links := make([]topology.BareLink, len(b.links.Name))
	for i, name := range b.links.Name {
		links[i] = topology.BareLink{Name: name, Capacity: b.links.Capacity[i], Latency: sim.FromSeconds(b.links.Latency[i])}
	}
	b.topology, err = topology.Links(links)
	return nil, err
}

func (b *builder) buildGraph() (scenario.Faults, error) {
	table, faults := b.scenario.ReadGraph()
	if faults != nil {
		return faults, nil
	}
	nodes := make([]topology.GraphNode, len(table.Node))
	for i, name := range table.Node {
		nodes[i] = topology.GraphNode{Name: name, Kind: table.Kind[i]}
	}
	cables := make([]topology.GraphCable, len(table.From))
	for i := range cables {
		cables[i] = topology.GraphCable{
			From: table.From[i], To: table.To[i], Capacity: table.Bandwidth[i], Latency: sim.FromSeconds(table.Latency[i]),
		}
	}
	var err error
	b.topology, err = topology.Graph(nodes, cables, b.scenario.Routing(&b.scenario.Topology.Network))
	return nil, err
}

// dimensions are those of a multi-dimensional network.
func dimensions(given []scenario.Dimension) []topology.Dimension {
	shapes := map[string]topology.Shape{"ring": topology.ShapeRing, "switch": topology.ShapeSwitch, "full-mesh": topology.ShapeMesh}
	all := make([]topology.Dimension, len(given))
	for i, d := range given {
		all[i] = topology.Dimension{
			Shape: shapes[d.Kind.Value], Size: int(d.Size.Value), Bandwidth: d.Bandwidth.Value, Latency: d.Latency.Value,
		}
	}
	return all
}

// buildFabric builds the kinds that are made of hosts.
func (b *builder) buildFabric(n *scenario.Network) (t *topology.Topology, faults scenario.Faults, err error) {
	f, faults := b.scenario.Fabric(n)
	if faults != nil {
		return nil, faults, nil
	}
	switch n.Kind.Value {
	case "leaf-spine":
		t, err = topology.LeafSpine(f)
	case "rail":
		t, err = topology.Rail(f)
	case "fat-tree":
		t, err = topology.FatTree(f)
	case "dragonfly":
		t, err = topology.Dragonfly(f)
	default:
		t, err = topology.SingleHost(f.Host)
	}
	return t, nil, err
}

// buildSites builds every site, and the cables between them.
func (b *builder) buildSites() (scenario.Faults, error) {
	t := b.scenario.Topology
	sites := make([]topology.Site, len(t.Site))
	number := map[string]int{}
	for i := range t.Site {
		s := &t.Site[i]
		built, faults, err := b.buildFabric(&s.Network)
		if err != nil {
			err = fmt.Errorf("site %s: %s", s.Name.Value, strings.TrimPrefix(err.Error(), "topology: "))
		}
		if faults != nil || err != nil {
			return faults, err
		}
		sites[i] = topology.Site{Name: s.Name.Value, Topology: built, LinkLatency: s.LinkLatency.Value, SwitchLatency: s.SwitchLatency.Value}
		number[s.Name.Value] = i
	}
	wan := make([]topology.WAN, len(t.WAN))
	for i, w := range t.WAN {
		wan[i] = topology.WAN{From: number[w.From.Value], To: number[w.To.Value], Bandwidth: w.Bandwidth.Value, Latency: w.Latency.Value}
	}
	var err error
	b.topology, err = topology.Sites(sites, wan)
	return nil, err
}
