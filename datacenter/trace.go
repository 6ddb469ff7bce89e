package datacenter

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Traced is a training job that has run for a few iterations.
type Traced struct {
	*training.Job
	Record *result.Record // of it, as the summary has it
}

// Trace runs the training jobs of a scenario for a few iterations, with the resources of
// the data centre multiplied and without its failures. Where nothing is multiplied the
// jobs have a [training.Trace]. Iterations of a job that has the data centre to itself are
// alike unless they have jitter, and one is enough. Errors are those of [Run], and of an
// iteration too long to be traced.
func Trace(ctx context.Context, s *scenario.Scenario, o Options, scale topology.Scale) ([]Traced, error) {
	p, faults := buildScaled(s, o, scale)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	for _, j := range p.training {
		most := int64(training.Simulated)
		if len(p.cluster.Jobs) == 1 && len(p.cluster.Flows) == 0 && j.Stragglers.Jitter == 0 && j.Input == nil {
			most = 1
		}
		if in := p.loadingOf(j); in != nil && in.from == "" { // the last iterations: what caches hold by then they have
			in.begun = max(0, j.Iterations-most)
		}
		j.Iterations = min(j.Iterations, most)
		j.Every = 0
		if scale == (topology.Scale{}) {
			j.Trace = &training.Trace{}
		}
	}
	p.engine.Horizon = sim.Time(s.Sim.Horizon.Value)
	err := p.run(ctx, o)
	if err == nil {
		err = p.cluster.Err
	}
	if fault := p.untraceable(err); fault != nil {
		return nil, fault
	}
	if err != nil && !errors.Is(err, sim.ErrHorizon) {
		return nil, fmt.Errorf("the simulation could not finish: %w", err)
	}
	traced := make([]Traced, len(p.training))
	for i, j := range p.training {
		traced[i] = Traced{j, p.trainingRecord(j, p.cluster.Jobs[p.jobs[i]])}
	}
	return traced, nil
}

// untraceable is the fault of a scenario one of whose jobs has an iteration too long
// to be traced, nil if that is not what went wrong.
func (p *plant) untraceable(err error) error {
	var job *cluster.JobError
	var long *training.TraceError
	if !errors.As(err, &job) || !errors.As(err, &long) {
		return nil
	}
	i := slices.IndexFunc(p.jobs, func(n int) bool { return p.cluster.Jobs[n].Name == job.Job })
	w := p.scenario.Workload.Training[i]
	return scenario.Faults{w.GlobalBatch.Pos.Faultf(w.Path+".global_batch", "makes %d micro-batches, %d computations and exchanges in an iteration, more than can be explained, %d; fewer micro-batches have much the same critical path",
		p.training[i].Training.Accumulation(), long.Activities, training.MaxActivities)}
}
