package datacenter

import (
	"math"

	"github.com/railyard/railyard/alert"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/topology"
)

// collect gathers what a run found. The error is that of an expectation which
// names no metric.
func (p *plant) collect(status string) (*Result, error) {
	r := &Result{}
	end := p.engine.Now()
	t := p.cluster.Topology
	p.cluster.Settle()
	for _, s := range p.served {
		s.Settle()
	}
	uses := make([]network.LinkUse, len(t.Links))
	for l := range uses {
		uses[l] = p.cluster.Network.Use(topology.LinkID(l))
	}
	s := &result.Record{}
	s.Add(result.Name, p.scenario.Name.Value)
	s.Add(result.Status, status)
	s.Add(result.Makespan, end.Seconds())
	s.Add(result.Events, int64(p.engine.Handled()))
	s.Add(result.Seed, p.scenario.Sim.Seed.Value)
	s.Add(result.Cluster, ClusterRecord(t))
	r.Summary = s
	for _, k := range kinds {
		if k.collect != nil {
			k.collect(p, r)
		}
	}
	jobs := p.collectJobs(r)
	if p.failing != nil {
		r.Tables = append(r.Tables, p.outageTable())
	}
	if p.hosting != nil {
		loads := p.cluster.Loads()
		r.Tables = append(r.Tables, loadTable(loads))
		s.Add(result.Placement, placementRecord(p.hosting.placer.Rule.String(), loads))
	}
	if table := p.faultTable(); table != nil {
		r.Tables = append(r.Tables, table)
		s.Add(result.Faults, p.faultRecord(table))
	}
	for _, table := range []*result.Table{p.interruptionTable(), p.fateTable()} {
		if table != nil {
			r.Tables = append(r.Tables, table)
		}
	}
	hasNetwork := t.Kind != "pool"
	if hasNetwork {
		s.Add(result.Network, p.networkRecord(uses, end))
	}
	if p.packets != nil {
		s.Add(result.Packets, packetRecord(p.packets.Stats()))
	}
	if e := p.encryptionRecord(); e != nil {
		s.Add(result.EncryptionCosts, e)
	}
	if m := p.monitoringRecord(); m != nil {
		s.Add(result.Monitoring, m)
	}
	p.addEnergy(r, end)
	p.addSites(r)
	p.addCost(r, end.Seconds())
	if p.summaryOnly {
		return r, p.expect(r)
	}
	if len(p.cluster.Jobs) > 0 && (!t.Bare() || p.queued != nil) {
		table, records := p.resourceTable(jobs)
		r.Tables = append(r.Tables, table)
		s.Add(result.Resources, records)
	}
	if table := p.kernelTable(); table != nil {
		r.Tables = append(r.Tables, table)
	}
	if hasNetwork {
		links := linkTable(t, uses, end)
		p.addLostColumns(links, uses)
		r.Tables = append(r.Tables, links)
	}
	if table := p.contentionTable(); table != nil {
		r.Tables = append(r.Tables, table)
	}
	if t.Accelerators() > 0 && hasNetwork {
		r.Tables = append(r.Tables, p.acceleratorTable(end))
	}
	if table := p.acceleratorSeries(end); table != nil && (p.queued == nil || len(p.cluster.Ledgers()) > 0) {
		r.Tables = append(r.Tables, table)
	}
	if table := p.servingSeries(end); table != nil {
		r.Tables = append(r.Tables, table)
	}
	if table := p.linkSeries(uses, end); table != nil {
		r.Tables = append(r.Tables, table)
	}
	p.warnings = append(p.warnings, alert.Add(p.scenario, &r.Results, end.Seconds())...)
	return r, p.expect(r)
}

// ClusterRecord is what a topology is made of, in short.
func ClusterRecord(t *topology.Topology) *result.Record {
	c := &result.Record{}
	c.Add(result.TopologyKind, t.Kind)
	c.Add(result.AcceleratorCount, int64(t.Accelerators()))
	if !t.Bare() {
		c.Add(result.HostCount, int64(len(t.Servers)))
		c.Add(result.Host, hostNames(t))
	}
	c.Add(result.SwitchCount, int64(t.Switches()))
	c.Add(result.LinkCount, int64(len(t.Links)))
	return c
}

// records makes a record of every row of a table, without the numbers that are missing.
func records(t *result.Table) []*result.Record {
	all := make([]*result.Record, t.Rows())
	for i := range all {
		all[i] = &result.Record{}
		for _, c := range t.Columns {
			switch {
			case c.Text != nil:
				all[i].Add(c.Metric, c.Text[i])
			case c.Integers != nil:
				all[i].Add(c.Metric, c.Integers[i])
			case !math.IsNaN(c.Numbers[i]):
				all[i].Add(c.Metric, c.Numbers[i])
			}
		}
	}
	return all
}
