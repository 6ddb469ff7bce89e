package serving

import (
	"math"
	"slices"
	"testing"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload/serving"
)

// within says whether two times are the same but for some latencies of a microsecond.
func within(got, want []float64) bool {
	return slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-5 })
}

// Each pool follows a load of its own. Forty prompts of 512 tokens come at once, a step of
// 1 s each, and go on one a second; a target of 2,560 tokens is five prompts.
//
//	15.25 s  25 prompts are left on one replica: 12,800 / 2,560 is 5, of which 3 have a
//	         place; 15 requests have gone on, ceil(15 / 4) is 4, of which 3 have a place
//	30.50 s  10 are left, over three: 5,120 / 2,560 is 2; 30 have gone on: 8
//	45.75 s  none is left, and one replica stays; 40 have gone on: 10
func TestScalePools(t *testing.T) {
	f := pools(3, 3)
	f.Decode.Batching.Blocks = 5000
	f.Scaling, f.Decode.Scaling = scaling(5*512, 1, 3, 1), scaling(4, 1, 3, 1)
	f.Scaling.Measure, f.Scaling.Down.Window = PromptTokens, 0
	for _, p := range f.Pools() {
		p.Scaling.Sync, p.Start.Weights = 61*second/4, 4*second
	}
	for range 40 {
		f.Requests = append(f.Requests, serving.Request{Input: 512, Output: 200})
	}
	onSwitch(t, f)
	at := func(n sim.Time) sim.Time { return n * 61 * second / 4 }
	want := []Decision{
		{At: at(1), Pool: 0, Metric: 25 * 512, Ready: 1, Recommended: 5, Desired: 3},
		{At: at(1), Pool: 1, Metric: 15, Ready: 1, Recommended: 4, Desired: 3},
		{At: at(2), Pool: 0, Metric: 10 * 512.0 / 3, Ready: 3, Recommended: 2, Desired: 2},
		{At: at(2), Pool: 1, Metric: 10, Ready: 3, Recommended: 8, Desired: 3},
		{At: at(3), Pool: 0, Ready: 2, Recommended: 0, Desired: 1},
		{At: at(3), Pool: 1, Metric: 40.0 / 3, Ready: 3, Recommended: 10, Desired: 3},
	}
	if got := f.Grown.Decisions[:len(want)]; !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if f.Level.Most != 3 || f.Decode.Level.Most != 3 || f.Grown.Starts != 4 {
		t.Errorf("%d and %d replicas at most, %d starts", f.Level.Most, f.Decode.Level.Most, f.Grown.Starts)
	}
}

// A replica of tokens that is to go gets nothing more, and still has what is on its way to
// it. Four prompts end after 1 s, and in turn go to one and the other, whose caches have
// room for one. Keys and values are 5 GB each; two come at a time, over 1 GB/s, until 11 s.
// At 5 s one replica is enough: what the other has not begun to fetch goes to the first,
// and a fifth that comes at 8 s as well; each then takes 5 s and a step. What was on its
// way has its 19 steps until 30 s, and the replica goes.
func TestDrainDecode(t *testing.T) {
	f := pools(1, 2)
	f.TokenBytes, f.Decode.Routing, f.Decode.Batching.Blocks = 50e6, scheduler.RoundRobin, 10
	f.Decode.Scaling = scaling(10, 1, 2, 2)
	f.Decode.Scaling.Down.Window, f.Decode.Scaling.Sync = 0, 5*second
	for _, tokens := range []int{2, 20, 2, 2} {
		f.Requests = append(f.Requests, serving.Request{Input: 100, Output: tokens})
	}
	f.Requests = append(f.Requests, serving.Request{Arrival: 8, Input: 100, Output: 2})
	onSwitch(t, f)
	if got := finishes(f); !within(got, []float64{12, 30, 18, 24, 30}) {
		t.Errorf("they end at %v s", got)
	}
	for i, want := range []int32{1, 2, 1, 1, 1} {
		if o := f.Outcomes[i]; o.Replica != want || o.Stops != 0 {
			t.Errorf("request %d is on replica %d, stopped %d times", i, o.Replica, o.Stops)
		}
	}
	if f.Grown.Moved != 0 {
		t.Errorf("%d moved", f.Grown.Moved)
	}
}

// A replica of prompts that is to go keeps what it holds until that is fetched: at 10.1 s,
// when the only replica of tokens has ended the 9 steps of the other's. With a grace of 2 s
// it goes at 7 s. The first then computes the prompt again, and the second token with it;
// 101 tokens go over at 10.1 s, and 8 steps are left.
func TestDrainPrefill(t *testing.T) {
	for _, c := range []struct {
		grace     sim.Time
		ends, up  float64 // of the second request; all replicas of prompts
		moved     int
		recovered int32
	}{
		{30 * second, 10.2 + 9, 10.2 + 9 + 10.2, 0, 0},
		{2 * second, 10.201 + 8, 10.201 + 8 + 7, 1, 1},
	} {
		f := pools(2, 1)
		f.Routing, f.Decode.Batching.Blocks = scheduler.RoundRobin, 10
		f.Scaling = scaling(10, 1, 2, 2)
		f.Scaling.Down.Window, f.Scaling.Sync, f.Scaling.Grace = 0, 5*second, c.grace
		f.Requests = []serving.Request{{Input: 100, Output: 10}, {Input: 100, Output: 10}}
		onSwitch(t, f)
		if got := finishes(f); !within(got, []float64{1.1 + 9, c.ends}) {
			t.Errorf("grace of %v: they end at %v s, want the second at %v", c.grace.Seconds(), got, c.ends)
		}
		if got := f.Level.Up.Seconds(); math.Abs(got-c.up) > 1e-4 {
			t.Errorf("grace of %v: replicas of prompts answer for %v s, want %v", c.grace.Seconds(), got, c.up)
		}
		if f.Grown.Moved != c.moved || f.Outcomes[1].Stops != c.recovered {
			t.Errorf("grace of %v: %d moved, the second stopped %d times", c.grace.Seconds(), f.Grown.Moved, f.Outcomes[1].Stops)
		}
	}
}

// From none of either: a request comes after 10 s, and the look after 30 s has a replica of
// each pool start. That of prompts is ready after 5 s, that of tokens after 45 s, until when
// keys and values wait; none goes meanwhile, though a cooldown of 8 s is over.
func TestPoolsFromNone(t *testing.T) {
	f := pools(1, 1)
	f.Start.Weights, f.Decode.Start.Weights = 5*second, 45*second
	for _, p := range f.Pools() {
		p.Scaling = scaling(10, 0, 1, 0)
		p.Scaling.Cooldown = units.Duration(8 * second)
	}
	f.Requests = []serving.Request{{Arrival: 10, Input: 100, Output: 3}}
	onSwitch(t, f)
	o, h := f.Outcomes[0], f.Handovers[0]
	if o.First.Seconds() != 30+5+1 || h.From.Seconds() != 30+45 || !within(finishes(f), []float64{75.1 + 2}) {
		t.Errorf("first token at %v s, over from %v s, ends at %v s", o.First.Seconds(), h.From.Seconds(), o.Finish.Seconds())
	}
	if f.Grown.Starts != 2 || o.Stops != 0 {
		t.Errorf("%d starts, %d stops", f.Grown.Starts, o.Stops)
	}
}
