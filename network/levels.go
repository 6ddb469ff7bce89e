package network

import "github.com/railyard/railyard/topology"

// levelAt is the level at which a link is expected to saturate.
type levelAt struct {
	level float64
	link  topology.LinkID
}

// levelHeap is a binary heap of links, the lowest level first: the links whose level
// is to be found anew.
type levelHeap []levelAt

// push adds a link. O(log links).
func (h *levelHeap) push(e levelAt) {
	*h = append(*h, e)
	q := *h
	i := len(q) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if q[parent].level <= e.level {
			break
		}
		q[i] = q[parent]
		i = parent
	}
	q[i] = e
}

// pop takes the lowest out. O(log links).
func (h *levelHeap) pop() topology.LinkID {
	q := *h
	first := q[0].link
	last := len(q) - 1
	e := q[last]
	q = q[:last]
	*h = q
	i := 0
	for {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && q[child+1].level < q[child].level {
			child++
		}
		if e.level <= q[child].level {
			break
		}
		q[i] = q[child]
		i = child
	}
	if last > 0 {
		q[i] = e
	}
	return first
}
