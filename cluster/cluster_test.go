package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

func newCluster(t testing.TB, topo *topology.Topology, bins int) *cluster.Cluster {
	t.Helper()
	return cluster.New(sim.New(), topo, bins)
}

func finish(t testing.TB, c *cluster.Cluster) {
	t.Helper()
	if err := c.Engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func bareSwitch(n int) *topology.Topology {
	t, err := topology.Switch(n, 50e9, units.Duration(sim.Microsecond))
	if err != nil {
		panic(err)
	}
	return t
}

// worker computes for a while and is done.
type worker struct {
	d   sim.Time
	c   *cluster.Cluster
	job int
}

func (w *worker) Begin(c *cluster.Cluster, job int) {
	w.c, w.job = c, job
	now := c.Engine.Now()
	c.NewLedger(c.Jobs[job].Accelerators).AddCompute(now, now+w.d)
	c.Engine.Schedule(now+w.d, c.Engine.Register(w), 0)
}

func (w *worker) Handle(sim.Time, uint64) { w.c.Done(w.job) }

func work(name string, start, d sim.Time, count int, list ...int32) *cluster.Job {
	return &cluster.Job{Name: name, Start: start, Count: count, List: list, Program: &worker{d: d}}
}

const s = sim.Second

// Jobs start when they have come, when those before them have started, and when
// there are accelerators: strict first come, first served, as worked out by hand.
func TestQueue(t *testing.T) {
	type span struct{ start, end sim.Time }
	for _, c := range []struct {
		name string
		n    int
		jobs []*cluster.Job
		want []span
	}{
		{"side by side", 8, []*cluster.Job{work("a", 0, 5*s, 4), work("b", 0, 3*s, 4)}, []span{{0, 5 * s}, {0, 3 * s}}},
		{"the second needs what the first has", 8, []*cluster.Job{work("a", 0, 5*s, 8), work("b", 1*s, 3*s, 1)}, []span{{0, 5 * s}, {5 * s, 8 * s}}},
		{
			"named accelerators", 8,
			[]*cluster.Job{work("a", 0, 5*s, 0, 0, 1), work("b", 0, 3*s, 0, 1, 2), work("c", 0, 1*s, 0, 7)},
			[]span{{0, 5 * s}, {5 * s, 8 * s}, {5 * s, 6 * s}},
		},
		{
			"a wide job blocks a narrow one behind it", 4,
			[]*cluster.Job{work("a", 0, 4*s, 3), work("wide", 1*s, 1*s, 4), work("narrow", 2*s, 1*s, 1)},
			[]span{{0, 4 * s}, {4 * s, 5 * s}, {5 * s, 6 * s}},
		},
		{"different starts", 4, []*cluster.Job{work("late", 10*s, 1*s, 4), work("early", 2*s, 1*s, 4)}, []span{{10 * s, 11 * s}, {2 * s, 3 * s}}},
		{
			"equal starts in the order of submission", 4,
			[]*cluster.Job{work("a", 1*s, 1*s, 4), work("b", 1*s, 1*s, 4), work("c", 1*s, 1*s, 4)},
			[]span{{1 * s, 2 * s}, {2 * s, 3 * s}, {3 * s, 4 * s}},
		},
		{"a job that takes no time", 1, []*cluster.Job{work("a", 1*s, 0, 1), work("b", 1*s, 2*s, 1)}, []span{{1 * s, 1 * s}, {1 * s, 3 * s}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster(t, bareSwitch(c.n), 0)
			for _, j := range c.jobs {
				cl.Submit(j)
			}
			finish(t, cl)
			for i, j := range c.jobs {
				if got := (span{j.StartedAt, j.FinishedAt}); got != c.want[i] || !j.Started || !j.Finished {
					t.Errorf("%s runs from %v to %v, want %v to %v", j.Name, got.start, got.end, c.want[i].start, c.want[i].end)
				}
			}
			if len(c.jobs[0].Accelerators) == 0 {
				t.Error("a job ran nowhere")
			}
		})
	}
}

// Jobs that share run on accelerators that others have, and do not take them.
func TestShared(t *testing.T) {
	a, b, after := work("a", 0, 4*s, 4), work("b", 1*s, 1*s, 4), work("after", 1*s, 1*s, 4)
	b.Shared = true
	c := newCluster(t, bareSwitch(4), 0)
	for _, j := range []*cluster.Job{a, b, after} {
		c.Submit(j)
	}
	finish(t, c)
	if b.StartedAt != 1*s || after.StartedAt != 4*s {
		t.Errorf("the shared job started at %v, the next at %v", b.StartedAt, after.StartedAt)
	}
}

// No accelerator has two jobs at once, every job runs as long as its work, none
// starts before it has come, none overtakes, and all end.
func TestQueueProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "accelerators")
		c := cluster.New(sim.New(), bareSwitch(n), 0)
		count := rapid.IntRange(1, 12).Draw(t, "jobs")
		for i := range count {
			c.Submit(work(fmt.Sprint(i), sim.Time(rapid.IntRange(0, 20).Draw(t, "start")), sim.Time(rapid.IntRange(0, 10).Draw(t, "length")),
				rapid.IntRange(1, n).Draw(t, "count")))
		}
		if err := c.Engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, a := range c.Jobs {
			if !a.Finished || a.StartedAt < a.Start || a.FinishedAt-a.StartedAt != a.Program.(*worker).d || len(a.Accelerators) != a.Count {
				t.Fatalf("job %d: %+v", i, a)
			}
			for k, b := range c.Jobs[:i] {
				if a.Start > b.Start && a.StartedAt < b.StartedAt || a.Start < b.Start && a.StartedAt > b.StartedAt {
					t.Fatalf("jobs %d and %d have come at %v and %v and start at %v and %v", k, i, b.Start, a.Start, b.StartedAt, a.StartedAt)
				}
				if a.StartedAt >= b.FinishedAt || b.StartedAt >= a.FinishedAt {
					continue
				}
				for _, x := range a.Accelerators {
					for _, y := range b.Accelerators {
						if x == y {
							t.Fatalf("jobs %d and %d have accelerator %d at once", k, i, x)
						}
					}
				}
			}
		}
	})
}

func benchmark(iterations int64, sizes ...float64) *cluster.CollectiveBenchmark {
	return &cluster.CollectiveBenchmark{Op: collective.AllReduce, Algorithm: collective.Ring, Sizes: sizes, Iterations: iterations}
}

// Several sizes run one after another on an idle network, each by its closed
// form: 2(n-1)(l + S/n/b); the mean over iterations is the same.
func TestBenchmark(t *testing.T) {
	sizes := []float64{8 << 10, 1 << 20, 64 << 20, 1 << 20}
	for _, iterations := range []int64{1, 2, 3, 1000} {
		b := benchmark(iterations, sizes...)
		c := newCluster(t, bareSwitch(8), 16)
		c.Submit(&cluster.Job{Name: "it", Count: 8, Program: b})
		finish(t, c)
		if len(b.Rows) != len(sizes) || b.RankCount() != 8 {
			t.Fatalf("%d rows over %d ranks", len(b.Rows), b.RankCount())
		}
		sum := 0.0
		for i, row := range b.Rows {
			want := 14 * (1e-6 + sizes[i]/8/50e9)
			if row.Size != sizes[i] || row.Algorithm != collective.Ring || math.Abs(row.Time-want) > 1e-11 {
				t.Errorf("%d iterations: row %d is %+v, want %v s", iterations, i, row, want)
			}
			sum += row.Time * float64(iterations)
		}
		end := c.Engine.Now()
		if math.Abs(end.Seconds()-sum) > 1e-9*sum {
			t.Errorf("%d iterations end at %v, the rows sum to %v s", iterations, end, sum)
		}
		if l := c.Ledgers()[0]; l.Exposed != end || l.Compute != 0 {
			t.Errorf("%d iterations: %v communicating, %v computing of %v", iterations, l.Exposed, l.Compute, end)
		}
		// Each accelerator sends 2(n-1)/n of every size on its link up.
		want := 0.0
		for _, size := range sizes {
			want += float64(iterations) * 14 / 8 * size
		}
		for l, link := range c.Topology.Links {
			if got := c.Network.Use(topology.LinkID(l)); math.Abs(got.Bytes-want) > 1e-9*want {
				t.Errorf("%d iterations: link %d from %d carried %v bytes, want %v", iterations, l, link.From, got.Bytes, want)
			}
		}
	}
}

// The jump over equal iterations gives the rows, links and ledgers of simulating
// all, which a job of unknown links forces; also when the first iterations meet
// another job.
func TestBenchmarkJump(t *testing.T) {
	for _, disturbed := range []bool{false, true} {
		var rows [2][]cluster.CollectiveRow
		var uses [2][]network.LinkUse
		var exposed [2]sim.Time
		var events [2]uint64
		for i := range 2 {
			b := benchmark(50, 1<<20, 1<<26)
			c := newCluster(t, bareSwitch(8), 16)
			c.Submit(&cluster.Job{Name: "it", Count: 8, Program: b})
			if disturbed { // ends during the second iteration
				other := benchmark(1, 1<<20)
				other.Overhead = new(sim.Time)
				c.Submit(&cluster.Job{Name: "other", Start: 30 * sim.Microsecond, Count: 8, Shared: true, Program: other})
			}
			if i == 1 {
				stranger := work("stranger", 0, 1000*s, 8)
				stranger.Shared = true
				c.Submit(stranger)
			}
			finish(t, c)
			rows[i], exposed[i], events[i] = b.Rows, c.Ledgers()[0].Exposed, c.Engine.Handled()
			for l := range c.Topology.Links {
				uses[i] = append(uses[i], c.Network.Use(topology.LinkID(l)))
			}
		}
		if exposed[0] != exposed[1] || events[0]*2 > events[1] {
			t.Errorf("disturbed %v: %v exposed in %d events with the jump, %v in %d without", disturbed, exposed[0], events[0], exposed[1], events[1])
		}
		for i, row := range rows[0] {
			if row != rows[1][i] {
				t.Errorf("disturbed %v: with the jump %+v, without %+v", disturbed, row, rows[1][i])
			}
		}
		for l, u := range uses[0] {
			if v := uses[1][l]; math.Abs(u.Bytes-v.Bytes) > 1e-9*v.Bytes || u.Busy != v.Busy || u.Contended != v.Contended {
				t.Errorf("disturbed %v: link %d with the jump %+v, without %+v", disturbed, l, u, v)
			}
		}
	}
}

// Only the iterations up to the horizon are counted.
func TestBenchmarkStopsAtTheHorizon(t *testing.T) {
	b := benchmark(1_000_000, 1<<20)
	c := newCluster(t, bareSwitch(8), 0)
	c.Submit(&cluster.Job{Name: "it", Count: 8, Program: b})
	c.Engine.Horizon = sim.Millisecond
	if err := c.Engine.Run(context.Background()); !errors.Is(err, sim.ErrHorizon) {
		t.Fatal(err)
	}
	if l := c.Ledgers()[0]; l.Exposed > sim.Millisecond || l.Exposed < sim.Millisecond-51*sim.Microsecond || len(b.Rows) != 0 {
		t.Errorf("%v communicating in 1 ms, rows %v", l.Exposed, b.Rows)
	}
	if u := c.Network.Use(0); u.Busy > sim.Millisecond || u.Bytes > 50e9*1e-3 {
		t.Errorf("a link of 50 GB/s carried %v bytes in 1 ms", u.Bytes)
	}
}

// Ranks may be some of a job's accelerators, in any order, and overhead may be
// said.
func TestBenchmarkRanks(t *testing.T) {
	b := benchmark(1, 1<<20)
	b.Ranks = []int{3, 1}
	overhead := 5 * sim.Microsecond
	b.Overhead = &overhead
	c := newCluster(t, bareSwitch(4), 0)
	c.Submit(&cluster.Job{Name: "it", Count: 4, Program: b})
	finish(t, c)
	if want := 5e-6 + 2*(1e-6+(1<<20)/2/50e9); math.Abs(b.Rows[0].Time-want) > 1e-11 || b.RankCount() != 2 {
		t.Errorf("%v s over %d ranks, want %v", b.Rows[0].Time, b.RankCount(), want)
	}
	for l, link := range c.Topology.Links {
		used := c.Network.Use(topology.LinkID(l)).Bytes > 0
		if end := max(min(link.From, link.To), 0); used != (end == 1 || end == 3) {
			t.Errorf("link %s: used %v", c.Topology.LinkName(topology.LinkID(l)), used)
		}
	}
}

// Two rings that share every link move at half the pace while both run, and the
// links say who contends for how long.
func TestContention(t *testing.T) {
	c := newCluster(t, bareSwitch(4), 0)
	a, b := benchmark(1, 1<<30), benchmark(1, 1<<29)
	c.Submit(&cluster.Job{Name: "north", Count: 4, Shared: true, Program: a})
	c.Submit(&cluster.Job{Name: "south", Count: 4, Shared: true, Program: b})
	finish(t, c)
	hop := func(size float64) float64 { return 1.5 * size / 50e9 } // 2(n-1)/n S/b
	latency := 6e-6
	if got, want := b.Rows[0].Time, latency+2*hop(1<<29); math.Abs(got-want) > 1e-9 {
		t.Errorf("the shorter takes %v s, want %v: half the rate", got, want)
	}
	if got, want := a.Rows[0].Time, latency+hop(1<<30)+hop(1<<29); math.Abs(got-want) > 1e-9 {
		t.Errorf("the longer takes %v s, want %v: half the rate until the other has ended", got, want)
	}
	for l := range c.Topology.Links {
		use := c.Network.Use(topology.LinkID(l))
		owners, crowd, _ := c.Network.Contenders(topology.LinkID(l))
		if want := 2 * hop(1<<29); math.Abs(use.Contended.Seconds()-want) > 1e-9 || crowd != 0 || len(owners) != 2 {
			t.Fatalf("link %d: contended %v by %v", l, use.Contended, owners)
		}
		names := c.OwnerName(owners[0].Owner) + " " + c.OwnerName(owners[1].Owner)
		if names != "north south" && names != "south north" {
			t.Errorf("link %d: contended by %s", l, names)
		}
	}
}

// What can never end is reported with who waits for what.
func TestDeadlock(t *testing.T) {
	for _, c := range []struct {
		name  string
		put   func(c *cluster.Cluster)
		words []string
	}{
		{
			"more accelerators than there are", func(c *cluster.Cluster) { c.Submit(work("greedy", 0, s, 9)) },
			[]string{"deadlock", "greedy waits for accelerators that never become free"},
		},
		{"a program that never ends", func(c *cluster.Cluster) {
			c.Submit(&cluster.Job{Name: "idler", Count: 8, Program: idler{}})
			c.Submit(work("next", 0, s, 1))
		}, []string{"idler waits for", "next waits for accelerators"}},
		{"a link that carries nothing", func(c *cluster.Cluster) {
			c.Network.SetPayload(0, 0)
			c.AddFlows("set", []cluster.Flow{{Name: "f1", Bytes: 1, Route: []topology.LinkID{0}}, {Name: "f2", Bytes: 1, Route: []topology.LinkID{1}, After: []int32{0}}})
		}, []string{"flow f1 waits for bandwidth on link acc0>switch", "flow f2 waits for 1 transfers"}},
		{"a collective over it", func(c *cluster.Cluster) {
			c.Network.SetPayload(3, 0)
			c.Submit(&cluster.Job{Name: "ring", Count: 8, Program: benchmark(1, 1<<20)})
		}, []string{"ring waits for communication that does not end", "bandwidth on link switch>acc1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster(t, bareSwitch(8), 0)
			c.put(cl)
			err := cl.Engine.Run(context.Background())
			var deadlock *sim.DeadlockError
			if !errors.As(err, &deadlock) {
				t.Fatalf("%v", err)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in: %v", w, err)
				}
			}
		})
	}
}

// Flows start at their time and after those that they wait for, wherever those
// stand.
func TestFlows(t *testing.T) {
	topo, err := topology.Links([]topology.BareLink{{Name: "a", Capacity: 1e9, Latency: sim.Microsecond}, {Name: "b", Capacity: 2e9}})
	if err != nil {
		t.Fatal(err)
	}
	c := newCluster(t, topo, 0)
	set := c.AddFlows("set", []cluster.Flow{
		{Name: "last", Bytes: 1e6, Route: []topology.LinkID{1}, After: []int32{1, 2}},
		{Name: "second", Start: 10 * sim.Millisecond, Bytes: 1e6, Route: []topology.LinkID{0, 1}},
		{Name: "first", Bytes: 1e6, Route: []topology.LinkID{0}},
		{Name: "empty", Start: sim.Millisecond, Route: []topology.LinkID{0}},
	})
	finish(t, c)
	for i, want := range []struct{ eligible, end sim.Time }{
		{11*sim.Millisecond + sim.Microsecond, 11*sim.Millisecond + 501*sim.Microsecond},
		{10 * sim.Millisecond, 11*sim.Millisecond + sim.Microsecond},
		{0, sim.Millisecond + sim.Microsecond},
		{sim.Millisecond, sim.Millisecond + sim.Microsecond},
	} {
		eligible, end, ended := c.Network.Times(set.IDs[i])
		if eligible != want.eligible || end != want.end || !ended {
			t.Errorf("%s from %v to %v, want %v to %v", set.Flows[i].Name, eligible, end, want.eligible, want.end)
		}
		if name := c.FlowName(set.IDs[i]); name != set.Flows[i].Name {
			t.Errorf("transfer of flow %s is called %q", set.Flows[i].Name, name)
		}
	}
}

// A route that passes a link twice loads it twice: each pass gets half.
func TestFlowThatPassesALinkTwice(t *testing.T) {
	topo, err := topology.Links([]topology.BareLink{{Name: "a", Capacity: 1e9, Latency: sim.Microsecond}, {Name: "b", Capacity: 1e9}})
	if err != nil {
		t.Fatal(err)
	}
	c := newCluster(t, topo, 0)
	set := c.AddFlows("set", []cluster.Flow{{Name: "loop", Bytes: 1e6, Route: []topology.LinkID{0, 1, 0}}})
	finish(t, c)
	if _, end, _ := c.Network.Times(set.IDs[0]); end != 2*sim.Millisecond+2*sim.Microsecond {
		t.Errorf("it ends at %v", end)
	}
	if a, b := c.Network.Use(0), c.Network.Use(1); a.Bytes != 2e6 || b.Bytes != 1e6 {
		t.Errorf("links carried %v and %v bytes", a.Bytes, b.Bytes)
	}
}

func TestShares(t *testing.T) {
	c := newCluster(t, bareSwitch(4), 8)
	c.Submit(work("half", 1*s, 2*s, 2))
	c.Submit(work("all", 3*s, 1*s, 4))
	finish(t, c)
	shares := c.Shares(c.Engine.Now())
	sum := 0.0
	for i, v := range shares.Compute {
		if v < 0 || v > 1 || shares.Communication[i] != 0 {
			t.Errorf("interval %d: %v compute, %v communicate", i, v, shares.Communication[i])
		}
		sum += v * shares.Width.Seconds()
	}
	if math.Abs(sum-2) > 1e-5 { // 2 s of half, 1 s of all
		t.Errorf("the shares hold %v s, want 2", sum)
	}
	if empty := newCluster(t, bareSwitch(4), 0).Shares(s); len(empty.Compute) != 0 {
		t.Error("series without bins")
	}
}

type idler struct{}

func (idler) Begin(*cluster.Cluster, int) {}

// Two jobs of one cluster: the second waits for the accelerators of the first.
func Example() {
	topo, err := topology.Switch(4, 50e9, 100_000) // 50 GB/s, 1 us
	if err != nil {
		fmt.Println(err)
		return
	}
	engine := sim.New()
	c := cluster.New(engine, topo, 0)
	first := &cluster.CollectiveBenchmark{Op: collective.AllReduce, Sizes: []float64{1 << 20, 1 << 30}, Iterations: 20}
	c.Submit(&cluster.Job{Name: "first", Count: 4, Program: first})
	second := &cluster.CollectiveBenchmark{Op: collective.AllToAll, Sizes: []float64{1 << 20}, Iterations: 1}
	c.Submit(&cluster.Job{Name: "second", Count: 2, Program: second})
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	for _, row := range first.Rows {
		fmt.Printf("%v of %.0f bytes: %.1f us\n", row.Algorithm, row.Size, 1e6*row.Time)
	}
	fmt.Println("second starts at the end of first:", c.Jobs[1].StartedAt == c.Jobs[0].FinishedAt)
	// Output:
	// direct of 1048576 bytes: 33.5 us
	// direct of 1073741824 bytes: 32214.3 us
	// second starts at the end of first: true
}
