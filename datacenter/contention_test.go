package datacenter_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// interleaved is two training jobs and a collective over the same up-links of an
// oversubscribed fabric: hosts 0 and 2, 1 and 3, and the last accelerators of all.
const interleaved = `
[hosts.small]
accelerator = "h100-sxm-80gb"
accelerators = 4
nics = 1
nic_bandwidth = "400Gbps"
[topology]
kind = "leaf-spine"
host = "small"
hosts = 6
hosts_per_rack = 3
oversubscription = 3.0
[[workload.training]]
name = "left"
model = "bert-large"
global_batch = 64
iterations = 12
sequence = 128
accelerators = [0, 1, 2, 3, 12, 13, 14, 15]
[[workload.training]]
name = "right"
model = "bert-large"
global_batch = 32
sequence = 128
jitter = 0.1
start = "10ms"
accelerators = [4, 5, 6, 7, 16, 17, 18, 19]
[[workload.collective]]
op = "all_gather"
start = "5ms"
sizes = ["256MiB", "1GiB"]
iterations = 20
accelerators = [8, 9, 20, 21]
`

// without removes workloads from interleaved, numbered from 0.
func without(numbers ...int) string {
	parts := strings.Split(interleaved, "[[workload.")
	for i := len(numbers) - 1; i >= 0; i-- {
		parts = append(parts[:1+numbers[i]], parts[2+numbers[i]:]...)
	}
	return strings.Join(parts, "[[workload.")
}

// The reported loss of each job is the difference to running alone.
func TestLostToOthers(t *testing.T) {
	here := run(t, interleaved, nil)
	left, right, gather := run(t, without(1, 2), nil), run(t, without(0, 2), nil), run(t, without(0, 1), nil)
	for _, c := range []struct {
		path  string
		alone *railyard.Result
	}{{"training.0", left}, {"training.1", right}} {
		want := number(t, here, c.path+".time_to_train_s") - number(t, c.alone, "training.0.time_to_train_s")
		if got := number(t, here, c.path+".lost_to_others_s"); math.Abs(got-want) > 1e-10 || want < 1e-3 {
			t.Errorf("%s lost %v s, the difference to running alone is %v", c.path, got, want)
		}
		slowdown := number(t, here, c.path+".time_to_train_s") / number(t, c.alone, "training.0.time_to_train_s")
		if got := number(t, here, c.path+".slowdown_ratio"); !near(got, slowdown, 1e-9) {
			t.Errorf("%s took %v times its time alone, want %v", c.path, got, slowdown)
		}
	}
	alone := column(t, gather, "collectives", "time_s")
	for i, lost := range column(t, here, "collectives", "lost_to_others_s") {
		if want := column(t, here, "collectives", "time_s")[i] - alone[i]; math.Abs(lost-want) > 1e-10 {
			t.Errorf("size %d of the collective lost %v s, the difference to running alone is %v", i, lost, want)
		}
	}
	if losses := here.Summary.Record("network").List("losses"); len(losses) != 3 || !strings.Contains(losses[0].Text("link"), "spine0") {
		t.Errorf("losses %v, want those of three jobs, most at a link of the spine", losses)
	}
	for _, r := range []*railyard.Result{left, right, gather} {
		if n := len(r.Summary.Record("network").List("losses")); n > 0 {
			t.Errorf("%d jobs lost time to others alone", n)
		}
	}
}

// What may stop a job does not keep the loss of another from being found that nothing can stop.
func TestLostBesideFailures(t *testing.T) {
	late := "[[topology.fault]]\nkind = \"host\"\nname = \"host5\"\nat = \"1h\"\n"
	here, failing := run(t, interleaved, nil), run(t, interleaved+late, nil)
	want, got := column(t, here, "collectives", "lost_to_others_s"), column(t, failing, "collectives", "lost_to_others_s")
	if !slices.Equal(got, want) {
		t.Errorf("the collective lost %v s, without a host that fails later %v", got, want)
	}
}

// Jobs under leaves of their own have nothing to lose, and there is no contention.csv.
func TestNothingLost(t *testing.T) {
	r := run(t, interleaved, nil, "workload.training.0.accelerators=[0,1,2,3,4,5,6,7]",
		"workload.training.1.accelerators=[12,13,14,15,16,17,18,19]", "workload.collective.0.accelerators=[8,9,10,11]")
	for i := range 2 {
		if lost := number(t, r, fmt.Sprintf("training.%d.lost_to_others_s", i)); lost != 0 {
			t.Errorf("job %d lost %v s apart from the other", i, lost)
		}
	}
	if r.Table("contention") != nil {
		t.Error("there is a contention.csv")
	}
}

// A flow's time alone is its latency and its bytes at the rate of its slowest link.
func TestFlowAlone(t *testing.T) {
	const toml = "[topology]\nkind = \"links\"\nfile = \"links.csv\"\n[[workload.flows]]\nfile = \"flows.csv\"\n"
	r := run(t, toml, map[string]string{
		"links.csv": "link,capacity_Bps,latency_s\na,100,1\nb,50,0\n",
		"flows.csv": "flow,start_s,bytes,route\nx,0,100,a b\ny,0,200,a\n",
	})
	// Both at 50 B/s: x from 1 s to 3; then y, with 100 bytes left, at 100 B/s to 4.
	for i, want := range []float64{3, 3} {
		if got := column(t, r, "flows", "alone_s")[i]; !near(got, want, 1e-9) {
			t.Errorf("flow %d takes %v s alone, want %v", i, got, want)
		}
	}
	for i, want := range []float64{0, 1} {
		if got := column(t, r, "flows", "lost_s")[i]; math.Abs(got-want) > 1e-9 {
			t.Errorf("flow %d lost %v s, want %v", i, got, want)
		}
	}
}

// Two equal training jobs, of twelve iterations each, whose gradients of 1.345 GB are
// summed in a ring over eight accelerators once all is computed: 2 x 7/8 of them cross
// each link of the ring, at 400 Gbit/s of which 92 % are payload. Each under a leaf of its
// own, neither is held up. With their hosts interleaved both rings cross the one up-link
// of each leaf, at half the rate: each iteration takes as long again for its gradients,
// and that is what the report says that each lost to the other, on those links and no
// others. The scheduler does the same to jobs that say how many accelerators they want.
func TestPlacedApartAndInterleaved(t *testing.T) {
	const iterations = 12
	fabric := strings.Replace(interleaved[:strings.Index(interleaved, "[[workload.")], "hosts = 6\nhosts_per_rack = 3\noversubscription = 3.0", "hosts = 4\nhosts_per_rack = 2\noversubscription = 2.0", 1)
	pair := func(left, right string, set ...string) *railyard.Result {
		job := "[[workload.training]]\nname = %q\nmodel = \"bert-large\"\nglobal_batch = 64\nsequence = 128\niterations = %d\noverlap = false\naccelerators = %s\n"
		return run(t, fabric+fmt.Sprintf(job, "left", iterations, left)+fmt.Sprintf(job, "right", iterations, right), nil, set...)
	}
	apart := pair("[0, 1, 2, 3, 4, 5, 6, 7]", "[8, 9, 10, 11, 12, 13, 14, 15]")
	mixed := pair("[0, 1, 2, 3, 8, 9, 10, 11]", "[4, 5, 6, 7, 12, 13, 14, 15]")
	gradients := number(t, apart, "training.0.gradient_bytes")
	if !near(gradients, 336.2e6*4, 0.01) {
		t.Errorf("gradients of %v bytes", gradients)
	}
	lost := iterations * 2 * 7 / 8. * gradients / (50e9 * 0.92)
	for i := range 2 {
		of := func(r *railyard.Result, key string) float64 {
			return number(t, r, fmt.Sprintf("training.%d.%s", i, key))
		}
		if of(apart, "lost_to_others_s") != 0 || of(apart, "slowdown_ratio") != 1 {
			t.Errorf("apart, job %d loses %v s", i, of(apart, "lost_to_others_s"))
		}
		if got := of(mixed, "time_to_train_s") - of(apart, "time_to_train_s"); !near(got, lost, 1e-3) { // and the latency of the spine
			t.Errorf("interleaved, job %d takes %v s longer, want %v", i, got, lost)
		}
		if got := of(mixed, "lost_to_others_s"); !near(got, lost, 1e-9) {
			t.Errorf("interleaved, job %d lost %v s, want %v", i, got, lost)
		}
	}
	if apart.Table("contention") != nil {
		t.Error("apart, there is a contention.csv")
	}
	wantLinks := "leaf0>spine0 leaf0>spine0 spine0>leaf0 spine0>leaf0 leaf1>spine0 leaf1>spine0 spine0>leaf1 spine0>leaf1"
	if got := cells(t, mixed, "contention", "link"); got != wantLinks {
		t.Errorf("contended are %s, want %s", got, wantLinks)
	}
	if got := cells(t, mixed, "contention", "owner"); got != strings.TrimSpace(strings.Repeat("left right ", 4)) {
		t.Errorf("%s lost time", got)
	}
	for i, got := range column(t, mixed, "contention", "lost_s") {
		if !near(got, lost, 1e-9) {
			t.Errorf("row %d of contention.csv: %v s lost, want %v", i, got, lost)
		}
	}
	for placement, like := range map[string]*railyard.Result{"pack": apart, "topology": apart, "spread": mixed} {
		r := pair("8", "8", "scheduler.placement="+placement)
		for i := range 2 {
			path := fmt.Sprintf("training.%d.time_to_train_s", i)
			if got, want := number(t, r, path), number(t, like, path); !near(got, want, 1e-4) { // latency of another ring
				t.Errorf("%s: job %d takes %v s, want %v", placement, i, got, want)
			}
		}
	}
}
