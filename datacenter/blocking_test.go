package datacenter_test

import (
	"math"
	"strings"
	"testing"
)

// TestBlocking: x and y share link a; x then has a third of b, with z and w. Max-min
// gives y the other two thirds of a. With blocking, y moves at the pace of x, less a
// fifth, until x ends after 300 us, and has all of a for the rest.
func TestBlocking(t *testing.T) {
	files := map[string]string{
		"links.csv": "link,capacity_Bps,latency_s\nin,1e10,0\nother,1e10,0\na,1e10,0\nb,1e10,0\nc,1e10,0\n",
		"flows.csv": "flow,start_s,bytes,route\nx,0,1000000,in a b\ny,0,1000000,other a c\nz,0,1000000,b\nw,0,1000000,b\n",
	}
	const toml = "[topology]\nkind = \"links\"\nfile = \"links.csv\"\nblocking = true\n[[workload.flows]]\nfile = \"flows.csv\"\n"
	want := []float64{3e-4, 3e-4 + 1e-4*(1-0.8), 3e-4, 3e-4}
	got := column(t, run(t, toml, files), "flows", "finish_s")
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-9 {
			t.Errorf("flow %d ends at %v, want %v", i, got[i], want[i])
		}
	}
	// A max-min fluid lets y have two thirds of a.
	if got := column(t, run(t, toml, files, "topology.blocking=false"), "flows", "finish_s")[1]; math.Abs(got-1.5e-4) > 1e-9 {
		t.Errorf("without blocking y ends at %v, want 150 us", got)
	}
	if got := refused(t, toml, files, "sim.fidelity=analytic"); !strings.Contains(got, "case.toml:4:12: topology.blocking: contradicts fidelity") {
		t.Error(got)
	}
}

// TestBlockingCollectives: a collective whose messages do not meet takes what a fluid
// without blocking gives it, training too.
func TestBlockingCollectives(t *testing.T) {
	const toml = `
[topology]
kind = "rail"
host = "dgx-h100"
hosts = 2
[[workload.collective]]
op = "all_reduce"
algorithm = "ring"
sizes = ["32MiB"]
iterations = 5
accelerators = 8
[models.small]
layers = 2
hidden = 512
heads = 8
vocab = 1000
[[workload.training]]
model = "small"
accelerators = 8
global_batch = 8
sequence = 128
iterations = 5
`
	with, without := run(t, toml, nil, "topology.blocking=true"), run(t, toml, nil)
	for _, path := range []string{"collectives.0.time_s", "training.0.iteration_s"} {
		if a, b := number(t, with, path), number(t, without, path); !near(a, b, 0.02) {
			t.Errorf("%s: %v with blocking, %v without", path, a, b)
		}
	}
}

// TestSprayEfficiency: of links between hosts a flow has so much of the payload rate,
// and only of those.
func TestSprayEfficiency(t *testing.T) {
	const toml = `
[topology]
kind = "leaf-spine"
host = "dgx-h100"
hosts = 2
link_latency = "0s"
switch_latency = "0s"
[[workload.flows]]
file = "flows.csv"
`
	between := map[string]string{"flows.csv": "flow,start_s,bytes,src,dst\nx,0,1000000000,host0/acc0,host1/acc0\n"}
	within := map[string]string{"flows.csv": "flow,start_s,bytes,src,dst\nx,0,1000000000,host0/acc0,host0/acc1\n"}
	took := func(files map[string]string, set ...string) float64 {
		return column(t, run(t, toml, files, set...), "flows", "finish_s")[0]
	}
	if a, b := took(between, "topology.spray_efficiency=0.8"), took(between); !near(a, b/0.8, 1e-6) {
		t.Errorf("between hosts: %v, want %v", a, b/0.8)
	}
	if a, b := took(within, "topology.spray_efficiency=0.8"), took(within); a != b {
		t.Errorf("within a host: %v, want %v", a, b)
	}
	if a, b := took(between, "topology.spray_efficiency=0.8", "sim.fidelity=packet", "topology.packet.mtu=1MB"),
		took(between, "sim.fidelity=packet", "topology.packet.mtu=1MB"); a != b {
		t.Errorf("by packets: %v, want %v", a, b)
	}
}
