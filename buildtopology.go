package railyard

import (
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
	switch t.Kind.Value {
	case "links":
		faults, err = b.buildLinks()
	case "graph":
		faults, err = b.buildGraph()
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
		faults, err = b.buildFabric()
	}
	b.faults = append(b.faults, faults...)
	if err != nil {
		b.fault(t.Kind.Pos, "topology", "%s", strings.TrimPrefix(err.Error(), "topology: "))
	}
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
	b.topology, err = topology.Graph(nodes, cables, b.scenario.Routing())
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
func (b *builder) buildFabric() (scenario.Faults, error) {
	f, faults := b.scenario.Fabric()
	if faults != nil {
		return faults, nil
	}
	var err error
	switch b.scenario.Topology.Kind.Value {
	case "leaf-spine":
		b.topology, err = topology.LeafSpine(f)
	case "rail":
		b.topology, err = topology.Rail(f)
	case "fat-tree":
		b.topology, err = topology.FatTree(f)
	case "dragonfly":
		b.topology, err = topology.Dragonfly(f)
	default:
		b.topology, err = topology.SingleHost(f.Host)
	}
	return nil, err
}
