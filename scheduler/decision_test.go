package scheduler_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/scheduler"
)

// audit runs tasks and gives what the queue says of each decision.
func audit(t *testing.T, p scheduler.Policy, accelerators int64, tasks []task) (said []string) {
	t.Helper()
	_, err := watched(p, accelerators, tasks, func(r *replay) error {
		if r.queue.Log == nil {
			r.queue.Log = func(d scheduler.Decision) {
				line := fmt.Sprintf("%d: %s %d, %s", d.At/second, d.Action, d.Job, d.Reason)
				if d.Other >= 0 {
					line += fmt.Sprintf(" of %d", d.Other)
				}
				if d.Until != scheduler.Never {
					line += fmt.Sprintf(" until %d", d.Until/second)
				}
				said = append(said, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// Every reason, in the order in which the decisions are made. The first task of each
// case starts before the log begins.
func TestDecisions(t *testing.T) {
	for _, c := range []struct {
		policy scheduler.Policy
		tasks  []task
		want   []string
	}{
		{
			scheduler.Policy{Name: "fifo"},
			[]task{{gang: 4, duration: 5}, {submit: 1, gang: 4, duration: 5}},
			[]string{"5: start 1, first"},
		},
		{
			scheduler.Policy{Name: "fifo-skip"},
			[]task{{gang: 3, duration: 5}, {submit: 1, gang: 4, duration: 5}, {submit: 2, gang: 1, duration: 1}},
			[]string{"2: start 2, fits", "5: start 1, fits"},
		},
		{
			scheduler.Policy{Name: "easy-backfill"},
			[]task{
				{gang: 2, duration: 10},
				{submit: 1, gang: 3, duration: 5},
				{submit: 1, gang: 1, duration: 20},
				{submit: 1, gang: 1, duration: 9},
			},
			[]string{
				"1: reserve 1, blocked until 10", "1: start 2, beside of 1 until 10", "1: start 3, ends-before of 1 until 10", "10: start 1, first",
			},
		},
		{
			scheduler.Policy{Name: "conservative-backfill"},
			[]task{{gang: 2, duration: 10}, {submit: 1, gang: 4, duration: 5}, {submit: 1, gang: 1, duration: 9}, {submit: 1, gang: 2, duration: 20}},
			[]string{"1: reserve 1, planned until 10", "1: reserve 3, planned until 15", "1: start 2, reserved", "10: start 1, reserved", "15: start 3, reserved"},
		},
		{
			scheduler.Policy{Name: "srtf"},
			[]task{{gang: 4, duration: 10}, {submit: 1, gang: 4, duration: 2}},
			[]string{"1: stop 0, behind", "1: start 1, ahead", "3: start 0, ahead"},
		},
		{
			scheduler.Policy{Name: "las", LASLimits: []float64{8}},
			[]task{{gang: 4, duration: 4}, {submit: 1, gang: 4, duration: 1}},
			[]string{"2: demote 0, service", "2: stop 0, behind", "2: start 1, ahead", "3: start 0, ahead"},
		},
		{
			scheduler.Policy{Name: "elastic"},
			[]task{{gang: 2, duration: 9, least: 1, most: 4}, {submit: 1, gang: 2, duration: 2}},
			[]string{"1: stop 0, resized", "1: start 0, fits", "1: start 1, fits", "3: stop 0, resized", "3: start 0, fits"},
		},
		{
			scheduler.Policy{Name: "fifo-skip", Groups: []scheduler.Group{{Name: "a", Weight: 1, Quota: 4}}},
			[]task{{gang: 2, duration: 9, group: "b"}, {submit: 1, gang: 2, duration: 9, group: "b"}, {submit: 2, gang: 2, duration: 3, group: "a"}},
			[]string{"1: start 1, borrows", "2: stop 1, reclaimed of 2", "2: start 2, own", "5: start 1, borrows"},
		},
	} {
		t.Run(c.policy.Name, func(t *testing.T) {
			if got := audit(t, c.policy, 4, c.tasks); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// The log has every start and every stop, whatever the policy.
func TestLogIsComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := scheduler.Policy{Name: rapid.SampledFrom(scheduler.Policies()).Draw(t, "policy"), LASLimits: []float64{9, 20}, Services: []float64{12, 24, 60}, Lease: 5 * second}
		tasks := sorted(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) task {
			return task{submit: rapid.Int64Range(1, 30).Draw(t, "submit"), gang: rapid.Int64Range(1, 4).Draw(t, "gang"), duration: rapid.Int64Range(1, 20).Draw(t, "duration")}
		}), 1, 20).Draw(t, "tasks"))
		tasks = append([]task{{gang: 1, duration: 1}}, tasks...) // starts before the log begins
		runs := map[int]bool{}
		_, err := watched(p, 4, tasks, func(r *replay) error {
			for i := range r.tasks[1:] {
				if r.runs[i+1] != runs[i+1] {
					return fmt.Errorf("at %d job %d runs: %v, by the log %v", r.now, i+1, r.runs[i+1], runs[i+1])
				}
			}
			r.ended = func(job int) { delete(runs, job) }
			r.queue.Log = func(d scheduler.Decision) {
				switch d.Action {
				case scheduler.Start:
					runs[d.Job] = true
				case scheduler.Stop:
					delete(runs, d.Job)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
