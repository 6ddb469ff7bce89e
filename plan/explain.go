package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/workload"
)

// alternative is what stands next to a point.
type alternative struct {
	change, reason string
	c              *candidate // nil: it does not fit in memory
}

// move is a choice next to that of a point, on the same site or another.
type move struct {
	change string
	site   *site
	choice
}

// beside are the nearest numbers before and after one in an ascending list that will do.
func beside(n int, list []int64, will func(int) bool) (all []int) {
	below, above := 0, 0
	for _, v := range list {
		switch v := int(v); {
		case !will(v):
		case v < n:
			below = v
		case v > n && above == 0:
			above = v
		}
	}
	return slices.DeleteFunc([]int{below, above}, func(v int) bool { return v == 0 })
}

// moves are the steps from a point to what is next to it: one degree of parallelism the
// next smaller or larger, replicas making up for it; other chunks, micro-batches and
// stages of ZeRO; fewer and more replicas.
func (s *search) moves(p *candidate) (all []move) {
	m, host := &s.base.Model, p.ground.host.Accelerators
	step := func(change func(*choice)) {
		x := p.choice
		change(&x)
		share := s.base.GlobalBatch / x.data
		switch {
		case x.pipeline == 1, m.Layers%int64(x.pipeline*x.virtual) != 0, share/x.micro%x.pipeline != 0:
			x.virtual = 1
		}
		if x.pipeline > 1 {
			x.zero = min(x.zero, 1)
		}
		if x.data*x.context == 1 {
			x.zero = 0
		}
		known := func(other move) bool { return other.choice == x }
		if x != p.choice && s.base.GlobalBatch%(x.data*x.micro) == 0 && x.data*x.context%x.expert == 0 && !slices.ContainsFunc(all, known) {
			all = append(all, move{p.changes(x), p.ground.site, x})
		}
	}
	any := func(int) bool { return true }
	swap := func(was int, set func(*choice, int), list []int64) {
		will := func(n int) bool { return p.data*was%n == 0 }
		for _, n := range beside(was, list, will) {
			step(func(x *choice) {
				x.data = p.data * was / n
				set(x, n)
			})
		}
	}
	if shareable(m) {
		swap(p.tensor, func(x *choice, n int) { x.tensor = n }, tensors(m, host))
		swap(p.pipeline, func(x *choice, n int) { x.pipeline = n }, pipelines(m))
		swap(p.context, func(x *choice, n int) { x.context = n }, contexts(s.base.Sequence))
		for _, n := range beside(p.virtual, virtuals(m, p.pipeline), any) {
			step(func(x *choice) { x.virtual = n })
		}
		for _, n := range beside(p.expert, experts(m), any) {
			step(func(x *choice) { x.expert = n })
		}
	}
	for _, n := range []int{p.micro / 2, p.micro * 2} {
		if n > 0 {
			step(func(x *choice) { x.micro = n })
		}
	}
	for _, n := range []int{0, 1, 3} {
		step(func(x *choice) { x.zero = n })
	}
	for _, n := range beside(p.data, workload.Divisors(int64(s.base.GlobalBatch)), any) {
		step(func(x *choice) { x.data = n })
	}
	return all
}

// changes says in what a choice differs from that of a point.
func (c choice) changes(x choice) string {
	var parts []string
	for _, d := range []struct {
		name     string
		was, now int
	}{
		{"tensor", c.tensor, x.tensor},
		{"pipeline", c.pipeline, x.pipeline},
		{"virtual stages", c.virtual, x.virtual},
		{"context", c.context, x.context},
		{"expert", c.expert, x.expert},
		{"zero", c.zero, x.zero},
		{"micro-batch", c.micro, x.micro},
		{"data", c.data, x.data},
	} {
		if d.was != d.now {
			parts = append(parts, fmt.Sprintf("%s %d", d.name, d.now))
		}
	}
	text := strings.Join(parts, ", ")
	if n := x.ranks(); n != c.ranks() {
		text += fmt.Sprintf(", %s accelerators", report.Count(float64(n)))
	}
	return text
}

// place is a choice on a site.
type place struct {
	*site
	choice
}

// alternatives are those of each point.
func (s *search) alternatives(ctx context.Context) ([][]alternative, error) {
	index := map[place]*candidate{}
	for _, c := range s.all {
		index[place{c.ground.site, c.choice}] = c
	}
	all := make([][]alternative, len(s.front))
	wanted := map[*ground][]*candidate{}
	want := func(c *candidate) {
		if c.known == bounded && c.ground.over == 0 {
			wanted[c.ground] = append(wanted[c.ground], c)
		}
	}
	for _, site := range s.sites {
		if c := s.closest(site); c != nil {
			want(c)
		}
	}
	for i, p := range s.front {
		want(p)
		for _, m := range s.moves(p) {
			c := index[place{m.site, m.choice}]
			if c == nil {
				if text := s.missing(m); text != "" {
					all[i] = append(all[i], alternative{change: m.change, reason: text})
				}
				continue
			}
			want(c)
			all[i] = append(all[i], alternative{change: m.change, c: c})
		}
		for _, other := range s.sites {
			if c := s.best(other, p.ranks()); c != nil && other != p.ground.site {
				want(c)
				all[i] = append(all[i], alternative{change: fmt.Sprintf("%s, %s", other.label(), c.choice), c: c})
			}
		}
		if less := slices.Index(recomputes, p.recompute) - 1; less >= 0 {
			t := p.choice.of(s.base, recomputes[less])
			if over := t.Memory().Total() - int64(p.ground.host.Accelerator.Memory); over > 0 {
				all[i] = append(all[i], alternative{change: "recompute " + recomputes[less], reason: tooLarge(over, p.ground.site)})
			}
		}
	}
	var grounds []*ground
	for _, g := range s.grounds {
		if wanted[g] != nil {
			grounds = append(grounds, g)
		}
	}
	if err := s.each(ctx, grounds, func(g *ground) error { return s.try(ctx, g, wanted[g]) }); err != nil {
		return nil, err
	}
	for i, p := range s.front {
		for k := range all[i] {
			if a := &all[i][k]; a.c != nil {
				a.reason = s.reason(p, a.c)
			}
		}
	}
	return all, nil
}

// best is the most promising candidate of a site on so many accelerators, nil if there is
// none; of those tried, if any is.
func (s *search) best(site *site, ranks int) (best *candidate) {
	for _, c := range s.all {
		if c.ground.site == site && c.ranks() == ranks && (best == nil || c.better(best, 0, 0)) {
			best = c
		}
	}
	return best
}

// better says whether a candidate is a better example than another, by what part each
// breaks a limit: of those that have been tried, which breaks limits less, and which is
// more promising.
func (c *candidate) better(than *candidate, over, thanOver float64) bool {
	if a, b := c.known > bounded, than.known > bounded; a != b {
		return a
	}
	if over != thanOver {
		return over < thanOver
	}
	return c.value.size() < than.value.size()
}

// missing says why a choice is not among the candidates, "" if it is none.
func (s *search) missing(m move) string {
	each := m.site.host.Accelerators
	if hosts := (m.ranks() + each - 1) / each; hosts*each > s.Limits.Accelerators {
		return fmt.Sprintf("%s accelerators are more than %s", report.Count(float64(hosts*each)), report.Count(float64(s.Limits.Accelerators)))
	} else if m.site.most > 0 && hosts > m.site.most {
		return fmt.Sprintf("%s hosts are more than the %s that there are", report.Count(float64(hosts)), report.Count(float64(m.site.most)))
	}
	if _, over := newShapes(s.base, &m.site.host).fit(m.choice, int64(m.site.host.Accelerator.Memory)); over > 0 {
		return tooLarge(over, m.site)
	}
	return ""
}

// tooLarge says by how many bytes a choice does not fit in memory.
func tooLarge(over int64, s *site) string {
	const gib = 1 << 30
	return fmt.Sprintf("does not fit: %.1f GiB more than the %.0f GiB of %s", float64(over)/gib, float64(s.host.Accelerator.Memory)/gib, s.accelerator)
}

// reason says why a candidate is no better than a point.
func (s *search) reason(p, c *candidate) string {
	if i := slices.Index(s.front, c); i >= 0 {
		return fmt.Sprintf("is point %d", i+1)
	}
	was, now := p.alone, c.alone
	switch {
	case c.known == simulated && c.found != nil:
		was, now = p.value, c.value
	case c.known == bounded:
		return c.refuse
	}
	text := compared(was, now)
	if c.refuse != "" {
		return c.refuse + "; " + text
	}
	if c.ground == p.ground {
		text += cause(p, c)
	}
	if !p.value.covers(c.value) {
		for i, q := range s.front {
			if q.value.covers(c.value) {
				return text + fmt.Sprintf("; point %d beats it", i+1)
			}
		}
	}
	return text
}

// compared says how much more and less of everything one takes than another.
func compared(was, now value) string {
	const shown = 5e-4
	var parts []string
	for i, words := range [aims][2]string{byTime: {"slower", "faster"}, byCost: {"dearer", "cheaper"}, byEnergy: {"more energy", "less energy"}} {
		switch by := now[i]/was[i] - 1; {
		case by >= shown:
			parts = append(parts, fmt.Sprintf("%s %s", report.Percent(by), words[0]))
		case by <= -shown:
			parts = append(parts, fmt.Sprintf("%s %s", report.Percent(-by), words[1]))
		}
	}
	if parts == nil {
		return "the same"
	}
	return strings.Join(parts, ", ")
}

// cause says on what a candidate spends more of an iteration than a point, above all.
func cause(p, c *candidate) string {
	was, now := p.last, c.last
	computation := "computation"
	if slices.Index(recomputes, c.recompute) > slices.Index(recomputes, p.recompute) {
		computation = fmt.Sprintf("computation with recompute %s, which it takes to fit", c.recompute)
	}
	type part struct {
		name     string
		was, now float64
	}
	parts := []part{
		{computation, was.Compute.Seconds(), now.Compute.Seconds()},
		{"waiting for the host to launch kernels", was.Launch.Seconds(), now.Launch.Seconds()},
		{"the bubble of the pipeline", was.Bubble.Seconds(), now.Bubble.Seconds()},
		{"the optimizer", was.Optimizer.Seconds(), now.Optimizer.Seconds()},
	}
	for k := range training.NumKinds {
		parts = append(parts, part{"communication of " + k.Exchanged(), was.Exposed[k].Seconds(), now.Exposed[k].Seconds()})
	}
	most := slices.MaxFunc(parts, func(a, b part) int { return cmp.Compare(a.now-a.was, b.now-b.was) })
	if most.now-most.was < 1e-3*was.Time.Seconds() {
		return ""
	}
	return fmt.Sprintf(": %s, %s instead of %s an iteration", most.name, report.Seconds(most.now), report.Seconds(most.was))
}

// lost are the sites that have no point, and why.
func (s *search) lost() (all []alternative) {
	for _, site := range s.sites {
		if slices.ContainsFunc(s.front, func(p *candidate) bool { return p.ground.site == site }) {
			continue
		}
		a := alternative{change: site.label(), c: s.closest(site)}
		switch {
		case site.host.Accelerator.Peak[s.base.Precision] == 0:
			a.reason = fmt.Sprintf("has no %s", s.base.Precision)
		case a.c == nil:
			a.reason = "the model does not fit in memory"
		default:
			a.reason = fmt.Sprintf("its best, %s accelerators with %s: ", report.Count(float64(a.c.ranks())), a.c.choice)
			p := slices.MinFunc(s.front, func(x, y *candidate) int { return cmp.Compare(x.value.worst(a.c.value), y.value.worst(a.c.value)) })
			switch {
			case a.c.refuse != "":
				a.reason += a.c.refuse
			default:
				a.reason += compared(p.value, a.c.value) + fmt.Sprintf(" than point %d", slices.Index(s.front, p)+1)
			}
		}
		all = append(all, a)
	}
	return all
}

// worst is by what factor a value is the worse than another where it is the worst.
func (a value) worst(b value) float64 {
	most := 0.0
	for i := range a {
		most = max(most, a[i]/b[i])
	}
	return most
}

// closest is the candidate of a site that breaks its limits the least; of several that
// break none the most promising; of those tried, if any is.
func (s *search) closest(site *site) (best *candidate) {
	least := 0.0
	for _, c := range s.all {
		if c.ground.site != site {
			continue
		}
		if over := s.over(c); best == nil || c.better(best, over, least) {
			best, least = c, over
		}
	}
	return best
}

// over is by what part a candidate breaks a limit.
func (s *search) over(c *candidate) float64 {
	_, over := s.broken(c.value)
	return max(over, c.ground.over)
}

// nearest says what comes nearest where nothing meets the limits. Bounds are refined
// until those of the nearest are what it takes.
func (s *search) nearest(ctx context.Context) error {
	switch {
	case s.considered == 0:
		least := slices.MinFunc(s.sites, func(a, b *site) int { return cmp.Compare(a.host.Accelerators, b.host.Accelerators) })
		if least.host.Accelerators > s.Limits.Accelerators {
			return &InfeasibleError{fmt.Sprintf("one host of %s has %d accelerators, more than %d", least.label(), least.host.Accelerators, s.Limits.Accelerators)}
		}
		return &InfeasibleError{fmt.Sprintf("%s has no %s", least.label(), s.base.Precision)}
	case len(s.all) == 0:
		m := s.leastOver
		if m == nil {
			return &InfeasibleError{"the model cannot be shared so"}
		}
		return &InfeasibleError{fmt.Sprintf("the model fits nowhere; with %s on %s it %s", m.choice, m.site.label(), tooLarge(m.over, m.site))}
	}
	for {
		c := slices.MinFunc(s.all, func(a, b *candidate) int { return cmp.Compare(s.over(a), s.over(b)) })
		var err error
		switch {
		case c.ground.refuse != "" || c.known == simulated:
			text, over := s.broken(c.value)
			switch {
			case c.ground.over > over:
				text = c.ground.refuse
			case text == "":
				text = c.refuse
			}
			return &InfeasibleError{fmt.Sprintf("the nearest, %s %s with %s, %s", report.Count(float64(c.ranks())), c.ground.label(), c.choice, text)}
		case c.known == tried:
			err = s.simulate(ctx, c)
		default:
			err = s.try(ctx, c.ground, []*candidate{c})
		}
		if err != nil {
			return err
		}
	}
}
