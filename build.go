package railyard

import (
	"fmt"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/rollout"
	"github.com/railyard/railyard/cluster/storage"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/network/packet"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/scheduler"
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
	topology *topology.Topology
	links    *scenario.LinkTable // of a topology of bare links
	engine   *sim.Engine
	cluster  *cluster.Cluster
	packets  *packet.Fabric // of the cluster's network, nil if that is a fluid

	training    []*training.Job
	jobs        []int // number of each training's job in the cluster
	collectives []*cluster.CollectiveBenchmark
	names       []string // of each collective workload
	replays     []*replayed
	served      []*served
	files       *storage.System // nil without a file system on hosts
	checkpoint  files           // of the job that asked last
	stored      []*stored
	loading     []loaded
	making      []*making
	registries  map[string][]rollout.Registry // by the path of their rollout
	rollouts    []*rolledOut
	vaults      map[string]vault // by the path of their backup
	backups     []*backedUp
	written     float64                   // bytes on its drives
	queued      *queued                   // nil without [[workload.jobs]]
	queueing    int                       // jobs of the cluster that are of the queue, the first
	audit       []scheduler.Decision      // of the queue, if it is kept
	hosting     *hosting                  // nil where jobs are not placed host by host
	workloads   map[int]scenario.Workload // of jobs of the cluster, by number, each without all others
	contention  contention
	broken      *faulty      // nil: no link breaks
	stopping    *stopping    // nil: nothing stops jobs
	fates       []fate       // of training jobs in the failures of other seeds
	failing     *failing     // nil: the queue loses no accelerators
	sites       *sited       // nil: there is but one
	power       *powered     // nil: nobody asks for energy
	consumed    *consumption // once it has run
	warnings    []string
}

// builder builds a plant and gathers what is wrong.
type builder struct {
	kernels *cluster.Kernels
	*plant
	breaks      bool // the faults of the scenario happen
	alone       bool // it has one workload of several, so that others may have used what it does not
	summaryOnly bool
	noPeak      bool
	links       *scenario.LinkTable
	nodes       *scenario.NodeTable
	faults      scenario.Faults
	taken       map[string]int // names of workloads
	scale       topology.Scale

	packetHops float64 // packets to send, each on every link that it crosses
}

func build(s *scenario.Scenario, o Options) (*plant, scenario.Faults) {
	b := newBuilder(s, o)
	b.breaks = true
	return b.build(topology.Scale{})
}

// buildScaled builds a plant whose resources are multiplied, and in which nothing
// breaks.
func buildScaled(s *scenario.Scenario, o Options, scale topology.Scale) (*plant, scenario.Faults) {
	return newBuilder(s, o).build(scale)
}

func newBuilder(s *scenario.Scenario, o Options) *builder {
	p := &plant{scenario: s, engine: sim.New(), workloads: map[int]scenario.Workload{}}
	return &builder{kernels: o.Kernels, summaryOnly: o.SummaryOnly, noPeak: o.NoPeak, plant: p, taken: map[string]int{}}
}

func (b *builder) build(scale topology.Scale) (*plant, scenario.Faults) {
	b.buildTopology()
	if b.faults != nil {
		return nil, b.faults
	}
	b.spray()
	b.readPower()
	b.capPower()
	if b.scale = scale; scale != (topology.Scale{}) {
		b.topology = b.topology.Scaled(scale)
	}
	b.encrypt()
	b.confide()
	b.watch()
	b.buildVaults()
	b.buildRegistries()
	if b.buildStorage(); b.faults != nil {
		return nil, b.faults
	}
	if b.encryptDrives(); b.faults != nil {
		return nil, b.faults
	}
	bins := seriesBins(len(b.topology.Links))
	overTime := b.power != nil && (b.power.grid != nil || !b.noPeak) // which carbon, and a peak, need of power
	if scale != (topology.Scale{}) || b.summaryOnly && !overTime {
		bins = 0
	}
	b.populate(bins)
	return b.plant, b.faults
}

// populate makes the cluster on the topology, and all that is to run on it.
func (b *builder) populate(bins int) {
	s := b.scenario
	b.findHosts()
	b.readJobs()
	b.cluster = cluster.NewScheduled(b.engine, b.topology, bins, b.policy())
	b.cluster.Planner.Own = s.Extensions.Collectives
	if b.hosting != nil {
		b.cluster.Place(b.hosting.placer, b.hosting.hosts)
	}
	if b.breaks {
		b.addFaults()
		b.addStops()
		b.addOutages()
	}
	b.addSites()
	switch s.Sim.Fidelity.Value {
	case "analytic":
		b.cluster.Network.Isolate()
	case "packet":
		b.usePackets()
	default:
		b.useBlocking()
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
	for i := range s.Workload.Serving {
		b.addServing(&s.Workload.Serving[i])
	}
	for i := range s.Workload.Storage {
		b.addStorage(&s.Workload.Storage[i])
	}
	for i := range s.Workload.Pipeline {
		b.addPipeline(&s.Workload.Pipeline[i])
	}
	b.addJobs()
	b.addAudit()
	for i := range s.Workload.Rollout {
		b.addRollout(&s.Workload.Rollout[i], i)
	}
	for i := range s.Workload.Backup {
		b.addBackup(&s.Workload.Backup[i])
	}
	b.replicate()
	b.checkFlows()
	b.checkAlerts()
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

// place turns what a workload says of accelerators into a job's wish. It reports
// false if that cannot be met.
func (b *builder) place(p *scenario.Placing, path string, at scenario.Position, j *cluster.Job) bool {
	n := b.topology.Accelerators()
	j.Start, j.Shared = sim.Time(p.Start.Value), p.Shared.Value
	j.Estimate, j.Priority, j.Group = sim.Time(p.Estimate.Value), p.Priority.Value, p.Group.Value
	j.Count = n
	if p.Shared.Value && b.scenario.Scheduler.Security != nil {
		b.fault(p.Shared.Pos, path+".shared", "contradicts [scheduler.security]: accelerators that are shared have no tenant")
		return false
	}
	switch a := p.Accelerators; {
	case !a.Set && b.scenario.Workload.Several():
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
		if b.scenario.Scheduler.Policy.Value == "gavel" && b.hosting != nil && !b.hosting.alike(j.List) {
			b.fault(a.Pos, path+".accelerators", "are of several types, and policy \"gavel\" gives a job those of one")
			return false
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
	only := *w
	only.Name.Value, only.Name.Set = j.Name, true
	b.submit(j, scenario.Workload{Collective: []scenario.Collective{only}})
}

// checkPlan sees to it that the algorithm can perform the operation on so many
// ranks, and in the exploded form if that is asked for.
func (b *builder) checkPlan(w *scenario.Collective, p *cluster.CollectiveBenchmark, j *cluster.Job) bool {
	n := j.Count
	if p.Ranks != nil {
		n = len(p.Ranks)
	}
	messages, waits, err := b.messages(p, j, n)
	if err == nil {
		err = collective.Supports(b.topology, p.Algorithm)
	}
	if err != nil {
		at := b.at(w.Algorithm.Pos, w.Op.Pos)
		b.fault(at, w.Path+".algorithm", "%v", err)
		return false
	}
	inOrder := slices.IsSorted(p.Ranks) && slices.IsSorted(j.List)
	if p.Algorithm == collective.Hierarchical && n > 1 && b.topology.Bare() && (b.topology.Dimensions() == nil || n != b.topology.Accelerators() || !inOrder) {
		b.fault(w.Algorithm.Pos, w.Path+".algorithm", "hierarchical takes all accelerators of a torus or a multi-dimensional network, in their order")
		return false
	}
	if p.Algorithm == collective.Hierarchical && b.topology.Bare() && p.Op == collective.AllToAll && n > 1 {
		b.fault(w.Algorithm.Pos, w.Path+".algorithm", "hierarchical takes all_reduce, all_gather and reduce_scatter along dimensions, not all_to_all")
		return false
	}
	if placed := j.List != nil || j.Count == b.topology.Accelerators(); placed && n > 1 && !b.topology.Bare() && byHost(p.Algorithm) {
		if _, err := b.cluster.Planner.Plan(p.Op, p.Algorithm, ranksOf(p, j, n)); err != nil {
			b.fault(w.Algorithm.Pos, w.Path+".algorithm", "%v", err)
			return false
		}
	}
	if b.cluster.Network.Ships() {
		return b.checkShipped(w, p, n, messages, waits)
	}
	// Of these auto may take the pipeline, which has no messages of its own.
	auto := p.Algorithm == collective.Auto && (p.Op == collective.Broadcast || p.Op == collective.Reduce)
	if p.Explode && (messages == 0 || auto) && n > 1 {
		b.fault(w.Expand.Pos, w.Path+".expand", "%s by %s is a pipeline of small pieces or sums in switches and cannot be expanded; algorithm = \"direct\" can", p.Op, p.Algorithm)
		return false
	}
	if p.Explode && (messages > maxMessages || waits > maxWaits) {
		b.fault(w.Expand.Pos, w.Path+".expand", "%d messages that wait for %d others are more than can be simulated one by one, %d and %d",
			messages, waits, maxMessages, maxWaits)
		return false
	}
	return true
}

// messages is what collective.Messages gives for a benchmark. Which hosts the scheduler will
// give to it an algorithm of one's own cannot be asked yet: those that it lists, or the
// first.
func (b *builder) messages(p *cluster.CollectiveBenchmark, j *cluster.Job, n int) (messages, waits int, err error) {
	own := b.cluster.Planner.Own[p.Algorithm]
	if own == nil || n == 1 {
		return collective.Messages(p.Op, p.Algorithm, n)
	}
	return own.Messages(p.Op, p.Algorithm, b.cluster.Planner.Hosts(ranksOf(p, j, n)))
}

// byHost says whether an algorithm asks for as many ranks in every host.
func byHost(a collective.Algorithm) bool {
	return a == collective.Hierarchical || a == collective.NVLS || a == collective.SHARP
}

// ranksOf are the n ranks of a benchmark on the accelerators that it lists, or the first.
func ranksOf(p *cluster.CollectiveBenchmark, j *cluster.Job, n int) []topology.NodeID {
	ranks := make([]topology.NodeID, n)
	for i := range ranks {
		r := i
		if p.Ranks != nil {
			r = p.Ranks[i]
		}
		if ranks[i] = topology.NodeID(r); j.List != nil {
			ranks[i] = topology.NodeID(j.List[r])
		}
	}
	return ranks
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
		f.Connection = network.Connection{From: src, To: dst, Label: uint64(i)}
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
