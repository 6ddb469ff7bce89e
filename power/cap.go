package power

import (
	"slices"

	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// Limits are what limits of power and cooling come to.
type Limits struct {
	Clocks []float64 // of the accelerators of each server, of the full one
	Rack   float64   // W, of each; 0: none
}

// Lowest is the lowest clock.
func (l *Limits) Lowest() float64 { return slices.Min(l.Clocks) }

// Lowered says whether a limit of power lowers any clock. Without a model there is none.
func (m *Model) Lowered() bool { return m != nil && m.Limits != nil && m.Limits.Lowest() < 1 }

// Cap lowers the clocks of accelerators so far that no limit of power or cooling is
// exceeded even if all of them work at once, as limits that are set once do: within a
// limit all have the same part of what they draw beyond idling. It gives the topology with
// these clocks.
func (m *Model) Cap(s *scenario.Scenario, t *topology.Topology) (*topology.Topology, scenario.Faults) {
	p := s.Topology.PowerModel()
	if !p.Limited() {
		return t, nil
	}
	r := reader{scenario: s, topology: t, model: m}
	if t.Bare() {
		r.fault(p.At, p.Path, "limits of power take a topology of hosts")
		return t, r.faults
	}
	share := slices.Repeat([]float64{1}, len(t.Servers))
	lower := func(limit scenario.Key[units.Power], key, whose string, servers []int, overhead, beside float64) {
		if !limit.Set || r.faults != nil {
			return
		}
		x := energy.Budget{Limit: float64(limit.Value) / overhead, Fixed: beside}
		for _, s := range servers {
			d, n := m.kinds[t.Servers[s].Spec], float64(t.Servers[s].Spec.Accelerators)
			x.Fixed += n * (d.Accelerator.Idle + d.Host.most())
			x.Dynamic += n * (d.Accelerator.most() - d.Accelerator.Idle)
		}
		g := x.Share()
		if g <= 0 || energy.Clock(g, p.Exponent.Value) < p.LowestClock.Value {
			r.fault(limit.Pos, p.Path+"."+key, "%s draws %.5g W with its accelerators idle and %.5g W at full clocks: the limit wants clocks below the lowest, %.3g of the full ones",
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
		if d, n := m.kinds[t.Servers[s].Spec], t.Servers[s].Spec.Accelerators; n > 0 && p.AcceleratorCap.Set {
			beside := -float64(n) * d.Host.most() // which this limit leaves out
			lower(scenario.Key[units.Power]{Value: p.AcceleratorCap.Value * units.Power(n), Set: true, Pos: p.AcceleratorCap.Pos}, "accelerator_cap", t.ServerName(s), []int{s}, 1, beside)
		}
	}
	for rack, servers := range racks {
		lower(p.RackCap, "rack_cap", t.Racks[rack].Name, servers, 1, 0)
		lower(p.RackCooling, "rack_cooling", t.Racks[rack].Name, servers, 1, 0)
	}
	for _, site := range names {
		servers := sites[site]
		switches := m.Switches * float64(len(servers)) / float64(len(t.Servers))
		lower(p.SiteCap, "site_cap", site, servers, m.PUE, switches)
		lower(p.SiteCooling, "site_cooling", site, servers, 1, switches)
	}
	if r.faults != nil {
		return t, r.faults
	}
	return m.setClocks(p, t, share), nil
}

// setClocks has accelerators draw shares of what they do at full clocks.
func (m *Model) setClocks(p *scenario.Power, full *topology.Topology, share []float64) *topology.Topology {
	l := &Limits{Clocks: make([]float64, len(share)), Rack: float64(p.RackCap.Value)}
	if p.RackCooling.Set && (!p.RackCap.Set || p.RackCooling.Value < p.RackCap.Value) {
		l.Rack = float64(p.RackCooling.Value)
	}
	for s, g := range share {
		l.Clocks[s] = energy.Clock(g, p.Exponent.Value)
	}
	clocked := full.Clocked(l.Clocks)
	for s := range clocked.Servers {
		d := m.kinds[full.Servers[s].Spec]
		d.Accelerator.Compute = d.Accelerator.Idle + share[s]*(d.Accelerator.Compute-d.Accelerator.Idle)
		d.Accelerator.Communicate = d.Accelerator.Idle + share[s]*(d.Accelerator.Communicate-d.Accelerator.Idle)
		m.kinds[clocked.Servers[s].Spec] = d
	}
	m.Limits = l
	return clocked
}
