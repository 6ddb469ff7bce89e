package study

import (
	"github.com/railyard/railyard/datacenter"
	"github.com/railyard/railyard/price"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
)

// Topology says what the topology of a scenario is made of, what it can carry, how long
// its ways are and what it costs. What is wrong with the scenario is returned as Faults.
func Topology(s *scenario.Scenario) (*result.Record, error) {
	built, faults := s.BuildTopology()
	if faults != nil {
		return nil, faults
	}
	t := built.Topology
	survey := t.Survey()
	r := &result.Record{}
	r.Add(result.Name, s.Name.Value)
	r.Add(result.Cluster, datacenter.ClusterRecord(t))
	var tiers, cables []*result.Record
	for i := range survey.Tiers {
		tier := &survey.Tiers[i]
		x := &result.Record{}
		x.Add(result.TierName, tier.Name)
		x.Add(result.TierNodes, int64(tier.Nodes))
		x.Add(result.TierDown, tier.Down)
		x.Add(result.TierUp, tier.Up)
		x.Add(result.TierOversubscription, tier.Oversubscription())
		tiers = append(tiers, x)
	}
	access := 0.0
	for _, c := range survey.Cables {
		x := &result.Record{}
		x.Add(result.CableFrom, survey.Tiers[c.From].Name)
		x.Add(result.CableTo, survey.Tiers[c.To].Name)
		x.Add(result.CableCount, int64(c.Count))
		x.Add(result.CableLeast, c.Least)
		x.Add(result.CableMost, c.Most)
		cables = append(cables, x)
		if c.IntoHost {
			access += c.Total
		}
	}
	r.Add(result.Tiers, tiers)
	r.Add(result.CableList, cables)
	bisection := t.Bisection()
	r.Add(result.BisectionRate, bisection)
	if access > 0 {
		r.Add(result.BisectionShare, bisection/(access/2))
	}
	addWays(r, t.Walk(uint64(s.Sim.Seed.Value)))
	if !t.Bare() && survey.Ports > 0 {
		cost := price.OfFabric(t, survey, &s.Topology.Prices)
		x := &result.Record{}
		x.Add(result.CostSwitches, cost.Switches)
		x.Add(result.CostTrunks, cost.Trunks)
		x.Add(result.CostAccess, cost.Access)
		x.Add(result.CostTotal, cost.Total())
		x.Add(result.CostPerAccelerator, cost.Total()/float64(t.Accelerators()))
		r.Add(result.FabricCost, x)
	}
	return r, nil
}

// addWays adds what the ways between accelerators are like.
func addWays(r *result.Record, w *topology.Walk) {
	var hops []*result.Record
	for n, pairs := range w.Hops {
		if pairs > 0 {
			x := &result.Record{}
			x.Add(result.HopCount, int64(n))
			x.Add(result.HopPairs, pairs)
			hops = append(hops, x)
		}
	}
	r.Add(result.Hops, hops)
	r.Add(result.HopMean, w.Mean())
	r.Add(result.Diameter, int64(w.Diameter()))
	r.Add(result.HopsSampled, w.Sampled)
	wrong := []*result.Record{}
	for _, text := range w.Wrong {
		x := &result.Record{}
		x.Add(result.ProblemText, text)
		wrong = append(wrong, x)
	}
	r.Add(result.Problems, wrong)
}

// PlotTopology draws the topology of a scenario into a file, whose name ends in .svg or
// .png: hosts at the bottom, and the tiers of switches above.
func PlotTopology(s *scenario.Scenario, file string) error {
	built, faults := s.BuildTopology()
	if faults != nil {
		return faults
	}
	t := built.Topology
	links := make([]report.NetworkLink, len(t.Links))
	for i := range t.Links {
		l := &t.Links[i]
		links[i] = report.NetworkLink{From: t.NodeName(l.From), To: t.NodeName(l.To), Rate: l.Capacity, Utilization: result.Missing}
	}
	return report.PlotNetwork(file, s.Name.Value+": "+t.Kind, links)
}
