package topology

import (
	"cmp"
	"fmt"

	"github.com/railyard/railyard/sim"
)

// dragonfly is groups of routers (Kim, Dally, Scott, Abts, "Technology-driven,
// highly-scalable dragonfly topology", ISCA 2008). The routers of a group are a
// full mesh; the global cables of a group, numbered router by router, go to the
// other groups in their order, as many to each (the consecutive arrangement).
//
// The minimal way leaves a group by a global cable to the group of the receiver,
// the router's own if it has one: at most one hop within either group.
type dragonfly struct {
	t           *Topology
	firstRouter NodeID
	groups      int
	routers     int // of a group
	globals     int // global cables of a router
	parallel    int // cables between two groups
	cables      LinkID
	routerOf    []int32 // of each NIC
	local       LinkID  // routers x (routers - 1) for each group, in a mesh's order
	global      []LinkID
}

// withDragonfly fills in the sizes of a dragonfly that are left out. With p
// NIC ports on a router it is balanced if a group has 2p routers of p global
// cables each (Kim et al., section 3.1); there are as many groups as the hosts
// need, at most routers x global cables + 1.
func (f Fabric) withDragonfly() Fabric {
	pools := f.pools()
	f.HostsPerRack = cmp.Or(f.HostsPerRack, DragonflyHostsPerRack(pools[0].Host))
	p := max(1, f.HostsPerRack*pools[0].Host.NICs)
	f.Routers = cmp.Or(f.Routers, 2*p)
	f.GlobalLinks = cmp.Or(f.GlobalLinks, p)
	if f.Groups == 0 {
		used := 0
		for _, pool := range pools {
			used += (pool.Hosts + f.HostsPerRack - 1) / f.HostsPerRack
		}
		f.Groups = (used + f.Routers - 1) / f.Routers
	}
	return f
}

// DragonflyHostsPerRack is how many hosts join a router where nothing is said:
// those that have eight NICs together.
func DragonflyHostsPerRack(h Host) int { return max(1, 8/max(1, h.NICs)) }

// DragonflyHosts is how many hosts fit a dragonfly of so many groups, or of as
// many as there can be.
func DragonflyHosts(f Fabric) int {
	f.Hosts = 1
	groups := f.Groups
	f = f.withDragonfly()
	return cmp.Or(groups, f.Routers*f.GlobalLinks+1) * f.Routers * f.HostsPerRack
}

// maxRouters bounds the routers of a group and the global cables of a router.
const maxRouters = 4096

// Dragonfly builds Groups groups of Routers routers, each with GlobalLinks
// global cables and HostsPerRack hosts. All cables between routers have the rate
// of the fastest NIC.
func Dragonfly(f Fabric) (*Topology, error) {
	if f.HostsPerRack < 0 || f.Routers < 0 || f.GlobalLinks < 0 || f.Groups < 0 || f.HostsPerRack > MaxAccelerators ||
		f.Routers > maxRouters || f.GlobalLinks > maxRouters {
		return nil, fmt.Errorf("topology: a dragonfly of %d groups of %d routers with %d hosts and %d global cables each",
			f.Groups, f.Routers, f.HostsPerRack, f.GlobalLinks)
	}
	if err := f.Routing.check(); err != nil {
		return nil, err
	}
	f = f.withDragonfly()
	t, r, err := newHosts("dragonfly", f, func(*Host) int { return f.HostsPerRack })
	if err != nil || len(t.Servers) == 1 {
		return t, err
	}
	if f.Routers > maxRouters || f.GlobalLinks > maxRouters {
		return nil, fmt.Errorf("topology: groups of %d routers with %d global cables each; up to %d of both can be built",
			f.Routers, f.GlobalLinks, maxRouters)
	}
	if most := f.Routers*f.GlobalLinks + 1; f.Groups > most {
		return nil, fmt.Errorf("topology: %d groups; %d routers of %d global cables reach %d other groups", f.Groups, f.Routers, f.GlobalLinks, most-1)
	}
	if len(t.Racks) > f.Groups*f.Routers {
		return nil, fmt.Errorf("topology: %d routers for the hosts; %d groups of %d have %d", len(t.Racks), f.Groups, f.Routers, f.Groups*f.Routers)
	}
	d := &dragonfly{
		t: t, groups: f.Groups, routers: f.Routers, globals: f.GlobalLinks, routerOf: make([]int32, t.nics),
		firstRouter: NodeID(t.nodes()),
	}
	r.fabric = d
	ports := d.routers * d.globals
	if d.groups > 1 {
		d.parallel = ports / (d.groups - 1)
	}
	if err := t.reserve(2*t.nics + d.groups*(d.routers*(d.routers-1)+ports)); err != nil {
		return nil, err
	}
	for i := range d.groups * d.routers {
		t.addSwitch(fmt.Sprintf("group%d/router%d", i/d.routers, i%d.routers))
	}
	d.cables = LinkID(len(t.Links))
	for i := range t.Servers {
		s := &t.Servers[i]
		for j := range s.Spec.NICs {
			nic := s.FirstNIC + NodeID(j)
			d.routerOf[int(nic)-t.accelerators] = int32(s.Rack)
			f.trunk(t, nic, d.firstRouter+NodeID(s.Rack), float64(s.Spec.NICBandwidth), s.Spec.NICEfficiency, true)
		}
	}
	fastest := f.fastest()
	rate, efficiency := float64(fastest.NICBandwidth), fastest.NICEfficiency
	hop := f.LinkLatency + f.SwitchLatency
	d.local = LinkID(len(t.Links))
	for g := range d.groups {
		t.buildMesh(span{d.firstRouter + NodeID(g*d.routers), 1, d.routers}, rate, efficiency, sim.Time(hop))
	}
	d.global = make([]LinkID, d.groups*ports)
	for g := range d.groups {
		for peer := g + 1; peer < d.groups; peer++ {
			var last [2]NodeID
			before := 0 // cables between the same two routers
			for c := range d.parallel {
				here, there := g*ports+d.port(g, peer)+c, peer*ports+d.port(peer, g)+c
				l, ends := LinkID(len(t.Links)), [2]NodeID{d.firstRouter + NodeID(here/d.globals), d.firstRouter + NodeID(there/d.globals)}
				d.global[here], d.global[there] = l, l+1
				f.trunk(t, ends[0], ends[1], rate, efficiency, false)
				if before++; ends != last {
					last, before = ends, 0
				}
				t.follow(l, before)
				t.follow(l+1, before)
			}
		}
	}
	return t, nil
}

// port is the first global cable of a group that leads to another.
func (d *dragonfly) port(group, to int) int {
	if to > group {
		to--
	}
	return to * d.parallel
}

// group is that of a router.
func (d *dragonfly) group(at NodeID) int { return int(at-d.firstRouter) / d.routers }

// groupOf is that of a NIC.
func (d *dragonfly) groupOf(nic NodeID) int {
	return int(d.routerOf[int(nic)-d.t.accelerators]) / d.routers
}

// own gives the cables of a router to another group: from the first so many.
func (d *dragonfly) own(at NodeID, group int) (first, n int) {
	router := int(at-d.firstRouter) % d.routers
	first = d.port(d.group(at), group)
	last := min(first+d.parallel, (router+1)*d.globals)
	first = max(first, router*d.globals)
	return first, last - first
}

// exits is fan on the way from a router to another group, and exit is step.
func (d *dragonfly) exits(at NodeID, group int) int {
	if _, n := d.own(at, group); n > 0 {
		return n
	}
	return d.parallel
}

func (d *dragonfly) exit(at NodeID, group, i int) (LinkID, NodeID) {
	here := d.group(at)
	ports := d.routers * d.globals
	if first, n := d.own(at, group); n > 0 {
		c := first + i - d.port(here, group)
		there := group*ports + d.port(group, here) + c
		return d.global[here*ports+first+i], d.firstRouter + NodeID(there/d.globals)
	}
	return d.across(at, d.firstRouter+NodeID(here*d.routers+(d.port(here, group)+i)/d.globals))
}

// across is the link between two routers of a group, and the second of them.
func (d *dragonfly) across(at, to NodeID) (LinkID, NodeID) {
	first := d.group(at) * d.routers
	from, goal := int(at-d.firstRouter)-first, int(to-d.firstRouter)-first
	if goal > from {
		goal--
	}
	return d.local + LinkID(first*(d.routers-1)+from*(d.routers-1)+goal), to
}

func (d *dragonfly) fan(at, to NodeID) int {
	if at < d.firstRouter {
		return 1
	}
	if group := d.groupOf(to); group != d.group(at) {
		return d.exits(at, group)
	}
	return 1
}

func (d *dragonfly) step(at, to NodeID, i int) (LinkID, NodeID) {
	if at < d.firstRouter {
		nic := int(at) - d.t.accelerators
		return d.cables + LinkID(2*nic), d.firstRouter + NodeID(d.routerOf[nic])
	}
	if group := d.groupOf(to); group != d.group(at) {
		return d.exit(at, group, i)
	}
	nic := int(to) - d.t.accelerators
	if router := d.firstRouter + NodeID(d.routerOf[nic]); router != at {
		return d.across(at, router)
	}
	return d.cables + LinkID(2*nic+1), to
}

func (d *dragonfly) rank(_, to NodeID) int { return int(to) - d.t.accelerators }

// detour is the way by a third group: minimally to it, and minimally on from
// where it is entered.
func (d *dragonfly) detour(group int, from, to NodeID, c connection, path []LinkID) []LinkID {
	l, at := d.step(from, to, 0)
	for {
		path = append(path, l)
		if d.group(at) == group {
			return d.t.walk(d, at, to, c, path)
		}
		l, at = d.exit(at, group, ECMP(d.t.Routing.Seed, at, c.src, c.dst, c.label, d.exits(at, group)))
	}
}

// thirds is how many groups a way between two NICs may take a detour by: none
// within a group. third gives the i-th.
func (d *dragonfly) thirds(from, to NodeID) int {
	if d.groupOf(from) == d.groupOf(to) {
		return 0
	}
	return d.groups - 2
}

func (d *dragonfly) third(from, to NodeID, i int) int {
	low, high := d.groupOf(from), d.groupOf(to)
	if low > high {
		low, high = high, low
	}
	if i >= low {
		i++
	}
	if i >= high {
		i++
	}
	return i
}

// valiant spreads a message over the ways by all third groups. Under UGAL the
// minimal path is taken instead if it slows the message no more than the mean of
// the detours. UGAL compares queues, which a fluid does not have: they grow where
// messages want more than a link has, and so does the slowdown.
func (t *Topology) valiant(f forked, from, to NodeID, c connection, load []float64, w *Way) {
	d := f.steps().(*dragonfly)
	head := len(w.path)
	thirds := d.thirds(from, to)
	part := 1 / float64(thirds)
	w.path = t.walk(d, from, to, c, w.path)
	minimal := d.slowdown(w.path[head:], load, 1)
	detours := 0.0
	if t.Routing.Policy == UGAL {
		for i := range thirds {
			w.path = d.detour(d.third(from, to, i), from, to, c, w.path[:head])
			detours += d.slowdown(w.path[head:], load, part) * part
		}
	}
	if thirds == 0 || t.Routing.Policy == UGAL && minimal <= detours*(1+1e-12) {
		path := append(w.Links, w.path[:head]...)
		t.single(f.join(c.dst, t.walk(d, from, to, c, path)), w)
		return
	}
	w.begin(len(t.Links))
	for i := range thirds {
		w.path = f.join(c.dst, d.detour(d.third(from, to, i), from, to, c, w.path[:head]))
		w.addAll(w.path, 1)
		w.Latency = max(w.Latency, t.latency(w.path))
	}
	w.scale(float64(thirds))
}

// slowdown is by how much a part of a message more on a path is slower than alone,
// if those on its busiest link between routers share it.
func (d *dragonfly) slowdown(path []LinkID, load []float64, part float64) float64 {
	most := 0.0
	if load == nil {
		return 1
	}
	for _, l := range path {
		if l >= d.local {
			most = max(most, load[l])
		}
	}
	return max(1, most+part)
}
