package scheduler_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/scheduler"
)

// starts are when tasks first start.
func starts(t *testing.T, p scheduler.Policy, accelerators int64, tasks []task) (all []int64, stops []int) {
	t.Helper()
	got, err := run(p, accelerators, tasks)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range got {
		all, stops = append(all, o.start), append(stops, o.stops)
	}
	return all, stops
}

// A higher priority stops a lower one, which goes on afterwards; without preemption
// it waits, and is the next.
func TestPriority(t *testing.T) {
	tasks := []task{
		{submit: 0, gang: 4, duration: 10, priority: 0},
		{submit: 2, gang: 4, duration: 10, priority: -5},
		{submit: 4, gang: 2, duration: 3, priority: 7},
	}
	got, stops := starts(t, scheduler.Policy{Name: "priority"}, 4, tasks)
	if want := []int64{0, 13, 4}; !slices.Equal(got, want) || stops[0] != 1 {
		t.Errorf("starts %v, stops %v, want %v and the first stopped once", got, stops, want)
	}
	got, stops = starts(t, scheduler.Policy{Name: "priority", Preemption: scheduler.NoPreemption}, 4, tasks)
	if want := []int64{0, 13, 10}; !slices.Equal(got, want) || stops[0] != 0 {
		t.Errorf("without preemption: starts %v, stops %v, want %v", got, stops, want)
	}
}

// Dominant resource fairness fills the lowest share, by weight: b has two jobs before
// a has its second; with three times the weight, a has three for one of b.
func TestDRF(t *testing.T) {
	tasks := []task{
		{gang: 2, duration: 100, group: "a"},
		{gang: 2, duration: 100, group: "a"},
		{gang: 2, duration: 100, group: "a"},
		{gang: 2, duration: 100, group: "a"},
		{gang: 1, duration: 100, group: "b"},
		{gang: 1, duration: 100, group: "b"},
		{gang: 1, duration: 100, group: "b"},
		{gang: 1, duration: 100, group: "b"},
	}
	held := func(p scheduler.Policy, accelerators int64) (a, b int64) {
		got, _ := starts(t, p, accelerators, tasks)
		for i, start := range got {
			if start == 0 && i < 4 {
				a += 2
			} else if start == 0 {
				b++
			}
		}
		return a, b
	}
	if a, b := held(scheduler.Policy{Name: "drf"}, 8); a != 4 || b != 4 {
		t.Errorf("of 8 accelerators a has %d and b %d, want 4 each", a, b)
	}
	weighted := scheduler.Policy{Name: "drf", Groups: []scheduler.Group{{Name: "a", Weight: 3}, {Name: "b", Weight: 1}}}
	if a, b := held(weighted, 8); a != 6 || b != 2 {
		t.Errorf("by weight of 3 to 1 a has %d and b %d, want 6 and 2", a, b)
	}
}

// Fair share remembers: a has used 400 accelerator-seconds when both wait, so b
// starts first, twice; once b has used more, it is a's turn. With a half-life of a
// second the distant past does not count, and a, who held nothing lately, is first.
func TestFairShare(t *testing.T) {
	tasks := []task{
		{submit: 0, gang: 4, duration: 100, group: "a"},
		{submit: 10, gang: 4, duration: 60, group: "a"},
		{submit: 20, gang: 4, duration: 60, group: "b"},
		{submit: 30, gang: 4, duration: 60, group: "b"},
	}
	got, _ := starts(t, scheduler.Policy{Name: "fair-share"}, 4, tasks)
	if want := []int64{0, 220, 100, 160}; !slices.Equal(got, want) {
		t.Errorf("starts %v, want %v", got, want)
	}
	got, _ = starts(t, scheduler.Policy{Name: "fair-share", HalfLife: second}, 4, tasks)
	if want := []int64{0, 160, 100, 220}; !slices.Equal(got, want) {
		t.Errorf("forgetful: starts %v, want %v", got, want)
	}
}

// a borrows b's half and gives back what it started last, once b wants it.
func TestQuota(t *testing.T) {
	groups := []scheduler.Group{{Name: "a", Weight: 1, Quota: 4}, {Name: "b", Weight: 1, Quota: 4}}
	tasks := []task{
		{submit: 0, gang: 2, duration: 100, group: "a"},
		{submit: 1, gang: 2, duration: 100, group: "a"},
		{submit: 2, gang: 2, duration: 100, group: "a"},
		{submit: 3, gang: 2, duration: 100, group: "a"},
		{submit: 10, gang: 3, duration: 20, group: "b"},
		{submit: 11, gang: 2, duration: 20, group: "b"}, // beyond b's quota while the first runs
	}
	got, stops := starts(t, scheduler.Policy{Name: "fifo-skip", Groups: groups}, 8, tasks)
	if want := []int64{0, 1, 2, 3, 10, 30}; !slices.Equal(got, want) {
		t.Errorf("starts %v, want %v", got, want)
	}
	if want := []int{0, 0, 1, 1, 0, 0}; !slices.Equal(stops, want) {
		t.Errorf("stops %v, want %v", stops, want)
	}
	// Nobody is stopped: b waits for what is its own. Its second job is the first for
	// which there is room, and then the first of b would be beyond the quota, and borrows.
	got, _ = starts(t, scheduler.Policy{Name: "fifo-skip", Groups: groups, Preemption: scheduler.NoPreemption}, 8, tasks)
	if want := []int64{0, 1, 2, 3, 102, 100}; !slices.Equal(got, want) {
		t.Errorf("without preemption: starts %v, want %v", got, want)
	}
	// With a limit a does not borrow at all.
	groups[0].Limit = 4
	got, stops = starts(t, scheduler.Policy{Name: "fifo-skip", Groups: groups}, 8, tasks)
	if want := []int64{0, 1, 100, 101, 10, 30}; !slices.Equal(got, want) || slices.Max(stops) > 0 {
		t.Errorf("with a limit: starts %v, stops %v, want %v", got, stops, want)
	}
}

// After each decision no group is above its limit, and no job waits that fits what is
// left of its group's quota.
func TestQuotaProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const accelerators = 8
		var groups []scheduler.Group
		left := accelerators
		for _, name := range []string{"a", "b", "c"} {
			g := scheduler.Group{Name: name, Weight: rapid.Float64Range(0.1, 9).Draw(t, "weight"), Quota: rapid.IntRange(0, left).Draw(t, "quota")}
			if left -= g.Quota; rapid.Bool().Draw(t, "limited") {
				g.Limit = rapid.IntRange(max(4, g.Quota), accelerators).Draw(t, "limit")
			}
			groups = append(groups, g)
		}
		p := scheduler.Policy{
			Name: rapid.SampledFrom([]string{"fifo-skip", "sjf-skip", "priority", "fair-share", "drf"}).Draw(t, "policy"), Groups: groups,
		}
		tasks := sorted(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) task {
			return task{
				submit: rapid.Int64Range(0, 30).Draw(t, "submit"), gang: rapid.Int64Range(1, 4).Draw(t, "gang"), duration: rapid.Int64Range(1, 20).Draw(t, "duration"),
				priority: rapid.Int64Range(-2, 2).Draw(t, "priority"), group: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group"),
			}
		}), 1, 25).Draw(t, "tasks"))
		_, err := watched(p, accelerators, tasks, func(r *replay) error {
			held := map[string]int64{}
			for i, task := range r.tasks {
				if r.runs[i] {
					held[task.group] += task.gang
				}
			}
			for _, g := range groups {
				if g.Limit > 0 && held[g.Name] > int64(g.Limit) {
					return fmt.Errorf("at %d %s holds %d of %d", r.now, g.Name, held[g.Name], g.Limit)
				}
			}
			for i, task := range r.tasks {
				g := groups[slices.IndexFunc(groups, func(g scheduler.Group) bool { return g.Name == task.group })]
				if waits := task.submit <= r.now && !r.runs[i] && r.left[i] > 0; waits && held[g.Name]+task.gang <= int64(g.Quota) {
					return fmt.Errorf("at %d job %d waits, though %s holds %d of its %d", r.now, i, g.Name, held[g.Name], g.Quota)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
