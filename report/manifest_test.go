package report_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/railyard/railyard/report"
)

// A run id is a UUIDv5 (RFC 9562) that depends on the scenario, the contents of
// its inputs, the seed and the version, and on nothing else.
func TestRunID(t *testing.T) {
	scenario := func(hosts int) map[string]any {
		return map[string]any{"topology": map[string]any{"kind": "rail", "hosts": hosts}, "name": "case"}
	}
	file := func(path, sum string) []report.File { return []report.File{{Path: path, Bytes: 3, SHA256: sum}} }
	id := func(s map[string]any, inputs []report.File, seed int64, version string) string {
		t.Helper()
		text, err := report.RunID(s, inputs, seed, version)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	base := id(scenario(8), file("a.csv", "00"), 1, "v1")
	u, err := uuid.Parse(base)
	if err != nil || u.Version() != 5 || u.Variant() != uuid.RFC4122 {
		t.Errorf("%s is no UUIDv5: %v", base, err)
	}
	for name, c := range map[string]struct {
		id   string
		same bool
	}{
		"again":           {id(scenario(8), file("a.csv", "00"), 1, "v1"), true},
		"another path":    {id(scenario(8), file("/elsewhere/a.csv", "00"), 1, "v1"), true},
		"another content": {id(scenario(8), file("a.csv", "01"), 1, "v1"), false},
		"another value":   {id(scenario(9), file("a.csv", "00"), 1, "v1"), false},
		"another seed":    {id(scenario(8), file("a.csv", "00"), 2, "v1"), false},
		"another version": {id(scenario(8), file("a.csv", "00"), 1, "v2"), false},
		"no input":        {id(scenario(8), nil, 1, "v1"), false},
	} {
		if (c.id == base) != c.same {
			t.Errorf("%s: %s beside %s", name, c.id, base)
		}
	}
	if _, err := report.RunID(map[string]any{"x": make(chan int)}, nil, 1, ""); err == nil {
		t.Error("what JSON cannot hold has an id")
	}
}

func TestDescribe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "abc")
	if err := os.WriteFile(path, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := report.Describe(path)
	// FIPS 180-2, appendix B.1.
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; err != nil || f.Bytes != 3 || f.SHA256 != want || f.Path != filepath.ToSlash(path) {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := report.Describe(path + "x"); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestWriteManifest(t *testing.T) {
	dir := t.TempDir()
	m := &report.Manifest{
		Run: "id", Name: "case", Status: "done", Version: "v1", Seed: 3, Scenario: map[string]any{"name": "case"},
		Inputs: []report.File{{Path: "case.toml"}}, Host: report.Host{Cores: 2},
	}
	if err := report.WriteManifest(dir, m); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"run", "name", "status", "version", "seed", "scenario", "inputs", "outputs", "host"} {
		if keys[key] == nil {
			t.Errorf("the manifest has no %q", key)
		}
	}
}
