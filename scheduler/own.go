package scheduler

import (
	"slices"

	"github.com/railyard/railyard/units"
)

// Decider is a policy of one's own. It is called once at each instant at which something
// has happened, if a job waits, and starts and stops jobs by its turn. It must be a
// function of what its turn tells, and keep nothing from one call to the next: runs are
// repeated, and several may go on at a time.
type Decider func(*Turn)

// Turn is a decision that a Decider is to make: what it may know of the queue, and what
// it may do. It is valid during the call.
type Turn struct {
	// Now is the time since the beginning of the simulation.
	Now units.Duration

	queue   *Queue
	machine Machine
	own     *own
}

// State is a job as a Decider sees it.
type State struct {
	Job
	Number   int            // of the job, for Start and Stop
	Running  bool           // or it waits
	Arrived  units.Duration // when it came
	Executed units.Duration // for how long it has run, in all
	Left     units.Duration // the estimate of how long it still has to; Never where none is known
}

// Free is how many accelerators no job holds.
func (t *Turn) Free() int { return t.queue.free }

// Jobs are those that have come and not ended, running or not, in the order of their
// arrival.
func (t *Turn) Jobs() []State {
	all := make([]State, len(t.own.present))
	for i, n := range t.own.present {
		q := t.queue
		r := &q.jobs[n]
		all[i] = State{Job: q.job(r), Number: int(n), Running: r.running, Arrived: r.arrived, Executed: r.executed, Left: r.left()}
		if r.running {
			all[i].Executed += t.Now - r.began
			all[i].Left = r.remaining(t.Now)
		}
	}
	return all
}

// Waiting are the jobs that do not run, in the order of their arrival.
func (t *Turn) Waiting() []State {
	return slices.DeleteFunc(t.Jobs(), func(s State) bool { return s.Running })
}

// Start starts a job that waits, and reports whether it could: there may be too few
// accelerators, or no place for it on the hosts.
func (t *Turn) Start(job int) bool {
	if r := t.record(job); r == nil || r.running || r.Accelerators > t.queue.free {
		return false
	}
	return t.queue.start(int32(job), t.machine, because(Chosen))
}

// Stop takes its accelerators from a job that runs, and reports whether it could: some
// jobs cannot be stopped, none without preemption, and none at the instant at which it
// began.
func (t *Turn) Stop(job int) bool {
	r := t.record(job)
	if r == nil || !r.running || r.Fixed || r.began == t.Now || t.queue.policy.Preemption == NoPreemption {
		return false
	}
	if !t.queue.stop(int32(job), t.machine, because(Chosen)) {
		t.own.remove(t.queue, int32(job))
	}
	return true
}

// Again has the policy called at a time, even if nothing happens until then.
func (t *Turn) Again(at units.Duration) {
	if at > t.Now {
		t.own.again = min(t.own.again, at)
	}
}

// record is a job that is present, or nil.
func (t *Turn) record(job int) *record {
	if job < 0 || job >= len(t.queue.jobs) {
		return nil
	}
	if _, present := t.own.place(t.queue, int32(job)); !present {
		return nil
	}
	return &t.queue.jobs[job]
}

// own is the discipline of a Decider.
type own struct {
	decider Decider
	present []int32 // jobs that have come and not ended, in the order of arrival
	again   units.Duration
}

// place is where a job is among those present, or would be.
func (o *own) place(q *Queue, job int32) (int, bool) {
	i, found := slices.BinarySearchFunc(o.present, q.jobs[job].seq, func(n, seq int32) int { return int(q.jobs[n].seq - seq) })
	return i, found && o.present[i] == job
}

// arrive takes a job in, or back to its old place.
func (o *own) arrive(q *Queue, job int32) {
	i, _ := o.place(q, job)
	o.present = slices.Insert(o.present, i, job)
}

func (o *own) finish(q *Queue, job int32) { o.remove(q, job) }

func (o *own) remove(q *Queue, job int32) {
	if i, present := o.place(q, job); present {
		o.present = slices.Delete(o.present, i, i+1)
	}
}

func (o *own) decide(q *Queue, m Machine) {
	o.again = Never
	o.decider(&Turn{Now: q.now, queue: q, machine: m, own: o})
}

func (o *own) wake() units.Duration { return o.again }
