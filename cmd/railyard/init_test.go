package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each template is a scenario that runs without a word of complaint, whatever it is
// called, and that says what most of its keys are.
func TestInit(t *testing.T) {
	if kinds, want := strings.Join(templateKinds(), " "), "collective energy faults flows jobs replay serving sites storage sweep training"; kinds != want {
		t.Errorf("kinds %s, want %s", kinds, want)
	}
	for _, kind := range templateKinds() {
		t.Run(kind, func(t *testing.T) {
			dir, name := t.TempDir(), `mine "é" \ #1`
			var out, talk bytes.Buffer
			do := func(args ...string) string {
				t.Helper()
				out.Reset()
				talk.Reset()
				if status := execute(context.Background(), args, &out, &talk); status != 0 {
					t.Fatalf("%v: exit %d: %s", args, status, talk.String())
				}
				return out.String()
			}
			printed := do("init", kind)
			if !strings.Contains(printed, "name = \""+kind+"\"\n") || strings.Count(printed, "#") < 8 {
				t.Errorf("it prints\n%s", printed)
			}
			do("init", name, "--kind", kind, "--out", dir)
			file := filepath.Join(dir, name+".toml")
			if got := do("run", file); !strings.HasPrefix(got, name+"  ") || talk.String() != "" {
				t.Errorf("it runs as\n%s%s", got, talk.String())
			}
			if status := execute(context.Background(), []string{"init", name, "--kind", kind, "--out", dir}, &out, &talk); status != exitInput {
				t.Errorf("exit %d where the file is there already", status)
			}
			if kept, err := os.ReadFile(file); err != nil || len(kept) == 0 {
				t.Errorf("the file that was there: %v", err)
			}
		})
	}
	for _, args := range [][]string{{"init", ""}, {"init", "a\nb"}, {"init", "../a", "--out", "."}, {"init", "\xff"}, {"init", "a", "--kind", "traning"}, {"init"}} {
		var out, talk bytes.Buffer
		if status := execute(context.Background(), args, &out, &talk); status != exitUsage || out.Len() > 0 {
			t.Errorf("%q: exit %d: %s", args, status, out.String())
		}
	}
}
