package railyard

import (
	"cmp"
	"maps"
	"slices"

	"github.com/railyard/railyard/result"
)

// withAcceleratorTypes adds to the summary of a queue how much of each type of
// accelerator jobs held, where there are several.
func (p *plant) withAcceleratorTypes(c *result.Record) *result.Record {
	if p.hosting == nil || len(p.hosting.types) < 2 {
		return c
	}
	makespan := c.Float(result.JobMakespan.Name)
	numbers, counts := p.hosting.types, p.hosting.counts()
	used := p.cluster.TypeUse(p.engine.Now())
	var all []*result.Record
	for _, name := range slices.SortedFunc(maps.Keys(numbers), func(a, b string) int { return cmp.Compare(numbers[a], numbers[b]) }) {
		t, x := numbers[name], &result.Record{}
		x.Add(result.Name, name)
		x.Add(result.AcceleratorCount, int64(counts[t]))
		x.Add(result.JobHeld, used[t])
		x.Add(result.JobAllocation, ratio(used[t], makespan*float64(counts[t])))
		all = append(all, x)
	}
	c.Add(result.JobAcceleratorUse, all)
	return c
}
