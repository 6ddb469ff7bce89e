package collective

import (
	"fmt"
	"slices"

	"github.com/railyard/railyard/topology"
)

// dimensionRounds takes one dimension of a grid of accelerators after the other: an
// all-reduce is a reduce-scatter along each, of ever smaller shards, and all-gathers
// back in the opposite order; what ASTRA-sim runs on multi-dimensional networks. Along
// a ring, a line or a switch these are rings, and along a full mesh every accelerator
// sends to all others at once. With the slowest dimension outermost only its shard of
// the data crosses it.
//
// Where all dimensions are alike, as in a cube of TPUs, the data is cut in parts that
// begin with another dimension each, and half of them go around in the other
// direction: all links are busy at all times (the bucket algorithms of Jain and
// Sabharwal, "Optimal bucket algorithms for large MPI collectives on torus
// interconnects", 2010).
//
// It takes all ranks of the grid in their order.
func dimensionRounds(op Op, t *topology.Topology, ranks []topology.NodeID) ([]round, error) {
	if !scatters(op) {
		return nil, unsupported(op, Hierarchical, AllReduce, AllGather, ReduceScatter)
	}
	if t.Dimensions() == nil {
		return nil, fmt.Errorf("hierarchical takes the dimensions of a torus or a multi-dimensional network; here there are none")
	}
	inOrder := len(ranks) == t.Accelerators()
	for i, r := range ranks {
		inOrder = inOrder && int(r) == i
	}
	if !inOrder {
		return nil, fmt.Errorf("hierarchical takes all %d accelerators of the grid in their order", t.Accelerators())
	}
	parts := partsOf(t.Dimensions())
	var scatter []round
	shard := 1 / float64(len(parts))
	for stage, first := range parts[0] {
		shard /= float64(first.Size)
		r := round{share: shard, repeat: first.Size - 1, ring: first.Size}
		if first.Shape == topology.ShapeMesh {
			r.repeat = 1
		}
		r.sends = func(yield func(from, to int) bool) {
			for _, part := range parts {
				if !part[stage].sends(len(ranks), yield) {
					return
				}
			}
		}
		scatter = append(scatter, r)
	}
	gather := slices.Clone(scatter)
	slices.Reverse(gather)
	switch op {
	case AllGather:
		return gather, nil
	case ReduceScatter:
		return scatter, nil
	}
	return append(scatter, gather...), nil
}

// scatters says whether an operation is made of reduce-scatters and all-gathers.
func scatters(op Op) bool { return op == AllReduce || op == AllGather || op == ReduceScatter }

// stage is one dimension as a part of the data passes it.
type stage struct {
	topology.Dimension
	stride int
	down   bool // around in the other direction
}

// partsOf gives the parts that the data is cut in, and the dimensions that each of
// them passes, in order.
func partsOf(dims []topology.Dimension) [][]stage {
	var inOrder []stage
	stride := 1
	for _, d := range dims {
		if d.Size > 1 {
			inOrder = append(inOrder, stage{d, stride, false})
		}
		stride *= d.Size
	}
	for _, s := range inOrder {
		if s.Dimension != inOrder[0].Dimension {
			return [][]stage{inOrder}
		}
	}
	var parts [][]stage
	for first := range inOrder {
		part := slices.Concat(inOrder[first:], inOrder[:first])
		parts = append(parts, part)
		if part[0].Shape == topology.ShapeMesh {
			continue
		}
		back := slices.Clone(part)
		for i := range back {
			back[i].down = true
		}
		parts = append(parts, back)
	}
	if parts == nil { // a single accelerator
		return [][]stage{nil}
	}
	return parts
}

// sends gives the messages along a dimension of a grid of n ranks, line by line: to
// the next in a ring, to all others in a mesh. It reports false if yield does.
func (s stage) sends(n int, yield func(from, to int) bool) bool {
	reach := 2
	if s.Shape == topology.ShapeMesh {
		reach = s.Size
	}
	for line := range n / s.Size {
		first := line/s.stride*s.stride*s.Size + line%s.stride
		at := func(i int) int {
			if s.down {
				i = -i
			}
			return first + (i+2*s.Size)%s.Size*s.stride
		}
		for i := range s.Size {
			for d := 1; d < reach; d++ {
				if !yield(at(i), at(i+d)) {
					return false
				}
			}
		}
	}
	return true
}
