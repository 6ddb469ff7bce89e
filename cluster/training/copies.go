package training

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
)

// Copying is where the checkpoints of a job lie that may go on at another site than its own:
// at the site of its first accelerator, and those that are copied at another, too.
//
// A checkpoint is sent once it is durable. Asynchronously it counts at once, and one is sent
// when Interval has passed since the latest was; synchronously it counts only when its copy
// has come, and all of them are sent. Either way one is on its way at a time, and when it has
// come the newest follows. The job computes meanwhile.
//
// A job that gets accelerators at another site while its own is lost goes on from its copy,
// or from nothing without one. If its own is there, its checkpoint is sent to it first, unless
// a copy of it is where it goes on, and it holds its accelerators meanwhile. So with C from a checkpoint to the next, and T from a
// checkpoint until its copy has come, T not being more than C, the state from which a lost
// site has it go on is not older than C + T, and asynchronously Interval + C + T.
type Copying struct {
	Sites cluster.Sites
	// To is the site that takes the copies of each site; -1: it has none.
	To          []int
	Bytes       float64 // of a checkpoint
	Synchronous bool
	Interval    sim.Time

	Copies    cluster.Copies
	Failovers []Failover

	c     *cluster.Cluster
	j     *Job
	actor sim.Actor
	owner network.Owner // of what is sent, which does not end when the job is interrupted

	home  int // site at which it computes, or did
	at    int // site that has what is saved
	began sim.Time
	base  stored // from which it went on there

	turn    uint64   // how often it was interrupted
	pending []stored // that are being written
	newest  stored   // that is durable and has not been sent
	sending stored   // on its way
	to      int      // there
	id      int64
	sends   uint64
	copied  stored // at another site
	site    int    // which
	due     sim.Time

	fetch    int64    // the checkpoint that comes to it; 0: none does
	since    sim.Time // it waits for that, but for what has been counted
	failover int      // that is not over; -1: none
}

// Failover is a loss of the site of a job, and how it came back.
type Failover struct {
	Site int      // that was lost
	At   sim.Time // when
	To   int      // where it went on; -1: it has not
	// Age is how old the state was, when the site was lost, from which the job went on; the
	// time since it began, if from none.
	Age     sim.Time
	Resumed sim.Time // when it computed again; -1: it does not yet
}

// MaxFailovers is how many a Copying lists.
const MaxFailovers = 1 << 16

// Events of a Copying, in the high bits of their argument; the rest is a number of the time.
const (
	argDurable   uint64 = iota << 56 // a checkpoint is
	argCopied                        // the copy of one has come
	argFetched                       // the job's own has come to its site
	argCopyKinds = 0xff << 56
)

// arrive has the job go on at the site where it has got accelerators from what there is of
// its state there, or for it. It reports whether the job waits for that to come.
func (k *Copying) arrive(j *Job) (waits bool) {
	c, now, way := j.c, j.c.Engine.Now(), j.course
	was := k.home
	k.home = k.Sites.SiteOf(c.Jobs[j.job].Accelerators[0])
	if k.c == nil {
		k.c, k.j, k.actor, k.failover = c, j, c.Engine.Register(k), -1
		k.owner = c.Owner(c.Jobs[j.job].Name + "/checkpoints")
	}
	if way == nil {
		k.at, k.began = k.home, now
		return false
	}
	if k.home != was {
		k.leave()
	}
	age := k.age(way)
	if way.saved > 0 && k.at != k.home && k.Sites.Lost(k.at) {
		if k.copied.done > 0 && !k.Sites.Lost(k.site) {
			way.back(k.copied)
			k.at = k.site
		} else {
			way.back(stored{})
		}
		age = k.age(way)
	}
	j.Done = way.done
	if k.failover >= 0 {
		f := &k.Failovers[k.failover]
		f.To, f.Age = k.home, max(f.Age, age) // it may have been stopped again before it computed
	}
	k.base = way.safe
	if way.saved == 0 {
		k.leave()
		k.at, k.began, k.copied = k.home, now, stored{}
		return false
	}
	if k.site == k.home {
		if k.copied.done == way.saved { // it has it already
			k.at = k.home
		}
		k.copied = stored{}
	}
	if k.copied.done == 0 && k.sending.done == 0 {
		k.newest, k.due = way.safe, 0
	}
	if k.at == k.home {
		return false
	}
	way.wait(now)
	way.spared, k.since = way.uncounted(), now
	k.fetch = k.Sites.Send(k.at, k.home, k.Bytes, k.owner, k.actor, argFetched|k.turn)
	return true
}

// fetching counts the time for which the job has waited for its checkpoint by an instant.
func (k *Copying) fetching(way *course, now sim.Time) {
	if k.fetch != 0 {
		way.spend(Reloading, k.since, now)
		way.down(now - k.since)
		k.since, way.released = now, now
	}
}

// age is how old what is safe was when the site of the job was lost that has not gone on
// since.
func (k *Copying) age(way *course) sim.Time {
	switch {
	case k.failover < 0:
		return 0
	case way.saved == 0:
		return k.Failovers[k.failover].At - k.began
	}
	return k.Failovers[k.failover].At - way.safe.taken
}

// entered is called when the job knows when it goes on.
func (k *Copying) entered(resumes sim.Time) {
	if k.failover >= 0 && !k.j.course.struck {
		k.Failovers[k.failover].Resumed, k.failover = resumes, -1
	}
	k.copy()
}

// written has a checkpoint be copied once it is durable.
func (k *Copying) written(s stored, durable sim.Time) {
	k.pending = append(k.pending, s)
	k.c.Engine.Schedule(durable, k.actor, argDurable|k.turn)
}

// struck is called when the accelerators of the job have failed. It gives what work is
// undone of that which was durable, but had no copy yet.
func (k *Copying) struck(way *course) (undone sim.Time) {
	if k.fetch != 0 {
		k.Sites.Withdraw(k.fetch)
		k.fetch = 0
	}
	k.pending = k.pending[:0]
	k.turn++
	if k.Synchronous && k.To[k.home] >= 0 {
		counts := k.base
		if k.copied.done > counts.done {
			counts = k.copied
		}
		if k.newest = (stored{}); counts.done < way.saved {
			undone = way.back(counts)
			k.leave()
		}
	}
	if k.failover < 0 && len(k.Failovers) < MaxFailovers && k.Sites.Lost(k.home) {
		k.failover = len(k.Failovers)
		k.Failovers = append(k.Failovers, Failover{Site: k.home, At: k.c.Engine.Now(), To: -1, Resumed: -1})
	}
	return undone
}

// copy sends the newest checkpoint, if one is to be sent now.
func (k *Copying) copy() {
	now := k.c.Engine.Now()
	if k.To[k.home] < 0 || k.newest.done == 0 || k.sending.done > 0 || !k.Synchronous && now < k.due {
		return
	}
	k.sending, k.newest, k.to, k.due = k.newest, stored{}, k.To[k.home], now.After(k.Interval)
	k.sends++
	k.id = k.Sites.Send(k.home, k.to, k.Bytes, k.owner, k.actor, argCopied|k.sends)
}

// leave takes back what is on its way from a site that the job has left, or at its end.
func (k *Copying) leave() {
	if k.sending.done > 0 {
		k.Sites.Withdraw(k.id)
	}
	k.sending, k.newest = stored{}, stored{}
}

// Handle is called when a checkpoint is durable, or something has come.
func (k *Copying) Handle(now sim.Time, arg uint64) {
	number := arg &^ argCopyKinds
	switch arg & argCopyKinds {
	case argDurable:
		if number != k.turn {
			return
		}
		s, way := k.pending[0], k.j.course
		k.pending = k.pending[1:]
		if way.settle(now); way.saved >= s.done {
			k.newest = s
			k.copy()
		}
	case argCopied:
		if k.sending.done == 0 || number != k.sends {
			return
		}
		k.Copies.Count(k.Bytes, now-k.sending.taken)
		k.copied, k.site, k.sending = k.sending, k.to, stored{}
		k.copy()
	case argFetched:
		if k.fetch != 0 && number == k.turn {
			way := k.j.course
			k.fetching(way, now)
			k.fetch, k.at = 0, k.home
			spared := way.spared
			k.j.enter()
			way.spared = spared
		}
	}
}

// stored is what a checkpoint has. The zero value is nothing.
type stored struct {
	done           int64
	worked, slowed sim.Time // of these iterations, the time, and what of it slow hosts added
	taken          sim.Time // instant that it stands for
}

// state is what a checkpoint would have that is made at an instant.
func (c *course) state(now sim.Time) stored { return stored{c.done, c.worked, c.Time[Slowed], now} }

// back has a job that has failed stand where an older checkpoint was made than the latest. It
// gives the work that this undoes.
func (c *course) back(to stored) (undone sim.Time) {
	undone = c.worked - to.worked
	c.Time[LostWork] += undone
	c.Time[Slowed] = to.slowed
	c.done, c.saved, c.worked, c.safe = to.done, to.done, to.worked, to
	if n := len(c.Interruptions); n > 0 && int64(n) == c.Interrupted {
		c.Interruptions[n-1].Lost += undone
	}
	c.down(undone)
	return undone
}
