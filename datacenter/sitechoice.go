package datacenter

import (
	"slices"

	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
	workload "github.com/railyard/railyard/workload/jobs"
)

// siteOrder is the order in which the sites are tried for a job. The replicas of a model lie
// anywhere, or are dealt out to the sites, and a training that no site holds lies anywhere.
func (b *builder) siteOrder() func(job int) []int {
	rule, _ := scheduler.ParseSiteRule(b.scenario.Scheduler.Site.Value) // an enum of the schema
	s, p := b.sites, b.plant
	sites, order := make([]scheduler.Site, len(s.names)), make([]int, len(s.names))
	room := make([]int, len(s.names))
	for i := range p.topology.Servers {
		x := &p.topology.Servers[i]
		room[p.topology.SiteOfServer(i)] += x.Spec.Accelerators
	}
	widest := slices.Max(room)
	return func(job int) []int {
		if _, serves := p.cluster.Jobs[job].Program.(*serving.Fleet); serves || p.cluster.Jobs[job].Count > widest {
			return nil
		}
		now := p.engine.Now()
		for i := range sites {
			x := scheduler.Site{Number: i, Load: p.hosting.placer.AllocatedAt(i)}
			switch rule {
			case scheduler.SiteWithData:
				x.Fetch = units.Duration(p.inputTime(job, i))
				// Of sites that are alike the one that has most free.
				x.Latency = units.Duration(x.Load * float64(sim.Second))
			case scheduler.CheapestSite:
				x.Price = s.price(i, now)
			case scheduler.GreenestSite:
				x.Carbon = s.emits(i, now)
			}
			sites[i] = x
		}
		rule.Order(sites)
		for i := range sites {
			order[i] = sites[i].Number
		}
		return order
	}
}

// checkWhere refuses jobs that must be at a site where nothing places them at sites.
func (b *builder) checkWhere(j *workload.Job, at scenario.Position) {
	if j.Site != 0 && !b.scenario.Scheduler.Site.Set {
		b.faults = append(b.faults, at.Faultf("site", "site: job %q is to be at a site, which nothing sees to: scheduler.site is missing", j.ID))
	}
}

// inputs are what jobs read: whole datasets, which stay at a site that they have once come
// to.
type inputs struct {
	*plant
	came [][]bool // of each dataset and site
}

// inputs are those of the jobs of the queue, nil if there are no datasets.
func (b *builder) inputs() jobs.Data {
	if len(b.sites.datasets) == 0 {
		return nil
	}
	x := &inputs{plant: b.plant}
	for range b.sites.datasets {
		x.came = append(x.came, make([]bool, len(b.sites.names)))
	}
	b.sites.inputs = x
	return x
}

// Fetch gives what a job lacks at a site, from where it is there soonest.
func (x *inputs) Fetch(job, site int) (from int, bytes float64) {
	if n := x.reads(job); n >= 0 && !x.has(n, site) {
		from, _ = x.nearest(n, site)
		return from, x.sites.datasets[n].Bytes
	}
	return 0, 0
}

// Fetched notes that what a job reads has come.
func (x *inputs) Fetched(job, site int) {
	if n := x.reads(job); n >= 0 {
		x.came[n][site] = true
	}
}

// reads is the number of the dataset that a job of the cluster reads, -1 if none.
func (x *inputs) reads(job int) int {
	if row := x.row(job); row >= 0 {
		return int(x.queued.rows[row].Dataset) - 1
	}
	return -1
}

func (x *inputs) has(dataset, site int) bool {
	return x.came[dataset][site] || x.sites.datasets[dataset].HasCopy(site)
}

// nearest is the site from which a dataset is soonest at another, and when; its own if none
// can send it.
func (x *inputs) nearest(dataset, site int) (from int, takes sim.Time) {
	d := x.sites.datasets[dataset]
	from, takes = d.Site, sim.Never
	for other := range x.sites.names {
		if !x.has(dataset, other) {
			continue
		}
		if t := x.sites.Takes(other, site, d.Bytes); t < takes {
			from, takes = other, t
		}
	}
	return from, takes
}

// inputTime is until when what a job reads would be at a site on idle cables.
func (p *plant) inputTime(job, site int) sim.Time {
	x := p.sites.inputs
	if x == nil {
		return 0
	}
	n := x.reads(job)
	if n < 0 || x.has(n, site) {
		return 0
	}
	_, takes := x.nearest(n, site)
	return takes
}
