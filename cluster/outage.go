package cluster

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// Fallible is a program that a failure of its accelerators interrupts, and that runs as
// fast as they do. A job whose program is not keeps them, and sees to failures itself.
type Fallible interface {
	Program
	// Interrupt is called when accelerators of the job have failed; of a planned failure
	// the program knew. Begin follows once the job has accelerators again, if it is not
	// given up.
	Interrupt(c *Cluster, job int, planned bool) Setback
	// Repace is called when the job's Pace has changed.
	Repace(c *Cluster, job int)
}

// Setback is what an interruption does to a job.
type Setback struct {
	Undone sim.Time // work that it has to do again
	// Lost is by how much less than it ran its remaining time has become.
	Lost    sim.Time
	GivenUp bool
	// Held is for how long the job still keeps its accelerators: until somebody has
	// noticed, or its state is saved.
	Held sim.Time
}

// Breaker takes accelerators from a cluster and gives them back.
type Breaker interface {
	// Break is called before each decision of the scheduler. It carries out what is to
	// happen by now, by Close, Open, Interrupt and SetPace, and gives the instant of what
	// is next.
	Break(now sim.Time) (next sim.Time)
}

// Outage is accelerators in a row that were out of use for a time: closed, and no job's.
type Outage struct {
	First, Count int32
	From, To     sim.Time // To is -1 while it lasts
	Cause        int32    // as given to Close
}

// outages is what a cluster keeps whose accelerators may fail.
type outages struct {
	breaker Breaker
	timer   sim.Timer
	first   []int32   // accelerator of each unit, and at the end how many there are
	cause   []int32   // of each unit, why it is closed
	struck  []bool    // of each unit, for a moment
	unit    []int32   // of each accelerator
	state   []uint8   // of each accelerator: the bits below
	pace    []float64 // of each accelerator; nil while none has ever been slow
	running []int32   // jobs that run, in their order
	gone    []int     // accelerators of each type out of use that the queue still counts
	lasting []Outage
	over    []Outage
	of      []int32 // of each accelerator out of use, the number of its outage among those that last

	stricken []stricken
}

// stricken is a job that has been interrupted and still has its accelerators.
type stricken struct {
	job     int
	until   sim.Time
	setback Setback
	because scheduler.Decision
}

// Bits of the state of an accelerator.
const (
	closed   uint8 = 1 << iota // no job may start on it
	outOfUse                   // it is closed, and no job holds it in the queue's count
	idle                       // nor has any a part of it
	held                       // for a moment: a job does
	shared                     // for a moment: a job has a part of it, which does not count
)

// AllowOutages has accelerators fail in units, unit u being those from first[u] up to
// first[u+1]. Where jobs are placed host by host, units are the hosts. It comes after
// Place and before jobs do.
func (c *Cluster) AllowOutages(b Breaker, first []int32) {
	n := c.Topology.Accelerators()
	o := &outages{
		breaker: b, timer: c.Engine.NewTimer(c.actor, argAgain), first: first, cause: make([]int32, len(first)), struck: make([]bool, len(first)),
		unit: make([]int32, n), state: make([]uint8, n), of: make([]int32, n),
		gone: make([]int, max(1, len(c.types))),
	}
	for u := range first[1:] {
		for a := first[u]; a < first[u+1]; a++ {
			o.unit[a] = int32(u)
		}
	}
	c.outages = o
	c.expectOutage(c.Engine.Now())
}

// Outages are those so far, in the order in which they began.
func (c *Cluster) Outages() []Outage {
	if c.outages == nil {
		return nil
	}
	all := slices.Concat(c.outages.over, slices.DeleteFunc(slices.Clone(c.outages.lasting), func(o Outage) bool { return o.Count == 0 }))
	slices.SortFunc(all, func(a, b Outage) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.First, b.First)) })
	return all
}

// done says whether no job is left whom outages concern.
func (c *Cluster) done() bool { return c.running == 0 && c.waiting == 0 }

// breakdown has what is to fail, or to come back, by now do so.
func (c *Cluster) breakdown(now sim.Time) {
	next := sim.Never
	if !c.done() {
		next = c.outages.breaker.Break(now)
	}
	switch h := c.Engine.Horizon; {
	case c.done():
		next = sim.Never
	case h > 0: // what waits for ever does so until then
		next = min(next, h.After(1))
	}
	c.expectOutage(next)
}

// expectOutage has the next accelerators fail, or come back, at an instant.
func (c *Cluster) expectOutage(at sim.Time) {
	c.Engine.Arm(c.outages.timer, at)
	c.nextOutage = at
	c.calm()
}

// calm finds until when it is quiet.
func (c *Cluster) calm() {
	c.QuietUntil = min(c.nextFault, c.nextOutage)
	if c.outages != nil {
		for _, s := range c.outages.stricken { // who may go on anywhere
			c.QuietUntil = min(c.QuietUntil, s.until)
		}
	}
}

// Redecide has the policy decide once all else of this instant has happened: whoever
// closes and opens units beside the breaker asks for it.
func (c *Cluster) Redecide() { c.due() }

// Close has no job start on some units from now on. What of them jobs hold goes out of
// use when they give it back, the rest at once. O(accelerators that run).
func (c *Cluster) Close(units []int32, cause int32) {
	o := c.outages
	if len(units) == 0 {
		return
	}
	for _, job := range o.running {
		j, bit := c.Jobs[job], held
		switch {
		case j.Shared:
			continue
		case j.parts():
			bit = shared
		}
		for _, a := range j.Accelerators {
			o.state[a] |= bit
		}
	}
	for _, u := range units {
		o.cause[u] = cause
		for a := o.first[u]; a < o.first[u+1]; a++ {
			if o.state[a] |= closed; o.state[a]&held != 0 {
				continue
			}
			o.state[a] |= outOfUse
			o.gone[c.typeOf(u)]++
			if o.state[a]&shared == 0 {
				o.leave(a, c.Engine.Now())
			}
			if c.placement == nil {
				c.free.Remove(a)
			}
		}
		if c.placement != nil {
			c.placement.lock(u)
		}
	}
	for _, job := range o.running {
		for _, a := range c.Jobs[job].Accelerators {
			o.state[a] &^= held | shared
		}
	}
	c.shed()
}

// Open brings a closed unit back.
func (c *Cluster) Open(unit int32) {
	o := c.outages
	back := make([]int, len(o.gone))
	for a := o.first[unit]; a < o.first[unit+1]; a++ {
		if o.state[a]&outOfUse != 0 {
			back[c.typeOf(unit)]++
			if c.placement == nil {
				c.free.Put(a)
			}
		}
		if o.state[a]&idle != 0 {
			o.comesBack(a, c.Engine.Now())
		}
		o.state[a] &^= closed | outOfUse | idle
	}
	if c.placement != nil {
		c.placement.unlock(unit)
	}
	c.queue.Restore(back...)
}

// leave begins the outage of a closed accelerator that no job has any more.
func (o *outages) leave(a int32, now sim.Time) {
	o.state[a] |= idle
	cause := o.cause[o.unit[a]]
	if n := len(o.lasting); n > 0 {
		if x := &o.lasting[n-1]; x.From == now && x.Cause == cause && x.Count > 0 && x.First+x.Count == a {
			x.Count++
			o.of[a] = int32(n) - 1
			return
		}
	}
	o.of[a] = int32(len(o.lasting))
	o.lasting = append(o.lasting, Outage{a, 1, now, -1, cause})
}

// comesBack ends the outage of an accelerator, and lets that of its neighbours last.
func (o *outages) comesBack(a int32, now sim.Time) {
	x := &o.lasting[o.of[a]]
	back := Outage{a, 1, x.From, now, x.Cause}
	end := x.First + x.Count
	if a == x.First {
		x.First++
		x.Count--
	} else if x.Count = a - x.First; a+1 < end { // those behind it become one of their own
		for b := a + 1; b < end; b++ {
			o.of[b] = int32(len(o.lasting))
		}
		o.lasting = append(o.lasting, Outage{a + 1, end - a - 1, back.From, -1, back.Cause})
	}
	if n := len(o.over); n > 0 {
		if y := &o.over[n-1]; y.From == back.From && y.To == now && y.Cause == back.Cause && y.First+y.Count == a {
			y.Count++
			return
		}
	}
	o.over = append(o.over, back)
}

// shed takes out of the queue's count what is out of use, and reports whether there was
// any.
func (c *Cluster) shed() bool {
	o := c.outages
	if o == nil || !slices.ContainsFunc(o.gone, func(n int) bool { return n > 0 }) {
		return false
	}
	c.queue.Remove(o.gone...)
	clear(o.gone)
	return true
}

// typeOf is the type of the accelerators of a unit, where the policy tells types apart.
func (c *Cluster) typeOf(unit int32) uint8 {
	if len(c.outages.gone) == 1 {
		return 0
	}
	return c.placement.hosts[unit].Type
}

// begins and ends keep the list of jobs that run.
func (o *outages) begins(job int32) {
	i, _ := slices.BinarySearch(o.running, job)
	o.running = slices.Insert(o.running, i, job)
}

func (o *outages) ends(job int32) {
	i, _ := slices.BinarySearch(o.running, job)
	o.running = slices.Delete(o.running, i, i+1)
}

// vacate puts out of use what is closed of the accelerators of a job that has left them.
func (c *Cluster) vacate(job int) {
	o, counts := c.outages, !c.Jobs[job].parts()
	if c.Jobs[job].Shared {
		return
	}
	for _, n := range c.Jobs[job].Accelerators {
		a := int32(n)
		if o.state[a]&closed == 0 {
			continue
		}
		if counts {
			o.state[a] |= outOfUse
			o.gone[c.typeOf(o.unit[a])]++
		}
		if counts || !c.has(n) {
			o.leave(a, c.Engine.Now())
		}
	}
}

// free gives back what is not closed.
func (o *outages) free(f *scheduler.Free, accelerators []topology.NodeID) {
	for _, a := range accelerators {
		if o.state[a]&closed == 0 {
			f.Put(int32(a))
		}
	}
}

// has says whether a running job has something of an accelerator.
func (c *Cluster) has(a topology.NodeID) bool {
	return slices.ContainsFunc(c.outages.running, func(job int32) bool { return slices.Contains(c.Jobs[job].Accelerators, a) })
}

// On are the running jobs that have something of some units, and that failures interrupt.
// O(accelerators that run).
func (c *Cluster) On(units []int32) (jobs []int) {
	o := c.outages
	for _, u := range units {
		o.struck[u] = true
	}
	jobs = c.fallible(func(job int) bool {
		return slices.ContainsFunc(c.Jobs[job].Accelerators, func(a topology.NodeID) bool { return o.struck[o.unit[a]] }) ||
			c.placement != nil && slices.ContainsFunc(c.placement.grants[job].shares, func(s scheduler.Share) bool { return o.struck[s.Host] })
	})
	for _, u := range units {
		o.struck[u] = false
	}
	return jobs
}

// Spanning are the running jobs that are on several units, and that failures interrupt.
func (c *Cluster) Spanning() (jobs []int) {
	unit := c.outages.unit
	return c.fallible(func(job int) bool {
		all := c.Jobs[job].Accelerators
		return slices.ContainsFunc(all, func(a topology.NodeID) bool { return unit[a] != unit[all[0]] })
	})
}

func (c *Cluster) fallible(concerned func(job int) bool) (jobs []int) {
	for _, job := range c.outages.running {
		if slices.ContainsFunc(c.outages.stricken, func(s stricken) bool { return s.job == int(job) }) {
			continue // there is nothing left to interrupt
		}
		if _, fallible := c.Jobs[job].Program.(Fallible); fallible && concerned(int(job)) {
			jobs = append(jobs, int(job))
		}
	}
	return jobs
}

// Interrupt stops a running job of which accelerators have failed: part says what.
func (c *Cluster) Interrupt(job int, planned bool, part string) Setback {
	j := c.Jobs[job]
	b := j.Program.(Fallible).Interrupt(c, job, planned)
	j.Interruptions++
	d := scheduler.Decision{Job: job, Action: scheduler.PutBack, Reason: scheduler.Failure, Until: scheduler.Never, Part: part}
	if planned {
		d.Reason = scheduler.Maintenance
	}
	if b.GivenUp {
		d.Action = scheduler.GiveUp
	}
	if b.Held == 0 {
		c.putBack(job, b, d)
		return b
	}
	until := c.Engine.Now().After(b.Held)
	c.outages.stricken = append(c.outages.stricken, stricken{job, until, b, d})
	c.Engine.Schedule(until, c.actor, argPutBack|uint64(job))
	c.calm()
	return b
}

// putBack takes its accelerators from a job that has been interrupted, and has it wait for
// others unless it is given up.
func (c *Cluster) putBack(job int, b Setback, because scheduler.Decision) {
	j, now := c.Jobs[job], c.Engine.Now()
	j.runs = false
	c.running--
	c.apart.changes++
	c.release(job)
	if b.GivenUp {
		j.Finished, j.Failed, j.FinishedAt = true, true, now
	} else {
		c.waiting++
		c.queued++
	}
	c.queue.Interrupt(job, units.Duration(now), units.Duration(b.Lost), !b.GivenUp)
	c.queue.Report(units.Duration(now), because)
	c.shed()
	c.over()
}

// forget has nobody notice that a job has been interrupted, since it is stopped.
func (o *outages) forget(job int) {
	o.stricken = slices.DeleteFunc(o.stricken, func(s stricken) bool { return s.job == job })
}

// putBackStricken does so once a job has kept its accelerators for as long as it had to.
func (c *Cluster) putBackStricken(job int) {
	o := c.outages
	i := slices.IndexFunc(o.stricken, func(s stricken) bool { return s.job == job && s.until == c.Engine.Now() })
	if i < 0 {
		return // it has been stopped meanwhile
	}
	s := o.stricken[i]
	o.stricken = slices.Delete(o.stricken, i, i+1)
	c.calm()
	c.putBack(job, s.setback, s.because)
	c.due()
}

// Report has the scheduler tell of something that befell accelerators.
func (c *Cluster) Report(d scheduler.Decision) {
	d.Job = -1
	c.queue.Report(units.Duration(c.Engine.Now()), d)
}

// SetPace has units compute at parts of their rate, 1 being all of it.
func (c *Cluster) SetPace(units []int32, of func(unit int32) float64) {
	o := c.outages
	if o.pace == nil {
		o.pace = slices.Repeat([]float64{1}, len(o.state))
	}
	for _, u := range units {
		pace := of(u)
		for a := o.first[u]; a < o.first[u+1]; a++ {
			o.pace[a] = pace
		}
	}
	for _, job := range c.On(units) {
		c.Jobs[job].Program.(Fallible).Repace(c, job)
	}
}

// Pace is the part of its rate at which the slowest accelerator of a job computes.
func (c *Cluster) Pace(job int) float64 {
	pace := 1.0
	if c.outages == nil || c.outages.pace == nil {
		return pace
	}
	for _, a := range c.Jobs[job].Accelerators {
		pace = min(pace, c.outages.pace[a])
	}
	return pace
}
