package trace

import (
	"cmp"
	"container/heap"
	"slices"
	"sort"
)

// graph gathers nodes as they are read, with the ids that each depends on.
type graph struct {
	nodes    []Node
	from     []edges
	deps     []uint64
	groups   []Group
	groupOf  map[string]int32
	declared map[string][]int32 // ranks of process groups
	mended   Mended
}

// edges are the dependencies of a node: deps[at:at+data+control], data first.
type edges struct{ at, data, control int32 }

func newGraph() *graph {
	return &graph{groups: []Group{{Name: "all"}}, groupOf: map[string]int32{}, declared: map[string][]int32{}}
}

// group finds the index of a named group and adds it if it is new. "" is all
// ranks.
func (g *graph) group(name string) int32 {
	if name == "" {
		return 0
	}
	i, known := g.groupOf[name]
	if !known {
		i = int32(len(g.groups))
		g.groups = append(g.groups, Group{Name: name})
		g.groupOf[name] = i
	}
	return i
}

// add adds a node with what it depends on, offset being its place in the file.
func (g *graph) add(n Node, data, control []uint64, offset int64) error {
	if len(g.nodes) == MaxNodes {
		return syntax(offset, "more than %d nodes", MaxNodes)
	}
	if len(g.deps)+len(data)+len(control) > maxDeps {
		return syntax(offset, "more than %d dependencies", maxDeps)
	}
	g.nodes = append(g.nodes, n)
	g.from = append(g.from, edges{int32(len(g.deps)), int32(len(data)), int32(len(control))})
	g.deps = append(append(g.deps, data...), control...)
	return nil
}

// trace sorts the nodes, turns ids into indices and mends. It takes O((n + d)
// log n) for n nodes and d dependencies.
func (g *graph) trace(schema string) *Trace {
	t := &Trace{Schema: schema, Groups: g.groups, Mended: g.mended}
	for i := range t.Groups {
		t.Groups[i].Ranks = g.declared[t.Groups[i].Name]
	}
	order := make([]int32, len(g.nodes))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(g.nodes[a].ID, g.nodes[b].ID) })
	kept := slices.CompactFunc(order, func(a, b int32) bool { return g.nodes[a].ID == g.nodes[b].ID })
	t.Mended.Duplicates = len(g.nodes) - len(kept)
	t.Nodes = make([]Node, len(kept))
	for i, n := range kept {
		t.Nodes[i] = g.nodes[n]
	}
	find := t.finder()
	// list is the dependencies that are left, by index, and each is where those
	// of a node stand there.
	list := make([]int32, 0, len(g.deps))
	each := make([]edges, len(kept))
	for i, n := range kept {
		e := g.from[n]
		each[i].at = int32(len(list))
		for k, id := range g.deps[e.at : e.at+e.data+e.control] {
			isData := int32(k) < e.data
			if isData {
				t.DataDependencies++
			} else {
				t.ControlDependencies++
			}
			on := find(id)
			switch {
			case on < 0:
				t.Mended.Dangling++
				continue
			case on == i:
				t.Mended.Self++
				continue
			case isData:
				each[i].data++
			default:
				each[i].control++
			}
			list = append(list, int32(on))
		}
	}
	t.unwind(list, each, t.connect(list, each))
	return t
}

// finder gives a function that finds a node by its id, -1 if there is none: in a
// table where ids lie as close as they mostly do, else by bisection.
func (t *Trace) finder() func(id uint64) int {
	n := len(t.Nodes)
	if n == 0 {
		return func(uint64) int { return -1 }
	}
	first := t.Nodes[0].ID
	if span := t.Nodes[n-1].ID - first; span < 8*uint64(n) {
		table := make([]int32, span+1) // index + 1
		for i := range t.Nodes {
			table[t.Nodes[i].ID-first] = int32(i + 1)
		}
		return func(id uint64) int {
			if at := id - first; at <= span {
				return int(table[at]) - 1
			}
			return -1
		}
	}
	return func(id uint64) int {
		i, found := sort.Find(n, func(m int) int { return cmp.Compare(id, t.Nodes[m].ID) })
		if !found {
			return -1
		}
		return i
	}
}

// connect turns the dependencies of each node around, and gives the place in
// Next of each entry of list.
func (t *Trace) connect(list []int32, each []edges) (place []int32) {
	n := len(t.Nodes)
	t.Waits, t.NextAt = make([]int32, n), make([]int32, n+1)
	for _, on := range list {
		t.NextAt[on+1]++
	}
	for i := range n {
		t.NextAt[i+1] += t.NextAt[i]
	}
	t.Next, place = make([]int32, len(list)), make([]int32, len(list))
	fill := slices.Clone(t.NextAt[:n])
	for i, e := range each {
		t.Waits[i] = e.data + e.control
		for k := e.at; k < e.at+e.data+e.control; k++ {
			on := list[k]
			t.Next[fill[on]], place[k] = int32(i), fill[on]
			fill[on]++
		}
	}
	return place
}

// unwind drops the control dependencies that close circles. A control
// dependency of a capture is the caller of an operator; where an operator was
// cut into parts by its children, its caller may come to lie behind it. The
// graph is walked from what waits for nothing; whenever nothing is left to walk
// but circles, the first node whose data are all there is let go without its
// control dependencies. Circles of data dependencies stay.
func (t *Trace) unwind(list []int32, each []edges, place []int32) {
	isData := make([]bool, len(t.Next))
	waits, data := slices.Clone(t.Waits), make([]int32, len(t.Nodes))
	var free []int32
	var ready indices // with all data there
	for i, e := range each {
		for k := e.at; k < e.at+e.data; k++ {
			isData[place[k]] = true
		}
		data[i] = e.data
		switch {
		case waits[i] == 0:
			free = append(free, int32(i))
		case e.data == 0:
			heap.Push(&ready, int32(i))
		}
	}
	done := make([]bool, len(t.Nodes))
	gone := make([]bool, len(t.Next)) // dropped
	for {
		for len(free) > 0 {
			i := free[len(free)-1]
			free = free[:len(free)-1]
			done[i] = true
			for k := t.NextAt[i]; k < t.NextAt[i+1]; k++ {
				next := t.Next[k]
				if done[next] {
					continue // it was let go
				}
				waits[next]--
				if isData[k] {
					data[next]--
				}
				switch {
				case waits[next] == 0:
					free = append(free, next)
				case data[next] == 0 && isData[k]:
					heap.Push(&ready, next)
				}
			}
		}
		if len(ready) == 0 {
			break
		}
		i := heap.Pop(&ready).(int32)
		if done[i] {
			continue
		}
		e := each[i]
		for k := e.at + e.data; k < e.at+e.data+e.control; k++ {
			if !done[list[k]] {
				gone[place[k]] = true
				t.Waits[i]--
				t.Mended.Circular++
			}
		}
		free = append(free, i)
	}
	if t.Mended.Circular > 0 {
		t.drop(gone)
	}
}

// drop takes entries out of Next.
func (t *Trace) drop(gone []bool) {
	kept, at := t.Next[:0], int32(0)
	for i := range t.Nodes {
		end := t.NextAt[i+1]
		for k := at; k < end; k++ {
			if !gone[k] {
				kept = append(kept, t.Next[k])
			}
		}
		at, t.NextAt[i+1] = end, int32(len(kept))
	}
	t.Next = kept
}

// indices is a heap, the least on top.
type indices []int32

func (h indices) Len() int           { return len(h) }
func (h indices) Less(i, j int) bool { return h[i] < h[j] }
func (h indices) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *indices) Push(x any)        { *h = append(*h, x.(int32)) }
func (h *indices) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
