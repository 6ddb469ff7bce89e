package datacenter

import (
	"github.com/railyard/railyard/price"
	"github.com/railyard/railyard/result"
)

// secondsPerHour turns times into hours, perMillion costs into those of a million.
const (
	secondsPerHour = 3600
	perMillion     = 1e6
)

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
		if p.power.Battery != nil && seconds > 0 {
			joules = p.consumed.grid.Integral(0, seconds)
		}
	}
	costs := price.For(p.topology, s, seconds, joules)
	if prices, _ := s.OwnConditions(); prices && costs.Bought != nil {
		costs.Energy = 0
		for _, use := range p.consumeBySite(p.engine.Now()) {
			costs.Energy += use.price
		}
	}
	total := costs.Total()
	x.Add(result.CostTotal, total)
	if costs.Bought == nil {
		x.Add(result.CostRent, costs.Rent)
	} else {
		x.Add(result.CostCapital, costs.Capital)
		x.Add(result.CostEnergy, costs.Energy)
		x.Add(result.CostPurchase, purchaseRecord(costs.Bought))
	}
	x.Add(result.CostPerHour, result.Ratio(total, hours))
	jobs := []*result.Record{}
	for i, j := range p.cluster.Jobs {
		if p.row(i) >= 0 || !j.Started {
			continue
		}
		held := float64(len(j.Accelerators)) * p.heldFor(i).Seconds() / secondsPerHour
		share := total * result.Ratio(held, n*hours)
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

func purchaseRecord(p *price.Purchase) *result.Record {
	x := &result.Record{}
	x.Add(result.CostTotal, p.Total())
	x.Add(result.BoughtAccelerators, p.Accelerators)
	x.Add(result.BoughtServers, p.Hosts)
	x.Add(result.CostSwitches, p.Switches)
	x.Add(result.BoughtCables, p.Cables)
	x.Add(result.BoughtStorage, p.Storage)
	x.Add(result.BoughtRacks, p.Racks)
	return x
}
