package jobs_test

import (
	"context"
	"fmt"
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

const s = sim.Second

// job is one of a trace.
type job struct {
	start, duration sim.Time
	gang            int
}

// pool runs jobs on a pool of accelerators.
func pool(t interface{ Fatal(...any) }, accelerators int, p scheduler.Policy, all ...job) (*cluster.Cluster, *jobs.Trace) {
	topo, err := topology.Pool(accelerators)
	if err != nil {
		t.Fatal(err)
	}
	c := cluster.NewScheduled(sim.New(), topo, 0, p)
	trace := jobs.New(c)
	trace.PreemptionCost = sim.Time(p.PreemptionCost)
	var durations []sim.Time
	for _, j := range all {
		durations = append(durations, j.duration)
	}
	for i, program := range trace.Programs(durations) {
		c.Submit(&cluster.Job{Name: fmt.Sprint(i), Start: all[i].start, Count: all[i].gang, Estimate: all[i].duration, Program: program})
	}
	if err := c.Engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c, trace
}

// A short job stops a long one at 10 s, which goes on at 15 s and needs 2 s more
// for having been stopped.
func TestPreemptionCost(t *testing.T) {
	c, trace := pool(t, 4, scheduler.Policy{Name: "srtf", PreemptionCost: 2 * units.Duration(s)}, job{0, 100 * s, 4}, job{10 * s, 5 * s, 2})
	if end := c.Jobs[0].FinishedAt; end != 107*s {
		t.Errorf("the long job ends at %v, want 107 s", end)
	}
	if c.Jobs[0].Stops != 1 || c.Jobs[0].StartedAt != 0 {
		t.Errorf("the long job: %+v", c.Jobs[0])
	}
	var got []string
	for i, x := range trace.Stretches(c.Engine.Now()) {
		got = append(got, fmt.Sprint(x.Job, x.From, x.To, trace.Spans(i)))
	}
	want := []string{"0 0ns 10s [{0 3}]", "1 10s 15s [{0 1}]", "0 15s 107s [{0 3}]"}
	if !slices.Equal(got, want) {
		t.Errorf("stretches %q, want %q", got, want)
	}
}

// Under every policy every job ends, has run for its duration and the cost of its
// preemptions, on as many accelerators as it wants, and no accelerator has two jobs
// at once.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := scheduler.Policy{
			Name: rapid.SampledFrom(scheduler.Policies()).Draw(t, "policy"), LASLimits: []float64{20, 60},
			PreemptionCost: units.Duration(rapid.Int64Range(0, 3).Draw(t, "cost")) * units.Duration(s),
		}
		n := rapid.IntRange(1, 10).Draw(t, "accelerators")
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) job {
			return job{
				sim.Time(rapid.Int64Range(0, 60).Draw(t, "start")) * s / 2, sim.Time(rapid.Int64Range(0, 80).Draw(t, "duration")) * s / 4,
				rapid.IntRange(1, n).Draw(t, "gang"),
			}
		}), 1, 25).Draw(t, "jobs")
		c, trace := pool(t, n, p, all...)
		ran := make([]sim.Time, len(all))
		var busy []struct {
			jobs.Span
			jobs.Stretch
		}
		for i, x := range trace.Stretches(c.Engine.Now()) {
			ran[x.Job] += x.To - x.From
			held := 0
			for _, span := range trace.Spans(i) {
				held += int(span.Last-span.First) + 1
				for _, b := range busy {
					if span.First <= b.Last && b.First <= span.Last && x.From < b.To && b.From < x.To {
						t.Fatalf("jobs %d and %d have accelerators in common", x.Job, b.Job)
					}
				}
				busy = append(busy, struct {
					jobs.Span
					jobs.Stretch
				}{span, x})
			}
			if held != all[x.Job].gang {
				t.Fatalf("job %d runs on %d accelerators, and wants %d", x.Job, held, all[x.Job].gang)
			}
		}
		for i, j := range c.Jobs {
			if want := all[i].duration + sim.Time(j.Stops)*sim.Time(p.PreemptionCost); !j.Finished || ran[i] != want {
				t.Fatalf("job %d ran for %v, want %v, and finished %v", i, ran[i], want, j.Finished)
			}
			if j.StartedAt < j.Start {
				t.Fatalf("job %d starts at %v, before it comes", i, j.StartedAt)
			}
		}
	})
}

func ExampleTrace() {
	topo, _ := topology.Pool(2)
	c := cluster.NewScheduled(sim.New(), topo, 0, scheduler.Policy{Name: "fifo"})
	programs := jobs.New(c).Programs([]sim.Time{30 * sim.Second, 10 * sim.Second})
	c.Submit(&cluster.Job{Name: "wide", Count: 2, Program: programs[0]})
	c.Submit(&cluster.Job{Name: "narrow", Count: 1, Program: programs[1]})
	if err := c.Engine.Run(context.Background()); err != nil {
		panic(err)
	}
	for _, j := range c.Jobs {
		fmt.Println(j.Name, "runs from", j.StartedAt, "to", j.FinishedAt)
	}
	// Output:
	// wide runs from 0ns to 30s
	// narrow runs from 30s to 40s
}
