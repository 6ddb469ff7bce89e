package training_test

import (
	"iter"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// reader uses a link now and again, and says which.
type reader struct {
	idler
	link topology.LinkID
	left int
	me   sim.Actor
}

func (r *reader) Begin(c *cluster.Cluster, job int) {
	r.c, r.job, r.me = c, job, c.Engine.Register(r)
	r.Handle(c.Engine.Now(), 0)
}

func (r *reader) Handle(now sim.Time, _ uint64) {
	if r.left--; r.left < 0 {
		r.c.Done(r.job)
		return
	}
	r.c.Network.Add(&network.Transfer{Bytes: 1e9, Links: []topology.LinkID{r.link}, Owner: r.c.Jobs[r.job].Owner, Forget: true})
	r.c.Engine.Schedule(now.After(sim.Second/2), r.me, 0)
}

func (r *reader) Links() (iter.Seq[topology.LinkID], bool) {
	return func(yield func(topology.LinkID) bool) { yield(r.link) }, r.c != nil
}

// A job whose checkpoints go over a link that another uses jumps over the iterations
// between them, and all comes to be as if it did not.
func TestJumpsBetweenCheckpoints(t *testing.T) {
	topo := leafSpine(host(), 3, 1)
	shared := topo.Servers[2].FirstNIC // of a host that neither has
	var to topology.LinkID
	for l, link := range topo.Links {
		if link.To == shared {
			to = topology.LinkID(l)
		}
	}
	play := func(more ...*cluster.Job) (*training.Job, *cluster.Cluster) {
		j := job(16, 1, 25<<20, true, 2000)
		j.Recovery = func([]topology.NodeID) training.Recovery {
			return training.Recovery{
				Interval: 5 * sim.Second, Pause: sim.Second / 10, Write: sim.Second / 5,
				Parts: &training.Parts{Links: []topology.LinkID{to}, Counts: []float64{16}, Bytes: 1e8},
			}
		}
		c := run(t, topo, append([]*cluster.Job{
			{Name: "training", Count: 16, Program: j},
			{Name: "reader", Shared: true, Count: 1, Program: &reader{link: to, left: 1000}},
		}, more...)...)
		return j, c
	}
	jumped, with := play()
	stepped, without := play(stranger())
	if a, b := with.Engine.Handled(), without.Engine.Handled(); a*3 > b {
		t.Errorf("%d events where it jumps, %d where it does not", a, b)
	}
	_, a := jumped.Outcome()
	_, b := stepped.Outcome()
	if a.Time != b.Time || a.Checkpoints != b.Checkpoints || a.Checkpoints < 5 {
		t.Errorf("%d checkpoints and %v, want %d and %v", a.Checkpoints, a.Time, b.Checkpoints, b.Time)
	}
	if a, b := with.Jobs[0].FinishedAt, without.Jobs[0].FinishedAt; a != b {
		t.Errorf("ends at %v, want %v", a, b)
	}
	if with.Err != nil {
		t.Error(with.Err)
	}
	for l := range topo.Links {
		a, b := with.Network.Use(topology.LinkID(l)).Bytes, without.Network.Use(topology.LinkID(l)).Bytes
		if a < b*(1-1e-9) || a > b*(1+1e-9) {
			t.Errorf("link %d carries %.0f bytes, want %.0f", l, a, b)
		}
	}
}
