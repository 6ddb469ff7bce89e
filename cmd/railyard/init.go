package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// templates are scenarios to begin with, a kind each: KIND.toml, in which NAME
// stands for the name, and the file that it reads, if any: KIND with another ending.
//
//go:embed templates
var templates embed.FS

// templateKinds are the kinds of template in order.
func templateKinds() []string {
	files, err := fs.Glob(templates, "templates/*.toml")
	if err != nil {
		panic(err) // the pattern is right
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(path.Base(file), ".toml")
	}
	return files
}

func newInit() *cobra.Command {
	kinds := templateKinds()
	kind, out := "training", ""
	cmd := &cobra.Command{
		Use:   "init NAME",
		Short: "Print a commented scenario to begin with",
		Long: `Init prints a scenario of this name, with a comment on each key: training, or what
--kind says, or of the kind that NAME is. With --out it writes NAME.toml into a
folder, and beside it the file that it reads; what is there already stays.

Kinds: ` + strings.Join(kinds, ", ") + `.`,
		Example: `  railyard init my-cluster > scenario.toml
  railyard init serving > scenario.toml
  railyard init my-queue --kind jobs --out .
  railyard init my-trace --kind replay --out .`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: kinds,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if !cmd.Flags().Changed("kind") && slices.Contains(kinds, name) {
				kind = name
			}
			if !slices.Contains(kinds, kind) {
				return &failure{exitUsage, fmt.Errorf("there is no kind %q: %s", kind, strings.Join(kinds, ", "))}
			}
			if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == '/' || r == unicode.ReplacementChar }) {
				return &failure{exitUsage, fmt.Errorf("%q is no name for a scenario", name)}
			}
			files, err := template(kind, name)
			if err != nil {
				return &failure{exitInternal, err}
			}
			if out != "" {
				if err := writeNew(cmd, out, files); err != nil {
					return &failure{exitInput, err}
				}
				return nil
			}
			for _, table := range files[1:] {
				fmt.Fprintf(cmd.ErrOrStderr(), "it reads %s, which --out DIR writes beside it\n", table.name)
			}
			_, err = cmd.OutOrStdout().Write(files[0].text)
			return err
		},
	}
	cmd.Flags().StringVar(&kind, "kind", kind, "what it runs: "+strings.Join(kinds, ", "))
	cmd.Flags().StringVarP(&out, "out", "o", "", "write it and what it reads into this folder")
	return cmd
}

// initial is a file that init writes.
type initial struct {
	name string
	text []byte
}

// template is the scenario of a kind with a name, and then the file that it reads.
func template(kind, name string) ([]initial, error) {
	text, err := templates.ReadFile("templates/" + kind + ".toml")
	if err != nil {
		return nil, err
	}
	// A printable name is quoted in TOML as it is in Go.
	named := strings.Replace(string(text), "name = NAME\n", "name = "+strconv.Quote(name)+"\n", 1)
	files := []initial{{name + ".toml", []byte(named)}}
	tables, err := fs.Glob(templates, "templates/"+kind+".*")
	for _, file := range tables {
		if path.Ext(file) == ".toml" {
			continue
		}
		text, err := templates.ReadFile(file)
		if err != nil {
			return nil, err
		}
		files = append(files, initial{path.Base(file), text})
	}
	return files, err
}

// writeNew writes files into a folder, none of which may be there yet.
func writeNew(cmd *cobra.Command, dir string, files []initial) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(dir, f.name)); err == nil {
			return fmt.Errorf("%s is there already", filepath.Join(dir, f.name))
		}
	}
	for _, f := range files {
		file := filepath.Join(dir, f.name)
		if err := os.WriteFile(file, f.text, 0o666); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), file)
	}
	return nil
}
