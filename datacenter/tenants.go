package datacenter

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/topology"
)

// tenancy is the tenants of [scheduler.security], and of the workloads.
type tenancy struct {
	scheduler.Isolation
	numbers map[string]int32
	byUser  bool
	apart   scheduler.Sharing // of those of whom nothing is said
}

var sharings = map[string]scheduler.Sharing{"none": 0, "host": scheduler.ShareHost, "rack": scheduler.ShareRack, "link": scheduler.ShareLink}

// findTenants reads what the scenario says of tenants; nil if that is nothing.
func (b *builder) findTenants(h *hosting) *tenancy {
	k := b.scenario.Scheduler.Security
	if k == nil {
		return nil
	}
	t := &tenancy{numbers: map[string]int32{}, byUser: k.Tenants.Value == "user", apart: sharings[k.Apart.Value]}
	t.Names, t.Forbids = []string{""}, []scheduler.Sharing{0}
	n := len(h.hosts)
	t.Owner, t.Leaf, t.Pod = make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range h.hosts {
		near := &h.hosts[i].Near
		t.Leaf[i], t.Pod[i] = near[0], near[2]
		if near[0] < 0 {
			t.Leaf[i] = near[1]
		}
	}
	if !b.topology.Bare() {
		b.findCables(t)
	}
	for i := range k.Tenant {
		x := &k.Tenant[i]
		number := t.add(x.Name.Value)
		if x.Apart.Set {
			t.Forbids[number] = sharings[x.Apart.Value]
		}
		at, key, hosts := x.Hosts.Pos, x.Path+".hosts", x.Hosts.Value
		if x.Pool.Set {
			at, key, hosts = x.Pool.Pos, x.Path+".pool", nil
			for _, host := range b.scenario.Topology.PoolHosts(x.Pool.Value) {
				hosts = append(hosts, int64(host))
			}
		}
		for _, host := range hosts {
			switch {
			case host >= int64(n):
				b.fault(at, key, "there is no host %d: the topology has 0 to %d", host, n-1)
			case t.Owner[host] != 0 && t.Owner[host] != number:
				b.fault(at, key, "host %d is %q's own already", host, t.Names[t.Owner[host]])
			default:
				t.Owner[host] = number
				continue
			}
			return t
		}
	}
	return t
}

// findCables finds which hosts share leaves and pods, by their NICs.
func (b *builder) findCables(t *tenancy) {
	fabric := b.topology
	first := topology.NodeID(fabric.Accelerators())
	half := topology.NodeID(b.scenario.Topology.K.Value / 2)
	kind := fabric.Servers[0].Spec
	for i := range fabric.Servers {
		s := &fabric.Servers[i]
		t.Leaf[i] = int32(s.Rack)
		switch fabric.Kind {
		case "rail":
			inside := s.Spec.ScaleUp == topology.ScaleUpSwitch || s.Spec.ScaleUp == topology.ScaleUpMesh
			t.Strays = t.Strays || !inside || s.Spec.Name != kind.Name
		case "fat-tree":
			from, to := s.FirstNIC-first, s.FirstNIC-first+topology.NodeID(max(1, s.Spec.NICs)-1)
			t.Leaf[i], t.Pod[i] = int32(from/half), int32(from/half/half)
			if k := b.scenario.Scheduler.Security; from/half != to/half && k.Guards("link") {
				b.fault(k.At, k.Path, `apart = "link" needs hosts that join one leaf: the NICs of %s join the leaves %d to %d of their pods`, fabric.ServerName(i), from/half, to/half)
				return
			}
		}
	}
}

// add is the number of a tenant.
func (t *tenancy) add(name string) int32 {
	n, known := t.numbers[name]
	if !known {
		n = int32(len(t.Names))
		t.numbers[name] = n
		t.Names, t.Forbids = append(t.Names, name), append(t.Forbids, t.apart)
	}
	return n
}

// number is that of the tenant of a job, 0 where there are none.
func (t *tenancy) number(user, group string) int32 {
	switch {
	case t == nil:
		return 0
	case t.byUser:
		return t.add(user)
	}
	return t.add(group)
}

// isolation is what the tenants may not share, nil where there are none.
func (t *tenancy) isolation() *scheduler.Isolation {
	if t == nil {
		return nil
	}
	return &t.Isolation
}

// admit gives a workload that runs event by event its tenant, by its group.
func (b *builder) admit(j *cluster.Job) {
	if b.hosting == nil || b.hosting.tenants == nil {
		return
	}
	j.Needs = &scheduler.Request{Count: j.Count, Tenant: b.hosting.tenants.add(j.Group)}
}
