package datacenter_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"pgregory.net/rapid"
)

// fed is a host with eight H100 that trains ResNet-50, which reads its samples from four
// servers over NICs that its gradients do not cross.
func fed(storage, job, input string) string {
	return strings.Replace(filer("layout = \"striped\"\n"+storage), "hosts = 4\n[[", "hosts = 1\n[[", 1) +
		"[[workload.training]]\nmodel = \"resnet-50\"\nmicro_batch = 64\nglobal_batch = 512\n" + job + "[workload.training.input]\n" + input
}

// In the steady state an iteration takes the longest of computing, reading and preparing,
// and waits for the difference, which is in its breakdown.
func TestInputStalls(t *testing.T) {
	alone := run(t, fed("", "iterations = 20\n", "sample = \"1B\"\n"), nil)
	compute := number(t, alone, "training.0.iteration_s")
	if wait := number(t, alone, "training.0.breakdown_s.storage"); wait != 0 {
		t.Fatalf("waits %v s for one byte", wait)
	}
	for _, c := range []struct {
		name, storage, input string
		want                 float64 // s for reading or preparing
	}{
		{"computing binds", "", "sample = \"100kB\"\ncpu = \"1us\"\n", 0},
		{"drives bind", "", "sample = \"10MB\"\n", 512 * 10e6 / (4 * 4 * 3e9)},
		{"NICs bind", "# fast drives\n", "sample = \"100MB\"\n", 512 * 100e6 / (8 * 50e9 * 0.92)},
		{"requests bind", "drive_read_iops = 100\n", "sample = \"1kB\"\n", 512 / (16 * 100.0)},
		{"requests of a part of a sample", "drive_read_iops = 100\n", "sample = \"2kB\"\nrequest = \"1kB\"\n", 1024 / (16 * 100.0)},
		{"opens bind", "opens = 1000\n", "sample = \"1kB\"\n", 0.512},
		{"opens of files with many", "opens = 100\n", "sample = \"1kB\"\nsamples_per_file = 16\n", 512 / 1600.0},
		{"all cores of the host", "", "sample = \"1kB\"\ncpu = \"100ms\"\n", 512 * 0.1 / 112},
		{"two cores for each accelerator", "", "sample = \"1kB\"\ncpu = \"10ms\"\nworkers = 2\n", 512 * 0.01 / 16},
		{"the slower of both", "", "sample = \"10MB\"\ncpu = \"10ms\"\nworkers = 2\n", 512 * 0.01 / 16},
		{"no queue to speak of", "", "sample = \"10MB\"\nprefetch = 1\n", 512 * 10e6 / (4 * 4 * 3e9)},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := fed(c.storage, "iterations = 30\n", c.input)
			if c.storage == "# fast drives\n" {
				text = strings.Replace(text, `drive_read = "3GB/s"`, `drive_read = "100GB/s"`, 1)
			}
			r := run(t, text, nil)
			want := max(compute, c.want)
			if got := number(t, r, "training.0.iteration_s"); !near(got, want, 1e-3) {
				t.Errorf("an iteration takes %v s, want %v", got, want)
			}
			if got := number(t, r, "training.0.breakdown_s.storage"); math.Abs(got-(want-compute)) > 1e-3*want {
				t.Errorf("of it %v s for samples, want %v", got, want-compute)
			}
			sum := 0.0
			for _, part := range []string{"compute", "exposed_communication", "bubble", "storage", "optimizer"} {
				sum += number(t, r, "training.0.breakdown_s."+part)
			}
			if got := number(t, r, "training.0.iteration_s"); !near(sum, got, 1e-9) {
				t.Errorf("parts sum to %v s of %v", sum, got)
			}
		})
	}
}

// What cannot be found in memory is read, byte by byte: all in the first pass over the
// data set, and then what the caches do not hold.
func TestInputBytes(t *testing.T) {
	const batches, sample = 20, 1e6 // of a data set of 10240 samples
	for _, c := range []struct {
		cache string
		want  float64 // of the samples of three passes
	}{
		{"", 3},
		{"cache = \"2.56GB\"\n", 1 + 2*0.75},
		{"cache = \"10.24GB\"\n", 1},
		{"cache = \"500GB\"\nshuffle = \"shard\"\n", 1},
	} {
		r := run(t, fed("", "epochs = 3\ndataset = 10240\n", "sample = \"1MB\"\n"+c.cache), nil)
		want := c.want * 512 * batches * sample
		if got := number(t, r, "training.0.input.read_bytes"); !near(got, want, 1e-9) {
			t.Errorf("%q: %v B are said to be read, want %v", c.cache, got, want)
		}
		if got := number(t, r, "training.0.input.hit_ratio"); math.Abs(got-(1-c.want/3)) > 1e-9 {
			t.Errorf("%q: %v found in memory, want %v", c.cache, got, 1-c.want/3)
		}
		var read float64
		links := r.Table("links")
		names, bytes := links.Columns[0].Text, links.Columns[4].Numbers
		for i, name := range names {
			if strings.HasSuffix(name, "/drives/read") {
				read += bytes[i]
			}
		}
		if !near(read, want, 1e-6) {
			t.Errorf("%q: drives read %v B, want %v", c.cache, read, want)
		}
	}
}

// Whatever computing, reading and preparing take, the longest is what an iteration takes;
// and that iterations which are alike are jumped over changes nothing.
func TestInputProperties(t *testing.T) {
	alone := number(t, run(t, fed("", "iterations = 20\n", "sample = \"1B\"\n"), nil), "training.0.iteration_s")
	rapid.Check(t, func(rt *rapid.T) {
		sample := rapid.IntRange(1, 10000).Draw(rt, "kB")
		cpu := rapid.IntRange(0, 20000).Draw(rt, "us")
		iterations := rapid.IntRange(9, 30).Draw(rt, "iterations")
		ahead := rapid.IntRange(1, 4).Draw(rt, "prefetch")
		pass := rapid.IntRange(512, 20000).Draw(rt, "data set")
		cache := rapid.SampledFrom([]string{"", "cache = \"1GB\"\n", "cache = \"20GB\"\n"}).Draw(rt, "cache")
		text := fed("", fmt.Sprintf("iterations = %d\ndataset = %d\naccelerators = 8\n", iterations, pass),
			fmt.Sprintf("sample = \"%dkB\"\ncpu = \"%dus\"\nworkers = 2\nprefetch = %d\n%s", sample, cpu, ahead, cache))
		r := run(t, text, nil)
		if cache == "" {
			reading, preparing := 512*float64(sample)*1e3/48e9, 512*float64(cpu)*1e-6/16
			want := max(alone, reading, preparing)
			if got := number(t, r, "training.0.iteration_s"); !near(got, want, 2e-3) {
				rt.Fatalf("an iteration takes %v s, want %v", got, want)
			}
		}
		// A job that waits for accelerators may use any link, and keeps iterations from
		// being jumped over.
		all := run(t, text+"[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MB\"]\naccelerators = 8\n", nil)
		for _, key := range []string{"time_to_train_s", "input.read_bytes", "input.waited_s", "input.hit_ratio"} {
			got, want := number(t, r, "training.0."+key), number(t, all, "training.0."+key)
			if math.Abs(got-want) > 1e-6*want+1e-9 {
				rt.Fatalf("%s is %v, and %v where every iteration is simulated", key, got, want)
			}
		}
	})
}

// Two jobs that read from the same drives get half of them each, and are told so.
func TestInputContends(t *testing.T) {
	text := strings.Replace(fed("", "iterations = 10\naccelerators = 8\n", "sample = \"10MB\"\n"), "hosts = 1\n[[", "hosts = 2\n[[", 1)
	one := number(t, run(t, text, nil), "training.0.iteration_s")
	job := text[strings.Index(text, "[[workload"):]
	r := run(t, text+job, nil)
	for _, i := range []string{"0", "1"} {
		if got := number(t, r, "training."+i+".iteration_s"); !near(got, 2*one, 1e-2) {
			t.Errorf("an iteration takes %v s, want twice %v", got, one)
		}
		if got := number(t, r, "training."+i+".slowdown_ratio"); got < 1.9 {
			t.Errorf("slowed down by %v", got)
		}
	}
}

// A job that loses hosts and comes back goes on reading; all of its time is accounted for.
func TestInputFails(t *testing.T) {
	faults := "[[topology.fault]]\nkind = \"host\"\nmtbf = \"20m\"\n"
	job := "iterations = 20000\ncheckpoint_interval = \"5m\"\ncheckpoint_size = \"1GB\"\ndetection_time = \"10s\"\nrestart_time = \"10s\"\n"
	r := run(t, faults+fed("", job, "sample = \"10MB\"\n"), nil)
	iteration := number(t, r, "training.0.breakdown_s.storage")
	if iteration == 0 {
		t.Error("does not wait for samples")
	}
	took := number(t, r, "training.0.time_to_train_s")
	alone := 20000 * 512 * 10e6 / 48e9
	if took < alone || took > 2*alone {
		t.Errorf("takes %v s, and %v s without failures", took, alone)
	}
	if failed := number(t, r, "training.0.reliability.interruptions"); failed == 0 {
		t.Error("nothing failed")
	}
}

// A job that fails while it waits for samples has lost what it had done since it began, the
// wait included, and none of it twice.
func TestInputFailsWhileWaiting(t *testing.T) {
	const start = 100.0
	job := "iterations = 20\nstart = \"100s\"\non_failure = \"requeue\"\ncheckpoint_interval = \"1h\"\ncheckpoint_size = \"1GB\"\n"
	for _, at := range []float64{500, 1500} { // in the wait for the first samples, and for the second
		fails := breaks("host", "host0", fmt.Sprintf("at = \"%vs\"\nrepair = \"100s\"", at))
		r := run(t, fails+fed("", job, "sample = \"100GB\"\n"), nil)
		if wait, iteration := number(t, r, "training.0.breakdown_s.storage"), number(t, r, "training.0.iteration_s"); wait < 0.99*iteration || iteration < 1000 {
			t.Fatalf("waits %v s of %v for its samples", wait, iteration)
		}
		if got := number(t, r, "training.0.reliability.time_s.lost_work"); !near(got, at-start, 1e-9) {
			t.Errorf("fails at %v s: has lost %v s, want %v", at, got, at-start)
		}
	}
}

// A job that fails again and again in an iteration loses what it had done, and no less than
// nothing; until the network is rid of the iteration it stands still.
func TestInputFailsTwiceInAnIteration(t *testing.T) {
	fails := ""
	for _, at := range []int{500, 700, 1100} {
		fails += breaks("host", "host0", fmt.Sprintf("at = \"%ds\"\nrepair = \"10s\"", at))
	}
	job := "iterations = 20\non_failure = \"hold\"\ncheckpoint_interval = \"9h\"\ncheckpoint_size = \"1GB\"\ndetection_time = \"1s\"\nrestart_time = \"1s\"\n"
	r := run(t, fails+fed("", job, "sample = \"100GB\"\n"), nil)
	iteration := number(t, r, "training.0.iteration_s")
	if iteration < 1000 || iteration > 1100 {
		t.Fatalf("an iteration takes %v s: the first is to fail at 500 and at 700 s, the second at 1100 s", iteration)
	}
	first := column(t, r, "interruptions", "resumed_s")[1]
	for i, want := range []float64{500, 0, 1100 - first} {
		if got := column(t, r, "interruptions", "lost_work_s")[i]; !near(got, want, 1e-9) {
			t.Errorf("failure %d undoes %v s of work, want %v", i, got, want)
		}
	}
	for i, want := range []float64{700, first, first + iteration} {
		if got := column(t, r, "interruptions", "resumed_s")[i]; !near(got, want, 1e-3) {
			t.Errorf("after failure %d it goes on, or fails again, at %v s, want %v", i, got, want)
		}
	}
	if got, want := number(t, r, "training.0.time_to_train_s"), first+21*iteration; !near(got, want, 1e-3) {
		t.Errorf("takes %v s, want %v", got, want)
	}
}

// A job that fails in its last iterations, when no more samples are read, reads again what it
// has to do again.
func TestInputFailsInTheEnd(t *testing.T) {
	const iterations, sample = 3, 100e9
	job := "iterations = 3\non_failure = \"hold\"\ncheckpoint_interval = \"9h\"\ncheckpoint_size = \"1GB\"\n"
	r := run(t, breaks("host", "host0", "at = \"3000s\"\nrepair = \"10s\"")+fed("", job, "sample = \"100GB\"\n"), nil)
	if iteration := number(t, r, "training.0.iteration_s"); iteration < 1001 || iteration > 1500 {
		t.Fatalf("an iteration takes %v s: it is to fail in the last", iteration)
	}
	if got, want := number(t, r, "training.0.input.read_bytes"), float64(2*iterations*512*sample); got != want {
		t.Errorf("has read %v bytes, want %v", got, want)
	}
	if got := number(t, r, "training.0.reliability.time_s.lost_work"); got != 3000 {
		t.Errorf("has lost %v s of work, want 3000", got)
	}
}

// Whatever befalls a job that waits for samples, saves its state and evaluates, all of its time
// is accounted for, and failures undo no more than there was.
func TestInputThroughFailures(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fails, at := "", 0
		failures, ahead := rapid.IntRange(1, 5).Draw(rt, "failures"), rapid.IntRange(1, 4).Draw(rt, "prefetch")
		for range failures {
			at += rapid.SampledFrom([]int{1, 3, 10, 40, 100, 300}).Draw(rt, "after")
			fails += breaks("host", "host0", fmt.Sprintf("at = \"%ds\"\nrepair = \"%ds\"", at, rapid.IntRange(1, 20).Draw(rt, "repair")))
		}
		n := rapid.IntRange(1, 60).Draw(rt, "iterations")
		job := fmt.Sprintf("iterations = %d\non_failure = %q\ncheckpoint_interval = \"%ds\"\ncheckpoint_size = \"1GB\"\n", n,
			rapid.SampledFrom([]string{"hold", "requeue"}).Draw(rt, "how"), rapid.IntRange(5, 200).Draw(rt, "interval"))
		job += fmt.Sprintf("detection_time = \"%ds\"\nrestart_time = \"%ds\"\n", rapid.IntRange(0, 5).Draw(rt, "detection"), rapid.IntRange(0, 5).Draw(rt, "restart"))
		if rapid.Bool().Draw(rt, "evaluates") {
			job += fmt.Sprintf("evaluate_every = %d\nevaluation_samples = 512000\n", rapid.IntRange(1, 10).Draw(rt, "every"))
		}
		input := fmt.Sprintf("sample = %q\nprefetch = %d\n", rapid.SampledFrom([]string{"1kB", "100MB", "1GB", "4GB"}).Draw(rt, "sample"), ahead)
		r := run(t, fails+fed("", job, input), nil)
		sum, lost := 0.0, number(t, r, "training.0.reliability.time_s.lost_work")
		for _, part := range []string{"productive", "checkpoint", "lost_work", "slowed", "detection", "waiting", "restart", "reload"} {
			spent := number(t, r, "training.0.reliability.time_s."+part)
			if sum += spent; spent < 0 {
				rt.Fatalf("%v s of %s", spent, part)
			}
		}
		if took := number(t, r, "training.0.time_to_train_s"); !near(sum, took, 1e-9) {
			rt.Fatalf("spends %v s of %v", sum, took)
		}
		if number(t, r, "training.0.reliability.interruptions") > 0 {
			all, failed := 0.0, column(t, r, "interruptions", "at_s")
			for i, undone := range column(t, r, "interruptions", "lost_work_s") {
				if all += undone; undone < 0 || all > failed[i]+1e-9 {
					rt.Fatalf("the failure at %v s undoes %v s of work, all by then %v s", failed[i], undone, all)
				}
			}
			if math.Abs(all-lost) > 1e-6 {
				rt.Fatalf("failures undo %v s of work, and %v are lost", all, lost)
			}
		}
		// While the job stands still, at first and after failures, samples are read ahead.
		iteration, waiting := number(t, r, "training.0.iteration_s"), n-(failures+1)*(ahead+1)
		if productive := number(t, r, "training.0.reliability.time_s.productive"); productive < 0.98*float64(waiting)*iteration {
			rt.Fatalf("%d iterations of %v s in %v s", n, iteration, productive)
		}
	})
}

// Why names what holds a job up that waits for its samples, and the wait is part of the
// critical path.
func TestWhyInput(t *testing.T) {
	for _, c := range []struct{ input, want string }{
		{"sample = \"10MB\"\n", "storage-bound: 10 % more storage gives 10"},
		{"sample = \"1kB\"\ncpu = \"100ms\"\n", "input-bound: 10 % more CPU cores for samples gives 10"},
		{"sample = \"1kB\"\n", "compute"},
	} {
		s, err := load(t, fed("", "epochs = 2\ndataset = 102400\n", c.input), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := railyard.Why(t.Context(), s, railyard.Options{})
		if err != nil {
			t.Fatal(err)
		}
		job := r.List("training")[0]
		if got := job.Text("verdict"); !strings.HasPrefix(got, c.want) && !(c.want == "compute" && !strings.Contains(got, "storage")) {
			t.Errorf("%s: %q, want %q", c.input, got, c.want)
		}
		if path, whole := job.Float("critical_iteration_s"), job.Float("iteration_s"); !near(path, whole, 1e-9) {
			t.Errorf("%s: the critical path is %v s of %v", c.input, path, whole)
		}
	}
}

// MLPerf Storage v1.0, Micron's 6500 ION (github.com/mlcommons/storage_results_v1.0): one
// drive of 6.8 GB/s feeds 37 emulated H100 with records of ResNet-50, 114,660 B, 400 for
// each of them at a time, at 60,944 samples/s; they themselves would take 66,071.
func TestPublishedMLPerfStorage(t *testing.T) {
	text := `
[topology]
kind = "single-host"
host = "client"
[hosts.client]
accelerator = "h100-sxm-80gb"
accelerators = 37
cpus = 128
nics = 1
nic_bandwidth = "400Gbps"
[topology.storage]
layout = "local"
drive_read = "6.8GB/s"
drive_read_iops = 1e6
[[workload.training]]
model = "resnet-50"
micro_batch = 400
global_batch = 14800
iterations = 20
allow_oversubscribed = true
[workload.training.input]
sample = "114660B"
`
	r := run(t, text, nil)
	const published, emulated = 60943.7, 37 * 400 / 0.224
	got := number(t, r, "training.0.samples_per_s")
	t.Logf("simulated %.0f samples/s, published %.0f: %+.1f %%", got, published, 100*(got/published-1))
	if math.Abs(got/published-1) > 0.05 || got > emulated {
		t.Errorf("%v samples/s, %v are published", got, published)
	}
	if wait := number(t, r, "training.0.breakdown_s.storage"); wait == 0 {
		t.Error("the drive does not bind")
	}
}

func TestInputRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{fed("", "", ""), `needs the key "profile" (kind of the samples) or "sample"`},
		{fed("", "", "profile = \"imag\"\n"), `"imag" is unknown (did you mean "image"?)`},
		{fed("", "", "profile = \"image\"\ncache = \"1GB\"\n"), "which part of the data set does it hold? dataset is missing"},
		{fed("", "dataset = 1000\n", "profile = \"image\"\ncache = \"100TB\"\n"), ".input.cache: is more than the"},
		{fed("", "", "profile = \"image\"\nshuffle = \"shard\"\n"), "belongs to cache, which is missing"},
		{fed("", "", "profile = \"image\"\nworkers = 100\n"), "100 cores for each of 8 accelerators are more than the 112"},
		{"[sim]\nfidelity = \"packet\"\n" + fed("", "", "profile = \"image\"\n"), `"packet" does not simulate input`},
		{"[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n[[workload.training]]\nmodel = \"resnet-50\"\nglobal_batch = 8\n[workload.training.input]\nprofile = \"image\"\n", "[topology.storage] with a layout is missing"},
	} {
		if got := refused(t, c.text, nil); !strings.Contains(got, c.want) {
			t.Errorf("said %q, want %q", got, c.want)
		}
	}
}
