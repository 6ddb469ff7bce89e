package plan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/units"
)

// small is a request whose every choice can be simulated.
func small(change func(*Request)) Request {
	r := Request{Model: "small", Tokens: 1e9, GlobalBatch: 24, Sites: []string{"testdata/small.toml"}, Folder: "testdata"}
	if change != nil {
		change(&r)
	}
	return r
}

// searched is a search before it runs.
func searched(t testing.TB, r Request) *search {
	t.Helper()
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := newSearch(context.Background(), &r, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBruteForce simulates every choice, and holds the front to those that no other
// dominates.
func TestBruteForce(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"bought": func(r *Request) { r.Set = []string{"topology.cost.rack=100000USD"} },
		"rented": func(r *Request) { r.Rent, r.Rate = true, 2 },
		"two": func(r *Request) {
			r.Limits.Accelerators = 8
			r.Accelerators = []string{"a100-sxm-80gb", "v100-sxm2-32gb"}
			r.Precision = "fp16"
		},
		"deadline": func(r *Request) { r.Deadline, _ = units.DurationOf(6000) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := searched(t, small(change))
			if err := s.run(context.Background()); err != nil {
				t.Fatal(err)
			}
			every := searched(t, small(change))
			var best []*candidate
			for _, c := range every.all {
				if err := every.simulate(context.Background(), c); err != nil {
					t.Fatal(err)
				}
				if c.refuse == "" {
					best = append(best, c)
				}
			}
			best = front(best)
			values := func(all []*candidate) (found []value) {
				for _, c := range all {
					found = append(found, c.value)
				}
				return found
			}
			if got, want := values(s.front), values(best); !slices.Equal(got, want) {
				t.Errorf("the front has\n%v\nof all %d choices these are best\n%v", got, len(every.all), want)
			}
			if p := s.progress(0); p.Simulated >= len(s.all)/2 {
				t.Errorf("%d of %d choices were simulated: nothing is ruled out", p.Simulated, len(s.all))
			}
		})
	}
}

// TestBounds holds bounds of random choices to what they bound.
func TestBounds(t *testing.T) {
	sites := map[string]*search{}
	for _, model := range []string{"small", "tiny"} {
		for _, over := range []string{"1.0", "8.0"} {
			for _, scaleUp := range []string{"switch", "ring"} {
				sites[model+over+scaleUp] = searched(t, small(func(r *Request) {
					r.Model, r.Set = model, []string{"topology.oversubscription=" + over, "hosts.node.scale_up=" + scaleUp}
				}))
			}
		}
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range sites {
			if !yield(name) {
				return
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		s := sites[rapid.SampledFrom(names).Draw(t, "site")]
		c := *rapid.SampledFrom(s.all).Draw(t, "candidate")
		first := c.value
		if err := s.try(context.Background(), c.ground, []*candidate{&c}); err != nil || c.refuse != "" {
			t.Fatal(err, c.refuse)
		}
		if !first.covers(c.alone) {
			t.Errorf("%v: computing alone takes %v, without contention it is %v", c.choice, first, c.alone)
		}
		second := c.value
		if err := s.simulate(context.Background(), &c); err != nil || c.refuse != "" {
			t.Fatal(err, c.refuse)
		}
		if !second.covers(c.value) {
			t.Errorf("%v: without contention it takes %v, with it %v", c.choice, second, c.value)
		}
	})
}

// TestFront holds the points of a plan to each other, to the limits, and to runs of their
// scenarios, which must take exactly what the plan says.
func TestFront(t *testing.T) {
	r := Request{Model: "llama-2-7b", Tokens: 20e9, Accelerators: []string{"a100-sxm-80gb", "h100-sxm-80gb"}, Folder: t.TempDir()}
	r.Limits.Accelerators = 48
	r.Power, r.Deadline = 60e3, 1e11*86400*40
	p, err := Find(context.Background(), r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	points := p.Summary.List(result.PlanPoints.Name)
	if len(points) < 2 {
		t.Fatalf("%d points", len(points))
	}
	of := func(x *result.Record) value {
		return value{x.Float("time_s"), x.Float("cost_USD"), x.Float("energy_J")}
	}
	for i, x := range points {
		for k, y := range points {
			if i != k && of(y).covers(of(x)) {
				t.Errorf("point %d is dominated by point %d", i+1, k+1)
			}
		}
		if x.Float("accelerators") > 48 || x.Float("power_W") > 60e3 || x.Float("time_s") > 40*86400 {
			t.Errorf("point %d breaks a limit", i+1)
		}
		s, err := railyard.Parse("-", []byte(p.Scenarios[i].Text))
		if err != nil {
			t.Fatal(err)
		}
		found, err := railyard.Run(context.Background(), s, railyard.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for metric, path := range map[string]string{
			"time_s": "training.0.time_to_train_s", "cost_USD": "cost.total_USD", "energy_J": "energy.total_J",
			"memory_per_accelerator_bytes": "training.0.memory_per_accelerator_bytes", "accelerators": "cluster.accelerators",
		} {
			if got, err := found.Summary.Lookup(path); err != nil || got != x.Float(metric) {
				t.Errorf("point %d: its run has %s %v, the plan %v (%v)", i+1, path, got, x.Float(metric), err)
			}
		}
		if peak, _ := found.Summary.Lookup("energy.peak_power_W"); peak > x.Float("power_W") {
			t.Errorf("point %d draws %v W, more than %v", i+1, peak, x.Float("power_W"))
		}
		if len(x.List("alternatives")) == 0 {
			t.Errorf("point %d has nothing next to it", i+1)
		}
	}
}

// TestWorkers wants the same plan of any number of workers.
func TestWorkers(t *testing.T) {
	var plans []string
	for _, workers := range []int{1, 3} {
		p, err := Find(context.Background(), small(nil), Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(p.Summary)
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, string(text)+fmt.Sprint(p.Scenarios))
	}
	if plans[0] != plans[1] {
		t.Errorf("one worker finds\n%s\nthree find\n%s", plans[0], plans[1])
	}
}

// TestReasons wants that every neighbour of a point is explained, and in the words that
// the change calls for.
func TestReasons(t *testing.T) {
	p, err := Find(context.Background(), small(func(r *Request) { r.Accelerators = []string{"a100-sxm-40gb", "v100-sxm2-32gb"}; r.Precision = "fp16" }), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, x := range p.Summary.List("points") {
		seen := map[string]bool{}
		for _, a := range x.List("alternatives") {
			change, reason := a.Text("change"), a.Text("reason")
			if change == "" || reason == "" || reason == "the same" {
				t.Errorf("point %v: %q: %q", x.Float("point"), change, reason)
			}
			if seen[change] {
				t.Errorf("point %v: %q twice", x.Float("point"), change)
			}
			seen[change] = true
			all = append(all, change+": "+reason)
		}
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{" slower", "communication of activations between tensor-parallel ranks", " cheaper"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %q:\n%s", want, text)
		}
	}
	lost := p.Summary.List("kinds_without_points")
	if len(lost) != 1 || !strings.HasPrefix(lost[0].Text("accelerator"), "v100") || !strings.Contains(lost[0].Text("reason"), "slower") {
		t.Errorf("lost: %v", lost)
	}
	var b strings.Builder
	if err := report.Plan(&b, p.Summary); err != nil || !strings.Contains(b.String(), "next to point 1, the fastest") {
		t.Error(b.String(), err)
	}
}

func TestFaults(t *testing.T) {
	input, infeasible := new(InputError), new(InfeasibleError)
	faults := railyard.Faults{}
	for _, c := range []struct {
		name   string
		change func(*Request)
		as     any
		want   string
	}{
		{"model", func(r *Request) { r.Model = "smal" }, &faults, `there is no model "smal" (did you mean "small"?)`},
		{"no model", func(r *Request) { r.Model = "" }, &input, "which model?"},
		{"accelerator", func(r *Request) { r.Accelerators = []string{"a100-sxm-80g"} }, &faults, `there is no accelerator "a100-sxm-80g" (did you mean "a100-sxm-80gb"?)`},
		{"tokens and samples", func(r *Request) { r.Samples = 1 }, &input, "contradict"},
		{"rent and purchase", func(r *Request) { r.Rent, r.Purchase = true, 1e6 }, &input, "contradicts renting"},
		{"precision", func(r *Request) { r.Precision = "fp17" }, &input, "fp17"},
		{"too few", func(r *Request) { r.Limits.Accelerators = 3 }, &infeasible, "one host of a100-sxm-40gb at small has 4 accelerators, more than 3"},
		{"rent unknown", func(r *Request) { r.Rent = true; r.Accelerators = []string{"v100-sxm2-32gb"} }, &input, "nobody says what v100-sxm2-32gb at small is rented for"},
		{"set", func(r *Request) { r.Set = []string{"topology.cost.tarif=1"} }, &faults, "tarif"},
		{"no scenario", func(r *Request) { r.Sites = []string{"testdata/none.toml"} }, &faults, "cannot read"},
		{"power", func(r *Request) { r.Power = 1000 }, &infeasible, "draws"},
		{"racks", func(r *Request) { r.Racks = 1; r.Power = 1e3 }, &infeasible, "draws"},
		{"deadline", func(r *Request) { r.Deadline = 1e11 * 60 }, &infeasible, "more than 60"},
		{"budget", func(r *Request) { r.Budget = 1 }, &infeasible, "more than 1.000 USD"},
		{"memory", func(r *Request) { r.Set = []string{"models.small.hidden=65536"} }, &infeasible, "does not fit: "},
		{"no bf16", func(r *Request) { r.Accelerators = []string{"v100-sxm2-32gb"} }, &infeasible, "has no bf16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Find(context.Background(), small(c.change), Options{})
			if err == nil || !errors.As(err, c.as) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%T %v, want %v with %q", err, err, reflect.TypeOf(c.as).Elem(), c.want)
			}
		})
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Find(stopped, small(nil), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Of two sites the dearer power has no point, and a site has no more hosts than it says.
func TestSites(t *testing.T) {
	r := small(func(r *Request) { r.Sites = append(r.Sites, "testdata/small.toml") })
	s := searched(t, r)
	if len(s.sites) != 2 || s.sites[0].most != 3 {
		t.Fatalf("%d sites, at most %d hosts", len(s.sites), s.sites[0].most)
	}
	for _, g := range s.grounds {
		if g.hosts > 3 {
			t.Errorf("%d hosts where there are 3", g.hosts)
		}
	}
}

func Example() {
	deadline, _ := units.ParseDuration("30d")
	p, err := Find(context.Background(), Request{
		Model: "llama-2-7b", Tokens: 20e9, Accelerators: []string{"h100-sxm-80gb"},
		Limits: Limits{Accelerators: 16, Deadline: deadline},
	}, Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range p.Summary.List(result.PlanPoints.Name) {
		fmt.Printf("%v accelerators, tensor %v: %s, %s\n", x.Get("accelerators_used"), x.Get("tensor"),
			report.Seconds(x.Float("time_s")), report.Prefixed(x.Float("cost_USD"), "USD"))
	}
	// Output:
	// 16 accelerators, tensor 1: 28.79 h, 532.7 USD
	// 16 accelerators, tensor 1: 28.81 h, 533.0 USD
	// 8 accelerators, tensor 1: 57.40 h, 559.9 USD
}

// BenchmarkPlan is the search for Llama 2 70B, 2 T tokens, 30 days, at most 2,048
// accelerators, on two workers.
func BenchmarkPlan(b *testing.B) {
	deadline, _ := units.ParseDuration("30d")
	for b.Loop() {
		p, err := Find(context.Background(), Request{
			Model: "llama-2-70b", Tokens: 2e12, Limits: Limits{Accelerators: 2048, Deadline: deadline},
		}, Options{Workers: 2})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(p.Scenarios)), "points")
	}
}
