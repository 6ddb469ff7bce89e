package training

import (
	"context"
	"math"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// replicas is a job of n replicas that compute for 3 ms an iteration, on a network
// that costs nothing.
func replicas(t *testing.T, n int, iterations int64, s Stragglers) *Job {
	t.Helper()
	topo, err := topology.Switch(n, 1e21, 0)
	if err != nil {
		t.Fatal(err)
	}
	j := paced{&Job{
		Training: workload.Training{
			Model:       workload.Model{Layers: 1, Hidden: 1, Heads: 1, Vocab: 1, Sequence: 1},
			GlobalBatch: n, Data: n, Precision: topology.BF16,
		}.WithDefaults(),
		Iterations: iterations, Stragglers: s, Unfold: s.any(), SendOverlap: true,
	}, sim.Millisecond, 2 * sim.Millisecond, 0}
	engine := sim.New()
	c := cluster.New(engine, topo, 0)
	c.Submit(&cluster.Job{Name: "it", Count: n, Program: j})
	if err := engine.Run(context.Background()); err != nil || c.Err != nil {
		t.Fatal(err, c.Err)
	}
	return j.Job
}

// maximum is the mean of the greatest of n log-normal values of mean 1: the
// integral of 1 - F(x)^n.
func maximum(n int, cv float64) float64 {
	sigma := math.Sqrt(math.Log1p(cv * cv))
	const dx = 1e-4
	sum := 0.0
	for x := dx / 2; x < 10; x += dx {
		below := math.Erfc(-(math.Log(x)+sigma*sigma/2)/sigma/math.Sqrt2) / 2
		sum += (1 - math.Pow(below, float64(n))) * dx
	}
	return sum
}

// A synchronous iteration takes the mean of the maximum of its ranks; the mean
// rank computes no longer for it.
func TestJitter(t *testing.T) {
	const iterations = 3000
	for _, n := range []int{1, 2, 8, 32} {
		for _, cv := range []float64{0.02, 0.2} {
			j := replicas(t, n, iterations, Stragglers{Jitter: cv, Seed: 7})
			got, want := j.Last.Time.Seconds()/3e-3, maximum(n, cv)
			// Five standard errors; the maximum varies less than one rank does.
			if slack := 5 * cv / math.Sqrt(iterations); math.Abs(got-want) > slack {
				t.Errorf("%d ranks of jitter %v: an iteration takes %.4f of the work, want %.4f within %.4f", n, cv, got, want, slack)
			}
			if mean := j.Last.Compute.Seconds() / 3e-3; math.Abs(mean-1) > 5*cv/math.Sqrt(iterations*float64(n)) {
				t.Errorf("%d ranks of jitter %v: the mean rank computes %.4f of the work", n, cv, mean)
			}
		}
	}
}

// Each rank has a stream of its own: another rank moves nobody's draws.
func TestJitterStreams(t *testing.T) {
	draws := func(n int) (all []float64) {
		j := replicas(t, n, 1, Stragglers{Jitter: 0.1, Seed: 7})
		for _, g := range j.gangs {
			all = append(all, g.pace.now)
		}
		return all
	}
	few, many := draws(2), draws(3)
	if few[0] != many[0] || few[1] != many[1] || many[0] == many[1] || many[1] == many[2] {
		t.Errorf("two ranks draw %v, three %v", few, many)
	}
}

// Without stragglers ranks stay folded, and paces are exact.
func TestNoStragglers(t *testing.T) {
	j := replicas(t, 8, 3, Stragglers{Slowdown: 2})
	if len(j.gangs) != 1 || j.Last.Time != 3*sim.Millisecond {
		t.Errorf("%d gangs, %+v", len(j.gangs), j.Last)
	}
}
