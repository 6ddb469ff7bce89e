package scheduler_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/units"
	"pgregory.net/rapid"
)

// rounds is a machine that notes for how long each job has had each type.
type rounds struct {
	queue *scheduler.Queue
	sizes []int
	free  []int // of each type
	on    []int // type of each job, -1 where it does not run
	had   [][]float64
	now   units.Duration
	again units.Duration // it is asked next
	err   error
}

func newRounds(types []int, lease units.Duration, jobs []scheduler.Job) *rounds {
	total := 0
	for _, n := range types {
		total += n
	}
	r := &rounds{queue: scheduler.NewQueue(scheduler.Policy{Name: "gavel", Types: types, Lease: lease}, total), free: slices.Clone(types)}
	for i, j := range jobs {
		r.queue.Add(j)
		r.sizes, r.on, r.had = append(r.sizes, j.Accelerators), append(r.on, -1), append(r.had, make([]float64, len(types)))
		r.queue.Arrive(i, 0)
	}
	return r
}

func (r *rounds) Start(job, accelerators, kind int) (float64, bool) {
	if kind == scheduler.AnyType && len(r.free) == 1 {
		kind = 0
	}
	if kind < 0 || r.on[job] >= 0 || accelerators != r.sizes[job] || r.free[kind] < accelerators {
		r.err = fmt.Errorf("at %v job %d starts on %d of type %d, of which of each are free %d; it runs on %d", r.now, job, accelerators, kind, r.free, r.on[job])
		return 0, false
	}
	r.on[job] = kind
	r.free[kind] -= accelerators
	return 1, true
}

func (r *rounds) Stop(job int) {
	r.free[r.on[job]] += r.sizes[job]
	r.on[job] = -1
}

// play decides for so long.
func (r *rounds) play(t interface{ Fatal(...any) }, long units.Duration) {
	for r.now < long {
		if r.now >= r.again {
			r.again = r.queue.Decide(r.now, r)
		}
		next := min(r.again, long)
		if r.err != nil {
			t.Fatal(r.err)
		}
		for job, kind := range r.on {
			if kind >= 0 {
				r.had[job][kind] += (next - r.now).Seconds()
			}
		}
		r.now = next
	}
}

// In rounds the jobs of the paper's example (section 4.1; see TestAllocatePaper) have of
// each type what they are due, 5/11, 5/11 and 1/11 of the V100 and 0, 1/11 and 10/11 of
// the K80, to within a round.
func TestGavelRounds(t *testing.T) {
	r := newRounds([]int{1, 1}, 10*second, []scheduler.Job{
		{Accelerators: 1, Speeds: []float64{40, 10}},
		{Accelerators: 1, Speeds: []float64{12, 4}},
		{Accelerators: 1, Speeds: []float64{100, 50}},
	})
	const n = 1100
	r.play(t, n*10*second)
	for job, want := range [][]float64{{500, 0}, {500, 100}, {100, 1000}} {
		for kind, due := range want {
			if got := r.had[job][kind] / 10; math.Abs(got-due) > 1 {
				t.Errorf("job %d has %v rounds of type %d, and is due %v", job, got, kind, due)
			}
		}
	}
}

// The slow type is left for the second of two jobs that are alike. When the first has
// ended, the second goes on on the fast one at the end of the round; alone it is asked no
// more.
func TestGavelMoves(t *testing.T) {
	var said []string
	r := newRounds([]int{1, 1}, 10*second, []scheduler.Job{
		{Accelerators: 1, Speeds: []float64{3, 1}},
		{Accelerators: 1, Speeds: []float64{3, 1}},
	})
	r.queue.Log = func(d scheduler.Decision) {
		said = append(said, fmt.Sprintf("%d: %s %d, %s", d.At/second, d.Action, d.Job, d.Reason))
	}
	r.queue.Decide(0, r)
	if r.on[0] != 0 || r.on[1] != 1 {
		t.Fatalf("they run on %v", r.on)
	}
	r.free[0], r.on[0] = 1, -1
	r.queue.Finish(0, 4*second)
	if again := r.queue.Decide(4*second, r); again != 10*second {
		t.Errorf("it is to be asked again at %v", again)
	}
	if again := r.queue.Decide(10*second, r); again != scheduler.Never || r.on[1] != 0 {
		t.Errorf("the second runs on %v, and again is %v", r.on[1], again)
	}
	if want := []string{"0: start 0, ahead", "0: start 1, ahead", "10: stop 1, moved", "10: start 1, ahead"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
}

// Whatever the jobs, each that can run does so, and accelerators that a job that waits
// could use are never idle. Jobs that are alike take turns: when many rounds have passed
// they have run for as long, to within what one round may be.
func TestGavelStarvesNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		types := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 3).Draw(t, "types")
		var jobs []scheduler.Job
		for range rapid.IntRange(1, 12).Draw(t, "jobs") {
			j := scheduler.Job{Accelerators: rapid.IntRange(1, slices.Max(types)).Draw(t, "gang")}
			for _, n := range types {
				speed := rapid.SampledFrom([]float64{0, 0.5, 1, 4}).Draw(t, "speed")
				if n == slices.Max(types) {
					speed = max(speed, 0.5) // it can run
				}
				j.Speeds = append(j.Speeds, speed)
			}
			jobs = append(jobs, j)
		}
		r := newRounds(types, second, jobs)
		for n := range 300 {
			r.play(t, units.Duration(n+1)*second)
			for job, on := range r.on {
				for kind, speed := range jobs[job].Speeds {
					if on < 0 && speed > 0 && jobs[job].Accelerators <= r.free[kind] {
						t.Fatalf("job %d waits, and %d of type %d are free", job, r.free[kind], kind)
					}
				}
			}
		}
		for job, had := range r.had {
			ran := 0.0
			for _, x := range had {
				ran += x
			}
			// Of one accelerator of its slowest type, or a twelfth of it, each is due at
			// least so much; gangs and whole rounds cost some.
			if ran < 300/float64(4*len(jobs)*slices.Max(types)) {
				t.Fatalf("job %d has run for %v of 300 s", job, ran)
			}
		}
	})
}

// A job that is never stopped keeps what it has, and the others share the rest.
func TestGavelFixed(t *testing.T) {
	r := newRounds([]int{2}, second, []scheduler.Job{{Accelerators: 1, Fixed: true}, {Accelerators: 1}, {Accelerators: 1}})
	r.queue.Decide(0, r)
	for range 100 {
		r.now += second
		r.queue.Decide(r.now, r)
		if r.on[0] != 0 {
			t.Fatal("the first does not run")
		}
		for job, kind := range r.on {
			if kind >= 0 {
				r.had[job][0]++
			}
		}
	}
	if r.had[1][0] != 50 || r.had[2][0] != 50 {
		t.Errorf("the others ran for %v and %v of 100 s", r.had[1][0], r.had[2][0])
	}
}
