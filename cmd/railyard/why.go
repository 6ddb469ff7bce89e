package main

import (
	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
)

func newWhy() *cobra.Command {
	return runsForRecord(&cobra.Command{
		Use:   "why SCENARIO|-",
		Short: "Say what bounds each training job",
		Long: `Why prints the critical path of an iteration of each training job, and what 10 %
more of each resource would gain: compute, HBM, scale-up, NIC and spine
bandwidth, and 10 % less latency and overhead. It finds that by running the
scenario again with each, cut to a few iterations. With jitter the times are the
mean of these, and the critical path is that of the one of median length.`,
		Example: `  railyard why scenarios/quickstart.toml
  railyard why scenarios/quickstart.toml --set topology.hosts=32 --json | jq '.training[0].verdict'`,
	}, railyard.Why, report.Why)
}
