package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/report/page"
	"github.com/railyard/railyard/sweep"
)

func newReport() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Make one HTML page of the results in a folder",
		Long: `Report makes one HTML file of a results folder, of a run or of a sweep: the
figures with what they mean, where the time goes, what happened over time, the
network and who contends in it, jobs, distributions, tables that sort and export
CSV, the scenario. A folder that holds timeline.json.gz, which run writes with --report
or --timeline, has an iteration rank by rank, too. The page needs no network and no server: open it in a browser, print it,
send it by mail. The same results give the same bytes.`,
		Example: `  railyard run scenarios/quickstart.toml --out results && railyard report results
  railyard run scenarios/gpt3-175b.toml --out results --report report.html
  railyard sweep scenarios/sweep-gpt3.toml --out sweep && railyard report sweep --out sweep.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				out = filepath.Join(args[0], "report.html")
			}
			if err := writePage(out, args[0]); err != nil {
				return &failure{exitInput, err}
			}
			fmt.Fprintln(cmd.OutOrStdout(), out)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write (default DIR/report.html)")
	return cmd
}

// writePage makes the page of a results folder; that of a sweep begins with its
// objectives.
func writePage(file, dir string, objectives ...sweep.Objective) error {
	var first []page.Objective
	for _, o := range objectives {
		first = append(first, page.Objective{Metric: o.Metric, More: o.Max})
	}
	return report.WriteFile(file, func(w io.Writer) error { return page.Write(w, dir, first...) })
}

// inFolder does something with a folder, one that is gone afterwards if dir is "".
func inFolder(dir string, do func(dir string) error) error {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "railyard-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	}
	return do(dir)
}
