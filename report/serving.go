package report

import (
	"fmt"

	"github.com/railyard/railyard/result"
)

// serving writes what became of the requests to a model.
func (p *printer) serving(s *result.Record) {
	p.line("")
	p.line("serving %s: %s, %s replicas on %s accelerators", s.Text(result.Name.Name), s.Text(result.Model.Name),
		Count(s.Float(result.ServingReplicas.Name)), Count(s.Float(result.AcceleratorCount.Name)))
	requests := Count(s.Float(result.RequestCount.Name)) + " answered"
	if n := s.Float(result.RequestsRejected.Name); n > 0 {
		requests += ", " + Count(n) + " rejected"
	}
	if n := s.Float(result.RequestsRefused.Name); n > 0 {
		requests += ", " + Count(n) + " turned away"
	}
	if n := s.Float(result.RequestsUnended.Name); n > 0 {
		requests += ", " + Count(n) + " unfinished"
	}
	p.item("requests", "%s", requests)
	if s.Float(result.RequestCount.Name) == 0 {
		return
	}
	if s.Get(result.CacheTokens.Name) == nil {
		p.passes(s)
	} else {
		p.tokens(s)
	}
	if s.Get(result.QualityScore.Name) != nil {
		p.item("quality", "%.6g", s.Float(result.QualityScore.Name))
	}
	p.goodput("objectives", s)
	for _, t := range s.List(result.Tenants.Name) {
		p.item("tenant "+t.Text(result.Name.Name), "%s answered, %s tokens/s; p99 to first token %s, per token %s", Count(t.Float(result.RequestCount.Name)),
			Count(t.Float(result.OutputRate.Name)), Seconds(t.Record(result.FirstTokenTime.Name).Float(result.P99.Name)), Seconds(t.Record(result.TokenTime.Name).Float(result.P99.Name)))
		p.goodput("", t)
	}
	if s.Get(result.ReplicaStarts.Name) == nil {
		return
	}
	replicas := fmt.Sprintf("%.3g answer in the mean", s.Float(result.MeanReplicas.Name))
	if s.Get(result.ScalingCount.Name) != nil {
		replicas += fmt.Sprintf(", at most %s; scaled %s times", Count(s.Float(result.MostReplicas.Name)), Count(s.Float(result.ScalingCount.Name)))
	}
	p.item("replicas", "%s; %s starts, %s failures; %s requests moved; %.4g accelerator hours", replicas, Count(s.Float(result.ReplicaStarts.Name)),
		Count(s.Float(result.ReplicaFailures.Name)), Count(s.Float(result.RequestsMoved.Name)), s.Float(result.AcceleratorHours.Name))
}

// pools writes how requests went from the replicas that compute prompts to the others.
func (p *printer) pools(s *result.Record) {
	for _, x := range s.List(result.ServingPools.Name) {
		replicas := Count(x.Float(result.ServingReplicas.Name)) + " replicas"
		if x.Get(result.ScalingCount.Name) != nil {
			replicas = fmt.Sprintf("%.1f replicas in the mean, at most %s; scaled %s times", x.Float(result.MeanReplicas.Name), Count(x.Float(result.MostReplicas.Name)), Count(x.Float(result.ScalingCount.Name)))
		}
		p.item(x.Text(result.Name.Name), "%s, %s busy; %.1f sequences on each, %.1f requests wait; cache %s used of %s tokens", replicas,
			Percent(x.Float(result.ReplicaUse.Name)), x.Float(result.MeanBatch.Name), x.Float(result.MeanQueue.Name),
			Percent(x.Float(result.MeanCache.Name)), Count(x.Float(result.CacheTokens.Name)))
	}
	if took := s.Record(result.HandoverTime.Name); took != nil {
		p.item("handed over", "%s of keys and values, in %s in the mean, p99 %s, after waiting for %s", Prefixed(s.Float(result.HandoverBytes.Name), "B"),
			Seconds(took.Float(result.Mean.Name)), Seconds(took.Float(result.P99.Name)), Seconds(s.Record(result.HandoverWait.Name).Float(result.Mean.Name)))
	}
}

// spread writes a distribution of times.
func (p *printer) spread(name string, d *result.Record) {
	p.item(name, "%-10s median %-10s p90 %-10s p99 %s", Seconds(d.Float(result.Mean.Name)), Seconds(d.Float(result.P50.Name)),
		Seconds(d.Float(result.P90.Name)), Seconds(d.Float(result.P99.Name)))
}

// passes writes what came of a model that answers in one forward pass.
func (p *printer) passes(s *result.Record) {
	steps := s.Float(result.StepCount.Name)
	p.item("throughput", "%.4g requests/s of %.4g inputs/s", s.Float(result.RequestRate.Name), s.Float(result.InputRate.Name))
	p.spread("latency", s.Record(result.EndToEnd.Name))
	p.item("passes", "%s of %s for %.4g requests each; %.1f requests wait", Count(steps), Seconds(s.Float(result.StepTime.Name)),
		s.Float(result.RequestCount.Name)/max(steps, 1), s.Float(result.MeanQueue.Name))
	p.item("weights", "%s", Prefixed(s.Float(result.WeightBytes.Name), "B"))
}

// tokens writes what came of a model that answers token by token.
func (p *printer) tokens(s *result.Record) {
	p.item("throughput", "%s tokens/s of answers, %s of prompts; %.4g requests/s", Count(s.Float(result.OutputRate.Name)),
		Count(s.Float(result.InputRate.Name)), s.Float(result.RequestRate.Name))
	for _, t := range []struct {
		name   string
		metric result.Metric
	}{
		{"time to first token", result.FirstTokenTime},
		{"time per token", result.TokenTime},
		{"between tokens", result.InterTokenLatency},
		{"end to end", result.EndToEnd},
	} {
		p.spread(t.name, s.Record(t.metric.Name))
	}
	p.item("steps", "%s of %s; %.1f sequences on a replica, %.1f requests wait", Count(s.Float(result.StepCount.Name)),
		Seconds(s.Float(result.StepTime.Name)), s.Float(result.MeanBatch.Name), s.Float(result.MeanQueue.Name))
	cache := Percent(s.Float(result.MeanCache.Name)) + " used of " + Count(s.Float(result.CacheTokens.Name)) + " tokens a replica"
	if n := s.Float(result.RequestStops.Name); n > 0 {
		cache += ", " + Count(n) + " preemptions"
	}
	if s.Get(result.PrefixHits.Name) != nil {
		cache += "; " + Percent(s.Float(result.PrefixHits.Name)) + " of the prompts were there"
	}
	p.item("cache", "%s; weights %s an accelerator", cache, Prefixed(s.Float(result.WeightBytes.Name), "B"))
	p.pools(s)
}

// goodput writes how many requests kept to their objectives.
func (p *printer) goodput(name string, s *result.Record) {
	if s.Get(result.SLORatio.Name) != nil {
		if s.Record(result.TokenTime.Name).Float(result.Mean.Name) == 0 { // answers of one token
			p.item(name, "%s of the requests keep to them, %.4g a second", Percent(s.Float(result.SLORatio.Name)), s.Float(result.ServingGoodput.Name))
			return
		}
		p.item(name, "%s of the requests keep to them, %.4g a second; %s to first token, %s per token, %s end to end", Percent(s.Float(result.SLORatio.Name)),
			s.Float(result.ServingGoodput.Name), Percent(s.Float(result.SLOFirst.Name)), Percent(s.Float(result.SLOEach.Name)), Percent(s.Float(result.SLOWhole.Name)))
	}
}
