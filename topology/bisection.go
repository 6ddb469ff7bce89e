package topology

import (
	"math"
	"math/bits"
)

// smallEnds is up to how many hosts, or bare accelerators, all ways to halve them are
// looked at.
const smallEnds = 12

// Bisection is the bisection bandwidth in B/s: the least, over ways to halve the hosts,
// or bare accelerators, of the most that one half can send to the other at once: the
// minimum cut between them (Ford and Fulkerson 1956). Rates are those of the wire.
//
// Of up to 12 hosts all ways to halve them are looked at, and the result is exact. Of
// more they are blocks of 1, 2, 3, ... hosts in their order that fall to the halves in
// turn, and the first half against the second: among these is the bisection of a Clos
// network, a ring, or a torus, whose halves lie so. Of an odd number the first half is
// the smaller one. It is 0 where there is but one.
func (t *Topology) Bisection() float64 {
	ends := len(t.Servers)
	if t.Bare() {
		ends = t.accelerators
	}
	if ends < 2 {
		return 0
	}
	c := newCut(t)
	least := c.flow(func(end int) bool { return end < ends/2 })
	if ends <= smallEnds {
		for set := uint(1); set < 1<<ends; set++ {
			if bits.OnesCount(set) == ends/2 {
				least = min(least, c.flow(func(end int) bool { return set>>end&1 == 1 }))
			}
		}
		return least
	}
	for block := 1; block < ends/2; block++ {
		if ends%(2*block) == 0 {
			least = min(least, c.flow(func(end int) bool { return end/block%2 == 0 }))
		}
	}
	return least
}

// cut finds minimum cuts between two sets of ends. Hosts, with all that is in them, are
// one node each; what lies between the two sets is the graph of the fabric's switches.
type cut struct {
	t    *Topology
	node []int32 // of each node of the topology: its end, or after the ends its switch
	ends int
	size int
	arcs []arc
	out  [][]int32 // arcs of each node; arc i^1 is the reverse of arc i
	// Of one search.
	level []int32
	next  []int
}

type arc struct {
	to   int32
	room float64
}

func newCut(t *Topology) *cut {
	c := &cut{t: t, node: make([]int32, t.accelerators+t.nics+len(t.switchNames)), ends: len(t.Servers)}
	if t.Bare() {
		c.ends = t.accelerators
	}
	c.size = c.ends
	for n, host := range t.hosts() {
		switch {
		case host != outside:
			c.node[n] = host
		case n < t.accelerators:
			c.node[n] = int32(n)
		default:
			c.node[n] = int32(c.size)
			c.size++
		}
	}
	return c
}

// flow is the most that one set of ends can send to the others (Dinic 1970).
func (c *cut) flow(first func(end int) bool) float64 {
	source, sink := int32(c.size), int32(c.size+1)
	side := func(n int32) int32 {
		switch {
		case int(n) >= c.ends:
			return n
		case first(int(n)):
			return source
		}
		return sink
	}
	c.out = make([][]int32, c.size+2)
	c.arcs = c.arcs[:0]
	known := map[[2]int32]int32{} // arcs by their ends
	for i := range c.t.Links {
		l := &c.t.Links[i]
		if l.From == None {
			continue
		}
		from, to := side(c.node[l.From]), side(c.node[l.To])
		if from == to || to == source || from == sink {
			continue
		}
		n, found := known[[2]int32{from, to}]
		if !found {
			n = int32(len(c.arcs))
			known[[2]int32{from, to}] = n
			c.arcs = append(c.arcs, arc{to, 0}, arc{from, 0})
			c.out[from], c.out[to] = append(c.out[from], n), append(c.out[to], n+1)
		}
		c.arcs[n].room += l.Capacity
	}
	sum := 0.0
	for c.rank(source, sink) {
		c.next = make([]int, c.size+2)
		for {
			pushed := c.push(source, sink, math.Inf(1))
			if pushed == 0 {
				break
			}
			sum += pushed
		}
	}
	return sum
}

// rank gives nodes their distance from the source over arcs with room, and reports
// whether the sink can be reached.
func (c *cut) rank(source, sink int32) bool {
	c.level = make([]int32, c.size+2)
	c.level[source] = 1
	queue := []int32{source}
	for head := 0; head < len(queue); head++ {
		for _, n := range c.out[queue[head]] {
			if a := &c.arcs[n]; a.room > 0 && c.level[a.to] == 0 {
				c.level[a.to] = c.level[queue[head]] + 1
				queue = append(queue, a.to)
			}
		}
	}
	return c.level[sink] > 0
}

// push sends what it can along one path.
func (c *cut) push(at, sink int32, most float64) float64 {
	if at == sink {
		return most
	}
	for ; c.next[at] < len(c.out[at]); c.next[at]++ {
		n := c.out[at][c.next[at]]
		a := &c.arcs[n]
		if a.room <= 0 || c.level[a.to] != c.level[at]+1 {
			continue
		}
		if pushed := c.push(a.to, sink, min(most, a.room)); pushed > 0 {
			c.arcs[n].room -= pushed
			c.arcs[n^1].room += pushed
			return pushed
		}
	}
	return 0
}
