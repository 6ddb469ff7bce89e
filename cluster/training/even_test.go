package training_test

import (
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/workload"
)

// A job whose groups meet each other unequally is unfolded by itself: replicas 4
// hosts apart, whose rings are hashed onto the few up-links of two leaves. One whose
// groups are alike is not.
func TestUnevenGroupsUnfold(t *testing.T) {
	for _, c := range []struct {
		name             string
		oversubscription float64
		tr               workload.Training
		unfolds          bool
	}{
		{"pairs of stages on one leaf's hosts", 1, workload.Training{Model: small, Pipeline: 4, Data: 8, GlobalBatch: 32, Order: []workload.Group{workload.PipelineGroup, workload.TensorGroup, workload.ContextGroup, workload.DataGroup}}, false},
		{"replicas across hashed up-links", 3, workload.Training{Model: small, Tensor: 8, Data: 4, GlobalBatch: 16}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			topo := leafSpine(host(), 4, c.oversubscription)
			var took [2]training.Iteration
			for i := range took {
				j := parallel(t, c.tr)
				j.Unfold = i == 1
				run(t, topo, &cluster.Job{Name: "it", Count: 32, Program: j})
				took[i] = j.Last
				if i == 0 && j.Unfold != c.unfolds {
					t.Errorf("unfolded %v, want %v", j.Unfold, c.unfolds)
				}
			}
			if c.unfolds && took[0] != took[1] {
				t.Errorf("%+v by itself, %+v unfolded", took[0], took[1])
			}
		})
	}
}
