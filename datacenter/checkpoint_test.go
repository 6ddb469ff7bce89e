package datacenter_test

import (
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// under is four hosts of four accelerators and NICs of 50 GB/s, of which 92 % are payload.
func under(perRack, oversubscription string) string {
	return strings.Replace(strings.Replace(fabric, "hosts_per_rack = 2", "hosts_per_rack = "+perRack, 1), "oversubscription = 1.0", "oversubscription = "+oversubscription, 1)
}

// A checkpoint of 80 GB that eight accelerators write over the network takes as long as
// the fullest link needs for its part: to one host 20 GB for each of its NICs; to hosts
// under another leaf all 80 GB over the one cable that oversubscription leaves; to two
// under the same leaf 10 GB for each NIC; and no less than the storage itself.
func TestCheckpointOverTheNetwork(t *testing.T) {
	const payload = 50e9 * 0.92
	job := "[[workload.training]]\nmodel = \"bert-large\"\nglobal_batch = 64\nsequence = 128\niterations = 100\naccelerators = [0, 1, 2, 3, 4, 5, 6, 7]\ncheckpoint_interval = \"1s\"\ncheckpoint_size = \"80GB\"\n"
	for _, c := range []struct {
		name, fabric, hosts, rate string
		want                      float64
	}{
		{"one host", under("4", "1.0"), `"host3"`, "10TB/s", 20e9 / payload},
		{"two hosts", under("4", "1.0"), `"host2", "host3"`, "10TB/s", 10e9 / payload},
		{"through one cable", under("2", "8.0"), `"host2", "host3"`, "10TB/s", 80e9 / payload},
		{"slow disks", under("4", "1.0"), `"host2", "host3"`, "20GB/s", 2},
	} {
		r := run(t, c.fabric+"[topology.storage]\nlayout = \"striped\"\nblock = \"1MB\"\ndrive_read = \""+c.rate+"\"\nhosts = ["+c.hosts+"]\n"+job, nil)
		for _, key := range []string{"write", "reload"} {
			if got := number(t, r, "training.0.reliability.checkpoint_"+key+"_s"); !near(got, c.want, 1e-4) { // latency
				t.Errorf("%s: %s takes %v s, want %v", c.name, key, got, c.want)
			}
		}
	}
	for hosts, want := range map[string]string{
		`"host9"`: `topology.storage.hosts: there is no host "host9"`, `"host1", "host1"`: `topology.storage.hosts: "host1" is there twice`, `3`: "topology.storage.hosts",
	} {
		if got := refused(t, fabric+"[topology.storage]\nlayout = \"striped\"\ndrive_read = \"1TB/s\"\nhosts = ["+hosts+"]\n"+job, nil); !strings.Contains(got, want) {
			t.Errorf("%s: %s", hosts, got)
		}
	}
}

// What is written goes over the network: the NICs of the storage's host have all
// checkpoints, whether they were simulated or jumped over; and two jobs that write to it
// at the same time take twice as long.
func TestCheckpointTraffic(t *testing.T) {
	const payload = 50e9 * 0.92
	storage := "[topology.storage]\nlayout = \"striped\"\nblock = \"1MB\"\ndrive_read = \"10TB/s\"\nhosts = [\"host3\"]\n"
	job := func(name, accelerators string, mode string) string {
		return trains(100, "name = \""+name+"\"\naccelerators = ["+accelerators+"]\ncheckpoint_interval = \"1s\"\ncheckpoint_size = \"80GB\"\n"+mode)
	}
	fabric := under("4", "1.0")
	for _, mode := range []string{"", "checkpoint_mode = \"asynchronous\"\ncheckpoint_snapshot = \"10ms\"\n"} {
		one := run(t, fabric+storage+job("a", "0, 1, 2, 3", mode), nil)
		two := run(t, fabric+storage+job("a", "0, 1, 2, 3", mode)+job("b", "4, 5, 6, 7", mode), nil)
		for r, n := range map[*railyard.Result]float64{one: 1, two: 2} {
			made := number(t, r, "training.0.reliability.checkpoints")
			into := 0.0
			for i, name := range strings.Fields(cells(t, r, "links", "link")) {
				if strings.HasPrefix(name, "leaf0>host3/nic") {
					into += column(t, r, "links", "bytes")[i]
				}
			}
			if made < 3 || !near(into, n*made*80e9, 1e-9) {
				t.Errorf("%q, %v jobs: %v bytes in all for %v checkpoints of each", mode, n, into, made)
			}
			took, write := number(t, r, "training.0.reliability.time_s.checkpoint")/made, 20e9/payload
			want := n * write
			if mode != "" {
				want = 0.01
			}
			if !near(took, want, 1e-3) {
				t.Errorf("%q, %v jobs: stands still for %v s each time, want %v", mode, n, took, want)
			}
		}
	}
}

// Failures come while checkpoints are on their way, or wait for each other: what counts is
// the same 600 iterations as without.
func TestCheckpointTrafficThroughFailures(t *testing.T) {
	keys := "detection_time = \"500ms\"\nrestart_time = \"1s\"\ncheckpoint_interval = \"1s\"\ncheckpoint_size = \"80GB\"\n"
	jobs := trains(600, "name = \"a\"\naccelerators = [0, 1, 2, 3]\n"+keys) +
		trains(600, "name = \"b\"\naccelerators = [4, 5, 6, 7]\ncheckpoint_mode = \"asynchronous\"\n"+keys)
	storage := "[topology.storage]\nlayout = \"striped\"\nblock = \"1MB\"\ndrive_read = \"100GB/s\"\nhosts = [\"host3\"]\n"
	productive := func(r *railyard.Result) (both [2]float64) {
		for i := range both {
			both[i] = number(t, r, "training."+string(rune('0'+i))+".reliability.time_s.productive")
		}
		return both
	}
	rare := "[[topology.fault]]\nkind = \"host\"\nmtbf = \"1000000h\"\n"
	want := productive(run(t, under("2", "2.0")+storage+rare+jobs, nil))
	interrupted := 0.0
	for _, seed := range []string{"1", "2", "3"} {
		r := run(t, "[sim]\nseed = "+seed+"\n"+under("2", "2.0")+storage+"[[topology.fault]]\nkind = \"host\"\nmtbf = \"60s\"\nrepair = \"1s\"\n"+jobs, nil)
		for i, got := range productive(r) {
			if !near(got, want[i], 2e-2) { // b computes beside its own traffic now and then
				t.Errorf("seed %s: job %d is productive for %v s, want %v", seed, i, got, want[i])
			}
		}
		interrupted += number(t, r, "training.0.reliability.interruptions") + number(t, r, "training.1.reliability.interruptions")
	}
	if interrupted < 10 {
		t.Errorf("%v interruptions", interrupted)
	}
}

// Two jobs on the same accelerators, one after the other, have checkpoints of their own:
// a small one lies on one host where a large one is spread over all.
func TestCheckpointsDiffer(t *testing.T) {
	storage := "[topology.storage]\nlayout = \"striped\"\nblock = \"1GB\"\ndrive_read = \"1GB/s\"\nhosts = [\"host2\", \"host3\"]\n"
	job := func(name, size string) string {
		return trains(20, "name = \""+name+"\"\naccelerators = [0]\ncheckpoint_interval = \"100ms\"\ncheckpoint_size = \""+size+"\"\n")
	}
	r := run(t, under("4", "1.0")+storage+job("large", "8GB")+job("small", "1GB"), nil)
	for i, want := range []float64{4, 1} { // 8 GB on two drives of 1 GB/s, 1 GB on one
		if got := number(t, r, "training."+string(rune('0'+i))+".reliability.checkpoint_write_s"); !near(got, want, 1e-3) {
			t.Errorf("checkpoint %d takes %v s, want %v", i, got, want)
		}
	}
}
