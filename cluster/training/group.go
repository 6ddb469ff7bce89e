package training

import (
	"iter"
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
	overIslands        // counterparts in all islands
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
	case Outer:
		return overIslands
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
	current transfer
	began   sim.Time // of it
	plans   []*collective.Plan
}

// join is called by a member that is ready for its next collective, which starts
// when all are. It is since the end of an activity of the trace.
func (g *group) join(t transfer, by *gang, after int32) {
	if g.arrived++; g.arrived < len(g.members) {
		return
	}
	g.arrived = 0
	g.current, g.began = t, g.j.c.Engine.Now()
	g.running = g.j.Trace.exchange(t, by, after)
	p, err := g.plan(t.op)
	if err != nil {
		panic("training: " + err.Error()) // form has planned all that there is
	}
	g.j.c.Launch(cluster.Collective{
		Plan: p, Size: t.bytes, Owner: g.j.c.Jobs[g.j.job].Owner,
		Actor: g.j.actor, Arg: argExchanged | uint64(g.number), Known: g.j.known,
	})
}

// ended is called when the collective has.
func (g *group) ended(now sim.Time) {
	ended := g.running // the last member may start the next
	g.j.Trace.end(ended, now)
	g.observe()
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
	p, err := g.j.c.Plan(op, algorithm, g.ranks...)
	if err == nil {
		g.plans = append(g.plans, p)
	}
	return p, err
}

// form makes the gangs, their groups and their programs, and lays every collective
// that they will perform.
func (j *Job) form() error {
	t, layout := j.Training, j.Training.Layout()
	nodes := j.c.Jobs[j.job].Accelerators
	places := make([][workload.NumGroups]int, len(nodes))
	gangOf := make([]*gang, len(nodes))
	ranks := make([][]int, t.Pipeline) // of each stage
	for rank := range nodes {
		places[rank] = layout.Place(rank)
		s := places[rank][workload.PipelineGroup]
		ranks[s] = append(ranks[s], rank)
	}
	j.micros = t.Accumulation()
	if j.evaluates() {
		j.micros = max(j.micros, t.EvaluationMicros(j.EvaluationSamples))
	}
	if j.Layers == nil {
		j.Layers = t.Layers()
	}
	layers := j.Layers
	j.parameters = t.Model.Parameters()
	programs := make([][2]*program, t.Pipeline)
	var all needs
	for s := range programs {
		programs[s] = j.programs(layers, s)
		all.join(&programs[s][0].needs)
	}
	small := len(nodes)*t.Accumulation()*len(layers) <= unfoldable
	if !j.Unfold && !j.Folded && small && (j.AsShared || !j.c.Network.Isolated()) && (j.c.Reroutes || !j.even(nodes, places, &all)) {
		j.Unfold = true
	}
	for s, own := range ranks {
		gangs := [][]int{own}
		if j.Unfold {
			gangs = slices.Collect(slices.Chunk(own, 1))
		}
		for _, members := range gangs {
			g := j.newGang(programs[s], members, nodes)
			for _, rank := range members {
				gangOf[rank] = g
			}
		}
	}
	for d := range numDimensions {
		if all[d] != 0 {
			j.formGroups(d, nodes, places, gangOf)
		}
	}
	for _, g := range j.gangs {
		j.connect(g, gangOf)
		for d, group := range g.groups {
			for op := range g.program.needs.all(dimension(d)) {
				if _, err := group.plan(op); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// groupsOver is the ranks that are grouped over a dimension; nil if each is alone.
func (j *Job) groupsOver(d dimension, places [][workload.NumGroups]int) [][]int {
	t, layout := &j.Training, j.Training.Layout()
	size := [numDimensions]int{
		t.Tensor, t.Context, t.Expert, t.Replicas(), t.Replicas(), t.Replicas() / t.Expert, t.Islands, min(t.Pipeline, 2),
	}[d]
	if size == 1 {
		return nil
	}
	lists := make([][]int, 0, len(places)/size)
	room := make([]int, len(places)) // for the lists
	at := make([]int, len(places))   // of each group's list, from 1
	for rank, place := range places {
		var id int
		switch d {
		case overTensor:
			id = layout.Group(workload.TensorGroup, place)
		case overContext:
			id = layout.Group(workload.ContextGroup, place)
		case overExpert:
			id = layout.Group(workload.ExpertGroup, place)
		case overReplicas, overLookups:
			id = layout.Group(workload.DataGroup, place)
		case overExpertReplicas:
			id = layout.ExpertReplicas(place)
		case overIslands:
			id = layout.Counterparts(place)
		case overTable:
			if s := place[workload.PipelineGroup]; s != 0 && s != t.Pipeline-1 {
				continue
			}
			id = layout.Group(workload.PipelineGroup, place)
		}
		if at[id] == 0 {
			lists = append(lists, room[:0:size])
			room = room[size:]
			at[id] = len(lists)
		}
		lists[at[id]-1] = append(lists[at[id]-1], rank)
	}
	return lists
}

// formGroups makes the groups over a dimension.
func (j *Job) formGroups(d dimension, nodes []topology.NodeID, places [][workload.NumGroups]int, gangOf []*gang) {
	t := j.Training
	lists := j.groupsOver(d, places)
	all := make([]*group, t.Pipeline) // of each stage, together
	for _, list := range lists {
		s := places[list[0]][workload.PipelineGroup]
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

// unfoldable is how many passes of a micro-batch through a layer, of all ranks, an
// iteration may have for a job to be unfolded because its ranks are not even: a
// second or so of simulation.
const unfoldable = 1 << 18

// even says whether no group of a stage is slower than another at what they do side
// by side, so that nothing but stragglers can tell the ranks of a stage apart.
func (j *Job) even(nodes []topology.NodeID, places [][workload.NumGroups]int, all *needs) bool {
	for d := range numDimensions {
		if all[d] == 0 {
			continue
		}
		op, algorithm := collective.AllReduce, collective.Ring
		if d == overExpert || d == overLookups {
			op, algorithm = collective.AllToAll, collective.Direct
		}
		of := make([][][]topology.NodeID, j.Training.Pipeline) // groups of each stage
		for _, list := range j.groupsOver(d, places) {
			own := make([]topology.NodeID, len(list))
			for i, rank := range list {
				own[i] = nodes[rank]
			}
			s := places[list[0]][workload.PipelineGroup]
			of[s] = append(of[s], own)
		}
		for _, groups := range of {
			if len(groups) < 2 {
				continue
			}
			if even, err := j.c.Planner.Even(op, algorithm, groups...); err != nil || !even {
				return false
			}
		}
	}
	if j.Training.Pipeline == 1 {
		return true
	}
	layout := j.Training.Layout()
	from, to := make([][]topology.NodeID, j.Training.Pipeline), make([][]topology.NodeID, j.Training.Pipeline)
	for rank, place := range places {
		s := place[workload.PipelineGroup]
		place[workload.PipelineGroup] = (s + 1) % j.Training.Pipeline
		from[s], to[s] = append(from[s], nodes[rank]), append(to[s], nodes[layout.Rank(place)])
	}
	for s := range from {
		if !j.c.Planner.EvenSends(from[s], to[s]) || !j.c.Planner.EvenSends(to[s], from[s]) {
			return false
		}
	}
	return true
}

// connect lays the ways to the stages before and after a gang's.
func (j *Job) connect(g *gang, gangOf []*gang) {
	t := j.Training
	if t.Pipeline == 1 {
		g.next, g.previous = neighbour{to: g}, neighbour{to: g}
		return
	}
	layout := t.Layout()
	var place [workload.NumGroups]int
	place[workload.PipelineGroup] = 1
	apart := layout.Rank(place) // ranks of stages that follow each other
	way := func(step int) neighbour {
		stage := g.program.stage
		apart := apart * ((stage+step+t.Pipeline)%t.Pipeline - stage)
		to := make([]topology.NodeID, len(g.ranks))
		for i, rank := range g.ranks {
			to[i] = j.c.Jobs[j.job].Accelerators[rank+apart]
		}
		return neighbour{to: gangOf[g.ranks[0]+apart], plan: j.c.Sends(g.ledger.Accelerators, to)}
	}
	g.next, g.previous = way(1), way(-1)
}

// links yields those that the group's collectives use, none of no group.
func (g *group) links(yield func(topology.LinkID) bool) {
	if g != nil {
		linksOf(yield, g.plans...)
	}
}

// links yields those of the way to a neighbour, none to the gang itself.
func (n neighbour) links(yield func(topology.LinkID) bool) {
	if n.plan != nil {
		linksOf(yield, n.plan)
	}
}

func linksOf(yield func(topology.LinkID) bool, plans ...*collective.Plan) {
	for _, p := range plans {
		for i := range p.Phases {
			for _, l := range p.Phases[i].Links {
				if !yield(l) {
					return
				}
			}
		}
	}
}

// Links are those that the job uses, once it has begun.
func (j *Job) Links() (links iter.Seq[topology.LinkID], known bool) {
	return func(yield func(topology.LinkID) bool) {
		for l := range j.Regular() {
			if !yield(l) {
				return
			}
		}
		if j.course == nil || j.course.Parts == nil {
			return
		}
		for _, l := range j.course.Parts.Links {
			if !yield(l) {
				return
			}
		}
	}, len(j.gangs) > 0
}

// Regular are the links that the job uses in every iteration: all but those of its
// checkpoints.
func (j *Job) Regular() iter.Seq[topology.LinkID] {
	return func(yield func(topology.LinkID) bool) {
		for _, f := range j.footprints() {
			for _, l := range f.Links {
				if !yield(l) {
					return
				}
			}
		}
		if j.feed == nil {
			return
		}
		for _, l := range j.feed.Links {
			if !yield(l) {
				return
			}
		}
	}
}

// footprints are those of all that the job sends.
func (j *Job) footprints() []*network.Footprint {
	var all []*network.Footprint
	add := func(plans ...*collective.Plan) {
		for _, p := range plans {
			for i := range p.Phases {
				all = append(all, &p.Phases[i].Footprint)
			}
		}
	}
	for _, g := range j.groups {
		add(g.plans...)
	}
	for _, g := range j.gangs {
		if g.next.plan != nil {
			add(g.next.plan, g.previous.plan)
		}
	}
	return all
}
