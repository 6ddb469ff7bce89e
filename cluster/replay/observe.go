package replay

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// What the job tells the cluster's observer, if there is one.

// on is a rank's accelerator.
func (j *Job) on(rank int32) [][]topology.NodeID {
	return [][]topology.NodeID{j.c.Jobs[j.job].Accelerators[rank : rank+1]}
}

// observe tells of a computation.
func (j *Job) observe(i int, n int32, from, to sim.Time) {
	if j.c.Observer == nil {
		return
	}
	node := &j.ranks[i].trace.Nodes[n]
	j.c.Observer.Observe(cluster.Activity{
		From: from, To: to, Stream: cluster.ComputeStream, Name: node.Type.String(), Job: j.job, On: j.on(int32(i)),
		Notes: []result.Note{{Name: "node", Number: float64(node.ID)}},
	})
}

// observeCollective tells of one that has ended.
func (j *Job) observeCollective(op *operation) {
	if j.c.Observer == nil {
		return
	}
	g := &j.groups[op.group]
	a := j.c.Communicated(j.job, op.began, op.plan, op.size, [][]topology.NodeID{g.members})
	a.Name = op.kind.String()
	a.Notes = append(a.Notes, result.Note{Name: "group", Text: g.name})
	j.c.Observer.Observe(a)
}

// observeMessage tells of one that has been received by a node which began at an
// instant: it ends with the message, or at once if that is there.
func (j *Job) observeMessage(box *mailbox, way delivery, since sim.Time, bytes float64) {
	if j.c.Observer == nil {
		return
	}
	end := func(name string, on int32, from, to sim.Time, peer string, other int32) cluster.Activity {
		return cluster.Activity{
			From: from, To: to, Stream: cluster.CommunicationStream, Name: name, Job: j.job, On: j.on(on),
			Notes: []result.Note{{Name: "bytes", Number: bytes}, {Name: peer, Number: float64(other)}},
		}
	}
	j.c.Observer.Message(
		end("send", box.from, way.from, way.to, "to_rank", box.to),
		end("receive", box.to, since, max(since, way.to), "from_rank", box.from))
}
