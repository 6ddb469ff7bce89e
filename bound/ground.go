package bound

import (
	"context"
	"errors"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/power"
	"github.com/railyard/railyard/price"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Ground is the data centre of a scenario, built once, on which many trainings are tried
// for what they would take at the least. Its own workloads are left out.
type Ground struct {
	scenario *scenario.Topology
	topology *topology.Topology
	power    *power.Model // nil: nobody asks for energy
	spec     *topology.Host

	cluster *cluster.Cluster // of the trainings at hand
	engine  *sim.Engine      // that it runs on
	tried   int              // on the cluster
}

// NewGround builds the data centre of a scenario, which has to be of hosts of one kind.
// What is wrong with it is returned as Faults.
func NewGround(s *scenario.Scenario) (*Ground, error) {
	built, faults := s.BuildTopology()
	if faults != nil {
		return nil, faults
	}
	t := built.Topology
	model, faults := power.Read(s, t)
	if faults != nil {
		return nil, faults
	}
	if len(t.Servers) == 0 {
		return nil, scenario.Faults{s.Topology.Kind.Pos.Faultf("topology.kind", "topology.kind: is made of no hosts, and training needs some")}
	}
	spec := t.Servers[0].Spec
	if spec != t.Servers[len(t.Servers)-1].Spec {
		return nil, scenario.Faults{s.Topology.At.Faultf("topology", "topology: has hosts of several kinds")}
	}
	return &Ground{scenario: s.Topology, topology: t, power: model, spec: spec}, nil
}

// atOnce is how many trainings are tried on one cluster, which keeps the plans of
// collectives that it has laid over the same accelerators.
const atOnce = 16

// Try runs one iteration of a training, which must be valid, on the first accelerators,
// and gives what it takes without contention: a run with contention takes no less.
func (g *Ground) Try(ctx context.Context, t workload.Training, layers []workload.Layer) (training.Iteration, error) {
	if g.tried%atOnce == 0 {
		g.engine = sim.New()
		g.cluster = cluster.New(g.engine, g.topology, 0)
		g.cluster.Network.Isolate()
	}
	g.tried++
	j := training.New(t, layers, cluster.Roofline{Accelerator: g.spec.Accelerator.Training()})
	j.Iterations, j.AsShared, j.Bound = 1, true, true
	g.cluster.Submit(&cluster.Job{Name: t.Model.Name, Start: g.engine.Now(), Count: t.Ranks(), Program: j})
	err := errors.Join(g.engine.Run(ctx), g.cluster.Err)
	if err != nil {
		g.tried = 0 // the next one begins afresh
	}
	return j.Last, err
}

// Rates are what a data centre draws and costs. The cost of a run is what its time and
// its energy cost.
type Rates struct {
	Accelerators, Racks int
	Purchase            float64 // USD, of all that is bought; 0 if it is rented
	Power               float64 // W, the most that the site draws

	perSecond, perJoule float64 // USD
	idle                float64 // W of the site without work
	draws               power.Draws
	pue                 float64
}

// Rates are those of the scenario, which must have a [topology.power] and a
// [topology.cost].
func (g *Ground) Rates() Rates {
	t, w, n := g.topology, g.power, float64(g.topology.Accelerators())
	second, joule := price.For(t, g.scenario, 1, 0), price.For(t, g.scenario, 0, 1)
	r := Rates{
		Accelerators: t.Accelerators(), Racks: price.Racks(t, g.scenario.Cost),
		perSecond: second.Total(), perJoule: joule.Total(),
		draws: w.Of(g.spec), pue: w.PUE,
	}
	if second.Bought != nil {
		r.Purchase = second.Bought.Total()
	}
	r.idle = (n*r.draws.Idle() + w.Hosts + w.Switches) * w.PUE
	r.Power = r.idle + n*max(0, r.draws.Above(1, 0), r.draws.Above(0, 1))*w.PUE
	return r
}

// Energy is what the site takes, in J, in so many seconds in which each of so many
// accelerators computes, and communicates with nothing computed meanwhile, for so many.
func (r *Rates) Energy(accelerators int, seconds, compute, communicate float64) float64 {
	return r.idle*seconds + float64(accelerators)*r.draws.Above(compute, communicate)*r.pue
}

// Cost is what so many seconds cost, in USD, in which the grid gives so many joules.
func (r *Rates) Cost(seconds, joules float64) float64 {
	return r.perSecond*seconds + r.perJoule*joules
}
