package datacenter_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Three hosts send 1 GB a second to the fourth: its NIC lacks 3 GB/s of what others send to
// it, theirs 1 GB/s of what they send, and what the fourth sends lacks nothing.
func TestMonitoring(t *testing.T) {
	const text = `
[topology]
kind = "leaf-spine"
host = "node"
hosts = 4
hosts_per_rack = 4
link_latency = "0s"
switch_latency = "0s"
%s
[hosts.node]
accelerator = "a100-sxm-80gb"
accelerators = 1
nics = 1
nic_bandwidth = "80Gbps"
nic_efficiency = 1.0
[[workload.flows]]
file = "flows.csv"
`
	const watched = "[topology.monitoring]\ncollector = \"host3\"\ninterval = \"100ms\"\nscrape = \"100MB\"\ncpu = \"5ms\"\n"
	for _, c := range []struct {
		from, to string
		rate     float64 // of 10 GB/s
	}{{"host0/acc0", "host1/acc0", 9e9}, {"host0/acc0", "host3/acc0", 7e9}, {"host3/acc0", "host0/acc0", 10e9}} {
		files := map[string]string{"flows.csv": fmt.Sprintf("flow,start_s,bytes,src,dst\nf,0,63e9,%s,%s\n", c.from, c.to)}
		if got, want := number(t, run(t, fmt.Sprintf(text, watched), files), "makespan_s"), 63e9/c.rate; !near(got, want, 1e-6) {
			t.Errorf("from %s to %s it takes %v s, want %v", c.from, c.to, got, want)
		}
		if got, want := number(t, run(t, fmt.Sprintf(text, ""), files), "makespan_s"), 6.3; !near(got, want, 1e-6) {
			t.Errorf("unwatched it takes %v s, want %v", got, want)
		}
	}
	files := map[string]string{"flows.csv": "flow,start_s,bytes,src,dst\nf,0,1e9,host0/acc0,host1/acc0\n"}
	r := run(t, fmt.Sprintf(text, watched), files)
	if rate, cores := number(t, r, "monitoring.rate_Bps"), number(t, r, "monitoring.cores"); !near(rate, 3e9, 1e-12) || !near(cores, 0.15, 1e-12) {
		t.Errorf("the collector receives %v B/s, scrapes take %v cores", rate, cores)
	}
	for _, c := range []struct{ keys, want string }{
		{strings.Replace(watched, "host3", "host4", 1), `topology.monitoring.collector: there is no host "host4"`},
		{strings.Replace(watched, "100MB", "1GB", 1), "topology.monitoring: the scrapes of all hosts are more than"},
	} {
		if got := refused(t, fmt.Sprintf(text, c.keys), files); !strings.Contains(got, c.want) {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// Hosts that join later and leave early: of two racks of a host of eight, the second is
// there from 100 s, the first until 300 s and takes no job from 250 s on.
func TestElasticCluster(t *testing.T) {
	r := run(t, `
[topology]
kind = "leaf-spine"
host = "dgx-a100"
hosts = 2
hosts_per_rack = 1
[[topology.fault]]
kind = "rack"
name = "rack1"
at = "0s"
repair = "100s"
planned = true
[[topology.fault]]
kind = "rack"
name = "rack0"
at = "300s"
drain = "50s"
planned = true
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = "fifo-skip"
`, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\nwide,0,16,20\nfirst,1,8,60\nlast,210,8,60\nlong,211,8,60\nafter,280,8,10\n"})
	if got, want := column(t, r, "jobs", "start_s"), []float64{100, 1, 210, 211, 280}; !slices.Equal(got, want) {
		t.Errorf("jobs start at %v, want %v", got, want)
	}
	if got, want := words(t, r, "stretches", "placement"), []string{"0-7", "0-15", "0-7", "8-15", "8-15"}; !slices.Equal(got, want) {
		t.Errorf("jobs ran on %q, want %q", got, want)
	}
}
