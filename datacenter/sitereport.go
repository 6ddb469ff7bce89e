package datacenter

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
)

// failover is a loss of a site as one of those met it that it hit. Times are in seconds;
// result.Missing is none.
type failover struct {
	name, kind   string
	site, to     int // to is -1 for none, or several
	at, rpo, rto float64
	bytes        float64
}

// replicas is what is copied between sites, or would have to be, and how it met their losses.
type replicas struct {
	*plant
	records []*result.Record
	losses  []failover
}

// elapsed is a time in seconds, Missing if its end has not come.
func elapsed(from, to sim.Time) float64 {
	if to < 0 {
		return result.Missing
	}
	return (to - from).Seconds()
}

// addSites adds what became of the sites to the results.
func (p *plant) addSites(r *Result) {
	if p.sites == nil {
		return
	}
	x := &result.Record{}
	x.Add(result.SiteList, p.siteRecords())
	table, bytes, price := p.wanTable()
	x.Add(result.WANTotal, bytes)
	x.Add(result.WANCost, price)
	all := &replicas{plant: p}
	all.datasets()
	all.checkpoints()
	all.trainings()
	all.requests()
	x.Add(result.Replications, append([]*result.Record{}, all.records...))
	r.Summary.Add(result.Sites, x)
	if p.summaryOnly {
		return
	}
	r.Tables = append(r.Tables, table)
	if all.losses != nil {
		r.Tables = append(r.Tables, all.table())
	}
}

// add adds a record of something that is copied, and its losses.
func (x *replicas) add(name, kind, mode string, losses []failover, of func(r *result.Record)) {
	r := &result.Record{}
	r.Add(result.Name, name)
	r.Add(result.ReplicaKind, kind)
	r.Add(result.ReplicaMode, mode)
	of(r)
	r.Add(result.FailoverCount, int64(len(losses)))
	if len(losses) > 0 {
		rpo, rto := 0.0, 0.0
		for _, f := range losses {
			rpo = max(rpo, f.rpo)
			if f.rto > rto { // what is missing is not
				rto = f.rto
			}
		}
		r.Add(result.RPOMost, rpo)
		r.Add(result.RTOMost, rto)
	}
	x.records, x.losses = append(x.records, r), append(x.losses, losses...)
}

func addCopies(r *result.Record, count int64, bytes, mean, slowest float64) {
	r.Add(result.ReplicaCount, count)
	r.Add(result.ReplicaBytes, bytes)
	r.Add(result.ReplicaTime, mean)
	r.Add(result.ReplicaWorst, slowest)
}

func (x *replicas) datasets() {
	for i, d := range x.sites.datasets {
		mode := x.scenario.Topology.Dataset[i].Mode.Value
		if len(d.To) == 0 {
			mode = "none"
		}
		var losses []failover
		for _, l := range d.Losses {
			losses = append(losses, failover{
				name: d.Name, kind: "dataset", site: d.Site, to: l.To, at: l.At.Seconds(), rpo: l.Age.Seconds(), rto: elapsed(l.At, l.Resumed), bytes: l.Bytes,
			})
		}
		x.add(d.Name, "dataset", mode, losses, func(r *result.Record) {
			var done int64
			var bytes float64
			var spent, slowest sim.Time
			for k := range d.Copies {
				c := &d.Copies[k]
				done, bytes, spent, slowest = done+c.Done, bytes+c.Bytes, spent+c.Spent, max(slowest, c.Slowest)
			}
			addCopies(r, done, bytes, result.Ratio(spent.Seconds(), float64(done)), slowest.Seconds())
			r.Add(result.CommitCount, d.Commits)
			r.Add(result.CommitTime, result.Ratio(d.Spent.Seconds(), float64(d.Commits)))
			r.Add(result.CommitSlowest, d.Slowest.Seconds())
		})
	}
}

// checkpoints are those of the jobs of each file, where they are copied or a site was lost.
func (x *replicas) checkpoints() {
	q := x.queued
	if q == nil {
		return
	}
	losses := make([][]failover, len(q.ends)) // of each file
	for _, f := range q.trace.Failovers {
		row := f.Job - q.first
		file, _ := slices.BinarySearch(q.ends, row+1)
		losses[file] = append(losses[file], failover{
			name: q.rows[row].ID, kind: "job", site: f.Site, to: f.To, at: f.At.Seconds(),
			rpo: f.Age.Seconds(), rto: elapsed(f.At, f.Resumed), bytes: result.Missing,
		})
	}
	for i := range q.ends {
		w, mode := &x.scenario.Workload.Jobs[i], "none"
		if w.CheckpointCopies.To.Set {
			mode = w.CheckpointCopies.Mode.Value
		} else if losses[i] == nil {
			continue
		}
		x.add(x.jobsName(w), "checkpoints", mode, losses[i], func(r *result.Record) {
			c := &q.trace.Copies[i]
			addCopies(r, c.Done, c.Bytes, c.Mean(), c.Slowest.Seconds())
		})
	}
}

// trainings are the checkpoints of trainings that are copied, or lost with their site.
func (x *replicas) trainings() {
	for i, n := range x.jobs {
		r, ok := x.cluster.Jobs[n].Program.(*training.Requeued)
		if !ok || r.Copying == nil {
			continue
		}
		w, k := &x.scenario.Workload.Training[i], r.Copying
		name, mode := x.cluster.Jobs[n].Name, "none"
		if w.TrainingCopies.To.Set {
			mode = w.TrainingCopies.Mode.Value
		}
		var losses []failover
		for _, f := range k.Failovers {
			losses = append(losses, failover{
				name: name, kind: "job", site: f.Site, to: f.To, at: f.At.Seconds(),
				rpo: f.Age.Seconds(), rto: elapsed(f.At, f.Resumed), bytes: result.Missing,
			})
		}
		if mode == "none" && losses == nil {
			continue
		}
		x.add(name, "checkpoints", mode, losses, func(r *result.Record) {
			c := &k.Copies
			addCopies(r, c.Done, c.Bytes, c.Mean(), c.Slowest.Seconds())
		})
	}
}

// jobsName is what a file of jobs is called.
func (p *plant) jobsName(w *scenario.Jobs) string {
	if w.Name.Set {
		return w.Name.Value
	}
	base := filepath.Base(w.File.Value)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

func (x *replicas) requests() {
	for _, s := range x.served {
		if s.Geography == nil || len(s.Geography.Failovers) == 0 {
			continue
		}
		name := x.cluster.Jobs[s.job].Name
		var losses []failover
		for _, f := range s.Geography.Failovers {
			if f.Left > 0 {
				f.Resumed = -1
			}
			losses = append(losses, failover{
				name: name, kind: "requests", site: f.Site, to: -1, at: f.At.Seconds(), rto: elapsed(f.At, f.Resumed), bytes: result.Missing,
			})
		}
		x.add(name, "requests", "none", losses, func(*result.Record) {})
	}
}

// table is all failovers.
func (x *replicas) table() *result.Table {
	var name, kind, site, to []string
	var at, rpo, bytes, resumed, rto []float64
	for _, f := range x.losses {
		where := ""
		if f.to >= 0 {
			where = x.sites.names[f.to]
		}
		name, kind, site, to = append(name, f.name), append(kind, f.kind), append(site, x.sites.names[f.site]), append(to, where)
		at, rpo, bytes = append(at, f.at), append(rpo, f.rpo), append(bytes, f.bytes)
		resumed, rto = append(resumed, f.at+f.rto), append(rto, f.rto)
	}
	return &result.Table{Name: "failovers", Columns: []result.Column{
		{Metric: result.Name, Text: name},
		{Metric: result.FailoverKind, Text: kind},
		{Metric: result.FailoverSite, Text: site},
		{Metric: result.FailoverAt, Numbers: at},
		{Metric: result.FailoverTo, Text: to},
		{Metric: result.FailoverRPO, Numbers: rpo},
		{Metric: result.FailoverBytes, Numbers: bytes},
		{Metric: result.FailoverResumed, Numbers: resumed},
		{Metric: result.FailoverRTO, Numbers: rto},
	}}
}

// wanTable is what crossed each cable between sites, and what that cost.
func (p *plant) wanTable() (t *result.Table, bytes, price float64) {
	first, last := p.topology.WANLinks()
	var from, to, link []string
	var crossed, cost []float64
	wan := p.scenario.Topology.WAN
	for l := first; l < last; l++ {
		w := &wan[(l-first)/2]
		ends := [2]string{w.From.Value, w.To.Value}
		way := int(l-first) % 2
		b := p.cluster.Network.Use(l).Bytes
		usd := b / 1e9 * float64(w.Price.Value)
		from, to, link = append(from, ends[way]), append(to, ends[1-way]), append(link, p.topology.LinkName(l))
		crossed, cost = append(crossed, b), append(cost, usd)
		bytes, price = bytes+b, price+usd
	}
	return &result.Table{Name: "wan", Columns: []result.Column{
		{Metric: result.Link, Text: link},
		{Metric: result.WANFrom, Text: from},
		{Metric: result.WANTo, Text: to},
		{Metric: result.WANBytes, Numbers: crossed},
		{Metric: result.WANPrice, Numbers: cost},
	}}, bytes, price
}

// siteRecords are what became of each site.
func (p *plant) siteRecords() []*result.Record {
	t, end := p.topology, p.engine.Now()
	var uses []siteUse
	if p.power != nil {
		uses = p.consumeBySite(end)
	}
	accelerators, hosts := make([]int64, len(p.sites.names)), make([]int64, len(p.sites.names))
	for i := range t.Servers {
		s := &t.Servers[i]
		site := t.SiteOfServer(i)
		hosts[site]++
		accelerators[site] += int64(s.Spec.Accelerators)
	}
	var all []*result.Record
	for i, name := range p.sites.names {
		r := &result.Record{}
		r.Add(result.Name, name)
		r.Add(result.HostCount, hosts[i])
		r.Add(result.AcceleratorCount, accelerators[i])
		r.Add(result.SiteLosses, p.sites.Losses[i])
		r.Add(result.SiteDown, p.sites.DownBy(i, end).Seconds())
		var asked, answered int64
		geography := false
		for _, s := range p.served {
			if g := s.Geography; g != nil && g.Answered != nil {
				geography = true
				for other := range g.Answered {
					asked += g.Answered[i][other]
					answered += g.Answered[other][i]
				}
			}
		}
		if geography {
			r.Add(result.SiteAsked, asked)
			r.Add(result.SiteAnswered, answered)
		}
		if uses != nil {
			r.Add(result.SiteEnergy, uses[i].joules)
			r.Add(result.SitePrice, uses[i].price)
			if p.sites.carbon != nil {
				r.Add(result.CarbonEmissions, uses[i].emitted)
			}
		}
		all = append(all, r)
	}
	return all
}
