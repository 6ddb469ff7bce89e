package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// UnreachableError is that a message has no way left, and none will come.
type UnreachableError struct {
	// Hosts are those that are cut off, or bare accelerators; none where the message
	// came with its own route.
	Hosts []string
	Link  string // that is down on the message's way
}

// hostsNamed is how many hosts an error names.
const hostsNamed = 16

func (e *UnreachableError) Error() string {
	if len(e.Hosts) == 0 {
		return fmt.Sprintf("link %s is down for good, and no other way is known", e.Link)
	}
	names := strings.Join(e.Hosts[:min(len(e.Hosts), hostsNamed)], ", ")
	if more := len(e.Hosts) - hostsNamed; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("link %s is down for good, and no way is left to %s", e.Link, names)
}

// AllowReroutes prepares the cluster for links that fail. It must be called before jobs
// and flows are added. Small training jobs are then simulated rank by rank, since what
// is alike does not stay so.
func (c *Cluster) AllowReroutes() {
	c.Reroutes = true
	c.Network.KeepConnections()
	c.Planner.KeepPlans()
}

// Repeats is how many of some repetitions that take a period each end before an instant,
// or the end of the simulation.
func (c *Cluster) Repeats(times int64, period, until sim.Time) int64 {
	now := c.Engine.Now()
	if h := c.Engine.Horizon; h > 0 {
		until = min(until, h)
	}
	until = min(until, sim.Never-1) // what is beyond the clock is left to be found out there
	return max(0, min(times, int64((until-now)/max(period, 1))))
}

// Reroute has all that is sent from now on, and what is left of all that is on its way,
// go around the links that are down. Those in lost will never come up again: what has
// to cross one fails. moved is called for each transfer that goes another way.
//
// A collective that is on its way goes on with the phase that it is in: what this has
// left drains over the new links. Transfers of flows that came with their route wait.
func (c *Cluster) Reroute(down, lost []bool, moved func(network.Moved)) {
	c.Topology = c.healthy.Around(down)
	c.apart.changes++
	c.lost = lost
	was := map[*network.Footprint]network.Footprint{}
	c.Planner.Reroute(c.Topology, down, func(f *network.Footprint) {
		c.Network.Unbundle(f)
		was[f] = network.Footprint{Links: f.Links, Counts: f.Counts}
	})
	c.Network.Reroute(was, func(of network.Connection) ([]topology.LinkID, []float64) {
		c.Topology.Way(of.From, of.To, of.Label, nil, &c.way)
		return slices.Clone(c.way.Links), slices.Clone(c.way.Shares)
	}, moved)
	for job := range c.Jobs {
		var again []*network.Footprint
		for _, f := range c.bundled[job] {
			if _, changed := was[f]; changed {
				again = append(again, f)
			}
		}
		c.Network.Bundle(again...)
	}
	if lost != nil {
		c.Network.Crossing(lost, c.unreachable)
	}
}

// ExpectFault says when the next link fails, or is repaired.
func (c *Cluster) ExpectFault(at sim.Time) {
	c.nextFault = at
	c.calm()
}

// unreachable notes that a transfer can never end.
func (c *Cluster) unreachable(id network.ID, owner network.Owner, link topology.LinkID) {
	if c.Err != nil {
		return
	}
	who := c.transferName(id)
	if owner != network.NoOwner {
		who = c.OwnerName(owner)
	}
	c.Err = &JobError{who, &UnreachableError{Hosts: c.Topology.Severed(), Link: c.Topology.LinkName(link)}}
}
