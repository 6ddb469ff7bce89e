package main

import (
	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
)

func newEstimate() *cobra.Command {
	return runsForRecord(&cobra.Command{
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
	}, railyard.Estimate, report.Estimate)
}
