package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/session"
)

func newSession() *cobra.Command {
	return &cobra.Command{
		Use:   "session",
		Short: "Answer requests for runs, one JSON object a line",
		Long: `Session reads requests from standard input and answers each with a line on standard
output, until there are no more. It spares a program that asks for many runs a process
for each, and gives an answer that it has given before again at once. A request is to
run, check, estimate or sweep a scenario: a file, its text, or a JSON object of the same
shape. The package session says what requests and answers have; notebooks/railyard.py
is a client.`,
		Example: `  echo '{"id": 1, "file": "scenarios/quickstart.toml", "set": ["topology.hosts=4"]}' | railyard session
  echo '{"do": "sweep", "file": "scenarios/quickstart.toml", "vary": {"topology.hosts": "2..16*2"}}' | railyard session
  echo '{"do": "version"}' | railyard session`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := session.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
			switch {
			case errors.Is(err, context.Canceled):
				return &failure{exitInterrupted, errors.New("interrupted")}
			case err != nil:
				return &failure{exitInternal, err}
			}
			return nil
		},
	}
}
