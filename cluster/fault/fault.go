// Package fault has links of a running cluster fail and come back, and says when
// failures stop jobs.
//
// # Links
//
// A [Fault] takes its links, from an instant until their repair, to a part of their
// rate. If none is left of it they are down: at once nothing drains over them any
// more, and what was on its way over them waits. After a delay, in which the failure is
// noticed and spread, routes go around them; what waited goes on over other links with
// what it had left, and collectives are laid anew. The bytes that were in the link when
// it failed are few, and not sent again here. When the link is repaired it carries at
// once, and after the same delay routes are as they were. A fault that is repaired
// within the delay moves nothing.
//
// Where several faults of one link meet, the one that leaves least counts.
//
// A message without a way waits for a repair, if there is one to come; else the run
// cannot finish, and the error names the hosts that are cut off
// ([cluster.UnreachableError]). Time-outs of a communication library, 30 s and more,
// are not modelled.
//
// # Hosts
//
// [Outages] are failures of accelerators, hosts, racks and so on, drawn from their
// lifetimes or listed, which stop the jobs on the hosts concerned. They leave the
// network as it is: what a job does about them is its own affair.
//
// [Capacity] carries them out on the jobs of a queue that leave that to the cluster: they
// are interrupted, and their hosts are out of use until they are repaired.
package fault

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Fault is something that happens to links.
type Fault struct {
	Links []topology.LinkID
	// Entries are those of Links that a message crosses only one of: of a switch, the
	// links into it. nil is all.
	Entries []topology.LinkID
	At      sim.Time
	Repair  sim.Time // how long it lasts; 0: for good
	// Delay is from the failure until routes go around the links, and from the repair
	// until they no longer do.
	Delay sim.Time
	Rate  float64 // what is left of the links' rate, less than 1; 0: they are down

	// Rerouted are the transfers that went another way because of it, a phase of a
	// collective being one, and Bytes what they had left to move that way. Each counts
	// for the first of the faults on its way.
	Rerouted int64
	Bytes    float64
	// Happened says that it did.
	Happened bool
}

// Schedule is the faults of a cluster.
type Schedule struct {
	Faults []*Fault

	c      *cluster.Cluster
	timer  sim.Timer
	events []event // to come, the last first
	active []bool  // faults that hold down or slow their links
	around []bool  // faults that routes go around

	of      map[topology.LinkID][]int // faults of each link
	entries map[topology.LinkID][]int // those that it is an entry of
}

// event is one change: what happens to which fault.
type event struct {
	at    sim.Time
	what  change
	fault int
}

type change uint8

const (
	fails change = iota
	isAvoided
	isRepaired
	isTaken // into the routes again
)

// New has faults happen to a cluster, for which AllowReroutes has been called.
func New(c *cluster.Cluster, faults []*Fault) *Schedule {
	s := &Schedule{
		Faults: faults, c: c, active: make([]bool, len(faults)), around: make([]bool, len(faults)),
		of: map[topology.LinkID][]int{}, entries: map[topology.LinkID][]int{},
	}
	s.timer = c.Engine.NewTimer(c.Engine.Register(s), 0)
	c.Engine.Background(s.timer)
	for n, f := range faults {
		for _, l := range f.Links {
			s.of[l] = append(s.of[l], n)
		}
		entries := f.Entries
		if entries == nil {
			entries = f.Links
		}
		for _, l := range entries {
			s.entries[l] = append(s.entries[l], n)
		}
		s.events = append(s.events, event{f.At, fails, n})
		moves := f.Rate == 0 && (f.Repair == 0 || f.Repair > f.Delay)
		if moves {
			s.events = append(s.events, event{f.At.After(f.Delay), isAvoided, n})
		}
		if f.Repair > 0 {
			end := f.At.After(f.Repair)
			s.events = append(s.events, event{end, isRepaired, n})
			if moves {
				s.events = append(s.events, event{end.After(f.Delay), isTaken, n})
			}
		}
	}
	slices.SortStableFunc(s.events, func(a, b event) int { return cmp.Compare(b.at, a.at) })
	s.arm()
	return s
}

// arm sets the timer to the next event.
func (s *Schedule) arm() {
	next := sim.Never
	if n := len(s.events); n > 0 {
		next = s.events[n-1].at
	}
	s.c.ExpectFault(next)
	s.c.Engine.Arm(s.timer, next)
}

// Handle makes the changes of an instant.
func (s *Schedule) Handle(now sim.Time, _ uint64) {
	var changed []topology.LinkID
	reroute := false
	for n := len(s.events); n > 0 && s.events[n-1].at == now; n-- {
		e := s.events[n-1]
		s.events = s.events[:n-1]
		switch f := s.Faults[e.fault]; e.what {
		case fails, isRepaired:
			s.active[e.fault] = e.what == fails
			f.Happened = true
			changed = append(changed, f.Links...)
		case isAvoided, isTaken:
			s.around[e.fault] = e.what == isAvoided
			reroute = true
		}
	}
	for _, l := range changed {
		s.c.Network.SetPayload(l, s.c.Topology.Links[l].Payload*s.rate(l))
	}
	if reroute {
		s.reroute()
	}
	s.arm()
}

// rate is what the faults leave of a link's.
func (s *Schedule) rate(l topology.LinkID) float64 {
	rate := 1.0
	for _, n := range s.of[l] {
		if s.active[n] {
			rate = min(rate, s.Faults[n].Rate)
		}
	}
	return rate
}

// reroute has everything go around what is down.
func (s *Schedule) reroute() {
	links := len(s.c.Topology.Links)
	down := make([]bool, links)
	var lost []bool
	for n, f := range s.Faults {
		if !s.around[n] {
			continue
		}
		for _, l := range f.Links {
			down[l] = true
		}
		if f.Repair == 0 {
			if lost == nil {
				lost = make([]bool, links)
			}
			for _, l := range f.Links {
				lost[l] = true
			}
		}
	}
	s.c.Reroute(down, lost, s.moved)
}

// moved counts a transfer that goes another way for the first of the faults that were
// on the one it had. One that goes back after a repair counts for none.
func (s *Schedule) moved(m network.Moved) {
	first, hops := -1, 0.0
	for i, l := range m.Links {
		for _, n := range s.entries[l] {
			switch {
			case !s.around[n] || first >= 0 && n > first:
				continue
			case n != first:
				first, hops = n, 0
			}
			if m.Counts == nil {
				hops++
			} else {
				hops += m.Counts[i]
			}
		}
	}
	if first >= 0 {
		s.Faults[first].Rerouted++
		s.Faults[first].Bytes += hops * m.Left
	}
}
