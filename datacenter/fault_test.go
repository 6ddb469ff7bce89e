package datacenter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// host is one DGX-H100 with a training of BERT on all of it, keys last, so that a
// key added is on line 10.
const host = `[topology]
kind = "single-host"
host = "dgx-h100"

[[workload.training]]
model = "bert-large"
micro_batch = 1
global_batch = 64
sequence = 128
`

// Degrees of parallelism must make up the accelerators; the message names the key
// and what would go.
func TestDegrees(t *testing.T) {
	for _, c := range []struct {
		keys  string // from line 10 on
		words []string
	}{
		{"tensor = 3", []string{"case.toml:10:10:", "tensor", "3 does not divide the 8 accelerators", "nearest: 2 or 4"}},
		{"tensor = 16", []string{"case.toml:10:10:", "nearest: 8"}},
		{"pipeline = 5", []string{"case.toml:10:12:", "pipeline", "nearest: 4 or 8"}},
		{"context = 7", []string{"case.toml:10:11:", "context", "nearest: 4 or 8"}},
		{"data = 6", []string{"case.toml:10:8:", "data", "nearest: 4 or 8"}},
		{"data = 4", []string{"case.toml:10:8:", "tensor x pipeline x context x data is 4, but the job has 8 accelerators", "data = 8"}},
		{"tensor = 4\npipeline = 4", []string{"case.toml:11:12:", "pipeline", "2 left by the degrees before", "nearest: 2"}},
		{"tensor = 2\npipeline = 2\ndata = 4", []string{"case.toml:12:8:", "2 left", "nearest: 2"}},
		{"tensor = 2\npipeline = 2\ndata = 1", []string{"case.toml:12:8:", "is 4, but the job has 8 accelerators", "data = 2 makes it up"}},
		{"accelerators = 6\ndata = 4", []string{"case.toml:11:8:", "6 accelerators", "nearest: 3 or 6"}},
	} {
		t.Run(strings.ReplaceAll(c.keys, "\n", ", "), func(t *testing.T) {
			text := refused(t, host+c.keys+"\n", nil)
			for _, w := range c.words {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not in: %s", w, text)
				}
			}
		})
	}
	for _, keys := range []string{"data = 8", "tensor = 1\npipeline = 1\ncontext = 1\nzero = 0", "accelerators = 4", "accelerators = [1, 3]\ndata = 2", "accelerators = 1\nzero = 3"} {
		if s, err := load(t, host+keys+"\n", nil); err != nil || railyard.Check(s) != nil {
			t.Errorf("%s: refused", keys)
		}
	}
}

// Whatever else is wrong with a scenario is said in one message at its place.
func TestFaults(t *testing.T) {
	flows := func(rows string) map[string]string {
		return map[string]string{"l.csv": "link,capacity_Bps,latency_s\na,100,0\nb,100,0\n", "f.csv": rows}
	}
	const links = "[topology]\nkind = \"links\"\nfile = \"l.csv\"\n\n[[workload.flows]]\nfile = \"f.csv\"\n"
	collective := func(keys string) string {
		return bare + "\n[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n" + keys + "\n" // keys from line 10 on
	}
	for _, c := range []struct {
		name  string
		toml  string
		files map[string]string
		words []string
	}{
		// What the language has and the program has not.
		{"shared training", host + "shared = true\n", nil, []string{"case.toml:10:10:", "shared", "not built yet"}},
		{"serving", bare + "\n[[workload.serving]]\nmodel = \"bert-large\"\n", nil, []string{"case.toml:7:", "serving", "without demand"}},
		{"hierarchical around a switch", collective("algorithm = \"hierarchical\""), nil, []string{"case.toml:10:13:", "hierarchical takes all accelerators of a torus"}},
		{"hierarchical on a rank", collective("algorithm = \"hierarchical\"\nranks = [7, 3]"), nil, []string{"case.toml:10:13:", "in their order"}},

		// Training.
		{
			"no memory", strings.NewReplacer("micro_batch = 1", "micro_batch = 1024", "global_batch = 64", "global_batch = 8192", "128", "512").Replace(host), nil,
			[]string{"case.toml:7:15:", "micro_batch", "1024 does not fit in memory", "of the 85.9 GB of h100-sxm-80gb", "would fit", "allow_oversubscribed"},
		},
		{"no memory at all", strings.Replace(host, "\"bert-large\"", "\"gpt3-175b\"", 1), nil, []string{"does not fit in memory", "of the 85.9 GB"}},
		{"a batch that does not divide", strings.Replace(host, "64", "12", 1), nil, []string{"case.toml:8:16:", "global_batch 12", "data x micro_batch = 8 x 1 = 8", "nearest 8 or 16"}},
		{"heads that tensor does not divide", "[models.odd]\nfamily = \"transformer\"\nlayers = 4\nhidden = 192\nheads = 6\nvocab = 100\n" + strings.Replace(host, "bert-large", "odd", 1) + "tensor = 4\n", nil, []string{"case.toml:16:10:", "tensor 4 does not divide the 6 heads", "nearest 3 or 6"}},
		{"fewer layers than stages", "[models.flat]\nfamily = \"transformer\"\nlayers = 4\nhidden = 192\nheads = 6\nvocab = 100\n" + strings.Replace(host, "bert-large", "flat", 1) + "pipeline = 8\n", nil, []string{"case.toml:16:12:", "8 stages are more than the 4 layers", "nearest 4"}},
		{"fewer layers than virtual stages", "[models.flat]\nfamily = \"transformer\"\nlayers = 4\nhidden = 192\nheads = 6\nvocab = 100\n" + strings.Replace(host, "bert-large", "flat", 1) + "pipeline = 2\nvirtual_stages = 4\n", nil, []string{"case.toml:17:18:", "virtual_stages 4 x pipeline 2 = 8 chunks are more than the 4 layers, the embedding and the head", "nearest 3"}},
		{"experts that the degree does not divide", "[models.moe]\nfamily = \"transformer\"\nlayers = 4\nhidden = 192\nheads = 6\nvocab = 100\nexperts = 6\n" + strings.Replace(host, "bert-large", "moe", 1) + "expert = 4\n", nil, []string{"case.toml:17:10:", "expert 4 does not divide the 6 experts", "nearest 3 or 6"}},
		{"chunks of a model without stages", strings.NewReplacer("bert-large", "resnet-50", "sequence = 128\n", "").Replace(host) + "virtual_stages = 3\n", nil, []string{"virtual_stages 3: models of the family convnet are shared by data only: 1"}},
		{"chunks on a schedule without", host + "pipeline = 2\nvirtual_stages = 2\nschedule = \"gpipe\"\n", nil, []string{"case.toml:12:12:", "gpipe", "interleaved"}},
		{"micro-batches in odd groups", strings.Replace(host, "global_batch = 64", "global_batch = 12", 1) + "pipeline = 8\nvirtual_stages = 2\n", nil, []string{"case.toml:8:16:", "groups", "nearest global_batch 8 or 16"}},
		{"an order of dimensions", host + "order = [\"tensor\", \"data\"]\n", nil, []string{"case.toml:10:9:", "tensor, context, data and pipeline"}},
		{"a sequence that is too long", strings.Replace(host, "sequence = 128", "sequence = 1024", 1), nil, []string{"case.toml:9:12:", "sequence 1024", "512"}},
		{"a precision that it has not", strings.Replace(host, "dgx-h100", "dgx-1v", 1) + "precision = \"bf16\"\n", nil, []string{"case.toml:10:13:", "v100-sxm2-32gb has no bf16", "fp16"}},
		{"a model that there is not", strings.Replace(host, "bert-large", "bert-larg", 1), nil, []string{"case.toml:6:9:", `"bert-larg"`, "bert-large"}},
		{"bare accelerators", bare + host[strings.Index(host, "\n[["):], nil, []string{"case.toml:7:", "bare accelerators have no compute rate"}},

		// Who gets which accelerators.
		{"several workloads", bare + allReduce + allReduce, nil, []string{"case.toml:7:", "case.toml:12:", "accelerators", "is missing", "8 accelerators"}},
		{"too many accelerators", collective("accelerators = 9"), nil, []string{"case.toml:10:16:", "9 are more than the 8"}},
		{"an accelerator that there is not", collective("accelerators = [0, 8]"), nil, []string{"case.toml:10:16:", "no accelerator 8", "0 to 7"}},
		{"the same accelerator twice", collective("accelerators = [1, 1]"), nil, []string{"case.toml:10:", "accelerators"}},
		{"a rank that there is not", collective("accelerators = 4\nranks = [4]"), nil, []string{"case.toml:11:9:", "no rank 4", "4 accelerators"}},
		{"more ranks than accelerators", collective("ranks = 9"), nil, []string{"case.toml:10:9:", "9 are more than the 8"}},

		// Collectives.
		{
			"halving-doubling of all_gather", strings.Replace(collective("algorithm = \"halving-doubling\"\nranks = 6"), "all_reduce", "all_gather", 1), nil,
			[]string{"case.toml:10:13:", "power of two", "not 6", "4 and 8"},
		},
		{"a ring of all_to_all", strings.Replace(collective("algorithm = \"ring\""), "all_reduce", "all_to_all", 1), nil, []string{"case.toml:10:13:", "all_to_all has no ring form", "all_gather"}},
		{"too large for direct", strings.Replace(collective("algorithm = \"direct\""), "accelerators = 8", "accelerators = 5000", 1), nil, []string{"case.toml:10:13:", "4096", "5000"}},
		{"too large for auto", strings.NewReplacer("accelerators = 8", "accelerators = 5000", "all_reduce", "all_to_all").Replace(collective("")), nil, []string{"case.toml:8:6:", "4096", "5000"}},
		{"a pipeline expanded", strings.Replace(collective("algorithm = \"ring\"\nexpand = true"), "all_reduce", "broadcast", 1), nil, []string{"case.toml:11:10:", "pipeline", "direct"}},
		{"too many messages", strings.Replace(collective("algorithm = \"ring\"\nexpand = true"), "accelerators = 8", "accelerators = 5000", 1), nil, []string{"case.toml:11:10:", "messages", "4194304"}},
		{"a size of nothing like data", collective("")[:len(collective(""))-len("sizes = [\"1MiB\"]\n\n")] + "sizes = [\"1us\"]\n", nil, []string{"case.toml:9:", "sizes"}},

		// Files.
		{"a missing file", links, map[string]string{"l.csv": "link,capacity_Bps,latency_s\na,1,0\n"}, []string{"case.toml:6:8:", `cannot read "f.csv"`}},
		{"an unknown link", links, flows("flow,start_s,bytes,route\nx,0,1,a\ny,0,1,a c\n"), []string{"f.csv:3:7:", "route", `"c"`}},
		{"a truncated row", links, flows("flow,start_s,bytes,route\nx,0,1,a\ny,0\n"), []string{"f.csv:3:", "2"}},
		{"an open quote", links, flows("flow,start_s,bytes,route\nx,0,1,\"a\ny,0,1,a\n"), []string{"f.csv:", `"`}},
		{"a cycle", links, flows("flow,start_s,bytes,route,after\nx,0,1,a,z\ny,0,1,b,x\nz,0,1,a,y\n"), []string{"f.csv:2:1:", "wait for each other", "x", "y", "z"}},
		{"a flow that waits for itself", links, flows("flow,start_s,bytes,route,after\nx,0,1,a,x\n"), []string{"f.csv:2:1:", "x -> x"}},
		{"an unknown flow to wait for", links, flows("flow,start_s,bytes,route,after\nfirst,0,1,a,\ny,0,1,b,fist\n"), []string{"f.csv:3:9:", `no flow "fist"`, `"first"`}},
		{"a negative size", links, flows("flow,start_s,bytes,route\nx,0,-1,a\n"), []string{"f.csv:2:5:", "bytes"}},
		{"not a number", links, flows("flow,start_s,bytes,route\nx,0,NaN,a\n"), []string{"f.csv:2:5:", "bytes"}},
		{"the same flow twice", links, flows("flow,start_s,bytes,route\nx,0,1,a\nx,0,1,b\n"), []string{"f.csv:3:1:", `"x"`}},
		{"a missing column", links, flows("flow,start_s,route\nx,0,a\n"), []string{"f.csv:1:1:", "bytes"}},
		{"an empty file", links, flows(""), []string{"f.csv"}},
		{
			"an accelerator that flows cannot have", bare + "\n[[workload.flows]]\nfile = \"f.csv\"\n", flows("flow,start_s,bytes,src,dst\nx,0,1,acc0,acc9\n"),
			[]string{"f.csv:2:1:", "dst", `"acc9"`, "acc0 to acc7"},
		},
		{"ends over bare links", links, flows("flow,start_s,bytes,src,dst\nx,0,1,a,b\n"), []string{"f.csv:1:", "route"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := refused(t, c.toml, c.files)
			for _, w := range c.words {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not in:\n%s", w, text)
				}
			}
			if strings.Count(text, "\n") > 2 {
				t.Errorf("one fault takes %d lines:\n%s", strings.Count(text, "\n")+1, text)
			}
		})
	}
}

// What is read from the command line is faulted there.
func TestOverrides(t *testing.T) {
	if r := run(t, bare+allReduce, nil, "topology.accelerators=4", "workload.collective.0.sizes=[\"1kB\"]"); r.Table("collectives").Column("ranks").Integers[0] != 4 ||
		column(t, r, "collectives", "size_bytes")[0] != 1000 {
		t.Error("a key was not set")
	}
	for set, words := range map[string][]string{
		"topology.acelerators=4":           {"--set topology.acelerators", `"accelerators"`},
		"topology.bandwidth=100":           {"--set topology.bandwidth", "unit"},
		"workload.collective.3.op=reduce":  {"--set workload.collective.3.op", "no 3"},
		"nonsense":                         {"KEY=VALUE"},
		"workload.collective.op=broadcast": {"0.op"},
	} {
		text := refused(t, bare+allReduce, nil, set)
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not in: %s", set, w, text)
			}
		}
	}
}

// A scenario that cannot be read at all.
func TestUnreadable(t *testing.T) {
	_, err := railyard.Load(t.TempDir() + "/absent.toml")
	if err == nil || !strings.Contains(err.Error(), "absent.toml: cannot read the scenario: no such file") {
		t.Errorf("%v", err)
	}
	if _, err := railyard.Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "cannot read the scenario") {
		t.Errorf("a folder: %v", err)
	}
}

// allow_oversubscribed runs what does not fit; samples and tokens say how much.
func TestTrainingAmount(t *testing.T) {
	big := strings.NewReplacer("micro_batch = 1", "micro_batch = 1024", "global_batch = 64", "global_batch = 8192", "128", "512").Replace(host)
	if need := number(t, run(t, big+"allow_oversubscribed = true\n", nil), "training.0.memory_per_accelerator_bytes"); need < 80e9 {
		t.Errorf("%v bytes", need)
	}
	for keys, want := range map[string]float64{
		"": 3, "iterations = 12": 12, "samples = 640": 10, "samples = 641": 11, fmt.Sprint("tokens = ", 64*128*20): 20, fmt.Sprint("tokens = ", 64*128*20+1): 21,
	} {
		if got := number(t, run(t, host+keys+"\n", nil), "training.0.iterations"); got != want {
			t.Errorf("%q: %v iterations, want %v", keys, got, want)
		}
	}
}

// Whatever algorithm auto picks can be expanded, or the scenario is refused.
func TestAutoExpanded(t *testing.T) {
	for _, op := range []string{"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "reduce", "send_recv"} {
		for _, kind := range []string{"switch", "ring", "full-mesh"} {
			toml := strings.Replace(bare, "switch", kind, 1) + fmt.Sprintf("\n[[workload.collective]]\nop = %q\nsizes = [\"1kB\", \"1GB\"]\nexpand = true\n", op)
			t.Run(op+" on "+kind, func(t *testing.T) {
				s, err := load(t, toml, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := railyard.Check(s); err != nil {
					if !strings.Contains(err.Error(), "expand") || !strings.Contains(err.Error(), "case.toml:10:10:") {
						t.Error(err)
					}
					return
				}
				run(t, toml, nil)
			})
		}
	}
}
