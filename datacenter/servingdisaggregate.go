package datacenter

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/scheduler"
)

// placePools has a fleet compute prompts and the tokens after the first on replicas of
// their own: first those of prompts, then the others.
func (b *builder) placePools(w *scenario.Serving, f *serving.Fleet, j *cluster.Job) bool {
	x := w.Disaggregate
	f.Decode = &serving.Pool{Tensor: f.Tensor, Expert: f.Expert, Stages: f.Stages}
	f.Decode.Routing, _ = scheduler.ParseRouting(x.Router.Value)
	for i, k := range x.Pools() {
		p := f.Pools()[i]
		if p.Replicas = int(k.Replicas.Value); k.Autoscale != nil {
			p.Replicas = int(k.Autoscale.Max.Value)
		}
		if k.Tensor.Set {
			p.Tensor = int(k.Tensor.Value)
		}
	}
	decode := f.Decode
	wanted := f.Accelerators() + decode.Accelerators()
	place := w.Placing
	if !place.Accelerators.Set {
		place.Accelerators = scenario.Key[scenario.Selection]{Value: scenario.Selection{Count: int64(wanted)}, Set: true, Pos: x.At}
	}
	if !b.place(&place, w.Path, w.At, j) {
		return false
	}
	if wanted != j.Count {
		b.fault(w.Accelerators.Pos.Or(x.At), x.Path, "%d replicas of %d accelerators for prompts and %d of %d for tokens take %d, not %d",
			f.Replicas, f.Ranks(), decode.Replicas, decode.Ranks(), wanted, j.Count)
		return false
	}
	return true
}

// disaggregate finds what the replicas cost that go on after the first token, and the bytes
// of the weights on an accelerator of theirs. Their caches keep nothing for others: all keys
// and values of a prompt are sent to them.
func (b *builder) disaggregate(w *scenario.Serving, f *serving.Fleet, j *cluster.Job) (weights float64) {
	f.Batching.Hold = true
	if forward := b.stepCosts(w, f, f.Decode, j); forward != nil { // last: TokenBytes is theirs
		weights = forward.WeightBytes() / float64(f.Decode.Stages)
	}
	return weights
}

// handoverColumns are the columns of requests.csv that say how requests went from one
// replica to another, none if no workload has them do so.
func (p *plant) handoverColumns() []result.Column {
	var replica []string
	var from, to []float64
	any := false
	for _, s := range p.served {
		any = any || s.Decode != nil
		for i := range s.Outcomes {
			h := serving.Handover{Prefill: -1, From: -1, To: -1}
			if s.Handovers != nil {
				h = s.Handovers[i]
			}
			where := ""
			if h.Prefill >= 0 {
				where = result.Number(float64(h.Prefill))
			}
			replica, from, to = append(replica, where), append(from, knownSeconds(h.From)), append(to, knownSeconds(h.To))
		}
	}
	if !any {
		return nil
	}
	return []result.Column{
		{Metric: result.RequestPrefill, Text: replica},
		{Metric: result.RequestFetchStart, Numbers: from},
		{Metric: result.RequestFetchEnd, Numbers: to},
	}
}

// poolName is which of two pools one is; there is no name where there is but one.
func (s *served) poolName(i int) string {
	if s.Decode == nil {
		return ""
	}
	return [...]string{"prefill", "decode"}[i]
}

// addHandovers adds to a workload's record how its requests went over, and what each of
// its pools did, if there are several.
func (s *served) addHandovers(m *result.Record) {
	if s.Decode == nil {
		return
	}
	var bytes float64
	var took, waited []float64
	for i := range s.Handovers {
		h, o := &s.Handovers[i], &s.Outcomes[i]
		bytes += h.Bytes
		if h.To >= 0 {
			took = append(took, (h.To - h.From).Seconds())
		}
		if h.From >= 0 {
			waited = append(waited, (h.From - o.First).Seconds())
		}
	}
	m.Add(result.HandoverBytes, bytes)
	m.Add(result.HandoverTime, spread(took))
	m.Add(result.HandoverWait, spread(waited))
	var pools []*result.Record
	for i, p := range s.Pools() {
		r, l := &result.Record{}, &p.Level
		r.Add(result.Name, s.poolName(i))
		r.Add(result.ServingReplicas, int64(p.Replicas))
		r.Add(result.AcceleratorCount, int64(p.Accelerators()))
		r.Add(result.ReplicaUse, result.Ratio(s.Busy(p).Seconds(), l.Up.Seconds()))
		r.Add(result.MeanQueue, l.Queued.Mean(l.Lasted()))
		r.Add(result.MeanBatch, result.Ratio(l.Ran.Seconds(), l.Up.Seconds()))
		r.Add(result.MeanCache, result.Ratio(l.Cached.Seconds(), l.Up.Seconds()*float64(p.Blocks())))
		r.Add(result.CacheTokens, int64(p.Blocks())*int64(p.Batching.BlockSize))
		r.Add(result.MeanReplicas, l.Up.Mean(l.Lasted()))
		if p.Scaling != nil {
			r.Add(result.MostReplicas, int64(l.Most))
			r.Add(result.ScalingCount, s.scalings(i))
		}
		pools = append(pools, r)
	}
	m.Add(result.ServingPools, pools)
}
