package jobs

import "github.com/railyard/railyard/sim"

// Copying is how the checkpoints of jobs come to another site than their own.
//
// Synchronously a checkpoint counts only when its copy has come; all of them are sent.
// Asynchronously it counts at once, and one is sent when Interval has passed since the
// latest was. Either way one is on its way at a time, and when it has come the newest
// follows. The job computes meanwhile.
//
// What a lost site costs a job that goes on elsewhere is then bounded, as long as sites
// that take copies are there: with C from a checkpoint to the next and T from a checkpoint
// until its copy has come, T not being more than C, its state is not older than C + T, and
// asynchronously Interval + C + T.
type Copying struct {
	// To is the site that takes the copies of each site; none: it has none.
	To          []int
	Bytes       float64 // of a checkpoint, for each accelerator
	Synchronous bool
	Interval    sim.Time
}

// Data is what a job reads, and must be at its site before it begins.
type Data interface {
	// Fetch gives the site that a job's data come from and how many bytes they are, 0 if
	// the job has none or they are there.
	Fetch(job, site int) (from int, bytes float64)
	// Fetched is told when they have come.
	Fetched(job, site int)
}

// Failover is a job whose site was lost, and how it came back.
type Failover struct {
	Job  int
	Site int      // that was lost
	At   sim.Time // when
	To   int      // where it went on; none: it has not
	// Age is how old the state was, when the site was lost, from which the job went on;
	// the time since it began, if from none.
	Age     sim.Time
	Resumed sim.Time // when it computed again
}

// MaxFailovers is how many a trace lists.
const MaxFailovers = 1 << 20

// state is where the saved work of a job lies, and the copy of it elsewhere.
type state struct {
	run   *run
	index uint64   // of all states
	home  int      // site at which it computes, or did
	at    int      // site that has what is saved
	began sim.Time // when it began with nothing

	copied  saved // at another site
	site    int   // which
	sending saved // on its way
	to      int   // there
	id      int64
	sends   uint32
	newest  saved    // that has been made and not been sent
	due     sim.Time // asynchronously none is sent before

	kept     []part
	failover int32    // that is not over; none
	undone   sim.Time // what the loss of its site undid of the work there

	fetches  []int64
	awaited  int      // of them, those that have not come
	fetching uint32   // how often it has had to wait
	staged   sim.Time // for how long, in this stretch
}

// anywhere is where the state of a job lies that knew of the failure: it has taken it along.
const anywhere = -2

// saved is work that a checkpoint has, and the instant that it stands for. The zero value
// is none.
type saved struct{ work, taken sim.Time }

// part is what a stretch has of the work that is saved.
type part struct {
	stretch    int32
	work, time sim.Time
}

// What events are about, in the highest bits of their argument: of a slot the end of its job
// and its next checkpoint, of a state that a copy has come, or something that its job waits
// for. In the middle of the last two is the number of the time.
const (
	argEnd uint64 = iota << 60
	argCheckpoint
	argCopied
	argFetched
	argKind  = 0xf << 60
	argIndex = 1<<32 - 1
	argTime  = 1<<28 - 1
)

// settleAt has a job go on from what there is of its state at the site where it has got
// accelerators, or for it, and sends for what it lacks there.
func (t *Trace) settleAt(r *run, job int) {
	now := t.c.Engine.Now()
	x := r.state
	if x == nil {
		x = &state{run: r, index: uint64(len(t.states)), failover: none, at: none}
		t.states, r.state = append(t.states, x), x
	}
	x.home = t.Sites.SiteOf(t.c.Jobs[job].Accelerators[0])
	x.staged, x.fetches, x.awaited = 0, x.fetches[:0], 0
	x.fetching++
	age := x.undone
	if r.saved > 0 && x.at == anywhere {
		x.at = x.home
	}
	if r.saved > 0 && x.at != x.home && t.Sites.Lost(x.at) {
		age = t.fallBack(x)
	} else if r.saved == 0 && x.failover != none {
		age = t.Failovers[x.failover].At - x.began
	}
	if r.saved > 0 && x.at != x.home {
		t.leave(x)
		if c := t.recoveries[r.recovery].Copying; c != nil {
			t.fetch(x, x.at, c.Bytes*float64(t.c.Jobs[job].Count))
		}
		if x.site == x.home {
			x.copied = saved{}
		}
		if x.copied.work == 0 {
			x.newest, x.due = saved{r.saved, now}, 0
		}
	}
	if x.at = x.home; r.saved == 0 {
		t.leave(x)
		x.began, x.copied, x.kept = now, saved{}, x.kept[:0]
	}
	if t.Data != nil {
		if from, bytes := t.Data.Fetch(job, x.home); bytes > 0 {
			t.fetch(x, from, bytes)
		}
	}
	if x.failover != none {
		f := &t.Failovers[x.failover]
		if f.To == none { // else it was stopped again before it computed
			f.Age = age
		}
		f.To = x.home
	}
}

// fallBack has a job go on from the copy of its state, since the site that has what it saved
// is lost; from nothing if there is none, or the site of that is lost, too. It gives how old
// the state was when its site was lost.
func (t *Trace) fallBack(x *state) (age sim.Time) {
	r, at := x.run, t.c.Engine.Now()
	if x.failover != none {
		at = t.Failovers[x.failover].At
	}
	if x.copied.work == 0 || t.Sites.Lost(x.site) {
		owed := r.owed
		r.anew()
		r.owed = owed
		return at - x.began
	}
	back := min(x.copied.work, r.saved)
	for undo := r.saved - back; undo > 0; {
		last := &x.kept[len(x.kept)-1]
		work := min(undo, last.work)
		time := last.time
		if work < last.work {
			time = sim.FromSeconds(last.time.Seconds() * float64(work) / float64(last.work))
		}
		t.cost(last.stretch).Lost += time
		last.work -= work
		last.time -= time
		if undo -= work; last.work == 0 {
			x.kept = x.kept[:len(x.kept)-1]
		}
	}
	r.saved, x.at = back, x.site
	return at - x.copied.taken
}

// leave takes back what is on its way from a site that the job has left.
func (t *Trace) leave(x *state) {
	if x.sending.work > 0 {
		t.Sites.Withdraw(x.id)
	}
	x.sending, x.newest = saved{}, saved{}
}

// fetch has something come to the site of a job.
func (t *Trace) fetch(x *state, from int, bytes float64) {
	x.awaited++
	x.fetches = append(x.fetches, t.Sites.Send(from, x.home, bytes, t.c.Jobs[x.run.job].Owner, t.actor,
		argFetched|uint64(x.fetching&argTime)<<32|x.index))
}

// fetched notes that something has come, and has the job compute once all has.
func (t *Trace) fetched(x *state, time uint64, now sim.Time) {
	if time != uint64(x.fetching&argTime) || x.awaited == 0 {
		return
	}
	s := &t.slots[x.run.slot]
	t.advance(s, now)
	if x.awaited--; x.awaited == 0 {
		if t.Data != nil {
			t.Data.Fetched(int(x.run.job), x.home)
		}
		t.computes(s)
	}
}

// computes has a job go on that has all that it needs at its site.
func (t *Trace) computes(s *slot) {
	t.arm(s)
	x := s.run.state
	if x == nil {
		return
	}
	if x.failover != none {
		t.Failovers[x.failover].Resumed = t.c.Engine.Now().After(s.run.owed)
		x.failover = none
	}
	t.copy(x)
}

// expect sets the timer of a slot to the next checkpoint that may be copied.
func (t *Trace) expect(s *slot) {
	r := s.run
	p := &t.recoveries[r.recovery]
	if p.Copying == nil || p.Copying.To[r.state.home] == none {
		return
	}
	e, at := t.c.Engine, sim.Never
	if s.made+1 <= int64((r.whole-r.saved-1)/p.Interval) {
		in := max(0, times(s.made+1, max(1, s.takes(p.Interval)).After(p.Pause))-s.ran)
		if s.pace != 1 {
			in = sim.FromSeconds(in.Seconds() / s.pace)
		}
		at = e.Now().After(r.owed).After(in)
	}
	e.Arm(s.checkpoint, at)
}

// made notes a checkpoint.
func (t *Trace) made(s *slot, now sim.Time) {
	t.advance(s, now)
	r, p := s.run, &t.recoveries[s.run.recovery]
	s.made++
	r.state.newest = saved{r.saved + sim.Time(s.made)*p.Interval, now - p.Pause}
	t.copy(r.state)
	t.expect(s)
}

// copy sends the newest checkpoint of a job, if one is to be sent now.
func (t *Trace) copy(x *state) {
	now, c := t.c.Engine.Now(), t.recoveries[x.run.recovery].Copying
	if c == nil || c.To[x.home] == none || x.newest.work == 0 || x.sending.work > 0 || !c.Synchronous && now < x.due {
		return
	}
	x.sending, x.newest, x.to, x.due = x.newest, saved{}, c.To[x.home], now.After(c.Interval)
	x.sends++
	job := t.c.Jobs[x.run.job]
	x.id = t.Sites.Send(x.home, x.to, c.Bytes*float64(job.Count), job.Owner, t.actor, argCopied|uint64(x.sends&argTime)<<32|x.index)
}

// hasCopied notes that a copy has come.
func (t *Trace) hasCopied(x *state, time uint64, now sim.Time) {
	if x.sending.work == 0 || time != uint64(x.sends&argTime) {
		return
	}
	bytes := t.recoveries[x.run.recovery].Copying.Bytes * float64(t.c.Jobs[x.run.job].Count)
	t.Copies[x.run.recovery].Count(bytes, now-x.sending.taken)
	x.copied, x.site, x.sending = x.sending, x.to, saved{}
	t.copy(x)
}

// halt takes back what a job waits for whose accelerators are taken away, and notes what
// it has saved at its site.
func (t *Trace) halt(x *state, work, time sim.Time) {
	for _, id := range x.fetches {
		t.Sites.Withdraw(id)
	}
	x.fetches, x.awaited = x.fetches[:0], 0
	t.c.Engine.Disarm(t.slots[x.run.slot].checkpoint)
	if work > 0 {
		x.kept = append(x.kept, part{x.run.stretch, work, time})
	}
}

// counts is what of the work kept in a stretch counts after a failure.
func (t *Trace) counts(x *state, kept sim.Time) sim.Time {
	if c := t.recoveries[x.run.recovery].Copying; c != nil && c.Synchronous && c.To[x.home] != none {
		return max(0, min(kept, x.copied.work-x.run.saved))
	}
	return kept
}

// struck notes that the site of a job is lost.
func (t *Trace) struck(x *state, undone sim.Time) {
	if x.undone = undone; len(t.Failovers) < MaxFailovers && x.failover == none {
		x.failover = int32(len(t.Failovers))
		t.Failovers = append(t.Failovers, Failover{Job: int(x.run.job), Site: x.home, At: t.c.Engine.Now(), To: none, Resumed: none})
	}
}
