package scenario

import "slices"

// Security is [scheduler.security]: who may share what with whom.
type Security struct {
	Header
	Tenants Key[string]      `key:"tenants" default:"\"group\"" enum:"group user" doc:"column of the jobs that says which tenant's they are; of other workloads it is their group. Jobs without are one tenant's, too"`
	Apart   Key[string]      `key:"apart" default:"\"none\"" enum:"none host rack link" doc:"what no two tenants share at a time: host; rack, no host and no leaf switch; link, no host and no cable that messages between a job's accelerators may take. A tenant of its own may say otherwise"`
	Tenant  []SecurityTenant `key:"tenant" doc:"a tenant of whom more is to be said"`
}

// SecurityTenant is one [[scheduler.security.tenant]].
type SecurityTenant struct {
	Header
	Name  Key[string]  `key:"name" required:"true" doc:"as in the column that tenants says"`
	Apart Key[string]  `key:"apart" enum:"none host rack link" doc:"what it shares with no other; of two tenants what either wants holds. The apart of all where left out"`
	Hosts Key[[]int64] `key:"hosts" min:"0" max:"262143" doc:"hosts, counted from 0, that are its own: it runs on no others, and nobody else on these"`
	Pool  Key[string]  `key:"pool" doc:"the same, as the name of a [[topology.pool]]"`
}

// checkSecurity judges what is forbidden by what there is to be forbidden.
func (s *Scenario) checkSecurity(b *binder) {
	k, t := s.Scheduler.Security, s.Topology
	if k == nil || t == nil {
		return
	}
	if !s.Scheduler.Decisions.Set { // what is refused is to be seen
		s.Scheduler.Decisions.Value = true
	}
	kind := t.Kind.Value
	if !t.Host.Set && len(t.Pool) == 0 && len(t.Site) == 0 && !t.File.Set {
		b.faultf(k.At, k.Path, "is about hosts, and a topology of kind %q has none; a pool has with a file of them", kind)
		return
	}
	link := func(apart Key[string], path string) {
		if apart.Value != "link" {
			return
		}
		switch {
		case kind == "pool":
			b.faultf(apart.Pos, path+".apart", `"link" needs a network, and a pool has none`)
		case kind != "leaf-spine" && kind != "rail" && kind != "fat-tree" && kind != "single-host":
			b.faultf(apart.Pos, path+".apart", `"link" takes one site of kind "leaf-spine", "rail" or "fat-tree", where it is known which cables a job may use; "rack" takes any`)
		}
	}
	link(k.Apart, k.Path)
	names := map[string]bool{}
	for i := range k.Tenant {
		x := &k.Tenant[i]
		if names[x.Name.Value] {
			b.faultf(x.Name.Pos, x.Path+".name", "%q is there twice", shown(x.Name.Value))
		}
		names[x.Name.Value] = true
		link(x.Apart, x.Path)
		if x.Pool.Set {
			s.checkOwnPool(x, b)
		}
	}
}

// checkOwnPool sees to it that the pool of a tenant is there.
func (s *Scenario) checkOwnPool(x *SecurityTenant, b *binder) {
	if x.Hosts.Set {
		b.faultf(x.Pool.Pos, x.Path+".pool", "contradicts hosts: a tenant's own are said by one or the other")
	}
	if len(s.Topology.PoolHosts(x.Pool.Value)) == 0 {
		b.faultf(x.Pool.Pos, x.Path+".pool", "%s", s.Topology.noPool(x.Pool.Value))
	}
}

// Guards reports whether somebody shares nothing of that sort.
func (k *Security) Guards(apart string) bool {
	return k.Apart.Value == apart || slices.ContainsFunc(k.Tenant, func(t SecurityTenant) bool { return t.Apart.Value == apart })
}
