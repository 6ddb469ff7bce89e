package training

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// paced is a job whose stages all take the same for a pass of a micro-batch, and
// nothing for the optimizer.
type paced struct {
	*Job
	forward, back, weight sim.Time
}

func (p paced) Begin(c *cluster.Cluster, job int) {
	p.c, p.job = c, job
	p.actor = c.Engine.Register(p.Job)
	if err := p.form(); err != nil {
		c.Fail(job, err)
		return
	}
	pass := func(d sim.Time) (p pass) {
		p.add(newPart(step{do: stepCompute, duration: d}))
		return p
	}
	for _, g := range p.gangs {
		g.program.optimizer = 0
		for i := range g.program.chunks {
			c := &g.program.chunks[i]
			c.forward = pass(p.forward)
			for accumulate := range 2 {
				for reduce := range 2 {
					c.back[accumulate][reduce], c.weight[accumulate][reduce] = pass(p.back), pass(p.weight)
				}
			}
		}
	}
	p.start()
}

// The bubbles of the papers, event by event on a network that costs nothing: a
// stage idles for (p-1)(f+b) an iteration under GPipe and 1F1B, a v-th of that
// with v chunks (Narayanan et al. 2021), and (p-1)(f+b-w) under ZB-H1 (Qi et al.
// 2023).
func TestBubble(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schedule := rapid.SampledFrom([]string{workload.GPipe, workload.OneFOneB, workload.Interleaved, workload.ZeroBubble}).Draw(t, "schedule")
		p := rapid.IntRange(2, 8).Draw(t, "stages")
		m := rapid.IntRange(p, 24).Draw(t, "micro-batches")
		f, b := sim.Time(rapid.IntRange(1, 1000).Draw(t, "f")), sim.Time(rapid.IntRange(1, 2000).Draw(t, "b"))
		v, w := 1, sim.Time(0)
		bubble := sim.Time(p-1) * (f + b)
		switch schedule {
		case workload.Interleaved:
			v = rapid.IntRange(2, 4).Draw(t, "chunks")
			m = m / p * p
		case workload.ZeroBubble:
			w = sim.Time(rapid.Int64Range(1, int64(min(f, b))).Draw(t, "w"))
			if rapid.Bool().Draw(t, "as in the paper") {
				b, w = f, f
			}
			bubble = sim.Time(p-1) * (f + b - w)
		}
		topo, err := topology.Switch(p, 1e21, 0)
		if err != nil {
			t.Fatal(err)
		}
		j := paced{&Job{
			Training: workload.Training{
				Model:       workload.Model{Layers: int64(p * v), Hidden: 1, Heads: 1, Vocab: 1, Sequence: 1},
				GlobalBatch: m, Pipeline: p, VirtualStages: v, PipelineSchedule: schedule, Precision: topology.BF16,
			}.WithDefaults(),
			Iterations: 2, SendOverlap: rapid.Bool().Draw(t, "overlap"),
		}, f, b, w}
		if err := j.Training.Validate(); err != nil {
			t.Fatal(err)
		}
		engine := sim.New()
		c := cluster.New(engine, topo, 0)
		c.Submit(&cluster.Job{Name: "it", Count: p, Program: j})
		if err := engine.Run(context.Background()); err != nil || c.Err != nil {
			t.Fatal(err, c.Err)
		}
		compute := sim.Time(m*v) * (f + b + w)
		if l := j.Last; l.Time != compute+bubble || l.Compute != compute || l.Bubble != bubble || l.AllExposed() != 0 {
			t.Fatalf("%s: %+v, want %v of compute and a bubble of %v", schedule, l, compute, bubble)
		}
		if engine.Now() != 2*(compute+bubble) {
			t.Fatalf("two iterations end at %v", engine.Now())
		}
	})
}

// An evaluation of m micro-batches takes m passes of v chunks and the p - 1 that it
// takes to fill the pipeline, with free communication; it leaves the iteration as it
// is.
func TestEvaluationOfPipeline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, v := rapid.IntRange(1, 6).Draw(t, "stages"), rapid.IntRange(1, 3).Draw(t, "chunks")
		m := rapid.IntRange(1, 4).Draw(t, "groups") * p
		short := rapid.IntRange(0, p-1).Draw(t, "left out of the last group")
		if v > 1 {
			short = 0
		}
		f := sim.Time(rapid.IntRange(1, 1000).Draw(t, "f"))
		every := int64(rapid.IntRange(1, 4).Draw(t, "every"))
		topo, err := topology.Switch(p, 1e21, 0)
		if err != nil {
			t.Fatal(err)
		}
		j := paced{&Job{
			Training: workload.Training{
				Model:       workload.Model{Layers: int64(p * v), Hidden: 1, Heads: 1, Vocab: 1, Sequence: 1},
				GlobalBatch: p, Pipeline: p, VirtualStages: v, Precision: topology.BF16,
			}.WithDefaults(),
			Iterations: 7, SendOverlap: true,
			Every: every, EvaluationSamples: int64(m - short),
		}, f, 2 * f, 0}
		engine := sim.New()
		c := cluster.New(engine, topo, 0)
		c.Submit(&cluster.Job{Name: "it", Count: p, Program: j})
		if err := engine.Run(context.Background()); err != nil || c.Err != nil {
			t.Fatal(err, c.Err)
		}
		evaluation := sim.Time((m-short)*v+p-1) * f
		if j.Interlude.Time != evaluation || j.Interludes != 7/every {
			t.Fatalf("%d evaluations of %v, want %d of %v", j.Interludes, j.Interlude.Time, 7/every, evaluation)
		}
		iteration := sim.Time(p*v+(p-1)) * 3 * f
		if j.Last.Time != iteration {
			t.Fatalf("an iteration takes %v, want %v", j.Last.Time, iteration)
		}
		if got, want := c.Jobs[0].FinishedAt, 7*iteration+sim.Time(7/every)*evaluation; got != want {
			t.Fatalf("the job ends at %v, want %v", got, want)
		}
	})
}
