package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/report"
)

func newAudit() *cobra.Command {
	var last string
	verify := &cobra.Command{
		Use:   "verify DIR|FILE",
		Short: "See whether decisions.jsonl is as it was written",
		Long: `Verify reads decisions.jsonl of a results folder, each line of which ends with a hash of itself and of the
line before. A line that was changed, taken out or put in is found, and ends it with
status 3. It prints how many lines there are and the last hash: keep that elsewhere and
give it as --last, and lines that are missing at the end are found, too.`,
		Example: `  railyard run scenarios/queue.toml --set scheduler.decisions=true --out results
  railyard audit verify results`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := args[0]
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				path = filepath.Join(path, "decisions.jsonl")
			}
			f, err := os.Open(path)
			if err != nil {
				return &failure{exitInput, err}
			}
			defer f.Close()
			lines, hash, err := report.VerifyAudit(f)
			switch {
			case err != nil:
				return &failure{exitInput, fmt.Errorf("%s: %w", path, err)}
			case last != "" && last != hash:
				return &failure{exitInput, fmt.Errorf("%s: its last hash is %s, not %s: lines are missing at the end, or all was written anew", path, hash, last)}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d lines as they were written, the last %s\n", path, lines, hash)
			return nil
		},
	}
	verify.Flags().StringVar(&last, "last", "", "hash that the last line had")
	return group(&cobra.Command{
		Use:   "audit",
		Short: "Look after the audit of a queue's decisions",
		Example: `  railyard run scenarios/queue.toml --set scheduler.decisions=true --out results
  railyard audit verify results`,
	}, verify)
}
