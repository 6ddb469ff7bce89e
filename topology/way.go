package topology

import (
	"slices"

	"github.com/railyard/railyard/sim"
)

// Way is what a message crosses: one path, or several side by side that each
// take a part of it. The zero value is ready to use, and best used again.
type Way struct {
	// Links are the links crossed, each once; those of a single path in order.
	Links []LinkID
	// Shares is the part of the message that crosses each link; nil is all of it.
	Shares []float64
	// Latency is that of the longest path.
	Latency sim.Time

	shares []float64 // room for Shares
	path   []LinkID
	place  []int32 // of a link in Links, if it is there
	forks  forks
}

// Share is the part of the message that crosses the i-th link.
func (w *Way) Share(i int) float64 {
	if w.Shares == nil {
		return 1
	}
	return w.Shares[i]
}

// Way finds what a message from one accelerator to another crosses under the
// topology's routing. label tells apart connections between the same two. load
// is how many messages are on each link, for the policies that look at it; nil
// is none on any.
func (t *Topology) Way(src, dst NodeID, label uint64, load []float64, w *Way) {
	w.Links, w.Shares, w.Latency = w.Links[:0], nil, 0
	if src == dst {
		return
	}
	t.way(src, dst, label, load, w)
	if t.detours != nil {
		t.detours.mend(connection{src, dst, label}, w)
	}
}

// way is Way with all links up.
func (t *Topology) way(src, dst NodeID, label uint64, load []float64, w *Way) {
	if r, ok := t.router.(*siteRouter); ok {
		r.way(t, src, dst, label, load, w)
		return
	}
	f, ok := t.router.(forked)
	if !ok || t.Routing.onePath() {
		t.single(t.router.route(src, dst, label, w.Links), w)
		return
	}
	c := connection{src, dst, label}
	path, from, to := f.fork(src, dst, w.path[:0])
	w.path = path
	if from == None {
		t.single(append(w.Links, path...), w)
		return
	}
	switch t.Routing.Policy {
	case Spray:
		t.spray(f, from, to, c, w)
	case Adaptive:
		t.least(f, from, to, c, load, w)
	case Valiant, UGAL:
		t.valiant(f, from, to, c, load, w)
	default:
		t.paired(f, from, to, c, w)
	}
}

// single makes a way of one path.
func (t *Topology) single(path []LinkID, w *Way) {
	w.Links = path
	w.Latency = t.latency(path)
}

// latency is that of a path.
func (t *Topology) latency(path []LinkID) (sum sim.Time) {
	for _, l := range path {
		sum += t.Links[l].Latency
	}
	return sum
}

// paired spreads a message evenly over its queue pairs, each a connection of
// its own. A path that several of them take counts as often.
func (t *Topology) paired(f forked, from, to NodeID, c connection, w *Way) {
	pairs := uint64(t.Routing.QueuePairs)
	w.begin(len(t.Links))
	label, head := c.label*pairs, len(w.path)
	for q := range pairs {
		c.label = label + q
		w.path = f.join(c.dst, t.walk(f.steps(), from, to, c, w.path[:head]))
		for _, l := range w.path {
			w.add(l, 1)
		}
		w.Latency = max(w.Latency, t.latency(w.path))
	}
	w.scale(float64(pairs))
}

// begin makes room for parts of the message to be added up.
func (w *Way) begin(links int) {
	if len(w.place) < links {
		w.place = make([]int32, links)
	}
	w.shares = w.shares[:0]
}

// restart forgets a way, to add up parts of another.
func (w *Way) restart(links int) {
	w.Links, w.Shares, w.Latency = w.Links[:0], nil, 0
	w.begin(links)
}

// add adds a part of the message to a link.
func (w *Way) add(l LinkID, part float64) {
	if i := int(w.place[l]); i < len(w.Links) && w.Links[i] == l {
		w.shares[i] += part
		return
	}
	w.place[l] = int32(len(w.Links))
	w.Links = append(w.Links, l)
	w.shares = append(w.shares, part)
}

// scale makes shares of the parts that have been added, of which so many are the
// whole message.
func (w *Way) scale(whole float64) {
	if !slices.ContainsFunc(w.shares, func(part float64) bool { return part != whole }) {
		return
	}
	for i := range w.shares {
		w.shares[i] /= whole
	}
	w.Shares = w.shares
}

// forks are the equally short paths from one node to another: a graph without
// cycles. It takes memory for each node of the topology, once.
type forks struct {
	steps stepper
	to    NodeID

	nodes  []fork
	place  []int32 // of a node in nodes, if it is there
	order  []int32 // nodes, each behind all that it leads to
	leads  []LinkID
	target []int32 // the node that each of leads comes to
}

// fork is a node on some of the paths.
type fork struct {
	id     NodeID
	leads  int32 // its first link on
	fan    int32
	next   int32    // of its links, the one to take
	share  float64  // of the message that comes here
	cost   float64  // from here to the end
	before sim.Time // latency of the longest path to here
}

// find explores all shortest paths between two nodes. O(links on them).
func (d *forks) find(t *Topology, s stepper, from, to NodeID) {
	if n := t.nodes(); len(d.place) < n {
		d.place = make([]int32, n)
	}
	d.steps, d.to = s, to
	d.nodes, d.order, d.leads, d.target = d.nodes[:0], d.order[:0], d.leads[:0], d.target[:0]
	d.visit(from)
}

// visit explores what lies behind a node, and gives its place.
func (d *forks) visit(at NodeID) int32 {
	if n := d.place[at]; int(n) < len(d.nodes) && d.nodes[n].id == at {
		return n
	}
	n := int32(len(d.nodes))
	d.place[at] = n
	fan := 0
	if at != d.to {
		fan = d.steps.fan(at, d.to)
	}
	first := int32(len(d.leads))
	d.nodes = append(d.nodes, fork{id: at, leads: first, fan: int32(fan)})
	for range fan {
		d.leads, d.target = append(d.leads, 0), append(d.target, 0)
	}
	for i := range int32(fan) {
		l, next := d.steps.step(at, d.to, int(i))
		place := d.visit(next) // which may move the lists
		d.leads[first+i], d.target[first+i] = l, place
	}
	d.order = append(d.order, n)
	return n
}

// spray deals a message out over all shortest paths, at every node in equal parts.
func (t *Topology) spray(f forked, from, to NodeID, c connection, w *Way) {
	w.begin(len(t.Links))
	w.path = f.join(c.dst, w.path)
	w.addAll(w.path, 1)
	w.Latency = t.latency(w.path) + t.spread(f.steps(), from, to, 0, w)
	w.scale(1)
}

// spread deals a message out over all shortest paths between two nodes, and gives
// the latency of the longest. With flip 1 it goes over the other direction of every
// cable, from the second node to the first.
func (t *Topology) spread(s stepper, from, to NodeID, flip LinkID, w *Way) sim.Time {
	d := &w.forks
	d.find(t, s, from, to)
	d.nodes[0].share = 1
	for _, n := range slices.Backward(d.order) {
		at := d.nodes[n]
		for i := at.leads; i < at.leads+at.fan; i++ {
			l, next := d.leads[i]^flip, &d.nodes[d.target[i]]
			part := at.share / float64(at.fan)
			w.add(l, part)
			next.share += part
			next.before = max(next.before, at.before+t.Links[l].Latency)
		}
	}
	return d.nodes[d.place[to]].before
}

func (w *Way) addAll(path []LinkID, part float64) {
	for _, l := range path {
		w.add(l, part)
	}
}

// least takes, of all shortest paths, the one with the least sum of the squares
// of its links' loads: squares, so that two links with one message each are better
// than one with two. Of equals the switches' hash decides.
func (t *Topology) least(f forked, from, to NodeID, c connection, load []float64, w *Way) {
	d := &w.forks
	d.find(t, f.steps(), from, to)
	for _, n := range d.order {
		at := &d.nodes[n]
		if at.fan == 0 {
			continue
		}
		start := 0
		if at.fan > 1 {
			start = t.choose(f.steps(), at.id, to, c, int(at.fan))
		}
		for k := range int(at.fan) {
			i := at.leads + int32((start+k)%int(at.fan))
			cost := d.nodes[d.target[i]].cost
			if load != nil {
				l := d.leads[i]
				busy := load[l] / t.Links[l].Payload
				cost += busy * busy
			}
			if k == 0 || cost < at.cost {
				at.cost, at.next = cost, i
			}
		}
	}
	path := append(w.Links, w.path...)
	for n := int32(0); d.nodes[n].fan > 0; n = d.target[d.nodes[n].next] {
		path = append(path, d.leads[d.nodes[n].next])
	}
	t.single(f.join(c.dst, path), w)
}
