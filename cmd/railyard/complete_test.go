package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// What a shell asks and is told: `railyard __complete` is what the scripts of
// `railyard completion` run.
func TestCompletion(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string // among the answers, without their explanations
		not  string   // begins none of them
	}{
		{[]string{"sch"}, []string{"schema"}, "run"},
		{[]string{"run", "--set", "topology.over"}, []string{"topology.oversubscription="}, "topology.h"},
		{[]string{"sweep", "--set", "workload.training.0.te"}, []string{"workload.training.0.tensor="}, "topology"},
		{[]string{"run", "--set", "topology.host=dgx-h"}, []string{"topology.host=dgx-h100"}, "topology.host=dgx-a"},
		{[]string{"run", "--set", "workload.training.0.model=bert"}, []string{"workload.training.0.model=bert-large"}, "gpt"},
		{[]string{"run", "--set", "sim.fidelity="}, []string{"sim.fidelity=fluid", "sim.fidelity=packet", ":4"}, "sim.seed"},
		{[]string{"check", "--set", "scheduler.consolidate=t"}, []string{"scheduler.consolidate=true"}, "scheduler.consolidate=f"},
		{[]string{"run", ""}, []string{"toml", ":8"}, "csv"}, // 8: files with this ending
		{[]string{"init", "s"}, []string{"serving", "storage"}, "training"},
		{[]string{"catalog", ""}, []string{"hosts", "models"}, "toml"},
	} {
		var out, talk bytes.Buffer
		if status := execute(context.Background(), append([]string{"__complete"}, c.args...), &out, &talk); status != 0 {
			t.Errorf("%q: exit %d: %s", c.args, status, talk.String())
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			answer, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			got = append(got, answer)
			if strings.HasPrefix(answer, c.not) {
				t.Errorf("%q offers %s", c.args, answer)
			}
		}
		for _, want := range c.want {
			if !slices.Contains(got, want) {
				t.Errorf("%q offers %q, not %s", c.args, got, want)
			}
		}
	}
}

// The help of each command that does something shows how it is used, as railyard
// and the command.
func TestEachCommandHasAnExample(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Runnable() && !strings.Contains(cmd.Example, cmd.CommandPath()+" ") && !strings.HasSuffix(cmd.Example, cmd.CommandPath()) {
			t.Errorf("%s: its example is %q", cmd.CommandPath(), cmd.Example)
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
}
