package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// Two jobs that take turns every millisecond are not run to their end: what they would
// leave to be kept has a bound.
func TestNoEndInSight(t *testing.T) {
	topo, err := topology.Pool(1)
	if err != nil {
		t.Fatal(err)
	}
	c := cluster.NewScheduled(sim.New(), topo, 0, scheduler.Policy{Name: "max-min", Lease: units.Duration(sim.Millisecond)})
	trace := jobs.New(c)
	for _, program := range trace.Programs([]sim.Time{1e6 * s, 1e6 * s}, jobs.Recovery{}) {
		c.Submit(&cluster.Job{Name: "turn", Count: 1, Estimate: 1e6 * s, Program: program})
	}
	const turns = 1000
	trace.HaveBegun(jobs.MaxAgain - turns)
	err = c.Engine.Run(context.Background())
	if failed, ok := errors.AsType[*cluster.JobError](err); !ok || !strings.Contains(err.Error(), "failures, preemptions or leases come faster") {
		t.Fatalf("%v, %v, want that no end is in sight", err, failed)
	}
	if now := c.Engine.Now(); now > 10*s {
		t.Errorf("it has gone on until %v, %d turns of 1 ms", now, turns)
	}
}
