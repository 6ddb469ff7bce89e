package datacenter

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
)

func (b *builder) addTraining(w *scenario.Training) {
	path := w.Path
	before := len(b.faults)
	if b.topology.Bare() {
		b.fault(w.At, path, "bare accelerators have no compute rate: training needs a topology of hosts (single-host, leaf-spine, fat-tree, rail, dragonfly)")
		return
	}
	j := &cluster.Job{Name: b.name(w.Name, w.Model.Value)}
	if !b.place(&w.Placing, path, w.At, j) {
		return
	}
	if w.Shared.Value {
		b.fault(w.Shared.Pos, path+".shared", "is not built yet for training: each accelerator computes for one job")
	}
	data := b.checkDegrees(w, j.Count)
	stragglers := b.stragglers(w)
	model, faults := b.scenario.Model(w.Model.Value)
	b.faults = append(b.faults, faults...)
	order, err := parseOrder(w.Order.Value)
	if err != nil {
		b.fault(w.Order.Pos, path+".order", "%v", err)
	}
	if len(b.faults) > before {
		return
	}
	precision, _ := topology.ParsePrecision(w.Precision.Value)
	t := workload.Training{
		Model: model, MicroBatch: max(1, int(w.MicroBatch.Value.Count)), GlobalBatch: int(w.GlobalBatch.Value),
		Sequence: int(w.Sequence.Value), Precision: precision, Attention: w.Attention.Value, Framework: w.Framework.Value,
		Data: data, Tensor: int(w.Tensor.Value), Pipeline: int(w.Pipeline.Value), Context: int(w.Context.Value), Expert: int(w.Expert.Value),
		SequenceParallel: w.SequenceParallel.Value,
		TensorOverlap:    w.TensorOverlap.Value || !w.TensorOverlap.Set && w.SequenceParallel.Value, // as Megatron-LM
		TensorPipelining: w.TensorPipelining.Value, ExpertOverlap: w.ExpertOverlap.Value,
		VirtualStages: int(w.VirtualStages.Value), PipelineSchedule: w.Schedule.Value,
		Zero: int(w.Zero.Value), Order: order,
		GradientCompression: w.GradientCompression.Value, GradientDensity: w.GradientDensity.Value,
		Tuning: w.Tuning.Value, LoRARank: int(w.LoRARank.Value), CUDAGraphs: w.CUDAGraphs.Value,
	}
	if w.Recompute.Value != "auto" {
		t.Recompute = w.Recompute.Value
	}
	if !b.island(w, &t) {
		return
	}
	asked := t // without defaults, which depend on each other
	t = t.WithDefaults()
	if w.MicroBatch.Value.Auto {
		t.MicroBatch = leastLegal(t)
	}
	if err := t.Validate(); err != nil {
		b.trainingFaults(w, err)
		return
	}
	if w.ExpertDispatch.Value == "per-host" {
		if t.Expert == 1 {
			b.fault(w.ExpertDispatch.Pos, path+".expert_dispatch", "no tokens travel with expert = 1")
			return
		}
		layout := t.Layout()
		t.ExpertHosts = layout.ExpertHosts(b.topology.Servers[0].Spec.Accelerators)
	}
	accelerator := b.accelerator(j, precision)
	if accelerator.Peak[precision] == 0 {
		var has []string
		for p, peak := range accelerator.Peak {
			if peak > 0 {
				has = append(has, topology.Precision(p).String())
			}
		}
		b.fault(w.Precision.Pos.Or(w.At), path+".precision", "%s has no %s; it has %s", accelerator.Name, precision, strings.Join(has, ", "))
		return
	}
	roofline := cluster.Roofline{Accelerator: accelerator.Training(), Kernels: b.kernels}
	t, layers, fits := choose(t, w.MicroBatch.Value.Auto, w.Recompute.Value == "auto", roofline, accelerator.Memory)
	if !fits && !w.AllowOversubscribed.Value {
		at := w.MicroBatch.Pos.Or(w.At)
		b.fault(at, path+".micro_batch", "%d does not fit in memory: %s; allow_oversubscribed = true runs it anyway", t.MicroBatch, tooMuch(asked, t, accelerator))
		return
	}
	job := training.New(t, layers, roofline)
	job.Prefetch, job.Stragglers = w.Prefetch.Value, stragglers
	job.Unfold, job.Folded, job.AsShared = w.Expand.Value, w.Expand.Set && !w.Expand.Value, true
	if t.Islands > 1 {
		job.Every = w.LocalSteps.Value
	}
	micros := t.Accumulation()
	if w.EvaluateEvery.Set {
		evaluation := t.EvaluationMicros(w.EvaluationSamples.Value)
		if evaluation > workload.MaxPasses/t.VirtualStages/t.Pipeline {
			b.fault(w.EvaluationSamples.Pos, path+".evaluation_samples", "makes %d micro-batches, more than can be scheduled in %d chunks on %d stages: %d passes in all",
				evaluation, t.VirtualStages, t.Pipeline, workload.MaxPasses)
			return
		}
		micros = max(micros, evaluation)
		job.Every, job.EvaluationSamples = w.EvaluateEvery.Value, w.EvaluationSamples.Value
	}
	if passes := t.Ranks() * micros * t.VirtualStages; passes > workload.MaxPasses {
		for _, k := range []struct {
			name string
			at   scenario.Position
			on   bool
		}{{"expand", w.Expand.Pos, w.Expand.Value}, {"jitter", w.Jitter.Pos, w.Jitter.Value > 0}, {"slow_hosts", w.SlowHosts.Pos, w.SlowHosts.Set}} {
			if k.on {
				b.fault(k.at, path+"."+k.name, "%d ranks of %d micro-batches are more than can be simulated one by one, %d passes in all", t.Ranks(), micros, workload.MaxPasses)
				return
			}
		}
	}
	if w.PipelineOverlap.Set {
		job.SendOverlap = w.PipelineOverlap.Value
	}
	if w.Overlap.Set {
		job.Overlap = w.Overlap.Value
		job.BucketBytes = job.Buckets()
	}
	if w.BucketSize.Set {
		job.BucketBytes = int64(w.BucketSize.Value)
	}
	job.Iterations = w.Iterations.Value
	switch perIteration := int64(t.GlobalBatch); {
	case w.Tokens.Set:
		perIteration *= int64(max(t.Sequence, 1))
		job.Iterations = 1 + (w.Tokens.Value-1)/perIteration
	case w.Samples.Set:
		job.Iterations = 1 + (w.Samples.Value-1)/perIteration
	case w.Epochs.Set:
		samples := math.Round(w.Epochs.Value * float64(w.Dataset.Value))
		if samples > 1<<62 {
			b.fault(w.Epochs.Pos, path+".epochs", "%v passes over %d samples are more samples than can be counted", w.Epochs.Value, w.Dataset.Value)
			return
		}
		job.Iterations = max(1, (int64(samples)+perIteration-1)/perIteration)
	}
	b.expects(j, job)
	j.Program = b.recovers(w, job)
	b.loads(w, job, j)
	b.jobs = append(b.jobs, len(b.cluster.Jobs))
	b.training = append(b.training, job)
	only := *w
	only.Name.Value, only.Name.Set = j.Name, true
	b.submit(j, scenario.Workload{Training: []scenario.Training{only}})
}

// stragglers are the ranks that a scenario slows down.
func (b *builder) stragglers(w *scenario.Training) training.Stragglers {
	s := training.Stragglers{Jitter: w.Jitter.Value, Seed: uint64(b.scenario.Sim.Seed.Value), Slowdown: w.Slowdown.Value}
	switch {
	case w.SlowHosts.Set && !w.Slowdown.Set:
		b.fault(w.SlowHosts.Pos, w.Path+".slow_hosts", "by how much? slowdown is missing")
	case w.Slowdown.Set && !w.SlowHosts.Set:
		b.fault(w.Slowdown.Pos, w.Path+".slowdown", "of which hosts? slow_hosts is missing")
	}
	for _, h := range w.SlowHosts.Value {
		if int(h) >= len(b.topology.Servers) {
			b.fault(w.SlowHosts.Pos, w.Path+".slow_hosts", "there is no host %d: hosts are 0 to %d", h, len(b.topology.Servers)-1)
			break
		}
		s.Hosts = append(s.Hosts, int(h))
	}
	slices.Sort(s.Hosts)
	return s
}

// parseOrder is the dimensions of parallelism as a scenario orders them.
func parseOrder(names []string) ([]workload.Group, error) {
	if names == nil {
		return nil, nil
	}
	var order []workload.Group
	for _, name := range names {
		i := slices.IndexFunc(workload.DefaultOrder, func(g workload.Group) bool { return g.String() == name })
		if i < 0 || slices.Contains(order, workload.DefaultOrder[i]) {
			break
		}
		order = append(order, workload.DefaultOrder[i])
	}
	if len(order) != len(names) || len(order) != len(workload.DefaultOrder) {
		return nil, fmt.Errorf("is %q: it has to be tensor, context, data and pipeline, each once, the innermost first", names)
	}
	return order, nil
}

// leastLegal is the smallest micro-batch that is legal, 1 if none is.
func leastLegal(t workload.Training) int {
	for _, m := range workload.Divisors(int64(t.GlobalBatch / t.Data)) {
		if t.MicroBatch = int(m); t.Validate() == nil {
			return t.MicroBatch
		}
	}
	return 1
}

// choose fills in what the scenario leaves to be chosen: the micro-batch whose
// iteration is the shortest without communication, and the least recomputation,
// of those that fit in memory. fits says whether what was left fits; its layers are
// then given too.
func choose(t workload.Training, anyMicro, anyRecompute bool, r cluster.Roofline, memory units.Bytes) (best workload.Training, layers []workload.Layer, fits bool) {
	micros, recomputes := []int64{int64(t.MicroBatch)}, []string{t.Recompute}
	if anyMicro {
		micros = workload.Divisors(int64(t.GlobalBatch / t.Data))
	}
	if anyRecompute {
		recomputes = []string{workload.RecomputeNone, workload.RecomputeSelective, workload.RecomputeFull}
	}
	best = t
	shortest := 0.0
	for _, m := range micros {
		fitting := false
		for _, recompute := range recomputes {
			c := t
			c.MicroBatch, c.Recompute = int(m), recompute
			if c.Validate() != nil {
				fitting = true // a larger one may be legal
				break
			}
			unfolded := c.Layers()
			m := c.MemoryOf(unfolded)
			need := m.Total()
			if !anyMicro && !anyRecompute {
				need = m.Least() // an estimate refuses nobody
			}
			if need > int64(memory) {
				continue
			}
			fitting = true
			if took := estimate(c, unfolded, r); !fits || took < shortest {
				best, layers, shortest, fits = c, unfolded, took, true
			}
			break // the least recomputation that fits
		}
		if !fitting {
			break // nor will a larger one
		}
	}
	if full := best; !fits && anyRecompute {
		if full.Recompute = workload.RecomputeFull; full.Validate() == nil {
			best = full
		}
	}
	return best, layers, fits
}

// estimate is the length of an iteration without communication.
func estimate(t workload.Training, layers []workload.Layer, r cluster.Roofline) float64 {
	var pass float64
	for _, l := range layers {
		pass += training.LayerSeconds(t, r, l.Forward) + training.LayerSeconds(t, r, l.Backward)
	}
	stages := float64(t.Pipeline)
	return pass / stages * (float64(t.Accumulation()) + (stages-1)/float64(t.VirtualStages))
}

// tooMuch says by how much a training exceeds the memory, what takes it, and what
// would fit.
func tooMuch(asked, t workload.Training, a topology.Accelerator) string {
	m := t.Memory()
	gb := func(n int64) string { return fmt.Sprintf("%.1f GB", float64(n)/1e9) }
	text := fmt.Sprintf("%s of the %s of %s, %s too much (parameters %s, gradients %s, optimizer %s, activations %s", gb(m.Total()), gb(int64(a.Memory)), a.Name,
		gb(m.Total()-int64(a.Memory)), gb(m.Parameters), gb(m.Gradients), gb(m.Optimizer), gb(m.Activations))
	if m.Gathered > 0 {
		text += ", gathered parameters " + gb(m.Gathered)
	}
	text += ", buffers and framework " + gb(m.Buffers+m.Framework) + ")"
	var would []string
	try := func(change func(*workload.Training), format string, args ...any) {
		c := asked
		c.MicroBatch, c.Recompute = t.MicroBatch, t.Recompute
		change(&c)
		if c.Validate() == nil && c.Memory().Total() <= int64(a.Memory) {
			would = append(would, fmt.Sprintf(format, args...))
		}
	}
	for n := t.MicroBatch / 2; n >= 1 && would == nil; n /= 2 {
		try(func(c *workload.Training) { c.MicroBatch = n }, "micro_batch = %d", n)
	}
	for _, r := range []string{workload.RecomputeSelective, workload.RecomputeFull} {
		if r != t.Recompute && t.Recompute != workload.RecomputeFull {
			try(func(c *workload.Training) { c.Recompute = r }, "recompute = %q", r)
		}
	}
	for z := t.Zero + 1; z <= 3 && t.Data > 1; z++ {
		try(func(c *workload.Training) { c.Zero = z }, "zero = %d", z)
	}
	found := len(would)
	for d := t.Data / 2; d >= 1 && t.Data%d == 0 && len(would) == found; d /= 2 {
		n := t.Tensor * t.Data / d
		try(func(c *workload.Training) { c.Tensor, c.Data = n, d }, "tensor = %d with data = %d", n, d)
	}
	if would == nil {
		return text + "; no smaller micro_batch, more recomputation, zero or tensor alone would do"
	}
	return text + "; would fit: " + strings.Join(would, ", or ")
}

// checkDegrees sees to it that the degrees of parallelism make up the
// accelerators, and gives the data-parallel one.
func (b *builder) checkDegrees(w *scenario.Training, accelerators int) (data int) {
	path := w.Path
	product := int64(1)
	for _, d := range []struct {
		name string
		key  scenario.Key[int64]
	}{{"tensor", w.Tensor}, {"pipeline", w.Pipeline}, {"context", w.Context}, {"data", w.Data}} {
		if d.name == "data" && !d.key.Set {
			return int(int64(accelerators) / product)
		}
		rest := int64(accelerators) / product
		if v := d.key.Value; v > rest || rest%v != 0 {
			b.fault(d.key.Pos.Or(w.At), path+"."+d.name, "%d does not divide the %d accelerators%s; nearest: %s",
				v, accelerators, left(product, rest), workload.NearestDivisors(v, rest))
			return 0
		}
		product *= d.key.Value
	}
	if product != int64(accelerators) {
		b.fault(w.Data.Pos, path+".data", "tensor x pipeline x context x data is %d, but the job has %d accelerators; data = %d makes it up",
			product, accelerators, w.Data.Value*int64(accelerators)/product)
	}
	return int(w.Data.Value)
}

func left(product, rest int64) string {
	if product == 1 {
		return ""
	}
	return fmt.Sprintf(" (%d left by the degrees before)", rest)
}

// trainingFaults puts what a training says is wrong at the key that the message
// begins with, or at its table.
func (b *builder) trainingFaults(w *scenario.Training, err error) {
	keys := map[string]scenario.Position{
		"global_batch": w.GlobalBatch.Pos, "micro_batch": w.MicroBatch.Pos, "sequence": w.Sequence.Pos,
		"data": w.Data.Pos, "precision": w.Precision.Pos, "attention": w.Attention.Pos,
		"tensor": w.Tensor.Pos, "pipeline": w.Pipeline.Pos, "context": w.Context.Pos, "expert": w.Expert.Pos,
		"framework": w.Framework.Pos, "virtual_stages": w.VirtualStages.Pos, "schedule": w.Schedule.Pos, "recompute": w.Recompute.Pos, "zero": w.Zero.Pos,
		"gradient_compression": w.GradientCompression.Pos, "gradient_density": w.GradientDensity.Pos,
		"tuning": w.Tuning.Pos, "lora_rank": w.LoRARank.Pos,
	}
	for _, e := range flatten(err) {
		key, _, _ := strings.Cut(e.Error(), " ")
		at := keys[key].Or(w.At)
		b.faults = append(b.faults, at.Faultf(w.Path, "%s: %v", w.Path, e))
	}
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, flatten(e)...)
		}
		return all
	}
	return []error{err}
}
