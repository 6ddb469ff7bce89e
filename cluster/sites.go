package cluster

import (
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Sites are the data centres that accelerators lie in, and what is sent between them;
// package wan has them.
type Sites interface {
	SiteOf(a topology.NodeID) int
	Lost(site int) bool
	// Send sends bytes from one site to another, and has an actor handle an argument when
	// they have come, unless they are taken back.
	Send(from, to int, bytes float64, owner network.Owner, actor sim.Actor, arg uint64) (id int64)
	Withdraw(id int64)
}

// Copies counts checkpoints that were copied to another site.
type Copies struct {
	Done    int64
	Bytes   float64
	Slowest sim.Time // from the checkpoint until its copy had come
	Spent   sim.Time // of all
}

// Count counts a copy of so many bytes that took a time.
func (c *Copies) Count(bytes float64, took sim.Time) {
	c.Done++
	c.Bytes += bytes
	c.Spent += took
	c.Slowest = max(c.Slowest, took)
}

// Mean is how long a copy took in the mean, in seconds.
func (c *Copies) Mean() float64 { return c.Spent.Seconds() / float64(max(c.Done, 1)) }
