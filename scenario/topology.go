package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/railyard/railyard/topology"
)

// check judges the topology, and fills in the defaults that depend on its kind
// and its hosts.
func (t *Topology) check(r *resolver, b *binder) {
	t.Storage.check(t, b)
	if t.Encryption != nil {
		t.Encryption.check(t, b)
	}
	for i := range t.Fault {
		t.Fault[i].check(b)
	}
	if len(t.Site) == 0 {
		if len(t.WAN) > 0 {
			b.faultf(t.WAN[0].At, t.WAN[0].Path, "joins sites, and there is no [[topology.site]]")
		}
		t.Network.check(r, b)
		return
	}
	if t.Kind.Set {
		b.faultf(t.Kind.Pos, "topology.kind", "contradicts [[topology.site]], each of which has a kind")
	}
	names := map[string]bool{}
	hosts, accelerators := int64(0), int64(0)
	for i := range t.Site {
		s := &t.Site[i]
		if name := s.Name.Value; s.Name.Set && names[name] {
			b.faultf(s.Name.Pos, s.Path+".name", "%q is the name of another site, too", shown(name))
		}
		names[s.Name.Value] = true
		if s.Kind.Set && !slices.Contains(hostKinds, s.Kind.Value) {
			b.faultf(s.Kind.Pos, s.Path+".kind", "%q is not made of hosts, as sites are; one of: %s", s.Kind.Value, strings.Join(hostKinds, ", "))
			continue
		}
		s.check(r, b)
		hosts += s.Hosts.Value
		accelerators += s.accelerators
	}
	if hosts > MaxHosts || accelerators > MaxAccelerators {
		b.faultf(t.Site[0].At, "topology.site", "%d hosts of %d accelerators in all are more than the %d hosts or %d accelerators that a scenario may have",
			hosts, accelerators, MaxHosts, MaxAccelerators)
	}
	for i := range t.WAN {
		w := &t.WAN[i]
		for _, end := range []struct {
			name string
			Key[string]
		}{{"from", w.From}, {"to", w.To}} {
			if end.Set && !names[end.Value] {
				b.faultf(end.Pos, w.Path+"."+end.name, "there is no site %q", shown(end.Value))
			}
		}
		if w.To.Set && w.From.Value == w.To.Value {
			b.faultf(w.To.Pos, w.Path+".to", "is where the cable comes from")
		}
	}
}

// hostKinds are the kinds that are made of hosts.
var hostKinds = []string{"single-host", "leaf-spine", "fat-tree", "rail", "dragonfly"}

func (t *Network) check(r *resolver, b *binder) {
	switch t.Kind.Value {
	case "":
		if !t.Kind.Set && !b.inside(t.Path) {
			b.faultf(t.At, t.Path, `needs the key "kind" (what is built)`)
		}
	case "torus":
		t.checkTorus(b)
	case "multi":
		t.checkMulti(b)
	case "graph":
		t.checkRouting(b)
	default:
		if !slices.Contains(hostKinds, t.Kind.Value) {
			return
		}
		t.checkRouting(b)
		t.checkFabric(r, b)
	}
}

func (t *Network) checkTorus(b *binder) {
	t.checkSizes(t.Dims.Value, t.Dims.Pos, t.Path+".dims", b)
	if n := len(t.Wrap.Value); n > 1 && n != len(t.Dims.Value) {
		b.faultf(t.Wrap.Pos, t.Path+".wrap", "has %d entries; one, or one for each of the %d dims", n, len(t.Dims.Value))
	}
}

func (t *Network) checkMulti(b *binder) {
	if len(t.Dimension) == 0 {
		b.faultf(t.Kind.Pos, t.Path, `kind "multi" needs a [[topology.dimension]]`)
		return
	}
	sizes := make([]int64, len(t.Dimension))
	for i, d := range t.Dimension {
		sizes[i] = max(1, d.Size.Value)
	}
	t.checkSizes(sizes, t.Dimension[0].At, t.Path+".dimension", b)
}

// checkSizes sees to it that the accelerators along all dimensions together are
// no more than there may be.
func (t *Network) checkSizes(sizes []int64, at Position, path string, b *binder) {
	n := int64(1)
	for _, size := range sizes {
		if n *= size; n > MaxAccelerators {
			b.faultf(at, path, "are more than %d accelerators in all", MaxAccelerators)
			return
		}
	}
}

// checkRouting sees to it that the kind knows the routing.
func (t *Network) checkRouting(b *binder) {
	kind, routing := t.Kind.Value, t.Routing.Value
	if kind != "dragonfly" && slices.Contains([]string{"minimal", "valiant", "ugal"}, routing) {
		b.faultf(t.Routing.Pos, t.Path+".routing", "%q takes kind \"dragonfly\", not %q; one of: ecmp, adaptive, spray, static", routing, kind)
	}
	if t.QueuePairs.Set && routing != "ecmp" && routing != "minimal" {
		b.faultf(t.QueuePairs.Pos, t.Path+".queue_pairs", "belongs to routing = \"ecmp\"; routing is %q", routing)
	}
}

// checkFabric judges the kinds that are made of hosts.
func (t *Network) checkFabric(r *resolver, b *binder) {
	kind := t.Kind.Value
	if t.K.Value%2 != 0 {
		b.faultf(t.K.Pos, t.Path+".k", "must be even, not %d", t.K.Value)
		return
	}
	if kind == "single-host" && t.Hosts.Set && t.Hosts.Value != 1 {
		b.faultf(t.Hosts.Pos, t.Path+".hosts", "must be 1 with kind %q, not %d", kind, t.Hosts.Value)
	}
	if t.Oversubscription.Value != 1 && kind != "leaf-spine" && kind != "rail" {
		b.faultf(t.Oversubscription.Pos, t.Path+".oversubscription", "must be 1 with kind %q; kinds that oversubscribe: leaf-spine, rail", kind)
	}
	if t.Planes.Value*t.ToRs.Value > topology.MaxNICPorts {
		b.faultf(t.ToRs.Pos, t.Path+".tors", "%d for each of %d planes are more ports than the %d that a NIC may have", t.ToRs.Value, t.Planes.Value, topology.MaxNICPorts)
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
		b.faultf(at, t.Path, "%s are more than the %d hosts or %d accelerators that a scenario may have", what, MaxHosts, MaxAccelerators)
	}
	t.Hosts.Value, t.accelerators = hosts, accelerators
	if !t.LinkLatency.Set {
		t.LinkLatency.Value = first.LinkLatency
	}
	if !t.SwitchLatency.Set {
		t.SwitchLatency.Value = first.SwitchLatency
	}
}

// pools are the hosts of the topology, as far as they are stated. It reports
// false where they are not, or not right.
func (t *Network) pools(r *resolver, b *binder) ([]topology.HostPool, bool) {
	kind := t.Kind.Value
	if len(t.Pool) > 0 {
		for _, k := range []struct {
			name string
			set  bool
			at   Position
		}{{"host", t.Host.Set, t.Host.Pos}, {"hosts", t.Hosts.Set, t.Hosts.Pos}} {
			if k.set {
				b.faultf(k.at, t.Path+"."+k.name, "contradicts [[topology.pool]], which says it for each pool")
			}
		}
		pools := make([]topology.HostPool, len(t.Pool))
		complete := true
		for i := range t.Pool {
			p := &t.Pool[i]
			if !p.Host.Set || !p.Hosts.Set {
				return nil, false // has been reported
			}
			host, ok := r.host(p.Host.Value, p.Host.Pos, p.Path+".host")
			complete = complete && ok
			pools[i] = topology.HostPool{Host: host, Hosts: int(p.Hosts.Value)}
		}
		return pools, complete
	}
	need := func(key, doc string) {
		b.faultf(t.Kind.Pos, t.Path, "kind %q needs the key %q (%s)", kind, key, doc)
	}
	if !t.Host.Set {
		if !b.inside(t.Path) {
			need("host", "host of the catalogue, or a [hosts.NAME] of this file")
		}
		return nil, false
	}
	host, ok := r.host(t.Host.Value, t.Host.Pos, t.Path+".host")
	if !t.Hosts.Set && (kind == "leaf-spine" || kind == "rail") && !b.inside(t.Path) {
		need("hosts", "number of hosts")
	}
	hosts := t.Hosts.Value
	if kind == "single-host" {
		hosts = 1
	}
	return []topology.HostPool{{Host: host, Hosts: int(hosts)}}, ok
}

// hostsAt is the key that decides how many hosts there are.
func (t *Network) hostsAt() Position {
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
func (t *Network) fit(pools []topology.HostPool, b *binder) bool {
	first := &pools[0].Host
	var fits int64 // of such hosts
	var what string
	switch kind := t.Kind.Value; {
	case kind == "fat-tree" && t.K.Set:
		fits = int64(topology.FatTreeHosts(int(t.K.Value), *first))
		what = fmt.Sprintf("a fat-tree of %d-port switches has %d ports", t.K.Value, t.K.Value*t.K.Value*t.K.Value/4)
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
		b.faultf(t.hostsAt(), t.Path, "%s, room for %d hosts of %d NICs", what, fits, first.NICs)
		return false
	}
	return true
}

// Fabric is a network as hosts and the switches between them, of the kinds that
// are made of hosts.
func (s *Scenario) Fabric(t *Network) (topology.Fabric, Faults) {
	r := newResolver(s)
	f := topology.Fabric{
		HostsPerRack: int(t.HostsPerRack.Value), Oversubscription: t.Oversubscription.Value,
		LinkLatency: t.LinkLatency.Value, SwitchLatency: t.SwitchLatency.Value,
		Planes: int(t.Planes.Value), ToRs: int(t.ToRs.Value), Ports: int(t.K.Value),
		Groups: int(t.Groups.Value), Routers: int(t.Routers.Value), GlobalLinks: int(t.GlobalLinks.Value),
		Routing: s.Routing(t),
	}
	for i := range t.Pool {
		host, _ := r.host(t.Pool[i].Host.Value, t.Pool[i].Host.Pos, t.Pool[i].Path+".host")
		f.Pools = append(f.Pools, topology.HostPool{Host: host, Hosts: int(t.Pool[i].Hosts.Value)})
	}
	if t.Pool == nil {
		f.Host, _ = r.host(t.Host.Value, t.Host.Pos, t.Path+".host")
		f.Hosts = int(t.Hosts.Value)
	}
	return f, r.all()
}

// Routing is how a network chooses among equal paths.
func (s *Scenario) Routing(t *Network) topology.Routing {
	policy, _ := topology.ParsePolicy(t.Routing.Value)
	return topology.Routing{Policy: policy, Seed: uint64(s.Sim.Seed.Value), QueuePairs: int(t.QueuePairs.Value)}
}
