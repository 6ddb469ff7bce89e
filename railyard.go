// Package railyard simulates AI data centres: a scenario in, and out of it
// training time, utilization and link contention, with the reasons.
//
// Load reads a scenario, Run replays it on an event queue in virtual time, and
// the [Result] holds the summary and the tables that `railyard run` writes. [Why]
// tells what bounds a training job, [Explain] what a metric or a key means. Policies
// and collectives of one's own come in by [Extensions]. The
// packages below are the parts: topology, network, collective, workload, cluster.
// Results depend on the scenario, its files, the seed and the version alone.
package railyard

import (
	"context"
	"errors"
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
)

// Scenario is a scenario that has been read and found to be well-formed.
type Scenario = scenario.Scenario

// Faults is everything wrong with a scenario or its files, as an error.
type Faults = scenario.Faults

// Extensions are policies and collectives of a program's own. A scenario that is loaded
// with them may call them by their names.
type Extensions = scenario.Extensions

// Load reads a scenario from a file, or from standard input if path is "-".
// Each override is a "key=value" as `railyard run --set` takes it. What is wrong
// with the scenario is returned as Faults.
func Load(path string, overrides ...string) (*Scenario, error) {
	return Extensions{}.Load(path, overrides...)
}

// ReadText reads the text of a scenario from a file, or from standard input if
// path is "-".
func ReadText(path string) ([]byte, error) { return scenario.ReadText(path) }

// Parse is [Load] with the text at hand. Paths in it are relative to the folder
// of path.
func Parse(path string, text []byte, overrides ...string) (*Scenario, error) {
	return Extensions{}.Parse(path, text, overrides...)
}

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
	// StepCosts, if set, keeps what steps of the first [[workload.serving]] cost, for runs
	// one after another that differ in replicas or demand. Results are the same without.
	StepCosts *StepCosts
	// Timeline, if set, has a timeline made of what happens.
	Timeline *TimelineOptions
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

	timelineInFolder bool
}

// Check does all of Run but the running: it reads the files that a scenario
// names, builds its topology and its jobs, and returns what is wrong as Faults.
func Check(s *Scenario) error {
	_, faults := build(s, Options{})
	return faults.Err()
}

// Run replays a scenario. What is wrong with its input is returned as Faults; a
// run that cannot finish as *sim.DeadlockError or sim.ErrEventLimit. If ctx ends
// first, the result holds what was done until then, its status is "interrupted",
// and the error is ctx's. A run that reaches its horizon is no error.
func Run(ctx context.Context, s *Scenario, o Options) (*Result, error) {
	p, faults := build(s, o)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	var record *recorder
	if o.Timeline != nil {
		record = p.record(o.Timeline)
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
	if cut := ctx.Err(); cut != nil && err == nil { // what these have run again may have ended too soon
		status, err = "interrupted", cut
	}
	r, problem := p.collect(status, o.SummaryOnly)
	if record != nil {
		r.Timeline, r.timelineInFolder = record.timeline(p, r.Tables), o.Timeline.InFolder
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
