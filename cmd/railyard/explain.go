package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
)

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain METRIC|KEY|ERROR",
		Short: "Say what a metric, a key of a scenario or the key of an error means",
		Long: `Explain prints the declaration of a metric of the results (unit, definition,
formula) or of a key of a scenario (type, default, what it accepts). A name may be
the end of a path: all that it can mean is printed. Of an error in a scenario, quoted
whole, it explains the key that is at fault; one that begins with --set follows "--".`,
		Example: `  railyard explain mfu_ratio
  railyard explain training.0.breakdown_s.compute
  railyard explain topology.oversubscription
  railyard explain 'my.toml:4:9: topology.hosts: must be from 1 to 262144, not 0'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			metrics, keys, err := railyard.Explain(subject(args[0]))
			if err != nil {
				return &failure{exitUsage, err}
			}
			out := cmd.OutOrStdout()
			for i, d := range metrics {
				separate(out, i)
				explainMetric(out, d)
			}
			for i, d := range keys {
				separate(out, i+len(metrics))
				explainKey(out, d)
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
		if _, _, err := railyard.Explain(part); err == nil {
			return part
		}
	}
	return text
}

// separate writes an empty line between entries.
func separate(out io.Writer, number int) {
	if number > 0 {
		fmt.Fprintln(out)
	}
}

// item writes what an entry says of one thing, if anything.
func item(out io.Writer, name, text string) {
	if text != "" {
		fmt.Fprintf(out, "  %-11s %s\n", name, text)
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
