package scheduler_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/units"
)

// orders notes what a queue starts and stops: "0 on 4", "stop 0".
type orders []string

func (s *orders) Start(job, accelerators, _ int) (float64, bool) {
	*s = append(*s, fmt.Sprintf("%d on %d", job, accelerators))
	return 1, true
}

func (s *orders) Stop(job int) { *s = append(*s, fmt.Sprint("stop ", job)) }

// A job that is interrupted goes before those that came after it, also where these have
// been waiting while it ran, and one of them has a reservation.
func TestInterruptedKeepsItsPlace(t *testing.T) {
	for _, policy := range []string{"fifo", "fifo-skip", "easy-backfill", "conservative-backfill", "priority", "drf"} {
		q := scheduler.NewQueue(scheduler.Policy{Name: policy}, 4)
		var did orders
		for i := range 3 {
			q.Add(scheduler.Job{Accelerators: 4, Estimate: 10 * second})
			q.Arrive(i, 0)
		}
		q.Decide(0, &did)
		q.Interrupt(0, 4*second, 4*second, true)
		q.Remove(1)
		q.Decide(4*second, &did) // nothing fits
		q.Restore(1)
		q.Decide(9*second, &did)
		q.Finish(0, 19*second)
		q.Decide(19*second, &did)
		if want := (orders{"0 on 4", "0 on 4", "1 on 4"}); !slices.Equal(did, want) {
			t.Errorf("%s: %q, want %q", policy, did, want)
		}
	}
}

// Of 10 s of work a job has done 4 when it is interrupted, and 1 of these counts: 9 are
// left, less than the other's 9.5, so that it goes first under srtf; had none counted, it
// would not.
func TestInterruptedHasMoreLeft(t *testing.T) {
	for lost, want := range map[int64]string{3: "0 on 4", 4: "1 on 4"} {
		q := scheduler.NewQueue(scheduler.Policy{Name: "srtf"}, 4)
		var did orders
		q.Add(scheduler.Job{Accelerators: 4, Estimate: 10 * second})
		q.Add(scheduler.Job{Accelerators: 4, Estimate: 19 * second / 2})
		q.Arrive(0, 0)
		q.Decide(0, &did)
		q.Arrive(1, 4*second)
		q.Interrupt(0, 4*second, units.Duration(lost)*second, true)
		q.Decide(4*second, &did)
		if did[1] != want {
			t.Errorf("%d s lost: then %q, want %q", lost, did[1], want)
		}
	}
}

// An elastic job that was squeezed to its least when it was interrupted may again have
// all that it came for.
func TestInterruptedGrowsBack(t *testing.T) {
	q := scheduler.NewQueue(scheduler.Policy{Name: "elastic"}, 4)
	var did orders
	q.Add(scheduler.Job{Accelerators: 4, Least: 1, Estimate: 10 * second})
	q.Add(scheduler.Job{Accelerators: 3, Estimate: 10 * second})
	q.Arrive(0, 0)
	q.Decide(0, &did)
	q.Arrive(1, second)
	q.Decide(second, &did)
	q.Interrupt(0, 2*second, second, true)
	q.Remove(1)
	q.Decide(2*second, &did)
	q.Finish(1, 3*second)
	q.Restore(1)
	q.Decide(3*second, &did)
	if want := (orders{"0 on 4", "stop 0", "0 on 1", "1 on 3", "0 on 4"}); !slices.Equal(did, want) {
		t.Errorf("%q, want %q", did, want)
	}
}

// A job that is given up is gone: the queue has its accelerators, and nothing to do.
func TestGivenUp(t *testing.T) {
	for _, policy := range scheduler.Policies() {
		q := scheduler.NewQueue(scheduler.Policy{Name: policy, Lease: second}, 4)
		var did orders
		q.Add(scheduler.Job{Accelerators: 4, Estimate: 10 * second})
		q.Add(scheduler.Job{Accelerators: 4, Estimate: 10 * second})
		q.Arrive(0, 0)
		q.Decide(0, &did)
		q.Interrupt(0, 5*second, 5*second, false)
		q.Arrive(1, 5*second)
		q.Decide(5*second, &did)
		if want := (orders{"0 on 4", "1 on 4"}); !slices.Equal(did, want) {
			t.Errorf("%s: %q, want %q", policy, did, want)
		}
	}
}

// crowded can start nothing.
type crowded struct{}

func (crowded) Start(int, int, int) (float64, bool) { return 0, false }
func (crowded) Stop(int)                            {}

// Jobs without length that the machine cannot place are not tried again at each tick of
// the clock, but when something has happened.
func TestRefusedIsNotTriedByTheClock(t *testing.T) {
	q := scheduler.NewQueue(scheduler.Policy{Name: "conservative-backfill"}, 4)
	for i := range 3 {
		q.Add(scheduler.Job{Accelerators: 3})
		q.Arrive(i, 0)
	}
	if again := q.Decide(0, crowded{}); again != scheduler.Never {
		t.Errorf("decides again at %v", again)
	}
}
