package scenario

import (
	"io"

	"github.com/railyard/railyard/topology"
)

// maxCables bounds the rows of a graph's table of cables.
const maxCables = topology.MaxLinks / 2

// GraphTable is a graph as two CSV files have it: nodes, and cables between them,
// a column for each field.
type GraphTable struct {
	Node []string
	Kind []topology.NodeKind

	From, To  []int32   // nodes, by number
	Bandwidth []float64 // bytes/s, more than 0
	Latency   []float64 // s
}

var nodeKinds = map[string]topology.NodeKind{
	"accelerator": topology.GraphAccelerator, "host": topology.GraphHost, "switch": topology.GraphSwitch,
}

// ReadGraph reads the files that the topology names.
func (s *Scenario) ReadGraph() (*GraphTable, Faults) {
	g := &GraphTable{}
	var index map[string]int32
	faults := s.withTable(s.Topology.Nodes, s.Topology.Path+".nodes", func(file string, in io.Reader) (faults Faults) {
		index, faults = g.readNodes(file, in)
		return faults
	})
	if faults != nil {
		return nil, faults
	}
	faults = s.withTable(s.Topology.Links, s.Topology.Path+".links", func(file string, in io.Reader) Faults {
		return g.readCables(file, in, index)
	})
	return g, faults
}

// readNodes reads nodes, and gives their numbers by name.
func (g *GraphTable) readNodes(file string, in io.Reader) (map[string]int32, Faults) {
	rows := newRows(file, in)
	if !rows.header([]string{"node", "kind"}, nil) {
		return nil, rows.all()
	}
	node, kind := rows.column("node"), rows.column("kind")
	index := map[string]int32{}
	for rows.next() {
		if len(g.Node) == topology.MaxGraphNodes {
			rows.faultf(node, "is one too many; at most %d nodes are taken", topology.MaxGraphNodes)
			break
		}
		k, ok := nodeKinds[rows.text(kind)]
		if !ok {
			rows.faultf(kind, "%q is unknown; one of: accelerator, host, switch", shown(rows.text(kind)))
		}
		g.Node, g.Kind = append(g.Node, rows.id(node, index)), append(g.Kind, k)
	}
	return index, rows.all()
}

func (g *GraphTable) readCables(file string, in io.Reader, index map[string]int32) Faults {
	rows := newRows(file, in)
	if !rows.header([]string{"from", "to", "bandwidth_Bps", "latency_s"}, nil) {
		return rows.all()
	}
	from, to := rows.column("from"), rows.column("to")
	bandwidth, latency := rows.column("bandwidth_Bps"), rows.column("latency_s")
	end := func(column int) int32 {
		name := rows.text(column)
		n, ok := index[name]
		if !ok {
			rows.faultf(column, "there is no node %q", shown(name))
		}
		return n
	}
	for rows.next() {
		if len(g.From) == maxCables {
			rows.faultf(from, "is one too many; at most %d cables are taken", maxCables)
			break
		}
		a, b := end(from), end(to)
		if a == b && rows.text(from) == rows.text(to) {
			rows.faultf(to, "is where the cable comes from")
		}
		g.From, g.To = append(g.From, a), append(g.To, b)
		g.Bandwidth, g.Latency = append(g.Bandwidth, rows.positive(bandwidth)), append(g.Latency, rows.latency(latency))
	}
	return rows.all()
}
