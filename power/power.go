// Package power is what the parts of a data centre draw, as a scenario says it, and how
// far limits of power and cooling lower the clocks of accelerators.
//
// An accelerator computes, communicates or is idle at any instant, and draws what its curve
// ([energy.Curve]) gives at the utilization of each ([topology.power]). Of its host beside
// the accelerators each has an equal part, which draws its idle or its full power as the
// accelerator does. Switches draw by the rate of their ports, at any time, and the site
// draws its PUE times what its machines do. What the scenario leaves out is that of the
// catalogue.
//
// Limits are set once, for the worst case ([Model.Cap]): all accelerators under a limit
// work at once, and each has the same share of what it draws beyond idling, at the clock
// that this power allows ([energy.Clock]).
package power

import (
	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
)

// defaultIdle is what an accelerator draws without work, of what it draws at full
// utilization: 80.3 of 700 W, an H200. defaultHostIdle is the same of the rest of its
// host.
const (
	defaultIdle     = 80.3 / 700
	defaultHostIdle = 0.5
)

// Draw is the power of an accelerator, or of its part of its host, in W: without work,
// while it computes, and while it communicates and computes nothing.
type Draw struct{ Idle, Compute, Communicate float64 }

// Above is the energy beyond idling, in J, of so many seconds.
func (d Draw) Above(compute, communicate float64) float64 {
	return (d.Compute-d.Idle)*compute + (d.Communicate-d.Idle)*communicate
}

// most is what is drawn at the most.
func (d Draw) most() float64 { return max(d.Compute, d.Communicate) }

// Draws are those of an accelerator and of its part of its host.
type Draws struct{ Accelerator, Host Draw }

// Idle is what both draw without work, in W.
func (d Draws) Idle() float64 { return d.Accelerator.Idle + d.Host.Idle }

// Above is the energy of both beyond idling, in J, of so many seconds.
func (d Draws) Above(compute, communicate float64) float64 {
	return d.Accelerator.Above(compute, communicate) + d.Host.Above(compute, communicate)
}

// Model is what the parts of a data centre draw.
type Model struct {
	Switches float64         // W of all, at any time
	Hosts    float64         // W of all without accelerators, at any time
	PUE      float64         // power of the site over that of its machines
	Grid     *energy.Steps   // its intensity, g/kWh; nil: not asked for
	Battery  *energy.Battery // nil: there is none
	Limits   *Limits         // nil: power has no limit

	kinds map[*topology.Host]Draws // of each kind of host; of nil: bare accelerators
}

// Of are the draws of the accelerators of a kind of host; nil is bare accelerators.
func (m *Model) Of(host *topology.Host) Draws { return m.kinds[host] }

// Read reads what a scenario says of power, where it asks for energy: by
// [topology.power], by [topology.carbon], by a [topology.cost] that is not a rent, or by
// prices or intensities of sites. Else there is no model.
func Read(s *scenario.Scenario, built *topology.Topology) (*Model, scenario.Faults) {
	r := reader{scenario: s, topology: built}
	r.read()
	return r.model, r.faults
}

// reader gathers what is wrong.
type reader struct {
	scenario *scenario.Scenario
	topology *topology.Topology
	model    *Model
	faults   scenario.Faults
}

func (r *reader) fault(at scenario.Position, key, format string, args ...any) {
	r.faults = append(r.faults, at.Faultf(key, "%s: "+format, append([]any{key}, args...)...))
}

func (r *reader) read() {
	t := r.scenario.Topology
	owned := t.Cost != nil && !t.Cost.Rental.Set
	prices, carbon := t.OwnConditions()
	if t.Power == nil && t.Carbon == nil && !owned && !prices && !carbon {
		return
	}
	p := t.PowerModel()
	m := &Model{kinds: map[*topology.Host]Draws{}, PUE: p.PUE.Value}
	gigabits := r.topology.Survey().PortRate * 8 / 1e9
	if !r.topology.Bare() {
		m.Switches = gigabits * float64(p.Switch.Value)
	}
	var points []energy.Point
	if p.Curve.Set {
		var faults scenario.Faults
		points, faults = r.scenario.ReadCurve(p)
		r.faults = append(r.faults, faults...)
	}
	if c := t.Carbon; c != nil {
		grid, faults := r.scenario.ReadCarbon(c)
		r.faults = append(r.faults, faults...)
		m.Grid = &grid
	}
	if x := t.Battery; x != nil {
		m.Battery = &energy.Battery{Capacity: float64(x.Capacity.Value), Charge: float64(x.Charge.Value), Threshold: x.Threshold.Value}
	}
	if r.faults != nil {
		return
	}
	r.model = m
	if r.topology.Bare() && r.topology.Accelerators() > 0 {
		r.readDraws(p, nil, points)
	}
	for i := range r.topology.Servers {
		spec := r.topology.Servers[i].Spec
		if spec.Accelerators == 0 {
			m.Hosts += float64(spec.Power)
			continue
		}
		if _, known := m.kinds[spec]; !known {
			m.kinds[spec] = Draws{}
			r.readDraws(p, spec, points)
		}
	}
}

// readDraws finds what an accelerator of a kind of host draws, and its part of the host.
func (r *reader) readDraws(p *scenario.Power, spec *topology.Host, points []energy.Point) {
	at := p.Accelerator.Pos.Or(p.At.Or(r.scenario.Topology.At))
	shape, _ := energy.ParseShape(p.Model.Value)
	c := energy.Curve{
		Shape: shape, Max: float64(p.Accelerator.Value), Points: points,
		Batch: p.Batch.Value, Steepness: p.Steepness.Value, Midpoint: p.Midpoint.Value,
	}
	rated := 0.0 // of the data sheet, which the host's power includes
	if spec != nil {
		rated = float64(spec.Accelerator.Power)
	}
	if !p.Accelerator.Set {
		c.Max = rated
	}
	if c.Max == 0 && shape != energy.Measured {
		what := "bare accelerators have no entry in the catalogue"
		if spec != nil {
			what = spec.Accelerator.Name + " has no power in the catalogue"
		}
		r.fault(at, p.Path+".accelerator", "is missing: %s", what)
		return
	}
	c.Idle = defaultIdle * c.Max
	if p.Idle.Set {
		c.Idle = float64(p.Idle.Value)
	}
	if err := c.Validate(); err != nil {
		r.fault(p.Idle.Pos.Or(at), p.Path+".accelerator_idle", "%v", err)
		return
	}
	own := Draw{c.Power(0), c.Power(p.Compute.Value), c.Power(p.Communication.Value)}
	if spec == nil {
		r.model.kinds[nil] = Draws{Accelerator: own}
		return
	}
	n := float64(spec.Accelerators)
	rest := max(0, float64(spec.Power)-n*rated)
	if p.Host.Set {
		rest = float64(p.Host.Value)
	}
	idle := defaultHostIdle * rest
	if p.HostIdle.Set {
		idle = float64(p.HostIdle.Value)
	}
	if idle > rest {
		r.fault(p.HostIdle.Pos, p.Path+".host_idle", "is more than the %v W that %s draws beside its accelerators", rest, spec.Name)
	}
	r.model.kinds[spec] = Draws{own, Draw{idle / n, rest / n, rest / n}}
}
