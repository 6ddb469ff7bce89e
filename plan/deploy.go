package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload/serving"
)

// Service is a model to serve, to whom, and what it is to keep to.
type Service struct {
	Model    string   // of the catalogue, or of the scenarios
	Students []string // models that may take its place, by the table of quality

	Demand
	Objectives

	// Quantizations are the formats of weights to choose from, without a table of quality;
	// default none and fp8.
	Quantizations []string
	// Quality is a table of scores: of the model and its students those variants are
	// looked at that have one, of Floor or more.
	Quality string
	Floor   float64

	// Accelerators, Sites, Set and Rent are as in Request. Without sites each replica
	// has a host to itself, of as many accelerators as it takes.
	Accelerators []string
	Sites        []string
	Set          []string
	Rent         bool
	Rental       units.MoneyRate // of an accelerator; default the catalogue's of its kind
	Most         int             // accelerators of the hosts; default 1024

	Folder string // in which the scenarios will stand, for the files that they name; default the working folder
}

// Demand is the requests: a file of them, or Count at Rate. What --set says of
// workload.serving.0 holds beside it.
type Demand struct {
	File, Format  string
	Rate          float64 // a second
	Input, Output string  // as a scenario has them: "1000", or a table of a distribution
	Count         int     // default a minute's, from 1,000 to 3,000, or more if they come faster than waits end
}

// Objectives are the most that a percentile of times may be; 0 is any.
type Objectives struct {
	First, Each, Whole units.Duration // to the first token, for each, to the last
	At                 string         // p50, p90 or p99, the default
}

var shares = map[string]float64{"p50": 0.5, "p90": 0.9, "p99": 0.99}

// What a service takes where it does not say.
const (
	leastRequests = 1000
	someRequests  = 3000
	mostRequests  = 1 << 18
	minute        = 60 // s
	// Requests come for so many times as long as one may wait: a queue that grows by a
	// twentieth of that time is noticed.
	waits = 20
)

// validate reports everything that is wrong with a service itself, and fills in its
// defaults.
func (s *Service) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Model == "" {
		bad("which model? none is given")
	}
	switch {
	case s.File == "" && s.Rate == 0:
		bad("which demand? give a rate or a file of requests")
	case s.File != "" && (s.Rate != 0 || s.Input != "" || s.Output != "" || s.Count != 0):
		bad("a file of requests contradicts a rate, a count and lengths")
	}
	for _, v := range []float64{s.Rate, s.Floor, float64(s.Rental)} {
		if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			bad("a rate, floor or rent cannot be %v", v)
		}
	}
	if s.Count < 0 || s.Most < 0 {
		bad("a count cannot be below 0")
	}
	if s.First == 0 && s.Each == 0 && s.Whole == 0 {
		bad("which objective? give a time to first token, for each token or to the last")
	}
	if s.At = cmp.Or(s.At, "p99"); shares[s.At] == 0 {
		bad("percentile %q is unknown: p50, p90 or p99", s.At)
	}
	if s.Quality == "" && (s.Floor > 0 || s.Students != nil) {
		bad("a floor and students need a table of quality")
	}
	if s.Quality != "" && s.Quantizations != nil {
		bad("quantizations contradict a table of quality, which has those to choose from")
	}
	for _, q := range s.Quantizations {
		if _, ok := serving.ParseFormat(q); !ok {
			bad("quantization %q is unknown: none, fp8, int8, fp4 or int4", q)
		}
	}
	if s.Quantizations == nil {
		s.Quantizations = []string{"none", "fp8"}
	}
	if s.First == 0 && s.Whole == 0 && s.Each > 0 {
		bad("a time for each token alone lets requests wait without end: give one to the first or to the last, too")
	}
	if s.Rate > 0 && s.Count == 0 {
		wait := s.First
		if wait == 0 || s.Whole > 0 && s.Whole < wait {
			wait = s.Whole
		}
		s.Count = int(min(max(leastRequests, min(minute*s.Rate, someRequests), waits*wait.Seconds()*s.Rate), mostRequests))
	}
	if s.Most = cmp.Or(s.Most, defaultAccelerators); s.Most > scenarioMost {
		bad("%d accelerators are more than can be simulated, %d", s.Most, scenarioMost)
	}
	if errs == nil {
		return nil
	}
	return &InputError{errors.Join(errs...)}
}

// Deploy finds the cheapest deployment on each kind of accelerator that keeps to the
// objectives: model or student, tensor-parallel degree, format of the weights, limits of
// batches, and replicas. Errors are as those of Find.
//
// The variants of a kind, all of these but replicas, are looked at in the order of what
// they cost at the least: as many replicas as the work of the requests takes if nothing is
// lost ([railyard.Deployment.Floor]). One whose requests would miss an objective alone is
// out. Any other is simulated with the most replicas that cost less than the best so far;
// if that does not do, it is out, too, and else the least number that does is found by
// halving. That more replicas are no worse is taken for granted, and tested, not proven.
func Deploy(ctx context.Context, s Service, o Options) (*Plan, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	d, err := newDeploying(&s, o)
	if err != nil {
		return nil, err
	}
	if err := d.run(ctx); err != nil {
		return nil, err
	}
	return d.report(ctx)
}

// request is the service as far as it is about where.
func (s *Service) request() *Request {
	r := &Request{Model: s.Model, Accelerators: s.Accelerators, Sites: s.Sites, Rent: s.Rent, Rate: s.Rental, Precision: "bf16", Folder: s.Folder}
	for _, set := range s.Set {
		if !strings.HasPrefix(set, "workload.") {
			r.Set = append(r.Set, set)
		}
	}
	return r
}

// demand is the requests as a scenario has them, of those that are drawn so many.
func (s *Service) demand(requests int) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if s.File != "" {
		line("requests = %q", s.from(s.File))
		if s.Format != "" {
			line("format = %q", s.Format)
		}
		return b.String()
	}
	line("rate = %s\ncount = %d", decimal(s.Rate), requests)
	for _, l := range []struct{ key, text string }{{"input", s.Input}, {"output", s.Output}} {
		if l.text != "" {
			line("%s = %s", l.key, l.text)
		}
	}
	return b.String()
}

// decimal is a number with a point, as TOML tells them from integers.
func decimal(v float64) string {
	text := fmt.Sprint(v)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// from names a file as seen from where the scenarios will stand.
func (s *Service) from(file string) string {
	to, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	if from, err := filepath.Abs(s.Folder); err == nil {
		if short, err := filepath.Rel(from, to); err == nil {
			return filepath.ToSlash(short)
		}
	}
	return to
}

// objective is the most that a time may be, in seconds; 0: any.
type objective struct {
	metric, key, words string
	limit              units.Duration
	most               float64
}

// all are the objectives, whether they were given or not.
func (s *Service) all() []objective {
	all := []objective{
		{metric: "ttft_s", key: "ttft", words: "time to first token", limit: s.First},
		{metric: "tpot_s", key: "tpot", words: "time per token", limit: s.Each},
		{metric: "e2e_s", key: "e2e", words: "time to the last token", limit: s.Whole},
	}
	for i := range all {
		all[i].most = all[i].limit.Seconds()
	}
	return all
}

// objectives are those that were given.
func (s *Service) objectives() []objective {
	return slices.DeleteFunc(s.all(), func(o objective) bool { return o.most == 0 })
}

// quality reads the table of scores, nil if there is none.
func (s *Service) quality() (scenario.Quality, error) {
	if s.Quality == "" {
		return nil, nil
	}
	all, faults := scenario.OpenQuality(s.Quality)
	return all, faults.Err()
}
