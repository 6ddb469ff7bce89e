package datacenter

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/power"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// draws are those of an accelerator.
func (p *plant) draws(a topology.NodeID) power.Draws {
	if s := p.topology.Server(a); s >= 0 {
		return p.power.Of(p.topology.Servers[s].Spec)
	}
	return p.power.Of(nil)
}

// consumption is what a run took.
type consumption struct {
	accelerators, hosts, switches float64 // J
	total                         float64 // of the site
	slowed                        float64 // accelerator-seconds of computation at lowered clocks
	idle                          float64 // W of all machines without work
	width                         sim.Time
	load                          energy.Steps // W of the site over time; empty if no series are kept
	grid                          energy.Steps // what of it the grid gave
	left                          float64      // J in the battery
	jobs                          []float64    // J of each job of the cluster, and its part of the hosts
	emitted                       []float64    // g of each; nil if carbon is not asked for
}

// consume finds what the run took until its end. An accelerator computes, communicates
// or is idle at any instant, so the time in each state times its power is exact, whatever
// the shape of the curve.
func (p *plant) consume(end sim.Time) *consumption {
	w, n := p.power, p.topology.Accelerators()
	c := &consumption{jobs: make([]float64, len(p.cluster.Jobs))}
	compute, exposed := make([]float64, n), make([]float64, n)
	for _, l := range p.cluster.Ledgers() {
		for _, a := range l.Accelerators {
			compute[a] += l.ComputeBy(end).Seconds()
			exposed[a] += l.Exposed.Seconds()
		}
	}
	var trace result.Bins
	p.consumeTrace(c, compute, &trace, end)
	p.share(compute, exposed, end.Seconds())
	for _, l := range p.cluster.Ledgers() {
		if l.Job >= 0 {
			c.jobs[l.Job] += p.above(l, l.ComputeBy(end).Seconds(), l.Exposed.Seconds())
		}
	}
	for i, j := range p.cluster.Jobs {
		if p.row(i) >= 0 || !j.Started || j.Shared {
			continue
		}
		for _, s := range p.tenures(i) {
			for _, a := range s.Accelerators {
				c.jobs[i] += p.draws(a).Idle() * (s.To - s.From).Seconds()
			}
		}
	}
	for i := range c.jobs {
		c.jobs[i] *= w.PUE
	}
	for i := range n {
		d := p.draws(topology.NodeID(i))
		busy, waits := compute[i], exposed[i]
		c.accelerators += d.Accelerator.Idle*end.Seconds() + d.Accelerator.Above(busy, waits)
		c.hosts += d.Host.Idle*end.Seconds() + d.Host.Above(busy, waits)
		c.idle += d.Idle()
		if p.clock(topology.NodeID(i)) < 1 {
			c.slowed += busy
		}
	}
	c.hosts += w.Hosts * end.Seconds()
	c.switches = w.Switches * end.Seconds()
	c.idle += w.Hosts + w.Switches
	c.total = (c.accelerators + c.hosts + c.switches) * w.PUE
	p.consumeOverTime(c, &trace, end)
	return c
}

// counted is what part of the times that jobs have an accelerator compute and communicate
// counts, where it is shared.
type counted struct{ compute, communicate float64 }

// share brings the times of accelerators down to the end of the run. Jobs that share an
// accelerator may both count a time: of each then counts a part, so that the power of all is
// that of the accelerator.
func (p *plant) share(compute, communicate []float64, end float64) {
	p.shared = nil
	for a := range compute {
		if compute[a]+communicate[a] <= end*(1+1e-9) { // rounding aside
			continue
		}
		busy := min(compute[a], end)
		waits := min(communicate[a], end-busy)
		if p.shared == nil {
			p.shared = map[topology.NodeID]counted{}
		}
		p.shared[topology.NodeID(a)] = counted{result.Ratio(busy, compute[a]), result.Ratio(waits, communicate[a])}
		compute[a], communicate[a] = busy, waits
	}
}

// aboveIdle is what an accelerator and its part of the host take beyond idling for a job in
// so many seconds.
func (p *plant) aboveIdle(a topology.NodeID, compute, communicate float64) float64 {
	if part, shared := p.shared[a]; shared {
		compute, communicate = compute*part.compute, communicate*part.communicate
	}
	return p.draws(a).Above(compute, communicate)
}

// above is that of the accelerators of a ledger.
func (p *plant) above(l *cluster.Ledger, compute, communicate float64) float64 {
	sum := 0.0
	for _, a := range l.Accelerators {
		sum += p.aboveIdle(a, compute, communicate)
	}
	return sum
}

// row is the number of the row of a trace that a job of the cluster is, -1 if it is none.
func (p *plant) row(job int) int {
	if p.queued == nil || job < p.queued.first || job >= p.queued.first+len(p.queued.rows) {
		return -1
	}
	return job - p.queued.first
}

// consumeTrace adds what jobs took of which a trace has the duration: they compute all
// the time that they run. A job that has a part of an accelerator uses that part.
func (p *plant) consumeTrace(c *consumption, compute []float64, over *result.Bins, end sim.Time) {
	if p.queued == nil {
		return
	}
	bins := max(p.cluster.SeriesBins, 1)
	for i, s := range p.queued.trace.Stretches(end) {
		seconds, part := (s.To - s.From).Seconds(), p.partOf(int(s.Job))
		for _, span := range p.queued.trace.Spans(i) {
			for a := span.First; a <= span.Last; a++ {
				compute[a] += part * seconds
			}
		}
		idle, above := p.stretchPower(i, s)
		c.jobs[s.Job] += (idle + above) * seconds
		over.Add(s.From, s.To, above, bins)
	}
}

// partOf is how much of each of its accelerators a job of a trace has.
func (p *plant) partOf(job int) float64 {
	if row := p.row(job); row >= 0 && p.queued.rows[row].Milli > 0 {
		return float64(p.queued.rows[row].Milli) / 1000
	}
	return 1
}

// stretchPower is what the accelerators of stretch i of a trace and their part of the
// hosts draw without work, and what they draw above that, in W.
func (p *plant) stretchPower(i int, s jobs.Stretch) (idle, above float64) {
	part := p.partOf(int(s.Job))
	for _, span := range p.queued.trace.Spans(i) {
		for a := span.First; a <= span.Last; a++ {
			d := p.draws(a)
			idle += part * d.Idle()
			above += part * d.Above(1, 0)
		}
	}
	return idle, above
}

// consumeOverTime finds the power over time, the grid's part of it and what it emits.
func (p *plant) consumeOverTime(c *consumption, trace *result.Bins, end sim.Time) {
	w := p.power
	width, rates := p.cluster.Weighed(end, func(l *cluster.Ledger) (float64, float64) {
		return p.above(l, 1, 0), p.above(l, 0, 1)
	}, trace)
	c.width = width
	for i, above := range rates {
		c.load.At = append(c.load.At, (sim.Time(i) * width).Seconds())
		c.load.Values = append(c.load.Values, (c.idle+above)*w.PUE)
	}
	c.grid = c.siteLoad(end)
	if w.Battery != nil {
		c.grid, c.left = w.Battery.Grid(c.grid, *w.Grid, end.Seconds())
	}
}

// siteLoad is the power of the site over time; where nobody keeps series of so many links
// the mean has to do.
func (c *consumption) siteLoad(end sim.Time) energy.Steps {
	if len(c.load.Values) > 0 {
		return c.load
	}
	return energy.Steps{At: []float64{0}, Values: []float64{result.Ratio(c.total, end.Seconds())}}
}

// addEnergy adds what the run took to its results.
func (p *plant) addEnergy(r *Result, end sim.Time) {
	if p.power == nil {
		return
	}
	w, c := p.power, p.consume(end)
	p.consumed = c
	seconds := end.Seconds()
	x := &result.Record{}
	x.Add(result.EnergyTotal, c.total)
	x.Add(result.EnergyAccelerators, c.accelerators)
	x.Add(result.EnergyHosts, c.hosts)
	x.Add(result.EnergySwitches, c.switches)
	x.Add(result.EnergyFacility, max(0, c.total-c.accelerators-c.hosts-c.switches)) // rounding aside
	x.Add(result.PUE, w.PUE)
	x.Add(result.AveragePower, result.Ratio(c.total, seconds))
	if len(c.load.Values) > 0 {
		x.Add(result.PeakPower, slices.Max(c.load.Values))
	}
	if w.Limits != nil {
		x.Add(result.LowestClock, w.Limits.Lowest())
		x.Add(result.CappedTime, c.slowed)
		if !p.summaryOnly {
			r.Tables = append(r.Tables, p.rackTable(end))
		}
	}
	if w.Battery != nil && seconds > 0 {
		x.Add(result.GridEnergy, c.grid.Integral(0, seconds))
		x.Add(result.BatteryLeft, c.left)
	}
	if w.Grid != nil && seconds > 0 {
		emissions := energy.Emissions(c.grid, *w.Grid, 0, seconds)
		x.Add(result.CarbonEmissions, emissions)
		x.Add(result.CarbonMean, result.Ratio(w.Grid.Integral(0, seconds), seconds))
		c.emitted = p.emit(c, end)
	}
	x.Add(result.EnergyJobs, p.jobEnergies(c))
	r.Summary.Add(result.Energy, x)
	if p.summaryOnly {
		return
	}
	if t := r.Table("jobs"); t != nil {
		t.Columns = append(t.Columns, result.Column{Metric: result.JobEnergy, Numbers: c.jobs})
		if c.emitted != nil {
			t.Columns = append(t.Columns, result.Column{Metric: result.CarbonEmissions, Numbers: c.emitted})
		}
	}
	if t := p.powerSeries(c, seconds); t != nil {
		r.Tables = append(r.Tables, t)
	}
}

// jobEnergies are those of workloads that run event by event; jobs of traces have a
// column of their table.
func (p *plant) jobEnergies(c *consumption) []*result.Record {
	all := []*result.Record{}
	for i, j := range p.cluster.Jobs {
		if p.row(i) >= 0 {
			continue
		}
		x := &result.Record{}
		x.Add(result.Name, j.Name)
		x.Add(result.JobEnergy, c.jobs[i])
		samples, tokens := p.produced(i)
		if tokens > 0 {
			x.Add(result.EnergyPerToken, c.jobs[i]/tokens)
		}
		if samples > 0 {
			x.Add(result.EnergyPerSample, c.jobs[i]/samples)
		}
		if c.emitted != nil {
			addCarbon(x, c.emitted[i], samples, tokens)
		}
		all = append(all, x)
	}
	return all
}

// produced is how many samples and tokens a job of the cluster has been trained on, or how
// many tokens it has answered; 0 if it is neither training nor serving.
func (p *plant) produced(job int) (samples, tokens float64) {
	i := slices.Index(p.jobs, job)
	if i < 0 {
		return 0, p.answered(job)
	}
	t := &p.training[i].Training
	samples = float64(p.training[i].Done) * float64(t.GlobalBatch)
	if t.Sequence > 1 {
		tokens = samples * float64(t.Sequence)
	}
	return samples, tokens
}

// powerSeries is the power over time.
func (p *plant) powerSeries(c *consumption, end float64) *result.Table {
	n := len(c.load.At)
	if n == 0 {
		return nil
	}
	t := &result.Table{Name: "power_series", Columns: []result.Column{
		{Metric: result.SeriesTime, Numbers: c.load.At},
		{Metric: result.SeriesPower, Numbers: c.load.Values},
	}}
	over := func(m result.Metric, of func(from, to float64) float64) {
		column := make([]float64, n)
		for i, from := range c.load.At {
			column[i] = of(from, min(from+c.width.Seconds(), end))
		}
		t.Columns = append(t.Columns, result.Column{Metric: m, Numbers: column})
	}
	if p.power.Battery != nil {
		over(result.SeriesGrid, func(from, to float64) float64 { return c.grid.Integral(from, to) / (to - from) })
	}
	if g := p.power.Grid; g != nil {
		over(result.SeriesIntensity, func(from, to float64) float64 { return g.Integral(from, to) / (to - from) })
		over(result.SeriesEmissions, func(from, to float64) float64 { return energy.Emissions(c.grid, *g, from, to) })
	}
	return t
}
