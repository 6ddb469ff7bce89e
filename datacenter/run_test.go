package datacenter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/internal/lab"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
)

// What package lab does for tests of the whole.
var (
	load, run, refused    = lab.Load, lab.Run, lab.Refused
	number, column, words = lab.Number, lab.Column, lab.Words
	near                  = lab.Near
)

// bare is eight accelerators around a switch, 50 GB/s and 1 us.
const bare = `[topology]
kind = "switch"
accelerators = 8
bandwidth = "50GB/s"
latency = "1us"
`

const allReduce = `
[[workload.collective]]
op = "all_reduce"
algorithm = "ring"
sizes = ["1MiB", "8MiB"]
`

// bert is four DGX-A100 whose up-links are oversubscribed.
const bert = `[topology]
kind = "leaf-spine"
host = "dgx-a100"
hosts = 4
hosts_per_rack = 2
oversubscription = 2.0

[[workload.training]]
model = "bert-large"
micro_batch = 32
global_batch = 1024
sequence = 128
precision = "fp16"
`

// everything is a scenario with all that is built: two trainings that contend,
// a collective, flows, expectations.
const everything = `name = "everything"

[topology]
kind = "leaf-spine"
host = "dgx-a100"
hosts = 4
hosts_per_rack = 2
oversubscription = 8.0

[[workload.training]]
model = "bert-large"
micro_batch = 32
global_batch = 512
sequence = 128
precision = "fp16"
accelerators = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]

[[workload.training]]
model = "resnet-50"
micro_batch = 64
global_batch = 512
precision = "fp16"
accelerators = [8, 9, 10, 11, 24, 25, 26, 27]

[[workload.collective]]
op = "all_to_all"
sizes = ["1MiB", "64MiB"]
accelerators = [12, 13, 28, 29]
iterations = 5
start = "10ms"

[[workload.flows]]
file = "flows.csv"

[[expect]]
metric = "training.0.iteration_s"
op = ">"
value = 0
`

// twoBerts is two equal jobs, each on a host of either rack, over one pair of
// up-links a leaf.
var twoBerts = strings.Replace(bert, "2.0", "8.0", 1) + "accelerators = [" + hostRange(0) + ", " + hostRange(2) + "]\n" +
	bert[strings.Index(bert, "\n[[workload"):] + "accelerators = [" + hostRange(1) + ", " + hostRange(3) + "]\n"

// hostRange is the accelerators of a host of eight, as a list's items.
func hostRange(h int) string {
	var items []string
	for i := range 8 {
		items = append(items, strconv.Itoa(8*h+i))
	}
	return strings.Join(items, ", ")
}

var everythingFiles = map[string]string{"flows.csv": "flow,start_s,bytes,src,dst,weight,after\nf0,0,1e9,host0/acc0,host2/acc0,2,\nf1,0.001,1000000,host1/acc3,host3/acc3,,f0\n"}

// written is every file that a run writes, manifest.json left out.
func written(t testing.TB, r *railyard.Result) map[string]string {
	t.Helper()
	files, err := report.Write(t.TempDir(), &r.Results)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = string(text)
	}
	return all
}

// The same scenario gives the same bytes: twice, on one core and on two.
func TestDeterminism(t *testing.T) {
	was := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(was)
	var first map[string]string
	for _, procs := range []int{1, 2, 2} {
		runtime.GOMAXPROCS(procs)
		got := written(t, run(t, everything, everythingFiles))
		if first == nil {
			first = got
			continue
		}
		if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(first))) {
			t.Fatalf("files %v, then %v", slices.Sorted(maps.Keys(first)), slices.Sorted(maps.Keys(got)))
		}
		for name, text := range got {
			if text != first[name] {
				t.Errorf("%s differs with GOMAXPROCS %d", name, procs)
			}
		}
	}
}

// The contract of the output files: fixed columns come first, in their order.
func TestContract(t *testing.T) {
	r := run(t, everything, everythingFiles)
	files := written(t, r)
	for name, want := range map[string]string{
		"collectives.csv":  "op,algorithm,ranks,size_bytes,time_s,algbw_Bps,busbw_Bps",
		"flows.csv":        "flow,start_s,finish_s,bytes",
		"links.csv":        "link,from,to,capacity_Bps,bytes,busy_ratio,utilization_ratio,contended_s",
		"accelerators.csv": "accelerator,host,rack,compute_s,communication_s,idle_s,utilization_ratio",
	} {
		header, _, _ := strings.Cut(files[name], "\n")
		if header != want && !strings.HasPrefix(header, want+",") {
			t.Errorf("%s begins with %q, the contract says %q", name, header, want)
		}
	}
	var summary map[string]any
	if err := json.Unmarshal([]byte(files["summary.json"]), &summary); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"name", "status", "makespan_s", "events", "training", "collectives", "network"} {
		if summary[key] == nil {
			t.Errorf("summary.json has no %q", key)
		}
	}
	if summary["name"] != "everything" || summary["status"] != "done" {
		t.Errorf("name %v, status %v", summary["name"], summary["status"])
	}
	for i, v := range summary["training"].([]any) {
		training := v.(map[string]any)
		for _, key := range []string{
			"name", "accelerators", "iteration_s", "time_to_train_s", "samples_per_s", "model_tflops_per_accelerator",
			"hardware_tflops_per_accelerator", "mfu_ratio", "memory_per_accelerator_bytes", "breakdown_s",
		} {
			if training[key] == nil {
				t.Errorf("training.%d has no %q", i, key)
			}
		}
		if tokens := training["tokens_per_s"] != nil; tokens != (training["name"] == "bert-large") {
			t.Errorf("training.%d of %v has tokens: %v", i, training["name"], tokens)
		}
		sum := 0.0
		for _, part := range training["breakdown_s"].(map[string]any) {
			sum += part.(float64)
		}
		if iteration := training["iteration_s"].(float64); !near(sum, iteration, 1e-12) {
			t.Errorf("training.%d: the parts sum to %v, an iteration takes %v", i, sum, iteration)
		}
		for _, key := range []string{"compute", "exposed_communication", "bubble", "storage", "optimizer"} {
			if training["breakdown_s"].(map[string]any)[key] == nil {
				t.Errorf("training.%d: breakdown_s has no %q", i, key)
			}
		}
	}
}

// What a job reports of itself agrees with itself.
func TestTrainingRecord(t *testing.T) {
	for _, iterations := range []int{3, 50} {
		r := run(t, bert, nil, fmt.Sprintf("workload.training.0.iterations=%d", iterations))
		get := func(name string) float64 { return number(t, r, "training.0."+name) }
		iteration := get("iteration_s")
		for _, c := range []struct {
			name      string
			got, want float64
		}{
			{"samples", get("samples_per_s"), 1024 / iteration},
			{"tokens", get("tokens_per_s"), 1024 * 128 / iteration},
			{"MFU", get("mfu_ratio"), get("model_tflops_per_accelerator") / 312},
			{"time to train", get("time_to_train_s"), float64(iterations) * iteration},
			{"makespan", number(t, r, "makespan_s"), float64(iterations) * iteration},
			{"accelerators", get("accelerators"), 32},
			// 2 bytes a parameter of 336 M; 16 bytes for weights, gradients and LAMB.
			{"gradients", get("gradient_bytes"), 2 * 336.2e6},
		} {
			if !near(c.got, c.want, 1e-3) {
				t.Errorf("%d iterations: %s %v, want %v", iterations, c.name, c.got, c.want)
			}
		}
		// 6 FLOPs a parameter and token, and some attention: Narayanan et al. 2021.
		if flops := get("model_tflops_per_accelerator") * 1e12 * iteration * 32; flops < 0.8*6*303e6*1024*128 || flops > 1.2*6*336e6*1024*128 {
			t.Errorf("%v FLOPs an iteration", flops)
		}
		if get("memory_per_accelerator_bytes") < 16*336e6 || get("memory_per_accelerator_bytes") > 80e9 {
			t.Errorf("memory %v", get("memory_per_accelerator_bytes"))
		}
	}
}

// Computing, communicating and idling make up the makespan of each accelerator.
// Every family of the catalogue trains; only those with sequences count tokens.
func TestFamilies(t *testing.T) {
	for _, c := range []struct {
		model        string
		global       int
		tokens       float64 // of a sample
		sharesTables bool
	}{
		{"bert-large", 32, 512, false},
		{"gpt-1.7b", 16, 2048, false},
		{"resnet-50", 512, 0, false},
		{"unet3d", 32, 0, false},
		{"whisper-large-v3", 16, 448, false},
		{"dlrm", 65536, 0, true},
		{"dlrm-dcnv2", 65536, 0, true},
	} {
		r := run(t, fmt.Sprintf("[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-a100\"\nhosts = 2\n[[workload.training]]\nmodel = %q\nglobal_batch = %d\nmicro_batch = %d\n",
			c.model, c.global, c.global/16), nil)
		samples := number(t, r, "training.0.samples_per_s")
		if got := number(t, r, "training.0.iteration_s"); !near(samples, float64(c.global)/got, 1e-9) {
			t.Errorf("%s: %g samples/s, an iteration takes %g s", c.model, samples, got)
		}
		switch tokens, err := r.Summary.Lookup("training.0.tokens_per_s"); {
		case c.tokens == 0 && err == nil:
			t.Errorf("%s: %g tokens/s", c.model, tokens)
		case c.tokens > 0 && !near(tokens, c.tokens*samples, 1e-9):
			t.Errorf("%s: %g tokens/s, %g samples/s", c.model, tokens, samples)
		}
		if gradients := number(t, r, "training.0.gradient_bytes"); c.sharesTables && gradients > 100e6 {
			t.Errorf("%s: %g bytes of gradients are reduced: tables are among them", c.model, gradients)
		}
	}
}

func TestAcceleratorTimes(t *testing.T) {
	for name, c := range map[string]struct {
		toml  string
		files map[string]string
		set   []string
	}{
		"done":              {toml: everything, files: everythingFiles},
		"horizon":           {toml: everything, files: everythingFiles, set: []string{"sim.horizon=40ms"}},
		"horizon in a jump": {toml: bert, set: []string{"sim.horizon=20s", "workload.training.0.iterations=1000000"}},
		"horizon in a step": {toml: bert, set: []string{"sim.horizon=1us"}},
		"collective":        {toml: bare + allReduce, set: []string{"workload.collective.0.iterations=100"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, c.toml, c.files, c.set...)
			end := number(t, r, "makespan_s")
			compute, communication, idle := column(t, r, "accelerators", "compute_s"), column(t, r, "accelerators", "communication_s"), column(t, r, "accelerators", "idle_s")
			used := column(t, r, "accelerators", "utilization_ratio")
			for i := range compute {
				if sum := compute[i] + communication[i] + idle[i]; math.Abs(sum-end) > 1e-9*end {
					t.Errorf("accelerator %d: %v + %v + %v is not %v", i, compute[i], communication[i], idle[i], end)
					break
				}
				if !near(used[i], compute[i]/end, 1e-9) || used[i] > 1 {
					t.Errorf("accelerator %d: utilization %v", i, used[i])
				}
			}
		})
	}
}

// No link carries more than it can, and its ratios are of the makespan.
func TestLinkTable(t *testing.T) {
	for _, set := range [][]string{nil, {"sim.horizon=40ms"}, {"workload.training.0.iterations=100"}} {
		r := run(t, everything, everythingFiles, set...)
		end := number(t, r, "makespan_s")
		get := func(name string) []float64 { return column(t, r, "links", name) }
		capacity, bytes, busy, used, contended, payload := get("capacity_Bps"), get("bytes"), get("busy_ratio"), get("utilization_ratio"), get("contended_s"), get("payload_Bps")
		total := 0.0
		for l := range capacity {
			total += bytes[l]
			switch {
			case bytes[l] > payload[l]*busy[l]*end*(1+1e-6): // ends are rounded to ticks
				t.Errorf("link %d of %v B/s carried %v bytes in %v s", l, payload[l], bytes[l], busy[l]*end)
			case busy[l] < 0 || busy[l] > 1 || !near(used[l], bytes[l]/capacity[l]/end, 1e-9) || contended[l] > busy[l]*end*(1+1e-9):
				t.Errorf("link %d: busy %v, used %v, contended %v of %v s", l, busy[l], used[l], contended[l], end)
			case payload[l] > capacity[l]:
				t.Errorf("link %d: payload %v of %v", l, payload[l], capacity[l])
			}
		}
		if !near(total, number(t, r, "network.bytes"), 1e-9) {
			t.Errorf("links carried %v bytes, the summary says %v", total, number(t, r, "network.bytes"))
		}
	}
}

// An all-reduce over n ranks by a ring sends 2(n-1)/n of the size from each rank,
// and its row says 2(n-1)(l + S/n/b).
func TestAllReduce(t *testing.T) {
	r := run(t, bare+allReduce, nil)
	sizes := []float64{1 << 20, 8 << 20}
	sum := 0.0
	for i, s := range sizes {
		want := 14 * (1e-6 + s/8/50e9)
		sum += want
		row := func(name string) float64 { return column(t, r, "collectives", name)[i] }
		if row("size_bytes") != s || !near(row("time_s"), want, 1e-6) || !near(row("algbw_Bps"), s/want, 1e-6) || !near(row("busbw_Bps"), 1.75*s/want, 1e-6) {
			t.Errorf("row %d: %v B in %v s, %v and %v B/s; want %v s", i, row("size_bytes"), row("time_s"), row("algbw_Bps"), row("busbw_Bps"), want)
		}
		if got := number(t, r, fmt.Sprintf("collectives.%d.time_s", i)); got != row("time_s") {
			t.Errorf("the summary says %v", got)
		}
	}
	if end := number(t, r, "makespan_s"); !near(end, sum, 1e-6) {
		t.Errorf("makespan %v, want %v", end, sum)
	}
	for l, got := range column(t, r, "links", "bytes") {
		if want := 1.75 * (sizes[0] + sizes[1]); !near(got, want, 1e-9) {
			t.Errorf("link %d carried %v bytes, want %v", l, got, want)
		}
	}
	ranks := r.Table("collectives").Column("ranks").Integers
	if !slices.Equal(ranks, []int64{8, 8}) {
		t.Errorf("ranks %v", ranks)
	}
}

// Keys of a collective workload.
func TestCollectiveKeys(t *testing.T) {
	const s = 1 << 20
	ring := func(n, l float64) float64 { return 2 * (n - 1) * (l + s/n/50e9) }
	for name, c := range map[string]struct {
		keys string
		time float64
		n    int64
	}{
		"none":                    {"", ring(8, 1e-6), 8},
		"overhead":                {`overhead = "10us"`, 10e-6 + ring(8, 1e-6), 8},
		"so many ranks":           {"ranks = 4", ring(4, 1e-6), 4},
		"these ranks":             {"ranks = [7, 1, 3]", ring(3, 1e-6), 3},
		"so many accelerators":    {"accelerators = 2", ring(2, 1e-6), 2},
		"ranks of accelerators":   {"accelerators = [7, 6, 5, 4]\nranks = 3", ring(3, 1e-6), 3},
		"one rank":                {"ranks = 1", 0, 1},
		"iterations":              {"iterations = 7", ring(8, 1e-6), 8},
		"expanded":                {"expand = true", ring(8, 1e-6), 8},
		"expanded and start":      {"expand = true\nstart = \"1ms\"", ring(8, 1e-6), 8},
		"iterations with a start": {"iterations = 100\nstart = \"1ms\"", ring(8, 1e-6), 8},
		"auto":                    {`algorithm = "auto"`, 2 * (1e-6 + 7./8*s/50e9), 8}, // direct, in two steps
	} {
		t.Run(name, func(t *testing.T) {
			keys := "algorithm = \"ring\"\n" + c.keys
			if strings.Contains(c.keys, "algorithm") {
				keys = c.keys
			}
			r := run(t, bare+"\n[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n"+keys+"\n", nil)
			if got := column(t, r, "collectives", "time_s")[0]; math.Abs(got-c.time) > 2e-10 {
				t.Errorf("%v s, want %v", got, c.time)
			}
			if got := r.Table("collectives").Column("ranks").Integers[0]; got != c.n {
				t.Errorf("%d ranks, want %d", got, c.n)
			}
			want := c.time
			if strings.Contains(c.keys, "iterations = 100") {
				want *= 100
			} else if strings.Contains(c.keys, "iterations = 7") {
				want *= 7
			}
			if strings.Contains(c.keys, "start") {
				want += 1e-3
			}
			if end := number(t, r, "makespan_s"); math.Abs(end-want) > 2e-10*100 {
				t.Errorf("makespan %v, want %v", end, want)
			}
		})
	}
}

// A job that needs the accelerators of another starts when that ends.
func TestQueue(t *testing.T) {
	const one = "\n[[workload.collective]]\nop = \"all_reduce\"\nalgorithm = \"ring\"\nsizes = [\"1GB\"]\naccelerators = 8\n"
	r := run(t, bare+one+one, nil)
	each := 14 * (1e-6 + 1e9/8/50e9)
	if end := number(t, r, "makespan_s"); !near(end, 2*each, 1e-6) {
		t.Errorf("two jobs one after the other take %v s, want %v", end, 2*each)
	}
	if n := number(t, r, "network.contended_links"); n != 0 {
		t.Errorf("%v links are contended", n)
	}
	names := r.Table("collectives").Column("workload").Text
	if !slices.Equal(names, []string{"all_reduce", "all_reduce#2"}) {
		t.Errorf("workloads are called %v", names)
	}
}

// With fidelity "analytic" nothing contends: each takes its closed form.
func TestAnalytic(t *testing.T) {
	r, fluid := run(t, twoBerts, nil, "sim.fidelity=analytic"), run(t, twoBerts, nil)
	if a, f := number(t, r, "training.0.breakdown_s.exposed_communication"), number(t, fluid, "training.0.breakdown_s.exposed_communication"); a >= f {
		t.Errorf("%v s are exposed without contention, %v with it", a, f)
	}
	// Two rings over the same links take as long as one.
	two := run(t, bare+strings.Repeat(allReduce+"accelerators = 8\nshared = true\n", 2), nil, "sim.fidelity=analytic")
	for _, got := range column(t, two, "collectives", "time_s") {
		if !near(got, 14*(1e-6+(1<<20)/8/50e9), 1e-6) && !near(got, 14*(1e-6+(8<<20)/8/50e9), 1e-6) {
			t.Errorf("%v s", got)
		}
	}
}

func TestHorizon(t *testing.T) {
	r := run(t, bare+allReduce, nil, "sim.horizon=100us", "workload.collective.0.iterations=1000")
	if r.Summary.Text("status") != "horizon" || number(t, r, "makespan_s") != 100e-6 {
		t.Errorf("status %s at %v", r.Summary.Text("status"), number(t, r, "makespan_s"))
	}
	// 50 GB/s for 100 us are 5 MB.
	for l, bytes := range column(t, r, "links", "bytes") {
		if bytes > 5e6 || bytes == 0 {
			t.Errorf("link %d carried %v bytes", l, bytes)
		}
	}
	// Work that ends before is done.
	if r := run(t, bare+allReduce, nil, "sim.horizon=1s"); r.Summary.Text("status") != "done" || number(t, r, "makespan_s") > 1e-3 {
		t.Errorf("status %s at %v", r.Summary.Text("status"), number(t, r, "makespan_s"))
	}
	// Flows that have not ended have no finish.
	r = run(t, "[topology]\nkind = \"links\"\nfile = \"l.csv\"\n[[workload.flows]]\nfile = \"f.csv\"\n[sim]\nhorizon = \"1s\"\n",
		map[string]string{"l.csv": "link,capacity_Bps,latency_s\na,100,0\n", "f.csv": "flow,start_s,bytes,route\nx,0.5,1000,a\ny,0,10,a\n"})
	var b bytes.Buffer
	if err := report.WriteCSV(&b, r.Table("flows")); err != nil || b.String() != "flow,start_s,finish_s,bytes,alone_s,lost_s\nx,0.5,,1000,10,\ny,0,0.1,10,0.1,0\n" {
		t.Errorf("%v %q", err, b.String())
	}
	if got := column(t, r, "links", "bytes")[0]; !near(got, 60, 1e-9) {
		t.Errorf("%v bytes, want 60", got)
	}
}

// A context that ends leaves what was done, marked.
func TestInterrupted(t *testing.T) {
	s, err := load(t, everything, everythingFiles, "workload.training.0.iterations=1000000", "workload.training.1.iterations=1000000")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	calls := 0
	r, err := railyard.Run(ctx, s, railyard.Options{Progress: func(p railyard.Progress) {
		calls++
		if p.Events == 0 || p.Now == 0 || p.Pending == 0 {
			t.Errorf("progress %+v", p)
		}
		stop()
	}})
	if !errors.Is(err, context.Canceled) || r == nil || calls != 1 {
		t.Fatalf("%v after %d reports", err, calls)
	}
	if r.Summary.Text("status") != "interrupted" || number(t, r, "training.0.iterations") == 0 || number(t, r, "makespan_s") == 0 {
		t.Errorf("status %s, %v iterations by %v s", r.Summary.Text("status"), number(t, r, "training.0.iterations"), number(t, r, "makespan_s"))
	}
	if written(t, r)["summary.json"] == "" {
		t.Error("nothing can be written")
	}
}

// Progress changes no result.
func TestProgressChangesNothing(t *testing.T) {
	s, err := load(t, everything, everythingFiles)
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{Progress: func(railyard.Progress) {}})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := written(t, r), written(t, run(t, everything, everythingFiles)); !maps.Equal(a, b) {
		t.Error("the files differ")
	}
}

func TestEventLimit(t *testing.T) {
	for _, progress := range []func(railyard.Progress){nil, func(railyard.Progress) {}} {
		s, err := load(t, bare+allReduce, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := railyard.Run(context.Background(), s, railyard.Options{MaxEvents: 5, Progress: progress}); !errors.Is(err, sim.ErrEventLimit) || r != nil {
			t.Errorf("%v, %v", r, err)
		}
	}
}

// A flow that would take longer than the clock reaches never ends.
func TestDeadlock(t *testing.T) {
	s, err := load(t, "[topology]\nkind = \"links\"\nfile = \"l.csv\"\n[[workload.flows]]\nfile = \"f.csv\"\n",
		map[string]string{"l.csv": "link,capacity_Bps,latency_s\nslow,1,0\n", "f.csv": "flow,start_s,bytes,route\nendless,0,1e18,slow\n"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = railyard.Run(context.Background(), s, railyard.Options{})
	var deadlock *sim.DeadlockError
	if !errors.As(err, &deadlock) || !strings.Contains(err.Error(), "flow endless waits for bandwidth on link slow") {
		t.Errorf("%v", err)
	}
}

// Bare links have no ends, and flows over them the finish of the fluid model.
func TestLinksKind(t *testing.T) {
	r := run(t, "[topology]\nkind = \"links\"\nfile = \"l.csv\"\n[[workload.flows]]\nfile = \"f.csv\"\nstart = \"1s\"\n", map[string]string{
		"l.csv": "link,capacity_Bps,latency_s\na,100,0.25\nb,50,0\n",
		"f.csv": "flow,start_s,bytes,route,weight,after\nx,0,100,a b,1,\ny,0,50,a,,\nz,0,50,b,3,x y\n",
	})
	var b bytes.Buffer
	if err := report.WriteCSV(&b, r.Table("flows")); err != nil {
		t.Fatal(err)
	}
	// x and y get 50 each: y is done after 1 s; x is held by b at 50 and takes 2 s.
	if want := "flow,start_s,finish_s,bytes,alone_s,lost_s\nx,1,3.25,100,2.25,0\ny,1,2.25,50,0.75,0.5\nz,3.25,4.25,50,1,0\n"; b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
	links := r.Table("links")
	for i := range 2 {
		if links.Column("from").Text[i] != "" || links.Column("to").Text[i] != "" {
			t.Errorf("link %d leads from %q to %q", i, links.Column("from").Text[i], links.Column("to").Text[i])
		}
	}
	if r.Table("accelerators") != nil {
		t.Error("there are accelerators")
	}
	if got := column(t, r, "links", "bytes"); got[0] != 150 || got[1] != 150 {
		t.Errorf("bytes %v", got)
	}
}

// Flows between accelerators take the fabric's routes: 8 to 1 over one NIC.
func TestFlowsByEnds(t *testing.T) {
	var f strings.Builder
	f.WriteString("flow,start_s,bytes,src,dst\n")
	for i := range 7 {
		fmt.Fprintf(&f, "f%d,0,1e8,host%d/acc0,host0/acc0\n", i, i+1)
	}
	r := run(t, "[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-h100\"\nhosts = 8\n[[workload.flows]]\nfile = \"f.csv\"\n", map[string]string{"f.csv": f.String()})
	want := 7e8 / (50e9 * 0.92) // the receiver's NIC, 92 % of it payload
	ends := column(t, r, "flows", "finish_s")
	if last := slices.Max(ends); last < want || last > want+5e-6 || slices.Min(ends) < want-5e-6 {
		t.Errorf("flows end at %v, want %v and some latency", ends, want)
	}
	at := slices.Index(r.Table("links").Column("link").Text, "leaf0>host0/nic0")
	if at < 0 || !near(column(t, r, "links", "bytes")[at], 7e8, 1e-9) || column(t, r, "links", "contended_s")[at] == 0 {
		t.Errorf("the receiver's cable: %d", at)
	}
	if most := r.Summary.Record("network").List("most_contended"); len(most) == 0 || !strings.Contains(most[0].List("contenders")[0].Text("contender"), "f0") {
		t.Error("nobody is said to contend")
	}
}

// Contention of two trainings is put down to them by name.
func TestContendersAreNamed(t *testing.T) {
	r := run(t, everything, everythingFiles)
	names := map[string]bool{}
	for _, l := range r.Summary.Record("network").List("most_contended") {
		for _, c := range l.List("contenders") {
			names[c.Text("contender")] = true
		}
	}
	if !names["bert-large"] || !names["resnet-50"] {
		t.Errorf("contenders are %v", slices.Sorted(maps.Keys(names)))
	}
}

func TestExpectations(t *testing.T) {
	expect := func(metric, op, value string) string {
		return fmt.Sprintf("\n[[expect]]\nmetric = %q\nop = %q\nvalue = %s\n", metric, op, value)
	}
	r := run(t, bare+allReduce+expect("collectives.0.ranks", "==", "8")+expect("makespan_s", "<", "1")+expect("events", ">=", "1")+expect("collectives.1.size_bytes", "!=", "0"), nil)
	if len(r.Missed) != 0 || len(r.Summary.List("expect")) != 4 {
		t.Errorf("missed %v", r.Missed)
	}
	r = run(t, bare+allReduce+expect("makespan_s", ">", "1e3")+expect("makespan_s", "<=", "1e3"), nil)
	if len(r.Missed) != 1 || !strings.Contains(r.Missed[0], "makespan_s is 0.000") || !strings.Contains(r.Missed[0], "expected > 1000") {
		t.Errorf("missed %v", r.Missed)
	}
	s, err := load(t, bare+allReduce+expect("collectives.0.tme_s", "<", "1")+expect("training.0.iteration_s", "<", "1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := railyard.Run(context.Background(), s, railyard.Options{})
	var faults railyard.Faults
	if !errors.As(err, &faults) || len(faults) != 2 || got == nil {
		t.Fatalf("%v, %v", got, err)
	}
	for i, want := range []string{`collectives.0 has no "tme_s"; it has op, algorithm, ranks`, `the summary has no "training"; it has name, status, makespan_s`} {
		if faults[i].Line != 13+5*i || !strings.Contains(faults[i].Error(), want) {
			t.Errorf("%v; want %q at line %d", faults[i], want, 13+5*i)
		}
	}
}

// A run's numbers can be read off the files alone.
func TestFilesReadBack(t *testing.T) {
	r := run(t, everything, everythingFiles)
	for _, table := range r.Tables {
		for _, c := range table.Columns {
			if c.Len() != table.Rows() {
				t.Errorf("%s: column %s has %d of %d rows", table.Name, c.Metric.Name, c.Len(), table.Rows())
			}
			for i, v := range c.Numbers {
				back, err := strconv.ParseFloat(c.Cell(i), 64)
				if err != nil || back != v || math.IsInf(v, 0) {
					t.Errorf("%s: %s is %q in row %d: %v", table.Name, c.Metric.Name, c.Cell(i), i, err)
				}
			}
		}
	}
}

// Every metric has a definition, and a name that ends in its unit.
func TestMetrics(t *testing.T) {
	ending := map[string]string{"s": "_s", "bytes": "bytes", "B/s": "_Bps", "ratio": "_ratio"}
	check := func(m result.Metric) {
		if m.Name == "" || m.Definition == "" {
			t.Errorf("%+v", m)
		}
		if want, ok := ending[m.Unit]; ok && !strings.HasSuffix(m.Name, want) {
			switch m.Name { // parts of breakdown_s have the unit of the whole
			case "compute", "host_launch", "exposed_communication", "bubble", "storage", "optimizer", "gradients", "parameters", "tensor", "context", "expert", "lookups", "outer", "pipeline", "activations", "gathered", "buffers", "framework":
			default:
				if m.Definition != "operators of class "+m.Name {
					t.Errorf("%s is in %s", m.Name, m.Unit)
				}
			}
		}
	}
	r := run(t, everything, everythingFiles)
	for _, table := range r.Tables {
		for _, c := range table.Columns {
			check(c.Metric)
		}
	}
	var walk func(*result.Record)
	walk = func(r *result.Record) {
		for _, f := range r.Fields {
			check(f.Metric)
			switch v := f.Value.(type) {
			case *result.Record:
				walk(v)
			case []*result.Record:
				for _, x := range v {
					walk(x)
				}
			}
		}
	}
	walk(r.Summary)
}

// Write leaves the files, and a manifest with their checksums.
func TestWrite(t *testing.T) {
	s, err := load(t, everything, everythingFiles)
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := railyard.Write(dir, s, r, report.Host{}); err != nil {
		t.Fatal(err)
	}
	var m report.Manifest
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "everything" || m.Status != "done" || m.Seed != 1 || len(m.Inputs) != 2 || len(m.Outputs) != len(r.Tables)+1 {
		t.Errorf("%+v", m)
	}
	for _, out := range m.Outputs {
		if got, err := report.Describe(filepath.Join(dir, out.Path)); err != nil || got.SHA256 != out.SHA256 || got.Bytes != out.Bytes {
			t.Errorf("%s: %+v, %v", out.Path, got, err)
		}
	}
}

func TestVersion(t *testing.T) {
	if b := railyard.Version(); b.Version == "" || b.Go != runtime.Version() {
		t.Errorf("%+v", b)
	}
}
