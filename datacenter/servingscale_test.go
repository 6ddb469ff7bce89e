package datacenter_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/result"
)

func table(t *testing.T, all []*result.Table, name string) *result.Table {
	t.Helper()
	i := slices.IndexFunc(all, func(x *result.Table) bool { return x.Name == name })
	if i < 0 {
		t.Fatalf("there is no table %s", name)
	}
	return all[i]
}

// Every decision that a run writes is that of the documented formula where all replicas
// are ready, and what is asked for is there after the cold start that the keys say: 16 GB
// of weights at 1 GB/s and 4 s for the engine.
func TestAutoscale(t *testing.T) {
	r := run(t, servingOn("h100-sxm-80gb", 8, `model = "llama-3.1-8b"
router = "least-loaded"
rate = 40.0
count = 4000
input = 512
output = 128
[workload.serving.cold_start]
image = "1GB"
image_rate = "1GB/s"
weights_rate = "1GB/s"
engine = "4s"
[workload.serving.autoscale]
target = 16.0
max = 6
down_window = "0s"
`), nil)
	s := r.Summary.List("serving")[0]
	if n := s.Float("requests"); n != 4000 {
		t.Errorf("%v of 4000 requests ended", n)
	}
	d := table(t, r.Tables, "scaling")
	ready, starting := d.Column("ready").Integers, d.Column("starting").Integers
	whole := 0
	for i, metric := range d.Column("metric").Numbers {
		current, got := float64(ready[i]), d.Column("recommended").Integers[i]
		if starting[i] > 0 {
			continue
		}
		want := current
		if math.Abs(metric/16-1) > 0.1 {
			want = math.Ceil(current*metric/16 - 1e-9)
		}
		if float64(got) != want {
			t.Errorf("row %d: %v replicas at %v of 16: %d, want %v", i, current, metric, got, want)
		}
		whole++
	}
	if whole < 3 || s.Float("scalings") < 1 || s.Float("starts") < 1 || s.Float("mean_replicas") > 6 {
		t.Errorf("%d decisions with all ready; %v scalings, %v starts, %v replicas in the mean", whole, s.Float("scalings"), s.Float("starts"), s.Float("mean_replicas"))
	}
}

// A host that fails takes its replicas away, and no request: the other host answers them.
func TestServingHostFails(t *testing.T) {
	r := run(t, `[topology]
kind = "leaf-spine"
host = "dgx-h100"
hosts = 2
[[topology.fault]]
kind = "host"
name = "host0"
at = "10s"
repair = "1m"
[[workload.serving]]
model = "llama-3.1-8b"
tensor = 8
concurrency = 20
count = 400
input = 512
output = 512
`, nil)
	s := r.Summary.List("serving")[0]
	if s.Float("requests") != 400 || s.Float("failures") != 1 || s.Float("moved") < 1 || s.Float("unfinished") != 0 {
		t.Errorf("%v requests, %v failures, %v moved", s.Float("requests"), s.Float("failures"), s.Float("moved"))
	}
}

func TestAutoscaleRefused(t *testing.T) {
	keys := "model = \"llama-3.1-8b\"\nrate = 1.0\ncount = 1\ninput = 10\noutput = 10\n"
	if got := refused(t, servingOn("h100-sxm-80gb", 4, keys+"[workload.serving.autoscale]\ntarget = 1\nmin = 5\n"), nil); !strings.Contains(got, "there is room for 4 replicas") {
		t.Errorf("got %s", got)
	}
}
