package scheduler_test

import (
	"slices"
	"testing"

	"github.com/railyard/railyard/scheduler"
)

// Half of the jobs need 1 s, half 10 s. The first has attained 1 s and so needs 10 s
// for sure when the second comes, which may need 1 s, and goes first; the third comes
// while the second is in its first second, and waits for it.
func TestGittins(t *testing.T) {
	p := scheduler.Policy{Name: "gittins", Services: []float64{1, 10}}
	got, stops := starts(t, p, 1, []task{{gang: 1, duration: 10}, {submit: 3, gang: 1, duration: 1}, {submit: 3, gang: 1, duration: 10}})
	if want := []int64{0, 3, 4}; !slices.Equal(got, want) || !slices.Equal(stops, []int{1, 0, 1}) {
		t.Errorf("starts %v, stops %v, want %v", got, stops, want)
	}
}

// The long job has its accelerators to the end of its lease at 10 s. Then its rho is
// (10 + 90) / (100 x 2), and that of the short one, which waits since 1 s, (9 + 10) /
// (10 x 2): it takes over, and the long one has them back once it has ended. Alone at
// the end of a lease, a job goes on.
func TestFinishTimeFairness(t *testing.T) {
	p := scheduler.Policy{Name: "finish-time-fairness", Lease: 10 * second}
	got, err := run(p, 2, []task{{gang: 2, duration: 100}, {submit: 1, gang: 2, duration: 10}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []outcome{{0, 110, 1}, {10, 20, 0}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Two jobs that want all accelerators take turns, lease by lease: of the one that
// waits, all or more of its time is withheld.
func TestMaxMin(t *testing.T) {
	p := scheduler.Policy{Name: "max-min", Lease: 10 * second}
	got, err := run(p, 2, []task{{gang: 2, duration: 50}, {gang: 2, duration: 50}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []outcome{{0, 90, 4}, {10, 100, 4}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
