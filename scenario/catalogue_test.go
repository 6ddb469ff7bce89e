package scenario

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
)

// resolve is the host of a scenario that names it, with [hosts] and so on below.
func resolve(t *testing.T, host, tables string) topology.Host {
	t.Helper()
	s := parse(t, "[topology]\nkind = \"single-host\"\nhost = \""+host+"\"\n"+allReduce+tables)
	h, faults := s.Host(host)
	if faults != nil {
		t.Fatal(faults)
	}
	return h
}

func TestCatalogueHosts(t *testing.T) {
	for _, c := range []struct {
		name, accelerator          string
		accelerators, nics         int
		scaleUp, nic, pcie         units.Rate
		efficiency                 float64
		overhead, step, cable, hop units.Duration
		cpus                       int
		memory                     units.Bytes
		power                      units.Power
	}{
		{"dgx-1v", "v100-sxm2-32gb", 8, 4, 150e9, 12.5e9, 15.75e9, 0.78, 990_000, 70_000, 32_000, 13_000, 40, 512e9, 3500},
		{"dgx-2", "v100-sxm3-32gb", 16, 8, 150e9, 12.5e9, 15.75e9, 0.78, 990_000, 70_000, 32_000, 13_000, 48, 1500e9, 10000},
		{"dgx-a100", "a100-sxm-80gb", 8, 8, 300e9, 25e9, 31.5e9, 0.78, 990_000, 70_000, 32_000, 13_000, 128, 2e12, 6500},
		{"dgx-h100", "h100-sxm-80gb", 8, 8, 450e9, 50e9, 63e9, 0.815, 490_000, 74_000, 32_000, 13_000, 112, 2e12, 10200},
		{"dgx-b200", "b200-sxm", 8, 8, 900e9, 50e9, 63e9, 0.758, 790_000, 117_000, 32_000, 13_000, 112, 2e12, 14300},
		{"dgx-b300", "b300-sxm", 8, 8, 900e9, 100e9, 126e9, 0.758, 790_000, 117_000, 32_000, 13_000, 128, 2e12, 14500},
		{"gb200-nvl72", "gb200-nvl72", 72, 72, 900e9, 50e9, 63e9, 0.758, 790_000, 117_000, 32_000, 13_000, 2592, 17.28e12, 120000},
	} {
		h := resolve(t, c.name, "")
		got := []any{
			h.Name, h.Accelerator.Name, h.Accelerators, h.NICs, h.ScaleUp, h.ScaleUpBandwidth, h.NICBandwidth, h.PCIeBandwidth, h.ScaleUpEfficiency,
			h.NICEfficiency, h.CollectiveOverhead, h.StepOverhead, h.LinkLatency, h.SwitchLatency, h.CPUs, h.Memory, h.Power,
		}
		want := []any{
			c.name, c.accelerator, c.accelerators, c.nics, topology.ScaleUpSwitch, c.scaleUp, c.nic, c.pcie, c.efficiency,
			0.92, c.overhead, c.step, c.cable, c.hop, c.cpus, c.memory, c.power,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// The constants derive from one another as catalogue.toml says.
func TestCatalogueDerivations(t *testing.T) {
	h100, a100 := resolve(t, "dgx-h100", ""), resolve(t, "dgx-a100", "")
	near := func(what string, got, want float64) {
		if math.Abs(got/want-1) > 1e-9 {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	for _, name := range []string{"dgx-2", "dgx-a100", "dgx-h100", "dgx-b200", "gb200-nvl72"} {
		h := resolve(t, name, "")
		near(name+" copies", float64(h.CopyBandwidth), 7./3*float64(h.ScaleUpBandwidth))
	}
	near("two cables and two switches", 2*(h100.LinkLatency+h100.SwitchLatency).Seconds(), 3.7e-6-2.8e-6)
	near("PCIe 3", float64(resolve(t, "dgx-2", "").PCIeBandwidth), 15.75e9)
	near("PCIe 4", float64(a100.PCIeBandwidth), 2*15.75e9)
	near("PCIe 5", float64(h100.PCIeBandwidth), 4*15.75e9)
	near("PCIe 6", float64(resolve(t, "dgx-b300", "").PCIeBandwidth), 8*15.75e9)

	// The greatest rates of any shape in ml-engineering, and the share of them
	// that is taken to be typical.
	for name, c := range map[string]struct{ best, peak, share float64 }{
		"gh200-sxm": {828.6, 989, 0.95},
		"mi300x":    {668.4, 1307, 0.95}, "mi325x": {784.9, 1307, 0.95}, "mi355x": {1565, 2500, 0.95},
		"gaudi2": {418.7, 432, 0.95}, "gaudi3": {1243, 1677, 0.95},
	} {
		a, _ := (&Scenario{}).Accelerator(name)
		if got, want := a.MatrixEfficiency, c.share*c.best/c.peak; math.Abs(got-want) > 0.006 {
			t.Errorf("%s: matrix efficiency %v, want %.3f", name, got, want)
		}
	}
	// Power for each FLOP/s goes with the cube of the clock.
	limited := func(name, of string) {
		a, _ := (&Scenario{}).Accelerator(name)
		b, _ := (&Scenario{}).Accelerator(of)
		power := float64(a.Power) / float64(b.Power) * float64(b.Peak[topology.BF16]) / float64(a.Peak[topology.BF16])
		if got, want := a.MatrixEfficiency, b.MatrixEfficiency*math.Cbrt(power); math.Abs(got-want) > 0.015 {
			t.Errorf("%s: matrix efficiency %v, want %.3f", name, got, want)
		}
	}
	limited("h100-sxm-96gb-500w", "h100-sxm-80gb")
	limited("h100-pcie-80gb", "h100-sxm-80gb")
	limited("h100-nvl-94gb", "h100-sxm-80gb")
}

func TestCatalogueAccelerators(t *testing.T) {
	const T = 1e12
	for _, c := range []struct {
		name   string
		peak   [topology.NumPrecisions]units.Compute // fp32 tf32 fp16 bf16 fp8 fp4 int8
		memory units.Bytes
		rate   units.Rate
		sms    int
		matrix float64
		flash  float64
		read   float64
		power  units.Power
	}{
		{"v100-sxm2-32gb", [...]units.Compute{15.7 * T, 0, 125 * T, 0, 0, 0, 0}, 32 << 30, 900e9, 80, 0.66, 0.5, 0, 300},
		{"v100-sxm3-32gb", [...]units.Compute{15.7 * T, 0, 125 * T, 0, 0, 0, 0}, 32 << 30, 900e9, 80, 0.66, 0.5, 0, 350},
		{"a100-sxm-40gb", [...]units.Compute{19.5 * T, 156 * T, 312 * T, 312 * T, 0, 0, 624 * T}, 40 << 30, 1555e9, 108, 0.90, 0.61, 0.70, 400},
		{"a100-sxm-80gb", [...]units.Compute{19.5 * T, 156 * T, 312 * T, 312 * T, 0, 0, 624 * T}, 80 << 30, 2039e9, 108, 0.90, 0.61, 0.70, 400},
		{"a100-pcie-80gb", [...]units.Compute{19.5 * T, 156 * T, 312 * T, 312 * T, 0, 0, 624 * T}, 80 << 30, 1935e9, 108, 0.78, 0.55, 0.80, 300},
		{"mi300x", [...]units.Compute{163.4 * T, 653.7 * T, 1307 * T, 1307 * T, 2615 * T, 0, 2615 * T}, 192 << 30, 5300e9, 304, 0.49, 0.34, 0, 750},
	} {
		want := topology.Accelerator{
			Name: c.name, Peak: c.peak, Vector: c.peak[topology.FP32], Memory: c.memory, MemoryBandwidth: c.rate,
			Multiprocessors: c.sms, MatrixEfficiency: c.matrix, FlashEfficiency: c.flash,
			MemoryEfficiency: 0.8, ReadEfficiency: c.read, LaunchOverhead: 400_000, Power: c.power,
		}
		if strings.HasPrefix(c.name, "a100") {
			want.CombineOverhead = 500_000
		}
		got, faults := (&Scenario{}).Accelerator(c.name)
		if faults != nil {
			t.Error(faults)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// The catalogue agrees with the facts that it was written from, where those
// lie beside the checkout.
func TestCatalogueAgainstReference(t *testing.T) {
	text, err := os.ReadFile("../../shared/reference/training/hardware.json")
	if err != nil {
		t.Skip(err)
	}
	var facts struct {
		Accelerators []struct {
			Name       string
			Peak       map[string]float64 `json:"peak_dense_tflops"`
			Memory     float64            `json:"mem_gb"`
			Bandwidth  float64            `json:"mem_bw_tbps"`
			ScaleUp    float64            `json:"scale_up_gbps_per_direction"`
			Power      float64            `json:"tdp_w"`
			Confidence string
		}
		Servers []struct {
			Name         string
			Accelerators int     `json:"gpus"`
			Power        float64 `json:"max_power_w"`
		}
	}
	if err := json.Unmarshal(text, &facts); err != nil {
		t.Fatal(err)
	}
	other := regexp.MustCompile(`[^a-z0-9.]+`)
	for _, f := range facts.Accelerators {
		name := other.ReplaceAllString(strings.ToLower(f.Name), "-")
		if Stock().Accelerators[name] == nil {
			t.Errorf("the catalogue has no %s", name)
			continue
		}
		if f.Confidence == "none" {
			continue
		}
		h := resolve(t, "case", "[hosts.case]\naccelerator = \""+name+"\"\n")
		a := h.Accelerator
		got := []float64{float64(a.Memory) / (1 << 30), float64(a.MemoryBandwidth) / 1e12, float64(a.Power)}
		want := []float64{f.Memory, f.Bandwidth, f.Power}
		// What the facts call scale-up of Gaudi counts the ports that leave the
		// server, and of an NVL card those of the bridge to one other.
		if f.ScaleUp > 0 && !strings.HasPrefix(name, "gaudi") && name != "h100-nvl-94gb" {
			got, want = append(got, float64(h.ScaleUpBandwidth)/1e9), append(want, f.ScaleUp)
		}
		for p, key := range map[topology.Precision]string{topology.FP32: "fp32", topology.TF32: "tf32", topology.FP16: "fp16", topology.BF16: "bf16", topology.FP8: "fp8", topology.FP4: "fp4", topology.INT8: "int8_tops"} {
			got, want = append(got, float64(a.Peak[p])/1e12), append(want, f.Peak[key])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, f := range facts.Servers {
		name := other.ReplaceAllString(strings.ToLower(f.Name), "-")
		if h := Stock().Hosts[name]; h == nil {
			t.Errorf("the catalogue has no %s", name)
		} else if full := resolve(t, name, ""); full.Accelerators != f.Accelerators || f.Power > 0 && float64(full.Power) != f.Power {
			t.Errorf("%s has %d accelerators and %v, want %d and %v W", name, full.Accelerators, full.Power, f.Accelerators, f.Power)
		}
	}
}

// A host of any accelerator of the catalogue is complete when it says which and
// how many, and can be built.
func TestEveryAcceleratorHasAHost(t *testing.T) {
	for name := range Stock().Accelerators {
		a, _ := (&Scenario{}).Accelerator(name)
		if peak := max(a.Peak[topology.FP16], a.Peak[topology.BF16]); a.Memory < 16e9 || a.MemoryBandwidth < 300e9 || peak < 20e12 ||
			a.Vector <= 0 || a.Multiprocessors < 1 || a.Power < 0 || a.Price < 0 {
			t.Errorf("%s: %+v", name, a)
		}
		for _, e := range []float64{a.MatrixEfficiency, a.FlashEfficiency, a.MemoryEfficiency} {
			if e <= 0 || e > 1 {
				t.Errorf("%s: efficiencies %+v", name, a)
			}
		}
		for _, n := range []int{1, 4, 8, 16} {
			h := resolve(t, "case", fmt.Sprintf("[hosts.case]\naccelerator = %q\naccelerators = %d\n", name, n))
			a.HostLaunch = h.Accelerator.HostLaunch // which is the host's
			if h.Accelerator != a || h.Accelerators != n || h.NICs < 1 || h.ScaleUpBandwidth <= 0 {
				t.Errorf("%d x %s: %+v", n, name, h)
			}
			built, err := topology.Rail(topology.Fabric{
				Host: h, Hosts: 4, HostsPerRack: 2, Oversubscription: 1, LinkLatency: h.LinkLatency, SwitchLatency: h.SwitchLatency,
			})
			if err != nil {
				t.Errorf("%d x %s: %v", n, name, err)
			} else if built.Accelerators() != 4*n {
				t.Errorf("%d x %s: %d accelerators in four hosts", n, name, built.Accelerators())
			}
		}
	}
}

// Every entry of the catalogue resolves without a fault and says where its
// figures come from.
func TestCatalogueComplete(t *testing.T) {
	s := &Scenario{}
	for name, e := range Stock().Hosts {
		if _, faults := s.Host(name); faults != nil || !e.Source.Set {
			t.Errorf("host %s: %v, source %q", name, faults, e.Source.Value)
		}
	}
	for name, e := range Stock().Accelerators {
		if _, faults := s.Accelerator(name); faults != nil || !e.Source.Set {
			t.Errorf("accelerator %s: %v, source %q", name, faults, e.Source.Value)
		}
	}
	for name, e := range Stock().Models {
		if _, faults := s.Model(name); faults != nil || !e.Source.Set {
			t.Errorf("model %s: %v, source %q", name, faults, e.Source.Value)
		}
	}
}

func TestCatalogueModels(t *testing.T) {
	for _, c := range []struct {
		name       string
		want       workload.Model
		parameters float64 // as published, in millions
	}{
		{"bert-large", workload.Model{Family: "bert", Layers: 24, Hidden: 1024, Heads: 16, Vocab: 30522, Sequence: 512, Activation: "gelu"}, 336},
		{"gpt2-1.5b", workload.Model{Family: "transformer", Layers: 48, Hidden: 1600, Heads: 25, Vocab: 50257, Sequence: 1024, Activation: "gelu", TiedEmbeddings: true}, 1558},
		{"gpt3-175b", workload.Model{Family: "transformer", Layers: 96, Hidden: 12288, Heads: 96, Vocab: 50257, Sequence: 2048, Activation: "gelu", TiedEmbeddings: true}, 174_600},
		{"resnet-50", workload.Model{Family: "convnet", Layers: 50, Activation: "gelu"}, 25.56},
	} {
		got, faults := (&Scenario{}).Model(c.name)
		if faults != nil {
			t.Error(faults)
		}
		c.want.Name = c.name
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if p := float64(got.Parameters()) / 1e6; math.Abs(p/c.parameters-1) > 0.005 {
			t.Errorf("%s has %.1f million parameters, published %.1f", c.name, p, c.parameters)
		}
	}
}

// What a host leaves out comes from the reference host of its accelerator,
// scaled to its accelerators.
func TestReferenceHost(t *testing.T) {
	for _, c := range []struct {
		name, tables       string
		accelerators, nics int
		scaleUp, nic       units.Rate
		cpus               int
		memory             units.Bytes
		power              units.Power
	}{
		{"accelerator alone", "accelerator = \"a100-sxm-40gb\"\n", 8, 8, 300e9, 25e9, 128, 2e12, 6500},
		{"half a host", "accelerator = \"h100-sxm-80gb\"\naccelerators = 4\n", 4, 4, 450e9, 50e9, 56, 1e12, 5100},
		{"one of a host with a NIC for two", "accelerator = \"v100-sxm2-32gb\"\naccelerators = 1\n", 1, 1, 150e9, 12.5e9, 5, 64e9, 437.5},
		{"V100 up to 8", "accelerator = \"v100-sxm2-32gb\"\naccelerators = 8\n", 8, 4, 150e9, 12.5e9, 40, 512e9, 3500},
		{"V100 beyond 8", "accelerator = \"v100-sxm2-32gb\"\naccelerators = 12\n", 12, 6, 150e9, 12.5e9, 36, 1125e9, 7500},
		{"V100 of a DGX-2", "accelerator = \"v100-sxm3-32gb\"\naccelerators = 16\n", 16, 8, 150e9, 12.5e9, 48, 1500e9, 10000},
		{"larger than any", "accelerator = \"v100-sxm3-32gb\"\naccelerators = 32\n", 32, 16, 150e9, 12.5e9, 96, 3000e9, 20000},
		{"keys given stay", "accelerator = \"a100-sxm-80gb\"\naccelerators = 4\nnics = 3\nnic_bandwidth = \"100Gbps\"\nmemory = \"1GB\"\n", 4, 3, 300e9, 12.5e9, 64, 1e9, 3250},
		{"base", "base = \"dgx-a100\"\nnic_bandwidth = \"100Gbps\"\n", 8, 8, 300e9, 12.5e9, 128, 2e12, 6500},
		{"base, scaled", "base = \"dgx-a100\"\naccelerators = 2\n", 2, 2, 300e9, 25e9, 32, 500e9, 1625},
		{"base of one's own", "base = \"other\"\nnics = 1\n[hosts.other]\nbase = \"dgx-h100\"\naccelerators = 4\n", 4, 1, 450e9, 50e9, 56, 1e12, 5100},
		{"accelerator of one's own", "accelerator = \"mine\"\n[accelerators.mine]\nbase = \"h100-sxm-80gb\"\nmemory = \"96GB\"\n", 8, 8, 450e9, 50e9, 112, 2e12, 10200},
		{"nothing from anywhere", "accelerator = \"mine\"\naccelerators = 2\nscale_up = \"pcie\"\nscale_up_bandwidth = \"32GB/s\"\nnics = 1\nnic_bandwidth = \"10Gbps\"\n" +
			"[accelerators.mine]\nmemory = \"1GB\"\nmemory_bandwidth = \"1TB/s\"\nmultiprocessors = 1\npeak_fp32 = \"1TFLOPS\"\n", 2, 1, 32e9, 1.25e9, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := resolve(t, "case", "[hosts.case]\n"+c.tables)
			got := []any{h.Name, h.Accelerators, h.NICs, h.ScaleUpBandwidth, h.NICBandwidth, h.CPUs, h.Memory, h.Power}
			want := []any{"case", c.accelerators, c.nics, c.scaleUp, c.nic, c.cpus, c.memory, c.power}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An entry may stand in the place of one of the catalogue and build on it.
func TestReplaceCatalogueEntry(t *testing.T) {
	h := resolve(t, "dgx-h100", "[hosts.dgx-h100]\nbase = \"dgx-h100\"\nnics = 4\n[accelerators.h100-sxm-80gb]\nbase = \"h100-sxm-80gb\"\npower = \"500W\"\n")
	if h.NICs != 4 || h.Accelerator.Power != 500 || h.Accelerators != 8 {
		t.Errorf("got %d NICs, %v, %d accelerators", h.NICs, h.Accelerator.Power, h.Accelerators)
	}
	h = resolve(t, "dgx-h100", "[hosts.dgx-h100]\naccelerator = \"h100-sxm-80gb\"\naccelerators = 2\n")
	if h.NICs != 2 || h.Accelerators != 2 {
		t.Errorf("got %d NICs, %d accelerators", h.NICs, h.Accelerators)
	}
}

// Every figure of a host and an accelerator is a key: what a scenario gives
// arrives in the value that the topology is built from.
func TestEveryFigureIsAKey(t *testing.T) {
	h := resolve(t, "case", `[hosts.case]
accelerator = "case"
accelerators = 3
scale_up = "mesh"
scale_up_bandwidth = "1GB/s"
scale_up_efficiency = 0.1
scale_up_latency = "2us"
scale_up_dimensions = 2
nics = 4
nic_bandwidth = "5GB/s"
nic_efficiency = 0.2
pcie_bandwidth = "6GB/s"
link_latency = "7us"
switch_latency = "8us"
collective_overhead = "9us"
step_overhead = "10us"
network_overhead = "10.1us"
simple_overhead = "10.2us"
ramp_overhead = "10.5us"
network_ramp_overhead = "10.6us"
copy_bandwidth = "10.7GB/s"
nvls_efficiency = 0.108
nvls_overhead = "10.9us"
launch_time = "10.95us"
cpus = 11
memory = "12GB"
storage = "13GB"
power = "14W"
price = "15USD"
[accelerators.case]
peak_fp32 = "16FLOPS"
peak_tf32 = "17FLOPS"
peak_fp16 = "18FLOPS"
peak_bf16 = "19FLOPS"
peak_fp8 = "20FLOPS"
peak_fp4 = "21FLOPS"
peak_int8 = "22FLOPS"
vector = "23FLOPS"
memory = "24B"
memory_bandwidth = "25B/s"
multiprocessors = 26
matrix_efficiency = 0.27
fp8_efficiency = 0.271
fp4_efficiency = 0.272
flash_efficiency = 0.273
flash_2_efficiency = 0.274
memory_efficiency = 0.28
read_efficiency = 0.281
launch_overhead = "29ns"
power = "30W"
price = "31USD"
`)
	want := topology.Host{
		Name: "case",
		Accelerator: topology.Accelerator{
			Name: "case", Peak: [...]units.Compute{16, 17, 18, 19, 20, 21, 22}, Vector: 23, Memory: 24, MemoryBandwidth: 25, Multiprocessors: 26,
			MatrixEfficiency: 0.27, FP8Efficiency: 0.271, FP4Efficiency: 0.272, FlashEfficiency: 0.273, Flash2Efficiency: 0.274,
			MemoryEfficiency: 0.28, ReadEfficiency: 0.281, LaunchOverhead: 2900, HostLaunch: 10.95e5, Power: 30, Price: 31,
		},
		Accelerators: 3, ScaleUp: topology.ScaleUpMesh, ScaleUpBandwidth: 1e9, ScaleUpEfficiency: 0.1, ScaleUpLatency: 2e5, ScaleUpDimensions: 2,
		NICs: 4, NICBandwidth: 5e9, NICEfficiency: 0.2, PCIeBandwidth: 6e9, LinkLatency: 7e5, SwitchLatency: 8e5,
		CollectiveOverhead: 9e5, StepOverhead: 10e5, NetworkOverhead: 10.1e5, SimpleOverhead: 10.2e5,
		RampOverhead: 10.5e5, NetworkRamp: 10.6e5, CopyBandwidth: 10.7e9, NVLSEfficiency: 0.108, NVLSOverhead: 10.9e5,
		CPUs: 11, Memory: 12e9, Storage: 13e9, Power: 14, Price: 15,
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
