package main

import (
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
)

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain METRIC|KEY|FILE|ERROR",
		Short: "Say what a metric, a key of a scenario, a file or an error means",
		Long: `Explain prints the declaration of a metric of the results (unit, definition,
formula), of a key of a scenario (type, default, what it accepts) or of a file that a
run writes (what a row is, its columns). A name may be the end of a path: all that it
can mean is printed. Of an error in a scenario, quoted whole, it explains the key that
is at fault; one that begins with --set follows "--".`,
		Example: `  railyard explain mfu_ratio
  railyard explain training.0.breakdown_s.compute
  railyard explain topology.oversubscription
  railyard explain links.csv
  railyard explain 'my.toml:4:9: topology.hosts: must be from 1 to 262144, not 0'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			x, err := railyard.Explain(subject(args[0]))
			if err != nil {
				return &failure{exitUsage, err}
			}
			out := cmd.OutOrStdout()
			n := 0
			entry := func(write func()) {
				if n++; n > 1 {
					fmt.Fprintln(out)
				}
				write()
			}
			for _, f := range x.Files {
				entry(func() { explainFile(out, f) })
			}
			for _, d := range x.Metrics {
				entry(func() { explainMetric(out, d) })
			}
			for _, d := range x.Keys {
				entry(func() { explainKey(out, d) })
			}
			return nil
		},
	}
}

// subject is what an error is about: the first of its parts that can be explained,
// as "topology.hosts" in "FILE:LINE:COL: topology.hosts: must be ...". What is no
// error is its own subject.
func subject(text string) string {
	for part := range strings.SplitSeq(text, ": ") {
		if _, err := railyard.Explain(part); err == nil {
			return part
		}
	}
	return text
}

// item writes what an entry says of one thing, if anything.
func item(out io.Writer, name, text string) {
	if text != "" {
		fmt.Fprintf(out, "  %-11s %s\n", name, text)
	}
}

func explainFile(out io.Writer, f result.File) {
	fmt.Fprintf(out, "file %s of railyard %s\n", f.Name, f.By)
	item(out, "is", f.Is)
	item(out, "a row is", f.Row)
	item(out, "written if", f.When)
	for _, d := range f.Columns() {
		name := strings.TrimPrefix(d.Path, strings.TrimSuffix(f.Name, path.Ext(f.Name))+".")
		if strings.Contains(name, ".") {
			continue // of a record within the file: it can be asked for
		}
		unit := d.Unit
		if unit == "" {
			unit = "-"
		}
		fmt.Fprintf(out, "    %-30s %-6s %s\n", name, unit, d.Definition)
	}
}

func explainMetric(out io.Writer, d result.Declared) {
	fmt.Fprintf(out, "metric %s in %s\n", d.Path, d.Where)
	item(out, "is", d.Definition)
	item(out, "unit", d.Unit)
	item(out, "formula", d.Formula)
}

func explainKey(out io.Writer, d scenario.Declared) {
	fmt.Fprintf(out, "key %s\n", d.Path)
	item(out, "is", d.Doc)
	item(out, "type", d.Type)
	item(out, "default", d.Default)
	item(out, "one of", strings.Join(d.Accepted, ", "))
	if d.Min != nil {
		item(out, "at least", fmt.Sprint(*d.Min))
	}
	if d.Max != nil {
		item(out, "at most", fmt.Sprintf("%.15g", *d.Max))
	}
	item(out, "kinds", strings.Join(d.TakenBy, ", "))
	if d.Required && len(d.RequiredBy) == 0 {
		item(out, "required", "always")
	}
	item(out, "required by", strings.Join(d.RequiredBy, ", "))
}
