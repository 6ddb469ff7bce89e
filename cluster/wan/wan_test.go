package wan_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/wan"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

const second = sim.Second

// triangle is three sites of two hosts each; cables of 100 B/s and 2 s join the first with
// the other two, and one of 50 B/s and 3 s joins these.
func triangle(t testing.TB) (*cluster.Cluster, *wan.WAN) {
	t.Helper()
	host := topology.Host{
		Name: "host", Accelerators: 2, NICs: 1, NICBandwidth: 1e9, NICEfficiency: 1, ScaleUp: topology.ScaleUpSwitch, ScaleUpBandwidth: 1e9, ScaleUpEfficiency: 1,
	}
	var sites []topology.Site
	for _, name := range []string{"a", "b", "c"} {
		x, err := topology.LeafSpine(topology.Fabric{Host: host, Hosts: 2, HostsPerRack: 2, Oversubscription: 1, Planes: 1, ToRs: 1})
		if err != nil {
			t.Fatal(err)
		}
		sites = append(sites, topology.Site{Name: name, Topology: x})
	}
	const s = units.Duration(second)
	x, err := topology.Sites(sites, []topology.WAN{
		{From: 0, To: 1, Bandwidth: 100, Latency: 2 * s}, {From: 0, To: 2, Bandwidth: 100, Latency: 2 * s}, {From: 1, To: 2, Bandwidth: 50, Latency: 3 * s},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := cluster.New(sim.New(), x, 0)
	return c, wan.New(c)
}

// arrivals notes when what was sent came.
type arrivals struct{ at map[uint64]sim.Time }

func (a *arrivals) Handle(now sim.Time, arg uint64) { a.at[arg] = now }

type doing func()

func (d doing) Handle(sim.Time, uint64) { d() }

// at has something done at a time.
func at(c *cluster.Cluster, t sim.Time, do func()) {
	c.Engine.Schedule(t, c.Engine.Register(doing(do)), 0)
}

// Bytes take latency + bytes / rate; two on one cable share it. What is cut off goes on
// where a way is left, or when its site is back: by hand in each case.
func TestSend(t *testing.T) {
	for _, c := range []struct {
		name string
		does func(c *cluster.Cluster, w *wan.WAN, send func(from, to int, bytes float64) int64)
		want []float64 // seconds; -1: never
	}{
		{"alone", func(_ *cluster.Cluster, _ *wan.WAN, send func(int, int, float64) int64) {
			send(0, 1, 1000)
		}, []float64{12}},
		{"two share a cable", func(_ *cluster.Cluster, _ *wan.WAN, send func(int, int, float64) int64) {
			send(0, 1, 1000)
			send(0, 1, 500)
		}, []float64{17, 12}},
		{"there and back do not", func(_ *cluster.Cluster, _ *wan.WAN, send func(int, int, float64) int64) {
			send(0, 1, 1000)
			send(1, 0, 1000)
		}, []float64{12, 12}},
		{"its site is lost from 7 to 20 s with half of it sent", func(c *cluster.Cluster, w *wan.WAN, send func(int, int, float64) int64) {
			send(0, 1, 1000)
			at(c, 7*second, func() { w.Lose(1) })
			at(c, 20*second, func() { w.Restore(1) })
		}, []float64{27}},
		{"sent while it is lost", func(c *cluster.Cluster, w *wan.WAN, send func(int, int, float64) int64) {
			at(c, 7*second, func() { w.Lose(0); send(0, 1, 1000) })
			at(c, 20*second, func() { w.Restore(0) })
		}, []float64{32}},
		{"another site is lost", func(c *cluster.Cluster, w *wan.WAN, send func(int, int, float64) int64) {
			send(0, 1, 1000)
			at(c, 7*second, func() { w.Lose(2) })
		}, []float64{12}},
		{"taken back at 7 s, which leaves the cable to the other", func(c *cluster.Cluster, w *wan.WAN, send func(int, int, float64) int64) {
			id := send(0, 1, 1000)
			send(0, 1, 1000)
			at(c, 7*second, func() { w.Withdraw(id); w.Withdraw(id) })
		}, []float64{-1, 14.5}},
	} {
		x, w := triangle(t)
		came := &arrivals{map[uint64]sim.Time{}}
		actor := x.Engine.Register(came)
		n := uint64(0)
		c.does(x, w, func(from, to int, bytes float64) int64 {
			n++
			return w.Send(from, to, bytes, network.NoOwner, actor, n-1)
		})
		if err := x.Engine.Run(context.Background()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for i, want := range c.want {
			got, has := came.at[uint64(i)]
			if has != (want >= 0) || has && math.Abs(got.Seconds()-want) > 1e-9 {
				t.Errorf("%s: %d came at %v, %v; want %v s", c.name, i, got, has, want)
			}
		}
		if w.Takes(0, 1, 1000) != 12*second || w.Takes(2, 2, 1) != 0 {
			t.Errorf("%s: it is said to take %v", c.name, w.Takes(0, 1, 1000))
		}
	}
}

// Between sites that a lost one joins there may be another way: b to c directly takes 3 s and
// 50 B/s. A chain without it leaves none, and whoever waits for ever is told for what.
func TestAround(t *testing.T) {
	c, w := triangle(t)
	came := &arrivals{map[uint64]sim.Time{}}
	w.Lose(1)
	w.Send(0, 1, 1, network.NoOwner, c.Engine.Register(came), 0)
	err := c.Engine.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "what is sent from a to b waits for a way") {
		t.Errorf("a site that is never back: %v", err)
	}
	if w.Takes(0, 1, 1) != sim.Never || !w.Lost(1) || w.DownBy(1, 5*second) != 5*second {
		t.Error("it is not lost")
	}
}

// held is a job that ends at a time.
type held struct{ until sim.Time }

func (h held) Begin(c *cluster.Cluster, job int) { at(c, h.until, func() { c.Done(job) }) }

// A dataset of 10 B/s that commits every 10 s, 100 bytes a time, over 100 B/s and 2 s:
// synchronously a commit is acknowledged after 2 + 1 s, and none that was is lost. At 100 B/s
// a commit takes 12 s and those that come meanwhile go together: 10, 22, 34 and so on have
// the commits up to 10, 20, 30 s, ... Asynchronously every 60 s one copy has the 600 bytes of
// the time, and takes 8 s: at 187 s the copy is that of 120 s, at 189 s that of 180 s.
func TestDataset(t *testing.T) {
	for _, c := range []struct {
		name      string
		d         wan.Dataset
		lost      float64 // s
		age       float64
		bytes     float64
		commits   int64
		slowest   float64
		copies    int64
		copyBytes float64
		copyTime  float64
	}{
		{"synchronous", wan.Dataset{Synchronous: true, Change: 10}, 185, 0, 0, 18, 3, 18, 1800, 3},
		{"synchronous, at a loss on the way", wan.Dataset{Synchronous: true, Change: 10}, 182, 0, 0, 17, 3, 17, 1700, 3},
		{"asynchronous", wan.Dataset{Interval: 60 * second, Change: 10}, 187, 67, 600, 18, 0, 2, 1200, 8},
		{"asynchronous, just after a copy", wan.Dataset{Interval: 60 * second, Change: 10}, 189, 0, 0, 18, 0, 3, 1800, 8},
		{"without changes", wan.Dataset{}, 100, 0, 0, 0, 0, 0, 0, 0},
		{"without a copy at first", wan.Dataset{Bytes: 1000, Unseeded: true}, 100, 0, 0, 0, 0, 1, 1000, 12},
	} {
		x, w := triangle(t)
		x.Submit(&cluster.Job{Name: "job", Count: 1, Program: held{300 * second}})
		d := c.d
		d.To, d.Commit, d.Takeover = []int{1}, 10*second, 30*second
		w.Replicate(&d, false)
		lost := sim.FromSeconds(c.lost)
		at(x, lost, func() { w.Lose(0) })
		at(x, 299*second, func() {
			if len(d.Losses) != 1 || d.Copies[0].Done != c.copies || d.Copies[0].Bytes != c.copyBytes || d.Copies[0].Slowest.Seconds() != c.copyTime {
				t.Errorf("%s: %d copies of %v bytes, the slowest %v", c.name, d.Copies[0].Done, d.Copies[0].Bytes, d.Copies[0].Slowest)
			}
			want := wan.DatasetLoss{At: lost, To: 1, Age: sim.FromSeconds(c.age), Bytes: c.bytes, Resumed: lost.After(30 * second)}
			if d.Losses[0] != want || d.Commits != c.commits || d.Slowest != sim.FromSeconds(c.slowest) {
				t.Errorf("%s: %+v, want %+v; %d commits, the slowest %v", c.name, d.Losses[0], want, d.Commits, d.Slowest)
			}
		})
		if err := x.Engine.Run(context.Background()); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if x.Engine.Now() != 300*second {
			t.Errorf("%s: it goes on until %v, after the last job", c.name, x.Engine.Now())
		}
	}
}

// After an absence longer than it takes to change all of a dataset, a copy gets all of it
// and no more. 1,000 bytes change by 10 a second, and are copied every 60 s over 100 B/s and
// 2 s to a site that is away from 30 to 430 s: the 600 of the first 60 s, which have waited,
// come after 8 s, then the 1,000 that there are, and not the 3,700 of 37 commits, after 12.
// A site that is lost with a copy that is 405 s old loses these 1,000, not the 4,000 of 40.
func TestDatasetIsAllThatChanges(t *testing.T) {
	x, w := triangle(t)
	x.Submit(&cluster.Job{Name: "job", Count: 1, Program: held{1000 * second}})
	d := wan.Dataset{Bytes: 1000, To: []int{1}, Commit: 10 * second, Change: 10, Interval: 60 * second}
	w.Replicate(&d, false)
	at(x, 30*second, func() { w.Lose(1) })
	at(x, 430*second, func() { w.Restore(1) })
	for _, c := range []struct {
		at, bytes float64
		copies    int64
	}{{437, 0, 0}, {439, 600, 1}, {449, 600, 1}, {451, 1600, 2}, {479, 1600, 2}, {488, 2100, 3}} {
		at(x, sim.FromSeconds(c.at), func() {
			if got := d.Copies[0]; got.Bytes != c.bytes || got.Done != c.copies {
				t.Errorf("after %v s: %v bytes in %d copies, want %v in %d", c.at, got.Bytes, got.Done, c.bytes, c.copies)
			}
		})
	}
	if err := x.Engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}

	x, w = triangle(t)
	x.Submit(&cluster.Job{Name: "job", Count: 1, Program: held{500 * second}})
	rare := wan.Dataset{Bytes: 1000, To: []int{1}, Commit: 10 * second, Change: 10, Interval: 600 * second, Takeover: 30 * second}
	w.Replicate(&rare, false)
	at(x, 405*second, func() { w.Lose(0) })
	if err := x.Engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if want := (wan.DatasetLoss{At: 405 * second, To: 1, Age: 405 * second, Bytes: 1000, Resumed: 435 * second}); !slices.Equal(rare.Losses, []wan.DatasetLoss{want}) {
		t.Errorf("%+v, want %+v", rare.Losses, want)
	}
}

// Writers of a dataset that changes faster than its cable carries wait: of 200 B/s on 100 B/s
// half is acknowledged in the end, and not more than Window commits are open.
func TestWritersWait(t *testing.T) {
	x, w := triangle(t)
	x.Submit(&cluster.Job{Name: "job", Count: 1, Program: held{40000 * second}})
	d := wan.Dataset{To: []int{1}, Commit: second, Change: 200, Synchronous: true}
	w.Replicate(&d, false)
	if err := x.Engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if share := float64(d.Commits) / 40000; share < 0.45 || share > 0.5 {
		t.Errorf("%.3f of the commits were acknowledged, the cable has room for half", share)
	}
	if most := sim.Time(2*wan.Window+4) * 2 * second; d.Slowest > most {
		t.Errorf("a commit took %v, more than what %d before it take", d.Slowest, wan.Window)
	}
}

// A site that is back before anything took its place keeps its data, and a copy that is lost
// takes nobody's place.
func TestLossOfSiteOrCopy(t *testing.T) {
	x, w := triangle(t)
	x.Submit(&cluster.Job{Name: "job", Count: 1, Program: held{300 * second}})
	d := wan.Dataset{To: []int{1, 2}, Commit: 10 * second, Change: 1, Interval: 60 * second, Takeover: 30 * second}
	w.Replicate(&d, false)
	at(x, 100*second, func() { w.Lose(1) })
	at(x, 110*second, func() { w.Lose(0) })
	at(x, 120*second, func() { w.Restore(0) })
	at(x, 200*second, func() { w.Lose(2); w.Lose(0) })
	if err := x.Engine.Run(context.Background()); err != nil {
		t.Fatal(err) // though copies wait for sites that are never back
	}
	want := []wan.DatasetLoss{
		{At: 110 * second, To: 0, Resumed: 120 * second},
		{At: 200 * second, To: -1, Resumed: -1},
	}
	if !slices.Equal(d.Losses, want) {
		t.Errorf("%+v, want %+v", d.Losses, want)
	}
}

// A copy whose site is lost before it has taken the place of another takes none; the next
// does, later, or if there is none the first that is back.
func TestTakeoverIsLost(t *testing.T) {
	for _, c := range []struct {
		name   string
		events func(w *wan.WAN, then func(s float64, do func()))
		want   wan.DatasetLoss
	}{
		{"another takes over", func(w *wan.WAN, then func(float64, func())) {
			then(110, func() { w.Lose(1) })
		}, wan.DatasetLoss{To: 2, Resumed: 140 * second}},
		{"the first that is back", func(w *wan.WAN, then func(float64, func())) {
			then(50, func() { w.Lose(2) })
			then(110, func() { w.Lose(1) })
			then(150, func() { w.Restore(2) })
			then(155, func() { w.Restore(1) })
		}, wan.DatasetLoss{To: 2, Resumed: 180 * second}},
		{"its own, which is back before", func(w *wan.WAN, then func(float64, func())) {
			then(110, func() { w.Lose(1) })
			then(120, func() { w.Restore(0) })
		}, wan.DatasetLoss{To: 0, Resumed: 120 * second}},
		{"a loss after it has", func(w *wan.WAN, then func(float64, func())) {
			then(130, func() { w.Lose(1) })
		}, wan.DatasetLoss{To: 1, Resumed: 130 * second}},
		{"another copy", func(w *wan.WAN, then func(float64, func())) {
			then(110, func() { w.Lose(2) })
			then(120, func() { w.Restore(2) })
		}, wan.DatasetLoss{To: 1, Resumed: 130 * second}},
	} {
		x, w := triangle(t)
		x.Submit(&cluster.Job{Name: "job", Count: 1, Program: held{300 * second}})
		d := wan.Dataset{To: []int{1, 2}, Commit: 10 * second, Takeover: 30 * second}
		w.Replicate(&d, false)
		at(x, 100*second, func() { w.Lose(0) })
		c.events(w, func(s float64, do func()) { at(x, sim.FromSeconds(s), do) })
		if err := x.Engine.Run(context.Background()); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if c.want.At = 100 * second; !slices.Equal(d.Losses, []wan.DatasetLoss{c.want}) {
			t.Errorf("%s: %+v, want %+v", c.name, d.Losses, c.want)
		}
	}
}
