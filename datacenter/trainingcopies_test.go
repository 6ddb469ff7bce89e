package datacenter_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard"
)

// saves is a training of eight accelerators with a checkpoint of 8 GB every 10 s of work,
// which takes 9 s over the cable of eastLost.
const saves = `
[topology.storage]
write = "80GB/s"
host = "80GB/s"
[[workload.training]]
name = "bert"
model = "bert-large"
accelerators = 8
micro_batch = 32
global_batch = 2048
sequence = 128
iterations = 700
checkpoint_interval = "10s"
checkpoint_size = "8GB"
detection_time = "2s"
restart_time = "5s"
on_failure = "requeue"
`

// undisturbed is how long an iteration takes without its part of checkpoints.
func undisturbed(t *testing.T, r *railyard.Result) float64 {
	return number(t, r, "training.0.iteration_s") - number(t, r, "training.0.breakdown_s.storage")
}

// East is lost at 45 s, when the copies of 10, 20 and 30 s have come and that of 40 s has not:
// the training goes on in the west from that of 30 s. With 25 s between copies, asynchronously,
// it does so from that of 10 s, and without any from nothing. Where just its host fails it goes on
// from its latest checkpoint, which is 9 s on its way to the west, or synchronously from the
// latest that has a copy, and needs none. A site that is back before the job gets accelerators
// elsewhere has lost it nothing, but its checkpoint comes over the cable.
func TestTrainingFailsOver(t *testing.T) {
	host := strings.Replace(eastLost(45), "kind = \"site\"\nname = \"east\"", "kind = \"host\"\nname = \"east/host0\"", 1)
	both := "replicate_to = [\"west\", \"east\"]\n"
	for _, c := range []struct {
		name, topology, copies string
		undone, fetch, rto     float64 // undone: from the state to the loss
		rpo                    bool
	}{
		{"synchronous", eastLost(45), both + "replication = \"synchronous\"\n", 15, 0, 7.1, true},
		{"asynchronous", eastLost(45), both, 15, 0, 7.1, true},
		{"asynchronous, seldom", eastLost(45), both + "replication_interval = \"25s\"\n", 35, 0, 7.1, true},
		{"without copies", eastLost(45), "replicate_to = [\"east\"]\n", 45, 0, 7, true},
		{"a host, synchronous", host, both + "replication = \"synchronous\"\n", 15, 0, 7.1, false},
		{"a host, asynchronous", host, both, 5, 9, 7.1, false},
	} {
		r := run(t, c.topology+saves+c.copies+"[scheduler]\nsite = \"load\"\n", nil)
		alone := 700 * undisturbed(t, r)
		writes := number(t, r, "training.0.reliability.time_s.checkpoint")
		slack := 3 * number(t, r, "training.0.iteration_s")
		// Checkpoints each 10 s of work come 0.1 s later each time.
		undone, most := number(t, r, "training.0.reliability.time_s.lost_work"), c.undone+slack
		if undone < c.undone-0.6-slack || undone > most {
			t.Errorf("%s: %v s of work are undone, want %v", c.name, undone, c.undone)
		}
		reload := number(t, r, "training.0.reliability.time_s.reload")
		if math.Abs(reload-c.fetch) > 0.11 {
			t.Errorf("%s: the checkpoint takes %v s to come, want %v", c.name, reload, c.fetch)
		}
		if got, want := number(t, r, "training.0.time_to_train_s"), alone+writes+undone+7+reload; math.Abs(got-want) > slack+0.1 {
			t.Errorf("%s: takes %v s, want %v", c.name, got, want)
		}
		if table := r.Table("failovers"); !c.rpo {
			if table != nil {
				t.Errorf("%s: a failover", c.name)
			}
		} else if rpo, rto := column(t, r, "failovers", "rpo_s"), column(t, r, "failovers", "rto_s"); len(rpo) != 1 ||
			math.Abs(rpo[0]-c.undone) > 0.6+slack || math.Abs(rto[0]-c.rto) > 0.05 {
			t.Errorf("%s: RPO %v s, want %v; RTO %v s, want %v", c.name, rpo, c.undone, rto, c.rto)
		}
	}
}

// Losing a site at any of 50 random moments, for a short time, a long one or for good, costs a
// training no more than the replication promises, with C = 10 s and a pause of 0.1 s, T = 9 s
// and I = 20 s; all iterations are done once, and its time adds up.
func TestTrainingSiteIsLost(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	over := 0
	for n := range 50 {
		lost, mode, promised := random.Float64()*90, "synchronous", 10+0.2+9.1
		copies := "replicate_to = [\"west\", \"east\"]\nreplication = \"synchronous\"\n"
		if n%2 == 1 {
			mode, promised = "asynchronous", 20+10+0.2+9.1
			copies = "replicate_to = [\"west\", \"east\"]\nreplication_interval = \"20s\"\n"
		}
		repair := []string{"1s", "6s", "40s", "4000s"}[random.IntN(4)]
		toml := strings.Replace(eastLost(lost), `repair = "1000s"`, fmt.Sprintf("repair = %q", repair), 1)
		r := run(t, toml+saves+copies+"[scheduler]\nsite = \"load\"\n", nil)
		where := fmt.Sprintf("lost at %v s for %s, %s", lost, repair, mode)
		iteration := undisturbed(t, r)
		sum := 0.0
		for _, part := range []string{"checkpoint", "lost_work", "slowed", "detection", "waiting", "restart", "reload"} {
			v := number(t, r, "training.0.reliability.time_s."+part)
			if v < 0 {
				t.Errorf("%s: %v s of %s", where, v, part)
			}
			sum += v
		}
		if got, want := number(t, r, "training.0.time_to_train_s"), 700*iteration+sum; math.Abs(got-want) > 3*iteration {
			t.Errorf("%s: takes %v s, want %v", where, got, want)
		}
		table := r.Table("failovers")
		if table == nil {
			continue
		}
		over += table.Rows()
		for i := range table.Rows() {
			rpo, rto := table.Column("rpo_s").Numbers[i], table.Column("rto_s").Numbers[i]
			if rpo < 0 || rpo > min(lost, promised+iteration)+1e-9 {
				t.Errorf("%s: RPO %v s, promised are %v", where, rpo, promised)
			}
			// Noticed, started again, read, and fetched over the cable if that is back.
			if rto < 7 || rto > 7+0.1+9+1e-9 {
				t.Errorf("%s: RTO %v s", where, rto)
			}
		}
	}
	if over < 40 {
		t.Errorf("%d failovers: the moments are badly chosen", over)
	}
}

// Whatever fails when, of sites and hosts, again and again, and however checkpoints are made
// and copied: a training and the jobs beside it end, its time adds up, it goes on from no state that
// is newer than the loss, and no time is negative.
func TestTrainingCopiesProperty(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		toml := strings.Replace(eastLost(float64(rapid.IntRange(0, 25).Draw(rt, "lost"))), `repair = "1000s"`, fmt.Sprintf("repair = \"%ds\"", rapid.IntRange(1, 20).Draw(rt, "repair")), 1)
		for range rapid.IntRange(0, 2).Draw(rt, "faults") {
			toml += rapid.SampledFrom([]string{
				"[[topology.fault]]\nkind = \"site\"\nmtbf = \"45s\"\nrepair = \"5s\"\n",
				"[[topology.fault]]\nkind = \"host\"\nmtbf = \"45s\"\nrepair = \"7s\"\n",
				"[[topology.fault]]\nkind = \"host\"\nname = \"west/host0\"\nat = \"9s\"\nevery = \"20s\"\nrepair = \"5s\"\nplanned = true\ndrain = \"3s\"\n",
				"[[topology.fault]]\nkind = \"host\"\nmtbf = \"45s\"\nrepair = \"9s\"\ncapacity = 0.5\n",
			}).Draw(rt, "fault")
		}
		w := saves + rapid.SampledFrom([]string{
			"", "replicate_to = [\"west\", \"east\"]\n", "replicate_to = [\"west\"]\n", "replicate_to = [\"west\", \"east\"]\nreplication_interval = \"5s\"\n",
			"replicate_to = [\"west\", \"east\"]\nreplication = \"synchronous\"\n",
		}).Draw(rt, "copies") + rapid.SampledFrom([]string{"", "checkpoint_mode = \"asynchronous\"\n"}).Draw(rt, "mode")
		w = strings.Replace(w, `write = "80GB/s"`, fmt.Sprintf("write = \"%dGB/s\"", rapid.SampledFrom([]int{2, 80}).Draw(rt, "write")), 1)
		w = strings.Replace(w, `checkpoint_size = "8GB"`, fmt.Sprintf("checkpoint_size = \"%dGB\"", rapid.IntRange(1, 5).Draw(rt, "size")), 1)
		w = strings.Replace(w, "sequence = 128\niterations = 700", "sequence = 512\niterations = 18", 1)
		w = strings.Replace(w, `checkpoint_interval = "10s"`, `checkpoint_interval = "3s"`, 1)
		write(t, dir, "jobs.csv", "job,submit_s,accelerators,duration_s\na,0,4,10\nb,3,8,7\n")
		write(t, dir, "case.toml", toml+w+"[[workload.jobs]]\nfile = \"jobs.csv\"\n[sim]\nhorizon = \"1h\"\n[scheduler]\nsite = \"load\"\n")
		s, err := railyard.Load(filepath.Join(dir, "case.toml"), fmt.Sprint("sim.seed=", rapid.IntRange(0, 99).Draw(rt, "seed")))
		if err != nil {
			rt.Fatal(err)
		}
		r, err := railyard.Run(context.Background(), s, railyard.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		parts, sum := r.Summary.Record("jobs").Record("accelerator_time_s"), 0.0
		for _, part := range timeParts {
			if v := parts.Float(part); v < -1e-9 {
				rt.Fatalf("%v s are %s", v, part)
			}
			sum += parts.Float(part)
		}
		if total := 16 * r.Summary.Record("jobs").Float("makespan_s"); math.Abs(sum-total) > 1e-6 {
			rt.Fatalf("%v accelerator-seconds of %v", sum, total)
		}
		job := r.Summary.List("training")[0]
		times := job.Record("reliability").Record("time_s")
		for _, c := range []string{"productive", "checkpoint", "lost_work", "slowed", "detection", "waiting", "restart", "reload"} {
			if v := times.Float(c); v < -1e-9 {
				rt.Fatalf("%v s of %s", v, c)
			}
		}
		if x := r.Table("failovers"); x != nil {
			for i := range x.Rows() {
				at, rpo, rto := x.Column("at_s").Numbers[i], x.Column("rpo_s").Numbers[i], x.Column("rto_s").Numbers[i]
				if rpo < 0 || rpo > at+1e-9 || rto < 0 {
					rt.Fatalf("%s: lost at %v s, RPO %v s, RTO %v s", x.Column("name").Text[i], at, rpo, rto)
				}
			}
		}
	})
}

// Nothing breaks while a job is explained, and what a scenario says for when it does is no
// fault: the job goes back to the queue on failures alone, and copies its checkpoints for that.
func TestWhyOfWhatFails(t *testing.T) {
	toml := eastLost(45) + strings.Replace(saves, "on_failure = \"requeue\"\n", "replicate_to = [\"west\", \"east\"]\n", 1) +
		"[[workload.collective]]\nop = \"all_reduce\"\naccelerators = 8\nsizes = [\"1MB\"]\n"
	s, err := load(t, toml, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := railyard.Run(t.Context(), s, railyard.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := railyard.Why(t.Context(), s, railyard.Options{}); err != nil {
		t.Error(err)
	}
}
