package scheduler

import (
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/units"
)

// Policy says who runs next. See the package's description for what each does.
type Policy struct {
	// Name is one of Policies; "" is "fifo".
	Name string
	// Decider, if set, decides in place of a policy of that name.
	Decider Decider
	// LASLimits are the attained services at which a job falls to the next queue
	// of las, in accelerator-seconds, or in seconds if LASByTime. They must rise.
	LASLimits []float64
	LASByTime bool
	// Services are a sample of what jobs need, in accelerator-seconds, from which
	// gittins learns their distribution.
	Services []float64
	// Lease is for how long finish-time-fairness and max-min leave a job its
	// accelerators, and how long a round of gavel lasts.
	Lease units.Duration
	// Preemption is what becomes of jobs that are stopped, PreemptionCost the time
	// that a suspended one has to run in addition.
	Preemption     Preemption
	PreemptionCost units.Duration
	// Groups are those that share the accelerators.
	// HalfLife is the time after which fair-share counts use half; 0 counts it all.
	Groups   []Group
	HalfLife units.Duration
	// Capacity is the CPUs and the memory of the cluster, for drf; what it has 0 of is
	// never short. How many accelerators there are NewQueue is told.
	Capacity Resources
	// Types is how many accelerators there are of each type, which gavel tells apart; nil
	// is one type.
	Types []int
}

// Preemption is what becomes of a job that is stopped.
type Preemption int

// Ways of preemption. With NoPreemption jobs run to their end once they have begun;
// policies that are preemptive by nature refuse it.
const (
	Suspend Preemption = iota // it goes on where it was
	Requeue                   // it begins anew
	Cancel                    // it is given up
	NoPreemption
)

// preemptions are their names, in order.
var preemptions = []string{"suspend", "requeue", "cancel", "none"}

// Preemptions are the names of all ways of preemption.
func Preemptions() []string { return slices.Clone(preemptions) }

// ParsePreemption finds a way of preemption by its name.
func ParsePreemption(name string) (Preemption, error) {
	if i := slices.Index(preemptions, name); i >= 0 {
		return Preemption(i), nil
	}
	return 0, fmt.Errorf("scheduler: unknown preemption %q", name)
}

// Group is who shares the accelerators with others.
type Group struct {
	Name string
	// Weight of the group's share, more than 0.
	Weight float64
	// Quota is how many accelerators are its own, Limit how many it may hold, with
	// those that it borrows; 0 is no limit.
	Quota, Limit int
}

// policies are all that there are, by name.
var policies = []struct {
	name       string
	discipline func(Policy) discipline
}{
	{"fifo", func(Policy) discipline { return &greedy{order: byArrival, strict: true} }},
	{"fifo-skip", func(Policy) discipline { return &greedy{order: byArrival} }},
	{"sjf", func(Policy) discipline { return &greedy{order: byEstimate, strict: true} }},
	{"sjf-skip", func(Policy) discipline { return &greedy{order: byEstimate} }},
	{"easy-backfill", func(Policy) discipline { return newEASY() }},
	{"conservative-backfill", func(Policy) discipline { return &conservative{} }},
	{"srtf", func(Policy) discipline { return newPreemptive(&shortest{}) }},
	{"srsf", func(Policy) discipline { return newPreemptive(&leastService{}) }},
	{"las", func(p Policy) discipline { return newPreemptive(newLAS(p)) }},
	{"gittins", func(p Policy) discipline { return newPreemptive(newGittins(p)) }},
	{"finish-time-fairness", func(p Policy) discipline { return newLeases(p, unfair) }},
	{"max-min", func(p Policy) discipline { return newLeases(p, without) }},
	{"gavel", func(p Policy) discipline { return newGavel(p) }},
	{"priority", func(p Policy) discipline {
		if p.Preemption == NoPreemption {
			return &greedy{order: byPriority}
		}
		return newPreemptive(fixed(byPriority))
	}},
	{"elastic", func(Policy) discipline { return &elastic{} }},
	{"fair-share", func(p Policy) discipline { return newShares(p, byArrival) }},
	{"drf", func(p Policy) discipline { return newShares(p, byArrival) }},
}

// quotas are the policies that can keep quotas, and how they order the jobs of a
// group.
var quotas = map[string]order{
	"fifo-skip": byArrival, "sjf-skip": byEstimate, "priority": byPriority, "fair-share": byArrival, "drf": byArrival,
}

// KeepsQuotas says whether a policy can keep the quotas of groups.
func KeepsQuotas(policy string) bool { return quotas[policy] != nil }

// Preempts says whether a policy is preemptive by nature.
func Preempts(policy string) bool {
	return slices.Contains([]string{"srtf", "srsf", "las", "gittins", "finish-time-fairness", "max-min", "gavel", "elastic"}, policy)
}

// Stops says whether a policy may take its accelerators from a running job.
func (p Policy) Stops() bool {
	return p.Preemption != NoPreemption && (p.Decider != nil || Preempts(p.Name) || p.Name == "priority" || p.limited())
}

// Leases says whether a policy gives accelerators for a lease.
func Leases(policy string) bool {
	return slices.Contains([]string{"finish-time-fairness", "max-min", "gavel"}, policy)
}

// Redivides says whether a job that ends changes what others have although nobody
// waits.
func (p Policy) Redivides() bool { return p.Name == "elastic" || p.Name == "gavel" && len(p.Types) > 1 }

// limited says whether any group has a quota or a limit.
func (p Policy) limited() bool {
	return slices.ContainsFunc(p.Groups, func(g Group) bool { return g.Quota > 0 || g.Limit > 0 })
}

// Policies are the names of all policies.
func Policies() []string {
	var names []string
	for _, p := range policies {
		names = append(names, p.name)
	}
	return names
}

// Validate says what is wrong with a policy.
func (p Policy) Validate() error {
	switch {
	case p.Decider == nil && p.Name != "" && !slices.Contains(Policies(), p.Name):
		return fmt.Errorf("scheduler: unknown policy %q", p.Name)
	case !slices.IsSorted(p.LASLimits):
		return fmt.Errorf("scheduler: limits of las must rise: %v", p.LASLimits)
	case len(p.LASLimits) > 0 && !(p.LASLimits[0] > 0):
		return fmt.Errorf("scheduler: a limit of las is %v; it must be more than 0", p.LASLimits[0])
	case len(p.LASLimits) > maxLevels:
		return fmt.Errorf("scheduler: las has %d limits; at most %d are taken", len(p.LASLimits), maxLevels)
	case p.PreemptionCost < 0:
		return fmt.Errorf("scheduler: a preemption costs %v", p.PreemptionCost)
	case p.Preemption == NoPreemption && Preempts(p.Name):
		return fmt.Errorf("scheduler: %s is preemptive", p.Name)
	case p.Lease < 0 || p.Lease == 0 && Leases(p.Name):
		return fmt.Errorf("scheduler: a lease of %v", p.Lease)
	case p.Name == "elastic" && p.Preemption != Suspend:
		return fmt.Errorf("scheduler: elastic suspends jobs to resize them; preemption is %s", preemptions[p.Preemption])
	case Leases(p.Name) && (p.Preemption == Requeue || p.PreemptionCost >= p.Lease):
		return fmt.Errorf("scheduler: jobs that lose in a preemption what a lease of %v gives never end", p.Lease)
	case p.limited() && !KeepsQuotas(p.Name):
		return fmt.Errorf("scheduler: %s keeps no quotas", p.Name)
	case p.HalfLife < 0:
		return fmt.Errorf("scheduler: the half-life is %v", p.HalfLife)
	case p.Capacity.negative():
		return fmt.Errorf("scheduler: the cluster has %+v", p.Capacity)
	}
	for _, g := range p.Groups {
		if !(g.Weight > 0) || math.IsInf(g.Weight, 0) || g.Quota < 0 || g.Limit < 0 || g.Limit > 0 && g.Limit < g.Quota {
			return fmt.Errorf("scheduler: group %q has weight %v, quota %d and limit %d", g.Name, g.Weight, g.Quota, g.Limit)
		}
	}
	return nil
}

func (p Policy) discipline() discipline {
	if err := p.Validate(); err != nil {
		panic(err.Error())
	}
	if p.Decider != nil {
		return &own{decider: p.Decider}
	}
	if p.limited() {
		return newShares(p, quotas[p.Name])
	}
	for _, known := range policies {
		if known.name == p.Name {
			return known.discipline(p)
		}
	}
	return policies[0].discipline(p)
}
