package datacenter

import (
	"cmp"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/storage"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// making is a [[workload.pipeline]] as it runs.
type making struct {
	said     *scenario.Pipeline
	pipeline *storage.Pipeline
	hosts    []int // on which it works
	job      int
}

// addPipeline adds what makes a data set.
func (b *builder) addPipeline(w *scenario.Pipeline) {
	if b.files == nil {
		return
	}
	hosts := b.scenario.Topology.HostsOf(w.Pool, len(b.topology.Servers))
	clients, cores := b.workers(w, hosts)
	if clients == nil {
		return
	}
	size := float64(w.Size.Value) / float64(w.Items.Value)
	p := &storage.Pipeline{
		System: b.files, Items: float64(w.Items.Value), Bytes: size, Batches: int(min(w.Batches.Value, w.Items.Value)), Arrival: float64(w.Arrival.Value),
	}
	shared, left := 0.0, cores
	for i := range w.Stage {
		if g := &w.Stage[i]; g.Workers.Set {
			left -= g.Workers.Value
		} else {
			shared++
		}
	}
	if left < 0 || left == 0 && shared > 0 {
		b.fault(w.At, w.Path, "its stages have more workers than the %v cores of its hosts", cores)
		return
	}
	written := 0.0
	items := p.Items
	for i := range w.Stage {
		g := &w.Stage[i]
		perByte, _ := workload.StageSeconds(g.Kind.Value)
		s := storage.Stage{
			Clients: clients, Seconds: size * perByte, Workers: left / max(shared, 1) * b.cpuScale(),
			Ratio: g.Ratio.Value, Keep: g.Keep.Value, PerFile: float64(g.PerFile.Value),
		}
		if g.CPU.Set {
			s.Seconds = sim.Time(g.CPU.Value).Seconds()
		}
		if g.Workers.Set {
			s.Workers = g.Workers.Value * b.cpuScale()
		}
		size, items = size*s.Ratio, items*s.Keep
		written += items * size
		p.Stages = append(p.Stages, s)
	}
	if !b.fits(w.Size.Pos, w.Path+".size", written) {
		return
	}
	j := &cluster.Job{Name: b.name(w.Name, w.Name.Value), Start: sim.Time(w.Start.Value), Shared: true, Program: p}
	b.making = append(b.making, &making{w, p, hosts, len(b.cluster.Jobs)})
	only := *w
	only.Name.Value, only.Name.Set = j.Name, true
	b.submit(j, scenario.Workload{Pipeline: []scenario.Pipeline{only}})
}

// workers are the places from which the hosts of a pipeline read and write, each NIC or
// in a host without any the first accelerator, and the cores that they have. All have as
// many of both, so that an even part of the work is the same for each.
func (b *builder) workers(w *scenario.Pipeline, hosts []int) (clients []topology.NodeID, cores float64) {
	for _, h := range hosts {
		server := &b.topology.Servers[h]
		if spec, first := server.Spec, b.topology.Servers[hosts[0]].Spec; spec.NICs != first.NICs || spec.CPUs != first.CPUs {
			b.fault(w.Pool.Pos.Or(w.At), w.Path, "its hosts are not alike: %s and %s; pool says which are meant", first.Name, spec.Name)
			return nil, 0
		}
		own := []topology.NodeID{server.FirstAccelerator}
		if n := server.Spec.NICs; n > 0 {
			own = own[:0]
			for i := range n {
				own = append(own, server.FirstNIC+topology.NodeID(i))
			}
		}
		if !b.files.Serves(own[0]) {
			b.fault(w.At, w.Path, "%s cannot reach the files: it has %s", b.topology.ServerName(h), missing(b.files))
			return nil, 0
		}
		clients = append(clients, own...)
		cores += float64(server.Spec.CPUs)
	}
	if cores == 0 {
		b.fault(w.Pool.Pos.Or(w.At), w.Path, "on which cores? The host %s has no cpus", b.topology.Servers[hosts[0]].Spec.Name)
		return nil, 0
	}
	return clients, cores
}

// made is the pipeline of a name, nil if there is none here.
func (p *plant) made(name string) *storage.Pipeline {
	for _, m := range p.making {
		if m.said.Name.Value == name {
			return m.pipeline
		}
	}
	return nil
}

// collectPipelines tells what the stages of each pipeline made.
func (p *plant) collectPipelines(r *Result) {
	if len(p.making) == 0 {
		return
	}
	r.Tables = append(r.Tables, p.pipelineTable())
	r.Summary.Add(result.Pipelines, p.pipelineRecords())
}

// pipelineTable has a row for each stage.
func (p *plant) pipelineTable() *result.Table {
	var of, kind []string
	var in, out, read, written, cores, busy, rates, ends []float64
	for _, m := range p.making {
		job := p.cluster.Jobs[m.job]
		for i := range m.pipeline.Stages {
			s := &m.pipeline.Stages[i]
			of, kind = append(of, job.Name), append(kind, m.said.Stage[i].Kind.Value)
			in, out = append(in, s.In), append(out, s.Out)
			read, written = append(read, s.Read), append(written, s.Written)
			cores = append(cores, s.Computed.Seconds()*s.Workers)
			busy = append(busy, result.Ratio(s.Computed.Seconds(), p.lasted(m).Seconds()))
			rates = append(rates, stageRate(s))
			ends = append(ends, s.Ended.Seconds())
		}
	}
	return &result.Table{Name: "pipelines", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.PipelineStage, Text: kind},
		{Metric: result.ItemsIn, Numbers: in},
		{Metric: result.ItemsOut, Numbers: out},
		{Metric: result.StageRead, Numbers: read},
		{Metric: result.StageWritten, Numbers: written},
		{Metric: result.StageCores, Numbers: cores},
		{Metric: result.StageBusy, Numbers: busy},
		{Metric: result.StageRate, Numbers: rates},
		{Metric: result.StageEnd, Numbers: ends},
	}}
}

// stageRate is how many items a second the workers of a stage can take.
func stageRate(s *storage.Stage) float64 {
	if s.Seconds == 0 {
		return result.Missing
	}
	return s.Workers / s.Seconds
}

// lasted is how long a pipeline has worked.
func (p *plant) lasted(m *making) sim.Time {
	job := p.cluster.Jobs[m.job]
	if !job.Started {
		return 0
	}
	return cmp.Or(m.pipeline.Finished, p.engine.Now()) - job.StartedAt
}

// pipelineRecords is a record for each pipeline.
func (p *plant) pipelineRecords() []*result.Record {
	all := []*result.Record{}
	for _, m := range p.making {
		last := &m.pipeline.Stages[len(m.pipeline.Stages)-1]
		took := p.lasted(m).Seconds()
		r := &result.Record{}
		r.Add(result.Name, p.cluster.Jobs[m.job].Name)
		r.Add(result.ItemsIn, m.pipeline.Stages[0].In)
		r.Add(result.ItemsOut, last.Out)
		r.Add(result.StageWritten, last.Written)
		r.Add(result.PipelineTime, took)
		r.Add(result.PipelineRate, result.Ratio(m.pipeline.Stages[0].In, took))
		r.Add(result.BusiestStage, m.said.Stage[busiest(m.pipeline.Stages)].Kind.Value)
		p.addLost(r, m.job)
		all = append(all, r)
	}
	return all
}

// busiest is the stage whose workers computed for the longest.
func busiest(stages []storage.Stage) (most int) {
	for i := range stages {
		if stages[i].Computed > stages[most].Computed {
			most = i
		}
	}
	return most
}
