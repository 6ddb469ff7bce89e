package jobs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"pgregory.net/rapid"
)

// Under every policy and placement every job that fits on the idle cluster ends,
// and no accelerator has two jobs at once. Elastic shares are counts, which hosts of
// two types may not be able to give: a scenario does not have both.
func TestPlacedJobs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hosts []scheduler.Host
		total, types := 0, make([]int, 2)
		for range rapid.IntRange(1, 5).Draw(t, "hosts") {
			h := scheduler.Host{
				Accelerators: rapid.IntRange(1, 4).Draw(t, "accelerators"), Type: uint8(rapid.IntRange(0, 1).Draw(t, "type")),
				Speed: rapid.SampledFrom([]float64{0, 0.5, 2}).Draw(t, "speed"), CPU: 4000,
				Near: [3]int32{rapid.Int32Range(-1, 1).Draw(t, "rack"), -1, 0},
			}
			total += h.Accelerators
			types[h.Type] += h.Accelerators
			hosts = append(hosts, h)
		}
		how := scheduler.Placing{
			Rule:        scheduler.Placement(rapid.IntRange(0, int(scheduler.Fragmentation)).Draw(t, "rule")),
			Consolidate: rapid.Bool().Draw(t, "consolidate"), Random: rand.New(rand.NewPCG(1, 2)),
			Speeds: []scheduler.Speeds{{4}, {0.25, 1}},
		}
		topo, err := topology.Pool(total)
		if err != nil {
			t.Fatal(err)
		}
		inelastic := slices.DeleteFunc(scheduler.Policies(), func(name string) bool { return name == "elastic" })
		policy := scheduler.Policy{Name: rapid.SampledFrom(inelastic).Draw(t, "policy"), LASLimits: []float64{5}, Lease: 4 * units.Duration(s), Services: []float64{5, 20}}
		if rapid.Bool().Draw(t, "typed") {
			policy.Types = types
		}
		c := cluster.NewScheduled(sim.New(), topo, 0, policy)
		c.Place(scheduler.NewPlacer(hosts, how), hosts)
		idle := scheduler.NewPlacer(hosts, scheduler.Placing{Consolidate: how.Consolidate})
		var durations []sim.Time
		var all []*cluster.Job
		for i := range rapid.IntRange(1, 12).Draw(t, "jobs") {
			j := &cluster.Job{
				Name: fmt.Sprint(i), Start: sim.Time(rapid.IntRange(0, 20).Draw(t, "start")) * s, Count: rapid.IntRange(1, total).Draw(t, "gang"),
				Needs: &scheduler.Request{CPU: rapid.Int64Range(0, 4000).Draw(t, "cpu"), Types: rapid.Uint64Range(0, 3).Draw(t, "types"), Speeds: rapid.Int32Range(0, 2).Draw(t, "speeds")},
			}
			wants := *j.Needs
			wants.Count, wants.Speeds = j.Count, 0
			if idle.Place(wants) == nil {
				continue
			}
			j.Estimate = sim.Time(rapid.IntRange(1, 10).Draw(t, "duration")) * s
			durations = append(durations, j.Estimate)
			all = append(all, j)
		}
		trace := jobs.New(c)
		for i, program := range trace.Programs(durations, jobs.Recovery{}) {
			all[i].Program = program
			c.Submit(all[i])
		}
		if err := c.Engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, j := range all {
			if !j.Finished || j.Failed {
				t.Fatalf("job %s of %d has not finished under %s", j.Name, j.Count, policy.Name)
			}
		}
		end := c.Engine.Now()
		stretches := trace.Stretches(end)
		for i, a := range stretches {
			for k, b := range stretches[:i] {
				if a.From >= b.To || b.From >= a.To {
					continue
				}
				for _, x := range trace.Spans(i) {
					for _, y := range trace.Spans(k) {
						if x.First <= y.Last && y.First <= x.Last {
							t.Fatalf("jobs %d and %d have accelerators in common: %v, %v", a.Job, b.Job, x, y)
						}
					}
				}
			}
		}
		if free := c.Loads(); len(free) > 0 && free[len(free)-1].Allocated > 1 {
			t.Fatalf("%v", free)
		}
	})
}
