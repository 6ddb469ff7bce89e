package scheduler_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/railyard/railyard/scheduler"
	"pgregory.net/rapid"
)

// twin is a scheduler that is obviously right: at each instant it looks at all
// jobs anew and follows the words of the policy.
type twin struct {
	policy       scheduler.Policy
	accelerators int64
	tasks        []task
	outcomes     []outcome

	now      int64
	left     []int64
	executed []int64
	runs     []bool
	turn     []int64 // the end of its lease
	queues   [][]int // of las: each its jobs in order

	taken    []int64 // of conservative: accelerators in each second
	reserved []int64 // and the start of each job
}

func (w *twin) waiting() (all []int) {
	for i, t := range w.tasks {
		if t.submit <= w.now && w.left[i] > 0 && !w.runs[i] {
			all = append(all, i)
		}
	}
	return all
}

func (w *twin) running() (all []int) {
	for i := range w.tasks {
		if w.runs[i] {
			all = append(all, i)
		}
	}
	return all
}

func (w *twin) free() int64 {
	free := w.accelerators
	for _, i := range w.running() {
		free -= w.tasks[i].gang
	}
	return free
}

func (w *twin) start(i int) {
	w.runs[i] = true
	if w.outcomes[i].start < 0 {
		w.outcomes[i].start = w.now
	}
}

// greedy starts what waits in the given order.
func (w *twin) greedy(order []int, strict bool) {
	for _, i := range order {
		if w.tasks[i].gang <= w.free() {
			w.start(i)
		} else if strict {
			return
		}
	}
}

// grant gives the accelerators to the first of all jobs, and takes them from the
// others.
func (w *twin) grant(order []int) {
	left := w.accelerators
	granted := make([]bool, len(w.tasks))
	for _, i := range order {
		if w.tasks[i].gang <= left {
			left -= w.tasks[i].gang
			granted[i] = true
		}
	}
	for _, i := range order {
		if w.runs[i] && !granted[i] {
			w.runs[i] = false
			w.outcomes[i].stops++
		}
	}
	for _, i := range order {
		if granted[i] && !w.runs[i] {
			w.start(i)
		}
	}
}

func (w *twin) by(key func(i int) int64, all []int) []int {
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(a, b)) })
	return all
}

func (w *twin) easy() {
	queue := w.waiting()
	for len(queue) > 0 && w.tasks[queue[0]].gang <= w.free() {
		w.start(queue[0])
		queue = queue[1:]
	}
	if len(queue) == 0 {
		return
	}
	need := w.tasks[queue[0]].gang
	ends := w.by(func(i int) int64 { return w.now + w.left[i] }, w.running())
	free, shadow := w.free(), w.now
	for _, i := range ends {
		if end := w.now + w.left[i]; free < need || end == shadow {
			free += w.tasks[i].gang
			shadow = end
		}
	}
	extra := free - need
	for _, i := range queue[1:] {
		t := w.tasks[i]
		if t.gang > w.free() {
			continue
		}
		if w.now+t.duration <= shadow {
			w.start(i)
		} else if t.gang <= extra {
			w.start(i)
			extra -= t.gang
		}
	}
}

// conservative gives each job, when it comes, the earliest seconds in which it fits.
func (w *twin) conservative(arrived []int) {
	if w.taken == nil {
		w.taken, w.reserved = make([]int64, 10_000), make([]int64, len(w.tasks))
	}
	for _, i := range arrived {
		t := w.tasks[i]
		for start := w.now; ; start++ {
			window := w.taken[start : start+t.duration]
			if slices.Max(window) > w.accelerators-t.gang {
				continue
			}
			for s := range window {
				window[s] += t.gang
			}
			w.reserved[i] = start
			break
		}
	}
	for _, i := range w.waiting() {
		if w.reserved[i] == w.now {
			w.start(i)
		}
	}
}

// service is what las counts.
func (w *twin) service(i int) float64 {
	if w.policy.LASByTime {
		return float64(w.executed[i])
	}
	return float64(w.executed[i] * w.tasks[i].gang)
}

func (w *twin) las(arrived []int) {
	for k := range w.queues {
		w.queues[k] = slices.DeleteFunc(w.queues[k], func(i int) bool { return w.left[i] == 0 })
	}
	w.queues[0] = append(w.queues[0], arrived...)
	level := make(map[int]int)
	for k, q := range w.queues {
		for _, i := range q {
			level[i] = k
		}
	}
	for _, i := range w.running() { // in the order of arrival
		k := level[i]
		if k < len(w.policy.LASLimits) && w.service(i) >= w.policy.LASLimits[k] {
			w.queues[k] = slices.DeleteFunc(w.queues[k], func(j int) bool { return i == j })
			w.queues[k+1] = append(w.queues[k+1], i)
		}
	}
	w.grant(slices.Concat(w.queues...))
	for k := range w.queues {
		slices.SortStableFunc(w.queues[k], func(a, b int) int {
			switch {
			case w.runs[a] == w.runs[b]:
				return 0
			case w.runs[a]:
				return -1
			}
			return 1
		})
	}
}

func (w *twin) decide(arrived []int) {
	duration := func(i int) int64 { return w.tasks[i].duration }
	switch w.policy.Name {
	case "fifo", "fifo-skip", "elastic": // elastic with jobs that are not
		w.greedy(w.waiting(), w.policy.Name == "fifo")
	case "sjf", "sjf-skip":
		w.greedy(w.by(duration, w.waiting()), w.policy.Name == "sjf")
	case "easy-backfill":
		w.easy()
	case "conservative-backfill":
		w.conservative(arrived)
	case "srtf":
		w.grant(w.by(func(i int) int64 { return w.left[i] }, append(w.waiting(), w.running()...)))
	case "srsf":
		w.grant(w.by(func(i int) int64 { return w.left[i] * w.tasks[i].gang }, append(w.waiting(), w.running()...)))
	case "las":
		w.las(arrived)
	case "priority":
		order := w.by(func(i int) int64 { return -w.tasks[i].priority }, append(w.waiting(), w.running()...))
		if w.policy.Preemption == scheduler.NoPreemption {
			w.greedy(slices.DeleteFunc(order, func(i int) bool { return w.runs[i] }), false)
		} else {
			w.grant(order)
		}
	case "fair-share":
		w.share(w.used)
	case "drf":
		w.share(w.held)
	case "finish-time-fairness":
		w.leases(w.unfairness)
	case "max-min":
		w.leases(w.withheld)
	default:
		panic("twin: " + w.policy.Name)
	}
}

// run goes from second to second.
func (w *twin) run() []outcome {
	n := len(w.tasks)
	w.outcomes, w.left, w.executed, w.runs = make([]outcome, n), make([]int64, n), make([]int64, n), make([]bool, n)
	w.turn = make([]int64, n)
	w.queues = make([][]int, len(w.policy.LASLimits)+1)
	for i, t := range w.tasks {
		w.outcomes[i], w.left[i] = outcome{-1, -1, 0}, t.duration
	}
	for ended := 0; ended < n; w.now++ {
		event := false
		for i := range w.tasks {
			if !w.runs[i] {
				continue
			}
			w.executed[i]++
			if w.left[i]--; w.left[i] == 0 {
				w.runs[i], w.outcomes[i].finish = false, w.now
				ended++
				event = true
			}
		}
		var arrived []int
		for i, t := range w.tasks {
			if t.submit == w.now {
				arrived = append(arrived, i)
				event = true
			}
		}
		for k := range w.policy.LASLimits { // one level in each decision
			for _, i := range w.queues[k] {
				event = event || w.policy.Name == "las" && w.runs[i] && w.service(i) >= w.policy.LASLimits[k]
			}
		}
		for _, i := range w.running() {
			event = event || w.policy.Lease > 0 && w.turn[i] <= w.now && len(w.waiting()) > 0
		}
		if event {
			w.decide(arrived)
		}
	}
	return w.outcomes
}

// Every policy is its twin on random jobs, many of which come at one instant, have
// equal durations, or want nearly all accelerators.
func TestTwin(t *testing.T) {
	for _, p := range []scheduler.Policy{
		{Name: "fifo"},
		{Name: "fifo-skip"},
		{Name: "elastic"},
		{Name: "sjf"},
		{Name: "sjf-skip"},
		{Name: "easy-backfill"},
		{Name: "conservative-backfill"},
		{Name: "srtf"},
		{Name: "srsf"},
		{Name: "las", LASLimits: []float64{7}},
		{Name: "las", LASLimits: []float64{12, 40}},
		{Name: "las", LASLimits: []float64{3, 9, 27}, LASByTime: true},
	} {
		t.Run(fmt.Sprint(p.Name, p.LASLimits), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				accelerators := rapid.Int64Range(1, 12).Draw(t, "accelerators")
				tasks := sorted(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) task {
					return task{
						submit: rapid.Int64Range(0, 30).Draw(t, "submit"),
						gang:   rapid.Int64Range(1, accelerators).Draw(t, "gang"), duration: rapid.Int64Range(1, 20).Draw(t, "duration"),
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
