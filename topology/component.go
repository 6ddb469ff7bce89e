package topology

import "strings"

// CableLinks are the links of a cable, both directions, that is named as one of them:
// "leaf0>spine1". Where several lie between the same two nodes they are one cable.
// A bare link is by itself. It gives nil if there is none of the name.
func (t *Topology) CableLinks(name string) []LinkID {
	if t.linkNames != nil {
		for i, n := range t.linkNames {
			if n == name {
				return []LinkID{LinkID(i)}
			}
		}
		return nil
	}
	from, to, _ := strings.Cut(name, ">")
	a, b := t.node(from), t.node(to)
	return t.linksOf(func(l *Link) bool { return l.From == a && l.To == b || l.From == b && l.To == a })
}

// SwitchLinks are the links of all cables of a switch. It gives nil if there is none of
// the name.
func (t *Topology) SwitchLinks(name string) []LinkID {
	n := t.node(name)
	if int(n) < t.accelerators+t.nics {
		return nil
	}
	return t.linksOf(func(l *Link) bool { return l.From == n || l.To == n })
}

// NICLinks are the links between a NIC, named as "host3/nic0", and what it is joined to
// outside its host. It gives nil if there is none of the name.
func (t *Topology) NICLinks(name string) []LinkID {
	n := t.node(name)
	if int(n) < t.accelerators || int(n) >= t.accelerators+t.nics {
		return nil
	}
	host := t.hosts()
	return t.linksOf(func(l *Link) bool {
		return l.From == n && host[l.To] == outside || l.To == n && host[l.From] == outside
	})
}

// SwitchNames are the names of all switches.
func (t *Topology) SwitchNames() []string { return t.switchNames }

// node finds a node by its name, None if there is none.
func (t *Topology) node(name string) NodeID {
	for n := range NodeID(t.accelerators + t.nics + len(t.switchNames)) {
		if t.NodeName(n) == name {
			return n
		}
	}
	return None
}

func (t *Topology) linksOf(is func(*Link) bool) (all []LinkID) {
	for i := range t.Links {
		if is(&t.Links[i]) {
			all = append(all, LinkID(i))
		}
	}
	return all
}
