// Package cluster is the running data centre: jobs wait for accelerators, get
// them from the scheduler, compute on them and communicate over the network.
//
// # Model
//
// A [Job] becomes known at its start and waits in the queue until the scheduler
// places it; then its [Program] runs until it calls Done. A program schedules
// its own events on the engine, launches collectives ([Cluster.Launch]) and
// reports what its accelerators do ([Ledger]). All accelerators of a job that
// do the same are one gang with one ledger: in synchronous data parallelism
// nothing tells the replicas apart.
//
// Kernels that compute and kernels that communicate are taken not to slow each
// other down on an accelerator.
package cluster

import (
	"fmt"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Program is what a job does once it has its accelerators.
type Program interface {
	// Begin is called once, at the time the job starts. When its work has
	// ended, the program calls c.Done with the job's number.
	Begin(c *Cluster, job int)
}

// Job is one workload that asks for accelerators.
type Job struct {
	Name  string
	Start sim.Time
	// Count or List say which accelerators it wants; see scheduler.Job.
	Count  int
	List   []int32
	Shared bool

	Program Program

	// Accelerators are what it got, in rank order, once it has started.
	Accelerators []topology.NodeID
	// Owner stands for the job when contention is accounted.
	Owner network.Owner

	Started, Finished     bool
	StartedAt, FinishedAt sim.Time

	footprints []*network.Footprint // that Bundle was given for it
}

// Cluster is a data centre in virtual time. Use New.
type Cluster struct {
	Engine   *sim.Engine
	Network  *network.Network
	Topology *topology.Topology
	Planner  *collective.Planner
	// SeriesBins is for how many intervals of time utilization is kept.
	SeriesBins int

	Jobs  []*Job
	Flows []*FlowSet

	// Err is why the first job that failed did, a *JobError; nil if none has.
	Err error

	actor   sim.Actor
	queue   []scheduler.Job
	users   []int32 // jobs on each accelerator
	waiting int     // jobs that have not begun
	running int
	ledgers []*Ledger
	owners  []string

	launches []launch
	idle     []int32 // launches to use again
}

// Events of the cluster, in the high bits of their argument.
const (
	argArrive uint64 = iota << 56
	argDecide
	argPhase // a launch's latency has passed, or one of its transfers ended
	argKind  = 0xff << 56
)

// New gives an idle cluster on a topology.
func New(engine *sim.Engine, t *topology.Topology, seriesBins int) *Cluster {
	c := &Cluster{
		Engine: engine, Topology: t, SeriesBins: seriesBins,
		Network: network.New(engine, t, seriesBins),
		Planner: collective.NewPlanner(t),
		users:   make([]int32, t.Accelerators()),
	}
	c.Network.Name = c.transferName
	c.actor = engine.Register(c)
	engine.Watch(c)
	return c
}

// Owner registers a name for contention to be accounted under.
func (c *Cluster) Owner(name string) network.Owner {
	c.owners = append(c.owners, name)
	return network.Owner(len(c.owners) - 1)
}

// OwnerName is the name of an owner.
func (c *Cluster) OwnerName(o network.Owner) string { return c.owners[o] }

// Submit adds a job, whose Start must not have passed.
func (c *Cluster) Submit(j *Job) {
	j.Owner = c.Owner(j.Name)
	c.Jobs = append(c.Jobs, j)
	c.waiting++
	c.Engine.Schedule(j.Start, c.actor, argArrive|uint64(len(c.Jobs)-1))
}

// Alone says whether one job is all that happens, now and in future, so that
// what it repeats need not be simulated again.
func (c *Cluster) Alone() bool {
	return c.running == 1 && c.waiting == 0 && c.Network.Idle()
}

// Handle is the cluster's reaction to its own events.
func (c *Cluster) Handle(now sim.Time, arg uint64) {
	n := int(arg &^ argKind)
	switch arg & argKind {
	case argArrive:
		j := c.Jobs[n]
		c.queue = append(c.queue, scheduler.Job{ID: n, Count: j.Count, List: j.List, Shared: j.Shared})
		c.Engine.Defer(c.actor, argDecide)
	case argDecide:
		c.decide(now)
	case argPhase:
		c.advance(int32(n), now)
	}
}

// decide starts the jobs that the scheduler names.
func (c *Cluster) decide(now sim.Time) {
	if len(c.queue) == 0 {
		return
	}
	free := make([]bool, len(c.users))
	for i, u := range c.users {
		free[i] = u == 0
	}
	started := map[int]bool{}
	for _, s := range scheduler.FIFO(c.queue, free) {
		j := c.Jobs[s.ID]
		started[s.ID] = true
		j.Accelerators = make([]topology.NodeID, len(s.Accelerators))
		for i, a := range s.Accelerators {
			j.Accelerators[i] = topology.NodeID(a)
			c.users[a]++
		}
		j.Started, j.StartedAt = true, now
		c.waiting--
		c.running++
		j.Program.Begin(c, s.ID)
	}
	left := c.queue[:0]
	for _, q := range c.queue {
		if !started[q.ID] {
			left = append(left, q)
		}
	}
	c.queue = left
}

// Bundle makes the collectives of a job that are launched over some footprints
// take as much time to simulate as these have kinds of links, until it is done. A
// program calls it in Begin, with the footprints of all that it will launch many
// times; see network.Network.Bundle.
func (c *Cluster) Bundle(job int, footprints ...*network.Footprint) {
	j := c.Jobs[job]
	j.footprints = append(j.footprints, footprints...)
	c.Network.Bundle(footprints...)
}

// Done is called by a program when its work has ended.
func (c *Cluster) Done(job int) {
	j := c.Jobs[job]
	if c.running > 1 || c.waiting > 0 { // else nobody comes for whom links are to be single
		c.Network.Unbundle(j.footprints...)
	}
	j.footprints = nil
	j.Finished, j.FinishedAt = true, c.Engine.Now()
	c.running--
	for _, a := range j.Accelerators {
		c.users[a]--
	}
	if len(c.queue) > 0 {
		c.Engine.Defer(c.actor, argDecide)
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
	c.Done(job)
}

// Waiting says which jobs have not ended, for a deadlock report; a program that
// is a sim.Waiter says it itself.
func (c *Cluster) Waiting() []sim.Wait {
	var waits []sim.Wait
	for _, j := range c.Jobs {
		switch {
		case !j.Started:
			waits = append(waits, sim.Wait{Who: j.Name, For: "accelerators that never become free"})
		case !j.Finished:
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
	l := &Ledger{Accelerators: accelerators, bins: c.SeriesBins, begun: -1}
	c.ledgers = append(c.ledgers, l)
	return l
}

// Ledgers are those of all gangs.
func (c *Cluster) Ledgers() []*Ledger { return c.ledgers }

// AddCompute notes that the gang computes from one instant to another.
func (l *Ledger) AddCompute(from, to sim.Time) {
	l.Compute += to - from
	l.until = to
	if l.bins > 0 {
		l.compute.Add(from, to, 1, l.bins)
	}
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
	if c.SeriesBins == 0 || end == 0 || len(c.users) == 0 {
		return Shares{}
	}
	var all []*result.Bins
	for _, l := range c.ledgers {
		all = append(all, &l.compute, &l.comms)
	}
	shift := result.CommonShift(end, c.SeriesBins, all...)
	columns := int((end + 1<<shift - 1) >> shift)
	s := Shares{Width: 1 << shift, Compute: make([]float64, columns), Communication: make([]float64, columns)}
	for _, l := range c.ledgers {
		share := float64(len(l.Accelerators)) / float64(len(c.users))
		for i, v := range l.compute.Rates(shift, end) {
			s.Compute[i] += share * v
		}
		for i, v := range l.comms.Rates(shift, end) {
			s.Communication[i] += share * v
		}
	}
	return s
}
