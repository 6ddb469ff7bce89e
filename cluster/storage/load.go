package storage

import (
	"math"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Load is a program that has clients read or write files, as fio and MLPerf Storage do:
// each on an accelerator of the job, all at once, time after time. The next time begins
// when the slowest client has ended.
type Load struct {
	System     *System
	Write      bool
	Bytes      float64 // of each client, an equal part in each of its files
	Files      int     // of each client
	Iterations int
	// First is the server that the first block of the first file falls to.
	First int

	// Rows are the results, one a time that has ended.
	Rows []Row

	c       *cluster.Cluster
	job     int
	actor   sim.Actor
	began   sim.Time
	pending int
}

// Row is one time that all clients read or wrote.
type Row struct {
	Start, Finish sim.Time
	Bytes         float64 // of all files
	Moved         float64 // of these on drives, with copies and parity
}

// Transfers is about how many transfers so many clients have on their way at a time.
func (l *Load) Transfers(clients int) float64 {
	s := l.System
	n := float64(len(s.Servers))
	blocks := math.Ceil(l.Bytes / float64(l.Files) / s.Block)
	switch s.Layout {
	case Local:
		blocks = 1
	case Striped:
		blocks = min(blocks, float64(s.Stripes))
	case Replicated, Object:
		blocks = min(blocks, n)
	case ErasureCoded:
		blocks = min(blocks+float64(s.Data+s.Parity)-1, n)
	}
	return float64(clients) * float64(l.Files) * blocks
}

// Begin starts the first time.
func (l *Load) Begin(c *cluster.Cluster, job int) {
	l.c, l.job = c, job
	l.actor = c.Engine.Register(l)
	l.start()
}

// start opens the files of all clients, one of each in turn, and has the bytes of each
// go as soon as it is open.
func (l *Load) start() {
	now := l.c.Engine.Now()
	l.began = now
	opened, job := 0, l.c.Jobs[l.job]
	for range l.Files {
		for _, client := range job.Accelerators {
			from := now
			if l.System.Opens > 0 {
				from = now.After(sim.FromSeconds(float64(opened+1) / l.System.Opens))
			}
			for _, t := range l.System.Transfers(l.access(client, opened)) {
				t.Start, t.Owner = from, job.Owner
				t.Notify, t.Actor, t.Forget = true, l.actor, true
				l.c.Network.Add(&t)
				l.pending++
			}
			opened++
		}
	}
}

// access is that of one file of a client.
func (l *Load) access(client topology.NodeID, file int) Access {
	return Access{
		Write: l.Write, Client: client, Bytes: l.Bytes / float64(l.Files),
		First: (l.First + file) % len(l.System.Servers),
	}
}

// Handle is called when a transfer has ended.
func (l *Load) Handle(now sim.Time, _ uint64) {
	if l.pending--; l.pending > 0 {
		return
	}
	bytes := l.Bytes * float64(len(l.c.Jobs[l.job].Accelerators))
	row := Row{Start: l.began, Finish: now, Bytes: bytes, Moved: bytes}
	if l.Write {
		row.Moved *= l.System.Overhead()
	}
	if l.Rows = append(l.Rows, row); len(l.Rows) < l.Iterations {
		l.start()
		return
	}
	l.c.Done(l.job)
}
