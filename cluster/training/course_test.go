package training

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/sim"
	"pgregory.net/rapid"
)

// listed are failures at stated times.
type listed []Failure

// NextSlow is none.
func (*listed) NextSlow() Slow { return Slow{From: sim.Never} }

func (l *listed) Next() Failure {
	if len(*l) == 0 {
		return Failure{At: sim.Never, Until: sim.Never}
	}
	f := (*l)[0]
	*l = (*l)[1:]
	return f
}

const second = sim.Second

// at is a failure at an instant, whose host is back after a time.
func at(when, away sim.Time) Failure {
	return Failure{At: when * second, Until: (when + away) * second}
}

// TestCourse: courses worked out by hand, in seconds.
func TestCourse(t *testing.T) {
	sync := Recovery{Interval: 60 * second, Pause: second, Write: second}
	for _, c := range []struct {
		name       string
		recovery   Recovery
		failures   listed
		iteration  sim.Time
		iterations int64
		end        sim.Time
		spent      map[Cause]sim.Time
	}{
		// OpenDC's Failures1, Failures2 and Checkpoints1: ten minutes of work, the host
		// away for five from the fifth minute on. Checkpoints are safe at 61, 122, 183 and
		// 244 s; of 360 s left then, six times 60, all but the last have one after them:
		// 600 + 360 + 5.
		{"a failure without checkpoints", Recovery{}, listed{at(300, 300)}, 1, 600, 1200, map[Cause]sim.Time{LostWork: 300, Waiting: 300}},
		{"a failure after the end", Recovery{}, listed{at(30000, 300)}, 1, 600, 600, nil},
		{"a failure with checkpoints", sync, listed{at(300, 300)}, 1, 600, 965, map[Cause]sim.Time{LostWork: 56, Waiting: 300, Checkpoint: 9}},
		// 0 to 100, saved by 110; 110 to 150 is lost; noticed at 160, started at 180, read
		// at 185; the other 100 by 285.
		{
			"all that a failure costs",
			Recovery{Interval: 100 * second, Pause: 10 * second, Write: 10 * second, Detection: 10 * second, Restart: 20 * second, Reload: 5 * second},
			listed{at(150, 0)},
			10, 20, 285,
			map[Cause]sim.Time{Checkpoint: 10, LostWork: 40, Detecting: 10, Restarting: 20, Reloading: 5},
		},
		// As before until 150; at 170 it fails again, 10 s into the restart.
		{
			"a failure while it restarts",
			Recovery{Interval: 100 * second, Pause: 10 * second, Write: 10 * second, Detection: 10 * second, Restart: 20 * second, Reload: 5 * second},
			listed{at(150, 0), at(170, 0)},
			10, 20, 305,
			map[Cause]sim.Time{Checkpoint: 10, LostWork: 40, Detecting: 20, Restarting: 30, Reloading: 5},
		},
		// The checkpoint of 100 to 110 is not there when it fails in it: all is lost, and
		// there is nothing to read.
		{
			"a failure in a checkpoint",
			Recovery{Interval: 100 * second, Pause: 10 * second, Write: 10 * second, Reload: 5 * second},
			listed{at(105, 0)},
			10, 20, 315,
			map[Cause]sim.Time{Checkpoint: 15, LostWork: 100},
		},
		// Checkpoints begin at 100 and 202, the job stands for 2 s, and they are safe at 130
		// and 232. A failure at 220 finds 100 s of work safe and 116 not.
		{
			"asynchronous",
			Recovery{Interval: 100 * second, Pause: 2 * second, Write: 30 * second},
			listed{at(220, 0)},
			10, 30, 220 + 200 + 2,
			map[Cause]sim.Time{Checkpoint: 6, LostWork: 116},
		},
		// Checkpoints of 10 s of work each need 30 s to be written: the first from 10 to 40;
		// the second waits for it from 22 on, the third from 52 to 70. There is none after
		// the fourth iteration.
		{"asynchronous and slow", Recovery{Interval: 10 * second, Pause: 2 * second, Write: 30 * second}, nil, 10, 4, 82, map[Cause]sim.Time{Checkpoint: 2 + 20 + 20}},
		// The nearest to 14 s is one iteration of 10, to 15 two.
		{"an interval of 14 s", Recovery{Interval: 14 * second, Pause: second, Write: second}, nil, 10, 4, 43, map[Cause]sim.Time{Checkpoint: 3}},
		{"an interval of 16 s", Recovery{Interval: 16 * second, Pause: second, Write: second}, nil, 10, 4, 41, map[Cause]sim.Time{Checkpoint: 1}},
		// The window begins at 150: five iterations after the checkpoint of 100 to 110, of
		// which the last, from 150 on, is undone. It is told: the state is saved by 165,
		// the host away until 265, and there is nothing to find out.
		{
			"a planned failure",
			Recovery{Interval: 100 * second, Pause: 10 * second, Write: 10 * second, Detection: 10 * second, Restart: 20 * second, Reload: 5 * second},
			listed{{At: 155 * second, Until: 255 * second, Planned: true}},
			10, 20, 265 + 20 + 5 + 60,
			map[Cause]sim.Time{Checkpoint: 20, LostWork: 5, Waiting: 100, Restarting: 20, Reloading: 5},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.recovery.Failures = &c.failures
			got, end, err := Fare(c.recovery, 0, Iteration{Time: c.iteration * second, Compute: c.iteration * second / 2}, c.iterations)
			if err != nil || end != c.end*second {
				t.Errorf("ends at %v (%v), want %v", end, err, c.end*second)
			}
			var want [NumCauses]sim.Time
			for cause, spent := range c.spent {
				want[cause] = spent * second
			}
			if got.Time != want {
				t.Errorf("time by cause %v, want %v", got.Time, want)
			}
		})
	}
}

// TestSlow: of iterations of 10 s that compute for 5 s, those that begin from 25 to 45 s
// with a host that takes twice as long take 15 s: at 30 s and, there being two slow ones
// from 40 s on, three times as long the slower, at 45 s one of 20 s; that of 65 s is not.
func TestSlow(t *testing.T) {
	slow := &both{slows: []Slow{{25 * second, 46 * second, 2}, {40 * second, 60 * second, 3}}}
	got, end, err := Fare(Recovery{Failures: slow}, 0, Iteration{Time: 10 * second, Compute: 5 * second}, 6)
	if err != nil || end != (30+15+20+10)*second {
		t.Errorf("ends at %v (%v)", end, err)
	}
	if got.Time[Slowed] != 15*second {
		t.Errorf("slow hosts cost %v", got.Time[Slowed])
	}
}

// Jumping over checkpoint cycles gives what iteration by iteration does.
func TestCourseTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, most int) sim.Time { return sim.Time(rapid.IntRange(0, most).Draw(t, name)) }
		r := Recovery{
			Interval: draw("interval", 300), Pause: draw("pause", 20), Detection: draw("detection", 10),
			Restart: draw("restart", 10), Reload: draw("reload", 10),
		}
		r.Write = r.Pause + draw("write", 60)*draw("asynchronous", 1)
		if rapid.Bool().Draw(t, "horizon") {
			r.Horizon = 1 + draw("horizon", 5000)
		}
		iteration, goal := 1+draw("iteration", 30), int64(1+draw("iterations", 200))
		var all listed
		now := sim.Time(0)
		for range draw("failures", 20) {
			now += draw("after", 600)
			all = append(all, Failure{At: now, Until: now + draw("away", 50), Planned: rapid.Bool().Draw(t, "planned")})
		}
		var slows []Slow
		now = 0
		for range draw("slows", 5) {
			now += draw("after", 600)
			slows = append(slows, Slow{From: now, Until: now + 1 + draw("lasts", 900), Factor: 1 + float64(draw("slower", 3))/2})
		}
		compute := iteration / 2
		r.Failures = &both{slices.Clone(all), slices.Clone(slows)}
		got, end, err := Fare(r, 0, Iteration{Time: iteration, Compute: compute}, goal)
		if err != nil {
			t.Fatal(err)
		}
		r.Failures = &both{all, slows}
		c, at, until := newCourse(r, 0), sim.Time(0), sim.Never
		if r.Horizon > 0 {
			until = r.Horizon
		}
		for c.done < goal {
			added, _ := c.pace(at, compute)
			if at+iteration+added > until && c.next.At >= until {
				break
			}
			at = c.iterated(at, at+iteration+added, added, goal)
		}
		if c.done < goal {
			at = until
		}
		if !reflect.DeepEqual(got, c.Outcome) || end != at {
			t.Fatalf("jumped: %+v at %v\nby iteration: %+v at %v", got, end, c.Outcome, at)
		}
		sum := sim.Time(goal) * iteration // and nothing is lost
		for _, spent := range got.Time {
			sum += spent
		}
		if c.done == goal && sum != end {
			t.Fatalf("the parts add up to %v of %v", sum, end)
		}
	})
}

// both are failures and slow hosts.
type both struct {
	listed
	slows []Slow
}

func (b *both) NextSlow() Slow {
	if len(b.slows) == 0 {
		return Slow{From: sim.Never}
	}
	s := b.slows[0]
	b.slows = b.slows[1:]
	return s
}

// poisson is failures at a rate.
type poisson struct {
	random *rand.Rand
	mean   float64
	now    float64
}

func (p *poisson) Next() Failure {
	p.now += p.mean * p.random.ExpFloat64()
	t := sim.FromSeconds(p.now)
	return Failure{At: t, Until: t}
}

func (*poisson) NextSlow() Slow { return Slow{From: sim.Never} }

// fraction is the productive share of so many days with a mean time between failures.
func fraction(t *testing.T, r Recovery, mean float64, days, seed sim.Time, iteration sim.Time) float64 {
	t.Helper()
	r.Failures = &poisson{rand.New(rand.NewPCG(uint64(seed), 0)), mean, 0}
	r.Horizon = days * 86400 * second
	o, end, err := Fare(r, 0, Iteration{Time: iteration}, math.MaxInt64/4)
	if err != nil {
		t.Fatal(err)
	}
	rest := end
	for _, spent := range o.Time {
		rest -= spent
	}
	return rest.Seconds() / end.Seconds()
}

// TestETTR: the expected effective training time ratio of Kokolis et al. (HPCA 2025,
// arXiv:2410.21680), with r failures a second of the whole job,
//
//	(1 - r (u + d/2)) / (1 + w/d),
//
// where failures are rare beside what one costs, and nothing else fails meanwhile.
func TestETTR(t *testing.T) {
	for _, c := range []struct {
		name                     string
		hosts, perDay            float64 // failures of a host
		restart, interval, write sim.Time
	}{
		{"RSC-1, 1,024 GPUs, hourly", 128, 6.5e-3, 300, 3600, 30},
		{"RSC-1, 2,048 GPUs, half-hourly", 256, 6.5e-3, 300, 1800, 20},
		{"RSC-2, 8,192 GPUs, ten minutes", 1024, 2.34e-3, 600, 600, 5},
		{"RSC-1, 16,384 GPUs, five minutes", 2048, 6.5e-3, 300, 300, 3},
	} {
		r := c.hosts * c.perDay / 86400
		u, d, w := float64(c.restart), float64(c.interval), float64(c.write)
		want := (1 - r*(u+d/2)) / (1 + w/d)
		got := 0.0
		const runs = 20
		for seed := range sim.Time(runs) {
			got += fraction(t, Recovery{Interval: c.interval * second, Pause: c.write * second, Write: c.write * second, Restart: c.restart * second}, 1/r, 300, seed, 10*second) / runs
		}
		if math.Abs(got/want-1) > 0.01 {
			t.Errorf("%s: %.4f, the closed form is %.4f", c.name, got, want)
		}
	}
}

// TestInterval: Daly's interval, by hand and found by trying others.
func TestInterval(t *testing.T) {
	// d = 2, M = 100: sqrt(400) (1 + sqrt(0.01) / 3 + 0.01 / 9) - 2.
	if got, want := Interval(2, 100), 20*(1+0.1/3+0.01/9)-2; math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Interval(300, 100); got != 100 {
		t.Errorf("with checkpoints longer than twice the time between failures %v, want that time", got)
	}
	// Young's is its limit where checkpoints are short.
	if got, young := Interval(1e-4, 1e4), math.Sqrt(2*1e-4*1e4); math.Abs(got/young-1) > 1e-3 {
		t.Errorf("%v, Young's is %v", got, young)
	}
	const checkpoint, between = 60, 3 * 3600
	at := func(interval float64) (mean float64) {
		for seed := range sim.Time(10) { // the same failures for all
			i := sim.FromSeconds(interval)
			mean += fraction(t, Recovery{Interval: i, Pause: checkpoint * second, Write: checkpoint * second, Restart: 300 * second}, between, 900, seed, second) / 10
		}
		return mean
	}
	auto := Interval(checkpoint, between)
	best, found := 0.0, 0.0
	for factor := 0.5; factor < 2.01; factor *= 1.09 {
		if f := at(auto * factor); f > best {
			best, found = f, auto*factor
		}
	}
	if math.Abs(found/auto-1) > 0.2 { // the optimum is flat
		t.Errorf("the best interval of a sweep is %.0f s, Daly's %.0f s", found, auto)
	}
	if got := at(auto); got < best-3e-4 {
		t.Errorf("Daly's interval gives %.5f, the best %.5f", got, best)
	}
}

// A job that cannot go on says why.
func TestCourseStuck(t *testing.T) {
	all := listed{{At: 5 * second, Until: sim.Never}}
	_, _, err := Fare(Recovery{Failures: &all}, 0, Iteration{Time: second}, 10)
	if err == nil || !strings.Contains(err.Error(), "never repaired") {
		t.Errorf("%v", err)
	}
	_, _, err = Fare(Recovery{Failures: &poisson{rand.New(rand.NewPCG(1, 0)), 1, 0}, Restart: second}, 0, Iteration{Time: 1000 * second}, 10)
	if err == nil || !strings.Contains(err.Error(), "before any work is saved") {
		t.Errorf("%v", err)
	}
}
