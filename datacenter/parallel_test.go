package datacenter_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// llama is a step of Llama 3 405B, a few layers of it, in three dimensions of
// parallelism.
func llama(name, topology, keys string) string {
	return topology + fmt.Sprintf(`
[models.%[1]s]
base = "llama-3.1-405b"
layers = 16

[[workload.training]]
name = "%[1]s"
model = "%[1]s"
tensor = 8
pipeline = 4
global_batch = 32
sequence = 8192
recompute = "full"
zero = 2
sequence_parallel = true
iterations = 2
`, name) + keys
}

// On 128 accelerators the folded run, a gang for each stage, and the run of every
// rank on its own give the same times and carry the same bytes.
func TestFoldedIsUnfoldedOn128(t *testing.T) {
	const rails = "[topology]\nkind = \"rail\"\nhost = \"dgx-h100\"\nhosts = 16\n"
	folded := run(t, llama("case", rails, ""), nil)
	unfolded := run(t, llama("case", rails, "expand = true\n"), nil)
	for _, metric := range []string{
		"makespan_s", "training.0.iteration_s", "training.0.breakdown_s.compute", "training.0.breakdown_s.exposed_communication",
		"training.0.breakdown_s.bubble", "training.0.breakdown_s.optimizer", "training.0.exposed_by_kind_s.tensor",
		"training.0.exposed_by_kind_s.gradients", "training.0.exposed_by_kind_s.pipeline",
	} {
		if a, b := number(t, folded, metric), number(t, unfolded, metric); a != b {
			t.Errorf("%s is %v folded and %v unfolded", metric, a, b)
		}
	}
	a, b := column(t, folded, "links", "bytes"), column(t, unfolded, "links", "bytes")
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-9*max(a[i], b[i]) {
			t.Fatalf("link %d carries %v bytes folded and %v unfolded", i, a[i], b[i])
		}
	}
}

// Two such jobs whose stages lie on both sides of an oversubscribed fabric slow each
// other down: the speed of the folded run is not bought by leaving contention out.
func TestTwoJobsContend(t *testing.T) {
	const fabric = "[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-h100\"\nhosts = 32\nhosts_per_rack = 8\noversubscription = 32.0\n"
	list := func(first int) string { // every second host
		var all []string
		for h := first; h < 32; h += 2 {
			for a := range 8 {
				all = append(all, fmt.Sprint(8*h+a))
			}
		}
		return "accelerators = [" + strings.Join(all, ", ") + "]\n"
	}
	alone := run(t, llama("one", fabric, list(0)), nil)
	both := run(t, llama("one", fabric, list(0))+llama("two", "", list(1)), nil)
	for i := range 2 {
		path := fmt.Sprintf("training.%d.iteration_s", i)
		if a, b := number(t, alone, "training.0.iteration_s"), number(t, both, path); b < 1.01*a {
			t.Errorf("job %d takes %v an iteration beside the other, %v alone", i, b, a)
		}
	}
	if number(t, alone, "network.contended_links") != 0 || number(t, both, "network.contended_links") == 0 {
		t.Errorf("%v links are contended by one job, %v by two", number(t, alone, "network.contended_links"), number(t, both, "network.contended_links"))
	}
}
