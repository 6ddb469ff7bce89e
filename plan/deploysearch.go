package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/workload/serving"
)

// deploying is a service being planned.
type deploying struct {
	*Service
	Options
	request  *Request
	kinds    []*kind
	scores   scenario.Quality
	poor     []scenario.Score // below the floor
	warnings []string

	telling sync.Mutex
	done    Progress
}

// kind is a kind of accelerator, and what was found on it.
type kind struct {
	*site     // of the catalogue's, what a host has of them is the most that a replica may have
	variants  []*variant
	prices    map[priced]float64
	best      *variant
	simulated int
	err       error
}

// priced is a number of hosts that a price is of, USD an hour.
type priced struct {
	*site
	hosts int
}

// limit is what a variant says of batches, in keys of a scenario.
type limit struct{ name, keys string }

// The limits that are looked at, the engine's own first: it is taken where others cost
// the same.
var (
	tokenLimits = []limit{
		{"the engine's", ""},
		{"max_batch 128", "max_batch = 128\n"},
		{"max_batch 32", "max_batch = 32\n"},
		{"chunked", "batching = \"chunked\"\n"},
	}
	passLimits = []limit{
		{"max_batch 32", ""},
		{"max_batch 256", "max_batch = 256\n"},
		{"max_batch 128", "max_batch = 128\n"},
		{"max_batch 8", "max_batch = 8\n"},
		{"max_batch 1", "max_batch = 1\n"},
	}
)

// variant is a way to deploy a model, with any number of replicas.
type variant struct {
	*kind
	scenario.Score // the model and its weights; no score without a table
	tensor         int
	limit

	place  *site               // where its replicas stand
	steps  *railyard.StepCache // which batches do not change
	each   int                 // replicas of a host
	refuse string              // why no number of replicas will do
	least  int                 // replicas that the work takes at the least
	floor  float64             // USD an hour of those
	runs   map[int]*trial
	holds  int // least number of replicas that does; 0: none was found
}

// trial is a deployment that was simulated.
type trial struct {
	hourly, million, use float64
	times                [3]float64 // to the first token, for each, to the last
	over                 float64    // by what part it misses what it misses the most; 0: it holds
	why                  string
}

func (v *variant) found() *trial { return v.runs[v.holds] }

// newDeploying finds the kinds and their variants.
func newDeploying(s *Service, o Options) (*deploying, error) {
	d := &deploying{Service: s, Options: o, request: s.request()}
	var err error
	if d.scores, err = s.quality(); err != nil {
		return nil, err
	}
	sites, warnings, err := d.request.sites()
	if err != nil {
		return nil, err
	}
	d.warnings = warnings
	for _, x := range sites {
		d.kinds = append(d.kinds, &kind{site: x, prices: map[priced]float64{}})
	}
	weights, err := d.weights()
	if err != nil {
		return nil, err
	}
	for _, k := range d.kinds {
		if err := d.spread(k, weights); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// weights are the models and formats to choose from.
func (d *deploying) weights() (all []scenario.Score, err error) {
	models := append([]string{d.Model}, d.Students...)
	if d.scores == nil {
		for _, q := range d.Quantizations {
			all = append(all, scenario.Score{Model: d.Model, Quantization: q, Sparsity: "none"})
		}
		return all, nil
	}
	for _, x := range d.scores {
		switch {
		case !slices.Contains(models, x.Model):
		case x.Score < d.Floor:
			d.poor = append(d.poor, x)
		default:
			all = append(all, x)
		}
	}
	if all == nil {
		return nil, &InfeasibleError{fmt.Sprintf("the table of quality has no score of %s that is %v or more", strings.Join(models, " or "), d.Floor)}
	}
	return all, nil
}

// degrees are the tensor-parallel degrees that are looked at.
var degrees = []int{1, 2, 4, 8, 16}

// spread lists the variants of a kind.
func (d *deploying) spread(k *kind, weights []scenario.Score) error {
	probe, err := d.request.parse(k.site, k.text, k.set)
	if err != nil {
		return err
	}
	places := map[int]*site{}
	for _, tensor := range degrees {
		if tensor > k.host.Accelerators || k.host.Accelerators%tensor != 0 {
			continue
		}
		if places[tensor], err = d.site(k, tensor); err != nil {
			return err
		}
	}
	for _, x := range weights {
		model, faults := probe.Model(x.Model)
		if faults != nil {
			return faults
		}
		most, limits := degrees[len(degrees)-1], tokenLimits
		if serving.Answers(model.Family) {
			most, limits = 1, passLimits
		}
		for _, tensor := range degrees {
			place := places[tensor]
			if place == nil || tensor > most {
				continue
			}
			steps := &railyard.StepCache{}
			for _, l := range limits {
				k.variants = append(k.variants, &variant{
					kind: k, Score: x, tensor: tensor, limit: l, place: place, each: place.host.Accelerators / tensor, steps: steps, runs: map[int]*trial{},
				})
			}
		}
	}
	return nil
}

// site is where replicas of so many accelerators stand: on hosts of the scenario, or of
// the catalogue's each on a host to itself.
func (d *deploying) site(k *kind, tensor int) (*site, error) {
	if k.name != "" {
		return k.site, nil
	}
	s := &site{accelerator: k.accelerator, file: "-", set: k.set}
	text := fmt.Sprintf("[topology]\nkind = \"rail\"\nhost = \"replica\"\nhosts = 1\n[topology.power]\n[topology.cost]\n[hosts.replica]\naccelerator = %q\naccelerators = %d\n", k.accelerator, tensor)
	probe, err := d.request.parse(s, []byte(text), s.set)
	if err != nil {
		return nil, err
	}
	host, faults := probe.Host("replica")
	if faults != nil {
		return nil, faults
	}
	if s.host = host; !d.Rent {
		text = strings.Replace(text, "[topology.cost]\n", facility(float64(host.Power)), 1)
	}
	s.text = []byte(text)
	return s, nil
}

// hosts is how many hold so many replicas.
func (v *variant) hosts(replicas int) int { return (replicas + v.each - 1) / v.each }

// most is how many replicas there may be.
func (d *deploying) most(v *variant) int {
	hosts := d.Most / v.place.host.Accelerators
	if v.place.most > 0 {
		hosts = min(hosts, v.place.most)
	}
	return hosts * v.each
}

// scenario is a deployment, ready to run, with so many requests of those that are drawn.
func (d *deploying) scenario(v *variant, replicas, requests int) (*railyard.Scenario, error) {
	set := slices.Concat(v.place.set, d.Set, []string{fmt.Sprintf("topology.hosts=%d", v.hosts(replicas))})
	parsed, faults := scenario.ParseWith(filepath.Join(d.Folder, "plan.toml"), v.place.text, "the plan", d.workload(v, replicas, requests), set)
	return parsed, faults.Err()
}

// workload is the text of a deployment: what it serves, and what it keeps to.
func (d *deploying) workload(v *variant, replicas, requests int) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("[[workload.serving]]\nmodel = %q\nreplicas = %d\nrouter = \"least-loaded\"", v.Model, replicas)
	if n := replicas * v.tensor; n < v.hosts(replicas)*v.place.host.Accelerators {
		line("accelerators = %d", n)
	}
	if v.tensor > 1 {
		line("tensor = %d", v.tensor)
	}
	if v.Quantization != "none" {
		line("quantization = %q", v.Quantization)
	}
	if v.Sparsity != "none" {
		line("sparsity = %q", v.Sparsity)
	}
	if v.Pruning > 0 {
		line("pruning = %v", v.Pruning)
	}
	if d.Quality != "" {
		line("quality = %q", d.from(d.Quality))
	}
	b.WriteString(v.keys)
	b.WriteString(d.demand(requests))
	line("[workload.serving.slo]")
	for _, o := range d.objectives() {
		line("%s = %q", o.key, o.limit)
	}
	expect := func(metric, op string, value float64) {
		line("[[expect]]\nmetric = \"serving.0.%s\"\nop = %q\nvalue = %v", metric, op, value)
	}
	for _, o := range d.objectives() {
		expect(o.metric+"."+d.At, "<=", o.most)
	}
	expect("rejected", "<=", 0)
	if d.Floor > 0 {
		expect("quality_score", ">=", d.Floor)
	}
	return b.String()
}

// run searches the kinds, several at a time.
func (d *deploying) run(ctx context.Context) error {
	work := make(chan *kind)
	var all sync.WaitGroup
	for range min(d.Workers, len(d.kinds)) {
		all.Go(func() {
			for k := range work {
				k.err = d.search(ctx, k)
			}
		})
	}
	for _, k := range d.kinds {
		work <- k
	}
	close(work)
	all.Wait()
	var errs []error
	for _, k := range d.kinds {
		errs = append(errs, k.err)
	}
	return cmp.Or(ctx.Err(), errors.Join(errs...))
}

// tell tells of one more deployment that is simulated.
func (d *deploying) tell() {
	if d.Progress == nil {
		return
	}
	d.telling.Lock()
	defer d.telling.Unlock()
	d.done.Simulated++
	d.Progress(d.done)
}

// search finds the cheapest deployment on a kind.
func (d *deploying) search(ctx context.Context, k *kind) error {
	for _, v := range k.variants {
		if err := d.bound(v); err != nil {
			return err
		}
	}
	order := slices.Clone(k.variants)
	slices.SortStableFunc(order, func(a, b *variant) int {
		return cmp.Or(cmp.Compare(a.floor, b.floor), cmp.Compare(b.Score.Score, a.Score.Score))
	})
	for _, v := range order {
		if v.refuse != "" {
			continue
		}
		if err := d.settle(ctx, v); err != nil {
			return err
		}
		if v.holds > 0 && (k.best == nil || v.found().hourly < k.best.found().hourly) {
			k.best = v
		}
	}
	return nil
}

// bound finds what a variant takes at the least, or why it cannot be.
func (d *deploying) bound(v *variant) error {
	refuse := func(text string) { v.refuse, v.floor = text, math.Inf(1) }
	built, err := d.scenario(v, 1, d.Count)
	if err != nil {
		return err
	}
	x, err := railyard.NewDeployment(built, v.steps)
	if faults, ok := errors.AsType[railyard.Faults](err); ok {
		refuse(strings.TrimPrefix(faults[0].Message, "workload.serving[0]: "))
		return nil
	} else if err != nil {
		return err
	}
	floor, err := x.Floor(shares[d.At])
	if err != nil {
		return err
	}
	alone := map[string]float64{"ttft_s": floor.First, "tpot_s": floor.Each, "e2e_s": floor.Whole}
	for _, o := range d.objectives() {
		if t := alone[o.metric] * (1 - slack); t > o.most {
			refuse(fmt.Sprintf("%s, %s, is %s for a request alone, more than %s", o.words, d.At, report.Seconds(alone[o.metric]), report.Seconds(o.most)))
			return nil
		}
	}
	v.least = 1
	if allowed := d.allowed(floor); allowed > 0 {
		v.least = max(1, int(math.Ceil(floor.Work*(1-slack)/(floor.Span+allowed))))
	}
	if most := d.most(v); v.least > most {
		refuse(fmt.Sprintf("the work of the requests takes %s replicas, and there is room for %s", report.Count(float64(v.least)), report.Count(float64(most))))
		return nil
	}
	v.floor, err = d.price(v, v.least)
	return err
}

// allowed is how long after the last arrival a request that keeps to the objectives has
// ended, in seconds; 0 if they do not say.
func (d *deploying) allowed(f railyard.Floor) float64 {
	switch {
	case d.Whole > 0:
		return d.Whole.Seconds()
	case d.First > 0 && d.Each > 0:
		return d.First.Seconds() + float64(f.Longest-1)*d.Each.Seconds()
	}
	return 0
}

// price is what so many replicas cost an hour at the least: without work.
func (d *deploying) price(v *variant, replicas int) (float64, error) {
	key := priced{v.place, v.hosts(replicas)}
	if price, ok := v.prices[key]; ok {
		return price, nil
	}
	built, err := d.scenario(v, replicas, 1)
	if err != nil {
		return 0, err
	}
	g, err := railyard.NewGround(built)
	if err != nil {
		return 0, err
	}
	r := g.Rates()
	const hour = 3600
	price := r.Cost(hour, r.Energy(0, hour, 0, 0))
	v.prices[key] = price
	return price, nil
}

// settle finds the least number of replicas of a variant that does, if it costs less
// than the best of the kind.
func (d *deploying) settle(ctx context.Context, v *variant) error {
	low, high := v.least-1, 0
	most := d.most(v)
	if v.best == nil {
		for n := v.least; high == 0; n = min(most, n+(n+1)/2) {
			x, err := d.try(ctx, v, n)
			switch {
			case err != nil:
				return err
			case x.over == 0:
				high = n
			case n == most:
				return nil
			default:
				low = n
			}
		}
	} else {
		n, err := d.cheaper(v, most, v.best.found().hourly)
		if err != nil || n < v.least {
			return err
		}
		x, err := d.try(ctx, v, n)
		if err != nil || x.over > 0 {
			return err
		}
		high = n
	}
	for low+1 < high {
		middle := (low + high) / 2
		x, err := d.try(ctx, v, middle)
		if err != nil {
			return err
		}
		if x.over == 0 {
			high = middle
		} else {
			low = middle
		}
	}
	v.holds = high
	return nil
}

// cheaper is the most replicas whose price is below another.
func (d *deploying) cheaper(v *variant, most int, than float64) (int, error) {
	low, high := 0, most+1 // the price of low is below, that of high is not
	for low+1 < high {
		middle := (low + high) / 2
		price, err := d.price(v, middle)
		if err != nil {
			return 0, err
		}
		if price < than*(1-1e-9) {
			low = middle
		} else {
			high = middle
		}
	}
	return low, nil
}

// screened is which part of the requests a deployment is simulated with first.
const screened = 5

// try simulates a deployment: with the first of the requests, and if not more of these
// miss an objective than may of all, with all. Later requests make those before them no
// faster.
func (d *deploying) try(ctx context.Context, v *variant, replicas int) (*trial, error) {
	if x := v.runs[replicas]; x != nil {
		return x, nil
	}
	v.kind.simulated++
	d.tell()
	x := &trial{}
	v.runs[replicas] = x
	if n := d.Count / screened; n > 0 {
		s, err := d.simulate(ctx, v, replicas, n, x)
		if err != nil || s == nil {
			return x, err
		}
		for i, ratio := range []result.Metric{result.SLOFirst, result.SLOEach, result.SLOWhole} {
			missing := (1 - s.Float(ratio.Name)) * float64(n)
			if allowed := (1 - shares[d.At]) * float64(d.Count); missing > allowed+1 {
				o := d.all()[i]
				x.miss(missing/allowed, "%s is more than %s for %s of the first %s requests", o.words, report.Seconds(o.most), report.Percent(missing/float64(n)), report.Count(float64(n)))
			}
		}
		if x.over > 0 {
			return x, nil
		}
	}
	s, err := d.simulate(ctx, v, replicas, d.Count, x)
	if err != nil || s == nil {
		return x, err
	}
	for i, o := range d.all() {
		x.times[i] = s.Record(o.metric).Float(d.At)
		if o.most > 0 && x.times[i] > o.most {
			x.miss(x.times[i]/o.most-1, "%s, %s, is %s, more than %s", o.words, d.At, report.Seconds(x.times[i]), report.Seconds(o.most))
		}
	}
	return x, nil
}

// simulate runs a deployment with so many requests, and notes what it costs; nil if it
// cannot be.
func (d *deploying) simulate(ctx context.Context, v *variant, replicas, requests int, x *trial) (*result.Record, error) {
	made, err := d.scenario(v, replicas, requests)
	if err != nil {
		return nil, err
	}
	r, err := railyard.Run(ctx, made, railyard.Options{SummaryOnly: true, NoPeak: true, StepCache: v.steps})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		x.miss(math.Inf(1), "%v", err)
		return nil, nil
	case r.Summary.Text(result.Status.Name) != "done":
		x.miss(math.Inf(1), "it does not end before the horizon")
		return nil, nil
	}
	s := r.Summary.List(result.Serving.Name)[0]
	if n := s.Float(result.RequestsRejected.Name); n > 0 {
		x.miss(n, "%s requests are longer than its cache or its context", report.Count(n))
	}
	cost := r.Summary.Record(result.Cost.Name)
	x.hourly, x.use = cost.Float(result.CostPerHour.Name), s.Float(result.ReplicaUse.Name)
	for _, job := range cost.List(result.CostJobs.Name) {
		x.million = job.Float(result.CostPerTokens.Name)
	}
	return s, nil
}

// miss notes by what part a trial misses something, if it is what it misses the most.
func (x *trial) miss(over float64, format string, args ...any) {
	if over > x.over {
		x.over, x.why = over, fmt.Sprintf(format, args...)
	}
}
