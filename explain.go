package railyard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
)

// Explanation is what a name means: it may be several things.
type Explanation struct {
	Metrics []result.Declared
	Keys    []scenario.Declared
	Files   []result.File
}

// Explain finds what a name means: metrics of the results, keys of a scenario and files
// that commands write. A name is a whole path, "workload.training[].tensor" or
// "training.0.iteration_s", or the end of one, "breakdown_s.compute" or "tensor"; a file
// has its own, "links.csv". The error for one that means nothing names the nearest that
// does.
func Explain(name string) (*Explanation, error) {
	wanted := parts(name)
	var candidates []string
	means := func(path string) bool {
		have := parts(path)
		if len(wanted) == 0 || len(have) < len(wanted) {
			return false
		}
		have = have[len(have)-len(wanted):]
		candidates = append(candidates, strings.Join(have, "."))
		return slices.EqualFunc(wanted, have, func(want, have string) bool { return want == have || isPlaceholder(have) && len(wanted) > 1 })
	}
	x := &Explanation{}
	for _, f := range result.Files {
		if candidates = append(candidates, f.Name); f.Name == name {
			x.Files = append(x.Files, f)
		}
	}
	for _, d := range result.Reference() {
		if means(d.Path) {
			x.Metrics = append(x.Metrics, d)
		}
	}
	for _, d := range scenario.Reference() {
		if means(d.Path) {
			x.Keys = append(x.Keys, d)
		}
	}
	if x.Metrics == nil && x.Keys == nil && x.Files == nil {
		hint := ""
		if near := scenario.Nearest(strings.Join(wanted, "."), candidates); near != "" {
			hint = fmt.Sprintf(" (did you mean %q?)", near)
		}
		return nil, fmt.Errorf("no metric, no key and no file is called %q%s", name, hint)
	}
	return x, nil
}

// parts takes a path apart, the numbers and brackets of lists left out.
func parts(path string) []string {
	var all []string
	for _, part := range strings.Split(path, ".") {
		part, _, _ = strings.Cut(part, "[")
		if strings.Trim(part, "0123456789") != "" {
			all = append(all, part)
		}
	}
	return all
}

// isPlaceholder says whether a part of a path stands for any name: "hosts.NAME".
func isPlaceholder(part string) bool { return part == strings.ToUpper(part) }
