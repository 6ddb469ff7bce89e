package training_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// evaluating is a job that evaluates its model on so many samples after every so many
// iterations.
func evaluating(t testing.TB, tr workload.Training, iterations, every, samples int64) *training.Job {
	j := parallel(t, tr)
	j.Iterations, j.Every, j.EvaluationSamples = iterations, every, samples
	return j
}

// With evaluations too, jumping changes nothing but the number of events: the time to
// train is that of all iterations and all evaluations, to the tick, the last one
// being the job's end where the iterations are a multiple.
func TestEvaluationsAreJumpedOver(t *testing.T) {
	for _, name := range []string{"data", "five ways", "interleaved", "zero bubble, zero 3", "zero 3"} {
		for _, every := range []int64{1, 3, 20, 200} {
			t.Run(fmt.Sprintf("%s, every %d", name, every), func(t *testing.T) {
				const iterations = 100
				var got [2]books
				var events [2]uint64
				for i := range got {
					j := evaluating(t, combinations()[name], iterations, every, 37)
					n := j.Training.Ranks()
					jobs := []*cluster.Job{{Name: "it", Count: n, Program: j}}
					if i == 1 {
						jobs = append(jobs, stranger())
					}
					c := run(t, leafSpine(host(), 3, 2), jobs...)
					got[i], events[i] = rankBooks(c, j), c.Engine.Handled()
					if want := iterations*j.Last.Time + sim.Time(iterations/every)*j.Interlude.Time; got[i].finished != want || j.Interludes != iterations/every {
						t.Errorf("ends at %v with %d evaluations of %v, want %v", got[i].finished, j.Interludes, j.Interlude.Time, want)
					}
				}
				sameBooks(t, got[0], got[1])
				if events[0] > events[1]/2 {
					t.Errorf("%d events with the jump, %d without", events[0], events[1])
				}
			})
		}
	}
}

// A replica's evaluation is the forward passes of its share, rounded up, and no
// gradient moves.
func TestEvaluation(t *testing.T) {
	for samples, micros := range map[int64]sim.Time{1: 1, 32: 1, 33: 2, 320: 10} {
		j := job(8, 1, 25<<20, true, 2) // micro-batches of 4
		j.Every, j.EvaluationSamples = 2, samples
		c := run(t, leafSpine(host(), 1, 1), &cluster.Job{Name: "it", Count: 8, Program: j})
		var forward sim.Time
		for _, l := range j.Training.Layers() {
			forward += sim.FromSeconds(j.Roofline.Total(l.Forward))
		}
		if got, want := j.Interlude.Time, micros*forward; got != want {
			t.Errorf("%d samples: an evaluation takes %v, want %v", samples, got, want)
		}
		plain := job(8, 1, 25<<20, true, 2)
		p := run(t, leafSpine(host(), 1, 1), &cluster.Job{Name: "it", Count: 8, Program: plain})
		if j.Last != plain.Last {
			t.Errorf("an iteration is %+v with evaluations, %+v without", j.Last, plain.Last)
		}
		for i := range p.Topology.Links {
			if a, b := c.Network.Use(topology.LinkID(i)).Bytes, p.Network.Use(topology.LinkID(i)).Bytes; a != b {
				t.Errorf("%d samples: link %d carries %v bytes, %v without evaluation", samples, i, a, b)
			}
		}
		if a, b := j.ComputeByClass(), plain.ComputeByClass(); a != b {
			t.Errorf("computes %v, %v without evaluation", a, b)
		}
	}
}

// At the horizon what was done by then is counted, though rounds are jumped over.
func TestEvaluationsStopAtTheHorizon(t *testing.T) {
	topo := leafSpine(host(), 1, 1)
	probe := evaluating(t, workload.Training{Model: small, GlobalBatch: 8, Data: 8}, 2, 2, 8)
	run(t, topo, &cluster.Job{Name: "it", Count: 8, Program: probe})
	round := 2*probe.Last.Time + probe.Interlude.Time
	for _, c := range []struct {
		rounds      int64
		more        sim.Time
		done, evals int64
	}{
		{500, 1, 1000, 500},
		{500, probe.Last.Time + 1, 1001, 500},
		{500, 2*probe.Last.Time + 1, 1002, 500},
		{500, round - 1, 1002, 500},
		{501, 0, 1002, 501},
	} {
		j := evaluating(t, workload.Training{Model: small, GlobalBatch: 8, Data: 8}, 1_000_000, 2, 8)
		engine := sim.New()
		engine.Horizon = sim.Time(c.rounds)*round + c.more
		cl := cluster.New(engine, topo, 64)
		cl.Submit(&cluster.Job{Name: "it", Count: 8, Program: j})
		if err := engine.Run(context.Background()); !errors.Is(err, sim.ErrHorizon) {
			t.Fatal(err)
		}
		if j.Done != c.done || j.Interludes != c.evals {
			t.Errorf("after %d rounds and %v: %d iterations and %d evaluations, want %d and %d", c.rounds, c.more, j.Done, j.Interludes, c.done, c.evals)
		}
		if engine.Handled() > 100_000 {
			t.Errorf("%d events", engine.Handled())
		}
	}
}

// The critical path is that of the iteration.
func TestEvaluationIsNotOnThePath(t *testing.T) {
	j := evaluating(t, workload.Training{Model: small, GlobalBatch: 8, Data: 8}, 2, 1, 8)
	j.Trace = &training.Trace{}
	run(t, leafSpine(host(), 1, 1), &cluster.Job{Name: "it", Count: 8, Program: j})
	path := j.Trace.Path
	if got := path[len(path)-1].To - path[0].From; got != j.Last.Time {
		t.Errorf("a path of %v, the iteration takes %v", got, j.Last.Time)
	}
}
