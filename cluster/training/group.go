package training

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// dimension is a way in which ranks are grouped.
type dimension uint8

const (
	overTensor dimension = iota
	overContext
	overExpert
	overLookups        // all replicas, for a layer's exchange
	overReplicas       // the ranks that hold the same parameters, experts apart
	overExpertReplicas // the ranks that hold the same experts
	overTable          // the first and the last stage's, which share the embedding table
	numDimensions
)

// dimension is the one that a transfer is over.
func (t transfer) dimension() dimension {
	switch t.kind {
	case Tensor:
		return overTensor
	case Context:
		return overContext
	case Expert:
		return overExpert
	case Lookups:
		return overLookups
	case Pipeline:
		return overTable
	}
	if t.expert {
		return overExpertReplicas
	}
	return overReplicas
}

// group is the gangs that perform collectives together: one gang for all groups
// of a stage where ranks are folded, else the ranks of one.
type group struct {
	j       *Job
	number  int
	ranks   [][]topology.NodeID // that perform it side by side
	members []*gang
	arrived int   // members that are ready for the next collective
	running int32 // in the trace
	plans   []*collective.Plan
}

// join is called by a member that is ready for its next collective, which starts
// when all are. It is since the end of an activity of the trace.
func (g *group) join(t transfer, by *gang, after int32) {
	if g.arrived++; g.arrived < len(g.members) {
		return
	}
	g.arrived = 0
	g.running = g.j.Trace.exchange(t, by, after)
	p, err := g.plan(t.op)
	if err != nil {
		panic("training: " + err.Error()) // form has planned all that there is
	}
	g.j.c.Launch(cluster.Collective{
		Plan: p, Size: t.bytes, Owner: g.j.c.Jobs[g.j.job].Owner,
		Actor: g.j.actor, Arg: argExchanged | uint64(g.number),
	})
}

// ended is called when the collective has.
func (g *group) ended(now sim.Time) {
	ended := g.running // the last member may start the next
	g.j.Trace.end(ended, now)
	for _, m := range g.members {
		m.exchanged(g, ended, now)
	}
}

// plan is how an operation is carried out: over rings, which is what NCCL takes
// for the sizes of training, or directly where there is no ring.
func (g *group) plan(op collective.Op) (*collective.Plan, error) {
	for _, p := range g.plans {
		if p.Op == op {
			return p, nil
		}
	}
	algorithm := collective.Ring
	if op == collective.AllToAll {
		algorithm = collective.Direct
	}
	p, err := g.j.c.Planner.Plan(op, algorithm, g.ranks...)
	if err == nil {
		g.plans = append(g.plans, p)
	}
	return p, err
}

// form makes the gangs, their groups and their programs, and lays every collective
// that they will perform.
func (j *Job) form() error {
	t := j.Training
	nodes := j.c.Jobs[j.job].Accelerators
	stages := make([]int, len(nodes))
	gangOf := make([]*gang, len(nodes))
	ranks := make([][]int, t.Pipeline) // of each stage
	for rank := range nodes {
		s := t.Place(rank)[workload.PipelineGroup]
		stages[rank] = s
		ranks[s] = append(ranks[s], rank)
	}
	j.micros = t.Accumulation()
	if j.EvaluateEvery > 0 {
		j.micros = max(j.micros, t.EvaluationMicros(j.EvaluationSamples))
	}
	layers := t.Layers()
	for s, own := range ranks {
		p := j.programs(layers, s)
		gangs := [][]int{own}
		if j.Unfold {
			gangs = slices.Collect(slices.Chunk(own, 1))
		}
		for _, members := range gangs {
			g := j.newGang(p, members, nodes)
			for _, rank := range members {
				gangOf[rank] = g
			}
		}
	}
	for d := range numDimensions {
		j.formGroups(d, nodes, stages, gangOf)
	}
	for _, g := range j.gangs {
		j.connect(g, gangOf)
		for t := range g.program.transfers() {
			if _, err := g.groups[t.dimension()].plan(t.op); err != nil {
				return err
			}
		}
	}
	return nil
}

// formGroups makes the groups over a dimension.
func (j *Job) formGroups(d dimension, nodes []topology.NodeID, stages []int, gangOf []*gang) {
	t := j.Training
	var lists [][]int
	place := map[int]int{} // of a group in lists
	for rank := range nodes {
		var id int
		switch d {
		case overTensor:
			id = t.Group(workload.TensorGroup, rank)
		case overContext:
			id = t.Group(workload.ContextGroup, rank)
		case overExpert:
			id = t.Group(workload.ExpertGroup, rank)
		case overReplicas, overLookups:
			id = t.Group(workload.DataGroup, rank)
		case overExpertReplicas:
			id = t.ExpertReplicas(rank)
		case overTable:
			if stages[rank] != 0 && stages[rank] != t.Pipeline-1 {
				continue
			}
			id = t.Group(workload.PipelineGroup, rank)
		}
		i, ok := place[id]
		if !ok {
			i = len(lists)
			place[id] = i
			lists = append(lists, nil)
		}
		lists[i] = append(lists[i], rank)
	}
	if len(lists[0]) == 1 {
		return
	}
	all := make([]*group, t.Pipeline) // of each stage, together
	for _, list := range lists {
		s := stages[list[0]]
		own := make([]topology.NodeID, len(list))
		for i, rank := range list {
			own[i] = nodes[rank]
		}
		if all[s] == nil {
			all[s] = &group{j: j}
		}
		all[s].ranks = append(all[s].ranks, own)
		g := all[s]
		if j.Unfold {
			g = &group{j: j, ranks: [][]topology.NodeID{own}}
		} else if len(g.ranks) > 1 {
			continue
		}
		g.number = len(j.groups)
		j.groups = append(j.groups, g)
		for _, rank := range list {
			if m := gangOf[rank]; !slices.Contains(g.members, m) {
				g.members = append(g.members, m)
				m.groups[d] = g
			}
		}
	}
}

// connect lays the ways to the stages before and after a gang's.
func (j *Job) connect(g *gang, gangOf []*gang) {
	t := j.Training
	if t.Pipeline == 1 {
		g.next, g.previous = neighbour{to: g}, neighbour{to: g}
		return
	}
	way := func(step int) neighbour {
		to := make([]topology.NodeID, len(g.ranks))
		var partner int
		for i, rank := range g.ranks {
			place := t.Place(rank)
			place[workload.PipelineGroup] = (place[workload.PipelineGroup] + step + t.Pipeline) % t.Pipeline
			partner = t.Rank(place)
			to[i] = j.c.Jobs[j.job].Accelerators[partner]
		}
		return neighbour{to: gangOf[partner], plan: j.c.Planner.Sends(g.ledger.Accelerators, to)}
	}
	g.next, g.previous = way(1), way(-1)
}

// footprints are those of all that the job sends.
func (j *Job) footprints() []*network.Footprint {
	var all []*network.Footprint
	for _, g := range j.groups {
		for _, p := range g.plans {
			all = append(all, p.Footprints()...)
		}
	}
	for _, g := range j.gangs {
		for _, n := range []neighbour{g.next, g.previous} {
			if n.plan != nil {
				all = append(all, n.plan.Footprints()...)
			}
		}
	}
	return all
}
