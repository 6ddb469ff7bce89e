package scheduler

import (
	"fmt"
	"slices"

	"github.com/railyard/railyard/units"
)

// Policy says who runs next. See the package's description for what each does.
type Policy struct {
	// Name is one of Policies; "" is "fifo".
	Name string
	// LASLimits are the attained services at which a job falls to the next queue
	// of las, in accelerator-seconds, or in seconds if LASByTime. They must rise.
	LASLimits []float64
	LASByTime bool
	// PreemptionCost is the time that a job which was stopped has to run in
	// addition.
	PreemptionCost units.Duration
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
	{"srtf", func(Policy) discipline { return newPreemptive(shortest{}) }},
	{"srsf", func(Policy) discipline { return newPreemptive(leastService{}) }},
	{"las", func(p Policy) discipline { return newPreemptive(newLAS(p)) }},
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
	case p.Name != "" && !slices.Contains(Policies(), p.Name):
		return fmt.Errorf("scheduler: unknown policy %q", p.Name)
	case !slices.IsSorted(p.LASLimits):
		return fmt.Errorf("scheduler: limits of las must rise: %v", p.LASLimits)
	case len(p.LASLimits) > 0 && !(p.LASLimits[0] > 0):
		return fmt.Errorf("scheduler: a limit of las is %v; it must be more than 0", p.LASLimits[0])
	case len(p.LASLimits) > maxLevels:
		return fmt.Errorf("scheduler: las has %d limits; at most %d are taken", len(p.LASLimits), maxLevels)
	case p.PreemptionCost < 0:
		return fmt.Errorf("scheduler: a preemption costs %v", p.PreemptionCost)
	}
	return nil
}

func (p Policy) discipline() discipline {
	if err := p.Validate(); err != nil {
		panic(err.Error())
	}
	for _, known := range policies {
		if known.name == p.Name {
			return known.discipline(p)
		}
	}
	return policies[0].discipline(p)
}
