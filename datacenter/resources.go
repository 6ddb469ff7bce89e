package datacenter

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// The resource model: of accelerators, CPU cores, memory of hosts, disks and nodes, what
// each workload demands, is allocated and uses, and each site has.
const (
	accelerators = iota
	cpuCores
	memoryBytes
	diskBytes
	nodes
	numResources
)

var resourceNames = [numResources]string{"accelerators", "cpu_cores", "memory_bytes", "disk_bytes", "nodes"}

// holding is amounts of resources times seconds, or amounts.
type holding struct{ demanded, allocated, used [numResources]float64 }

func (h *holding) add(o *holding) {
	for i := range numResources {
		h.demanded[i] += o.demanded[i]
		h.allocated[i] += o.allocated[i]
		h.used[i] += o.used[i]
	}
}

// times is the amounts times a factor.
func (h *holding) times(f float64) (o holding) {
	for i := range numResources {
		o.demanded[i], o.allocated[i], o.used[i] = f*h.demanded[i], f*h.allocated[i], f*h.used[i]
	}
	return o
}

// stay is what a workload had at each site, in the mean of the time from when it was
// submitted until it ended.
type stay struct {
	name     string
	from, to sim.Time
	sites    []holding
}

// estate is the sites and what they have.
type estate struct {
	t        *topology.Topology
	sites    []string
	of       []int // site of each server
	capacity [][numResources]float64
}

// newEstate is that of the run.
func (p *plant) newEstate() *estate {
	e := &estate{t: p.cluster.Topology, of: make([]int, len(p.cluster.Topology.Servers))}
	for i := range e.t.Servers {
		server := &e.t.Servers[i]
		name := e.t.Racks[server.Rack].Site
		if e.of[i] = slices.Index(e.sites, name); e.of[i] < 0 {
			e.of[i] = len(e.sites)
			e.sites = append(e.sites, name)
			e.capacity = append(e.capacity, [numResources]float64{})
		}
		spec, all := server.Spec, &e.capacity[e.of[i]]
		all[accelerators] += float64(spec.Accelerators)
		all[cpuCores] += float64(spec.CPUs)
		all[memoryBytes] += float64(spec.Memory)
		all[nodes]++
		if p.files == nil {
			all[diskBytes] += float64(spec.Storage)
		}
	}
	if e.sites == nil { // accelerators alone, or nodes of a table
		all := [numResources]float64{accelerators: float64(e.t.Accelerators())}
		if p.hosting != nil {
			for _, h := range p.hosting.hosts {
				if h.CPU < plenty {
					all[cpuCores] += float64(h.CPU) / 1000
				}
				if h.Memory < plenty {
					all[memoryBytes] += float64(h.Memory)
				}
				all[nodes]++
			}
		}
		e.sites, e.capacity = []string{""}, [][numResources]float64{all}
	}
	if p.files != nil {
		s := &p.scenario.Topology.Storage
		for _, d := range p.files.Servers {
			e.capacity[e.of[d.Server]][diskBytes] += float64(s.DriveSize.Value) * float64(s.Drives.Value)
		}
	}
	return e
}

// site is that of an accelerator.
func (e *estate) site(a topology.NodeID) int {
	if len(e.of) == 0 {
		return 0
	}
	return e.of[e.t.Server(a)]
}

// hold is what a workload on some accelerators has at each site. It demands these, and is
// allocated them and their part of their hosts, of whose cores and memory it may use as
// much.
func (e *estate) hold(all []topology.NodeID) []holding {
	sites := make([]holding, len(e.sites))
	for _, a := range all {
		h := &sites[e.site(a)]
		h.demanded[accelerators]++
		h.allocated[accelerators]++
		if len(e.of) == 0 {
			continue
		}
		spec := e.t.Servers[e.t.Server(a)].Spec
		part := 1 / float64(spec.Accelerators)
		h.allocated[cpuCores] += part * float64(spec.CPUs)
		h.allocated[memoryBytes] += part * float64(spec.Memory)
		h.demanded[nodes] += part
		h.allocated[nodes] += part
		h.used[nodes] += part
	}
	return sites
}

// store adds so many bytes of files, with their copies, to the disks of each site.
func (p *plant) store(e *estate, sites []holding, bytes float64) {
	if p.files == nil {
		return
	}
	each := bytes * p.files.Overhead() / float64(len(p.files.Servers))
	for _, d := range p.files.Servers {
		h := &sites[e.of[d.Server]]
		h.demanded[diskBytes] += each
		h.allocated[diskBytes] += each
		h.used[diskBytes] += each
	}
}

// stays are what workloads had that run event by event.
func (p *plant) stays(e *estate) []stay {
	computed := map[int][]float64{} // of jobs, accelerator-seconds at each site
	for _, l := range p.cluster.Ledgers() {
		if computed[l.Job] == nil {
			computed[l.Job] = make([]float64, len(e.sites))
		}
		for _, a := range l.Accelerators {
			computed[l.Job][e.site(a)] += l.ComputeBy(p.engine.Now()).Seconds()
		}
	}
	var all []stay
	for n, j := range p.cluster.Jobs {
		if p.row(n) >= 0 {
			continue
		}
		x := stay{name: j.Name, from: min(j.Start, p.engine.Now()), to: p.engine.Now(), sites: make([]holding, len(e.sites))}
		if j.Finished {
			x.to = j.FinishedAt
		}
		lasted := (x.to - x.from).Seconds()
		if held := p.heldFor(n).Seconds(); j.Started && !j.Shared && lasted > 0 {
			for i, h := range e.hold(j.Accelerators) {
				demanded := h.demanded
				x.sites[i] = h.times(held / lasted)
				x.sites[i].demanded = demanded
			}
		}
		for i, seconds := range computed[n] {
			x.sites[i].used[accelerators] = result.Ratio(seconds, lasted)
		}
		p.addDemands(e, &x, n, lasted)
		all = append(all, x)
	}
	return all
}

// addDemands adds what kinds of workloads take of cores, memory and disks.
func (p *plant) addDemands(e *estate, x *stay, n int, lasted float64) {
	if i := slices.Index(p.jobs, n); i >= 0 {
		j, w := p.training[i], &p.scenario.Workload.Training[i]
		if _, fared := j.Outcome(); fared != nil && fared.Checkpoints > 0 {
			p.store(e, x.sites, float64(checkpointBytes(w, j.Training)))
		}
		p.addLoading(e, x, i, lasted)
	}
	for _, s := range p.stored {
		if s.job == n && s.load.Write && len(s.load.Rows) > 0 {
			p.store(e, x.sites, s.load.Rows[0].Bytes)
		}
	}
	for _, m := range p.making {
		if m.job == n {
			p.addMaking(e, x, m, lasted)
		}
	}
}

// addLoading adds what the input of a training job takes: the cores of its workers, the
// caches of its hosts as far as they are filled, and the data set.
func (p *plant) addLoading(e *estate, x *stay, i int, lasted float64) {
	j, all := p.training[i], p.cluster.Jobs[p.jobs[i]].Accelerators
	l := p.loadingOf(j)
	_, fed := j.Fed()
	if l == nil || fed.Samples == 0 {
		return
	}
	if l.from == "" {
		p.store(e, x.sites, l.dataset*l.bytes)
	}
	clients := readers(j.Training, all)
	hosts := map[int]bool{}
	for _, c := range clients {
		hosts[e.t.Server(c)] = true
		x.sites[e.site(c)].used[cpuCores] += result.Ratio(float64(fed.Samples)*float64(j.Training.GlobalBatch)*l.seconds, lasted*float64(len(clients)))
	}
	for host := range hosts { // the same of each
		h := &x.sites[e.of[host]]
		h.demanded[memoryBytes] += l.cache
		h.used[memoryBytes] += min(l.cache, fed.Read*float64(len(clients))/float64(len(hosts)))
	}
	for _, a := range all {
		if l.seconds > 0 {
			x.sites[e.site(a)].demanded[cpuCores] += l.cores(e.t.Servers[e.t.Server(a)].Spec)
		}
	}
}

// addMaking adds what a pipeline takes: the cores of its workers, their part of the hosts
// that they are on, and what it has written.
func (p *plant) addMaking(e *estate, x *stay, m *making, lasted float64) {
	part := 1 / float64(len(m.hosts))
	written, workers := 0.0, 0.0
	for i := range m.pipeline.Stages {
		written += m.pipeline.Stages[i].Written
		workers += m.pipeline.Stages[i].Workers
	}
	for _, host := range m.hosts {
		h := &x.sites[e.of[host]]
		for i := range m.pipeline.Stages {
			s := &m.pipeline.Stages[i]
			h.demanded[cpuCores] += s.Workers * part
			h.allocated[cpuCores] += s.Workers * part
			h.used[cpuCores] += result.Ratio(s.Workers*s.Computed.Seconds()*part, lasted)
		}
		of := workers * part / float64(e.t.Servers[host].Spec.CPUs)
		h.demanded[nodes] += of
		h.allocated[nodes] += of
		h.used[nodes] += of
	}
	p.store(e, x.sites, written)
}

// mostListedJobs is of how many jobs of a queue the resources are listed one by one.
const mostListedJobs = 1000

// queueStays are what the jobs of the queue had, of the first of them one by one, and
// all of them in resource-seconds at each site. A job of a trace uses what it is
// allocated: of its duration nothing else is known.
func (p *plant) queueStays(e *estate, r *jobResults) (all []stay, seconds []holding) {
	q := p.queued
	seconds = make([]holding, len(e.sites))
	listed := make([]stay, min(len(q.rows), mostListedJobs))
	for k := range listed {
		listed[k].sites = make([]holding, len(e.sites))
	}
	first := make([]topology.NodeID, len(q.rows)) // accelerator that it has, its first time
	for k := range first {
		first[k] = topology.None
	}
	for i, s := range q.trace.Stretches(r.end) {
		k, lasted := int(s.Job)-q.first, (s.To - s.From).Seconds()
		j := &r.jobs[s.Job]
		whole := 0
		for _, span := range q.trace.Spans(i) {
			whole += int(span.Last-span.First) + 1
		}
		for _, span := range q.trace.Spans(i) {
			for a := span.First; a <= span.Last; {
				site, last, spec := e.site(a), span.Last, (*topology.Host)(nil)
				if len(e.of) > 0 {
					server := &e.t.Servers[e.t.Server(a)]
					spec = server.Spec
					last = min(last, server.FirstAccelerator+topology.NodeID(spec.Accelerators)-1)
				}
				h := heldBy(j, float64(last-a+1), float64(whole), spec)
				h = h.times(lasted)
				seconds[site].add(&h)
				if k < len(listed) {
					listed[k].sites[site].add(&h)
				}
				if first[k] == topology.None {
					first[k] = a
				}
				a = last + 1
			}
		}
	}
	for k := range q.rows {
		j := &r.jobs[q.first+k]
		to := r.end
		if j.Finished {
			to = j.FinishedAt
		}
		from := min(j.Start, to)
		lasted := (to - from).Seconds()
		site, d := 0, demandOf(j)
		if a := first[k]; a != topology.None {
			site = e.site(a)
			if len(e.of) > 0 {
				d.demanded[nodes] = d.demanded[accelerators] / float64(e.t.Servers[e.t.Server(a)].Spec.Accelerators)
			}
		}
		whole := d.times(lasted)
		seconds[site].add(&whole)
		if k < len(listed) {
			x := &listed[k]
			x.name, x.from, x.to = j.Name, from, to
			for i := range x.sites {
				x.sites[i] = x.sites[i].times(result.Ratio(1, lasted))
			}
			x.sites[site].demanded = d.demanded
		}
	}
	return listed, seconds
}

// demandOf is what a job of the queue demands.
func demandOf(j *jobResult) (h holding) {
	h.demanded[accelerators] = float64(j.Count) * j.part()
	if n := j.Needs; n != nil {
		h.demanded[cpuCores], h.demanded[memoryBytes] = float64(n.CPU)/1000, float64(n.Memory)
	}
	return h
}

// heldBy is what a job of the queue holds that has some of its accelerators on a host,
// which is not known where there are none: the cores and memory that it demands, or if it
// says nothing of them the part of the host's.
func heldBy(j *jobResult, here, whole float64, host *topology.Host) (h holding) {
	n := cmp.Or(j.Needs, &scheduler.Request{})
	h.allocated[accelerators] = here * j.part()
	h.allocated[cpuCores], h.allocated[memoryBytes] = float64(n.CPU)/1000*here/whole, float64(n.Memory)*here/whole
	if host != nil {
		of := here * j.part() / float64(host.Accelerators)
		h.allocated[nodes] = of
		if n.CPU == 0 {
			h.allocated[cpuCores] = of * float64(host.CPUs)
		}
		if n.Memory == 0 {
			h.allocated[memoryBytes] = of * float64(host.Memory)
		}
	}
	h.used = h.allocated
	return h
}

// resourceTable is what each workload had of each site, and at last what each site had
// of all, in the mean of the run. jobs are those of the queue, nil without.
func (p *plant) resourceTable(jobs *jobResults) (*result.Table, []*result.Record) {
	e := p.newEstate()
	all := p.stays(e)
	end := p.engine.Now().Seconds()
	total := make([]holding, len(e.sites))
	for i := range all {
		x := &all[i]
		for s := range x.sites {
			part := x.sites[s].times(result.Ratio((x.to - x.from).Seconds(), end))
			total[s].add(&part)
		}
	}
	if p.queued != nil {
		listed, seconds := p.queueStays(e, jobs)
		all = append(all, listed...)
		for s := range seconds {
			part := seconds[s].times(result.Ratio(1, end))
			total[s].add(&part)
		}
	}
	var of, site, kind []string
	var from, to, capacity, demanded, allocated, used []float64
	row := func(name string, s, r int, begin, ended float64, h *holding) {
		of, site, kind = append(of, name), append(site, e.sites[s]), append(kind, resourceNames[r])
		from, to, capacity = append(from, begin), append(to, ended), append(capacity, e.capacity[s][r])
		demanded, allocated, used = append(demanded, h.demanded[r]), append(allocated, h.allocated[r]), append(used, h.used[r])
	}
	for i := range all {
		x := &all[i]
		for s := range x.sites {
			for r := range numResources {
				if h := &x.sites[s]; h.demanded[r] > 0 || h.allocated[r] > 0 || h.used[r] > 0 {
					row(x.name, s, r, x.from.Seconds(), x.to.Seconds(), h)
				}
			}
		}
	}
	var records []*result.Record
	for s := range e.sites {
		for r := range numResources {
			h := &total[s]
			row("", s, r, 0, end, h)
			x := &result.Record{}
			x.Add(result.ResourceSite, e.sites[s])
			x.Add(result.ResourceKind, resourceNames[r])
			x.Add(result.ResourceCapacity, e.capacity[s][r])
			x.Add(result.ResourceDemanded, h.demanded[r])
			x.Add(result.ResourceAllocated, h.allocated[r])
			x.Add(result.ResourceUsed, h.used[r])
			records = append(records, x)
		}
	}
	return &result.Table{Name: "resources", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.ResourceSite, Text: site},
		{Metric: result.ResourceKind, Text: kind},
		{Metric: result.ResourceFrom, Numbers: from},
		{Metric: result.ResourceTo, Numbers: to},
		{Metric: result.ResourceCapacity, Numbers: capacity},
		{Metric: result.ResourceDemanded, Numbers: demanded},
		{Metric: result.ResourceAllocated, Numbers: allocated},
		{Metric: result.ResourceUsed, Numbers: used},
	}}, records
}
