package network

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Crowd stands for all others where more owners than crowdedLink contend at once.
const Crowd Owner = -2

// crowdedLink is up to how many owners of a link are told apart by whom they lose to.
const crowdedLink = 8

// saturatedShare is the part of its capacity from which on a link is full.
const saturatedShare = 1 - 1e-9

// contest is what is kept of a link from when it is first contended: what its owners
// want together, and what each loses to each other.
//
// A transfer that has rate r and would have b alone on the network falls behind by
// 1 - r/b seconds a second: the integral of that until it ends is the time by which it
// ends later. It does so at every full link on which no other transfer has a higher
// level. The part of it that is owed to other owners is their share of what the link
// carries beside the transfer: of n equal transfers, k of them of other owners, each
// goes n-k times slower for its own and n times slower in all. Among the others it is
// split by what the link carries for them. Of several transfers of one owner, the one
// that falls behind most counts: they wait at the same time.
type contest struct {
	since   sim.Time // up to which all is accounted for
	offered float64  // B/s that the owners want together; 0 while not contended
	carried float64  // B/s
	wanted  float64  // bytes, the integral of offered
	excess  result.Bins
	rivals  []rivalry
	on      []pace // of the rivalries that are on
}

// rivalry is one owner that loses to another.
type rivalry struct {
	owner, other Owner
	shared       sim.Time
	lost         float64 // s
}

// pace is how fast a rivalry's owner falls behind, in seconds a second.
type pace struct {
	rivalry int32
	lost    float64
}

// find is the place of a rivalry, which it adds if there is none.
func (c *contest) find(owner, other Owner) int32 {
	for i := range c.rivals {
		if r := &c.rivals[i]; r.owner == owner && r.other == other {
			return int32(i)
		}
	}
	c.rivals = append(c.rivals, rivalry{owner: owner, other: other})
	return int32(len(c.rivals) - 1)
}

// pass brings the sums up to an instant.
func (c *contest) pass(now sim.Time, bins int) {
	dt := now - c.since
	if dt > 0 && c.offered > 0 {
		c.wanted += c.offered * dt.Seconds()
		if bins > 0 {
			c.excess.Add(c.since, now, max(0, c.offered-c.carried), bins)
		}
		for _, r := range c.on {
			c.rivals[r.rivalry].shared += dt
			c.rivals[r.rivalry].lost += r.lost * dt.Seconds()
		}
	}
	c.since = now
}

// add adds what another contest has summed up.
func (c *contest) add(o *contest) {
	c.wanted += o.wanted
	c.excess.Merge(&o.excess)
	c.addRivals(o)
}

// addRivals adds what the owners in another contest have lost.
func (c *contest) addRivals(o *contest) {
	for _, r := range o.rivals {
		mine := &c.rivals[c.find(r.owner, r.other)]
		mine.shared += r.shared
		mine.lost += r.lost
	}
}

// contestOf is the contest of a link, nil if it was never contended.
func (a *accounts) contestOf(l topology.LinkID) *contest {
	if n := a.links[l].contest; n > 0 {
		return a.contests[n-1]
	}
	return nil
}

// contestFor is the contest of a link, made if there is none.
func (a *accounts) contestFor(l topology.LinkID, now sim.Time) *contest {
	if c := a.contestOf(l); c != nil {
		return c
	}
	c := &contest{since: now}
	a.contests = append(a.contests, c)
	a.links[l].contest = int32(len(a.contests))
	return c
}

// compete notes what is wanted and lost on a link from now on. It is called whenever
// that may have changed on a link that is contended or was until now. O(1) where no
// transfer has an owner, else O(transfers on the link).
func (a *accounts) compete(l topology.LinkID, contended bool, now sim.Time) {
	c := a.contestFor(l, now)
	k := &a.solver.links[l]
	if contended && len(a.owners[l]) == 0 && same(c.offered, k.demand) && same(c.carried, k.used) {
		return
	}
	c.pass(now, a.series.bins)
	c.on = c.on[:0]
	if !contended {
		c.offered = 0
		return
	}
	c.offered, c.carried = k.demand, k.used
	if len(a.owners[l]) > 0 {
		a.weigh(l, c)
	}
}

// stake is one owner's part in a contest.
type stake struct {
	owner           Owner
	wanted, carried float64 // B/s
	lost            float64 // seconds a second
}

// weigh finds who wants and loses how much on a contended link.
func (a *accounts) weigh(l topology.LinkID, c *contest) {
	k := &a.solver.links[l]
	stakes := a.stakes[:0]
	for i, o := range a.owners[l] {
		for int(o.owner) >= len(a.places) {
			a.places = append(a.places, 0)
		}
		a.places[o.owner] = int32(i)
		stakes = append(stakes, stake{owner: o.owner})
	}
	free := len(stakes) // those without an owner, together
	stakes = append(stakes, stake{owner: NoOwner})
	a.stakes = stakes
	stakeOf := func(f *flow) *stake {
		if f.owner != NoOwner {
			return &stakes[a.places[f.owner]]
		}
		return &stakes[free]
	}
	highest := 0.0
	for _, r := range k.flows {
		f := &a.solver.flows[r.slot]
		count := f.count(int(r.index))
		s := stakeOf(f)
		s.wanted += count * f.bound
		s.carried += count * f.level * f.weight
		highest = max(highest, f.level)
	}
	c.offered = stakes[free].wanted
	for _, s := range stakes[:free] {
		c.offered += min(s.wanted, k.limit)
	}
	if k.used >= k.limit*saturatedShare && k.limit > 0 {
		for _, r := range k.flows {
			f := &a.solver.flows[r.slot]
			rate := f.level * f.weight
			if f.level < highest*saturatedShare || rate >= f.bound*saturatedShare {
				continue
			}
			s := stakeOf(f)
			if beside := k.used - f.count(int(r.index))*rate; beside > 0 {
				s.lost = max(s.lost, (1-rate/f.bound)*(k.used-s.carried)/beside)
			}
		}
	}
	for i := range stakes[:free] {
		s := &stakes[i]
		if free > crowdedLink {
			c.on = append(c.on, pace{c.find(s.owner, Crowd), s.lost})
			continue
		}
		others := k.used - s.carried
		for j := range stakes {
			o := &stakes[j]
			if j == i || o.owner == NoOwner && o.wanted == 0 {
				continue
			}
			lost := 0.0
			if others > 0 {
				lost = s.lost * o.carried / others
			}
			c.on = append(c.on, pace{c.find(s.owner, o.owner), lost})
		}
	}
}

// Loss is what one owner lost to another on a link.
type Loss struct {
	Owner Owner
	// Other is whom it lost to: an owner, NoOwner for transfers without one, or Crowd
	// for all others where there were many.
	Other  Owner
	Shared sim.Time // both were there while the link was contended
	// Lost is how much later transfers of Owner that the link held back are for it, in
	// seconds. Where several links hold a transfer back, each has it.
	Lost float64
}

// Losses are those of a link by now, by owner and other; nil if no two met there.
func (n *Network) Losses(l topology.LinkID) []Loss {
	var sum contest
	n.eachContest(l, func(c *contest) { sum.addRivals(c) })
	var all []Loss
	for _, r := range sum.rivals {
		all = append(all, Loss{r.owner, r.other, r.shared, r.lost})
	}
	slices.SortFunc(all, func(x, y Loss) int { return cmp.Or(cmp.Compare(x.Owner, y.Owner), cmp.Compare(x.Other, y.Other)) })
	return all
}

// eachContest calls yield with the contests of a link and of its bundle, brought up to
// now.
func (n *Network) eachContest(l topology.LinkID, yield func(*contest)) {
	add := func(l topology.LinkID) {
		if c := n.accounts.contestOf(l); c != nil {
			c.pass(n.engine.Now(), n.accounts.series.bins)
			yield(c)
		}
	}
	add(l)
	if b := n.bundles.holds(l); b != 0 {
		add(b)
	}
}

// split has a link continue the contest of a bundle.
func (c *contest) split(from *contest, now sim.Time, bins int) {
	from.pass(now, bins)
	c.add(from)
	c.since, c.offered, c.carried, c.on = now, from.offered, from.carried, nil
	for _, p := range from.on {
		r := from.rivals[p.rivalry]
		c.on = append(c.on, pace{c.find(r.owner, r.other), p.lost})
	}
}
