package datacenter_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard"
)

// made is four hosts of 112 cores that make a data set on four file servers.
func made(keys string, stages ...string) string {
	if !strings.Contains(keys, "size") {
		keys += "size = \"100GB\"\n"
	}
	text := filer("layout = \"striped\"\n") + "[[workload.pipeline]]\npool = \"compute\"\nitems = 100000\n" + keys
	for _, s := range stages {
		text += "[[workload.pipeline.stage]]\n" + s
	}
	return text
}

// readAndWritten is what all drives have read and written.
func readAndWritten(r *railyard.Result) (read, written float64) {
	links := r.Table("links")
	for i, name := range links.Columns[0].Text {
		switch bytes := links.Columns[4].Numbers[i]; {
		case strings.HasSuffix(name, "/drives/read"):
			read += bytes
		case strings.HasSuffix(name, "/drives/write"):
			written += bytes
		}
	}
	return read, written
}

// A pipeline goes at the pace of its slowest stage, be it that of its workers, of the
// drives that all read or write, or of what comes in; filling it and running it empty
// takes a batch for each stage beside.
func TestPipelineThroughput(t *testing.T) {
	for _, c := range []struct {
		name   string
		keys   string
		stages []string
		want   float64 // items/s
	}{
		{"one stage", "size = \"1GB\"\n", []string{"kind = \"clean\"\ncpu = \"10ms\"\n"}, 448 / 0.01},
		{"the slowest of three", "size = \"1GB\"\n", []string{"kind = \"ingest\"\ncpu = \"1ms\"\nworkers = 100\n", "kind = \"clean\"\ncpu = \"20ms\"\nworkers = 200\n", "kind = \"tokenise\"\ncpu = \"2ms\"\nworkers = 100\n"}, 200 / 0.02},
		{"fewer items reach the second", "size = \"1GB\"\n", []string{"kind = \"clean\"\ncpu = \"5ms\"\nworkers = 100\nkeep = 0.25\n", "kind = \"label\"\ncpu = \"40ms\"\nworkers = 100\n"}, 100 / 0.01},
		{"cores divided evenly", "size = \"1GB\"\n", []string{"kind = \"ingest\"\ncpu = \"1ms\"\n", "kind = \"anonymise\"\ncpu = \"10ms\"\n"}, 224 / 0.01},
		{"drives write", "", []string{"kind = \"decode\"\ncpu = \"1us\"\noutput_ratio = 10\n"}, 16e9 / 10e6},
		{"drives read", "", []string{"kind = \"clean\"\ncpu = \"1us\"\noutput_ratio = 0.001\n"}, 48e9 / 1e6},
		{"what comes in", "arrival = \"5GB/s\"\n", []string{"kind = \"ingest\"\n", "kind = \"clean\"\ncpu = \"1ms\"\n"}, 5e9 / 1e6},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, made("batches = 1000\n"+c.keys, c.stages...), nil)
			if got := number(t, r, "pipelines.0.items_per_s"); !near(got, c.want, 0.01) {
				t.Errorf("%v items/s, want %v", got, c.want)
			}
		})
	}
}

// All that a stage reads and writes goes over the drives, byte by byte, and of a batch it
// is as much as the stages before have left.
func TestPipelineBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		items, bytes := 1e5, 1e6
		var read, written float64
		var stages []string
		arrival := rapid.SampledFrom([]string{"", "arrival = \"20GB/s\"\n"}).Draw(rt, "arrival")
		for i := range rapid.IntRange(1, 4).Draw(rt, "stages") {
			ratio := rapid.Float64Range(0.1, 2).Draw(rt, "ratio")
			keep := rapid.Float64Range(0.1, 1).Draw(rt, "keep")
			cpu := rapid.IntRange(0, 20000).Draw(rt, "us")
			stages = append(stages, fmt.Sprintf("kind = \"clean\"\ncpu = \"%dus\"\noutput_ratio = %v\nkeep = %v\n", cpu, ratio, keep))
			if i > 0 || arrival == "" {
				read += items * bytes
			}
			items, bytes = items*keep, bytes*ratio
			written += items * bytes
		}
		r := run(t, made(fmt.Sprintf("batches = %d\n%s", rapid.IntRange(1, 200).Draw(rt, "batches"), arrival), stages...), nil)
		gotRead, gotWritten := readAndWritten(r)
		if math.Abs(gotRead-read) > 1e-6*read || math.Abs(gotWritten-written) > 1e-6*written {
			rt.Fatalf("drives read %v and wrote %v B, want %v and %v", gotRead, gotWritten, read, written)
		}
		if got := number(t, r, "pipelines.0.items_out"); !near(got, items, 1e-9) {
			rt.Fatalf("%v items come out, want %v", got, items)
		}
	})
}

// A pipeline has worked from when it began, and not at all if the run ends before.
func TestPipelineLasts(t *testing.T) {
	text := made("start = \"100s\"\n", "kind = \"clean\"\ncpu = \"10ms\"\n")
	for horizon, want := range map[string]float64{"50s": 0, "101s": 1} {
		r := run(t, text, nil, "sim.horizon="+horizon)
		if got := number(t, r, "pipelines.0.time_s"); !near(got, want, 1e-9) {
			t.Errorf("until %s it has worked for %v s, want %v", horizon, got, want)
		}
	}
}

// A training that reads what a pipeline makes goes no faster than that, and waits for it.
func TestTrainingFromPipeline(t *testing.T) {
	stage := "kind = \"tokenise\"\ncpu = \"%s\"\nworkers = 100\n"
	job := "[[workload.training]]\nmodel = \"resnet-50\"\nmicro_batch = 64\nglobal_batch = 2048\niterations = 40\n[workload.training.input]\nsample = \"100kB\"\nfrom = \"pipeline\"\n"
	r := run(t, made("batches = 2000\nsize = \"10GB\"\n", fmt.Sprintf(stage, "10ms"))+job, nil)
	if got, want := number(t, r, "training.0.iteration_s"), 2048/1e4; !near(got, want, 0.02) {
		t.Errorf("an iteration takes %v s, want the %v that its samples take to make", got, want)
	}
	if took, least := number(t, r, "training.0.time_to_train_s"), 40*2048/1e4; took < least {
		t.Errorf("takes %v s, and its samples %v to make", took, least)
	}
	fast := run(t, made("batches = 2000\nsize = \"10GB\"\n", fmt.Sprintf(stage, "10us"))+job, nil)
	if wait := number(t, fast, "training.0.breakdown_s.storage"); wait > 0.01 {
		t.Errorf("waits %v s for a pipeline that is faster", wait)
	}
}

// A training that fails while it waits for its first samples reads, once it is back, what it
// needs and no more.
func TestTrainingFromPipelineFails(t *testing.T) {
	const iterations, batch, sample = 40, 2048, 100e3
	text := made("batches = 100\nsize = \"10GB\"\n", "kind = \"tokenise\"\ncpu = \"10ms\"\nworkers = 100\n") +
		fmt.Sprintf("[[workload.training]]\nmodel = \"resnet-50\"\nmicro_batch = 64\nglobal_batch = %d\niterations = %d\non_failure = \"requeue\"\n", batch, iterations) +
		"checkpoint_interval = \"1h\"\ncheckpoint_size = \"1GB\"\ndetection_time = \"0s\"\n" +
		"[workload.training.input]\nsample = \"100kB\"\nfrom = \"pipeline\"\n"
	r := run(t, text+breaks("host", "host0", "at = \"90ms\"\nrepair = \"3s\""), nil)
	if got, want := number(t, r, "training.0.input.read_bytes"), iterations*batch*sample; !near(got, want, 1e-9) {
		t.Errorf("has read %v bytes, want %v", got, want)
	}
}

func TestPipelineRefused(t *testing.T) {
	clean := "kind = \"clean\"\n"
	for _, c := range []struct{ text, want string }{
		{made(""), "has no stage: add a [[workload.pipeline.stage]]"},
		{made("", "kind = \"label\"\n"), `needs the key "cpu" (time that one core takes for an item)`},
		{made("", clean+"workers = 1000\n"), "its stages have more workers than the 448 cores of its hosts"},
		{strings.Replace(made("", clean), `pool = "compute"
items`, `pool = "comput"
items`, 1), `there is no [[topology.pool]] with the name "comput" (did you mean "compute"?)`},
		{strings.Replace(made("", clean), "pool = \"compute\"\nitems", "items", 1), "its hosts are not alike: dgx-h100 and server"},
		{strings.Replace(made("", clean), "pool = \"compute\"\nitems", "pool = \"files\"\nitems", 1), "on which cores? The host server has no cpus"},
		{strings.Replace(made("", clean), "drives = 4", "drives = 4\ndrive_size = \"1GB\"", 1), "comes to 0.1 TB on drives, which hold 0.016 TB"},
		{made("", clean) + "[[workload.training]]\nmodel = \"resnet-50\"\nglobal_batch = 32\n[workload.training.input]\nprofile = \"image\"\nfrom = \"pipelin\"\n", `there is no [[workload.pipeline]] with the name "pipelin" (did you mean "pipeline"?)`},
	} {
		if got := refused(t, c.text, nil); !strings.Contains(got, c.want) {
			t.Errorf("said %q, want %q", got, c.want)
		}
	}
}
