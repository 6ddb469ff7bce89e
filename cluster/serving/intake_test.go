package serving

import (
	"slices"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload/serving"
)

// A second for each request and a tenth for each token, one after another: two prompts of
// ten tokens are known to the engine after 2 and 4 s, and have their tokens a second later.
// On two replicas each is taken in by its own front end.
func TestIntake(t *testing.T) {
	for _, c := range []struct {
		replicas int
		want     []float64
	}{{1, []float64{3, 5}}, {2, []float64{3, 3}}} {
		f := &Fleet{Pool: Pool{Replicas: c.replicas, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)}, Intake: Intake{second, second / 10}}
		f.Requests = []serving.Request{{Input: 10, Output: 1}, {Input: 10, Output: 1}}
		fleetOf(t, f)
		if got := finishes(f); !slices.Equal(got, c.want) {
			t.Errorf("%d replicas: they end at %v s, want %v", c.replicas, got, c.want)
		}
	}
}

// Two clients, the second a step behind the first: each next request comes while the other's
// is computed, and is not in the step that follows the end of its last.
func TestIntakeClosedLoop(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)}, Concurrency: 2, Intake: Intake{Request: second / 4}}
	for range 4 {
		f.Requests = append(f.Requests, serving.Request{Input: 10, Output: 2})
	}
	fleetOf(t, f)
	// Known at 0.25 and 0.5 s; steps end at 1.25, 2.25, ... s. The third is sent at 2.25 s and
	// known at 2.5, when a step is under way; the fourth is sent at 3.25 s.
	if got, want := finishes(f), []float64{2.25, 3.25, 5.25, 6.25}; !slices.Equal(got, want) {
		t.Errorf("they end at %v s, want %v", got, want)
	}
}

// What a front end has of a replica that fails is taken in by another's.
func TestIntakeFails(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 2, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)}, Intake: Intake{Request: 2 * second}}
	f.Failures = only([2]sim.Time{second, 100 * second})
	f.Requests = []serving.Request{{Input: 10, Output: 1}}
	fleetOf(t, f)
	if got := finishes(f); !slices.Equal(got, []float64{4}) || f.Outcomes[0].Replica != 1 {
		t.Errorf("it ends at %v s on replica %d, want 4 s and 1", got, f.Outcomes[0].Replica)
	}
}
