package wan

import (
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
)

// Dataset is bytes at a site, some of which change, and the copies of them at other sites.
//
// What changes comes in commits. Synchronously a commit is sent at once, with those that have
// come while the one before was on its way, and is acknowledged when all copies have it; who
// writes waits while Window of them are not. Asynchronously it is acknowledged at once, and
// every Interval what has changed is sent, or, if the time before is still on its way, when
// that has come. Never is more sent at a time than there is.
//
// When the site is lost one of the copies takes its place after Takeover; if that is lost
// before it has, or none was there, the next that is, Takeover later. It lacks nothing
// that was acknowledged synchronously; asynchronously it is not older than Interval and the
// time of a copy, where that is not more than Interval. While its site is lost a dataset does
// not change.
type Dataset struct {
	Name        string
	Site        int
	To          []int   // sites of the copies
	Bytes       float64 // of all of it, and so the most that a copy can lack; 0: it is not known
	Unseeded    bool    // copies begin with nothing, and are sent all of it first
	Change      float64 // bytes a second
	Commit      sim.Time
	Synchronous bool
	Interval    sim.Time
	Takeover    sim.Time

	Commits int64 // that were acknowledged
	Slowest sim.Time
	Spent   sim.Time // from commits until they were acknowledged
	Copies  []Copy
	Losses  []DatasetLoss

	wan    *WAN
	engine *sim.Engine
	owner  network.Owner
	actor  sim.Actor
	made   int64      // commits
	open   []sim.Time // of each that is not acknowledged, when it was made
	ticks  [2]sim.Timer
}

// Window is how many commits of a dataset may be not acknowledged at a time.
const Window = 1024

// Copy is what a site has of a dataset of another.
type Copy struct {
	Done    int64   // times that it was brought up to date
	Bytes   float64 // that this took
	Slowest sim.Time
	Spent   sim.Time

	has, going version
	id         Shipment // none: nothing is on its way
	bytes      float64  // that are
	times      uint32
	late       bool    // something is to be sent as soon as nothing is on its way
	owed       float64 // bytes beside those of commits
}

// version is a number of commits, and the instant that it stands for.
type version struct {
	commits int64
	taken   sim.Time
}

// DatasetLoss is a loss of the site of a dataset.
type DatasetLoss struct {
	At      sim.Time
	To      int      // site that took its place; -1: none did
	Age     sim.Time // of what that has
	Bytes   float64  // acknowledged, and not there
	Resumed sim.Time // when it took its place, or the site was back; -1: neither
}

// The timers of a dataset.
const (
	tickCommit = iota
	tickCopy
	argCopy // once a commit of that instant has been made
	argCame = 1 << 60
)

// Replicate has a dataset change and be copied while the cluster has jobs; where forever is
// set until the horizon of the engine. It comes before the engine runs.
func (w *WAN) Replicate(d *Dataset, forever bool) {
	d.wan, d.engine, d.owner = w, w.c.Engine, w.c.Owner(d.Name)
	d.actor = d.engine.Register(d)
	d.Copies = make([]Copy, len(d.To))
	for i := range d.ticks {
		d.ticks[i] = d.engine.NewTimer(d.actor, uint64(i))
		if !forever {
			d.engine.Background(d.ticks[i])
		}
	}
	if !forever {
		w.c.WhenOver = append(w.c.WhenOver, d.end)
	}
	d.again(tickCommit)
	d.again(tickCopy)
	for i := range d.Copies {
		if d.Unseeded {
			d.Copies[i].owed = d.Bytes
			d.send(i)
		}
	}
	w.Watch(d.struck)
}

// again arms a timer for the next time, if there is to be one.
func (d *Dataset) again(tick int) {
	if d.Change == 0 {
		return
	}
	switch tick {
	case tickCommit:
		d.engine.Arm(d.ticks[tick], d.engine.Now().After(d.Commit))
	case tickCopy:
		if !d.Synchronous {
			d.engine.Arm(d.ticks[tick], d.engine.Now().After(d.Interval))
		}
	}
}

// end ends it all.
func (d *Dataset) end() {
	for i := range d.ticks {
		d.engine.Disarm(d.ticks[i])
	}
	for i := range d.Copies {
		if c := &d.Copies[i]; c.id != 0 {
			d.wan.Withdraw(c.id)
			c.id = 0
		}
	}
}

// Handle is called at the times of commits and copies, and when one of these has come.
func (d *Dataset) Handle(now sim.Time, arg uint64) {
	switch {
	case arg&argCame != 0:
		d.came(int(arg&(MaxCopies-1)), uint32(arg>>16), now)
		return
	case arg == argCopy:
		d.sendAll()
		return
	case d.wan.Lost(d.Site):
	case arg == tickCommit:
		if len(d.open) == Window {
			break
		}
		d.made++
		if d.Synchronous && len(d.To) > 0 {
			d.open = append(d.open, now)
			d.sendAll()
		} else {
			d.Commits++
		}
	default:
		d.engine.Defer(d.actor, argCopy)
	}
	d.again(int(arg))
}

// MaxCopies bounds the copies of a dataset.
const MaxCopies = 1 << 16

func (d *Dataset) sendAll() {
	for i := range d.Copies {
		d.Copies[i].late = true
		d.send(i)
	}
}

// send brings a copy up to date, if nothing is on its way to it.
func (d *Dataset) send(i int) {
	c := &d.Copies[i]
	bytes := d.atMost(c.owed + d.changed(d.made-c.has.commits))
	if c.id != 0 || bytes == 0 {
		return
	}
	c.late, c.owed, c.bytes = false, 0, bytes
	c.going = version{d.made, d.engine.Now()}
	c.times++
	c.id = d.wan.Send(d.Site, d.To[i], bytes, d.owner, d.actor, argCame|uint64(c.times)<<16|uint64(i))
}

// changed is the bytes of so many commits. What has changed twice is there but once: they do
// not come to more than the dataset.
func (d *Dataset) changed(commits int64) float64 {
	return d.atMost(float64(commits) * d.Change * d.Commit.Seconds())
}

// atMost is some bytes, or all of the dataset.
func (d *Dataset) atMost(bytes float64) float64 {
	if d.Bytes > 0 {
		return min(bytes, d.Bytes)
	}
	return bytes
}

// came notes that a copy is up to date.
func (d *Dataset) came(i int, times uint32, now sim.Time) {
	c := &d.Copies[i]
	if c.id == 0 || times != c.times {
		return
	}
	took := now - c.going.taken
	c.Done++
	c.Bytes += c.bytes
	c.Spent += took
	c.Slowest = max(c.Slowest, took)
	c.has, c.id = c.going, 0
	d.acknowledge(now)
	if c.late {
		d.send(i)
	}
}

// acknowledge counts the commits that all copies have.
func (d *Dataset) acknowledge(now sim.Time) {
	everywhere := d.made
	for i := range d.Copies {
		everywhere = min(everywhere, d.Copies[i].has.commits)
	}
	for ; d.Synchronous && d.Commits < everywhere; d.Commits++ {
		took := now - d.open[0]
		d.Spent += took
		d.Slowest = max(d.Slowest, took)
		d.open = d.open[1:]
	}
}

// struck is told of sites that are lost and come back.
func (d *Dataset) struck(site int, lost bool) {
	now := d.engine.Now()
	if site == d.Site && lost {
		d.Losses = append(d.Losses, DatasetLoss{At: now, To: -1, Resumed: -1})
		d.takeOver()
		return
	}
	if len(d.Losses) == 0 {
		return
	}
	switch last := &d.Losses[len(d.Losses)-1]; {
	case last.Resumed >= 0 && last.Resumed <= now:
	case site == d.Site:
		*last = DatasetLoss{At: last.At, To: d.Site, Resumed: now}
	case lost && site == last.To, !lost && last.To < 0:
		d.takeOver()
	}
}

// takeOver has the copy that lacks least take the place of the site that is lost, of those
// that are there.
func (d *Dataset) takeOver() {
	best := -1
	for i := range d.Copies {
		c := &d.Copies[i]
		whole := !d.Unseeded || c.Done > 0
		if whole && !d.wan.Lost(d.To[i]) && (best < 0 || c.has.commits > d.Copies[best].has.commits) {
			best = i
		}
	}
	last := &d.Losses[len(d.Losses)-1]
	*last = DatasetLoss{At: last.At, To: -1, Resumed: -1}
	if best < 0 {
		return
	}
	c := &d.Copies[best]
	last.To, last.Resumed = d.To[best], d.engine.Now().After(d.Takeover)
	if missing := d.Commits - c.has.commits; missing > 0 {
		last.Age, last.Bytes = last.At-c.has.taken, d.changed(missing)
	}
}

// HasCopy says whether a site has all of a dataset.
func (d *Dataset) HasCopy(site int) bool {
	if site == d.Site {
		return true
	}
	for i, to := range d.To {
		if to == site {
			return !d.Unseeded || d.Copies[i].Done > 0
		}
	}
	return false
}
