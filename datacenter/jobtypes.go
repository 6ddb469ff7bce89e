package datacenter

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
)

// acceleratorType is what jobs held of one type.
type acceleratorType struct {
	name  string
	count int
	held  float64 // accelerator-seconds
}

// acceleratorTypes are those of the hosts on which jobs are placed, in the order in which
// they come there.
func (p *plant) acceleratorTypes(end sim.Time) []acceleratorType {
	if p.hosting == nil {
		return nil
	}
	counts, held := p.hosting.counts(), p.cluster.TypeUse(end)
	var all []acceleratorType
	for name, t := range p.hosting.types {
		all = append(all, acceleratorType{name, counts[t], held[t]})
	}
	slices.SortFunc(all, func(a, b acceleratorType) int {
		return cmp.Compare(p.hosting.types[a.name], p.hosting.types[b.name])
	})
	return all
}

// addTypes adds them to the summary, where there are several.
func (r *jobResults) addTypes(c *result.Record, makespan float64) {
	if len(r.types) < 2 {
		return
	}
	var all []*result.Record
	for _, t := range r.types {
		x := &result.Record{}
		x.Add(result.Name, t.name)
		x.Add(result.AcceleratorCount, int64(t.count))
		x.Add(result.JobHeld, t.held)
		x.Add(result.JobAllocation, result.Ratio(t.held, makespan*float64(t.count)))
		all = append(all, x)
	}
	c.Add(result.JobAcceleratorUse, all)
}
