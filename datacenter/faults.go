package datacenter

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// faulty is the [[topology.fault]] of a scenario, and how it would have gone without.
type faulty struct {
	*fault.Schedule
	said    []*scenario.TopologyFault // of each fault
	without *plant                    // nil: not known
}

// addFaults has the faults of the scenario happen. The cluster must be empty.
func (b *builder) addFaults() {
	t := b.scenario.Topology
	var all []*fault.Fault
	parts := b.topology.Parts()
	var said []*scenario.TopologyFault
	for i := range t.Fault {
		w := &t.Fault[i]
		if !w.Rerouted() {
			continue
		}
		f := &fault.Fault{
			At: sim.Time(w.At.Value), Repair: sim.Time(w.Repair.Value), Delay: sim.Time(w.Delay.Value), Rate: w.Capacity.Value,
		}
		name := w.Name.Value
		switch w.Kind.Value {
		case "link":
			f.Links = parts.Cable(name)
		case "nic":
			f.Links = parts.NIC(name)
		case "switch":
			f.Links = parts.Switch(name)
			for _, l := range f.Links {
				if b.topology.NodeName(b.topology.Links[l].To) == name {
					f.Entries = append(f.Entries, l)
				}
			}
		}
		if f.Links == nil {
			b.fault(w.Name.Pos, w.Path+".name", "%s", b.noSuch(w.Kind.Value, name))
			continue
		}
		all, said = append(all, f), append(said, w)
	}
	if len(b.faults) == 0 && all != nil {
		b.cluster.AllowReroutes()
		b.broken = &faulty{Schedule: fault.New(b.cluster, all), said: said}
	}
}

// mostNames is how many names a message is looked for in.
const mostNames = 1 << 16

// noSuch says why no link is found of a part that has a name: it has none, or there is
// no such part, and what there is.
func (b *builder) noSuch(kind, name string) string {
	t := b.topology
	var names []string
	switch kind {
	case "switch":
		names = t.SwitchNames()
	case "link":
		for l := range topology.LinkID(min(len(t.Links), mostNames)) {
			names = append(names, t.LinkName(l))
		}
	case "nic":
		for s := range t.Servers {
			for i := range t.Servers[s].Spec.NICs {
				names = append(names, fmt.Sprintf("%s/nic%d", t.ServerName(s), i))
			}
		}
	}
	if slices.Contains(names, name) {
		return fmt.Sprintf("no cable leads from %s", name)
	}
	return noneOf(kind, name, names)
}

// noneOf says that a name is not among those of a kind, and what is.
func noneOf(kind, name string, names []string) string {
	names = names[:min(len(names), mostNames)]
	text := fmt.Sprintf("there is no %s %q", kind, name)
	if near := scenario.Nearest(name, names); near != "" {
		return text + fmt.Sprintf(" (did you mean %q?)", near)
	}
	if len(names) == 0 {
		return text + "; the topology has none"
	}
	const shown = 4
	if len(names) > shown {
		names = append(names[:shown:shown], "...")
	}
	return text + "; there are " + strings.Join(names, ", ")
}

// runWithout runs the scenario again without its faults, if any happened.
func (p *plant) runWithout(ctx context.Context, o Options) {
	if p.broken == nil {
		return
	}
	happened := false
	for _, f := range p.broken.Faults {
		happened = happened || f.Happened
	}
	if !happened {
		return
	}
	b := p.again(p.scenario, o)
	b.populate(0)
	b.engine.Horizon = p.engine.Horizon
	if err := b.run(ctx, o); b.faults == nil && b.cluster.Err == nil && (err == nil || errors.Is(err, sim.ErrHorizon)) {
		p.broken.without = b.plant
	}
}

// addLostToFaults adds to a job's record what faults cost it.
func (p *plant) addLostToFaults(r *result.Record, n int) {
	if p.broken == nil || p.broken.without == nil {
		return
	}
	here, without := p.cluster.Jobs[n], p.broken.without.cluster.Jobs[n]
	if here.Finished && without.Finished {
		r.Add(result.LostToFaults, (here.FinishedAt - without.FinishedAt).Seconds())
	}
}

// faultTable is what broke, when, and what it moved; nil if nothing could.
func (p *plant) faultTable() *result.Table {
	if p.broken == nil {
		return nil
	}
	var name, kind, state []string
	var rerouted []int64
	var at, repair, rate, bytes []float64
	for i, f := range p.broken.Faults {
		w := p.broken.said[i]
		name, kind = append(name, w.Name.Value), append(kind, w.Kind.Value)
		at, rate = append(at, f.At.Seconds()), append(rate, f.Rate)
		switch now := p.engine.Now(); {
		case !f.Happened:
			state = append(state, "to come")
		case f.Repair > 0 && f.At.After(f.Repair) <= now:
			state = append(state, "repaired")
		default:
			state = append(state, "lasts")
		}
		if f.Repair > 0 {
			repair = append(repair, f.Repair.Seconds())
		} else {
			repair = append(repair, result.Missing)
		}
		rerouted, bytes = append(rerouted, f.Rerouted), append(bytes, f.Bytes)
	}
	return &result.Table{Name: "faults", Columns: []result.Column{
		{Metric: result.FaultName, Text: name},
		{Metric: result.FaultKind, Text: kind},
		{Metric: result.FaultAt, Numbers: at},
		{Metric: result.FaultRepair, Numbers: repair},
		{Metric: result.FaultRate, Numbers: rate},
		{Metric: result.FaultState, Text: state},
		{Metric: result.Rerouted, Integers: rerouted},
		{Metric: result.ReroutedBytes, Numbers: bytes},
	}}
}

// faultRecord is the summary of a table of faults.
func (p *plant) faultRecord(table *result.Table) *result.Record {
	r := &result.Record{}
	r.Add(result.FaultList, records(table))
	if without := p.broken.without; without != nil {
		end := without.engine.Now().Seconds()
		r.Add(result.MakespanWithout, end)
		var all []*result.Record
		for n, j := range p.cluster.Jobs {
			lost := &result.Record{}
			lost.Add(result.Name, j.Name)
			p.addLostToFaults(lost, n)
			if math.Abs(lost.Float(result.LostToFaults.Name)) > 0 {
				all = append(all, lost)
			}
		}
		r.Add(result.FaultLosses, all)
	}
	return r
}
