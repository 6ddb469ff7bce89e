package datacenter

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
)

// emit finds what each job emitted until the end, in g: its power over time, with its
// part of the hosts and the site's overhead, under the intensity of what the site draws.
// A job of a trace is exact; of others the power is the mean over an interval of
// power_series.csv, as for the whole site.
func (p *plant) emit(c *consumption, end sim.Time) []float64 {
	w := p.power
	emitted, under := make([]float64, len(c.jobs)), p.drawn(c, *w.Grid, end).Sum()
	grams := func(watts float64, from, to sim.Time) float64 {
		return watts * w.PUE * under.Between(from.Seconds(), to.Seconds()) / energy.JoulesPerKWh
	}
	if p.queued != nil {
		for i, s := range p.queued.trace.Stretches(end) {
			idle, above := p.stretchPower(i, s)
			emitted[s.Job] += grams(idle+above, s.From, s.To)
		}
	}
	for i, j := range p.cluster.Jobs {
		if p.row(i) >= 0 || !j.Started {
			continue
		}
		for _, s := range p.tenures(i) {
			idle := 0.0
			if !j.Shared {
				for _, a := range s.Accelerators {
					idle += p.draws(a).Idle()
				}
			}
			emitted[i] += grams(idle, s.From, s.To)
		}
		of := func(l *cluster.Ledger, compute, communicate float64) float64 {
			if l.Job != i {
				return 0
			}
			return p.above(l, compute, communicate)
		}
		width, rates := p.cluster.Weighed(end, func(l *cluster.Ledger) (float64, float64) { return of(l, 1, 0), of(l, 0, 1) })
		for k, above := range rates {
			emitted[i] += grams(above, sim.Time(k)*width, min(sim.Time(k+1)*width, end))
		}
		if rates == nil { // as for the site: the mean has to do
			above := 0.0
			for _, l := range p.cluster.Ledgers() {
				above += of(l, l.ComputeBy(end).Seconds(), l.Exposed.Seconds())
			}
			emitted[i] += grams(result.Ratio(above, end.Seconds()), 0, end)
		}
	}
	return emitted
}

// drawn is what a joule that machines use emits, or costs, when one of the grid does so
// much: with a battery the grid gives more while it charges and nothing while it carries the
// site.
func (p *plant) drawn(c *consumption, grid energy.Steps, end sim.Time) energy.Steps {
	if p.power.Battery == nil {
		return grid
	}
	shares := c.grid.Combine(c.siteLoad(end), result.Ratio)
	return shares.Combine(grid, func(share, each float64) float64 { return share * each })
}

// addCarbon adds what a job emitted to its record.
func addCarbon(r *result.Record, emitted, samples, tokens float64) {
	r.Add(result.CarbonEmissions, emitted)
	if tokens > 0 {
		r.Add(result.CarbonPerToken, emitted/tokens)
	}
	if samples > 0 {
		r.Add(result.CarbonPerSample, emitted/samples)
	}
}
