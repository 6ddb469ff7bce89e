package storage

import (
	"iter"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Pipeline is a program that makes a data set of raw data, in stages one after another:
// ingest, clean, label, anonymise, tokenise. Items go through them in batches. A stage
// reads a batch from the file system when the stage before has written it, has its
// workers compute, and writes what comes out, on hosts of its own; it reads the next
// batch and writes the last while it computes. All stages work at the same time, each on
// another batch, so that in the steady state the pipeline makes as many items as
//
//	min over the stages ( reading, workers / core time of an item, writing )
//
// where its stages do not get in each other's way on the file system, whose links they
// share. What is made can be read while the rest is still being made.
type Pipeline struct {
	System *System
	Items  float64 // that go in
	Bytes  float64 // of each
	Stages []Stage
	// Batches that the items go in, at least 1.
	Batches int
	// Arrival is bytes a second at which raw items come from outside, with none of them
	// read from the file system; 0 where they lie in it.
	Arrival float64

	Finished sim.Time

	c       *cluster.Cluster
	job     int
	actor   sim.Actor
	stages  []stage
	began   sim.Time
	waiting []func()
}

// Stage is one of a pipeline.
type Stage struct {
	Clients []topology.NodeID // that read and write, of all its hosts
	Seconds float64           // of a core, for an item
	Workers float64           // cores
	Ratio   float64           // bytes of an item that comes out, of those that it had
	Keep    float64           // part of the items that come out
	PerFile float64           // items of a file

	// What it has done.
	In, Out       float64  // items
	Read, Written float64  // bytes
	Computed      sim.Time // time in which its workers did
	Ended         sim.Time
}

// stage is one as it runs. Of each step it knows how many batches have begun it, and how
// many have ended it: the same, or one more.
type stage struct {
	*Stage
	items, bytes float64   // of a batch, and of each of its items, going in
	read, write  *Together // read is nil where items come from outside
	compute      sim.Time

	reading, computing, writing step
}

type step struct{ begun, ended int }

func (s step) busy() bool { return s.begun > s.ended }

// What a batch of a stage does next, in the low bits of an event's argument.
const (
	batchRead uint64 = iota // or has come from outside
	batchComputed
	batchWritten
	batchKinds
)

// Begin starts the first stage.
func (p *Pipeline) Begin(c *cluster.Cluster, job int) {
	p.c, p.job, p.began = c, job, c.Engine.Now()
	p.actor = c.Engine.Register(p)
	items, bytes := p.Items/float64(p.Batches), p.Bytes
	for i := range p.Stages {
		s := stage{Stage: &p.Stages[i], items: items, bytes: bytes}
		n := float64(len(s.Clients))
		if i > 0 || p.Arrival == 0 {
			s.read = p.System.Sampled(s.Clients, Samples{Bytes: items * bytes / n, Request: bytes, PerFile: bytes * s.PerFile})
		}
		s.compute = sim.FromSeconds(items * s.Seconds / s.Workers)
		items, bytes = items*s.Keep, bytes*s.Ratio
		s.write = p.System.Sampled(s.Clients, Samples{Write: true, Bytes: items * bytes / n, Request: bytes, PerFile: bytes * s.PerFile})
		p.stages = append(p.stages, s)
	}
	p.advance(c.Engine.Now())
}

// Links are those that its stages read and write over, once it has begun.
func (p *Pipeline) Links() (links iter.Seq[topology.LinkID], known bool) {
	return func(yield func(topology.LinkID) bool) {
		for i := range p.stages {
			for _, w := range []*Together{p.stages[i].read, p.stages[i].write} {
				if w == nil {
					continue
				}
				for _, l := range w.Links {
					if !yield(l) {
						return
					}
				}
			}
		}
	}, p.c != nil
}

// Handle goes on with a stage one of whose batches has been read, computed or written.
func (p *Pipeline) Handle(now sim.Time, arg uint64) {
	s := &p.stages[arg/batchKinds]
	switch arg % batchKinds {
	case batchRead:
		s.reading.ended++
		s.In += s.items
	case batchComputed:
		s.computing.ended++
		s.Computed += s.compute
	case batchWritten:
		s.writing.ended++
		s.Out += s.items * s.Keep
		s.Ended = now
	}
	p.advance(now)
}

// room is how many batches a stage keeps that are read and do not compute yet.
const room = 2

// advance begins whatever can be now, on all stages: what makes room for others first.
func (p *Pipeline) advance(now sim.Time) {
	for i := range p.stages {
		s := &p.stages[i]
		if w := &s.writing; !w.busy() && w.begun < s.computing.ended {
			w.begun++
			s.Written += p.send(i, s.write, s.items*s.Keep*s.bytes*s.Ratio, batchWritten)
		}
		if c := &s.computing; !c.busy() && c.begun < s.reading.ended && c.begun == s.writing.begun {
			c.begun++
			p.c.Engine.Schedule(now.After(s.compute), p.actor, p.arg(i, batchComputed))
		}
		if r := &s.reading; !r.busy() && r.begun < p.there(i) && r.begun-s.computing.begun < room {
			r.begun++
			if s.read == nil {
				came := p.began.After(sim.FromSeconds(float64(r.begun) * s.items * s.bytes / p.Arrival))
				p.c.Engine.Schedule(max(now, came), p.actor, p.arg(i, batchRead))
			} else {
				s.Read += p.send(i, s.read, s.items*s.bytes, batchRead)
			}
		}
	}
	if p.Finished == 0 && p.there(len(p.stages)) == p.Batches {
		p.Finished = now
		p.c.Done(p.job)
	}
	told := p.waiting
	p.waiting = nil
	for _, ready := range told {
		ready()
	}
}

// there is how many batches are there for a stage, or for whoever reads the last one's.
func (p *Pipeline) there(stage int) int {
	if stage == 0 {
		return p.Batches
	}
	return p.stages[stage-1].writing.ended
}

func (p *Pipeline) arg(stage int, what uint64) uint64 { return uint64(stage)*batchKinds + what }

// send has a batch read or written, so many bytes, and gives these.
func (p *Pipeline) send(stage int, w *Together, bytes float64, what uint64) float64 {
	p.c.Network.Add(&network.Transfer{
		Bytes: bytes / float64(len(p.stages[stage].Clients)), Latency: w.Latency, Links: w.Links, Counts: w.Counts, Owner: p.c.Jobs[p.job].Owner,
		Notify: true, Actor: p.actor, Arg: p.arg(stage, what), Forget: true,
	})
	return bytes
}

// Made says whether so many bytes of the data set are there, or all that will be. If not
// ready is called once there are more, unless it is nil.
func (p *Pipeline) Made(bytes float64, ready func()) bool {
	if p.Finished > 0 || p.stages != nil && p.stages[len(p.stages)-1].Out*p.Size() >= bytes {
		return true
	}
	if ready != nil {
		p.waiting = append(p.waiting, ready)
	}
	return false
}

// Size is the bytes of an item that comes out of the last stage.
func (p *Pipeline) Size() float64 {
	bytes := p.Bytes
	for i := range p.Stages {
		bytes *= p.Stages[i].Ratio
	}
	return bytes
}
