package datacenter_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/result"
)

const oneJob = "job,submit_s,accelerators,duration_s\na,0,4,100\n"

// One of four accelerators fails at 40 s and is back at 70 s; the job wants all four. Its
// 40 s are lost, or what it did after its latest checkpoint; then three accelerators are
// idle while one is down.
func TestJobIsInterrupted(t *testing.T) {
	const breaks = "[[topology.fault]]\nkind = \"accelerator\"\nname = \"acc1\"\nat = \"40s\"\n"
	for name, c := range map[string]struct {
		jobs, fault                                  string // more keys of either
		status                                       string
		finish, useful, lost, overhead, idle, down   float64
		interruptions, undone, resumed, availability float64
	}{
		"anew":         {"", "repair = \"30s\"\n", "finished", 170, 400, 160, 0, 90, 30, 1, 40, 70, 1 - 30/680.},
		"checkpoints":  {"checkpoint_interval = \"15s\"\n", "repair = \"30s\"\n", "finished", 140, 400, 40, 0, 90, 30, 1, 10, 70, 1 - 30/560.},
		"restart":      {"checkpoint_interval = \"15s\"\nrestart_time = \"5s\"\n", "repair = \"30s\"\n", "finished", 145, 400, 40, 20, 90, 30, 1, 10, 70, 1 - 30/580.},
		"pauses":       {"checkpoint_interval = \"15s\"\ncheckpoint_time = \"1s\"\n", "repair = \"30s\"\n", "finished", 144, 400, 32, 24, 90, 30, 1, 8, 70, 1 - 30/576.},
		"told before":  {"checkpoint_interval = \"15s\"\n", "repair = \"30s\"\nplanned = true\n", "finished", 130, 400, 0, 0, 90, 30, 1, 0, 70, 1 - 30/520.},
		"one restart":  {"max_restarts = 1\n", "repair = \"30s\"\n", "finished", 170, 400, 160, 0, 90, 30, 1, 40, 70, 1 - 30/680.},
		"no restart":   {"max_restarts = 0\n", "repair = \"30s\"\n", "failed", 40, 0, 160, 0, 0, 0, 1, 40, result.Missing, 1},
		"fail":         {"on_failure = \"fail\"\n", "repair = \"30s\"\n", "failed", 40, 0, 160, 0, 0, 0, 1, 40, result.Missing, 1},
		"half as fast": {"", "repair = \"30s\"\ncapacity = 0.5\n", "finished", 115, 400, 0, 0, 0, 0, 0, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := queue(t, oneJob, c.jobs+breaks+c.fault)
			if got := cells(t, r, "jobs", "status"); got != c.status {
				t.Errorf("status %s", got)
			}
			if got := cells(t, r, "jobs", "finish_s"); got != result.Number(c.finish) {
				t.Errorf("ends at %s s, want %v", got, c.finish)
			}
			for path, want := range map[string]float64{
				"useful": c.useful, "lost": c.lost, "overhead": c.overhead, "idle": c.idle, "down": c.down, "slowed": 4*c.finish - c.useful - c.lost - c.overhead - c.idle - c.down,
			} {
				if got := number(t, r, "jobs.accelerator_time_s."+path); got != want {
					t.Errorf("%v accelerator-seconds are %s, want %v", got, path, want)
				}
			}
			if got := number(t, r, "jobs.interruptions"); got != c.interruptions {
				t.Errorf("%v interruptions, want %v", got, c.interruptions)
			}
			if got := number(t, r, "jobs.availability_ratio"); math.Abs(got-c.availability) > 1e-12 {
				t.Errorf("availability %v, want %v", got, c.availability)
			}
			if c.interruptions == 0 {
				return
			}
			if got := cells(t, r, "interruptions", "lost_work_s"); got != result.Number(c.undone) {
				t.Errorf("%s s undone, want %v", got, c.undone)
			}
			if got := column(t, r, "interruptions", "resumed_s")[0]; got != c.resumed && !math.IsNaN(c.resumed) {
				t.Errorf("resumed at %v s, want %v", got, c.resumed)
			}
		})
	}
}

// TestOpenDC: failures and checkpoints as OpenDC's own tests have them (MIT,
// atlarge-research/opendc, commit 691036deb, Failures1 and 2, Checkpoints1): a task of ten
// minutes at half the rate of a host of 100 to 200 W.
func TestOpenDC(t *testing.T) {
	for name, c := range map[string]struct {
		trace, keys     string
		runtime, joules float64
	}{
		"Failures1":    {"300000,300000,1", "", 1200, 165000},
		"Failures2":    {"30000000,300000,1", "", 600, 90000},
		"Checkpoints1": {"300000,300000,1", "checkpoint_interval = \"60s\"\ncheckpoint_time = \"1s\"\n", 965, 129750},
	} {
		r := run(t, "[topology]\nkind = \"pool\"\naccelerators = 1\n[topology.power]\naccelerator = \"150W\"\naccelerator_idle = \"100W\"\n"+
			"[[topology.fault]]\nkind = \"accelerator\"\nfile = \"f.csv\"\n[[workload.jobs]]\nfile = \"jobs.csv\"\n"+c.keys, map[string]string{
			"f.csv": "failure_interval,failure_duration,failure_intensity\n" + c.trace + "\n", "jobs.csv": "job,submit_s,accelerators,duration_s\ntask,0,1,600\n",
		})
		if got := number(t, r, "jobs.makespan_s"); got != c.runtime {
			t.Errorf("%s: %v s, want %v", name, got, c.runtime)
		}
		if got := number(t, r, "energy.accelerators_J"); !near(got, c.joules, 1e-9) {
			t.Errorf("%s: %v J, want %v", name, got, c.joules)
		}
	}
}

// TestQueueETTR: a job that makes checkpoints has the effective training time ratio of
// Kokolis et al. (HPCA 2025, arXiv:2410.21680), where others stand in for hosts that fail:
// with r failures a second, u to restart, d between checkpoints of w each,
// (1 - r (u + d/2)) / (1 + w/d), within 1 %.
func TestQueueETTR(t *testing.T) {
	for _, c := range []struct {
		hosts, perDay             float64 // failures of a host
		restart, interval, pauses float64
	}{
		{128, 6.5e-3, 300, 3600, 30}, // 1,024 GPUs of RSC-1, hourly
		{1024, 2.34e-3, 600, 600, 5}, // RSC-2
		{2048, 6.5e-3, 300, 300, 3},  // 16,384 GPUs
	} {
		r := c.hosts * c.perDay / 86400
		want := (1 - r*(c.restart+c.interval/2)) / (1 + c.pauses/c.interval)
		toml := fmt.Sprintf("[topology]\nkind = \"pool\"\naccelerators = %v\n[[topology.fault]]\nkind = \"accelerator\"\nmtbf = \"%vs\"\n"+
			"[[workload.jobs]]\nfile = \"jobs.csv\"\nrestart_time = \"%vs\"\ncheckpoint_interval = \"%vs\"\ncheckpoint_time = \"%vs\"\n", c.hosts, 86400/c.perDay, c.restart, c.interval, c.pauses)
		files := map[string]string{"jobs.csv": fmt.Sprintf("job,submit_s,accelerators,duration_s\na,0,%v,%v\n", c.hosts, 300*86400/max(1, 1e4*r))}
		got := 0.0
		const seeds = 3
		for seed := range seeds {
			got += number(t, run(t, toml+fmt.Sprintf("[sim]\nseed = %d\n", seed+1), files), "jobs.goodput_ratio") / seeds
		}
		if math.Abs(got/want-1) > 0.01 {
			t.Errorf("%v hosts: %.4f, the closed form is %.4f", c.hosts, got, want)
		}
	}
}

// A spare accelerator takes the place of the one that fails, and the next to come back
// that of the second, whosever it was: at 40 s one, at 50 s the other; the first is
// repaired at 70 s, and stands in for the second.
func TestSpareAccelerators(t *testing.T) {
	fault := func(name, at string) string {
		return "[[topology.fault]]\nkind = \"accelerator\"\nname = \"" + name + "\"\nat = \"" + at + "\"\nrepair = \"30s\"\n"
	}
	s := loadQueue(t, oneJob, "checkpoint_interval = \"1s\"\n"+fault("acc1", "40s")+fault("acc2", "50s"))
	s.Topology.Spares.Value = 1
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := cells(t, r, "stretches", "start_s"); got != "0 40 70" {
		t.Errorf("runs from %s", got)
	}
	if got := cells(t, r, "outages", "from_s") + " to " + cells(t, r, "outages", "to_s") + " " + cells(t, r, "outages", "accelerators"); got != "50 to 70 2" {
		t.Errorf("out of use: %s", got)
	}
}

// A window of maintenance from 100 s on, an hour of 30 s before which no job starts on
// the host: the long job that comes at 80 s waits for its end, though all is free, the
// short one before it ends in time.
func TestMaintenanceDrains(t *testing.T) {
	rows := "job,submit_s,accelerators,duration_s\nshort,0,4,90\nlong,80,4,50\n"
	r := queue(t, rows, "[[topology.fault]]\nkind = \"accelerator\"\nname = \"acc3\"\nat = \"100s\"\nrepair = \"20s\"\ndrain = \"30s\"\nplanned = true\n[scheduler]\ndecisions = true\n")
	if got := cells(t, r, "jobs", "start_s") + ", " + cells(t, r, "jobs", "finish_s"); got != "0 120, 90 170" {
		t.Errorf("jobs run from and to %s", got)
	}
	if got := cells(t, r, "decisions", "action"); got != "start drain fail repair start" {
		t.Errorf("decisions %s", got)
	}
	if got := cells(t, r, "decisions", "part"); got != " acc3 acc3 acc3 " {
		t.Errorf("parts %q", got)
	}
	if got := cells(t, r, "decisions", "reason"); got != "first maintenance maintenance  first" {
		t.Errorf("reasons %q", got)
	}
	// The accelerator is kept free from when the short job has left it, not from 70 s.
	if got := cells(t, r, "outages", "from_s") + " " + cells(t, r, "outages", "to_s"); got != "90 120" {
		t.Errorf("out of use %s", got)
	}
}

// Policies that plan make new plans when a part fails: the wide job cannot have its
// reservation, and narrow ones go ahead until the repair.
func TestBackfillingWhileDown(t *testing.T) {
	rows := "job,submit_s,accelerators,duration_s\nwide,1,4,10\nnarrow,2,2,1000\nlast,3,1,10\n"
	fault := "[[topology.fault]]\nkind = \"accelerator\"\nname = \"acc0\"\nat = \"0s\"\nrepair = \"100s\"\n"
	for policy, want := range map[string]string{"fifo": "100 110 110", "easy-backfill": "1002 2 3", "conservative-backfill": "1002 2 3", "fifo-skip": "1002 2 3", "srtf": "100 2 3"} {
		r := queue(t, rows, fault+"[scheduler]\npolicy = \""+policy+"\"\n")
		if got := cells(t, r, "jobs", "start_s"); got != want {
			t.Errorf("%s starts at %s, want %s", policy, got, want)
		}
	}
}

// On hosts: what fails stops the jobs on its host, that of the network those on several,
// and so does a cable when it was a host's last.
func TestWhichJobsStop(t *testing.T) {
	rows := "job,submit_s,accelerators,duration_s\nfirst,0,4,100\nsecond,0,8,100\nlast,0,4,100\n" // host 0, hosts 1 and 2, host 3
	csv := func(row string) map[string]string {
		return map[string]string{"jobs.csv": rows, "f.csv": "at_s,name,repair_s\n" + row + "\n"}
	}
	const jobs = "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
	for _, c := range []struct{ kind, row, want string }{
		{"accelerator", "10,host0/acc3,5", "1 0 0"},
		{"nic", "10,host2/nic1,", "0 1 0"},
		{"host", "10,host3,5", "0 0 1"},
		{"rack", "10,rack0,5", "1 1 0"},
		{"power-domain", "10,power1,5", "0 1 1"},
		{"site", "10,site0,5", "1 1 1"},
		{"switch", "10,leaf1,", "0 1 1"},
		{"switch", "10,spine3,", "0 1 0"},
		{"link", "10,host0/nic0>leaf0,", "1 0 0"},
	} {
		r := run(t, fabric+"[[topology.fault]]\nkind = \""+c.kind+"\"\nfile = \"f.csv\"\n"+jobs, csv(c.row))
		if got := cells(t, r, "jobs", "interruptions"); got != c.want {
			t.Errorf("%s %s: interruptions %s, want %s", c.kind, c.row, got, c.want)
		}
	}
	for name, want := range map[string]string{"leaf0": "1 1 0", "spine3": ""} { // at a time: routes go around a spine
		r := run(t, fabric+breaks("switch", name, "at = \"10s\"\nrepair = \"20s\"")+jobs, csv(""))
		if want == "" {
			if r.Table("outages") != nil {
				t.Errorf("%s takes hosts out of use", name)
			}
			continue
		}
		if got := cells(t, r, "jobs", "interruptions"); got != want {
			t.Errorf("%s: interruptions %s, want %s", name, got, want)
		}
	}
}

// A training job keeps its hosts and recovers by itself; the queue has what it gives back
// only after the repair.
func TestQueueBesideTraining(t *testing.T) {
	toml := fabric + breaks("host", "host0", "at = \"1s\"\nrepair = \"1000s\"") + "spares = 1\n" +
		trains(100, "accelerators = [0, 1, 2, 3]\ndetection_time = \"1s\"\nrestart_time = \"1s\"") + "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
	toml = strings.Replace(toml, "spares = 1\n", "", 1)
	r := run(t, toml, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\nall,0,16,10\n"})
	if got := number(t, r, "training.0.reliability.interruptions"); got != 1 {
		t.Errorf("the training job is interrupted %v times", got)
	}
	end := number(t, r, "training.0.time_to_train_s")
	if got := column(t, r, "jobs", "start_s"); got[1] != max(end, 1001) {
		t.Errorf("the job on all accelerators starts at %v; the training job ends at %v", got[1], end)
	}
}

// A training job waits for a host that is in repair as it does for one that another has.
func TestTrainingWaitsForRepair(t *testing.T) {
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(upFrom(0, 8)), " ", ", "), "[]")
	toml := fabric + breaks("host", "host1", "at = \"1s\"\nrepair = \"30s\"") +
		trains(10, "name = \"other\"\naccelerators = [8, 9]") + trains(10, "start = \"5s\"\naccelerators = ["+list+"]")
	r := run(t, toml, nil)
	plain := run(t, strings.Replace(toml, "host1", "host3", 1), nil)
	if got, want := number(t, r, "training.1.time_to_train_s"), number(t, plain, "training.1.time_to_train_s")+26; !near(got, want, 1e-9) {
		t.Errorf("it takes %v s from 5 s on, want %v, the host being back at 31 s", got, want)
	}
}

// What cannot be is refused where it is said.
func TestWrongJobFaults(t *testing.T) {
	const fault = "[[topology.fault]]\nkind = \"accelerator\"\nname = \"acc1\"\nat = \"1s\"\n"
	for _, c := range []struct{ more, want string }{
		{"on_failure = \"retry\"\n" + fault, `case.toml:6:14: workload.jobs[0].on_failure: "retry" is unknown; one of: requeue, fail`},
		{"max_restarts = -1\n" + fault, "case.toml:6:16: workload.jobs[0].max_restarts"},
		{"checkpoint_interval = \"0s\"\n" + fault, "case.toml:6:23: workload.jobs[0].checkpoint_interval: must be more than 0"},
		{"restart_time = \"5\"\n" + fault, "case.toml:6:16: workload.jobs[0].restart_time"},
		{"restart_time = \"5s\"\n", "case.toml:6:16: workload.jobs[0].restart_time: belongs to failures, and there is no [[topology.fault]]"},
		{"on_failure = \"fail\"\nmax_restarts = 3\n" + fault, `case.toml:7:16: workload.jobs[0].max_restarts: belongs to on_failure = "requeue"`},
		{"[[topology.fault]]\nkind = \"host\"\nmtbf = \"1000h\"\n", "case.toml:7:8: topology.fault[0].kind: the topology has no host; there is accelerator, site"},
		{strings.Replace(fault, "acc1", "acc9", 1), `case.toml:8:8: topology.fault[0].name: there is no accelerator "acc9" (did you mean "acc0"?)`},
		{strings.Replace(fault, `at = "1s"`, "mtbf = \"1000h\"\ndrain = \"1h\"", 1), "case.toml:10:9: topology.fault[0].drain: belongs to what stops jobs at a stated time"},
	} {
		dir := t.TempDir()
		write(t, dir, "jobs.csv", oneJob)
		write(t, dir, "case.toml", "[topology]\nkind = \"pool\"\naccelerators = 4\n[[workload.jobs]]\nfile = \"jobs.csv\"\n"+c.more)
		s, err := railyard.Load(dir + "/case.toml")
		if err == nil {
			err = railyard.Check(s)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// What waits for accelerators that never come back says so.
func TestJobWaitsForEver(t *testing.T) {
	s := loadQueue(t, oneJob, "[[topology.fault]]\nkind = \"accelerator\"\nname = \"acc1\"\nat = \"40s\"\n")
	if _, err := railyard.Run(context.Background(), s, railyard.Options{}); err == nil || !strings.Contains(err.Error(), "a waits for accelerators that never become free") {
		t.Errorf("%v", err)
	}
	r := queue(t, oneJob, "[[topology.fault]]\nkind = \"accelerator\"\nname = \"acc1\"\nat = \"40s\"\n[sim]\nhorizon = \"100s\"\n")
	if got := cells(t, r, "jobs", "status"); got != "unfinished" {
		t.Errorf("status %s", got)
	}
	if got := number(t, r, "jobs.accelerator_time_s.down"); got != 60 {
		t.Errorf("down for %v accelerator-seconds", got)
	}
}
