package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/workload/trace"
)

func newTrace() *cobra.Command {
	cmd := &cobra.Command{Use: "trace", Short: "Look into execution traces"}
	cmd.AddCommand(newTraceInfo())
	return cmd
}

func newTraceInfo() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info FILE",
		Short: "Say what is in an execution trace",
		Long: `Info reads a Chakra trace (.et or JSON, plain or gzip) or a workload text of AICB
and prints its nodes by type, what it communicates, how long it computes, and
what had to be mended.`,
		Example: `  railyard trace info chakra.0.et
  railyard trace info chakra.0.et --json | jq .mended.dangling_dependencies`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return &failure{exitInput, err}
			}
			defer f.Close()
			info, err := trace.Inspect(f)
			if err != nil {
				return &failure{exitInput, fmt.Errorf("%s: %w", args[0], err)}
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				err = e.Encode(info)
			} else {
				err = info.Write(cmd.OutOrStdout())
			}
			if err != nil {
				return &failure{exitInternal, err}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of text")
	return cmd
}
