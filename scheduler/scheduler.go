// Package scheduler decides: which job goes next, which running one makes room,
// and which accelerators are free. It has no clock: it is told the time, and its
// decisions are a function of what it has been told.
//
// # Model
//
// A job is a gang: it runs on all of its accelerators at once, or waits. Jobs
// come to a [Queue] and leave it; at each instant at which something has
// happened, once all jobs that end then have ended and all that come have come,
// the queue is asked to decide, once. What it decides, a [Machine] carries out.
//
// A policy is an order and a discipline. The order says who is first; the
// discipline, what becomes of those for whom there is no room:
//
//	policy                 order                             discipline
//	fifo                   arrival                           strict: the first that does not fit blocks all behind it
//	fifo-skip              arrival                           skip: every job that fits starts
//	sjf, sjf-skip          estimated duration                strict, skip
//	easy-backfill          arrival                           EASY: the first that does not fit has a reservation, and
//	                                                         others start that do not delay it (Lifka 1995)
//	conservative-backfill  arrival                           every job has a reservation (Mu'alem, Feitelson 2001)
//	srtf                   remaining time                    preemptive
//	srsf                   remaining time x accelerators     preemptive (Tiresias, Gu et al., NSDI 2019)
//	las                    queues by attained service        preemptive (Tiresias' discretized two-dimensional LAS)
//	gittins                Gittins index of attained         preemptive (Tiresias' two-dimensional Gittins index)
//	                       service
//	finish-time-fairness   rho, the worst first              preemptive, when a lease has ended (Themis, Mahajan
//	                                                         et al., NSDI 2020)
//	max-min                share of its time that a job      preemptive, when a lease has ended (Gavel, Narayanan
//	                       did not run, the most first       et al., OSDI 2020, with accelerators that are alike)
//	priority               priority                          preemptive, or skip without preemption
//	fair-share             decayed use of the job's group    skip (after Slurm's multifactor priority)
//	drf                    dominant share of the group       skip (dominant resource fairness, Ghodsi et al., NSDI
//	                                                         2011, over accelerators, CPUs and memory)
//	elastic                arrival                           shares that grow and shrink between the least and
//	                                                         the most that a job can run on, max-min
//
// A policy of one's own is a [Decider].
//
// A preemptive discipline goes through all jobs, running or not, in their order,
// and gives each the accelerators that it wants if so many are left; running jobs
// for which too few are left are stopped. Among equals the earlier arrival is
// first.
//
// Estimates are what the policy is told of durations, on accelerators of speed 1. What is
// left of a job falls by the speed of those that it has, and jobs are compared by it
// whether they run or wait. When one ends is expected by that speed, too; of a job that
// waits, by the slowest at which it may run.
//
// Estimates may be wrong: a job
// that runs beyond its estimate counts as about to end where it competes by
// remaining time, and is expected to run for as long again where others have
// reservations.
//
// A job that is stopped is suspended and goes on later, is put back and begins anew,
// or is cancelled ([Preemption]).
//
// Groups may have quotas ([Group]). What a group holds within its quota is its own.
// What it holds beyond is borrowed, and is taken back, the latest start first, once
// a group has a job that fits its own quota and finds no room.
//
// Accelerators may fail, and come back ([Queue.Remove], [Queue.Restore]). A job whose
// accelerators fail is put back ([Queue.Interrupt]): where its policy goes by arrival,
// to its old place. When a repair ends is not told to the queue, so what does not fit on
// what is left has no reservation until then.
//
// Where a job goes is decided apart from its turn, by a [Placer]: host by host,
// with parts of accelerators, CPUs and memory.
package scheduler

import (
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/units"
)

// Never is later than everything, and longer than every duration.
const Never units.Duration = math.MaxInt64

const second = units.Duration(1e11)

// Job is what a policy knows of a job.
type Job struct {
	// Accelerators that it holds while it runs. A job that shares those of
	// others holds none.
	Accelerators int
	// Least and Most are on how many it can run under elastic; 0 is Accelerators.
	Least, Most int
	// Estimate of the time that it runs; Never where none is known.
	Estimate units.Duration
	// Priority puts the job before those with a lower one, where the policy asks.
	Priority int64
	// Group is the name of the group whose share it counts towards. One that is not
	// in Policy.Groups has weight 1 and no quota.
	Group string
	// Wants is what the job takes of the cluster while it runs, as drf counts it; zero
	// is its accelerators, whole.
	Wants Resources
	// Speeds are how fast it runs on each type of accelerator that Policy.Types counts, 0
	// where it does not run; nil is at speed 1 on all.
	Speeds []float64
	// Fixed jobs are never stopped once they run.
	Fixed bool
}

// AnyType is where a policy leaves to the machine on which type of accelerator a job
// runs.
const AnyType = -1

// Machine carries out what a Queue decides.
type Machine interface {
	// Start gives a job so many accelerators, of a type or of AnyType, and begins it. It
	// gives how fast it runs on them, 1 being as estimates have it, or reports false if they
	// cannot be had although so many are free, and then has done nothing.
	Start(job, accelerators, kind int) (speed float64, started bool)
	// Stop takes the accelerators of a running job away. What becomes of it says the
	// policy's Preemption.
	Stop(job int)
}

// Queue is the state of a policy: the jobs that wait and those that run. Use
// NewQueue.
type Queue struct {
	// Log, if set, is told each decision as it is made.
	Log func(Decision)

	policy     Policy
	free       int // accelerators that no job holds
	total      int
	types      []int // of the total
	now        units.Duration
	jobs       []record
	asked      []Job // what few jobs ask for; see record
	arrived    int32 // jobs that have come
	present    int   // of them, those that have not ended
	discipline discipline
}

// record is what the queue keeps of a job, and looks at in each decision: short, and
// without pointers, which a collection of garbage would have to follow in each of a
// million jobs. What else a job asks for is in Queue.asked, if it does.
type record struct {
	Accelerators int
	Estimate     units.Duration
	Priority     int64
	Fixed        bool

	running  bool
	level    int8  // queue of las, or class of gittins, that it is in
	seq      int32 // order of arrival
	group    int32 // index of its group, where groups share
	gang     int32 // Accelerators as it came; elastic changes them
	asks     int32 // place in Queue.asked
	arrived  units.Duration
	began    units.Duration // of the stretch that it runs in
	executed units.Duration // in the stretches before
	lost     units.Duration // of that, to preemptions and slow accelerators; fast ones win some
	speed    float64        // on the accelerators that it has, or had last
}

// job is a job as it was added.
func (q *Queue) job(r *record) Job {
	j := q.asked[r.asks]
	j.Accelerators, j.Estimate, j.Priority, j.Fixed = r.Accelerators, r.Estimate, r.Priority, r.Fixed
	return j
}

// size is the gang as counts of accelerators in the queue's structures.
func (r *record) size() int32 { return int32(r.Accelerators) }

// left is the estimate of the time for which the job still has to run, when the stretch
// began that it runs in.
func (r *record) left() units.Duration {
	if r.Estimate == Never {
		return Never
	}
	return max(0, r.Estimate-(r.executed-r.lost))
}

// end is when a running job is expected to end.
func (r *record) end() units.Duration {
	left := r.left()
	if left != Never && r.speed != 1 {
		left = scaled(left, 1/r.speed)
	}
	if left > Never-r.began {
		return Never
	}
	return r.began + left
}

// remaining is what is left of a running job now.
func (r *record) remaining(now units.Duration) units.Duration {
	left, time := r.left(), now-r.began
	if left == Never {
		return Never
	}
	if r.speed != 1 {
		time = scaled(time, r.speed)
	}
	return max(0, left-time)
}

// longest is the estimate of the time for which a job that waits will run, wherever it
// does.
func (q *Queue) longest(r *record) units.Duration {
	left, slowest := r.left(), math.Inf(1)
	for _, speed := range q.asked[r.asks].Speeds {
		if speed > 0 {
			slowest = min(slowest, speed)
		}
	}
	if left == Never || math.IsInf(slowest, 1) || slowest == 1 {
		return left
	}
	return scaled(left, 1/slowest)
}

// ran counts a stretch up to now of which so much was for nothing, or has to be run in
// addition.
func (r *record) ran(now, lost units.Duration) {
	time := now - r.began
	r.executed += time
	if r.speed != 1 {
		lost = scaled(lost, r.speed) + time - scaled(time, r.speed)
	}
	r.lost += min(lost, Never-max(0, r.lost))
}

// scaled is a multiple of a time, at most Never.
func scaled(d units.Duration, by float64) units.Duration {
	if s := float64(d) * by; s < float64(Never) {
		return units.Duration(s)
	}
	return Never
}

// discipline is how a policy goes through its jobs.
type discipline interface {
	// arrive takes in a job that waits from now on.
	arrive(q *Queue, job int32)
	// finish takes out a running job, whose accelerators are free already.
	finish(q *Queue, job int32)
	// decide starts and stops jobs at the queue's present time.
	decide(q *Queue, m Machine)
	// wake is when the discipline has to decide although nothing happens.
	wake() units.Duration
}

// NewQueue gives an empty queue for a cluster of so many accelerators.
func NewQueue(p Policy, accelerators int) *Queue {
	p.Capacity.Milli = int64(accelerators) * Whole
	types := slices.Clone(p.Types)
	if types == nil {
		types = []int{accelerators}
	}
	return &Queue{policy: p, free: accelerators, total: accelerators, types: types, asked: make([]Job, 1), discipline: p.discipline()}
}

// Grow makes room for so many more jobs.
func (q *Queue) Grow(n int) { q.jobs = slices.Grow(q.jobs, n) }

// Add makes a job known that will come. It returns its number; numbers count
// from 0.
func (q *Queue) Add(j Job) int {
	r := record{Accelerators: j.Accelerators, Estimate: j.Estimate, Priority: j.Priority, Fixed: j.Fixed, gang: int32(j.Accelerators)}
	if j.Least > 0 || j.Most > 0 || j.Group != "" || j.Wants != (Resources{}) || j.Speeds != nil {
		r.asks = int32(len(q.asked))
		q.asked = append(q.asked, j)
	}
	if s, ok := q.discipline.(*shares); ok {
		r.group = s.group(j.Group)
	}
	q.jobs = append(q.jobs, r)
	return len(q.jobs) - 1
}

// Arrive puts a job into the queue at the given time.
func (q *Queue) Arrive(job int, now units.Duration) {
	q.now = now
	q.jobs[job].seq, q.jobs[job].arrived = q.arrived, now
	q.arrived++
	q.present++
	q.discipline.arrive(q, int32(job))
}

// Finish takes out a job that has ended at the given time.
func (q *Queue) Finish(job int, now units.Duration) {
	q.now = now
	r := &q.jobs[job]
	r.running = false
	q.present--
	q.free += r.Accelerators
	q.discipline.finish(q, int32(job))
}

// Decide has the machine start and stop jobs, and returns when it is to be asked
// again if nothing happens before, or Never.
func (q *Queue) Decide(now units.Duration, m Machine) (again units.Duration) {
	q.now = now
	q.discipline.decide(q, m)
	return q.discipline.wake()
}

// start starts a job for which there is room, if the machine can.
func (q *Queue) start(job int32, m Machine, w why) bool { return q.startOn(job, AnyType, m, w) }

func (q *Queue) startOn(job int32, kind int, m Machine, w why) bool {
	r := &q.jobs[job]
	if r.Accelerators > q.free {
		panic(fmt.Sprintf("scheduler: job %d wants %d accelerators of %d", job, r.Accelerators, q.free))
	}
	speed, started := m.Start(int(job), r.Accelerators, kind)
	if !started {
		return false
	}
	q.note(job, Start, w)
	r.running, r.began, r.speed = true, q.now, speed
	q.free -= r.Accelerators
	return true
}

// stop stops a running job, and reports whether it waits again.
func (q *Queue) stop(job int32, m Machine, w why) (waits bool) {
	r := &q.jobs[job]
	q.note(job, Stop, w)
	m.Stop(int(job))
	r.running = false
	r.ran(q.now, 0)
	switch q.policy.Preemption {
	case Suspend:
		r.lost += min(q.policy.PreemptionCost, Never-max(0, r.lost))
	case Requeue:
		r.lost = r.executed
	case Cancel:
		q.present--
	}
	q.free += r.Accelerators
	return q.policy.Preemption != Cancel
}
