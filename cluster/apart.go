package cluster

import (
	"iter"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Confined is a program that knows which links it will use. Jobs that use none of
// them need not heed it.
type Confined interface {
	Program
	// Links yields all links that the program will use until it ends, an event that
	// changes their number aside; nil yields none. It is not known where it may use any;
	// before it has begun, unless it will use none.
	Links() (links iter.Seq[topology.LinkID], known bool)
}

// Occasional is a program that uses some of its links only now and then, at times at which
// it asks again: what it does on the others repeats, even if those are shared.
type Occasional interface {
	Confined
	// Regular yields the links that it uses all the time. They are known when all are.
	Regular() iter.Seq[topology.LinkID]
}

// silent says whether a program will never use the network, wherever it runs.
func silent(p Program) bool {
	confined, ok := p.(Confined)
	if !ok {
		return false
	}
	links, known := confined.Links()
	return known && links == nil
}

// apart is what jobs that use the network know of each other. It holds until the next
// job that does begins or ends, or links fail.
type apart struct {
	sending []int32       // jobs that use the network, in the order in which they were submitted
	moving  bool          // the policy may have one of them go on elsewhere
	changes int           // how often a job of them has begun or ended, or ways have changed
	of      map[int]reach // by job, as of those changes
}

// reach is the links of a job, in order, and whether no other that runs may use one. Where
// others may use those that it uses now and then, it is the links without these.
type reach struct {
	changes int
	links   []topology.LinkID
	own     bool
	regular bool
}

// Undisturbed is until when nothing but the job itself changes what it does: no fault, no
// policy that takes its accelerators, and no other on its links, which are given; nil is
// all. It is no later than now where others may use them at any time. If others may use
// those that an Occasional uses now and then, the links are those that it uses all the
// time; Regularly says so.
//
// Of jobs that are to come later it is known when, but not where they will run.
func (c *Cluster) Undisturbed(job int) (links []topology.LinkID, until sim.Time) {
	now := c.Engine.Now()
	if c.Crossed && c.crosses(job) {
		return nil, now
	}
	if c.Alone() {
		return nil, c.QuietUntil
	}
	if c.Network.Ships() || len(c.Flows) > 0 && !c.Network.Idle() {
		return nil, now
	}
	until = min(c.QuietUntil, c.staying())
	for _, n := range c.apart.sending {
		switch other := c.Jobs[n]; {
		case int(n) == job || other.runs || other.Finished:
		case other.Start <= now: // it waits for accelerators
			return nil, now
		default:
			until = min(until, other.Start)
		}
	}
	r := c.reach(job)
	if !r.own {
		return nil, now
	}
	return r.links, until
}

// Regularly says whether the job is undisturbed only while it keeps to the links that it
// uses all the time.
func (c *Cluster) Regularly(job int) bool { return !c.Alone() && c.reach(job).regular }

// staying is until when the policy takes its accelerators from no job that uses the
// network, no later than now where it may at any time. While nobody waits it has no reason
// to, and a job that comes back after a failure does so when QuietUntil is over.
func (c *Cluster) staying() sim.Time {
	coming := c.waiting - c.queued
	switch {
	case !c.apart.moving:
		return sim.Never
	case c.queued > 0 || c.deciding:
		return c.Engine.Now()
	case coming > 0:
		return c.starts[len(c.starts)-coming]
	}
	return sim.Never
}

// reach finds the links of a job, and whether it has them for itself.
func (c *Cluster) reach(job int) reach {
	if r, known := c.apart.of[job]; known && r.changes == c.apart.changes {
		return r
	}
	r := reach{changes: c.apart.changes}
	if links, known := linksOf(c.Jobs[job]); known {
		r.links, r.own = c.ownLinks(job, links)
		if p, ok := c.Jobs[job].Program.(Occasional); ok && !r.own {
			r.links, r.own = c.ownLinks(job, p.Regular())
			r.regular = r.own
		}
	}
	if c.apart.of == nil {
		c.apart.of = map[int]reach{}
	}
	c.apart.of[job] = r
	return r
}

// ownLinks are some links of a job in order, and whether no other that runs uses any of
// them, nor what crosses cables between sites.
func (c *Cluster) ownLinks(job int, links iter.Seq[topology.LinkID]) (all []topology.LinkID, own bool) {
	used := make([]bool, len(c.Topology.Links))
	for l := range links {
		if !used[l] {
			used[l] = true
			all = append(all, l)
		}
	}
	slices.Sort(all)
	if first, last := c.Topology.WANLinks(); c.Crossed && slices.Contains(used[first:last], true) {
		return all, false
	}
	return all, c.unused(job, used)
}

// unused says whether no other job that runs uses any of some links.
func (c *Cluster) unused(job int, links []bool) bool {
	for _, n := range c.apart.sending {
		if other := c.Jobs[n]; other.runs && int(n) != job {
			theirs, known := linksOf(other)
			if !known {
				return false
			}
			for l := range theirs {
				if links[l] {
					return false
				}
			}
		}
	}
	return true
}

func linksOf(j *Job) (iter.Seq[topology.LinkID], bool) {
	p, ok := j.Program.(Confined)
	if !ok {
		return nil, false
	}
	links, known := p.Links()
	if links == nil {
		links = func(func(topology.LinkID) bool) {}
	}
	return links, known
}
