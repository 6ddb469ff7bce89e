package scheduler_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/scheduler"
)

// Policies that there are, said as one's own.
var sayings = map[string]scheduler.Decider{
	"fifo": func(t *scheduler.Turn) {
		for _, j := range t.Waiting() {
			if !t.Start(j.Number) {
				return
			}
		}
	},
	"fifo-skip": func(t *scheduler.Turn) {
		for _, j := range t.Waiting() {
			t.Start(j.Number)
		}
	},
	"sjf-skip": func(t *scheduler.Turn) {
		jobs := t.Waiting()
		slices.SortStableFunc(jobs, func(a, b scheduler.State) int { return cmp.Compare(a.Estimate, b.Estimate) })
		for _, j := range jobs {
			t.Start(j.Number)
		}
	},
	"srtf": func(t *scheduler.Turn) {
		jobs, left := t.Jobs(), t.Free()
		slices.SortStableFunc(jobs, func(a, b scheduler.State) int { return cmp.Compare(a.Left, b.Left) })
		for _, j := range jobs {
			if j.Running {
				left += j.Accelerators
			}
		}
		granted := map[int]bool{}
		for _, j := range jobs {
			if j.Accelerators <= left {
				left -= j.Accelerators
				granted[j.Number] = true
			} else if j.Running {
				t.Stop(j.Number)
			}
		}
		for _, j := range jobs {
			if granted[j.Number] && !j.Running {
				t.Start(j.Number)
			}
		}
	},
}

// A policy of one's own that says the same as one that there is does the same.
func TestOwnTwin(t *testing.T) {
	for name, decider := range sayings {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				accelerators := rapid.Int64Range(1, 12).Draw(t, "accelerators")
				tasks := sorted(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) task {
					return task{
						submit: rapid.Int64Range(0, 30).Draw(t, "submit"),
						gang:   rapid.Int64Range(1, accelerators).Draw(t, "gang"), duration: rapid.Int64Range(1, 20).Draw(t, "duration"),
					}
				}), 1, 25).Draw(t, "tasks"))
				want, err := run(scheduler.Policy{Name: name}, accelerators, tasks)
				if err != nil {
					t.Fatal(err)
				}
				got, err := run(scheduler.Policy{Name: "mine", Decider: decider}, accelerators, tasks)
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("got  %v, %v\nwant %v", got, err, want)
				}
			})
		})
	}
}

// What a turn refuses: jobs that are not there, too large, or do not do what they are to
// stop doing.
func TestTurnRefuses(t *testing.T) {
	var took []string
	var log []scheduler.Reason
	turn := 0
	q := scheduler.NewQueue(scheduler.Policy{Name: "mine", Decider: func(turnOf *scheduler.Turn) {
		turn++
		try := func(what string, ok bool) { took = append(took, fmt.Sprintf("%d %s %v", turn, what, ok)) }
		switch turn {
		case 1:
			try("start nobody", turnOf.Start(-1) || turnOf.Start(9))
			try("start who has not come", turnOf.Start(2))
			try("start", turnOf.Start(0))
			try("start again", turnOf.Start(0))
			try("start what has no room", turnOf.Start(1))
			try("stop what has just begun", turnOf.Stop(0))
			try("stop who waits", turnOf.Stop(1))
		case 2:
			s := turnOf.Jobs()[0]
			try("executed, left", s.Running && s.Executed == 4*second && s.Left == 6*second)
			try("stop", turnOf.Stop(0))
			try("stop what is fixed", turnOf.Start(1) && turnOf.Stop(1))
			turnOf.Again(3 * second) // is over
			turnOf.Again(9 * second)
		}
	}}, 4)
	q.Log = func(d scheduler.Decision) { log = append(log, d.Reason) }
	m := &nobody{}
	for _, fixed := range []bool{false, true, false} {
		q.Add(scheduler.Job{Accelerators: 4, Estimate: 10 * second, Fixed: fixed})
	}
	q.Arrive(0, 0)
	q.Arrive(1, 0)
	if again := q.Decide(0, m); again != scheduler.Never {
		t.Errorf("it wakes at %v", again)
	}
	if again := q.Decide(4*second, m); again != 9*second {
		t.Errorf("it wakes at %v, not at 9 s", again)
	}
	want := []string{
		"1 start nobody false", "1 start who has not come false", "1 start true", "1 start again false",
		"1 start what has no room false", "1 stop what has just begun false", "1 stop who waits false",
		"2 executed, left true", "2 stop true", "2 stop what is fixed false",
	}
	if !slices.Equal(took, want) {
		t.Errorf("got  %q\nwant %q", took, want)
	}
	if !slices.Equal(log, []scheduler.Reason{scheduler.Chosen, scheduler.Chosen, scheduler.Chosen}) {
		t.Errorf("logged %q", log)
	}
}

// nobody is a machine that does all and tells nobody.
type nobody struct{}

func (nobody) Start(int, int, int) (float64, bool) { return 1, true }
func (nobody) Stop(int)                            {}

// A job that was cancelled has gone; one that was put back has its old place.
func TestOwnForgets(t *testing.T) {
	var saw [][]int
	q := scheduler.NewQueue(scheduler.Policy{Preemption: scheduler.Cancel, Decider: func(turn *scheduler.Turn) {
		var jobs []int
		for _, j := range turn.Jobs() {
			jobs = append(jobs, j.Number)
		}
		saw = append(saw, jobs)
		switch len(saw) {
		case 1:
			turn.Start(0)
			turn.Start(1)
		case 2:
			turn.Stop(0)
		}
	}}, 2)
	for i := range 3 {
		q.Add(scheduler.Job{Accelerators: 1, Estimate: 10 * second})
		q.Arrive(i, 0)
	}
	q.Decide(0, nobody{})
	q.Decide(second, nobody{})
	q.Interrupt(1, 2*second, 0, true)
	q.Decide(2*second, nobody{})
	if want := [][]int{{0, 1, 2}, {0, 1, 2}, {1, 2}}; !slices.EqualFunc(saw, want, slices.Equal) {
		t.Errorf("it saw %v, want %v", saw, want)
	}
}
