package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
)

// runsForRecord has a command read a scenario, find a record of it and print that, as
// text or with --json.
func runsForRecord(
	cmd *cobra.Command,
	find func(context.Context, *railyard.Scenario, railyard.Options) (*result.Record, error),
	text func(io.Writer, *result.Record) error,
) *cobra.Command {
	var set []string
	var asJSON bool
	var maxEvents uint64
	cmd.Args = cobra.ExactArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := railyard.Load(args[0], set...)
		if err != nil {
			return err
		}
		talk := newTalk(cmd.ErrOrStderr(), false)
		r, err := find(cmd.Context(), s, railyard.Options{Progress: talk.progress, MaxEvents: maxEvents})
		talk.clear()
		if err != nil {
			return unfinished(err)
		}
		write := text
		if asJSON {
			write = report.WriteJSON
		}
		if err := write(cmd.OutOrStdout(), r); err != nil {
			return &failure{exitInternal, err}
		}
		return nil
	}
	f := cmd.Flags()
	f.StringArrayVar(&set, "set", nil, "set a key of the scenario: KEY=VALUE, as in topology.hosts=16; may be repeated")
	f.BoolVar(&asJSON, "json", false, "print JSON instead of text")
	f.Uint64Var(&maxEvents, "max-events", 0, "give up after so many events of one run; 0 is no limit")
	return cmd
}
