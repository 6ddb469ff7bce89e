package datacenter_test

import (
	"fmt"
	"testing"
)

// Each option of security changes the time of what its source says, by the factor of its
// source, and of nothing else: of training within a host, of messages between hosts and
// within one, by NVLink and by PCIe, of files, and of inference.
//
// A file goes to drives of 3 GB/s, slower than all that encryption in transit leaves.
func TestSecurityOptionsChangeNothingElse(t *testing.T) {
	const fabric = "[topology]\nkind = \"leaf-spine\"\nhost = \"%s\"\nhosts = 2\nlink_latency = \"0s\"\nswitch_latency = \"0s\"\n[topology.storage]\nlayout = \"striped\"\nhosts = [\"host1\"]\ndrive_read = \"3GB/s\"\n"
	const pcie = "[hosts.pcie]\naccelerator = \"h100-pcie-80gb\"\naccelerators = 8\nscale_up = \"pcie\"\nscale_up_bandwidth = \"50GB/s\"\nnics = 8\nnic_bandwidth = \"400Gbps\"\n"
	const bytes = 36.8e9 // 0.8 s on a NIC of 400 Gb/s with a payload of 92 %
	flow := func(a, b string) (string, map[string]string) {
		return "[[workload.flows]]\nfile = \"flows.csv\"\n", map[string]string{"flows.csv": fmt.Sprintf("flow,start_s,bytes,src,dst\nf,0,%v,%s,%s\n", bytes, a, b)}
	}
	across, acrossFile := flow("host0/acc0", "host1/acc0")
	within, withinFile := flow("host0/acc0", "host0/acc1")
	serving := "[[workload.serving]]\nmodel = \"llama-3.1-8b\"\naccelerators = 1\nconcurrency = 1\ncount = 2\ninput = 128\noutput = 65\n"
	probes := []struct {
		name, host, load, metric string
		files                    map[string]string
	}{
		{"training in a host", "dgx-h100", "[[workload.training]]\nmodel = \"llama-2-7b\"\nglobal_batch = 8\naccelerators = 8\ntensor = 8\n", "training.0.iteration_s", nil},
		{"a message between hosts", "dgx-h100", across, "makespan_s", acrossFile},
		{"a message by NVLink", "dgx-h100", within, "makespan_s", withinFile},
		{"a message by PCIe", "pcie", within, "makespan_s", withinFile},
		{"a token", "dgx-h100", serving, "serving.0.tpot_s.mean", nil},
		{"a file", "dgx-h100", "[[workload.storage]]\nop = \"write\"\nsize = \"36GB\"\naccelerators = 1\n", "storage.0.time_s", nil},
	}
	const cores = "offload = false\ncrypto_rate = \"5GB/s\"\ncrypto_cores = 32\n" // of a NIC: 10 GB/s each way
	for _, c := range []struct {
		keys   string
		factor map[string]float64 // 1 of all others
		added  map[string]float64 // s
		cores  map[string]float64 // s
	}{
		{keys: "rest = \"drive\"\n"},
		{keys: "rest = \"host\"\ncrypto_rate = \"2GB/s\"\ncrypto_cores = 1\n", factor: map[string]float64{"a file": 3}, cores: map[string]float64{"a file": 36e9 / 2e9}},
		{keys: "transit = \"macsec\"\nlatency = \"0s\"\n", factor: map[string]float64{"a message between hosts": 4128. / 4096}},
		{keys: "transit = \"ipsec\"\n", factor: map[string]float64{"a message between hosts": 4150. / 4096}},
		{keys: "transit = \"tls\"\n", factor: map[string]float64{"a message between hosts": 16406. / 16384}},
		{keys: "transit = \"tls\"\n" + cores, factor: map[string]float64{"a message between hosts": 46. / 10}, cores: map[string]float64{"a message between hosts": 2 * bytes / 5e9, "a file": 2 * 36e9 / 5e9}},
		{keys: "transit = \"ipsec\"\n" + cores, factor: map[string]float64{"a message between hosts": 46. / 10}, cores: map[string]float64{"a message between hosts": 2 * bytes / 5e9, "a file": 2 * 36e9 / 5e9}},
		{
			keys:   "confidential = true\n",
			factor: map[string]float64{"a message between hosts": 46. / 4, "a message by PCIe": 0}, // of the latter see below
			added:  map[string]float64{"a token": 500e-6},
			cores:  map[string]float64{"a message between hosts": 2 * bytes / 4e9, "a message by PCIe": 2 * bytes / 4e9, "a file": 36e9 / 4e9},
		},
		{
			keys:   "confidential = true\nbounce_rate = \"10GB/s\"\nbounce_latency = \"1ms\"\n",
			factor: map[string]float64{"a message between hosts": 46. / 10, "a message by PCIe": 0},
			added:  map[string]float64{"a token": 1e-3},
			cores:  map[string]float64{"a message between hosts": 2 * bytes / 10e9, "a message by PCIe": 2 * bytes / 10e9, "a file": 36e9 / 10e9},
		},
	} {
		for _, p := range probes {
			text := fmt.Sprintf(fabric, p.host) + "%s" + p.load
			if p.host == "pcie" {
				text += pcie
			}
			plain := number(t, run(t, fmt.Sprintf(text, ""), p.files), p.metric)
			r := run(t, fmt.Sprintf(text, "[topology.encryption]\n"+c.keys), p.files)
			factor, touched := c.factor[p.name]
			want := plain
			switch {
			case touched && factor == 0:
				want = c.cores[p.name] / 2 // the bounce buffer is all that counts
			case touched:
				want = plain * factor
			}
			if want += c.added[p.name]; !near(number(t, r, p.metric), want, 1e-6) {
				t.Errorf("%q: %s takes %v s, want %v; without %v", c.keys, p.name, number(t, r, p.metric), want, plain)
			}
			if got := number(t, r, "encryption.cores_s"); !near(got, c.cores[p.name], 1e-9) {
				t.Errorf("%q: %s takes %v s of cores, want %v", c.keys, p.name, got, c.cores[p.name])
			}
		}
	}
}

// Zhu et al. 2024 (arXiv:2409.03992): most prompts lose less than 7 % of throughput, larger
// models next to nothing.
func TestConfidentialInference(t *testing.T) {
	var last float64
	for i, c := range []struct{ model, accelerators, quantization string }{{"llama-3.1-8b", "1", "none"}, {"llama-3.1-70b", "1", "int4"}} {
		text := "[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n%s[[workload.serving]]\nmodel = \"" + c.model + "\"\naccelerators = 1\nconcurrency = 1\ncount = 2\ninput = 200\noutput = 200\nquantization = \"" + c.quantization + "\"\n"
		plain := number(t, run(t, fmt.Sprintf(text, ""), nil), "serving.0.output_tokens_per_s")
		guarded := number(t, run(t, fmt.Sprintf(text, "[topology.encryption]\nconfidential = true\n"), nil), "serving.0.output_tokens_per_s")
		lost := 1 - guarded/plain
		t.Logf("%s loses %.1f %%", c.model, 100*lost)
		if lost <= 0 || lost > 0.07 || i > 0 && lost >= last/1.5 {
			t.Errorf("%s loses %.1f %% of its throughput", c.model, 100*lost)
		}
		last = lost
	}
}

// Keys and values that are swapped to the host's memory, and weights that are loaded, go
// by the bounce buffer.
func TestConfidentialSwap(t *testing.T) {
	text := "[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n%s[[workload.serving]]\nmodel = \"llama-3.1-8b\"\naccelerators = 1\nrate = 200.0\ncount = 60\ninput = 500\noutput = 300\npreemption = \"swap\"\nkv_blocks = 1200\n"
	plain := run(t, fmt.Sprintf(text, ""), nil)
	guarded := run(t, fmt.Sprintf(text, "[topology.encryption]\nconfidential = true\nbounce_latency = \"0s\"\n"), nil)
	blocks := number(t, guarded, "serving.0.swapped_blocks")
	if blocks == 0 || blocks != number(t, plain, "serving.0.swapped_blocks") {
		t.Fatalf("%v blocks are swapped, without %v", blocks, number(t, plain, "serving.0.swapped_blocks"))
	}
	const block = 16 * 2 * 8 * 128 * 2 * 32 // B: tokens x keys and values x heads x width x bytes x layers
	if got := number(t, guarded, "encryption.bounced_bytes"); !near(got, blocks*block, 1e-9) {
		t.Errorf("%v B are swapped, want %v", got, blocks*block)
	}
	longer := number(t, guarded, "makespan_s") - number(t, plain, "makespan_s")
	if want := blocks * block * (1/4e9 - 1/64e9); !near(longer, want, 0.1) {
		t.Errorf("it takes %v s longer, want about %v", longer, want)
	}
}
