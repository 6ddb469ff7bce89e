package topology

import (
	"slices"

	"github.com/railyard/railyard/sim"
)

// Around is the topology as its routes are when links are down, by number. Messages
// whose way crosses none of them go as before, as under resilient hashing, which
// moves only the connections of a path that is gone. Any other takes a shortest way
// that is left, by the number of links; where several are, the hash of [ECMP] picks
// one at every switch.
//
// Only switches pass messages on, and bare accelerators. Beside that a message may
// pass through the insides of the hosts that it comes from and goes to: an
// accelerator whose NIC is gone sends through another one of its host, as NCCL does
// over NVLink (PXN). A message for which no way is left keeps the one it had.
//
// The distances of all switches to the last one of a way are found when first asked
// for, in O(links), and kept. The result must not be used concurrently.
func (t *Topology) Around(down []bool) *Topology {
	if !slices.Contains(down, true) {
		return t
	}
	around := *t
	around.detours = newDetours(t, down)
	return &around
}

// outside is the host of a node that is in none.
const outside = -1

// detours are the ways around links that are down.
type detours struct {
	t         *Topology
	down      []bool
	host      []int32 // that each node is in
	out, in   [][]LinkID
	distances map[NodeID][]int32  // to a node outside, from all others
	known     [2]map[NodeID][]leg // by direction
}

// leg is a way between an accelerator and another node, through its host.
type leg struct {
	at   NodeID
	path []LinkID
}

func newDetours(t *Topology, down []bool) *detours {
	nodes := t.accelerators + t.nics + len(t.switchNames)
	d := &detours{
		t: t, down: down, host: t.hosts(), out: make([][]LinkID, nodes), in: make([][]LinkID, nodes),
		distances: map[NodeID][]int32{}, known: [2]map[NodeID][]leg{{}, {}},
	}
	for i := range t.Links {
		if l := &t.Links[i]; !down[i] && l.From != None {
			d.out[l.From] = append(d.out[l.From], LinkID(i))
			d.in[l.To] = append(d.in[l.To], LinkID(i))
		}
	}
	return d
}

// hosts gives the host of every node, outside for switches of the fabric and for all
// nodes where there are no hosts. A switch that an accelerator is joined to is inside.
func (t *Topology) hosts() []int32 {
	host := make([]int32, t.accelerators+t.nics+len(t.switchNames))
	for n := range host {
		host[n] = outside
		switch {
		case t.Bare():
		case n < t.accelerators:
			host[n] = t.hostOf[n]
		case n < t.accelerators+t.nics:
			host[n] = int32(t.serverOfNIC(NodeID(n)))
		}
	}
	if !t.Bare() {
		for i := range t.Links {
			if l := &t.Links[i]; int(l.From) < t.accelerators && l.From != None {
				host[l.To] = host[l.From]
			}
		}
	}
	return host
}

// route is the way of a message around what is down.
func (d *detours) route(src, dst NodeID, label uint64, path []LinkID) []LinkID {
	start := len(path)
	path = d.t.router.route(src, dst, label, path)
	if !slices.ContainsFunc(path[start:], func(l LinkID) bool { return d.down[l] }) {
		return path
	}
	if h := d.host[src]; h != outside && h == d.host[dst] {
		if inside := d.inside(src, dst); inside != nil {
			return append(path[:start], inside...)
		}
	}
	from, to, ok := d.choose(src, dst, label)
	if !ok {
		return path
	}
	path = append(path[:start], from.path...)
	distance := d.distance(to.at)
	for at := from.at; at != to.at; {
		var next []LinkID
		for _, l := range d.out[at] {
			if v := d.t.Links[l].To; distance[v] >= 0 && distance[v] == distance[at]-1 {
				next = append(next, l)
			}
		}
		l := next[ECMP(d.t.Routing.Seed, at, src, dst, label, len(next))]
		path = append(path, l)
		at = d.t.Links[l].To
	}
	return append(path, to.path...)
}

// mend gives a way that crosses links which are down another one. A message that is
// sprayed is dealt out over all shortest ways that are left, and each queue pair goes
// its own; any other message goes one.
func (d *detours) mend(c connection, w *Way) {
	if !slices.ContainsFunc(w.Links, func(l LinkID) bool { return d.down[l] }) {
		return
	}
	pairs := uint64(max(1, d.t.Routing.QueuePairs))
	switch {
	case d.t.Routing.Policy == Spray:
		d.spray(c, w)
	case d.t.Routing.Policy == HashECMP && pairs > 1:
		w.restart(len(d.t.Links))
		for q := range pairs {
			w.path = d.route(c.src, c.dst, c.label*pairs+q, w.path[:0])
			w.addAll(w.path, 1)
			w.Latency = max(w.Latency, d.t.latency(w.path))
		}
		w.scale(float64(pairs))
	default:
		w.Shares = nil
		d.t.single(d.route(c.src, c.dst, c.label, w.Links[:0]), w)
	}
}

// spray deals a message out over all shortest ways, at every switch in equal parts.
func (d *detours) spray(c connection, w *Way) {
	from, to, ok := d.choose(c.src, c.dst, c.label)
	if !ok {
		return
	}
	type part struct {
		share  float64
		before sim.Time // latency of the longest way to here
	}
	w.restart(len(d.t.Links))
	w.addAll(from.path, 1)
	distance := d.distance(to.at)
	at := []NodeID{from.at}
	parts := map[NodeID]part{from.at: {1, 0}}
	for distance[at[0]] > 0 {
		var further []NodeID
		for _, n := range at {
			here := parts[n]
			fan := 0
			for _, l := range d.out[n] {
				if distance[d.t.Links[l].To] == distance[n]-1 {
					fan++
				}
			}
			for _, l := range d.out[n] {
				next := d.t.Links[l].To
				if distance[next] != distance[n]-1 {
					continue
				}
				w.add(l, here.share/float64(fan))
				p, seen := parts[next]
				if !seen {
					further = append(further, next)
				}
				p.share += here.share / float64(fan)
				p.before = max(p.before, here.before+d.t.Links[l].Latency)
				parts[next] = p
			}
		}
		at = further
	}
	w.addAll(to.path, 1)
	w.Latency = d.t.latency(from.path) + parts[to.at].before + d.t.latency(to.path)
	w.scale(1)
}

// choose picks where a message leaves the host that it comes from and enters that to
// which it goes, so that the way is shortest. It reports false if there is none.
func (d *detours) choose(src, dst NodeID, label uint64) (from, to leg, ok bool) {
	type pair struct{ from, to leg }
	var best []pair
	least := int32(-1)
	for _, to := range d.legs(dst, backward) {
		distance := d.distance(to.at)
		for _, from := range d.legs(src, forward) {
			if distance[from.at] < 0 {
				continue
			}
			length := distance[from.at] + int32(len(from.path)+len(to.path))
			if least >= 0 && length > least {
				continue
			}
			if length != least {
				best, least = best[:0], length
			}
			best = append(best, pair{from, to})
		}
	}
	if best == nil {
		return leg{}, leg{}, false
	}
	p := best[ECMP(d.t.Routing.Seed, src, src, dst, label, len(best))]
	return p.from, p.to, true
}

// direction is whether a way is looked for from its beginning or from its end.
type direction uint8

const (
	forward direction = iota
	backward
)

// links are those that lead on from a node.
func (d *detours) links(at NodeID, to direction) []LinkID {
	if to == backward {
		return d.in[at]
	}
	return d.out[at]
}

// next is the node that a link leads to.
func (d *detours) next(l LinkID, to direction) NodeID {
	if to == backward {
		return d.t.Links[l].From
	}
	return d.t.Links[l].To
}

// legs are the shortest ways out of the host of an accelerator, or backward into it,
// by each of its links to a node outside.
func (d *detours) legs(a NodeID, to direction) []leg {
	if all, found := d.known[to][a]; found {
		return all
	}
	var all []leg
	if d.host[a] == outside {
		all = []leg{{at: a}}
	} else {
		d.explore(a, to, func(at NodeID, path []LinkID) bool {
			if d.host[at] == outside {
				if to == backward {
					slices.Reverse(path)
				}
				all = append(all, leg{at, path})
			}
			return true
		})
	}
	d.known[to][a] = all
	return all
}

// inside is a shortest way between two accelerators of a host that does not leave it,
// nil if there is none.
func (d *detours) inside(src, dst NodeID) (way []LinkID) {
	d.explore(src, forward, func(at NodeID, path []LinkID) bool {
		if at == dst {
			way = path
		}
		return way == nil
	})
	return way
}

// explore visits the nodes of a host by their distance from one, and what lies at the
// other end of each link that leaves the host, with the way there, until visit reports
// false.
func (d *detours) explore(a NodeID, to direction, visit func(at NodeID, path []LinkID) bool) {
	seen := map[NodeID]bool{a: true}
	queue := []leg{{at: a}}
	for head := 0; head < len(queue); head++ {
		p := queue[head]
		for _, l := range d.links(p.at, to) {
			at := d.next(l, to)
			if seen[at] {
				continue
			}
			path := append(slices.Clone(p.path), l)
			if !visit(at, path) {
				return
			}
			if d.host[at] == d.host[a] {
				seen[at] = true
				queue = append(queue, leg{at, path})
			}
		}
	}
}

// distance is the number of links from every node outside hosts to one, -1 where no
// way leads.
func (d *detours) distance(to NodeID) []int32 {
	if known, found := d.distances[to]; found {
		return known
	}
	distance := make([]int32, len(d.host))
	for n := range distance {
		distance[n] = -1
	}
	distance[to] = 0
	queue := []NodeID{to}
	for head := 0; head < len(queue); head++ {
		for _, l := range d.in[queue[head]] {
			if from := d.t.Links[l].From; d.host[from] == outside && distance[from] < 0 {
				distance[from] = distance[queue[head]] + 1
				queue = append(queue, from)
			}
		}
	}
	d.distances[to] = distance
	return distance
}

// Detours says whether messages go around links that are down.
func (t *Topology) Detours() bool { return t.detours != nil }

// Severed are the names of the hosts, or bare accelerators, that the links that are
// down cut off from the greatest part of the others.
func (t *Topology) Severed() []string {
	if t.detours == nil {
		return nil
	}
	return t.detours.severed()
}

func (d *detours) severed() []string {
	// Parts of the network that reach each other by switches alone.
	part := make([]int32, len(d.host))
	parts := int32(0)
	for n := range part {
		if part[n] != 0 || d.host[n] != outside {
			continue
		}
		parts++
		part[n] = parts
		queue := []NodeID{NodeID(n)}
		for head := 0; head < len(queue); head++ {
			for _, l := range d.out[queue[head]] {
				if to := d.t.Links[l].To; d.host[to] == outside && part[to] == 0 {
					part[to] = parts
					queue = append(queue, to)
				}
			}
		}
	}
	names := make([]string, 0, len(d.t.Servers))
	var joins [][]int32 // parts of each end
	if d.t.Bare() {
		for a := range NodeID(d.t.accelerators) {
			names, joins = append(names, d.t.NodeName(a)), append(joins, []int32{part[a]})
		}
	} else {
		joins = make([][]int32, len(d.t.Servers))
		for s := range d.t.Servers {
			names = append(names, d.t.ServerName(s))
		}
		for n, links := range d.out {
			for _, l := range links {
				h, to := d.host[n], d.t.Links[l].To
				if h != outside && d.host[to] == outside && !slices.Contains(joins[h], part[to]) {
					joins[h] = append(joins[h], part[to])
				}
			}
		}
	}
	ends := make([]int, parts+1)
	most := int32(0)
	for _, of := range joins {
		for _, p := range of {
			if ends[p]++; ends[p] > ends[most] || ends[p] == ends[most] && p < most {
				most = p
			}
		}
	}
	var cut []string
	for i, of := range joins {
		if !slices.Contains(of, most) {
			cut = append(cut, names[i])
		}
	}
	return cut
}
