// Package cluster is the running data centre: jobs wait for accelerators, get
// them from the scheduler, compute on them and communicate over the network.
//
// # Model
//
// A [Job] becomes known at its start and waits in the queue until the scheduler's
// policy starts it; then its [Program] runs until it calls Done, or is stopped by
// the policy, if it can be, and waits again. At each instant all jobs that end
// end, and all that come come, before the policy decides once. A program schedules
// its own events on the engine, launches collectives ([Cluster.Launch]) and
// reports what its accelerators do ([Ledger]). All accelerators of a job that
// do the same are one gang with one ledger: in synchronous data parallelism
// nothing tells the replicas apart.
//
// Kernels that compute and kernels that communicate are taken not to slow each
// other down on an accelerator.
package cluster

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// Program is what a job does once it has its accelerators.
type Program interface {
	// Begin is called at the time the job starts, once it has its accelerators and
	// the others that start then have theirs. When its work has ended, the program
	// calls c.Done with the job's number.
	Begin(c *Cluster, job int)
}

// Stoppable is a program whose accelerators can be taken away before its work has
// ended. A job whose program is not keeps them.
type Stoppable interface {
	Program
	// Stop is called when the accelerators are taken away. Begin follows once the
	// job has accelerators again, if it is not cancelled; then it goes on where it was,
	// or anew.
	Stop(c *Cluster, job int, how scheduler.Preemption)
}

// Job is one workload that asks for accelerators.
type Job struct {
	Name  string
	Start sim.Time
	// Count is how many accelerators it wants, any of them; List, if not nil, is
	// those that it must have. Shared lets it use accelerators that other jobs
	// hold, and hold none itself.
	Count  int
	List   []int32
	Shared bool
	// Needs is what it wants of hosts beside the number of accelerators, where
	// jobs are placed host by host (Cluster.Place); nil is nothing.
	Needs *scheduler.Request
	// Sites, if not nil, are data centres at each of which an equal part of Count lies,
	// where jobs are placed host by host: they have pieces of Piece in turn.
	Sites []int
	Piece int
	// Estimate is what the scheduler is told of the time that it runs; 0 tells it
	// nothing, less than 0 that it takes none.
	Estimate sim.Time
	// Priority, Group, Least and Most are as in scheduler.Job.
	Priority    int64
	Group       string
	Least, Most int

	Program Program

	// Accelerators are what it has, in rank order, or had at the end.
	Accelerators []topology.NodeID
	// Owner stands for the job when contention is accounted.
	Owner network.Owner

	Started, Finished     bool
	Failed, Cancelled     bool     // it could not go on, or was given up; then it is Finished too
	StartedAt, FinishedAt sim.Time // StartedAt the first time
	Stops                 int      // how often its accelerators were taken away
	Interruptions         int      // how often they failed

	runs     bool
	followed bool // its arrival brings on that of the next job
}

// Cluster is a data centre in virtual time. Use New.
type Cluster struct {
	Engine   *sim.Engine
	Network  *network.Network
	Topology *topology.Topology
	Planner  *collective.Planner
	// SeriesBins is for how many intervals of time utilization is kept.
	SeriesBins int
	// Reroutes says that links may fail; see AllowReroutes.
	Reroutes bool
	// Observer, if set, is told what happens. It must be set before anything does.
	Observer Observer
	// QuietUntil is when the next link or accelerator fails, or is repaired, or the next
	// job that has failed gives its accelerators back.
	QuietUntil sim.Time

	Jobs  []*Job
	Flows []*FlowSet

	// Err is why the first job that failed did, a *JobError; nil if none has.
	Err error
	// WhenOver is called when the last job has ended.
	WhenOver []func()
	// Crossed says that at any time what no job repeats may use the cables between sites, or
	// cut them.
	Crossed bool

	actor      sim.Actor
	queue      *scheduler.Queue
	free       *scheduler.Free
	placement  *placement // how jobs get accelerators, and free unused, if it is not nil
	outages    *outages   // nil: no accelerator fails
	apart      apart
	preemption scheduler.Preemption
	stops      bool       // the policy may stop jobs
	starts     []sim.Time // of all jobs, in order, if it may
	redivides  bool       // the policy decides at every end
	types      []int      // accelerators of each type that it tells apart
	deciding   bool       // a decision is due at this instant
	again      sim.Timer  // the decision that the policy asked for
	beginning  int        // the job whose program begins, -1: none
	waiting    int        // jobs that do not run, but will
	queued     int        // of them, those that have come
	running    int
	chosen     []int32           // accelerators, for a moment
	block      []topology.NodeID // see nodes
	begun      []int32           // jobs that the decision being made starts
	ledgers    []*Ledger
	owners     []string

	plans    plans
	way      topology.Way                 // room to find one in
	bundled  map[int][]*network.Footprint // by job, those that Bundle was given
	left     []*network.Footprint         // bundled for jobs that have ended
	launches []launch
	idle     []int32 // launches to use again

	healthy    *topology.Topology // with all links up
	lost       []bool             // links that are down for good; nil: none is
	nextFault  sim.Time           // of links, sim.Never if there is none to come
	nextOutage sim.Time           // of accelerators
}

// Events of the cluster, in the high bits of their argument.
const (
	argArrive uint64 = iota << 56
	argAgain
	argDecide
	argPhase   // a launch's latency has passed, or one of its transfers ended
	argPutBack // a job that was interrupted gives its accelerators back
	argKind    = 0xff << 56
)

// New gives an idle cluster on a topology, whose jobs go first come, first served.
func New(engine *sim.Engine, t *topology.Topology, seriesBins int) *Cluster {
	return NewScheduled(engine, t, seriesBins, scheduler.Policy{})
}

// NewScheduled gives an idle cluster whose jobs go as a policy says.
func NewScheduled(engine *sim.Engine, t *topology.Topology, seriesBins int, p scheduler.Policy) *Cluster {
	c := &Cluster{
		Engine: engine, Topology: t, healthy: t, SeriesBins: seriesBins, QuietUntil: sim.Never, nextFault: sim.Never, nextOutage: sim.Never, beginning: -1,
		Network:    network.New(engine, t, seriesBins),
		Planner:    collective.NewPlanner(t),
		queue:      scheduler.NewQueue(p, t.Accelerators()),
		free:       scheduler.NewFree(t.Accelerators()),
		preemption: p.Preemption,
		stops:      p.Stops(),
		redivides:  p.Redivides(),
		types:      p.Types,
		bundled:    map[int][]*network.Footprint{},
	}
	c.Network.Name = c.transferName
	c.actor = engine.Register(c)
	c.again = engine.NewTimer(c.actor, argAgain)
	engine.Watch(c)
	return c
}

// Stops says whether the policy may take their accelerators from jobs that can be stopped.
func (c *Cluster) Stops() bool { return c.stops }

// Audit has the scheduler tell each decision as it makes it.
func (c *Cluster) Audit(log func(scheduler.Decision)) { c.queue.Log = log }

// Owner registers a name for contention to be accounted under.
func (c *Cluster) Owner(name string) network.Owner {
	c.owners = append(c.owners, name)
	return network.Owner(len(c.owners) - 1)
}

// OwnerName is the name of an owner.
func (c *Cluster) OwnerName(o network.Owner) string { return c.owners[o] }

// Submit adds jobs, whose Start must not have passed, and whose accelerators the
// topology must have. They come in this order where they start at one time.
func (c *Cluster) Submit(jobs ...*Job) {
	c.Jobs = slices.Grow(c.Jobs, len(jobs))
	c.owners = slices.Grow(c.owners, len(jobs))
	c.queue.Grow(len(jobs))
	// Of jobs in the order of their starts, each one's arrival brings on the next: the
	// queue of events need not hold them all.
	if c.stops {
		for _, j := range jobs {
			c.starts = append(c.starts, j.Start)
		}
		slices.Sort(c.starts)
	}
	ordered := slices.IsSortedFunc(jobs, func(a, b *Job) int { return cmp.Compare(a.Start, b.Start) })
	for i, j := range jobs {
		j.followed = ordered && i+1 < len(jobs)
		c.submit(j, !ordered || i == 0)
	}
}

func (c *Cluster) submit(j *Job, schedule bool) {
	j.Owner = c.Owner(j.Name)
	c.Jobs = append(c.Jobs, j)
	c.waiting++
	_, stoppable := j.Program.(Stoppable)
	known := scheduler.Job{Accelerators: j.Count, Estimate: scheduler.Never, Priority: j.Priority, Group: j.Group, Least: j.Least, Most: j.Most, Fixed: !stoppable}
	if j.Estimate != 0 {
		known.Estimate = units.Duration(max(0, j.Estimate))
	}
	if j.List != nil {
		known.Accelerators = len(j.List)
	}
	if j.Shared || j.parts() {
		known.Accelerators = 0
	}
	if !j.Shared {
		known.Wants, known.Speeds = j.wants(), c.speeds(j)
	}
	n := c.queue.Add(known)
	if !silent(j.Program) {
		c.apart.sending = append(c.apart.sending, int32(n))
		c.apart.moving = c.apart.moving || c.stops && stoppable
	}
	if schedule {
		c.Engine.Schedule(j.Start, c.actor, argArrive|uint64(n))
	}
}

// Alone says whether one job is all that happens, now and in future, so that
// what it repeats need not be simulated again.
func (c *Cluster) Alone() bool {
	return c.running == 1 && c.waiting == 0 && c.Network.Idle()
}

// crosses says whether a job has accelerators at several sites.
func (c *Cluster) crosses(job int) bool {
	t, all := c.Topology, c.Jobs[job].Accelerators
	return slices.ContainsFunc(all, func(a topology.NodeID) bool { return t.SiteOf(a) != t.SiteOf(all[0]) })
}

// Handle is the cluster's reaction to its own events.
func (c *Cluster) Handle(now sim.Time, arg uint64) {
	n := int(arg &^ argKind)
	switch arg & argKind {
	case argArrive:
		c.queued++
		if c.placement != nil {
			c.placement.arrived(c.Jobs[n])
		}
		c.queue.Arrive(n, units.Duration(now))
		if c.Jobs[n].followed {
			c.Engine.Schedule(c.Jobs[n+1].Start, c.actor, argArrive|uint64(n+1))
		}
		c.due()
	case argAgain:
		c.due()
	case argDecide:
		c.deciding = false
		if c.outages != nil {
			c.breakdown(now)
		}
		again := sim.Time(c.queue.Decide(units.Duration(now), (*machine)(c)))
		c.Engine.Arm(c.again, max(again, now))
		if c.shed() { // by jobs that were stopped: it is less than the policy took it for
			c.due()
		}
		if c.placement != nil {
			c.placement.observe(now)
		}
		for _, job := range c.begun {
			c.beginning = int(job)
			c.Jobs[job].Program.Begin(c, int(job))
		}
		c.beginning = -1
		c.begun = c.begun[:0]
	case argPhase:
		c.advance(int32(n), now)
	case argPutBack:
		c.putBackStricken(n)
	}
}

// due has the policy decide once all else of this instant has happened.
func (c *Cluster) due() {
	if !c.deciding {
		c.deciding = true
		c.Engine.Defer(c.actor, argDecide)
	}
}

// machine is the cluster as its scheduler sees it.
type machine Cluster

// Start gives a job those that it lists, or else those that the placement chooses,
// without one the free accelerators with the lowest numbers.
func (m *machine) Start(job, accelerators, kind int) (speed float64, started bool) {
	c, j := (*Cluster)(m), m.Jobs[job]
	list := c.chosen[:0]
	switch {
	case c.placement != nil && !j.Shared:
		var ok bool
		if list, ok = c.placement.place(job, j, accelerators, kind, list); !ok {
			c.refuse(job)
			return 0, false
		}
	case j.List != nil:
		for _, a := range j.List {
			if !j.Shared && !c.free.Has(a) {
				return 0, false
			}
		}
		list = append(list, j.List...)
		for _, a := range list {
			if !j.Shared {
				c.free.Remove(a)
			}
		}
	case j.Shared:
		for a := range int32(j.Count) {
			list = append(list, a)
		}
	case c.free.Count() < accelerators: // some are out of use since the decision began
		return 0, false
	default:
		list = c.free.Pack(list, accelerators)
	}
	c.chosen = list
	if cap(j.Accelerators) < len(list) {
		j.Accelerators = c.nodes(len(list))
	}
	j.Accelerators = j.Accelerators[:len(list)]
	for i, a := range list {
		j.Accelerators[i] = topology.NodeID(a)
	}
	if !j.Started {
		j.Started, j.StartedAt = true, c.Engine.Now()
	}
	j.runs = true
	c.waiting--
	c.queued--
	c.running++
	c.apart.changes++
	if c.outages != nil {
		c.outages.begins(int32(job))
	}
	c.begun = append(c.begun, int32(job))
	return c.Speed(job), true
}

// nodes gives room for so many, cut from a block: most jobs are narrow.
func (c *Cluster) nodes(n int) []topology.NodeID {
	const block = 4096
	if n > len(c.block) {
		if n > block/4 {
			return make([]topology.NodeID, n)
		}
		c.block = make([]topology.NodeID, block)
	}
	cut := c.block[:n:n]
	c.block = c.block[n:]
	return cut
}

// Stop takes a job's accelerators away.
func (m *machine) Stop(job int) {
	c, j := (*Cluster)(m), m.Jobs[job]
	if c.outages != nil {
		c.outages.forget(job)
		c.calm()
	}
	j.Program.(Stoppable).Stop(c, job, c.preemption)
	j.Stops++
	j.runs = false
	c.running--
	c.apart.changes++
	c.release(job)
	if c.preemption == scheduler.Cancel {
		j.Finished, j.Cancelled, j.FinishedAt = true, true, c.Engine.Now()
		c.over()
		return
	}
	c.waiting++
	c.queued++
}

// release frees the accelerators that a job holds.
func (c *Cluster) release(job int) {
	j := c.Jobs[job]
	if c.outages != nil {
		c.outages.ends(int32(job))
		c.vacate(job)
	}
	if j.Shared {
		return
	}
	if c.placement != nil {
		c.placement.release(job)
		return
	}
	if c.outages != nil {
		c.outages.free(c.free, j.Accelerators)
		return
	}
	for _, a := range j.Accelerators {
		c.free.Put(int32(a))
	}
}

// Bundle makes the collectives of a job that are launched over some footprints
// take as much time to simulate as these have kinds of links, until it is done, and
// if the next job has the same ([Cluster.Plan]), until that is. A program calls it in Begin, with the footprints of all that it will launch many
// times; see network.Network.Bundle.
func (c *Cluster) Bundle(job int, footprints ...*network.Footprint) {
	if c.Network.Ships() { // which knows none
		return
	}
	c.bundled[job] = append(c.bundled[job], footprints...)
	c.apart.changes++ // it has begun
	c.drop(footprints)
	c.Network.Bundle(footprints...)
}

// unbundle has what a job has bundled be left over.
func (c *Cluster) unbundle(job int) {
	if all, bundled := c.bundled[job]; bundled {
		c.left = append(c.left, all...)
		delete(c.bundled, job)
	}
}

// drop forgets what jobs that have ended have left bundled, but for some that are
// wanted again: a job after one like it finds its links as they should be.
func (c *Cluster) drop(wanted []*network.Footprint) {
	if len(c.left) == 0 {
		return
	}
	again := make(map[*network.Footprint]bool, len(wanted))
	for _, f := range wanted {
		again[f] = true
	}
	c.Network.Unbundle(slices.DeleteFunc(c.left, func(f *network.Footprint) bool { return again[f] })...)
	c.left = nil
}

// Done is called by a program when its work has ended.
func (c *Cluster) Done(job int) {
	j := c.Jobs[job]
	c.unbundle(job)
	j.Finished, j.FinishedAt, j.runs = true, c.Engine.Now(), false
	c.running--
	c.apart.changes++
	c.release(job)
	c.queue.Finish(job, units.Duration(c.Engine.Now()))
	c.shed()
	if c.outages != nil && c.done() {
		c.Engine.Disarm(c.outages.timer)
	}
	c.over()
	switch {
	case c.queued > 0 || c.redivides && c.running > 0:
		c.due()
	case c.running == 0:
		c.Engine.Disarm(c.again) // nobody is left whom it concerns
	}
}

// over tells that the last job has ended, if it has.
func (c *Cluster) over() {
	if c.running == 0 && c.waiting == 0 {
		for _, told := range c.WhenOver {
			told()
		}
	}
}

// JobError is why a job could not go on.
type JobError struct {
	Job string
	Err error
}

func (e *JobError) Error() string { return e.Job + ": " + e.Err.Error() }
func (e *JobError) Unwrap() error { return e.Err }

// Fail is called by a program that cannot go on. The other jobs do; Err tells.
func (c *Cluster) Fail(job int, err error) {
	if c.Err == nil {
		c.Err = &JobError{c.Jobs[job].Name, err}
	}
	c.Jobs[job].Failed = true
	c.Done(job)
}

// Abort ends the run for a job with which no end is in sight.
func (c *Cluster) Abort(job int, err error) {
	if c.Err == nil {
		c.Err = &JobError{c.Jobs[job].Name, err}
	}
	c.Engine.Halt(c.Err)
}

// Waiting says which jobs have not ended, for a deadlock report; a program that
// is a sim.Waiter says it itself.
func (c *Cluster) Waiting() []sim.Wait {
	var waits []sim.Wait
	for _, j := range c.Jobs {
		switch {
		case j.Finished:
		case !j.runs:
			waits = append(waits, sim.Wait{Who: j.Name, For: "accelerators that never become free"})
		default:
			if w, ok := j.Program.(sim.Waiter); ok {
				waits = append(waits, w.Waiting()...)
				continue
			}
			waits = append(waits, sim.Wait{Who: j.Name, For: "communication that does not end"})
		}
	}
	return waits
}

func (c *Cluster) transferName(id network.ID) string {
	if name := c.FlowName(id); name != "" {
		return "flow " + name
	}
	return fmt.Sprintf("transfer %d", id)
}

// Ledger is what the accelerators of one gang have done so far.
type Ledger struct {
	Job          int // that began with it, -1: none did
	Accelerators []topology.NodeID
	Compute      sim.Time
	Exposed      sim.Time // communication with nothing computed meanwhile
	Overlapped   sim.Time // communication during Compute

	bins           int
	compute, comms result.Bins
	until          sim.Time // end of the latest computation noted
	begun          sim.Time // of the computation that is on, whose end is not known; -1: none
}

// NewLedger gives the ledger of a gang.
func (c *Cluster) NewLedger(accelerators []topology.NodeID) *Ledger {
	l := &Ledger{Job: c.beginning, Accelerators: accelerators, bins: c.SeriesBins, begun: -1}
	c.ledgers = append(c.ledgers, l)
	return l
}

// Ledgers are those of all gangs.
func (c *Cluster) Ledgers() []*Ledger { return c.ledgers }

// Settle brings all ledgers, and what they have over time, to the end of the run.
func (c *Cluster) Settle() {
	for _, l := range c.ledgers {
		l.settle(c.Engine.Now())
	}
}

// AddCompute notes that the gang computes from one instant to another.
func (l *Ledger) AddCompute(from, to sim.Time) {
	l.Compute += to - from
	l.until = to
	if l.bins > 0 {
		l.compute.Add(from, to, 1, l.bins)
	}
}

// Cut notes that the computation which was to go on beyond an instant ends there.
func (l *Ledger) Cut(now sim.Time) {
	if l.until <= now {
		return
	}
	l.Compute -= l.until - now
	if l.bins > 0 {
		l.compute.Add(now, l.until, -1, l.bins)
	}
	l.until = now
}

// Add notes what the gang did up to now, in a cluster that keeps no series.
func (l *Ledger) Add(compute, exposed, overlapped, now sim.Time) {
	l.Compute += compute
	l.Exposed += exposed
	l.Overlapped += overlapped
	l.until = now
}

// Begin notes that the gang computes from now on, End that it no longer does.
func (l *Ledger) Begin(now sim.Time) { l.begun = now }

// End notes that the computation that was begun has ended.
func (l *Ledger) End(now sim.Time) {
	l.AddCompute(l.begun, now)
	l.begun = -1
}

// ComputeBy is Compute with the part of the computation that is on until now, and
// less what of the latest computation lies after it.
func (l *Ledger) ComputeBy(now sim.Time) sim.Time {
	if l.begun >= 0 {
		return l.Compute + now - l.begun
	}
	return l.Compute - max(0, l.until-now)
}

// settle accounts for the computation that is on when the run ends: up to now, not beyond.
func (l *Ledger) settle(now sim.Time) {
	if l.begun >= 0 {
		l.End(now)
	}
	l.Cut(now)
}

// AddExposed notes that the gang waits for communication.
func (l *Ledger) AddExposed(from, to sim.Time) {
	l.Exposed += to - from
	if l.bins > 0 {
		l.comms.Add(from, to, 1, l.bins)
	}
}

// Repeat notes that what the gang did since an earlier state of the ledger, a
// period of so long, happens times more from now on.
func (l *Ledger) Repeat(was Ledger, period sim.Time, times int64, now sim.Time) {
	compute, exposed := l.Compute-was.Compute, l.Exposed-was.Exposed
	l.Compute += sim.Time(times) * compute
	l.Exposed += sim.Time(times) * exposed
	l.Overlapped += sim.Time(times) * (l.Overlapped - was.Overlapped)
	if l.bins > 0 {
		end := now + sim.Time(times)*period
		l.compute.Add(now, end, compute.Seconds()/period.Seconds(), l.bins)
		l.comms.Add(now, end, exposed.Seconds()/period.Seconds(), l.bins)
	}
}

// Shares is what part of all accelerators compute and communicate over time, in
// equal intervals from time 0.
type Shares struct {
	Width                  sim.Time
	Compute, Communication []float64
}

// Shares gives the shares up to end. It is empty if no series are kept.
func (c *Cluster) Shares(end sim.Time) Shares {
	if c.SeriesBins == 0 || end == 0 || c.Topology.Accelerators() == 0 {
		return Shares{}
	}
	var all []*result.Bins
	for _, l := range c.ledgers {
		all = append(all, &l.compute, &l.comms)
	}
	shift := result.CommonShift(end, c.SeriesBins, all...)
	columns := result.Intervals(shift, end)
	s := Shares{Width: 1 << shift, Compute: make([]float64, columns), Communication: make([]float64, columns)}
	for _, l := range c.ledgers {
		count := float64(len(l.Accelerators))
		for i, v := range l.compute.Rates(shift, end) {
			s.Compute[i] += count * v
		}
		for i, v := range l.comms.Rates(shift, end) {
			s.Communication[i] += count * v
		}
	}
	for i := range columns {
		s.Compute[i] /= float64(c.Topology.Accelerators())
		s.Communication[i] /= float64(c.Topology.Accelerators())
	}
	return s
}
