package datacenter

import (
	"slices"

	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/workload"
)

// island makes islands of a training's replicas if it has local steps. It reports false
// if there can be none.
func (b *builder) island(w *scenario.Training, t *workload.Training) bool {
	if !w.LocalSteps.Set {
		return true
	}
	t.Islands = int(w.Islands.Value)
	if !w.Islands.Set {
		if t.Islands = len(b.scenario.Topology.Site); t.Islands < 2 {
			b.fault(w.LocalSteps.Pos, w.Path+".local_steps", "of how many islands? There is one site; say islands")
			return false
		}
	}
	if !w.Order.Set {
		t.Order = slices.DeleteFunc(slices.Clone(workload.DefaultOrder), func(g workload.Group) bool { return g == workload.DataGroup })
		t.Order = append(t.Order, workload.DataGroup)
	}
	return true
}
