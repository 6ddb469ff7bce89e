package datacenter

import (
	"slices"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/topology"
)

// watch has every host send what is scraped of it to the collector. Scrapes are small and
// come at moments of their own, so that together they are a steady load, whose mean rate
// links between hosts then lack.
func (b *builder) watch() {
	m := b.scenario.Topology.Monitoring
	if m == nil {
		return
	}
	t := b.topology
	if t.Bare() {
		b.fault(m.At, m.Path, "there are no hosts to watch: it needs a topology of hosts")
		return
	}
	names := make([]string, len(t.Servers))
	for s := range names {
		names[s] = t.ServerName(s)
	}
	collector := slices.Index(names, m.Collector.Value)
	if collector < 0 {
		b.fault(m.Collector.Pos, m.Path+".collector", "%s", noneOf("host", m.Collector.Value, names))
		return
	}
	var w topology.Way
	each := b.scraped()
	for s := range t.Servers {
		if s == collector || t.Servers[s].Spec.NICs == 0 {
			continue
		}
		t.Way(t.Servers[s].FirstNIC, t.Servers[collector].FirstNIC, uint64(s), nil, &w)
		for i, l := range w.Links {
			k := &t.Links[l]
			if k.Payload -= each * w.Share(i); k.Payload <= 0 {
				b.fault(m.At, m.Path, "the scrapes of all hosts are more than %s carries", t.LinkName(l))
				return
			}
		}
	}
}

// scraped is what a host sends to the collector, in B/s.
func (p *plant) scraped() float64 {
	m := p.scenario.Topology.Monitoring
	return float64(m.Scrape.Value) / m.Interval.Value.Seconds()
}

// monitoringRecord is what watching takes; nil where nobody does.
func (p *plant) monitoringRecord() *result.Record {
	m := p.scenario.Topology.Monitoring
	if m == nil {
		return nil
	}
	watched := float64(len(p.topology.Servers) - 1)
	r := &result.Record{}
	r.Add(result.MonitoringRate, watched*p.scraped())
	r.Add(result.MonitoringCores, watched*m.CPU.Value.Seconds()/m.Interval.Value.Seconds())
	return r
}
