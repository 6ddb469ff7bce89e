package datacenter

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
	memory  float64 // the same, with the cache that is reserved
	tenants []tenant
	quality *float64 // nil: nobody says
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
	f := &serving.Fleet{
		Pool:        serving.Pool{Tensor: int(w.Tensor.Value), Expert: int(w.Expert.Value), Stages: int(w.Pipeline.Value)},
		Concurrency: int(w.Concurrency.Value), Context: int(w.Context.Value),
	}
	f.Routing, _ = scheduler.ParseRouting(w.Router.Value)
	if w.Disaggregate != nil && !b.placePools(w, f, j) || w.Disaggregate == nil && !b.placeReplicas(w, f, j) {
		return
	}
	whose, shares, priorities := tenants(w)
	trace := b.requests(w, j.Name, shares)
	f.Requests, f.Priorities = trace.Requests, priorities
	f.Random = sim.Stream(uint64(b.scenario.Sim.Seed.Value), "serving/router/"+j.Name)
	if model, _ := b.scenario.Model(w.Model.Value); demand.Answers(model.Family) {
		if b.faults != nil {
			return
		}
		if weights, ok := b.passes(w, f, model, j); ok {
			b.scaling(w, f, weights)
			b.serve(w, f, j, weights, 0, whose)
		}
		return
	}
	forward := b.stepCosts(w, f, &f.Pool, j)
	onward := 0.0
	if f.Decode != nil && forward != nil {
		onward = b.disaggregate(w, f, j)
	}
	if len(b.faults) > before {
		return
	}
	if w.PrefixCache.Value && !b.keepPrefixes(w, f, trace.Piece) {
		return
	}
	weights := forward.WeightBytes() / float64(f.Stages)
	b.scaling(w, f, weights, onward)
	b.serve(w, f, j, weights, forward.TokenBytes()*float64(f.Batching.Blocks*f.Batching.BlockSize), whose)
}

// serve submits a fleet, of weights and a cache of so many bytes an accelerator: its stage
// of the tokens of all lanes.
func (b *builder) serve(w *scenario.Serving, f *serving.Fleet, j *cluster.Job, weights, cache float64, whose []tenant) {
	b.addGeography(w, f)
	j.Program = f
	s := &served{Fleet: f, job: len(b.cluster.Jobs), model: w.Model.Value, weights: weights, memory: weights + cache, tenants: whose}
	if w.Quality.Set {
		score, faults := b.scenario.QualityOf(w)
		if b.faults = append(b.faults, faults...); faults != nil {
			return
		}
		s.quality = &score
	}
	b.served = append(b.served, s)
	only := *w
	only.Name.Value, only.Name.Set = j.Name, true
	b.submit(j, scenario.Workload{Serving: []scenario.Serving{only}})
}

// keepPrefixes has replicas keep what prompts share: pieces of so many tokens that a trace
// names, or blocks of what all prompts of a tenant begin with.
func (b *builder) keepPrefixes(w *scenario.Serving, f *serving.Fleet, piece int) bool {
	if piece > 0 {
		if f.Batching.Piece = piece; piece%f.Batching.BlockSize != 0 {
			b.fault(w.BlockSize.Pos.Or(w.At), w.Path, "hashes of the requests are of %d tokens, which blocks of %d do not divide: set block_size, or prefix_cache = false", piece, f.Batching.BlockSize)
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
	each := f.Ranks()
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
	b.dealReplicas(w, j, each)
	if f.Replicas*each != j.Count {
		b.fault(w.Tensor.Pos.Or(w.At), w.Path, "%d replicas of %d accelerators (tensor %d, expert %d, pipeline %d) do not make up the %d that there are",
			max(f.Replicas, 1), each, f.Tensor, f.Expert, f.Stages, j.Count)
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

// stepCosts finds what steps of a pool cost and what its caches have room for; nil if
// the model cannot be served so.
func (b *builder) stepCosts(w *scenario.Serving, f *serving.Fleet, p *serving.Pool, j *cluster.Job) *demand.Forward {
	path := w.Path
	model, faults := b.scenario.Model(w.Model.Value)
	b.faults = append(b.faults, faults...)
	if faults != nil {
		return nil
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
	forward := demand.NewForward(model, &accelerator, p.Tensor, format, kv)
	forward.Expert = p.Expert
	if err := forward.Validate(p.Stages); err != nil {
		b.fault(w.Model.Pos, path+".model", "%v", err)
		return nil
	}
	p.Batching = engine.Batching(w.Batching.Value)
	p.Batching.MaxBatch *= p.Expert
	p.Batching.Budget *= p.Expert
	for _, k := range []struct {
		key scenario.Key[int64]
		to  *int
	}{{w.MaxBatch, &p.Batching.MaxBatch}, {w.Chunk, &p.Batching.Budget}, {w.TokenBudget, &p.Batching.Budget}, {w.BlockSize, &p.Batching.BlockSize}, {w.KVBlocks, &p.Batching.Blocks}} {
		if k.key.Set {
			*k.to = int(k.key.Value)
		}
	}
	draft := b.draft(w, f, p, &accelerator, kv)
	f.TokenBytes = forward.TokenBytes() / float64(p.Stages)
	if draft != nil {
		f.TokenBytes += draft.TokenBytes()
	}
	if !w.KVBlocks.Set {
		room := engine.CacheBytes(forward, float64(accelerator.Memory), p.Stages)
		if draft != nil {
			room -= draft.WeightBytes()
		}
		p.Batching.Blocks = int(min(max(0, float64(p.Expert)*room/(f.TokenBytes*float64(p.Batching.BlockSize))), math.MaxInt32))
	}
	if w.Preemption.Value == "swap" {
		space := float64(defaultSwap)
		if w.SwapSpace.Set {
			space = float64(w.SwapSpace.Value)
		}
		block := forward.TokenBytes() / float64(p.Stages) * float64(p.Batching.BlockSize) // of an accelerator
		p.Batching.Swap = int(min(float64(p.Expert)*space/block, math.MaxInt32)) / p.Stages
		rate := b.swapRate()
		if rate == 0 {
			b.fault(w.Preemption.Pos, path+".preemption", "at what rate? %s has no pcie_bandwidth", b.topology.Servers[0].Spec.Name)
			return nil
		}
		p.SwapTime = block / rate
	}
	p.Batching.Blocks /= p.Stages
	p.Batching.MaxBatch = max(1, p.Batching.MaxBatch/p.Stages)
	p.Batching.Watermark = int(engine.Watermark * float64(p.Batching.Blocks))
	if p.Batching.Blocks < 1 {
		b.fault(w.Tensor.Pos.Or(w.At), path, "%s does not fit: of %.1f GB of %s, %s takes %.0f %%; weights of %.1f GB an accelerator and activations leave nothing for keys and values. More tensor or pipeline, or a quantization",
			w.Model.Value, float64(accelerator.Memory)/1e9, accelerator.Name, engine.Name, 100*engine.MemoryShare, forward.WeightBytes()/float64(p.Stages)/1e9)
		return nil
	}
	if w.StepCosts.Set {
		rows, faults := b.scenario.ReadStepCosts(w)
		b.faults = append(b.faults, faults...)
		all := make([]serving.Row, len(rows))
		for i, r := range rows {
			part, _ := serving.ParsePart(r.Part)
			all[i] = serving.Row{Part: part, Sequences: r.Sequences, Cached: r.Cached, Tokens: r.Tokens, Seconds: r.Seconds}
		}
		p.Costs = serving.NewTable(all)
		return forward
	}
	roofline := cluster.Roofline{Accelerator: accelerator, Kernels: b.kernels}
	costs := &serving.Computed{Forward: forward, Roofline: roofline, Engine: b.confidentialEngine(engine)}
	if draft != nil {
		costs.Draft = &serving.Computed{Forward: draft, Roofline: roofline}
	}
	if b.stepsKnown != nil && len(b.served) == 0 && p == &f.Pool {
		costs.Steps = &b.stepsKnown.cache
	}
	p.Costs, f.Intake = costs, serving.FrontEnd
	return forward
}

// StepCache is what steps cost that has been computed. It may be used for one run at a time.
type StepCache struct{ cache serving.StepCache }

// pruned is a width of which a part has been taken out.
func pruned(width int64, part float64) int64 { return int64(math.Round(float64(width) * (1 - part))) }

// draft has a replica guess tokens, and gives the model that does; nil where none does.
func (b *builder) draft(w *scenario.Serving, f *serving.Fleet, p *serving.Pool, a *topology.Accelerator, kv int) *demand.Forward {
	x := w.Speculative
	if x == nil {
		return nil
	}
	p.Batching.Lookahead, f.Acceptance = int(x.Tokens.Value), x.Acceptance.Value
	if !x.Draft.Set {
		return nil
	}
	model, faults := b.scenario.Model(x.Draft.Value)
	if b.faults = append(b.faults, faults...); faults != nil {
		return nil
	}
	draft := demand.NewForward(model, a, p.Tensor, demand.Formats[0], kv)
	if err := draft.Validate(1); err != nil {
		b.fault(x.Draft.Pos, x.Path+".draft", "%v", err)
		return nil
	}
	return draft
}

// knownSeconds is a time in seconds, or nothing if it never came.
func knownSeconds(t sim.Time) float64 {
	if t < 0 {
		return result.Missing
	}
	return t.Seconds()
}

// collectServing tells how requests were answered.
func (p *plant) collectServing(r *Result) {
	if len(p.served) == 0 {
		return
	}
	if !p.summaryOnly {
		r.Tables = append(r.Tables, p.requestTable())
		if table := p.scalingTable(); table != nil {
			r.Tables = append(r.Tables, table)
		}
	}
	r.Summary.Add(result.Serving, p.servingRecords())
}

// requestTable is what became of every request.
func (p *plant) requestTable() *result.Table {
	var name, status, replica, of, whose []string
	several := false
	var arrival, first, finish []float64
	var input, output, stops []int64
	for _, s := range p.served {
		several = several || s.tenants[0].name != ""
		for i := range s.Outcomes {
			r, o := &s.Requests[i], &s.Outcomes[i]
			name, of = append(name, r.ID), append(of, p.cluster.Jobs[s.job].Name)
			arrival, first, finish = append(arrival, knownSeconds(o.Arrival)), append(first, knownSeconds(o.First)), append(finish, knownSeconds(o.Finish))
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
	t.Columns = append(t.Columns, p.handoverColumns()...)
	return t
}

// servingSeries is queues, batches and caches over time, nil if nothing happened.
func (p *plant) servingSeries(end sim.Time) *result.Table {
	var of []string
	var at, queue, batch, cache, replicas []float64
	for _, s := range p.served {
		var all []*result.Bins
		for _, x := range s.Pools() {
			if s.passes() {
				x.Level.Cache = result.Bins{} // there is none
			}
			all = append(all, &x.Level.Queue, &x.Level.Batch, &x.Level.Cache, &x.Level.Replicas)
		}
		shift := result.CommonShift(end, p.cluster.SeriesBins, all...)
		var waiting, running, used, room, up []float64
		add := func(to *[]float64, of *result.Bins, weight float64) {
			for i, v := range of.Rates(shift, end) {
				for i >= len(*to) {
					*to = append(*to, 0)
				}
				(*to)[i] += v * weight
			}
		}
		for _, x := range s.Pools() {
			l := &x.Level
			add(&waiting, &l.Queue, 1)
			add(&running, &l.Batch, 1)
			add(&used, &l.Cache, 1)
			add(&up, &l.Replicas, 1)
			add(&room, &l.Replicas, float64(x.Blocks()))
		}
		value := func(rates []float64, i int, part float64) float64 {
			if i >= len(rates) {
				return 0
			}
			return rates[i] / part
		}
		for i := range max(len(waiting), len(running), len(used), len(up)) {
			begin, width := sim.Time(i)<<shift, sim.Time(1)<<shift
			part := float64(min(width, end-begin)) / float64(width)
			of, at = append(of, p.cluster.Jobs[s.job].Name), append(at, begin.Seconds())
			queue, batch, cache = append(queue, value(waiting, i, part)), append(batch, value(running, i, part)), append(cache, result.Ratio(value(used, i, part), value(room, i, part)))
			replicas = append(replicas, value(up, i, part))
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
		l := s.levels()
		m := &result.Record{}
		m.Add(result.Name, p.cluster.Jobs[s.job].Name)
		m.Add(result.Model, s.model)
		m.Add(result.ServingReplicas, int64(l.replicas))
		m.Add(result.AcceleratorCount, int64(l.accelerators))
		m.Add(result.RequestCount, int64(len(t.whole)))
		m.Add(result.RequestsRejected, t.rejected)
		m.Add(result.RequestsUnended, t.unfinished)
		m.Add(result.FirstTokenTime, spread(t.first))
		m.Add(result.TokenTime, spread(t.each))
		m.Add(result.InterTokenLatency, gapRecord(&s.Gaps))
		m.Add(result.EndToEnd, spread(t.whole))
		m.Add(result.OutputRate, result.Ratio(float64(t.output), t.span()))
		m.Add(result.InputRate, result.Ratio(float64(t.input), t.span()))
		m.Add(result.RequestRate, result.Ratio(float64(len(t.whole)), t.span()))
		m.Add(result.MeanQueue, l.queue)
		m.Add(result.MeanBatch, result.Ratio(l.ran, l.up))
		if !s.passes() {
			m.Add(result.MeanCache, result.Ratio(l.cached, l.room))
			m.Add(result.CacheTokens, int64(s.Blocks())*int64(s.Batching.BlockSize))
		}
		m.Add(result.WeightBytes, s.weights)
		m.Add(result.StepCount, s.Steps)
		m.Add(result.StepTime, result.Ratio(l.busy, float64(s.Steps)))
		m.Add(result.RequestStops, t.stops)
		m.Add(result.RequestsRefused, t.refused)
		if s.Batching.Swap > 0 {
			m.Add(result.SwappedBlocks, s.Swapped)
		}
		m.Add(result.ReplicaUse, result.Ratio(l.busy, l.up))
		if asked, hit := s.Prefixes(); asked > 0 {
			m.Add(result.PrefixHits, result.Ratio(float64(hit), float64(asked)))
		}
		s.addReplicas(m, &l)
		s.addHandovers(m)
		t.addGoodput(m, slices.ContainsFunc(s.tenants, func(t tenant) bool { return t.slo != objectives{} }))
		if tenants != nil {
			m.Add(result.Tenants, tenants)
		}
		if s.quality != nil {
			m.Add(result.QualityScore, *s.quality)
		}
		all = append(all, m)
	}
	return all
}

// levels are the integrals over time of all pools together.
type levels struct {
	replicas, accelerators int
	ran, cached, room      float64 // s; times blocks; times blocks
	up, busy, holding      float64 // s; that compute; times accelerators
	queue, answering       float64 // requests that wait and replicas that answer, in the mean
}

func (s *served) levels() (all levels) {
	for _, p := range s.Pools() {
		l := &p.Level
		all.replicas += p.Replicas
		all.accelerators += p.Accelerators()
		all.queue += l.Queued.Mean(l.Lasted())
		all.answering += l.Up.Mean(l.Lasted())
		all.ran += l.Ran.Seconds()
		all.cached += l.Cached.Seconds()
		all.up += l.Up.Seconds()
		all.room += l.Up.Seconds() * float64(p.Blocks())
		all.holding += l.Held.Seconds() * float64(p.Ranks())
		all.busy += s.Busy(p).Seconds()
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
	r := &result.Record{}
	r.Add(result.Mean, result.Ratio(sum, float64(len(times))))
	r.Add(result.P50, serving.Quantile(times, 0.5))
	r.Add(result.P90, serving.Quantile(times, 0.9))
	r.Add(result.P99, serving.Quantile(times, 0.99))
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
