// Package price says what a data centre costs: to buy, by its parts, and for a time.
//
// Accelerators and the rest of their hosts have the prices of [topology.cost] or of the
// catalogue, and otherwise those of a DGX H100; ports of switches and cables are priced by
// their rate ([topology.prices]). What is bought is paid in equal parts over its years,
//
//	cost(time) = purchase time / years + energy tariff
//
// with racks over years of their own; what is rented costs its rate for each accelerator,
// energy included. Left out: interest, staff, and what is left of the value.
package price

import (
	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
)

// What hardware costs where neither the scenario nor the catalogue says: a DGX H100 of
// 269,010 USD, 195,000 of it for the board with its eight accelerators (SemiAnalysis,
// "AI Server Cost Analysis", May 2023).
const (
	defaultServer      = 269010.0
	defaultBoard       = 195000.0
	defaultBoardHolds  = 8
	hoursPerYear       = 365.25 * 24
	secondsPerHour     = 3600
	defaultAccelerator = defaultBoard / defaultBoardHolds
	defaultRest        = (defaultServer - defaultBoard) / defaultBoardHolds // of a host, for each accelerator
)

// Purchase is what a data centre costs to buy, in USD. Hosts are without their
// accelerators.
type Purchase struct {
	Accelerators, Hosts, Switches, Cables, Storage, Racks float64
}

// Total is what all of it costs, in USD.
func (p *Purchase) Total() float64 {
	return p.Accelerators + p.Hosts + p.Switches + p.Cables + p.Storage + p.Racks
}

// purchaseOf prices a topology by [topology.cost] and, for the fabric, [topology.prices].
func purchaseOf(t *topology.Topology, s *scenario.Topology) *Purchase {
	c := s.Cost
	p := &Purchase{Storage: float64(c.Storage.Value), Racks: float64(Racks(t, c)) * float64(c.Rack.Value)}
	if t.Bare() {
		each := defaultAccelerator
		if c.Accelerator.Set {
			each = float64(c.Accelerator.Value)
		}
		p.Accelerators = float64(t.Accelerators()) * each
	}
	for i := range t.Servers {
		accelerators, rest := hostPrices(t.Servers[i].Spec, c)
		p.Accelerators += accelerators
		p.Hosts += rest
	}
	f := OfFabric(t, t.Survey(), &s.Prices)
	p.Switches, p.Cables = f.Switches, f.Trunks+f.Access
	return p
}

// Racks is how many there are: those of the topology, or as many as [topology.cost] says
// that hosts fill.
func Racks(t *topology.Topology, c *scenario.Cost) int {
	if c == nil || !c.RackHosts.Set {
		return len(t.Racks)
	}
	each := int(c.RackHosts.Value)
	return (len(t.Servers) + each - 1) / each
}

// Bill is what a data centre costs for a time, in USD.
type Bill struct {
	Bought                *Purchase // nil: it is rented
	Capital, Energy, Rent float64
}

// Total is what is to be paid, in USD.
func (b *Bill) Total() float64 { return b.Capital + b.Energy + b.Rent }

// For is what a topology costs for so many seconds in which it takes so many joules of the
// grid. The scenario must have a [topology.cost].
func For(t *topology.Topology, s *scenario.Topology, seconds, joules float64) *Bill {
	hours := seconds / secondsPerHour
	if c := s.Cost; c.Rental.Set {
		return &Bill{Rent: float64(c.Rental.Value) * float64(t.Accelerators()) * hours}
	}
	b := &Bill{Bought: purchaseOf(t, s), Energy: joules / energy.JoulesPerKWh * float64(s.Cost.Tariff.Value)}
	years := s.Cost.Years.Value
	b.Capital = (b.Bought.Total() - b.Bought.Racks) / (years * hoursPerYear) * hours
	if s.Cost.RackYears.Set {
		years = s.Cost.RackYears.Value
	}
	b.Capital += b.Bought.Racks / (years * hoursPerYear) * hours
	return b
}

// hostPrices are those of a host's accelerators and of its rest. Another price of the
// accelerators leaves the rest as it is.
func hostPrices(h *topology.Host, c *scenario.Cost) (accelerators, rest float64) {
	n := float64(h.Accelerators)
	whole := float64(h.Price)
	switch {
	case h.Accelerator.Price > 0:
		accelerators = n * float64(h.Accelerator.Price)
	case whole > 0:
		accelerators = whole * defaultBoard / defaultServer
	default:
		accelerators = n * defaultAccelerator
	}
	rest = n * defaultRest
	if whole > 0 {
		rest = max(0, whole-accelerators)
	}
	if c.Accelerator.Set {
		accelerators = n * float64(c.Accelerator.Value)
	}
	if c.Server.Set {
		rest = float64(c.Server.Value)
	}
	return accelerators, rest
}

// Fabric is what switches, cables between them and cables to NICs cost, in USD.
type Fabric struct{ Switches, Trunks, Access float64 }

// Total is what all of it costs, in USD.
func (f *Fabric) Total() float64 { return f.Switches + f.Trunks + f.Access }

// OfFabric prices a fabric by [topology.prices]; bare accelerators have none.
func OfFabric(t *topology.Topology, survey *topology.Survey, prices *scenario.NetworkPrices) *Fabric {
	f := &Fabric{}
	if t.Bare() || survey.Ports == 0 {
		return f
	}
	gigabits := func(rate float64) float64 { return rate * 8 / 1e9 }
	f.Switches = gigabits(survey.PortRate) * float64(prices.Switch.Value)
	for _, c := range survey.Cables {
		switch {
		case c.IntoHost:
			f.Access += gigabits(c.Total) * float64(prices.Access.Value)
		case c.BetweenSwitch:
			f.Trunks += gigabits(c.Total) * float64(prices.Trunk.Value)
		}
	}
	return f
}
