package railyard

import (
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	demand "github.com/railyard/railyard/workload/serving"
)

// served is a [[workload.serving]] that runs.
type served struct {
	*serving.Fleet
	job     int // in the cluster
	model   string
	weights float64 // bytes of an accelerator
	tenants []tenant
}

func (b *builder) addServing(w *scenario.Serving) {
	path, before := w.Path, len(b.faults)
	if b.topology.Bare() {
		b.fault(w.At, path, "bare accelerators have no compute rate: serving needs a topology of hosts (single-host, leaf-spine, fat-tree, rail, dragonfly)")
		return
	}
	if w.Shared.Value {
		b.fault(w.Shared.Pos, path+".shared", "is not built yet for serving: each accelerator computes for one workload")
	}
	j := &cluster.Job{Name: b.name(w.Name, w.Model.Value)}
	f := &serving.Fleet{Tensor: int(w.Tensor.Value), Stages: int(w.Pipeline.Value), Concurrency: int(w.Concurrency.Value), Context: int(w.Context.Value)}
	if !b.placeReplicas(w, f, j) {
		return
	}
	f.Routing, _ = scheduler.ParseRouting(w.Router.Value)
	whose, shares, priorities := tenants(w)
	trace := b.requests(w, j.Name, shares)
	f.Requests, f.Priorities = trace.Requests, priorities
	f.Random = sim.Stream(uint64(b.scenario.Sim.Seed.Value), "serving/router/"+j.Name)
	forward, costs := b.stepCosts(w, f, j)
	if len(b.faults) > before {
		return
	}
	f.Costs = costs
	if w.PrefixCache.Value && !b.keepPrefixes(w, f, trace.Piece) {
		return
	}
	b.scaling(w, f, forward)
	b.addGeography(w, f)
	j.Program = f
	b.served = append(b.served, &served{f, len(b.cluster.Jobs), w.Model.Value, forward.WeightBytes() / float64(f.Stages), whose})
	only := *w
	only.Name.Value, only.Name.Set = j.Name, true
	b.submit(j, scenario.Workload{Serving: []scenario.Serving{only}})
}

// keepPrefixes has replicas keep what prompts share: pieces of so many tokens that a trace
// names, or blocks of what all prompts of a tenant begin with.
func (b *builder) keepPrefixes(w *scenario.Serving, f *serving.Fleet, piece int) bool {
	if piece > 0 {
		if f.Batching.Piece = piece; piece%f.Batching.BlockSize != 0 {
			b.fault(b.at(w.BlockSize.Pos, w.At), w.Path, "hashes of the requests are of %d tokens, which blocks of %d do not divide: set block_size, or prefix_cache = false", piece, f.Batching.BlockSize)
			return false
		}
		return true
	}
	shared := make([][]uint64, max(1, len(w.Tenant))) // the names of each tenant's beginning
	for i := range shared {
		tokens := w.SharedPrefix.Value
		if w.Tenant != nil && w.Tenant[i].SharedPrefix.Set {
			tokens = w.Tenant[i].SharedPrefix.Value
		}
		for n := range tokens / int64(f.Batching.BlockSize) {
			f.Batching.Piece = f.Batching.BlockSize
			shared[i] = append(shared[i], uint64(i)<<32|uint64(n))
		}
	}
	for i := range f.Requests {
		r := &f.Requests[i]
		all := shared[r.Tenant]
		r.Prefix = all[:min(len(all), r.Input/f.Batching.BlockSize)]
	}
	return true
}

// placeReplicas finds how many replicas there are and how many accelerators they want.
func (b *builder) placeReplicas(w *scenario.Serving, f *serving.Fleet, j *cluster.Job) bool {
	each := f.Tensor * f.Stages
	place, replicas := w.Placing, w.Replicas
	if w.Autoscale != nil {
		replicas = w.Autoscale.Max
	}
	if replicas.Set && !place.Accelerators.Set {
		place.Accelerators = scenario.Key[scenario.Selection]{Value: scenario.Selection{Count: replicas.Value * int64(each)}, Set: true, Pos: replicas.Pos}
	}
	if !b.place(&place, w.Path, w.At, j) {
		return false
	}
	f.Replicas = j.Count / each
	if replicas.Set {
		f.Replicas = int(replicas.Value)
	}
	if f.Replicas*each != j.Count {
		b.fault(b.at(w.Tensor.Pos, w.At), w.Path, "%d replicas of %d accelerators (tensor %d, pipeline %d) do not make up the %d that there are",
			max(f.Replicas, 1), each, f.Tensor, f.Stages, j.Count)
		return false
	}
	return true
}

// requests are those of the file, or drawn as the demand says.
func (b *builder) requests(w *scenario.Serving, name string, tenants []demand.Tenant) scenario.RequestTrace {
	if w.Requests.Set {
		t, faults := b.scenario.ReadRequests(w)
		b.faults = append(b.faults, faults...)
		for i := range t.Requests {
			t.Requests[i].Arrival /= w.Speedup.Value
		}
		if n := len(t.Requests); n > 0 && t.Requests[n-1].Arrival > sim.Never.Seconds()/2 {
			b.fault(w.Speedup.Pos, w.Path+".speedup", "is so low that the last request comes beyond the clock")
		}
		if t.Left > 0 {
			b.warnings = append(b.warnings, fmt.Sprintf("%s: %d requests without tokens of a prompt or an answer are left out", w.Requests.Value, t.Left))
		}
		return t
	}
	d := demand.Demand{
		Count: int(w.Count.Value), Input: demand.Lengths(w.Input.Value), Output: demand.Lengths(w.Output.Value),
		Rate: w.Rate.Value, CV: w.CV.Value, Tenants: tenants, Swing: 0.5, Period: 24 * secondsPerHour,
	}
	d.Process, _ = demand.ParseProcess(w.Arrivals.Value)
	if w.Swing.Set {
		d.Swing = w.Swing.Value
	}
	if w.Period.Set {
		d.Period = sim.Time(w.Period.Value).Seconds()
	}
	if d.Peak = d.Period / 2; w.Peak.Set {
		d.Peak = sim.Time(w.Peak.Value).Seconds()
	}
	seed := uint64(b.scenario.Sim.Seed.Value)
	own, clients := d, b.clocks(w)
	clients.together(&d)
	all := d.Requests(sim.Stream(seed, "serving/arrivals/"+name), sim.Stream(seed, "serving/lengths/"+name), sim.Stream(seed, "serving/tenants/"+name))
	if len(w.Client) > 1 {
		clients.deal(&own, all, sim.Stream(seed, "serving/clients/"+name).Float64)
	}
	if n := len(all); n > 0 && all[n-1].Arrival > sim.Never.Seconds()/2 {
		b.fault(w.Rate.Pos, w.Path+".rate", "is so low that the last of %d requests comes after %.3g s, beyond the clock", n, all[n-1].Arrival)
	}
	return scenario.RequestTrace{Requests: all}
}

// defaultSwap is vLLM's swap_space of an accelerator.
const defaultSwap = 4 << 30

// stepCosts finds what steps cost and what the cache has room for.
func (b *builder) stepCosts(w *scenario.Serving, f *serving.Fleet, j *cluster.Job) (*demand.Forward, serving.Costs) {
	path := w.Path
	model, faults := b.scenario.Model(w.Model.Value)
	b.faults = append(b.faults, faults...)
	if faults != nil {
		return nil, nil
	}
	engine, _ := serving.ParseEngine(w.Engine.Value)
	format, _ := demand.ParseFormat(w.Quantization.Value)
	accelerator := b.accelerator(j, topology.BF16)
	model.FFN = pruned(model.FFN, w.Pruning.Value)
	model.ExpertFFN = pruned(model.ExpertFFN, w.Pruning.Value)
	kv := 2
	if w.KVCache.Value == "fp8" || w.KVCache.Value == "int8" || !w.KVCache.Set && engine.NarrowCache && format.Bytes <= 1 {
		kv = 1
	}
	if w.Sparsity.Value == "2:4" {
		format = format.TwoOfFour()
	}
	forward := demand.NewForward(model, &accelerator, f.Tensor, format, kv)
	if err := forward.Validate(f.Stages); err != nil {
		b.fault(w.Model.Pos, path+".model", "%v", err)
		return nil, nil
	}
	f.Batching = engine.Batching(w.Batching.Value)
	for _, k := range []struct {
		key scenario.Key[int64]
		to  *int
	}{{w.MaxBatch, &f.Batching.MaxBatch}, {w.Chunk, &f.Batching.Budget}, {w.TokenBudget, &f.Batching.Budget}, {w.BlockSize, &f.Batching.BlockSize}, {w.KVBlocks, &f.Batching.Blocks}} {
		if k.key.Set {
			*k.to = int(k.key.Value)
		}
	}
	draft := b.draft(w, f, &accelerator, kv)
	if !w.KVBlocks.Set {
		room := engine.CacheBytes(forward, float64(accelerator.Memory), f.Stages)
		token := forward.TokenBytes() / float64(f.Stages)
		if draft != nil {
			room -= draft.WeightBytes()
			token += draft.TokenBytes()
		}
		f.Batching.Blocks = int(min(max(0, room/(token*float64(f.Batching.BlockSize))), math.MaxInt32))
	}
	if w.Preemption.Value == "swap" {
		space := float64(defaultSwap)
		if w.SwapSpace.Set {
			space = float64(w.SwapSpace.Value)
		}
		block := forward.TokenBytes() / float64(f.Stages) * float64(f.Batching.BlockSize) // of an accelerator
		f.Batching.Swap = int(min(space/block, math.MaxInt32)) / f.Stages
		host := b.topology.Servers[0].Spec
		rate := float64(max(host.PCIeBandwidth, host.NICBandwidth))
		if rate == 0 {
			b.fault(w.Preemption.Pos, path+".preemption", "at what rate? %s has no pcie_bandwidth", host.Name)
			return nil, nil
		}
		f.SwapTime = block / rate
	}
	f.Batching.Blocks /= f.Stages
	f.Batching.MaxBatch = max(1, f.Batching.MaxBatch/f.Stages)
	f.Batching.Watermark = int(engine.Watermark * float64(f.Batching.Blocks))
	if f.Batching.Blocks < 1 {
		b.fault(b.at(w.Tensor.Pos, w.At), path, "%s does not fit: of %.1f GB of %s, %s takes %.0f %%; weights of %.1f GB an accelerator and activations leave nothing for keys and values. More tensor or pipeline, or a quantization",
			w.Model.Value, float64(accelerator.Memory)/1e9, accelerator.Name, engine.Name, 100*engine.MemoryShare, forward.WeightBytes()/float64(f.Stages)/1e9)
		return nil, nil
	}
	if w.StepCosts.Set {
		rows, faults := b.scenario.ReadStepCosts(w)
		b.faults = append(b.faults, faults...)
		all := make([]serving.Row, len(rows))
		for i, r := range rows {
			part, _ := serving.ParsePart(r.Part)
			all[i] = serving.Row{Part: part, Sequences: r.Sequences, Cached: r.Cached, Tokens: r.Tokens, Seconds: r.Seconds}
		}
		return forward, serving.NewTable(all)
	}
	roofline := cluster.Roofline{Accelerator: accelerator, Kernels: b.kernels}
	costs := &serving.Computed{Forward: forward, Roofline: roofline, Engine: engine}
	if draft != nil {
		costs.Draft = &serving.Computed{Forward: draft, Roofline: roofline}
	}
	return forward, costs
}

// pruned is a width of which a part has been taken out.
func pruned(width int64, part float64) int64 { return int64(math.Round(float64(width) * (1 - part))) }

// draft has a replica guess tokens, and gives the model that does; nil where none does.
func (b *builder) draft(w *scenario.Serving, f *serving.Fleet, a *topology.Accelerator, kv int) *demand.Forward {
	x := w.Speculative
	if x == nil {
		return nil
	}
	f.Batching.Lookahead, f.Acceptance = int(x.Tokens.Value), x.Acceptance.Value
	if !x.Draft.Set {
		return nil
	}
	model, faults := b.scenario.Model(x.Draft.Value)
	if b.faults = append(b.faults, faults...); faults != nil {
		return nil
	}
	draft := demand.NewForward(model, a, f.Tensor, demand.Formats[0], kv)
	if err := draft.Validate(1); err != nil {
		b.fault(x.Draft.Pos, x.Path+".draft", "%v", err)
		return nil
	}
	return draft
}

// requestTable is what became of every request.
func (p *plant) requestTable() *result.Table {
	var name, status, replica, of, whose []string
	several := false
	var arrival, first, finish []float64
	var input, output, stops []int64
	seconds := func(t sim.Time) float64 {
		if t < 0 {
			return result.Missing
		}
		return t.Seconds()
	}
	for _, s := range p.served {
		several = several || s.tenants[0].name != ""
		for i := range s.Outcomes {
			r, o := &s.Requests[i], &s.Outcomes[i]
			name, of = append(name, r.ID), append(of, p.cluster.Jobs[s.job].Name)
			arrival, first, finish = append(arrival, seconds(o.Arrival)), append(first, seconds(o.First)), append(finish, seconds(o.Finish))
			input, output, stops = append(input, int64(r.Input)), append(output, int64(r.Output)), append(stops, int64(o.Stops))
			where := ""
			if o.Replica >= 0 {
				where = result.Number(float64(o.Replica))
			}
			replica, status = append(replica, where), append(status, o.Status())
			whose = append(whose, s.tenants[r.Tenant].name)
		}
	}
	t := &result.Table{Name: "requests", Columns: []result.Column{
		{Metric: result.Request, Text: name},
		{Metric: result.RequestArrival, Numbers: arrival},
		{Metric: result.RequestFirstToken, Numbers: first},
		{Metric: result.RequestFinish, Numbers: finish},
		{Metric: result.RequestInput, Integers: input},
		{Metric: result.RequestOutput, Integers: output},
		{Metric: result.Workload, Text: of},
		{Metric: result.RequestStatus, Text: status},
		{Metric: result.RequestReplica, Text: replica},
		{Metric: result.RequestStops, Integers: stops},
	}}
	if several {
		t.Columns = append(t.Columns, result.Column{Metric: result.RequestTenant, Text: whose})
	}
	return t
}

// servingSeries is queues, batches and caches over time, nil if nothing happened.
func (p *plant) servingSeries(end sim.Time) *result.Table {
	var of []string
	var at, queue, batch, cache, replicas []float64
	for _, s := range p.served {
		l := &s.Level
		shift := result.CommonShift(end, p.cluster.SeriesBins, &l.Queue, &l.Batch, &l.Cache, &l.Replicas)
		blocks := float64(s.Stages * s.Batching.Blocks)
		q, r, c, u := l.Queue.Rates(shift, end), l.Batch.Rates(shift, end), l.Cache.Rates(shift, end), l.Replicas.Rates(shift, end)
		value := func(rates []float64, i int, part float64) float64 {
			if i >= len(rates) {
				return 0
			}
			return rates[i] / part
		}
		for i := range max(len(q), len(r), len(c), len(u)) {
			begin, width := sim.Time(i)<<shift, sim.Time(1)<<shift
			part := float64(min(width, end-begin)) / float64(width)
			of, at = append(of, p.cluster.Jobs[s.job].Name), append(at, begin.Seconds())
			queue, batch, cache = append(queue, value(q, i, part)), append(batch, value(r, i, part)), append(cache, ratio(value(c, i, part), value(u, i, part)*blocks))
			replicas = append(replicas, value(u, i, part))
		}
	}
	if at == nil {
		return nil
	}
	return &result.Table{Name: "serving_series", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.SeriesQueue, Numbers: queue},
		{Metric: result.SeriesBatch, Numbers: batch},
		{Metric: result.SeriesCache, Numbers: cache},
		{Metric: result.SeriesReplicas, Numbers: replicas},
	}}
}

// servingRecords sum up what became of the requests of each workload.
func (p *plant) servingRecords() []*result.Record {
	var all []*result.Record
	for _, s := range p.served {
		parts := s.tallies()
		tenants := s.tenantRecords(parts) // sorts the times of each, which are then sorted together
		t := sum(parts)
		t.unfinished += int64(len(s.Requests) - len(s.Outcomes)) // the horizon came before the start
		lasted := s.Level.Lasted()
		m := &result.Record{}
		m.Add(result.Name, p.cluster.Jobs[s.job].Name)
		m.Add(result.Model, s.model)
		m.Add(result.ServingReplicas, int64(s.Replicas))
		m.Add(result.AcceleratorCount, int64(s.Replicas*s.Tensor*s.Stages))
		m.Add(result.RequestCount, int64(len(t.whole)))
		m.Add(result.RequestsRejected, t.rejected)
		m.Add(result.RequestsUnended, t.unfinished)
		m.Add(result.FirstTokenTime, spread(t.first))
		m.Add(result.TokenTime, spread(t.each))
		m.Add(result.InterTokenLatency, gapRecord(&s.Gaps))
		m.Add(result.EndToEnd, spread(t.whole))
		m.Add(result.OutputRate, ratio(float64(t.output), t.span()))
		m.Add(result.InputRate, ratio(float64(t.input), t.span()))
		m.Add(result.RequestRate, ratio(float64(len(t.whole)), t.span()))
		m.Add(result.MeanQueue, ratio(s.Level.Queued, lasted))
		m.Add(result.MeanBatch, ratio(s.Level.Ran, s.Level.Up))
		m.Add(result.MeanCache, ratio(s.Level.Cached, s.Level.Up*float64(s.Stages*s.Batching.Blocks)))
		m.Add(result.CacheTokens, int64(s.Batching.Blocks)*int64(s.Stages*s.Batching.BlockSize))
		m.Add(result.WeightBytes, s.weights)
		m.Add(result.StepCount, s.Steps)
		m.Add(result.StepTime, ratio(s.Busy().Seconds(), float64(s.Steps)))
		m.Add(result.RequestStops, t.stops)
		m.Add(result.RequestsRefused, t.refused)
		if s.Batching.Swap > 0 {
			m.Add(result.SwappedBlocks, s.Swapped)
		}
		m.Add(result.ReplicaUse, ratio(s.Busy().Seconds(), s.Level.Up*float64(s.Stages)))
		if asked, hit := s.Prefixes(); asked > 0 {
			m.Add(result.PrefixHits, ratio(float64(hit), float64(asked)))
		}
		s.addReplicas(m)
		t.addGoodput(m, slices.ContainsFunc(s.tenants, func(t tenant) bool { return t.slo != objectives{} }))
		if tenants != nil {
			m.Add(result.Tenants, tenants)
		}
		all = append(all, m)
	}
	return all
}

// spread is the distribution of some times, which it sorts.
func spread(times []float64) *result.Record {
	slices.Sort(times)
	var sum float64
	for _, t := range times {
		sum += t
	}
	rank := func(share float64) float64 {
		if len(times) == 0 {
			return 0
		}
		return times[max(0, int(math.Ceil(share*float64(len(times))))-1)]
	}
	r := &result.Record{}
	r.Add(result.Mean, ratio(sum, float64(len(times))))
	r.Add(result.P50, rank(0.5))
	r.Add(result.P90, rank(0.9))
	r.Add(result.P99, rank(0.99))
	return r
}

func gapRecord(g *serving.Gaps) *result.Record {
	r := &result.Record{}
	r.Add(result.Mean, g.Mean())
	r.Add(result.P50, g.Quantile(0.5))
	r.Add(result.P90, g.Quantile(0.9))
	r.Add(result.P99, g.Quantile(0.99))
	return r
}
