package training

import (
	"strconv"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// What a job tells the cluster's observer, if there is one. Iterations that are jumped
// over are one activity of the job, and none of its ranks.

// interlude is what the timeline calls one.
func (j *Job) interlude() string {
	if j.Training.Islands > 1 {
		return "outer step"
	}
	return "evaluation"
}

// observe tells of iterations or interludes, the first of which has a number.
func (j *Job) observe(name string, from, to sim.Time, first, count int64) {
	if j.c.Observer == nil || count == 0 {
		return
	}
	number := strconv.FormatInt(first, 10)
	if count > 1 {
		number += " to " + strconv.FormatInt(first+count-1, 10)
	}
	j.c.Observer.Observe(cluster.Activity{
		From: from, To: to, Stream: cluster.JobStream, Name: name, Job: j.job, Notes: []result.Note{{Name: "number", Text: number}},
	})
}

// spent tells what a failure or a checkpoint took time for.
func (j *Job) spent(on Cause, from, to sim.Time) {
	if j.c.Observer != nil {
		j.c.Observer.Observe(cluster.Activity{From: from, To: to, Stream: cluster.JobStream, Name: on.String(), Job: j.job})
	}
}

// observePass tells of the pass that has ended.
func (g *gang) observePass(now sim.Time) {
	if g.j.c.Observer != nil {
		g.tell(cluster.PassStream, g.pass.Pass.String(), g.passFrom, now)
	}
}

// observeCompute tells of the computation that has ended.
func (g *gang) observeCompute(now sim.Time) {
	switch {
	case g.j.c.Observer == nil:
	case g.closing == stepping:
		g.tell(cluster.ComputeStream, "optimizer", g.begun, now)
	default:
		g.tell(cluster.ComputeStream, g.pass.Pass.String(), g.begun, now)
	}
}

func (g *gang) tell(s cluster.Stream, name string, from, to sim.Time) {
	a := cluster.Activity{From: from, To: to, Stream: s, Name: name, Job: g.j.job, On: [][]topology.NodeID{g.ledger.Accelerators}}
	if g.closing == running {
		a.Notes = []result.Note{
			{Name: "micro_batch", Number: float64(g.pass.Micro)},
			{Name: "chunk", Number: float64(g.program.chunks[g.pass.Chunk].number)},
		}
	}
	g.j.c.Observer.Observe(a)
}

// observe tells of the collective that has ended.
func (g *group) observe() {
	c := g.j.c
	if c.Observer == nil {
		return
	}
	p, err := g.plan(g.current.op)
	if err != nil {
		panic("training: " + err.Error()) // it has just been performed
	}
	a := c.Communicated(g.j.job, g.began, p, g.current.bytes, g.ranks)
	a.Notes = append(a.Notes, result.Note{Name: "of", Text: g.current.kind.String()})
	c.Observer.Observe(a)
}

// observeMessage tells of one that has arrived.
func (j *Job) observeMessage(m *message) {
	if j.c.Observer == nil {
		return
	}
	end := func(name string, own *gang, peer string, other *gang) cluster.Activity {
		return cluster.Activity{
			From: m.letter.launched, To: m.letter.arrived, Stream: cluster.CommunicationStream, Name: name, Job: j.job,
			On: [][]topology.NodeID{own.ledger.Accelerators},
			Notes: []result.Note{
				{Name: "bytes", Number: m.bytes},
				{Name: "of", Text: Pipeline.String()},
				{Name: peer, Number: float64(other.program.stage)},
			},
		}
	}
	j.c.Observer.Message(end("send", m.from, "to_stage", m.to), end("receive", m.to, "from_stage", m.from))
}
