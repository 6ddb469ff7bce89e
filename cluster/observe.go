package cluster

import (
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Observer is told what accelerators and jobs do, once it is known until when: as it
// ends, or as it begins, and the end lies ahead. It changes nothing, and may keep the
// notes, but not the accelerators. A cluster without one is not slowed down.
type Observer interface {
	Observe(a Activity)
	// Message tells of one from each accelerator that sends to the one at the same
	// place of those that receive.
	Message(send, receive Activity)
}

// Activity is what some accelerators do at the same time, each group of them
// together; or what a job does, without accelerators.
type Activity struct {
	From, To sim.Time
	Stream   Stream
	Name     string // one of few: "forward", "all_reduce"
	Job      int
	On       [][]topology.NodeID
	Notes    []result.Note
}

// Stream is on what an activity runs.
type Stream uint8

// The streams. Passes are made of computation and what holds it up.
const (
	JobStream Stream = iota
	PassStream
	ComputeStream
	CommunicationStream
)

// String is the name of a stream: "compute".
func (s Stream) String() string {
	return [...]string{"job", "passes", "compute", "communication"}[s]
}

// Communicated is the activity of a collective that has ended now, with notes on what it
// moved and how. It was performed by groups side by side.
func (c *Cluster) Communicated(job int, began sim.Time, p *collective.Plan, size float64, groups [][]topology.NodeID) Activity {
	return Activity{
		From: began, To: c.Engine.Now(), Stream: CommunicationStream, Name: p.Op.String(), Job: job, On: groups,
		Notes: []result.Note{
			{Name: "bytes", Number: size},
			{Name: "algorithm", Text: p.Algorithm.String()},
			{Name: "protocol", Text: p.Protocol(size).String()},
			{Name: "ranks", Number: float64(len(groups[0]))},
			{Name: "groups", Number: float64(len(groups))},
		},
	}
}
