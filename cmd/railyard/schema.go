package main

import (
	"github.com/spf13/cobra"

	"github.com/railyard/railyard/scenario"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a scenario, for editors",
		Long: `Schema prints the JSON Schema (draft 2020-12) of a scenario. A scenario whose first
line is "#:schema ./scenario.schema.json" is then completed, explained and checked
while it is typed by editors that run taplo or tombi, as VS Code's Even Better TOML.
What keys have to do with one another says railyard check alone.`,
		Example: `  railyard schema > scenario.schema.json
  { echo '#:schema ./scenario.schema.json'; railyard init my-cluster; } > my.toml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return scenario.WriteJSONSchema(cmd.OutOrStdout()) },
	}
}
