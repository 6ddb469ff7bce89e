package datacenter_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/scheduler"
)

// A training job on eight of 16 accelerators loses a host at 40 s, for 100 s. That is
// noticed at 50 s: then it gives back the four that are left, and whoever waits gets them.
// It begins again when it has eight, wherever they are, and reads its checkpoint there.
func TestTrainingGoesBackToTheQueue(t *testing.T) {
	const n, keys = 3000, "accelerators = 8\ndetection_time = \"10s\"\nrestart_time = \"5s\"\ncheckpoint_interval = \"7s\""
	iterates := func(list string) float64 {
		return number(t, run(t, fabric+storage+trains(10, "accelerators = ["+list+"]\n"), nil), "training.0.iteration_s")
	}
	iteration := iterates("0, 1, 2, 3, 4, 5, 6, 7") // under one leaf
	apart := iterates("0, 1, 2, 3, 8, 9, 10, 11")
	for name, c := range map[string]struct {
		policy, rows string  // and the jobs of a trace
		again        float64 // when the training has accelerators again
		starts       string  // of the jobs in the table: when they first start, "end" when it ends
		where        string  // the training runs
	}{
		"until repaired":           {"fifo", "other,0,8,300\n", 140, "0 0", "0-7 0-7"},
		"elsewhere":                {"fifo", "other,0,8,45\n", 50, "0 0", "0-7 0-3 8-11"},
		"it came first":            {"fifo", "other,0,8,300\nlate,20,4,60\n", 140, "0 0 300", "0-7 0-7"},
		"one goes ahead":           {"fifo-skip", "other,0,8,300\nlate,20,4,60\n", 140, "0 0 50", "0-7 0-7"},
		"one that is still there":  {"fifo-skip", "other,0,8,300\nlate,20,4,200\n", 250, "0 0 50", "0-7 0-7"},
		"another, until that ends": {"fifo-skip", "other,0,8,300\nlate,20,4,400\n", 300, "0 0 50", "0-7 4-11"},
	} {
		toml := fabric + storage + breaks("host", "host1", "at = \"40s\"\nrepair = \"100s\"") + trains(n, keys) + "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
		r := run(t, toml, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\n" + c.rows}, "scheduler.policy="+c.policy)
		of := func(path string) float64 { return number(t, r, path) }
		write, reload := of("training.0.reliability.checkpoint_write_s"), of("training.0.reliability.checkpoint_reload_s")
		work := math.Round(7/iteration) * iteration
		undone := 40 - math.Floor(40/(work+write))*(work+write)
		checkpoints := of("training.0.reliability.checkpoints")
		saved := math.Floor(40/(work+write)) * math.Round(7/iteration)
		productive := n * iteration
		if strings.HasSuffix(c.where, "11") {
			productive = saved*iteration + (n-saved)*apart
		}
		if got := cells(t, r, "jobs", "start_s"); got != c.starts {
			t.Errorf("%s: jobs start at %s, want %s", name, got, c.starts)
		}
		if got := cells(t, r, "stretches", "placement"); !strings.HasPrefix(got, c.where+" ") {
			t.Errorf("%s: jobs run on %s, the training is to on %s", name, got, c.where)
		}
		if got := column(t, r, "interruptions", "resumed_s"); len(got) != 1 || !near(got[0], c.again+5+reload, 1e-9) {
			t.Errorf("%s: goes on at %v s, want %v", name, got, c.again+5+reload)
		}
		// What is lost counts once: in the job's time, in that of the accelerators, and by
		// cause.
		took := of("training.0.time_to_train_s")
		down := c.again - 40 + 5 + reload
		if want := productive + checkpoints*write + undone + down; !near(took, want, 1e-3) {
			t.Errorf("%s: takes %v s, want %v", name, took, want)
		}
		if got := of("training.0.goodput_ratio"); !near(got, productive/took, 1e-3) {
			t.Errorf("%s: goodput %v, want %v", name, got, productive/took)
		}
		for path, want := range map[string]float64{
			"training.0.reliability.time_s.waiting":         c.again - 50,
			"training.0.reliability.time_s.detection":       10,
			"training.0.reliability.time_s.restart":         5,
			"training.0.reliability.time_s.reload":          reload,
			"training.0.reliability.time_s.lost_work":       undone,
			"training.0.reliability.causes.0.lost_s":        undone + down,
			"jobs.accelerator_time_s.lost":                  8 * undone,
			"jobs.accelerator_time_s.overhead":              8 * (10 + 5 + reload + checkpoints*write),
			"jobs.accelerator_time_s.down":                  4 * 90, // from 50 s on, when the job has left it
			"jobs.causes.0.lost_accelerator_s":              8 * undone,
			"jobs.causes.0.down_accelerator_s":              4 * 90,
			"jobs.interruptions":                            1,
			"training.0.reliability.causes.0.interruptions": 1,
		} {
			if got := of(path); !near(got, want, 1e-3) {
				t.Errorf("%s: %s is %v, want %v", name, path, got, want)
			}
		}
		sum := 0.0
		for _, part := range timeParts {
			sum += of("jobs.accelerator_time_s." + part)
		}
		if total := 16 * of("jobs.makespan_s"); !near(sum, total, 1e-9) {
			t.Errorf("%s: %v accelerator-seconds of %v", name, sum, total)
		}
	}
}

// timeParts are the parts of the accelerators' time.
var timeParts = []string{"useful", "lost", "overhead", "slowed", "idle", "down"}

// A spare host that the cluster has takes the place of the one that fails: the job goes on
// as soon as the failure is noticed, even if it was another's.
func TestTrainingsShareSpares(t *testing.T) {
	toml := fabric + "spares = 1\n" + storage + breaks("host", "host0", "at = \"20s\"\nrepair = \"50s\"") + breaks("host", "host2", "at = \"30s\"\nrepair = \"50s\"") +
		trains(3000, "accelerators = 8\ndetection_time = \"10s\"\nrestart_time = \"5s\"\n") + trains(3000, "accelerators = 8\ndetection_time = \"10s\"\nrestart_time = \"5s\"\n")
	toml = strings.Replace(toml, "spares = 1\n", "", 1)
	r := run(t, strings.Replace(toml, "hosts = 4\n", "hosts = 4\nspares = 1\n", 1), nil)
	// The host of the first is repaired at 70 s, and takes the place of the second's.
	if got := cells(t, r, "interruptions", "resumed_s"); got != "35 75" {
		t.Errorf("go on at %s", got)
	}
}

// One that holds its accelerators goes on where it was, and others get nothing before.
func TestTrainingHolds(t *testing.T) {
	toml := fabric + storage + breaks("host", "host1", "at = \"40s\"\nrepair = \"100s\"") +
		trains(3000, "accelerators = 8\ndetection_time = \"10s\"\nrestart_time = \"5s\"\non_failure = \"hold\"") + "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
	r := run(t, toml, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\nother,0,8,300\nlate,20,4,60\n"}, "scheduler.policy=fifo-skip")
	if got := cells(t, r, "jobs", "start_s") + ", " + cells(t, r, "interruptions", "resumed_s"); got != "0 0 300, 145" {
		t.Errorf("jobs start, and the training goes on, at %s", got)
	}
}

// What a job sends when it fails is taken back: another that meets it on the up-links has
// them to itself from then on, and not only once the failure is noticed.
func TestInterruptedTrainingLeavesTheNetwork(t *testing.T) {
	fabric := strings.Replace(fabric, "oversubscription = 1.0", "oversubscription = 8.0", 1)
	pair := func(fault string) *railyard.Result {
		list := func(first int) string { // of hosts under both leaves
			return strings.Trim(strings.ReplaceAll(fmt.Sprint(append(upFrom(4*first, 4), upFrom(4*first+8, 4)...)), " ", ", "), "[]")
		}
		keys := "accelerators = [%s]\nzero = 3\non_failure = \"requeue\"\ndetection_time = \"1h\"\n"
		if fault == "" {
			keys = strings.Replace(keys, "on_failure = \"requeue\"\ndetection_time = \"1h\"\n", "", 1)
		}
		return run(t, fabric+fault+trains(200, fmt.Sprintf(keys, list(0)))+trains(200, fmt.Sprintf(keys, list(1))), nil)
	}
	alone := number(t, run(t, fabric+trains(200, "accelerators = [0, 1, 2, 3, 8, 9, 10, 11]\nzero = 3\n"), nil), "training.0.time_to_train_s")
	both := number(t, pair(""), "training.1.time_to_train_s")
	if both < 1.2*alone {
		t.Fatalf("%v s together, %v alone: they hardly meet", both, alone)
	}
	at := both / 4
	r := pair(breaks("accelerator", "host0/acc0", fmt.Sprintf("at = \"%.9fs\"\nrepair = \"1s\"", at)))
	// A quarter of the work is done together, the rest alone.
	if got, want := number(t, r, "training.1.time_to_train_s"), at+0.75*alone; !near(got, want, 0.01) {
		t.Errorf("the other takes %v s, want %v", got, want)
	}
}

// Training jobs and those of a trace, under all policies and ways of preemption, on hosts
// that fail in any way, or not at all:
// every job ends in one way, and the parts of the accelerators' time make up all of it, as
// those of each training job do; no accelerator has two jobs, or one while it is out of
// use; each training has done its iterations.
func TestTrainingsLoseNothingToFailures(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		var rows, toml strings.Builder
		rows.WriteString("job,submit_s,accelerators,duration_s\n")
		traced, submit := rapid.IntRange(1, 5).Draw(rt, "jobs"), 0
		for i := range traced {
			submit += rapid.IntRange(0, 5).Draw(rt, "pause")
			fmt.Fprintf(&rows, "%d,%d,%d,%d\n", i, submit, rapid.IntRange(1, 16).Draw(rt, "gang"), rapid.IntRange(0, 30).Draw(rt, "duration"))
		}
		toml.WriteString(strings.Replace(fabric, "hosts = 4\n", fmt.Sprintf("hosts = 4\nspares = %d\n", rapid.IntRange(0, 1).Draw(rt, "spares")), 1))
		toml.WriteString(rapid.SampledFrom([]string{storage, "[topology.storage]\nlayout = \"striped\"\nblock = \"1GB\"\ndrive_read = \"20GB/s\"\nhosts = [\"host3\"]\n"}).Draw(rt, "storage"))
		toml.WriteString("[models.wide]\nlayers = 2\nhidden = 4096\nheads = 32\nvocab = 32000\n")
		faults := rapid.IntRange(0, 3).Draw(rt, "faults")
		for range faults {
			toml.WriteString("[[topology.fault]]\n")
			repair := fmt.Sprintf("repair = \"%ds\"\n", rapid.IntRange(1, 9).Draw(rt, "repair"))
			fault := rapid.SampledFrom([]string{
				"kind = \"accelerator\"\nmtbf = \"600s\"\n", "kind = \"host\"\nmtbf = \"200s\"\ncapacity = 0.5\n",
				"kind = \"rack\"\nmtbf = \"90s\"\ndistribution = \"weibull\"\nshape = 0.7\n", "kind = \"switch\"\nmtbf = \"300s\"\n",
				"kind = \"link\"\nname = \"host3/nic0>leaf1\"\nat = \"5s\"\n", "kind = \"power-domain\"\nmtbf = \"100s\"\ndistribution = \"log-normal\"\nshape = 1.0\n",
				"kind = \"host\"\nname = \"host2\"\nat = \"8s\"\nevery = \"30s\"\ndrain = \"4s\"\nplanned = true\n",
			}).Draw(rt, "fault")
			if strings.Contains(fault, "switch") { // what it stops begins again on what is left
				repair = ""
			}
			toml.WriteString(fault + repair)
		}
		hold := "on_failure = \"hold\"\n"
		if faults == 0 {
			hold = ""
		}
		var iterations []int
		trainings := rapid.IntRange(1, 2).Draw(rt, "trainings")
		for i := range trainings {
			iterations = append(iterations, rapid.IntRange(1, 120).Draw(rt, "iterations"))
			fmt.Fprintf(&toml, "[[workload.training]]\nname = \"t%d\"\nmodel = \"wide\"\nglobal_batch = 4800\nmicro_batch = 200\nallow_oversubscribed = true\nsequence = 128\niterations = %d\naccelerators = %d\nstart = \"%ds\"\n",
				i, iterations[i], rapid.SampledFrom([]int{4, 8, 12}).Draw(rt, "accelerators"), rapid.IntRange(0, 6).Draw(rt, "start"))
			fmt.Fprintf(&toml, "priority = %d\nrestart_time = \"%ds\"\n", rapid.IntRange(-1, 1).Draw(rt, "priority"), rapid.IntRange(0, 2).Draw(rt, "restart"))
			if faults > 0 {
				fmt.Fprintf(&toml, "detection_time = \"%ds\"\n", rapid.IntRange(0, 2).Draw(rt, "detection"))
			}
			toml.WriteString(rapid.SampledFrom([]string{
				"", "checkpoint_interval = \"1s\"\n", "checkpoint_interval = \"2s\"\ncheckpoint_mode = \"asynchronous\"\n",
				"evaluate_every = 5\nevaluation_samples = 4800\ncheckpoint_interval = \"1s\"\n",
			}).Draw(rt, "checkpoints"))
			toml.WriteString(rapid.SampledFrom([]string{"", "", hold, "zero = 3\n", "jitter = 0.1\n", "tensor = 2\npipeline = 2\n"}).Draw(rt, "more"))
		}
		toml.WriteString("[[workload.jobs]]\nfile = \"jobs.csv\"\n")
		if faults > 0 {
			toml.WriteString("checkpoint_interval = \"7s\"\nrestart_time = \"1s\"\n")
		}
		toml.WriteString("[sim]\nhorizon = \"2m\"\n")
		write(t, dir, "jobs.csv", rows.String())
		write(t, dir, "case.toml", toml.String())
		policy, preemption := rapid.SampledFrom(scheduler.Policies()).Draw(rt, "policy"), rapid.SampledFrom([]string{"suspend", "requeue", "cancel"}).Draw(rt, "preemption")
		if policy == "elastic" || scheduler.Leases(policy) && preemption == "requeue" {
			preemption = "suspend"
		}
		sets := []string{
			"scheduler.policy=" + policy, "scheduler.preemption=" + preemption, fmt.Sprintf("scheduler.preemption_cost=%ds", rapid.IntRange(0, 3).Draw(rt, "cost")),
			"sim.fidelity=" + rapid.SampledFrom([]string{"fluid", "analytic"}).Draw(rt, "fidelity"), fmt.Sprint("sim.seed=", rapid.IntRange(0, 99).Draw(rt, "seed")),
		}
		if scheduler.Leases(policy) {
			sets = append(sets, fmt.Sprintf("scheduler.lease=%ds", rapid.IntRange(4, 20).Draw(rt, "lease")))
		}
		s, err := railyard.Load(filepath.Join(dir, "case.toml"), sets...)
		if err != nil {
			rt.Fatal(err)
		}
		r, err := railyard.Run(context.Background(), s, railyard.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		lostNothing(rt, r, traced+trainings, iterations)
	})
}

// lostNothing checks the results of a queue on 16 accelerators against themselves, and the
// iterations of its training jobs.
func lostNothing(t *rapid.T, r *railyard.Result, jobs int, iterations []int) {
	j := r.Summary.Record("jobs")
	if sum := j.Float("finished") + j.Float("failed") + j.Float("cancelled") + j.Float("unfinished"); sum != float64(jobs) {
		t.Fatalf("%v of %d jobs are counted", sum, jobs)
	}
	sum, parts := 0.0, j.Record("accelerator_time_s")
	for _, part := range timeParts {
		if v := parts.Float(part); v < -1e-6 {
			t.Fatalf("%v s are %s", v, part)
		}
		sum += parts.Float(part)
	}
	if total := 16 * j.Float("makespan_s"); math.Abs(sum-total) > 1e-6 {
		t.Fatalf("%v accelerator-seconds of %v", sum, total)
	}
	table := r.Table("jobs")
	for i, x := range r.Summary.List("training") {
		status := table.Column("status").Text[i]
		if status == "finished" && x.Float("iterations") != float64(iterations[i]) {
			t.Fatalf("training %d: %v of %d iterations", i, x.Float("iterations"), iterations[i])
		}
		if x.Record("reliability") == nil {
			continue
		}
		spent := 0.0
		for _, f := range x.Record("reliability").Record("time_s").Fields {
			v := f.Value.(float64)
			if v < 0 {
				t.Fatalf("training %d: %v s are %s", i, v, f.Metric.Name)
			}
			spent += v
		}
		start, finish := table.Column("start_s").Numbers[i], table.Column("finish_s").Numbers[i]
		if math.IsNaN(finish) {
			finish = r.Summary.Float("makespan_s")
		}
		if math.Abs(spent-(finish-start)) > 1e-6 {
			t.Fatalf("training %d: %v s are told of, it took %v", i, spent, finish-start)
		}
	}
	type use struct{ from, to float64 }
	taken := make([][]use, 16)
	add := func(ranges string, from, to float64) {
		for span := range strings.FieldsSeq(ranges) {
			var first, last int
			if n, _ := fmt.Sscanf(span, "%d-%d", &first, &last); n < 2 {
				last = first
			}
			for a := first; a <= last; a++ {
				for _, u := range taken[a] {
					if from < u.to && u.from < to {
						t.Fatalf("accelerator %d is taken from %v to %v and from %v to %v", a, u.from, u.to, from, to)
					}
				}
				taken[a] = append(taken[a], use{from, to})
			}
		}
	}
	stretches := r.Table("stretches")
	for i := range stretches.Rows() {
		add(stretches.Column("placement").Text[i], stretches.Column("start_s").Numbers[i], stretches.Column("finish_s").Numbers[i])
	}
	for i := range taken {
		held := 0.0
		for _, u := range taken[i] {
			held += u.to - u.from
		}
		a := r.Table("accelerators")
		if busy := a.Column("compute_s").Numbers[i] + a.Column("communication_s").Numbers[i]; busy > held+1e-6 {
			t.Fatalf("accelerator %d is busy for %v s, and jobs have it for %v", i, busy, held)
		}
	}
	if o := r.Table("outages"); o != nil {
		for i := range o.Rows() {
			to := o.Column("to_s").Numbers[i]
			if math.IsNaN(to) {
				to = r.Summary.Float("makespan_s")
			}
			add(o.Column("accelerators").Text[i], o.Column("from_s").Numbers[i], to)
		}
	}
}

// TestRequeuedETTR: a training job that goes back to the queue, where spare hosts stand in,
// has the effective training time ratio of Kokolis et al. (HPCA 2025, arXiv:2410.21680)
// within 1 %, as one that keeps its hosts has: with r failures a second, u to notice, to
// restart and to read, d between checkpoints of w each, (1 - r (u + d/2)) / (1 + w/d).
func TestRequeuedETTR(t *testing.T) {
	const rate, seconds = 4 / 40000., 4e6 // of four hosts, and for how long
	spares := strings.Replace(fabric, "hosts = 4\n", "hosts = 4\nspares = 4\n", 1) + storage + "[sim]\nhorizon = \"4000000s\"\n[[topology.fault]]\nkind = \"host\"\nmtbf = \"40000s\"\nrepair = \"60s\"\n"
	for _, how := range []string{"requeue", "hold"} {
		r := run(t, spares+trains(1e9, "detection_time = \"60s\"\nrestart_time = \"60s\"\ncheckpoint_interval = \"300s\"\ncheckpoint_size = \"20GB\"\non_failure = \""+how+"\""), nil)
		if got := number(t, r, "training.0.reliability.interruptions"); math.Abs(got-rate*seconds) > 4*math.Sqrt(rate*seconds) {
			t.Errorf("%s: %v interruptions, %v expected", how, got, rate*seconds)
		}
		w := number(t, r, "training.0.reliability.checkpoint_write_s")
		measured := number(t, r, "training.0.reliability.interruptions") / seconds
		want := (1 - measured*(120+w+150)) / (1 + w/300)
		if got := number(t, r, "training.0.goodput_ratio"); !near(got, want, 0.01) {
			t.Errorf("%s: %.4f, the closed form is %.4f", how, got, want)
		}
	}
}

// Where another job waits that may begin anywhere at any time, iterations are simulated one
// by one; where none does they may be jumped over. Either way two training jobs that lose
// hosts, and come back beside each other or apart, take the same time.
func TestTrainingsThroughFailuresTwin(t *testing.T) {
	toml := strings.Replace(fabric, "hosts = 4\nhosts_per_rack = 2\noversubscription = 1.0", "hosts = 6\nhosts_per_rack = 3\noversubscription = 6.0", 1) + storage +
		"[[topology.fault]]\nkind = \"host\"\nmtbf = \"150s\"\nrepair = \"12s\"\n[scheduler]\npolicy = \"fifo-skip\"\n"
	keys := "accelerators = 8\ndetection_time = \"3s\"\nrestart_time = \"1s\"\ncheckpoint_interval = \"5s\""
	toml += trains(8000, keys) + trains(6000, keys)
	waits := "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\naccelerators = 24\n"
	jumped, stepped := run(t, toml+strings.Replace(waits, "accelerators = 24\n", "accelerators = 24\nstart = \"1h\"\n", 1), nil), run(t, toml+waits, nil)
	for i := range 2 {
		for _, key := range []string{"time_to_train_s", "goodput_ratio", "reliability.interruptions", "reliability.time_s.lost_work", "reliability.time_s.waiting"} {
			path := fmt.Sprintf("training.%d.%s", i, key)
			if a, b := number(t, jumped, path), number(t, stepped, path); !near(a, b, 1e-6) {
				t.Errorf("%s is %v, iteration by iteration %v", path, a, b)
			}
		}
	}
	if number(t, stepped, "jobs.interruptions") < 4 {
		t.Errorf("%v interruptions", number(t, stepped, "jobs.interruptions"))
	}
}

// Training jobs alone are a queue, too: what is decided of them can be had, and what
// became of them then comes with it.
func TestDecisionsOfTrainings(t *testing.T) {
	r := run(t, fabric+trains(10, "accelerators = 16")+trains(10, "accelerators = 16")+"[scheduler]\ndecisions = true\n", nil)
	if got := cells(t, r, "decisions", "action") + ", " + cells(t, r, "decisions", "job"); got != "start start, bert-large bert-large#2" {
		t.Errorf("decisions %s", got)
	}
	if first, second := column(t, r, "jobs", "finish_s")[0], column(t, r, "jobs", "start_s")[1]; first != second {
		t.Errorf("the second starts at %v, the first ends at %v", second, first)
	}
}
