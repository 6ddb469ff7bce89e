package scheduler

import (
	"cmp"
	"math"
	"slices"

	"github.com/railyard/railyard/units"
)

// shares serves groups: of those that have a job for which there is room, the one
// that has had the least for its weight, and of its jobs the first in their order
// that fits.
//
// Jobs within the quota of their group start before any group borrows. If there is no
// room for one, those that borrow give back, the latest start first; if they hold too
// little, or may not be stopped, nobody borrows until there is room.
type shares struct {
	order     order
	had       func(*share) float64 // what a group has had; nil has the jobs' order alone decide
	reclaim   bool
	halfLife  units.Duration
	borrowing Reason // of starts beyond a quota, where there are quotas
	groups    []share
	names     map[string]int32 // of the groups
	refused   []entry          // that the machine could not place in this decision
}

// share is one group.
type share struct {
	Group
	waiting waiting
	running []int32 // in the order in which they started
	held    int32
	takes   Resources // what all that it runs take

	halfLife units.Duration
	used     float64 // accelerator-seconds by the time at, decayed
	at       units.Duration
}

func newShares(p Policy, o order) *shares {
	s := &shares{borrowing: Fits, order: o, reclaim: p.Preemption != NoPreemption, halfLife: p.HalfLife, names: map[string]int32{}}
	for _, g := range p.Groups {
		s.add(g)
		if g.Quota > 0 {
			s.borrowing = Borrows
		}
	}
	switch p.Name {
	case "fair-share":
		s.had = func(g *share) float64 { return g.used / g.Weight }
	case "drf":
		s.had = func(g *share) float64 { return g.takes.dominant(p.Capacity) / g.Weight }
	}
	return s
}

func (s *shares) add(g Group) int32 {
	i := int32(len(s.groups))
	s.groups = append(s.groups, share{Group: g, halfLife: s.halfLife})
	s.names[g.Name] = i
	return i
}

// group is the index of the named group.
func (s *shares) group(name string) int32 {
	if i, known := s.names[name]; known {
		return i
	}
	return s.add(Group{Name: name, Weight: 1})
}

// hold changes what a group holds, after counting what it has used so far. Use decays
// by half in a half-life: while h are held, du/dt = h - u ln 2 / half-life.
func (g *share) hold(now units.Duration, by int32) {
	passed := (now - g.at).Seconds()
	if g.halfLife == 0 {
		g.used += float64(g.held) * passed
	} else {
		rate := math.Ln2 / g.halfLife.Seconds()
		kept := math.Exp(-rate * passed)
		g.used = g.used*kept + float64(g.held)/rate*(1-kept)
	}
	g.at = now
	g.held += by
}

// room is how many more accelerators a group may have, as its own or at all.
func (g *share) room(own bool) int32 {
	switch {
	case own:
		return int32(g.Quota) - g.held
	case g.Limit > 0:
		return int32(g.Limit) - g.held
	}
	return math.MaxInt32
}

func (s *shares) arrive(q *Queue, job int32) {
	r := &q.jobs[job]
	s.groups[r.group].waiting.push(r.size(), entry{s.order(r), job})
}

func (s *shares) finish(q *Queue, job int32) { s.leave(q, job) }

// leave takes a job out of those that its group runs.
func (s *shares) leave(q *Queue, job int32) {
	r := &q.jobs[job]
	g := &s.groups[r.group]
	g.hold(q.now, -r.size())
	g.takes = g.takes.plus(q.wants(r), -1)
	i := slices.Index(g.running, job)
	g.running = slices.Delete(g.running, i, i+1)
}

func (s *shares) decide(q *Queue, m Machine) {
	for i := range s.groups {
		s.groups[i].hold(q.now, 0)
	}
	s.refused = s.refused[:0]
	if s.serveOwn(q, m) {
		for {
			g, class := s.next(int32(q.free), false)
			if g == nil {
				break
			}
			s.start(q, m, g, class, because(s.borrowing))
		}
	}
	for _, e := range s.refused {
		s.arrive(q, e.job)
	}
}

// serveOwn starts jobs within quotas, and reports whether all are served.
func (s *shares) serveOwn(q *Queue, m Machine) bool {
	for {
		g, class := s.next(int32(q.free), true)
		if g == nil {
			g, class = s.next(math.MaxInt32, true)
			if g == nil {
				return true
			}
			if !s.reclaimed(q, m, g.waiting.first(class).job) {
				return false
			}
		}
		s.start(q, m, g, class, because(Own))
	}
}

// next is the group to be served and the class of its job, whose gang is at most so
// large.
func (s *shares) next(most int32, own bool) (*share, int) {
	var best *share
	class := none
	for i := range s.groups {
		g := &s.groups[i]
		c := g.waiting.best(min(most, g.room(own)))
		if c == none {
			continue
		}
		if best != nil {
			order := 0
			if s.had != nil {
				order = cmp.Compare(s.had(g), s.had(best))
			}
			if order > 0 || order == 0 && !g.waiting.first(c).less(&best.waiting.first(class).rank) {
				continue
			}
		}
		best, class = g, c
	}
	return best, class
}

// start starts the first job of a class of a group.
func (s *shares) start(q *Queue, m Machine, g *share, class int, w why) {
	e := g.waiting.pop(class)
	if !q.start(e.job, m, w) {
		s.refused = append(s.refused, e)
		return
	}
	r := &q.jobs[e.job]
	g.hold(q.now, r.size())
	g.takes = g.takes.plus(q.wants(r), 1)
	g.running = append(g.running, e.job)
}

// reclaimed stops jobs of groups that borrow until there is room for a job. It stops
// none, and reports false, if there would not be.
func (s *shares) reclaimed(q *Queue, m Machine, wants int32) bool {
	gang := q.jobs[wants].size()
	if !s.reclaim {
		return false
	}
	var borrowed []int32
	held := make([]int32, len(s.groups))
	for i := range s.groups {
		held[i] = s.groups[i].held
		for _, job := range s.groups[i].running {
			if !q.jobs[job].Fixed && held[i] > int32(s.groups[i].Quota) {
				borrowed = append(borrowed, job)
			}
		}
	}
	slices.SortFunc(borrowed, func(a, b int32) int {
		x, y := &q.jobs[a], &q.jobs[b]
		return cmp.Or(cmp.Compare(y.began, x.began), cmp.Compare(y.seq, x.seq))
	})
	room := int32(q.free)
	var stops []int32
	for _, job := range borrowed {
		r := &q.jobs[job]
		if room >= gang {
			break
		}
		if held[r.group] > int32(s.groups[r.group].Quota) && r.Accelerators > 0 {
			held[r.group] -= r.size()
			room += r.size()
			stops = append(stops, job)
		}
	}
	if room < gang {
		return false
	}
	for _, job := range stops {
		if size := q.jobs[job].size(); room-size >= gang { // a later one made it unnecessary
			room -= size
			continue
		}
		s.leave(q, job)
		if q.stop(job, m, why{Reclaimed, wants, Never}) {
			s.arrive(q, job)
		}
	}
	return true
}

func (s *shares) wake() units.Duration { return Never }
