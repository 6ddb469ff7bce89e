package scheduler_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/units"
)

// kubernetes are the defaults of the documentation: a scale-down window of 300 s, all
// replicas a 15 s down; the higher of all and 4 up.
func kubernetes(target float64, least, most int) scheduler.Autoscaling {
	all := scheduler.ScalingPolicy{Percent: true, Value: 100, Period: 15 * second}
	return scheduler.Autoscaling{
		Min: least, Max: most, Target: target, Tolerance: 0.1,
		Up:   scheduler.ScalingRules{Policies: []scheduler.ScalingPolicy{all, {Value: 4, Period: 15 * second}}},
		Down: scheduler.ScalingRules{Window: 300 * second, Policies: []scheduler.ScalingPolicy{all}},
	}
}

// The examples of the documentation ("Algorithm details"), and what it says of
// tolerance, replicas that are not ready and metrics that are missing.
func TestRecommend(t *testing.T) {
	for _, c := range []struct {
		name    string
		target  float64
		current int
		seen    scheduler.Observed
		want    int
	}{
		{"200m of 100m doubles", 100, 3, scheduler.Observed{Sum: 3 * 200, Ready: 3}, 6},
		{"50m of 100m halves", 100, 4, scheduler.Observed{Sum: 4 * 50, Ready: 4}, 2},
		{"rounded up", 100, 3, scheduler.Observed{Sum: 3 * 50, Ready: 3}, 2},
		{"1.1 is within the tolerance", 10, 10, scheduler.Observed{Sum: 110, Ready: 10}, 10},
		{"0.9 is within the tolerance", 10, 10, scheduler.Observed{Sum: 90, Ready: 10}, 10},
		{"1.11 is not", 10, 10, scheduler.Observed{Sum: 111, Ready: 10}, 12},
		{"whole numbers stay whole", 0.1, 10, scheduler.Observed{Sum: 10 * 0.3, Ready: 10}, 30},
		{"nothing to do", 10, 4, scheduler.Observed{Ready: 4}, 0},
		{"no metric at all", 10, 4, scheduler.Observed{Missing: 4}, 4},
		// Two at twice the target ask for 4, and two are coming: 40 / 4 is the target.
		{"those to come count nothing on the way up", 10, 4, scheduler.Observed{Sum: 40, Ready: 2, Unready: 2}, 4},
		{"three times the target still scales up", 10, 4, scheduler.Observed{Sum: 60, Ready: 2, Unready: 2}, 6},
		{"those to come are set aside on the way down", 10, 4, scheduler.Observed{Sum: 10, Ready: 2, Unready: 2}, 1},
		{"without a metric: at the target on the way down", 10, 4, scheduler.Observed{Sum: 10, Ready: 2, Missing: 2}, 3},
		{"without a metric: nothing on the way up", 10, 4, scheduler.Observed{Sum: 60, Ready: 2, Missing: 2}, 6},
		{"turned around", 10, 4, scheduler.Observed{Sum: 24, Ready: 2, Missing: 2}, 4},
	} {
		a := kubernetes(c.target, 1, 100)
		if got := a.Recommend(c.current, c.seen); got != c.want {
			t.Errorf("%s: %d replicas, want %d", c.name, got, c.want)
		}
	}
}

// follow decides every 15 s with a metric of each replica, as long as it is given.
func follow(a scheduler.Autoscaling, current int, metrics ...float64) (all []int) {
	x := scheduler.NewAutoscaler(a)
	for i, m := range metrics {
		_, current = x.Decide(units.Duration(i)*15*second, current, scheduler.Observed{Sum: m * float64(current), Ready: current})
		all = append(all, current)
	}
	return all
}

func repeated(m float64, n int) []float64 { return slices.Repeat([]float64{m}, n) }

// "Scaling policies": from 80 replicas to 10, with 4 pods or 10 percent a minute. The
// first step takes 8, the next 7.2 rounded up to 8; below 40 it is 4 at a time.
func TestScalingPolicies(t *testing.T) {
	a := kubernetes(100, 10, 100)
	a.Down = scheduler.ScalingRules{Policies: []scheduler.ScalingPolicy{{Value: 4, Period: 60 * second}, {Percent: true, Value: 10, Period: 60 * second}}}
	x := scheduler.NewAutoscaler(a)
	current, got := 80, []int{}
	for i := range 60 {
		// The metric asks for 10 at any time.
		if _, next := x.Decide(units.Duration(i)*15*second, current, scheduler.Observed{Sum: 10 * 100, Ready: current}); next != current {
			if i%4 != 0 {
				t.Errorf("a change after %d s, policies are by the minute", 15*i)
			}
			current = next
			got = append(got, current)
		}
	}
	if want := []int{72, 64, 57, 51, 45, 40, 36, 32, 28, 24, 20, 16, 12, 10}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestScalingBehaviour(t *testing.T) {
	with := func(change func(a *scheduler.Autoscaling)) scheduler.Autoscaling {
		a := kubernetes(100, 1, 50)
		change(&a)
		return a
	}
	five := scheduler.ScalingPolicy{Value: 5, Period: 60 * second}
	tenth := scheduler.ScalingPolicy{Percent: true, Value: 10, Period: 60 * second}
	for _, c := range []struct {
		name  string
		a     scheduler.Autoscaling
		from  int
		load  []float64
		count []int
	}{
		// 100 percent or 4 pods every 15 s: 1 + 4, then twice as many.
		{"default up", kubernetes(100, 1, 50), 1, repeated(1e6, 5), []int{5, 10, 20, 40, 50}},
		// The replicas at the start count as recommended for 300 s.
		{"default down", kubernetes(100, 2, 50), 8, repeated(1, 21), append(slices.Repeat([]int{8}, 20), 2)},
		{"window up", with(func(a *scheduler.Autoscaling) { a.Up.Window = 30 * second }), 4, repeated(200, 4), []int{4, 4, 8, 8}},
		{
			"window of a minute down", with(func(a *scheduler.Autoscaling) { a.Down.Window = 60 * second }), 4,
			[]float64{100, 50, 50, 50, 50, 50},
			[]int{4, 4, 4, 4, 2, 2},
		},
		{"ten percent a minute", with(func(a *scheduler.Autoscaling) {
			a.Down = scheduler.ScalingRules{Policies: []scheduler.ScalingPolicy{tenth}}
		}), 40, repeated(1, 5), []int{36, 36, 36, 36, 32}},
		{"the least of ten percent and five", with(func(a *scheduler.Autoscaling) {
			a.Max = 100
			a.Down = scheduler.ScalingRules{Policies: []scheduler.ScalingPolicy{tenth, five}, Select: scheduler.LeastChange}
		}), 80, repeated(1, 5), []int{75, 75, 75, 75, 70}},
		{"disabled", with(func(a *scheduler.Autoscaling) { a.Down.Window, a.Down.Select = 0, scheduler.NoChange }), 8, repeated(1, 3), []int{8, 8, 8}},
		{"above the most", kubernetes(100, 1, 5), 8, repeated(100, 1), []int{5}},
		{"below the least", kubernetes(100, 3, 5), 1, repeated(1, 1), []int{3}},
	} {
		if got := follow(c.a, c.from, c.load...); !slices.Equal(got, c.count) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.count)
		}
	}
}

// A model that may have no replica gets its first as soon as somebody asks, and loses
// its last after the cooldown.
func TestActivate(t *testing.T) {
	a := kubernetes(100, 0, 5)
	a.Cooldown = 300 * second
	x := scheduler.NewAutoscaler(a)
	for _, c := range []struct {
		at      units.Duration
		current int
		wanted  bool
		want    int
	}{{0, 0, false, 0}, {30, 0, true, 1}, {60, 1, true, 1}, {360, 1, false, 1}, {361, 2, false, 0}} {
		if got := x.Activate(c.at*second, c.current, c.wanted); got != c.want {
			t.Errorf("after %d s: %d replicas, want %d", c.at, got, c.want)
		}
	}
	if _, got := x.Decide(400*second, 0, scheduler.Observed{Unready: 1}); got != 0 {
		t.Errorf("of none the metric makes %d", got)
	}
}

// Whatever the metric: without windows and policies in the way the replicas are those of
// the documented formula, within the least and the most.
func TestDecideIsTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := kubernetes(float64(rapid.IntRange(1, 100).Draw(t, "target")), rapid.IntRange(1, 5).Draw(t, "min"), rapid.IntRange(5, 50).Draw(t, "max"))
		a.Up.Policies, a.Down.Policies = []scheduler.ScalingPolicy{{Value: 1000, Period: second}}, []scheduler.ScalingPolicy{{Value: 1000, Period: second}}
		a.Down.Window = 0
		x := scheduler.NewAutoscaler(a)
		current := a.Min
		for i := range 20 {
			metric := rapid.IntRange(0, 300).Draw(t, "metric")
			want := current
			if ratio := float64(metric) / a.Target; ratio < 0.9-1e-12 || ratio > 1.1+1e-12 {
				// In whole numbers: ceil(current * metric / target).
				want = (current*metric + int(a.Target) - 1) / int(a.Target)
			}
			want = min(max(want, a.Min), a.Max)
			_, got := x.Decide(units.Duration(i)*15*second, current, scheduler.Observed{Sum: float64(metric * current), Ready: current})
			if got != want {
				t.Fatalf("%d replicas at %d of %v: %d, want %d", current, metric, math.Round(a.Target), got, want)
			}
			current = got
		}
	})
}

// plain is the rules of scaling over all that was recommended and changed.
type plain struct {
	scheduler.Autoscaling
	recommended, changed [][2]int // when, in seconds, and how many
}

func (p *plain) decide(now, current int, seen scheduler.Observed) int {
	if p.recommended == nil {
		p.recommended = append(p.recommended, [2]int{now, current})
	}
	desired := p.Recommend(current, seen)
	up, down := desired, desired
	for _, r := range p.recommended {
		if at := units.Duration(r[0]) * second; at > units.Duration(now)*second-p.Up.Window {
			up = min(up, r[1])
		}
		if at := units.Duration(r[0]) * second; at > units.Duration(now)*second-p.Down.Window {
			down = max(down, r[1])
		}
	}
	p.recommended = append(p.recommended, [2]int{now, desired})
	desired = min(max(current, up), down)
	rules, direction := p.Up, 1
	if desired < current {
		rules, direction = p.Down, -1
	}
	allowed := []int{}
	for _, x := range rules.Policies {
		began := current
		for _, c := range p.changed {
			if units.Duration(c[0])*second > units.Duration(now)*second-x.Period {
				began -= c[1]
			}
		}
		to := x.Value
		if x.Percent {
			to = (began*x.Value + 99) / 100
		}
		allowed = append(allowed, direction*(began-current)+to)
	}
	reach := 0
	switch rules.Select {
	case scheduler.MostChange:
		reach = slices.Max(allowed)
	case scheduler.LeastChange:
		reach = slices.Min(allowed)
	}
	to := current + direction*min(direction*(desired-current), max(0, reach))
	to = min(max(to, max(1, p.Min)), p.Max)
	p.changed = append(p.changed, [2]int{now, to - current})
	return to
}

// What is kept of recommendations and changes decides as all of them would.
func TestDecideLikeAllThatWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := func(name string) (r scheduler.ScalingRules) {
			r.Window = units.Duration(rapid.IntRange(0, 60).Draw(t, name+" window")) * second
			r.Select = scheduler.PolicySelect(rapid.IntRange(0, 2).Draw(t, name+" select"))
			for range rapid.IntRange(1, 3).Draw(t, name+" policies") {
				r.Policies = append(r.Policies, scheduler.ScalingPolicy{
					Percent: rapid.Bool().Draw(t, "percent"), Value: rapid.IntRange(1, 50).Draw(t, "value"), Period: units.Duration(rapid.IntRange(1, 60).Draw(t, "period")) * second,
				})
			}
			return r
		}
		a := scheduler.Autoscaling{Min: 1, Max: 50, Target: 10, Tolerance: 0.1, Up: rules("up"), Down: rules("down")}
		x, twin := scheduler.NewAutoscaler(a), &plain{Autoscaling: a}
		now, current := 0, rapid.IntRange(1, 50).Draw(t, "replicas")
		for range rapid.IntRange(1, 100).Draw(t, "decisions") {
			now += rapid.IntRange(1, 20).Draw(t, "after")
			seen := scheduler.Observed{Sum: float64(current * rapid.IntRange(0, 40).Draw(t, "metric")), Ready: current}
			_, got := x.Decide(units.Duration(now)*second, current, seen)
			if want := twin.decide(now, current, seen); got != want {
				t.Fatalf("after %d s %d replicas become %d, want %d", now, current, got, want)
			}
			current = got
		}
	})
}

// What is kept does not grow with what has been decided: a window of a year over a million
// decisions, up and down, takes no time.
func TestDecideLong(t *testing.T) {
	a := kubernetes(10, 1, 1000)
	a.Down.Window, a.Up.Window = 365*24*3600*second, 365*24*3600*second
	a.Down.Policies[0].Period, a.Up.Policies = 365*24*3600*second, a.Down.Policies
	x, current := scheduler.NewAutoscaler(a), 10
	for i := range 1_000_000 {
		_, current = x.Decide(units.Duration(i)*second, current, scheduler.Observed{Sum: float64(current * (5 + i%11)), Ready: current})
	}
	if current != 10 {
		t.Errorf("%d replicas, that of a year are to agree on any other number", current)
	}
}
