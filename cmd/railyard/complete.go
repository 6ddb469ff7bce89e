package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/scenario"
)

// completions tells shells what may follow, of all commands: keys and their values
// for --set, and scenarios where one is read.
func completions(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		if cmd.Flags().Lookup("set") != nil {
			if err := cmd.RegisterFlagCompletionFunc("set", completeSet); err != nil {
				panic(err) // the flag is there
			}
		}
		if strings.Contains(cmd.Use, "SCENARIO") && cmd.ValidArgsFunction == nil {
			cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
				return []string{"toml"}, cobra.ShellCompDirectiveFilterFileExt
			}
		}
	}
}

// completeSet completes a KEY=VALUE. The entries of lists are counted from 0; keys
// of tables with names of one's own are left out.
func completeSet(_ *cobra.Command, _ []string, typed string) (all []string, _ cobra.ShellCompDirective) {
	typedKey, _, valued := strings.Cut(typed, "=")
	for _, d := range scenario.Reference() {
		key := strings.ReplaceAll(d.Path, "[]", ".0")
		switch {
		case d.Type == "" || strings.Contains(d.Type, "table") || strings.Contains(key, "NAME"):
		case !valued && strings.HasPrefix(key, typed):
			all = append(all, key+"=\t"+d.Doc)
		case valued && key == typedKey:
			for _, value := range valuesOf(key, d) {
				if text := key + "=" + value; strings.HasPrefix(text, typed) {
					all = append(all, text)
				}
			}
			return all, cobra.ShellCompDirectiveNoFileComp
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// valuesOf lists what a key may be, where that can be listed.
func valuesOf(key string, d scenario.Declared) []string {
	switch key[strings.LastIndexByte(key, '.')+1:] {
	case "host":
		return slices.Sorted(maps.Keys(scenario.Stock().Hosts))
	case "model":
		return slices.Sorted(maps.Keys(scenario.Stock().Models))
	}
	if d.Type == "true or false" {
		return []string{"false", "true"}
	}
	return d.Accepted
}
