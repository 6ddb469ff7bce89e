package sweep_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard/sweep"
)

// manifest is what a cluster does of a manifest: jobs, and the files of pods.
type manifest struct {
	Items []struct {
		APIVersion string `json:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		BinaryData map[string][]byte
		Spec       struct {
			Completions, Parallelism int
			CompletionMode           string
			Template                 struct {
				Spec struct {
					RestartPolicy string
					Containers    []struct {
						Image, WorkingDir string
						Args              []string
						Env               []struct{ Name, Value string }
						VolumeMounts      []struct{ Name, MountPath string }
					}
					Volumes []struct {
						Name      string
						ConfigMap struct {
							Name  string
							Items []struct{ Key, Path string }
						}
						PersistentVolumeClaim struct{ ClaimName string }
					}
				}
			}
		}
	}
}

// A shell plays the cluster: it mounts the files, runs a pod for every index, one of
// them twice as if it had been evicted, and the merge beside them.
func TestKubernetes(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go to build railyard with")
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "railyard")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "../cmd/railyard").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Chdir(dir)
	if err := os.Mkdir("scenarios", 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"scenarios/flows.toml": "[topology]\nkind = \"links\"\nfile = \"links.csv\"\n[[workload.flows]]\nfile = \"flows.csv\"\n",
		"scenarios/links.csv":  "link,capacity_Bps,latency_s\na,1e9,0\n",
		"scenarios/flows.csv":  "flow,start_s,bytes,route\nf,0,1e9,a\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r := sweep.Request{Vary: []string{"sim.horizon=0.5s..8s*2", "sim.fidelity=fluid,analytic"}, Where: []string{`horizon > "1s"`}}
	s, err := sweep.Load("scenarios/flows.toml", r)
	if err != nil {
		t.Fatal(err)
	}
	want := run(t, s, sweep.Options{})
	k := &sweep.Kubernetes{Name: "flows", Image: "example.org/railyard:1", Request: r, Path: "scenarios/flows.toml", Tasks: 3, Storage: "1Gi", Memory: "1Gi"}
	text, err := k.Manifest(s)
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, item := range m.Items {
		kinds = append(kinds, item.APIVersion+" "+item.Kind+" "+item.Metadata.Name)
	}
	if diff := cmp.Diff([]string{"v1 ConfigMap flows", "v1 PersistentVolumeClaim flows", "batch/v1 Job flows", "batch/v1 Job flows-merge"}, kinds); diff != "" {
		t.Fatal(diff)
	}
	files, out := filepath.Join(dir, "files"), filepath.Join(dir, "out")
	job := m.Items[2].Spec
	for _, item := range job.Template.Spec.Volumes[0].ConfigMap.Items {
		at := filepath.Join(files, item.Path)
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, m.Items[0].BinaryData[item.Key], 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if job.Completions != 3 || job.Parallelism != 3 || job.CompletionMode != "Indexed" {
		t.Errorf("the job is %+v", job)
	}
	pod := func(item, index int) *exec.Cmd {
		c := m.Items[item].Spec.Template.Spec.Containers[0]
		var words []string
		for _, word := range append([]string{binary}, c.Args...) {
			word = strings.ReplaceAll(word, c.VolumeMounts[1].MountPath, out)
			words = append(words, "'"+strings.ReplaceAll(word, "'", `'\''`)+"'")
		}
		cmd := exec.Command("sh", "-c", strings.Join(words, " "))
		cmd.Dir = strings.ReplaceAll(c.WorkingDir, c.VolumeMounts[0].MountPath, files)
		cmd.Env = append(os.Environ(), "JOB_COMPLETION_INDEX="+strconv.Itoa(index))
		for _, e := range c.Env {
			cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
		}
		return cmd
	}
	merge := pod(3, 0)
	if err := merge.Start(); err != nil {
		t.Fatal(err)
	}
	for _, index := range []int{0, 2, 1, 1} {
		if said, err := pod(2, index).CombinedOutput(); err != nil {
			t.Fatalf("pod %d: %v: %s", index, err, said)
		}
	}
	if err := merge.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := points(t, out); got != want {
		t.Error(cmp.Diff(want, got))
	}
}

func TestKubernetesErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("rings.toml", []byte(rings), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := sweep.Load("rings.toml", sweep.Request{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		k    sweep.Kubernetes
		want string
	}{
		{sweep.Kubernetes{Name: "Sweep_1", Image: "x", Path: "rings.toml"}, `"Sweep_1" is no name`},
		{sweep.Kubernetes{Name: "sweep", Path: "rings.toml"}, "needs an image"},
		{sweep.Kubernetes{Name: "sweep", Image: "x", Path: "rings.toml", Storage: "10GB"}, `"10GB" is no size of a volume`},
		{sweep.Kubernetes{Name: "sweep", Image: "x", Path: "rings.toml", Storage: "10Gi", Memory: "4 Gi"}, `"4 Gi" is no memory`},
		{sweep.Kubernetes{Name: "sweep", Image: "x", Path: "/etc/hostname", Storage: "1Gi"}, "is not below the working folder"},
		{sweep.Kubernetes{Name: "sweep", Image: "x", Path: "none.toml", Storage: "1Gi"}, "none.toml: cannot read it"},
	} {
		if _, err := c.k.Manifest(s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.k, err, c.want)
		}
	}
}
