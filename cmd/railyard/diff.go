package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/report"
)

func newDiff() *cobra.Command {
	var asJSON bool
	var most int
	cmd := &cobra.Command{
		Use:   "diff DIR DIR",
		Short: "Compare two runs or two sweeps",
		Long: `Diff compares the results of two runs, or of two sweeps: what differs in the
input, and what in the results, the largest change first. Points of sweeps are
matched by the values of the keys that both vary; of each metric it shows the point
that differs most.`,
		Example: `  railyard run scenarios/quickstart.toml --out a
  railyard run scenarios/quickstart.toml --set topology.hosts=16 --set 'expect=[]' --out b
  railyard diff a b`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := report.Diff(args[0], args[1])
			if err != nil {
				return &failure{exitInput, err}
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				e.SetEscapeHTML(false)
				err = e.Encode(d)
			} else {
				err = d.Text(cmd.OutOrStdout(), most)
			}
			if err != nil {
				return &failure{exitInternal, err}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of text")
	cmd.Flags().IntVarP(&most, "number", "n", 30, "show so many of the results that differ; 0 is all")
	return cmd
}
