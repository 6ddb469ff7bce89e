package scenario

import (
	"fmt"
	"strings"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Built is the topology that a scenario describes, with the tables that it was made of.
type Built struct {
	Topology *topology.Topology
	Links    *LinkTable // of bare links; else nil
	Nodes    *NodeTable // of a pool with a file; else nil
}

// BuildTopology builds what [topology] describes.
func (s *Scenario) BuildTopology() (*Built, Faults) {
	b := &Built{}
	var faults Faults
	var err error
	t := s.Topology
	at := t.Kind.Pos
	switch t.Kind.Value {
	case "": // several sites
		at = t.At
		faults, err = b.sites(s)
	case "links":
		faults, err = b.links(s)
	case "graph":
		faults, err = b.graph(s)
	case "pool":
		faults, err = b.pool(s)
	case "ring":
		b.Topology, err = topology.Ring(int(t.Accelerators.Value), t.Bandwidth.Value, t.Latency.Value)
	case "switch":
		b.Topology, err = topology.Switch(int(t.Accelerators.Value), t.Bandwidth.Value, t.Latency.Value)
	case "full-mesh":
		b.Topology, err = topology.FullMesh(int(t.Accelerators.Value), t.Bandwidth.Value, t.Latency.Value)
	case "torus":
		sizes := make([]int, len(t.Dims.Value))
		for i, size := range t.Dims.Value {
			sizes[i] = int(size)
		}
		b.Topology, err = topology.Torus(sizes, t.Wrap.Value, t.Bandwidth.Value, t.Latency.Value)
	case "multi":
		b.Topology, err = topology.Multi(dimensions(t.Dimension))
	default:
		b.Topology, faults, err = s.buildFabric(&t.Network)
	}
	if err != nil {
		faults = append(faults, at.Faultf("topology", "topology: %s", strings.TrimPrefix(err.Error(), "topology: ")))
	}
	if faults != nil {
		return nil, faults
	}
	s.spray(b.Topology)
	return b, nil
}

// spray takes off the links between hosts what sprayed packets cannot use of them.
// Packets that are simulated show that by themselves.
func (s *Scenario) spray(t *topology.Topology) {
	share := s.Topology.SprayEfficiency.Value
	if share == 1 || s.Sim.Fidelity.Value == "packet" {
		return
	}
	inHost := func(n topology.NodeID) bool { return 0 <= n && int(n) < t.Accelerators() }
	for i := range t.Links {
		if l := &t.Links[i]; !inHost(l.From) && !inHost(l.To) {
			l.Payload *= share
		}
	}
}

func (b *Built) pool(s *Scenario) (faults Faults, err error) {
	n := int(s.Topology.Accelerators.Value)
	if s.Topology.File.Set {
		if b.Nodes, faults = s.ReadNodes(); faults != nil {
			return faults, nil
		}
		n = 0
		for _, of := range b.Nodes.Accelerators {
			n += of
		}
	}
	b.Topology, err = topology.Pool(n)
	return nil, err
}

func (b *Built) links(s *Scenario) (faults Faults, err error) {
	if b.Links, faults = s.ReadLinks(); faults != nil {
		return faults, nil
	}
	links := make([]topology.BareLink, len(b.Links.Name))
	for i, name := range b.Links.Name {
		links[i] = topology.BareLink{Name: name, Capacity: b.Links.Capacity[i], Latency: sim.FromSeconds(b.Links.Latency[i])}
	}
	b.Topology, err = topology.Links(links)
	return nil, err
}

func (b *Built) graph(s *Scenario) (Faults, error) {
	table, faults := s.ReadGraph()
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
	b.Topology, err = topology.Graph(nodes, cables, s.Routing(&s.Topology.Network))
	return nil, err
}

// dimensions are those of a multi-dimensional network.
func dimensions(given []Dimension) []topology.Dimension {
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
func (s *Scenario) buildFabric(n *Network) (t *topology.Topology, faults Faults, err error) {
	f, faults := s.Fabric(n)
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

// sites builds every site, and the cables between them.
func (b *Built) sites(s *Scenario) (Faults, error) {
	t := s.Topology
	sites := make([]topology.Site, len(t.Site))
	number := map[string]int{}
	for i := range t.Site {
		site := &t.Site[i]
		built, faults, err := s.buildFabric(&site.Network)
		if err != nil {
			err = fmt.Errorf("site %s: %s", site.Name.Value, strings.TrimPrefix(err.Error(), "topology: "))
		}
		if faults != nil || err != nil {
			return faults, err
		}
		sites[i] = topology.Site{Name: site.Name.Value, Topology: built, LinkLatency: site.LinkLatency.Value, SwitchLatency: site.SwitchLatency.Value}
		number[site.Name.Value] = i
	}
	wan := make([]topology.WAN, len(t.WAN))
	for i, w := range t.WAN {
		wan[i] = topology.WAN{From: number[w.From.Value], To: number[w.To.Value], Bandwidth: w.Bandwidth.Value, Latency: w.Latency.Value}
	}
	var err error
	b.Topology, err = topology.Sites(sites, wan)
	return nil, err
}
