package network

import (
	"cmp"
	"math"
	"slices"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// crowdSize is how many transfers without an owner are named of a link's
// greatest crowd.
const crowdSize = 4

// since is the instant from which something lasts. The zero value is that it does not:
// the account of a link that is never used is all zero, and takes no memory.
type since sim.Time

func (s *since) begin(now sim.Time) { *s = since(now + 1) }

// end gives how long it has lasted.
func (s *since) end(now sim.Time) sim.Time {
	long := s.until(now)
	*s = 0
	return long
}

func (s since) lasts() bool { return s != 0 }

// until is how long it has lasted so far.
func (s since) until(now sim.Time) sim.Time { return now - sim.Time(s-1) }

// account is what is kept of one link.
type account struct {
	bytes          float64  // drained over it by transfers that have left
	busy           sim.Time // with any traffic
	contended      sim.Time
	busySince      since
	contendedSince since
	owned          int32 // transfers on it that have an owner
	ahead          ahead // busy in these times, not in busy yet; see Carry
	contest        int32 // place in contests from 1, 0: never contended
}

// ownerOn is an owner with transfers on a link. entered is the link's contended
// time when it came.
type ownerOn struct {
	owner     Owner
	transfers int32
	entered   sim.Time
}

// crowd is the most transfers without owners that were on a contended link at
// once, and those that were added first.
type crowd struct {
	size  int32
	named [crowdSize]ID
}

// accounts keeps, for every link, what it carried, when it was busy and when it
// was contended, by whom. Each arrival and each departure costs O(1) a link,
// however long it stays.
type accounts struct {
	solver *solver
	links  []account
	owners [][]ownerOn
	room   rooms[ownerOn]
	shares map[topology.LinkID]map[Owner]sim.Time // contended time of owners that have left
	crowds map[topology.LinkID]*crowd
	series series

	contests []*contest
	stakes   []stake // of the owners of the link that is looked at
	places   []int32 // of each owner in stakes
}

func (a *accounts) init(s *solver, links, bins int) {
	a.solver = s
	a.links = withRoom[account](links)
	a.owners = withRoom[[]ownerOn](links)
	a.shares = map[topology.LinkID]map[Owner]sim.Time{}
	a.crowds = map[topology.LinkID]*crowd{}
	a.series.init(links, bins)
}

// contended is for how long a link has been contended by now.
func (a *accounts) contended(l topology.LinkID, now sim.Time) sim.Time {
	k := &a.links[l]
	if !k.contendedSince.lasts() {
		return k.contended
	}
	return k.contended + k.contendedSince.until(now)
}

// joined is called when a transfer has been put on its links.
func (a *accounts) joined(links []topology.LinkID, owner Owner, now sim.Time) {
	if owner == NoOwner {
		return
	}
	for _, l := range links {
		a.enter(l, owner, now)
	}
}

// left is called when a transfer has been taken off its links, having drained
// bytes over each hop.
func (a *accounts) left(links []topology.LinkID, counts []float64, owner Owner, bytes float64, now sim.Time) {
	for i, l := range links {
		count := 1.0
		if counts != nil {
			count = counts[i]
		}
		a.links[l].bytes += count * bytes
		if owner != NoOwner {
			a.leave(l, owner, now)
		}
	}
}

// settled is called when all transfers of an instant have come and gone: links
// are those that they used, arrivals the flows that came.
func (a *accounts) settled(links []topology.LinkID, arrivals []int32, now sim.Time) {
	for _, l := range links {
		a.update(l, now)
		if a.series.bins > 0 {
			a.series.record(l, a.solver.links[l].used, now)
		}
	}
	for _, slot := range arrivals {
		for _, l := range a.solver.flows[slot].links {
			if k := &a.links[l]; k.contendedSince.lasts() && len(a.solver.links[l].flows) > int(k.owned) {
				a.crowd(l)
			}
		}
	}
}

func (a *accounts) enter(l topology.LinkID, owner Owner, now sim.Time) {
	a.links[l].owned++
	for i := range a.owners[l] {
		if a.owners[l][i].owner == owner {
			a.owners[l][i].transfers++
			return
		}
	}
	if a.owners[l] == nil {
		a.owners[l] = a.room.one()
	}
	a.owners[l] = append(a.owners[l], ownerOn{owner, 1, a.contended(l, now)})
}

func (a *accounts) leave(l topology.LinkID, owner Owner, now sim.Time) {
	a.links[l].owned--
	on := a.owners[l]
	for i := range on {
		o := &on[i]
		if o.owner != owner {
			continue
		}
		if o.transfers--; o.transfers > 0 {
			return
		}
		if shared := a.contended(l, now) - o.entered; shared > 0 {
			a.share(l, owner, shared)
		}
		on[i] = on[len(on)-1]
		a.owners[l] = on[:len(on)-1]
		return
	}
}

// share adds to the contended time of an owner that has left.
func (a *accounts) share(l topology.LinkID, owner Owner, t sim.Time) {
	if a.shares[l] == nil {
		a.shares[l] = map[Owner]sim.Time{}
	}
	a.shares[l][owner] += t
}

// update brings a link's busy and contended time up to date.
func (a *accounts) update(l topology.LinkID, now sim.Time) {
	k := &a.links[l]
	on := len(a.solver.links[l].flows)
	switch {
	case on > 0 && !k.busySince.lasts():
		k.busySince.begin(now)
	case on == 0 && k.busySince.lasts():
		k.busy += k.busySince.end(now)
	}
	owners := len(a.owners[l]) + on - int(k.owned)
	contended := owners > 1 && a.solver.links[l].demand > a.solver.links[l].limit*(1+levelTolerance)
	if contended || k.contendedSince.lasts() {
		a.compete(l, contended, now)
	}
	switch {
	case contended && !k.contendedSince.lasts():
		k.contendedSince.begin(now)
	case !contended && k.contendedSince.lasts():
		k.contended += k.contendedSince.end(now)
	}
}

// crowd notes the transfers without owners on a link if they are more than ever.
func (a *accounts) crowd(l topology.LinkID) {
	size := int32(len(a.solver.links[l].flows)) - a.links[l].owned
	c := a.crowds[l]
	if c == nil {
		c = &crowd{}
		a.crowds[l] = c
	}
	if size <= c.size {
		return
	}
	c.size = size
	named := c.named[:0]
	for _, r := range a.solver.links[l].flows {
		f := &a.solver.flows[r.slot]
		if f.owner != NoOwner || len(named) == crowdSize && f.id > named[crowdSize-1] {
			continue
		}
		if len(named) == crowdSize {
			named = named[:crowdSize-1]
		}
		at, _ := slices.BinarySearch(named, f.id)
		named = slices.Insert(named, at, f.id)
	}
}

// LinkUse is what one link did.
type LinkUse struct {
	Bytes     float64  // carried
	Busy      sim.Time // with any traffic
	Contended sim.Time // two or more owners together wanted more than it has
	Wanted    float64  // bytes that they would have sent meanwhile had each been alone
}

// Share is one contender of a link.
type Share struct {
	Owner     Owner
	Contended sim.Time // how long it was there while the link was contended
}

// Use is what a link has done by now.
func (n *Network) Use(l topology.LinkID) LinkUse {
	u := n.use(l)
	if b := n.bundles.holds(l); b != 0 {
		more := n.use(b)
		u.Bytes += more.Bytes
		u.Busy += more.Busy
		u.Contended += more.Contended
	}
	if u.Contended > 0 {
		n.eachContest(l, func(c *contest) { u.Wanted += c.wanted })
	}
	return u
}

func (n *Network) use(l topology.LinkID) LinkUse {
	now := n.engine.Now()
	k := n.accounts.links[l]
	u := LinkUse{Bytes: k.bytes, Busy: k.busy + k.ahead.by(now), Contended: n.accounts.contended(l, now)}
	if k.busySince.lasts() {
		u.Busy += k.busySince.until(now)
	}
	for _, r := range n.solver.links[l].flows {
		f := &n.solver.flows[r.slot]
		left := max(0, f.remaining-f.rate*(now-f.since).Seconds())
		u.Bytes += f.count(int(r.index)) * (n.transfers[f.id].bytes - left)
	}
	return u
}

// Contenders is who shared a link while it was contended, the longest first:
// owners with their times, and of transfers without owners the size of the
// greatest crowd and the first few in it.
func (n *Network) Contenders(l topology.LinkID) (owners []Share, crowd int, named []ID) {
	now := n.engine.Now()
	a := &n.accounts
	times := map[Owner]sim.Time{} // an owner may have left before and be there again
	note := func(l topology.LinkID) {
		for owner, t := range a.shares[l] {
			times[owner] += t
		}
		for _, o := range a.owners[l] {
			times[o.owner] += a.contended(l, now) - o.entered
		}
		if c := a.crowds[l]; c != nil && int(c.size) > crowd {
			crowd, named = int(c.size), c.named[:min(int(c.size), crowdSize)]
		}
	}
	note(l)
	if b := n.bundles.holds(l); b != 0 {
		note(b)
	}
	for owner, t := range times {
		if t > 0 {
			owners = append(owners, Share{owner, t})
		}
	}
	slices.SortFunc(owners, func(x, y Share) int {
		return cmp.Or(cmp.Compare(y.Contended, x.Contended), cmp.Compare(x.Owner, y.Owner))
	})
	return owners, crowd, named
}

// series keeps the rate of every link over time.
type series struct {
	bins  int
	links []linkSeries
}

type linkSeries struct {
	carried result.Bins
	rate    float64 // B/s since at
	at      sim.Time
}

func (s *series) init(links, bins int) {
	s.bins = bins
	if bins > 0 {
		s.links = withRoom[linkSeries](links)
	}
}

// record notes that a link's rate is another from now on.
func (s *series) record(l topology.LinkID, rate float64, now sim.Time) {
	k := &s.links[l]
	if same(rate, k.rate) { // as on a link that stays full
		return
	}
	s.pass(l, now)
	k.rate = rate
}

// pass brings what a link has carried up to now.
func (s *series) pass(l topology.LinkID, now sim.Time) {
	k := &s.links[l]
	k.carried.Add(k.at, now, k.rate, s.bins)
	k.at = now
}

// same says whether two rates are one but for rounding.
func same(a, b float64) bool { return math.Abs(a-b) <= changeTolerance*b }

// Series is the mean rate of links in equal intervals from time 0.
type Series struct {
	Width sim.Time
	Rate  [][]float64 // B/s: a row a link, a column an interval
	// Offered is Rate and what owners that contended wanted beside it.
	Offered [][]float64
}

// Series gives the mean rates of some links up to now, in equal intervals of
// which the last may reach beyond now. It is empty if the network keeps none.
func (n *Network) Series(links []topology.LinkID) Series {
	now := n.engine.Now()
	s := &n.accounts.series
	if s.bins == 0 || now == 0 {
		return Series{}
	}
	all := make([]*result.Bins, 2*len(links)) // carried, then wanted beside
	for i, l := range links {
		s.pass(l, now)
		all[i] = &s.links[l].carried
		if b := n.bundles.holds(l); b != 0 {
			s.pass(b, now)
			both := &result.Bins{}
			both.Merge(all[i])
			both.Merge(&s.links[b].carried)
			all[i] = both
		}
		excess := &result.Bins{}
		n.eachContest(l, func(c *contest) { excess.Merge(&c.excess) })
		all[len(links)+i] = excess
	}
	shift := result.CommonShift(now, s.bins, all...)
	out := Series{Width: 1 << shift, Rate: make([][]float64, len(links)), Offered: make([][]float64, len(links))}
	for i := range links {
		out.Rate[i] = all[i].Rates(shift, now)
		out.Offered[i] = all[len(links)+i].Rates(shift, now)
		for k, rate := range out.Rate[i] {
			out.Offered[i][k] += rate
		}
	}
	return out
}
