package topology

import (
	"slices"

	"github.com/railyard/railyard/sim"
)

// nearCube is the sizes, largest first, of the torus of so many dimensions that n
// accelerators fill and whose sides add up to least: 64 in three dimensions are 4
// x 4 x 4, 12 are 3 x 2 x 2, a prime is a ring.
func nearCube(n, dimensions int) []int {
	if dimensions == 1 {
		return []int{n}
	}
	var best []int
	sum := n + dimensions + 1
	for side := 1; side <= n; side++ {
		if n%side != 0 {
			continue
		}
		rest := nearCube(n/side, dimensions-1)
		total := side
		for _, s := range rest {
			total += s
		}
		if total < sum {
			best, sum = append(slices.Clone(rest), side), total
		}
	}
	slices.SortFunc(best, func(a, b int) int { return b - a })
	return best
}

// torusRouter walks one dimension after the other, each the shorter way round and
// upwards if both are as long. Link links[d] + 2i leads from accelerator i up in
// dimension d, and the one after it back; where a dimension has two accelerators
// both share one cable, that of the lower.
type torusRouter struct {
	first NodeID
	sizes []int
	links []LinkID
}

// buildTorus joins neighbours in each dimension. The first dimension is that of
// accelerators that follow each other. A port has its share of the capacity
// whether its dimension is used or not; of two accelerators both ports lead to
// the other.
func (t *Topology) buildTorus(first NodeID, sizes []int, capacity, efficiency float64, latency sim.Time) torusRouter {
	r := torusRouter{first, sizes, make([]LinkID, len(sizes))}
	n := 1
	for _, s := range sizes {
		n *= s
	}
	port := capacity / float64(2*len(sizes))
	stride := 1
	for d, size := range sizes {
		r.links[d] = LinkID(len(t.Links))
		for i := range n {
			at := i / stride % size
			switch {
			case size == 2 && at == 0:
				t.addCable(first+NodeID(i), first+NodeID(i+stride), 2*port, efficiency, latency, latency)
			case size > 2:
				up := i + stride
				if at == size-1 {
					up -= size * stride
				}
				t.addCable(first+NodeID(i), first+NodeID(up), port, efficiency, latency, latency)
			}
		}
		stride *= size
	}
	return r
}

func (r torusRouter) route(src, dst NodeID, _ uint64, path []LinkID) []LinkID {
	at, to := int(src-r.first), int(dst-r.first)
	stride := 1
	for d, size := range r.sizes {
		from, goal := at/stride%size, to/stride%size
		if size == 2 && from != goal {
			low := at - from*stride
			cable := low/(2*stride)*stride + low%stride
			path = append(path, r.links[d]+LinkID(2*cable+from))
			at += (goal - from) * stride
		}
		for size > 2 && from != goal {
			next := from
			if up := (goal - from + size) % size; 2*up <= size {
				next = (from + 1) % size
				path = append(path, r.links[d]+LinkID(2*at))
				at += (next - from) * stride
			} else {
				next = (from - 1 + size) % size
				at += (next - from) * stride
				path = append(path, r.links[d]+LinkID(2*at+1))
			}
			from = next
		}
		stride *= size
	}
	return path
}
