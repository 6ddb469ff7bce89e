package collective

import (
	"slices"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/topology"
)

// kept is a plan that may have to be laid again, and how.
type kept struct {
	plan *Plan
	lay  func() (*Plan, error)
	off  bool // some of it is not on the way that it would take with all links up
}

// KeepPlans has the planner keep what it plans, so that Reroute can lay it again. It
// must be called before anything is planned.
func (p *Planner) KeepPlans() { p.keeps = true }

// keep notes how a plan may be laid again.
func (p *Planner) keep(plan *Plan, lay func() (*Plan, error)) {
	if p.keeps && !p.laying {
		p.kept = append(p.kept, kept{plan: plan, lay: lay, off: p.topology.Detours()})
	}
}

// Reroute plans over the routes of another state of the topology from now on, and lays
// those plans again that crossed links which are down or went around some before.
// Their phases keep their places, and so do the plans. change is called with the
// footprint of each of these phases before it becomes another.
func (p *Planner) Reroute(t *topology.Topology, down []bool, change func(*network.Footprint)) {
	p.topology = t
	p.laying = true
	defer func() { p.laying = false }()
	for i := range p.kept {
		k := &p.kept[i]
		cut := slices.ContainsFunc(k.plan.Phases, func(f Phase) bool {
			return slices.ContainsFunc(f.Links, func(l topology.LinkID) bool { return down[l] })
		})
		if !cut && !k.off {
			continue
		}
		k.off = t.Detours()
		plan, err := k.lay()
		if err != nil {
			continue // it crosses too many links to plan: it waits where it is
		}
		for i := range plan.Phases {
			from, to := &plan.Phases[i], &k.plan.Phases[i]
			change(&to.Footprint)
			to.Links, to.Counts, to.Latency, to.rate = from.Links, from.Counts, from.Latency, from.rate
		}
	}
}
