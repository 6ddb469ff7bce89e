package replay

import (
	"fmt"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload/trace"
)

// seat is the place of a rank in a process group.
type seat struct {
	group, place int32
}

// group is one process group.
type group struct {
	name    string
	ranks   []int32
	members []topology.NodeID
	issued  []int32 // collectives that each member has issued
	// coming are operations that not all members have issued, the first of them
	// number first of the group.
	coming []int32
	first  int32
	plans  map[wanted]collective.Plans
}

// wanted is a way to perform an operation that a group may need again.
type wanted struct {
	op        collective.Op
	algorithm collective.Algorithm
}

// operation is one collective of a group.
type operation struct {
	group   int32
	kind    trace.Kind
	size    float64 // what a rank gives in, the largest; once it has begun, as the plan counts it
	began   sim.Time
	plan    *collective.Plan
	waiting []task
}

// task is a node of a rank.
type task struct{ rank, node int32 }

// assemble makes the groups and gives every rank its seats in them.
func (j *Job) assemble() {
	for i := range j.ranks {
		j.ranks[i].groups = make([]seat, len(j.trace(i).Groups))
	}
	if len(j.Traces) == 1 {
		j.assembleAlike()
		return
	}
	type identity struct {
		name  string
		first int32
	}
	known := map[identity]int32{}
	users := j.users()
	for i, t := range j.Traces {
		for k, g := range t.Groups {
			members := g.Ranks
			if members == nil {
				members = users[g.Name]
			}
			id := identity{g.Name, members[0]}
			n, found := known[id]
			if !found {
				n = j.newGroup(g.Name)
				known[id] = n
				for _, rank := range members {
					j.join(n, rank)
				}
			}
			place := i
			if at := j.groups[n].ranks; i >= len(at) || at[i] != int32(i) {
				place = slices.Index(at, int32(i))
			}
			if place < 0 { // it uses a group that it is not in
				place = int(j.join(n, int32(i)))
			}
			j.ranks[i].groups[k] = seat{n, int32(place)}
		}
	}
}

// users are the ranks whose traces use a group of a name.
func (j *Job) users() map[string][]int32 {
	users := map[string][]int32{}
	for i, t := range j.Traces {
		for _, g := range t.Groups {
			users[g.Name] = append(users[g.Name], int32(i))
		}
	}
	return users
}

// assembleAlike moves the groups of the one trace along the ranks.
func (j *Job) assembleAlike() {
	for k, g := range j.Traces[0].Groups {
		size, stride := j.Ranks, 1
		if g.Ranks != nil {
			var regular bool
			if size, stride, regular = pattern(g.Ranks, j.Ranks); !regular {
				j.irregular = append(j.irregular, g.Name)
				size, stride = j.Ranks, 1
			}
		}
		base := int32(len(j.groups))
		for range j.Ranks / size {
			j.newGroup(g.Name)
		}
		for r := range j.Ranks { // in the order of their places
			n := base + int32(r/(size*stride)*stride+r%stride)
			j.ranks[r].groups[k] = seat{n, j.join(n, int32(r))}
		}
	}
}

// pattern is how a group lies among its ranks, if its members are at equal
// distances and such groups fill all ranks.
func pattern(members []int32, ranks int) (size, stride int, regular bool) {
	size, stride = len(members), 1
	if size > 1 {
		stride = int(members[1] - members[0])
	}
	for i := 1; i < size; i++ {
		if int(members[i]-members[i-1]) != stride {
			return 0, 0, false
		}
	}
	if stride < 1 || ranks%(size*stride) != 0 || int(members[0])%(size*stride) >= stride {
		return 0, 0, false
	}
	return size, stride, true
}

func (j *Job) newGroup(name string) int32 {
	j.groups = append(j.groups, group{name: name, plans: map[wanted]collective.Plans{}})
	return int32(len(j.groups) - 1)
}

func (j *Job) join(n, rank int32) (place int32) {
	g := &j.groups[n]
	g.ranks, g.issued = append(g.ranks, rank), append(g.issued, 0)
	g.members = append(g.members, j.c.Jobs[j.job].Accelerators[rank])
	return int32(len(g.ranks) - 1)
}

// collective has a rank issue a collective, and starts it if it was the last.
func (j *Job) collective(i int, n int32, now sim.Time) {
	node := &j.ranks[i].trace.Nodes[n]
	if node.Kind == trace.Captured {
		j.end(i, n, now.After(sim.FromSeconds(node.Seconds)))
		return
	}
	at := j.ranks[i].groups[node.Group]
	g := &j.groups[at.group]
	if len(g.members) == 1 {
		j.end(i, n, now)
		return
	}
	number := g.issued[at.place] - g.first
	g.issued[at.place]++
	if int(number) == len(g.coming) {
		g.coming = append(g.coming, j.newOperation(at.group, node.Kind))
	}
	op := &j.open[g.coming[number]]
	if op.kind != node.Kind {
		j.mismatched++
	}
	op.size = max(op.size, node.Size)
	op.waiting = append(op.waiting, task{int32(i), n})
	if len(op.waiting) == len(g.members) {
		// All have issued those before it, too: it is the first of those to come.
		id := g.coming[0]
		g.coming = g.coming[1:]
		g.first++
		j.launch(id)
	}
}

func (j *Job) newOperation(group int32, kind trace.Kind) int32 {
	var id int32
	if last := len(j.idle) - 1; last >= 0 {
		id = j.idle[last]
		j.idle = j.idle[:last]
	} else {
		id = int32(len(j.open))
		j.open = append(j.open, operation{})
	}
	j.open[id] = operation{group: group, kind: kind, waiting: j.open[id].waiting[:0]}
	return id
}

// barrierBytes is the vector of the all-reduce that a barrier is.
const barrierBytes = 4

// launch starts a collective that all members have issued.
func (j *Job) launch(id int32) {
	op := &j.open[id]
	g := &j.groups[op.group]
	n := float64(len(g.members))
	want, size := wanted{algorithm: j.Algorithm}, op.size
	switch op.kind {
	case trace.AllReduce:
		want.op = collective.AllReduce
	case trace.Barrier:
		want.op, size = collective.AllReduce, barrierBytes
	case trace.Reduce:
		want.op = collective.Reduce
	case trace.Broadcast:
		want.op = collective.Broadcast
	case trace.AllGather:
		want.op, size = collective.AllGather, n*size
	case trace.ReduceScatter, trace.ReduceScatterBlock:
		want.op = collective.ReduceScatter
	case trace.AllToAll:
		want.op = collective.AllToAll
	case trace.Gather: // each to the first
		want = wanted{collective.Reduce, collective.Direct}
	case trace.Scatter: // the first to each
		want, size = wanted{collective.Broadcast, collective.Direct}, size/n
	}
	plans, err := j.plans(g, want)
	if err != nil {
		j.fail(fmt.Errorf("%s of group %s: %w", op.kind, g.name, err))
		return
	}
	op.began, op.plan, op.size = j.c.Engine.Now(), plans.Fastest(size), size
	j.c.Launch(cluster.Collective{
		Plan: op.plan, Size: size, Owner: j.c.Jobs[j.job].Owner, Actor: j.actor, Arg: argMet | uint64(id),
	})
}

// plans are the ways in which a group may perform an operation: the one asked
// for, or all where that cannot.
func (j *Job) plans(g *group, want wanted) (collective.Plans, error) {
	if plans, known := g.plans[want]; known {
		return plans, nil
	}
	var plans collective.Plans
	if want.algorithm != collective.Auto {
		plan, err := j.c.Planner.Plan(want.op, want.algorithm, g.members)
		if err == nil {
			plans = collective.Plans{plan}
		} else {
			j.refused[want.op] = err.Error()
		}
	}
	if plans == nil {
		var err error
		if plans, err = j.c.Planner.Plans(want.op, g.members); err != nil {
			return nil, err
		}
	}
	g.plans[want] = plans
	return plans, nil
}

// met ends a collective for all that waited.
func (j *Job) met(id int32, now sim.Time) {
	j.observeCollective(&j.open[id])
	for _, t := range j.open[id].waiting {
		j.ended(int(t.rank), t.node, now)
	}
	j.idle = append(j.idle, id)
}
