package main

import (
	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
)

func newWhy() *cobra.Command {
	var set []string
	var asJSON bool
	var maxEvents uint64
	cmd := &cobra.Command{
		Use:   "why SCENARIO|-",
		Short: "Say what bounds each training job",
		Long: `Why prints the critical path of an iteration of each training job, and what 10 %
more of each resource would gain: compute, HBM, scale-up, NIC and spine
bandwidth, and 10 % less latency and overhead. It finds that by running the
scenario again with each, cut to a few iterations. With jitter the times are the
mean of these, and the critical path is that of the one of median length.`,
		Example: `  railyard why scenarios/quickstart.toml
  railyard why scenarios/quickstart.toml --set topology.hosts=32 --json | jq '.training[0].verdict'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := railyard.Load(args[0], set...)
			if err != nil {
				return err
			}
			talk := newTalk(cmd.ErrOrStderr(), false)
			r, err := railyard.Why(cmd.Context(), s, railyard.Options{Progress: talk.progress, MaxEvents: maxEvents})
			talk.clear()
			if err != nil {
				return unfinished(err)
			}
			write := report.Why
			if asJSON {
				write = report.WriteJSON
			}
			if err := write(cmd.OutOrStdout(), r); err != nil {
				return &failure{exitInternal, err}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&set, "set", nil, "set a key of the scenario: KEY=VALUE, as in topology.hosts=16; may be repeated")
	f.BoolVar(&asJSON, "json", false, "print JSON instead of text")
	f.Uint64Var(&maxEvents, "max-events", 0, "give up after so many events of one run; 0 is no limit")
	return cmd
}
