package serving

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// step tells the cluster's observer, if there is one, of the step whose shape has just
// been measured, in a stage of a replica.
func (f *Fleet) step(r *replica, stage int, from, to sim.Time) {
	if f.c.Observer == nil {
		return
	}
	prompt, ranks := 0, r.pool.stageRanks()
	for _, c := range f.shape.Chunks {
		prompt += c.Tokens
	}
	f.c.Observer.Observe(cluster.Activity{
		From: from, To: to, Stream: cluster.ComputeStream, Name: "step", Job: f.job,
		On: [][]topology.NodeID{r.ledger.Accelerators[stage*ranks : (stage+1)*ranks]},
		Notes: []result.Note{
			{Name: "prompt_tokens", Number: float64(prompt)},
			{Name: "decodes", Number: float64(f.shape.Decodes)},
		},
	})
}
