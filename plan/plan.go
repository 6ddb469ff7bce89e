// Package plan finds on what to train a model: which accelerators, how many, and how the
// model is shared among them ([Find]); and on what to serve one ([Deploy]).
//
// # What is searched
//
// A [Request] has a model, how much to train, limits, and where: data centres given as
// scenarios without their workload, or hosts of the catalogue on rails. For each kind of
// host the space is all ways to share the model that frameworks in use have:
//
//	tensor    divisors of the heads, within a host
//	pipeline  divisors of the layers, and powers of two
//	virtual   divisors of the layers of a stage, as interleaving allows
//	context   powers of two that leave 4,096 tokens of a sequence to a rank
//	expert    divisors of the experts
//	data      divisors of the global batch
//	micro     powers of two that divide what a replica has of the batch
//	zero      0 and 1 (Megatron-LM), 3 without stages (PyTorch FSDP)
//
// The number of accelerators is the product of the degrees, the number of hosts what
// holds them. Of what is computed again the least that fits in memory is taken: more
// only takes more time. With tensor parallelism goes sequence parallelism.
//
// # How it is searched
//
// The answer is the Pareto front of time, cost and energy: what no other choice beats in
// one of these without losing in another. Each choice has at first a bound, what its
// passes compute in the order that the pipeline imposes, communication being free; then a
// better one, an iteration without contention ([railyard.Ground]); and in the end the
// simulation, which is that of `railyard run` on its scenario. Since cost and energy do
// not fall with the time that passes, computation and communication take, bounds of
// time give bounds of both. A choice is dropped as soon as its bound breaks a limit, or a
// simulated choice is as good as the bound in everything: it can then only be worse. So
// nothing that is dropped would be on the front (branch and bound; Ehrgott and Gandibleux
// 2007, for several objectives). That a simulation with contention takes no less than one
// without is a property that is tested, not proven: where messages overlap, delays can in
// principle help (Graham 1969). Bounds are therefore lowered by a thousandth.
//
// Rounds of the search take a fixed part of what is left of every data centre, so the
// answer does not depend on how many workers there are.
//
// What it leaves out: jobs over several sites, hosts of several kinds in one job, the
// batch size itself, which decides how well a model learns, and what else a framework
// may vary.
package plan

import (
	"context"
	"runtime"

	"github.com/railyard/railyard/result"
)

// Options are how to search.
type Options struct {
	Workers int // at one time; 0 is one for each core
	// Progress, if set, is called after every round of the search, or for each deployment
	// that is simulated, one at a time.
	Progress func(Progress)
}

// Progress is how far a search has come.
type Progress struct {
	Tried, Simulated int
	Left             int // choices that may yet be on the front
}

// Plan is what a search found.
type Plan struct {
	result.Results
	// Scenarios are those of the points of the front, ready to run.
	Scenarios []Scenario
	// Warnings are what the reader should know of the input, in words.
	Warnings []string
}

// Scenario is a file to write: its name and its text.
type Scenario struct{ Name, Text string }

// Find searches. What is wrong with a scenario is returned as railyard.Faults, with the
// request as *InputError; where nothing meets the limits, *InfeasibleError says what
// comes nearest. If ctx ends first there is no plan.
func Find(ctx context.Context, r Request, o Options) (*Plan, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	s, err := newSearch(ctx, &r, o)
	if err != nil {
		return nil, err
	}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	if len(s.front) == 0 {
		return nil, s.nearest(ctx)
	}
	return s.report(ctx)
}
