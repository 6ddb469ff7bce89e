package serving

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload/serving"
)

const second = sim.Second

// failing are failures of one replica, each a time and when its hosts are back.
type failing [][2]sim.Time

func (f *failing) Next() (at, until sim.Time) {
	if len(*f) == 0 {
		return sim.Never, sim.Never
	}
	at, until = (*f)[0][0], (*f)[0][1]
	*f = (*f)[1:]
	return at, until
}

// only has the first accelerator of a fleet fail.
func only(all ...[2]sim.Time) func([]topology.NodeID) Failures {
	return func(a []topology.NodeID) Failures {
		if a[0] != 0 {
			return &failing{}
		}
		return (*failing)(&all)
	}
}

// scaling is the defaults of Kubernetes on requests under way.
func scaling(target float64, least, most, initial int) *Scaling {
	all := scheduler.ScalingPolicy{Percent: true, Value: 100, Period: units.Duration(15 * second)}
	four := scheduler.ScalingPolicy{Value: 4, Period: units.Duration(15 * second)}
	return &Scaling{
		Autoscaling: scheduler.Autoscaling{
			Min: least, Max: most, Target: target, Tolerance: 0.1, Cooldown: units.Duration(300 * second),
			Up:   scheduler.ScalingRules{Policies: []scheduler.ScalingPolicy{all, four}},
			Down: scheduler.ScalingRules{Window: units.Duration(300 * second), Policies: []scheduler.ScalingPolicy{all}},
		},
		Initial: initial, Sync: 15 * second, Poll: 30 * second, Grace: 30 * second,
	}
}

func finishes(f *Fleet) (all []float64) {
	for i := range f.Outcomes {
		all = append(all, f.Outcomes[i].Finish.Seconds())
	}
	return all
}

// From none: a request comes after 10 s, the look after 30 s finds it. The host takes
// 60 s, the image 20, weights 5 and the engine 4: the first step of 1 s ends after 120 s.
// After the second request the host is still there with its image: from the look after
// 630 s on 9 s, and a step.
func TestColdStart(t *testing.T) {
	f := &Fleet{
		Pool:     Pool{Replicas: 2, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1), Scaling: scaling(10, 0, 2, 0), Start: Start{Provision: 60 * second, Image: 20 * second, Weights: 5 * second, Engine: 4 * second, Keep: 600 * second}},
		Requests: []serving.Request{{Arrival: 10, Input: 10, Output: 1}, {Arrival: 610, Input: 10, Output: 1}},
	}
	fleetOf(t, f)
	if got, want := finishes(f), []float64{30 + 60 + 20 + 5 + 4 + 1, 630 + 5 + 4 + 1}; !slices.Equal(got, want) {
		t.Errorf("they end at %v s, want %v", got, want)
	}
	if f.Grown.Starts != 2 || f.Grown.Most != 1 {
		t.Errorf("%d starts, %d replicas at most", f.Grown.Starts, f.Grown.Most)
	}
	// It answers from 119 s until the look after 450 s: the one after 120 s was the last
	// that found a request, 300 s are not yet over 300 s at 420.
	if got := f.Level.Up.Seconds(); math.Abs(got-(450-119+1)) > 1e-9 {
		t.Errorf("replicas answered for %v s", got)
	}
}

// Forty requests at once on one replica with a target of 10: at the first sync four are
// wanted, three start and are ready 10 s later. What waits stays where it is.
func TestScaleUp(t *testing.T) {
	f := &Fleet{
		Pool: Pool{Replicas: 4, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1), Routing: scheduler.LeastLoaded, Scaling: scaling(10, 1, 4, 1), Start: Start{Image: 6 * second, Weights: 4 * second}},
	}
	for range 40 {
		f.Requests = append(f.Requests, serving.Request{Input: 10, Output: 20})
	}
	f.Requests = append(f.Requests, serving.Request{Arrival: 30, Input: 10, Output: 20})
	fleetOf(t, f)
	d := f.Grown.Decisions
	if d[0] != (Decision{At: 15 * second, Metric: 40, Ready: 1, Recommended: 4, Desired: 4}) {
		t.Errorf("the first decision is %+v", d[0])
	}
	if o := f.Outcomes[40]; o.Replica != 1 || o.Finish != 50*second {
		t.Errorf("the last request goes to replica %d and ends at %v, want 1 and 50 s", o.Replica, o.Finish)
	}
}

// A replica that is to go ends what it has within its grace; what it has left goes on
// elsewhere, with the tokens that had come: at 15 s one of two goes, 5.5 s later it has
// computed 20 of 30 tokens. The other takes it up with its next step, at 21 s, and
// computes the other 10.
func TestDrain(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 2, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1), Scaling: scaling(10, 1, 2, 2)}}
	f.Scaling.Down.Window, f.Scaling.Grace = 0, 11*second/2
	f.Requests = []serving.Request{{Input: 10, Output: 30}, {Input: 10, Output: 30}}
	fleetOf(t, f)
	if got := finishes(f); !slices.Equal(got, []float64{30, 31}) {
		t.Errorf("they end at %v s, want 30 and 31", got)
	}
	if f.Grown.Moved != 1 || f.Outcomes[1].Replica != 0 || f.Outcomes[1].Stops != 1 {
		t.Errorf("%d moved; %+v", f.Grown.Moved, f.Outcomes[1])
	}
}

// The host of a replica fails after 2.5 s, within its third step: the request goes on on
// the other with its two tokens. At 10 s it is back, and ready 3 s later; a request that
// has come while the other was broken too waits for it.
func TestFailure(t *testing.T) {
	half := second / 2
	f := &Fleet{
		Pool: Pool{Replicas: 2, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1), Start: Start{Image: 2 * second, Weights: second}},
		Failures: func(a []topology.NodeID) Failures {
			if a[0] == 0 {
				return &failing{{5 * half, 10 * second}}
			}
			return &failing{{7 * second, 20 * second}}
		},
		Requests: []serving.Request{{Input: 10, Output: 4}, {Arrival: 8, Input: 10, Output: 1}},
	}
	fleetOf(t, f)
	if got := finishes(f); !slices.Equal(got, []float64{4.5, 14}) {
		t.Errorf("they end at %v s, want 4.5 and 14", got)
	}
	if g := f.Grown; g.Failed != 2 || g.Moved != 1 || g.Starts != 1 {
		t.Errorf("%+v", g)
	}
}

// Hosts that are away when a job begins take no requests until they are back: from the
// start, from before it, and for the longer of two failures at one instant.
func TestAwayAtTheStart(t *testing.T) {
	for _, c := range []struct {
		start    sim.Time
		failures [][2]sim.Time
	}{
		{0, [][2]sim.Time{{0, 10 * second}}},
		{5 * second, [][2]sim.Time{{0, second}, {2 * second, 10 * second}}},
		{5 * second, [][2]sim.Time{{5 * second, 6 * second}, {5 * second, 10 * second}, {5 * second, 5 * second}}},
	} {
		f := &Fleet{
			Pool: Pool{Replicas: 2, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)}, Failures: only(c.failures...),
		}
		for _, at := range []sim.Time{c.start, c.start, 9 * second, 11 * second, 11 * second} {
			f.Requests = append(f.Requests, serving.Request{Arrival: (at - c.start).Seconds(), Input: 10, Output: 1})
		}
		top, err := topology.Pool(2)
		if err != nil {
			t.Fatal(err)
		}
		engine := sim.New()
		cluster.New(engine, top, 0).Submit(&cluster.Job{Name: "fleet", Count: 2, Program: f, Start: c.start})
		if err := engine.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int32{1, 1, 1, 1, 0} { // in turn, once both are there
			if got := f.Outcomes[i].Replica; got != want {
				t.Errorf("%v: request %d goes to replica %d, want %d", c.failures, i, got, want)
			}
		}
		if g := f.Grown; g.Failed != 1 || g.Moved != 0 {
			t.Errorf("%v: %+v", c.failures, g)
		}
	}
}

// Hosts that are back from their last failure are looked after again: they fail at 20 s, the
// look after 30 s finds them broken, and that after 60 s a request.
func TestScaleAfterLastFailure(t *testing.T) {
	f := &Fleet{
		Pool:     Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1), Scaling: scaling(10, 0, 1, 0)},
		Failures: only([2]sim.Time{20 * second, 40 * second}), Requests: []serving.Request{{Arrival: 50, Input: 10, Output: 1}},
	}
	fleetOf(t, f)
	if got := finishes(f); !slices.Equal(got, []float64{61}) {
		t.Errorf("it ends at %v s, want 61", got)
	}
}

// often fails every 10 s, for a second.
type often sim.Time

func (o *often) Next() (at, until sim.Time) {
	*o += often(10 * second)
	return sim.Time(*o), sim.Time(*o) + second
}

// A start of 20 s on a host that fails every 10 s comes to nothing, however often: the run says
// so, unless it has a horizon to end at.
func TestNeverReady(t *testing.T) {
	for _, horizon := range []sim.Time{0, 1_000_000 * second} {
		f := &Fleet{
			Pool:     Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1), Start: Start{Weights: 20 * second}},
			Failures: func([]topology.NodeID) Failures { return new(often) }, Requests: []serving.Request{{Arrival: 15, Input: 10, Output: 4}},
		}
		top, err := topology.Pool(1)
		if err != nil {
			t.Fatal(err)
		}
		engine := sim.New()
		engine.Horizon = horizon
		c := cluster.New(engine, top, 0)
		c.Submit(&cluster.Job{Name: "fleet", Count: 1, Program: f})
		err = engine.Run(t.Context())
		if horizon == 0 && (c.Err == nil || !strings.Contains(c.Err.Error(), "no replica answers")) || horizon > 0 && (c.Err != nil || !errors.Is(err, sim.ErrHorizon)) {
			t.Errorf("with a horizon of %v: %v, %v", horizon, c.Err, err)
		}
	}
}

// What a replica computes counts as far as it has come: of steps of 1 s, 2.5 s until its host
// fails, and half of one at a horizon of 4.5 s.
func TestBusyAsFarAsItCame(t *testing.T) {
	f := &Fleet{
		Pool: Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)}, Failures: only([2]sim.Time{5 * second / 2, 4 * second}),
		Requests: []serving.Request{{Input: 10, Output: 4}},
	}
	top, err := topology.Pool(1)
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	engine.Horizon = 9 * second / 2
	cluster.New(engine, top, 0).Submit(&cluster.Job{Name: "fleet", Count: 1, Program: f})
	engine.Schedule(engine.Horizon, engine.Register(nothing{}), 0)
	if err := engine.Run(t.Context()); !errors.Is(err, sim.ErrHorizon) {
		t.Fatal(err)
	}
	if got, want := f.Busy(&f.Pool), 3*second; got != want {
		t.Errorf("it computed for %v, want %v", got, want)
	}
	if f.Settle(); f.Level.Up.Seconds() != 3 || f.Level.Lasted().Seconds() != 4.5 {
		t.Errorf("it answered for %v of %v s, want 3 of 4.5", f.Level.Up.Seconds(), f.Level.Lasted().Seconds())
	}
}

type nothing struct{}

func (nothing) Handle(sim.Time, uint64) {}

// All broken for good: the run says what waits.
func TestAllBroken(t *testing.T) {
	f := &Fleet{
		Pool:     Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1), Scaling: scaling(10, 1, 1, 1)},
		Failures: only([2]sim.Time{second / 2, sim.Never}), Requests: []serving.Request{{Input: 10, Output: 4}},
	}
	top, err := topology.Pool(1)
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	c := cluster.New(engine, top, 0)
	c.Submit(&cluster.Job{Name: "fleet", Count: 1, Program: f})
	if err := engine.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "1 requests that no step takes up: the hosts of all replicas are lost for good") {
		t.Errorf("it ends: %v", err)
	}
}

// A queue of two: of five at once one runs, two wait, two are turned away.
func TestMaxQueue(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)}, MaxQueue: 2}
	f.Batching.MaxBatch = 1
	f.Requests = append(f.Requests, serving.Request{Input: 10, Output: 5})
	for range 4 {
		f.Requests = append(f.Requests, serving.Request{Arrival: 0.5, Input: 10, Output: 1})
	}
	fleetOf(t, f)
	var got []string
	for i := range f.Outcomes {
		got = append(got, f.Outcomes[i].Status())
	}
	if want := []string{"finished", "finished", "finished", "refused", "refused"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Whatever scales, fails and is preempted: every request that is taken ends, has each of
// its tokens once, and no block of any cache is lost or made; by Little's law the
// requests inside are those that came times what they spent there.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := func(least, most float64, name string) sim.Time {
			return sim.FromSeconds(rapid.Float64Range(least, most).Draw(t, name))
		}
		replicas := rapid.IntRange(1, 4).Draw(t, "replicas")
		f := &Fleet{
			Pool: Pool{
				Replicas: replicas, Tensor: 1, Stages: rapid.IntRange(1, 2).Draw(t, "stages"),
				Routing: scheduler.Routing(rapid.IntRange(0, 6).Draw(t, "routing")), Costs: flat(0.1),
				Batching: scheduler.Batching{
					Order: scheduler.Order(rapid.IntRange(0, 3).Draw(t, "order")), Budget: 64, MaxBatch: 4,
					Blocks: rapid.IntRange(12, 40).Draw(t, "blocks"), BlockSize: 8,
				},
				Start: Start{Provision: seconds(0, 3, "provision"), Image: seconds(0, 3, "image"), Weights: seconds(0, 1, "weights"), Keep: seconds(0, 5, "keep")},
			},
			Random:      rand.New(rand.NewPCG(1, 1)),
			Concurrency: rapid.IntRange(0, 5).Draw(t, "clients"),
		}
		if f.Concurrency == 0 {
			f.MaxQueue = rapid.IntRange(0, 20).Draw(t, "queue")
		}
		f.Intake.Request = seconds(0, 0.3, "intake")
		f.Batching.Swap, f.SwapTime = rapid.IntRange(0, 40).Draw(t, "swap"), 0.001
		f.Batching.Lookahead, f.Acceptance = rapid.IntRange(0, 3).Draw(t, "guesses"), 0.5
		f.Batching.Piece = 8 * rapid.IntRange(0, 2).Draw(t, "piece")
		f.Batching.Watermark = rapid.IntRange(0, 2).Draw(t, "watermark")
		f.Batching.Whole, f.Batching.Padded = rapid.Bool().Draw(t, "whole"), rapid.Bool().Draw(t, "padded")
		f.Priorities = []int32{0, 1, -1}
		if f.Batching.Reserve = f.Batching.Order == scheduler.Static; f.Batching.Reserve {
			f.Delay = seconds(0, 2, "delay")
		}
		if rapid.Bool().Draw(t, "scales") {
			least := rapid.IntRange(0, replicas).Draw(t, "min")
			f.Scaling = scaling(float64(rapid.IntRange(1, 5).Draw(t, "target")), least, replicas, least)
			f.Scaling.Measure = Measure(rapid.IntRange(0, 3).Draw(t, "measure"))
			f.Scaling.Sync, f.Scaling.Poll, f.Scaling.Grace = seconds(0.1, 2, "sync"), seconds(0.1, 2, "poll"), seconds(0, 2, "grace")
			f.Scaling.Cooldown = units.Duration(seconds(0, 3, "cooldown"))
			f.Scaling.Down.Window = units.Duration(seconds(0, 3, "window"))
		}
		if rapid.Bool().Draw(t, "fails") {
			f.Failures = func([]topology.NodeID) Failures {
				all := failing{}
				at := sim.Time(0)
				for range rapid.IntRange(0, 4).Draw(t, "failures") {
					at += seconds(0, 5, "until failure")
					all = append(all, [2]sim.Time{at, at + seconds(0, 3, "repair")})
				}
				return &all
			}
		}
		at, tokens := 0.0, int64(0)
		for range rapid.IntRange(1, 30).Draw(t, "requests") {
			at += rapid.Float64Range(0, 0.5).Draw(t, "gap")
			f.Requests = append(f.Requests, serving.Request{
				Arrival: at, Input: rapid.IntRange(1, 60).Draw(t, "input"), Output: rapid.IntRange(1, 30).Draw(t, "output"),
				Tenant: rapid.IntRange(0, 2).Draw(t, "tenant"), Session: rapid.Int32Range(0, 2).Draw(t, "session"), Prefix: []uint64{1, rapid.Uint64Range(2, 3).Draw(t, "prefix")},
			})
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
			if o.Refused || o.Rejected {
				continue
			}
			if o.Status() != "finished" || o.Arrival >= o.First || o.First > o.Finish {
				t.Fatalf("request %d is %s: %+v", i, o.Status(), *o)
			}
			tokens += int64(f.Requests[i].Output)
			spent += (o.Finish - o.Arrival).Seconds()
		}
		if ended := int64(len(f.Outcomes)) - f.count(func(o *Outcome) bool { return o.Refused || o.Rejected }); tokens != f.Gaps.total+ended {
			t.Errorf("%d tokens came, %d were asked for", f.Gaps.total+ended, tokens)
		}
		// A static batch keeps those that have ended until its last has.
		if inside := f.Level.Queued.Seconds() + f.Level.Ran.Seconds(); f.Batching.Order != scheduler.Static && math.Abs(inside-spent) > 1e-6*spent+1e-9 {
			t.Errorf("integral of the requests inside %v s, time that they spent %v s", inside, spent)
		}
		for i := range f.lanes {
			if l := &f.lanes[i]; l.Used() != 0 || l.Waiting()+l.Running() != 0 {
				t.Errorf("batch %d ends with %d blocks, %d sequences", i, l.Used(), l.Waiting()+l.Running())
			}
		}
		if f.Level.Up.Seconds() > f.Level.Held.Seconds()+1e-9 || f.Grown.Most > replicas {
			t.Errorf("%v s of replicas up, %v s held; %d at most", f.Level.Up.Seconds(), f.Level.Held.Seconds(), f.Grown.Most)
		}
	})
}

func (f *Fleet) count(is func(o *Outcome) bool) (n int64) {
	for i := range f.Outcomes {
		if is(&f.Outcomes[i]) {
			n++
		}
	}
	return n
}
