package cluster

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// placement is what a cluster keeps whose jobs are placed host by host.
type placement struct {
	engine *sim.Engine
	placer *scheduler.Placer
	hosts  []scheduler.Host
	first  []int32   // accelerator of each host
	total  int64     // thousandths of accelerators
	locked int64     // of them, those of closed hosts
	wanted int64     // thousandths that jobs have asked for that have come
	grants []grant   // of each job
	used   []float64 // accelerator-seconds of each type by grants that were given back
	loads  []Load
	told   map[int]scheduler.Decision // of refusals, the last of each job that waits
	next   float64                    // load at which the next is kept

	sites func(job int) []int // see PlaceAtSites; nil: jobs lie anywhere
}

// grant is what a job has, or had last.
type grant struct {
	request scheduler.Request
	shares  []scheduler.Share
	speed   float64
	since   sim.Time
}

// Speed is that of a job's accelerators, as a multiple of that for which durations
// are given.
func (c *Cluster) Speed(job int) float64 {
	if c.placement == nil || job >= len(c.placement.grants) || c.placement.grants[job].speed == 0 {
		return 1
	}
	return c.placement.grants[job].speed
}

// Load is what jobs had of a cluster once so much had been asked for: of all
// accelerators the share that jobs that had come wanted, and the share that jobs
// held; and of what was free, the share that typical jobs could not use.
type Load struct {
	At                            sim.Time
	Arrived, Allocated, Fragments float64
}

// loadSteps is how often a Load is kept while as much is asked for as there is,
// and maxLoads how many are at most.
const (
	loadSteps = 100
	maxLoads  = 1000
)

// Place has jobs placed host by host, not on the free accelerators with the lowest
// numbers. Accelerators are numbered through the hosts. It comes before jobs do.
func (c *Cluster) Place(p *scheduler.Placer, hosts []scheduler.Host) {
	at := &placement{engine: c.Engine, placer: p, hosts: hosts, first: make([]int32, len(hosts)+1), next: 1. / loadSteps}
	for i, h := range hosts {
		at.first[i+1] = at.first[i] + int32(h.Accelerators)
		if n := int(h.Type) + 1; n > len(at.used) {
			at.used = append(at.used, make([]float64, n-len(at.used))...)
		}
	}
	at.total = int64(at.first[len(hosts)]) * scheduler.Whole
	c.placement = at
}

// PlaceAtSites has each job placed within one data centre: the first of those given for it
// that has room, anywhere if none are given. It comes after Place.
func (c *Cluster) PlaceAtSites(order func(job int) []int) { c.placement.sites = order }

// Loads are how the cluster filled up; nil if jobs are not placed host by host.
func (c *Cluster) Loads() []Load {
	if c.placement == nil {
		return nil
	}
	return c.placement.loads
}

// needs is what a job wants of hosts.
func (j *Job) needs() scheduler.Request {
	if j.Needs == nil {
		return scheduler.Request{}
	}
	return *j.Needs
}

// speeds are how fast a job runs on each type of accelerator that the policy tells apart;
// nil where it tells none, or there is one that is as fast as estimates have it.
func (c *Cluster) speeds(j *Job) []float64 {
	if c.placement == nil || len(c.types) == 0 {
		return nil
	}
	r := j.needs()
	if j.List != nil {
		r.Types = 1 << c.placement.hosts[c.placement.shares(j.List[:1])[0].Host].Type
	}
	all := c.placement.placer.SpeedsOf(r)
	if len(c.types) == 1 && all[0] == 1 {
		return nil
	}
	return slices.Clone(all[:len(c.types)])
}

// wants is what a job takes of the whole cluster; zero where only whole accelerators
// matter.
func (j *Job) wants() scheduler.Resources {
	if j.Needs == nil {
		return scheduler.Resources{}
	}
	part := cmp.Or(j.Needs.Milli, scheduler.Whole)
	return scheduler.Resources{Milli: int64(j.Count) * int64(part), CPU: j.Needs.CPU, Memory: j.Needs.Memory}
}

// parts says whether a job wants less than whole accelerators, so that how many are
// free says nothing of whether it fits.
func (j *Job) parts() bool {
	return j.Needs != nil && (j.Needs.Milli > 0 && j.Needs.Milli < scheduler.Whole || j.Count == 0)
}

// Holds is how many accelerators the job has while it runs, parts of them as parts.
func (j *Job) Holds() float64 {
	if j.parts() && j.Count > 0 {
		return float64(j.Count) * float64(j.Needs.Milli) / scheduler.Whole
	}
	return float64(len(j.Accelerators))
}

// place finds room for a job on so many accelerators of a type and takes it: those
// appended to list, or false.
func (at *placement) place(job int, j *Job, accelerators, kind int, list []int32) ([]int32, bool) {
	g := grant{request: j.needs(), since: at.engine.Now()}
	if kind != scheduler.AnyType {
		g.request.Types = 1 << kind
	}
	g.request.Count = accelerators
	if j.parts() {
		g.request.Count = j.Count
	}
	if j.List != nil {
		g.shares = at.shares(j.List)
		if !at.placer.Holds(g.request, g.shares) {
			return list, false
		}
		list = append(list, j.List...)
	} else if j.Sites != nil {
		all, shares := at.deal(j, g.request)
		if g.shares = shares; shares == nil {
			return list, false
		}
		list = append(list, all...)
	} else {
		if g.shares = at.find(job, &g.request); g.shares == nil {
			return list, false
		}
		for _, s := range g.shares {
			for _, a := range s.Accelerators {
				list = append(list, at.first[s.Host]+a)
			}
		}
	}
	if len(list) > 0 {
		g.speed = at.placer.Speed(g.request, g.shares)
	}
	at.placer.Take(g.request, g.shares)
	delete(at.told, job)
	for len(at.grants) <= job {
		at.grants = append(at.grants, grant{})
	}
	at.grants[job] = g
	return list, true
}

// find looks for room for a job, at one site after another where these matter.
func (at *placement) find(job int, r *scheduler.Request) (shares []scheduler.Share) {
	if at.sites == nil || r.Site != 0 {
		return at.placer.Place(*r)
	}
	order := at.sites(job)
	if order == nil {
		return at.placer.Place(*r)
	}
	for _, site := range order {
		r.Site = int32(site) + 1
		if shares = at.placer.Place(*r); shares != nil {
			break
		}
	}
	return shares
}

// shares is a list of accelerators, host by host.
func (at *placement) shares(list []int32) []scheduler.Share {
	var shares []scheduler.Share
	host := 0
	for _, a := range list {
		if a < at.first[host] {
			host = 0
		}
		for a >= at.first[host+1] {
			host++
		}
		n := len(shares)
		if n == 0 || shares[n-1].Host != int32(host) {
			shares = append(shares, scheduler.Share{Host: int32(host)})
			n++
		}
		shares[n-1].Accelerators = append(shares[n-1].Accelerators, a-at.first[host])
	}
	return shares
}

// lock takes all of a host, as if a job had asked for it: jobs that have something of it
// keep that. unlock gives it back.
func (at *placement) lock(host int32) {
	r, shares := at.whole(host)
	at.placer.Take(r, shares)
	at.locked += int64(r.Count) * scheduler.Whole
}

func (at *placement) unlock(host int32) {
	r, shares := at.whole(host)
	at.placer.Give(r, shares)
	at.locked -= int64(r.Count) * scheduler.Whole
}

func (at *placement) whole(host int32) (scheduler.Request, []scheduler.Share) {
	h := &at.hosts[host]
	share := scheduler.Share{Host: host, Accelerators: make([]int32, h.Accelerators)}
	for a := range share.Accelerators {
		share.Accelerators[a] = int32(a)
	}
	return scheduler.Request{Count: h.Accelerators, CPU: h.CPU, Memory: h.Memory}, []scheduler.Share{share}
}

// refuse tells the audit of a job that would get accelerators but for the isolation of
// tenants, once as long as the reason is the same.
func (c *Cluster) refuse(job int) {
	at, j := c.placement, c.Jobs[job]
	if c.queue.Log == nil || j.List != nil {
		return
	}
	r := j.needs()
	r.Count = j.Count
	reason, tenant := at.placer.Refusal(r)
	d := scheduler.Decision{Job: job, Action: scheduler.Refuse, Reason: reason, Until: scheduler.Never}
	if tenant > 0 {
		d.Part = at.placer.Isolation.Names[tenant]
	}
	if reason == "" || at.told[job] == d {
		return
	}
	if at.told == nil {
		at.told = map[int]scheduler.Decision{}
	}
	at.told[job] = d
	c.queue.Report(units.Duration(c.Engine.Now()), d)
}

// release gives back what a job has.
func (at *placement) release(job int) {
	g := &at.grants[job]
	g.count(at.hosts, at.engine.Now(), at.used)
	at.placer.Give(g.request, g.shares)
	g.shares = nil
}

// arrived counts what a job asks for.
func (at *placement) arrived(j *Job) {
	if !j.Shared {
		at.wanted += int64(j.Count) * int64(cmp.Or(j.needs().Milli, scheduler.Whole))
	}
}

// observe keeps the load after a decision, if it is time to.
func (at *placement) observe(now sim.Time) {
	load := float64(at.wanted) / float64(at.total)
	if load < at.next || len(at.loads) == maxLoads {
		return
	}
	at.loads = append(at.loads, Load{now, load, at.placer.Allocated() - float64(at.locked)/float64(at.total), at.placer.Fragmented()})
	for at.next <= load {
		at.next += 1. / loadSteps
	}
}
