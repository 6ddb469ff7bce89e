package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/report/figure"
)

func newPlot() *cobra.Command {
	var o report.PlotOptions
	var theme string
	cmd := &cobra.Command{
		Use:   "plot DIR",
		Short: "Draw the results in a folder",
		Long: `Plot draws what the tables of a results folder allow: utilization of the
accelerators over time, utilization of the links over time and of the whole network,
what the most contended link carried and what was wanted of it, bus bandwidth against
message size, the kernels of a training under the roofline; of a queue of jobs, who had
which accelerators when, how many waited, and the distribution of completion times; of
inference, queues, caches and replicas over time and the distribution of latencies. Of a
sweep it draws the Pareto front of two metrics, how a rate scales with the accelerators,
and how it goes with each key that is varied; of jobs that queue the distributions of
completion time and wait, a curve for each point, and of inference latency against
throughput.

With --published FILE.csv it sets what was simulated against figures that somebody
published: a row each, with the columns metric (training.0.samples_per_s) and published,
maybe series and label, and others, such as topology.hosts, that say which point of
a sweep, or by folder which of several runs, a figure is of.

It prints the files that it wrote.`,
		Example: `  railyard run scenarios/quickstart.toml --out results && railyard plot results
  railyard plot results --format svg,pdf --theme dark --out pictures
  railyard plot results --only roofline --width 700 --dpi 300
  railyard plot fifo --with srtf,las
  railyard plot sweep --metric training.0.tokens_per_s,cost.per_hour_USD
  railyard plot sweep --only published --published scenarios/published-bert.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch theme {
			case "light", "dark":
				o.Draw.Dark = theme == "dark"
			default:
				return &failure{exitUsage, fmt.Errorf("there is no theme %q: light or dark", theme)}
			}
			if err := o.Draw.Validate(); err != nil {
				return &failure{exitUsage, err}
			}
			files, err := report.Plot(args[0], o)
			for _, f := range files {
				fmt.Fprintln(cmd.OutOrStdout(), f)
			}
			if err != nil {
				return &failure{exitInput, err}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.Out, "out", "o", "", "write pictures into this folder (default DIR)")
	f.IntVar(&o.Links, "links", 0, "draw so many of the hottest links (default: up to 64)")
	f.StringSliceVar(&o.Only, "only", nil, "draw these pictures, by the names of their files: roofline,links (default: all that can be drawn)")
	f.StringSliceVar(&o.With, "with", nil, "compare with the runs in these folders: completion times of jobs, and published figures")
	f.StringSliceVar(&o.Metrics, "metric", nil, "of a sweep: the metric to draw and the one to set it against, with min or max before them")
	f.StringVar(&o.Published, "published", "", "compare with the published figures in this CSV file")
	f.StringSliceVar(&o.Formats, "format", []string{"png", "svg"}, "formats to write: "+strings.Join(figure.Formats, ", "))
	f.StringVar(&theme, "theme", "light", "colours: light, or dark for dark paper")
	f.Float64Var(&o.Draw.Width, "width", 0, "width in points, 1/72 inch, from 160 to 4000 (default 504)")
	f.IntVar(&o.Draw.DPI, "dpi", 0, "pixels per inch of a PNG, from 36 to 1200 (default 192)")
	_ = cmd.RegisterFlagCompletionFunc("theme", cobra.FixedCompletions([]string{"light", "dark"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
