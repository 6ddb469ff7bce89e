package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
)

func newCatalog() *cobra.Command {
	return &cobra.Command{
		Use:       "catalog [KIND]",
		Short:     "List accelerators, hosts and models that a scenario may name",
		Example:   "  railyard catalog hosts",
		ValidArgs: []string{"accelerators", "hosts", "models"},
		Args:      oneOf("kind", []string{"accelerators", "hosts", "models"}),
		RunE: func(cmd *cobra.Command, args []string) error {
			kinds := []string{"accelerators", "hosts", "models"}
			if len(args) == 1 {
				kinds = args
			}
			for i, kind := range kinds {
				if i > 0 {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				if err := catalogue(cmd.OutOrStdout(), kind); err != nil {
					return &failure{exitInternal, err}
				}
			}
			return nil
		},
	}
}

// catalogue prints one kind of entry as a table.
func catalogue(out io.Writer, kind string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	stock, empty := scenario.Stock(), &scenario.Scenario{}
	line := func(cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")) }
	switch kind {
	case "accelerators":
		line("ACCELERATOR", "FP16/BF16", "TF32", "FP8", "MEMORY", "BANDWIDTH", "SMs", "POWER", "SOURCE")
		for _, name := range slices.Sorted(maps.Keys(stock.Accelerators)) {
			a, faults := empty.Accelerator(name)
			if faults != nil {
				return faults
			}
			rate := func(p topology.Precision) string {
				if a.Peak[p] == 0 {
					return "-"
				}
				return a.Peak[p].String()
			}
			half := max(a.Peak[topology.FP16], a.Peak[topology.BF16])
			line(name, half.String(), rate(topology.TF32), rate(topology.FP8), a.Memory.String(), report.Prefixed(float64(a.MemoryBandwidth), "B/s"),
				fmt.Sprint(a.Multiprocessors), a.Power.String(), stock.Accelerators[name].Source.Value)
		}
	case "hosts":
		line("HOST", "ACCELERATORS", "SCALE-UP", "PER ACCELERATOR", "NICS", "RATE", "POWER", "SOURCE")
		for _, name := range slices.Sorted(maps.Keys(stock.Hosts)) {
			h, faults := empty.Host(name)
			if faults != nil {
				return faults
			}
			line(name, fmt.Sprintf("%d x %s", h.Accelerators, h.Accelerator.Name), h.ScaleUp.String(), report.Prefixed(float64(h.ScaleUpBandwidth), "B/s"),
				fmt.Sprint(h.NICs), h.NICBandwidth.String(), h.Power.String(), stock.Hosts[name].Source.Value)
		}
	case "models":
		line("MODEL", "FAMILY", "PARAMETERS", "LAYERS", "HIDDEN", "SEQUENCE", "SOURCE")
		for _, name := range slices.Sorted(maps.Keys(stock.Models)) {
			m, faults := empty.Model(name)
			if faults != nil {
				return faults
			}
			line(name, m.Family, report.Prefixed(float64(m.Parameters()), ""), fmt.Sprint(m.Layers), fmt.Sprint(m.Hidden),
				fmt.Sprint(m.Sequence), stock.Models[name].Source.Value)
		}
	}
	return w.Flush()
}
