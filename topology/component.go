package topology

import "strings"

// Parts finds what a topology is made of by the names that results have for it.
type Parts struct {
	t     *Topology
	node  map[string]NodeID
	bare  map[string]LinkID // links without ends
	links [][]LinkID        // of each node
	host  []int32           // of each node
}

// Parts is the index of them. It is made when something is first looked for, in
// O(nodes + links).
func (t *Topology) Parts() *Parts { return &Parts{t: t} }

func (p *Parts) index() {
	if p.node != nil {
		return
	}
	t := p.t
	nodes := t.nodes()
	p.node, p.bare, p.links, p.host = make(map[string]NodeID, nodes), map[string]LinkID{}, make([][]LinkID, nodes), t.hosts()
	for n := range NodeID(nodes) {
		p.node[t.NodeName(n)] = n
	}
	for i := range t.Links {
		if l := &t.Links[i]; l.From == None {
			p.bare[t.LinkName(LinkID(i))] = LinkID(i)
		} else {
			p.links[l.From], p.links[l.To] = append(p.links[l.From], LinkID(i)), append(p.links[l.To], LinkID(i))
		}
	}
}

// Cable gives the links of a cable, both directions, that is named as one of them:
// "leaf0>spine1". Where several lie between the same two nodes they are one cable. A
// bare link is by itself. It gives nil if there is none of the name.
func (p *Parts) Cable(name string) []LinkID {
	p.index()
	if l, found := p.bare[name]; found {
		return []LinkID{l}
	}
	from, to, _ := strings.Cut(name, ">")
	a, known := p.node[from]
	b, also := p.node[to]
	if !known || !also {
		return nil
	}
	return p.linksOf(a, func(other NodeID) bool { return other == b })
}

// Switch gives the links of all cables of a switch. It gives nil if there is none of the
// name.
func (p *Parts) Switch(name string) []LinkID {
	p.index()
	n, known := p.node[name]
	if !known || int(n) < p.t.accelerators+p.t.nics {
		return nil
	}
	return p.links[n]
}

// NIC gives the links between a NIC, named as "host3/nic0", and what it is joined to
// outside its host. It gives nil if there is none of the name.
func (p *Parts) NIC(name string) []LinkID {
	p.index()
	n, known := p.node[name]
	if !known || int(n) < p.t.accelerators || int(n) >= p.t.accelerators+p.t.nics {
		return nil
	}
	return p.linksOf(n, func(other NodeID) bool { return p.host[other] == outside })
}

// linksOf are the links of a node to and from some others.
func (p *Parts) linksOf(n NodeID, is func(other NodeID) bool) (all []LinkID) {
	for _, l := range p.links[n] {
		if k := &p.t.Links[l]; is(k.From) || is(k.To) {
			all = append(all, l)
		}
	}
	return all
}
