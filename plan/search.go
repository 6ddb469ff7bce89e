package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// search is a request being answered.
type search struct {
	*Request
	Options
	base     workload.Training // what all choices have in common
	sites    []*site
	grounds  []*ground
	all      []*candidate // that fit in memory
	front    []*candidate // of those simulated
	warnings []string

	considered int     // choices, whether they fit in memory or not
	leastOver  *misfit // of those that do not
}

// misfit is a choice that does not fit in memory.
type misfit struct {
	site   *site
	choice choice
	over   int64 // bytes
}

// maxChoices bounds the choices that fit in memory, and so the memory that they take.
const maxChoices = 1 << 21

// newSearch finds the choices and their bounds.
func newSearch(ctx context.Context, r *Request, o Options) (*search, error) {
	s := &search{Request: r, Options: o}
	var err error
	if s.sites, s.warnings, err = r.sites(); err != nil {
		return nil, err
	}
	if err := s.complete(); err != nil {
		return nil, err
	}
	for _, site := range s.sites {
		s.spread(site)
	}
	if len(s.all) > maxChoices {
		return nil, &InputError{fmt.Errorf("there are more choices than can be searched, %d: fewer accelerators leave fewer", maxChoices)}
	}
	return s, s.each(ctx, s.grounds, func(g *ground) error { return s.prepare(g) })
}

// complete finds the model, and what depends on it.
func (s *search) complete() error {
	r := s.Request
	probe, err := r.ground(s.sites[0], 1, fmt.Sprintf("[[workload.training]]\nmodel = %q\nglobal_batch = 1\n", r.Model))
	if err != nil {
		return err
	}
	model, faults := probe.Model(r.Model)
	if faults != nil {
		return faults
	}
	t := workload.Training{Model: model, Sequence: int(r.Sequence)}
	t.Precision, _ = topology.ParsePrecision(r.Precision)
	t.Sequence = t.WithDefaults().Sequence
	sequences := t.Sequence > 1
	if r.GlobalBatch == 0 {
		r.GlobalBatch = probe.Batch(r.Model)
	}
	if r.GlobalBatch == 0 && sequences {
		r.GlobalBatch = max(1, defaultBatchTokens/int64(t.Sequence))
		s.warnings = append(s.warnings, fmt.Sprintf("nobody says with which batch %s was trained: it is given %d sequences, 4 Mi tokens", r.Model, r.GlobalBatch))
	}
	switch {
	case r.GlobalBatch == 0:
		return &InputError{fmt.Errorf("nobody says with which batch %s was trained: give one", r.Model)}
	case r.Tokens > 0 && !sequences:
		return &InputError{fmt.Errorf("%s has no tokens: say how many samples to train", r.Model)}
	case r.Tokens == 0 && r.Samples == 0 && !sequences:
		return &InputError{fmt.Errorf("say how many samples to train %s on", r.Model)}
	case r.Tokens == 0 && r.Samples == 0:
		r.Tokens = tokensPerParameter * model.Parameters()
	}
	t.GlobalBatch = int(r.GlobalBatch)
	s.base, r.Sequence = t, int64(t.Sequence)
	if err := (choice{1, 1, 1, 1, 1, 1, 1, 0}).of(t, workload.RecomputeNone).Validate(); err != nil {
		return &InputError{err}
	}
	return nil
}

// spread finds the choices on the hosts of a site that fit in memory.
func (s *search) spread(site *site) {
	each := site.host.Accelerators
	most := s.Limits.Accelerators / each
	if site.most > 0 {
		most = min(most, site.most)
	}
	shapes := newShapes(s.base, &site.host)
	found := map[int]*ground{}
	if site.host.Accelerator.Peak[s.base.Precision] == 0 {
		return
	}
	space(s.base, each, most*each, func(c choice) {
		if len(s.all) > maxChoices {
			return
		}
		recompute, over := shapes.fit(c, int64(site.host.Accelerator.Memory))
		switch {
		case over < 0: // it cannot be
			return
		case over > 0:
			s.considered++
			if s.leastOver == nil || over < s.leastOver.over {
				s.leastOver = &misfit{site, c, over}
			}
			return
		}
		s.considered++
		hosts := (c.ranks() + each - 1) / each
		g := found[hosts]
		if g == nil {
			g = &ground{site: site, hosts: hosts}
			found[hosts] = g
			s.grounds = append(s.grounds, g)
		}
		x := &candidate{choice: c, ground: g, number: len(s.all), recompute: recompute, u: shapes.of(c, recompute)}
		s.all = append(s.all, x)
		g.candidates = append(g.candidates, x)
	})
}

// prepare finds what a ground costs and draws, and so the bounds of its candidates.
func (s *search) prepare(g *ground) error {
	built, err := s.build(g)
	if err != nil {
		if faults, ok := errors.AsType[railyard.Faults](err); ok {
			g.refuse, g.over = "cannot be built: "+faults[0].Message, math.Inf(1)
			for _, c := range g.candidates {
				c.refuse = g.refuse
			}
			return nil
		}
		return err
	}
	g.rates = built.Rates()
	see := func(what string, has, limit float64, show func(float64) string) {
		if limit > 0 && has > limit && has/limit-1 > g.over {
			g.over = has/limit - 1
			g.refuse = fmt.Sprintf("%s %s, %.1f %% more than %s", what, show(has), 100*g.over, show(limit))
		}
	}
	see("fills racks:", float64(g.rates.Racks), float64(s.Racks), report.Count)
	see("draws", g.rates.Power, float64(s.Power), func(v float64) string { return report.Prefixed(v, "W") })
	see("costs to buy", g.rates.Purchase, float64(s.Purchase), money)
	for _, c := range g.candidates {
		time, compute, exchange := floor(s.training(c), c.u)
		c.value = c.take(s.iterations(), time, compute, exchange).lowered()
		c.refuse = g.refuse
	}
	return nil
}

// build is the data centre of a ground.
func (s *search) build(g *ground) (*railyard.Ground, error) {
	built, err := s.ground(g.site, g.hosts, fmt.Sprintf("[[workload.training]]\nmodel = %q\nglobal_batch = 1\n", s.Model))
	if err != nil {
		return nil, err
	}
	return railyard.NewGround(built)
}

// each calls a function with every ground, several at a time.
func (s *search) each(ctx context.Context, grounds []*ground, do func(*ground) error) error {
	work := make(chan *ground)
	failed := make([]error, min(s.Workers, len(grounds)))
	var all sync.WaitGroup
	for i := range failed {
		all.Go(func() {
			for g := range work {
				if failed[i] == nil {
					failed[i] = do(g)
				}
			}
		})
	}
	for _, g := range grounds {
		if ctx.Err() != nil {
			break
		}
		work <- g
	}
	close(work)
	all.Wait()
	return cmp.Or(ctx.Err(), errors.Join(failed...))
}

// perRound is how many choices of a ground a round tries.
const perRound = 8

// run goes on until nothing is left that may be on the front.
func (s *search) run(ctx context.Context) error {
	for {
		left, busy := 0, []*ground(nil)
		for _, g := range s.grounds {
			g.candidates = slices.DeleteFunc(g.candidates, s.hopeless)
			slices.SortFunc(g.candidates, func(a, b *candidate) int {
				return cmp.Or(cmp.Compare(a.value.size(), b.value.size()), cmp.Compare(a.number, b.number))
			})
			if len(g.candidates) > 0 {
				busy = append(busy, g)
				left += len(g.candidates)
			}
		}
		if s.Progress != nil {
			s.Progress(s.progress(left))
		}
		if left == 0 {
			return nil
		}
		if err := s.each(ctx, busy, func(g *ground) error { return s.round(ctx, g) }); err != nil {
			return err
		}
		for _, g := range busy {
			for _, c := range g.candidates {
				if c.found != nil && c.refuse == "" {
					s.front = append(s.front, c)
				}
			}
		}
		s.front = front(s.front)
	}
}

// hopeless says whether a candidate cannot be on the front, or is known already.
func (s *search) hopeless(c *candidate) bool {
	if c.refuse == "" {
		c.refuse, _ = s.broken(c.value)
	}
	return c.refuse != "" || c.known == simulated || slices.ContainsFunc(s.front, func(f *candidate) bool { return f.value.covers(c.value) })
}

// progress counts what has been done.
func (s *search) progress(left int) Progress {
	p := Progress{Left: left}
	for _, c := range s.all {
		if c.known >= tried {
			p.Tried++
		}
		if c.known == simulated {
			p.Simulated++
		}
	}
	return p
}

// round simulates the best candidate of a ground, if it has been tried, and tries the
// next ones that have not. The first time it simulates the best of those tried whatever
// else there may be: what is known of one rules out many.
func (s *search) round(ctx context.Context, g *ground) error {
	for i, c := range g.candidates {
		if c.known == tried && (i == 0 || !g.simulated) {
			g.simulated = true
			if err := s.simulate(ctx, c); err != nil {
				return err
			}
			break
		}
	}
	return s.try(ctx, g, g.candidates[:min(perRound, len(g.candidates))])
}

// try finds what candidates of a ground take without contention, of which only bounds
// are known.
func (s *search) try(ctx context.Context, g *ground, all []*candidate) error {
	var built *railyard.Ground
	for _, c := range all {
		if c.known != bounded {
			continue
		}
		if built == nil {
			var err error
			if built, err = s.build(g); err != nil {
				return err
			}
		}
		last, err := built.Try(ctx, s.training(c), c.u.layers)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.known, c.refuse = tried, err.Error()
			continue
		}
		c.known, c.last = tried, last
		c.alone = c.take(s.iterations(), last.Time.Seconds(), (last.Compute + last.Optimizer).Seconds(), last.AllExposed().Seconds())
		bound := c.alone.lowered()
		for i := range bound {
			c.value[i] = max(c.value[i], bound[i])
		}
		if c.refuse = g.refuse; c.refuse == "" {
			c.refuse, _ = s.broken(c.value)
		}
	}
	return nil
}

// simulate runs a candidate's scenario.
func (s *search) simulate(ctx context.Context, c *candidate) error {
	made, err := s.ground(c.ground.site, c.ground.hosts, s.workload(c))
	var r *railyard.Result
	if err == nil {
		r, err = railyard.Run(ctx, made, railyard.Options{SummaryOnly: true, NoPeak: true})
	}
	c.known = simulated
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		c.refuse = err.Error()
		return nil
	case r.Summary.Text(result.Status.Name) != "done":
		c.refuse = "does not end before the horizon"
		return nil
	}
	job := r.Summary.List(result.Training.Name)[0]
	c.value = value{
		byTime:   job.Float(result.TimeToTrain.Name),
		byCost:   r.Summary.Record(result.Cost.Name).Float(result.CostTotal.Name),
		byEnergy: r.Summary.Record(result.Energy.Name).Float(result.EnergyTotal.Name),
	}
	c.found = &outcome{
		iteration: job.Float(result.IterationTime.Name), mfu: job.Float(result.MFU.Name), memory: job.Float(result.MemoryPerAccelerator.Name),
	}
	c.refuse, _ = s.broken(c.value)
	return nil
}
