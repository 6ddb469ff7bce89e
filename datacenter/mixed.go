package datacenter

import (
	"slices"
	"strings"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/topology"
)

// accelerator is what a job computes on. Where hosts differ it is the slowest at a
// precision of those that the job may get, with the least memory of any: ranks that
// compute in step wait for the slowest, and all hold as much.
func (b *builder) accelerator(j *cluster.Job, p topology.Precision) topology.Accelerator {
	var slowest topology.Accelerator
	var seen *topology.Host
	consider := func(h *topology.Host) {
		a := h.Accelerator
		switch {
		case h == seen || h.Accelerators == 0:
			return
		case seen == nil:
			slowest = a
		default:
			memory := min(slowest.Memory, a.Memory)
			if a.Peak[p] < slowest.Peak[p] {
				slowest = a
			}
			slowest.Memory = memory
		}
		seen = h
	}
	for _, a := range j.List {
		consider(b.topology.Servers[b.topology.Server(topology.NodeID(a))].Spec)
	}
	if j.List == nil {
		for i := range b.topology.Servers {
			consider(b.topology.Servers[i].Spec)
		}
	}
	return slowest
}

// hostNames are the names of the kinds of hosts.
func hostNames(t *topology.Topology) string {
	var names []string
	for i := range t.Servers {
		if name := t.Servers[i].Spec.Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
