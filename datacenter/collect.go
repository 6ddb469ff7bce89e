package datacenter

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/alert"
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// mostContended is how many contended links the summary names, seriesLinks of
// how many links utilization over time is written.
const (
	mostContended = 5
	seriesLinks   = 64
)

// collect gathers what a run found. The error is that of an expectation which
// names no metric.
func (p *plant) collect(status string, summaryOnly bool) (*Result, error) {
	r := &Result{}
	end := p.engine.Now()
	t := p.cluster.Topology
	for _, s := range p.served {
		s.Settle()
	}
	uses := make([]network.LinkUse, len(t.Links))
	for l := range uses {
		uses[l] = p.cluster.Network.Use(topology.LinkID(l))
	}
	s := &result.Record{}
	s.Add(result.Name, p.scenario.Name.Value)
	s.Add(result.Status, status)
	s.Add(result.Makespan, end.Seconds())
	s.Add(result.Events, int64(p.engine.Handled()))
	s.Add(result.Seed, p.scenario.Sim.Seed.Value)
	s.Add(result.Cluster, ClusterRecord(t))
	r.Summary = s
	if len(p.training) > 0 {
		var all []*result.Record
		for i, j := range p.training {
			r := p.trainingRecord(j, p.cluster.Jobs[p.jobs[i]])
			p.addLost(r, p.jobs[i])
			p.addLostToFaults(r, p.jobs[i])
			p.addReliability(r, i)
			p.addInput(r, j)
			all = append(all, r)
		}
		s.Add(result.Training, all)
	}
	if len(p.collectives) > 0 {
		table := p.collectiveTable()
		p.addAloneColumns(table)
		r.Tables = append(r.Tables, table)
		s.Add(result.Collectives, records(table))
	}
	if len(p.cluster.Flows) > 0 {
		table := p.flowTable()
		r.Tables = append(r.Tables, table)
		s.Add(result.Flows, flowRecord(table))
	}
	if len(p.replays) > 0 {
		r.Tables = append(r.Tables, p.replayTable())
		s.Add(result.Replay, p.replayRecords())
	}
	if len(p.served) > 0 {
		if !summaryOnly {
			r.Tables = append(r.Tables, p.requestTable())
			if table := p.scalingTable(); table != nil {
				r.Tables = append(r.Tables, table)
			}
		}
		s.Add(result.Serving, p.servingRecords())
	}
	if len(p.stored) > 0 {
		r.Tables = append(r.Tables, p.storageTable())
		s.Add(result.StorageLoads, p.storageRecords())
	}
	if len(p.making) > 0 {
		r.Tables = append(r.Tables, p.pipelineTable())
		s.Add(result.Pipelines, p.pipelineRecords())
	}
	if len(p.rollouts) > 0 {
		r.Tables = append(r.Tables, p.rolloutTable())
		s.Add(result.Rollouts, p.rolloutRecords())
	}
	if len(p.backups) > 0 {
		r.Tables = append(r.Tables, p.backupTable())
		s.Add(result.Backups, p.backupRecords())
	}
	var jobs *jobResults
	if p.queued != nil || p.failing != nil || p.scenario.Scheduler.Decisions.Value || p.cluster.Stops() && p.scenario.Workload.Several() {
		jobs = p.jobResults()
		r.Tables = append(r.Tables, jobs.table(), jobs.stretchTable(), jobs.series())
		if p.scenario.Scheduler.Decisions.Value {
			r.Tables = append(r.Tables, jobs.decisionTable(p.audit))
		}
		s.Add(result.Jobs, jobs.record(p.scenario.Scheduler.Policy.Value))
		r.Distributions = jobs.distributions
	}
	if p.failing != nil {
		r.Tables = append(r.Tables, p.outageTable())
	}
	if p.hosting != nil {
		loads := p.cluster.Loads()
		r.Tables = append(r.Tables, loadTable(loads))
		s.Add(result.Placement, placementRecord(p.hosting.placer.Rule.String(), loads))
	}
	if table := p.faultTable(); table != nil {
		r.Tables = append(r.Tables, table)
		s.Add(result.Faults, p.faultRecord(table))
	}
	for _, table := range []*result.Table{p.interruptionTable(), p.fateTable()} {
		if table != nil {
			r.Tables = append(r.Tables, table)
		}
	}
	hasNetwork := t.Kind != "pool"
	if hasNetwork {
		s.Add(result.Network, p.networkRecord(uses, end))
	}
	if p.packets != nil {
		s.Add(result.Packets, packetRecord(p.packets.Stats()))
	}
	if e := p.encryptionRecord(); e != nil {
		s.Add(result.EncryptionCosts, e)
	}
	if m := p.monitoringRecord(); m != nil {
		s.Add(result.Monitoring, m)
	}
	p.addEnergy(r, end, summaryOnly)
	p.addSites(r, summaryOnly)
	p.addCost(r, end.Seconds())
	if summaryOnly {
		return r, p.expect(r)
	}
	if len(p.cluster.Jobs) > 0 && (!t.Bare() || p.queued != nil) {
		table, records := p.resourceTable(jobs)
		r.Tables = append(r.Tables, table)
		s.Add(result.Resources, records)
	}
	if table := p.kernelTable(); table != nil {
		r.Tables = append(r.Tables, table)
	}
	if hasNetwork {
		links := linkTable(t, uses, end)
		p.addLostColumns(links, uses)
		r.Tables = append(r.Tables, links)
	}
	if table := p.contentionTable(); table != nil {
		r.Tables = append(r.Tables, table)
	}
	if t.Accelerators() > 0 && hasNetwork {
		r.Tables = append(r.Tables, p.acceleratorTable(end))
	}
	if table := p.acceleratorSeries(end); table != nil && (p.queued == nil || len(p.cluster.Ledgers()) > 0) {
		r.Tables = append(r.Tables, table)
	}
	if table := p.servingSeries(end); table != nil {
		r.Tables = append(r.Tables, table)
	}
	if table := p.linkSeries(uses, end); table != nil {
		r.Tables = append(r.Tables, table)
	}
	p.warnings = append(p.warnings, alert.Add(p.scenario, &r.Results, end.Seconds())...)
	return r, p.expect(r)
}

// ClusterRecord is what a topology is made of, in short.
func ClusterRecord(t *topology.Topology) *result.Record {
	c := &result.Record{}
	c.Add(result.TopologyKind, t.Kind)
	c.Add(result.AcceleratorCount, int64(t.Accelerators()))
	if !t.Bare() {
		c.Add(result.HostCount, int64(len(t.Servers)))
		c.Add(result.Host, hostNames(t))
	}
	c.Add(result.SwitchCount, int64(t.Switches()))
	c.Add(result.LinkCount, int64(len(t.Links)))
	return c
}

func (p *plant) trainingRecord(j *training.Job, job *cluster.Job) *result.Record {
	r := &result.Record{}
	t := &j.Training
	n := float64(len(job.Accelerators))
	iteration, storage := j.Last.Time.Seconds(), 0.0
	if how, fared := j.Outcome(); how != nil && fared.Checkpoints > 0 {
		storage = how.Storage(j.Last.Time)
		iteration += storage
	}
	outer := j.OuterShare()
	iteration += outer.Time.Seconds()
	perSecond := func(amount float64) float64 {
		if iteration == 0 {
			return 0
		}
		return amount / iteration
	}
	r.Add(result.Name, job.Name)
	r.Add(result.Model, t.Model.Name)
	r.Add(result.Precision, t.Precision.String())
	r.Add(result.AcceleratorCount, int64(len(job.Accelerators)))
	r.Add(result.GlobalBatch, int64(t.GlobalBatch))
	r.Add(result.Accumulation, int64(t.Accumulation()))
	r.Add(result.IterationCount, j.Done)
	r.Add(result.IterationTime, iteration)
	finished := job.FinishedAt
	if !job.Finished {
		finished = p.engine.Now()
	}
	r.Add(result.TimeToTrain, (finished - min(job.Start, finished)).Seconds())
	switch {
	case t.Islands > 1:
		r.Add(result.Islands, int64(t.Islands))
		r.Add(result.OuterTime, j.Interlude.Time.Seconds())
		r.Add(result.OuterCount, j.Interludes)
	case j.Every > 0:
		r.Add(result.EvaluationTime, j.Interlude.Time.Seconds())
		r.Add(result.EvaluationCount, j.Interludes)
	}
	samples := perSecond(float64(t.GlobalBatch))
	if t.Sequence > 1 { // not a sample that is one whole
		r.Add(result.TokensPerSecond, samples*float64(t.Sequence))
	}
	r.Add(result.SamplesPerSecond, samples)
	rate := 0.0
	if n > 0 {
		rate = perSecond(t.FLOPs()) / n
	}
	r.Add(result.ModelTFLOPS, rate/1e12)
	r.Add(result.HardwareTFLOPS, rate*t.Recomputed()/1e12)
	r.Add(result.MFU, rate/j.Roofline.Accelerator.Rated(t.Precision))
	m := t.Memory()
	r.Add(result.MemoryPerAccelerator, m.Total())
	memory := &result.Record{}
	memory.Add(result.MemoryParameters, m.Parameters)
	memory.Add(result.MemoryGradients, m.Gradients)
	memory.Add(result.MemoryOptimizer, m.Optimizer)
	memory.Add(result.MemoryActivations, m.Activations)
	memory.Add(result.MemoryGathered, m.Gathered)
	memory.Add(result.MemoryBuffers, m.Buffers)
	memory.Add(result.MemoryFramework, m.Framework)
	r.Add(result.Memory, memory)
	r.Add(result.MicroBatch, int64(t.MicroBatch))
	r.Add(result.Recompute, t.Recompute)
	if t.Tuning == workload.TuningLoRA {
		r.Add(result.TrainedParameters, t.Trained())
	}
	degrees := &result.Record{}
	for _, d := range []struct {
		group  workload.Group
		degree int
	}{
		{workload.TensorGroup, t.Tensor},
		{workload.PipelineGroup, t.Pipeline},
		{workload.DataGroup, t.Data},
		{workload.ContextGroup, t.Context},
		{workload.ExpertGroup, t.Expert},
	} {
		degrees.Add(result.Metric{Name: d.group.String(), Definition: d.group.String() + "-parallel degree"}, int64(d.degree))
	}
	r.Add(result.Degrees, degrees)
	if name := j.Algorithm(); name != "" {
		r.Add(result.GradientAlgorithm, name)
		r.Add(result.GradientBytes, j.GradientBytes())
		if t.Compresses() {
			r.Add(result.CompressedBytes, t.Compressed(j.GradientBytes()/workload.GradientBytes(t.Precision)))
		}
	}
	b := &result.Record{}
	b.Add(result.ComputePart, (j.Last.Compute + outer.Compute).Seconds())
	b.Add(result.ExposedPart, (j.Last.AllExposed() + outer.AllExposed()).Seconds())
	b.Add(result.BubblePart, (j.Last.Bubble + outer.Bubble).Seconds())
	b.Add(result.StoragePart, storage+j.Last.Input.Seconds())
	b.Add(result.OptimizerPart, (j.Last.Optimizer + outer.Optimizer).Seconds())
	if launch := j.Last.Launch + outer.Launch; launch > 0 {
		b.Add(result.LaunchPart, launch.Seconds())
	}
	r.Add(result.Breakdown, b)
	kinds := &result.Record{}
	for k, exposed := range j.Last.Exposed {
		kinds.Add(training.Kind(k).Metric(), (exposed + outer.Exposed[k]).Seconds())
	}
	r.Add(result.ExposedByKind, kinds)
	r.Add(result.OverlappedTime, j.Last.Overlapped.Seconds())
	r.Add(result.ComputeByClass, training.ByClass(j.ComputeByClass()))
	r.Add(result.SlowedCompute, j.Roofline.Interference()*j.Last.Overlapped.Seconds())
	return r
}

func (p *plant) collectiveTable() *result.Table {
	var op, algorithm, protocol, of []string
	var ranks []int64
	var size, seconds, algbw, busbw, limit []float64
	for i, b := range p.collectives {
		n := b.RankCount()
		for _, row := range b.Rows {
			a, bus := collective.Bandwidth(b.Op, n, row.Size, row.Time)
			op, algorithm, of = append(op, b.Op.String()), append(algorithm, row.Algorithm.String()), append(of, p.names[i])
			protocol = append(protocol, row.Protocol.String())
			ranks = append(ranks, int64(n))
			size, seconds = append(size, row.Size), append(seconds, row.Time)
			algbw, busbw = append(algbw, a), append(busbw, bus)
			_, bound := collective.Bandwidth(b.Op, n, row.Size, row.Bound)
			limit = append(limit, bound)
		}
	}
	return &result.Table{Name: "collectives", Columns: []result.Column{
		{Metric: result.CollectiveOp, Text: op},
		{Metric: result.CollectiveAlgorithm, Text: algorithm},
		{Metric: result.CollectiveRanks, Integers: ranks},
		{Metric: result.CollectiveSize, Numbers: size},
		{Metric: result.CollectiveTime, Numbers: seconds},
		{Metric: result.AlgorithmBandwidth, Numbers: algbw},
		{Metric: result.BusBandwidth, Numbers: busbw},
		{Metric: result.Workload, Text: of},
		{Metric: result.CollectiveProtocol, Text: protocol},
		{Metric: result.BusLimit, Numbers: limit},
	}}
}

// records makes a record of every row of a table, without the numbers that are missing.
func records(t *result.Table) []*result.Record {
	all := make([]*result.Record, t.Rows())
	for i := range all {
		all[i] = &result.Record{}
		for _, c := range t.Columns {
			switch {
			case c.Text != nil:
				all[i].Add(c.Metric, c.Text[i])
			case c.Integers != nil:
				all[i].Add(c.Metric, c.Integers[i])
			case !math.IsNaN(c.Numbers[i]):
				all[i].Add(c.Metric, c.Numbers[i])
			}
		}
	}
	return all
}

func (p *plant) flowTable() *result.Table {
	var name []string
	var start, finish, bytes, alone, lost []float64
	for _, s := range p.cluster.Flows {
		for i, id := range s.IDs {
			eligible, finished, ended := p.cluster.Network.Times(id)
			from, to := eligible.Seconds(), finished.Seconds()
			if !ended {
				to = result.Missing
				if eligible == 0 {
					from = s.Flows[i].Start.Seconds()
				}
			}
			name = append(name, s.Flows[i].Name)
			start, finish = append(start, from), append(finish, to)
			bytes = append(bytes, s.Flows[i].Bytes)
			alone = append(alone, s.Alone[i].Seconds())
			if ended {
				lost = append(lost, (finished - eligible - s.Alone[i]).Seconds())
			} else {
				lost = append(lost, result.Missing)
			}
		}
	}
	return &result.Table{Name: "flows", Columns: []result.Column{
		{Metric: result.Flow, Text: name},
		{Metric: result.FlowStart, Numbers: start},
		{Metric: result.FlowFinish, Numbers: finish},
		{Metric: result.FlowBytes, Numbers: bytes},
		{Metric: result.AloneTime, Numbers: alone},
		{Metric: result.FlowLost, Numbers: lost},
	}}
}

func flowRecord(t *result.Table) *result.Record {
	start, finish := t.Columns[1].Numbers, t.Columns[2].Numbers
	var sum, longest float64
	ended := 0
	for i := range start {
		if took := finish[i] - start[i]; took >= 0 {
			sum += took
			longest = max(longest, took)
			ended++
		}
	}
	r := &result.Record{}
	r.Add(result.FlowCount, int64(len(start)))
	r.Add(result.FlowFinished, int64(ended))
	r.Add(result.FlowMean, sum/float64(max(ended, 1)))
	r.Add(result.FlowLongest, longest)
	return r
}

// ratio is a/b, 0 if nothing could happen.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func linkTable(t *topology.Topology, uses []network.LinkUse, end sim.Time) *result.Table {
	n := len(uses)
	name, from, to := t.LinkNames()
	capacity, bytes, busy := make([]float64, n), make([]float64, n), make([]float64, n)
	used, contended, payload := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, u := range uses {
		l := &t.Links[i]
		capacity[i], payload[i], bytes[i] = l.Capacity, l.Payload, u.Bytes
		busy[i] = ratio(u.Busy.Seconds(), end.Seconds())
		used[i] = ratio(u.Bytes, l.Capacity*end.Seconds())
		contended[i] = u.Contended.Seconds()
	}
	return &result.Table{Name: "links", Columns: []result.Column{
		{Metric: result.Link, Text: name},
		{Metric: result.From, Text: from},
		{Metric: result.To, Text: to},
		{Metric: result.Capacity, Numbers: capacity},
		{Metric: result.LinkBytes, Numbers: bytes},
		{Metric: result.Busy, Numbers: busy},
		{Metric: result.Utilization, Numbers: used},
		{Metric: result.Contended, Numbers: contended},
		{Metric: result.PayloadCapacity, Numbers: payload},
	}}
}

func (p *plant) networkRecord(uses []network.LinkUse, end sim.Time) *result.Record {
	t := p.cluster.Topology
	var bytes, peak, contended float64
	var links []topology.LinkID
	for l, u := range uses {
		bytes += u.Bytes
		peak = max(peak, ratio(u.Bytes, t.Links[l].Capacity*end.Seconds()))
		contended += u.Contended.Seconds()
		if u.Contended > 0 {
			links = append(links, topology.LinkID(l))
		}
	}
	r := &result.Record{}
	r.Add(result.NetworkBytes, bytes)
	r.Add(result.PeakUtilization, peak)
	r.Add(result.ContendedLinks, int64(len(links)))
	r.Add(result.ContendedTime, contended)
	lost := p.mostLost()
	slices.SortStableFunc(links, func(a, b topology.LinkID) int {
		return cmp.Or(cmp.Compare(lost[b], lost[a]), cmp.Compare(uses[b].Contended, uses[a].Contended))
	})
	most := []*result.Record{}
	for _, l := range links[:min(len(links), mostContended)] {
		m := &result.Record{}
		m.Add(result.Link, t.LinkName(l))
		m.Add(result.Contended, uses[l].Contended.Seconds())
		m.Add(result.Utilization, ratio(uses[l].Bytes, t.Links[l].Capacity*end.Seconds()))
		m.Add(result.LinkContenders, p.contenders(l))
		most = append(most, m)
	}
	r.Add(result.MostContended, most)
	r.Add(result.Losses, p.lossRecords())
	return r
}

func (p *plant) contenders(l topology.LinkID) []*result.Record {
	owners, crowd, named := p.cluster.Network.Contenders(l)
	all := []*result.Record{}
	lost := p.lostOn(l)
	for _, o := range owners {
		c := &result.Record{}
		c.Add(result.ContenderName, p.cluster.OwnerName(o.Owner))
		c.Add(result.Contended, o.Contended.Seconds())
		c.Add(result.LossOnLink, lost[o.Owner])
		all = append(all, c)
	}
	if crowd > 0 {
		text := "flows"
		for i, id := range named {
			if i > 0 {
				text += ","
			}
			text += " " + p.cluster.FlowName(id)
		}
		if crowd > len(named) {
			text += fmt.Sprintf(" and %d more at once", crowd-len(named))
		}
		c := &result.Record{}
		c.Add(result.ContenderName, text)
		all = append(all, c)
	}
	return all
}

func (p *plant) acceleratorTable(end sim.Time) *result.Table {
	t := p.cluster.Topology
	n := t.Accelerators()
	name, host, rack := make([]string, n), make([]string, n), make([]string, n)
	compute, exposed, overlapped := make([]float64, n), make([]float64, n), make([]float64, n)
	idle, used := make([]float64, n), make([]float64, n)
	for i := range n {
		a := topology.NodeID(i)
		name[i] = t.NodeName(a)
		if s := t.Server(a); s >= 0 {
			host[i], rack[i] = t.ServerName(s), t.Racks[t.Servers[s].Rack].Name
		}
	}
	for _, l := range p.cluster.Ledgers() {
		for _, a := range l.Accelerators {
			compute[a] += l.ComputeBy(end).Seconds()
			exposed[a] += l.Exposed.Seconds()
			overlapped[a] += l.Overlapped.Seconds()
		}
	}
	for i := range n {
		rest := max(0, end.Seconds()-compute[i])
		exposed[i] = min(exposed[i], rest) // jobs that share the accelerator may both count a time
		idle[i] = rest - exposed[i]
		used[i] = ratio(compute[i], end.Seconds())
	}
	return &result.Table{Name: "accelerators", Columns: []result.Column{
		{Metric: result.Accelerator, Text: name},
		{Metric: result.Host, Text: host},
		{Metric: result.RackName, Text: rack},
		{Metric: result.ComputeTime, Numbers: compute},
		{Metric: result.CommunicationTime, Numbers: exposed},
		{Metric: result.IdleTime, Numbers: idle},
		{Metric: result.ComputeUtilization, Numbers: used},
		{Metric: result.OverlappedPerAccel, Numbers: overlapped},
	}}
}

func (p *plant) acceleratorSeries(end sim.Time) *result.Table {
	s := p.cluster.Shares(end)
	if len(s.Compute) == 0 {
		return nil
	}
	n := len(s.Compute)
	at, compute, communication, idle := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		begin := sim.Time(i) * s.Width
		at[i] = begin.Seconds()
		// The last interval reaches beyond the end; its mean is over what it has.
		part := float64(min(s.Width, end-begin)) / float64(s.Width)
		compute[i] = min(1, s.Compute[i]/part)
		communication[i] = min(1-compute[i], s.Communication[i]/part)
		idle[i] = max(0, 1-compute[i]-communication[i])
	}
	return &result.Table{Name: "accelerator_series", Columns: []result.Column{
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.SeriesCompute, Numbers: compute},
		{Metric: result.SeriesCommunication, Numbers: communication},
		{Metric: result.SeriesIdle, Numbers: idle},
	}}
}

// linkSeries gives the utilization over time of the links with the highest.
func (p *plant) linkSeries(uses []network.LinkUse, end sim.Time) *result.Table {
	t := p.cluster.Topology
	var links []topology.LinkID
	for l, u := range uses {
		if u.Bytes > 0 {
			links = append(links, topology.LinkID(l))
		}
	}
	share := func(l topology.LinkID) float64 { return uses[l].Bytes / t.Links[l].Capacity }
	slices.SortStableFunc(links, func(a, b topology.LinkID) int { return cmp.Compare(share(b), share(a)) })
	links = links[:min(len(links), seriesLinks)]
	s := p.cluster.Network.Series(links)
	if len(links) == 0 || len(s.Rate) == 0 {
		return nil
	}
	var name []string
	var at, used, offered []float64
	for i, l := range links {
		link := t.LinkName(l)
		for k, rate := range s.Rate[i] {
			begin := sim.Time(k) * s.Width
			part := float64(min(s.Width, end-begin)) / float64(s.Width)
			name, at = append(name, link), append(at, begin.Seconds())
			used = append(used, min(1, rate/part/t.Links[l].Capacity))
			offered = append(offered, s.Offered[i][k]/part/t.Links[l].Capacity)
		}
	}
	return &result.Table{Name: "link_series", Columns: []result.Column{
		{Metric: result.Link, Text: name},
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.SeriesLinkUtilization, Numbers: used},
		{Metric: result.SeriesOffered, Numbers: offered},
	}}
}

// expect holds the summary to the scenario's thresholds.
func (p *plant) expect(r *Result) error {
	var faults scenario.Faults
	var all []*result.Record
	for _, e := range p.scenario.Expect {
		actual, err := r.Summary.Lookup(e.Metric.Value)
		if err != nil {
			faults = append(faults, e.Metric.Pos.Faultf(e.Path+".metric", "%s.metric: %v", e.Path, err))
			continue
		}
		want := e.Value.Value
		holds := map[string]bool{
			"<": actual < want, "<=": actual <= want, ">": actual > want, ">=": actual >= want, "==": actual == want, "!=": actual != want,
		}[e.Op.Value]
		x := &result.Record{}
		x.Add(result.ExpectMetric, e.Metric.Value)
		x.Add(result.ExpectOp, e.Op.Value)
		x.Add(result.ExpectValue, want)
		x.Add(result.ExpectActual, actual)
		x.Add(result.ExpectHolds, holds)
		all = append(all, x)
		if !holds {
			r.Missed = append(r.Missed, fmt.Sprintf("%s is %s, expected %s %s", e.Metric.Value,
				result.Number(actual), e.Op.Value, result.Number(want)))
		}
	}
	if len(all) > 0 {
		r.Summary.Add(result.Expect, all)
	}
	return faults.Err()
}
