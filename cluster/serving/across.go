package serving

import (
	"iter"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Splitter is costs that tell what a step computes apart from what its ranks send each
// other. A replica on several hosts needs them: what it sends between hosts is carried by
// the network, where it meets others. Costs that do not hold for it what they say.
//
// Such a replica passes its stages one by one. A stage computes, then its ranks exchange:
// all collectives of a kind are one activity, of as many times the bytes and latencies, so
// that a step costs a few transfers and not some hundred. On an idle network that takes
// the same time; links carry the same bytes, but at the end of the stage rather than
// between its layers. Then each rank sends its part of the activations to its counterpart
// of the next stage, while the stage goes on with another batch.
type Splitter interface {
	Costs
	// Split is the time of a step without the exchanges of groups that cross hosts, nor
	// those between stages, and appends the former.
	Split(s *Step, crossing Crossing, to []Exchange) (float64, []Exchange)
	// StageBytes is what all ranks of a stage together send to the next of so many tokens.
	StageBytes(tokens int) float64
}

// Crossing says which groups of ranks of a replica lie on several hosts.
type Crossing [workload.NumGroups]bool

// Exchange is a collective of the ranks of a group, so many times in a step.
type Exchange struct {
	Group workload.Group
	Op    collective.Op
	Bytes float64 // of each, as package collective counts them
	Times int
}

// across is how a replica on several hosts passes its stages.
type across struct {
	costs    Splitter
	crossing Crossing
	stages   []stage
}

// stage is one of the pipeline.
type stage struct {
	plans map[kind]collective.Plans // of exchanges
	send  *collective.Plan          // to the next stage
	busy  bool
	queue []*lane // that wait for it, in the order in which they came
}

// kind is what an exchange is planned by.
type kind struct {
	group workload.Group
	op    collective.Op
}

// passage is a step on its way through stages.
type passage struct {
	compute   sim.Time // in each stage
	tokens    int
	exchanges []Exchange
	stage     int
	next      int      // exchange of the stage
	computed  sim.Time // when it had computed there
	turn      uint32   // of those events that still count
}

// crossings are the operations that ranks of groups perform.
var crossings = []kind{
	{workload.TensorGroup, collective.AllReduce},
	{workload.TensorGroup, collective.AllGather},
	{workload.ExpertGroup, collective.AllToAll},
}

// Links are those of what replicas on several hosts send. It is not known which of two
// pools will send to which, nor what replicas that start will read.
func (f *Fleet) Links() (links iter.Seq[topology.LinkID], known bool) {
	if f.c == nil { // replicas of one accelerator are on one host wherever they are
		return nil, f.Decode == nil && f.Start.Download == nil && f.stageRanks()*f.Stages == 1
	}
	return func(yield func(topology.LinkID) bool) {
		for i := range f.replicas {
			for l := range f.replicas[i].across.links {
				if !yield(l) {
					return
				}
			}
		}
	}, f.Decode == nil && f.Start.Download == nil
}

// links yields those that the stages use, none of a replica on one host.
func (a *across) links(yield func(topology.LinkID) bool) {
	if a == nil {
		return
	}
	for i := range a.stages {
		var plans collective.Plans
		for _, k := range crossings {
			plans = append(plans, a.stages[i].plans[k]...)
		}
		if p := a.stages[i].send; p != nil {
			plans = append(plans, p)
		}
		for _, p := range plans {
			for _, f := range p.Footprints() {
				for _, l := range f.Links {
					if !yield(l) {
						return
					}
				}
			}
		}
	}
}

// groups are the ranks of a stage that exchange with each other: tensor-parallel ranks
// follow each other, and all share experts.
func (p *Pool) groups(g workload.Group, ranks []topology.NodeID) [][]topology.NodeID {
	if g == workload.TensorGroup {
		return slices.Collect(slices.Chunk(ranks, p.Tensor))
	}
	return [][]topology.NodeID{ranks}
}

// layAcross finds out what a replica sends between hosts, if it lies on several.
func (f *Fleet) layAcross(r *replica) error {
	costs, ok := r.pool.Costs.(Splitter)
	on := r.ledger.Accelerators
	if !ok || !f.several(on) {
		return nil
	}
	a := &across{costs: costs, stages: make([]stage, r.pool.Stages)}
	each := len(on) / r.pool.Stages
	part := func(i int) []topology.NodeID { return on[i*each : (i+1)*each] }
	for i := range a.stages {
		for _, k := range crossings {
			for _, ranks := range r.pool.groups(k.group, part(i)) {
				a.crossing[k.group] = a.crossing[k.group] || f.several(ranks)
			}
		}
	}
	for i := range a.stages {
		s := &a.stages[i]
		s.plans = map[kind]collective.Plans{}
		for _, k := range crossings {
			if !a.crossing[k.group] {
				continue
			}
			plans, err := f.c.Planner.Plans(k.op, r.pool.groups(k.group, part(i))...)
			if err != nil {
				return err
			}
			s.plans[k] = plans
		}
		if i+1 < len(a.stages) {
			s.send = f.c.Planner.Sends(part(i), part(i+1))
		}
	}
	r.across = a
	return nil
}

// several says whether accelerators lie on several hosts.
func (f *Fleet) several(on []topology.NodeID) bool {
	t := f.c.Topology
	for _, a := range on {
		if t.Server(a) != t.Server(on[0]) {
			return true
		}
	}
	return false
}

// laneBits are those of an event's argument that tell the lane.
const laneBits = 24

// event is the argument of an event of a lane's step, which no longer counts once another
// has come.
func (l *lane) event(kind uint64) uint64 {
	return kind | uint64(l.passage.turn)<<laneBits | uint64(l.number)
}

// stepping is the lane of an event, nil if it no longer counts.
func (f *Fleet) stepping(n int) *lane {
	l := &f.lanes[n&(1<<laneBits-1)]
	if l.passage.turn != uint32(n>>laneBits) {
		return nil
	}
	l.passage.turn++
	return l
}

// enterStage has a lane's step computed in a stage, once that is free.
func (f *Fleet) enterStage(l *lane, i int) {
	r, p := l.replica, &l.passage
	s := &r.across.stages[i]
	p.stage, p.next = i, 0
	if s.busy {
		s.queue = append(s.queue, l)
		return
	}
	s.busy = true
	p.computed = f.now + p.compute
	f.step(r, i, f.now, p.computed)
	if i == 0 { // which stands for all stages
		r.ledger.AddCompute(f.now, p.computed)
	}
	f.c.Engine.Schedule(p.computed, f.actor, l.event(argPassed))
}

// passed is the end of a stage's computation, or of an exchange of its ranks: it goes on
// with the next.
func (f *Fleet) passed(n int) {
	l := f.stepping(n)
	if l == nil {
		return
	}
	p, a := &l.passage, l.replica.across
	s, stages := &a.stages[p.stage], len(a.stages)
	for p.next < len(p.exchanges) {
		x := &p.exchanges[p.next]
		p.next++
		// Of those of all layers, a stage has its share.
		if times := x.Times*(p.stage+1)/stages - x.Times*p.stage/stages; times > 0 {
			f.c.Launch(cluster.Collective{
				Plan: s.plans[kind{x.Group, x.Op}].Fastest(x.Bytes), Size: x.Bytes, Times: times,
				Owner: f.c.Jobs[f.job].Owner, Actor: f.actor, Arg: l.event(argPassed),
			})
			return
		}
	}
	if p.stage == 0 && f.now > p.computed {
		l.replica.ledger.AddExposed(p.computed, f.now)
	}
	f.leaveStage(s, p.stage)
	if p.stage+1 == stages {
		f.finishStep(l)
		return
	}
	f.c.Launch(cluster.Collective{
		Plan: s.send, Size: a.costs.StageBytes(p.tokens) / float64(len(s.send.Ranks)),
		Owner: f.c.Jobs[f.job].Owner, Actor: f.actor, Arg: l.event(argSent),
	})
}

// leaveStage lets the next into a stage. Before the first, steps are yet to be decided: all
// that wait do so, in their order, since the next may have none.
func (f *Fleet) leaveStage(s *stage, i int) {
	s.busy = false
	queue := s.queue
	switch {
	case len(queue) == 0:
	case i == 0:
		s.queue = nil
		for _, l := range queue {
			l.due = false
			f.due(l.number)
		}
	default:
		s.queue = queue[1:]
		f.enterStage(queue[0], i)
	}
}

// arrived is when a step's activations are at the next stage.
func (f *Fleet) arrived(n int) {
	if l := f.stepping(n); l != nil {
		f.enterStage(l, l.passage.stage+1)
	}
}

// abort clears the stages of a replica that fails; what it has sent still drains.
func (a *across) abort() {
	if a == nil {
		return
	}
	for _, l := range a.stages[0].queue {
		l.due = false
	}
	for i := range a.stages {
		a.stages[i].busy, a.stages[i].queue = false, nil
	}
}
