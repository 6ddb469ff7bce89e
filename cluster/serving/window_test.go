package serving

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload/serving"
)

func dynamic(most int) scheduler.Batching {
	return scheduler.Batching{Order: scheduler.Static, MaxBatch: most, Reserve: true, Blocks: most, BlockSize: 1 << 24}
}

// A pass takes 1 s, of three requests at most, and waits 0.5 s to fill: the first begins
// at 0.5 with the two that have come, the second at 1.5 with the three that wait; the
// last comes alone at 5, and waits until 5.5.
func TestWindow(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: dynamic(3), Costs: flat(1)}, Delay: sim.FromSeconds(0.5)}
	for _, at := range []float64{0, 0.2, 0.6, 0.7, 0.8, 1.1, 5} {
		f.Requests = append(f.Requests, serving.Request{Arrival: at, Input: 10, Output: 1})
	}
	fleetOf(t, f)
	for i, want := range []float64{1.5, 1.5, 2.5, 2.5, 2.5, 3.5, 6.5} {
		o := f.Outcomes[i]
		if o.Finish != sim.FromSeconds(want) || o.First != o.Finish {
			t.Errorf("request %d has its answer at %v, want %v s", i, o.Finish, want)
		}
	}
	if f.Steps != 4 {
		t.Errorf("%d passes, want 4", f.Steps)
	}
}

// A batch that is full does not wait.
func TestFullWindow(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: dynamic(2), Costs: flat(1)}, Delay: 10 * second}
	f.Requests = []serving.Request{{Input: 1, Output: 1}, {Arrival: 0.25, Input: 1, Output: 1}}
	if engine := fleetOf(t, f); f.Outcomes[0].Finish != sim.FromSeconds(1.25) || engine.Now() != sim.FromSeconds(1.25) {
		t.Errorf("it ends at %v, the run at %v", f.Outcomes[0].Finish, engine.Now())
	}
}

// One at a time at a load of 0.8 is M/D/1: a request waits load / (2 (1 - load)) = 2
// passes in the mean (Pollaczek and Khinchine).
func TestPollaczekKhinchine(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: dynamic(1), Costs: flat(1)}}
	random, at := rand.New(rand.NewPCG(1, 2)), 0.0
	const n = 400_000
	for range n {
		at += random.ExpFloat64() / 0.8
		f.Requests = append(f.Requests, serving.Request{Arrival: at, Input: 1, Output: 1})
	}
	fleetOf(t, f)
	var wait float64
	for _, o := range f.Outcomes {
		wait += (o.Finish - o.Arrival).Seconds() - 1
	}
	if got := wait / n; math.Abs(got-2) > 0.1 {
		t.Errorf("a request waits %v s, want 2", got)
	}
}
