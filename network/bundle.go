package network

import (
	"math"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Footprint is what one phase of a collective crosses, to be used by many
// transfers. Links and Counts must not change once a transfer has it.
type Footprint struct {
	// Links are the links used, each once.
	Links []topology.LinkID
	// Counts says how many hops of the phase cross each link; nil is one each.
	Counts []float64

	// In the network that has bundled it, if any, links and counts are Links and
	// Counts with a bundle in place of its members. What drains over it has the
	// same lists, and is given them anew whenever they change (relink).
	network *Network
	links   []topology.LinkID
	counts  []float64
}

// count is the number of hops on the i-th link.
func (f *Footprint) count(i int) float64 {
	if f.Counts == nil {
		return 1
	}
	return f.Counts[i]
}

// bundles are sets of links that are alike: of one capacity, and whatever crosses
// one of them crosses all, with the same count. Such links are in the same state
// at all times, so the solver and the accounts keep one for all of them: a link
// of its own, numbered after those of the topology. A link's own state rests
// meanwhile; its account is then what it did before plus what the bundle did.
//
// A bundle only lasts while its links are alike. Before anything touches some of
// them alone, these are split off: what drains over the bundle is put on them too,
// as if it always had been.
type bundles struct {
	all     []bundle // by number, from the first after the topology's links on
	free    []topology.LinkID
	changes int               // made to which link is in which bundle
	of      []topology.LinkID // bundle that each link is in, 0: none; nil before the first
	class   []int32           // of each link while links are sorted, else 0
	links   []topology.LinkID // room for those that are sorted
	classes []class           // and for their classes
}

type bundle struct {
	size  int    // links in it
	users []user // footprints that cross all of it
}

type user struct {
	footprint *Footprint
	count     float64
}

// withRoom makes what is kept of so many links, with room for some bundles, so that
// the first does not move all.
func withRoom[T any](links int) []T { return make([]T, links, links+links/16) }

// rooms gives out lists with room for one, which most links never have more of.
type rooms[T any] struct{ left []T }

func (r *rooms[T]) one() []T {
	if len(r.left) == 0 {
		r.left = make([]T, 512)
	}
	one := r.left[:0:1]
	r.left = r.left[1:]
	return one
}

// any says whether there are bundles.
func (b *bundles) any() bool { return len(b.all) > len(b.free) }

// holds is the bundle that a link is in, 0: none, as of a bundle.
func (b *bundles) holds(l topology.LinkID) topology.LinkID {
	if int(l) < len(b.of) {
		return b.of[l]
	}
	return 0
}

// bundle is the bundle of a number.
func (n *Network) bundle(b topology.LinkID) *bundle {
	return &n.bundles.all[int(b)-len(n.topology.Links)]
}

// Bundle makes transfers over footprints cost as much as they have kinds of links
// and not as they have links. Call it with all footprints that a job will use,
// before it uses them, and Unbundle with the same when it has ended. Nothing but
// the speed depends on it: links that are not alike, or are in use, stay single;
// and whatever else a bundled link meets, a transfer over some links of a kind,
// another payload rate, footprints of another job, is computed as if it were
// single, even if transfers drain over it at that time. Footprints that are
// bundled already, here or in another network, stay as they are.
//
// It takes O(link entries of the footprints).
func (n *Network) Bundle(footprints ...*Footprint) {
	var fresh []*Footprint
	for _, f := range footprints {
		if f.network == nil {
			f.network = n // also so that it comes once
			fresh = append(fresh, f)
		}
	}
	links, classes := n.classify(fresh)
	for _, l := range links {
		n.assign(l, &classes[n.bundles.class[l]])
	}
	for number, f := range fresh {
		for i, l := range f.Links {
			if b := n.bundles.of[l]; b != 0 {
				c := &classes[n.bundles.class[l]]
				if c.listed == number+1 {
					continue
				}
				c.listed = number + 1
				l = b
			}
			f.links, f.counts = append(f.links, l), append(f.counts, f.count(i))
		}
		if len(f.links) == len(f.Links) { // nothing gained
			*f = Footprint{Links: f.Links, Counts: f.Counts}
			continue
		}
		f.links, f.counts = slices.Clip(f.links), slices.Clip(f.counts)
		for i, l := range f.links {
			if int(l) >= len(n.topology.Links) {
				b := n.bundle(l)
				b.users = append(b.users, user{f, f.counts[i]})
			}
		}
	}
	for _, l := range links {
		n.bundles.class[l] = 0
	}
}

// class is links that footprints cross alike.
type class struct {
	origin origin
	size   int
	bundle topology.LinkID // made of it, 0: none yet
	listed int             // footprint that has listed the bundle, from 1
	count  float64         // of the footprint that has made it
	finer  int32           // made of it last
}

// origin is what links have in common before footprints are looked at.
type origin struct {
	bundle topology.LinkID
	limit  float64
	busy   bool
}

// classify sorts the links of footprints into classes, the finest that any of them
// tells apart: of each class, those that a footprint crosses with the same count
// become one of their own. It gives the links, each once, and the classes, of
// which number 0 is none.
func (n *Network) classify(footprints []*Footprint) ([]topology.LinkID, []class) {
	if n.bundles.class == nil {
		n.bundles.of, n.bundles.class = make([]topology.LinkID, len(n.topology.Links)), make([]int32, len(n.topology.Links))
	}
	of := n.bundles.class
	links, classes := n.bundles.links[:0], append(n.bundles.classes[:0], class{})
	origins := map[origin]int32{}
	// What comes next is often like one of the last: links of a host take turns.
	var last [4]origin
	var numbers [4]int32
	turn := 0
	for _, f := range footprints {
		for _, l := range f.Links {
			if of[l] != 0 {
				continue
			}
			key := origin{n.bundles.of[l], n.solver.limit(l), len(n.solver.links[l].flows) > 0}
			at := 0
			for at < len(last) && (numbers[at] == 0 || last[at] != key) {
				at++
			}
			if at == len(last) {
				number := origins[key]
				if number == 0 {
					number = int32(len(classes))
					origins[key] = number
					classes = append(classes, class{origin: key})
				}
				at, turn = turn, (turn+1)%len(last)
				last[at], numbers[at] = key, number
			}
			of[l] = numbers[at]
			links = append(links, l)
		}
	}
	type crossed struct {
		class int32
		count float64
	}
	finer := map[crossed]int32{}
	for _, f := range footprints {
		first := int32(len(classes)) // of those that the footprint makes
		clear(finer)
		for i, l := range f.Links {
			key := crossed{of[l], f.count(i)}
			to := classes[key.class].finer // most often the same for all
			if to < first || classes[to].count != key.count {
				if to = finer[key]; to == 0 {
					to = int32(len(classes))
					finer[key] = to
					classes = append(classes, class{origin: classes[key.class].origin, count: key.count})
				}
				classes[key.class].finer = to
			}
			of[l] = to
		}
	}
	for _, l := range links {
		classes[of[l]].size++
	}
	n.bundles.links, n.bundles.classes = links, classes
	return links, classes
}

// assign puts a link into the bundle of its class, which it makes of the first.
func (n *Network) assign(l topology.LinkID, c *class) {
	was := c.origin.bundle
	switch {
	case c.bundle != 0:
	case was == 0 && (c.origin.busy || c.size == 1):
		return
	case was == 0:
		c.bundle = n.newBundle(c.size, c.origin.limit)
	case c.size == n.bundle(was).size:
		c.bundle = was
	case c.size == 1:
		n.single(l)
		return
	default:
		c.bundle = n.newBundle(c.size, c.origin.limit)
		n.split(was, c.bundle, c.size)
	}
	n.bundles.of[l] = c.bundle
}

// Unbundle forgets footprints that are not used any more. Links that are bundled
// for no other become single again.
func (n *Network) Unbundle(footprints ...*Footprint) {
	for _, f := range footprints {
		if f.network != n {
			continue
		}
		drains := slices.ContainsFunc(n.solver.links[f.links[0]].flows, func(r ref) bool {
			return n.transfers[n.solver.flows[r.slot].id].footprint == f
		})
		uses := func(u user) bool { return u.footprint == f }
		last := false // user of some of its bundles
		for _, l := range f.links {
			if int(l) >= len(n.topology.Links) {
				last = last || drains || len(n.bundle(l).users) == 1
			}
		}
		for _, l := range f.Links {
			if !last {
				break
			}
			b := n.bundles.of[l]
			if b == 0 {
				continue
			}
			switch users := n.bundle(b).users; {
			case drains && slices.ContainsFunc(users, uses):
				n.single(l)
			case !drains && len(users) == 1 && uses(users[0]):
				n.unbundle(b, l)
			}
		}
		for _, l := range f.links {
			if int(l) >= len(n.topology.Links) {
				b := n.bundle(l)
				b.users = slices.DeleteFunc(b.users, uses)
			}
		}
		*f = Footprint{Links: f.Links, Counts: f.Counts}
	}
}

// unbundle takes a link out of a bundle that nothing is on, of which all links are
// taken out.
func (n *Network) unbundle(b, l topology.LinkID) {
	n.bundles.of[l] = 0
	n.solver.split(b, l)
	n.accounts.split(b, l, n.engine.Now())
	from := n.bundle(b)
	if from.size--; from.size == 0 {
		n.bundles.changes++
		n.solver.replace(b, l)
		n.discard(b)
	}
}

// discard frees the number of a bundle that no link is in.
func (n *Network) discard(b topology.LinkID) {
	n.solver.links[b] = link{level: math.Inf(1), flows: n.solver.links[b].flows[:0]}
	n.accounts.clear(b)
	*n.bundle(b) = bundle{}
	n.bundles.free = append(n.bundles.free, b)
}

// newBundle gives an idle bundle for so many links of a capacity.
func (n *Network) newBundle(size int, limit float64) topology.LinkID {
	n.bundles.changes++
	var b topology.LinkID
	if last := len(n.bundles.free) - 1; last >= 0 {
		b = n.bundles.free[last]
		n.bundles.free = n.bundles.free[:last]
	} else {
		b = topology.LinkID(len(n.solver.links))
		n.bundles.all = append(n.bundles.all, bundle{})
		n.solver.links = append(n.solver.links, link{level: math.Inf(1), flows: n.solver.room.one()})
		n.accounts.add()
	}
	n.bundle(b).size = size
	n.solver.links[b].limit = limit
	return b
}

// single takes a link out of its bundle.
func (n *Network) single(l topology.LinkID) {
	b := n.bundles.of[l]
	n.bundles.of[l] = 0
	n.split(b, l, 1)
}

// separate sees to it that none of the links is in a bundle.
func (n *Network) separate(links []topology.LinkID) {
	for _, l := range links {
		if n.bundles.holds(l) != 0 {
			n.single(l)
		}
	}
}

// split puts on another link, single or a new bundle of size members, whatever is
// on a bundle that they leave, and has it continue the bundle's accounts.
func (n *Network) split(b, to topology.LinkID, size int) {
	n.bundles.changes++
	from := n.bundle(b)
	from.size -= size
	for _, u := range from.users {
		f := u.footprint
		f.links, f.counts = append(f.links, to), append(f.counts, u.count)
	}
	n.relink(b)
	n.solver.split(b, to)
	n.accounts.split(b, to, n.engine.Now())
	switch {
	case int(to) >= len(n.topology.Links):
		n.bundle(to).users = slices.Clone(from.users)
	case from.size == 0:
		n.dissolve(b, to)
	}
}

// dissolve removes a bundle that its last link has left.
func (n *Network) dissolve(b, last topology.LinkID) {
	n.solver.replace(b, last)
	from := n.bundle(b)
	for _, u := range from.users {
		f := u.footprint
		i, end := slices.Index(f.links, b), len(f.links)-1
		f.links[i], f.counts[i] = f.links[end], f.counts[end]
		f.links, f.counts = f.links[:end], f.counts[:end]
	}
	n.relink(b)
	n.discard(b)
}

// relink gives what drains over a bundle the links of its footprint anew.
func (n *Network) relink(b topology.LinkID) {
	for _, r := range n.solver.links[b].flows {
		f := &n.solver.flows[r.slot]
		t := n.transfers[f.id].footprint
		f.links, f.counts = t.links, t.counts
	}
}

// split puts the flows of a bundle, whose lists of links end with another link,
// on that one too.
func (s *solver) split(b, to topology.LinkID) {
	from, k := &s.links[b], s.use(to)
	for _, r := range from.flows {
		f := &s.flows[r.slot]
		f.at = append(f.at, int32(len(k.flows)))
		k.flows = append(k.flows, ref{r.slot, int32(len(f.links) - 1), r.share})
	}
	s.resum(to)
	k.level = from.level
	if slices.Contains(s.loose, b) {
		s.loose = append(s.loose, to)
	}
	if from.touched == s.repair && k.touched != s.repair {
		k.touched = s.repair
		s.touched = append(s.touched, to)
	}
}

// replace takes the flows of a bundle off it, and has another link, on which they
// all are, hold those that it held. The last link of each comes to the bundle's
// place in its list.
func (s *solver) replace(b, by topology.LinkID) {
	for _, r := range s.links[b].flows {
		f := &s.flows[r.slot]
		end := len(f.links) - 1
		s.links[f.links[end]].flows[f.at[end]].index = r.index
		f.at[r.index] = f.at[end]
		f.at = f.at[:end]
		if f.held == r.index { // which is by's now
			k := &s.links[by]
			s.swap(k, f.at[f.held], k.held)
			k.held++
		}
	}
	for i, l := range s.loose {
		if l == b {
			s.loose[i] = by
		}
	}
}

// add makes room for one more link.
func (a *accounts) add() {
	a.links = append(a.links, account{})
	a.owners = append(a.owners, nil)
	if a.series.bins > 0 {
		a.series.links = append(a.series.links, linkSeries{})
	}
}

// clear forgets a bundle.
func (a *accounts) clear(b topology.LinkID) {
	a.links[b] = account{}
	a.owners[b] = a.owners[b][:0]
	delete(a.shares, b)
	delete(a.crowds, b)
	if a.series.bins > 0 {
		a.series.links[b] = linkSeries{}
	}
}

// split has a link, which nothing is on, continue the account of a bundle.
func (a *accounts) split(b, to topology.LinkID, now sim.Time) {
	a.links[b].pass(now)
	before := a.contended(to, now)
	for _, o := range a.owners[b] {
		a.owners[to] = append(a.owners[to], ownerOn{o.owner, o.transfers, before + o.entered})
	}
	a.links[to].add(&a.links[b])
	for owner, t := range a.shares[b] {
		a.share(to, owner, t)
	}
	if c := a.crowds[b]; c != nil && (a.crowds[to] == nil || c.size > a.crowds[to].size) {
		same := *c
		a.crowds[to] = &same
	}
	if from := a.contestOf(b); from != nil {
		a.contestFor(to, now).split(from, now, a.series.bins)
	}
	if a.series.bins > 0 {
		a.series.split(b, to, now)
	}
}

// add has an account of an idle link go on as another's.
func (k *account) add(other *account) {
	k.bytes += other.bytes
	k.busy += other.busy
	k.busySince = max(k.busySince, other.busySince)
	k.contended += other.contended
	k.contendedSince = max(k.contendedSince, other.contendedSince)
	k.owned = other.owned
	k.ahead.add(&other.ahead)
}

// split has a link continue the series of a bundle.
func (s *series) split(b, to topology.LinkID, now sim.Time) {
	from, k := &s.links[b], &s.links[to]
	s.pass(b, now)
	s.pass(to, now)
	k.rate = from.rate
	k.carried.Merge(&from.carried)
}
