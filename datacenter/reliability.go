package datacenter

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
)

// Bounds of what fails now and then, and so of the memory that it takes.
const (
	mostParts   = 1 << 21 // with a random stream each
	mostPerTime = 0.1     // failures a second of all parts together
	mostListed  = 1 << 22 // failures of a file
	mostDrawn   = 1 << 25 // interruptions and streams of all failure_runs together
)

// stopping is the [[topology.fault]] that stop jobs.
type stopping struct {
	sources []fault.Source
	streams int                       // that they take
	said    []*scenario.TopologyFault // of each
	outages *fault.Outages
}

// causeOf is what the report calls what failed.
func causeOf(w *scenario.TopologyFault) string {
	if w.Cause.Set {
		return w.Cause.Value
	}
	return w.Kind.Value
}

// addStops has hosts fail as the scenario says.
func (b *builder) addStops() {
	t := b.scenario.Topology
	s := &stopping{}
	taken := map[string]int{}
	type parts struct {
		names   []string
		servers [][]int32
	}
	known := map[string]parts{} // by kind
	rate := 0.0
	for i := range t.Fault {
		w := &t.Fault[i]
		if w.Rerouted() {
			continue
		}
		if w := &b.scenario.Workload; len(w.Training)+len(w.Serving)+len(w.Jobs) == 0 {
			if !b.alone {
				b.fault(t.Fault[i].Header.At, t.Fault[i].Path, "stops training jobs, replicas and jobs of a queue, and there is no [[workload.training]], [[workload.serving]] or [[workload.jobs]]")
			}
			return
		}
		if kinds := b.fallible(); kinds != nil && !slices.Contains(kinds, w.Kind.Value) {
			b.fault(w.Kind.Pos, w.Path+".kind", "the topology has no %s; there is %s", w.Kind.Value, strings.Join(kinds, ", "))
			return
		}
		key := w.Kind.Value + strconv.FormatInt(w.Racks.Value, 10)
		if known[key].names == nil {
			names, servers := b.partsOf(w)
			known[key] = parts{names, servers}
		}
		names, servers := known[key].names, known[key].servers
		if w.Name.Set {
			n := slices.Index(names, w.Name.Value)
			if n < 0 {
				b.fault(w.Name.Pos, w.Path+".name", "%s", noneOf(w.Kind.Value, w.Name.Value, names))
				continue
			}
			names, servers = names[n:n+1], servers[n:n+1]
		}
		source := fault.Source{
			Name: "fault/" + w.Kind.Value + "/" + w.Cause.Value, Parts: servers, Names: names, Repair: sim.Time(w.Repair.Value),
			Lifetime: fault.Lifetime{Mean: float64(w.MTBF.Value.Mean), Parameter: w.Shape.Value},
			Every:    sim.Time(w.Every.Value), Left: w.Capacity.Value, Planned: w.Planned.Value, Drain: sim.Time(w.Drain.Value),
			Variation: w.Variation.Value,
		}
		if taken[source.Name]++; taken[source.Name] > 1 {
			source.Name += "#" + strconv.Itoa(taken[source.Name])
		}
		source.Lifetime.Shape, _ = fault.ParseShape(w.Distribution.Value)
		switch {
		case w.At.Set:
			back := sim.Never
			if w.Repair.Set {
				back = sim.Time(w.At.Value).After(sim.Time(w.Repair.Value))
			}
			source.Listed = []fault.Outage{{At: sim.Time(w.At.Value), Repaired: back}}
		case w.File.Set:
			listed, faults := b.listed(w, names)
			b.faults = append(b.faults, faults...)
			source.Listed = listed
		default:
			rate += float64(len(servers)) / source.Lifetime.Mean
			if source.Lifetime.Shape != fault.Exponential {
				s.streams += len(servers)
			}
			if rate > mostPerTime || s.streams > mostParts {
				b.fault(w.MTBF.Pos, w.Path+".mtbf", "makes %d parts, with those before, fail more often than every %v s, or more than %d of them not exponentially; an mtbf of %.0fs is that of one in 10 s",
					len(servers), 1/mostPerTime, mostParts, float64(len(servers))/mostPerTime)
			}
		}
		s.sources, s.said = append(s.sources, source), append(s.said, w)
	}
	if len(b.faults) > 0 || s.sources == nil {
		return
	}
	s.outages = s.draw(b.scenario, 0)
	b.stopping = s
	if w := &b.scenario.Workload; len(w.Collective)+len(w.Flows)+len(w.Replay) > 0 {
		b.warnings = append(b.warnings, "what fails on hosts stops training jobs, replicas and jobs of traces; all other workloads go on as if nothing did")
	}
}

// draw is the outages of the seed of the scenario, or one after it.
func (s *stopping) draw(of *scenario.Scenario, after int64) *fault.Outages {
	return fault.NewOutages(uint64(of.Sim.Seed.Value+after), int(of.Topology.Spares.Value), s.sources)
}

// listed reads the failures of a file.
func (b *builder) listed(w *scenario.TopologyFault, names []string) ([]fault.Outage, scenario.Faults) {
	rows, faults := b.scenario.ReadFailures(w)
	if faults != nil {
		return nil, faults
	}
	index, order := make(map[string]int, len(names)), make([]int, len(names))
	for i, n := range names {
		index[n], order[i] = i, i
	}
	random := sim.Stream(uint64(b.scenario.Sim.Seed.Value), "fault/"+w.File.Value)
	var all []fault.Outage
	for _, r := range rows {
		f := fault.Outage{At: sim.FromSeconds(r.At)}
		repair := sim.Time(w.Repair.Value)
		if r.Repair > 0 {
			repair = sim.FromSeconds(r.Repair)
		}
		f.Repaired = f.At.After(repair)
		if r.Name == "" {
			n := max(1, int(math.Round(r.Share*float64(len(names)))))
			if len(all)+n > mostListed {
				at := scenario.Position{File: b.scenario.Path(w.File.Value), Line: int(r.Line), Col: 1}
				return nil, append(faults, at.Faultf("", "more than %d failures, each row being one of up to %d parts", mostListed, len(names)))
			}
			for i := range n { // of a random order, as far as it is needed
				if n < len(order) {
					k := i + random.IntN(len(order)-i)
					order[i], order[k] = order[k], order[i]
				}
				f.Part = order[i]
				all = append(all, f)
			}
			continue
		}
		n, known := index[r.Name]
		if !known {
			at := scenario.Position{File: b.scenario.Path(w.File.Value), Line: int(r.Line), Col: 1}
			faults = append(faults, at.Faultf("name", "name: %s", noneOf(w.Kind.Value, r.Name, names)))
			if len(faults) > 20 {
				break
			}
			continue
		}
		f.Part = n
		all = append(all, f)
	}
	return all, faults
}

// partsOf are the parts of a kind: their names, and the servers that stop when one
// fails.
func (b *builder) partsOf(w *scenario.TopologyFault) (names []string, servers [][]int32) {
	t := b.topology
	if t.Bare() {
		return b.bareParts(w)
	}
	one := make([]int32, len(t.Servers)) // of each server, the part of it alone
	for s := range one {
		one[s] = int32(s)
	}
	add := func(name string, stops []int32) {
		names, servers = append(names, name), append(servers, stops)
	}
	switch w.Kind.Value {
	case "accelerator":
		for a := range topology.NodeID(t.Accelerators()) {
			s := t.Server(a)
			add(t.NodeName(a), one[s:s+1])
		}
	case "host":
		for s := range t.Servers {
			add(t.ServerName(s), one[s:s+1])
		}
	case "nic":
		for s := range t.Servers {
			for i := range t.Servers[s].Spec.NICs {
				add(fmt.Sprintf("%s/nic%d", t.ServerName(s), i), one[s:s+1])
			}
		}
	case "switch", "link":
		all := t.SwitchParts
		if w.Kind.Value == "link" {
			all = t.CableParts
		}
		for _, p := range all() {
			add(p.Name, p.Servers)
		}
	case "rack", "power-domain", "site":
		name := func(rack int) string { return t.Racks[rack].Name }
		switch w.Kind.Value {
		case "power-domain":
			racks := int(max(1, w.Racks.Value))
			name = func(rack int) string { return "power" + strconv.Itoa(rack/racks) }
		case "site":
			name = func(rack int) string { return t.Racks[rack].Site }
		}
		for s := range t.Servers {
			if n := name(t.Servers[s].Rack); len(names) == 0 || names[len(names)-1] != n {
				add(n, nil)
			}
			last := len(servers) - 1
			servers[last] = append(servers[last], int32(s))
		}
	}
	return names, servers
}

// stops are the failures of one job as its course takes them.
type stops struct {
	*fault.Stops
	sources []fault.Source
}

func (s stops) Next() training.Failure {
	f, until := s.Stops.Next()
	return training.Failure{At: f.At, Until: until, Cause: f.Source, Part: f.Part, Planned: f.At < sim.Never && s.sources[f.Source].Planned}
}

func (s stops) NextSlow() training.Slow {
	f, left := s.Stops.NextSlow()
	return training.Slow{From: f.At, Until: f.Repaired, Factor: 1 / left}
}

// serversOf are the servers of accelerators, each once for each of them.
func serversOf(t *topology.Topology, accelerators []topology.NodeID) []int {
	servers := make([]int, len(accelerators))
	for i, a := range accelerators {
		servers[i] = t.Server(a)
	}
	return servers
}

// recovery is how a training job on some accelerators saves its state and comes back,
// in the outages of the scenario's seed or of one after it.
func (p *plant) recovery(w *scenario.Training, of workload.Training, after int64, accelerators []topology.NodeID) training.Recovery {
	s, t := p.scenario, p.topology
	stopped := stops{Stops: fault.NewOutages(0, 0, nil).Stopping(serversOf(t, accelerators))}
	if x := p.stopping; x != nil {
		outages := x.outages
		if after > 0 {
			outages = x.draw(s, after)
		}
		stopped = stops{outages.Stopping(serversOf(t, accelerators)), x.sources}
	}
	k := &w.Checkpointing
	r := training.Recovery{
		Failures: stopped, Horizon: sim.Time(s.Sim.Horizon.Value),
		Detection: sim.Time(k.Detect.Value), Restart: sim.Time(k.Restart.Value),
	}
	if !k.Interval.Set {
		return r
	}
	bytes := float64(checkpointBytes(w, of))
	spec := t.Servers[t.Server(accelerators[0])].Spec
	storage := &s.Topology.Storage
	host := float64(spec.NICs) * float64(spec.NICBandwidth) * spec.NICEfficiency
	if storage.Host.Set || spec.NICs == 0 {
		host = float64(storage.Host.Value)
	}
	part := bytes / float64(len(accelerators))
	takes := func(rate units.Rate) sim.Time {
		limit := float64(rate)
		if hosts := float64(stopped.Hosts()) * host; hosts > 0 {
			limit = min(limit, hosts)
		}
		return sim.FromSeconds(bytes / limit)
	}
	if p.files == nil {
		r.Write, r.Reload = takes(storage.Write.Value), takes(cmp.Or(storage.Read.Value, storage.Write.Value))
	} else {
		write, read := p.together(accelerators, part)
		r.Write, r.Reload = write.Takes(t, part), read.Takes(t, part)
		r.Parts = &training.Parts{Links: write.Links, Counts: write.Counts, Latency: write.Latency, Bytes: part}
	}
	r.Pause = r.Write
	if k.Mode.Value == "asynchronous" {
		r.Pause = sim.FromSeconds(part / float64(spec.PCIeBandwidth))
		if k.Snapshot.Set {
			r.Pause = sim.Time(k.Snapshot.Value)
		}
		r.Write = max(r.Write, r.Pause)
	}
	r.Interval = sim.Time(k.Interval.Value.Duration)
	if rate := stopped.Rate(); k.Interval.Value.Auto {
		r.Interval = sim.Never / 4
		if rate > 0 {
			r.Interval = min(r.Interval, sim.FromSeconds(training.Interval(r.Pause.Seconds(), 1/rate)))
		}
	}
	return r
}

// checkpointBytes is the size of a job's checkpoint.
func checkpointBytes(w *scenario.Training, t workload.Training) int64 {
	if w.Checkpointing.Size.Set {
		return int64(w.Checkpointing.Size.Value)
	}
	return t.CheckpointBytes()
}

// recovers has a training job save its state and come back, if the scenario says anything
// of that, by itself or through the queue. It gives the job as the cluster runs it.
func (b *builder) recovers(w *scenario.Training, j *training.Job) cluster.Program {
	requeued := b.requeues(w)
	copies := b.replicated(w, requeued)
	if b.stopping == nil && !w.Checkpointing.Interval.Set && !requeued {
		return j
	}
	j.Recovery = func(accelerators []topology.NodeID) training.Recovery {
		r := b.recovery(w, j.Training, 0, accelerators)
		r.Requeued, r.Preempted = requeued, sim.Time(b.scenario.Scheduler.PreemptionCost.Value)
		if requeued && b.failing != nil {
			r.Failures = b.failing.foreseen(b.topology, accelerators)
		}
		if copies != nil {
			copies.Bytes = float64(checkpointBytes(w, j.Training))
		}
		return r
	}
	if requeued {
		return &training.Requeued{Job: j, Copying: copies}
	}
	return j
}

// addReliability adds to a job's record how it fared with failures and checkpoints.
func (p *plant) addReliability(r *result.Record, n int) {
	w, job := &p.scenario.Workload.Training[n], p.cluster.Jobs[p.jobs[n]]
	how, fared := p.training[n].Outcome()
	if how == nil {
		return
	}
	end := p.engine.Now()
	if job.Finished {
		end = job.FinishedAt
	}
	r.Add(result.Goodput, goodput(fared, end-job.StartedAt))
	x := &result.Record{}
	rate := how.Failures.(stops).Rate()
	if rate > 0 {
		x.Add(result.ExpectedMTTF, 1/rate)
	}
	x.Add(result.Interruptions, fared.Interrupted)
	if fared.Interrupted > 0 {
		x.Add(result.MeasuredMTTF, (end-job.StartedAt).Seconds()/float64(fared.Interrupted))
	}
	if how.Interval > 0 {
		x.Add(result.CheckpointBytes, checkpointBytes(w, p.training[n].Training))
		x.Add(result.CheckpointInterval, how.Interval.Seconds())
		x.Add(result.CheckpointWrite, how.Write.Seconds())
		x.Add(result.CheckpointPause, how.Pause.Seconds())
		x.Add(result.CheckpointReload, how.Reload.Seconds())
		x.Add(result.CheckpointCount, fared.Checkpoints)
	}
	spent := &result.Record{}
	largest, most := training.Productive, sim.Time(0)
	for c, t := range productive(fared, end-job.StartedAt).Time {
		cause := training.Cause(c)
		spent.Add(causeMetric(cause), t.Seconds())
		if cause != training.Productive && t > most {
			largest, most = cause, t
		}
	}
	x.Add(result.TimeByCause, spent)
	if most > 0 {
		x.Add(result.LargestLoss, largest.String())
	}
	if causes := p.tolls(fared); causes != nil {
		x.Add(result.LargestCause, causes[0].Text(result.FaultCause.Name))
		x.Add(result.FaultCauses, causes)
	}
	if w.Checkpointing.Runs.Set {
		x.Add(result.FailureRuns, p.failureRunsRecord(n))
	}
	r.Add(result.Reliability, x)
}

// causeMetric is time of a job that went to one thing.
func causeMetric(c training.Cause) result.Metric {
	return result.Metric{Name: c.String(), Unit: "s", Definition: [training.NumCauses]string{
		"iterations that counted", "standing still for checkpoints", "iterations that a failure undid", "what slow hosts added to iterations that counted", "until failures were noticed",
		"for hosts in repair, with no spare one left, or in the queue for others", "until processes and communication groups stood again", "reading checkpoints",
	}[c]}
}

// productive is an outcome with the time that iterations took which counted.
func productive(o *training.Outcome, elapsed sim.Time) training.Outcome {
	all := *o
	all.Time[training.Productive] = elapsed
	for c, t := range o.Time {
		if training.Cause(c) != training.Productive {
			all.Time[training.Productive] -= t
		}
	}
	return all
}

// goodput is the share of productive time.
func goodput(o *training.Outcome, elapsed sim.Time) float64 {
	all := productive(o, elapsed)
	return result.Ratio(all.Time[training.Productive].Seconds(), elapsed.Seconds())
}

// tolls is what each sort of failure cost a job, the greatest first; nil if there was
// none.
func (p *plant) tolls(fared *training.Outcome) []*result.Record {
	var all []*result.Record
	order := []int{}
	for c, t := range fared.Tolls {
		if t.Interrupted > 0 {
			order = append(order, c)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(fared.Tolls[b].Lost, fared.Tolls[a].Lost) })
	for _, c := range order {
		r := &result.Record{}
		_, said := p.failureSource(c)
		r.Add(result.FaultCause, causeOf(said))
		r.Add(result.FaultKind, said.Kind.Value)
		r.Add(result.Interruptions, fared.Tolls[c].Interrupted)
		r.Add(result.LostToCause, fared.Tolls[c].Lost.Seconds())
		all = append(all, r)
	}
	return all
}

// failureRuns finds how training jobs fare in the failures of other seeds, until ctx ends.
func (p *plant) failureRuns(ctx context.Context) {
	for n, j := range p.training {
		w, job := &p.scenario.Workload.Training[n], p.cluster.Jobs[p.jobs[n]]
		if how, _ := j.Outcome(); how == nil {
			continue
		}
		drawn := int64(0)
		for k := int64(0); k < w.Checkpointing.Runs.Value && ctx.Err() == nil; k++ {
			if drawn > mostDrawn {
				p.warnings = append(p.warnings, fmt.Sprintf("failure_runs ends after %d: there have been %d failures", k, drawn))
				break
			}
			how := p.recovery(w, j.Training, k, job.Accelerators)
			fared, end, err := training.Fare(how, job.StartedAt, j.Last, j.Iterations)
			drawn += fared.Interrupted + int64(p.stopping.streams)
			if err != nil {
				continue
			}
			p.fates = append(p.fates, fate{n, p.scenario.Sim.Seed.Value + k, fared.Interrupted, goodput(&fared, end-job.StartedAt)})
		}
	}
}

// failureRunsRecord is how a training job fares in the failures of other seeds.
func (p *plant) failureRunsRecord(n int) *result.Record {
	var interruptions, goodputs []float64
	for _, f := range p.fates {
		if f.training == n {
			interruptions, goodputs = append(interruptions, float64(f.interruptions)), append(goodputs, f.goodput)
		}
	}
	r := &result.Record{}
	r.Add(result.FailureRunCount, int64(len(goodputs)))
	if len(goodputs) == 0 {
		return r
	}
	r.Add(result.RunInterruptions, spreadRecord(interruptions))
	r.Add(result.RunGoodput, spreadRecord(goodputs))
	return r
}

// fate is how a training job fares in the failures of a seed.
type fate struct {
	training      int
	seed          int64
	interruptions int64
	goodput       float64
}

// fateTable is a row a seed of failure_runs; nil if there are none.
func (p *plant) fateTable() *result.Table {
	n := len(p.fates)
	if n == 0 {
		return nil
	}
	of, seeds, interruptions, goodputs := make([]string, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i, f := range p.fates {
		of[i], seeds[i], interruptions[i], goodputs[i] = p.cluster.Jobs[p.jobs[f.training]].Name, float64(f.seed), float64(f.interruptions), f.goodput
	}
	return &result.Table{Name: "failure_runs", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.FailureSeed, Numbers: seeds},
		{Metric: result.Interruptions, Numbers: interruptions},
		{Metric: result.Goodput, Numbers: goodputs},
	}}
}

// spreadRecord is the mean of some numbers and between what 95 % of them lie.
func spreadRecord(of []float64) *result.Record {
	slices.Sort(of)
	sum := 0.0
	for _, v := range of {
		sum += v
	}
	at := func(q float64) float64 { return of[int(q*float64(len(of)-1)+0.5)] }
	r := &result.Record{}
	r.Add(result.Mean, sum/float64(len(of)))
	r.Add(result.Low, at(0.025))
	r.Add(result.High, at(0.975))
	return r
}

// interruptionTable is the failures that jobs met; nil if none met any.
func (p *plant) interruptionTable() *result.Table {
	var of, kind, part, cause []string
	var at, lost, resumed []float64
	for n, j := range p.training {
		_, fared := j.Outcome()
		if fared == nil {
			continue
		}
		for _, i := range fared.Interruptions {
			of = append(of, p.cluster.Jobs[p.jobs[n]].Name)
			source, said := p.failureSource(i.Cause)
			kind, part, cause = append(kind, said.Kind.Value), append(part, source.Names[i.Part]), append(cause, causeOf(said))
			at, lost = append(at, i.At.Seconds()), append(lost, i.Lost.Seconds())
			if resumed = append(resumed, result.Missing); i.Resumed >= 0 {
				resumed[len(resumed)-1] = i.Resumed.Seconds()
			}
		}
	}
	if p.queued != nil && p.failing != nil {
		resume := p.resumptions()
		for n, i := range p.failing.Interruptions {
			if p.row(i.Job) < 0 {
				continue // told by the job
			}
			said := p.failing.said[i.Source]
			of = append(of, p.cluster.Jobs[i.Job].Name)
			kind, part, cause = append(kind, said.Kind.Value), append(part, i.Part), append(cause, causeOf(said))
			at, lost, resumed = append(at, i.At.Seconds()), append(lost, i.Undone.Seconds()), append(resumed, resume[n])
		}
	}
	if of == nil {
		return nil
	}
	return &result.Table{Name: "interruptions", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.InterruptedAt, Numbers: at},
		{Metric: result.FaultKind, Text: kind},
		{Metric: result.FaultName, Text: part},
		{Metric: result.FaultCause, Text: cause},
		{Metric: result.UndoneWork, Numbers: lost},
		{Metric: result.ResumedAt, Numbers: resumed},
	}}
}
