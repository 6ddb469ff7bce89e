package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/report/openmetrics"
)

// metricsFlags are what is said of metrics for a monitoring.
type metricsFlags struct{ file, start string }

func (f *metricsFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "metrics", "", "write metrics over time into this file, as OpenMetrics text for promtool")
	cmd.Flags().StringVar(&f.start, "metrics-start", "2026-01-01T00:00:00Z", "moment of time 0 in it")
}

// begin is the moment of time 0.
func (f *metricsFlags) begin() (time.Time, error) {
	t, err := time.Parse(time.RFC3339, f.start)
	if err != nil {
		return t, fmt.Errorf("--metrics-start %s: it is a moment such as 2026-01-01T00:00:00Z", f.start)
	}
	return t, nil
}

// write writes the metrics of a run, if they are asked for.
func (f *metricsFlags) write(s *railyard.Scenario, r *railyard.Result) error {
	if f.file == "" {
		return nil
	}
	start, err := f.begin()
	if err != nil {
		return err
	}
	return report.WriteFile(f.file, func(w io.Writer) error {
		return openmetrics.Write(w, &r.Results, r.Usage, openmetrics.Options{Start: start, Run: s.Name.Value})
	})
}

func newDashboard() *cobra.Command {
	return &cobra.Command{
		Use:   "dashboard",
		Short: "Print a Grafana dashboard for what run --metrics writes",
		Long: `Dashboard prints a dashboard as JSON, to be imported into Grafana: accelerators,
hosts, links, training, inference and jobs over time, of the runs that a Prometheus has.`,
		Example: `  railyard run scenarios/serving-70b.toml --metrics run.om
  promtool tsdb create-blocks-from openmetrics run.om data
  railyard dashboard > railyard.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return openmetrics.Dashboard(cmd.OutOrStdout()) },
	}
}

func newAlerts() *cobra.Command {
	return &cobra.Command{
		Use:   "alerts [SCENARIO]",
		Short: "Print alert rules for a Prometheus that has what run --metrics writes",
		Long: `Alerts prints the [[alert]]s of a scenario as a rule file of Prometheus, or without a
scenario a few that fit any run. promtool check rules accepts it.`,
		Example: `  railyard alerts scenarios/alerts.toml > alerts.yml
  promtool check rules alerts.yml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rules := openmetrics.Standard
			if len(args) > 0 {
				s, err := railyard.Load(args[0])
				if err != nil {
					return err
				}
				if err := railyard.Check(s); err != nil {
					return err
				}
				if rules = railyard.AlertRules(s); len(rules) == 0 {
					return fmt.Errorf("%s has no [[alert]]", args[0])
				}
			}
			return openmetrics.Rules(cmd.OutOrStdout(), rules)
		},
	}
}
