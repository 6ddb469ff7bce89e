package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
)

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: `  railyard version --json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := railyard.Version()
			if asJSON {
				text, err := json.MarshalIndent(b, "", "  ")
				if err != nil {
					return &failure{exitInternal, err}
				}
				fmt.Fprintln(cmd.OutOrStdout(), string(text))
				return nil
			}
			text := "railyard " + b.Version
			if b.Commit != "" {
				text += " (" + b.Commit[:min(12, len(b.Commit))] + ")"
			}
			fmt.Fprintln(cmd.OutOrStdout(), text+" "+b.Go)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}
