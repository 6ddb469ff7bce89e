package topology

import "slices"

// Part is a switch or a cable outside hosts, and who has to do without the network if
// it fails.
type Part struct {
	Name string
	// Servers are the hosts that are joined to it; nil where it joins switches.
	Servers []int32
}

// SwitchParts are the switches outside hosts.
func (t *Topology) SwitchParts() []Part {
	host := t.hosts()
	part := make([]int32, t.nodes()) // of a switch, its number from 1
	var all []Part
	for n := t.accelerators + t.nics; n < t.nodes(); n++ {
		if host[n] == outside {
			all = append(all, Part{Name: t.NodeName(NodeID(n))})
			part[n] = int32(len(all))
		}
	}
	for i := range t.Links {
		if l := &t.Links[i]; l.To != None && part[l.To] > 0 && host[l.From] != outside {
			all[part[l.To]-1].add(host[l.From])
		}
	}
	return all
}

// CableParts are the cables outside hosts, each named as its first link.
func (t *Topology) CableParts() []Part {
	host := t.hosts()
	seen := map[[2]NodeID]bool{}
	var all []Part
	for i := range t.Links {
		l := &t.Links[i]
		if l.From == None || host[l.From] == host[l.To] && host[l.From] != outside || seen[[2]NodeID{l.To, l.From}] || seen[[2]NodeID{l.From, l.To}] {
			continue
		}
		seen[[2]NodeID{l.From, l.To}] = true
		p := Part{Name: t.LinkName(LinkID(i))}
		for _, end := range []NodeID{l.From, l.To} {
			if host[end] != outside {
				p.add(host[end])
			}
		}
		all = append(all, p)
	}
	return all
}

// CutOff are the hosts that have links to others, and none left without some links.
func (t *Topology) CutOff(down []LinkID) (hosts []int32) {
	host := t.hosts()
	left := make([]int32, len(t.Servers))
	leaves := func(l *Link) bool { return l.From != None && host[l.From] != outside && host[l.From] != host[l.To] }
	for i := range t.Links {
		if l := &t.Links[i]; leaves(l) {
			left[host[l.From]]++
		}
	}
	for _, i := range down {
		if l := &t.Links[i]; leaves(l) {
			h := host[l.From]
			if left[h]--; left[h] == 0 {
				hosts = append(hosts, h)
			}
		}
	}
	slices.Sort(hosts)
	return hosts
}

// add notes a host, several of whose links come one after another.
func (p *Part) add(server int32) {
	if n := len(p.Servers); n == 0 || p.Servers[n-1] != server {
		p.Servers = append(p.Servers, server)
	}
}
