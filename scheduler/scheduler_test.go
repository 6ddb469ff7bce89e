package scheduler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/scheduler"
	"pgregory.net/rapid"
)

// Lifka's rule by hand, on 4 accelerators. a holds 3 until 10. b wants 4 and is
// reserved for 10. c would end by then and starts, d would not and waits, e starts
// when c has ended: nothing is left for it before.
func TestEASYByHand(t *testing.T) {
	tasks := []task{
		{submit: 0, gang: 3, duration: 10}, // a
		{submit: 1, gang: 4, duration: 5},  // b
		{submit: 1, gang: 1, duration: 4},  // c
		{submit: 1, gang: 1, duration: 20}, // d
		{submit: 2, gang: 1, duration: 5},  // e
	}
	got, err := run(scheduler.Policy{Name: "easy-backfill"}, 4, tasks)
	if err != nil {
		t.Fatal(err)
	}
	want := []outcome{{0, 10, 0}, {10, 15, 0}, {1, 5, 0}, {15, 35, 0}, {5, 10, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// With wrong estimates, too, every job runs once, for its duration.
func TestBackfillWithWrongEstimates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := sorted(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) task {
			return task{
				submit: rapid.Int64Range(0, 50).Draw(t, "submit"), gang: rapid.Int64Range(1, 8).Draw(t, "gang"),
				duration: rapid.Int64Range(1, 40).Draw(t, "duration"), estimate: rapid.Int64Range(1, 40).Draw(t, "estimate"),
			}
		}), 1, 30).Draw(t, "tasks"))
		got, err := run(scheduler.Policy{Name: rapid.SampledFrom([]string{"easy-backfill", "conservative-backfill"}).Draw(t, "policy")}, 8, tasks)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range got {
			if o.finish-o.start != tasks[i].duration {
				t.Fatalf("job %d runs from %d to %d, and needs %d", i, o.start, o.finish, tasks[i].duration)
			}
		}
	})
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy scheduler.Policy
		want   string // "" if all is well
	}{
		{"the zero value", scheduler.Policy{}, ""},
		{"unknown", scheduler.Policy{Name: "lottery"}, "lottery"},
		{"falling limits", scheduler.Policy{Name: "las", LASLimits: []float64{5, 3}}, "must rise"},
		{"no limit at all", scheduler.Policy{Name: "las", LASLimits: []float64{0}}, "more than 0"},
		{"too many limits", scheduler.Policy{Name: "las", LASLimits: slices.Repeat([]float64{1}, 65)}, "at most 64"},
		{"negative cost", scheduler.Policy{PreemptionCost: -1}, "costs"},
		{"quotas", scheduler.Policy{Name: "drf", Groups: []scheduler.Group{{Name: "a", Weight: 1, Quota: 4, Limit: 8}}}, ""},
		{"quotas of a policy without", scheduler.Policy{Name: "las", Groups: []scheduler.Group{{Name: "a", Weight: 1, Quota: 4}}}, "keeps no quotas"},
		{"limit below the quota", scheduler.Policy{Name: "drf", Groups: []scheduler.Group{{Name: "a", Weight: 1, Quota: 4, Limit: 3}}}, "quota 4 and limit 3"},
		{"no weight", scheduler.Policy{Name: "drf", Groups: []scheduler.Group{{Name: "a"}}}, "weight 0"},
		{"a lease that its cost eats up", scheduler.Policy{Name: "finish-time-fairness", Lease: second, PreemptionCost: second}, "never end"},
		{"no lease", scheduler.Policy{Name: "finish-time-fairness"}, "a lease of 0"},
		{"srtf that does not preempt", scheduler.Policy{Name: "srtf", Preemption: scheduler.NoPreemption}, "preemptive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.policy.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// Free is a set of numbers.
func TestFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 200).Draw(t, "n")
		f := scheduler.NewFree(n)
		has := make([]bool, n)
		for i := range has {
			has[i] = true
		}
		for range rapid.IntRange(0, 20).Draw(t, "steps") {
			var want []int32
			for a, in := range has {
				if in {
					want = append(want, int32(a))
				}
			}
			if f.Count() != len(want) {
				t.Fatalf("count %d, want %d", f.Count(), len(want))
			}
			if n == 0 {
				break
			}
			a := int32(rapid.IntRange(0, n-1).Draw(t, "accelerator"))
			if f.Has(a) != has[a] {
				t.Fatalf("has %d: %v", a, !has[a])
			}
			switch pack := rapid.IntRange(0, n).Draw(t, "pack"); {
			case rapid.Bool().Draw(t, "packs") && pack <= len(want):
				if got := f.Pack(nil, pack); !slices.Equal(got, want[:pack]) {
					t.Fatalf("packs %v, want %v", got, want[:pack])
				}
				for _, a := range want[:pack] {
					has[a] = false
				}
			case has[a]:
				f.Remove(a)
				has[a] = false
			default:
				f.Put(a)
				has[a] = true
			}
		}
	})
}

// printer is a machine that says what it is told.
type printer struct{ names []string }

func (p printer) Start(job, accelerators, _ int) (float64, bool) {
	fmt.Println("start", p.names[job], "on", accelerators)
	return 1, true
}

func (p printer) Stop(job int) { fmt.Println("stop", p.names[job]) }

// On four accelerators a short job takes those of a long one, which goes on once
// it has ended.
func ExampleQueue() {
	q := scheduler.NewQueue(scheduler.Policy{Name: "srtf"}, 4)
	m := printer{[]string{"long", "short"}}
	long := q.Add(scheduler.Job{Accelerators: 4, Estimate: 100 * second})
	short := q.Add(scheduler.Job{Accelerators: 2, Estimate: 5 * second})
	q.Arrive(long, 0)
	q.Decide(0, m)
	q.Arrive(short, 10*second)
	q.Decide(10*second, m)
	q.Finish(short, 15*second)
	q.Decide(15*second, m)
	// Output:
	// start long on 4
	// stop long
	// start short on 2
	// start long on 4
}
