package datacenter_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// drawPolicy is any policy, with a way of preemption that it takes.
func drawPolicy(t *rapid.T) scheduler.Policy {
	p := scheduler.Policy{
		Name: rapid.SampledFrom(scheduler.Policies()).Draw(t, "policy"), LASLimits: []float64{20, 60},
		Services: []float64{3, 10, 40}, Lease: 5 * units.Duration(sim.Second),
		PreemptionCost: units.Duration(rapid.Int64Range(0, 3).Draw(t, "cost")) * units.Duration(sim.Second),
		Preemption:     scheduler.Preemption(rapid.IntRange(int(scheduler.Suspend), int(scheduler.Cancel)).Draw(t, "preemption")),
	}
	if p.Name == "elastic" || scheduler.Leases(p.Name) && p.Preemption == scheduler.Requeue {
		p.Preemption = scheduler.Suspend
	}
	if scheduler.KeepsQuotas(p.Name) {
		p.Groups = []scheduler.Group{{Name: "a", Weight: 1, Quota: rapid.IntRange(0, 5).Draw(t, "quota")}, {Name: "b", Weight: 2, Quota: 3}}
	}
	return p
}

// drawSources are failures of all sorts of hosts: drawn from lifetimes or listed, for good
// or for a time, planned, with and without a drain, once or again and again, and slow ones.
func drawSources(t *rapid.T, hosts int) (sources []fault.Source) {
	seconds := func(least, most int, name string) sim.Time {
		return sim.Time(rapid.IntRange(least, most).Draw(t, name)) * sim.Second / 2
	}
	for n := range rapid.IntRange(1, 4).Draw(t, "sources") {
		s := fault.Source{Name: fmt.Sprint(n), Planned: rapid.Bool().Draw(t, "planned"), Repair: seconds(0, 60, "repair")}
		for len(s.Parts) == 0 || rapid.Bool().Draw(t, "another part") {
			part := rapid.SliceOfNDistinct(rapid.Int32Range(0, int32(hosts)-1), 1, hosts, rapid.ID[int32]).Draw(t, "part")
			slices.Sort(part)
			if rapid.IntRange(0, 9).Draw(t, "of the network") == 0 {
				part = nil
			}
			s.Parts, s.Names = append(s.Parts, part), append(s.Names, fmt.Sprint("part", len(s.Parts)))
		}
		if rapid.Bool().Draw(t, "listed") {
			at := seconds(0, 200, "at")
			back := at.After(s.Repair)
			if rapid.IntRange(0, 4).Draw(t, "for good") == 0 {
				back = sim.Never
			}
			s.Listed = []fault.Outage{{At: at, Repaired: back, Part: rapid.IntRange(0, len(s.Parts)-1).Draw(t, "which")}}
			if back != sim.Never && rapid.Bool().Draw(t, "again") {
				s.Every = s.Repair + seconds(1, 100, "every")
			}
			if s.Parts[s.Listed[0].Part] != nil && back > at {
				s.Drain = seconds(0, 40, "drain")
			}
		} else {
			s.Lifetime = fault.Lifetime{Mean: float64(rapid.IntRange(20, 500).Draw(t, "mtbf")), Shape: fault.Shape(rapid.IntRange(0, 2).Draw(t, "shape")), Parameter: 0.8}
		}
		if !slices.ContainsFunc(s.Parts, func(part []int32) bool { return part == nil }) && rapid.IntRange(0, 3).Draw(t, "slow") == 0 && s.Drain == 0 && (s.Listed == nil || s.Listed[0].Repaired != sim.Never) {
			s.Left = rapid.SampledFrom([]float64{0.25, 0.5, 0.9}).Draw(t, "left")
		}
		sources = append(sources, s)
	}
	return sources
}

// interval is what somebody has of some accelerators for a time.
type interval struct {
	first, last int
	from, to    sim.Time
	job         int // -1: they are out of use
}

// Under every policy, way of preemption, placement, and whatever fails when and is
// repaired: every job ends in one way, its work is done once and no more, no accelerator
// has two jobs, or one while it is out of use, time does not go back, and what jobs held,
// what was idle and what was out of use make up all of the time of all accelerators.
func TestNothingIsLostToFailures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		placed := p.Name != "elastic" && rapid.Bool().Draw(t, "placed")
		types := make([]int, 1)
		if placed && rapid.Bool().Draw(t, "of two types") {
			types = make([]int, 2)
		}
		first := []int32{0}
		var hosts []scheduler.Host
		for range rapid.IntRange(1, 6).Draw(t, "hosts") {
			n := rapid.IntRange(1, 4).Draw(t, "accelerators")
			first = append(first, first[len(first)-1]+int32(n))
			kind := uint8(rapid.IntRange(0, len(types)-1).Draw(t, "type"))
			types[kind] += n
			hosts = append(hosts, scheduler.Host{Accelerators: n, Type: kind, CPU: 4000, Near: [3]int32{rapid.Int32Range(-1, 1).Draw(t, "rack"), -1, 0}})
		}
		if placed {
			p.Types = types
		}
		n := int(first[len(first)-1])
		topo, err := topology.Pool(n)
		if err != nil {
			t.Fatal(err)
		}
		c := cluster.NewScheduled(sim.New(), topo, 0, p)
		horizon := 1000 * sim.Second
		c.Engine.Horizon = horizon
		parts := placed && slices.Contains([]string{"fifo", "fifo-skip", "sjf", "sjf-skip"}, p.Name)
		if placed {
			c.Place(scheduler.NewPlacer(hosts, scheduler.Placing{
				Rule:   scheduler.Placement(rapid.IntRange(0, int(scheduler.Fragmentation)).Draw(t, "rule")),
				Random: rand.New(rand.NewPCG(1, 2)), Speeds: []scheduler.Speeds{{1, 0.5}},
			}), hosts)
		}
		outages := fault.NewOutages(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 2).Draw(t, "spares"), drawSources(t, len(hosts)))
		capacity := fault.NewCapacity(c, outages, first, func(h int32) string { return fmt.Sprint("host", h) })
		trace := jobs.New(c)
		trace.PreemptionCost, trace.Scaling = sim.Time(p.PreemptionCost), 1
		recovery := jobs.Recovery{
			Interval: sim.Time(rapid.Int64Range(0, 20).Draw(t, "interval")) * sim.Second / 4,
			Pause:    sim.Time(rapid.Int64Range(0, 3).Draw(t, "pause")) * sim.Second / 4,
			Restart:  sim.Time(rapid.Int64Range(0, 4).Draw(t, "restart")) * sim.Second / 2,
			Restarts: rapid.IntRange(0, 6).Draw(t, "restarts"),
		}
		last := units.Duration(0)
		c.Audit(func(d scheduler.Decision) {
			if d.At < last || d.Free < 0 || d.Free > n {
				t.Fatalf("%+v comes after %v", d, last)
			}
			last = d.At
		})
		var durations []sim.Time
		var all []*cluster.Job
		for i := range rapid.IntRange(1, 20).Draw(t, "jobs") {
			duration := sim.Time(rapid.Int64Range(0, 160).Draw(t, "duration")) * sim.Second / 4
			j := &cluster.Job{
				Name: fmt.Sprint(i), Start: sim.Time(rapid.Int64Range(0, 200).Draw(t, "start")) * sim.Second / 2,
				Count: rapid.IntRange(1, slices.Max(types)).Draw(t, "gang"), Estimate: duration, Priority: rapid.Int64Range(0, 3).Draw(t, "priority"),
				Group: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group"),
			}
			if p.Name == "elastic" && rapid.Bool().Draw(t, "elastic") {
				j.Least, j.Most = rapid.IntRange(1, j.Count).Draw(t, "least"), rapid.IntRange(j.Count, n).Draw(t, "most")
			}
			if placed {
				j.Needs = &scheduler.Request{Speeds: rapid.Int32Range(0, 1).Draw(t, "speeds")}
			}
			if parts && rapid.Bool().Draw(t, "part") {
				j.Count, j.Needs = 1, &scheduler.Request{Milli: rapid.Int32Range(1, 999).Draw(t, "milli")}
			}
			durations, all = append(durations, duration), append(all, j)
		}
		for i, program := range trace.Programs(durations, recovery) {
			all[i].Program = program
		}
		c.Submit(all...)
		if err := c.Engine.Run(context.Background()); err != nil && !errors.Is(err, sim.ErrHorizon) {
			t.Fatal(err)
		}
		end := c.Engine.Now()

		var taken []interval
		for _, o := range c.Outages() {
			if o.To < 0 {
				o.To = end
			}
			taken = append(taken, interval{int(o.First), int(o.First+o.Count) - 1, o.From, o.To, -1})
		}
		used := make([]float64, len(types))  // accelerator-seconds that jobs had of each
		useful := make([]sim.Time, len(all)) // on its gang
		slow := make([]bool, len(all))
		for i, x := range trace.Stretches(end) {
			j, cost := all[x.Job], trace.Cost(i)
			works := x.To - x.From - cost.Overhead - cost.Lost - cost.Slowed
			if x.From < j.Start || x.To < x.From || works < 0 || cost.Overhead < 0 || cost.Lost < 0 || cost.Slowed < 0 {
				t.Fatalf("job %d: %+v, %+v", x.Job, x, cost)
			}
			held := 0
			for _, s := range trace.Spans(i) {
				taken = append(taken, interval{int(s.First), int(s.Last), x.From, x.To, int(x.Job)})
				held += int(s.Last-s.First) + 1
				for a := s.First; placed && a <= s.Last; a++ {
					host, _ := slices.BinarySearch(first, int32(a)+1)
					part := 1.0
					if j.Needs.Milli > 0 {
						part = float64(j.Needs.Milli) / scheduler.Whole
					}
					used[hosts[host-1].Type] += part * (x.To - x.From).Seconds()
				}
			}
			if held != j.Count && j.Least == 0 || j.Least > 0 && (held < j.Least || held > j.Most) {
				t.Fatalf("job %d runs on %d accelerators", x.Job, held)
			}
			if at := trace.Spans(i); j.Needs != nil && j.Needs.Speeds > 0 && held > 0 {
				host, _ := slices.BinarySearch(first, int32(at[0].First)+1)
				if hosts[host-1].Type == 1 { // where it is half as fast
					works, slow[x.Job] = works/2, true
				}
			}
			slow[x.Job] = slow[x.Job] || cost.Slowed > 0 || held != j.Count
			useful[x.Job] += sim.Time(float64(works) * float64(held) / float64(j.Count))
			if held == j.Count {
				useful[x.Job] += works - sim.Time(float64(works)*float64(held)/float64(j.Count))
			}
		}
		for kind, got := range c.TypeUse(end) {
			if math.Abs(got-used[kind]) > 1e-6 {
				t.Fatalf("jobs had %v accelerator-seconds of type %d, and %v are counted", used[kind], kind, got)
			}
		}
		for i, a := range taken {
			for _, b := range taken[:i] {
				if a.first <= b.last && b.first <= a.last && a.from < b.to && b.from < a.to && !(parts && a.job >= 0 && b.job >= 0) {
					t.Fatalf("%+v and %+v", a, b)
				}
			}
		}
		for i, j := range all {
			failures := 0
			for _, x := range capacity.Interruptions {
				if x.Job == i && !outages.Sources[x.Source].Planned {
					failures++
				}
			}
			if failures > recovery.Restarts+1 || (j.Failed != (failures == recovery.Restarts+1)) || j.Failed && j.Cancelled {
				t.Fatalf("job %d: %d failures, may restart %d times, failed %v, cancelled %v", i, failures, recovery.Restarts, j.Failed, j.Cancelled)
			}
			switch {
			case !j.Finished:
				if end < horizon {
					t.Fatalf("job %d has not ended at %v", i, end)
				}
			case j.Failed || j.Cancelled:
				if useful[i] != 0 {
					t.Fatalf("job %d has come to nothing, and %v of its work counts", i, useful[i])
				}
			default:
				off := useful[i] - durations[i]
				if off != 0 && !slow[i] || max(off, -off) > sim.Microsecond {
					t.Fatalf("job %d has done %v, and its service is %v", i, useful[i], durations[i])
				}
			}
		}
		var interrupted int64
		for _, toll := range capacity.Tolls {
			interrupted += toll.Interrupted
		}
		if int(interrupted) != len(capacity.Interruptions) {
			t.Fatalf("%d interruptions, %d listed", interrupted, len(capacity.Interruptions))
		}
	})
}

// The summary of a queue through failures: each job is in one count, and the parts of the
// accelerators' time make up all of the makespan, no part being negative. What was
// computed was for something, or for nothing.
func TestTimeAddsUp(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		var rows, toml strings.Builder
		rows.WriteString("job,submit_s,accelerators,duration_s\n")
		submit, n := 0, rapid.IntRange(1, 12).Draw(rt, "jobs")
		for i := range n {
			submit += rapid.IntRange(0, 5).Draw(rt, "pause")
			fmt.Fprintf(&rows, "%d,%d,%d,%d\n", i, submit, rapid.IntRange(1, 4).Draw(rt, "gang"), rapid.IntRange(0, 30).Draw(rt, "duration"))
		}
		toml.WriteString("[topology]\nkind = \"pool\"\naccelerators = 4\n")
		fmt.Fprintf(&toml, "spares = %d\n", rapid.IntRange(0, 1).Draw(rt, "spares"))
		for range rapid.IntRange(1, 3).Draw(rt, "faults") {
			fmt.Fprintf(&toml, "[[topology.fault]]\nrepair = \"%ds\"\n", rapid.IntRange(1, 9).Draw(rt, "repair"))
			toml.WriteString(rapid.SampledFrom([]string{
				"kind = \"accelerator\"\nmtbf = \"150s\"\n", "kind = \"accelerator\"\nmtbf = \"150s\"\ncapacity = 0.5\n",
				"kind = \"site\"\nmtbf = \"90s\"\ndistribution = \"weibull\"\nshape = 0.7\n",
				"kind = \"accelerator\"\nname = \"acc2\"\nat = \"20s\"\nevery = \"30s\"\ndrain = \"4s\"\nplanned = true\n",
			}).Draw(rt, "fault"))
		}
		toml.WriteString("[[workload.jobs]]\nfile = \"jobs.csv\"\ncheckpoint_interval = \"7s\"\nrestart_time = \"1s\"\ncheckpoint_time = \"500ms\"\nmax_restarts = 9\n")
		toml.WriteString("[sim]\nhorizon = \"10m\"\n")
		write(t, dir, "jobs.csv", rows.String())
		write(t, dir, "case.toml", toml.String())
		policy := rapid.SampledFrom(scheduler.Policies()).Draw(rt, "policy")
		s, err := railyard.Load(filepath.Join(dir, "case.toml"), "scheduler.policy="+policy, fmt.Sprint("sim.seed=", rapid.IntRange(0, 99).Draw(rt, "seed")))
		if err != nil {
			rt.Fatal(err)
		}
		r, err := railyard.Run(context.Background(), s, railyard.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		j := r.Summary.Record("jobs")
		if sum := j.Float("finished") + j.Float("failed") + j.Float("cancelled") + j.Float("unfinished"); sum != float64(n) {
			rt.Fatalf("%v of %d jobs are counted", sum, n)
		}
		sum, parts := 0.0, j.Record("accelerator_time_s")
		for _, part := range []string{"useful", "lost", "overhead", "slowed", "idle", "down"} {
			if v := parts.Float(part); v < -1e-9 {
				rt.Fatalf("%v s are %s", v, part)
			}
			sum += parts.Float(part)
		}
		if total := 4 * j.Float("makespan_s"); math.Abs(sum-total) > 1e-6 {
			rt.Fatalf("%v accelerator-seconds of %v", sum, total)
		}
		if got, want := j.Float("computing_ratio")*4*j.Float("makespan_s"), parts.Float("useful")+parts.Float("lost"); math.Abs(got-want) > 1e-6 {
			rt.Fatalf("%v accelerator-seconds are computed, and %v were for something or nothing", got, want)
		}
		var interrupted, down float64
		for _, c := range j.List("causes") {
			interrupted += c.Float("interruptions")
			down += c.Float("down_accelerator_s")
		}
		if interrupted != j.Float("interruptions") || math.Abs(down-parts.Float("down")) > 1e-6 {
			rt.Fatalf("by cause %v interruptions and %v s, in all %v and %v", interrupted, down, j.Float("interruptions"), parts.Float("down"))
		}
	})
}
