package railyard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// A name means what its path ends in; numbers of a list's entries and names of
// one's own do not matter.
func TestExplain(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string // paths of metrics, then of keys, then files
	}{
		{"mfu_ratio", []string{"training[].mfu_ratio", "points[].mfu_ratio", "plan.mfu_ratio"}},
		{"training.0.iteration_s", []string{"training[].iteration_s"}},
		{"training[1].breakdown_s.compute", []string{"training[].breakdown_s.compute"}},
		{"compute_by_class_s.matrix", []string{"training[].compute_by_class_s.CLASS"}},
		{"topology.oversubscription", []string{"topology.oversubscription"}},
		{"workload.training.0.zero", []string{"workload.training[].zero"}},
		{"hosts.dgx-h100.nics", []string{"hosts.NAME.nics"}},
		{"seed", []string{"seed", "sim.seed"}},
		{"links.csv", []string{"links.csv"}},
		{"decisions.jsonl", []string{"decisions.jsonl"}},
	} {
		x, err := railyard.Explain(c.name)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, m := range x.Metrics {
			got = append(got, m.Path)
		}
		for _, k := range x.Keys {
			got = append(got, k.Path)
		}
		for _, f := range x.Files {
			got = append(got, f.Name)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
	for name, want := range map[string]string{
		"iteraton_s":            `"iteraton_s" (did you mean "iteration_s"?)`,
		"topology.oversubcript": `(did you mean "topology.oversubscription"?)`,
		"zzzzzzzzzz":            `"zzzzzzzzzz"`,
		"":                      `""`,
		"0.1":                   `"0.1"`,
		"link.csv":              `(did you mean "links.csv"?)`,
	} {
		if _, err := railyard.Explain(name); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}
