package topology

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// Site is one data centre of several, made of hosts.
type Site struct {
	Name     string
	Topology *Topology
	// LinkLatency is one cable to the gateway, SwitchLatency one switch passed.
	LinkLatency, SwitchLatency units.Duration
}

// WAN is a cable between the gateways of two sites, by number. Latency is all
// that passes from one gateway to the other, beside the bytes.
type WAN struct {
	From, To  int
	Bandwidth units.Rate
	Latency   units.Duration
}

// MaxSites bounds the sites, and the cables between them.
const MaxSites = 1024

// Sites joins data centres. Each gets a gateway, with a cable to every switch of
// its top tier (spines, cores, a single leaf, all routers of a dragonfly, or the
// NICs of a single host) that carries all its WAN cables at once, so that nothing
// but those binds. Within a site messages go as they would without the others.
// Between sites they climb to the gateway, take the fewest WAN cables and descend,
// by hashed paths, or sprayed if their own site sprays. The topologies given must
// not be used any more.
func Sites(sites []Site, wan []WAN) (*Topology, error) {
	if len(sites) == 0 || len(sites) > MaxSites || len(wan) > MaxSites {
		return nil, fmt.Errorf("topology: %d sites with %d cables between them; up to %d of both can be built", len(sites), len(wan), MaxSites)
	}
	t := &Topology{Kind: "sites", Routing: sites[0].Topology.Routing}
	links, switches := 0, len(sites)
	for i, s := range sites {
		if s.Topology.Bare() {
			return nil, fmt.Errorf("topology: site %s is not made of hosts", s.Name)
		}
		if s.Topology.nics == 0 && len(sites) > 1 {
			return nil, fmt.Errorf("topology: site %s has no NICs to reach others by", s.Name)
		}
		if s.Topology.Routing.Policy.Adapts() {
			t.Routing.Policy = s.Topology.Routing.Policy // so that loads are known
		}
		t.siteNames = append(t.siteNames, s.Name)
		t.siteFirst = append(t.siteFirst, len(t.Servers))
		t.accelerators += s.Topology.accelerators
		t.nics += s.Topology.nics
		t.Servers = slices.Grow(t.Servers, len(s.Topology.Servers))[:len(t.Servers)+len(s.Topology.Servers)]
		links += len(s.Topology.Links) + 2*len(s.Topology.top())
		switches += len(s.Topology.switchNames)
		if i > 0 && slices.Contains(t.siteNames[:i], s.Name) {
			return nil, fmt.Errorf("topology: two sites are called %s", s.Name)
		}
	}
	if t.accelerators > MaxAccelerators {
		return nil, fmt.Errorf("topology: %d accelerators in all; 1 to %d can be built", t.accelerators, MaxAccelerators)
	}
	if err := checkLinks(links + 2*len(wan)); err != nil {
		return nil, err
	}
	t.Links = make([]Link, 0, links+2*len(wan))
	t.switchNames = make([]string, 0, switches)
	r := &siteRouter{t: t, firstGateway: NodeID(t.accelerators + t.nics + switches - len(sites))}
	t.router = r
	capacity := make([]float64, len(sites)) // of all WAN cables of each
	for _, c := range wan {
		if uint(c.From) >= uint(len(sites)) || uint(c.To) >= uint(len(sites)) || c.From == c.To {
			return nil, fmt.Errorf("topology: a cable from site %d to site %d of %d", c.From, c.To, len(sites))
		}
		if !(c.Bandwidth > 0) || math.IsInf(float64(c.Bandwidth), 0) || c.Latency < 0 {
			return nil, fmt.Errorf("topology: the cable from %s to %s has bandwidth %v and latency %v",
				sites[c.From].Name, sites[c.To].Name, c.Bandwidth, c.Latency)
		}
		capacity[c.From] += float64(c.Bandwidth)
		capacity[c.To] += float64(c.Bandwidth)
	}
	t.hostOf = make([]int32, 0, t.accelerators)
	nics := 0
	for i := range sites {
		r.add(&sites[i], i, nics)
		nics += sites[i].Topology.nics
	}
	r.gateways = LinkID(len(t.Links))
	for i, s := range sites {
		gateway := t.addSwitch(s.Name + "/gateway")
		if capacity[i] == 0 {
			continue
		}
		link, pass := sim.Time(s.LinkLatency), sim.Time(s.SwitchLatency)
		for _, local := range s.Topology.top() {
			node, back := r.parts[i].global(local), link+pass
			if int(node) < t.accelerators+t.nics {
				back = link // a NIC is no switch
			}
			t.addCable(node, gateway, capacity[i], 1, link+pass, back)
		}
	}
	r.wan = LinkID(len(t.Links))
	for _, c := range wan {
		t.addCable(r.firstGateway+NodeID(c.From), r.firstGateway+NodeID(c.To), float64(c.Bandwidth), 1, sim.Time(c.Latency), sim.Time(c.Latency))
	}
	r.end = LinkID(len(t.Links))
	t.countParallel(r.wan)
	if err := r.measure(); err != nil {
		return nil, err
	}
	return t, nil
}

// top are the switches that a gateway is joined to.
func (t *Topology) top() []NodeID {
	first, last := NodeID(t.accelerators+t.nics), NodeID(t.nodes())
	switch f := t.router.(*hostRouter).fabric.(type) {
	case *clos:
		first = f.firstLeaf
		if f.spines > 0 {
			first = f.firstSpine
		}
	case *fatTree:
		first = f.firstAgg
		if last > f.firstCore {
			first = f.firstCore
		}
	case *dragonfly:
		first = f.firstRouter
	default: // one host
		first, last = NodeID(t.accelerators), first
	}
	nodes := make([]NodeID, 0, last-first)
	for n := first; n < last; n++ {
		nodes = append(nodes, n)
	}
	return nodes
}

// siteRouter finds ways within sites by their own routers, and between them by
// way of their gateways.
type siteRouter struct {
	t            *Topology
	parts        []part
	firstGateway NodeID // of site 0; the others follow
	gateways     LinkID // first of the links to gateways
	wan, end     LinkID // first of the links between gateways, and behind their last

	first []int32  // of each NIC and switch in up
	up    []LinkID // links that lead on to a site's gateway by the fewest cables
	hops  [][]int32
}

// part is a site's place in the whole.
type part struct {
	topology                   *Topology
	accelerator, nic, switches NodeID // how far the numbers of each have moved
	links                      LinkID
}

// global is the number that a node of a site has in the whole.
func (p *part) global(n NodeID) NodeID {
	switch t := p.topology; {
	case int(n) < t.accelerators:
		return n + p.accelerator
	case int(n) < t.accelerators+t.nics:
		return n + p.nic
	}
	return n + p.switches
}

// local is the number that an accelerator or a NIC of the whole has in its site.
func (p *part) local(n NodeID) NodeID {
	if l := n - p.nic; int(l) >= p.topology.accelerators {
		return l
	}
	return n - p.accelerator
}

// add moves a site into the whole. nics is how many the sites before have.
func (r *siteRouter) add(s *Site, number, nics int) {
	t, local := r.t, s.Topology
	p := part{
		topology:    local,
		accelerator: NodeID(len(t.hostOf)),
		nic:         NodeID(t.accelerators + nics - local.accelerators),
		switches:    NodeID(t.accelerators + t.nics + len(t.switchNames) - local.accelerators - local.nics),
		links:       LinkID(len(t.Links)),
	}
	for _, l := range local.Links {
		l.From, l.To = p.global(l.From), p.global(l.To)
		t.Links = append(t.Links, l)
	}
	for i, server := range local.Servers {
		server.Rack += len(t.Racks)
		server.FirstAccelerator += p.accelerator
		server.FirstNIC += p.nic
		t.Servers[t.siteFirst[number]+i] = server
		for range server.Spec.Accelerators {
			t.hostOf = append(t.hostOf, int32(t.siteFirst[number]+i))
		}
	}
	for _, rack := range local.Racks {
		t.Racks = append(t.Racks, Rack{Name: s.Name + "/" + rack.Name, Site: s.Name})
	}
	for _, name := range local.switchNames {
		t.switchNames = append(t.switchNames, s.Name+"/"+name)
	}
	for l, before := range local.parallel {
		t.follow(l+p.links, before)
	}
	local.Links = nil // the whole has them
	local.Routing.Seed = mix(local.Routing.Seed + uint64(number))
	r.parts = append(r.parts, p)
}

// measure finds which links lead to gateways, and how many WAN cables lie between
// any two sites. O(nodes + links + sites x WAN cables).
func (r *siteRouter) measure() error {
	t := r.t
	low := t.accelerators // accelerators are not on the way
	distance := make([]int32, t.nodes()-low)
	for i := range distance {
		distance[i] = -1
	}
	first := make([]int32, len(distance)+1) // of each node in out
	outside := func(l Link) bool { return int(l.From) >= low && int(l.To) >= low }
	for _, l := range t.Links[:r.wan] {
		if outside(l) {
			first[int(l.From)-low+1]++
		}
	}
	for i := range distance {
		first[i+1] += first[i]
	}
	out, room := make([]LinkID, first[len(distance)]), slices.Clone(first)
	for i, l := range t.Links[:r.wan] {
		if outside(l) {
			out[room[int(l.From)-low]] = LinkID(i)
			room[int(l.From)-low]++
		}
	}
	var queue []int
	for n := int(r.firstGateway) - low; n < len(distance); n++ {
		distance[n] = 0
		queue = append(queue, n)
	}
	for head := 0; head < len(queue); head++ {
		at := queue[head]
		for _, l := range out[first[at]:first[at+1]] {
			if n := int(t.Links[l].To) - low; distance[n] < 0 {
				distance[n] = distance[at] + 1
				queue = append(queue, n)
			}
		}
	}
	r.first = make([]int32, len(distance)+1)
	for at := range distance {
		for _, l := range out[first[at]:first[at+1]] {
			if n := int(t.Links[l].To) - low; distance[n] >= 0 && distance[n] == distance[at]-1 {
				r.up = append(r.up, l)
			}
		}
		r.first[at+1] = int32(len(r.up))
	}
	r.hops = make([][]int32, len(r.parts))
	for to := range r.hops {
		d := make([]int32, len(r.parts))
		for i := range d {
			d[i] = -1
		}
		d[to] = 0
		for queue := []int{to}; len(queue) > 0; queue = queue[1:] {
			for _, l := range t.Links[r.wan:] {
				if from, next := int(l.From-r.firstGateway), int(l.To-r.firstGateway); from == queue[0] && d[next] < 0 {
					d[next] = d[from] + 1
					queue = append(queue, next)
				}
			}
		}
		if i := slices.Index(d, -1); i >= 0 {
			return fmt.Errorf("topology: no WAN cables lead from site %s to site %s", t.siteNames[i], t.siteNames[to])
		}
		r.hops[to] = d
	}
	return nil
}

// site is that of an accelerator or a NIC.
func (r *siteRouter) site(n NodeID) int { return r.t.siteOf(r.t.Server(n)) }

// siteOf is the site of a server.
func (t *Topology) siteOf(server int) int {
	i, found := slices.BinarySearch(t.siteFirst, server)
	if !found {
		i--
	}
	return i
}

// fan and step lead to a gateway: that of the node's own site, and from there to
// the other's.
func (r *siteRouter) fan(at, to NodeID) int {
	if at < r.firstGateway {
		n := int(at) - r.t.accelerators
		return int(r.first[n+1] - r.first[n])
	}
	n := 0
	for _, l := range r.t.Links[r.wan:] {
		if r.leads(&l, at, to) {
			n++
		}
	}
	return n
}

func (r *siteRouter) step(at, to NodeID, i int) (LinkID, NodeID) {
	if at < r.firstGateway {
		l := r.up[int(r.first[int(at)-r.t.accelerators])+i]
		return l, r.t.Links[l].To
	}
	for l := range r.t.Links[r.wan:] {
		k := &r.t.Links[int(r.wan)+l]
		if r.leads(k, at, to) {
			if i == 0 {
				return r.wan + LinkID(l), k.To
			}
			i--
		}
	}
	panic("topology: no way from gateway " + strconv.Itoa(int(at)) + " to gateway " + strconv.Itoa(int(to)))
}

// leads says whether a WAN link leads from one gateway nearer to another.
func (r *siteRouter) leads(l *Link, at, to NodeID) bool {
	d := r.hops[to-r.firstGateway]
	return l.From == at && d[l.To-r.firstGateway] == d[at-r.firstGateway]-1
}

func (r *siteRouter) rank(_, to NodeID) int { return int(to - r.firstGateway) }

// within is a site with the links that they have in a copy of the whole.
func (r *siteRouter) within(t *Topology, site int) Topology {
	p := &r.parts[site]
	local := *p.topology
	last := r.wan
	if site+1 < len(r.parts) {
		last = r.parts[site+1].links
	}
	local.Links = t.Links[p.links:last]
	return local
}

func (r *siteRouter) route(src, dst NodeID, label uint64, path []LinkID) []LinkID {
	from, to := r.site(src), r.site(dst)
	p := &r.parts[from]
	if from == to {
		n := len(path)
		path = p.topology.Route(p.local(src), p.local(dst), label, path)
		for i := range path[n:] {
			path[n+i] += p.links
		}
		return path
	}
	c := connection{src, dst, label}
	path = r.t.walk(r, r.t.NIC(src), r.firstGateway+NodeID(to), c, r.ascend(from, src, path))
	n := len(path)
	path = r.t.walk(r, r.t.NIC(dst), r.firstGateway+NodeID(to), c, path)
	slices.Reverse(path[n:])
	for i := range path[n:] {
		path[n+i] ^= 1 // the other direction of the cable
	}
	return r.descend(to, dst, path)
}

// ascend appends the links from an accelerator to its NIC, descend those back.
func (r *siteRouter) ascend(site int, a NodeID, path []LinkID) []LinkID {
	n, p := len(path), &r.parts[site]
	path = p.topology.router.(*hostRouter).toNIC(p.local(a), path)
	for i := range path[n:] {
		path[n+i] += p.links
	}
	return path
}

func (r *siteRouter) descend(site int, a NodeID, path []LinkID) []LinkID {
	n, p := len(path), &r.parts[site]
	path = p.topology.router.(*hostRouter).fromNIC(p.local(a), path)
	for i := range path[n:] {
		path[n+i] += p.links
	}
	return path
}

// way finds the way of a message over the links of t, which is the whole or a
// scaled copy of it.
func (r *siteRouter) way(t *Topology, src, dst NodeID, label uint64, load []float64, w *Way) {
	from, to := r.site(src), r.site(dst)
	p := &r.parts[from]
	if from == to {
		local := r.within(t, from)
		if load != nil {
			load = load[p.links : int(p.links)+len(local.Links)]
		}
		local.Way(p.local(src), p.local(dst), label, load, w)
		for i := range w.Links {
			w.Links[i] += p.links
		}
		return
	}
	gateway := r.firstGateway + NodeID(to)
	routing := p.topology.Routing
	if routing.Policy != Spray {
		pairs := uint64(1)
		if routing.Policy == HashECMP {
			pairs = max(pairs, uint64(routing.QueuePairs))
		}
		w.begin(len(t.Links))
		for q := range pairs {
			w.path = r.route(src, dst, label*pairs+q, w.path[:0])
			w.addAll(w.path, 1)
			w.Latency = max(w.Latency, t.latency(w.path))
		}
		w.scale(float64(pairs))
		return
	}
	w.begin(len(t.Links))
	w.path = r.descend(to, dst, r.ascend(from, src, w.path[:0]))
	w.addAll(w.path, 1)
	w.Latency = t.latency(w.path)
	w.Latency += t.spread(r, t.NIC(src), gateway, 0, w)
	w.Latency += t.spread(r, t.NIC(dst), gateway, 1, w)
	w.scale(1)
}
