package datacenter

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// siteUse is what a site took.
type siteUse struct {
	joules, price, emitted float64 // J, USD, g
}

// consumeBySite finds what each site took until the end, as consume does of all together:
// the energy is exact, and its price and emissions are by the power over time, constant
// within an interval, with what it costs and emits then. A battery is all sites' by the
// power that they draw.
func (p *plant) consumeBySite(end sim.Time) []siteUse {
	t, w := p.topology, p.power
	uses := make([]siteUse, len(p.sites.names))
	switches := p.switchShares()
	for site := range uses {
		here := func(a topology.NodeID) bool { return t.SiteOf(a) == site }
		idle := switches[site] * w.Switches
		for a := range topology.NodeID(t.Accelerators()) {
			if here(a) {
				idle += p.draws(a).Idle()
			}
		}
		for i := range t.Servers {
			if s := t.Servers[i].Spec; s.Accelerators == 0 && t.SiteOfServer(i) == site {
				idle += float64(s.Power)
			}
		}
		of := func(l *cluster.Ledger, compute, communicate float64) (sum float64) {
			for _, a := range l.Accelerators {
				if here(a) {
					sum += p.aboveIdle(a, compute, communicate)
				}
			}
			return sum
		}
		var trace result.Bins
		joules := idle*end.Seconds() + p.traceAbove(here, &trace, end)
		for _, l := range p.cluster.Ledgers() {
			joules += of(l, l.ComputeBy(end).Seconds(), l.Exposed.Seconds())
		}
		joules *= w.PUE
		load := energy.Steps{At: []float64{0}, Values: []float64{result.Ratio(joules, end.Seconds())}}
		width, rates := p.cluster.Weighed(end, func(l *cluster.Ledger) (float64, float64) { return of(l, 1, 0), of(l, 0, 1) }, &trace)
		for i, above := range rates {
			if i == 0 {
				load = energy.Steps{}
			}
			load.At, load.Values = append(load.At, (sim.Time(i)*width).Seconds()), append(load.Values, (idle+above)*w.PUE)
		}
		x := &uses[site]
		x.joules = joules
		x.price = load.IntegralWith(p.drawn(p.consumed, p.sites.prices[site], end), 0, end.Seconds()) / energy.JoulesPerKWh
		if p.sites.carbon != nil {
			x.emitted = energy.Emissions(load, p.drawn(p.consumed, p.sites.carbon[site], end), 0, end.Seconds())
		}
	}
	return uses
}

// traceAbove is the energy beyond idling of the jobs of traces on some accelerators, in J
// without the site's overhead; its power goes into a series, too.
func (p *plant) traceAbove(here func(topology.NodeID) bool, over *result.Bins, end sim.Time) (joules float64) {
	if p.queued == nil {
		return 0
	}
	bins := max(p.cluster.SeriesBins, 1)
	for i, s := range p.queued.trace.Stretches(end) {
		part, above := p.partOf(int(s.Job)), 0.0
		for _, span := range p.queued.trace.Spans(i) {
			for a := span.First; a <= span.Last; a++ {
				if here(a) {
					above += part * p.draws(a).Above(1, 0)
				}
			}
		}
		joules += above * (s.To - s.From).Seconds()
		over.Add(s.From, s.To, above, bins)
	}
	return joules
}

// switchShares is what part of the rate of all switches' ports each site has.
func (p *plant) switchShares() []float64 {
	t := p.topology
	shares, whole := make([]float64, len(p.sites.names)), 0.0
	for site := range shares {
		shares[site] = t.SitePortRate(site)
		whole += shares[site]
	}
	for site := range shares {
		shares[site] = result.Ratio(shares[site], whole)
	}
	return shares
}
