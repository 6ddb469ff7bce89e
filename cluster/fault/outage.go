package fault

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/railyard/railyard/sim"
)

// Source is parts of one sort that fail and stop the jobs on their hosts. Either
// Lifetime says when, or Listed.
type Source struct {
	Name  string    // of its random streams
	Parts [][]int32 // servers that each part stops; nil: all that reach over the network
	Names []string  // of the parts

	Lifetime Lifetime
	// Repair is how long the hosts of a part that has failed are away; 0: others are in
	// their place at once.
	Repair sim.Time
	// Variation is the coefficient of variation of repairs, which then have a log-normal
	// distribution of mean Repair, or of what the list says; 0: all take as long.
	Variation float64

	Listed []Outage // in the order of time
	Every  sim.Time // after which the list comes again; 0: never

	// Left, if it is not 0, is the part of its rate at which a part goes on, and no job
	// is stopped.
	Left float64

	// Planned says that jobs know of it before. Drain is from how long before a listed
	// failure no job starts on the hosts any more.
	Planned bool
	Drain   sim.Time
}

// Outage is a part that has failed. A job on one of its hosts is stopped by it.
type Outage struct {
	At       sim.Time
	Repaired sim.Time // until when its hosts are away; sim.Never: for good
	Source   int
	Part     int
}

// Outages are the failures of all sources in the order of time, drawn as they are
// asked for. They do not depend on what jobs do.
//
// Every part is new at time 0. One that fails is new again when it is repaired, or
// where spare hosts stand in, at once. Parts whose lifetimes are exponential share a
// random stream: of n the first to fail does so after an exponential time whose mean is
// n times shorter, and is any of them with the same probability. All others have a
// stream each, so that no part moves another's draws.
type Outages struct {
	Sources []Source
	Spares  int // hosts that stand in for those in repair, for each job

	seed  uint64
	log   []Outage
	next  upcoming // a heap, a failure for each source or part
	drawn []drawn  // of each source
}

// drawn is what a source draws its failures from.
type drawn struct {
	together *rand.Rand   // of all parts
	each     []*rand.Rand // of each part
	repairs  *rand.Rand
	away     map[int]sim.Time
	listed   int // of those listed, how many have been taken
}

// due is a failure to come.
type due struct {
	at           float64 // s
	source, part int
}

// upcoming is failures to come as a heap.
type upcoming []due

func (u upcoming) Len() int      { return len(u) }
func (u upcoming) Swap(i, j int) { u[i], u[j] = u[j], u[i] }
func (u *upcoming) Push(x any)   { *u = append(*u, x.(due)) }
func (u *upcoming) Pop() any     { panic("fault: failures are replaced, not taken out") }
func (u upcoming) Less(i, j int) bool {
	a, b := u[i], u[j]
	return a.at < b.at || a.at == b.at && (a.source < b.source || a.source == b.source && a.part < b.part)
}

// NewOutages gives the failures of some sources, whose random streams derive from a
// seed.
func NewOutages(seed uint64, spares int, sources []Source) *Outages {
	o := &Outages{Sources: sources, Spares: spares, seed: seed, drawn: make([]drawn, len(sources))}
	for s := range sources {
		d, source := &o.drawn[s], &sources[s]
		if source.Variation > 0 {
			d.repairs = sim.Stream(seed, source.Name+" repair")
		}
		switch {
		case source.Listed != nil || len(source.Parts) == 0:
			o.next = append(o.next, due{o.fromList(s), s, -1})
		case source.Lifetime.Shape == Exponential:
			d.together = sim.Stream(seed, source.Name)
			d.away = map[int]sim.Time{}
			o.next = append(o.next, due{o.fromAll(s, 0), s, -1})
		default:
			d.each = make([]*rand.Rand, len(source.Parts))
			for p := range d.each {
				d.each[p] = sim.Stream(seed, source.Name+" "+strconv.Itoa(p))
				o.next = append(o.next, due{source.Lifetime.draw(d.each[p]), s, p})
			}
		}
	}
	heap.Init(&o.next)
	return o
}

// forever is when a source fails that does not again.
const forever = 1e18

func (o *Outages) fromList(s int) float64 {
	source, d := &o.Sources[s], &o.drawn[s]
	n := len(source.Listed)
	if n == 0 || d.listed >= n && source.Every == 0 {
		return forever
	}
	return source.listed(d.listed).At.Seconds()
}

// listed is a failure of a list that may come again and again.
func (s *Source) listed(n int) Outage {
	f, again := s.Listed[n%len(s.Listed)], sim.Time(n/len(s.Listed))
	if again > 0 && s.Every > sim.Never/again {
		return Outage{At: sim.Never, Repaired: sim.Never}
	}
	f.At, f.Repaired = f.At.After(again*s.Every), f.Repaired.After(again*s.Every)
	return f
}

func (o *Outages) fromAll(s int, now float64) float64 {
	source := &o.Sources[s]
	return now + source.Lifetime.draw(o.drawn[s].together)/float64(len(source.Parts))
}

// at is a failure by its number, sim.Never if there are fewer before the clock ends.
func (o *Outages) at(n int) Outage {
	for len(o.log) <= n {
		if len(o.next) == 0 || sim.FromSeconds(o.next[0].at) == sim.Never {
			return Outage{At: sim.Never}
		}
		o.draw()
	}
	return o.log[n]
}

// draw takes the earliest failure to come, and puts the next of its source in its place.
func (o *Outages) draw() {
	next := &o.next[0]
	source, d := &o.Sources[next.source], &o.drawn[next.source]
	f := Outage{At: sim.FromSeconds(next.at), Source: next.source, Part: next.part}
	if source.Listed == nil {
		f.Repaired = f.At.After(d.repair(source, source.Repair))
	}
	switch renewed := f.At; {
	case d.each != nil:
		if o.Spares == 0 {
			renewed = f.Repaired
		}
		next.at = renewed.Seconds() + source.Lifetime.draw(d.each[f.Part])
		o.log = append(o.log, f)
	case d.together != nil:
		f.Part = d.together.IntN(len(source.Parts))
		next.at = o.fromAll(f.Source, next.at)
		if o.Spares == 0 && source.Repair > 0 {
			if d.away[f.Part] > f.At {
				break // what is in repair does not fail
			}
			d.away[f.Part] = f.Repaired
		}
		o.log = append(o.log, f)
	default:
		f = source.listed(d.listed)
		f.Source = next.source
		if f.Repaired != sim.Never {
			f.Repaired = f.At.After(d.repair(source, f.Repaired-f.At))
		}
		d.listed++
		next.at = o.fromList(f.Source)
		o.log = append(o.log, f)
	}
	heap.Fix(&o.next, 0)
}

// repair is how long one takes whose mean is given.
func (d *drawn) repair(s *Source, mean sim.Time) sim.Time {
	if d.repairs == nil {
		return mean
	}
	sigma := math.Sqrt(math.Log1p(s.Variation * s.Variation))
	return sim.FromSeconds(Lifetime{mean.Seconds(), LogNormal, sigma}.draw(d.repairs))
}

// Stops are the failures that stop one job.
type Stops struct {
	o     *Outages
	hosts []bool
	count int // of them
	n     int // failures looked at
	slow  int // and the same for slow parts
	away  []away

	fails, slows []int // sources of which any part may stop it, or slow it down
}

// away is hosts of the job that are in repair.
type away struct {
	until sim.Time
	hosts int
}

// Stopping gives the failures that stop a job on some servers.
func (o *Outages) Stopping(servers []int) *Stops {
	s := &Stops{o: o}
	for _, server := range servers {
		if server >= len(s.hosts) {
			s.hosts = append(s.hosts, make([]bool, server+1-len(s.hosts))...)
		}
		if !s.hosts[server] {
			s.hosts[server] = true
			s.count++
		}
	}
	for i := range o.Sources {
		source := &o.Sources[i]
		concern := &s.fails
		if source.Left > 0 {
			concern = &s.slows
		}
		if slices.ContainsFunc(source.Parts, func(part []int32) bool { return s.on(part) > 0 }) {
			*concern = append(*concern, i)
		}
	}
	return s
}

// more says whether anything of some sources is to come after so many failures have been
// looked at. If not nothing need be drawn: others may go on for as long as the clock does.
func (s *Stops) more(sources []int, looked int) bool {
	return len(sources) > 0 && (looked < len(s.o.log) || slices.ContainsFunc(sources, func(i int) bool {
		source := &s.o.Sources[i]
		return source.Listed == nil || source.Every > 0 || s.o.drawn[i].listed < len(source.Listed)
	}))
}

// on is how many hosts of a part the job has, of one of the network whether the job is
// on several.
func (s *Stops) on(part []int32) (hosts int) {
	if part == nil {
		return min(1, s.count-1)
	}
	for _, h := range part {
		if int(h) < len(s.hosts) && s.hosts[h] {
			hosts++
		}
	}
	return hosts
}

// Next is the next failure that stops the job, and when it has all its hosts again,
// those of others in place of its own included. It is at sim.Never if there is none.
func (s *Stops) Next() (f Outage, until sim.Time) {
	for s.more(s.fails, s.n) {
		f = s.o.at(s.n)
		if f.At == sim.Never {
			break
		}
		s.n++
		source := &s.o.Sources[f.Source]
		if hosts := s.on(source.Parts[f.Part]); hosts > 0 && source.Left == 0 {
			return f, s.whole(f, hosts)
		}
	}
	return Outage{At: sim.Never}, sim.Never
}

// NextSlow is the next span in which a host of the job is slow, from At until Repaired,
// and what part of its rate is left. It is at sim.Never if there is none.
func (s *Stops) NextSlow() (f Outage, left float64) {
	for s.more(s.slows, s.slow) {
		f = s.o.at(s.slow)
		if f.At == sim.Never {
			break
		}
		s.slow++
		source := &s.o.Sources[f.Source]
		if source.Left > 0 && s.on(source.Parts[f.Part]) > 0 {
			return f, source.Left
		}
	}
	return Outage{At: sim.Never}, 1
}

// whole is when no more hosts of the job are away than there are spares.
func (s *Stops) whole(f Outage, hosts int) sim.Time {
	s.away = slices.DeleteFunc(s.away, func(a away) bool { return a.until <= f.At })
	if f.Repaired > f.At {
		i, _ := slices.BinarySearchFunc(s.away, f.Repaired, func(a away, t sim.Time) int { return int(min(1, max(-1, a.until-t))) })
		s.away = slices.Insert(s.away, i, away{f.Repaired, hosts})
	}
	missing := -s.o.Spares
	for _, a := range s.away {
		missing += a.hosts
	}
	until := f.At
	for _, a := range s.away {
		if missing <= 0 {
			break
		}
		until = a.until
		missing -= a.hosts
	}
	return until
}

// Rate is how often a second a job on those servers is stopped in the mean, by what has
// a lifetime.
func (s *Stops) Rate() (perSecond float64) {
	for i := range s.o.Sources {
		source := &s.o.Sources[i]
		if source.Listed != nil || source.Left > 0 {
			continue
		}
		n := 0
		for _, part := range source.Parts {
			if s.on(part) > 0 {
				n++
			}
		}
		perSecond += float64(n) / source.Lifetime.Mean
	}
	return perSecond
}

// Hosts is on how many servers the job is.
func (s *Stops) Hosts() int { return s.count }
