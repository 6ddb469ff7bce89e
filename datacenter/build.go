package datacenter

import (
	"fmt"

	"github.com/railyard/railyard/alert"
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/rollout"
	"github.com/railyard/railyard/cluster/storage"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/network/packet"
	"github.com/railyard/railyard/power"
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

// plant is a scenario built: a cluster with its jobs, ready to run. What a field is for
// says the file of its type.
type plant struct {
	scenario *scenario.Scenario
	topology *topology.Topology
	links    *scenario.LinkTable // of a topology of bare links
	engine   *sim.Engine
	cluster  *cluster.Cluster

	// What the data centre has, where the scenario asks for it.
	packets    *packet.Fabric                // of the cluster's network; nil: it is a fluid
	hosting    *hosting                      // nil: jobs are not placed host by host
	files      *storage.System               // nil: there is no file system on hosts
	checkpoint files                         // of the job that asked last
	registries map[string][]rollout.Registry // by the path of their rollout
	vaults     map[string]vault              // by the path of their backup
	power      *power.Model                  // nil: nobody asks for energy
	sites      *sited                        // nil: there is but one

	// What runs, of each kind of workload.
	training    []*training.Job
	jobs        []int    // number of each training's job in the cluster
	loading     []loaded // the input of trainings
	collectives []benchmark
	replays     []*replayed
	served      []*served
	stored      []*stored
	making      []*making
	queued      *queued // nil without [[workload.jobs]]
	queueing    int     // jobs of the cluster that are of the queue, the first
	rollouts    []*rolledOut
	backups     []*backedUp
	workloads   map[int]scenario.Workload // of jobs of the cluster, by number, each without all others

	// What fails.
	broken   *faulty   // nil: no link breaks
	stopping *stopping // nil: nothing stops jobs
	failing  *failing  // nil: the queue loses no accelerators

	// What is found once it has run, and how much of it is told.
	contention  contention
	fates       []fate               // of training jobs in the failures of other seeds
	audit       []scheduler.Decision // of the queue, if it is kept
	consumed    *consumption
	shared      map[topology.NodeID]counted // accelerators that jobs share all the time
	warnings    []string
	summaryOnly bool
}

// builder builds a plant and gathers what is wrong.
type builder struct {
	kernels *cluster.Kernels
	*plant
	breaks     bool // the faults of the scenario happen
	alone      bool // it has one workload of several, so that others may have used what it does not
	noPeak     bool
	stepsKnown *StepCache // nil: nothing is kept
	nodes      *scenario.NodeTable
	faults     scenario.Faults
	taken      map[string]int // names of workloads
	scale      topology.Scale

	written    float64 // bytes on drives
	packetHops float64 // packets to send, each on every link that it crosses
}

func build(s *scenario.Scenario, o Options) (*plant, scenario.Faults) {
	b := newBuilder(s, o)
	b.breaks, b.stepsKnown = true, o.StepCache
	return b.build(topology.Scale{})
}

// buildScaled builds a plant whose resources are multiplied, and in which nothing
// breaks.
func buildScaled(s *scenario.Scenario, o Options, scale topology.Scale) (*plant, scenario.Faults) {
	return newBuilder(s, o).build(scale)
}

func newBuilder(s *scenario.Scenario, o Options) *builder {
	p := &plant{scenario: s, engine: sim.New(), workloads: map[int]scenario.Workload{}, summaryOnly: o.SummaryOnly}
	return &builder{kernels: o.Kernels, noPeak: o.NoPeak, plant: p, taken: map[string]int{}}
}

// again is a builder of another plant, of what the data centre has.
func (p *plant) again(s *scenario.Scenario, o Options) *builder {
	b := newBuilder(s, o)
	b.topology, b.links, b.power = p.topology, p.links, p.power
	b.files, b.vaults, b.registries = p.files, p.vaults, p.registries
	return b
}

func (b *builder) build(scale topology.Scale) (*plant, scenario.Faults) {
	if b.buildTopology(); b.faults != nil {
		return nil, b.faults
	}
	if b.readPower(); b.power != nil && b.faults == nil {
		b.topology, b.faults = b.power.Cap(b.scenario, b.topology)
	}
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
	overTime := b.power != nil && (b.power.Grid != nil || !b.noPeak) // which carbon, and a peak, need of power
	if scale != (topology.Scale{}) || b.summaryOnly && !overTime {
		bins = 0
	}
	b.populate(bins)
	return b.plant, b.faults
}

// buildTopology builds what [topology] describes, and keeps the tables that it is made of.
func (b *builder) buildTopology() {
	built, faults := b.scenario.BuildTopology()
	if faults != nil {
		b.faults = faults
		return
	}
	b.topology, b.links, b.nodes = built.Topology, built.Links, built.Nodes
}

// readPower reads what the parts of the data centre draw, if the scenario asks for it.
func (b *builder) readPower() {
	model, faults := power.Read(b.scenario, b.topology)
	b.power, b.faults = model, append(b.faults, faults...)
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
	for _, k := range kinds {
		k.add(b)
	}
	b.replicate()
	b.checkFlows()
	b.faults = append(b.faults, alert.Check(s)...)
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
