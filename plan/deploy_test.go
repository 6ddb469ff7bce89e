package plan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/units"
)

func duration(t testing.TB, text string) units.Duration {
	t.Helper()
	d, err := units.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// chat is a service whose every deployment can be simulated.
func chat(t testing.TB, change func(*Service)) Service {
	s := Service{
		Model: "llama-3.1-8b", Demand: Demand{Rate: 12, Input: "1000", Output: "100", Count: 100},
		Objectives:   Objectives{First: duration(t, "1s"), Each: duration(t, "25ms")},
		Accelerators: []string{"a100-sxm-80gb", "h100-sxm-80gb"}, Rent: true, Most: 4, Folder: t.TempDir(),
	}
	if change != nil {
		change(&s)
	}
	return s
}

func deployingOf(t testing.TB, s Service) *deploying {
	t.Helper()
	if err := s.validate(); err != nil {
		t.Fatal(err)
	}
	d, err := newDeploying(&s, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The cheapest deployment on each kind is that of simulating every number of replicas of
// every variant; nothing that the search leaves out would do, and cost less.
func TestDeployBruteForce(t *testing.T) {
	for name, change := range map[string]func(*Service){
		"rented": nil,
		"bought": func(s *Service) { s.Rent, s.Most = false, 3 },
		"patient": func(s *Service) {
			s.First, s.Each, s.Whole, s.At = 0, 0, duration(t, "2.5s"), "p90"
		},
		"texts": func(s *Service) { *s = chat(t, texts); s.Count = 2000 },
		"a site": func(s *Service) {
			s.Sites, s.Accelerators, s.Quantizations, s.Rental, s.Most = []string{"testdata/small.toml"}, nil, []string{"none"}, 1, 12
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, every := deployingOf(t, chat(t, change)), deployingOf(t, chat(t, change))
			if err := d.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i, k := range d.kinds {
				least := math.Inf(1)
				for _, v := range every.kinds[i].variants {
					for n := 1; n <= every.most(v); n++ {
						x := &trial{}
						if built, err := every.scenario(v, n, every.Count); err != nil {
							t.Fatal(err)
						} else if railyard.Check(built) != nil { // it does not fit
							break
						}
						s, err := every.simulate(t.Context(), v, n, every.Count, x)
						if err != nil {
							t.Fatal(err)
						}
						for _, o := range every.objectives() {
							if s != nil && s.Record(o.metric).Float(every.At) > o.most {
								x.over = 1
							}
						}
						if x.over == 0 {
							least = min(least, x.hourly)
						}
					}
				}
				got := math.Inf(1)
				if k.best != nil {
					got = k.best.found().hourly
				}
				if math.Abs(got/least-1) > 1e-9 {
					t.Errorf("%s: %v USD an hour, of all deployments the cheapest takes %v", k.label(), got, least)
				}
			}
		})
	}
}

func texts(s *Service) {
	s.Model, s.Demand, s.Objectives = "bert-large", Demand{Rate: 6000, Input: "120"}, Objectives{Whole: 4_000_000_000, At: "p99"} // 40 ms
	s.Quantizations = []string{"none", "int8"}
}

// What a request takes alone, and the work of all, is no more than a simulation finds.
func TestDeployFloor(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := chat(t, func(s *Service) {
			s.Demand = Demand{
				Rate: rapid.Float64Range(1, 40).Draw(r, "rate"), Count: rapid.IntRange(20, 80).Draw(r, "count"),
				Input:  fmt.Sprint(rapid.IntRange(10, 3000).Draw(r, "input")),
				Output: fmt.Sprintf("{ distribution = \"uniform\", min = 1, max = %d }", rapid.IntRange(1, 100).Draw(r, "output")),
			}
			s.At = rapid.SampledFrom([]string{"p50", "p90", "p99"}).Draw(r, "at")
		})
		d := deployingOf(t, s)
		k := rapid.SampledFrom(d.kinds).Draw(r, "kind")
		v := rapid.SampledFrom(k.variants).Draw(r, "variant")
		n := rapid.IntRange(1, 3).Draw(r, "replicas")
		built, err := d.scenario(v, n, d.Count)
		if err != nil {
			t.Fatal(err)
		}
		x, err := railyard.NewDeployment(built, nil)
		if err != nil {
			t.Fatal(err)
		}
		floor, err := x.Floor(shares[d.At])
		if err != nil {
			t.Fatal(err)
		}
		found := &trial{}
		record, err := d.simulate(context.Background(), v, n, d.Count, found)
		if err != nil {
			t.Fatal(err)
		}
		for i, alone := range []float64{floor.First, floor.Each, floor.Whole} {
			if took := record.Record(d.all()[i].metric).Float(d.At); took < alone*(1-slack) {
				r.Errorf("%s: %v s, alone %v", d.all()[i].words, took, alone)
			}
		}
		// All work is done between the first arrival and the last end.
		lasted := float64(d.Count) / record.Float("requests_per_s")
		if work := floor.Work * (1 - slack) / float64(n); work > lasted {
			r.Errorf("work of %v s on each of %d replicas, all of it took %v", floor.Work/float64(n), n, lasted)
		}
	})
}

// Each scenario of a plan holds what it expects, and one replica less does not.
func TestDeployConfirms(t *testing.T) {
	found, err := Deploy(t.Context(), chat(t, nil), Options{})
	if err != nil {
		t.Fatal(err)
	}
	points := found.Summary.List("deployments")
	if len(points) != 2 || len(found.Scenarios) != 2 {
		t.Fatalf("%d deployments", len(points))
	}
	for i, x := range found.Scenarios {
		confirm := func(replicas int) []string {
			s, err := railyard.Parse(x.Name, []byte(x.Text), fmt.Sprintf("workload.serving.0.replicas=%d", replicas))
			if err != nil {
				t.Fatal(err)
			}
			r, err := railyard.Run(t.Context(), s, railyard.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := r.Summary.Record("cost").Float("per_hour_USD"), points[i].Float("cost_per_hour_USD"); got != want {
				t.Errorf("%s costs %v an hour, the plan says %v", x.Name, got, want)
			}
			return r.Missed
		}
		n := int(points[i].Float("replicas"))
		if missed := confirm(n); missed != nil {
			t.Errorf("%s: %v", x.Name, missed)
		}
		if n > 1 {
			if missed := confirm(n - 1); missed == nil {
				t.Errorf("%s does with a replica less", x.Name)
			}
		}
		if len(points[i].List("alternatives")) < 3 {
			t.Errorf("%s: nothing is next to it", x.Name)
		}
	}
	if a, b := points[0].Float("cost_per_hour_USD"), points[1].Float("cost_per_hour_USD"); a > b {
		t.Errorf("the first costs %v, the second %v", a, b)
	}
}

// A lower floor lets a cheaper variant in, and no answer is below it.
func TestDeployQuality(t *testing.T) {
	cost := map[float64]float64{}
	for _, floor := range []float64{0.7, 0.8, 0.84} {
		found, err := Deploy(t.Context(), chat(t, func(s *Service) {
			s.Model, s.Students, s.Quality, s.Floor = "llama-3.1-70b", []string{"llama-3.1-8b"}, "testdata/quality.csv", floor
			s.Most, s.Each, s.Count, s.Accelerators = 16, duration(t, "60ms"), 60, []string{"h100-sxm-80gb"}
		}), Options{})
		if err != nil {
			t.Fatal(err)
		}
		x := found.Summary.List("deployments")[0]
		if score := x.Float("quality_score"); score < floor {
			t.Errorf("scores %v, the floor is %v", score, floor)
		}
		cost[floor] = x.Float("cost_per_hour_USD")
		for _, a := range x.List("alternatives") {
			if text := a.Text("reason"); floor > 0.8 && a.Text("change") == "llama-3.1-8b" && text != "scores 0.73, less than 0.84" {
				t.Errorf("the student: %s", text)
			}
		}
	}
	if cost[0.7] >= cost[0.8] || cost[0.8] > cost[0.84] {
		t.Errorf("costs by floor: %v", cost)
	}
}

func TestDeployRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Service)
		want   string
	}{
		{"no model", func(s *Service) { s.Model = "" }, "which model?"},
		{"no demand", func(s *Service) { s.Demand = Demand{} }, "give a rate or a file of requests"},
		{"two demands", func(s *Service) { s.File = "r.csv" }, "a file of requests contradicts a rate"},
		{"no objective", func(s *Service) { s.Objectives = Objectives{} }, "which objective?"},
		{"tokens alone", func(s *Service) { s.First = 0 }, "lets requests wait without end"},
		{"percentile", func(s *Service) { s.At = "p95" }, `percentile "p95" is unknown`},
		{"floor of nothing", func(s *Service) { s.Floor = 1 }, "a floor and students need a table of quality"},
		{"format", func(s *Service) { s.Quantizations = []string{"fp7"} }, `quantization "fp7" is unknown`},
		{"floor above all", func(s *Service) { s.Quality, s.Floor = "testdata/quality.csv", 0.99 }, "the table of quality has no score of llama-3.1-8b that is 0.99 or more"},
		{"no table", func(s *Service) { s.Quality = "testdata/none.csv" }, "cannot read"},
		{"unknown model", func(s *Service) { s.Model = "llama-4" }, "there is no model"},
		{"no file", func(s *Service) { s.Demand = Demand{File: "testdata/none.csv"} }, "none.csv"},
		{"too fast", func(s *Service) { s.Each = duration(t, "1ms") }, "for a request alone, more than 1.000 ms"},
		{"no room", func(s *Service) { s.Rate, s.Most, s.Count = 300, 2, 2000 }, "h100-sxm-80gb: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Deploy(t.Context(), chat(t, c.change), Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			var input *InputError
			var nothing *InfeasibleError
			var faults railyard.Faults
			if !errors.As(err, &input) && !errors.As(err, &nothing) && !errors.As(err, &faults) {
				t.Errorf("%T is no error of the input", err)
			}
		})
	}
}

// The number of workers does not change the answer.
func TestDeployWorkers(t *testing.T) {
	var texts []string
	for _, n := range []int{1, 3} {
		found, err := Deploy(t.Context(), chat(t, nil), Options{Workers: n})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found.Scenarios {
			texts = append(texts, x.Text)
		}
	}
	if !slices.Equal(texts[:len(texts)/2], texts[len(texts)/2:]) {
		t.Error("the answers differ")
	}
}

// BenchmarkDeploy plans chat with models of 8 and 70 billion parameters on four kinds.
func BenchmarkDeploy(b *testing.B) {
	for _, model := range []string{"llama-3.1-8b", "llama-3.1-70b"} {
		b.Run(model, func(b *testing.B) {
			for b.Loop() {
				s := Service{Model: model, Demand: Demand{Rate: 20, Input: "1000", Output: "300"}, Objectives: Objectives{First: duration(b, "1s"), Each: duration(b, "50ms")}}
				if _, err := Deploy(context.Background(), s, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
