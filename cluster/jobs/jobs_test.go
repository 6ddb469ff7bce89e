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
	priority        int64
	group           string
	least, most     int
}

// pool runs jobs on a pool of accelerators.
func pool(t interface{ Fatal(...any) }, accelerators int, p scheduler.Policy, all ...job) (*cluster.Cluster, *jobs.Trace) {
	topo, err := topology.Pool(accelerators)
	if err != nil {
		t.Fatal(err)
	}
	c := cluster.NewScheduled(sim.New(), topo, 0, p)
	trace := jobs.New(c)
	trace.PreemptionCost, trace.Scaling = sim.Time(p.PreemptionCost), 1
	var durations []sim.Time
	for _, j := range all {
		durations = append(durations, j.duration)
	}
	for i, program := range trace.Programs(durations, jobs.Recovery{}) {
		j := all[i]
		estimate := j.duration
		if estimate == 0 {
			estimate = -1
		}
		c.Submit(&cluster.Job{
			Name: fmt.Sprint(i), Start: j.start, Count: j.gang, Estimate: estimate, Priority: j.priority, Group: j.group, Least: j.least, Most: j.most, Program: program,
		})
	}
	if err := c.Engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c, trace
}

// A short job stops a long one at 10 s, which goes on at 15 s and needs 2 s more
// for having been stopped.
func TestPreemptionCost(t *testing.T) {
	c, trace := pool(t, 4, scheduler.Policy{Name: "srtf", PreemptionCost: 2 * units.Duration(s)}, job{duration: 100 * s, gang: 4}, job{start: 10 * s, duration: 5 * s, gang: 2})
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

// A job that is put back begins anew: 10 s are for nothing. One that is cancelled
// ends then.
func TestPreemption(t *testing.T) {
	all := []job{{duration: 100 * s, gang: 4}, {start: 10 * s, duration: 5 * s, gang: 2}}
	c, _ := pool(t, 4, scheduler.Policy{Name: "srtf", Preemption: scheduler.Requeue}, all...)
	if end := c.Jobs[0].FinishedAt; end != 115*s {
		t.Errorf("the long job ends at %v, want 115 s", end)
	}
	c, _ = pool(t, 4, scheduler.Policy{Name: "srtf", Preemption: scheduler.Cancel}, all...)
	if j := c.Jobs[0]; j.FinishedAt != 10*s || !j.Cancelled || c.Engine.Now() != 15*s {
		t.Errorf("cancelled %v at %v, and the run ends at %v; want 10 s and 15 s", j.Cancelled, j.FinishedAt, c.Engine.Now())
	}
}

// The elastic job does 20 of its 100 s in 10 s on twice its accelerators, and 20 more
// in the 20 s in which the other leaves it four; then it grows back and does 60 in 30.
// With a cost of 1 s, paid when it shrinks and when it grows, it does 19 and ends 2 s
// and a half later.
func TestElastic(t *testing.T) {
	all := []job{{duration: 100 * s, gang: 4, least: 1, most: 8}, {start: 10 * s, duration: 20 * s, gang: 4}}
	for cost, want := range map[sim.Time]sim.Time{0: 60 * s, s: 60*s + s + s/2} {
		c, trace := pool(t, 8, scheduler.Policy{Name: "elastic", PreemptionCost: units.Duration(cost)}, all...)
		if got := c.Jobs[0].FinishedAt; got != want || c.Jobs[1].FinishedAt != 30*s {
			t.Errorf("cost %v: they end at %v and %v, want %v and 30 s", cost, got, c.Jobs[1].FinishedAt, want)
		}
		var sizes []int
		for i := range trace.Stretches(c.Engine.Now()) {
			n := 0
			for _, span := range trace.Spans(i) {
				n += int(span.Last-span.First) + 1
			}
			sizes = append(sizes, n)
		}
		if want := []int{8, 4, 4, 8}; !slices.Equal(sizes, want) {
			t.Errorf("stretches on %v, want %v", sizes, want)
		}
	}
}

// A job that takes no time has ended before the next has to wait for it: the third starts
// with the two accelerators that are left at 0 s, and the fourth, that would delay it, does
// not start before.
func TestBackfillBesideNoTime(t *testing.T) {
	c, _ := pool(t, 3, scheduler.Policy{Name: "easy-backfill"}, job{duration: 10 * s, gang: 1}, job{gang: 1}, job{duration: 5 * s, gang: 2}, job{duration: s, gang: 1})
	var got []sim.Time
	for _, j := range c.Jobs {
		got = append(got, j.StartedAt)
	}
	if want := []sim.Time{0, 0, 0, 5 * s}; !slices.Equal(got, want) {
		t.Errorf("start at %v, want %v", got, want)
	}
}

// Elastic shares are max-min: after the least of each, the rest goes to who has the
// least, up to the most that it can use.
func TestElasticShares(t *testing.T) {
	all := []job{
		{duration: 10 * s, gang: 4, least: 4, most: 12},
		{duration: 10 * s, gang: 1, least: 1, most: 2},
		{duration: 10 * s, gang: 1, least: 1, most: 12},
		{duration: 10 * s, gang: 2},
	}
	c, trace := pool(t, 13, scheduler.Policy{Name: "elastic"}, all...)
	var sizes []int
	for i, x := range trace.Stretches(c.Engine.Now()) {
		if n := len(trace.Spans(i)); x.From == 0 && n == 1 {
			sizes = append(sizes, int(trace.Spans(i)[0].Last-trace.Spans(i)[0].First)+1)
		}
	}
	// 4, 1, 1 and 2 leave 5: the second gets its one more, the third rises to 4, and the
	// last goes to the first, who came before.
	if want := []int{5, 2, 4, 2}; !slices.Equal(sizes, want) {
		t.Errorf("shares %v, want %v", sizes, want)
	}
}

// Under every policy and way of preemption every job ends, has run for its duration
// and the cost of its preemptions, or been cancelled, on as many accelerators as it wants, and no accelerator has two jobs
// at once.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := scheduler.Policy{
			Name: rapid.SampledFrom(scheduler.Policies()).Draw(t, "policy"), LASLimits: []float64{20, 60},
			Services: []float64{3, 10, 40}, Lease: 5 * units.Duration(s),
			PreemptionCost: units.Duration(rapid.Int64Range(0, 3).Draw(t, "cost")) * units.Duration(s),
			Preemption:     scheduler.Preemption(rapid.IntRange(int(scheduler.Suspend), int(scheduler.Cancel)).Draw(t, "preemption")),
		}
		if p.Name == "elastic" || scheduler.Leases(p.Name) && p.Preemption == scheduler.Requeue {
			p.Preemption = scheduler.Suspend
		}
		if scheduler.KeepsQuotas(p.Name) {
			p.Groups = []scheduler.Group{{Name: "a", Weight: 1, Quota: rapid.IntRange(0, 5).Draw(t, "quota")}, {Name: "b", Weight: 2, Quota: 3}}
		}
		n := rapid.IntRange(1, 10).Draw(t, "accelerators")
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) job {
			return job{
				sim.Time(rapid.Int64Range(0, 60).Draw(t, "start")) * s / 2, sim.Time(rapid.Int64Range(0, 80).Draw(t, "duration")) * s / 4,
				rapid.IntRange(1, n).Draw(t, "gang"), rapid.Int64Range(0, 3).Draw(t, "priority"),
				rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group"), 0, 0,
			}
		}), 1, 25).Draw(t, "jobs")
		c, trace := pool(t, n, p, all...)
		ran, lost := make([]sim.Time, len(all)), make([]sim.Time, len(all)) // lost: in stretches before the last
		last := make([]sim.Time, len(all))
		var busy []struct {
			jobs.Span
			jobs.Stretch
		}
		for i, x := range trace.Stretches(c.Engine.Now()) {
			ran[x.Job] += x.To - x.From
			lost[x.Job] += last[x.Job]
			last[x.Job] = x.To - x.From
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
			if j.Cancelled != (p.Preemption == scheduler.Cancel && j.Stops == 1) {
				t.Fatalf("job %d: cancelled %v, stopped %d times", i, j.Cancelled, j.Stops)
			}
			useful, want := ran[i], all[i].duration
			switch p.Preemption {
			case scheduler.Suspend:
				want += sim.Time(j.Stops) * trace.PreemptionCost
			case scheduler.Requeue:
				useful -= lost[i]
			}
			if !j.Finished || useful != want && !j.Cancelled {
				t.Fatalf("job %d ran for %v, want %v, and finished %v", i, useful, want, j.Finished)
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
	programs := jobs.New(c).Programs([]sim.Time{30 * sim.Second, 10 * sim.Second}, jobs.Recovery{})
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
