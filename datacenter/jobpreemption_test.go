package datacenter_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// A training job on eight of 16 accelerators makes room at 100 s for a job that ends
// sooner. Others end at 110 s, and it goes on on their accelerators: suspended, after its
// state has been saved and read, with the iteration lost that it was in; put back, from its
// latest checkpoint.
func TestTrainingMakesRoom(t *testing.T) {
	const n, keys = 3000, "accelerators = 8\nrestart_time = \"5s\"\n"
	const rows = "job,submit_s,accelerators,duration_s\nother,0,8,110\nshort,100,8,50\n"
	iteration := number(t, run(t, fabric+storage+trains(10, "accelerators = 8\n"), nil), "training.0.iteration_s")
	for name, c := range map[string]struct {
		keys    string
		sets    []string
		saves   bool    // its state when it is stopped
		cost    float64 // of preemptions
		requeue bool
	}{
		"suspended":             {"checkpoint_interval = \"7s\"\n", nil, true, 0, false},
		"suspended at a cost":   {"checkpoint_interval = \"7s\"\n", []string{"scheduler.preemption_cost=3s"}, true, 3, false},
		"without checkpoints":   {"", nil, false, 0, false},
		"put back":              {"checkpoint_interval = \"7s\"\n", []string{"scheduler.preemption=requeue"}, false, 0, true},
		"put back with nothing": {"", []string{"scheduler.preemption=requeue"}, false, 0, true},
	} {
		toml := fabric + storage + trains(n, keys+c.keys) + "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
		r := run(t, toml, map[string]string{"jobs.csv": rows}, append(c.sets, "scheduler.policy=srtf")...)
		of := func(path string) float64 { return number(t, r, path) }
		write, reload, checkpoints, each := 0.0, 0.0, 0.0, math.Inf(1)
		if c.keys != "" {
			write, reload = of("training.0.reliability.checkpoint_write_s"), of("training.0.reliability.checkpoint_reload_s")
			checkpoints, each = of("training.0.reliability.checkpoints"), math.Round(7/iteration)*iteration
		}
		// What is done at 100 s, and not saved.
		unsaved := 100 - math.Floor(100/(each+write))*(each+write)
		lost := unsaved - math.Floor(unsaved/iteration)*iteration
		if c.requeue {
			lost = unsaved
		}
		saving := c.cost
		if c.saves {
			saving += write
		}
		for path, want := range map[string]float64{
			"training.0.time_to_train_s":              n*iteration + checkpoints*write + lost + 10 + saving + 5 + reload,
			"training.0.reliability.time_s.waiting":   10,
			"training.0.reliability.time_s.restart":   5,
			"training.0.reliability.time_s.reload":    reload,
			"training.0.reliability.time_s.lost_work": lost,
			"jobs.accelerator_time_s.lost":            8 * lost,
			"jobs.accelerator_time_s.overhead":        8 * (checkpoints*write + saving + 5 + reload),
			"jobs.preemptions":                        1,
		} {
			if got := of(path); math.Abs(got-want) > 1e-3*max(1, want) {
				t.Errorf("%s: %s is %v, want %v", name, path, got, want)
			}
		}
		if got := cells(t, r, "stretches", "placement"); got != "8-15 0-7 0-7 8-15" {
			t.Errorf("%s: jobs run on %s", name, got)
		}
	}
}

// One that is cancelled has come to nothing.
func TestTrainingIsCancelled(t *testing.T) {
	toml := fabric + trains(3000, "accelerators = 16\n") + "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
	r := run(t, toml, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\nshort,30,8,50\n"}, "scheduler.policy=srtf", "scheduler.preemption=cancel")
	if got := cells(t, r, "jobs", "status") + " " + cells(t, r, "jobs", "finish_s"); got != "cancelled finished 30 80" {
		t.Errorf("jobs: %s", got)
	}
	if got := number(t, r, "jobs.accelerator_time_s.lost"); !near(got, 16*30, 1e-9) {
		t.Errorf("%v accelerator-seconds are lost, want all of 480", got)
	}
}

// One that lists its accelerators, or holds them, makes no room, and neither do those of a
// policy that stops nobody.
func TestTrainingMakesNoRoom(t *testing.T) {
	for keys, sets := range map[string]string{
		"accelerators = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]\n": "scheduler.policy=srtf",
		"accelerators = 16\n": "scheduler.policy=fifo-skip",
	} {
		toml := fabric + trains(3000, keys) + "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
		r := run(t, toml, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\nshort,30,8,50\n"}, sets)
		if ends, starts := column(t, r, "jobs", "finish_s")[0], column(t, r, "jobs", "start_s")[1]; ends != starts {
			t.Errorf("%s: the training ends at %v, the other starts at %v", sets, ends, starts)
		}
	}
}

// Iterations are jumped over only until a job comes for which another may have to make
// room. Two training jobs that are stopped again and again, and go on beside each other or
// apart, take the same time if all are simulated.
func TestTrainingsMakeRoomTwin(t *testing.T) {
	toml := strings.Replace(fabric, "hosts = 4\nhosts_per_rack = 2\noversubscription = 1.0", "hosts = 6\nhosts_per_rack = 3\noversubscription = 6.0", 1) + storage
	keys := "accelerators = 8\nrestart_time = \"2s\"\ncheckpoint_interval = \"5s\""
	toml += trains(4000, keys) + trains(3000, keys) + "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
	rows := "job,submit_s,accelerators,duration_s,priority\n"
	for i := range 12 {
		rows += fmt.Sprintf("%d,%v,%d,%d,%d\n", i, 13.7*float64(i), 4+i*7%16, 3+i%5, 1+i%2)
	}
	waits := "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\naccelerators = 24\npriority = -1\n"
	files := map[string]string{"jobs.csv": rows}
	for _, how := range []string{"suspend", "requeue"} {
		sets := []string{"scheduler.policy=priority", "scheduler.preemption=" + how}
		jumped := run(t, toml+strings.Replace(waits, "accelerators = 24\n", "accelerators = 24\nstart = \"1h\"\n", 1), files, sets...)
		stepped := run(t, toml+waits, files, sets...)
		for i := range 2 {
			for _, key := range []string{"time_to_train_s", "goodput_ratio", "reliability.time_s.lost_work", "reliability.time_s.waiting", "reliability.time_s.restart", "reliability.time_s.checkpoint"} {
				path := fmt.Sprintf("training.%d.%s", i, key)
				if a, b := number(t, jumped, path), number(t, stepped, path); !near(a, b, 1e-6) {
					t.Errorf("%s: %s is %v, iteration by iteration %v", how, path, a, b)
				}
			}
		}
		if n := number(t, stepped, "jobs.preemptions"); n < 8 {
			t.Errorf("%v preemptions", n)
		}
	}
}
