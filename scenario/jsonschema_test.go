package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

func schemaText(t *testing.T) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := WriteJSONSchema(&text); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// validator judges the text of a scenario by the schema.
func validator(t *testing.T) func(text string) error {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(schemaText(t), &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) error {
		root, fault := parseText("case.toml", text)
		if fault != nil {
			t.Fatal(fault)
		}
		return resolved.Validate(root.plain())
	}
}

// scenarioTexts are the scenarios that come with the program.
func scenarioTexts(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../scenarios/*.toml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	texts := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(text)
	}
	return texts
}

// Every scenario of ours is valid by the schema, and so are all of the catalogue
// and texts that use the values of many forms.
func TestSchemaTakes(t *testing.T) {
	validate := validator(t)
	texts := scenarioTexts(t)
	texts["catalogue"] = catalogueText
	for name, text := range map[string]string{
		"a whole number with an exponent": "[sim]\nseed = 1e3",
		"a count":                         train + "accelerators = 8",
		"a list":                          train + "accelerators = [0, 3]",
		"published":                       "[[topology.fault]]\nkind = \"accelerator\"\nmtbf = \"published\"",
		"a name of one's own":             "[hosts.\"my host\"]\nbase = \"dgx-h100\"\nnics = 4",
		"a wrapped torus":                 "[topology]\nkind = \"torus\"\ndims = [2, 2]\nwrap = [true, false]\nbandwidth = \".5GB/s\"\nlatency = \"1 us\"",
		"all dimensions wrapped":          "[topology]\nkind = \"torus\"\ndims = [2, 2]\nwrap = true\nbandwidth = \"1e3 Mbps\"\nlatency = \"1us\"",
		"a sweep":                         "[sweep]\nvary.topology.hosts = \"1..8*2\"",
	} {
		texts[name] = text
	}
	for name, text := range texts {
		if err := validate(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// broken are texts that are wrong in one place, marked @: neither the program nor
// the schema takes what is bad there, and both take what is good.
var broken = []struct{ name, text, bad, good string }{
	{"unknown key", rails + "@ = 2", "bandwith", "oversubscription"},
	{"unknown table", "[@]\nseed = 3", "simulation", "sim"},
	{"key in a list", train + "@ = 2", "tenser", "tensor"},
	{"unit missing", cable + "bandwidth = @", `"400"`, `"400Gbps"`},
	{"another unit", cable + "bandwidth = @", `"400us"`, `"400GB/s"`},
	{"bare number", cable + "bandwidth = @", "400", `"400 bps"`},
	{"sign", "[sim]\nhorizon = @", `"-1s"`, `"1s"`},
	{"not in the enum", "[sim]\nfidelity = @", `"exact"`, `"fluid"`},
	{"too small", rails + "hosts = @", "0", "1"},
	{"too large", rails + "hosts = @", "262145", "262144"},
	{"fraction", rails + "hosts = @", "1.5", "1e3"},
	{"string for a number", rails + "hosts = @", `"8"`, "8"},
	{"no number", rails + "oversubscription = @", "true", "1"},
	{"no truth", "[scheduler]\nconsolidate = @", `"yes"`, "true"},
	{"empty string", "name = @", `""`, `"a"`},
	{"empty list", sizes + "sizes = @", "[]", `["1MiB"]`},
	{"entry of a list", sizes + "sizes = @", `["1MiB", "1"]`, `["1MiB", "1B"]`},
	{"listed twice", train + "accelerators = @", "[0, 0]", "[0, 1]"},
	{"required", "[[expect]]\nmetric = \"makespan_s\"\nop = \">\"\n@", "", "value = 1"},
	{"required by the kind", ring + "@", "", "accelerators = 8"},
	{"not of the kind", ring + "accelerators = 8\n@", "hosts = 2", ""},
	{"not of a site's kind", "[[topology.site]]\nname = \"a\"\nkind = \"fat-tree\"\nk = 4\n@ = 1", "groups", "queue_pairs"},
	{"a list for a table", "[scheduler]\n@", "security = [1]", "security = { apart = \"host\" }"},
	{"a table for a list", "@\nmodel = \"bert-large\"\nglobal_batch = 8", "[workload.training]", "[[workload.training]]"},
	{"a value for a table", "sim = @", "3", "{ seed = 3 }"},
	{"a key of a named host", "[hosts.\"my host\"]\nbase = \"dgx-h100\"\n@ = 4", "nicks", "nics"},
	{"must be positive", "[scheduler]\nestimate_error = @", "0", "0.1"},
	{"distribution", "[[workload.serving]]\nmodel = \"llama-3.1-70b\"\ninput = { distribution = @, mean = 3 }", `"normal"`, `"lognormal"`},
	{"key of a distribution", "[[workload.serving]]\nmodel = \"llama-3.1-70b\"\ninput = { distribution = \"uniform\", max = 9, @ = 3 }", "cv", "min"},
}

const (
	rails = "[topology]\nkind = \"rail\"\nhost = \"dgx-h100\"\n"
	ring  = "[topology]\nkind = \"ring\"\nbandwidth = \"1GB/s\"\nlatency = \"1us\"\n"
	cable = "[[topology.wan]]\nfrom = \"a\"\nto = \"b\"\nlatency = \"1ms\"\n"
	train = "[[workload.training]]\nmodel = \"bert-large\"\nglobal_batch = 8\n"
	sizes = "[[workload.collective]]\nop = \"all_reduce\"\n"
)

func TestSchemaRefuses(t *testing.T) {
	validate := validator(t)
	faults := func(text string) int {
		root, _ := parseText("case.toml", text)
		return len(bind(root, &Scenario{}).all())
	}
	for _, c := range broken {
		bad, good := strings.ReplaceAll(c.text, "@", c.bad), strings.ReplaceAll(c.text, "@", c.good)
		if validate(bad) == nil || faults(bad) == 0 {
			t.Errorf("%s is taken:\n%s", c.name, bad)
		}
		if err := validate(good); err != nil || faults(good) != 0 {
			t.Errorf("%s, mended: %v, %d faults:\n%s", c.name, err, faults(good), good)
		}
	}
}

// Every key of the language has its sentence in the schema, and no other is there.
func TestSchemaIsWhole(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(schemaText(t), &root); err != nil {
		t.Fatal(err)
	}
	defs := root["$defs"].(map[string]any)
	// within is the schema of what a path holds, whatever leads there.
	within := func(s map[string]any) map[string]any {
		for {
			switch {
			case s["$ref"] != nil:
				s = defs[strings.TrimPrefix(s["$ref"].(string), "#/$defs/")].(map[string]any)
			case s["items"] != nil:
				s = s["items"].(map[string]any)
			default:
				return s
			}
		}
	}
	for _, d := range Reference() {
		s := root
		for _, part := range strings.Split(strings.ReplaceAll(d.Path, "[]", ""), ".") {
			s = within(s)
			if part == "NAME" {
				s = s["additionalProperties"].(map[string]any)
				continue
			}
			next, ok := s["properties"].(map[string]any)[part].(map[string]any)
			if !ok {
				t.Fatalf("%s: there is no %s", d.Path, part)
			}
			s = next
		}
		if d.Type != "named tables" && s["description"] != d.Doc {
			t.Errorf("%s: the schema says %v, the declaration %s", d.Path, s["description"], d.Doc)
		}
	}
}

// Editors take the schema from the first line of a scenario: tried with taplo,
// which they run, from npm.
func TestSchemaInTaplo(t *testing.T) {
	taplo := filepath.Join(os.Getenv("RAILYARD_NPM"), "node_modules", ".bin", "taplo")
	if _, err := exec.LookPath(taplo); err != nil || os.Getenv("RAILYARD_NPM") == "" {
		t.Skip("needs in RAILYARD_NPM the folder in which `npm install @taplo/cli` ran")
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	lint := func(names ...string) (string, error) {
		c := exec.Command(taplo, append([]string{"lint", "--no-auto-config"}, names...)...)
		c.Dir = dir
		out, err := c.CombinedOutput()
		return string(out), err
	}
	const directive = "#:schema ./scenario.schema.json\n"
	write("scenario.schema.json", string(schemaText(t)))
	good, err := os.ReadFile("../scenarios/two-sites.toml")
	if err != nil {
		t.Fatal(err)
	}
	files := []string{write("good.toml", directive+string(good))}
	for i, c := range broken[:4] { // taplo takes its time
		files = append(files, write(fmt.Sprintf("bad-%d.toml", i), directive+strings.ReplaceAll(c.text, "@", c.bad)))
	}
	out, err := lint(files...)
	if err == nil || strings.Contains(out, "good.toml") {
		t.Errorf("%v, the good file is refused or all pass", err)
	}
	for _, file := range files[1:] {
		if !strings.Contains(out, file) {
			t.Errorf("%s passes", file)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}
