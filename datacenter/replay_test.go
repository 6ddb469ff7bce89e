package datacenter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/sim"
)

// replays is a [[workload.replay]] of chakra traces with some more keys.
func replays(keys ...string) string {
	return bare + "\n[[workload.replay]]\nformat = \"chakra\"\n" + strings.Join(keys, "\n") + "\n"
}

const gathers = `{"workload_graph": [
	{"Id": 1, "Name": "forward", "NodeType": 4, "runtime": 100},
	{"Id": 2, "Name": "gather", "NodeType": 7, "comm_type": 2, "comm_size": 1000000, "data_deps": [1]}
]}`

// Four ranks gather 1 MB of each: through a switch of 50 GB/s and 1 us directly
// in 1 us + 3 x 20 us, after 100 us of computing.
func TestReplay(t *testing.T) {
	files := map[string]string{}
	for i := range 4 {
		files[fmt.Sprintf("step.%d.json", i)] = gathers
	}
	for _, c := range []struct {
		name  string
		toml  string
		files map[string]string
	}{
		{"a trace each", replays(`prefix = "step"`, `algorithm = "direct"`), files},
		{"a trace each, of some", replays(`prefix = "step"`, `ranks = 4`, `algorithm = "direct"`), map[string]string{
			"step.0.json": gathers, "step.1.json": gathers, "step.2.json": gathers, "step.3.json": gathers, "step.4.json": "{", "step.x.json": "", "steps.0.et": "",
		}},
		{"one for all", replays(`file = "step.0.json"`, `ranks = 4`, `algorithm = "direct"`), files},
		{"elsewhere", replays(`prefix = "step"`, `accelerators = [7, 1, 3, 2]`, `algorithm = "direct"`), files},
	} {
		r := run(t, c.toml, c.files)
		table := r.Table("replay")
		if table.Rows() != 4 || table.Columns[0].Metric.Name != "rank" || table.Columns[1].Metric.Name != "finish_s" || len(r.Warnings) > 0 {
			t.Fatalf("%s: %+v, %q", c.name, table, r.Warnings)
		}
		for i, finish := range table.Columns[1].Numbers {
			if math.Abs(finish-161e-6) > 1e-9 || table.Columns[0].Integers[i] != int64(i) {
				t.Errorf("%s: rank %d finishes at %v", c.name, i, finish)
			}
		}
		for metric, want := range map[string]float64{"finish_s": 161e-6, "first_finish_s": 161e-6, "compute_s": 100e-6, "communication_s": 61e-6, "overlapped_communication_s": 0, "ranks": 4, "nodes": 8} {
			if got, err := r.Summary.Lookup("replay.0." + metric); err != nil || math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: %s is %v, want %v (%v)", c.name, metric, got, want, err)
			}
		}
		used := 0
		for _, s := range r.Table("accelerators").Column("compute_s").Numbers {
			if math.Abs(s-100e-6) < 1e-12 {
				used++
			}
		}
		if used != 4 {
			t.Errorf("%s: %d accelerators compute", c.name, used)
		}
	}
}

// Two replays share a network, each on accelerators of its own.
func TestTwoReplays(t *testing.T) {
	r := run(t, replays(`file = "a.json"`, `ranks = 4`)+"\n[[workload.replay]]\nname = \"late\"\nformat = \"chakra\"\nfile = \"a.json\"\nranks = 2\nstart = \"1ms\"\n",
		map[string]string{"a.json": gathers})
	finish := r.Table("replay").Columns[1].Numbers
	if len(finish) != 6 || finish[3] > 0.3e-3 || finish[4] < 1.1e-3 {
		t.Errorf("%v", finish)
	}
}

// What was mended is one warning, and counted in the summary.
func TestReplayWarns(t *testing.T) {
	const text = `{"workload_graph": [{"Id": 1, "NodeType": 4, "runtime": 5, "data_deps": [1, 8, 9]}]}`
	s, err := load(t, replays(`prefix = "x"`), map[string]string{"x.0.json": text, "x.1.json": text})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	r, err := railyard.Run(context.Background(), s, railyard.Options{Warn: func(text string) { told = append(told, text) }})
	if err != nil {
		t.Fatal(err)
	}
	const want = "x: 4 dangling dependencies on nodes that are not in the trace: dropped; 2 dependencies of a node on itself: dropped"
	if strings.Join(told, "\n") != want || strings.Join(r.Warnings, "\n") != want {
		t.Errorf("%q and %q, want %q", told, r.Warnings, want)
	}
	if got, err := r.Summary.Lookup("replay.0.mended.dangling_dependencies"); got != 4 || err != nil {
		t.Error(got, err)
	}
}

func TestReplayRefused(t *testing.T) {
	json := map[string]string{"a.json": gathers, "x.0.et": "not a trace, but a text that is long enough to be one, were it not for what it says", "y.1.et": "", "t.txt": "MICRO\n1\nx -1 y NONE 0\n"}
	for _, c := range []struct{ name, toml, want string }{
		{"no format", strings.Replace(replays(`file = "a.json"`), "format = \"chakra\"\n", "", 1), "case.toml:7:1: workload.replay[0]: "},
		{"unknown format", strings.Replace(replays(`file = "a.json"`), `"chakra"`, `"chakre"`, 1), `case.toml:8:10: workload.replay[0].format: "chakre" is unknown (did you mean "chakra"?)`},
		{"neither", replays(), "case.toml:7:1: workload.replay[0]: is without a trace: give file"},
		{"both", replays(`file = "a.json"`, `prefix = "a"`), "case.toml:10:10: workload.replay[0].prefix: contradicts file"},
		{"missing file", replays(`file = "b.json"`), "case.toml:9:8: workload.replay[0].file: cannot read \"b.json\": "},
		{"missing traces", replays(`prefix = "b"`), "case.toml:9:10: workload.replay[0].prefix: there is no b.0.et"},
		{"a trace missing", replays(`prefix = "y"`), "case.toml:9:10: workload.replay[0].prefix: there is no y.0.et, the trace of rank 0 of 2"},
		{"no folder", replays(`prefix = "none/y"`), `case.toml:9:10: workload.replay[0].prefix: cannot read the folder of "none/y"`},
		{"too many ranks", replays(`file = "a.json"`, `ranks = 9`), "case.toml:10:9: workload.replay[0].ranks: 9 ranks are more than the 8 accelerators"},
		{"more ranks than accelerators", replays(`file = "a.json"`, `ranks = 3`, `accelerators = 2`), "case.toml:10:9: workload.replay[0].ranks: 3 ranks are more than the 2 accelerators"},
		{"shared", replays(`file = "a.json"`, `shared = true`), "case.toml:10:10: workload.replay[0].shared: is not built yet for replays"},
		{"a text", replays(`prefix = "x"`), "x.0.et: byte 0: "},
		{"a prefix of aicb", strings.Replace(replays(`prefix = "x"`), "chakra", "aicb", 1), "case.toml:9:10: workload.replay[0].prefix: is for a trace of each rank"},
		{"a bad text", strings.Replace(replays(`file = "t.txt"`), "chakra", "aicb", 1), "t.txt:3:1: a layer has 12 columns, not 5"},
		{"a trace as text", strings.Replace(replays(`file = "a.json"`), "chakra", "aicb", 1), "a.json:1:1: "},
		{"links", "[topology]\nkind = \"links\"\nfile = \"l.csv\"\n\n[[workload.replay]]\nformat = \"chakra\"\nfile = \"a.json\"\n", "case.toml:5:1: workload.replay[0]: has nowhere to run"},
	} {
		got := refused(t, c.toml, json)
		lines := strings.Split(got, "\n")
		found := false
		for _, line := range lines {
			line = line[strings.LastIndexByte(line[:max(strings.Index(line, ":"), 0)], '/')+1:]
			found = found || strings.HasPrefix(line, c.want)
		}
		if !found {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A receive without its send is the engine's deadlock.
func TestReplayDeadlock(t *testing.T) {
	s, err := load(t, replays(`prefix = "x"`), map[string]string{
		"x.0.json": `{"workload_graph": [{"Id": 1, "NodeType": 6, "comm_src": 1, "comm_tag": 3, "comm_size": 8}]}`,
		"x.1.json": `{"workload_graph": [{"Id": 1, "NodeType": 4, "runtime": 5}]}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = railyard.Run(context.Background(), s, railyard.Options{})
	if _, ok := errors.AsType[*sim.DeadlockError](err); !ok || !strings.Contains(err.Error(), "x rank 0 node 1 (receive) waits for a send of rank 1 with tag 3") {
		t.Error(err)
	}
}

// reference is the folder of the reference traces, which is outside the
// repository.
func reference(t *testing.T) string {
	t.Helper()
	root := os.Getenv("RAILYARD_REFERENCE")
	if root == "" {
		root = "../../shared/reference"
	}
	root, err := filepath.Abs(filepath.Join(root, "replay"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(root); err != nil {
		t.Skip("no reference traces in " + root)
	}
	return root
}

// The reference traces: communication alone to its closed form, whole layers to
// ASTRA-sim.
func TestReferenceReplays(t *testing.T) {
	root := reference(t)
	text, err := os.ReadFile(filepath.Join(root, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Prefix, Kind, Algorithm string
		Ranks                   int
		Bandwidth               float64 `json:"bandwidth_Bps"`
		Latency                 float64 `json:"latency_s"`
		Finish                  float64 `json:"finish_s"`
		Tolerance               float64
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		r := run(t, fmt.Sprintf("[topology]\nkind = %q\naccelerators = %d\nbandwidth = \"%sB/s\"\nlatency = \"%gs\"\n\n[[workload.replay]]\nformat = \"chakra\"\nprefix = %q\nalgorithm = %q\n",
			c.Kind, c.Ranks, strconv.FormatFloat(c.Bandwidth, 'f', -1, 64), c.Latency, filepath.Join(root, c.Prefix), c.Algorithm), nil)
		got, err := r.Summary.Lookup("replay.0.finish_s")
		if e := math.Abs(got/c.Finish - 1); err != nil || !(e <= c.Tolerance) {
			t.Errorf("%s: %v s, want %v (%v)", c.Prefix, got, c.Finish, err)
		}
	}
	// A ring all-reduce of 1 MiB spelled out in sends and receives: 14 steps of
	// 1 us and an eighth at 50 GB/s, and behind each of the first 7 an addition
	// of 7 us.
	r := run(t, fmt.Sprintf("[topology]\nkind = \"ring\"\naccelerators = 8\nbandwidth = \"50GB/s\"\nlatency = \"1us\"\n\n[[workload.replay]]\nformat = \"chakra\"\nprefix = %q\n",
		filepath.Join(root, "traces/custom_ring_allreduce_8/custom_allreduce")), nil)
	if got, err := r.Summary.Lookup("replay.0.finish_s"); err != nil || math.Abs(got-(14*(1e-6+131072/50e9)+7*7e-6)) > 1e-9 {
		t.Errorf("sends and receives: %v s (%v)", got, err)
	}
}

// A real capture of ResNet-50 on one GPU, of which 1,277 dependencies lead
// nowhere: it replays on one rank and on eight, with one warning. Its kernels
// take 292,828 us, and run one after the other at best.
func TestReferenceCapture(t *testing.T) {
	root := reference(t)
	for _, ranks := range []int{1, 8} {
		r := run(t, replays(fmt.Sprintf("file = %q\nranks = %d", filepath.Join(root, "traces/real_resnet50_ddp/chakra.0.et"), ranks)), nil)
		finish, err := r.Summary.Lookup("replay.0.finish_s")
		if err != nil || finish < 0.292828 || finish > 0.292828+0.052252+0.01 {
			t.Errorf("%d ranks: %v s (%v)", ranks, finish, err)
		}
		if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "1,277 dangling dependencies") {
			t.Errorf("%d ranks: %q", ranks, r.Warnings)
		}
	}
}

// Workload texts on 128 GPUs as SimAI's analytical mode has them, with 360 GB/s
// of NVLink and 48.5 GB/s of a NIC to each GPU and no latency: SimAI's totals in
// us. It crashes on these headers as they are, so degrees that they leave out
// were added for it.
func TestReferenceLayers(t *testing.T) {
	root := reference(t)
	for _, c := range []struct {
		file  string
		total float64
	}{
		{"G13B-M1-C01_GPT13B_megatron_tp8_pp1_mbs1_A100", 364425},
		{"G175B-M1-C03_GPT175B_megatron_tp8_pp1_mbs1_A100", 423732},
		{"L65B-M1-C05_Llama65B_megatron_tp8_pp1_mbs1_A100", 237058},
		{"L7B-D1-C02_Llama7B_deepspeed_zero3_A100", 327163},
		{"L7B-M1-C04_Llama7B_megatron_tp2_pp1_mbs1_A100", 201220},
		{"G13B-M1-C02_GPT13B_megatron_tp8_pp1_mbs1_sp_A100", 530778},
	} {
		r := run(t, fmt.Sprintf(`[hosts.simai]
base = "dgx-a100"
scale_up_bandwidth = "360GB/s"
scale_up_efficiency = 1.0
scale_up_latency = "0s"
nic_bandwidth = "48.5GB/s"
nic_efficiency = 1.0
pcie_bandwidth = "1TB/s"
collective_overhead = "0s"
step_overhead = "0s"
network_overhead = "0s"
simple_overhead = "0s"
ramp_overhead = "0s"
network_ramp_overhead = "0s"
copy_bandwidth = "1000000TB/s"

[topology]
kind = "rail"
host = "simai"
hosts = 16

[[workload.replay]]
format = "aicb"
file = %q
`, filepath.Join(root, "simai/workloads", c.file+".txt")), nil)
		finish, err := r.Summary.Lookup("replay.0.finish_s")
		e := finish*1e6/c.total - 1
		t.Logf("%s: %.1f ms, SimAI %.1f ms (%+.1f %%)", c.file, finish*1e3, c.total/1e3, 100*e)
		if err != nil || math.Abs(e) > 0.03 {
			t.Errorf("%s: %v s, SimAI %v s (%v)", c.file, finish, c.total/1e6, err)
		}
		if len(r.Warnings) == 0 || !strings.Contains(r.Warnings[0], "the header leaves out ep, pp, all_gpus") {
			t.Errorf("%s: %q", c.file, r.Warnings)
		}
	}
}
