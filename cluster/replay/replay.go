// Package replay replays execution traces on a cluster: the computations and
// communications of every rank in the order that their dependencies allow.
//
// # Model
//
// A node of a trace is ready when all that it depends on has ended. Of the ready
// nodes each rank runs one at a time on the host's processor, one computation
// on the accelerator and one communication, the one with the lowest id first;
// it may wait for any number of messages to come. This is the order of
// ASTRA-sim's feeder.
//
//   - A computation takes the time that the trace has, else what its FLOPs and
//     bytes need on the accelerator ([cluster.Roofline.Bound]).
//   - The n-th collective that a rank issues to a process group is the n-th of
//     every other member. It starts when the last has issued it, runs as the
//     plan of an algorithm over the links, and ends for all at once.
//   - A message is under way from the instant of its send, which ends with it.
//     The n-th receive from a rank under a tag takes its n-th message.
//
// Of the collectives without an algorithm of their own, a gather is every member
// sending to the first, a scatter the first sending a part to each, and a barrier
// an all-reduce of four bytes. Where the algorithm asked for cannot perform an
// operation, the fastest that can is taken, and a warning says so.
//
// One trace may stand for many ranks, if it has no messages. A process group
// of rank 0 is then moved along: with members 0, 8, 16 and 24 of 64 ranks, rank
// 35 is in the group of 35, 43, 51 and 59.
//
// Time in which a rank has a communication that has not ended and computes
// nothing is exposed communication, be it bytes or a slower rank that it waits
// for.
package replay

import (
	"errors"
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload/trace"
)

// Bounds of a job, and so of what it takes: four bytes a node of each rank.
const (
	MaxRanks = 1 << 20
	maxNodes = 1 << 28 // of all ranks
)

// Job is traces as a program of the cluster.
type Job struct {
	Ranks     int
	Traces    []*trace.Trace // one of each rank, or a single one for all
	Algorithm collective.Algorithm
	// Roofline times what a trace has no duration of; without an accelerator
	// there must be none of that.
	Roofline cluster.Roofline

	c     *cluster.Cluster
	job   int
	actor sim.Actor

	ranks     []rank
	groups    []group
	open      []operation // that have been issued and have not ended
	idle      []int32     // operations to use again
	mail      []mailbox
	boxes     map[channel]int32
	messages  map[[2]int32]*collective.Plan
	running   int // ranks that have not finished
	unclaimed int // messages that have come and nobody has asked for

	refused    map[collective.Op]string // why the algorithm cannot perform an operation
	mismatched int
	irregular  []string // groups that cannot be moved along
	failed     bool
}

// Slots of a rank: what it does one at a time.
const (
	onHost = iota
	onAccelerator
	onNetwork
	incoming // of which it does any number at a time
	slots
)

// rank is the state of one rank.
type rank struct {
	trace    *trace.Trace
	waits    []int32 // of each node: dependencies that have not ended
	ready    [slots]queue
	busy     [slots]bool
	issuing  bool   // it is to look at what is ready at the end of this instant
	left     int    // nodes that have not ended
	groups   []seat // of each group of the trace
	finish   sim.Time
	ledger   *cluster.Ledger
	sending  sim.Time // since when it sends the latest message
	awaiting int      // communications that have not ended
	since    sim.Time
}

// Events of a job, in the high bits of their argument; a rank and a node are in
// the rest.
const (
	argIssue uint64 = iota << 60 // look at what is ready
	argEnded                     // a node has ended
	argSent                      // a message has arrived
	argMet                       // a collective has ended
	argKind  = 0xf << 60

	nodeBits = 24 // of an argument; trace.MaxNodes
)

func (j *Job) trace(rank int) *trace.Trace {
	if len(j.Traces) == 1 {
		return j.Traces[0]
	}
	return j.Traces[rank]
}

// Validate says what is wrong with a job: the first of each trace, of up to 20.
func (j *Job) Validate() error {
	if j.Ranks < 1 || j.Ranks > MaxRanks || len(j.Traces) != 1 && len(j.Traces) != j.Ranks {
		return fmt.Errorf("%d traces for %d ranks", len(j.Traces), j.Ranks)
	}
	nodes := 0
	for r := range j.Ranks {
		if nodes += len(j.trace(r).Nodes); nodes > maxNodes {
			return fmt.Errorf("%d ranks have more than %d nodes in all", j.Ranks, maxNodes)
		}
	}
	var all []error
	for r, t := range j.Traces {
		if err := j.check(r, t); err != nil {
			all = append(all, fmt.Errorf("rank %d: %w", r, err))
		}
		if len(all) == 20 {
			break
		}
	}
	return errors.Join(all...)
}

// check finds the first that is wrong with one trace.
func (j *Job) check(rank int, t *trace.Trace) error {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		switch n.Type {
		case trace.Send, trace.Receive:
			if len(j.Traces) == 1 && j.Ranks > 1 {
				return fmt.Errorf("node %d is a %s: a trace with messages between ranks cannot stand for %d ranks, each needs its own", n.ID, n.Type, j.Ranks)
			}
			if int(n.Peer) >= j.Ranks {
				return fmt.Errorf("node %d is a %s with rank %d, and the ranks are 0 to %d", n.ID, n.Type, n.Peer, j.Ranks-1)
			}
		case trace.Compute, trace.MemoryLoad, trace.MemoryStore:
			if n.Seconds == 0 && (n.FLOPs > 0 || n.Bytes > 0) && j.Roofline.Accelerator.MemoryBandwidth == 0 {
				return fmt.Errorf("node %d has no duration but num_ops or tensor_size, and bare accelerators have no rates: it needs a topology of hosts (single-host, leaf-spine, fat-tree, rail)", n.ID)
			}
		}
	}
	for _, g := range t.Groups {
		for _, member := range g.Ranks {
			if int(member) >= j.Ranks && len(j.Traces) > 1 {
				return fmt.Errorf("process group %q has rank %d, and the ranks are 0 to %d", g.Name, member, j.Ranks-1)
			}
		}
	}
	return nil
}

// Begin makes the first nodes of all ranks ready.
func (j *Job) Begin(c *cluster.Cluster, job int) {
	j.c, j.job = c, job
	j.actor = c.Engine.Register(j)
	j.boxes, j.messages = map[channel]int32{}, map[[2]int32]*collective.Plan{}
	j.refused = map[collective.Op]string{}
	j.ranks, j.running = make([]rank, j.Ranks), j.Ranks
	j.assemble()
	now := c.Engine.Now()
	for i := range j.ranks {
		r, t := &j.ranks[i], j.trace(i)
		r.trace, r.left, r.since, r.finish = t, len(t.Nodes), now, -1
		r.waits = append([]int32(nil), t.Waits...)
		r.ledger = c.NewLedger(c.Jobs[job].Accelerators[i : i+1])
		for n, waits := range t.Waits {
			if waits == 0 {
				r.push(int32(n))
			}
		}
		j.look(i)
		if r.left == 0 {
			j.finish(i, now)
		}
	}
}

// Finish is when a rank had done all of its trace; false if it has not.
func (j *Job) Finish(rank int) (sim.Time, bool) {
	if j.ranks == nil || j.ranks[rank].finish < 0 {
		return 0, false
	}
	return j.ranks[rank].finish, true
}

// Ledger is what a rank has done, nil before the job began.
func (j *Job) Ledger(rank int) *cluster.Ledger {
	if j.ranks == nil {
		return nil
	}
	return j.ranks[rank].ledger
}

// slot is where a node runs.
func slot(n *trace.Node) int {
	switch {
	case n.Type == trace.Receive:
		return incoming
	case n.Type == trace.Send || n.Type == trace.Collective:
		return onNetwork
	case n.CPU || n.Type == trace.Metadata || n.Type == trace.Skipped:
		return onHost
	}
	return onAccelerator
}

// push adds a node to those that are ready.
func (r *rank) push(n int32) { r.ready[slot(&r.trace.Nodes[n])].push(n) }

// look has a rank look at what is ready once everything of the present instant
// has happened, so that of what becomes ready at one instant the lowest id goes
// first.
func (j *Job) look(i int) {
	if r := &j.ranks[i]; !r.issuing {
		r.issuing = true
		j.c.Engine.Defer(j.actor, argIssue|uint64(i)<<nodeBits)
	}
}

// Handle moves a rank on.
func (j *Job) Handle(now sim.Time, arg uint64) {
	i, n := int(arg&^argKind>>nodeBits), int32(arg&(1<<nodeBits-1))
	if j.failed {
		return
	}
	switch arg & argKind {
	case argIssue:
		j.issue(i, now)
	case argEnded:
		j.ended(i, n, now)
	case argSent:
		j.sent(i, n, now)
	case argMet:
		j.met(int32(arg&^argKind), now)
	}
}

// issue starts what is ready and has a slot.
func (j *Job) issue(i int, now sim.Time) {
	r := &j.ranks[i]
	r.issuing = false
	for s := range slots {
		for len(r.ready[s]) > 0 && !r.busy[s] && !j.failed {
			n := r.ready[s].pop()
			r.busy[s] = s != incoming
			j.start(i, n, now)
		}
	}
}

// start begins one node.
func (j *Job) start(i int, n int32, now sim.Time) {
	r := &j.ranks[i]
	node := &r.trace.Nodes[n]
	r.account(now)
	switch node.Type {
	case trace.Send:
		r.awaiting++
		j.send(i, n, now)
	case trace.Receive:
		r.awaiting++
		j.receive(i, n, now)
	case trace.Collective:
		r.awaiting++
		j.collective(i, n, now)
	default:
		d := sim.FromSeconds(j.seconds(node))
		if slot(node) == onAccelerator {
			r.ledger.AddCompute(now, now.After(d))
			j.observe(i, n, now, now.After(d))
		}
		j.end(i, n, now.After(d))
	}
}

// end has a node end at a time.
func (j *Job) end(i int, n int32, at sim.Time) {
	j.c.Engine.Schedule(at, j.actor, argEnded|uint64(i)<<nodeBits|uint64(n))
}

// seconds is how long a computation takes.
func (j *Job) seconds(n *trace.Node) float64 {
	switch {
	case n.Type == trace.Metadata || n.Type == trace.Skipped:
		return 0
	case n.Seconds == 0 && (n.FLOPs > 0 || n.Bytes > 0):
		return j.Roofline.Bound(n.FLOPs, n.Bytes)
	}
	return n.Seconds
}

// ended frees the slot of a node and makes ready what waited for it.
func (j *Job) ended(i int, n int32, now sim.Time) {
	r := &j.ranks[i]
	t := r.trace
	r.account(now)
	s := slot(&t.Nodes[n])
	r.busy[s] = false
	if s == onNetwork || s == incoming {
		r.awaiting--
	}
	for _, next := range t.Next[t.NextAt[n]:t.NextAt[n+1]] {
		if r.waits[next]--; r.waits[next] == 0 {
			r.push(next)
		}
	}
	r.waits[n] = -1 // done
	if r.left--; r.left == 0 {
		j.finish(i, now)
		return
	}
	j.look(i)
}

// finish notes that a rank has done its trace.
func (j *Job) finish(i int, now sim.Time) {
	j.ranks[i].finish = now
	j.running--
	j.done()
}

// done ends the job with its last rank, unless messages have come for which
// there is no receive.
func (j *Job) done() {
	if j.running == 0 && j.unclaimed == 0 {
		j.c.Done(j.job)
	}
}

// fail ends the job with an error.
func (j *Job) fail(err error) {
	if !j.failed {
		j.failed = true
		j.c.Fail(j.job, err)
	}
}

// account books the time since the last change of a rank.
func (r *rank) account(now sim.Time) {
	if r.awaiting > 0 && now > r.since {
		if r.busy[onAccelerator] {
			r.ledger.Overlapped += now - r.since
		} else {
			r.ledger.AddExposed(r.since, now)
		}
	}
	r.since = now
}

// queue is the nodes that are ready for a slot: a heap, the lowest on top.
type queue []int32

func (q *queue) push(n int32) {
	h := append(*q, n)
	i := len(h) - 1
	for i > 0 && h[(i-1)/2] > h[i] {
		h[(i-1)/2], h[i] = h[i], h[(i-1)/2]
		i = (i - 1) / 2
	}
	*q = h
}

func (q *queue) pop() int32 {
	h := *q
	top, last := h[0], len(h)-1
	h[0] = h[last]
	h = h[:last]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < last; c++ {
			if h[c] < h[least] {
				least = c
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	*q = h
	return top
}
