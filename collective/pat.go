package collective

import "math/bits"

// patRounds is PAT, the parallel aggregated trees that NCCL takes for all-gather and
// reduce-scatter where every rank has a host of its own (Jeaugey, "PAT: a new
// algorithm for all-gather and reduce-scatter operations at scale",
// arXiv:2506.20252): Bruck's exchange in ceil(log2 n) steps, the farthest first,
// when messages are still small. At distance d every rank passes on the shards it
// has of the ranks 2d, 4d, ... before it that are still missing d further on.
func patRounds(op Op, n int) ([]round, error) {
	if op != AllGather && op != ReduceScatter {
		return nil, unsupported(op, PAT, AllGather, ReduceScatter)
	}
	var all []round
	for d := 1 << (bits.Len(uint(n-1)) - 1); d >= 1; d /= 2 {
		shards := (n - d + 2*d - 1) / (2 * d)
		r := round{share: float64(shards) / float64(n), repeat: 1, sends: func(yield func(from, to int) bool) {
			for i := range n {
				from, to := i, (i+d)%n
				if op == ReduceScatter { // the same backwards
					from, to = to, from
				}
				if !yield(from, to) {
					return
				}
			}
		}}
		if op == ReduceScatter {
			all = append([]round{r}, all...)
		} else {
			all = append(all, r)
		}
	}
	return all, nil
}
