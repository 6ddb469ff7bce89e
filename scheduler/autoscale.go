package scheduler

import (
	"math"
	"slices"

	"github.com/railyard/railyard/units"
)

// Autoscaling is how many replicas a model is to have, as the Horizontal Pod Autoscaler
// of Kubernetes decides it (autoscaling/v2; the page "Horizontal Pod Autoscaling" of its
// documentation): at every sync
//
//	desired = ceil(current x metric / target)
//
// of the mean of a metric over the replicas, unless metric / target is within Tolerance
// of one; then what the scaling rules of its direction leave of the change.
type Autoscaling struct {
	Min, Max  int // replicas; at a Min of 0, see [Autoscaler.Activate]
	Target    float64
	Tolerance float64
	Up, Down  ScalingRules
	// Cooldown is how long nothing is to do before the last replica goes, at a Min of 0.
	Cooldown units.Duration
}

// ScalingRules hold scaling in one direction back.
type ScalingRules struct {
	// Window is for how long recommendations count: the lowest of it scales up, the
	// highest down.
	Window   units.Duration
	Policies []ScalingPolicy
	Select   PolicySelect
}

// ScalingPolicy is a change that is allowed within a period: so many replicas, or so
// many percent of those that there were at its start.
type ScalingPolicy struct {
	Percent bool
	Value   int
	Period  units.Duration
}

// PolicySelect says which of several policies holds.
type PolicySelect uint8

// The selections.
const (
	MostChange  PolicySelect = iota // the one that allows most
	LeastChange                     // the one that allows least
	NoChange                        // none: nothing changes in this direction
)

var selectNames = [...]string{"max", "min", "disabled"}

// ParsePolicySelect finds a selection by its name.
func ParsePolicySelect(name string) (p PolicySelect, ok bool) {
	i := slices.Index(selectNames[:], name)
	return PolicySelect(max(i, 0)), i >= 0
}

// Observed is what an autoscaler sees of the replicas: the sum of the metric over those
// that are Ready. Those that are not scheduled, or pull their image, are Unready; those
// that run and have no metric yet are Missing.
type Observed struct {
	Sum                     float64
	Ready, Unready, Missing int
}

// nearly is what two metrics may differ by and be the same: 1.1 x 10 is 11, whatever its
// last digit in binary.
const nearly = 1e-9

// Recommend is how many replicas the metric asks for. Where replicas are not ready or
// have no metric, these are taken to have none of it if that scales up; those without a
// metric to be at the target if it scales down. A change that this turns around, or
// brings within the tolerance, is not made.
func (a *Autoscaling) Recommend(current int, seen Observed) int {
	if seen.Ready == 0 {
		return current
	}
	within := func(ratio float64) bool { return math.Abs(1-ratio) <= a.Tolerance+nearly }
	count := func(sum float64) int {
		x := sum / a.Target
		return int(math.Ceil(min(x-nearly*x, math.MaxInt32)))
	}
	ratio := seen.Sum / float64(seen.Ready) / a.Target
	dampened := seen.Unready > 0 && ratio > 1
	if !dampened && seen.Missing == 0 {
		if within(ratio) {
			return current
		}
		return count(seen.Sum)
	}
	sum, pods := seen.Sum, seen.Ready+seen.Missing
	if ratio < 1 {
		sum += a.Target * float64(seen.Missing)
	}
	if dampened {
		pods += seen.Unready
	}
	again := sum / float64(pods) / a.Target
	if within(again) || ratio < 1 && again > 1 || ratio > 1 && again < 1 {
		return current
	}
	desired := count(sum)
	if again < 1 && desired > current || again > 1 && desired < current {
		return current
	}
	return desired
}

// Autoscaler decides from one sync to the next. It remembers what it recommended and
// changed.
type Autoscaler struct {
	Autoscaling
	began           bool
	lowest, highest []dated // recommendations of the windows that may yet be the lowest, the highest
	changed         []dated // after each change, replicas that have come in all less those that went
	active          units.Duration
}

// dated is a number of replicas at a time.
type dated struct {
	at    units.Duration
	count int
}

// NewAutoscaler gives one that has seen nothing.
func NewAutoscaler(a Autoscaling) *Autoscaler { return &Autoscaler{Autoscaling: a} }

// Decide gives the replicas that there are to be, at a time, with what the metric
// recommends. Nothing is decided where there are none; see Activate.
func (a *Autoscaler) Decide(now units.Duration, current int, seen Observed) (recommended, replicas int) {
	least := max(1, a.Min)
	if !a.began { // what there was counts as recommended
		a.began = true
		a.recommend(now, current)
	}
	switch {
	case current == 0:
		return 0, 0
	case current > a.Max:
		recommended, replicas = a.Max, a.Max
	case current < least:
		recommended, replicas = least, least
	default:
		recommended = a.Recommend(current, seen)
		replicas = a.limit(now, current, a.stabilize(now, current, recommended), least)
	}
	a.note(now, replicas-current)
	return recommended, replicas
}

// Activate gives the replicas where a model may have none, as KEDA does (kedacore/keda,
// ScaledObject): the first comes as soon as somebody asks for anything, the last goes
// once nobody has for the time of the cooldown.
func (a *Autoscaler) Activate(now units.Duration, current int, wanted bool) (replicas int) {
	replicas = current
	switch {
	case wanted:
		a.active = now
		replicas = max(1, current)
	case a.Min == 0 && now-a.active > a.Cooldown:
		replicas = 0
	}
	a.note(now, replicas-current)
	return replicas
}

// note remembers a change.
func (a *Autoscaler) note(now units.Duration, change int) {
	if change == 0 {
		return
	}
	longest := units.Duration(0)
	for _, r := range []ScalingRules{a.Up, a.Down} {
		for _, p := range r.Policies {
			longest = max(longest, p.Period)
		}
	}
	if n := len(a.changed); n > 0 {
		change += a.changed[n-1].count
	}
	// The last before the longest period stays: what came within it is the difference.
	first := max(0, after(a.changed, now-longest)-1)
	a.changed = append(dropped(a.changed, first), dated{now, change})
}

// came is how many replicas have come since a time, less those that went.
func (a *Autoscaler) came(since units.Duration) int {
	n := len(a.changed)
	i := after(a.changed, since)
	switch {
	case i == n:
		return 0
	case i == 0:
		return a.changed[n-1].count
	}
	return a.changed[n-1].count - a.changed[i-1].count
}

// after is the first of some, in their order, that is after a time.
func after(all []dated, at units.Duration) int {
	i, _ := slices.BinarySearchFunc(all, at, func(d dated, at units.Duration) int {
		if d.at > at {
			return 1
		}
		return -1
	})
	return i
}

// dropped leaves the first of some out. O(1) amortized: they are moved when they are as many
// as those that stay.
func dropped(all []dated, first int) []dated {
	if first*2 < len(all) {
		return all
	}
	return slices.Delete(all, 0, first)
}

// recommend remembers a recommendation. One that is not lower than a later one will not be
// the lowest of a window any more, one that is not higher not the highest.
func (a *Autoscaler) recommend(now units.Duration, count int) {
	for n := len(a.lowest); n > 0 && a.lowest[n-1].count >= count; n-- {
		a.lowest = a.lowest[:n-1]
	}
	for n := len(a.highest); n > 0 && a.highest[n-1].count <= count; n-- {
		a.highest = a.highest[:n-1]
	}
	a.lowest, a.highest = append(a.lowest, dated{now, count}), append(a.highest, dated{now, count})
}

// stabilize keeps to the recommendations of the windows: to the first that is left of each.
func (a *Autoscaler) stabilize(now units.Duration, current, desired int) int {
	a.recommend(now, desired)
	low, high := after(a.lowest, now-a.Up.Window), after(a.highest, now-a.Down.Window)
	up, down := desired, desired
	if low < len(a.lowest) {
		up = a.lowest[low].count
	}
	if high < len(a.highest) {
		down = a.highest[high].count
	}
	a.lowest, a.highest = dropped(a.lowest, low), dropped(a.highest, high)
	return min(max(current, up), down)
}

// limit keeps to the policies, and to the least and the most replicas.
func (a *Autoscaler) limit(now units.Duration, current, desired, least int) int {
	switch {
	case desired > current:
		return min(desired, a.Max, max(current, a.reach(now, current, &a.Up, 1)))
	case desired < current:
		return max(desired, least, min(current, a.reach(now, current, &a.Down, -1)))
	}
	return desired
}

// reach is as far as the rules of a direction let the replicas go.
func (a *Autoscaler) reach(now units.Duration, current int, rules *ScalingRules, direction int) int {
	if rules.Select == NoChange || len(rules.Policies) == 0 {
		return current
	}
	change, first := 0, true
	for _, p := range rules.Policies {
		began := current - a.came(now-p.Period)
		allowed := p.Value
		if p.Percent { // rounded up: else few replicas would never scale
			allowed = (began*p.Value + 99) / 100
		}
		if to := direction*(began-current) + allowed; first || (rules.Select == MostChange) == (to > change) {
			change, first = to, false
		}
	}
	return current + direction*change
}
