package datacenter

import (
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// addFlows adds the flows of a file.
func (b *builder) addFlows(w *scenario.Flows) {
	var find func(string) (int32, bool)
	if b.links != nil {
		find = b.links.Find
	}
	table, faults := b.scenario.ReadFlows(w, find)
	if faults != nil {
		b.faults = append(b.faults, faults...)
		return
	}
	flows := make([]cluster.Flow, len(table.Name))
	var nodes map[string]topology.NodeID
	if table.Src != nil {
		nodes = b.topology.AcceleratorNames()
	}
	offset := sim.Time(w.Start.Value)
	before := len(b.faults)
	for i := range flows {
		f := &flows[i]
		*f = cluster.Flow{
			Name: table.Name[i], Start: sim.FromSeconds(table.Start[i]).After(offset),
			Bytes: table.Bytes[i], Weight: table.Weight[i], After: table.After[table.AfterAt[i]:table.AfterAt[i+1]],
		}
		if table.Src == nil {
			route := table.Route[table.RouteAt[i]:table.RouteAt[i+1]]
			f.Route = make([]topology.LinkID, len(route))
			for k, l := range route {
				f.Route[k] = topology.LinkID(l)
			}
			continue
		}
		at := scenario.Position{File: b.scenario.Path(w.File.Value), Line: int(table.Line[i]), Col: 1}
		src, ok := b.node(nodes, table.Src[i], at, "src")
		dst, ok2 := b.node(nodes, table.Dst[i], at, "dst")
		if !ok || !ok2 {
			if len(b.faults)-before > 20 {
				return
			}
			continue
		}
		f.Connection = network.Connection{From: src, To: dst, Label: uint64(i)}
	}
	if len(b.faults) > before {
		return
	}
	b.cluster.AddFlows(b.name(w.Name, w.File.Value), flows)
}

// node is the accelerator of a name.
func (b *builder) node(nodes map[string]topology.NodeID, name string, at scenario.Position, column string) (topology.NodeID, bool) {
	if n, ok := nodes[name]; ok {
		return n, true
	}
	hint := ""
	if n := b.topology.Accelerators(); n > 0 {
		hint = fmt.Sprintf("; accelerators are %s to %s", b.topology.NodeName(0), b.topology.NodeName(topology.NodeID(n-1)))
	}
	b.faults = append(b.faults, at.Faultf(column, "%s: there is no accelerator %q%s", column, name, hint))
	return 0, false
}

// collectFlows tells when each flow ended.
func (p *plant) collectFlows(r *Result) {
	if len(p.cluster.Flows) == 0 {
		return
	}
	table := p.flowTable()
	r.Tables = append(r.Tables, table)
	r.Summary.Add(result.Flows, flowRecord(table))
}

func (p *plant) flowTable() *result.Table {
	var name []string
	var start, finish, bytes, alone, lost []float64
	for _, s := range p.cluster.Flows {
		for i, id := range s.IDs {
			eligible, finished, ended := p.cluster.Network.Times(id)
			from, to := eligible.Seconds(), finished.Seconds()
			if !ended {
				to = result.Missing
				if eligible == 0 {
					from = s.Flows[i].Start.Seconds()
				}
			}
			name = append(name, s.Flows[i].Name)
			start, finish = append(start, from), append(finish, to)
			bytes = append(bytes, s.Flows[i].Bytes)
			alone = append(alone, s.Alone[i].Seconds())
			if ended {
				lost = append(lost, (finished - eligible - s.Alone[i]).Seconds())
			} else {
				lost = append(lost, result.Missing)
			}
		}
	}
	return &result.Table{Name: "flows", Columns: []result.Column{
		{Metric: result.Flow, Text: name},
		{Metric: result.FlowStart, Numbers: start},
		{Metric: result.FlowFinish, Numbers: finish},
		{Metric: result.FlowBytes, Numbers: bytes},
		{Metric: result.AloneTime, Numbers: alone},
		{Metric: result.FlowLost, Numbers: lost},
	}}
}

func flowRecord(t *result.Table) *result.Record {
	start, finish := t.Columns[1].Numbers, t.Columns[2].Numbers
	var sum, longest float64
	ended := 0
	for i := range start {
		if took := finish[i] - start[i]; took >= 0 {
			sum += took
			longest = max(longest, took)
			ended++
		}
	}
	r := &result.Record{}
	r.Add(result.FlowCount, int64(len(start)))
	r.Add(result.FlowFinished, int64(ended))
	r.Add(result.FlowMean, sum/float64(max(ended, 1)))
	r.Add(result.FlowLongest, longest)
	return r
}
