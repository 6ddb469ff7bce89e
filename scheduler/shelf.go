package scheduler

import (
	"slices"
	"sort"

	"github.com/railyard/railyard/units"
)

// shelf holds waiting jobs of one size of gang in the order of their arrival, and
// finds the first that is short enough: a tree over them has the least estimate
// below each node. A job is added and taken in O(log n).
type shelf struct {
	jobs []int32          // of each place; places are filled from the left
	tree []units.Duration // of the places from len(tree)/2 on; absent where there is none
	head int              // no place before it has a job
	live int
}

const (
	absent  = Never     // longer than any job
	unknown = Never - 1 // the estimate of a job that has none
)

// add puts a job at the end.
func (s *shelf) add(job int32, estimate units.Duration) {
	if len(s.jobs) == len(s.tree)/2 {
		s.grow()
	}
	s.jobs = append(s.jobs, job)
	s.live++
	s.set(len(s.jobs)-1, min(estimate, unknown))
}

// insert puts a job at its place in an order in which the others are. O(n).
func (s *shelf) insert(job int32, estimate units.Duration, before func(a, b int32) bool) {
	type one struct {
		job      int32
		estimate units.Duration
	}
	all := make([]one, 0, s.live+1)
	for i, j := range s.jobs {
		if e := s.tree[len(s.tree)/2+i]; e != absent {
			all = append(all, one{j, e})
		}
	}
	at := sort.Search(len(all), func(i int) bool { return before(job, all[i].job) })
	all = slices.Insert(all, at, one{job, estimate})
	*s = shelf{}
	for _, o := range all {
		s.add(o.job, o.estimate)
	}
}

// grow makes room: places that are empty go first.
func (s *shelf) grow() {
	old, leaves := s.jobs, s.tree[len(s.tree)/2:]
	room := 16
	for room < 2*s.live {
		room *= 2
	}
	s.jobs, s.tree, s.head = make([]int32, 0, room), make([]units.Duration, 2*room), 0
	for i := range s.tree {
		s.tree[i] = absent
	}
	for i, job := range old {
		if leaves[i] != absent {
			s.tree[room+len(s.jobs)] = leaves[i]
			s.jobs = append(s.jobs, job)
		}
	}
	for i := room - 1; i > 0; i-- {
		s.tree[i] = min(s.tree[2*i], s.tree[2*i+1])
	}
}

func (s *shelf) set(place int, estimate units.Duration) {
	i := place + len(s.tree)/2
	s.tree[i] = estimate
	for i /= 2; i > 0; i /= 2 {
		least := min(s.tree[2*i], s.tree[2*i+1])
		if s.tree[i] == least {
			return
		}
		s.tree[i] = least
	}
}

// take takes out the job at a place.
func (s *shelf) take(place int) {
	s.set(place, absent)
	s.live--
}

// put puts a job back that was taken from a place.
func (s *shelf) put(place int, estimate units.Duration) {
	s.set(place, min(estimate, unknown))
	s.head = min(s.head, place)
	s.live++
}

// first is the place of the first job, none if there is none.
func (s *shelf) first() int {
	if s.live == 0 {
		return none
	}
	for leaves := len(s.tree) / 2; s.tree[leaves+s.head] == absent; {
		s.head++
	}
	return s.head
}

// within is the place of the first job whose estimate is at most so long.
func (s *shelf) within(longest units.Duration) int {
	if s.live == 0 || s.tree[1] > longest {
		return none
	}
	i := 1
	for i < len(s.tree)/2 {
		i *= 2
		if s.tree[i] > longest {
			i++
		}
	}
	return i - len(s.tree)/2
}
