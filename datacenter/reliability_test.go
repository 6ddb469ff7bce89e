package datacenter_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

const storage = "[topology.storage]\nwrite = \"10GB/s\"\n"

// trains is a job of bert-large with more keys.
func trains(iterations int, keys string) string {
	return fmt.Sprintf("[[workload.training]]\nmodel = \"bert-large\"\nglobal_batch = 64\nsequence = 128\niterations = %d\n%s\n", iterations, keys)
}

// TestLlama3Days: the 54 days of Llama 3. Over 200 seeds 419 interruptions in the mean
// within 1 %; effective training time above 90 %, as published, and within 3 points of
// the closed form of Kokolis et al. 2024.
func TestLlama3Days(t *testing.T) {
	s, err := railyard.Load("../scenarios/llama3-54-days.toml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{SummaryOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	of := func(key string) float64 { return number(t, r, "training.0.reliability."+key) }
	if mttf := of("expected_mttf_s"); !near(mttf, 54*86400/419.0, 1e-4) {
		t.Errorf("a failure in %v s is expected", mttf)
	}
	if mean := of("runs.interruptions.mean"); math.Abs(mean-419) > 4.19 {
		t.Errorf("%v interruptions in the mean of 200 seeds", mean)
	}
	// Between 379 and 460 lie 95 % of a Poisson distribution with that mean: as many draws of
	// 200 lie in it as may.
	inside := 0
	counts := column(t, r, "failure_runs", "interruptions")
	for _, n := range counts {
		if n >= 379 && n <= 460 {
			inside++
		}
	}
	if share := float64(inside) / float64(len(counts)); len(counts) != 200 || share < 0.9 || share > 0.99 {
		t.Errorf("%v of %d seeds lie in the band", share, len(counts))
	}
	// 14 bytes of each of 405.85e9 parameters to storage of 2 TB/s.
	write := 14 * 405.85e9 / 2e12
	if got := of("checkpoint_write_s"); !near(got, write, 1e-3) {
		t.Errorf("a checkpoint takes %v s, want %v", got, write)
	}
	d := of("checkpoint_interval_s")
	if young := math.Sqrt(2 * write * 54 * 86400 / 419); !near(d, young, 0.02) {
		t.Errorf("checkpoints after %v s, Young's interval is %v", d, young)
	}
	closed := (1 - 419/(54*86400.0)*(600+write+d/2)) / (1 + write/d)
	for _, got := range []float64{number(t, r, "training.0.goodput_ratio"), of("runs.goodput_ratio.mean")} {
		if got < 0.9 || math.Abs(got-closed) > 0.03 {
			t.Errorf("goodput %v, the closed form is %v", got, closed)
		}
	}
	sum := 0.0
	for _, cause := range []string{"productive", "checkpoint", "lost_work", "slowed", "detection", "waiting", "restart", "reload"} {
		sum += of("time_s." + cause)
	}
	if !near(sum, 54*86400, 1e-9) {
		t.Errorf("the time by cause adds up to %v s", sum)
	}
	record := r.Summary.List("training")[0].Record("reliability")
	if loss, cause := record.Text("largest_loss"), record.Text("largest_cause"); loss != "detection" && loss != "restart" || cause != "faulty GPU" {
		t.Errorf("the largest loss is %q, the largest cause %q", loss, cause)
	}
}

// A job that stops and goes on takes its iterations, and what the report says that it
// lost; the failure undoes what was not saved, and no more.
func TestTrainingStops(t *testing.T) {
	plain := run(t, fabric+trains(3000, ""), nil)
	iteration := number(t, plain, "training.0.iteration_s")
	const n = 3000
	stop := breaks("accelerator", "host1/acc2", "at = \"40s\"\nrepair = \"30s\"")
	lost := func(keys string, top string) (took, undone float64, r *railyard.Result) {
		r = run(t, fabric+top+stop+trains(n, keys), nil)
		took = number(t, r, "training.0.time_to_train_s")
		return took, column(t, r, "interruptions", "lost_work_s")[0], r
	}
	// From scratch: all 40 s again, and the repair.
	took, undone, _ := lost("detection_time = \"10s\"\nrestart_time = \"5s\"", "")
	if !near(undone, 40, 1e-9) || !near(took, n*iteration+40+30+5, 1e-3) {
		t.Errorf("%v s without checkpoints, %v of them undone", took, undone)
	}
	// With a spare host nobody waits for the repair.
	took, _, _ = lost("detection_time = \"10s\"\nrestart_time = \"5s\"", "spares = 1\n")
	if !near(took, n*iteration+40+10+5, 1e-3) {
		t.Errorf("%v s with a spare host", took)
	}
	// 336 M parameters of bert-large, 14 bytes each, at 10 GB/s.
	took, undone, r := lost("detection_time = \"10s\"\nrestart_time = \"5s\"\ncheckpoint_interval = \"7s\"", storage)
	write := number(t, r, "training.0.reliability.checkpoint_write_s")
	if !near(write, 14*336.2e6/10e9, 0.01) {
		t.Errorf("a checkpoint takes %v s", write)
	}
	work := math.Round(7/iteration) * iteration
	cycles := math.Floor(40 / (work + write))
	if want := 40 - cycles*(work+write); !near(undone, want, 1e-2) {
		t.Errorf("%v s of work undone, want %v", undone, want)
	}
	want := n*iteration + undone + 30 + 5 + write*(1+number(t, r, "training.0.reliability.checkpoints"))
	if !near(took, want, 1e-6) {
		t.Errorf("%v s with checkpoints, want %v", took, want)
	}
	sum := 0.0
	for _, part := range []string{"compute", "host_launch", "exposed_communication", "bubble", "storage", "optimizer"} {
		sum += number(t, r, "training.0.breakdown_s."+part)
	}
	if got := number(t, r, "training.0.iteration_s"); !near(got, sum, 1e-9) || !near(got, iteration*(1+write/work), 1e-6) {
		t.Errorf("an iteration of %v s, its parts add up to %v s", got, sum)
	}
}

// What stops a job is what it depends on: a failure of any sort, for one job on hosts 0
// and 1 and another on hosts 2 and 3, which run at the same time; whether they keep their
// accelerators or go back to the queue.
func TestWhoStops(t *testing.T) {
	two := func(n int, how string) (jobs string) {
		for i := range 2 {
			list := strings.Trim(strings.ReplaceAll(fmt.Sprint(upFrom(8*i, 8)), " ", ", "), "[]")
			jobs += trains(n, fmt.Sprintf("name = \"job%d\"\naccelerators = [%s]\ndetection_time = \"100ms\"\nrestart_time = \"100ms\"\non_failure = %q", i, list, how))
		}
		return jobs
	}
	csv := func(row string) map[string]string {
		return map[string]string{"f.csv": "at_s,name,repair_s\n" + row + "\n"}
	}
	for _, c := range []struct {
		kind, row string
		stopped   [2]float64
	}{
		{"accelerator", "0.3,host0/acc3,", [2]float64{1, 0}},
		{"nic", "0.3,host2/nic1,", [2]float64{0, 1}},
		{"host", "0.3,host3,0.5", [2]float64{0, 1}},
		{"rack", "0.3,rack1,0.5", [2]float64{0, 1}},
		{"power-domain", "0.3,power0,0.5", [2]float64{1, 0}},
		{"site", "0.3,site0,0.5", [2]float64{1, 1}},
		{"switch", "0.3,leaf0,", [2]float64{1, 0}},
		{"switch", "0.3,spine3,", [2]float64{1, 1}},
		{"link", "0.3,host0/nic0>leaf0,", [2]float64{1, 0}},
	} {
		for _, how := range []string{"hold", "requeue"} {
			r := run(t, fabric+fmt.Sprintf("[[topology.fault]]\nkind = %q\nfile = \"f.csv\"\n", c.kind)+two(40, how), csv(c.row))
			for i, want := range c.stopped {
				if got := number(t, r, fmt.Sprintf("training.%d.reliability.interruptions", i)); got != want {
					t.Errorf("%s %s, %s: job %d is stopped %v times, want %v", c.kind, c.row, how, i, got, want)
				}
			}
		}
	}
}

// TestCheckpointSizes: those of MLPerf Storage v2.0 (Submission_guidelines.md, table 2):
// 105 GB, 912 GB and 5.29 TB as printed, which powers of two make 14 bytes a parameter.
func TestCheckpointSizes(t *testing.T) {
	for model, want := range map[string]float64{"llama-3.1-8b": 105 << 30, "llama-3.1-70b": 912 << 30, "llama-3.1-405b": 5.29 * (1 << 40)} {
		m, faults := (&scenario.Scenario{}).Model(model)
		if faults != nil {
			t.Fatal(faults)
		}
		got := float64(workload.Training{Model: m, Precision: topology.BF16}.CheckpointBytes())
		if !near(got, want, 0.03) {
			t.Errorf("%s: %v bytes, want %v", model, got, want)
		}
	}
}

// How long a checkpoint takes: at the rate of the storage, or of what the hosts can send
// together, the less; and where it is asynchronous, for how long the job stands still. Of
// 4 hosts with 4 NICs of 50 GB/s each, of which 92 % are payload, and 16 accelerators.
func TestCheckpointRates(t *testing.T) {
	const bytes = 80e9
	for _, c := range []struct {
		name, storage, keys  string
		write, pause, reload float64
	}{
		{"storage", "write = \"100GB/s\"\nread = \"200GB/s\"", "", 0.8, 0.8, 0.4},
		{"hosts", "write = \"10TB/s\"", "", bytes / (4 * 4 * 50e9 * 0.92), bytes / (4 * 4 * 50e9 * 0.92), bytes / (4 * 4 * 50e9 * 0.92)},
		{"hosts, as stated", "write = \"10TB/s\"\nhost = \"2GB/s\"", "", 10, 10, 10},
		{"asynchronous", "write = \"100GB/s\"", "checkpoint_mode = \"asynchronous\"\ncheckpoint_snapshot = \"250ms\"", 0.8, 0.25, 0.8},
	} {
		keys := "checkpoint_interval = \"1s\"\ncheckpoint_size = \"80GB\"\n" + c.keys
		r := run(t, fabric+"[topology.storage]\n"+c.storage+"\n"+trains(100, keys), nil)
		for key, want := range map[string]float64{"write": c.write, "pause": c.pause, "reload": c.reload} {
			if got := number(t, r, "training.0.reliability.checkpoint_"+key+"_s"); !near(got, want, 1e-9) {
				t.Errorf("%s: %s %v s, want %v", c.name, key, got, want)
			}
		}
		made := number(t, r, "training.0.reliability.checkpoints")
		if got := number(t, r, "training.0.reliability.time_s.checkpoint"); made < 2 || !near(got, made*c.pause, 1e-6) {
			t.Errorf("%s: %v s for %v checkpoints", c.name, got, made)
		}
	}
}

// A job beside flows, which may cross its links, is simulated iteration by iteration, and
// meets the same failures with the same losses as one whose iterations are jumped over.
func TestTrainingStopsTwin(t *testing.T) {
	job := "[[topology.fault]]\nkind = \"host\"\nmtbf = \"60s\"\nrepair = \"1s\"\n" +
		trains(2000, "accelerators = [0, 1, 2, 3, 4, 5, 6, 7]\ndetection_time = \"500ms\"\nrestart_time = \"1s\"\ncheckpoint_interval = \"2s\"\ncheckpoint_mode = \"asynchronous\"")
	flows := map[string]string{"f.csv": "flow,start_s,bytes,src,dst\nlater,3600,1,host1/acc0,host1/acc1\n"}
	jumped, stepped := run(t, fabric+storage+job, nil), run(t, fabric+storage+job+"[[workload.flows]]\nfile = \"f.csv\"\n", flows)
	if a, b := number(t, jumped, "events"), number(t, stepped, "events"); 10*a > b {
		t.Fatalf("%v events with jumps, %v without", a, b)
	}
	a, b := column(t, jumped, "interruptions", "at_s"), column(t, stepped, "interruptions", "at_s")
	if len(a) < 3 || !slices.Equal(a, b) {
		t.Errorf("failures at %v, iteration by iteration at %v", a, b)
	}
	for _, key := range []string{"time_to_train_s", "goodput_ratio", "reliability.time_s.checkpoint", "reliability.time_s.lost_work", "reliability.checkpoints"} {
		a, b := number(t, jumped, "training.0."+key), number(t, stepped, "training.0."+key)
		if !near(a, b, 1e-6) {
			t.Errorf("%s is %v, iteration by iteration %v", key, a, b)
		}
	}
}

// TestExpectedMTTF: of all parts of a kind together, for a job on all four hosts and for
// one on the first alone, which does without spines. The fabric has 2 leaves of 8 ports
// down and 8 up, 8 spines, 16 cables from NICs and 16 between switches.
func TestExpectedMTTF(t *testing.T) {
	for _, c := range []struct {
		fault      string
		all, first float64 // h
	}{
		{"kind = \"accelerator\"\nmtbf = \"16000h\"", 1000, 4000},
		{"kind = \"host\"\nmtbf = \"4000h\"\ndistribution = \"weibull\"\nshape = 0.7", 1000, 4000},
		{"kind = \"nic\"\nmtbf = \"16000h\"", 1000, 4000},
		{"kind = \"nic\"\nname = \"host0/nic2\"\nmtbf = \"16000h\"", 16000, 16000},
		{"kind = \"switch\"\nmtbf = \"10000h\"", 1000, 10000},
		{"kind = \"link\"\nmtbf = \"32000h\"", 1000, 8000},
		{"kind = \"rack\"\nmtbf = \"2000h\"\ndistribution = \"log-normal\"\nshape = 1.5", 1000, 2000},
		{"kind = \"power-domain\"\nracks = 2\nmtbf = \"1000h\"", 1000, 1000},
		{"kind = \"site\"\nmtbf = \"1000h\"", 1000, 1000},
		{"kind = \"host\"\nmtbf = \"published\"", 1000 / 6.5 * 24 / 4, 1000 / 6.5 * 24}, // 6.5 in 1000 days
	} {
		for i, want := range []float64{c.all, c.first} {
			keys := []string{"", "accelerators = [0, 1, 2, 3]"}[i]
			r := run(t, fabric+"[[topology.fault]]\n"+c.fault+"\n"+trains(3, keys), nil)
			if got := number(t, r, "training.0.reliability.expected_mttf_s") / 3600; !near(got, want, 1e-9) {
				t.Errorf("%s, job %d: %v h, want %v", c.fault, i, got, want)
			}
		}
	}
}

// A slow accelerator holds all back by what it computes longer; a maintenance window
// comes again and again, and costs its own time, a restart and less than an iteration.
func TestSlowAndMaintained(t *testing.T) {
	const n = 3000
	plain := run(t, fabric+trains(n, ""), nil)
	iteration := number(t, plain, "training.0.iteration_s")
	compute := number(t, plain, "training.0.breakdown_s.compute") + number(t, plain, "training.0.breakdown_s.optimizer")
	r := run(t, fabric+breaks("accelerator", "host2/acc0", "at = \"10s\"\nrepair = \"20s\"\ncapacity = 0.8")+trains(n, ""), nil)
	slow := 20 / (iteration + compute/4) * compute / 4
	if got := number(t, r, "training.0.reliability.time_s.slowed"); math.Abs(got-slow) > compute/4*(1+1e-9) { // whole iterations
		t.Errorf("20 s at 0.8 of the rate cost %v s, want %v", got, slow)
	}
	if got := number(t, r, "training.0.time_to_train_s"); !near(got, n*iteration+slow, 1e-4) {
		t.Errorf("takes %v s, want %v", got, n*iteration+slow)
	}
	if got := number(t, r, "training.0.reliability.interruptions"); got != 0 {
		t.Errorf("%v interruptions", got)
	}
	window := breaks("rack", "rack1", "at = \"30s\"\nrepair = \"5s\"\nevery = \"50s\"\nplanned = true")
	r = run(t, fabric+storage+window+trains(n, "detection_time = \"1h\"\nrestart_time = \"2s\"\ncheckpoint_interval = \"1h\""), nil)
	write := number(t, r, "training.0.reliability.checkpoint_write_s")
	times := number(t, r, "training.0.reliability.interruptions")
	want := n*iteration + times*(5+2+2*write)
	if got := number(t, r, "training.0.time_to_train_s"); got < want || got > want+times*iteration {
		t.Errorf("%v windows: takes %v s, want %v and at most an iteration for each", times, got, want)
	}
	if at := column(t, r, "interruptions", "at_s"); len(at) < 2 || at[0] != 30 || at[1] != 80 {
		t.Errorf("windows at %v", at)
	}
}

// A trace of OpenDC: intervals are from the end of the failure before, all times in
// milliseconds, and the intensity is a share of the hosts.
func TestOpenDCTrace(t *testing.T) {
	files := map[string]string{"f.csv": "failure_interval,failure_duration,failure_intensity\n10000,5000,1\n20000,4000,0.5\n"}
	r := run(t, fabric+"[[topology.fault]]\nkind = \"host\"\nfile = \"f.csv\"\n"+trains(3000, "detection_time = \"0s\"\nrestart_time = \"0s\""), files)
	at := column(t, r, "interruptions", "at_s")
	if want := []float64{10, 10, 10, 10, 35, 35}; !slices.Equal(at, want) {
		t.Errorf("hosts fail at %v, want %v", at, want)
	}
	if waited := number(t, r, "training.0.reliability.time_s.waiting"); !near(waited, 9, 1e-9) {
		t.Errorf("waits for %v s", waited)
	}
	for _, c := range []struct{ row, want string }{
		{"1,0,1", "failure_duration: must be more than 0"},
		{"1,1,1.5", "failure_intensity: must be a share of at most 1"},
		{"1e12,1e12,1", "failure_interval: comes to 2e+09 s, beyond the range of the clock"},
	} {
		files["f.csv"] = "failure_interval,failure_duration,failure_intensity\n" + c.row + "\n"
		if got := refused(t, fabric+"[[topology.fault]]\nkind = \"host\"\nfile = \"f.csv\"\n"+trains(3, ""), files); !strings.Contains(got, c.want) {
			t.Errorf("%q: %q, want %q in it", c.row, got, c.want)
		}
	}
}

// Without a job that knows to come back, what stops jobs would go unnoticed.
func TestStopsNobody(t *testing.T) {
	reduce := "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n"
	if got := refused(t, fabric+breaks("host", "host1", `at = "1s"`)+reduce, nil); !strings.Contains(got, "topology.fault[0]: stops training jobs") {
		t.Errorf("%q", got)
	}
}

func upFrom(first, n int) (all []int) {
	for i := range n {
		all = append(all, first+i)
	}
	return all
}

// What cannot be is refused where it is said.
func TestWrongStops(t *testing.T) {
	stochastic := func(kind, keys string) string {
		return fmt.Sprintf("[[topology.fault]]\nkind = %q\n%s\n", kind, keys)
	}
	job := func(keys string) string { return trains(3, keys) }
	for _, c := range []struct{ name, toml, want string }{
		{"no such host", breaks("host", "hosst1", `at = "1s"`) + job(""), `there is no host "hosst1" (did you mean "host`},
		{"no such accelerator", breaks("accelerator", "host1/acc9", `at = "1s"`) + job(""), `there is no accelerator "host1/acc9" (did you mean "host1/acc`},
		{"two ways", breaks("host", "host1", "at = \"1s\"\nmtbf = \"1h\"") + job(""), "topology.fault[0].mtbf: contradicts at"},
		{"which host", stochastic("host", `at = "1s"`) + job(""), `needs the key "name"`},
		{"no shape", stochastic("host", "mtbf = \"1000h\"\ndistribution = \"weibull\"") + job(""), "topology.fault[0].distribution: of what shape?"},
		{"a wrong distribution", stochastic("host", "mtbf = \"1000h\"\ndistribution = \"weibul\"") + job(""), `did you mean "weibull"?`},
		{"not published", stochastic("rack", `mtbf = "published"`) + job(""), "none is published for kind \"rack\""},
		{"a bare number", stochastic("host", "mtbf = 1000") + job(""), "topology.fault[0].mtbf: \"1000\" has no unit; a time was expected: ps, ns, us, ms, s, m, h, d"},
		{"too often", stochastic("accelerator", `mtbf = "2s"`) + job(""), "an mtbf of 160s is that of one in 10 s"},
		{"part of a site", breaks("site", "site0", "at = \"1s\"\ncapacity = 0.5") + job(""), "topology.fault[0].capacity: belongs to accelerators, hosts and racks"},
		{"slow for ever and ever", stochastic("host", "mtbf = \"1000h\"\ncapacity = 0.5") + job(""), "topology.fault[0].capacity: until when is it slow?"},
		{"windows that meet", breaks("host", "host1", "at = \"1s\"\nevery = \"1h\"\nrepair = \"2h\"") + job(""), "topology.fault[0].every: must be more than repair"},
		{"repairs of what varies", stochastic("host", "mtbf = \"1000h\"\nrepair_variation = 0.5") + job(""), "topology.fault[0].repair_variation: belongs to repair"},
		{"a switch that is mended", stochastic("switch", "mtbf = \"1000h\"\nrepair = \"1h\"") + job(""), "topology.fault[0].repair: belongs to at"},
		{"no storage", job(`checkpoint_interval = "1h"`), "checkpoint_interval: where to?"},
		{"storage without a rate", "[topology.storage]\nread = \"1GB/s\"\n" + job(`checkpoint_interval = "1h"`), `topology.storage: needs the key "write"`},
		{"auto without failures", storage + job(`checkpoint_interval = "auto"`), "auto needs a mean time between failures"},
		{"at once", storage + job(`checkpoint_interval = "0s"`), "checkpoint_interval: must be more than 0"},
		{"no unit", storage + job(`checkpoint_interval = "60"`), "checkpoint_interval: \"60\" has no unit"},
		{"no failures", job(`restart_time = "1m"`), "restart_time: belongs to failures"},
		{"runs of what", breaks("host", "host1", `at = "1s"`) + job("failure_runs = 10"), "failure_runs: belongs to failures"},
		{"a misspelt key", storage + job(`checkpoint_intervall = "1h"`), `did you mean "checkpoint_interval"?`},
		{"a misspelt mode", storage + job("checkpoint_interval = \"1h\"\ncheckpoint_mode = \"async\""), "one of: synchronous, asynchronous"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := refused(t, fabric+c.toml, nil); !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q in it", got, c.want)
			}
		})
	}
	for _, c := range []struct{ row, want string }{
		{"1,host9,", `f.csv:2:1: name: there is no host "host9"`},
		{"-1,host0,", "f.csv:2:1: at_s: -1 is negative"},
		{"1,host0,x", `f.csv:2:9: repair_s: "x" is not a number`},
		{"1,,1", "f.csv:2:3: name: is empty"},
	} {
		files := map[string]string{"f.csv": "at_s,name,repair_s\n" + c.row + "\n"}
		if got := refused(t, fabric+stochastic("host", `file = "f.csv"`)+job(""), files); !strings.Contains(got, c.want) {
			t.Errorf("%q: %q, want %q in it", c.row, got, c.want)
		}
	}
}

// Evaluations that a failure undoes are lost, and made again: of a job without any checkpoint
// by then all of its time is lost, whether it keeps its hosts or not.
func TestEvaluationsAreUndone(t *testing.T) {
	text := fed("", "iterations = 1000\nevaluate_every = 100\nevaluation_samples = 512000\non_failure = \"%s\"\n"+
		"checkpoint_interval = \"1h\"\ncheckpoint_size = \"1GB\"\ndetection_time = \"1s\"\nrestart_time = \"2s\"\n", "sample = \"1kB\"\n")
	fails := func(at string) string { return breaks("host", "host0", "at = \""+at+"\"\nrepair = \"10s\"") }
	for _, how := range []string{"hold", "requeue"} {
		alone := run(t, fails("1000h")+fmt.Sprintf(text, how), nil)
		if evaluates := 10 * number(t, alone, "training.0.evaluation_s"); evaluates < 50 || evaluates > 60 {
			t.Fatalf("evaluates for %v s: the failure is to undo most of it", evaluates)
		}
		r := run(t, fails("60s")+fmt.Sprintf(text, how), nil)
		if got := number(t, r, "training.0.reliability.time_s.lost_work"); !near(got, 60, 1e-9) {
			t.Errorf("%s: has lost %v s of work, want 60", how, got)
		}
		if got, want := number(t, r, "training.0.time_to_train_s"), 60+10+2+number(t, alone, "training.0.time_to_train_s"); !near(got, want, 1e-6) {
			t.Errorf("%s: takes %v s, want %v", how, got, want)
		}
		if got := number(t, r, "training.0.evaluations"); got != 10 {
			t.Errorf("%s: %v evaluations, want 10", how, got)
		}
	}
}

// A job whose host never comes back says so.
func TestNeverRepaired(t *testing.T) {
	s, err := load(t, fabric+breaks("host", "host1", `at = "1s"`)+trains(1000, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = railyard.Run(context.Background(), s, railyard.Options{}); err == nil || !strings.Contains(err.Error(), "bert-large: waits for a host that is never repaired") {
		t.Errorf("%v", err)
	}
	r := run(t, "[sim]\nhorizon = \"2m\"\n"+fabric+breaks("host", "host1", `at = "1s"`)+trains(1000, "detection_time = \"10s\""), nil)
	if got := number(t, r, "training.0.reliability.time_s.waiting"); got != 109 {
		t.Errorf("waits for %v s of 120", got)
	}
}

// What is jumped over between failures lies where it was in time, on links as on
// accelerators: their series end together, with the run.
func TestSeriesReachTheEnd(t *testing.T) {
	r := run(t, fabric+storage+breaks("host", "host1", "at = \"400s\"\nrepair = \"200s\"")+trains(20000, "checkpoint_interval = \"20s\"\ncheckpoint_size = \"100GB\""), nil)
	end := number(t, r, "makespan_s")
	for table, name := range map[string]string{"accelerator_series": "compute_ratio", "link_series": "utilization_ratio"} {
		last := 0.0
		for i, at := range column(t, r, table, "time_s") {
			if column(t, r, table, name)[i] > 0 {
				last = max(last, at)
			}
		}
		if last < 0.97*end {
			t.Errorf("%s ends at %v s of %v s", table, last, end)
		}
	}
}

// The interval between checkpoints that loses least, found by trying others, each over 100
// ways that failures may come, is the one that auto takes.
func TestAutoIntervalBySweep(t *testing.T) {
	toml := fabric + storage + "spares = 4\n[sim]\nhorizon = \"1000000s\"\n[[topology.fault]]\nkind = \"host\"\nmtbf = \"8000s\"\n" +
		trains(1e9, "detection_time = \"20s\"\nrestart_time = \"20s\"\ncheckpoint_size = \"50GB\"\nfailure_runs = 100\ncheckpoint_interval = \"auto\"")
	toml = strings.Replace(strings.Replace(toml, "spares = 4\n", "", 1), "hosts = 4\n", "hosts = 4\nspares = 4\n", 1)
	goodput := func(interval string) (mean, length float64) {
		r := run(t, toml, nil, "workload.training.0.checkpoint_interval="+interval)
		return number(t, r, "training.0.reliability.runs.goodput_ratio.mean"), number(t, r, "training.0.reliability.checkpoint_interval_s")
	}
	best, auto := goodput("auto")
	for _, times := range []float64{0.5, 0.7, 1.4, 2} {
		if got, _ := goodput(fmt.Sprintf("%fs", times*auto)); got >= best {
			t.Errorf("%v times %v s gives %.5f, auto %.5f", times, auto, got, best)
		}
	}
}
