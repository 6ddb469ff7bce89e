package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// built is the binary, for what starts it as a user does.
func built(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "railyard")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// TestPythonClient runs the tests of the client in Python.
func TestPythonClient(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	cmd := exec.Command(python, "-B", "-m", "unittest", "-q", "test_railyard")
	cmd.Dir = filepath.Join("..", "..", "notebooks")
	cmd.Env = append(os.Environ(), "RAILYARD_BIN="+built(t))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// nbconvert is Debian's, whose kernel is /usr/bin/python3; another Python may come before
// it on the PATH.
const nbconvert = "/usr/bin/jupyter-nbconvert"

// TestNotebooks executes the notebooks, whose cells must print what they have printed
// when they were committed. Pictures and data frames depend on versions of libraries, and
// only have to be there.
func TestNotebooks(t *testing.T) {
	for _, needs := range [][]string{{nbconvert, "--version"}, {"/usr/bin/python3", "-c", "import pandas, matplotlib, ipykernel"}} {
		if err := exec.Command(needs[0], needs[1:]...).Run(); err != nil {
			t.Skip("there is no Jupyter with pandas and matplotlib: apt-get install jupyter-nbconvert python3-ipykernel python3-pandas python3-matplotlib")
		}
	}
	notebooks, err := filepath.Glob("../../notebooks/*.ipynb")
	if err != nil || len(notebooks) != 3 {
		t.Fatalf("notebooks %q, %v", notebooks, err)
	}
	binary, home := built(t), t.TempDir()
	for _, path := range notebooks {
		t.Run(filepath.Base(path), func(t *testing.T) {
			out := t.TempDir()
			cmd := exec.Command(nbconvert, "--to", "notebook", "--execute", "--ExecutePreprocessor.timeout=120",
				"--ExecutePreprocessor.record_timing=False", "--output-dir", out, path)
			cmd.Env = append(os.Environ(), "RAILYARD_BIN="+binary, "HOME="+home, "PYDEVD_DISABLE_FILE_VALIDATION=1")
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			want, got := outputs(t, path), outputs(t, filepath.Join(out, filepath.Base(path)))
			if strings.Join(want, "\n--\n") != strings.Join(got, "\n--\n") {
				t.Errorf("it prints\n%s\nand printed\n%s", strings.Join(got, "\n--\n"), strings.Join(want, "\n--\n"))
			}
		})
	}
}

// outputs are what the cells of a notebook print, and the kinds of what else they show.
func outputs(t *testing.T, path string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var notebook struct {
		Cells []struct {
			Outputs []struct {
				Kind string `json:"output_type"`
				Text []string
			}
		}
	}
	if err := json.Unmarshal(text, &notebook); err != nil {
		t.Fatal(err)
	}
	for _, c := range notebook.Cells {
		for _, o := range c.Outputs {
			all = append(all, o.Kind+": "+strings.Join(o.Text, ""))
		}
	}
	return all
}
