package railyard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// seriesBins is for how many intervals of time utilization is kept: fewer the
// more links there are, so that the series of all stay within 256 MB, and none
// beyond a million.
func seriesBins(links int) int {
	if links > 1<<20 {
		return 0
	}
	return max(32, min(256, (1<<24)/max(links, 1)))
}

// Bounds of a collective that is simulated message by message, and so of the
// memory that it takes.
const (
	maxMessages = 1 << 22
	maxWaits    = 1 << 24
)

// plant is a scenario built: a cluster with its jobs, ready to run.
type plant struct {
	scenario *scenario.Scenario
	engine   *sim.Engine
	cluster  *cluster.Cluster

	training    []*training.Job
	jobs        []int // number of each training's job in the cluster
	collectives []*cluster.CollectiveBenchmark
	names       []string // of each collective workload
	replays     []*replayed
	queued      *queued  // nil without [[workload.jobs]]
	hosting     *hosting // nil where jobs are not placed host by host
	warnings    []string
}

// builder builds a plant and gathers what is wrong.
type builder struct {
	kernels *cluster.Kernels
	*plant
	topology *topology.Topology
	links    *scenario.LinkTable
	nodes    *scenario.NodeTable
	faults   scenario.Faults
	taken    map[string]int // names of workloads
}

func build(s *scenario.Scenario, o Options) (*plant, scenario.Faults) {
	return buildScaled(s, o, topology.Scale{})
}

// buildScaled builds a plant whose resources are multiplied.
func buildScaled(s *scenario.Scenario, o Options, scale topology.Scale) (*plant, scenario.Faults) {
	b := &builder{kernels: o.Kernels, plant: &plant{scenario: s, engine: sim.New()}, taken: map[string]int{}}
	b.buildTopology()
	if b.faults != nil {
		return nil, b.faults
	}
	if scale != (topology.Scale{}) {
		b.topology = b.topology.Scaled(scale)
	}
	bins := seriesBins(len(b.topology.Links))
	if scale != (topology.Scale{}) {
		bins = 0 // only what an iteration takes is asked for
	}
	b.findHosts()
	b.readJobs()
	b.cluster = cluster.NewScheduled(b.engine, b.topology, bins, b.policy())
	if b.hosting != nil {
		b.cluster.Place(b.hosting.placer, b.hosting.hosts)
	}
	if s.Sim.Fidelity.Value == "analytic" {
		b.cluster.Network.Isolate()
	}
	for i := range s.Workload.Training {
		b.addTraining(&s.Workload.Training[i])
	}
	for i := range s.Workload.Collective {
		b.addCollective(&s.Workload.Collective[i])
	}
	for i := range s.Workload.Flows {
		b.addFlows(&s.Workload.Flows[i])
	}
	for i := range s.Workload.Replay {
		b.addReplay(&s.Workload.Replay[i])
	}
	b.addJobs()
	return b.plant, b.faults
}

func (b *builder) fault(at scenario.Position, key, format string, args ...any) {
	b.faults = append(b.faults, at.Faultf(key, "%s: "+format, append([]any{key}, args...)...))
}

// name makes a workload's name its own: a second "bert" becomes "bert#2".
func (b *builder) name(given scenario.Key[string], otherwise string) string {
	name := otherwise
	if given.Set {
		name = given.Value
	}
	b.taken[name]++
	if n := b.taken[name]; n > 1 {
		return fmt.Sprintf("%s#%d", name, n)
	}
	return name
}

func (b *builder) buildTopology() {
	s := b.scenario
	t := s.Topology
	var err error
	switch t.Kind.Value {
	case "links":
		var faults scenario.Faults
		if b.links, faults = s.ReadLinks(); faults != nil {
			b.faults = append(b.faults, faults...)
			return
		}
		links := make([]topology.BareLink, len(b.links.Name))
		for i, name := range b.links.Name {
			links[i] = topology.BareLink{Name: name, Capacity: b.links.Capacity[i], Latency: sim.FromSeconds(b.links.Latency[i])}
		}
		b.topology, err = topology.Links(links)
	case "pool":
		n := int(t.Accelerators.Value)
		if t.File.Set {
			var faults scenario.Faults
			if b.nodes, faults = s.ReadNodes(); faults != nil {
				b.faults = append(b.faults, faults...)
				return
			}
			n = 0
			for _, of := range b.nodes.Accelerators {
				n += of
			}
		}
		b.topology, err = topology.Pool(n)
	case "ring":
		b.topology, err = topology.Ring(int(t.Accelerators.Value), t.Bandwidth.Value, t.Latency.Value)
	case "switch":
		b.topology, err = topology.Switch(int(t.Accelerators.Value), t.Bandwidth.Value, t.Latency.Value)
	case "full-mesh":
		b.topology, err = topology.FullMesh(int(t.Accelerators.Value), t.Bandwidth.Value, t.Latency.Value)
	default:
		b.topology, err = b.fabric()
	}
	if err != nil {
		b.fault(t.Kind.Pos, "topology", "%s", strings.TrimPrefix(err.Error(), "topology: "))
	}
}

// fabric builds the kinds that are made of hosts.
func (b *builder) fabric() (*topology.Topology, error) {
	t := b.scenario.Topology
	host, faults := b.scenario.Host(t.Host.Value)
	if faults != nil {
		b.faults = append(b.faults, faults...)
		return nil, nil
	}
	f := topology.Fabric{
		Host: host, Hosts: int(t.Hosts.Value), HostsPerRack: int(t.HostsPerRack.Value),
		Oversubscription: t.Oversubscription.Value,
		LinkLatency:      host.LinkLatency, SwitchLatency: host.SwitchLatency,
		Ports: int(t.K.Value),
	}
	if t.LinkLatency.Set {
		f.LinkLatency = t.LinkLatency.Value
	}
	if t.SwitchLatency.Set {
		f.SwitchLatency = t.SwitchLatency.Value
	}
	switch t.Kind.Value {
	case "leaf-spine":
		f.HostsPerRack = cmp.Or(f.HostsPerRack, topology.LeafSpineHostsPerRack)
		return topology.LeafSpine(f)
	case "rail":
		f.HostsPerRack = cmp.Or(f.HostsPerRack, topology.RailHostsPerRack)
		return topology.Rail(f)
	case "fat-tree":
		return topology.FatTree(f)
	}
	return topology.SingleHost(host)
}

// place turns what a workload says of accelerators into a job's wish. It reports
// false if that cannot be met.
func (b *builder) place(p *scenario.Placing, path string, at scenario.Position, j *cluster.Job) bool {
	n := b.topology.Accelerators()
	j.Start, j.Shared = sim.Time(p.Start.Value), p.Shared.Value
	j.Estimate, j.Priority, j.Group = sim.Time(p.Estimate.Value), p.Priority.Value, p.Group.Value
	j.Count = n
	w := &b.scenario.Workload
	switch a := p.Accelerators; {
	case !a.Set && len(w.Training)+len(w.Collective)+len(w.Replay)+len(w.Jobs) > 1:
		b.fault(at, path+".accelerators", "is missing: with several workloads each says how many of the %d accelerators it takes, or which", n)
		return false
	case a.Value.List != nil:
		j.Count = len(a.Value.List)
		for _, i := range a.Value.List {
			if i >= int64(n) {
				b.fault(a.Pos, path+".accelerators", "there is no accelerator %d: the topology has 0 to %d", i, n-1)
				return false
			}
			j.List = append(j.List, int32(i))
		}
	case a.Set && a.Value.Count > int64(n):
		b.fault(a.Pos, path+".accelerators", "%d are more than the %d of the topology", a.Value.Count, n)
		return false
	case a.Set:
		j.Count = int(a.Value.Count)
	}
	return true
}

func (b *builder) addCollective(w *scenario.Collective) {
	path := w.Path
	j := &cluster.Job{Name: b.name(w.Name, w.Op.Value)}
	op, _ := collective.ParseOp(w.Op.Value)
	algorithm, _ := collective.ParseAlgorithm(w.Algorithm.Value)
	place := w.Placing
	var ranks []int
	switch r := w.Ranks.Value; {
	case !w.Ranks.Set:
	case !w.Accelerators.Set: // the ranks are its accelerators
		place.Accelerators = w.Ranks
	case r.List != nil:
		for _, i := range r.List {
			ranks = append(ranks, int(i))
		}
	default:
		for i := range int(r.Count) {
			ranks = append(ranks, i)
		}
	}
	if !b.place(&place, path, w.At, j) {
		return
	}
	if ranks != nil && slices.Max(ranks) >= j.Count {
		b.fault(w.Ranks.Pos, path+".ranks", "there is no rank %d: the workload has %d accelerators", slices.Max(ranks), j.Count)
		return
	}
	p := &cluster.CollectiveBenchmark{
		Op: op, Algorithm: algorithm, Iterations: w.Iterations.Value, Ranks: ranks, Explode: w.Expand.Value,
	}
	for _, size := range w.Sizes.Value {
		p.Sizes = append(p.Sizes, float64(size))
	}
	if w.Overhead.Set {
		overhead := sim.Time(w.Overhead.Value)
		p.Overhead = &overhead
	}
	if !b.checkPlan(w, p, j) {
		return
	}
	j.Program = p
	b.collectives = append(b.collectives, p)
	b.names = append(b.names, j.Name)
	b.cluster.Submit(j)
}

// checkPlan sees to it that the algorithm can perform the operation on so many
// ranks, and in the exploded form if that is asked for.
func (b *builder) checkPlan(w *scenario.Collective, p *cluster.CollectiveBenchmark, j *cluster.Job) bool {
	n := j.Count
	if p.Ranks != nil {
		n = len(p.Ranks)
	}
	messages, waits, err := collective.Messages(p.Op, p.Algorithm, n)
	if err != nil {
		at := b.at(w.Algorithm.Pos, w.Op.Pos)
		b.fault(at, w.Path+".algorithm", "%v", err)
		return false
	}
	// Of these auto may take the pipeline, which has no messages of its own.
	auto := p.Algorithm == collective.Auto && (p.Op == collective.Broadcast || p.Op == collective.Reduce)
	if p.Explode && (messages == 0 || auto) && n > 1 {
		b.fault(w.Expand.Pos, w.Path+".expand", "%s over a ring is a pipeline of small pieces and cannot be expanded; algorithm = \"direct\" can", p.Op)
		return false
	}
	if p.Explode && (messages > maxMessages || waits > maxWaits) {
		b.fault(w.Expand.Pos, w.Path+".expand", "%d messages that wait for %d others are more than can be simulated one by one, %d and %d",
			messages, waits, maxMessages, maxWaits)
		return false
	}
	return true
}

func (b *builder) addFlows(w *scenario.Flows) {
	var find func(string) (int32, bool)
	if b.links != nil {
		find = b.links.Find
	}
	table, faults := b.scenario.ReadFlows(w, find)
	if faults != nil {
		b.faults = append(b.faults, faults...)
		return
	}
	flows := make([]cluster.Flow, len(table.Name))
	var nodes map[string]topology.NodeID
	if table.Src != nil {
		nodes = b.topology.AcceleratorNames()
	}
	offset := sim.Time(w.Start.Value)
	before := len(b.faults)
	for i := range flows {
		f := &flows[i]
		*f = cluster.Flow{
			Name: table.Name[i], Start: sim.FromSeconds(table.Start[i]).After(offset),
			Bytes: table.Bytes[i], Weight: table.Weight[i], After: table.After[table.AfterAt[i]:table.AfterAt[i+1]],
		}
		if table.Src == nil {
			route := table.Route[table.RouteAt[i]:table.RouteAt[i+1]]
			f.Route = make([]topology.LinkID, len(route))
			for k, l := range route {
				f.Route[k] = topology.LinkID(l)
			}
			continue
		}
		at := scenario.Position{File: b.scenario.Path(w.File.Value), Line: int(table.Line[i]), Col: 1}
		src, ok := b.node(nodes, table.Src[i], at, "src")
		dst, ok2 := b.node(nodes, table.Dst[i], at, "dst")
		if !ok || !ok2 {
			if len(b.faults)-before > 20 {
				return
			}
			continue
		}
		f.Route = b.topology.Route(src, dst, uint64(i), nil)
	}
	if len(b.faults) > before {
		return
	}
	b.cluster.AddFlows(b.name(w.Name, w.File.Value), flows)
}

func (b *builder) node(nodes map[string]topology.NodeID, name string, at scenario.Position, column string) (topology.NodeID, bool) {
	if n, ok := nodes[name]; ok {
		return n, true
	}
	hint := ""
	if n := b.topology.Accelerators(); n > 0 {
		hint = fmt.Sprintf("; accelerators are %s to %s", b.topology.NodeName(0), b.topology.NodeName(topology.NodeID(n-1)))
	}
	b.faults = append(b.faults, at.Faultf(column, "%s: there is no accelerator %q%s", column, name, hint))
	return 0, false
}
