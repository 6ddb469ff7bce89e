package training

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload"
)

// Trace records what waits for what in an iteration, and so what determines its
// length: the critical path (Kelley and Walker 1959). Set a new one as Job.Trace.
//
// What a gang does next begins at the instant at which something ends: its own
// computation, or the collective or message that it waits for. So every activity
// has one before it, and going back from the end of the iteration leads to its
// beginning without a gap. An activity that is not on that way could have taken
// longer by some time without harm; shortening it gains nothing.
//
// It takes memory in proportion to the activities of one iteration, of which there
// may be [MaxActivities].
type Trace struct {
	// Path is that of the latest iteration that has ended.
	Path Path

	first      []Path // of the first Simulated iterations
	activities []activity
}

// MaxActivities is how many activities an iteration that is traced may have, about
// half a gigabyte of them.
const MaxActivities = 1 << 22

// TraceError is why a job is not traced.
type TraceError struct{ Activities int }

func (e *TraceError) Error() string {
	return fmt.Sprintf("an iteration has %d activities, more than can be traced: %d", e.Activities, MaxActivities)
}

// traceable says whether the job has no trace, or one that can hold what happens.
func (j *Job) traceable() error {
	if j.Trace == nil {
		return nil
	}
	n := 0
	for _, g := range j.gangs {
		for _, a := range g.programs[0].actions {
			n += g.passOf(a).activities() + 1 // and a message
		}
	}
	if n > MaxActivities {
		return &TraceError{n}
	}
	return nil
}

// activities is at least how many a pass has.
func (p *pass) activities() (n int) {
	for _, r := range p.runs {
		n += r.times * len(r.steps)
	}
	return n
}

// Median is the path of that of the first [Simulated] iterations whose length is the
// median, of two the shorter: where they differ by chance, one that is like most.
func (t *Trace) Median() Path {
	if len(t.first) == 0 {
		return nil
	}
	all := slices.Clone(t.first)
	slices.SortStableFunc(all, func(a, b Path) int { return cmp.Compare(a.Length(), b.Length()) })
	return all[(len(all)-1)/2]
}

// none is no activity: the beginning of the iteration.
const none int32 = -1

// activity is a segment, and the activity whose end let it begin.
type activity struct {
	Segment
	after int32
}

// Activity says what a segment of the critical path is.
type Activity uint8

// The activities.
const (
	Computing  Activity = iota // a part of a pass
	Updating                   // the optimizer
	Exchanging                 // a collective, from its launch to its end
	Sending                    // a message to another stage, the same
	Feeding                    // waiting for samples, before the iteration begins
	Launching                  // waiting for the host to launch kernels
)

// Segment is one activity on the critical path.
type Segment struct {
	From, To sim.Time
	Activity Activity
	Stage    int  // that computes or, the last to be ready, launches
	Next     int  // of Sending: the stage that it is for
	Kind     Kind // of Exchanging and Sending

	// InPass says that a segment belongs to a pass: its computation, or an
	// exchange that the pass waits for.
	InPass bool
	Pass   workload.Action

	// Work is how long computing would have taken with nothing beside it, at the
	// rank's pace.
	Work  sim.Time
	class work // what Work is made of, in seconds
}

// Length is how long the segment takes.
func (s *Segment) Length() sim.Time { return s.To - s.From }

// reset begins an iteration.
func (t *Trace) reset() {
	if t != nil {
		t.activities = t.activities[:0]
	}
}

// begin notes an activity of a gang, which follows the end of another.
func (t *Trace) begin(g *gang, after int32, s Segment) int32 {
	s.From, s.Stage, s.Pass = g.j.c.Engine.Now(), g.program.stage, g.pass
	t.activities = append(t.activities, activity{s, after})
	return int32(len(t.activities) - 1)
}

// compute notes that a gang begins a step's computation.
func (t *Trace) compute(g *gang, s *step) int32 {
	if t == nil {
		return none
	}
	return t.begin(g, g.cause, Segment{Activity: Computing, InPass: true, Work: g.pace.of(s.duration), class: s.work})
}

// update notes that a gang's optimizer begins to step.
func (t *Trace) update(g *gang) int32 {
	if t == nil {
		return none
	}
	return t.begin(g, g.cause, Segment{Activity: Updating})
}

// launch notes that a gang waits for the host.
func (t *Trace) launch(g *gang) int32 {
	if t == nil {
		return none
	}
	return t.begin(g, g.cause, Segment{Activity: Launching, InPass: true})
}

// exchange notes that a collective begins, of which a gang was the last to be
// ready.
func (t *Trace) exchange(of transfer, by *gang, after int32) int32 {
	if t == nil {
		return none
	}
	inPass := by.passing && of.kind != Gradients
	return t.begin(by, after, Segment{Activity: Exchanging, Kind: of.kind, InPass: inPass})
}

// send notes that a message leaves.
func (t *Trace) send(from, to *gang) int32 {
	if t == nil {
		return none
	}
	return t.begin(from, from.cause, Segment{Activity: Sending, Kind: Pipeline, Next: to.program.stage})
}

// end notes that an activity has ended.
func (t *Trace) end(n int32, now sim.Time) {
	if t != nil {
		t.activities[n].To = now
	}
}

// close works the path out, which leads to an activity in an iteration that began with
// its wait for samples.
func (t *Trace) close(last int32, began sim.Time) {
	if t == nil {
		return
	}
	t.Path = nil
	for n := last; n != none; n = t.activities[n].after {
		t.Path = append(t.Path, t.activities[n].Segment)
	}
	if n := len(t.Path); n > 0 && t.Path[n-1].From > began {
		t.Path = append(t.Path, Segment{From: began, To: t.Path[n-1].From, Activity: Feeding})
	}
	slices.Reverse(t.Path)
	if len(t.first) < Simulated {
		t.first = append(t.first, t.Path)
	}
}

// Path is the critical path of an iteration: segments in the order of time, each
// of which begins when the one before ends.
type Path []Segment

// Length is that of the iteration.
func (p Path) Length() sim.Time {
	if len(p) == 0 {
		return 0
	}
	return p[len(p)-1].To - p[0].From
}

// Totals is where the time of a path goes, which its parts sum to. There is no
// bubble: while one stage waits for another, the path is with that other.
type Totals struct {
	Classes   [workload.NumClasses]float64 // seconds of computation by class of operator
	Slowed    sim.Time                     // what communication beside it adds to computation
	Exposed   [NumKinds]sim.Time           // communication
	Launch    sim.Time                     // waiting for the host to launch kernels
	Input     sim.Time                     // waiting for samples
	Optimizer sim.Time
}

// Totals sums the path up.
func (p Path) Totals() Totals {
	var t Totals
	for i := range p {
		switch s := &p[i]; s.Activity {
		case Computing:
			// Work is rounded to ticks, and what it is made of not.
			var sum float64
			for _, seconds := range s.class {
				sum += seconds
			}
			if sum > 0 {
				for c, seconds := range s.class {
					t.Classes[c] += seconds / sum * s.Work.Seconds()
				}
			}
			t.Slowed += s.Length() - s.Work
		case Updating:
			t.Optimizer += s.Length()
		case Launching:
			t.Launch += s.Length()
		case Feeding:
			t.Input += s.Length()
		default:
			t.Exposed[s.Kind] += s.Length()
		}
	}
	return t
}

// Stretch is segments in a row that are told as one: passes of one direction on
// one stage with the exchanges that hold them up, messages one way, or collectives
// of a kind.
type Stretch struct {
	Activity Activity // Computing for passes
	Stage    int
	Next     int           // of Sending
	Kind     Kind          // of Exchanging and Sending
	Pass     workload.Pass // of Computing
	Count    int           // passes, messages or collectives

	Time          sim.Time
	Communication sim.Time // the part that is
}

// Cycle is stretches that follow each other so many times, each time so many
// stages further on, or back where Shift is negative: the first micro-batch goes
// down a pipeline in such steps. The stages are those of the first time, counts and
// times those of all times together.
type Cycle struct {
	Times     int
	Shift     int
	Stretches []Stretch
}

// stretches tells the path.
func (p Path) stretches() []Stretch {
	var all []Stretch
	var pass workload.Action // the latest
	for i := range p {
		s := &p[i]
		next := Stretch{Activity: s.Activity, Stage: s.Stage, Count: 1, Time: s.Length()}
		switch {
		case s.InPass:
			next.Activity, next.Pass = Computing, s.Pass.Pass
		case s.Activity == Exchanging || s.Activity == Sending:
			next.Kind, next.Next = s.Kind, s.Next
		}
		if s.Activity == Exchanging || s.Activity == Sending {
			next.Communication = s.Length()
		}
		if n := len(all); n > 0 && all[n-1].like(next) {
			if s.InPass && s.Pass == pass {
				next.Count = 0 // more of the same pass
			}
			all[n-1] = all[n-1].and(next)
		} else {
			all = append(all, next)
		}
		pass = s.Pass
	}
	return all
}

// like says whether two stretches are told in the same words, but for how often
// and how long.
func (s Stretch) like(t Stretch) bool {
	s.Count, s.Time, s.Communication = t.Count, t.Time, t.Communication
	return s == t
}

// shifted is the stretch so many of all stages further.
func (s Stretch) shifted(by, stages int) Stretch {
	s.Stage = (s.Stage + by + stages) % stages
	if s.Activity == Sending {
		s.Next = (s.Next + by + stages) % stages
	}
	return s
}

// and is two stretches that are alike in one.
func (s Stretch) and(t Stretch) Stretch {
	s.Count += t.Count
	s.Time += t.Time
	s.Communication += t.Communication
	return s
}

// longestCycle is how many stretches a cycle has at most.
const longestCycle = 64

// Cycles tells the path of a job with so many pipeline stages in few words: what
// repeats, as the steady phase of a pipeline does, is told once. From the front it
// takes the cycle that covers the most stretches, the shortest of those. With n
// stretches that takes time in proportion to n longestCycle, and more only where
// repetitions are nearly found.
func (p Path) Cycles(stages int) []Cycle {
	var cycles []Cycle
	for left := p.stretches(); len(left) > 0; {
		period, times, shift := 1, 1, 0
		for n := 1; n <= min(longestCycle, len(left)/2); n++ {
			if t := repeats(left, n, stages); t > 1 && t*n > times*period {
				period, times, shift = n, t, left[n].Stage-left[0].Stage
			}
		}
		c := Cycle{Times: times, Shift: shift, Stretches: slices.Clone(left[:period])}
		for i, s := range left[period : period*times] {
			c.Stretches[i%period] = c.Stretches[i%period].and(s)
		}
		left = left[period*times:]
		if last := len(cycles) - 1; times == 1 && last >= 0 && cycles[last].Times == 1 {
			cycles[last].Stretches = append(cycles[last].Stretches, c.Stretches...)
			continue
		}
		cycles = append(cycles, c)
	}
	return cycles
}

// repeats is how many times in a row the first n stretches come, each time as many
// stages further as the first time.
func repeats(all []Stretch, n, stages int) int {
	shift := all[n].Stage - all[0].Stage
	same := n
	for same < len(all) && all[same].like(all[same-n].shifted(shift, stages)) && all[same].Count == all[same-n].Count {
		same++
	}
	return same / n
}
