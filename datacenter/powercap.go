package datacenter

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// clock is the part of its full clock at which an accelerator runs.
func (p *plant) clock(a topology.NodeID) float64 {
	if p.power == nil || p.power.Limits == nil {
		return 1
	}
	return p.power.Limits.Clocks[p.topology.Server(a)]
}

// maxRackSeries bounds racks times gangs of which power over time is found rack by rack.
const maxRackSeries = 1 << 20

// rackTable is what limits came to in each rack.
func (p *plant) rackTable(end sim.Time) *result.Table {
	t, limits := p.topology, p.power.Limits
	n := len(t.Racks)
	names, limit, peak, clock := make([]string, n), make([]float64, n), make([]float64, n), make([]float64, n)
	idle := make([]float64, n)
	for r := range t.Racks {
		names[r], limit[r], peak[r], clock[r] = t.Racks[r].Name, result.Missing, result.Missing, 1
		if limits.Rack > 0 {
			limit[r] = limits.Rack
		}
	}
	for s := range t.Servers {
		spec, r := t.Servers[s].Spec, t.Servers[s].Rack
		idle[r] += float64(spec.Accelerators) * p.power.Of(spec).Idle()
		clock[r] = min(clock[r], limits.Clocks[s])
	}
	if n*max(1, len(p.cluster.Ledgers())) <= maxRackSeries {
		for r, above := range p.rackPeaks(end) {
			peak[r] = idle[r] + above
		}
	}
	return &result.Table{Name: "racks", Columns: []result.Column{
		{Metric: result.RackName, Text: names},
		{Metric: result.RackLimit, Numbers: limit},
		{Metric: result.RackPeak, Numbers: peak},
		{Metric: result.LowestClock, Numbers: clock},
	}}
}

// rackPeaks is the most that the hosts of each rack draw beyond idling.
func (p *plant) rackPeaks(end sim.Time) []float64 {
	t := p.topology
	trace := make([]result.Bins, len(t.Racks))
	if p.queued != nil {
		for i, s := range p.queued.trace.Stretches(end) {
			above := map[int]float64{}
			var racks []int // in the order of accelerators
			for _, span := range p.queued.trace.Spans(i) {
				for a := span.First; a <= span.Last; a++ {
					r := t.Servers[t.Server(a)].Rack
					if _, known := above[r]; !known {
						racks = append(racks, r)
					}
					above[r] += p.partOf(int(s.Job)) * p.draws(a).Above(1, 0)
				}
			}
			for _, r := range racks {
				trace[r].Add(s.From, s.To, above[r], max(p.cluster.SeriesBins, 1))
			}
		}
	}
	peaks := make([]float64, len(t.Racks))
	for r := range t.Racks {
		_, rates := p.cluster.Weighed(end, func(l *cluster.Ledger) (compute, communicate float64) {
			for _, a := range l.Accelerators {
				if t.Servers[t.Server(a)].Rack == r {
					compute, communicate = compute+p.aboveIdle(a, 1, 0), communicate+p.aboveIdle(a, 0, 1)
				}
			}
			return compute, communicate
		}, &trace[r])
		if len(rates) > 0 {
			peaks[r] = slices.Max(rates)
		}
	}
	return peaks
}
