package datacenter_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scheduler"
)

// queue runs a trace on a pool of 4 accelerators; more is added to the scenario.
func queue(t *testing.T, rows, more string) *railyard.Result {
	t.Helper()
	r, err := railyard.Run(context.Background(), loadQueue(t, rows, more), railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func loadQueue(t *testing.T, rows, more string) *railyard.Scenario {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "jobs.csv", rows)
	write(t, dir, "case.toml", "[topology]\nkind = \"pool\"\naccelerators = 4\n[[workload.jobs]]\nfile = \"jobs.csv\"\n"+more)
	s, err := railyard.Load(filepath.Join(dir, "case.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// cells are a column of a table, as its file has them.
func cells(t *testing.T, r *railyard.Result, table, column string) string {
	t.Helper()
	for _, tab := range r.Tables {
		if tab.Name != table {
			continue
		}
		c := tab.Column(column)
		if c == nil {
			t.Fatalf("%s has no column %s", table, column)
		}
		var all []string
		for i := range tab.Rows() {
			all = append(all, c.Cell(i))
		}
		return strings.Join(all, " ")
	}
	t.Fatalf("no table %s", table)
	return ""
}

// Three jobs worked out by hand. a takes all from 0 to 10. b, of 2, waits from 2 to
// 10 and runs to 15; c, of 2, comes at 5, waits to 10 and runs to 30.
const threeJobs = "job,submit_s,accelerators,duration_s,user\na,0,4,10,ann\nb,2,2,5,ben\nc,5,2,20,ann\n"

func TestJobResults(t *testing.T) {
	r := queue(t, threeJobs, "")
	for column, want := range map[string]string{
		"job": "a b c", "submit_s": "0 2 5", "start_s": "0 10 10", "finish_s": "10 15 30", "accelerators": "4 2 2",
		"status": "finished finished finished", "wait_s": "0 8 5", "run_s": "10 5 20", "slowdown": "1 2.6 1.25",
		"preemptions": "0 0 0", "user": "ann ben ann",
	} {
		if got := cells(t, r, "jobs", column); got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	if got := cells(t, r, "stretches", "placement"); got != "0-3 0-1 2-3" {
		t.Errorf("placements %q", got)
	}
	// In the system: 1 job to 2, 2 to 5, 3 to 10, 2 to 15, 1 to 30. b, of half the
	// cluster, shares it with (2 x 3 + 3 x 5 + 2 x 5) / 13 = 31 / 13 in the mean, so
	// that its fair time is 5 x 31 / 26; a's is 10 x (2 + 6 + 15) / 10 = 23; of c's 25
	// the mean is (15 + 10 + 15) / 25 = 1.6, and half of that less than one.
	if got, want := cells(t, r, "jobs", "rho"), []string{result.Number(10.0 / 23), result.Number(13 / (5.0 * 31 / 26)), "1.25"}; got != strings.Join(want, " ") {
		t.Errorf("rho is %q, want %q", got, want)
	}
	for path, want := range map[string]float64{
		"jobs.count": 3, "jobs.finished": 3, "jobs.unfinished": 0, "jobs.makespan_s": 30,
		"jobs.jct_s.mean": (10 + 13 + 25) / 3.0, "jobs.jct_s.median": 13, "jobs.jct_s.p99": 25, "jobs.wait_s.median": 5,
		"jobs.accelerator_s": 40 + 10 + 40, "jobs.allocation_ratio": 90.0 / 120, "jobs.users.0.accelerator_s": 80, "jobs.users.1.wait_s.mean": 8,
		"jobs.jain_ratio": (1 + 1/2.6 + 0.8) * (1 + 1/2.6 + 0.8) / (3 * (1 + 1/2.6/2.6 + 0.64)),
	} {
		if got, err := r.Summary.Lookup(path); err != nil || got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%s is %v, want %v (%v)", path, got, want, err)
		}
	}
}

// Half a pair of values is the mean of the two.
func TestMedian(t *testing.T) {
	r := queue(t, "job,submit_s,accelerators,duration_s\na,0,1,10\nb,0,1,20\n", "")
	if got, _ := r.Summary.Lookup("jobs.jct_s.median"); got != 15 {
		t.Errorf("median %v of 10 and 20", got)
	}
}

// At the horizon of 12 s a has finished, b and c run and d has not come; a and b
// have taken 10 s and 2 s of two and four accelerators.
func TestJobsAtTheHorizon(t *testing.T) {
	r := queue(t, threeJobs+"d,20,1,1,ann\n", "[sim]\nhorizon = \"12s\"\n")
	if got := r.Summary.Text("status"); got != "horizon" {
		t.Errorf("status %s", got)
	}
	for column, want := range map[string]string{
		"status": "finished unfinished unfinished unfinished", "start_s": "0 10 10 ", "finish_s": "10   ", "run_s": "10 2 2 0", "wait_s": "0 8 5 0",
	} {
		if got := cells(t, r, "jobs", column); got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	if got, _ := r.Summary.Lookup("jobs.accelerator_s"); got != 48 {
		t.Errorf("%v accelerator-seconds held, want 48", got)
	}
}

// A job that is stopped once pays 2 s: of its 4 x 109 accelerator-seconds 8 are
// lost.
func TestPreemptionIsAccounted(t *testing.T) {
	r := queue(t, "job,submit_s,accelerators,duration_s\nlong,0,4,100\nshort,10,2,5\n", "[scheduler]\npolicy = \"srtf\"\npreemption_cost = \"2s\"\n")
	for path, want := range map[string]float64{
		"jobs.preemptions": 1, "jobs.preempted": 1, "jobs.accelerator_s": 4*102 + 2*5, "jobs.lost_accelerator_s": 8, "jobs.makespan_s": 107,
	} {
		if got, err := r.Summary.Lookup(path); err != nil || got != want {
			t.Errorf("%s is %v, want %v (%v)", path, got, want, err)
		}
	}
}

// Put back, the long job does its 10 s again, and they are lost; cancelled, it has
// done them for nothing.
func TestRequeueAndCancel(t *testing.T) {
	rows := "job,submit_s,accelerators,duration_s,priority\nlong,0,4,100,0\nshort,10,2,5,1\n"
	for preemption, want := range map[string]struct {
		status                          string
		held, lost, finished, cancelled float64
	}{
		"requeue": {"finished finished", 4*110 + 10, 40, 2, 0},
		"cancel":  {"cancelled finished", 40 + 10, 40, 1, 1},
	} {
		r := queue(t, rows, "[scheduler]\npolicy = \"priority\"\npreemption = \""+preemption+"\"\n")
		if got := cells(t, r, "jobs", "status"); got != want.status {
			t.Errorf("%s: %s", preemption, got)
		}
		for path, v := range map[string]float64{
			"jobs.accelerator_s": want.held, "jobs.lost_accelerator_s": want.lost, "jobs.finished": want.finished, "jobs.cancelled": want.cancelled,
		} {
			if got, err := r.Summary.Lookup(path); err != nil || got != v {
				t.Errorf("%s: %s is %v, want %v (%v)", preemption, path, got, v, err)
			}
		}
	}
}

// An elastic job on all four accelerators is twice as fast, and holds four for half
// its time; with scaling 0.5 it is 1.41 times as fast.
func TestElasticJobs(t *testing.T) {
	rows := "job,submit_s,accelerators,duration_s,min_accelerators,max_accelerators\na,0,2,100,1,4\n"
	for scaling, want := range map[string]float64{"1": 50, "0.5": 100 / math.Sqrt2} {
		r := queue(t, rows, "[scheduler]\npolicy = \"elastic\"\nscaling = "+scaling+"\n")
		for path, v := range map[string]float64{"jobs.makespan_s": want, "jobs.accelerator_s": 4 * want, "jobs.allocation_ratio": 1} {
			if got, err := r.Summary.Lookup(path); err != nil || math.Abs(got-v) > 1e-9*v {
				t.Errorf("scaling %s: %s is %v, want %v (%v)", scaling, path, got, v, err)
			}
		}
	}
}

// Groups are the column that share_by says: users alternate under drf, though all are
// of one group.
func TestShareBy(t *testing.T) {
	rows := "job,submit_s,accelerators,duration_s,user,group\na,0,2,10,ann,lab\nb,0,2,10,ann,lab\nc,0,2,10,ben,lab\n"
	for by, want := range map[string]string{"user": "0 10 0", "group": "0 0 10"} {
		r := queue(t, rows, "[scheduler]\npolicy = \"drf\"\nshare_by = \""+by+"\"\n")
		if got := cells(t, r, "jobs", "start_s"); got != want {
			t.Errorf("by %s: starts %q, want %q", by, got, want)
		}
	}
}

// The policy believes what it is told: with estimates of the trace the long job
// seems short.
func TestEstimatesOfTheTrace(t *testing.T) {
	rows := "job,submit_s,accelerators,duration_s,estimate_s\nfirst,0,4,10,\nlong,1,4,100,5\nshort,1,4,10,50\nunknown,1,4,1,\n"
	for estimates, want := range map[string]string{"exact": "0 21 11 10", "trace": "0 10 110 120"} {
		r := queue(t, rows, "[scheduler]\npolicy = \"sjf\"\nestimates = \""+estimates+"\"\n")
		if got := cells(t, r, "jobs", "start_s"); got != want {
			t.Errorf("%s: starts %q, want %q", estimates, got, want)
		}
	}
}

// What is wrong with a trace as a whole is said with the line of its file.
func TestJobsThatCannotRun(t *testing.T) {
	for name, c := range map[string]struct{ rows, more, want string }{
		"larger than the cluster": {"job,submit_s,accelerators,duration_s\na,0,1,1\nb,0,5,1\n", "", `jobs.csv:3:1: accelerators: job "b" wants 5 at once, and the topology has 4`},
		"beyond the clock":        {"job,submit_s,accelerators,duration_s\na,9e7,1,1\n", "start = \"30d\"\n", "jobs.csv:2:1: submit_s: with start"},
		"larger than the limit": {
			"job,submit_s,accelerators,duration_s,group\na,0,3,1,lab\n",
			"[scheduler]\npolicy = \"drf\"\n[[scheduler.group]]\nname = \"lab\"\nlimit = 2\n", `jobs.csv:2:1: accelerators: job "a" wants 3 at once, and its group may hold 2`,
		},
		"promised twice": {
			"job,submit_s,accelerators,duration_s,group\na,0,3,1,lab\n",
			"[scheduler]\npolicy = \"drf\"\n[[scheduler.group]]\nname = \"lab\"\nquota = 3\n[[scheduler.group]]\nname = \"shop\"\nquota = 2\n",
			"case.toml:13:9: scheduler.group[1].quota: with those of the groups before, 5 accelerators are promised, and the topology has 4",
		},
		"twice in two files": {"job,submit_s,accelerators,duration_s\na,0,1,1\n", "[[workload.jobs]]\nfile = \"jobs.csv\"\n", `jobs.csv:2:1: job: "a" is there twice`},
	} {
		t.Run(name, func(t *testing.T) {
			err := railyard.Check(loadQueue(t, c.rows, c.more))
			if err == nil || strings.Count(err.Error(), "\n") > 0 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// A training job and a trace are in one queue: the training job holds all
// accelerators of the host.
func TestRealWorkloadsAreInTheQueue(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "jobs.csv", "job,submit_s,accelerators,duration_s\na,0,1,1\n")
	write(t, dir, "case.toml", `
[topology]
kind = "single-host"
host = "dgx-a100"
[[workload.training]]
model = "bert-large"
global_batch = 64
micro_batch = 8
sequence = 128
accelerators = 8
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = "srtf"
`)
	s, err := railyard.Load(filepath.Join(dir, "case.toml"), "workload.training.0.estimate=2s")
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := cells(t, r, "jobs", "job"); got != "bert-large a" {
		t.Errorf("jobs %q", got)
	}
	// srtf puts the job of a second before that of two.
	if got := cells(t, r, "stretches", "placement"); got != "0-7 0" {
		t.Errorf("placements %q", got)
	}
	if got := cells(t, r, "jobs", "start_s"); got != "1 0" {
		t.Errorf("starts %q, want the shorter first", got)
	}
	// By what its iterations compute, 0.12 s, the training job goes first.
	s, err = railyard.Load(filepath.Join(dir, "case.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if r, err = railyard.Run(context.Background(), s, railyard.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := cells(t, r, "jobs", "start_s"); !strings.HasPrefix(got, "0 ") || strings.HasSuffix(got, " 0") {
		t.Errorf("starts %q, want the training job first", got)
	}
}

// Every job is in one count, and what is held adds up, whatever the policy, the
// horizon, the noise of the estimates and the cost of a preemption.
func TestNoJobIsLost(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		var rows strings.Builder
		rows.WriteString("job,submit_s,accelerators,duration_s\n")
		submit, n := 0, rapid.IntRange(1, 20).Draw(rt, "jobs")
		for i := range n {
			submit += rapid.IntRange(0, 5).Draw(rt, "pause")
			gang, duration := rapid.IntRange(1, 4).Draw(rt, "gang"), rapid.IntRange(0, 30).Draw(rt, "duration")
			rows.WriteString(strings.Join([]string{string(rune('a' + i)), result.Number(float64(submit)), result.Number(float64(gang)), result.Number(float64(duration))}, ",") + "\n")
		}
		write(t, dir, "jobs.csv", rows.String())
		write(t, dir, "case.toml", "[topology]\nkind = \"pool\"\naccelerators = 4\n[[workload.jobs]]\nfile = \"jobs.csv\"\n[sim]\nhorizon = \"40s\"\n")
		policy, preemption := rapid.SampledFrom(scheduler.Policies()).Draw(rt, "policy"), rapid.SampledFrom([]string{"suspend", "cancel"}).Draw(rt, "preemption")
		if policy == "elastic" {
			preemption = "suspend"
		}
		s, err := railyard.Load(filepath.Join(dir, "case.toml"), "scheduler.policy="+policy, "scheduler.preemption="+preemption,
			"scheduler.estimates="+rapid.SampledFrom([]string{"exact", "noisy", "trace"}).Draw(rt, "estimates"),
			"scheduler.preemption_cost="+rapid.SampledFrom([]string{"0s", "1.5s"}).Draw(rt, "cost"))
		if err != nil {
			rt.Fatal(err)
		}
		r, err := railyard.Run(context.Background(), s, railyard.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		j := r.Summary.Record("jobs")
		sum := 0.0
		for _, status := range []string{"finished", "failed", "cancelled", "unfinished"} {
			sum += j.Float(status)
		}
		if sum != float64(n) || j.Float("count") != float64(n) {
			rt.Fatalf("the counts of %d jobs add up to %v", n, sum)
		}
		held, area := 0.0, 0.0
		for _, tab := range r.Tables {
			switch tab.Name {
			case "jobs":
				for i := range n {
					held += tab.Column("run_s").Numbers[i] * float64(tab.Column("accelerators").Integers[i])
					if submit := tab.Column("submit_s").Numbers[i]; submit < 40 && tab.Column("wait_s").Numbers[i] < 0 {
						rt.Fatalf("job %d waits for %v", i, tab.Column("wait_s").Numbers[i])
					}
				}
			case "job_series":
				for i, share := range tab.Column("allocation_ratio").Numbers {
					width := r.Summary.Float("makespan_s")
					if i+1 < tab.Rows() {
						width = tab.Column("time_s").Numbers[i+1]
					}
					area += 4 * share * (width - tab.Column("time_s").Numbers[i])
				}
			}
		}
		if total := j.Float("accelerator_s"); total < held-1e-6 || total > held+1e-6 || total < area-1e-6 || total > area+1e-6 {
			rt.Fatalf("accelerator-seconds: %v in all, %v by job, %v over time", total, held, area)
		}
	})
}

// Users are told apart: who got what, and how evenly. Of a's two jobs one waits 10 s, b's
// one 20 s.
func TestJobsByUser(t *testing.T) {
	rows := "job,submit_s,accelerators,duration_s,user\n1,0,4,10,a\n2,0,4,10,a\n3,0,4,20,b\n"
	s := loadQueue(t, rows, "")
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]float64{
		"jobs.users.0.count": 2, "jobs.users.0.wait_s.mean": 5, "jobs.users.0.wait_s.p99": 10, "jobs.users.0.jct_s.median": 15,
		"jobs.users.1.wait_s.median": 20, "jobs.users.1.slowdown.mean": 2, "jobs.users.1.preemptions": 0,
	} {
		if got := number(t, r, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

// A job that takes a tick where durations are given and none on hosts that are faster by far
// has no slowdown: nothing is said of it, rather than what is no number.
func TestJobInNoTime(t *testing.T) {
	r := run(t, "[topology]\nkind = \"pool\"\nfile = \"nodes.csv\"\n[[workload.jobs]]\nfile = \"jobs.csv\"\n", map[string]string{
		"nodes.csv": "node,accelerators,type,speed\nn0,8,A,1e18\n",
		"jobs.csv":  "job,submit_s,accelerators,duration_s\na,0,2,1\nb,1,2,1\n",
	})
	if got := number(t, r, "jobs.slowdown.mean"); got != 0 {
		t.Errorf("slowdown %v", got)
	}
	if _, err := r.Summary.MarshalJSON(); err != nil {
		t.Error(err)
	}
}
