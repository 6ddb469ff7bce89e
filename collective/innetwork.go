package collective

import (
	"errors"
	"fmt"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// In-network reduction: switches add up what their ports send, and copy one message
// to many.
//
// NVLS (NVLink SHARP) does it in the switch of a host. Of every shard all n ranks
// send their part up and its owner takes the sum; the owner sends the result up once
// and all take it: a link carries (n + 1)/n of the vector each way, against
// 2 (n - 1)/n of a ring, so that the bus bandwidth is 2 (n - 1)/(n + 1) of what the
// switch reaches. All-gather is the second half, reduce-scatter the first; these two
// are laid within one host only.
//
// Between hosts each shard then goes over double binary trees of the ranks that own
// it (NVLS-tree), or is added up by the switches of the fabric (SHARP: Graham et al.,
// "Scalable hierarchical aggregation protocol", COMHPC 2016): every NIC sends its
// shard once and takes the sum once, and one message goes between two switches.
// All of it is pipelined, and so one phase at the pace of the slowest link.

// reduces says whether a host's switch can add.
func reduces(h *topology.Host) bool {
	return h.ScaleUp == topology.ScaleUpSwitch && h.NVLSEfficiency > 0
}

// Supports says why an algorithm cannot be carried out on a topology, whatever the
// ranks; nil if it can.
func Supports(t *topology.Topology, a Algorithm) error {
	switch {
	case a == NVLS && (t.Bare() || !reduces(t.Servers[0].Spec)):
		return errors.New("nvls takes hosts whose switch can add: those with scale_up = \"switch\" and nvls_efficiency")
	case a == SHARP && len(t.Servers) < 2:
		return errors.New("sharp takes switches between hosts, of which there are none here")
	}
	return nil
}

func switchedRounds(op Op, a Algorithm) ([]round, error) {
	takes := []Op{AllReduce}
	if a == NVLS {
		takes = append(takes, AllGather, ReduceScatter)
	}
	if !slices.Contains(takes, op) {
		return nil, unsupported(op, a, takes...)
	}
	return []round{{repeat: 1, switched: true}}, nil
}

// layReduction lays an operation whose sums are made in switches over one group. The
// counts are in halves of a shard, the size of a message in a tree.
func (p *Planner) layReduction(f *Phase, op Op, a Algorithm, l layout, ranks []topology.NodeID) (pass, error) {
	if err := Supports(p.topology, a); err != nil {
		return pass{}, err
	}
	hosts, per := len(l.hosts), len(l.hosts[0])
	for _, h := range l.hosts {
		if len(h) != per {
			return pass{}, fmt.Errorf("%s takes as many ranks in every host, not %d in one and %d in another", a, per, len(h))
		}
	}
	if hosts > 1 && op != AllReduce {
		return pass{}, fmt.Errorf("%s of %s takes the ranks of one host, not of %d", a, op, hosts)
	}
	f.Share = 0.5 / float64(per)
	way := p.laySwitch(f, op, l.hosts, ranks)
	if hosts == 1 {
		return way, nil
	}
	var most pass
	for i := range per {
		members := make([]topology.NodeID, hosts)
		for h := range members {
			members[h] = ranks[l.hosts[h][i]]
		}
		rail := p.layFabricReduction
		if a == NVLS {
			rail = p.layTrees
		}
		most = most.later(rail(f, members))
	}
	return way.then(most), nil
}

// laySwitch lays the part inside hosts: sums in their switches or, where those cannot
// add, messages from every rank to all others.
func (p *Planner) laySwitch(f *Phase, op Op, hosts [][]int, ranks []topology.NodeID) (way pass) {
	per := len(hosts[0])
	if per == 1 {
		return way
	}
	scatter, gather := 1.0, 1.0
	switch op {
	case AllGather:
		scatter = 0
	case ReduceScatter:
		gather = 0
	}
	add := reduces(p.topology.Servers[p.topology.Server(ranks[0])].Spec)
	for _, h := range hosts {
		for i, r := range h {
			for d := 1; d < per; d++ {
				if !add {
					latency := p.message(f, ranks[r], ranks[h[(i+d)%per]], 2*(scatter+gather))
					way.latency = max(way.latency, 2*latency)
					continue
				}
				path := p.route(ranks[r], ranks[h[(i+d)%per]])
				way.latency = max(way.latency, 2*p.latency(path))
				// Up go the parts of all shards and one result, down one sum and all results.
				p.load(f, path[0], 2*(scatter*float64(per)+gather))
				back := p.route(ranks[h[(i+d)%per]], ranks[r])
				p.load(f, back[len(back)-1], 2*(scatter+gather*float64(per)))
				break
			}
		}
	}
	way.steps = 2
	return way
}

// layTrees lays a shard over the double binary trees of its owners.
func (p *Planner) layTrees(f *Phase, members []topology.NodeID) pass {
	chains := make([][]int, len(members))
	for i := range chains {
		chains[i] = []int{i}
	}
	var longest pass
	for tree := range 2 {
		at := make([]pass, len(members))
		treeSends(chains, tree, func(from, to int) bool {
			latency := p.message(f, members[from], members[to], 1)
			at[to] = at[to].later(at[from].then(pass{latency, 1, 1}))
			longest = longest.later(at[to])
			return p.budget >= 0
		})
	}
	return longest
}

// layFabricReduction lays a shard that the switches of the fabric add up. The first
// owner stands for the root of their tree: what goes to it is added on the way, and
// comes back copied. Of the owners under one switch one alone uses the way above it.
func (p *Planner) layFabricReduction(f *Phase, members []topology.NodeID) pass {
	root := members[0]
	loaded := map[topology.LinkID]bool{} // where ways meet they are added
	load := func(links []topology.LinkID) {
		for _, link := range links {
			if !loaded[link] {
				loaded[link] = true
				p.load(f, link, 2)
			}
		}
	}
	var under []topology.NodeID // the switches that have an owner already
	var longest sim.Time
	for i, m := range members[1:] {
		out, back := slices.Clone(p.route(m, root)), slices.Clone(p.route(root, m))
		longest = max(longest, p.latency(out)+p.latency(back))
		toRoot, fromRoot := p.last(root, out), p.first(root, back)
		if i == 0 {
			under = append(under, p.leaf(fromRoot))
		}
		load(toRoot)
		load(fromRoot)
		up, down := p.first(m, out), p.last(m, back)
		if leaf := p.leaf(up); !slices.Contains(under, leaf) {
			under = append(under, leaf)
			up, down = out[:len(out)-len(toRoot)], back[len(fromRoot):]
		}
		load(up)
		load(down)
	}
	return pass{longest, 2, 2}
}

// first is the part of a way from an accelerator that leads to a switch of the fabric,
// leaf that switch, and last the part of a way to one from such a switch.
func (p *Planner) first(from topology.NodeID, path []topology.LinkID) []topology.LinkID {
	nic := p.topology.NIC(from)
	i := slices.IndexFunc(path, func(l topology.LinkID) bool { return p.topology.Links[l].From == nic })
	return path[:i+1]
}

func (p *Planner) last(to topology.NodeID, path []topology.LinkID) []topology.LinkID {
	nic := p.topology.NIC(to)
	i := slices.IndexFunc(path, func(l topology.LinkID) bool { return p.topology.Links[l].To == nic })
	return path[i:]
}

func (p *Planner) leaf(first []topology.LinkID) topology.NodeID {
	return p.topology.Links[first[len(first)-1]].To
}
