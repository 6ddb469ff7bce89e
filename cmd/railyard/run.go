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
	"github.com/railyard/railyard/sweep"
)

func newRun() *cobra.Command {
	var out, htmlFile string
	var set []string
	var asJSON, quiet, verbose, compare bool
	var seed int64
	var maxEvents uint64
	var times timelineFlags
	var metrics metricsFlags
	tables := "csv"
	cmd := &cobra.Command{
		Use:   "run SCENARIO|-",
		Short: "Run a scenario and print what it found",
		Long: `Run replays a scenario and prints a summary. With --out it writes summary.json,
a CSV table for each kind of thing that was simulated, and manifest.json; with
--report one HTML page of all that. With --timeline it writes what happened when, for
ui.perfetto.dev, and with --metrics what was when how high, for Prometheus.

Results depend on the scenario, its files, the seed and the version alone.`,
		Example: `  railyard run scenarios/quickstart.toml
  railyard run scenarios/quickstart.toml --report report.html
  railyard run scenarios/quickstart.toml --set topology.hosts=16 --set workload.training.0.precision=tf32 --set 'expect=[]'
  railyard run scenarios/two-jobs.toml --out results --tables parquet
  railyard run scenarios/gpt3-175b.toml --timeline gpt3.json.gz --timeline-ranks 0-7
  railyard run scenarios/serving-70b.toml --metrics run.om --metrics-start 2026-05-01T00:00:00Z
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
			timeline, err := times.options()
			if err != nil {
				return &failure{exitUsage, err}
			}
			if htmlFile != "" {
				timeline = times.reported(timeline, s, out)
			}
			also, err := tableFormats(tables, out)
			if err != nil {
				return &failure{exitUsage, err}
			}
			if _, err := metrics.begin(); err != nil {
				return &failure{exitUsage, err}
			}
			talk := newTalk(cmd.ErrOrStderr(), quiet)
			r, err := railyard.Run(cmd.Context(), s, railyard.Options{Progress: talk.progress, MaxEvents: maxEvents, Warn: talk.warn, Timeline: timeline, Usage: metrics.file != ""})
			talk.clear()
			interrupted := errors.Is(err, context.Canceled)
			if r == nil {
				return unfinished(err)
			}
			aside := func() error { return errors.Join(times.write(r), metrics.write(s, r)) }
			write := aside
			if out != "" || htmlFile != "" {
				write = func() error {
					return inFolder(out, func(dir string) error {
						if err := railyard.Write(dir, s, r, host(began, r.Summary.Float("events")), also...); err != nil {
							return err
						}
						if err := aside(); err != nil || htmlFile == "" {
							return err
						}
						return writePage(htmlFile, dir) // at last: --timeline may be a file of the folder
					})
				}
			}
			if err := write(); err != nil {
				return &failure{exitUnfinished, err}
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
				return &failure{exitExpectation, missed(r.Missed, len(set) > 0)}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&out, "out", "o", "", "write results into this folder")
	f.StringVar(&htmlFile, "report", "", "write one HTML page of the results into this file")
	f.StringVar(&tables, "tables", tables, "write the tables of --out as these: csv, or parquet beside it")
	f.StringArrayVar(&set, "set", nil, "set a key of the scenario: KEY=VALUE, as in topology.hosts=16; may be repeated")
	f.BoolVar(&asJSON, "json", false, "print summary.json instead of text")
	f.Int64Var(&seed, "seed", 1, "seed of all random streams, in place of the scenario's")
	f.Uint64Var(&maxEvents, "max-events", 0, "give up after so many events; 0 is no limit")
	f.BoolVarP(&quiet, "quiet", "q", false, "print nothing but errors (and JSON, if asked for)")
	f.BoolVarP(&verbose, "verbose", "v", false, "say how long the run took and how much memory")
	f.BoolVar(&compare, "compare-fidelity", false, "run it as a fluid and packet by packet, and print how far the times are apart")
	times.add(cmd)
	metrics.add(cmd)
	for _, other := range []string{"out", "report", "quiet", "verbose", "timeline", "metrics"} {
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
	case errors.Is(err, context.Canceled): // first: what has not ended may lack what an expectation is of
		return &failure{exitInterrupted, errors.New("interrupted")}
	case errors.As(err, &faults):
		return &failure{exitInput, err}
	case errors.As(err, &deadlock), errors.As(err, &failed), errors.Is(err, sim.ErrEventLimit):
		return &failure{exitUnfinished, err}
	}
	return &failure{exitInternal, err}
}

// missed says which expectations a run has missed, and of a scenario with keys set that
// they may be of what it was without.
func missed(all []string, set bool) error {
	var errs []error
	for _, m := range all {
		errs = append(errs, errors.New("expectation missed: "+m))
	}
	if set {
		errs = append(errs, errors.New("the scenario expects that of itself without --set; --set 'expect=[]' leaves it out"))
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
				if err := check(path, set); err != nil {
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

// check says what is wrong with a scenario, or with the sweep that it describes.
func check(path string, set []string) error {
	text, err := railyard.ReadText(path)
	if err != nil {
		return err
	}
	s, err := railyard.Parse(path, text, set...)
	if err != nil {
		return err
	}
	if err := railyard.Check(s); err != nil || s.Sweep.Vary.Keys == nil && s.Sweep.Point == nil {
		return err
	}
	_, err = sweep.Parse(path, text, sweep.Request{Set: set})
	return err
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
