package railyard_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/scheduler"
)

// TestEmbedding holds docs/howto/embed.md to the program in testdata/embed: its files are
// those of the text, and it prints what the text says.
func TestEmbedding(t *testing.T) {
	text, err := os.ReadFile("docs/howto/embed.md")
	if err != nil {
		t.Fatal(err)
	}
	for kind, file := range map[string]string{"go": "main.go", "toml": "lab.toml", "csv": "jobs.csv"} {
		want, err := os.ReadFile("testdata/embed/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if got := block(t, string(text), kind); got != string(want) {
			t.Errorf("the text's %s is\n%s\nand in testdata/embed it is\n%s", file, got, want)
		}
	}
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = "testdata/embed"
	var talk bytes.Buffer
	cmd.Stderr = &talk
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &talk)
	}
	if want, _ := strings.CutPrefix(block(t, string(text), "console"), "$ go run .\n"); string(got) != want {
		t.Errorf("it prints\n%s\nand the text says\n%s", got, want)
	}
}

// block is the first block of a kind in a text.
func block(t *testing.T, text, kind string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n```"+kind+"\n")
	body, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("no block of %s", kind)
	}
	return body
}

// last starts the job that came last, if nothing runs.
func last(t *scheduler.Turn) {
	jobs := t.Jobs()
	if !slices.ContainsFunc(jobs, func(j scheduler.State) bool { return j.Running }) {
		t.Start(jobs[len(jobs)-1].Number)
	}
}

// circle is the all-reduce by a ring, and nothing else.
func circle(op collective.Op, host []int) ([]collective.Round, error) {
	if op != collective.AllReduce {
		return nil, errors.New("it can only all_reduce")
	}
	n := len(host)
	step := collective.Round{Share: 1 / float64(n)}
	for r := range n {
		step.Sends = append(step.Sends, collective.Send{From: r, To: (r + 1) % n})
	}
	return slices.Repeat([]collective.Round{step}, 2*(n-1)), nil
}

var mine = railyard.Extensions{
	Policies:    map[string]scheduler.Decider{"last": last},
	Collectives: map[collective.Algorithm]collective.Own{"circle": circle},
}

// extended is run with extensions.
func extended(t *testing.T, x railyard.Extensions, toml string, set ...string) *railyard.Result {
	t.Helper()
	s, err := x.Parse("case.toml", []byte(toml), set...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A ring of one's own takes the time of the package's ring, at any fidelity, and loses as
// much to the same traffic.
func TestOwnCollective(t *testing.T) {
	const toml = `
[topology]
kind = "ring"
accelerators = 8
bandwidth = "10GB/s"
latency = "1us"
[[workload.collective]]
name = "it"
op = "all_reduce"
algorithm = "ring"
sizes = ["80MB"]
accelerators = 8
[[workload.collective]]
op = "all_gather"
algorithm = "ring"
sizes = ["800MB"]
accelerators = 8
shared = true
`
	for _, set := range [][]string{
		{"sim.fidelity=analytic"},
		{"sim.fidelity=fluid"},
		{"sim.fidelity=fluid", "workload.collective.0.expand=true"},
		{"sim.fidelity=packet", "workload.collective.0.sizes=[\"1MB\"]", "workload.collective.1.sizes=[\"2MB\"]"},
	} {
		want := extended(t, mine, toml, set...).Summary.List("collectives")[0]
		got := extended(t, mine, toml, append(set, "workload.collective.0.algorithm=circle")...).Summary.List("collectives")[0]
		if got.Text("algorithm") != "circle" {
			t.Errorf("%s: by %q", set, got.Text("algorithm"))
		}
		for _, metric := range []string{"time_s", "lost_to_others_s"} {
			// The package's ring has its 14 latencies at its beginning, and this one before
			// each round: what they leave to the other differs by no more.
			const latencies = 14e-6
			if g, w := got.Float(metric), want.Float(metric); math.Abs(g-w) > latencies+1e-9 {
				t.Errorf("%s: %s %v, and of the ring %v", set, metric, g, w)
			}
		}
	}
}

// Jobs go as the policy says: the last first, one at a time.
func TestOwnPolicy(t *testing.T) {
	const toml = `
[topology]
kind = "pool"
accelerators = 8
[[workload.jobs]]
file = "testdata/embed/jobs.csv"
[scheduler]
policy = "last"
decisions = true
`
	r := extended(t, mine, toml)
	starts := r.Table("jobs").Column("start_s").Numbers
	if want := []float64{180, 120, 60, 0}; !slices.Equal(starts, want) {
		t.Errorf("jobs start at %v, want %v", starts, want)
	}
	if got := r.Summary.Record("jobs").Text("policy"); got != "last" {
		t.Errorf("jobs under %q", got)
	}
	if why := r.Table("decisions").Column("reason").Text; !slices.Equal(why, slices.Repeat([]string{"chosen"}, 4)) {
		t.Errorf("for the reasons %q", why)
	}
}

// An unknown name is an error with a place, which lists those of the program too; and
// without the extensions theirs is unknown as well.
func TestOwnNames(t *testing.T) {
	const toml = "[topology]\nkind = \"ring\"\naccelerators = 4\nbandwidth = \"1GB/s\"\nlatency = \"0s\"\n" +
		"[[workload.collective]]\nop = \"broadcast\"\nsizes = [\"1MB\"]\nalgorithm = \"circel\"\n[scheduler]\npolicy = \"lats\"\n"
	right := []string{"workload.collective.0.algorithm=circle", "workload.collective.0.op=all_reduce", "scheduler.policy=last"}
	for _, c := range []struct {
		name string
		x    railyard.Extensions
		set  []string
		want []string // in what is wrong; none if nothing is
	}{
		{"both", mine, right, nil},
		{"misspelt", mine, nil, []string{
			`case.toml:9:13: workload.collective[0].algorithm: "circel" is unknown (did you mean "circle"?); one of: auto, ring,`, "pat, circle",
			`case.toml:11:10: scheduler.policy: "lats" is unknown`, "elastic, last",
		}},
		{"without", railyard.Extensions{}, right, []string{`"circle" is unknown`, `"last" is unknown`}},
		{"what it cannot do", mine, append(right[:1:1], right[2]), []string{"workload.collective[0].algorithm: circle of broadcast: it can only all_reduce"}},
		{"taken", railyard.Extensions{Policies: map[string]scheduler.Decider{"fifo": last}}, right, []string{`a policy of the program's own cannot be called "fifo"`}},
		{"taken", railyard.Extensions{Collectives: map[collective.Algorithm]collective.Own{"auto": circle}}, right, []string{`cannot be called "auto"`}},
		{"no name", railyard.Extensions{Policies: map[string]scheduler.Decider{"": last}}, right, []string{`cannot be called ""`}},
		{"quotas", mine, append(right, "scheduler.group=[{name=\"a\", quota=2}]"), []string{`which policy "last" does not keep`}},
	} {
		s, err := c.x.Parse("case.toml", []byte(toml), c.set...)
		if err == nil {
			err = railyard.Check(s)
		}
		switch _, isFaults := errors.AsType[railyard.Faults](err); {
		case c.want == nil && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != nil && !isFaults:
			t.Errorf("%s: %v are no faults", c.name, err)
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nlacks %s", c.name, err, want)
			}
		}
	}
}

// A policy that starts nothing is a run that cannot finish, not one that hangs.
func TestOwnPolicyThatDoesNothing(t *testing.T) {
	x := railyard.Extensions{Policies: map[string]scheduler.Decider{"idle": func(*scheduler.Turn) {}}}
	s, err := x.Parse("case.toml", []byte("[topology]\nkind = \"pool\"\naccelerators = 8\n[[workload.jobs]]\nfile = \"testdata/embed/jobs.csv\"\n[scheduler]\npolicy = \"idle\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := railyard.Run(context.Background(), s, railyard.Options{}); err == nil || !strings.Contains(err.Error(), "could not finish") {
		t.Errorf("it ends with %v", err)
	}
}

// Extensions may be used by several runs at a time, with the same results.
func TestOwnSideBySide(t *testing.T) {
	text, err := os.ReadFile("testdata/embed/lab.toml")
	if err != nil {
		t.Fatal(err)
	}
	x := railyard.Extensions{Policies: map[string]scheduler.Decider{"smallest": last}, Collectives: maps.Clone(mine.Collectives)}
	var all [4]string
	var wait sync.WaitGroup
	for i := range all {
		wait.Go(func() {
			s, err := x.Parse("testdata/embed/lab.toml", text, "workload.collective.0.algorithm=circle")
			if err != nil {
				t.Error(err)
				return
			}
			r, err := railyard.Run(context.Background(), s, railyard.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			line, _ := r.Summary.MarshalJSON()
			all[i] = string(line)
		})
	}
	wait.Wait()
	for _, one := range all[1:] {
		if one != all[0] {
			t.Errorf("one run gives\n%s\nanother\n%s", all[0], one)
		}
	}
}
