// Package rules holds the rules of the house that a compiler does not: who may
// import whom, that packages explain themselves, and that the licences of what
// is linked into the binary are named. It has tests only.
package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/railyard/railyard"
	root   = "../.." // of the checkout
)

// rooms are the folders from the top of the house to its ground, "." being the
// root package. Imports go down this list only. internal holds what is made and
// checked with the house, and is no part of it.
var rooms = []string{
	"internal", "cmd", "session", "plan", "sweep", ".", "study", "bound", "datacenter", "alert", "record", "power", "price",
	"nccltests", "calibrate", "scenario", "report", "cluster", "scheduler", "workload", "collective", "network", "topology",
	"energy", "result", "sim", "units",
}

// only limits what a room may import of ours, where going down is not enough.
var only = map[string][]string{
	".": { // a face: what computes is below
		"study", "bound", "datacenter", "alert", "record", "nccltests", "scenario", "report", "report/timeline", "report/openmetrics", "result",
	},
	"report": {"result", "report/figure", "report/input"}, // what a run found, not how
	"energy": {},
	"sim":    {}, // not even units
	"units":  {},
}

// without are rooms below that a room must not know all the same.
var without = map[string]string{
	"scheduler": "sim", // decisions are made of a state, not of a clock
	"workload":  "sim", // demands have no time
}

// privileges are libraries that one place keeps to itself.
var privileges = []struct {
	library string
	places  []string
}{
	{"github.com/BurntSushi/toml", []string{"scenario"}},
	{"github.com/pelletier/go-toml", []string{"scenario"}},
	{"github.com/spf13/cobra", []string{"cmd"}},
	{"github.com/spf13/pflag", []string{"cmd"}},
	{"gonum.org/v1/plot", []string{"report/figure"}},
	{"github.com/parquet-go/parquet-go", []string{"report/parquet"}},
	{"gonum.org/v1/gonum/optimize", []string{"calibrate", "internal/validate"}},
}

// pkg is what `go list -json` says of a package.
type pkg struct {
	Dir, ImportPath, Name, Doc         string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports                            []string
	Standard                           bool
	Module                             *struct {
		Path string
		Main bool
	}
}

// path is the folder of a package of ours, "." for the root.
func path(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func ours(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

// under reports whether a folder or an import path is another or lies within it.
func under(path, other string) bool {
	return path == other || strings.HasPrefix(path, other+"/")
}

// violations of the import rule by one package, a message each.
func violations(importer string, imports []string) []string {
	var found []string
	from := path(importer)
	room, _, _ := strings.Cut(from, "/")
	height := slices.Index(rooms, room)
	if height < 0 {
		return []string{fmt.Sprintf("%s has no place among the rooms: %s", from, strings.Join(rooms, " > "))}
	}
	bad := func(imported, why string, args ...any) {
		found = append(found, fmt.Sprintf("%s imports %s: %s", from, imported, fmt.Sprintf(why, args...)))
	}
	for _, imported := range imports {
		if !ours(imported) {
			for _, p := range privileges {
				if under(imported, p.library) && !slices.ContainsFunc(p.places, func(place string) bool { return under(from, place) }) {
					bad(imported, "only %s may", strings.Join(p.places, " and "))
				}
			}
			continue
		}
		to := path(imported)
		target, _, _ := strings.Cut(to, "/")
		depth := slices.Index(rooms, target)
		allowed, limited := only[room]
		switch {
		case limited && !slices.Contains(allowed, to):
			knows := "only " + strings.Join(allowed, " and ")
			if len(allowed) == 0 {
				knows = "nothing of ours"
			}
			bad(to, "%s knows %s", room, knows)
		case limited:
			if under(from, to) {
				bad(to, "a part does not know the whole")
			}
		case depth < 0:
			bad(to, "which has no place among the rooms")
		case depth < height:
			bad(to, "imports go down only, and %s is above %s", target, room)
		case depth == height && !strings.HasPrefix(from, to+"/"):
			bad(to, "within %s a package knows those whose path its own begins with, not its neighbours or parts", room)
		case without[room] == target:
			bad(to, "%s knows no %s", room, target)
		}
	}
	return found
}

// list is `go list -json` in the root of the checkout. The command line test
// runner keeps the result of a test until a file that the test itself read has
// changed, so the tree is read here, too.
func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if err == nil && (strings.HasSuffix(path, ".go") || d.Name() == "go.mod") {
			_, err = os.ReadFile(path)
		}
		if errors.Is(err, fs.ErrNotExist) { // gone meanwhile
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"list", "-json"}, args...)...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImports(t *testing.T) {
	for _, p := range list(t, "./...") {
		if len(p.GoFiles) == 0 { // tests only
			continue
		}
		for _, v := range violations(p.ImportPath, p.Imports) {
			t.Error(v)
		}
	}
}

// TestEmbedding has whoever imports the packages of a run link no Parquet library, which
// is a quarter of the command.
func TestEmbedding(t *testing.T) {
	for _, p := range list(t, "-deps", ".", "./sweep", "./calibrate") {
		if under(p.ImportPath, "github.com/parquet-go/parquet-go") || path(p.ImportPath) == "report/parquet" {
			t.Errorf("%s is linked into programs that embed the engine", p.ImportPath)
		}
	}
}

// TestViolations holds the rule to made-up imports.
func TestViolations(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     string // in the message; "" if it is allowed
	}{
		{"cmd/railyard", ".", ""},
		{"cmd/railyard", "report", ""},
		{"cmd/railyard", "github.com/spf13/cobra", ""},
		{".", "datacenter", ""},
		{"datacenter", "cluster/training", ""},
		{"cluster/training", "cluster", ""},
		{"cluster/training", "network", ""},
		{"report", "report/figure", ""},
		{"report", "result", ""},
		{"report/figure", "gonum.org/v1/plot/vg", ""},
		{"scenario", "github.com/pelletier/go-toml/v2/unstable", ""},
		{"workload", "topology", ""},
		{"topology", "units", ""},
		{"network", "gonum.org/v1/gonum/stat", ""},
		{"internal/reference", "scenario", ""},

		{"cluster", ".", "cluster imports .: imports go down only, and . is above cluster"},
		{"datacenter", ".", ". is above datacenter"},
		{"network", "scheduler", "scheduler is above network"},
		{"result", "network", "network is above result"},
		{"cluster", "cluster/training", "not its neighbours or parts"},
		{"cluster/serving", "cluster/training", "not its neighbours or parts"},
		{"report", "cluster", "report knows only result and report/figure"},
		{"report", "sim", "report knows only result and report/figure"},
		{"report/figure", "report", "report knows only"},
		{"report/figure", "report/figure/inner", "report knows only"},
		{"sim", "units", "sim knows nothing of ours"},
		{"units", "result", "units knows nothing of ours"},
		{"workload", "sim", "workload knows no sim"},
		{"scheduler", "sim", "scheduler knows no sim"},
		{"cmd/railyard", "internal/reference", "internal is above cmd"},
		{".", "cluster", ". knows only study and bound and datacenter"},
		{"cluster", "helpers", "no place among the rooms"},
		{"helpers", "units", "helpers has no place among the rooms"},
		{".", "github.com/BurntSushi/toml", "only scenario may"},
		{"report", "gonum.org/v1/plot", "only report/figure may"},
		{"report", "github.com/parquet-go/parquet-go", "only report/parquet may"},
		{"report", "report/parquet", "report knows only"},
		{"sweep", "github.com/spf13/cobra", "only cmd may"},
	} {
		full := func(p string) string {
			first, _, _ := strings.Cut(p, "/")
			switch {
			case p == ".":
				return module
			case strings.Contains(first, "."):
				return p
			}
			return module + "/" + p
		}
		got := strings.Join(violations(full(c.from), []string{full(c.to)}), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s imports %s: %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

// TestExplained wants a doc comment of every package, and an example that runs
// of every one that can be imported.
func TestExplained(t *testing.T) {
	for _, p := range list(t, "./...") {
		if len(p.GoFiles) == 0 {
			continue
		}
		at := path(p.ImportPath)
		if p.Doc == "" {
			t.Errorf("%s has no doc comment", at)
		}
		if p.Name != "main" && !hasExample(t, p) {
			t.Errorf("%s has no example with an Output: comment, which would be tested", at)
		}
	}
}

func hasExample(t *testing.T, p pkg) bool {
	t.Helper()
	var files []*ast.File
	for _, name := range append(p.TestGoFiles, p.XTestGoFiles...) {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Error(err)
			continue
		}
		files = append(files, f)
	}
	return slices.ContainsFunc(doc.Examples(files...), func(e *doc.Example) bool {
		return e.Output != "" || e.EmptyOutput
	})
}

// TestNotices wants every module that is linked into the binary named in the
// notices, and no module there that go.mod does not have.
func TestNotices(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "THIRD_PARTY_NOTICES.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ := strings.Cut(rest, "`")
			named[name] = true
		}
	}
	for _, p := range list(t, "-deps", "./cmd/railyard") {
		if m := p.Module; m != nil && !m.Main && !named[m.Path] {
			t.Errorf("THIRD_PARTY_NOTICES.md does not name %s, which is linked into the binary", m.Path)
			named[m.Path] = true // one message each
		}
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range named {
		if !bytes.Contains(mod, []byte("\t"+name+" ")) {
			t.Errorf("THIRD_PARTY_NOTICES.md names %s, which go.mod does not", name)
		}
	}
}
