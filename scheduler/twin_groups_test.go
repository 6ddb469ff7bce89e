package scheduler_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/railyard/railyard/scheduler"
	"pgregory.net/rapid"
)

// leases lets jobs keep their accelerators for a lease, and then compete with those that
// wait, the most urgent first, once a lease has ended or a job that waits has room.
func (w *twin) leases(urgency func(i int) float64) {
	open := false
	var order, compete []int
	for _, i := range w.running() {
		if w.turn[i] > w.now {
			order = append(order, i)
		} else {
			compete, open = append(compete, i), true
		}
	}
	for _, i := range w.waiting() {
		compete, open = append(compete, i), open || w.tasks[i].gang <= w.free()
	}
	if !open {
		return
	}
	slices.SortFunc(compete, func(a, b int) int { return cmp.Or(cmp.Compare(urgency(b), urgency(a)), cmp.Compare(a, b)) })
	w.grant(append(order, compete...))
	for _, i := range w.running() {
		if w.turn[i] <= w.now {
			w.turn[i] = w.now + int64(w.policy.Lease/second)
		}
	}
}

// unfairness is rho as Themis has it.
func (w *twin) unfairness(i int) float64 {
	t := w.tasks[i]
	present := len(w.waiting()) + len(w.running())
	share := max(1, float64(t.gang)*float64(present)/float64(w.accelerators))
	return float64(w.now-t.submit+w.left[i]) / (float64(t.duration) * share)
}

func (w *twin) withheld(i int) float64 {
	if t := w.tasks[i]; w.now > t.submit {
		return 1 - float64(w.executed[i])/float64(w.now-t.submit)
	}
	return 1
}

// share starts jobs of the group that has had the least.
func (w *twin) share(had func(group string) float64) {
	for {
		fits := slices.DeleteFunc(w.waiting(), func(i int) bool { return w.tasks[i].gang > w.free() })
		if len(fits) == 0 {
			return
		}
		w.start(slices.MinFunc(fits, func(a, b int) int {
			return cmp.Or(cmp.Compare(had(w.tasks[a].group), had(w.tasks[b].group)), cmp.Compare(a, b))
		}))
	}
}

func (w *twin) weight(group string) float64 {
	for _, g := range w.policy.Groups {
		if g.Name == group {
			return g.Weight
		}
	}
	return 1
}

// used is the accelerator-seconds that a group has had, and held the accelerators that it
// has.
func (w *twin) used(group string) (used float64) {
	for i, t := range w.tasks {
		if t.group == group {
			used += float64(w.executed[i] * t.gang)
		}
	}
	return used / w.weight(group)
}

func (w *twin) held(group string) (held float64) {
	for _, i := range w.running() {
		if w.tasks[i].group == group {
			held += float64(w.tasks[i].gang)
		}
	}
	return held / float64(w.accelerators) / w.weight(group)
}

// The policies that ask for priorities, groups and leases are their twins, too. The
// accelerators are a power of two, so that shares which are equal are so in floating
// point.
func TestTwinOfShares(t *testing.T) {
	groups := []scheduler.Group{{Name: "a", Weight: 2}, {Name: "b", Weight: 1}}
	for _, p := range []scheduler.Policy{
		{Name: "priority"},
		{Name: "priority", Preemption: scheduler.NoPreemption},
		{Name: "fair-share", Groups: groups},
		{Name: "drf", Groups: groups},
		{Name: "finish-time-fairness", Lease: 5 * second},
		{Name: "max-min", Lease: 5 * second},
	} {
		t.Run(fmt.Sprint(p.Name, p.Preemption), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				accelerators := int64(1) << rapid.IntRange(0, 3).Draw(t, "accelerators")
				tasks := sorted(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) task {
					return task{
						submit: rapid.Int64Range(0, 30).Draw(t, "submit"), gang: rapid.Int64Range(1, accelerators).Draw(t, "gang"),
						duration: rapid.Int64Range(1, 20).Draw(t, "duration"), priority: rapid.Int64Range(-1, 1).Draw(t, "priority"),
						group: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group"),
					}
				}), 1, 25).Draw(t, "tasks"))
				w := &twin{policy: p, accelerators: accelerators, tasks: tasks}
				got, err := run(p, accelerators, tasks)
				if err != nil {
					t.Fatal(err)
				}
				if want := w.run(); !slices.Equal(got, want) {
					t.Fatalf("got  %v\nwant %v", got, want)
				}
			})
		})
	}
}
