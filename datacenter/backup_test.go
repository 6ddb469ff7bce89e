package datacenter_test

import (
	"slices"
	"strings"
	"testing"
)

// vault is four servers of 16 drives that keep files, and two hosts that keep copies of
// them, with two NICs of 25 GB/s each, of which all is payload.
func vault(keys string) string {
	return `
[topology]
kind = "leaf-spine"
hosts_per_rack = 4
routing = "spray"
link_latency = "0s"
switch_latency = "0s"
[[topology.pool]]
name = "compute"
host = "dgx-h100"
hosts = 1
[[topology.pool]]
name = "files"
host = "server"
hosts = 4
[[topology.pool]]
name = "vault"
host = "server"
hosts = 2
[hosts.server]
accelerators = 0
nics = 2
nic_bandwidth = "200Gbps"
nic_efficiency = 1.0
[topology.storage]
layout = "striped"
pool = "files"
drives = 16
drive_read = "6GB/s"
[[workload.backup]]
size = "36TB"
window = "10m"
pool = "vault"
` + keys
}

// A full copy takes its bytes over whatever binds: the hosts that keep it have 4 NICs of
// 25 GB/s; 2 x write; the limit; 4 x 16 drives.
func TestBackupTakes(t *testing.T) {
	for _, c := range []struct {
		keys  string
		rate  float64
		fits  float64
		sets  []string
		bytes float64
	}{
		{rate: 100e9, fits: 1},
		{keys: "write = \"30GB/s\"\n", rate: 60e9, fits: 1},
		{keys: "write = \"30GB/s\"\nrate = \"50GB/s\"\n", rate: 50e9, fits: 0}, // 12 min
		{sets: []string{"topology.storage.drives=1"}, rate: 24e9, fits: 0},
		{sets: []string{"topology.encryption.rest=host", "topology.encryption.crypto_rate=1GB/s", "topology.encryption.crypto_cores=40"}, rate: 80e9, fits: 1},
	} {
		r := run(t, vault(c.keys), nil, c.sets...)
		if got, want := number(t, r, "backups.0.longest_s"), 36e12/c.rate; !near(got, want, 1e-6) {
			t.Errorf("%q %q: a copy takes %v s, want %v", c.keys, c.sets, got, want)
		}
		if got := number(t, r, "backups.0.fitting"); got != c.fits {
			t.Errorf("%q %q: %v copies fit their window", c.keys, c.sets, got)
		}
		if got := number(t, r, "backups.0.alone_ratio"); !near(got, 1, 1e-6) {
			t.Errorf("%q %q: alone it would take %v of its time", c.keys, c.sets, got)
		}
		read := 0.0
		for i, name := range words(t, r, "links", "link") {
			if strings.HasSuffix(name, "/drives/read") {
				read += column(t, r, "links", "bytes")[i]
			}
		}
		if !near(read, 36e12, 1e-9) {
			t.Errorf("%q: drives read %v B", c.keys, read)
		}
	}
}

// Copies of 720 s every 600 s: every other one is missed, and the one after it copies what
// has changed in two periods, a tenth of all in each.
func TestBackupMissed(t *testing.T) {
	r := run(t, vault("rate = \"50GB/s\"\nevery = \"10m\"\nfull_every = 4\nchange = 0.1\ncopies = 6\n"), nil)
	if got, want := words(t, r, "backups", "status"), []string{"late", "missed", "fits", "fits", "late", "missed"}; !slices.Equal(got, want) {
		t.Errorf("copies: %q, want %q", got, want)
	}
	if got, want := words(t, r, "backups", "kind"), []string{"full", "incremental", "incremental", "incremental", "full", "incremental"}; !slices.Equal(got, want) {
		t.Errorf("copies: %q, want %q", got, want)
	}
	for i, want := range []float64{36e12, 0, 7.2e12, 3.6e12, 36e12, 0} {
		if got := column(t, r, "backups", "bytes")[i]; !near(got, want, 1e-12) {
			t.Errorf("copy %d is %v B, want %v", i, got, want)
		}
	}
	for i, want := range []float64{720, 0, 1200 + 144, 1800 + 72, 2400 + 720, 0} {
		if got := column(t, r, "backups", "finish_s")[i]; want > 0 && !near(got, want, 1e-6) {
			t.Errorf("copy %d ends at %v s, want %v", i, got, want)
		}
	}
}

// A copy that ends when the next is due is done by then: 36 TB at 100 GB/s every 360 s.
func TestBackupEndsWhenNextIsDue(t *testing.T) {
	r := run(t, vault("every = \"6m\"\nfull_every = 1\ncopies = 3\n"), nil, "workload.backup.0.window=6m")
	if got, want := words(t, r, "backups", "status"), []string{"fits", "fits", "fits"}; !slices.Equal(got, want) {
		t.Errorf("copies: %q, want %q", got, want)
	}
	if got, want := column(t, r, "backups", "finish_s"), []float64{360, 720, 1080}; !slices.Equal(got, want) {
		t.Errorf("end at %v s, want %v", got, want)
	}
}

// A reader of the same drives gets half of their 96 GB/s, and the copy the other half:
// 36 TB take 750 s, twice what they take alone, and the reader's 36.8 TB a little longer.
func TestBackupContends(t *testing.T) {
	text := strings.Replace(vault("[[workload.storage]]\nop = \"read\"\nsize = \"4.6TB\"\naccelerators = 8\n"), "drives = 16", "drives = 4", 1)
	alone := number(t, run(t, strings.Replace(vault(""), "drives = 16", "drives = 4", 1), nil), "backups.0.longest_s")
	if want := 36e12 / 96e9; !near(alone, want, 1e-6) {
		t.Fatalf("alone it takes %v s, want %v", alone, want)
	}
	r := run(t, text, nil)
	took, reader := number(t, r, "backups.0.longest_s"), number(t, r, "storage.0.time_s")
	if want := 72.8e12 / 96e9; !near(took, 750, 1e-6) || !near(reader, want, 1e-6) {
		t.Errorf("the copy takes %v s, want 750; the reader %v, want %v", took, reader, want)
	}
	if got := number(t, r, "backups.0.alone_ratio"); !near(got, alone/took, 1e-6) {
		t.Errorf("alone_ratio is %v, want %v", got, alone/took)
	}
}

// To another site, the cable between them binds.
func TestBackupToAnotherSite(t *testing.T) {
	r := run(t, `
[[topology.site]]
name = "east"
kind = "leaf-spine"
host = "dgx-h100"
hosts = 4
[[topology.site]]
name = "west"
kind = "leaf-spine"
host = "dgx-h100"
hosts = 2
[[topology.wan]]
from = "east"
to = "west"
bandwidth = "100Gbps"
latency = "20ms"
[topology.storage]
layout = "striped"
hosts = ["east/host2", "east/host3"]
drive_read = "50GB/s"
[[workload.backup]]
size = "1TB"
window = "1m"
to = ["west/host0", "west/host1"]
`, nil)
	if got := number(t, r, "backups.0.longest_s"); got < 1e12/12.5e9 || got > 1.1*1e12/12.5e9 {
		t.Errorf("over 100 Gb/s a terabyte takes %v s", got)
	}
	if got := number(t, r, "backups.0.late"); got != 1 {
		t.Errorf("%v are late", got)
	}
}

func TestBackupFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{vault("to = [\"host5\"]\n"), "workload.backup[0].pool: contradicts to"},
		{strings.Replace(vault(""), "pool = \"vault\"", "", 1), `workload.backup[0]: needs the key "to" or "pool"`},
		{strings.Replace(vault(""), "pool = \"vault\"", "to = [\"host2\"]", 1), "workload.backup[0]: host2 keeps what is to be copied"},
		{strings.Replace(vault(""), "pool = \"vault\"", "to = [\"host9\"]", 1), `workload.backup[0].to: there is no host "host9"`},
		{strings.Replace(vault(""), "pool = \"vault\"", "pool = \"vaults\"", 1), `there is no [[topology.pool]] with the name "vaults" (did you mean "vault"?)`},
		{vault("change = 0.1\n"), "workload.backup[0].change: belongs to incremental copies"},
		{vault("every = \"200d\"\ncopies = 1000\n"), "workload.backup[0].copies: 1000 copies reach beyond the clock"},
		{strings.Replace(vault(""), "layout = \"striped\"\npool = \"files\"\ndrives = 16\ndrive_read = \"6GB/s\"\n", "write = \"1GB/s\"\n", 1), "workload.backup[0]: of what? [topology.storage] with a layout is missing"},
		{"[sim]\nfidelity = \"packet\"\n" + vault(""), `sim.fidelity: "packet" does not simulate workload.backup[0]`},
		{vault("[[topology.fault]]\nkind = \"switch\"\nname = \"spine0\"\nat = \"1s\"\n"), "breaks links, and workload.backup[0] does not find its way around them"},
	} {
		if got := refused(t, c.text, nil); !strings.Contains(got, c.want) {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
