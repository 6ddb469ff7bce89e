package network

import (
	"math"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Relative tolerances of comparisons between rates. Rounding leaves 1e-13 or
// so; the accuracy asked of a finish time is 1e-6.
const (
	// Levels that differ by no more than this share are equal.
	levelTolerance = 1e-10
	// A new level this close to the old one is the old one, rounded.
	changeTolerance = 1e-13
	// A link is overloaded by more than this share of its capacity.
	overloadTolerance = 1e-11
)

// resumPeriod is after how many changes the sums kept of a link are added up
// anew, against drift.
const resumPeriod = 256

// patience is how often the links of a repair may be looked at, in the mean, before
// greater differences are taken for rounding. It is there to be sure of an end: the
// mean is 1.1 in all traffic of the benchmarks.
const patience = 64

// flow is a draining transfer. Its level is rate/weight. What a look at the
// flows of a link needs comes first, in one cache line.
type flow struct {
	level  float64 // the least of the levels of its links
	weight float64
	id     ID
	held   int32 // index of the link that stops it, -1: none yet
	links  []topology.LinkID

	counts []float64 // hops on each link; nil: 1 each
	at     []int32   // the flow's place in the list of each link
	member uint64    // the latest repair that gave it a level
	bound  float64   // rate it would have alone on the network
	alone  int32     // index of the link that would then stop it

	rate      float64 // level x weight, since the last change
	since     sim.Time
	remaining float64 // bytes per hop at since
	owner     Owner
	slowed    bool // since its finish was found
}

// count is the number of hops on the i-th link.
func (f *flow) count(i int) float64 {
	if f.counts == nil {
		return 1
	}
	return f.counts[i]
}

// finish is when the flow ends if its rate stays.
func (f *flow) finish() sim.Time { return f.since.After(sim.FromSeconds(f.remaining / f.rate)) }

// bottleneck is the link that stops the flow.
func (f *flow) bottleneck() topology.LinkID { return f.links[f.held] }

// ref is one flow on a link: which, and the link's index in its list.
type ref struct {
	slot  int32
	index int32
	share float64 // of the link by level: weight times hops
}

// link is the solver's state of one link, all in one place: a repair visits few
// links, anywhere.
type link struct {
	limit   float64 // B/s
	level   float64 // at which it stops flows, +Inf: it is not saturated
	used    float64 // sum of rates
	weights float64 // of its flows, times their hops
	demand  float64 // sum of the rates that its flows would have alone
	flows   []ref   // those that it stops come first

	held    int32 // so many
	changes int32 // of the sums since they were last added up
	queued  bool  // its level is to be found anew
	touched uint64
}

// solver keeps the weighted max-min fair levels of the draining transfers; see the
// package comment for how.
type solver struct {
	links     []link // zero until used; see use
	topology  *topology.Topology
	room      rooms[ref]
	flows     []flow
	freeSlots []int32

	// isolated gives every flow the rate it would have alone.
	isolated bool

	repair  uint64            // the number of the repair that is on or to come
	members []int32           // flows that it has given a level
	changed []int32           // members whose rate is another
	touched []topology.LinkID // links whose sum of rates is
	worn    []topology.LinkID // links whose sums have changed resumPeriod times
	loose   []topology.LinkID // links that stopped flows and have lost some

	queue     levelHeap // of the links whose level is to be found anew
	tolerance float64   // within which a level is the same
}

func (s *solver) init(t *topology.Topology) {
	s.links, s.topology = withRoom[link](len(t.Links)), t
	s.repair = 1
}

// use gives the state of a link, which is set up when it is first asked for: in a large
// topology most links are never used, and memory that is never written is not taken.
func (s *solver) use(l topology.LinkID) *link {
	k := &s.links[l]
	if k.flows == nil {
		k.limit, k.level, k.flows = s.topology.Links[l].Payload, math.Inf(1), s.room.one()
	}
	return k
}

// limit is the capacity of a link, in use or not.
func (s *solver) limit(l topology.LinkID) float64 {
	if k := &s.links[l]; k.flows != nil {
		return k.limit
	}
	return s.topology.Links[l].Payload
}

// attach puts a flow on its links, at no rate yet. O(links).
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
		held: -1, id: id, since: now, remaining: t.bytes, owner: t.owner,
	}
	s.bind(f)
	for i, l := range f.links {
		k := &s.links[l]
		f.at[i] = int32(len(k.flows))
		k.flows = append(k.flows, ref{slot, int32(i), f.count(i) * f.weight})
		k.demand += f.count(i) * f.bound
		k.weights += f.count(i) * f.weight
	}
	return slot
}

// bind finds the rate of a flow on an idle network. O(links).
func (s *solver) bind(f *flow) {
	f.bound = math.Inf(1)
	for i, l := range f.links {
		if rate := s.use(l).limit / f.count(i); rate < f.bound {
			f.alone, f.bound = int32(i), rate
		}
	}
}

// detach takes a flow off its links. O(links).
func (s *solver) detach(slot int32) {
	f := &s.flows[slot]
	s.release(f)
	for i, l := range f.links {
		k := &s.links[l]
		last := len(k.flows) - 1
		moved := k.flows[last]
		k.flows[f.at[i]] = moved
		s.flows[moved.slot].at[moved.index] = f.at[i]
		k.flows = k.flows[:last]
		k.used -= f.count(i) * f.level * f.weight
		k.demand -= f.count(i) * f.bound
		k.weights -= f.count(i) * f.weight
		if last == 0 {
			k.used, k.demand, k.weights, k.level = 0, 0, 0, math.Inf(1)
		}
		if k.level < math.Inf(1) {
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
	s.use(l).limit = limit
	for _, r := range s.links[l].flows {
		f := &s.flows[r.slot]
		s.bind(f)
		for _, m := range f.links {
			s.resum(m)
			s.touch(m)
		}
	}
}

// touch notes a link whose sums change in the repair that is on or to come.
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
// rate is another, and touched the links whose sum of rates is; settle clears
// them.
func (s *solver) solve(arrivals []int32, resized []topology.LinkID) {
	s.resumWorn() // what is left of many that have gone may be rounding
	for _, l := range s.loose {
		s.loosen(l)
	}
	s.loose = s.loose[:0]
	for _, l := range resized {
		s.loosen(l)
		if s.isolated {
			for _, r := range s.links[l].flows {
				s.alight(r.slot)
			}
		}
	}
	for _, slot := range arrivals {
		s.alight(slot)
	}
	s.tolerance = changeTolerance
	for looks := 1; len(s.queue) > 0; looks++ {
		s.saturate(s.queue.pop())
		if looks > patience*len(s.touched) {
			looks, s.tolerance = 0, 10*s.tolerance
		}
	}
	for _, slot := range s.members {
		f := &s.flows[slot]
		if math.Abs(f.level*f.weight-f.rate) > changeTolerance*f.rate {
			s.changed = append(s.changed, slot)
		}
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
	k.used, k.demand, k.weights, k.changes = 0, 0, 0, 0
	for _, r := range k.flows {
		f := &s.flows[r.slot]
		k.used += f.count(int(r.index)) * f.level * f.weight
		k.demand += f.count(int(r.index)) * f.bound
		k.weights += f.count(int(r.index)) * f.weight
	}
}

// loosen has the level of a link found anew, in the order of what it will be if no
// flow changes its bottleneck. Where a link comes too early, it is looked at again.
func (s *solver) loosen(l topology.LinkID) {
	k := &s.links[l]
	if k.queued || s.isolated {
		return
	}
	k.queued = true
	expected := k.limit / k.weights
	if k.level < math.Inf(1) {
		expected = k.level + (k.limit-k.used)/k.weights
	}
	s.queue.push(levelAt{expected, l})
}

// hold notes that the i-th link of a flow stops it, and no other.
func (s *solver) hold(f *flow, i int32) {
	if f.held == i {
		return
	}
	s.release(f)
	f.held = i
	k := &s.links[f.links[i]]
	s.swap(k, f.at[i], k.held)
	k.held++
}

// release notes that no link stops a flow.
func (s *solver) release(f *flow) {
	if f.held >= 0 {
		k := &s.links[f.bottleneck()]
		k.held--
		s.swap(k, f.at[f.held], k.held)
		f.held = -1
	}
}

// swap has two flows of a link change places.
func (s *solver) swap(k *link, i, j int32) {
	a, b := k.flows[i], k.flows[j]
	k.flows[i], k.flows[j] = b, a
	s.flows[a.slot].at[a.index], s.flows[b.slot].at[b.index] = j, i
}

// alight gives a flow a first level: what its links leave it if nothing else
// moves, and no more than it would have alone. O(links).
func (s *solver) alight(slot int32) {
	f := &s.flows[slot]
	at, level := f.alone, f.bound/f.weight
	if !s.isolated {
		for i, l := range f.links {
			if k := &s.links[l]; k.level < level {
				at, level = int32(i), k.level
			}
		}
	}
	s.hold(f, at)
	if level > 0 {
		s.move(slot, level, -1)
	} else {
		for _, l := range f.links {
			s.touch(l) // which is busy all the same
		}
	}
	s.loosen(f.bottleneck())
}

// saturate finds the level at which a link saturates while the flows that other
// links stop below it keep theirs, and gives it to all others: those that it stops,
// and those that go above it. Among these may be some that another link stops below;
// it is moved by them, and catches them in its turn. O(flows on the link).
func (s *solver) saturate(l topology.LinkID) {
	k := &s.links[l]
	k.queued = false
	level, catches := k.saturation(s.flows)
	k.level = level
	for _, r := range k.flows[:k.held] {
		s.move(r.slot, level, l)
	}
	for i := int(k.held); catches && i < len(k.flows); i++ { // what is caught comes before i
		if r := k.flows[i]; level < s.flows[r.slot].level {
			s.hold(&s.flows[r.slot], r.index)
			s.move(r.slot, level, l)
		}
	}
	if level < math.Inf(1) {
		k.used = k.limit
		s.touch(l)
	}
}

// saturation is the level L at which a link saturates: the sum over its flows of
// share times L, or times their own level for those that it does not stop and whose
// level is lower, is its capacity. It is +Inf if these do not fill it and there are
// no others. The sum is concave in L, so that Newton's method from below rises to
// the solution, and finds it exactly once it knows which flows are stopped here.
// As a rule these are the same as before, and catches is false.
func (k *link) saturation(flows []flow) (level float64, catches bool) {
	here, others, taken, highest := 0.0, 0.0, 0.0, 0.0
	for _, r := range k.flows[:k.held] {
		here += r.share
	}
	for _, r := range k.flows[k.held:] {
		level := flows[r.slot].level
		others += r.share
		taken += r.share * level
		if level > highest {
			highest = level
		}
	}
	switch {
	case here > 0:
		if level = (k.limit - taken) / here; highest <= level {
			return level, false
		}
	case taken <= k.limit:
		return math.Inf(1), false
	}
	for level = k.limit / (here + others); ; {
		taken, stopped := 0.0, here
		for _, r := range k.flows[k.held:] {
			if other := flows[r.slot].level; other <= level {
				taken += r.share * other
			} else {
				stopped += r.share
			}
		}
		next := max(0, k.limit-taken) / stopped
		if stopped == 0 || next <= level {
			return level, true
		}
		level = next
	}
}

// move gives a flow another level, found at a link. The others of its links carry
// more or less, and are looked at if their own level hangs on it, since it is below
// that or was; if it goes above; and if it fills them. O(links).
func (s *solver) move(slot int32, to float64, by topology.LinkID) {
	f := &s.flows[slot]
	from := f.level
	if math.Abs(to-from) <= s.tolerance*from {
		return
	}
	if f.member != s.repair {
		f.member = s.repair
		s.members = append(s.members, slot)
	}
	f.level = to
	least := min(from, to)
	for i, m := range f.links {
		if m == by {
			continue
		}
		k := &s.links[m]
		k.used += f.count(i) * f.weight * (to - from)
		s.touch(m)
		switch {
		case k.level == math.Inf(1):
			if to > from && k.used > k.limit*(1+overloadTolerance) {
				s.loosen(m)
			}
		case least < k.level || to > k.level:
			s.loosen(m)
		}
	}
}
