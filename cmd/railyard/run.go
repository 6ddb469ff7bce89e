package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/sim"
)

func newRun() *cobra.Command {
	var out string
	var set []string
	var asJSON, quiet, verbose, compare bool
	var seed int64
	var maxEvents uint64
	cmd := &cobra.Command{
		Use:   "run SCENARIO|-",
		Short: "Run a scenario and print what it found",
		Long: `Run replays a scenario and prints a summary. With --out it writes summary.json,
a CSV table for each kind of thing that was simulated, and manifest.json.

Results depend on the scenario, its files, the seed and the version alone.`,
		Example: `  railyard run scenarios/quickstart.toml
  railyard run scenarios/quickstart.toml --set topology.hosts=16 --set workload.training.0.precision=tf32
  railyard run - --json < scenario.toml | jq '.training[0].iteration_s'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("seed") {
				set = append(set, fmt.Sprintf("sim.seed=%d", seed))
			}
			began := time.Now()
			s, err := railyard.Load(args[0], set...)
			if err != nil {
				return err
			}
			if compare {
				return compareFidelity(cmd, s, railyard.Options{MaxEvents: maxEvents}, asJSON)
			}
			talk := newTalk(cmd.ErrOrStderr(), quiet)
			r, err := railyard.Run(cmd.Context(), s, railyard.Options{Progress: talk.progress, MaxEvents: maxEvents, Warn: talk.warn})
			talk.clear()
			interrupted := errors.Is(err, context.Canceled)
			if r == nil {
				return unfinished(err)
			}
			if out != "" {
				if err := railyard.Write(out, s, r, host(began, r.Summary.Float("events"))); err != nil {
					return &failure{exitUnfinished, err}
				}
			}
			if asJSON {
				if err := report.WriteJSON(cmd.OutOrStdout(), r.Summary); err != nil {
					return &failure{exitInternal, err}
				}
			} else if !quiet {
				if err := report.Terminal(cmd.OutOrStdout(), r.Summary); err != nil {
					return &failure{exitInternal, err}
				}
			}
			if verbose {
				h := host(began, r.Summary.Float("events"))
				fmt.Fprintf(cmd.ErrOrStderr(), "wall %.3f s, CPU %.3f s, peak memory %d MB, %s events/s\n",
					h.WallTime, h.CPUTime, h.PeakMemory>>20, report.Count(h.EventsPerS))
			}
			switch {
			case interrupted:
				return &failure{exitInterrupted, errors.New("interrupted")}
			case err != nil:
				return unfinished(err)
			case len(r.Missed) > 0:
				return &failure{exitExpectation, missed(r.Missed)}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&out, "out", "o", "", "write results into this folder")
	f.StringArrayVar(&set, "set", nil, "set a key of the scenario: KEY=VALUE, as in topology.hosts=16; may be repeated")
	f.BoolVar(&asJSON, "json", false, "print summary.json instead of text")
	f.Int64Var(&seed, "seed", 1, "seed of all random streams, in place of the scenario's")
	f.Uint64Var(&maxEvents, "max-events", 0, "give up after so many events; 0 is no limit")
	f.BoolVarP(&quiet, "quiet", "q", false, "print nothing but errors (and JSON, if asked for)")
	f.BoolVarP(&verbose, "verbose", "v", false, "say how long the run took and how much memory")
	f.BoolVar(&compare, "compare-fidelity", false, "run it as a fluid and packet by packet, and print how far the times are apart")
	for _, other := range []string{"out", "quiet", "verbose"} {
		cmd.MarkFlagsMutuallyExclusive("compare-fidelity", other)
	}
	return cmd
}

// unfinished gives an error of Run its exit status.
func unfinished(err error) error {
	var faults railyard.Faults
	var deadlock *sim.DeadlockError
	var failed *cluster.JobError
	switch {
	case errors.As(err, &faults):
		return &failure{exitInput, err}
	case errors.Is(err, context.Canceled):
		return &failure{exitInterrupted, errors.New("interrupted before the run had begun")}
	case errors.As(err, &deadlock), errors.As(err, &failed), errors.Is(err, sim.ErrEventLimit):
		return &failure{exitUnfinished, err}
	}
	return &failure{exitInternal, err}
}

func missed(all []string) error {
	var errs []error
	for _, m := range all {
		errs = append(errs, errors.New("expectation missed: "+m))
	}
	return errors.Join(errs...)
}

func newCheck() *cobra.Command {
	var set []string
	cmd := &cobra.Command{
		Use:   "check SCENARIO...",
		Short: "Check scenarios without running them",
		Long: `Check reads scenarios and the files they name, builds their topologies and jobs,
and prints everything that is wrong, one line each: file:line:col: message.`,
		Example: `  railyard check scenarios/*.toml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var all []error
			for _, path := range args {
				s, err := railyard.Load(path, set...)
				if err == nil {
					err = railyard.Check(s)
				}
				if err != nil {
					all = append(all, err)
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", path)
			}
			if len(all) > 0 {
				return &failure{exitInput, errors.Join(all...)}
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, "set a key of the scenarios: KEY=VALUE; may be repeated")
	return cmd
}

func newPlot() *cobra.Command {
	var o report.PlotOptions
	cmd := &cobra.Command{
		Use:   "plot DIR",
		Short: "Draw the results in a folder",
		Long: `Plot draws what the tables of a results folder allow: utilization of the
accelerators over time, utilization of the links over time and of the whole network,
what the most contended link carried and what was wanted of it, bus bandwidth against
message size; of a queue of jobs, who had which accelerators when, how many waited,
and the distribution of completion times; of inference, queues, caches and replicas
over time and the distribution of latencies; of a sweep of it, latency against
throughput. It prints the files that it wrote.`,
		Example: `  railyard run scenarios/quickstart.toml --out results && railyard plot results
  railyard plot fifo --with srtf,las`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := report.Plot(args[0], o)
			for _, f := range files {
				fmt.Fprintln(cmd.OutOrStdout(), f)
			}
			if err != nil {
				return &failure{exitInput, err}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&o.Out, "out", "o", "", "write pictures into this folder (default DIR)")
	cmd.Flags().IntVar(&o.Links, "links", 0, "draw so many of the hottest links (default: up to 64)")
	cmd.Flags().StringSliceVar(&o.With, "with", nil, "compare the completion times of jobs with those in these folders")
	cmd.Flags().StringSliceVar(&o.Formats, "format", []string{"png", "svg"}, "formats to write: png, svg")
	return cmd
}

// host describes this machine and what the run has cost so far.
func host(began time.Time, events float64) report.Host {
	h := hostResources()
	h.Name, _ = os.Hostname()
	h.Command = os.Args
	h.Started = began.UTC().Format(time.RFC3339)
	h.WallTime = time.Since(began).Seconds()
	if h.WallTime > 0 {
		h.EventsPerS = events / h.WallTime
	}
	return h
}
