// Package backup copies what some hosts keep to others, time after time, each time in a
// window.
//
// # Model
//
// A full copy moves all bytes, an incremental one those that have changed since the copy
// before, counted by the periods between: of what changes twice, the later state is moved
// twice as likely, so that n periods change n times as much, and never more than all.
// Bytes flow by streams from each source to each target at once, over drives and network
// as links, and share these with all else. A copy that is not done by the end of its window
// goes on. If it is not done when the next is due, that one is missed: two at once would
// read the same data.
//
// Left out: what catalogues and checksums take, compression and deduplication (state the
// bytes that are left), and restoring.
package backup

import (
	"iter"
	"math"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Stream is one way by which a part of the bytes goes.
type Stream struct {
	From, To topology.NodeID // NICs
	Services []topology.LinkID
	Part     float64 // of all bytes
}

// Job is a program that makes copies. It takes no accelerators.
type Job struct {
	Bytes         float64 // of a full copy
	Change        float64 // part of them that changes in a period
	FullEvery     int     // each so many copies one is full, the first among them
	Every, Window sim.Time
	Copies        int
	Streams       []Stream

	// Rows are the copies that were due.
	Rows []Row

	c       *cluster.Cluster
	job     int
	actor   sim.Actor
	due     int // copies that were
	last    int // copy that was made last, or is being made
	pending int // transfers of it
}

// Row is one copy.
type Row struct {
	Full          bool
	Missed        bool
	Start, Finish sim.Time // Finish is -1 until it has ended
	Until         sim.Time // end of its window
	Bytes         float64
}

// Fits says whether the copy was made in its window.
func (r *Row) Fits() bool { return !r.Missed && r.Finish >= 0 && r.Finish <= r.Until }

// Events of a job.
const (
	argDue  uint64 = iota
	argCopy        // is due, and what ends at that instant has ended
	argEnded
)

// Begin starts the first copy.
func (j *Job) Begin(c *cluster.Cluster, job int) {
	j.c, j.job, j.actor = c, job, c.Engine.Register(j)
	j.copy(c.Engine.Now())
}

// copy makes the copy that is due, unless one is being made, and has the next come.
func (j *Job) copy(now sim.Time) {
	n := j.due
	j.due++
	if j.due < j.Copies {
		j.c.Engine.Schedule(now.After(j.Every), j.actor, argDue)
	}
	r := Row{Full: n%j.FullEvery == 0, Missed: j.pending > 0, Start: now, Finish: -1, Until: now.After(j.Window)}
	if r.Missed {
		j.Rows = append(j.Rows, r)
		return
	}
	r.Bytes = j.Bytes
	if !r.Full {
		r.Bytes *= math.Min(1, j.Change*float64(n-j.last))
	}
	j.last = n
	j.Rows = append(j.Rows, r)
	for i := range j.Streams {
		t := j.transfer(i, r.Bytes)
		t.Owner, t.Notify, t.Actor, t.Arg, t.Forget = j.c.Jobs[j.job].Owner, true, j.actor, argEnded, true
		j.c.Network.Add(&t)
		j.pending++
	}
}

func (j *Job) transfer(stream int, bytes float64) network.Transfer {
	s := &j.Streams[stream]
	t := j.c.Between(s.From, s.To, uint64(stream), s.Services...)
	t.Bytes = bytes * s.Part
	return t
}

// Links are those of its streams, once it has begun.
func (j *Job) Links() (links iter.Seq[topology.LinkID], known bool) {
	return func(yield func(topology.LinkID) bool) {
		for i := range j.Streams {
			for _, l := range j.transfer(i, j.Bytes).Links {
				if !yield(l) {
					return
				}
			}
		}
	}, j.c != nil
}

// Handle is called when a copy is due, and when a stream has ended.
func (j *Job) Handle(now sim.Time, arg uint64) {
	switch arg {
	case argDue:
		j.c.Engine.Defer(j.actor, argCopy)
		return
	case argCopy:
		j.copy(now)
		return
	}
	if j.pending--; j.pending > 0 {
		return
	}
	j.Rows[j.last].Finish = now
	if j.due == j.Copies {
		j.c.Done(j.job)
	}
}

// Takes is how long a copy of so many bytes is on its way over an idle network, on which
// every stream has the rate that the fullest link leaves it.
func (j *Job) Takes(bytes float64) sim.Time {
	load := make([]float64, len(j.c.Topology.Links)) // seconds of each
	seconds, latency := 0.0, sim.Time(0)
	for i := range j.Streams {
		t := j.transfer(i, bytes)
		for k, l := range t.Links {
			count := 1.0
			if t.Counts != nil {
				count = t.Counts[k]
			}
			load[l] += count * t.Bytes / j.c.Topology.Links[l].Payload
			seconds = max(seconds, load[l])
		}
		latency = max(latency, t.Latency)
	}
	return latency.After(sim.FromSeconds(seconds))
}
