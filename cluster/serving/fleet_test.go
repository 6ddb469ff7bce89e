package serving

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload/serving"
)

// flat costs the same for every step.
type flat float64

func (f flat) Place(*cluster.Cluster, []topology.NodeID) error { return nil }
func (f flat) Time(*Step) (float64, error)                     { return float64(f), nil }

func mixed() scheduler.Batching {
	return scheduler.Batching{Order: scheduler.Mixed, Budget: 512, MaxBatch: 8, Blocks: 1000, BlockSize: 16}
}

// A step takes 1 s. The first request begins at once and has its tokens at 1, 2 and 3 s;
// the second comes within the first step and has its tokens at 2 and 3 s.
func TestSteps(t *testing.T) {
	f := &Fleet{
		Pool:     Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)},
		Requests: []serving.Request{{ID: "a", Input: 10, Output: 3}, {ID: "b", Arrival: 0.5, Input: 10, Output: 2}},
	}
	fleetOf(t, f)
	for i, want := range []Outcome{
		{Arrival: 0, First: sim.FromSeconds(1), Finish: sim.FromSeconds(3)},
		{Arrival: sim.FromSeconds(0.5), First: sim.FromSeconds(2), Finish: sim.FromSeconds(3)},
	} {
		if f.Outcomes[i] != want {
			t.Errorf("request %d: %+v, want %+v", i, f.Outcomes[i], want)
		}
	}
	if f.Gaps.Mean() != 1 || math.Abs(f.Gaps.Quantile(0.5)-1) > 0.01 {
		t.Errorf("gaps of %v s, median %v", f.Gaps.Mean(), f.Gaps.Quantile(0.5))
	}
}

// Two clients, three requests of two steps: the third is sent when the first two end.
func TestClosedLoop(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)}, Concurrency: 2}
	for range 3 {
		f.Requests = append(f.Requests, serving.Request{Input: 10, Output: 2})
	}
	fleetOf(t, f)
	if o := f.Outcomes[2]; o.Arrival != sim.FromSeconds(2) || o.Finish != sim.FromSeconds(4) {
		t.Errorf("the third is sent at %v and ends at %v", o.Arrival, o.Finish)
	}
}

// Requests that can never be served are counted, and the others served: 200 tokens do
// not go into a context of 100, whoever sends them.
func TestRejected(t *testing.T) {
	for _, clients := range []int{0, 1} {
		f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)}, Context: 100, Concurrency: clients}
		f.Requests = []serving.Request{{Input: 190, Output: 10}, {Input: 90, Output: 10}, {Input: 190, Output: 10}}
		fleetOf(t, f)
		for i, want := range []string{"rejected", "finished", "rejected"} {
			if got := f.Outcomes[i].Status(); got != want {
				t.Errorf("%d clients: request %d is %s, want %s", clients, i, got, want)
			}
		}
	}
}

// With two stages a step takes as long as with one, and another batch follows half a step
// behind: two requests at a time have twice the tokens of one, not more time.
func TestStages(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 1, Stages: 2, Batching: mixed(), Costs: flat(1)}}
	f.Requests = []serving.Request{{Input: 10, Output: 4}, {Input: 10, Output: 4}}
	fleetOf(t, f)
	if a, b := f.Outcomes[0].Finish.Seconds(), f.Outcomes[1].Finish.Seconds(); a != 4 || b != 4.5 {
		t.Errorf("they end at %v and %v s, want 4 and 4.5", a, b)
	}
}

// No request is lost, all of a token comes, and by Little's law the requests in the
// system are their rate times the time that they spend there, exactly, since the system
// is empty at both ends.
func TestLittle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		replicas := rapid.IntRange(1, 3).Draw(t, "replicas")
		f := &Fleet{
			Pool: Pool{
				Replicas: replicas, Tensor: 1, Stages: rapid.IntRange(1, 3).Draw(t, "stages"),
				Routing: scheduler.Routing(rapid.IntRange(0, 6).Draw(t, "routing")), Costs: flat(0.01),
				Batching: scheduler.Batching{
					Order: scheduler.Order(rapid.IntRange(0, 2).Draw(t, "order")), Budget: 64, MaxBatch: 4,
					Blocks: rapid.IntRange(12, 40).Draw(t, "blocks"), BlockSize: 8,
				},
			},
			Random:      rand.New(rand.NewPCG(1, 1)),
			Concurrency: rapid.IntRange(0, 5).Draw(t, "clients"),
		}
		at := 0.0
		for range rapid.IntRange(1, 30).Draw(t, "requests") {
			at += rapid.Float64Range(0, 0.1).Draw(t, "gap")
			f.Requests = append(f.Requests, serving.Request{Arrival: at, Input: rapid.IntRange(1, 60).Draw(t, "input"), Output: rapid.IntRange(1, 30).Draw(t, "output")})
		}
		top, err := topology.Pool(replicas * f.Stages)
		if err != nil {
			t.Fatal(err)
		}
		engine := sim.New()
		c := cluster.New(engine, top, 0)
		c.Submit(&cluster.Job{Name: "fleet", Count: top.Accelerators(), Program: f})
		if err := engine.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		var spent float64
		for i := range f.Outcomes {
			o := &f.Outcomes[i]
			if o.Status() != "finished" {
				t.Fatalf("request %d is %s", i, o.Status())
			}
			if o.Arrival >= o.First || o.First > o.Finish {
				t.Fatalf("request %d: %+v", i, *o)
			}
			spent += (o.Finish - o.Arrival).Seconds()
		}
		if inside := f.Level.Queued.Seconds() + f.Level.Ran.Seconds(); math.Abs(inside-spent) > 1e-6*spent {
			t.Errorf("integral of the requests inside %v s, time that they spent %v s", inside, spent)
		}
	})
}

// A step brings (1 - a^(k + 1)) / (1 - a) tokens in the mean (Leviathan et al. 2023,
// equation 1): of 20,000 tokens, within three deviations of the mean of the steps.
func TestAcceptance(t *testing.T) {
	for _, c := range []struct {
		a float64
		k int
	}{{0.8, 4}, {0.5, 7}, {0, 3}, {1, 3}} {
		f := &Fleet{
			Pool: Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)}, Acceptance: c.a, Random: rand.New(rand.NewPCG(1, 2)),
			Requests: []serving.Request{{Input: 1, Output: 20_000}},
		}
		f.Batching.Lookahead, f.Batching.Blocks = c.k, 2000
		fleetOf(t, f)
		want := float64(c.k + 1)
		if c.a < 1 {
			want = (1 - math.Pow(c.a, float64(c.k+1))) / (1 - c.a)
		}
		steps := float64(f.Steps - 1) // the prompt's
		if got := 19_999 / steps; math.Abs(got-want) > 3*float64(c.k)/math.Sqrt(steps) {
			t.Errorf("a = %v, k = %d: %.4f tokens a step, want %.4f", c.a, c.k, got, want)
		}
		if f.Gaps.total != 19_999 {
			t.Errorf("%d gaps between 20,000 tokens", f.Gaps.total)
		}
	}
}

// A table takes the next row that is not below, and says what it lacks.
func TestTable(t *testing.T) {
	table := NewTable([]Row{
		{Part: DensePart, Tokens: 8, Seconds: 1},
		{Part: DensePart, Tokens: 16, Seconds: 2},
		{Part: PrefillPart, Sequences: 1, Cached: 0, Tokens: 5, Seconds: 10},
		{Part: PrefillPart, Sequences: 1, Cached: 64, Tokens: 5, Seconds: 20},
		{Part: DecodePart, Sequences: 2, Cached: 64, Seconds: 100},
	})
	for _, c := range []struct {
		step Step
		want float64
	}{
		{Step{Tokens: 9, Decodes: 2, Context: 129}, 102}, // mean context 64
		{Step{Tokens: 8, Chunks: []Chunk{{4, 0}}}, 11},
		{Step{Tokens: 8, Chunks: []Chunk{{4, 1}}}, 21},
		{Step{Tokens: 8, Chunks: []Chunk{{3, 0}, {4, 0}}}, 11}, // root of 9 + 16; two count as one
	} {
		if got, err := table.Time(&c.step); err != nil || got != c.want {
			t.Errorf("%+v costs %v (%v), want %v", c.step, got, err, c.want)
		}
	}
	if _, err := table.Time(&Step{Tokens: 17}); err == nil {
		t.Error("17 tokens are beyond the table, and have a cost")
	}
}
