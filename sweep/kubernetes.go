package sweep

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard"
)

// Kubernetes runs a sweep as an indexed job: each pod runs a shard, in a journal of
// its own on a volume that all of them mount, and another job waits for all points
// and makes the table. The scenario and the files that it names go with a ConfigMap.
type Kubernetes struct {
	Name  string // of the objects
	Image string // that has railyard as its entry point
	// Request is the sweep, Path its scenario, relative to the working folder.
	Request Request
	Path    string
	Tasks   int    // pods in all; 0 is one for each point, up to 100
	Workers int    // points that a pod runs at one time, each on a CPU; 0 is 1
	Memory  string // of a pod, as in "4Gi"; "" asks for none
	// Claim is a volume claim that is there already; without it, one of Storage
	// is made.
	Claim   string
	Storage string // as in "10Gi"
}

// Where pods find the files of the sweep and keep its points.
const (
	kubernetesFiles = "/railyard/files"
	kubernetesOut   = "/railyard/out"
)

// maxConfigMap bounds the files that go with a ConfigMap, which Kubernetes limits to
// 1 MiB with their names.
const maxConfigMap = 1 << 20

var kubernetesName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$`)

// kubernetesQuantity is how much of a volume or of memory.
var kubernetesQuantity = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$`)

// object is a part of a manifest.
type object = map[string]any

// Manifest is the list of objects to apply, as JSON, which kubectl reads as it does
// YAML.
func (k *Kubernetes) Manifest(s *Sweep) (string, error) {
	switch {
	case !kubernetesName.MatchString(k.Name):
		return "", inputf("%q is no name for objects of Kubernetes: small letters, digits and hyphens, at most 52, a letter first", k.Name)
	case k.Image == "":
		return "", inputf("Kubernetes needs an image that has railyard as its entry point")
	case k.Claim == "" && !kubernetesQuantity.MatchString(k.Storage):
		return "", inputf("%q is no size of a volume of Kubernetes; write 10Gi", k.Storage)
	case k.Memory != "" && !kubernetesQuantity.MatchString(k.Memory):
		return "", inputf("%q is no memory of a pod of Kubernetes; write 4Gi", k.Memory)
	}
	files, items, err := k.files(s)
	if err != nil {
		return "", err
	}
	list := []object{{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": k.metadata(""), "binaryData": files,
	}}
	claim := k.Claim
	if claim == "" {
		claim = k.Name
		list = append(list, object{
			"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": k.metadata(""),
			"spec": object{
				"accessModes": []string{"ReadWriteMany"},
				"resources":   object{"requests": object{"storage": k.Storage}},
			},
		})
	}
	tasks, workers := k.tasks(s), max(k.Workers, 1)
	run := append([]string{"sweep", filepath.ToSlash(k.Path), "--quiet"}, k.Request.Flags()...)
	run = append(run, "--out", kubernetesOut, "--workers", strconv.Itoa(workers), "--resume")
	merge := []string{"merge", kubernetesOut, "--out", kubernetesOut, "--wait"}
	list = append(list,
		object{
			"apiVersion": "batch/v1", "kind": "Job", "metadata": k.metadata(""),
			"spec": object{
				"completions": tasks, "parallelism": tasks, "completionMode": "Indexed",
				"backoffLimit": 3 * tasks, // a pod that is lost resumes its shard
				"template":     k.pod(run, claim, items, workers, []object{{"name": "JOB_COMPLETIONS", "value": strconv.Itoa(tasks)}}),
			},
		},
		object{
			"apiVersion": "batch/v1", "kind": "Job", "metadata": k.metadata("-merge"),
			"spec": object{"backoffLimit": 3, "template": k.pod(merge, claim, items, 1, nil)},
		},
	)
	text, err := json.MarshalIndent(object{"apiVersion": "v1", "kind": "List", "items": list}, "", "  ")
	return string(text) + "\n", err
}

func (k *Kubernetes) tasks(s *Sweep) int {
	if k.Tasks > 0 {
		return min(k.Tasks, s.Len())
	}
	return min(defaultTasks, s.Len())
}

func (k *Kubernetes) metadata(suffix string) object {
	return object{"name": k.Name + suffix, "labels": object{"app.kubernetes.io/name": "railyard", "app.kubernetes.io/instance": k.Name}}
}

// pod is the template of the pods that run railyard with some arguments.
func (k *Kubernetes) pod(args []string, claim string, items []object, cpus int, env []object) object {
	requests := object{"cpu": strconv.Itoa(cpus)}
	container := object{
		"name": "railyard", "image": k.Image, "args": args, "workingDir": kubernetesFiles,
		"resources": object{"requests": requests},
		"volumeMounts": []object{
			{"name": "files", "mountPath": kubernetesFiles, "readOnly": true},
			{"name": "out", "mountPath": kubernetesOut},
		},
	}
	if k.Memory != "" {
		requests["memory"] = k.Memory
		container["resources"] = object{"requests": requests, "limits": object{"memory": k.Memory}}
	}
	if env != nil {
		container["env"] = env
	}
	return object{
		"metadata": object{"labels": k.metadata("")["labels"]},
		"spec": object{
			"restartPolicy": "Never",
			"containers":    []object{container},
			"volumes": []object{
				{"name": "files", "configMap": object{"name": k.Name, "items": items}},
				{"name": "out", "persistentVolumeClaim": object{"claimName": claim}},
			},
		},
	}
}

// files are those that the points read, by the keys of the ConfigMap, and where each
// goes: the same place relative to the working folder, so that messages are the same.
func (k *Kubernetes) files(s *Sweep) (data map[string][]byte, items []object, err error) {
	paths := []string{k.Path}
	for i := range s.Len() {
		scenario, err := s.load(i)
		if err != nil {
			continue // a row with the reason
		}
		for _, p := range scenario.Files() {
			if !slices.Contains(paths, p) {
				paths = append(paths, p)
			}
		}
	}
	data = map[string][]byte{}
	size := 0
	for i, p := range paths {
		place := path.Clean(filepath.ToSlash(p))
		if !filepath.IsLocal(p) {
			return nil, nil, inputf("%s is not below the working folder: pods get files where they lie below it", p)
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return nil, nil, railyard.Faults{{File: p, Message: "cannot read it: " + err.Error()}}
		}
		if size += len(text)*4/3 + len(place); size > maxConfigMap {
			return nil, nil, inputf("the scenario and its files are more than the %d KiB of a ConfigMap: put them into the image and run it from there", maxConfigMap>>10)
		}
		key := fmt.Sprintf("%d-%s", i, strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
				return r
			}
			return '-'
		}, path.Base(place)))
		data[key] = text
		items = append(items, object{"key": key, "path": place})
	}
	return data, items, nil
}
