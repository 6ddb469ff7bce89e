package training_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
)

const us = units.Duration(100_000) // in units of 10 ps

// a100 has the data sheet's figures and the catalogue's fractions.
func a100() topology.Accelerator {
	a := topology.Accelerator{
		Name: "a100", Vector: 19.5e12, MemoryBandwidth: 2.039e12, Memory: 80e9, Multiprocessors: 108,
		MatrixEfficiency: 0.87, MemoryEfficiency: 0.8, LaunchOverhead: 4 * us,
	}
	a.Peak[topology.FP16], a.Peak[topology.BF16] = 312e12, 312e12
	return a
}

// host is like a dgx-a100, less its software.
func host() topology.Host {
	return topology.Host{
		Name: "host", Accelerator: a100(), Accelerators: 8,
		ScaleUpBandwidth: 300e9, ScaleUpEfficiency: 0.8, ScaleUpLatency: us / 10,
		NICs: 8, NICBandwidth: 25e9, NICEfficiency: 0.92, PCIeBandwidth: 31.5e9,
	}
}

func leafSpine(h topology.Host, hosts int, oversubscription float64) *topology.Topology {
	t, err := topology.LeafSpine(topology.Fabric{
		Host: h, Hosts: hosts, HostsPerRack: 2, Oversubscription: oversubscription, LinkLatency: us / 3, SwitchLatency: us / 8,
	})
	if err != nil {
		panic(err)
	}
	return t
}

var small = workload.Model{Name: "small", Family: workload.FamilyTransformer, Layers: 6, Hidden: 1024, Heads: 16, Vocab: 32000, Sequence: 512}

// quiet is a roofline under which communication does not slow computation.
func quiet(a topology.Accelerator) cluster.Roofline {
	k := cluster.Shipped
	k.Interference = 0
	return cluster.Roofline{Accelerator: a, Kernels: &k}
}

// Communication takes its share of the pace of the computation beside it: with
// half of it lost, an all-reduce that lasts as long as the rest of the backward
// pass makes that half as long again.
func TestInterference(t *testing.T) {
	topo := leafSpine(host(), 4, 0.25) // with so many spines that no messages meet
	run1 := func(interference float64) training.Iteration {
		j := job(32, 1, 25<<20, true, 2)
		j.Roofline.Kernels.Interference = interference
		run(t, topo, &cluster.Job{Name: "it", Count: 32, Program: j})
		return j.Last
	}
	still, noisy := run1(0), run1(0.5)
	// What is computed beside communication takes twice as long.
	slowed := noisy.Compute - still.Compute
	if want := noisy.Overlapped / 2; slowed < want-64 || slowed > want+64 {
		t.Errorf("compute took %v longer with %v of communication beside it, want %v", slowed, noisy.Overlapped, want)
	}
	if noisy.Time <= still.Time {
		t.Errorf("an iteration takes %v with interference and %v without", noisy.Time, still.Time)
	}
}

// job trains the small model on so many replicas.
func job(replicas, accumulation int, bucket int64, overlap bool, iterations int64) *training.Job {
	t := workload.Training{
		Model: small, MicroBatch: 4, GlobalBatch: 4 * replicas * accumulation, Sequence: 512, Data: replicas, Precision: topology.BF16,
	}.WithDefaults()
	if err := t.Validate(); err != nil {
		panic(err)
	}
	return &training.Job{Training: t, Iterations: iterations, Roofline: quiet(a100()), BucketBytes: bucket, Overlap: overlap}
}

// stranger keeps jobs from jumping: another, of which nobody knows that it will use no
// link until long after all else.
func stranger() *cluster.Job {
	return &cluster.Job{Name: "stranger", Shared: true, Count: 1, Program: &idler{}}
}

type idler struct {
	c   *cluster.Cluster
	job int
}

func (i *idler) Begin(c *cluster.Cluster, job int) {
	i.c, i.job = c, job
	c.Engine.Schedule(100_000*sim.Second, c.Engine.Register(i), 0)
}

func (i *idler) Handle(sim.Time, uint64) { i.c.Done(i.job) }

// silent is an idler that says so.
type silent struct{ idler }

func (silent) Links() (iter.Seq[topology.LinkID], bool) { return nil, true }

func run(t testing.TB, topo *topology.Topology, jobs ...*cluster.Job) *cluster.Cluster {
	t.Helper()
	engine := sim.New()
	c := cluster.New(engine, topo, 64)
	for _, j := range jobs {
		c.Submit(j)
	}
	if err := engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c
}

// timeline works an iteration out by hand: layers one after another, buckets in
// the order in which the backward pass completes them, one at a time.
func timeline(j *training.Job, topo *topology.Topology) (want training.Iteration) {
	r, tr := j.Roofline, j.Training
	layers := tr.Layers()
	forward, backward := sim.Time(0), make([]sim.Time, len(layers))
	for i, l := range layers {
		forward += sim.FromSeconds(r.Total(l.Forward))
		backward[i] = sim.FromSeconds(r.Total(l.Backward))
		want.Compute += sim.FromSeconds(r.Total(l.Forward)) + backward[i]
	}
	n := sim.Time(tr.Accumulation())
	add := sim.FromSeconds(r.Time(tr.GradientAdd(tr.Model.Parameters(), tr.Model.Parameters())))
	want.Compute = n*want.Compute + (n-1)*add
	want.Optimizer = sim.FromSeconds(r.Time(tr.Step(tr.Model.Parameters(), tr.Model.Parameters())))
	free := sim.Time(0) // when the communication stream is
	if tr.Data > 1 {
		ranks := make([]topology.NodeID, tr.Data)
		for i := range ranks {
			ranks[i] = topology.NodeID(i)
		}
		planner := collective.NewPlanner(topo)
		for _, b := range tr.Buckets(layers, j.BucketBytes) {
			ready := want.Compute // less the backward passes of the layers before it
			for i := range b.Layer {
				ready -= backward[i]
			}
			if n > 1 && b.Layer > 0 {
				ready -= add
			}
			if !j.Overlap {
				ready = want.Compute
			}
			plan, err := planner.Plan(collective.AllReduce, collective.Ring, ranks)
			if err != nil {
				panic(err)
			}
			start := max(ready, free)
			free = start + sim.FromSeconds(plan.Predict(float64(b.Bytes)))
			want.Overlapped += max(0, min(free, want.Compute)-start)
		}
	}
	want.Exposed[training.Gradients] = max(0, free-want.Compute)
	want.Time = want.Compute + want.AllExposed() + want.Optimizer
	return want
}

// Compute, exposed communication and the optimizer make up an iteration, to the
// tick, and each is what the roofline and the closed forms say.
func TestIteration(t *testing.T) {
	for _, c := range []struct {
		name         string
		hosts        int
		accumulation int
		bucket       int64
		overlap      bool
	}{
		{"one host, buckets", 1, 1, 25 << 20, true},
		{"one host, buckets after the backward pass", 1, 1, 25 << 20, false},
		{"four hosts, buckets", 4, 1, 25 << 20, true},
		{"four hosts, one bucket", 4, 1, 0, true},
		{"four hosts, a bucket a layer", 4, 1, 1, true},
		{"four hosts, accumulation", 4, 3, 25 << 20, true},
		{"four hosts, accumulation, one bucket", 4, 3, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			topo := leafSpine(host(), c.hosts, 1)
			j := job(8*c.hosts, c.accumulation, c.bucket, c.overlap, 3)
			cl := run(t, topo, &cluster.Job{Name: "it", Count: 8 * c.hosts, Program: j})
			got, want := j.Last, timeline(j, topo)
			if got.Time != got.Compute+got.AllExposed()+got.Optimizer {
				t.Errorf("an iteration of %v is not %v + %v + %v", got.Time, got.Compute, got.AllExposed(), got.Optimizer)
			}
			if got.Compute != want.Compute || got.Optimizer != want.Optimizer {
				t.Errorf("compute %v, optimizer %v; want %v, %v", got.Compute, got.Optimizer, want.Compute, want.Optimizer)
			}
			slack := sim.Time(64) // ticks: each phase of each bucket rounds
			if d := got.AllExposed() - want.AllExposed(); max(d, -d) > slack {
				t.Errorf("exposed %v, want %v", got.AllExposed(), want.AllExposed())
			}
			if d := got.Overlapped - want.Overlapped; max(d, -d) > slack {
				t.Errorf("overlapped %v, want %v", got.Overlapped, want.Overlapped)
			}
			if !c.overlap && got.Overlapped != 0 {
				t.Errorf("%v of communication overlapped although that is off", got.Overlapped)
			}
			if cl.Jobs[0].FinishedAt != 3*got.Time {
				t.Errorf("three iterations of %v end at %v", got.Time, cl.Jobs[0].FinishedAt)
			}
		})
	}
}

// Overlap never makes an iteration longer, and hides communication if there is
// more than one bucket.
func TestOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hosts := rapid.IntRange(1, 3).Draw(t, "hosts")
		accumulation := rapid.IntRange(1, 3).Draw(t, "accumulation")
		bucket := rapid.Int64Range(1, 100<<20).Draw(t, "bucket")
		h := host()
		h.NICBandwidth = units.Rate(rapid.Float64Range(1e9, 100e9).Draw(t, "NIC"))
		topo := leafSpine(h, hosts, 1)
		with, without := job(8*hosts, accumulation, bucket, true, 2), job(8*hosts, accumulation, bucket, false, 2)
		for _, j := range []*training.Job{with, without} {
			engine := sim.New()
			c := cluster.New(engine, topo, 0)
			c.Submit(&cluster.Job{Count: 8 * hosts, Program: j})
			if err := engine.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if with.Last.Time > without.Last.Time || with.Last.Compute != without.Last.Compute {
			t.Fatalf("with overlap %+v, without %+v", with.Last, without.Last)
		}
		if with.Last.Overlapped == 0 && len(with.Training.Buckets(with.Training.Layers(), bucket)) > 1 {
			t.Fatal("nothing was overlapped")
		}
		// What is hidden and what is exposed are the same communication.
		if a, b := with.Last.Overlapped+with.Last.AllExposed(), without.Last.AllExposed(); a < b-64 {
			t.Fatalf("%v of communication with overlap, %v without", a, b)
		}
	})
}

// On a network without latency and with endless bandwidth nothing is exposed;
// what the last bucket costs in software remains.
func TestFreeCommunication(t *testing.T) {
	free := host()
	free.ScaleUpBandwidth, free.NICBandwidth, free.PCIeBandwidth, free.ScaleUpLatency = 1e21, 1e21, 1e21, 0
	for _, overhead := range []units.Duration{0, 7 * us} {
		free.CollectiveOverhead = overhead
		topo, err := topology.Rail(topology.Fabric{Host: free, Hosts: 4, HostsPerRack: 4, Oversubscription: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, overlap := range []bool{true, false} {
			j := job(32, 2, 25<<20, overlap, 3)
			run(t, topo, &cluster.Job{Name: "it", Count: 32, Program: j})
			buckets := sim.Time(1) // exposed
			if !overlap {
				buckets = sim.Time(len(j.Training.Buckets(j.Training.Layers(), 25<<20)))
			}
			if want := buckets * sim.Time(overhead); j.Last.AllExposed() != want {
				t.Errorf("overlap %v, overhead %v: %v exposed, want %v", overlap, overhead, j.Last.AllExposed(), want)
			}
		}
	}
}

// A single replica has nobody to talk to.
func TestOneReplica(t *testing.T) {
	j := job(1, 4, 25<<20, true, 2)
	c := run(t, leafSpine(host(), 1, 1), &cluster.Job{Name: "it", Count: 1, Program: j})
	if j.Last.AllExposed() != 0 || j.Last.Overlapped != 0 || j.Algorithm() != "" {
		t.Errorf("%+v by %q", j.Last, j.Algorithm())
	}
	for l := range c.Topology.Links {
		if u := c.Network.Use(topology.LinkID(l)); u.Bytes != 0 {
			t.Fatalf("link %d carried %v bytes", l, u.Bytes)
		}
	}
}

// Each accelerator computes, waits for communication or idles: the three make up
// the makespan, for those of the job and the others.
func TestLedger(t *testing.T) {
	for _, iterations := range []int64{1, 3, 50} {
		j := job(16, 2, 25<<20, true, iterations)
		c := run(t, leafSpine(host(), 4, 1), &cluster.Job{Name: "it", Start: sim.Millisecond, Count: 16, Program: j})
		l := c.Ledgers()[0]
		n := sim.Time(iterations)
		if len(l.Accelerators) != 16 || l.Compute != n*(j.Last.Compute+j.Last.Optimizer) || l.Exposed != n*j.Last.AllExposed() || l.Overlapped != n*j.Last.Overlapped {
			t.Errorf("%d iterations of %+v on %d accelerators: compute %v, exposed %v, overlapped %v", iterations, j.Last, len(l.Accelerators), l.Compute, l.Exposed, l.Overlapped)
		}
		if end := c.Engine.Now(); l.Compute+l.Exposed+sim.Millisecond != end {
			t.Errorf("%d iterations: compute %v, exposed %v and 1 ms before the start are not %v", iterations, l.Compute, l.Exposed, end)
		}
		// The series hold the same: their mean is the ledger's share.
		s := c.Shares(c.Engine.Now())
		var compute float64
		for _, v := range s.Compute {
			compute += v * s.Width.Seconds()
		}
		if want := l.Compute.Seconds() / 2; math.Abs(compute-want) > 1e-5*want { // 16 of 32
			t.Errorf("%d iterations: the series hold %v s of compute, the ledger %v s", iterations, compute, want)
		}
	}
}

// books are all that a run leaves behind.
type books struct {
	last     training.Iteration
	done     int64
	ledger   [3]sim.Time
	finished sim.Time
	links    []network.LinkUse
}

func booksOf(c *cluster.Cluster, j *training.Job, number int) books {
	l := c.Ledgers()[number]
	b := books{j.Last, j.Done, [3]sim.Time{l.Compute, l.Exposed, l.Overlapped}, c.Jobs[number].FinishedAt, nil}
	for i := range c.Topology.Links {
		b.links = append(b.links, c.Network.Use(topology.LinkID(i)))
	}
	return b
}

func sameBooks(t *testing.T, jumped, simulated books) {
	t.Helper()
	if jumped.last != simulated.last || jumped.done != simulated.done || jumped.ledger != simulated.ledger || jumped.finished != simulated.finished {
		t.Errorf("jumped %+v %d %v %v\nsimulated %+v %d %v %v", jumped.last, jumped.done, jumped.ledger, jumped.finished,
			simulated.last, simulated.done, simulated.ledger, simulated.finished)
	}
	for l := range jumped.links {
		a, b := jumped.links[l], simulated.links[l]
		if math.Abs(a.Bytes-b.Bytes) > 1e-9*b.Bytes || a.Busy != b.Busy || a.Contended != b.Contended {
			t.Fatalf("link %d: jumped %+v, simulated %+v", l, a, b)
		}
	}
}

// Jumping over equal iterations changes nothing but the number of events.
func TestJumpIsAsSimulated(t *testing.T) {
	for _, iterations := range []int64{7, 8, 9, 10, 11, 50} {
		t.Run(fmt.Sprint(iterations), func(t *testing.T) {
			topo := leafSpine(host(), 4, 2)
			one, all := job(32, 2, 25<<20, true, iterations), job(32, 2, 25<<20, true, iterations)
			a := run(t, topo, &cluster.Job{Name: "it", Count: 32, Program: one})
			b := run(t, topo, &cluster.Job{Name: "it", Count: 32, Program: all}, stranger())
			sameBooks(t, booksOf(a, one, 0), booksOf(b, all, 0))
			if iterations == 50 && a.Engine.Handled() > b.Engine.Handled()/3 {
				t.Errorf("%d events with the jump, %d without", a.Engine.Handled(), b.Engine.Handled())
			}
		})
	}
}

// The same where another job disturbs some iterations first, so that the first
// pair of equal ones comes late: at every iteration around the first jump.
func TestJumpAfterDisturbance(t *testing.T) {
	topo := leafSpine(host(), 4, 4)
	iteration := func() sim.Time {
		j := job(16, 1, 25<<20, true, 1)
		run(t, topo, &cluster.Job{Count: 16, Program: j})
		return j.Last.Time
	}()
	for tenth := 55; tenth < 130; tenth += 5 { // of an iteration: when the other job begins
		var got [2]books
		var events [2]uint64
		for i := range got {
			j := job(16, 1, 25<<20, true, 40)
			other := &cluster.CollectiveBenchmark{Op: collective.AllReduce, Algorithm: collective.Ring, Sizes: []float64{64 << 20}, Iterations: 1}
			jobs := []*cluster.Job{
				// One host of each rack for each job: both cross the up-links.
				{Name: "it", List: append(hostList(0), hostList(2)...), Program: j},
				{Name: "other", Start: iteration * sim.Time(tenth) / 10, List: append(hostList(1), hostList(3)...), Program: other},
			}
			if i == 1 {
				jobs = append(jobs, stranger())
			}
			c := run(t, topo, jobs...)
			got[i], events[i] = booksOf(c, j, 0), c.Engine.Handled()
		}
		t.Run(fmt.Sprint(tenth), func(t *testing.T) {
			sameBooks(t, got[0], got[1])
			if events[0] > events[1]*2/3 {
				t.Errorf("%d events with the jump, %d without: it was not made", events[0], events[1])
			}
		})
	}
}

// The same where another job is to come later, at every part of an iteration, and
// beside one that uses no link.
func TestJumpBeforeDisturbance(t *testing.T) {
	topo := leafSpine(host(), 4, 4)
	iteration := func() sim.Time {
		j := job(16, 1, 25<<20, true, 1)
		run(t, topo, &cluster.Job{Count: 16, Program: j})
		return j.Last.Time
	}()
	for tenth := 200; tenth < 210; tenth++ {
		var got [2]books
		var events [2]uint64
		for i := range got {
			j := job(16, 1, 25<<20, true, 40)
			other := &cluster.CollectiveBenchmark{Op: collective.AllReduce, Algorithm: collective.Ring, Sizes: []float64{64 << 20}, Iterations: 1}
			jobs := []*cluster.Job{
				{Name: "it", List: append(hostList(0), hostList(2)...), Program: j},
				{Name: "other", Start: iteration * sim.Time(tenth) / 10, List: append(hostList(1), hostList(3)...), Program: other},
				{Name: "silent", Shared: true, Count: 1, Program: &silent{}},
			}
			if i == 1 {
				jobs = append(jobs, stranger())
			}
			c := run(t, topo, jobs...)
			got[i], events[i] = booksOf(c, j, 0), c.Engine.Handled()
		}
		t.Run(fmt.Sprint(tenth), func(t *testing.T) {
			sameBooks(t, got[0], got[1])
			if events[0] > events[1]/2 {
				t.Errorf("%d events with the jump, %d without: it was not made", events[0], events[1])
			}
		})
	}
}

// Jobs that share no link jump each on its own, whenever they begin; those that do
// share one do not.
func TestJumpsApart(t *testing.T) {
	topo := leafSpine(host(), 4, 4)
	for _, c := range []struct {
		name  string
		hosts [2][]int32 // of two jobs
		jumps bool
	}{
		{"a rack each", [2][]int32{append(hostList(0), hostList(1)...), append(hostList(2), hostList(3)...)}, true},
		{"both racks", [2][]int32{append(hostList(0), hostList(2)...), append(hostList(1), hostList(3)...)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got [2][2]books
			var events [2]uint64
			for i := range got {
				a, b := job(16, 1, 25<<20, true, 40), job(16, 2, 0, true, 30)
				jobs := []*cluster.Job{{Name: "a", List: c.hosts[0], Program: a}, {Name: "b", Start: 3 * sim.Millisecond, List: c.hosts[1], Program: b}}
				if i == 1 {
					jobs = append(jobs, stranger())
				}
				c := run(t, topo, jobs...)
				got[i], events[i] = [2]books{booksOf(c, a, 0), booksOf(c, b, 1)}, c.Engine.Handled()
			}
			for i := range got[0] {
				sameBooks(t, got[0][i], got[1][i])
			}
			if jumped := events[0] < events[1]/2; jumped != c.jumps {
				t.Errorf("%d events, %d where nothing can be jumped over", events[0], events[1])
			}
		})
	}
}

func hostList(h int32) (list []int32) {
	for i := range int32(8) {
		list = append(list, 8*h+i)
	}
	return list
}

// At the horizon the books hold what was done by then, jump or not.
func TestJumpStopsAtTheHorizon(t *testing.T) {
	topo := leafSpine(host(), 2, 1)
	probe := job(16, 1, 25<<20, true, 1)
	run(t, topo, &cluster.Job{Count: 16, Program: probe})
	for _, times := range []float64{2.5, 20.5, 100.25} {
		j := job(16, 1, 25<<20, true, 1000)
		engine := sim.New()
		engine.Horizon = sim.Time(times * float64(probe.Last.Time))
		c := cluster.New(engine, topo, 64)
		c.Submit(&cluster.Job{Name: "it", Count: 16, Program: j})
		if err := engine.Run(context.Background()); !errors.Is(err, sim.ErrHorizon) {
			t.Fatal(err)
		}
		if want := int64(times); j.Done != want {
			t.Errorf("after %v iterations %d are done", times, j.Done)
		}
		// A segment that is on at the horizon is counted to its end.
		l := c.Ledgers()[0]
		if over := l.Compute + l.Exposed - engine.Now(); over > probe.Last.Time/4 {
			t.Errorf("at %v the accelerators have computed %v and waited %v", engine.Now(), l.Compute, l.Exposed)
		}
		var bytes float64
		for i := range topo.Links {
			bytes = max(bytes, c.Network.Use(topology.LinkID(i)).Bytes)
		}
		if most := float64(j.Done+1) * 2 * float64(j.Training.Model.Parameters()*workload.GradientBytes(topology.BF16)); bytes > most {
			t.Errorf("a link carried %v bytes in %v iterations; %v at most", bytes, times, most)
		}
	}
}

// Two jobs that cross the same up-links slow each other down, and the links say
// who contends.
func TestTwoJobsContend(t *testing.T) {
	topo := leafSpine(host(), 4, 8)
	alone := job(16, 1, 25<<20, true, 5)
	place := append(hostList(0), hostList(2)...)
	run(t, topo, &cluster.Job{Name: "alone", List: place, Program: alone})
	a, b := job(16, 1, 25<<20, true, 5), job(16, 1, 25<<20, true, 5)
	c := run(t, topo,
		&cluster.Job{Name: "north", List: place, Program: a},
		&cluster.Job{Name: "south", List: append(hostList(1), hostList(3)...), Program: b})
	for _, j := range []*training.Job{a, b} {
		if j.Last.AllExposed() <= alone.Last.AllExposed() || j.Last.Compute != alone.Last.Compute {
			t.Errorf("together %+v, alone %+v", j.Last, alone.Last)
		}
	}
	contended := 0
	for l := range topo.Links {
		use := c.Network.Use(topology.LinkID(l))
		if use.Contended == 0 {
			continue
		}
		contended++
		owners, _, _ := c.Network.Contenders(topology.LinkID(l))
		names := map[string]bool{}
		for _, o := range owners {
			names[c.OwnerName(o.Owner)] = true
		}
		if len(names) != 2 || !names["north"] || !names["south"] {
			t.Errorf("link %s: contended by %v", topo.LinkName(topology.LinkID(l)), names)
		}
		if from := topo.NodeName(topo.Links[l].From); from[:4] != "leaf" && from[:5] != "spine" {
			t.Errorf("%s is contended; the jobs meet on up-links alone", topo.LinkName(topology.LinkID(l)))
		}
	}
	if contended == 0 {
		t.Error("no link is contended")
	}
}

// A slower NIC exposes more communication, a faster one less.
func TestNICRate(t *testing.T) {
	var exposed []sim.Time
	for _, rate := range []units.Rate{6e9, 12.5e9, 25e9, 50e9} {
		h := host()
		h.NICBandwidth = rate
		j := job(32, 1, 0, true, 2)
		run(t, leafSpine(h, 4, 1), &cluster.Job{Count: 32, Program: j})
		if n := len(exposed); n > 0 && j.Last.AllExposed() >= exposed[n-1] {
			t.Errorf("at %v B/s %v is exposed, at half the rate %v", float64(rate), j.Last.AllExposed(), exposed[n-1])
		}
		exposed = append(exposed, j.Last.AllExposed())
	}
}

// A training job of a small language model on two hosts.
func Example() {
	topo := leafSpine(host(), 2, 1)
	engine := sim.New()
	c := cluster.New(engine, topo, 0)
	j := &training.Job{
		Training: workload.Training{
			Model: small, MicroBatch: 4, GlobalBatch: 128, Data: 16, Precision: topology.BF16,
		}.WithDefaults(),
		Iterations: 1000, Roofline: cluster.Roofline{Accelerator: a100()}, BucketBytes: 25 << 20, Overlap: true,
	}
	c.Submit(&cluster.Job{Name: "small", Count: 16, Program: j})
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	sum := j.Last.Compute + j.Last.AllExposed() + j.Last.Optimizer
	fmt.Println(j.Done, "iterations;", "parts make up the whole:", sum == j.Last.Time)
	fmt.Println("few events:", engine.Handled() < 2000)
	// Output:
	// 1000 iterations; parts make up the whole: true
	// few events: true
}
