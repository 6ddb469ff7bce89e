package scheduler_test

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/units"
)

const second units.Duration = 1e11

// task is a job of a test, in seconds.
type task struct {
	submit, gang, duration int64
	estimate               int64 // 0: the duration
	priority               int64
	group                  string
	least, most            int64 // 0: the gang
}

// outcome is when a task first started and when it ended, and how often it was
// stopped.
type outcome struct {
	start, finish int64
	stops         int
}

// replay runs tasks through a queue: a machine that does what it is told, and a
// clock. On whatever it runs, a task takes its duration.
type replay struct {
	tasks    []task
	free     int64
	outcomes []outcome
	left     []int64 // of each task
	has      []int64 // accelerators
	runs     []bool
	now      int64
	queue    *scheduler.Queue
	err      error // what the queue was caught at

	watch func(r *replay) error // after each decision
	ended func(job int)
}

func (r *replay) Start(job, accelerators, _ int) (float64, bool) {
	t := r.tasks[job]
	least, most := cmp.Or(t.least, t.gang), cmp.Or(t.most, t.gang)
	if n := int64(accelerators); n < least || n > most {
		r.err = cmp.Or(r.err, fmt.Errorf("job %d of %d to %d accelerators starts on %d", job, least, most, n))
	}
	if r.runs[job] || t.submit > r.now || r.left[job] == 0 || r.free < int64(accelerators) {
		r.err = cmp.Or(r.err, fmt.Errorf("at %d job %d of %d accelerators starts with %d free; running %v, left %d", r.now, job, t.gang, r.free, r.runs[job], r.left[job]))
		return 0, false
	}
	r.runs[job] = true
	r.has[job] = int64(accelerators)
	r.free -= r.has[job]
	if r.outcomes[job].start < 0 {
		r.outcomes[job].start = r.now
	}
	return 1, true
}

func (r *replay) Stop(job int) {
	if !r.runs[job] {
		r.err = cmp.Or(r.err, fmt.Errorf("at %d job %d is stopped and does not run", r.now, job))
	}
	r.runs[job] = false
	r.outcomes[job].stops++
	r.free += r.has[job]
}

// run gives the outcome of each task. Tasks are in the order of their submission.
func run(p scheduler.Policy, accelerators int64, tasks []task) ([]outcome, error) {
	return watched(p, accelerators, tasks, func(*replay) error { return nil })
}

// watched looks at the jobs after each decision.
func watched(p scheduler.Policy, accelerators int64, tasks []task, watch func(r *replay) error) ([]outcome, error) {
	r := &replay{
		watch: watch,
		tasks: tasks, free: accelerators, queue: scheduler.NewQueue(p, int(accelerators)),
		outcomes: make([]outcome, len(tasks)), left: make([]int64, len(tasks)), has: make([]int64, len(tasks)), runs: make([]bool, len(tasks)),
	}
	for i, t := range tasks {
		r.queue.Add(scheduler.Job{
			Accelerators: int(t.gang), Estimate: units.Duration(cmp.Or(t.estimate, t.duration)) * second, Priority: t.priority, Group: t.group,
			Least: int(t.least), Most: int(t.most),
		})
		r.outcomes[i] = outcome{-1, -1, 0}
		r.left[i] = t.duration
	}
	arrived, ended := 0, 0
	again := scheduler.Never
	for ended < len(tasks) {
		next := int64(1) << 62
		if arrived < len(tasks) {
			next = tasks[arrived].submit
		}
		if again != scheduler.Never {
			if again%second != 0 {
				return nil, fmt.Errorf("the queue wakes at %v", again)
			}
			next = min(next, max(r.now, int64(again/second)))
		}
		for i := range tasks {
			if r.runs[i] {
				next = min(next, r.now+r.left[i])
			}
		}
		if next == 1<<62 {
			return nil, fmt.Errorf("at %d nothing runs and %d of %d jobs have not ended", r.now, len(tasks)-ended, len(tasks))
		}
		passed := next - r.now
		r.now = next
		for i := range tasks {
			if !r.runs[i] {
				continue
			}
			if r.left[i] -= passed; r.left[i] == 0 {
				r.runs[i] = false
				r.free += r.has[i]
				r.outcomes[i].finish = r.now
				ended++
				if r.ended != nil {
					r.ended(i)
				}
				r.queue.Finish(i, units.Duration(r.now)*second)
			}
		}
		for arrived < len(tasks) && tasks[arrived].submit == r.now {
			r.queue.Arrive(arrived, units.Duration(r.now)*second)
			arrived++
		}
		again = r.queue.Decide(units.Duration(r.now)*second, r)
		if err := cmp.Or(r.err, r.watch(r)); err != nil {
			return nil, err
		}
	}
	return r.outcomes, nil
}

// sorted puts tasks into the order of their submission.
func sorted(tasks []task) []task {
	slices.SortStableFunc(tasks, func(a, b task) int { return cmp.Compare(a.submit, b.submit) })
	return tasks
}
