package replay

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// channel is what messages between two ranks are matched by.
type channel struct {
	from, to int32
	tag      int64
}

// mailbox is the state of a channel. Messages of a channel come one after the
// other, since a rank sends one at a time.
type mailbox struct {
	channel
	arrived []delivery // of messages that nobody has asked for
	posted  []receive  // that wait
}

// delivery is when a message was under way.
type delivery struct{ from, to sim.Time }

// receive is a node of the receiver, and since when it waits.
type receive struct {
	node  int32
	since sim.Time
}

func (j *Job) mailbox(c channel) *mailbox {
	i, known := j.boxes[c]
	if !known {
		i = int32(len(j.mail))
		j.mail = append(j.mail, mailbox{channel: c})
		j.boxes[c] = i
	}
	return &j.mail[i]
}

// send puts a message on its way: a broadcast from one rank to one other, so
// that the overheads of the host are counted.
func (j *Job) send(i int, n int32, now sim.Time) {
	node := &j.ranks[i].trace.Nodes[n]
	j.ranks[i].sending = now
	arg := argSent | uint64(i)<<nodeBits | uint64(n)
	if int(node.Peer) == i {
		j.c.Engine.Schedule(now, j.actor, arg)
		return
	}
	pair := [2]int32{int32(i), node.Peer}
	plan := j.messages[pair]
	if plan == nil {
		accelerators := j.c.Jobs[j.job].Accelerators
		var err error
		plan, err = j.c.Planner.Plan(collective.Broadcast, collective.Direct, []topology.NodeID{accelerators[i], accelerators[node.Peer]})
		if err != nil {
			j.fail(err)
			return
		}
		j.messages[pair] = plan
	}
	j.c.Launch(cluster.Collective{Plan: plan, Size: node.Size, Owner: j.c.Jobs[j.job].Owner, Actor: j.actor, Arg: arg})
}

// sent ends a send, and the receive that waits for it.
func (j *Job) sent(i int, n int32, now sim.Time) {
	node := &j.ranks[i].trace.Nodes[n]
	box := j.mailbox(channel{int32(i), node.Peer, node.Tag})
	way := delivery{j.ranks[i].sending, now}
	if len(box.posted) > 0 {
		to := box.posted[0]
		box.posted = box.posted[1:]
		j.observeMessage(box, way, to.since, node.Size)
		j.ended(int(node.Peer), to.node, now)
	} else {
		box.arrived = append(box.arrived, way)
		j.unclaimed++
	}
	j.ended(i, n, now)
}

// receive takes a message that has come, or waits for one.
func (j *Job) receive(i int, n int32, now sim.Time) {
	node := &j.ranks[i].trace.Nodes[n]
	box := j.mailbox(channel{node.Peer, int32(i), node.Tag})
	if len(box.arrived) == 0 {
		box.posted = append(box.posted, receive{n, now})
		return
	}
	j.observeMessage(box, box.arrived[0], now, node.Size)
	box.arrived = box.arrived[1:]
	j.unclaimed--
	j.end(i, n, now)
}
