package datacenter

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// capped is what limits of power and cooling come to.
type capped struct {
	clock []float64 // of the accelerators of each server
	rack  float64   // W, of each; 0: none
}

func (c *capped) lowest() float64 { return slices.Min(c.clock) }

// limited says whether power has a limit.
func (w *powered) limited() bool { return w != nil && w.capped != nil }

// lowered says whether a limit of power lowers any clock.
func (w *powered) lowered() bool { return w.limited() && w.capped.lowest() < 1 }

// clock is the part of its full clock at which an accelerator runs.
func (p *plant) clock(a topology.NodeID) float64 {
	if !p.power.limited() {
		return 1
	}
	return p.power.capped.clock[p.topology.Server(a)]
}

// capPower lowers the clocks of accelerators so far that no limit of power or cooling is
// exceeded even if all of them work at once, as limits that are set once do: within a
// limit all have the same part of what they draw beyond idling.
func (b *builder) capPower() {
	if b.power == nil || b.faults != nil {
		return
	}
	p := b.scenario.Topology.PowerModel()
	if !p.Limited() {
		return
	}
	if b.topology.Bare() {
		b.fault(p.At, p.Path, "limits of power take a topology of hosts")
		return
	}
	t := b.topology
	share := slices.Repeat([]float64{1}, len(t.Servers))
	lower := func(limit scenario.Key[units.Power], key, whose string, servers []int, overhead, beside float64) {
		if !limit.Set || b.faults != nil {
			return
		}
		x := energy.Budget{Limit: float64(limit.Value) / overhead, Fixed: beside}
		for _, s := range servers {
			d, n := b.power.kinds[t.Servers[s].Spec], float64(t.Servers[s].Spec.Accelerators)
			x.Fixed += n * (d.accelerator.idle + d.host.most())
			x.Dynamic += n * (d.accelerator.most() - d.accelerator.idle)
		}
		g := x.Share()
		if g <= 0 || energy.Clock(g, p.Exponent.Value) < p.LowestClock.Value {
			b.fault(limit.Pos, p.Path+"."+key, "%s draws %.5g W with its accelerators idle and %.5g W at full clocks: the limit wants clocks below the lowest, %.3g of the full ones",
				whose, x.Fixed*overhead, (x.Fixed+x.Dynamic)*overhead, p.LowestClock.Value)
			return
		}
		for _, s := range servers {
			share[s] = min(share[s], g)
		}
	}
	racks, sites := make([][]int, len(t.Racks)), map[string][]int{}
	var names []string // of sites, in their order
	for s := range t.Servers {
		rack := t.Servers[s].Rack
		site := t.Racks[rack].Site
		if sites[site] == nil {
			names = append(names, site)
		}
		racks[rack], sites[site] = append(racks[rack], s), append(sites[site], s)
		if d, n := b.power.kinds[t.Servers[s].Spec], t.Servers[s].Spec.Accelerators; n > 0 && p.AcceleratorCap.Set {
			beside := -float64(n) * d.host.most() // which this limit leaves out
			lower(scenario.Key[units.Power]{Value: p.AcceleratorCap.Value * units.Power(n), Set: true, Pos: p.AcceleratorCap.Pos}, "accelerator_cap", t.ServerName(s), []int{s}, 1, beside)
		}
	}
	for rack, servers := range racks {
		lower(p.RackCap, "rack_cap", t.Racks[rack].Name, servers, 1, 0)
		lower(p.RackCooling, "rack_cooling", t.Racks[rack].Name, servers, 1, 0)
	}
	for _, site := range names {
		servers := sites[site]
		switches := b.power.switches * float64(len(servers)) / float64(len(t.Servers))
		lower(p.SiteCap, "site_cap", site, servers, b.power.pue, switches)
		lower(p.SiteCooling, "site_cooling", site, servers, 1, switches)
	}
	if b.faults != nil {
		return
	}
	b.setClocks(p, share)
}

// setClocks has accelerators draw shares of what they do at full clocks.
func (b *builder) setClocks(p *scenario.Power, share []float64) {
	c := &capped{clock: make([]float64, len(share)), rack: float64(p.RackCap.Value)}
	if p.RackCooling.Set && (!p.RackCap.Set || p.RackCooling.Value < p.RackCap.Value) {
		c.rack = float64(p.RackCooling.Value)
	}
	for s, g := range share {
		c.clock[s] = energy.Clock(g, p.Exponent.Value)
	}
	full := b.topology
	b.topology = full.Clocked(c.clock)
	for s := range b.topology.Servers {
		d := b.power.kinds[full.Servers[s].Spec]
		d.accelerator.compute = d.accelerator.idle + share[s]*(d.accelerator.compute-d.accelerator.idle)
		d.accelerator.communicate = d.accelerator.idle + share[s]*(d.accelerator.communicate-d.accelerator.idle)
		b.power.kinds[b.topology.Servers[s].Spec] = d
	}
	b.power.capped = c
}

// maxRackSeries bounds racks times gangs of which power over time is found rack by rack.
const maxRackSeries = 1 << 20

// rackTable is what limits came to in each rack.
func (p *plant) rackTable(end sim.Time) *result.Table {
	t, c := p.topology, p.power.capped
	n := len(t.Racks)
	names, limit, peak, clock := make([]string, n), make([]float64, n), make([]float64, n), make([]float64, n)
	idle := make([]float64, n)
	for r := range t.Racks {
		names[r], limit[r], peak[r], clock[r] = t.Racks[r].Name, result.Missing, result.Missing, 1
		if c.rack > 0 {
			limit[r] = c.rack
		}
	}
	for s := range t.Servers {
		spec, r := t.Servers[s].Spec, t.Servers[s].Rack
		idle[r] += float64(spec.Accelerators) * p.power.kinds[spec].idle()
		clock[r] = min(clock[r], c.clock[s])
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
					above[r] += p.partOf(int(s.Job)) * p.draws(a).above(1, 0)
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
					d := p.draws(a)
					compute, communicate = compute+d.above(1, 0), communicate+d.above(0, 1)
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
