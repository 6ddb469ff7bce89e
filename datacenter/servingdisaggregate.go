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
	decode := serving.Pool{Replicas: int(x.Decode.Value), Tensor: f.Tensor, Expert: f.Expert, Stages: f.Stages}
	f.Replicas = int(x.Prefill.Value)
	if x.PrefillTensor.Set {
		f.Tensor = int(x.PrefillTensor.Value)
	}
	if x.DecodeTensor.Set {
		decode.Tensor = int(x.DecodeTensor.Value)
	}
	decode.Routing, _ = scheduler.ParseRouting(x.Router.Value)
	f.Decode = &decode
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

// disaggregate finds what the replicas cost that go on after the first token. Their
// caches keep nothing for others: all keys and values of a prompt are sent to them.
func (b *builder) disaggregate(w *scenario.Serving, f *serving.Fleet, j *cluster.Job) {
	f.Batching.Hold = true
	b.stepCosts(w, f, f.Decode, j) // last: TokenBytes is theirs
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
		r.Add(result.Name, [...]string{"prefill", "decode"}[i])
		r.Add(result.ServingReplicas, int64(p.Replicas))
		r.Add(result.AcceleratorCount, int64(p.Accelerators()))
		r.Add(result.ReplicaUse, ratio(s.Busy(p).Seconds(), l.Up*float64(p.Stages)))
		r.Add(result.MeanQueue, ratio(l.Queued, l.Lasted()))
		r.Add(result.MeanBatch, ratio(l.Ran, l.Up))
		r.Add(result.MeanCache, ratio(l.Cached, l.Up*float64(p.Blocks())))
		r.Add(result.CacheTokens, int64(p.Blocks())*int64(p.Batching.BlockSize))
		pools = append(pools, r)
	}
	m.Add(result.ServingPools, pools)
}
