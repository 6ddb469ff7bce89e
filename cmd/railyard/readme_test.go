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

// TestFirstSteps runs what the README has a new user do, one command after the other.
func TestFirstSteps(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(text), "```sh\n")
	block, _, _ = strings.Cut(block, "```")
	if !found {
		t.Fatal("there are none")
	}
	t.Chdir(t.TempDir())
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, "#")
		command, file, redirected := strings.Cut(strings.TrimSpace(line), " > ")
		fields := strings.Fields(command)
		if fields[0] != "railyard" {
			continue // Jupyter, which TestNotebooks starts
		}
		var out, talk bytes.Buffer
		if status := execute(context.Background(), fields[1:], &out, &talk); status != 0 {
			t.Fatalf("%s: exit %d: %s", command, status, talk.String())
		}
		if redirected {
			if err := os.WriteFile(file, out.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, file := range []string{"my.toml", "results/utilization.png", "results/report.html", "sweep/points.csv", "sweep/scaling.svg", "sweep.html"} {
		if info, err := os.Stat(file); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
}
