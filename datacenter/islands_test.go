package datacenter_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// twoSites is a job over two sites that a cable of 100 Gb/s and 20 ms joins.
func twoSites(keys string) string {
	return `
[[topology.site]]
name = "east"
kind = "rail"
host = "dgx-h100"
hosts = 2
[[topology.site]]
name = "west"
kind = "rail"
host = "dgx-h100"
hosts = 2
[[topology.wan]]
from = "east"
to = "west"
bandwidth = "100Gbps"
latency = "20ms"
[[workload.training]]
model = "llama-3.1-8b"
tensor = 4
sequence_parallel = true
global_batch = 64
sequence = 4096
zero = 1
framework = "megatron"
recompute = "selective"
iterations = 100
` + keys
}

// overWAN is what crosses the cable from east to west.
func overWAN(t *testing.T, r *railyard.Result) float64 {
	t.Helper()
	links := r.Table("links")
	for i, name := range links.Column("link").Text {
		if name == "east/gateway>west/gateway" {
			return links.Column("bytes").Numbers[i]
		}
	}
	t.Fatal("there is no cable between the sites")
	return 0
}

// Islands that agree after H steps send 1/H of what they would send every step, and no
// more than gradients in FP32 for every parameter each way.
func TestIslandsCutTraffic(t *testing.T) {
	synchronous := overWAN(t, run(t, twoSites(""), nil))
	every := overWAN(t, run(t, twoSites("local_steps = 1\n"), nil))
	if want := 100 * 4 * 8.03e9; !near(every, want, 0.01) { // of two islands each half goes either way, and comes back
		t.Errorf("outer steps after every iteration send %v B, want %v", every, want)
	}
	for _, h := range []int{5, 20, 50} {
		r := run(t, twoSites(fmt.Sprintf("local_steps = %d\n", h)), nil)
		got := overWAN(t, r)
		if !near(got, every/float64(h), 1e-9) {
			t.Errorf("%d local steps send %v B, want %v", h, got, every/float64(h))
		}
		if cut := synchronous / got; cut < float64(h) {
			t.Errorf("%d local steps send 1/%v of what synchronous training does", h, cut)
		}
		// The time to train is that of all iterations and outer steps.
		outer, n := number(t, r, "training.0.outer_step_s"), number(t, r, "training.0.outer_steps")
		if want := 100 * number(t, r, "training.0.iteration_s"); n != float64(100/h) || !near(number(t, r, "training.0.time_to_train_s"), want, 1e-3) {
			t.Errorf("%v outer steps of %v s, and %v s in all, want %v", n, outer, number(t, r, "training.0.time_to_train_s"), want)
		}
		sum := 0.0
		for _, part := range []string{"compute", "exposed_communication", "bubble", "storage", "optimizer"} {
			sum += number(t, r, "training.0.breakdown_s."+part)
		}
		if !near(sum, number(t, r, "training.0.iteration_s"), 1e-9) {
			t.Errorf("the parts of an iteration are %v s", sum)
		}
	}
}

// An outer step takes at least its bytes over the cable and the way there and back.
func TestOuterStepOverWAN(t *testing.T) {
	r := run(t, twoSites("local_steps = 10\n"), nil)
	least := 4*8.03e9/12.5e9 + 2*0.02
	if got := number(t, r, "training.0.outer_step_s"); got < least || got > 1.05*least {
		t.Errorf("an outer step takes %v s, its bytes %v s", got, least)
	}
}

// Synchronous training over the cable is bound by it, and why says so; with local steps
// it is not.
func TestWhyWAN(t *testing.T) {
	verdict := func(keys string) string {
		s, err := load(t, twoSites(keys), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := railyard.Why(context.Background(), s, railyard.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r.List("training")[0].Text("verdict")
	}
	if got := verdict(""); !strings.HasPrefix(got, "WAN-bound: 10 % more WAN bandwidth") {
		t.Errorf("synchronous training is %s", got)
	}
	// Llama 3.1 8B over 100 Gb/s and 20 ms waits for both: neither alone makes up half of it.
	s, err := railyard.Load("../scenarios/diloco.toml", "workload.training.0.iterations=3")
	if err != nil {
		t.Fatal(err)
	}
	s.Workload.Training[0].LocalSteps.Set = false
	r, err := railyard.Why(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.List("training")[0].Text("verdict"); !strings.HasPrefix(got, "WAN-bound") {
		t.Errorf("synchronous training over 20 ms is %s", got)
	}
	if got := verdict("local_steps = 50\n"); !strings.HasPrefix(got, "compute-bound") {
		t.Errorf("with local steps it is %s", got)
	}
}

func TestIslandsRefused(t *testing.T) {
	for _, c := range []struct{ keys, want string }{
		{"islands = 2\n", "training[0].islands: belong to local_steps, which is missing"},
		{"local_steps = 10\nislands = 3\n", "islands 3 do not divide data 8: nearest 2 or 4"},
		{"local_steps = 10\nevaluate_every = 5\nevaluation_samples = 8\n", "is not simulated with local_steps"},
	} {
		if got := refused(t, twoSites(c.keys), nil); !strings.Contains(got, c.want) {
			t.Errorf("said %q, want %q", got, c.want)
		}
	}
	one := "[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-h100\"\nhosts = 2\n" + trains(3, "local_steps = 10")
	if got := refused(t, one, nil); !strings.Contains(got, "of how many islands? There is one site") {
		t.Errorf("said %q", got)
	}
}
