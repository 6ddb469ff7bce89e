package cluster

import (
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// How FlashAttention splits keys over multiprocessors (num_splits_heuristic of its
// flash_api.cpp): in blocks, if tiles of queries take less than so many of them.
const (
	splitBlock = 128
	splitFill  = 0.8
)

// combine is the time in which the parts of split attention are put together, by a kernel
// of its own. Queries that share keys are one tile. Attention over no cache is not split.
func combine(a *topology.Accelerator, op *workload.Operator) float64 {
	if op.Groups == 0 || a.CombineOverhead == 0 || op.N <= splitBlock {
		return 0
	}
	tiles := op.Groups * workload.Quotient(op.M*(op.Batch/op.Groups), flashTile)
	if float64(tiles) >= splitFill*float64(a.Multiprocessors) {
		return 0
	}
	return a.CombineOverhead.Seconds()
}
