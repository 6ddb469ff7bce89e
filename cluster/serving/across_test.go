package serving

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
	"github.com/railyard/railyard/workload/serving"
)

// split costs a second of computation, and some exchanges of tensor-parallel ranks.
type split struct {
	flat
	exchanges []Exchange
	stage     float64 // bytes of each token from stage to stage
}

func (x split) Split(_ *Step, crossing Crossing, to []Exchange) (float64, []Exchange) {
	for _, e := range x.exchanges {
		if crossing[e.Group] {
			to = append(to, e)
		}
	}
	return float64(x.flat), to
}

func (x split) StageBytes(tokens int) float64 { return x.stage * float64(tokens) }

// wire is what a message between two of its hosts spends on the way.
const wire = 1e-6

// tester is what testing.T and rapid.T have in common here.
type tester interface {
	Helper()
	Fatal(args ...any)
	Context() context.Context
}

// onHosts runs a fleet on hosts of one accelerator each, whose NICs have 1 GB/s, and on
// whose links flows may be, too.
func onHosts(t tester, f *Fleet, flows ...cluster.Flow) *cluster.Cluster {
	t.Helper()
	host := topology.Host{
		Name: "host", Accelerators: 1, NICs: 1, NICBandwidth: units.Rate(1e9), NICEfficiency: 1, PCIeBandwidth: units.Rate(1e9),
		ScaleUpEfficiency: 1,
	}
	top, err := topology.LeafSpine(topology.Fabric{Host: host, Hosts: f.Accelerators(), HostsPerRack: f.Accelerators(), Oversubscription: 1, LinkLatency: units.Duration(sim.FromSeconds(wire / 2))})
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	c := cluster.New(engine, top, 0)
	c.Submit(&cluster.Job{Name: "fleet", Count: f.Accelerators(), Program: f})
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

// A replica of four ranks on hosts of their own: its step has two seconds of computation
// and ten all-reduces of 100 MB, which a ring over links of 1 GB/s does in 2 x 3/4 x 0.1 s
// each after 6 messages of 1 us. All bytes are on the links.
func TestAcrossTensor(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 4, Stages: 1, Batching: mixed(), Costs: split{2, []Exchange{{workload.TensorGroup, collective.AllReduce, 100e6, 10}}, 0}}}
	f.Requests = []serving.Request{{Input: 100, Output: 3}}
	c := onHosts(t, f)
	step := 2 + 10*(2*0.75*0.1+6*wire)
	o := f.Outcomes[0]
	if got := o.First.Seconds(); !near(got, step) {
		t.Errorf("first token at %v s, want %v", got, step)
	}
	if got := o.Finish.Seconds(); !near(got, 3*step) {
		t.Errorf("ends at %v s, want %v", got, 3*step)
	}
	for l := range c.Topology.Links {
		if got, want := c.Network.Use(topology.LinkID(l)).Bytes, 3*10*1.5*100e6; got > 0 && !near(got, want) {
			t.Errorf("link %d carried %v bytes, want %v", l, got, want)
		}
	}
	if got := f.Busy(&f.Pool).Seconds(); !near(got, 3*step) {
		t.Errorf("busy for %v s, want %v", got, 3*step)
	}
}

// Half of a link that the ring needs is another's: the bytes take twice as long.
func TestAcrossContends(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 4, Stages: 1, Batching: mixed(), Costs: split{2, []Exchange{{workload.TensorGroup, collective.AllReduce, 100e6, 10}}, 0}}}
	f.Requests = []serving.Request{{Input: 100, Output: 1}}
	onHosts(t, f, cluster.Flow{Name: "other", Bytes: 100e9, Connection: network.Connection{From: 2, To: 3}})
	if got, want := f.Outcomes[0].First.Seconds(), 2+10*(2*2*0.75*0.1+6*wire); math.Abs(got-want) > 1e-6 {
		t.Errorf("first token at %v s, want %v", got, want)
	}
}

// Two stages of half a second, and 1 MB for each token between them: 100 tokens take 0.1 s
// and a latency, one token 1 ms. The second batch enters the first stage when the first
// has left it.
func TestAcrossStages(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 1, Stages: 2, Batching: mixed(), Costs: split{1, nil, 1e6}}}
	f.Requests = []serving.Request{{Input: 100, Output: 2}, {Input: 100, Output: 2}}
	onHosts(t, f)
	first := 0.5 + wire + 0.1 + 0.5
	for i, want := range []float64{first, 0.5 + first} {
		if got := f.Outcomes[i].First.Seconds(); !near(got, want) {
			t.Errorf("request %d: first token at %v s, want %v", i, got, want)
		}
	}
	if got, want := f.Outcomes[0].Finish.Seconds(), first+0.5+wire+0.001+0.5; !near(got, want) {
		t.Errorf("the first ends at %v s, want %v", got, want)
	}
}

// A replica fails while its ranks exchange: what it had goes on elsewhere, and it is free
// for others when it is back.
func TestAcrossFails(t *testing.T) {
	f := &Fleet{Pool: Pool{Replicas: 2, Tensor: 2, Stages: 2, Batching: mixed(), Costs: split{2, []Exchange{{workload.TensorGroup, collective.AllReduce, 1e9, 1}}, 1e6}}}
	f.Failures = only([2]sim.Time{5 * second / 2, 3 * second})
	for range 8 {
		f.Requests = append(f.Requests, serving.Request{Input: 100, Output: 3})
	}
	f.Requests = append(f.Requests, serving.Request{Arrival: 4, Input: 100, Output: 3})
	onHosts(t, f)
	for i := range f.Outcomes {
		if got := f.Outcomes[i].Status(); got != "finished" {
			t.Errorf("request %d is %s", i, got)
		}
	}
	if n := f.count(func(o *Outcome) bool { return o.Replica == 0 }); f.Grown.Moved == 0 || n == 0 || n == 9 {
		t.Errorf("%d moved, %d end on the replica that failed", f.Grown.Moved, n)
	}
}

// Whatever scales and fails while stages are passed and ranks exchange, every request ends,
// each token comes once, and by Little's law the requests inside are those that came times
// what they spent there.
func TestAcrossLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := func(least, most int, name string) int { return rapid.IntRange(least, most).Draw(t, name) }
		seconds := func(most float64, name string) sim.Time {
			return sim.FromSeconds(rapid.Float64Range(0, most).Draw(t, name))
		}
		costs := split{flat(0.1), []Exchange{{workload.TensorGroup, collective.AllReduce, 1e6, count(1, 9, "times")}, {workload.TensorGroup, collective.AllGather, 1e6, 1}, {workload.ExpertGroup, collective.AllToAll, 1e6, 2}}, 1e5}
		f := &Fleet{
			Pool: Pool{
				Replicas: count(1, 3, "replicas"), Tensor: count(1, 3, "ranks"), Expert: count(0, 2, "groups"), Stages: count(1, 3, "stages"), Costs: costs, Routing: scheduler.LeastLoaded,
				Batching: scheduler.Batching{Order: scheduler.Order(count(0, 2, "order")), Budget: 64, MaxBatch: 4, Blocks: count(12, 40, "blocks"), BlockSize: 8},
			},
			Concurrency: count(0, 5, "clients"),
		}
		if rapid.Bool().Draw(t, "scales") {
			least := count(0, f.Replicas, "min")
			f.Scaling = scaling(float64(count(1, 5, "target")), least, f.Replicas, least)
			f.Scaling.Sync, f.Scaling.Poll, f.Scaling.Grace = second/10+seconds(2, "sync"), second/10+seconds(2, "poll"), seconds(2, "grace")
			f.Scaling.Cooldown, f.Scaling.Down.Window = units.Duration(seconds(3, "cooldown")), units.Duration(seconds(3, "window"))
		}
		f.Failures = func([]topology.NodeID) Failures {
			all, at := failing{}, sim.Time(0)
			for range count(0, 3, "failures") {
				at += seconds(5, "until failure")
				all = append(all, [2]sim.Time{at, at + seconds(3, "repair")})
			}
			return &all
		}
		at, tokens := 0.0, int64(0)
		for range count(1, 20, "requests") {
			at += rapid.Float64Range(0, 0.5).Draw(t, "gap")
			f.Requests = append(f.Requests, serving.Request{Arrival: at, Input: count(1, 60, "input"), Output: count(1, 30, "output")})
		}
		onHosts(t, f)
		var spent float64
		for i := range f.Outcomes {
			o := &f.Outcomes[i]
			if o.Status() != "finished" || o.Arrival >= o.First || o.First > o.Finish {
				t.Fatalf("request %d is %s: %+v", i, o.Status(), *o)
			}
			tokens += int64(f.Requests[i].Output)
			spent += (o.Finish - o.Arrival).Seconds()
		}
		if came := f.Gaps.total + int64(len(f.Outcomes)); tokens != came {
			t.Errorf("%d tokens came, %d were asked for", came, tokens)
		}
		if inside := f.Level.Queued.Seconds() + f.Level.Ran.Seconds(); math.Abs(inside-spent) > 1e-6*spent+1e-9 {
			t.Errorf("integral of the requests inside %v s, time that they spent %v s", inside, spent)
		}
		for i := range f.lanes {
			if l := &f.lanes[i]; l.Used() != 0 || l.Waiting()+l.Running() != 0 {
				t.Errorf("batch %d ends with %d blocks, %d sequences", i, l.Used(), l.Waiting()+l.Running())
			}
		}
	})
}

// Of seven tokens of prompts two groups have four and three, of five that decode three and
// two: the busiest has four and three, the mean is six.
func TestShare(t *testing.T) {
	x := &Computed{Forward: &serving.Forward{Expert: 2}}
	s := &Step{Tokens: 12, Sequences: 6, Decodes: 5, Context: 501, Chunks: []Chunk{{3, 0}, {2, 8}, {2, 0}}}
	own, mean := x.share(s)
	want := Step{Tokens: 4 + 3, Sequences: 3, Decodes: 3, Context: 251, Chunks: []Chunk{{2, 8}, {2, 0}}}
	if mean != 6 || own.Tokens != want.Tokens || own.Sequences != want.Sequences || own.Decodes != want.Decodes || own.Context != want.Context || !slices.Equal(own.Chunks, want.Chunks) {
		t.Errorf("%+v and %d, want %+v and 6", *own, mean, want)
	}
	x.Forward.Expert = 0
	if own, mean := x.share(s); own != s || mean != 12 {
		t.Errorf("one group has %+v and %d of all", *own, mean)
	}
}

// On an idle network a step over hosts takes what its parts take by closed form.
func TestSplitAgrees(t *testing.T) {
	const tokens = 3
	a := topology.Accelerator{
		Name: "a", Vector: 20e12, MemoryBandwidth: 2e12, Multiprocessors: 100, MatrixEfficiency: 0.9, FlashEfficiency: 0.7, MemoryEfficiency: 0.8, LaunchOverhead: 400_000,
	}
	a.Peak[topology.BF16] = 300e12
	model := workload.Model{Family: workload.FamilyTransformer, Layers: 4, Hidden: 1024, Heads: 8, Vocab: 1000, Activation: workload.ActivationSwiGLU}
	costs := &Computed{Forward: serving.NewForward(model, &a, 4, serving.Formats[0], 2), Roofline: cluster.Roofline{Accelerator: a}, Engine: &Engines[0]}
	f := &Fleet{Pool: Pool{Replicas: 1, Tensor: 4, Stages: 1, Batching: mixed(), Costs: costs}}
	f.Requests = []serving.Request{{Input: tokens, Output: 1}}
	onHosts(t, f)
	if !slices.ContainsFunc(f.replicas, func(r replica) bool { return r.across != nil }) {
		t.Fatal("the replica lies on one host")
	}
	closed, err := costs.Time(&Step{Tokens: tokens, Sequences: 1, Chunks: []Chunk{{tokens, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Outcomes[0].First.Seconds(); math.Abs(got/closed-1) > 0.001 {
		t.Errorf("a step takes %v s, by closed form %v", got, closed)
	}
}
