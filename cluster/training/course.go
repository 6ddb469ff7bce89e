package training

import (
	"errors"
	"fmt"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Recovery is how a job saves its state and comes back after failures.
//
// After the iteration that brings the work since the latest checkpoint nearest to
// Interval the job stands still for Pause, and Write after the beginning of the pause
// the checkpoint is durable: synchronously both are the same, asynchronously the pause
// is the copy to the hosts' memory, from which it is written while the job goes on
// (CheckFreq, Mohan et al., FAST 2021). One is written at a time; the next waits.
//
// A failure undoes all work since the latest durable checkpoint. It is found out after
// Detection; then the job waits for its hosts, is started again in Restart and reads
// the checkpoint in Reload. A failure meanwhile has it begin with Detection again. Of
// one that is planned the job knows: it saves its state before its hosts go, if it makes
// checkpoints at all, and only the iteration that it is in is undone.
//
// While a host computes slower, so do all: an iteration goes at the pace of the slowest
// when it begins.
type Recovery struct {
	Interval sim.Time // of work, between checkpoints; 0: none are made
	Pause    sim.Time
	Write    sim.Time // at least Pause

	Detection, Restart, Reload sim.Time

	// Parts, if set, are what a checkpoint is for the network. Write is then how long it
	// takes on an idle one, and the checkpoint is durable once they have come, too.
	Parts *Parts

	Failures Failures // of the hosts of the job; nil: none
	// Requeued says that a job which has failed gives its accelerators back once that is
	// noticed, and goes on when it gets others. Preempted is what it then needs in addition
	// where it was suspended for others.
	Requeued  bool
	Preempted sim.Time
	// Horizon is where time ceases to be counted; 0 is never.
	Horizon sim.Time
}

// Parts are those of a checkpoint, which ranks send to the storage, or of the samples
// that they read from it, all at one pace.
type Parts struct {
	Links   []topology.LinkID // that they cross
	Counts  []float64         // how many cross each
	Latency sim.Time
	Bytes   float64 // of each
}

// Failures are those of the hosts of a job, one after another.
type Failures interface {
	// Next is the failure after those that were given before; its At is sim.Never if
	// there is none.
	Next() Failure
	// NextSlow is the same of spans in which a host computes slower.
	NextSlow() Slow
}

// Slow is a span in which a host takes a multiple of the time to compute.
type Slow struct {
	From, Until sim.Time
	Factor      float64
}

// Failure is one that stops a job.
type Failure struct {
	At sim.Time
	// Until is when the job has all its hosts again: At where others stand in. It is
	// sim.Never if it will not.
	Until   sim.Time
	Planned bool
	Cause   int // number of what fails, and which of its parts did
	Part    int
}

// Cause is what time of a job went to.
type Cause uint8

// What time can go to.
const (
	Productive Cause = iota // iterations that counted
	Checkpoint              // standing still for one
	LostWork                // iterations that a failure undid
	Slowed                  // what slow hosts add to iterations that counted
	Detecting               // until a failure is noticed
	Waiting                 // for repair, or for other accelerators
	Restarting
	Reloading // a checkpoint
	NumCauses
)

// String is the name that results use: "lost_work".
func (c Cause) String() string {
	return [NumCauses]string{"productive", "checkpoint", "lost_work", "slowed", "detection", "waiting", "restart", "reload"}[c]
}

// Interruption is a failure as a job met it.
type Interruption struct {
	Failure
	Lost    sim.Time // work that it undid
	Resumed sim.Time // when iterations went on, or the next failure came; -1: not yet
}

// Outcome is how a job fared.
type Outcome struct {
	Time          [NumCauses]sim.Time // but for Productive, which is the rest
	Checkpoints   int64
	Interrupted   int64
	Interruptions []Interruption // the first MaxInterruptions of them
	Tolls         []Toll         // by what fails
}

// Toll is what failures of one sort cost a job.
type Toll struct {
	Interrupted int64
	Lost        sim.Time // work undone, and until it went on
}

// MaxInterruptions is how many an Outcome lists.
const MaxInterruptions = 1 << 16

// Bounds of what a job goes through.
const (
	maxInterrupted = 1 << 22
	maxFruitless   = 1 << 16 // in a row without any progress
)

// course is the way of a job through failures and checkpoints. It knows how long
// iterations take, and not what happens in them.
type course struct {
	Recovery
	Outcome

	next   Failure
	slow   Slow   // to come
	slows  []Slow // that have begun
	done   int64  // iterations that count so far
	saved  int64  // of them, those that are safe
	saving int64  // those that are once the checkpoint that is being written is durable

	// Of a job whose checkpoints are copied: for how long the iterations worked that count,
	// what is safe, and what is once the checkpoint that is being written is durable; and who
	// is told of checkpoints, but those that are sent.
	worked       sim.Time
	safe, latest stored
	made         func(s stored, durable sim.Time)

	durable  sim.Time             // when that is; 0: none is being written
	send     func(start sim.Time) // has its Parts sent; nil: there are none
	sending  bool                 // they have not come yet
	held     bool                 // a checkpoint is due, and waits for them
	halts    bool                 // run stops short of the iteration that one follows
	unsaved  sim.Time             // work since the beginning of the latest checkpoint
	inFlight sim.Time             // work that the checkpoint being written saves

	slowUnsaved, slowInFlight sim.Time // of both, what slow hosts have added

	cause int // of the latest failure

	tell func(on Cause, from, to sim.Time) // of what time goes to; nil: nobody

	fruitless int // interruptions since something was saved last
	err       error

	requeue
}

// newCourse is that of a job which starts at an instant, all its hosts being there.
func newCourse(r Recovery, start sim.Time) *course {
	c := &course{}
	c.goBy(r)
	for c.next.At < start {
		c.await()
	}
	return c
}

// goBy has the job go on as a Recovery says.
func (c *course) goBy(r Recovery) {
	c.Recovery, c.slow, c.slows = r, Slow{From: sim.Never}, nil
	if r.Failures != nil {
		c.slow = r.Failures.NextSlow()
	}
	c.await()
}

// span is time that went to something.
type span struct {
	on       Cause
	from, to sim.Time
}

// told tells of a span, once.
func (c *course) told(s *span) {
	if c.tell != nil && s.to > s.from {
		c.tell(s.on, s.from, s.to)
	}
	s.to = s.from
}

// await takes the next failure in view.
func (c *course) await() {
	c.next = Failure{At: sim.Never}
	if c.Failures != nil {
		c.next = c.Failures.Next()
	}
}

// spend counts time.
func (c *course) spend(on Cause, from, to sim.Time) {
	if c.Horizon > 0 {
		from, to = min(from, c.Horizon), min(to, c.Horizon)
	}
	c.Time[on] += to - from
	if c.Requeued {
		c.foresee(span{on, from, to})
		return
	}
	c.told(&span{on, from, to})
}

// settle makes the checkpoint that was being written one that is durable, if it is by
// now.
func (c *course) settle(now sim.Time) {
	if c.durable == 0 || c.durable > now || c.sending {
		return
	}
	if c.saving > c.saved {
		c.fruitless = 0
	}
	c.saved, c.durable, c.inFlight, c.slowInFlight, c.safe = c.saving, 0, 0, 0, c.latest
}

// pace is what slow hosts add at an instant to an iteration that computes for so long,
// and until when.
func (c *course) pace(at, compute sim.Time) (added, until sim.Time) {
	for c.slow.From <= at && c.slow.From != sim.Never {
		c.slows = append(c.slows, c.slow)
		c.slow = c.Failures.NextSlow()
	}
	c.slows = slices.DeleteFunc(c.slows, func(s Slow) bool { return s.Until <= at })
	until = c.slow.From
	factor := 1.0
	for _, s := range c.slows {
		factor = max(factor, s.Factor)
		until = min(until, s.Until)
	}
	return sim.Time((factor - 1) * float64(compute)), until
}

// iterated is called when an iteration has ended. It gives when the next can begin: at
// once, after a checkpoint, or once the job has recovered from a failure, which may
// have undone the iteration. Slow hosts have added a part of its time. No checkpoint
// follows the last.
func (c *course) iterated(began, ended, added sim.Time, goal int64) sim.Time {
	if c.next.At < ended {
		return c.fail(began)
	}
	c.work(1, ended-began, added)
	if c.done < goal && c.due(ended-began) {
		return c.checkpoint(ended)
	}
	return ended
}

// work counts iterations of one length.
func (c *course) work(n int64, iteration, added sim.Time) {
	c.done += n
	c.worked += sim.Time(n) * iteration
	c.unsaved += sim.Time(n) * iteration
	c.slowUnsaved += sim.Time(n) * added
	c.Time[Slowed] += sim.Time(n) * added
}

// due says whether another iteration would take the work since the latest checkpoint
// farther from the interval.
func (c *course) due(iteration sim.Time) bool {
	return c.Interval > 0 && c.unsaved >= c.Interval-iteration/2
}

// checkpoint makes one, and gives when iterations go on, unless it is held.
func (c *course) checkpoint(now sim.Time) sim.Time {
	if c.held = c.sending; c.held {
		return now
	}
	start := now
	if c.settle(now); c.durable > 0 {
		start = c.durable
	}
	resume := start.After(c.Pause)
	if c.next.At < resume {
		c.spend(Checkpoint, now, c.next.At)
		return c.fail(c.next.At)
	}
	c.spend(Checkpoint, now, resume)
	c.settle(start)
	c.Checkpoints++
	c.saving, c.durable, c.latest = c.done, start.After(c.Write), c.state(start)
	c.inFlight, c.unsaved = c.unsaved, 0
	c.slowInFlight, c.slowUnsaved = c.slowUnsaved, 0
	switch {
	case c.send != nil:
		c.sending = true
		c.send(start)
	case c.made != nil:
		c.made(c.latest, c.durable)
	}
	c.settle(resume)
	return resume
}

// sent is called when the parts of the latest checkpoint have come.
func (c *course) sent(now sim.Time) { c.sending, c.durable = false, max(c.durable, now) }

// waited goes on at an instant with a job that has stood still for its parts from another
// on. It gives when iterations do.
func (c *course) waited(from, now sim.Time) sim.Time {
	if c.next.At < now {
		c.spend(Checkpoint, from, c.next.At)
		return c.fail(c.next.At)
	}
	c.spend(Checkpoint, from, now)
	if c.held {
		return c.checkpoint(now)
	}
	return now
}

// fail is the next failure, which comes when the job has worked from an instant on. It
// gives when the job can go on.
func (c *course) fail(worked sim.Time) sim.Time {
	at := c.next.At
	if c.Horizon > 0 && at >= c.Horizon {
		return at
	}
	f, lost, saving := c.strike(worked)
	if c.Requeued {
		c.stand(f, lost, saving)
		return sim.Never
	}
	for now := at; ; {
		resumed, recovered := c.recover(f, now, saving)
		c.interrupted(Interruption{f, lost, resumed}, resumed-now)
		if c.err == nil && f.Until == sim.Never && c.next.At == sim.Never && c.Horizon == 0 {
			c.err = errors.New("waits for a host that is never repaired, and no spare one stands in")
		}
		if recovered || c.err != nil || c.Horizon > 0 && resumed >= c.Horizon {
			return resumed
		}
		now, lost, saving = resumed, 0, 0
		f = c.take()
	}
}

// drain has a job that could go on at an instant stand still until another, by when the
// network is rid of what a failure has undone. It may fail again meanwhile.
func (c *course) drain(at, until sim.Time) sim.Time {
	for at < until && c.err == nil {
		end := min(until, c.next.At)
		c.spend(Restarting, at, end)
		c.resumes(at, end)
		if at = end; at < until {
			at = c.fail(at)
		}
	}
	return at
}

// strike has the failure in view undo what it does. It gives the work that is lost, and
// for how long the job saves its state before.
func (c *course) strike(worked sim.Time) (f Failure, lost, saving sim.Time) {
	at := c.next.At
	c.settle(at)
	f = c.take()
	if f.Planned && c.Interval > 0 {
		if saving = c.Write; c.next.At >= at.After(saving) {
			c.save(at)
		}
	}
	c.cause = f.Cause
	return f, c.undo(worked, at), saving
}

// save makes all that is done safe at an instant.
func (c *course) save(at sim.Time) {
	c.saved, c.fruitless, c.safe = c.done, 0, c.state(at)
	c.unsaved, c.inFlight, c.slowUnsaved, c.slowInFlight = 0, 0, 0, 0
}

// undo undoes at an instant what is not safe, and what was worked on from another on.
func (c *course) undo(worked, at sim.Time) (lost sim.Time) {
	c.worked -= c.unsaved + c.inFlight
	lost = c.unsaved + c.inFlight + at - worked
	c.Time[LostWork] += lost
	c.Time[Slowed] -= c.slowUnsaved + c.slowInFlight
	c.done, c.durable, c.sending, c.held = c.saved, 0, false, false
	c.unsaved, c.inFlight, c.slowUnsaved, c.slowInFlight = 0, 0, 0, 0
	return lost
}

// interrupted counts a failure, and for how long the job was down.
func (c *course) interrupted(x Interruption, down sim.Time) {
	c.toll(x.Cause, x.Lost+down)
	c.Interrupted++
	if len(c.Interruptions) < MaxInterruptions {
		c.Interruptions = append(c.Interruptions, x)
	}
	switch c.fruitless++; {
	case c.fruitless > maxFruitless:
		c.err = fmt.Errorf("fails again and again before any work is saved, %d times by %v", c.fruitless, x.At)
	case c.Interrupted > maxInterrupted:
		c.err = fmt.Errorf("is interrupted more than %d times by %v", maxInterrupted, x.At)
	}
}

// take is the failure in view, with the next in its place.
func (c *course) take() Failure {
	f := c.next
	c.await()
	return f
}

// toll counts a failure.
func (c *course) toll(cause int, lost sim.Time) {
	for len(c.Tolls) <= cause {
		c.Tolls = append(c.Tolls, Toll{})
	}
	c.Tolls[cause].Interrupted++
	c.Tolls[cause].Lost += lost
}

// down adds to what the latest failure cost.
func (c *course) down(time sim.Time) {
	if c.cause != noFailure && c.cause < len(c.Tolls) {
		c.Tolls[c.cause].Lost += time
	}
}

// resumes notes that the latest failure has had the job stand still from an instant until
// another, too.
func (c *course) resumes(from, at sim.Time) {
	c.down(at - from)
	if n := len(c.Interruptions); int64(n) == c.Interrupted && n > 0 && c.cause != noFailure {
		c.Interruptions[n-1].Resumed = at
	}
}

// Storage is how long a job stands still for checkpoints in the mean of its iterations,
// where they all take the same time and nothing fails.
func (r Recovery) Storage(iteration sim.Time) (seconds float64) {
	if r.Interval == 0 {
		return 0
	}
	k, length := (&course{Recovery: r}).cycle(max(iteration, 1))
	return (length - sim.Time(k)*iteration).Seconds() / float64(k)
}

// recover takes the job from a failure, before which it saves its state for a time, to
// its next iteration, or to the next failure.
func (c *course) recover(f Failure, now, saving sim.Time) (at sim.Time, recovered bool) {
	detection, waiting := c.Detection, max(0, f.Until-now.After(c.Detection))
	if f.Planned {
		detection, waiting = 0, f.Until-f.At
	}
	reload := c.Reload
	if c.saved == 0 { // there is nothing to read
		reload = 0
	}
	for _, phase := range []struct {
		cause Cause
		time  sim.Time
	}{
		{Checkpoint, saving},
		{Detecting, detection},
		{Waiting, waiting},
		{Restarting, c.Restart},
		{Reloading, reload},
	} {
		end := now.After(phase.time)
		if c.next.At < end {
			c.spend(phase.cause, now, c.next.At)
			return c.next.At, false
		}
		c.spend(phase.cause, now, end)
		now = end
	}
	return now, true
}

// run takes the course from an instant, at which an iteration may begin, through
// iterations that take so long where no host is slow, and compute for a part of it, until
// so many are done or the next would neither end nor fail by an instant. It gives when
// that next one would begin, and how many ended, undone ones included.
func (c *course) run(at, whole, compute sim.Time, goal int64, until sim.Time) (next sim.Time, ended int64) {
	send := c.send
	c.send = nil // over a network that is idle it takes what is known
	defer func() { c.send = send }()
	for c.done < goal && at != sim.Never && c.err == nil {
		added, change := c.pace(at, compute)
		iteration := max(whole, 1) + added
		if at.After(iteration) > until && c.next.At >= until {
			break
		}
		if n := c.cycles(at, iteration, goal, min(until, change)); n > 0 {
			k, cycle := c.cycle(iteration)
			ended += n * k
			at = c.repeat(at, n, k, cycle, iteration, added)
			continue
		}
		n := min(goal-c.done, int64((change-at-1)/iteration)+1) // that begin before the change
		if c.Interval > 0 {
			n = min(n, c.untilDue(iteration))
		}
		if c.halts && c.Interval > 0 && n == c.untilDue(iteration) {
			if n--; n == 0 {
				break
			}
		}
		ends := min(n, int64((min(until, c.next.At)-at)/iteration)) // of them, those that end in time
		ended += ends
		c.work(ends, iteration, added)
		at += sim.Time(ends) * iteration
		switch {
		case ends == n && c.done < goal && c.due(iteration):
			at = c.checkpoint(at)
		case ends < n && c.next.At < until:
			at = c.fail(at)
		}
	}
	return at, ended
}

// untilDue is after how many iterations a checkpoint is due.
func (c *course) untilDue(iteration sim.Time) int64 {
	left := c.Interval - iteration/2 - c.unsaved
	return max(1, int64((left+iteration-1)/iteration))
}

// cycle is the iterations between two checkpoints, and the time from one to the next.
func (c *course) cycle(iteration sim.Time) (iterations int64, length sim.Time) {
	iterations = max(1, int64((c.Interval-iteration/2+iteration-1)/iteration))
	if sim.Time(iterations) > sim.Never/2/iteration {
		return iterations, sim.Never
	}
	return iterations, max(sim.Time(iterations)*iteration+c.Pause, c.Write)
}

// cycles is how many whole ones follow each other from an instant that comes right
// after a checkpoint, until anything else happens; 0 from any other.
func (c *course) cycles(at, iteration sim.Time, goal int64, until sim.Time) int64 {
	if c.Interval == 0 || c.halts || c.unsaved > 0 || c.durable > 0 && c.durable != at-c.Pause+c.Write {
		return 0
	}
	if c.durable == 0 && c.Write > c.Pause { // the first has nothing to wait for
		return 0
	}
	k, length := c.cycle(iteration)
	if length == sim.Never {
		return 0
	}
	return max(0, min(int64((min(until, c.next.At)-at)/length), (goal-1-c.done)/k))
}

// repeat jumps over so many cycles.
func (c *course) repeat(at sim.Time, n, k int64, length, iteration, added sim.Time) sim.Time {
	work := sim.Time(k) * iteration
	c.done += n * k
	c.Time[Slowed] += sim.Time(n*k) * added
	c.Checkpoints += n
	end := at + sim.Time(n)*length
	c.Time[Checkpoint] += sim.Time(n) * (length - work)
	c.fruitless = 0
	c.saved, c.saving, c.durable = c.done-k, c.done, end-c.Pause+c.Write
	c.inFlight, c.slowInFlight = work, sim.Time(k)*added
	c.settle(end)
	return end
}
