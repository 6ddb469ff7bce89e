package cluster

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
)

// TypeUse is for how long jobs have had accelerators of each type up to now, in
// accelerator-seconds, parts of them as parts. It is nil if jobs are not placed host by
// host.
func (c *Cluster) TypeUse(now sim.Time) []float64 {
	at := c.placement
	if at == nil {
		return nil
	}
	used := slices.Clone(at.used)
	for i := range at.grants {
		at.grants[i].count(at.hosts, now, used)
	}
	return used
}

// count adds what a job has had of each type since it was placed, if it has not given it
// back.
func (g *grant) count(hosts []scheduler.Host, now sim.Time, used []float64) {
	part := float64(cmp.Or(g.request.Milli, scheduler.Whole)) / scheduler.Whole
	for _, s := range g.shares {
		used[hosts[s.Host].Type] += part * float64(len(s.Accelerators)) * (now - g.since).Seconds()
	}
}
