package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestREADME runs the commands of the README's console blocks and holds their
// output to what is printed there.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	results := filepath.Join(t.TempDir(), "results")
	t.Chdir("../..") // where a reader of the README is
	commands := 0
	for _, block := range strings.Split(string(text), "```console\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for _, session := range strings.Split("\n"+block, "\n$ ")[1:] {
			line, want, _ := strings.Cut(session, "\n")
			args, ok := strings.CutPrefix(line, "go run ./cmd/railyard ")
			if !ok {
				t.Errorf("%q is not a command of ours", line)
				continue
			}
			fields := strings.Fields(args)
			for i, f := range fields {
				if f == "results" {
					fields[i] = results
				}
			}
			var out, talk bytes.Buffer
			if status := execute(context.Background(), fields, &out, &talk); status != 0 {
				t.Errorf("%s: exit %d: %s", line, status, talk.String())
			}
			got := strings.ReplaceAll(out.String(), results, "results")
			if strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("%s prints\n%s\nthe README says\n%s", line, got, want)
			}
			commands++
		}
	}
	if commands < 3 {
		t.Errorf("%d commands in the README", commands)
	}
}
