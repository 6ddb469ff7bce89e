package serving

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload/serving"
)

// onSwitch runs a fleet on accelerators with a link of 1 GB/s and half a microsecond each
// up to a switch and down, which flows may use, too.
func onSwitch(t testing.TB, f *Fleet, flows ...cluster.Flow) *cluster.Cluster {
	t.Helper()
	n := 0
	for _, p := range f.Pools() {
		n += p.Accelerators()
	}
	top, err := topology.Switch(n, units.Rate(1e9), units.Duration(sim.FromSeconds(1e-6)))
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	c := cluster.New(engine, top, 0)
	c.Submit(&cluster.Job{Name: "fleet", Count: n, Program: f})
	if flows != nil {
		c.AddFlows("others", flows)
	}
	if err := engine.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	return c
}

// pools are replicas of one accelerator, steps of 1 s and 1 MB a token.
func pools(prefill, decode int) *Fleet {
	first, second := mixed(), mixed()
	first.Hold = true
	return &Fleet{
		Pool:       Pool{Replicas: prefill, Tensor: 1, Stages: 1, Batching: first, Costs: flat(1), Routing: scheduler.LeastLoaded},
		Decode:     &Pool{Replicas: decode, Tensor: 1, Stages: 1, Batching: second, Costs: flat(1), Routing: scheduler.LeastLoaded},
		TokenBytes: 1e6,
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

// A prompt of 100 tokens is a step of 1 s, 100 MB at 1 GB/s after 1 us, and two steps for
// the tokens after the first.
func TestHandover(t *testing.T) {
	f := pools(1, 1)
	f.Requests = []serving.Request{{Input: 100, Output: 3}, {Arrival: 10, Input: 50, Output: 1}}
	c := onSwitch(t, f)
	o, h := f.Outcomes[0], f.Handovers[0]
	if got, want := o.First.Seconds(), 1.0; got != want {
		t.Errorf("first token at %v s, want %v", got, want)
	}
	if got, want := o.Finish.Seconds(), 1+1e-6+0.1+2; !near(got, want) {
		t.Errorf("ends at %v s, want %v", got, want)
	}
	if h.Prefill != 0 || o.Replica != 1 || h.From != o.First || !near((h.To-h.From).Seconds(), 0.100001) || h.Bytes != 100e6 {
		t.Errorf("%+v on replica %d", h, o.Replica)
	}
	// An answer of one token ends where it began, and sends nothing.
	if o, h := f.Outcomes[1], f.Handovers[1]; o.Finish.Seconds() != 11 || o.Replica != 0 || h.From != -1 || h.Bytes != 0 {
		t.Errorf("%+v, %+v", o, h)
	}
	var carried float64
	for l := range c.Topology.Links {
		carried += c.Network.Use(topology.LinkID(l)).Bytes
	}
	if carried != 2*100e6 { // up to the switch, and down
		t.Errorf("links carried %v bytes", carried)
	}
}

// Of two replicas of prompts with four ranks and one of the others with two, each rank of
// the second has 2 MB a token, half of it from each of two ranks of the first.
func TestHandoverDegrees(t *testing.T) {
	for _, c := range []struct {
		prefill, decode int
		seconds         float64
	}{
		{4, 2, 0.2}, // down-links of the second: 100 tokens of 2 MB
		{2, 4, 0.4}, // up-links of the first: two messages of 2 MB a token
		{2, 2, 0.2},
		{3, 2, 0.2}, // six messages of a third of 2 MB, three to each rank
	} {
		f := pools(1, 1)
		f.Tensor, f.Decode.Tensor, f.TokenBytes = c.prefill, c.decode, 2e6
		f.Requests = []serving.Request{{Input: 100, Output: 2}}
		onSwitch(t, f)
		h := f.Handovers[0]
		if want := 100 * 2e6 * float64(c.decode); !near(h.Bytes, want) {
			t.Errorf("%d to %d ranks: %v bytes, want %v", c.prefill, c.decode, h.Bytes, want)
		}
		if got := (h.To - h.From).Seconds(); math.Abs(got-c.seconds-1e-6) > 1e-8 {
			t.Errorf("%d to %d ranks: %v s, want %v", c.prefill, c.decode, got, c.seconds)
		}
	}
}

// Keys and values share the links with others: a flow to the same accelerator halves the
// rate.
func TestHandoverContends(t *testing.T) {
	f := pools(1, 1)
	f.Requests = []serving.Request{{Input: 100, Output: 2}}
	top, err := topology.Switch(2, units.Rate(1e9), units.Duration(sim.FromSeconds(1e-6)))
	if err != nil {
		t.Fatal(err)
	}
	onSwitch(t, f, cluster.Flow{Name: "other", Bytes: 10e9, Route: top.Route(0, 1, 0, nil), Connection: network.Connection{From: 0, To: 1}})
	if got := (f.Handovers[0].To - f.Handovers[0].From).Seconds(); math.Abs(got-0.200001) > 1e-8 {
		t.Errorf("100 MB at half of 1 GB/s take %v s", got)
	}
}

// A cache of the second with room for one request: the other's keys and values stay where
// they are until the first has ended, 5 steps after it arrived.
func TestHandoverWaits(t *testing.T) {
	f := pools(1, 1)
	f.Decode.Batching.Blocks = 10 // 160 tokens
	f.Requests = []serving.Request{{Input: 100, Output: 6}, {Input: 100, Output: 6}}
	onSwitch(t, f)
	first, second := f.Handovers[0], f.Handovers[1]
	if got, want := second.From, first.To+5*sim.Second; got != want || f.Outcomes[1].First != sim.Second {
		t.Errorf("the second begins to go over at %v s, want %v", got, want)
	}
}

// The host of the prompts fails while keys and values are on their way: they are computed
// again with the token that came, and none is lost.
func TestHandoverFails(t *testing.T) {
	f := pools(2, 1)
	f.Requests = []serving.Request{{Input: 100, Output: 3}}
	f.Failures = only([2]sim.Time{sim.FromSeconds(1.05), sim.FromSeconds(100)})
	onSwitch(t, f)
	// From 1.05 s on the other computes 101 tokens, sends 101 MB from 2.05 s, and one step
	// is left; what was on its way drains until 1.1 s.
	if got, want := f.Outcomes[0].Finish.Seconds(), 1.05+1+1e-6+0.101+1; !near(got, want) {
		t.Errorf("ends at %v s, want %v", got, want)
	}
	if h := f.Handovers[0]; h.Prefill != 1 || h.Bytes != 101e6 || f.Grown.Moved != 1 || f.Outcomes[0].Stops != 1 {
		t.Errorf("%+v, %+v, %+v", h, f.Grown, f.Outcomes[0])
	}
}

// Whatever is preempted, waits, scales or fails: every request ends, each token comes once, no
// block is lost, and by Little's law the requests inside are those that came times what
// they spent there.
func TestHandoversLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := func(least, most int, name string) int { return rapid.IntRange(least, most).Draw(t, name) }
		stages := count(1, 2, "stages")
		pool := func(name string) Pool {
			return Pool{
				Replicas: count(1, 3, name), Tensor: count(1, 3, name+" ranks"), Stages: stages, Costs: flat(0.1),
				Routing: scheduler.Routing(count(0, 6, name+" routing")),
				Batching: scheduler.Batching{
					Order: scheduler.Order(count(0, 2, "order")), Budget: 64, MaxBatch: 4, Blocks: count(12, 40, name+" blocks"), BlockSize: 8,
					Reserve: rapid.Bool().Draw(t, "reserve"), Lookahead: count(0, 2, "guesses"),
				},
			}
		}
		f := &Fleet{
			Pool: pool("prefill"), Decode: new(Pool), TokenBytes: rapid.Float64Range(0, 1e7).Draw(t, "bytes"), Acceptance: 0.5,
			Random: rand.New(rand.NewPCG(1, 1)), Concurrency: count(0, 5, "clients"),
		}
		*f.Decode = pool("decode")
		f.Intake.Token = sim.FromSeconds(rapid.Float64Range(0, 0.01).Draw(t, "intake"))
		f.Priorities = []int32{0, 1, -1}
		f.Batching.Hold, f.Batching.Piece = true, 8*count(0, 2, "piece")
		f.Decode.Batching.Swap, f.Decode.SwapTime = count(0, 40, "swap"), 0.001
		if f.Decode.Routing > scheduler.PowerOfTwo {
			f.Decode.Routing = scheduler.LeastLoaded
		}
		seconds := func(least, most float64, name string) sim.Time {
			return sim.FromSeconds(rapid.Float64Range(least, most).Draw(t, name))
		}
		for i, p := range f.Pools() {
			name := [...]string{"prefill", "decode"}[i]
			if !rapid.Bool().Draw(t, name+" scales") {
				continue
			}
			least := count(0, p.Replicas, name+" least")
			x := scaling(rapid.Float64Range(0.1, 20).Draw(t, name+" target"), least, p.Replicas, count(least, p.Replicas, name+" initial"))
			x.Measure = Measure(count(0, len(measureNames)-1, name+" measure"))
			x.Sync, x.Poll, x.Grace = seconds(0.1, 2, "sync"), seconds(0.1, 2, "poll"), seconds(0, 2, "grace")
			x.Cooldown, x.Down.Window = units.Duration(seconds(0, 3, "cooldown")), units.Duration(seconds(0, 3, "window"))
			p.Scaling = x
			p.Start = Start{Provision: seconds(0, 3, "provision"), Image: seconds(0, 3, "image"), Weights: seconds(0, 1, "weights"), Keep: seconds(0, 5, "keep")}
		}
		if rapid.Bool().Draw(t, "fails") {
			f.Failures = func([]topology.NodeID) Failures {
				all, at := failing{}, sim.Time(0)
				for range count(0, 4, "failures") {
					at += sim.FromSeconds(rapid.Float64Range(0, 5).Draw(t, "until failure"))
					all = append(all, [2]sim.Time{at, at + sim.FromSeconds(rapid.Float64Range(0, 3).Draw(t, "repair"))})
				}
				return &all
			}
		}
		at := 0.0
		for range count(1, 30, "requests") {
			at += rapid.Float64Range(0, 0.5).Draw(t, "gap")
			f.Requests = append(f.Requests, serving.Request{Arrival: at, Input: count(1, 60, "input"), Output: count(1, 30, "output"), Tenant: count(0, 2, "tenant"), Prefix: []uint64{1, uint64(count(2, 3, "prefix"))}})
		}
		top, err := topology.Switch(f.Accelerators()+f.Decode.Accelerators(), units.Rate(1e9), units.Duration(1000))
		if err != nil {
			t.Fatal(err)
		}
		engine := sim.New()
		c := cluster.New(engine, top, 0)
		c.Submit(&cluster.Job{Name: "fleet", Count: top.Accelerators(), Program: f})
		if err := engine.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		var spent, bytes float64
		tokens := int64(0)
		for i := range f.Outcomes {
			o := &f.Outcomes[i]
			if o.Status() != "finished" || o.Arrival >= o.First || o.First > o.Finish {
				t.Fatalf("request %d is %s: %+v", i, o.Status(), *o)
			}
			tokens += int64(f.Requests[i].Output)
			spent += (o.Finish - o.Arrival).Seconds()
			bytes += f.Handovers[i].Bytes
			if h := &f.Handovers[i]; (h.To >= 0) != (f.Requests[i].Output > 1) && f.Failures == nil && !f.Scales() {
				t.Errorf("an answer of %d tokens goes over between %v and %v", f.Requests[i].Output, h.From, h.To)
			}
		}
		if ended := int64(len(f.Outcomes)); tokens != f.Gaps.total+ended {
			t.Errorf("%d tokens came, %d were asked for", f.Gaps.total+ended, tokens)
		}
		inside := f.Level.Queued.Seconds() + f.Level.Ran.Seconds() + f.Decode.Level.Queued.Seconds() + f.Decode.Level.Ran.Seconds()
		if math.Abs(inside-spent) > 1e-6*spent+1e-9 {
			t.Errorf("integral of the requests inside %v s, time that they spent %v s", inside, spent)
		}
		for i := range f.lanes {
			l := &f.lanes[i]
			if held, expected := l.Disown(); l.Used() != 0 || l.Waiting()+l.Running()+len(held)+len(expected) != 0 {
				t.Errorf("batch %d ends with %d blocks, %d sequences", i, l.Used(), l.Waiting()+l.Running())
			}
		}
		var carried float64
		for l := range c.Topology.Links {
			carried += c.Network.Use(topology.LinkID(l)).Bytes
		}
		if f.Failures == nil && !f.Scales() && math.Abs(carried-2*bytes) > 1e-6*bytes {
			t.Errorf("links carried %v bytes, twice %v went over", carried, bytes)
		}
	})
}
