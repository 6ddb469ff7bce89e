package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// TestFeatures holds docs/features.md to its word. Of each row the keys and commands
// are there, the scenario runs, and the tests exist; no cell is empty, and no scenario
// of ours is left out.
func TestFeatures(t *testing.T) {
	t.Chdir("../..")
	text, err := os.ReadFile("docs/features.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]bool{}
	for _, c := range newRoot().Commands() {
		commands[c.Name()] = true
	}
	tests := testNames(t)
	scenarios := map[string]bool{}
	rows := 0
	for line := range strings.SplitSeq(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| what ") || strings.HasPrefix(line, "|---") {
			continue
		}
		rows++
		if len(cells) != 4 {
			t.Errorf("%d cells, not 4: %s", len(cells), line)
			continue
		}
		what := strings.TrimSpace(cells[0])
		if what == "" {
			t.Errorf("it says what no one knows: %s", line)
		}
		for _, how := range quoted(t, what, cells[1]) {
			if command, ok := strings.CutPrefix(how, "railyard "); ok {
				if command, _, _ = strings.Cut(command, " "); !commands[command] {
					t.Errorf("%s: there is no command %q", what, how)
				}
			} else if _, err := railyard.Explain(how); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, name := range quoted(t, what, cells[2]) {
			scenarios[name] = true
		}
		for _, name := range quoted(t, what, cells[3]) {
			if !tests[name] {
				t.Errorf("%s: there is no test %s", what, name)
			}
		}
	}
	if rows < 60 {
		t.Errorf("%d rows", rows)
	}

	files, err := filepath.Glob("scenarios/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".toml"); !scenarios[name] {
			t.Errorf("%s is in no row", file)
		}
	}
	for name := range scenarios {
		t.Run(name, func(t *testing.T) {
			var out, talk bytes.Buffer
			args := []string{"run", "scenarios/" + name + ".toml"}
			if name == "ai-datacenter" { // .ci/run has the whole day
				args = append(args, "--set", "sim.horizon=6m", "--set", "topology.fault.0.at=2m", "--set", "expect=[]")
			}
			if status := execute(context.Background(), args, &out, &talk); status != 0 {
				t.Errorf("exit %d: %s", status, talk.String())
			}
		})
	}
}

// quoted lists what stands between backquotes in a cell, which must be something.
func quoted(t *testing.T, what, cell string) []string {
	t.Helper()
	var all []string
	for i, part := range strings.Split(cell, "`") {
		if i%2 == 1 {
			all = append(all, part)
		}
	}
	if len(all) == 0 {
		t.Errorf("%s: a cell names nothing: %q", what, cell)
	}
	return all
}

// testNames finds the tests of all packages: "cluster/training TestBubble", those of
// the folder at the top without one.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	test := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]*)\(`)
	err := filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range test.FindAllSubmatch(text, -1) {
			names[strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path))+" "+string(match[1]), ". ")] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
