package storage

import (
	"math"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
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
	Request    float64 // bytes of a request; see Access
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
	if s.Rates.Opens+s.Rates.ClientOpens > 0 {
		blocks++
	}
	return float64(clients) * float64(l.Files) * blocks
}

// Begin starts the first time.
func (l *Load) Begin(c *cluster.Cluster, job int) {
	l.c, l.job = c, job
	l.actor = c.Engine.Register(l)
	l.start()
}

// start has each client open its files one after another, and the bytes of each go as
// soon as it is open.
func (l *Load) start() {
	now := l.c.Engine.Now()
	l.began = now
	job := l.c.Jobs[l.job]
	for i, client := range job.Accelerators {
		var opened []network.ID // the file before, if opening takes time
		links := l.System.openers(client)
		for file := range l.Files {
			if links != nil {
				opened = []network.ID{l.c.Network.Add(&network.Transfer{
					Start: now, After: opened, Bytes: RequestBytes, Links: links, Owner: job.Owner, Forget: true,
				})}
			}
			for _, t := range l.System.Transfers(l.access(client, file*len(job.Accelerators)+i)) {
				t.Start, t.After, t.Owner = now, opened, job.Owner
				t.Notify, t.Actor, t.Forget = true, l.actor, true
				l.c.Network.Add(&t)
				l.pending++
			}
		}
	}
}

// openers are the links that opening a file takes, nil if it takes no time.
func (s *System) openers(at topology.NodeID) (links []topology.LinkID) {
	for _, l := range []topology.LinkID{s.opens, s.clients[s.t.Server(at)].opens} {
		if l != unbounded {
			links = append(links, l)
		}
	}
	return links
}

// access is that of one file of a client.
func (l *Load) access(client topology.NodeID, file int) Access {
	return Access{
		Write: l.Write, Client: client, Bytes: l.Bytes / float64(l.Files),
		First: (l.First + file) % len(l.System.Servers), Request: l.Request,
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
