package datacenter

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// requeues says whether a training job goes back to the queue when its accelerators fail, or
// the policy takes them for others. One that lists them has nowhere else to go, and what it
// gave back others would hold when the rest is repaired; one that is alone has no queue.
func (b *builder) requeues(w *scenario.Training) bool {
	if w.Failure.Set {
		return w.Failure.Value == "requeue"
	}
	return (b.failing != nil || b.cluster.Stops() && b.scenario.Workload.Several()) && w.Accelerators.Value.List == nil
}

// expects has the policy know how long a training job will run, by what it computes, if the
// scenario does not say. Policies that stop jobs may go by what is left of them.
func (b *builder) expects(j *cluster.Job, of *training.Job) {
	if j.Estimate > 0 || !b.cluster.Stops() {
		return
	}
	layers := of.Layers
	if layers == nil {
		layers = of.Training.Layers()
	}
	seconds := float64(of.Iterations) * estimate(of.Training, layers, of.Roofline)
	j.Estimate = max(1, min(sim.FromSeconds(seconds), sim.Never/2))
}

// foreseen are the failures to come that stop a job on some accelerators.
func (x *failing) foreseen(t *topology.Topology, accelerators []topology.NodeID) stops {
	return stops{x.Stopping(serversOf(t, accelerators)), x.sources}
}

// failureSource is a source of failures by the number that training jobs know it by, and
// what the scenario says of it.
func (p *plant) failureSource(n int) (*fault.Source, *scenario.TopologyFault) {
	if p.failing != nil { // which has those of links beside them
		return &p.failing.sources[n], p.failing.said[n]
	}
	return &p.stopping.sources[n], p.stopping.said[n]
}

// tenures are the times in which a job that runs event by event had accelerators.
func (p *plant) tenures(n int) []training.Tenure {
	j, end := p.cluster.Jobs[n], p.engine.Now()
	if !j.Started {
		return nil
	}
	if j.Finished {
		end = j.FinishedAt
	}
	all := []training.Tenure{{From: j.StartedAt, To: end, Accelerators: j.Accelerators}}
	if r, ok := j.Program.(*training.Requeued); ok {
		all = slices.Clone(r.Tenures)
	}
	for i := range all {
		if s := &all[i]; s.To < 0 || s.To > end {
			s.To = end
		}
	}
	return all
}

// addStretches adds to the results of a queue when a job that runs event by event had
// accelerators, and what for.
func (p *plant) addStretches(r *jobResults, x *jobResult, n int) {
	accelerators := 0.0
	for _, s := range p.tenures(n) {
		list := make([]int, len(s.Accelerators))
		for i, a := range s.Accelerators {
			list[i] = int(a)
		}
		slices.Sort(list)
		if !x.Shared {
			accelerators = float64(len(list))
		}
		x.ran += s.To - s.From
		r.stretches = append(r.stretches, stretch{n, accelerators, s.From, s.To, ranges(list)})
	}
	x.held = accelerators * x.ran.Seconds()
	x.spent = p.spentBy(n, accelerators)
	x.alone = x.ran
	if x.held > 0 {
		x.alone = sim.FromSeconds((x.held - x.spent.all()) / accelerators)
	}
}

// heldFor is for how long a job that runs event by event had accelerators.
func (p *plant) heldFor(n int) (sum sim.Time) {
	for _, s := range p.tenures(n) {
		sum += s.To - s.From
	}
	return sum
}
