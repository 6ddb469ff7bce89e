package datacenter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// Each way to encrypt changes what its standard says and nothing else: the payload of
// links between hosts by its headers, the latency of cables, the cores that it takes.
func TestEncryptionInTransit(t *testing.T) {
	const bytes = 46e9 // a second on a NIC of 400 Gb/s with a payload of 92 %
	files := map[string]string{"flows.csv": fmt.Sprintf("flow,start_s,bytes,src,dst\nbetween,0,%v,host0/acc0,host1/acc0\nwithin,0,%v,host0/acc2,host0/acc3\n", bytes, bytes)}
	text := "[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-h100\"\nhosts = 2\n%s[[workload.flows]]\nfile = \"flows.csv\"\n"
	times := func(keys string) (between, within float64, r *railyard.Result) {
		if keys != "" {
			keys = "[topology.encryption]\n" + keys
		}
		r = run(t, fmt.Sprintf(text, keys), files)
		finish := column(t, r, "flows", "finish_s")
		return finish[0], finish[1], r
	}
	plain, inside, _ := times("")
	latency := plain - 1
	for _, c := range []struct {
		keys        string
		share       float64 // of the payload rate
		added       float64 // latency
		cores       float64 // seconds
		transferred float64
	}{
		{"transit = \"macsec\"\n", 4096.0 / 4128, 2e-6, 0, 2 * bytes}, // two cables
		{"transit = \"macsec\"\nlatency = \"3us\"\nframe = \"1500B\"\n", 1500.0 / 1532, 6e-6, 0, 2 * bytes},
		{"transit = \"ipsec\"\n", 4096.0 / 4150, 0, 0, 2 * bytes},
		{"transit = \"tls\"\n", 16384.0 / 16406, 0, 0, 2 * bytes},
		// 16 cores at 5 GB/s send 40 GB/s, an eighth of it by each NIC.
		{"transit = \"tls\"\noffload = false\ncrypto_rate = \"5GB/s\"\ncrypto_cores = 16\n", 5.0 / 46, 0, 2 * bytes / 5e9, 2 * bytes},
	} {
		between, within, r := times(c.keys)
		if want := 1/c.share + latency + c.added; !near(between, want, 1e-9) {
			t.Errorf("%q takes %v s, want %v", c.keys, between, want)
		}
		if within != inside {
			t.Errorf("%q: inside a host it takes %v s, without %v", c.keys, within, inside)
		}
		if got := number(t, r, "encryption.cores_s"); !near(got, c.cores, 1e-9) {
			t.Errorf("%q takes %v s of cores, want %v", c.keys, got, c.cores)
		}
		if got := number(t, r, "encryption.transit_bytes"); !near(got, c.transferred, 1e-9) {
			t.Errorf("%q: %v B, want %v", c.keys, got, c.transferred)
		}
	}
}

// On drives that encrypt themselves nothing changes; where servers do it, their cores
// bind.
func TestEncryptionAtRest(t *testing.T) {
	load := "[[workload.storage]]\nop = \"write\"\nsize = \"1GB\"\naccelerators = 8\n"
	plain := number(t, run(t, filer("layout = \"striped\"\n")+load, nil), "storage.0.time_s")
	drive := run(t, filer("layout = \"striped\"\n[topology.encryption]\nrest = \"drive\"\n")+load, nil)
	if got := number(t, drive, "storage.0.time_s"); got != plain || number(t, drive, "encryption.cores_s") != 0 {
		t.Errorf("on drives that encrypt it takes %v s, without %v", got, plain)
	}
	// Four servers of 2 cores write 1 GB/s each, their drives 4.
	host := run(t, filer("layout = \"striped\"\n[topology.encryption]\nrest = \"host\"\ncrypto_rate = \"1GB/s\"\ncrypto_cores = 2\n")+load, nil)
	if got := number(t, host, "storage.0.time_s"); !near(got, 8e9/4e9, 1e-3) {
		t.Errorf("by servers it takes %v s", got)
	}
	if got := number(t, host, "encryption.cores_s"); !near(got, 8, 1e-9) {
		t.Errorf("it takes %v s of cores", got)
	}
}

func TestEncryptionRefused(t *testing.T) {
	text := "[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-h100\"\nhosts = 2\n[topology.encryption]\n%s[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n"
	for _, c := range []struct{ keys, want string }{
		{"transit = \"macsek\"\n", `topology.encryption.transit: "macsek" is unknown (did you mean "macsec"?); one of: none, macsec, ipsec, tls`},
		{"bounce_rate = \"9GB/s\"\n", "topology.encryption.bounce_rate: belongs to confidential = true"},
		{"bounce_latency = \"1us\"\n", "topology.encryption.bounce_latency: belongs to confidential = true"},
		{"transit = \"tls\"\noffload = false\n", `needs the key "crypto_rate"`},
		{"transit = \"tls\"\nframe = \"1500B\"\n", `frame: belongs to transit = "macsec" or "ipsec"`},
		{"transit = \"macsec\"\noffload = false\ncrypto_rate = \"1GB/s\"\n", "macsec is of cables"},
		{"rest = \"drive\"\n", "belongs to [topology.storage] with a layout, which is missing"},
	} {
		if got := refused(t, fmt.Sprintf(text, c.keys), nil); !strings.Contains(got, c.want) {
			t.Errorf("said %q, want %q", got, c.want)
		}
	}
	bare := "[topology]\nkind = \"ring\"\naccelerators = 4\nbandwidth = \"1GB/s\"\nlatency = \"1us\"\n[topology.encryption]\ntransit = \"tls\"\n[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n"
	if got := refused(t, bare, nil); !strings.Contains(got, "there are no hosts between which to encrypt") {
		t.Errorf("said %q", got)
	}
	without := filer("layout = \"striped\"\n[topology.encryption]\nrest = \"host\"\ncrypto_rate = \"1GB/s\"\n") + "[[workload.storage]]\nop = \"read\"\nsize = \"1GB\"\n"
	if got := refused(t, without, nil); !strings.Contains(got, "on how many cores?") {
		t.Errorf("said %q", got)
	}
}
