package scenario

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload/serving"
)

// Bounds of requests: each takes some hundred bytes, and its tokens are counted in 32
// bits.
const (
	maxRequests = 1 << 22
	maxTokens   = 1 << 24
	maxCosts    = 1 << 20 // rows of a table of step costs
)

// Serving is one [[workload.serving]].
type Serving struct {
	Header
	Name Key[string] `key:"name" doc:"name in results; the model's where left out"`
	Placing
	SiteRouting

	Model    Key[string] `key:"model" required:"true" doc:"model of the catalogue, or a [models.NAME] of this file. A transformer answers token by token; a bert, convnet, dlrm, unet3d or rnnt in one forward pass for max_batch requests, its requests being a text (input: tokens), some images, candidates to rank or patches of a volume (input: how many), or an utterance (input: frames)"`
	Replicas Key[int64]  `key:"replicas" min:"1" max:"65536" doc:"copies of the model; what fills the accelerators where left out"`
	Tensor   Key[int64]  `key:"tensor" default:"1" min:"1" max:"1024" doc:"tensor-parallel degree of a replica"`
	Expert   Key[int64]  `key:"expert" default:"1" min:"1" max:"1024" doc:"of a model with experts, groups of tensor ranks of a stage that share them: each computes the attention of its own sequences with a cache of its own, and tokens go to their experts and back by all-to-all (DeepSeek-AI 2024). A replica has tensor x expert x pipeline accelerators; defaults of max_batch and token_budget are those of each group"`
	Pipeline Key[int64]  `key:"pipeline" default:"1" min:"1" max:"256" doc:"pipeline stages of a replica, which has as many batches under way"`

	Engine       Key[string] `key:"engine" default:"\"vllm\"" enum:"vllm trtllm sglang vllm-v0" doc:"whose order of steps, token budget, type of cache and overheads: vllm mixes prompts and tokens (version 1), vllm-v0 has prompts first and whole, as it did before; trtllm mixes, and reserves the cache of all tokens to come; sglang has prompts first"`
	Batching     Key[string] `key:"batching" default:"\"continuous\"" enum:"static continuous chunked" doc:"static: a batch stays together until its last sequence ends; continuous: as the engine does; chunked: the next token of every sequence first, then parts of prompts up to chunk tokens in all (Sarathi-Serve)"`
	MaxBatch     Key[int64]  `key:"max_batch" min:"1" max:"65536" doc:"sequences that run at a time on a replica; the engine's default where left out, 32 for models that answer in one pass"`
	Chunk        Key[int64]  `key:"chunk" min:"1" max:"16777216" doc:"with batching = \"chunked\", tokens of a step; 512 where left out"`
	TokenBudget  Key[int64]  `key:"token_budget" min:"1" max:"16777216" doc:"with batching = \"continuous\", tokens of a step; the engine's default where left out"`
	Quantization Key[string] `key:"quantization" default:"\"none\"" enum:"none fp8 int8 fp4 int4" doc:"format of the weights but for embeddings and head; products are computed in it where the accelerator can, else in 16 bits"`

	Sparsity    Key[string]  `key:"sparsity" default:"\"none\"" enum:"none 2:4" doc:"2:4: of four weights two are zero, but for embeddings and head; half of their bytes, two bits for each that is left, and half of the operations, as the sparse tensor cores of Ampere and later ones have it"`
	Pruning     Key[float64] `key:"pruning" default:"0" min:"0" max:"0.95" doc:"part of the width of the feed-forward layers that has been taken out (structured pruning)"`
	Speculative *Speculative `key:"speculative" doc:"speculative decoding: tokens are guessed, and computed together"`

	Quality Key[string] `key:"quality" doc:"CSV of what was measured of variants of models: model,quantization,score, and where they matter sparsity,pruning; a distilled student is another model. The score of what is served goes into the summary, where an [[expect]] may hold it to a floor"`

	KVCache   Key[string] `key:"kv_cache" enum:"16-bit fp8 int8" doc:"format of keys and values in the cache; as the engine chooses where left out: trtllm has fp8 with weights of 8 bits or fewer, all others 16 bits"`
	BlockSize Key[int64]  `key:"block_size" min:"1" max:"65536" doc:"tokens of a block of the cache; the engine's default where left out"`
	KVBlocks  Key[int64]  `key:"kv_blocks" min:"1" max:"1073741824" doc:"blocks of the cache of a replica; what the memory has room for where left out"`
	Context   Key[int64]  `key:"context" min:"2" max:"16777216" doc:"tokens that a prompt and its answer may have together; what the cache has room for where left out. Longer requests are rejected"`
	StepCosts Key[string] `key:"step_costs" doc:"CSV of what steps cost, in place of the roofline: part,sequences,cached_tokens,tokens,time_s, of all layers and one replica. A step is the sum of its parts: dense, by tokens; prefill, by chunks (sequences), what they have in the cache, and the root of the sum of the squares of their tokens; decode, by sequences and their mean context. Each takes the next row that is not below; more chunks than the table has are its most"`

	Router      Key[string]      `key:"router" default:"\"round-robin\"" enum:"round-robin least-loaded least-waiting random power-of-two prefix-aware session-affine" doc:"which replica a request goes to: least-loaded has the fewest requests that have not ended, least-waiting the fewest in its queue; power-of-two, the less loaded of two that are drawn; prefix-aware, that which has kept most of the prompt, unless loads are uneven by 64 requests and half as many again; session-affine, that which had the last request of the session, a new one going to the least loaded"`
	Preemption  Key[string]      `key:"preemption" default:"\"recompute\"" enum:"recompute swap" doc:"what becomes of the keys and values of a sequence that is stopped for want of blocks: recompute, they are computed again; swap, they are moved to the host's memory and back at the rate of PCIe, while swap_space has room"`
	SwapSpace   Key[units.Bytes] `key:"swap_space" positive:"true" doc:"with preemption = \"swap\", memory of the host for each accelerator; 4 GiB where left out, as in vLLM"`
	PrefixCache Key[bool]        `key:"prefix_cache" default:"true" doc:"keep what prompts begin with for others, where requests name it (mooncake, qwen), until its blocks are needed: the least recently used goes first"`

	Requests    Key[string]         `key:"requests" doc:"demand: CSV of requests in the order of arrival: request,arrival_s,input_tokens,output_tokens, and tenant where there are several; site, where there are several clients"`
	Format      Key[string]         `key:"format" default:"\"csv\"" enum:"csv azure mooncake burstgpt qwen" doc:"of requests: csv, as above; azure, AzureLLMInferenceTrace of 2023; mooncake, JSON lines with the hashes of blocks of 512 tokens; burstgpt, BurstGPT_1.csv and its like; qwen, JSON lines of qwen-bailian-usagetraces-anon, with hashes of blocks of 16. Times are from the first request on; those without tokens of a prompt or an answer are left out"`
	Speedup     Key[float64]        `key:"speedup" default:"1" positive:"true" min:"0" max:"1e6" doc:"requests of a file come so many times as fast"`
	Rate        Key[float64]        `key:"rate" positive:"true" min:"0" max:"1e9" doc:"demand: requests a second, however many are under way"`
	Arrivals    Key[string]         `key:"arrivals" default:"\"poisson\"" enum:"poisson constant gamma diurnal" doc:"with rate, how requests come: poisson, at random; constant, evenly; gamma, with gaps of a coefficient of variation cv; diurnal, at random at a rate that goes up and down, rate (1 + swing cos(2 pi (time - peak) / period))"`
	CV          Key[float64]        `key:"cv" min:"0.001" max:"100" doc:"with arrivals = \"gamma\", coefficient of variation of the time between requests"`
	Swing       Key[float64]        `key:"swing" min:"0" max:"1" doc:"with arrivals = \"diurnal\", by which part of it the rate goes up and down; 0.5 where left out"`
	Period      Key[units.Duration] `key:"period" positive:"true" doc:"with arrivals = \"diurnal\", how long a day is; 24h where left out"`
	Peak        Key[units.Duration] `key:"peak" doc:"with arrivals = \"diurnal\", when the rate is at its highest; half a period where left out"`
	Concurrency Key[int64]          `key:"concurrency" min:"1" max:"1048576" doc:"demand: clients that each send a request, and the next when it has ended; all begin at once"`
	Count       Key[int64]          `key:"count" min:"1" max:"4194304" doc:"with rate or concurrency, how many requests"`
	Input       Key[Lengths]        `key:"input" min:"1" max:"16777216" doc:"with rate or concurrency, tokens of a prompt: an integer, or { distribution = \"uniform\", min, max } or { distribution = \"lognormal\", mean, cv, min, max }"`
	Output      Key[Lengths]        `key:"output" min:"1" max:"16777216" doc:"with rate or concurrency, tokens of an answer, in the same way"`

	SinglePass

	SharedPrefix Key[int64]    `key:"shared_prefix" min:"1" max:"16777216" doc:"with rate or concurrency, tokens that all prompts begin with, of each tenant its own; shorter prompts are a part of it. A replica computes them once while they stay in its cache"`
	SLO          SLO           `key:"slo" doc:"what a request is to keep to, for goodput"`
	Tenant       []Tenant      `key:"tenant" doc:"whose requests there are"`
	MaxQueue     Key[int64]    `key:"max_queue" min:"1" max:"4194304" doc:"requests that may wait, of all replicas; more are turned away. No limit where left out"`
	Autoscale    *Autoscale    `key:"autoscale" doc:"replicas that come and go with the load"`
	Disaggregate *Disaggregate `key:"disaggregate" doc:"prompts and the tokens after the first on replicas of their own"`
	ColdStart    ColdStart     `key:"cold_start" doc:"what a replica does before it answers, where replicas scale or fail"`
}

// Speculative is [workload.serving.speculative]: a small model guesses tokens, which the
// model then computes together and keeps up to the first that is wrong (Leviathan et al.,
// ICML 2023).
type Speculative struct {
	Header
	Draft      Key[string]  `key:"draft" doc:"model that guesses, a transformer, laid on the accelerators of a replica like the model; guesses cost nothing where left out, as n-grams of the prompt do"`
	Tokens     Key[int64]   `key:"tokens" required:"true" min:"1" max:"64" doc:"tokens that are guessed at a time"`
	Acceptance Key[float64] `key:"acceptance" required:"true" min:"0" max:"1" doc:"probability that a guessed token is right where those before it are: of k guesses (1 - a^(k+1)) / (1 - a) tokens come of a step in the mean"`
}

// Lengths is a number of tokens, or a distribution of it.
type Lengths serving.Lengths

// wantLengths takes an integer, or a table that says how lengths vary.
func wantLengths(n *node, d declared) (Lengths, error) {
	if n.table == nil {
		count, err := wantInteger(n, d)
		return Lengths{Mean: float64(count)}, err
	}
	kinds := map[string]struct {
		distribution serving.Distribution
		keys         []string
	}{
		"uniform":   {serving.Uniform, []string{"min", "max"}},
		"lognormal": {serving.LogNormal, []string{"mean", "cv", "min", "max"}},
	}
	item := n.table["distribution"]
	if item == nil {
		return Lengths{}, fmt.Errorf(`must be an integer or say its distribution: "uniform" or "lognormal"`)
	}
	name, _ := item.scalar.(string)
	kind, ok := kinds[name]
	if !ok {
		return Lengths{}, &itemError{item, fmt.Errorf(`distribution must be "uniform" or "lognormal"`)}
	}
	l := Lengths{Distribution: kind.distribution, Min: 1, Max: maxTokens}
	for _, key := range n.keys {
		item, err := n.table[key], error(nil)
		var v int64
		switch {
		case key == "distribution":
		case !strings.Contains(" "+strings.Join(kind.keys, " ")+" ", " "+key+" "):
			err = fmt.Errorf("unknown key %q; %s takes %s", shown(key), name, strings.Join(kind.keys, ", "))
		case key == "mean":
			l.Mean, err = wantNumber(item, d)
		case key == "cv":
			l.CV, err = wantNumber(item, declared{min: new(0.0), max: new(100.0)})
		case key == "min":
			v, err = wantInteger(item, d)
			l.Min = int(v)
		case key == "max":
			v, err = wantInteger(item, d)
			l.Max = int(v)
		}
		if err != nil {
			return l, &itemError{item, fmt.Errorf("%s: %w", key, err)}
		}
	}
	switch {
	case l.Distribution == serving.LogNormal && l.Mean == 0:
		return l, fmt.Errorf("lognormal needs its mean")
	case l.Distribution == serving.Uniform && n.table["max"] == nil:
		return l, fmt.Errorf("uniform needs its max")
	case l.Min > l.Max:
		return l, fmt.Errorf("min, %d, is above max, %d", l.Min, l.Max)
	}
	return l, nil
}

// check judges the keys of a serving workload together.
func (w *Serving) check(r *resolver, b *binder) {
	family := r.family(w.Model, w.Path)
	w.checkPass(family, b)
	if x := w.Speculative; x != nil && x.Draft.Set {
		r.model(x.Draft.Value, x.Draft.Pos, x.Path+".draft")
	}
	demands := []struct {
		name string
		set  bool
		at   Position
	}{{"requests", w.Requests.Set, w.Requests.Pos}, {"rate", w.Rate.Set, w.Rate.Pos}, {"concurrency", w.Concurrency.Set, w.Concurrency.Pos}}
	given := ""
	for _, d := range demands {
		if d.set && given != "" {
			b.faultf(d.at, w.Path+"."+d.name, "contradicts %s: give one of requests, rate and concurrency", given)
		} else if d.set {
			given = d.name
		}
	}
	if given == "" {
		b.faultf(w.At, w.Path, "is without demand: give requests (a CSV), rate or concurrency")
	}
	belongs := func(set bool, at Position, key string, holds bool, to string) {
		if set && !holds {
			b.faultf(at, w.Path+"."+key, "belongs to %s", to)
		}
	}
	for _, k := range []struct {
		name string
		set  bool
		at   Position
	}{{"count", w.Count.Set, w.Count.Pos}, {"input", w.Input.Set, w.Input.Pos}, {"output", w.Output.Set, w.Output.Pos}, {"shared_prefix", w.SharedPrefix.Set, w.SharedPrefix.Pos}} {
		belongs(k.set, k.at, k.name, given != "requests", "rate or concurrency")
		if !k.set && k.name != "shared_prefix" && !inferred(family, k.name) && (given == "rate" || given == "concurrency") {
			b.faultf(w.At, w.Path, "needs the key %q with %s", k.name, given)
		}
	}
	belongs(w.Arrivals.Set, w.Arrivals.Pos, "arrivals", given == "rate", "rate")
	gamma := w.Arrivals.Value == "gamma"
	for _, k := range []struct {
		name string
		set  bool
		at   Position
	}{{"swing", w.Swing.Set, w.Swing.Pos}, {"period", w.Period.Set, w.Period.Pos}, {"peak", w.Peak.Set, w.Peak.Pos}} {
		belongs(k.set, k.at, k.name, w.Arrivals.Value == "diurnal", `arrivals = "diurnal"`)
	}
	belongs(w.SwapSpace.Set, w.SwapSpace.Pos, "swap_space", w.Preemption.Value == "swap", `preemption = "swap"`)
	belongs(w.Format.Set, w.Format.Pos, "format", given == "requests", "requests")
	belongs(w.Speedup.Set, w.Speedup.Pos, "speedup", given == "requests", "requests")
	belongs(w.CV.Set, w.CV.Pos, "cv", gamma, `arrivals = "gamma"`)
	if gamma && !w.CV.Set {
		b.faultf(w.Arrivals.Pos, w.Path+".arrivals", "needs the key \"cv\", the coefficient of variation of the gaps")
	}
	belongs(w.Chunk.Set, w.Chunk.Pos, "chunk", w.Batching.Value == "chunked", `batching = "chunked"`)
	belongs(w.TokenBudget.Set, w.TokenBudget.Pos, "token_budget", w.Batching.Value == "continuous", `batching = "continuous"`)
	w.checkScaling(b)
	w.checkDisaggregate(b)
	w.checkTenants(b)
}

// ReadRequests reads the file of requests that a [[workload.serving]] names.
func (s *Scenario) ReadRequests(w *Serving) (t RequestTrace, faults Faults) {
	faults = s.withTable(w.Requests, w.Path+".requests", func(file string, in io.Reader) (faults Faults) {
		t, faults = w.readTrace(file, in)
		return faults
	})
	return t, faults
}

func (w *Serving) readRequests(file string, in io.Reader) ([]serving.Request, Faults) {
	rows := newRows(file, in)
	if !rows.header([]string{"request", "arrival_s", "input_tokens", "output_tokens"}, []string{"tenant", "site"}) {
		return nil, rows.all()
	}
	tenant := rows.column("tenant")
	if tenant < 0 && len(w.Tenant) > 0 {
		rows.add(Position{file, 1, 1}.Faultf("tenant", "there are tenants, and no column says whose a request is"))
		return nil, rows.all()
	}
	site, ok := w.clientColumn(rows, file)
	if !ok {
		return nil, rows.all()
	}
	request, arrival, input, output := rows.column("request"), rows.column("arrival_s"), rows.column("input_tokens"), rows.column("output_tokens")
	seen := map[string]int32{}
	var all []serving.Request
	for rows.next() {
		if len(all) == maxRequests {
			rows.faultf(request, "more than %d requests", maxRequests)
			break
		}
		r := serving.Request{
			ID: rows.id(request, seen), Arrival: rows.time(arrival),
			Input: rows.within(input, 1, maxTokens), Output: rows.within(output, 1, maxTokens), Line: int(rows.line()),
		}
		if n := len(all); n > 0 && r.Arrival < all[n-1].Arrival {
			rows.faultf(arrival, "%s is before the %s of the row above: rows stand in the order of arrival",
				rows.text(arrival), strconv.FormatFloat(all[n-1].Arrival, 'f', -1, 64))
			r.Arrival = all[n-1].Arrival
		}
		if tenant >= 0 {
			r.Tenant = slices.IndexFunc(w.Tenant, func(t Tenant) bool { return t.Name.Value == rows.text(tenant) })
			if r.Tenant < 0 {
				rows.faultf(tenant, "%q is no [[workload.serving.tenant]]", shown(rows.text(tenant)))
			}
		}
		r.Client = w.clientOf(rows, site)
		all = append(all, r)
	}
	if faults := rows.all(); faults != nil {
		return nil, faults
	}
	return all, nil
}

// within is a whole number in a range.
func (r *rows) within(column int, least, most int64) int {
	n := r.integer(column)
	if n < least || n > most {
		r.faultf(column, "must be from %d to %d, not %d", least, most, n)
		return int(least)
	}
	return int(n)
}

// StepCost is a row of a table of step costs.
type StepCost struct {
	Part                      string // dense, prefill or decode
	Sequences, Cached, Tokens int
	Seconds                   float64
}

// ReadStepCosts reads the table of step costs that a [[workload.serving]] names.
func (s *Scenario) ReadStepCosts(w *Serving) ([]StepCost, Faults) {
	var all []StepCost
	faults := s.withTable(w.StepCosts, w.Path+".step_costs", func(file string, in io.Reader) (faults Faults) {
		all, faults = readStepCosts(file, in)
		return faults
	})
	return all, faults
}

func readStepCosts(file string, in io.Reader) ([]StepCost, Faults) {
	rows := newRows(file, in)
	if !rows.header([]string{"part", "sequences", "cached_tokens", "tokens", "time_s"}, nil) {
		return nil, rows.all()
	}
	part, sequences, cached, tokens, seconds := rows.column("part"), rows.column("sequences"), rows.column("cached_tokens"), rows.column("tokens"), rows.column("time_s")
	// A number that the part does not go by stays empty.
	count := func(column int, wanted bool, least int64) int {
		if !wanted && rows.text(column) == "" {
			return 0
		}
		if !wanted {
			rows.faultf(column, "must be empty for %s", rows.text(part))
			return 0
		}
		return rows.within(column, least, maxTokens)
	}
	var all []StepCost
	for rows.next() {
		if len(all) == maxCosts {
			rows.faultf(part, "more than %d rows", maxCosts)
			break
		}
		x := StepCost{Seconds: rows.time(seconds)}
		switch rows.text(part) {
		case "dense", "prefill", "decode":
			x.Part = strings.Clone(rows.text(part))
		default:
			rows.faultf(part, "%q is unknown: dense, prefill or decode", shown(rows.text(part)))
			continue
		}
		x.Sequences = count(sequences, x.Part != "dense", 1)
		x.Cached = count(cached, x.Part != "dense", 0)
		x.Tokens = count(tokens, x.Part != "decode", 1)
		all = append(all, x)
	}
	if faults := rows.all(); faults != nil {
		return nil, faults
	}
	return all, nil
}
