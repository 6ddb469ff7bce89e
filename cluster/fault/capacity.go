package fault

import (
	"slices"
	"sort"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// Capacity is the accelerators that a queue has while hosts fail and come back. Where
// there are no hosts, each accelerator stands for one.
//
// A host that has failed is replaced by a spare one at once while there is any. Else it
// is out of use until it is repaired, or until another that was in repair is and takes
// its place. The jobs on it are interrupted, unless they see to failures themselves. Of a
// part whose hosts are back at once, or that is one of the network, only that remains.
type Capacity struct {
	// Interruptions are the first MaxInterruptions of those of jobs.
	Interruptions []Interruption
	Tolls         []Toll // of each source

	c       *cluster.Cluster
	o       *Outages
	name    func(host int32) string
	n       int   // outages that have happened
	drains  []int // of each source, how many of its drains have begun
	hosts   []hostState
	spares  int          // that stand by
	repairs []repair     // in the order of time
	missing []int32      // hosts that have failed, in that order
	slow    []slowOutage // that last
}

// Interruption is an outage as a job met it.
type Interruption struct {
	At     sim.Time
	Source int
	Part   string // its name
	Job    int
	Undone sim.Time // work
}

// MaxInterruptions is how many a Capacity lists.
const MaxInterruptions = 1 << 20

// Toll is what the failures of one source did.
type Toll struct {
	Happened, Interrupted int64
	Undone                float64 // accelerator-seconds of work
}

// hostState says why no job may start on a host.
type hostState struct {
	failed bool
	until  sim.Time // if it has failed, it is not back before
	drains int32    // outages to come that it is kept free for
}

func (h hostState) closed() bool { return h.failed || h.drains > 0 }

// repair is a host that comes back: to its own place if that is still empty.
type repair struct {
	at   sim.Time
	host int32 // elsewhere: a spare one has its place
}

const elsewhere = -1

// slowOutage is an outage of which something is left.
type slowOutage struct {
	Outage
	hosts []int32
	left  float64
}

// NewCapacity has outages happen to the accelerators of a cluster. Host h has those from
// first[h] up to first[h+1], and the name that is given.
func NewCapacity(c *cluster.Cluster, o *Outages, first []int32, name func(host int32) string) *Capacity {
	x := &Capacity{
		c: c, o: o, name: name, Tolls: make([]Toll, len(o.Sources)), drains: make([]int, len(o.Sources)),
		hosts: make([]hostState, len(first)-1), spares: o.Spares,
	}
	c.AllowOutages(x, first)
	return x
}

// Break has all that is due happen, and says when the next is.
func (x *Capacity) Break(now sim.Time) (next sim.Time) {
	for len(x.repairs) > 0 && x.repairs[0].at <= now {
		host := x.repairs[0].host
		x.repairs = x.repairs[1:]
		x.comesBack(host)
	}
	x.endSlow(now)
	next = sim.Never
	for s := range x.drains {
		f := x.drain(s)
		for ; f.At <= now; f = x.drain(s) {
			x.keepFree(f)
		}
		next = min(next, f.At)
	}
	f := x.o.at(x.n)
	for ; f.At <= now; f = x.o.at(x.n) {
		x.n++
		x.happen(f)
	}
	next = min(next, f.At)
	if len(x.repairs) > 0 {
		next = min(next, x.repairs[0].at)
	}
	for i := range x.slow {
		next = min(next, x.slow[i].Repaired)
	}
	return next
}

// Stopping gives the failures still to happen that interrupt a job on some servers.
func (x *Capacity) Stopping(servers []int) *Stops {
	s := x.o.Stopping(servers)
	s.n = x.n
	return s
}

// happen carries an outage out.
func (x *Capacity) happen(f Outage) {
	source := &x.o.Sources[f.Source]
	x.Tolls[f.Source].Happened++
	hosts := source.Parts[f.Part]
	switch {
	case source.Left > 0:
		x.report(f, scheduler.Slow, f.Repaired)
		x.slow = append(x.slow, slowOutage{f, hosts, source.Left})
		x.repace(hosts)
	case hosts == nil:
		x.report(f, scheduler.Fail, sim.Never)
		x.interrupt(f, x.c.Spanning())
	default:
		x.report(f, scheduler.Fail, f.Repaired)
		if f.Repaired > f.At {
			x.fail(f, hosts)
		}
		x.interrupt(f, x.c.On(hosts))
	}
}

// fail takes hosts out of use for which there is no spare one.
func (x *Capacity) fail(f Outage, hosts []int32) {
	var gone []int32
	for _, h := range hosts {
		host := &x.hosts[h]
		was := host.closed()
		switch {
		case host.failed:
			host.until = max(host.until, f.Repaired)
		case x.spares > 0:
			x.spares--
			x.await(repair{f.Repaired, elsewhere})
		default:
			host.failed, host.until = true, f.Repaired
			x.missing = append(x.missing, h)
			x.await(repair{f.Repaired, h})
		}
		if x.o.Sources[f.Source].Drain > 0 {
			host.drains--
		}
		switch is := host.closed(); {
		case is && !was:
			gone = append(gone, h)
		case was && !is:
			x.c.Open(h)
		}
	}
	x.c.Close(gone, int32(f.Source))
}

// await puts a repair in its place in the order of time, behind others at that time.
func (x *Capacity) await(r repair) {
	if r.at == sim.Never {
		return
	}
	i := sort.Search(len(x.repairs), func(i int) bool { return x.repairs[i].at > r.at })
	x.repairs = slices.Insert(x.repairs, i, r)
}

// comesBack has a host that was in repair take its place, or the one that is empty for
// the longest, or else stand by.
func (x *Capacity) comesBack(host int32) {
	switch {
	case host != elsewhere && x.hosts[host].failed:
		if until := x.hosts[host].until; until > x.c.Engine.Now() { // it has failed once more meanwhile
			x.await(repair{until, host})
			return
		}
	case len(x.missing) > 0:
		host = x.missing[0]
	default:
		x.spares++
		return
	}
	if i := slices.Index(x.missing, host); i == 0 {
		x.missing = x.missing[1:]
	} else {
		x.missing = slices.Delete(x.missing, i, i+1)
	}
	if x.hosts[host].failed = false; !x.hosts[host].closed() {
		x.c.Open(host)
	}
	x.c.Report(scheduler.Decision{Action: scheduler.Repair, Until: scheduler.Never, Part: x.name(host)})
}

// drain is the next outage of a source that hosts are kept free for, At being when that
// begins, sim.Never if there is none.
func (x *Capacity) drain(s int) Outage {
	source, n := &x.o.Sources[s], x.drains[s]
	if source.Drain == 0 || n >= len(source.Listed) && source.Every == 0 {
		return Outage{At: sim.Never}
	}
	f := source.listed(n)
	f.Source = s
	if f.At != sim.Never {
		f.At = max(0, f.At-source.Drain)
	}
	return f
}

// keepFree begins a drain.
func (x *Capacity) keepFree(f Outage) {
	x.drains[f.Source]++
	x.report(f, scheduler.Drain, f.At.After(x.o.Sources[f.Source].Drain))
	var free []int32
	for _, h := range x.o.Sources[f.Source].Parts[f.Part] {
		if !x.hosts[h].closed() {
			free = append(free, h)
		}
		x.hosts[h].drains++
	}
	x.c.Close(free, int32(f.Source))
}

// endSlow ends the slow-downs that are over.
func (x *Capacity) endSlow(now sim.Time) {
	var over []slowOutage
	x.slow = slices.DeleteFunc(x.slow, func(s slowOutage) bool {
		if s.Repaired > now {
			return false
		}
		over = append(over, s)
		return true
	})
	for _, s := range over {
		x.report(s.Outage, scheduler.Recover, sim.Never)
		x.repace(s.hosts)
	}
}

// repace has hosts compute as fast as the worst of what slows them down lets them.
func (x *Capacity) repace(hosts []int32) {
	x.c.SetPace(hosts, func(h int32) float64 {
		pace := 1.0
		for i := range x.slow {
			if slices.Contains(x.slow[i].hosts, h) {
				pace = min(pace, x.slow[i].left)
			}
		}
		return pace
	})
}

// interrupt stops jobs.
func (x *Capacity) interrupt(f Outage, jobs []int) {
	source, toll := &x.o.Sources[f.Source], &x.Tolls[f.Source]
	for _, job := range jobs {
		b := x.c.Interrupt(job, source.Planned, source.Names[f.Part])
		toll.Interrupted++
		toll.Undone += b.Undone.Seconds() * x.c.Jobs[job].Holds()
		if len(x.Interruptions) < MaxInterruptions {
			x.Interruptions = append(x.Interruptions, Interruption{f.At, f.Source, source.Names[f.Part], job, b.Undone})
		}
	}
}

// report tells the audit of an outage.
func (x *Capacity) report(f Outage, a scheduler.Action, until sim.Time) {
	reason := scheduler.Failure
	if x.o.Sources[f.Source].Planned {
		reason = scheduler.Maintenance
	}
	x.c.Report(scheduler.Decision{Action: a, Reason: reason, Until: units.Duration(until), Part: x.o.Sources[f.Source].Names[f.Part]})
}
