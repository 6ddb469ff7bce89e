package cluster

import (
	"slices"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// launch is a collective that is on its way: overhead, then its phases one
// after another.
type launch struct {
	plan    *collective.Plan
	size    float64
	owner   network.Owner
	times   float64
	next    int // phase to start
	pending int // transfers to wait for
	explode bool
	actor   sim.Actor
	arg     uint64
}

// Collective is an operation to launch.
type Collective struct {
	Plan    *collective.Plan
	Size    float64 // bytes, as the plan's package counts them
	Owner   network.Owner
	Explode bool // every message a transfer of its own
	// Times has it performed so often in a row, as one activity of so many times the bytes
	// and latencies; 0 is once.
	Times int
	// Known says that it takes what its plan says, once: the network is isolated, the job
	// alone, and no series is kept.
	Known bool

	// Actor handles Arg at the instant of the end.
	Actor sim.Actor
	Arg   uint64
}

// Launch starts a collective now.
func (c *Cluster) Launch(op Collective) {
	if op.Known {
		c.know(&op)
		return
	}
	var n int32
	if last := len(c.idle) - 1; last >= 0 {
		n = c.idle[last]
		c.idle = c.idle[:last]
	} else {
		n = int32(len(c.launches))
		c.launches = append(c.launches, launch{})
	}
	times := max(1, op.Times)
	l := launch{plan: op.Plan, size: op.Size, times: float64(times), owner: op.Owner, explode: op.Explode || c.Network.Ships(), actor: op.Actor, arg: op.Arg, pending: 1}
	wait := op.Plan.Launch(op.Size).Times(int64(times))
	if l.explode { // a message has its latency once
		for i := range op.Plan.Phases {
			wait = wait.After(op.Plan.Phases[i].Latency.Times(int64(times) - 1))
		}
	}
	c.launches[n] = l
	c.Engine.Schedule(c.Engine.Now().After(wait), c.actor, argPhase|uint64(n))
}

// know launches a collective whose course is known: one event tells of its end.
func (c *Cluster) know(op *Collective) {
	c.Engine.Schedule(c.Carry(op.Plan, op.Size, c.Engine.Now(), c.Engine.Now()), op.Actor, op.Arg)
}

// Carry accounts for a collective whose course is known, from its launch at an instant
// that may lie ahead, and gives its end. All that is carried later is launched from
// another instant on.
func (c *Cluster) Carry(plan *collective.Plan, size float64, launched, later sim.Time) sim.Time {
	at := launched + plan.Launch(size)
	for i := range plan.Phases {
		p := &plan.Phases[i]
		from := at + p.Latency
		at = from + p.Drain(size)
		c.Network.Carry(&p.Footprint, p.Share*size, from, at, later)
	}
	return at
}

// send adds a transfer of a collective, which fails if it has to cross a link that is
// down for good.
func (c *Cluster) send(t *network.Transfer) network.ID {
	id := c.Network.Add(t)
	if c.lost != nil {
		links := t.Links
		if t.Footprint != nil {
			links = t.Footprint.Links
		}
		if i := slices.IndexFunc(links, func(l topology.LinkID) bool { return c.lost[l] }); i >= 0 {
			c.unreachable(id, t.Owner, links[i])
		}
	}
	return id
}

// advance is called when a launch's overhead has passed or a transfer of it has
// ended; when nothing is left of the present phase it starts the next.
func (c *Cluster) advance(n int32, now sim.Time) {
	l := &c.launches[n]
	if l.pending--; l.pending > 0 {
		return
	}
	switch {
	case l.next == len(l.plan.Phases):
		c.Engine.Schedule(now, l.actor, l.arg)
		l.plan = nil
		c.idle = append(c.idle, n)
	case l.explode:
		l.next = len(l.plan.Phases)
		c.explode(n)
	default:
		p := &l.plan.Phases[l.next]
		l.next++
		l.pending = 1
		c.send(&network.Transfer{
			Bytes: p.Share * l.size * l.times, Latency: p.Latency.Times(int64(l.times)), Footprint: &p.Footprint,
			Owner: l.owner, Notify: true, Actor: c.actor, Arg: argPhase | uint64(n), Forget: true,
		})
	}
}

// Withdraw takes back what a job communicates. Nothing more of it crosses a link, and what
// is to be told of it still is, as soon as latencies allow: a program that is interrupted
// turns that away.
func (c *Cluster) Withdraw(job int) {
	j := c.Jobs[job]
	for n := range c.launches {
		if l := &c.launches[n]; l.plan != nil && l.owner == j.Owner {
			l.size = 0
		}
	}
	c.Network.Withdraw(j.Owner)
	c.unbundle(job)
}

// explode adds every message of a collective as a transfer of its own. A plan that
// has none fails the run.
func (c *Cluster) explode(n int32) {
	l := &c.launches[n]
	plan, size, owner := l.plan, l.size*l.times, l.owner
	var ids, after, behind []network.ID
	transfers := func(to []network.ID, messages []int) []network.ID {
		for _, number := range messages {
			to = append(to, ids[number])
		}
		return to
	}
	err := plan.Everywhere(func(from, to topology.NodeID, m collective.Message) {
		after, behind = transfers(after[:0], m.After), transfers(behind[:0], m.Behind)
		t := network.Transfer{
			After: after, Behind: behind, Bytes: m.Share * size,
			Owner: owner, Notify: true, Actor: c.actor, Arg: argPhase | uint64(n), Forget: true,
		}
		c.direct(&t, network.Connection{From: from, To: to})
		ids = append(ids, c.send(&t))
	})
	if err != nil && c.Err == nil {
		c.Err = &JobError{c.OwnerName(owner), err}
	}
	l = &c.launches[n]
	if l.pending = len(ids); l.pending == 0 {
		l.pending = 1
		c.Engine.Schedule(c.Engine.Now(), c.actor, argPhase|uint64(n))
	}
}
