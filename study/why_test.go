package study_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/internal/lab"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/study"
)

// why explains the only training of a scenario.
func why(t testing.TB, toml string, set ...string) *result.Record {
	t.Helper()
	s, err := lab.Load(t, toml, nil, set...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := study.Why(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r.List("training")[0]
}

// elasticities are those of a job by resource, and their sum.
func elasticities(job *result.Record) (of map[string]float64, sum float64) {
	of = map[string]float64{}
	for _, s := range job.List("sensitivity") {
		e := s.Float("elasticity")
		of[s.Text("resource")] = e
		sum += e
	}
	return of, sum
}

// An accelerator alone: the network gains nothing, and 10 % more of all that it
// has would be 10 % more throughput, so the elasticities sum to about 1.
func TestWhyComputeBound(t *testing.T) {
	job := why(t, `[topology]
kind = "single-host"
host = "dgx-a100"

[[workload.training]]
model = "bert-large"
micro_batch = 32
global_batch = 32
sequence = 128
precision = "fp16"
accelerators = 1
`)
	of, sum := elasticities(job)
	for _, name := range []string{"scale-up bandwidth", "NIC bandwidth", "spine bandwidth", "network latency", "collective overhead"} {
		if e, ok := of[name]; !ok || e != 0 {
			t.Errorf("elasticity of %s %v", name, e)
		}
	}
	if of["compute"] < 0.5 || of["kernel launch overhead"] <= 0 || math.Abs(sum-1) > 0.05 {
		t.Errorf("%v sum to %v", of, sum)
	}
	if verdict := job.Text("verdict"); !strings.HasPrefix(verdict, "compute-bound: 10 % more compute gives ") {
		t.Error(verdict)
	}
}

// networkBound is replicas that wait for each other's gradients most of the time,
// on NICs or, oversubscribed, on spines.
func networkBound(hostsPerRack int, oversubscription float64, rate string) string {
	return fmt.Sprintf(`[topology]
kind = "leaf-spine"
host = "slow"
hosts = 4
hosts_per_rack = %d
oversubscription = %v

[hosts.slow]
base = "dgx-a100"
nic_bandwidth = %q

[[workload.training]]
model = "bert-large"
micro_batch = 1
global_batch = 32
sequence = 128
precision = "fp16"
`, hostsPerRack, oversubscription, rate)
}

// A job bound by a network responds to the part of it that is narrowest, and to no
// other.
func TestWhyNetworkBound(t *testing.T) {
	for _, c := range []struct {
		name, resource string
		other          string
		scenario       string
	}{
		{"NICs", "NIC bandwidth", "spine bandwidth", networkBound(4, 1, "1Gbps")},
		{"spines", "spine bandwidth", "NIC bandwidth", networkBound(2, 16, "10Gbps")},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := why(t, c.scenario)
			of, sum := elasticities(job)
			if of[c.resource] < 0.8 || of[c.other] != 0 || of["scale-up bandwidth"] > 0.01 || math.Abs(sum-1) > 0.05 {
				t.Errorf("%v sum to %v", of, sum)
			}
			first := job.List("sensitivity")[0]
			if want := fmt.Sprintf("network-bound: 10 %% more %s gives %.1f %%", c.resource, 100*first.Float("gain_ratio")); job.Text("verdict") != want {
				t.Errorf("%q, want %q", job.Text("verdict"), want)
			}
		})
	}
}

// What is told of the critical path sums to the iteration, which is that of Run;
// the gains are what running again with more gives.
func TestWhyAgreesWithRun(t *testing.T) {
	sum := func(r *result.Record) (sum float64) {
		for _, f := range r.Fields {
			sum += f.Value.(float64)
		}
		return sum
	}
	set := []string{"workload.training.0.pipeline=4", "workload.training.0.tensor=2", "workload.training.0.micro_batch=8"}
	job := why(t, bert, set...)
	r := lab.Run(t, bert, nil, set...)
	iteration := lab.Number(t, r, "training.0.iteration_s")
	var path float64
	for _, s := range job.List("critical_path") {
		path += s.Float("time_s")
	}
	for name, got := range map[string]float64{
		"iteration": job.Float("iteration_s"), "totals": sum(job.Record("critical_path_s")), "path": path, "breakdown": sum(job.Record("breakdown_s")),
	} {
		if !lab.Near(got, iteration, 1e-9) {
			t.Errorf("%s %v, the iteration takes %v", name, got, iteration)
		}
	}
	// A dgx-a100 has 300 GB/s.
	const more = "\n[hosts.more]\nbase = \"dgx-a100\"\nscale_up_bandwidth = \"330GB/s\"\n"
	with := lab.Run(t, bert+more, nil, append(set, "topology.host=more")...)
	for _, s := range job.List("sensitivity") {
		if got, want := s.Float("iteration_s"), lab.Number(t, with, "training.0.iteration_s"); s.Text("resource") == "scale-up bandwidth" && !lab.Near(got, want, 1e-9) {
			t.Errorf("with 10 %% more scale-up bandwidth %v, run again with it %v", got, want)
		}
	}
}

// Each of several jobs has its explanation.
func TestWhyOfSeveral(t *testing.T) {
	// Two equal jobs, each on a host of either rack, over one pair of up-links a leaf.
	const west, east = "accelerators = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]\n",
		"accelerators = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]\n"
	job := bert[strings.Index(bert, "\n[[workload"):]
	s, err := lab.Load(t, strings.Replace(bert, "2.0", "8.0", 1)+west+job+east, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := study.Why(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	jobs := r.List("training")
	if len(jobs) != 2 || jobs[0].Text("name") != "bert-large" || jobs[1].Text("name") != "bert-large#2" || len(jobs[1].List("sensitivity")) != 9 {
		t.Errorf("%+v", jobs)
	}
}

// What cannot be explained is a fault of the scenario, or the run's error.
func TestWhyOfNothing(t *testing.T) {
	s, err := lab.Load(t, bert[:strings.Index(bert, "[[workload")]+"[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	var faults railyard.Faults
	if _, err := study.Why(context.Background(), s, railyard.Options{}); !errors.As(err, &faults) {
		t.Errorf("no training: %v", err)
	}
	if s, err = lab.Load(t, bert, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := study.Why(ctx, s, railyard.Options{}); r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", r, err)
	}
	if s, err = lab.Load(t, bert, nil, "sim.horizon=1ms"); err != nil {
		t.Fatal(err)
	}
	r, err := study.Why(context.Background(), s, railyard.Options{})
	if err != nil || r.List("training")[0].Text("verdict") != "no iteration ended" {
		t.Errorf("at the horizon: %v, %v", r, err)
	}
}

// With jitter the gains are those of the mean iteration, as Run has it, and the
// critical path is that of the median one, which it sums to. Slow ranks compute
// longer; nothing else slows them where replicas have one bucket for all gradients.
func TestWhyOfJitter(t *testing.T) {
	const jitter = `[topology]
kind = "single-host"
host = "dgx-a100"

[[workload.training]]
model = "bert-large"
micro_batch = 32
global_batch = 256
sequence = 128
precision = "fp16"
iterations = 8
jitter = 0.2
`
	job := why(t, jitter)
	r := lab.Run(t, jitter, nil)
	if got, want := job.Float("iteration_s"), lab.Number(t, r, "training.0.iteration_s"); !lab.Near(got, want, 1e-12) {
		t.Errorf("an iteration takes %v, in a run of eight %v", got, want)
	}
	critical := job.Float("critical_iteration_s")
	var path, totals float64
	for _, s := range job.List("critical_path") {
		path += s.Float("time_s")
	}
	for _, f := range job.Record("critical_path_s").Fields {
		totals += f.Value.(float64)
	}
	if !lab.Near(path, critical, 1e-9) || !lab.Near(totals, critical, 1e-9) {
		t.Errorf("the path sums to %v, its totals to %v, the iteration takes %v", path, totals, critical)
	}
	if slowed := job.Record("critical_path_s").Float("slowed_compute"); slowed != 0 {
		t.Errorf("%v s of the path are slowed by communication", slowed)
	}
	if critical == job.Float("iteration_s") || math.Abs(critical/job.Float("iteration_s")-1) > 0.1 {
		t.Errorf("the median iteration takes %v, the mean %v", critical, job.Float("iteration_s"))
	}
	// Compute bounds the mean iteration as it does one without jitter.
	if of, _ := elasticities(job); of["compute"] < 0.4 {
		t.Errorf("%v", of)
	}
}

// An iteration of too many passes to be traced is a fault of the key that makes it
// so, before any of it is simulated.
func TestWhyOfTooMuch(t *testing.T) {
	s, err := lab.Load(t, `[topology]
kind = "single-host"
host = "dgx-a100"

[[workload.training]]
model = "bert-large"
micro_batch = 1
global_batch = 2000000
sequence = 128
precision = "fp16"
tensor = 8
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = study.Why(context.Background(), s, railyard.Options{})
	var faults railyard.Faults
	if !errors.As(err, &faults) || len(faults) != 1 {
		t.Fatal(err)
	}
	if f := faults[0]; f.Key != "workload.training[0].global_batch" || f.Line != 8 || !strings.HasPrefix(f.Message, "makes 2000000 micro-batches, ") {
		t.Errorf("%v", f)
	}
}
