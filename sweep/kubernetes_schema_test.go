package sweep_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/railyard/railyard/sweep"
)

// kubernetesSchema is the published schema of the objects of a manifest, by apiVersion
// and kind; see the comment in the file.
func kubernetesSchema(t *testing.T) map[string]*jsonschema.Resolved {
	t.Helper()
	text, err := os.ReadFile("testdata/kubernetes.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*jsonschema.Resolved{}
	for object, definition := range map[string]string{
		"v1 ConfigMap":             "io.k8s.api.core.v1.ConfigMap",
		"v1 PersistentVolumeClaim": "io.k8s.api.core.v1.PersistentVolumeClaim",
		"batch/v1 Job":             "io.k8s.api.batch.v1.Job",
	} {
		var s jsonschema.Schema
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		s.Ref = "#/$defs/" + definition
		if all[object], err = s.Resolve(nil); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// judge says what the published schema has against a manifest.
func judge(schema map[string]*jsonschema.Resolved, manifest string) error {
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal([]byte(manifest), &list); err != nil {
		return err
	}
	if len(list.Items) == 0 {
		return fmt.Errorf("there are no objects")
	}
	for _, item := range list.Items {
		name := fmt.Sprint(item["apiVersion"], " ", item["kind"])
		s := schema[name]
		if s == nil {
			return fmt.Errorf("there is no schema of %s", name)
		}
		if err := s.Validate(item); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Every form of a manifest is one that Kubernetes takes by its published schema, and
// the schema finds what is wrong where something is.
func TestKubernetesSchema(t *testing.T) {
	schema := kubernetesSchema(t)
	t.Chdir(t.TempDir()) // files of a manifest lie below the working folder
	if err := os.WriteFile("rings.toml", []byte(rings), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := sweep.Load("rings.toml", sweep.Request{Vary: []string{"topology.accelerators=2..5"}})
	if err != nil {
		t.Fatal(err)
	}
	k := sweep.Kubernetes{Name: "rings", Image: "example.org/railyard:1", Path: "rings.toml", Storage: "1Gi"}
	var text string
	for name, k := range map[string]sweep.Kubernetes{
		"the least":      k,
		"memory, a CPU":  {Name: k.Name, Image: k.Image, Path: k.Path, Storage: "10Gi", Memory: "4Gi", Workers: 2, Tasks: 2},
		"a given volume": {Name: k.Name, Image: k.Image, Path: k.Path, Claim: "there", Tasks: 1},
	} {
		if text, err = k.Manifest(s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := judge(schema, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	text, err = k.Manifest(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown field of a job", `"completionMode"`, `"completionmode"`, `"completionmode"`},
		{"unknown field of a container", `"workingDir"`, `"workDir"`, `"workDir"`},
		{"unknown field of a volume", `"claimName": "rings"`, `"claimName": "rings", "size": "1Gi"`, `"size"`},
		{"number in words", `"completions": 4`, `"completions": "four"`, `has type "string", want "integer"`},
		{"fraction", `"backoffLimit": 12`, `"backoffLimit": 1.5`, `want "integer"`},
		{"value of a variable that is no string", `"value": "4"`, `"value": 4`, `want "string"`},
		{"arguments in one string", `"restartPolicy": "Never"`, `"restartPolicy": ["Never"]`, `has type "array", want "string"`},
		{"volume claim without a name", `"claimName": "rings"`, `"readOnly": false`, `"claimName"`},
		{"mount without a path", `"mountPath": "/railyard/out",`, ``, `"mountPath"`},
		{"container without a name", `"name": "railyard",`, ``, `"name"`},
		{"variable without a name", `"name": "JOB_COMPLETIONS",`, ``, `"name"`},
		{"other version", `"batch/v1"`, `"batch/v2"`, "there is no schema of batch/v2 Job"},
	} {
		if !strings.Contains(text, c.from) {
			t.Fatalf("%s: the manifest has no %s", c.name, c.from)
		}
		if err := judge(schema, strings.ReplaceAll(text, c.from, c.to)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}
