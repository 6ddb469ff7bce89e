package datacenter

import (
	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/result"
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
	perMillion         = 1e6
	defaultAccelerator = defaultBoard / defaultBoardHolds
	defaultRest        = (defaultServer - defaultBoard) / defaultBoardHolds // of a host, for each accelerator
)

// purchase is what a data centre costs to buy, in USD.
type purchase struct {
	accelerators, servers, switches, cables, storage, racks float64
}

func (p *purchase) total() float64 {
	return p.accelerators + p.servers + p.switches + p.cables + p.storage + p.racks
}

// purchaseOf prices a topology by [topology.cost] and, for the fabric, [topology.prices].
func purchaseOf(t *topology.Topology, s *scenario.Topology) *purchase {
	c := s.Cost
	p := &purchase{storage: float64(c.Storage.Value), racks: float64(racks(t, c)) * float64(c.Rack.Value)}
	if t.Bare() {
		each := defaultAccelerator
		if c.Accelerator.Set {
			each = float64(c.Accelerator.Value)
		}
		p.accelerators = float64(t.Accelerators()) * each
	}
	for i := range t.Servers {
		accelerators, rest := hostPrices(t.Servers[i].Spec, c)
		p.accelerators += accelerators
		p.servers += rest
	}
	f := priceFabric(t, t.Survey(), &s.Prices)
	p.switches, p.cables = f.switches, f.trunks+f.access
	return p
}

// racks is how many there are.
func racks(t *topology.Topology, c *scenario.Cost) int {
	if c == nil || !c.RackHosts.Set {
		return len(t.Racks)
	}
	each := int(c.RackHosts.Value)
	return (len(t.Servers) + each - 1) / each
}

// bill is what a data centre costs for a time, in USD.
type bill struct {
	bought                *purchase // nil: it is rented
	capital, energy, rent float64
}

func (b *bill) total() float64 { return b.capital + b.energy + b.rent }

// billFor is what a topology costs for so many seconds in which it takes so many joules
// of the grid.
func billFor(t *topology.Topology, s *scenario.Topology, seconds, joules float64) *bill {
	hours := seconds / secondsPerHour
	if c := s.Cost; c.Rental.Set {
		return &bill{rent: float64(c.Rental.Value) * float64(t.Accelerators()) * hours}
	}
	b := &bill{bought: purchaseOf(t, s), energy: joules / energy.JoulesPerKWh * float64(s.Cost.Tariff.Value)}
	years := s.Cost.Years.Value
	b.capital = (b.bought.total() - b.bought.racks) / (years * hoursPerYear) * hours
	if s.Cost.RackYears.Set {
		years = s.Cost.RackYears.Value
	}
	b.capital += b.bought.racks / (years * hoursPerYear) * hours
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

// fabricPrice is what switches, cables between them and cables to NICs cost.
type fabricPrice struct{ switches, trunks, access float64 }

func (f *fabricPrice) total() float64 { return f.switches + f.trunks + f.access }

// priceFabric prices a fabric by [topology.prices]; bare accelerators have none.
func priceFabric(t *topology.Topology, survey *topology.Survey, prices *scenario.NetworkPrices) *fabricPrice {
	f := &fabricPrice{}
	if t.Bare() || survey.Ports == 0 {
		return f
	}
	gigabits := func(rate float64) float64 { return rate * 8 / 1e9 }
	f.switches = gigabits(survey.PortRate) * float64(prices.Switch.Value)
	for _, c := range survey.Cables {
		switch {
		case c.IntoHost:
			f.access += gigabits(c.Total) * float64(prices.Access.Value)
		case c.BetweenSwitch:
			f.trunks += gigabits(c.Total) * float64(prices.Trunk.Value)
		}
	}
	return f
}

// addCost adds what the run cost to its results.
func (p *plant) addCost(r *Result, seconds float64) {
	s := p.scenario.Topology
	if s.Cost == nil {
		return
	}
	x := &result.Record{}
	hours, n := seconds/secondsPerHour, float64(p.topology.Accelerators())
	joules := 0.0
	if p.consumed != nil {
		joules = p.consumed.total
		if p.power.battery != nil && seconds > 0 {
			joules = p.consumed.grid.Integral(0, seconds)
		}
	}
	costs := billFor(p.topology, s, seconds, joules)
	if prices, _ := p.ownConditions(); prices && costs.bought != nil {
		costs.energy = 0
		for _, use := range p.consumeBySite(p.engine.Now()) {
			costs.energy += use.price
		}
	}
	total := costs.total()
	x.Add(result.CostTotal, total)
	if costs.bought == nil {
		x.Add(result.CostRent, costs.rent)
	} else {
		x.Add(result.CostCapital, costs.capital)
		x.Add(result.CostEnergy, costs.energy)
		x.Add(result.CostPurchase, purchaseRecord(costs.bought))
	}
	x.Add(result.CostPerHour, ratio(total, hours))
	jobs := []*result.Record{}
	for i, j := range p.cluster.Jobs {
		if p.row(i) >= 0 || !j.Started {
			continue
		}
		held := float64(len(j.Accelerators)) * p.heldFor(i).Seconds() / secondsPerHour
		share := total * ratio(held, n*hours)
		y := &result.Record{}
		y.Add(result.Name, j.Name)
		y.Add(result.CostHours, held)
		y.Add(result.JobCost, share)
		samples, tokens := p.produced(i)
		if tokens > 0 {
			y.Add(result.CostPerTokens, share/tokens*perMillion)
		}
		if samples > 0 {
			y.Add(result.CostPerSamples, share/samples*perMillion)
		}
		jobs = append(jobs, y)
	}
	x.Add(result.CostJobs, jobs)
	r.Summary.Add(result.Cost, x)
}

func purchaseRecord(p *purchase) *result.Record {
	x := &result.Record{}
	x.Add(result.CostTotal, p.total())
	x.Add(result.BoughtAccelerators, p.accelerators)
	x.Add(result.BoughtServers, p.servers)
	x.Add(result.CostSwitches, p.switches)
	x.Add(result.BoughtCables, p.cables)
	x.Add(result.BoughtStorage, p.storage)
	x.Add(result.BoughtRacks, p.racks)
	return x
}
