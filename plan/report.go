package plan

import (
	"context"
	"fmt"
	"strings"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
)

// report is what was found, as records and tables, and the scenarios of the points.
func (s *search) report(ctx context.Context) (*Plan, error) {
	beside, err := s.alternatives(ctx)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Warnings: s.warnings}
	r := &result.Record{}
	progress := s.progress(0)
	r.Add(result.Name, "plan for "+s.Model)
	r.Add(result.PlanModel, s.Model)
	amount := s.Tokens
	if s.Samples > 0 {
		amount = s.Samples
	}
	r.Add(result.PlanTokens, amount)
	r.Add(result.GlobalBatch, s.GlobalBatch)
	r.Add(result.PlanSequence, s.Sequence)
	r.Add(result.Precision, s.Precision)
	r.Add(result.PlanLimits, s.limits())
	r.Add(result.PlanConsidered, int64(s.considered))
	r.Add(result.PlanFitting, int64(len(s.all)))
	r.Add(result.PlanTried, int64(progress.Tried))
	r.Add(result.PlanSimulated, int64(progress.Simulated))
	points, lost := []*result.Record{}, []*result.Record{}
	table, others := &builder{}, &builder{}
	for i, c := range s.front {
		file := fmt.Sprintf("point-%02d.toml", i+1)
		text, err := s.scenario(c, i+1)
		if err != nil {
			return nil, err
		}
		plan.Scenarios = append(plan.Scenarios, Scenario{file, text})
		x := s.point(c, i+1, file)
		table.add(x)
		var list []*result.Record
		for _, a := range beside[i] {
			list = append(list, a.record(false))
			row := &result.Record{}
			row.Add(result.PlanPoint, int64(i+1))
			row.Fields = append(row.Fields, a.record(true).Fields...)
			others.add(row)
		}
		x.Add(result.PlanAlternatives, list)
		points = append(points, x)
	}
	for _, a := range s.lost() {
		x := &result.Record{}
		x.Add(result.PlanKind, a.change)
		x.Add(result.PlanReason, a.reason)
		lost = append(lost, x)
	}
	r.Add(result.PlanPoints, points)
	r.Add(result.PlanLost, lost)
	plan.Summary = r
	plan.Tables = []*result.Table{table.table("plan"), others.table("alternatives")}
	return plan, nil
}

// limits are those that were given.
func (s *search) limits() *result.Record {
	r := &result.Record{}
	r.Add(result.AcceleratorCount, int64(s.Limits.Accelerators))
	for _, l := range []struct {
		result.Metric
		value float64
	}{
		{result.PlanDeadline, s.Deadline.Seconds()},
		{result.PlanBudget, float64(s.Budget)},
		{result.PlanPurchase, float64(s.Purchase)},
		{result.PlanPower, float64(s.Power)},
	} {
		if l.value > 0 {
			r.Add(l.Metric, l.value)
		}
	}
	if s.Racks > 0 {
		r.Add(result.PlanRacks, int64(s.Racks))
	}
	return r
}

// point is a row of the front.
func (s *search) point(c *candidate, number int, file string) *result.Record {
	g := c.ground
	r := &result.Record{}
	r.Add(result.PlanPoint, int64(number))
	r.Add(result.PlanSite, g.name)
	r.Add(result.PlanKind, g.accelerator)
	for _, n := range []struct {
		result.Metric
		value int
	}{
		{result.AcceleratorCount, g.rates.Accelerators},
		{result.PlanUsed, c.ranks()},
		{result.HostCount, g.hosts},
		{result.PlanTensor, c.tensor},
		{result.PlanPipeline, c.pipeline},
		{result.PlanVirtual, c.virtual},
		{result.PlanContext, c.context},
		{result.PlanExpert, c.expert},
		{result.PlanData, c.data},
		{result.PlanZero, c.zero},
		{result.MicroBatch, c.micro},
	} {
		r.Add(n.Metric, int64(n.value))
	}
	r.Add(result.Recompute, c.recompute)
	r.Add(result.PlanTime, c.value[byTime])
	r.Add(result.PlanCost, c.value[byCost])
	r.Add(result.PlanEnergy, c.value[byEnergy])
	r.Add(result.IterationTime, c.found.iteration)
	r.Add(result.MFU, c.found.mfu)
	r.Add(result.MemoryPerAccelerator, c.found.memory)
	r.Add(result.PlanPower, g.rates.Power)
	r.Add(result.PlanRacks, int64(g.rates.Racks))
	r.Add(result.PlanPurchase, g.rates.Purchase)
	r.Add(result.PlanScenario, file)
	return r
}

// takes is what an alternative takes, as far as that is known.
func (a *alternative) takes() (v value, known bool) {
	switch {
	case a.c == nil || a.c.known == bounded:
		return v, false
	case a.c.known == simulated:
		return a.c.value, true
	}
	return a.c.alone, true
}

// record is an alternative; in a table with what is missing.
func (a *alternative) record(inTable bool) *result.Record {
	r := &result.Record{}
	r.Add(result.PlanChange, a.change)
	v, known := a.takes()
	for i, m := range []result.Metric{result.PlanTime, result.PlanCost, result.PlanEnergy} {
		switch {
		case known:
			r.Add(m, v[i])
		case inTable:
			r.Add(m, result.Missing)
		}
	}
	r.Add(result.PlanReason, a.reason)
	return r
}

// scenario is that of a point, with a comment that says what it is.
func (s *search) scenario(c *candidate, number int) (string, error) {
	made, err := s.ground(c.ground.site, c.ground.hosts, s.workload(c), fmt.Sprintf("name=%s-point-%02d", s.Model, number))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Point %d of a plan for %s: %d x %s,\n# %s.\n# Simulated: %s, %s, %s.\n", number, s.Model, c.ranks(), c.ground.label(), c.choice,
		report.Seconds(c.value[byTime]), money(c.value[byCost]), report.Prefixed(c.value[byEnergy]/3600, "Wh"))
	if c.ground.name == "" && !s.Rent {
		b.WriteString("# A rack is priced with its building, power and cooling: 11.7 million USD a MW (Cushman &\n# Wakefield 2025), over 20 years; the other defaults: railyard explain topology.cost.tariff.\n")
	}
	b.WriteByte('\n')
	b.WriteString(made.Text())
	return b.String(), nil
}

// builder gathers records of the same metrics into the columns of a table.
type builder struct{ columns []result.Column }

func (b *builder) add(r *result.Record) {
	for i, f := range r.Fields {
		if i == len(b.columns) {
			b.columns = append(b.columns, result.Column{Metric: f.Metric})
		}
		c := &b.columns[i]
		switch v := f.Value.(type) {
		case string:
			c.Text = append(c.Text, v)
		case int64:
			c.Integers = append(c.Integers, v)
		case float64:
			c.Numbers = append(c.Numbers, v)
		}
	}
}

func (b *builder) table(name string) *result.Table {
	return &result.Table{Name: name, Columns: b.columns}
}
