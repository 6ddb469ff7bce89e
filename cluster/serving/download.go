package serving

import "github.com/railyard/railyard/sim"

// download is an image, or weights, on the way to a replica over the network.
type download struct {
	f     *Fleet
	r     *replica
	least sim.Time // when it is there at the earliest: as fast as it is unpacked
	after sim.Time // what passes then
}

// load has a phase of a replica pass a time after what it loads is there: that takes
// least from an instant on, or longer where it comes over the network.
func (f *Fleet) load(r *replica, weights bool, from, least, after sim.Time) {
	if r.pool.Start.Download == nil {
		f.c.Engine.Arm(r.phased, from.After(least).After(after))
		return
	}
	t := r.pool.Start.Download(r.ledger.Accelerators, weights)
	r.download = &download{f, r, from.After(least), after}
	t.Start, t.Owner = from, f.c.Jobs[f.job].Owner
	t.Notify, t.Actor, t.Forget = true, f.c.Engine.Register(r.download), true
	f.c.Network.Add(&t)
}

// Handle is called when it has come, which concerns nobody if the replica has gone
// meanwhile.
func (d *download) Handle(now sim.Time, _ uint64) {
	if d.r.download == d {
		d.f.c.Engine.Arm(d.r.phased, max(now, d.least).After(d.after))
	}
}
