package main

import (
	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
)

// compareFidelity is `railyard run --compare-fidelity`.
func compareFidelity(cmd *cobra.Command, s *railyard.Scenario, o railyard.Options, asJSON bool) error {
	talk := newTalk(cmd.ErrOrStderr(), false)
	o.Progress, o.Warn = talk.progress, nil
	r, err := railyard.CompareFidelity(cmd.Context(), s, o)
	talk.clear()
	if err != nil {
		return unfinished(err)
	}
	write := report.Fidelity
	if asJSON {
		write = report.WriteJSON
	}
	if err := write(cmd.OutOrStdout(), r); err != nil {
		return &failure{exitInternal, err}
	}
	return nil
}
