package scenario

import (
	"fmt"
	"slices"

	"github.com/railyard/railyard/topology"
)

// check judges the topology, and fills in the defaults that depend on its kind
// and its hosts.
func (t *Topology) check(r *resolver, b *binder) {
	switch t.Kind.Value {
	case "torus":
		t.checkTorus(b)
	case "multi":
		t.checkMulti(b)
	case "graph":
		t.checkRouting(b)
	case "single-host", "leaf-spine", "fat-tree", "rail", "dragonfly":
		t.checkRouting(b)
		t.checkFabric(r, b)
	}
}

func (t *Topology) checkTorus(b *binder) {
	t.checkSizes(t.Dims.Value, t.Dims.Pos, "topology.dims", b)
	if n := len(t.Wrap.Value); n > 1 && n != len(t.Dims.Value) {
		b.faultf(t.Wrap.Pos, "topology.wrap", "has %d entries; one, or one for each of the %d dims", n, len(t.Dims.Value))
	}
}

func (t *Topology) checkMulti(b *binder) {
	if len(t.Dimension) == 0 {
		b.faultf(t.Kind.Pos, "topology", `kind "multi" needs a [[topology.dimension]]`)
		return
	}
	sizes := make([]int64, len(t.Dimension))
	for i, d := range t.Dimension {
		sizes[i] = max(1, d.Size.Value)
	}
	t.checkSizes(sizes, t.Dimension[0].At, "topology.dimension", b)
}

// checkSizes sees to it that the accelerators along all dimensions together are
// no more than there may be.
func (t *Topology) checkSizes(sizes []int64, at Position, path string, b *binder) {
	n := int64(1)
	for _, size := range sizes {
		if n *= size; n > MaxAccelerators {
			b.faultf(at, path, "are more than %d accelerators in all", MaxAccelerators)
			return
		}
	}
}

// checkRouting sees to it that the kind knows the routing.
func (t *Topology) checkRouting(b *binder) {
	kind, routing := t.Kind.Value, t.Routing.Value
	if kind != "dragonfly" && slices.Contains([]string{"minimal", "valiant", "ugal"}, routing) {
		b.faultf(t.Routing.Pos, "topology.routing", "%q takes kind \"dragonfly\", not %q; one of: ecmp, adaptive, spray, static", routing, kind)
	}
	if t.QueuePairs.Set && routing != "ecmp" && routing != "minimal" {
		b.faultf(t.QueuePairs.Pos, "topology.queue_pairs", "belongs to routing = \"ecmp\"; routing is %q", routing)
	}
}

// checkFabric judges the kinds that are made of hosts.
func (t *Topology) checkFabric(r *resolver, b *binder) {
	kind := t.Kind.Value
	if t.K.Value%2 != 0 {
		b.faultf(t.K.Pos, "topology.k", "must be even, not %d", t.K.Value)
		return
	}
	if kind == "single-host" && t.Hosts.Set && t.Hosts.Value != 1 {
		b.faultf(t.Hosts.Pos, "topology.hosts", "must be 1 with kind %q, not %d", kind, t.Hosts.Value)
	}
	if t.Oversubscription.Value != 1 && kind != "leaf-spine" && kind != "rail" {
		b.faultf(t.Oversubscription.Pos, "topology.oversubscription", "must be 1 with kind %q; kinds that oversubscribe: leaf-spine, rail", kind)
	}
	if t.Planes.Value*t.ToRs.Value > topology.MaxNICPorts {
		b.faultf(t.ToRs.Pos, "topology.tors", "%d for each of %d planes are more ports than the %d that a NIC may have", t.ToRs.Value, t.Planes.Value, topology.MaxNICPorts)
	}
	pools, ok := t.pools(r, b)
	if !ok {
		return
	}
	first := pools[0].Host
	if !t.HostsPerRack.Set {
		t.HostsPerRack.Value = map[string]int64{
			"leaf-spine": topology.LeafSpineHostsPerRack, "rail": topology.RailHostsPerRack,
			"dragonfly": int64(topology.DragonflyHostsPerRack(first)),
		}[kind]
	}
	if !t.fit(pools, b) {
		return
	}
	hosts, accelerators := int64(0), int64(0)
	for _, p := range pools {
		hosts += int64(p.Hosts)
		accelerators += int64(p.Hosts) * int64(p.Host.Accelerators)
	}
	if hosts > MaxHosts || accelerators > MaxAccelerators {
		at, what := t.hostsAt(), fmt.Sprintf("%d hosts of %d accelerators", hosts, first.Accelerators)
		if len(pools) > 1 {
			what = fmt.Sprintf("%d hosts of %d accelerators in all", hosts, accelerators)
		}
		b.faultf(at, "topology", "%s are more than the %d hosts or %d accelerators that a scenario may have", what, MaxHosts, MaxAccelerators)
	}
	t.Hosts.Value = hosts
	if !t.LinkLatency.Set {
		t.LinkLatency.Value = first.LinkLatency
	}
	if !t.SwitchLatency.Set {
		t.SwitchLatency.Value = first.SwitchLatency
	}
}

// pools are the hosts of the topology, as far as they are stated. It reports
// false where they are not, or not right.
func (t *Topology) pools(r *resolver, b *binder) ([]topology.Pool, bool) {
	kind := t.Kind.Value
	if len(t.Pool) > 0 {
		for _, k := range []struct {
			name string
			set  bool
			at   Position
		}{{"host", t.Host.Set, t.Host.Pos}, {"hosts", t.Hosts.Set, t.Hosts.Pos}} {
			if k.set {
				b.faultf(k.at, "topology."+k.name, "contradicts [[topology.pool]], which says it for each pool")
			}
		}
		pools := make([]topology.Pool, len(t.Pool))
		complete := true
		for i := range t.Pool {
			p := &t.Pool[i]
			if !p.Host.Set || !p.Hosts.Set {
				return nil, false // has been reported
			}
			host, ok := r.host(p.Host.Value, p.Host.Pos, p.Path+".host")
			complete = complete && ok
			pools[i] = topology.Pool{Host: host, Hosts: int(p.Hosts.Value)}
		}
		return pools, complete
	}
	need := func(key, doc string) {
		b.faultf(t.Kind.Pos, "topology", "kind %q needs the key %q (%s)", kind, key, doc)
	}
	if !t.Host.Set {
		if !b.inside("topology") {
			need("host", "host of the catalogue, or a [hosts.NAME] of this file")
		}
		return nil, false
	}
	host, ok := r.host(t.Host.Value, t.Host.Pos, "topology.host")
	if !t.Hosts.Set && (kind == "leaf-spine" || kind == "rail") && !b.inside("topology") {
		need("hosts", "number of hosts")
	}
	hosts := t.Hosts.Value
	if kind == "single-host" {
		hosts = 1
	}
	return []topology.Pool{{Host: host, Hosts: int(hosts)}}, ok
}

// hostsAt is the key that decides how many hosts there are.
func (t *Topology) hostsAt() Position {
	switch {
	case len(t.Pool) > 0:
		return t.Pool[0].At
	case t.Hosts.Set:
		return t.Hosts.Pos
	case t.K.Set:
		return t.K.Pos
	}
	return t.Kind.Pos
}

// fit sees to it that a fat-tree or a dragonfly has room for its hosts, and
// fills it where their number is left out. It reports false if it has none.
func (t *Topology) fit(pools []topology.Pool, b *binder) bool {
	first := &pools[0].Host
	var fits int64 // of such hosts
	var what string
	switch kind := t.Kind.Value; {
	case kind == "fat-tree" && t.K.Set:
		ports := t.K.Value * t.K.Value * t.K.Value / 4
		fits = ports / int64(max(1, first.NICs))
		what = fmt.Sprintf("a fat-tree of %d-port switches has %d ports", t.K.Value, ports)
	case kind == "dragonfly":
		fits = int64(topology.DragonflyHosts(topology.Fabric{
			Host: *first, HostsPerRack: int(t.HostsPerRack.Value), Groups: int(t.Groups.Value),
			Routers: int(t.Routers.Value), GlobalLinks: int(t.GlobalLinks.Value),
		}))
		what = fmt.Sprintf("a dragonfly takes %d hosts on a router", t.HostsPerRack.Value)
	default:
		return true
	}
	if len(t.Pool) > 0 {
		return true // the builder counts
	}
	if !t.Hosts.Set {
		pools[0].Hosts = int(fits)
	}
	if int64(pools[0].Hosts) > fits || fits == 0 {
		b.faultf(t.hostsAt(), "topology", "%s, room for %d hosts of %d NICs", what, fits, first.NICs)
		return false
	}
	return true
}

// Fabric is the topology as hosts and the switches between them, of the kinds
// that are made of hosts.
func (s *Scenario) Fabric() (topology.Fabric, Faults) {
	t := s.Topology
	r := newResolver(s)
	f := topology.Fabric{
		HostsPerRack: int(t.HostsPerRack.Value), Oversubscription: t.Oversubscription.Value,
		LinkLatency: t.LinkLatency.Value, SwitchLatency: t.SwitchLatency.Value,
		Planes: int(t.Planes.Value), ToRs: int(t.ToRs.Value), Ports: int(t.K.Value),
		Groups: int(t.Groups.Value), Routers: int(t.Routers.Value), GlobalLinks: int(t.GlobalLinks.Value),
		Routing: s.Routing(),
	}
	for i := range t.Pool {
		host, _ := r.host(t.Pool[i].Host.Value, t.Pool[i].Host.Pos, t.Pool[i].Path+".host")
		f.Pools = append(f.Pools, topology.Pool{Host: host, Hosts: int(t.Pool[i].Hosts.Value)})
	}
	if t.Pool == nil {
		f.Host, _ = r.host(t.Host.Value, t.Host.Pos, "topology.host")
		f.Hosts = int(t.Hosts.Value)
	}
	return f, r.all()
}

// Routing is how the topology chooses among equal paths.
func (s *Scenario) Routing() topology.Routing {
	policy, _ := topology.ParsePolicy(s.Topology.Routing.Value)
	return topology.Routing{Policy: policy, Seed: uint64(s.Sim.Seed.Value), QueuePairs: int(s.Topology.QueuePairs.Value)}
}
