package railyard_test

import (
	"strings"
	"testing"
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
		{"slow disks", under("4", "1.0"), `"host2", "host3"`, "40GB/s", 2},
	} {
		r := run(t, c.fabric+"[topology.storage]\nwrite = \""+c.rate+"\"\nhost = \"1TB/s\"\nhosts = ["+c.hosts+"]\n"+job, nil)
		for _, key := range []string{"write", "reload"} {
			if got := number(t, r, "training.0.reliability.checkpoint_"+key+"_s"); !near(got, c.want, 1e-4) { // latency
				t.Errorf("%s: %s takes %v s, want %v", c.name, key, got, c.want)
			}
		}
	}
	for hosts, want := range map[string]string{
		`"host9"`: `topology.storage.hosts: there is no host "host9"`, `"host1", "host1"`: `topology.storage.hosts: "host1" is there twice`, `3`: "topology.storage.hosts",
	} {
		if got := refused(t, fabric+"[topology.storage]\nwrite = \"1TB/s\"\nhosts = ["+hosts+"]\n"+job, nil); !strings.Contains(got, want) {
			t.Errorf("%s: %s", hosts, got)
		}
	}
}
