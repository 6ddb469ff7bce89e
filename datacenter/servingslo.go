package datacenter

import (
	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	demand "github.com/railyard/railyard/workload/serving"
)

// objectives are the most that times of a request may be, in seconds; 0: any.
type objectives struct{ first, each, whole float64 }

func objectivesOf(s scenario.SLO) objectives {
	return objectives{sim.Time(s.TTFT.Value).Seconds(), sim.Time(s.TPOT.Value).Seconds(), sim.Time(s.E2E.Value).Seconds()}
}

// tenant is one of those whose requests a model answers.
type tenant struct {
	name string
	slo  objectives
}

// tenants are those of a workload; without any there is one that has no name.
func tenants(w *scenario.Serving) (all []tenant, shares []demand.Tenant, priorities []int32) {
	for i := range w.Tenant {
		t := &w.Tenant[i]
		all = append(all, tenant{t.Name.Value, objectivesOf(t.SLO.Or(w.SLO))})
		share := demand.Tenant{Name: t.Name.Value, Share: t.Share.Value}
		if t.Input.Set {
			share.Input = (*demand.Lengths)(&t.Input.Value)
		}
		if t.Output.Set {
			share.Output = (*demand.Lengths)(&t.Output.Value)
		}
		shares, priorities = append(shares, share), append(priorities, int32(t.Priority.Value))
	}
	if all == nil {
		all = []tenant{{slo: objectivesOf(w.SLO)}}
	}
	return all, shares, priorities
}

// tally is what became of some requests.
type tally struct {
	first, each, whole                    []float64 // s, of those that ended
	input, output, kept                   int64     // tokens of those, and of answers that kept to the objectives
	rejected, refused, unfinished, stops  int64
	metFirst, metEach, metWhole, met, all int64 // of those that ended or were turned away
	begin, end                            sim.Time
}

// add counts one request.
func (t *tally) add(r *demand.Request, o *serving.Outcome, slo objectives) {
	t.stops += int64(o.Stops)
	switch {
	case o.Rejected:
		t.rejected++
		t.all++
		return
	case o.Refused:
		t.refused++
		t.all++
		return
	case o.Finish < 0:
		t.unfinished++
		return
	}
	t.begin, t.end = min(t.begin, o.Arrival), max(t.end, o.Finish)
	t.input += int64(r.Input)
	t.output += int64(r.Output)
	first, each, whole := (o.First - o.Arrival).Seconds(), 0.0, (o.Finish - o.Arrival).Seconds()
	t.first, t.whole = append(t.first, first), append(t.whole, whole)
	if r.Output > 1 {
		each = (o.Finish - o.First).Seconds() / float64(r.Output-1)
		t.each = append(t.each, each)
	}
	t.all++
	met := int64(1)
	for _, x := range []struct {
		count       *int64
		took, bound float64
	}{{&t.metFirst, first, slo.first}, {&t.metEach, each, slo.each}, {&t.metWhole, whole, slo.whole}} {
		if x.bound == 0 || x.took <= x.bound {
			*x.count++
		} else {
			met = 0
		}
	}
	t.met += met
	t.kept += met * int64(r.Output)
}

// span is from the first arrival to the last end, in seconds.
func (t *tally) span() float64 { return (t.end - min(t.begin, t.end)).Seconds() }

// addGoodput adds what was done within the objectives, if there are any.
func (t *tally) addGoodput(m *result.Record, slo bool) {
	if !slo {
		return
	}
	share := func(n int64) float64 { return result.Ratio(float64(n), float64(t.all)) }
	m.Add(result.SLORatio, share(t.met))
	m.Add(result.SLOFirst, share(t.metFirst))
	m.Add(result.SLOEach, share(t.metEach))
	m.Add(result.SLOWhole, share(t.metWhole))
	m.Add(result.ServingGoodput, result.Ratio(float64(t.met), t.span()))
	m.Add(result.TokenGoodput, result.Ratio(float64(t.kept), t.span()))
}

// tallies count the requests of each tenant.
func (s *served) tallies() []tally {
	all := make([]tally, len(s.tenants))
	for i := range all {
		all[i].begin = sim.Never
	}
	for i := range s.Outcomes {
		n := s.Requests[i].Tenant
		all[n].add(&s.Requests[i], &s.Outcomes[i], s.tenants[n].slo)
	}
	return all
}

// sum puts the tallies of tenants together.
func sum(parts []tally) tally {
	if len(parts) == 1 {
		return parts[0]
	}
	t := tally{begin: sim.Never}
	for i := range parts {
		p := &parts[i]
		t.first, t.each, t.whole = append(t.first, p.first...), append(t.each, p.each...), append(t.whole, p.whole...)
		for _, x := range []struct{ to, from *int64 }{
			{&t.input, &p.input},
			{&t.output, &p.output},
			{&t.kept, &p.kept},
			{&t.rejected, &p.rejected},
			{&t.refused, &p.refused},
			{&t.unfinished, &p.unfinished},
			{&t.stops, &p.stops},
			{&t.metFirst, &p.metFirst},
			{&t.metEach, &p.metEach},
			{&t.metWhole, &p.metWhole},
			{&t.met, &p.met},
			{&t.all, &p.all},
		} {
			*x.to += *x.from
		}
		t.begin, t.end = min(t.begin, p.begin), max(t.end, p.end)
	}
	return t
}

// tenantRecords are what became of the requests of each tenant, nil if there are none.
func (s *served) tenantRecords(parts []tally) []*result.Record {
	if s.tenants[0].name == "" {
		return nil
	}
	var all []*result.Record
	for i := range parts {
		t, m := &parts[i], &result.Record{}
		m.Add(result.Name, s.tenants[i].name)
		m.Add(result.RequestCount, int64(len(t.whole)))
		m.Add(result.RequestsRejected, t.rejected)
		m.Add(result.RequestsRefused, t.refused)
		m.Add(result.RequestsUnended, t.unfinished)
		m.Add(result.FirstTokenTime, spread(t.first))
		m.Add(result.TokenTime, spread(t.each))
		m.Add(result.EndToEnd, spread(t.whole))
		m.Add(result.OutputRate, result.Ratio(float64(t.output), t.span()))
		t.addGoodput(m, s.tenants[i].slo != objectives{})
		all = append(all, m)
	}
	return all
}

// answered is how many tokens of answers a job of the cluster gave, 0 if it serves none.
func (p *plant) answered(job int) (tokens float64) {
	for _, s := range p.served {
		if s.job != job {
			continue
		}
		for i := range s.Outcomes {
			if s.Outcomes[i].Finish >= 0 {
				tokens += float64(s.Requests[i].Output)
			}
		}
	}
	return tokens
}
