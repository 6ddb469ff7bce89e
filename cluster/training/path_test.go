package training_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// traced runs a training on hosts of eight and gives it with its trace.
func traced(t interface{ Fatal(...any) }, h topology.Host, tr workload.Training, change func(*training.Job)) *training.Job {
	tr = tr.WithDefaults()
	if err := tr.Validate(); err != nil {
		t.Fatal(err)
	}
	n := tr.Tensor * tr.Pipeline * tr.Data * tr.Context
	j := &training.Job{
		Training: tr, Iterations: 2, Roofline: cluster.Roofline{Accelerator: a100()},
		BucketBytes: 25 << 20, Overlap: true, Trace: &training.Trace{},
	}
	if change != nil {
		change(j)
	}
	engine := sim.New()
	c := cluster.New(engine, leafSpine(h, (n+7)/8, 2), 0)
	c.Submit(&cluster.Job{Count: n, Program: j})
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	return j
}

// sum is the time of all totals together, in seconds.
func sum(t training.Totals) float64 {
	all := t.Slowed.Seconds() + t.Optimizer.Seconds()
	for _, s := range t.Classes {
		all += s
	}
	for _, e := range t.Exposed {
		all += e.Seconds()
	}
	return all
}

// Whatever the parallelism, the segments of the path follow each other without a
// gap from the beginning to the end of the iteration, and however they are told
// their times sum to it.
func TestPathIsTheIteration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pipeline := rapid.SampledFrom([]int{1, 2, 3}).Draw(t, "pipeline")
		data := rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "data")
		tr := workload.Training{
			Model: small, MicroBatch: 1, Precision: topology.BF16, Data: data, Pipeline: pipeline,
			Tensor:           rapid.SampledFrom([]int{1, 2}).Draw(t, "tensor"),
			GlobalBatch:      data * rapid.IntRange(1, 6).Draw(t, "micro-batches"),
			PipelineSchedule: rapid.SampledFrom([]string{workload.GPipe, workload.OneFOneB, workload.ZeroBubble}).Draw(t, "schedule"),
		}
		if pipeline == 1 {
			tr.PipelineSchedule = workload.OneFOneB
			tr.Zero = rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(t, "zero")
		}
		j := traced(t, host(), tr, func(j *training.Job) {
			j.Overlap = rapid.Bool().Draw(t, "overlap")
			j.SendOverlap = rapid.Bool().Draw(t, "send overlap")
			j.Prefetch = rapid.Bool().Draw(t, "prefetch")
			j.Unfold = rapid.Bool().Draw(t, "unfold")
			k := cluster.Shipped
			k.Interference = rapid.SampledFrom([]float64{0, 0.22}).Draw(t, "interference")
			j.Roofline.Kernels = &k
		})
		path := j.Trace.Path
		if length := path[len(path)-1].To - path[0].From; length != j.Last.Time {
			t.Fatalf("the path takes %v, the iteration %v", length, j.Last.Time)
		}
		for i := 1; i < len(path); i++ {
			if path[i].From != path[i-1].To {
				t.Fatalf("segment %d begins at %v, the one before ends at %v", i, path[i].From, path[i-1].To)
			}
		}
		if got := sum(path.Totals()); math.Abs(got-j.Last.Time.Seconds()) > 1e-12*got {
			t.Fatalf("the totals sum to %v, the iteration takes %v", got, j.Last.Time.Seconds())
		}
		var told sim.Time
		for _, c := range path.Cycles(pipeline) {
			for _, s := range c.Stretches {
				if told += s.Time; s.Count%c.Times != 0 || s.Communication > s.Time {
					t.Fatalf("%d times %+v", c.Times, s)
				}
			}
		}
		if told != j.Last.Time {
			t.Fatalf("the cycles sum to %v, the iteration takes %v", told, j.Last.Time)
		}
	})
}

// A slow rank computes for longer: that is no communication's doing. Without overlap
// the path lies with it until gradients are summed, and it computes by so much more
// than ranks that are alike.
func TestPathOfAStraggler(t *testing.T) {
	tr := workload.Training{Model: small, MicroBatch: 1, Precision: topology.BF16, Data: 16, GlobalBatch: 32}
	path := func(s training.Stragglers) training.Totals {
		j := traced(t, host(), tr, func(j *training.Job) {
			j.Roofline, j.Stragglers, j.Overlap = quiet(a100()), s, false
		})
		return j.Trace.Path.Totals()
	}
	computed := func(t training.Totals) (sum float64) {
		for _, s := range t.Classes {
			sum += s
		}
		return sum
	}
	alike, slow := path(training.Stragglers{}), path(training.Stragglers{Hosts: []int{0}, Slowdown: 1.5})
	if slow.Slowed != 0 {
		t.Errorf("communication adds %v to computation without interference", slow.Slowed)
	}
	if got, want := computed(slow), 1.5*computed(alike); math.Abs(got-want) > 1e-6*want {
		t.Errorf("the path of a host slower by half computes %v s, want %v s", got, want)
	}
}

// Recording changes nothing of what happens.
func TestTraceChangesNothing(t *testing.T) {
	tr := workload.Training{Model: small, MicroBatch: 1, Precision: topology.BF16, Data: 4, Pipeline: 2, GlobalBatch: 16}
	with := traced(t, host(), tr, nil)
	without := traced(t, host(), tr, func(j *training.Job) { j.Trace = nil })
	if with.Last != without.Last {
		t.Errorf("with a trace %+v, without %+v", with.Last, without.Last)
	}
}

// One accelerator does nothing but compute: all passes in a row and a step.
func TestPathOfOneAccelerator(t *testing.T) {
	j := traced(t, host(), workload.Training{Model: small, MicroBatch: 4, Precision: topology.BF16, GlobalBatch: 12}, nil)
	cycles := j.Trace.Path.Cycles(1)
	// Three micro-batches, forward and backward in turn, then the optimizer.
	if len(cycles) != 2 || cycles[0].Times != 3 || len(cycles[0].Stretches) != 2 || len(cycles[1].Stretches) != 1 {
		t.Fatalf("%+v", cycles)
	}
	if f, b, u := cycles[0].Stretches[0], cycles[0].Stretches[1], cycles[1].Stretches[0]; f.Count != 3 || b.Count != 3 || f.Pass != workload.ForwardPass ||
		b.Pass != workload.BackwardPass || f.Time+b.Time != j.Last.Compute || u.Activity != training.Updating || u.Time != j.Last.Optimizer {
		t.Errorf("%+v", cycles)
	}
}

// The path of a pipeline: the first micro-batch goes down the stages. The last
// stage then never waits, so the path stays with it until its last backward pass,
// whose gradients go up the stages again.
func TestPathOfAPipeline(t *testing.T) {
	j := traced(t, host(), workload.Training{Model: small, MicroBatch: 4, Precision: topology.BF16, Pipeline: 2, GlobalBatch: 4 * 6},
		func(j *training.Job) { j.SendOverlap = true })
	var told []training.Stretch
	times := 1
	for _, c := range j.Trace.Path.Cycles(2) {
		told = append(told, c.Stretches...)
		times = max(times, c.Times)
	}
	type words struct {
		activity    training.Activity
		stage, next int
		pass        workload.Pass
		count       int
	}
	want := []words{
		{training.Computing, 0, 0, workload.ForwardPass, 1},
		{training.Sending, 0, 1, 0, 1},
		// The head makes the last stage the slower one.
		{training.Computing, 1, 0, workload.ForwardPass, 6},
		{training.Computing, 1, 0, workload.BackwardPass, 6},
		{training.Sending, 1, 0, 0, 1},
		{training.Computing, 0, 0, workload.BackwardPass, 1},
		{training.Updating, 0, 0, 0, 1},
	}
	var got []words
	for _, s := range told {
		got = append(got, words{s.Activity, s.Stage, s.Next, s.Pass, s.Count})
	}
	if !slices.Equal(got, want) || times != 6 {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A longer one is told in as few words: down the stages, the steady phase on the
// last, and up again.
func TestPathOfALongPipeline(t *testing.T) {
	deep := small
	deep.Layers = 16
	j := traced(t, host(), workload.Training{Model: deep, MicroBatch: 4, Precision: topology.BF16, Pipeline: 8, GlobalBatch: 4 * 32},
		func(j *training.Job) { j.SendOverlap = true })
	type words struct{ times, shift, first, stretches int }
	var got []words
	for _, c := range j.Trace.Path.Cycles(8) {
		got = append(got, words{c.Times, c.Shift, c.Stretches[0].Stage, len(c.Stretches)})
	}
	want := []words{
		{7, 1, 0, 2},  // a forward pass and a message, down to stage 7
		{32, 0, 7, 2}, // forward and backward passes on stage 7
		{7, -1, 7, 2}, // a message and a backward pass, up to stage 0
		{1, 0, 0, 1},  // the optimizer of stage 0
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The classes of operators sum to the computation of the mean rank; communication
// beside it adds the time that it takes away.
func TestComputeByClass(t *testing.T) {
	for _, c := range []struct {
		name         string
		training     workload.Training
		interference float64
	}{
		{"one accelerator", workload.Training{GlobalBatch: 8}, 0},
		{"pipeline", workload.Training{Pipeline: 3, GlobalBatch: 16}, 0},
		{"interleaved", workload.Training{Pipeline: 2, VirtualStages: 3, PipelineSchedule: workload.Interleaved, GlobalBatch: 16}, 0},
		{"zero-bubble", workload.Training{Pipeline: 2, PipelineSchedule: workload.ZeroBubble, GlobalBatch: 16}, 0},
		{"recomputation", workload.Training{Tensor: 2, Recompute: workload.RecomputeFull, GlobalBatch: 8}, 0},
		{"replicas beside communication", workload.Training{Data: 16, GlobalBatch: 64}, 0.22},
		{"ZeRO 3 beside communication", workload.Training{Data: 16, Zero: 3, GlobalBatch: 64}, 0.22},
		{"a slow host", workload.Training{Data: 16, GlobalBatch: 64}, 0.22},
		{"jitter", workload.Training{Data: 8, GlobalBatch: 64}, 0.22},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := c.training
			tr.Model, tr.MicroBatch, tr.Precision = small, 2, topology.BF16
			j := traced(t, host(), tr, func(j *training.Job) {
				k := cluster.Shipped
				k.Interference = c.interference
				j.Roofline.Kernels, j.Prefetch = &k, true
				switch c.name {
				case "a slow host":
					j.Stragglers = training.Stragglers{Hosts: []int{1}, Slowdown: 1.5}
				case "jitter":
					j.Stragglers, j.Iterations = training.Stragglers{Jitter: 0.1, Seed: 7}, 5
				}
			})
			var classes float64
			for _, s := range j.ComputeByClass() {
				classes += s
			}
			slowed := c.interference * j.Last.Overlapped.Seconds()
			if c.interference > 0 && slowed == 0 {
				t.Error("nothing ran beside communication")
			}
			// Each step of a pass rounds to a tick.
			if got, want := j.Last.Compute.Seconds(), classes+slowed; math.Abs(got-want) > 1e-7*want {
				t.Errorf("compute is %v s, its classes sum to %v s and communication adds %v s", got, classes, slowed)
			}
		})
	}
}

// Of iterations that differ by chance the median is told: as many are shorter as are
// longer, or one fewer.
func TestMedianPath(t *testing.T) {
	for _, iterations := range []int64{1, 2, 5, 8, 20} {
		var lengths []sim.Time
		for n := int64(1); n <= min(iterations, training.Simulated); n++ {
			lengths = append(lengths, jittered(t, n).Trace.Path.Length())
		}
		got := jittered(t, iterations).Trace.Median().Length()
		slices.Sort(lengths)
		if want := lengths[(len(lengths)-1)/2]; got != want {
			t.Errorf("of %v the median is said to be %v", lengths, got)
		}
	}
}

// jittered is a traced job of so many iterations of different lengths.
func jittered(t *testing.T, iterations int64) *training.Job {
	tr := workload.Training{Model: small, MicroBatch: 1, Precision: topology.BF16, Data: 4, GlobalBatch: 8}
	return traced(t, host(), tr, func(j *training.Job) {
		j.Iterations, j.Stragglers = iterations, training.Stragglers{Jitter: 0.2, Seed: 3}
	})
}
