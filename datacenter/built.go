package datacenter

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/scenario"
)

// Built is a data centre that has been built and has not run.
type Built struct {
	Cluster   *cluster.Cluster
	Trainings []*training.Job  // one for each [[workload.training]]
	Fleets    []*serving.Fleet // one for each [[workload.serving]]
}

// Build is [Check] that gives what it has built. What is wrong is returned as Faults.
func Build(s *scenario.Scenario, o Options) (*Built, error) {
	p, faults := build(s, o)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	built := &Built{Cluster: p.cluster, Trainings: p.training}
	for _, f := range p.served {
		built.Fleets = append(built.Fleets, f.Fleet)
	}
	return built, nil
}
