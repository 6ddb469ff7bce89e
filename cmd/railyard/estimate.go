package main

import (
	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
)

func newEstimate() *cobra.Command {
	var set []string
	var asJSON bool
	var maxEvents uint64
	cmd := &cobra.Command{
		Use:   "estimate SCENARIO|-",
		Short: "Set first-order models beside the simulation",
		Long: `Estimate prints the three first-order models of the data-centre standard beside what
a run of the scenario finds, and says where each is off, and by how much:

  resources  R = (C_cpu + C_gpu + C_tpu) x N_worker + M_ram + S_disk
  transfer   T = L_batch / B_net x N_worker
  training   T = parameters / compute x batch x epochs

The terms of the first stand on their own too, since their units differ; beside the
second stand the rates at which storage must read and write; the third is printed as
written and with the 6 FLOPs for each parameter and token that it leaves out.`,
		Example: `  railyard estimate scenarios/quickstart.toml
  railyard estimate scenarios/gpt3-175b.toml --json | jq '.training[0].factors'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := railyard.Load(args[0], set...)
			if err != nil {
				return err
			}
			talk := newTalk(cmd.ErrOrStderr(), false)
			r, err := railyard.Estimate(cmd.Context(), s, railyard.Options{Progress: talk.progress, MaxEvents: maxEvents})
			talk.clear()
			if err != nil {
				return unfinished(err)
			}
			write := report.Estimate
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
	f.Uint64Var(&maxEvents, "max-events", 0, "give up after so many events; 0 is no limit")
	return cmd
}
