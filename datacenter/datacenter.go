// Package datacenter is a data centre that runs: a scenario built, replayed in virtual
// time, and what it did collected.
//
// [Run] does it in four steps.
//
//   - Build (build.go): what the scenario describes becomes a topology, with the power
//     that its parts draw, the drives and registries of its hosts, its keys and its
//     monitoring; on it a cluster is made, with the failures to come, and in it each
//     workload of the scenario becomes a job. What is wrong is gathered, all of it, with
//     the place in the file. [Check] ends here.
//   - Run: the engine handles events until none is left, or the horizon has come.
//   - Run again: what a job lost to others on links is the difference to a run with it
//     alone (contention.go), what it lost to failures that to a run without them
//     (faults.go). Only those who lost anything are run again.
//   - Collect (collect.go): ledgers of accelerators, counters of links and logs of jobs
//     become the summary and the tables, and of them energy, carbon and cost.
//
// There is a file for each kind of workload, which builds its jobs and tells what they
// did; workloads.go lists them. The models themselves are below, in cluster, network and
// workload: this package knows what a scenario says of them, and they do not.
//
// Those who ask more than one run can tell begin with [Build] or [Trace].
package datacenter

import (
	"context"
	"errors"
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/record"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
)

// Options are how to run.
type Options struct {
	// Progress, if set, is called about every so many events with how far the
	// run has come.
	Progress func(Progress)
	// MaxEvents ends the run with an error; 0 means no limit.
	MaxEvents uint64
	// Warn, if set, is called once with each thing that was mended or left
	// out. The result has them too, but a run that cannot finish has none.
	Warn func(string)
	// SummaryOnly spares the tables and the utilization over time. What nothing
	// can disturb is then computed in one go, with fewer events and the same
	// summary otherwise.
	SummaryOnly bool
	// NoPeak, with SummaryOnly, leaves out the peak of power, for which the power over
	// time would have to be kept.
	NoPeak bool
	// Kernels, if set, are the constants of the time model in place of the
	// shipped ones, for whoever fits them. It is the one option that changes
	// results.
	Kernels *cluster.Kernels
	// StepCache, if set, keeps what steps of the first [[workload.serving]] cost, for runs
	// one after another that differ in replicas or demand. Results are the same without.
	StepCache *StepCache
	// Timeline, if set, has a timeline made of what happens.
	Timeline *record.Options
	// Usage has accelerators and network interfaces looked at one by one over time.
	Usage bool
}

// Progress is how far a run has come.
type Progress struct {
	Now     sim.Time // virtual time
	Events  uint64   // handled
	Pending int      // events to come
}

// Result is what a run found.
type Result struct {
	result.Results
	// Missed are the thresholds of the scenario that did not hold, in words.
	Missed []string
	// Warnings are what in the input was mended or left out, in words.
	Warnings []string
	// Timeline is what happened when, nil if none was asked for.
	Timeline *result.Timeline
	// Usage is the tables that Options.Usage asks for.
	Usage []*result.Table

	// TimelineInFolder has the timeline written into the folder of the results.
	TimelineInFolder bool
}

// Check does all of Run but the running: it reads the files that a scenario
// names, builds its topology and its jobs, and returns what is wrong as Faults.
func Check(s *scenario.Scenario) error {
	_, err := Build(s, Options{})
	return err
}

// Run replays a scenario. What is wrong with its input is returned as Faults; a
// run that cannot finish as *sim.DeadlockError or sim.ErrEventLimit. If ctx ends
// first, the result holds what was done until then, its status is "interrupted",
// and the error is ctx's. A run that reaches its horizon is no error.
func Run(ctx context.Context, s *scenario.Scenario, o Options) (*Result, error) {
	p, faults := build(s, o)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	var recorder *record.Recorder
	if o.Timeline != nil {
		recorder = record.New(p.cluster, o.Timeline, func(text string) { p.warnings = append(p.warnings, text) })
	}
	told := 0
	tell := func() {
		for ; told < len(p.warnings); told++ {
			if o.Warn != nil {
				o.Warn(p.warnings[told])
			}
		}
	}
	tell()
	p.engine.Horizon = sim.Time(s.Sim.Horizon.Value)
	err := p.run(ctx, o)
	p.replayWarnings()
	tell()
	if p.cluster.Err != nil && ctx.Err() == nil { // what then waits for ever is but a consequence
		err = p.cluster.Err
	}
	status := "done"
	switch {
	case errors.Is(err, sim.ErrHorizon):
		status, err = "horizon", nil
	case err != nil && ctx.Err() != nil:
		status = "interrupted"
	case err != nil:
		return nil, fmt.Errorf("the simulation could not finish: %w", err)
	}
	p.findLosses(ctx, o)
	p.runWithout(ctx, o)
	p.failureRuns(ctx)
	if cut := ctx.Err(); cut != nil && err == nil { // what these have run again may have ended too soon
		status, err = "interrupted", cut
	}
	r, problem := p.collect(status)
	if recorder != nil {
		r.Timeline, r.TimelineInFolder = p.timeline(recorder, r.Tables), o.Timeline.InFolder
	}
	if o.Usage {
		r.Usage = p.usage(p.engine.Now())
	}
	r.Warnings = p.warnings
	tell()
	return r, errors.Join(err, problem)
}

// run runs the engine, in pieces if somebody wants to see progress.
func (p *plant) run(ctx context.Context, o Options) error {
	const piece = 1 << 16
	for {
		p.engine.MaxEvents = o.MaxEvents
		if next := p.engine.Handled() + piece; o.Progress != nil && (o.MaxEvents == 0 || next < o.MaxEvents) {
			p.engine.MaxEvents = next
		}
		err := p.engine.Run(ctx)
		if !errors.Is(err, sim.ErrEventLimit) || p.engine.Handled() == o.MaxEvents {
			return err
		}
		o.Progress(Progress{p.engine.Now(), p.engine.Handled(), p.engine.Pending()})
	}
}
