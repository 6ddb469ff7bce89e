package network

import (
	"math"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Relative tolerances of comparisons between rates. Rounding leaves 1e-13 or
// so; the accuracy asked of a finish time is 1e-6.
const (
	// A link with no more than this share of its capacity left is saturated.
	saturationTolerance = 1e-10
	// Levels that differ by no more than this share are equal.
	levelTolerance = 1e-10
	// A new level this close to the old one is the old one, rounded.
	changeTolerance = 1e-13
	// A link whose flows together want less than this share of it cannot bind.
	bindingShare = 1 - 1e-9
)

// resumPeriod is after how many changes the sums kept of a link are added up
// anew, against drift.
const resumPeriod = 256

// flow is a draining transfer. Its level is rate/weight. What a look at the
// flows of a link needs comes first, in one cache line.
type flow struct {
	level      float64
	weight     float64
	member     uint64 // of the affected set of this repair
	fixed      uint64 // in this filling
	bottleneck topology.LinkID
	id         ID
	links      []topology.LinkID

	counts   []float64 // hops on each link; nil: 1 each
	at       []int32   // the flow's place in the list of each link
	previous float64   // level before the repair that is on
	bound    float64   // rate it would have alone on the network

	rate      float64 // level x weight, since the last change
	since     sim.Time
	remaining float64 // bytes per hop at since
	heapAt    int32   // place in the heap of finishes, -1: none
	owner     Owner
}

// count is the number of hops on the i-th link.
func (f *flow) count(i int) float64 {
	if f.counts == nil {
		return 1
	}
	return f.counts[i]
}

// ref is one flow on a link: which, and the link's index in its list.
type ref struct {
	slot  int32
	index int32
}

// link is the solver's state of one link, all in one place: a repair visits few
// links, anywhere.
type link struct {
	limit  float64 // B/s
	used   float64 // sum of rates, without members in a repair
	demand float64 // sum of the rates that its flows would have alone
	flows  []ref

	held    int32 // flows bottlenecked here, without members
	changes int32 // of used and demand since they were last added up
	touched uint64
	bundle  topology.LinkID // that the link is in, 0: none

	// Of one filling.
	unfixed int32 // members not fixed yet
	filling uint64
	free    float64 // capacity left
	weights float64 // of members not fixed yet, times their hops
	stopped float64 // level at which it stopped members, -1: it stopped none
}

// binds says whether the flows on the link could fill it.
func (k *link) binds() bool { return k.demand >= k.limit*bindingShare }

// levelAt is the level at which a link would saturate.
type levelAt struct {
	level float64
	link  topology.LinkID
}

// solver keeps the weighted max-min fair levels of the draining transfers by
// affected-set repair; see the package comment.
type solver struct {
	links     []link
	flows     []flow
	freeSlots []int32

	// isolated gives every flow the rate it would have alone.
	isolated bool

	repair  uint64            // the number of the repair that is on or to come
	members []int32           // its affected set
	changed []int32           // members whose level is another
	touched []topology.LinkID // links whose sum of rates is
	worn    []topology.LinkID // links whose sums have changed resumPeriod times
	loose   []topology.LinkID // links that hold flows and have lost some

	filling uint64            // the number of the filling that is on
	binding []topology.LinkID // links of members that may bind
	heap    []levelAt
}

func (s *solver) init(t *topology.Topology) {
	s.links = withRoom[link](len(t.Links))
	first := make([]ref, len(t.Links)) // room for the first flow of each link
	for i := range t.Links {
		s.links[i].limit = t.Links[i].Payload
		s.links[i].flows = first[i : i : i+1]
	}
	s.repair = 1
}

// attach puts a flow on its links, at level 0. O(links).
func (s *solver) attach(id ID, t *transfer, now sim.Time) int32 {
	var slot int32
	if last := len(s.freeSlots) - 1; last >= 0 {
		slot = s.freeSlots[last]
		s.freeSlots = s.freeSlots[:last]
	} else {
		slot = int32(len(s.flows))
		s.flows = append(s.flows, flow{})
	}
	f := &s.flows[slot]
	at := f.at
	if cap(at) < len(t.links) {
		at = make([]int32, len(t.links))
	}
	*f = flow{
		links: t.links, counts: t.counts, at: at[:len(t.links)], weight: t.weight,
		bottleneck: -1, id: id, since: now, remaining: t.bytes, heapAt: -1, owner: t.owner,
	}
	f.bound, _ = s.alone(f)
	for i, l := range f.links {
		k := &s.links[l]
		f.at[i] = int32(len(k.flows))
		k.flows = append(k.flows, ref{slot, int32(i)})
		k.demand += f.count(i) * f.bound
	}
	return slot
}

// alone is the rate of a flow on an idle network, and the link that limits it.
func (s *solver) alone(f *flow) (bound float64, at topology.LinkID) {
	bound = math.Inf(1)
	for i, l := range f.links {
		if rate := s.links[l].limit / f.count(i); rate < bound {
			bound, at = rate, l
		}
	}
	return bound, at
}

// detach takes a flow off its links. O(links).
func (s *solver) detach(slot int32) {
	f := &s.flows[slot]
	if f.bottleneck >= 0 {
		s.links[f.bottleneck].held--
	}
	for i, l := range f.links {
		k := &s.links[l]
		last := len(k.flows) - 1
		moved := k.flows[last]
		k.flows[f.at[i]] = moved
		s.flows[moved.slot].at[moved.index] = f.at[i]
		k.flows = k.flows[:last]
		k.used -= f.count(i) * f.level * f.weight
		k.demand -= f.count(i) * f.bound
		if last == 0 {
			k.used, k.demand = 0, 0
		}
		if k.held > 0 {
			s.loose = append(s.loose, l)
		}
		s.touch(l)
	}
	f.links, f.counts = nil, nil
	s.freeSlots = append(s.freeSlots, slot)
}

// setLimit changes the capacity of a link. What its flows want on their other
// links is added up anew: next to what they wanted before, it may be rounding.
func (s *solver) setLimit(l topology.LinkID, limit float64) {
	s.links[l].limit = limit
	for _, r := range s.links[l].flows {
		f := &s.flows[r.slot]
		f.bound, _ = s.alone(f)
		for _, m := range f.links {
			s.resum(m)
		}
		s.loose = append(s.loose, f.links...) // less may be wanted of them
	}
}

// touch notes a link whose sum of rates changes in the repair that is on or to
// come.
func (s *solver) touch(l topology.LinkID) {
	k := &s.links[l]
	if k.touched != s.repair {
		k.touched = s.repair
		s.touched = append(s.touched, l)
	}
	if k.changes++; k.changes == resumPeriod {
		s.worn = append(s.worn, l)
	}
}

// solve finds the levels after flows have arrived, others have been detached,
// and links have got another limit. Afterwards changed holds the flows whose
// level is another, and touched the links whose sum of rates is; settle clears
// them.
func (s *solver) solve(arrivals []int32, resized []topology.LinkID) {
	s.resumWorn() // what is left of many that have gone may be rounding
	for _, slot := range arrivals {
		s.join(slot)
	}
	for _, l := range s.loose {
		s.joinHeld(l)
	}
	s.loose = s.loose[:0]
	for _, l := range resized {
		for _, r := range s.links[l].flows {
			s.join(r.slot)
		}
	}
	if s.isolated {
		for _, slot := range s.members {
			f := &s.flows[slot]
			f.bound, f.bottleneck = s.alone(f)
			f.level = f.bound / f.weight
		}
	} else {
		for joined := 0; joined < len(s.members); {
			joined = len(s.members)
			s.fill()
			s.grow()
		}
	}
	for _, slot := range s.members {
		f := &s.flows[slot]
		if math.Abs(f.level-f.previous) <= changeTolerance*f.previous {
			f.level = f.previous
		} else {
			s.changed = append(s.changed, slot)
		}
		rate := f.level * f.weight
		for i, l := range f.links {
			s.links[l].used += f.count(i) * rate
			s.touch(l)
		}
		s.links[f.bottleneck].held++
	}
	s.resumWorn()
}

// resumWorn adds up anew the sums of links that have changed often.
func (s *solver) resumWorn() {
	for _, l := range s.worn {
		s.resum(l)
	}
	s.worn = s.worn[:0]
}

// settle ends a repair.
func (s *solver) settle() {
	s.members, s.changed, s.touched = s.members[:0], s.changed[:0], s.touched[:0]
	s.repair++
}

// resum adds up what the flows on a link have and want.
func (s *solver) resum(l topology.LinkID) {
	k := &s.links[l]
	k.used, k.demand, k.changes = 0, 0, 0
	for _, r := range k.flows {
		f := &s.flows[r.slot]
		k.used += f.count(int(r.index)) * f.level * f.weight
		k.demand += f.count(int(r.index)) * f.bound
	}
}

// join adds a flow to the affected set and takes its rate off its links.
func (s *solver) join(slot int32) {
	f := &s.flows[slot]
	if f.member == s.repair {
		return
	}
	f.member = s.repair
	s.members = append(s.members, slot)
	f.previous = f.level
	if f.bottleneck >= 0 {
		s.links[f.bottleneck].held--
		f.bottleneck = -1
	}
	if rate := f.level * f.weight; rate > 0 {
		for i, l := range f.links {
			s.links[l].used -= f.count(i) * rate
		}
	}
}

// joinHeld adds the flows bottlenecked at a link to the affected set.
func (s *solver) joinHeld(l topology.LinkID) {
	k := &s.links[l]
	for i := 0; k.held > 0 && i < len(k.flows); i++ {
		if slot := k.flows[i].slot; s.flows[slot].bottleneck == l {
			s.join(slot)
		}
	}
}

// fill gives the members their max-min levels with all other rates held: it
// raises all levels together and stops those on the link that saturates next.
// The level at which a link saturates only rises as members are stopped at
// lower levels, so a heap of such levels is brought up to date lazily.
// O((S + L) log L) for S link entries and L links of members, plus a look at
// the flows of every link that stops some.
func (s *solver) fill() {
	s.filling++
	s.binding = s.binding[:0]
	if len(s.members) == 1 {
		s.fillOne(&s.flows[s.members[0]])
		return
	}
	for _, slot := range s.members {
		f := &s.flows[slot]
		for i, l := range f.links {
			k := &s.links[l]
			if !k.binds() {
				continue
			}
			if k.filling != s.filling {
				k.filling = s.filling
				s.binding = append(s.binding, l)
				k.free = max(0, k.limit-k.used)
				k.weights, k.unfixed, k.stopped = 0, 0, -1
			}
			k.weights += f.count(i) * f.weight
			k.unfixed++
		}
	}
	s.heap = s.heap[:0]
	for _, l := range s.binding {
		k := &s.links[l]
		if int(k.unfixed) == len(k.flows) {
			k.used, k.free = 0, k.limit // no outsiders: what they use is rounding
		}
		s.heap = append(s.heap, levelAt{k.free / k.weights, l})
	}
	for i := len(s.heap)/2 - 1; i >= 0; i-- {
		s.siftDown(i, s.heap[i])
	}
	unfixed := len(s.members)
	for unfixed > 0 {
		top := s.heap[0]
		k := &s.links[top.link]
		if k.unfixed > 0 {
			if level := k.free / k.weights; level > top.level {
				top.level = level
				s.siftDown(0, top)
				continue
			}
			unfixed -= int(k.unfixed)
			s.stop(top.link, top.level)
		}
		last := len(s.heap) - 1
		moved := s.heap[last]
		s.heap = s.heap[:last]
		if last > 0 {
			s.siftDown(0, moved)
		}
	}
}

// fillOne is fill for a single member: the link with the least room per hop stops
// it. Only that link and those that hold outsiders are left to be looked at.
func (s *solver) fillOne(f *flow) {
	f.level = math.Inf(1)
	for i, l := range f.links {
		k := &s.links[l]
		if !k.binds() {
			continue
		}
		if len(k.flows) == 1 {
			k.used = 0 // no outsiders: what they use is rounding
		}
		k.free = max(0, k.limit-k.used)
		k.weights, k.stopped = f.count(i)*f.weight, -1
		if level := k.free / k.weights; level < f.level {
			f.level, f.bottleneck = level, l
		}
		if k.held > 0 {
			s.binding = append(s.binding, l)
		}
	}
	at := &s.links[f.bottleneck]
	at.stopped = f.level
	if at.held == 0 {
		s.binding = append(s.binding, f.bottleneck)
	}
	for _, l := range s.binding {
		k := &s.links[l]
		k.free = max(0, k.free-k.weights*f.level)
	}
}

// stop fixes the members on a link that saturates at level.
func (s *solver) stop(l topology.LinkID, level float64) {
	s.links[l].stopped = level
	for _, r := range s.links[l].flows {
		f := &s.flows[r.slot]
		if f.member != s.repair || f.fixed == s.filling {
			continue
		}
		f.fixed = s.filling
		f.level = level
		f.bottleneck = l
		for i, m := range f.links {
			k := &s.links[m]
			if k.filling == s.filling {
				weight := f.count(i) * f.weight
				k.free = max(0, k.free-weight*level)
				k.weights -= weight
				k.unfixed--
			}
		}
	}
}

// siftDown puts e at place i of the heap or below.
func (s *solver) siftDown(i int, e levelAt) {
	h := s.heap
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].level < h[child].level {
			child++
		}
		if e.level <= h[child].level {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = e
}

// grow adds to the affected set the outsiders whose bottleneck no longer holds
// them, and those that have more than a member at the link that stops it.
func (s *solver) grow() {
	for _, l := range s.binding {
		k := &s.links[l]
		if k.held == 0 && k.stopped < 0 {
			continue
		}
		if k.free > k.limit*saturationTolerance {
			s.joinHeld(l)
			continue
		}
		highest := k.stopped
		for _, r := range k.flows {
			highest = max(highest, s.flows[r.slot].level)
		}
		atLeast := highest * (1 - levelTolerance)
		atMost := math.Inf(1)
		if k.stopped >= 0 {
			atMost = k.stopped * (1 + levelTolerance)
		}
		for _, r := range k.flows {
			f := &s.flows[r.slot]
			if f.member == s.repair {
				continue
			}
			if f.bottleneck == l && f.level < atLeast || f.level > atMost {
				s.join(r.slot)
			}
		}
	}
}
