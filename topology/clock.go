package topology

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/units"
)

// Clocked is a copy of the topology in which the accelerators of each server run at a part
// of their clock: their matrix and vector units are slower by as much. Memory has a clock
// of its own, and links have. Servers of one kind and clock are one kind again.
func (t *Topology) Clocked(clock []float64) *Topology {
	clocked := *t
	clocked.Servers = slices.Clone(t.Servers)
	type kind struct {
		of    *Host
		clock float64
	}
	kinds := map[kind]*Host{}
	for i := range clocked.Servers {
		k := kind{clocked.Servers[i].Spec, clock[i]}
		if k.clock == 1 {
			continue
		}
		if kinds[k] == nil {
			h := *k.of
			a := &h.Accelerator
			for p := range a.Peak {
				a.Peak[p] = units.Compute(float64(a.Peak[p]) * k.clock)
			}
			a.Vector = units.Compute(float64(a.Vector) * k.clock)
			a.Clock = cmp.Or(a.Clock, 1) * k.clock
			kinds[k] = &h
		}
		clocked.Servers[i].Spec = kinds[k]
	}
	return &clocked
}

// Rated is the matrix rate of the data sheet, at the full clock.
func (a *Accelerator) Rated(p Precision) float64 {
	return float64(a.Peak[p]) / cmp.Or(a.Clock, 1)
}
