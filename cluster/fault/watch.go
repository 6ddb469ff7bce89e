package fault

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/sim"
)

// Watch tells of things that are lost as a whole, such as sites, when parts of some sources
// fail: from the failure until the repair, of several at a time until the last.
type Watch struct {
	// Lost and Back are told.
	Lost, Back func(thing int)

	c     *cluster.Cluster
	o     *Outages
	thing func(source, part int) int
	n     int // outages looked at
	away  []lack
	due   sim.Time
	timer sim.Timer
}

// lack is a thing that is lost.
type lack struct {
	thing int
	until sim.Time
}

// NewWatch watches the things whose numbers are given for the parts of sources; -1 is none.
func NewWatch(c *cluster.Cluster, o *Outages, thing func(source, part int) int) *Watch {
	w := &Watch{c: c, o: o, thing: thing}
	w.timer = c.Engine.NewTimer(c.Engine.Register(w), 0)
	c.Engine.Background(w.timer)
	w.await()
	return w
}

// Handle has happen what is due.
func (w *Watch) Handle(sim.Time, uint64) { w.Settle() }

// Settle has all losses and returns of this instant happen, whoever asks first.
func (w *Watch) Settle() {
	now := w.c.Engine.Now()
	if w.due > now {
		return
	}
	w.due = sim.Never // whoever is told may ask
	for _, x := range w.away {
		if x.until <= now {
			w.Back(x.thing)
		}
	}
	w.away = slices.DeleteFunc(w.away, func(x lack) bool { return x.until <= now })
	for f := w.o.at(w.n); f.At <= now; f = w.o.at(w.n) {
		w.n++
		w.lose(w.thing(f.Source, f.Part), f.Repaired)
	}
	w.await()
}

func (w *Watch) lose(thing int, until sim.Time) {
	if thing < 0 || until <= w.c.Engine.Now() {
		return
	}
	i := slices.IndexFunc(w.away, func(x lack) bool { return x.thing == thing })
	if i < 0 {
		w.away = append(w.away, lack{thing, until})
		w.Lost(thing)
		return
	}
	w.away[i].until = max(w.away[i].until, until)
}

// await waits for the next outage, or return.
func (w *Watch) await() {
	w.due = w.o.at(w.n).At
	for _, x := range w.away {
		w.due = min(w.due, x.until)
	}
	w.c.Engine.Arm(w.timer, w.due)
}
