package record_test

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/internal/lab"
	"github.com/railyard/railyard/record"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
)

func recorded(t testing.TB, toml string, o record.Options) *railyard.Result {
	t.Helper()
	s, err := railyard.Parse("case.toml", []byte(toml))
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{Timeline: &o})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lasted sums up the slices of a track, by name.
func lasted(r *railyard.Result, process, track string) map[string]sim.Time {
	x, sums := r.Timeline, map[string]sim.Time{}
	for _, s := range x.Slices {
		k := x.Tracks[s.Track]
		if x.Processes[k.Process].Name == process && strings.HasPrefix(k.Name, track) {
			sums[x.Names[s.Name]] += s.To - s.From
		}
	}
	return sums
}

// TestTimelineOfTraining holds slices to what the tables say of the same run.
func TestTimelineOfTraining(t *testing.T) {
	r := recorded(t, lab.TwoStages, record.Options{})
	iterations := lasted(r, "jobs", "job")
	end := lab.Number(t, r, "makespan_s")
	if all := (iterations["iteration"] + iterations["iterations like the last"]).Seconds(); !lab.Near(all, end, 1e-12) {
		t.Errorf("iterations take %g s of %g", all, end)
	}
	if alike := iterations["iterations like the last"]; alike == 0 {
		t.Error("nothing says that iterations are jumped over")
	}
	// What is jumped over is not shown: 8 of 20 iterations are.
	compute := lasted(r, "host0 (rack0)", "acc0 compute")
	sum := (compute["forward"] + compute["backward"] + compute["optimizer"]).Seconds()
	if want := r.Table("accelerators").Column("compute_s").Numbers[0] * 8 / 20; !lab.Near(sum, want, 1e-9) {
		t.Errorf("acc0 computes for %g s in the timeline, %g s in the table", sum, want)
	}
	x := r.Timeline
	named := false
	for _, k := range x.Tracks {
		named = named || strings.HasSuffix(k.Name, "compute, 1 of 8 alike")
	}
	if !named {
		t.Errorf("no track says for how many accelerators it stands: %v", x.Tracks)
	}
	// In each of 8 iterations 4 micro-batches go forth and back between two stages.
	if want := 8 * 4 * 2; len(x.Arrows) != want {
		t.Errorf("%d messages, want %d", len(x.Arrows), want)
	}
	for _, a := range x.Arrows {
		from, to := x.Slices[a.From], x.Slices[a.To]
		if from.Track == to.Track || x.Names[from.Name] != "send" || x.Names[to.Name] != "receive" || from.From != to.From || from.To != to.To {
			t.Fatalf("an arrow from %v to %v", from, to)
		}
	}
}

// TestTimelineOfChosen shows those that were asked for, when it was asked for.
func TestTimelineOfChosen(t *testing.T) {
	whole := recorded(t, lab.TwoStages, record.Options{Accelerators: []int{0, 3, 8, 9999}})
	if len(whole.Warnings) != 1 || !strings.Contains(whole.Warnings[0], "accelerator 9999") {
		t.Errorf("warnings are %q", whole.Warnings)
	}
	for _, track := range []string{"acc0", "acc3"} {
		if got, want := lasted(whole, "host0 (rack0)", track+" compute"), lasted(whole, "host0 (rack0)", "acc0 compute"); got["forward"] != want["forward"] || got["forward"] == 0 {
			t.Errorf("%s computes %v, acc0 %v", track, got, want)
		}
	}
	if other := lasted(whole, "host0 (rack0)", "acc1 compute"); len(other) > 0 {
		t.Errorf("acc1 is shown: %v", other)
	}
	from, to := 100*sim.Millisecond, 120*sim.Millisecond
	part := recorded(t, lab.TwoStages, record.Options{Accelerators: []int{0}, From: from, To: to})
	inside := 0
	for _, s := range part.Timeline.Slices {
		if s.To < from || s.From > to {
			t.Fatalf("a slice from %v to %v", s.From, s.To)
		}
		if s.To-s.From < 20*sim.Millisecond {
			inside++
		}
	}
	if inside == 0 || len(part.Timeline.Slices) >= len(whole.Timeline.Slices)/10 {
		t.Errorf("%d slices of %d are in a window of 20 ms", len(part.Timeline.Slices), len(whole.Timeline.Slices))
	}
}

// TestTimelineChangesNothing has every sort of workload observed: summaries and tables
// are the same to the byte, and every slice lies within the run.
func TestTimelineChangesNothing(t *testing.T) {
	for name, toml := range map[string]string{
		"training": lab.TwoStages,
		"collective": `
[topology]
kind = "leaf-spine"
host = "dgx-h100"
hosts = 2

[[workload.collective]]
op = "all_reduce"
sizes = ["1MiB", "1GiB"]
iterations = 5
`,
		"serving": `
[topology]
kind = "single-host"
host = "dgx-h100"
hosts = 1

[[workload.serving]]
model = "llama-3.1-8b"
replicas = 2
tensor = 2
pipeline = 2
concurrency = 4
count = 20
input = 100
output = 20
`,
	} {
		t.Run(name, func(t *testing.T) {
			with, without := recorded(t, toml, record.Options{}), lab.Run(t, toml, nil)
			a, _ := json.Marshal(with.Summary)
			b, _ := json.Marshal(without.Summary)
			if string(a) != string(b) {
				t.Errorf("the summary is\n%s\nwithout a timeline\n%s", a, b)
			}
			end := sim.FromSeconds(lab.Number(t, without, "makespan_s"))
			for _, s := range with.Timeline.Slices {
				if s.From < 0 || s.To < s.From || s.To > end {
					t.Fatalf("a slice from %v to %v of %v", s.From, s.To, end)
				}
			}
			if len(with.Timeline.Slices) == 0 || len(with.Timeline.Counters) == 0 {
				t.Error("nothing is shown")
			}
			for _, k := range with.Timeline.Counters {
				for _, v := range k.Values {
					if math.IsNaN(v) {
						t.Fatalf("counter %s has no value", k.Name)
					}
				}
			}
		})
	}
}

// TestTimelineOfCollective has the time of a ring, which is known.
func TestTimelineOfCollective(t *testing.T) {
	r := recorded(t, "[topology]\nkind = \"ring\"\naccelerators = 4\nbandwidth = \"10GB/s\"\nlatency = \"1us\"\n\n[[workload.collective]]\nop = \"all_reduce\"\nalgorithm = \"ring\"\nsizes = [\"40MB\"]\n", record.Options{})
	x := r.Timeline
	// 2 x 3 steps of 10 MB at 10 GB/s and a microsecond.
	if s := x.Slices[0]; x.Names[s.Name] != "all_reduce" || s.From != 0 || s.To != 6*(sim.Millisecond+sim.Microsecond) {
		t.Errorf("the first slice is %v", s)
	}
	notes := map[string]result.Note{}
	for _, n := range x.Notes[x.Slices[0].Notes] {
		notes[n.Name] = n
	}
	if notes["bytes"].Number != 40e6 || notes["algorithm"].Text != "ring" || notes["ranks"].Number != 4 {
		t.Errorf("its notes are %v", notes)
	}
}

// TestTimelineOfAll shows every accelerator of 16.
func TestTimelineOfAll(t *testing.T) {
	r := recorded(t, lab.TwoStages, record.Options{All: true})
	n := 0
	for _, k := range r.Timeline.Tracks {
		if strings.Contains(k.Name, " compute") {
			n++
		}
	}
	if n != 16 {
		t.Errorf("%d accelerators compute in the timeline", n)
	}
	// Each of 8 ranks of a stage sends to the one at its place, as often as one does.
	if want := 8 * 64; len(r.Timeline.Arrows) != want {
		t.Errorf("%d messages, want %d", len(r.Timeline.Arrows), want)
	}
}

// TestTimelineOfJobs shows durations on the hosts that had them, and no longer than that.
func TestTimelineOfJobs(t *testing.T) {
	s := inFolder(t, map[string]string{
		"case.toml": "[topology]\nkind = \"rail\"\nhost = \"dgx-h100\"\nhosts = 2\n\n[[workload.jobs]]\nfile = \"jobs.csv\"\n",
		"jobs.csv":  "job,submit_s,accelerators,duration_s\nwide,0,16,10\nnarrow,1,4,5\n",
	})
	r, err := railyard.Run(context.Background(), s, railyard.Options{Timeline: &record.Options{}})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]map[string]sim.Time{
		"host0 (rack0)": {"wide": 10 * sim.Second, "narrow": 5 * sim.Second},
		"host1 (rack0)": {"wide": 10 * sim.Second},
	} {
		got := lasted(r, host, "jobs")
		if len(got) != len(want) || got["wide"] != want["wide"] || got["narrow"] != want["narrow"] {
			t.Errorf("%s has %v, want %v", host, got, want)
		}
	}
}

// TestTimelineOfFlows has two that follow each other, to and fro.
func TestTimelineOfFlows(t *testing.T) {
	s := inFolder(t, map[string]string{
		"case.toml": "[topology]\nkind = \"ring\"\naccelerators = 2\nbandwidth = \"1GB/s\"\nlatency = \"0s\"\n\n[[workload.flows]]\nfile = \"flows.csv\"\n",
		"flows.csv": "flow,start_s,bytes,src,dst,after\na,0,1e9,acc0,acc1,\nb,0,1e9,acc1,acc0,a\n",
	})
	r, err := railyard.Run(context.Background(), s, railyard.Options{Timeline: &record.Options{}})
	if err != nil {
		t.Fatal(err)
	}
	x := r.Timeline
	if len(x.Slices) != 4 || len(x.Arrows) != 2 {
		t.Fatalf("%d slices and %d arrows of two flows", len(x.Slices), len(x.Arrows))
	}
	for i, want := range []string{"acc0 sends", "acc1 sends"} {
		from := x.Slices[x.Arrows[i].From]
		if got := x.Tracks[from.Track].Name; got != want || from.From != sim.Time(i)*sim.Second || from.To != sim.Time(i+1)*sim.Second {
			t.Errorf("flow %d is on %s from %v to %v", i, got, from.From, from.To)
		}
	}
}

// TestTimelineIsBounded ends one that would be too long, and says when.
func TestTimelineIsBounded(t *testing.T) {
	r := recorded(t, lab.TwoStages, record.Options{Slices: 1000})
	if n := len(r.Timeline.Slices); n != 1000 {
		t.Errorf("%d slices", n)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "the timeline leaves out what began after") {
		t.Errorf("warnings are %q", r.Warnings)
	}
	for _, a := range r.Timeline.Arrows {
		if a.From < 0 || a.From >= 1000 || a.To < 0 || a.To >= 1000 {
			t.Fatalf("an arrow from slice %d to %d", a.From, a.To)
		}
	}
}

// TestTimelineOfFailures has all the time that failures took, as the summary has it, though
// iterations and checkpoints between them are jumped over.
func TestTimelineOfFailures(t *testing.T) {
	r := recorded(t, `
[sim]
horizon = "10d"

[topology]
kind = "rail"
host = "dgx-h100"
hosts = 4

[topology.storage]
write = "10GB/s"

[[topology.fault]]
kind = "host"
mtbf = "80h"
repair = "1h"

[[workload.training]]
name = "job"
model = "llama-3.1-8b"
tensor = 4
zero = 1
global_batch = 32
iterations = 1000000
checkpoint_interval = "1h"
`, record.Options{})
	got := lasted(r, "jobs", "job")
	for _, cause := range []string{"detection", "waiting", "restart", "reload"} {
		want := lab.Number(t, r, "training.0.reliability.time_s."+cause)
		if !lab.Near(got[cause].Seconds(), want, 1e-9) {
			t.Errorf("%s takes %v in the timeline, %g s in the summary", cause, got[cause], want)
		}
	}
}

// inFolder reads case.toml of some files.
func inFolder(t *testing.T, files map[string]string) *railyard.Scenario {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s, err := railyard.Load(filepath.Join(dir, "case.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// BenchmarkTimeline is what observing costs, and that nobody who does not ask pays.
func BenchmarkTimeline(b *testing.B) {
	s, err := railyard.Parse("case.toml", []byte(lab.TwoStages))
	if err != nil {
		b.Fatal(err)
	}
	for name, o := range map[string]*record.Options{"without": nil, "with": {}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := railyard.Run(context.Background(), s, railyard.Options{Timeline: o})
				if err != nil {
					b.Fatal(err)
				}
				if r.Timeline != nil {
					b.ReportMetric(float64(len(r.Timeline.Slices)), "slices")
				}
			}
		})
	}
}

// TestTimelineInFolder: what is made for a report lies in the folder, ends early without a
// warning, and changes nothing else there.
func TestTimelineInFolder(t *testing.T) {
	s, err := railyard.Load("../scenarios/quickstart.toml")
	if err != nil {
		t.Fatal(err)
	}
	read := func(o *record.Options) map[string]string {
		r, err := railyard.Run(t.Context(), s, railyard.Options{Timeline: o})
		if err != nil || len(r.Warnings) > 0 {
			t.Fatal(err, r.Warnings)
		}
		dir := t.TempDir()
		if err := railyard.Write(dir, s, r, report.Host{}); err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] = string(text)
		}
		delete(files, "manifest.json") // which lists the others
		return files
	}
	plain, with := read(nil), read(&record.Options{Slices: 100, Brief: true, InFolder: true})
	if with["timeline.json.gz"] == "" || plain["timeline.json.gz"] != "" {
		t.Errorf("timelines of %d and %d bytes", len(with["timeline.json.gz"]), len(plain["timeline.json.gz"]))
	}
	delete(with, "timeline.json.gz")
	if !maps.Equal(plain, with) {
		t.Error("a timeline changes results")
	}
}
