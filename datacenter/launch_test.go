package datacenter_test

import (
	"context"
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// few is a mixture of 64 small experts on one host, a micro-batch of 512 tokens at a time.
const few = `
[topology]
kind = "single-host"
host = "dgx-h100"

[models.few]
layers = 4
hidden = 1024
heads = 16
vocab = 32000
sequence = 512
experts = 64
experts_per_token = 4
expert_ffn = 512

[[workload.training]]
model = "few"
expert = 8
global_batch = 16
iterations = 2
`

// A host that launches many short kernels is said to bound the job, and its part is in the
// breakdown; a graph of the whole iteration takes it away, and graphs of some of it part.
func TestHostBound(t *testing.T) {
	s, err := load(t, few, nil)
	if err != nil {
		t.Fatal(err)
	}
	why, err := railyard.Why(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if verdict := why.List("training")[0].Text("verdict"); !strings.HasPrefix(verdict, "host-bound, launching kernels: ") {
		t.Errorf("why: %s", verdict)
	}
	took := map[string]float64{}
	for _, graphs := range []string{"none", "partial", "full"} {
		r := run(t, few+"cuda_graphs = \""+graphs+"\"\n", nil)
		sum := 0.0
		for _, f := range r.Summary.List("training")[0].Record("breakdown_s").Fields {
			sum += f.Value.(float64)
		}
		if took[graphs] = number(t, r, "training.0.iteration_s"); !near(sum, took[graphs], 1e-9) {
			t.Errorf("%s: parts sum to %v s of %v", graphs, sum, took[graphs])
		}
	}
	if took["full"] > 0.5*took["none"] || took["partial"] >= took["none"] || took["partial"] <= took["full"] {
		t.Errorf("an iteration takes %v", took)
	}
	// A host that takes no time is one that a graph of all does without.
	free := run(t, few+"\n[hosts.free]\nbase = \"dgx-h100\"\nlaunch_time = \"0s\"\n", nil, "topology.host=free")
	if got := number(t, free, "training.0.iteration_s"); !near(got, took["full"], 1e-9) {
		t.Errorf("without launches %v s, %v in one graph", got, took["full"])
	}
}

// The micro-batch that is chosen is one that the host can keep up with: the shortest
// iteration of all, where bubbles alone would ask for the smallest.
func TestMicroBatchOfTheHost(t *testing.T) {
	text := strings.Replace(few, "expert = 8\nglobal_batch = 16\n", "expert = 2\npipeline = 4\nglobal_batch = 64\n", 1)
	chosen := number(t, run(t, text+"micro_batch = \"auto\"\n", nil), "training.0.iteration_s")
	for _, micro := range []string{"1", "2", "4", "8", "16", "32"} {
		if took := number(t, run(t, text+"micro_batch = "+micro+"\n", nil), "training.0.iteration_s"); took < 0.999*chosen {
			t.Errorf("an iteration takes %v s, with micro-batches of %s %v", chosen, micro, took)
		}
	}
}
