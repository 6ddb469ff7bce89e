package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
)

func newTopo() *cobra.Command {
	var set []string
	var asJSON bool
	var picture string
	cmd := &cobra.Command{
		Use:   "topo SCENARIO|-",
		Short: "Show, check and draw the topology of a scenario",
		Long: `Topo says what the topology of a scenario is made of, tier by tier; how much of
what hosts can send the switches can carry, and what half of the hosts can send to
the other half; how far accelerators are apart; and what switches and cables cost,
by [topology.prices]. It follows the ways between accelerators and says if one does
not arrive. With --plot it draws hosts and switches.`,
		Example: `  railyard topo scenarios/allreduce-1k.toml
  railyard topo scenarios/quickstart.toml --set topology.oversubscription=2 --plot fabric.svg
  railyard topo scenarios/quickstart.toml --json | jq .bisection_Bps`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format := filepath.Ext(picture); picture != "" && format != ".svg" && format != ".png" {
				return &failure{exitUsage, fmt.Errorf("--plot %s: the name of a picture ends in .svg or .png", picture)}
			}
			s, err := railyard.Load(args[0], set...)
			if err != nil {
				return err
			}
			r, err := railyard.Topology(s)
			if err != nil {
				return err
			}
			write := report.Topology
			if asJSON {
				write = report.WriteJSON
			}
			if err := write(cmd.OutOrStdout(), r); err != nil {
				return &failure{exitInternal, err}
			}
			if picture != "" {
				if err := railyard.PlotTopology(s, picture); err != nil {
					return &failure{exitInput, err}
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "wrote", picture)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&set, "set", nil, "set a key of the scenario: KEY=VALUE, as in topology.hosts=16; may be repeated")
	f.BoolVar(&asJSON, "json", false, "print JSON instead of text")
	f.StringVar(&picture, "plot", "", "draw the topology into this file, .svg or .png")
	return cmd
}
