package datacenter

import (
	"math"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/storage"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// loading is the input of a training job as a scenario says it.
type loading struct {
	bytes   float64 // of a sample
	seconds float64 // of a core, to prepare it
	workers float64 // cores for each accelerator; 0: its part of the host, times scale
	scale   float64
	request float64 // bytes
	perFile float64 // bytes
	dataset float64 // samples; 0: not said
	cache   float64 // bytes of each host
	shards  bool
	ahead   int
	begun   int64  // iterations before the first
	from    string // the pipeline that makes them; "": they are there
}

// loads has a training job read its samples, if the scenario says so.
func (b *builder) loads(w *scenario.Training, job *training.Job, j *cluster.Job) {
	in := w.Input
	if in == nil || b.files == nil {
		return
	}
	profile, _ := workload.SamplesOf(in.Profile.Value)
	l := loading{
		bytes: profile.Bytes, seconds: profile.Seconds, workers: in.Workers.Value * b.cpuScale(), scale: b.cpuScale(),
		dataset: float64(w.Dataset.Value), cache: float64(in.Cache.Value), shards: in.Shuffle.Value == "shard", ahead: int(in.Prefetch.Value), from: in.From.Value,
	}
	perFile := 1.0
	if profile.PerToken {
		l.bytes *= float64(job.Training.Sequence)
		perFile = 1 << 20
	}
	if in.Sample.Set {
		l.bytes = float64(in.Sample.Value)
	}
	if in.CPU.Set {
		l.seconds = sim.Time(in.CPU.Value).Seconds()
	}
	if in.PerFile.Set {
		perFile = float64(in.PerFile.Value)
	}
	l.request, l.perFile = l.bytes, l.bytes*perFile
	if in.Request.Set {
		l.request = float64(in.Request.Value)
	}
	for i := range b.topology.Accelerators() {
		client := topology.NodeID(i)
		if j.List != nil {
			if i >= len(j.List) {
				break
			}
			client = topology.NodeID(j.List[i])
		}
		if !b.reads(client, in) {
			return
		}
		spec := b.topology.Servers[b.topology.Server(client)].Spec
		switch {
		case l.seconds > 0 && spec.CPUs == 0 && !in.Workers.Set:
			b.fault(in.At, in.Path+".workers", "on how many cores? The host %s has no cpus: say workers", spec.Name)
			return
		case in.Workers.Set && spec.CPUs > 0 && in.Workers.Value*float64(spec.Accelerators) > float64(spec.CPUs):
			b.fault(in.Workers.Pos, in.Path+".workers", "%v cores for each of %d accelerators are more than the %d of %s", in.Workers.Value, spec.Accelerators, spec.CPUs, spec.Name)
			return
		case in.Cache.Set && spec.Memory > 0 && in.Cache.Value > spec.Memory:
			b.fault(in.Cache.Pos, in.Path+".cache", "is more than the %.4g GB of memory of %s", float64(spec.Memory)/1e9, spec.Name)
			return
		}
	}
	job.Input = func(accelerators []topology.NodeID) training.Input {
		return b.input(&l, &job.Training, accelerators)
	}
	b.loading = append(b.loading, loaded{job, &l})
}

// loaded is a job with its input.
type loaded struct {
	job *training.Job
	*loading
}

// reads says whether an accelerator reaches the files.
func (b *builder) reads(client topology.NodeID, in *scenario.Input) bool {
	if b.files.Serves(client) {
		return true
	}
	b.fault(in.At, in.Path, "accelerator %d cannot reach the files: its host has %s", client, missing(b.files))
	return false
}

// missing is what a host is without that cannot reach the files.
func missing(s *storage.System) string {
	if s.Layout == storage.Local {
		return "no drives"
	}
	return "no NICs"
}

// cpuScale is what the cores of hosts are multiplied by.
func (b *builder) cpuScale() float64 {
	if b.scale.CPU == 0 {
		return 1
	}
	return b.scale.CPU
}

// readers are the ranks of a job that read samples: of each replica one, on whose host
// they are prepared, and which hands them to the others over the scale-up network.
func readers(t workload.Training, accelerators []topology.NodeID) []topology.NodeID {
	layout := t.Layout()
	var all []topology.NodeID
	for replica := range t.WithDefaults().Data {
		var place [workload.NumGroups]int
		place[workload.DataGroup] = replica
		all = append(all, accelerators[layout.Rank(place)])
	}
	return all
}

// input is that of a job on some accelerators.
func (b *builder) input(l *loading, t *workload.Training, accelerators []topology.NodeID) training.Input {
	clients := readers(*t, accelerators)
	each := float64(t.GlobalBatch) / float64(len(clients))
	files, m := b.files, b.made(l.from)
	if m != nil { // they are where it writes them
		last := m.Stages[len(m.Stages)-1]
		files = files.At(b.topology.SiteOf(last.Clients[0]))
	}
	read := files.Sampled(clients, storage.Samples{Bytes: each * l.bytes, Request: l.request, PerFile: l.perFile})
	in := training.Input{
		Parts: training.Parts{Links: read.Links, Counts: read.Counts, Latency: read.Latency, Bytes: each * l.bytes},
		Ahead: l.ahead, Begun: l.begun,
	}
	if l.seconds > 0 {
		in.Prepare = sim.FromSeconds(each * l.seconds / l.slowest(b.topology, accelerators, clients))
	}
	if m != nil {
		in.Await = func(iterations int64, more func()) bool {
			return m.Made(float64(iterations)*float64(t.GlobalBatch)*l.bytes, more)
		}
	}
	if l.cache > 0 {
		hosts := map[int]bool{}
		for _, c := range clients {
			hosts[b.topology.Server(c)] = true
		}
		in.Epoch = l.dataset / float64(t.GlobalBatch)
		in.Missed = workload.Missed(l.cache/(l.dataset*l.bytes), len(hosts), l.shards)
	}
	return in
}

// cores are those that prepare samples for each accelerator of a host.
func (l *loading) cores(host *topology.Host) float64 {
	if l.workers > 0 {
		return l.workers
	}
	return float64(host.CPUs) / float64(host.Accelerators) * l.scale
}

// slowest is the fewest cores that a reader has to prepare its samples: those of the
// job's accelerators on its host, divided by the readers there.
func (l *loading) slowest(t *topology.Topology, accelerators, readers []topology.NodeID) float64 {
	own, reading := map[int]float64{}, map[int]float64{}
	for _, a := range accelerators {
		own[t.Server(a)]++
	}
	for _, r := range readers {
		reading[t.Server(r)]++
	}
	least := math.Inf(1)
	for _, r := range readers {
		host := t.Server(r)
		least = min(least, l.cores(t.Servers[host].Spec)*own[host]/reading[host])
	}
	return least
}

// loadingOf is the input of a job, nil if it has none.
func (p *plant) loadingOf(j *training.Job) *loading {
	for _, with := range p.loading {
		if with.job == j {
			return with.loading
		}
	}
	return nil
}

// addInput adds to a training job's record what it had of its input.
func (p *plant) addInput(r *result.Record, j *training.Job) {
	in, fed := j.Fed()
	if in == nil {
		return
	}
	l, t := p.loadingOf(j), &j.Training
	replicas := float64(t.Data)
	m := &result.Record{}
	m.Add(result.SampleBytes, l.bytes)
	m.Add(result.InputReaders, int64(t.Data))
	m.Add(result.InputRead, fed.Read*replicas)
	if all := float64(fed.Samples) * in.Bytes; all > 0 {
		m.Add(result.InputHits, 1-fed.Read/all)
	}
	m.Add(result.InputReading, p.idleRead(in))
	m.Add(result.InputPreparing, in.Prepare.Seconds())
	m.Add(result.InputCores, float64(fed.Samples)*float64(t.GlobalBatch)*l.seconds)
	m.Add(result.InputWaited, fed.Waited.Seconds())
	r.Add(result.TrainingInput, m)
}

// idleRead is how long the samples of an iteration of which none is in memory are read
// where nothing else is on the links.
func (p *plant) idleRead(in *training.Input) float64 {
	w := storage.Together{Links: in.Links, Counts: in.Counts, Latency: in.Latency}
	return w.Takes(p.topology, in.Bytes).Seconds()
}
