package datacenter_test

import (
	"math"
	"testing"

	"github.com/railyard/railyard"
)

// computingTime is the integral of computing_ratio from one instant to another, in
// accelerator-seconds, if no interval of the series is cut.
func computingTime(t *testing.T, r *railyard.Result, accelerators, from, to float64) (sum float64) {
	t.Helper()
	at, share := column(t, r, "job_series", "time_s"), column(t, r, "job_series", "computing_ratio")
	for i := range at {
		end := r.Summary.Float("makespan_s")
		if i+1 < len(at) {
			end = at[i+1]
		}
		if at[i] >= from && end <= to {
			sum += share[i] * accelerators * (end - at[i])
		}
	}
	return sum
}

// a runs from 0 to 4 s and b from 4 to 6 s; then a pays 2 s to load its state and
// computes from 8 s to its end at 14 s: all four accelerators are held, and compute in 12
// of 14 s.
func TestComputingAndPreemption(t *testing.T) {
	r := queue(t, "job,submit_s,accelerators,duration_s\na,0,4,10\nb,4,4,2\n", "[scheduler]\npolicy = \"srtf\"\npreemption_cost = \"2s\"\n")
	if got := number(t, r, "jobs.allocation_ratio"); got != 1 {
		t.Errorf("%v is allocated", got)
	}
	if got := number(t, r, "jobs.computing_ratio"); math.Abs(got-12./14) > 1e-12 {
		t.Errorf("%v is computing, want 12 of 14 s", got)
	}
	for _, c := range []struct{ from, to, want float64 }{{0, 14, 48}, {6.1, 7.9, 0}} {
		if got := computingTime(t, r, 4, c.from, c.to); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("from %v to %v s %v accelerator-seconds, want %v", c.from, c.to, got, c.want)
		}
	}
}

// Of 20 s of work a checkpoint of 1 s is made after each 5 s but at the end: 3 of 23 s
// the job stands still.
func TestComputingAndCheckpoints(t *testing.T) {
	r := queue(t, "job,submit_s,accelerators,duration_s\na,0,2,20\n", "checkpoint_interval = \"5s\"\ncheckpoint_time = \"1s\"\n[[topology.fault]]\nkind = \"accelerator\"\nname = \"acc0\"\nat = \"1h\"\n")
	if got := number(t, r, "jobs.computing_ratio"); math.Abs(got-0.5*20/23) > 1e-12 {
		t.Errorf("%v is computing, want 20 of 23 s on half of the accelerators", got)
	}
}

// Work that a failure undoes was computed; the restart after it was not. The host is out
// from 6 to 8 s, a begins again with 1 s of restart and needs its 10 s anew.
func TestComputingAndFailure(t *testing.T) {
	r := queue(t, "job,submit_s,accelerators,duration_s\na,0,4,10\n",
		"restart_time = \"1s\"\n[[topology.fault]]\nkind = \"accelerator\"\nname = \"acc0\"\nat = \"6s\"\nrepair = \"2s\"\n")
	if got, want := number(t, r, "jobs.computing_ratio"), 16./19; math.Abs(got-want) > 1e-12 {
		t.Errorf("%v is computing, want %v", got, want)
	}
	if got, want := number(t, r, "jobs.utilization_ratio"), 10./19; math.Abs(got-want) > 1e-12 {
		t.Errorf("%v counts, want %v", got, want)
	}
}

// A training job computes as much as its accelerators' ledger has, in all and over time;
// the job beside it all of its time.
func TestComputingOfTraining(t *testing.T) {
	r := run(t, `[topology]
kind = "leaf-spine"
host = "dgx-a100"
hosts = 2
[[workload.training]]
model = "bert-large"
accelerators = 8
global_batch = 64
micro_batch = 8
iterations = 20
[[workload.jobs]]
file = "jobs.csv"
`, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\na,0,4,1\n"})
	want := 4.0
	for _, s := range column(t, r, "accelerators", "compute_s") {
		want += s
	}
	end := r.Summary.Float("makespan_s")
	if got := number(t, r, "jobs.computing_ratio") * 16 * end; math.Abs(got-want) > 1e-6 {
		t.Errorf("%v accelerator-seconds are computed, want %v", got, want)
	}
	if got := computingTime(t, r, 16, 0, end); math.Abs(got-want) > 1e-6 {
		t.Errorf("over time %v, want %v", got, want)
	}
	if held := number(t, r, "jobs.allocation_ratio"); number(t, r, "jobs.computing_ratio") >= held {
		t.Errorf("as much computes as is held, %v: nothing of the training is exposed communication", held)
	}
}
