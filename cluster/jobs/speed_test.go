package jobs_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Accelerators at half the speed of estimates: what is left of a job falls half as fast,
// and it ends in twice the time.
func TestPoliciesKnowSpeeds(t *testing.T) {
	for _, c := range []struct {
		name, policy string
		accelerators int
		jobs         []job
		want         string // when they start first, and end
	}{
		// After 100 s the first has 50 s left, and not none: 40 s are less.
		{"srtf", "srtf", 1, []job{{duration: 100 * s, gang: 1}, {start: 100 * s, duration: 40 * s, gang: 1}}, "0-280 100-180"},
		{"srtf, more than is left", "srtf", 1, []job{{duration: 100 * s, gang: 1}, {start: 100 * s, duration: 60 * s, gang: 1}}, "0-200 200-320"},
		// Stopped, it has 50 s left, and not none, when one of 45 s comes.
		{
			"srtf, of what waits", "srtf", 1,
			[]job{{duration: 100 * s, gang: 1}, {start: 100 * s, duration: 40 * s, gang: 1}, {start: 120 * s, duration: 45 * s, gang: 1}},
			"0-370 100-180 180-270",
		},
		{"srsf", "srsf", 2, []job{{duration: 100 * s, gang: 2}, {start: 100 * s, duration: 90 * s, gang: 1}}, "0-380 100-280"},
		// The first ends at 100 s: then the second is to start. The third ends by then, the
		// fourth would not.
		{
			"easy", "easy-backfill", 2,
			[]job{{duration: 50 * s, gang: 1}, {start: s, duration: 10 * s, gang: 2}, {start: 2 * s, duration: 49 * s, gang: 1}, {start: 2 * s, duration: 50 * s, gang: 1}},
			"0-100 100-120 2-100 120-220",
		},
		{
			"conservative", "conservative-backfill", 2,
			[]job{{duration: 50 * s, gang: 1}, {start: s, duration: 10 * s, gang: 2}, {start: 2 * s, duration: 50 * s, gang: 1}, {start: 2 * s, duration: 49 * s, gang: 1}},
			"0-100 100-120 120-220 2-100",
		},
	} {
		topo, _ := topology.Pool(c.accelerators)
		hosts := []scheduler.Host{{Accelerators: c.accelerators, Speed: 0.5}}
		cl := cluster.NewScheduled(sim.New(), topo, 0, scheduler.Policy{Name: c.policy, Types: []int{c.accelerators}})
		cl.Place(scheduler.NewPlacer(hosts, scheduler.Placing{}), hosts)
		var durations []sim.Time
		for _, j := range c.jobs {
			durations = append(durations, j.duration)
		}
		for i, program := range jobs.New(cl).Programs(durations, jobs.Recovery{}) {
			cl.Submit(&cluster.Job{Name: fmt.Sprint(i), Start: c.jobs[i].start, Count: c.jobs[i].gang, Estimate: durations[i], Program: program})
		}
		if err := cl.Engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, j := range cl.Jobs {
			got += fmt.Sprintf(" %v-%v", j.StartedAt.Seconds(), j.FinishedAt.Seconds())
		}
		if got != " "+c.want {
			t.Errorf("%s: jobs run from and to%s, want %s", c.name, got, c.want)
		}
	}
}
