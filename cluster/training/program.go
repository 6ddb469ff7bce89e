package training

import (
	"iter"
	"slices"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload"
)

// program is what every rank of one pipeline stage does in an iteration, or in an
// evaluation.
type program struct {
	stage     int
	actions   []workload.Action
	chunks    []chunk
	optimizer sim.Time // the update of the rank's parameters, compressed gradients made whole before
	gather    []transfer
	outer     []transfer // of an outer step
	tied      transfer   // gradients of the table that the first and last stage share; no bytes: none
	needs     needs
	woven     []*woven // pairs of passes that have been asked for

	shared, experts int64 // parameters of a rank's layers
}

// chunk is a run of layers of a stage. Its number among all chunks tells what
// comes before and after it.
type chunk struct {
	number  int
	message float64 // bytes of activations that a rank takes in or passes on
	// The passes, of the backward ones those variants that any micro-batch runs.
	forward      pass
	back, weight [2][2]pass
}

// pass is what a pass does: parts one after another, those of layers alike that
// follow each other as one run, so that it costs little until it is run step by step.
type pass struct {
	runs  []run
	host  sim.Time // to launch it all, if that is a stretch that it may bound
	steps []step   // of all parts, once they have been asked for
	// whole is the pass as one, nil if it cannot be; priced says whether that has
	// been asked.
	whole  *whole
	priced bool
}

// run is a part so many times in a row.
type run struct {
	*part
	times int
}

// add appends a part.
func (p *pass) add(part *part) {
	switch last := len(p.runs) - 1; {
	case part == nil || len(part.steps) == 0:
	case last >= 0 && p.runs[last].part == part:
		p.runs[last].times++
	default:
		p.runs = append(p.runs, run{part, 1})
	}
}

// joined are the steps of the whole pass.
func (p *pass) joined() []step {
	if p.steps == nil && len(p.runs) > 0 {
		n := 0
		for _, r := range p.runs {
			n += r.times * len(r.steps)
		}
		p.steps = make([]step, 0, n)
		shared := false // the latest step's work is a part's
		for _, r := range p.runs {
			for range r.times {
				for _, s := range r.steps {
					if s.do != stepCompute || !extends(p.steps) {
						p.steps, shared = append(p.steps, s), true
						continue
					}
					last := &p.steps[len(p.steps)-1]
					if shared {
						last.work, shared = slices.Clone(last.work), false
					}
					last.duration += s.duration
					last.work.add(s.work)
				}
			}
		}
		if p.host > 0 {
			p.steps = append(slices.Insert(p.steps, 0, step{do: stepLaunch}), step{do: stepLaunched, duration: p.host})
		}
	}
	return p.steps
}

// part is steps of a pass: most often those of a layer. Layers of the same shape
// share theirs.
type part struct {
	steps     []step
	needs     needs
	launching launching
	ahead     *part // without waiting for the host, once it has been asked for
}

// newPart is a part of some steps.
func newPart(steps ...step) *part {
	p := &part{steps: steps}
	for i := range steps {
		s := &steps[i]
		if s.do == stepExchange || s.do == stepBeside {
			p.needs.add(s.transfer)
		}
		for _, t := range s.transfers {
			p.needs.add(t)
		}
	}
	return p
}

// needs is which operations are performed in each dimension, a bit each.
type needs [numDimensions]uint16

// add adds the operation of a transfer.
func (n *needs) add(t transfer) { n[t.dimension()] |= 1 << t.op }

// all are the operations in a dimension.
func (n *needs) all(d dimension) iter.Seq[collective.Op] {
	return func(yield func(collective.Op) bool) {
		for op, left := collective.Op(0), n[d]; left != 0; op, left = op+1, left>>1 {
			if left&1 != 0 && !yield(op) {
				return
			}
		}
	}
}

// join adds all of others.
func (n *needs) join(others *needs) {
	for d, ops := range others {
		n[d] |= ops
	}
}

// step is a part of a pass.
type step struct {
	do       stepKind
	duration sim.Time // of stepCompute and stepLaunched
	work     work     // what duration is made of
	transfer transfer // of stepExchange and stepBeside
	copied   bool     // it slows nothing beside it
	// transfers join the queue of the data stream: of stepGather the
	// parameters that must be there before the next step, of stepReduce the
	// gradients that are complete.
	transfers []transfer
}

// work is seconds of computation by class of operator; nil is none.
type work []float64

// add adds another piece of work.
func (w work) add(other work) {
	for c, s := range other {
		w[c] += s
	}
}

type stepKind uint8

const (
	stepCompute  stepKind = iota
	stepExchange          // a collective that holds the pass up
	stepBeside            // one that runs beside the next computation
	stepGather            // the layer's parameters must be there
	stepReduce            // gradients are complete
	stepLaunch            // the host begins to launch what follows
	stepLaunched          // it takes duration for what has followed since
)

// transfer is a collective of a kind.
type transfer struct {
	bytes  float64
	kind   Kind
	op     collective.Op
	expert bool // over the ranks that hold the same experts, not all replicas
}

// passes are all that the chunk may run.
func (c *chunk) passes() iter.Seq[*pass] {
	return func(yield func(*pass) bool) {
		if !yield(&c.forward) {
			return
		}
		for i := range 2 {
			for k := range 2 {
				if !yield(&c.back[i][k]) || !yield(&c.weight[i][k]) {
					return
				}
			}
		}
	}
}

// passes are all that the stage may have run.
func (p *program) passes() iter.Seq[*pass] {
	return func(yield func(*pass) bool) {
		for c := range p.chunks {
			for pass := range p.chunks[c].passes() {
				if !yield(pass) {
					return
				}
			}
		}
		for _, w := range p.woven {
			if !yield(&w.both) {
				return
			}
		}
	}
}

// programs works out what a stage does in an iteration and in what comes between: in an
// evaluation, which takes the forward passes, or in an outer step.
func (j *Job) programs(layers []workload.Layer, stage int) (both [2]*program) {
	both[0] = j.compile(layers, stage)
	switch {
	case j.Training.Islands > 1:
		both[1] = j.outerStep(both[0])
	case j.evaluates():
		both[1] = &program{stage: stage, actions: j.Training.EvaluationSchedule(j.EvaluationSamples), chunks: both[0].chunks, needs: both[0].needs}
	}
	return both
}

// outerStep works out what a stage does to agree with the other islands.
func (j *Job) outerStep(inner *program) *program {
	t := j.Training
	bytes, expertBytes, step := t.Outer(inner.shared, inner.experts)
	p := &program{stage: inner.stage, chunks: inner.chunks, optimizer: sim.FromSeconds(j.Roofline.Time(step))}
	p.outer = present(
		transfer{kind: Outer, op: collective.AllReduce, bytes: bytes},
		transfer{kind: Outer, op: collective.AllReduce, bytes: expertBytes})
	if replicas := t.Replicas(); t.Zero < 3 && replicas > 1 {
		p.gather = parameters(t, inner.shared, inner.experts)
		if replicas == t.Expert {
			p.gather = parameters(t, inner.shared, 0)
		}
	}
	for _, t := range slices.Concat(p.outer, p.gather) {
		inner.needs.add(t)
	}
	p.needs = inner.needs
	return p
}

// compile works out what a stage does in an iteration.
func (j *Job) compile(layers []workload.Layer, stage int) *program {
	t := j.Training
	p := &program{stage: stage, actions: t.Schedule(stage)}
	ranges := t.Chunks(layers)
	for n := stage; n < len(ranges); n += t.Pipeline {
		own := layers[ranges[n][0]:ranges[n][1]]
		if inner := 0 < n && n < len(ranges)-1; inner && j.inner.layers != nil && alike(own, j.inner.layers) {
			p.chunks = append(p.chunks, j.inner.chunk)
			p.chunks[len(p.chunks)-1].number = n
		} else {
			c := j.compileChunk(own, n, len(ranges))
			p.chunks = append(p.chunks, c)
			if inner {
				j.inner.layers, j.inner.chunk = own, c
			}
		}
		for _, l := range own {
			p.shared += l.Parameters
			p.experts += l.ExpertParameters
		}
	}
	shared, experts := p.shared, p.experts
	p.optimizer = sim.FromSeconds(j.Roofline.Time(t.Step(t.Owned(shared, experts, 1), j.parameters))) + j.decompression(shared, experts)
	if replicas := t.Replicas(); (t.Zero == 1 || t.Zero == 2) && replicas > 1 {
		p.gather = parameters(t, shared, experts)
		if replicas == t.Expert {
			p.gather = parameters(t, shared, 0)
		}
	}
	if table := t.TiedTable(); table > 0 && t.Tuning == workload.TuningFull && (stage == 0 || stage == t.Pipeline-1) {
		p.tied = transfer{kind: Pipeline, op: collective.AllReduce, bytes: float64(table * workload.GradientBytes(t.Precision))}
		p.needs.add(p.tied)
	}
	for _, t := range p.gather {
		p.needs.add(t)
	}
	for c := range p.chunks {
		for pass := range p.chunks[c].passes() {
			for _, r := range pass.runs {
				p.needs.join(&r.needs)
			}
		}
	}
	return p
}

// parameters are the all-gathers of so many parameters of a rank's layers.
func parameters(t workload.Training, shared, experts int64) []transfer {
	bytes := float64(workload.ElementBytes(t.Precision))
	return present(
		transfer{kind: Parameters, op: collective.AllGather, bytes: float64(shared) * bytes},
		transfer{kind: Parameters, op: collective.AllGather, bytes: float64(experts) * bytes, expert: true})
}

// gradients are their sums over the replicas.
func gradients(t workload.Training, due gradientsDue) []transfer {
	sum := func(parameters int64, expert bool) transfer {
		op, bytes := t.Summed(parameters, replicasOf(t, expert))
		return transfer{kind: Gradients, op: op, bytes: bytes, expert: expert}
	}
	return present(sum(due.shared, false), sum(due.experts, true))
}

// replicasOf is the number of ranks that hold the same parameters, or the same
// routed experts.
func replicasOf(t workload.Training, expert bool) int64 {
	n := int64(t.Replicas())
	if expert {
		n /= int64(t.Expert)
	}
	return n
}

// decompression is how long it takes to make gradients of what replicas have sent.
func (j *Job) decompression(shared, experts int64) sim.Time {
	t := j.Training
	var seconds float64
	for _, part := range []struct {
		parameters int64
		expert     bool
	}{{shared, false}, {experts, true}} {
		if n := replicasOf(t, part.expert); t.Compresses() && n > 1 && part.parameters > 0 {
			seconds += j.Roofline.Time(t.Decompress(part.parameters, n))
		}
	}
	return sim.FromSeconds(seconds)
}

// present drops transfers of nothing.
func present(all ...transfer) []transfer {
	some := all[:0]
	for _, t := range all {
		if t.bytes > 0 {
			some = append(some, t)
		}
	}
	return some
}

// alike says whether two runs of layers are of the same shapes.
func alike(a, b []workload.Layer) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].SharesOperators(&b[i]) {
			return false
		}
	}
	return true
}

// compileChunk works out the passes of chunk n of so many.
func (j *Job) compileChunk(layers []workload.Layer, n, of int) chunk {
	t := j.Training
	c := chunk{number: n}
	b := t.Batch()
	c.message = float64(t.MessageBytes())
	// Of a share of the activations the tensor-parallel ranks gather the whole,
	// unless they hold only shares anyway.
	var entry, back *part
	if t.Pipeline > 1 && t.Tensor > 1 && !b.SequenceParallel && t.Framework != workload.FrameworkDeepSpeed {
		whole := c.message * float64(t.Tensor)
		gather := newPart(step{do: stepExchange, transfer: transfer{kind: Tensor, op: collective.AllGather, bytes: whole}})
		if n > 0 {
			entry = gather
		}
		if n < of-1 {
			back = gather
		}
	}
	c.forward.add(entry)
	var shared, experts int64
	for i := range layers {
		l := &layers[i]
		c.forward.add(j.part(l, l.Forward, everything, gradientsDue{}))
		shared += l.Parameters
		experts += l.ExpertParameters
	}
	sum := make(work, workload.NumClasses)
	added, together := t.Owned(shared, experts, 2), t.SummedTogether()
	if together > 1 {
		added = shared + experts
	}
	accumulation := t.GradientAdd(added, j.parameters)
	sum[accumulation.Class] = j.Roofline.Time(accumulation)
	add := newPart(step{do: stepCompute, duration: sim.FromSeconds(sum[accumulation.Class]), work: sum})
	split, addsAlways := t.PipelineSchedule == workload.ZeroBubble, t.AddsAlways()
	micros := t.Accumulation()
	for _, micro := range []int{0, 1, together - 1, micros - 1} { // which are all that differ
		accumulate, reduce := variant(micro, together)
		last, which := &c.back[accumulate][reduce], everything
		if micro >= micros || last.runs != nil {
			continue
		}
		last.add(back)
		if split {
			for i := len(layers) - 1; i >= 0; i-- {
				last.add(j.part(&layers[i], layers[i].Backward, inputGradients, gradientsDue{}))
			}
			last, which = &c.weight[accumulate][reduce], weightGradients
		}
		ready := j.readyAfter(layers, reduce == 1)
		for i := len(layers) - 1; i > 0; i-- {
			last.add(j.part(&layers[i], layers[i].Backward, which, ready[i]))
		}
		if accumulate == 0 && !addsAlways {
			last.add(j.part(&layers[0], layers[0].Backward, which, ready[0]))
			continue
		}
		last.add(j.part(&layers[0], layers[0].Backward, which, gradientsDue{}))
		last.add(add)
		last.add(j.part(&layers[0], nil, which, ready[0]))
	}
	c.forward.runAhead()
	for i := range 2 {
		for k := range 2 {
			c.back[i][k].runAhead()
			c.weight[i][k].runAhead()
		}
	}
	return c
}

// variant is which of the backward passes a micro-batch runs: without or with its
// gradients added to those before, without or with their sum over replicas begun, which
// the last one of each so many does.
func variant(micro, together int) (accumulate, reduce int) {
	if (micro+1)%together == 0 {
		reduce = 1
	}
	return min(micro, 1), reduce
}

// gathers are the steps before a pass of a layer that make its parameters, frozen
// ones too, be there.
func (j *Job) gathers(l *workload.Layer) []step {
	shared, experts := l.Parameters+l.Frozen, l.ExpertParameters+l.FrozenExperts
	if j.Training.Zero < 3 || j.replicas() == 1 || shared+experts == 0 {
		return nil
	}
	if j.replicas() == j.Training.Expert {
		experts = 0 // each rank has its own
	}
	return []step{{do: stepGather, transfers: parameters(j.Training, shared, experts)}}
}

// gradientsDue is the parameters whose gradients can be summed over the replicas
// after the backward pass of a layer.
type gradientsDue struct{ shared, experts int64 }

// readyAfter gives what is due after each layer.
func (j *Job) readyAfter(layers []workload.Layer, last bool) []gradientsDue {
	t := j.Training
	ready := make([]gradientsDue, len(layers))
	if j.replicas() == 1 || !last {
		return ready
	}
	size := j.BucketBytes
	if t.Zero == 3 {
		size = 1 // a bucket a layer
	}
	for _, b := range t.Buckets(layers, size) {
		ready[b.Layer].shared = b.Parameters
	}
	if j.replicas() > t.Expert {
		for i, l := range layers {
			ready[i].experts = l.ExpertParameters
		}
	}
	return ready
}

// reduce is the steps by which gradients begin to be summed.
func (j *Job) reduce(due gradientsDue) []step {
	sum := step{do: stepReduce, transfers: gradients(j.Training, due)}
	if !j.Training.Compresses() {
		return []step{sum}
	}
	op := j.Training.Compress(due.shared + due.experts)
	classes := make(work, workload.NumClasses)
	classes[op.Class] = j.Roofline.Time(op)
	return []step{{do: stepCompute, duration: sim.FromSeconds(classes[op.Class]), work: classes}, sum}
}

// replicas is the number of ranks that hold the same parameters, of an island.
func (j *Job) replicas() int { return j.Training.Replicas() }

// selection is which operators of a layer a pass runs.
type selection uint8

const (
	everything selection = iota
	inputGradients
	weightGradients
)

func (s selection) wants(op *workload.Operator) bool {
	return s == everything || op.Weight == (s == weightGradients)
}

// known is a part that layers of a shape share: they have the first operator in
// common.
type known struct {
	first *workload.Operator
	selection
	due  gradientsDue
	part *part
}

// part is what a pass does for a layer: it gathers its parameters, runs those of the
// operators that are selected, and begins to sum the gradients that are due then.
func (j *Job) part(l *workload.Layer, ops []workload.Operator, which selection, due gradientsDue) *part {
	var first *workload.Operator
	if len(ops) > 0 {
		first = &ops[0]
	}
	for i := len(j.parts) - 1; i >= 0; i-- { // layers alike follow each other
		if k := &j.parts[i]; k.first == first && k.selection == which && k.due == due {
			return k.part
		}
	}
	var steps []step
	var launching launching
	switch {
	case due != gradientsDue{}:
		alone := j.part(l, ops, which, gradientsDue{})
		steps, launching = append(steps, alone.steps...), alone.launching
		steps = append(steps, j.reduce(due)...)
	case first != nil:
		if which != weightGradients {
			steps = j.gathers(l)
		}
		var timed []step
		timed, launching = j.time(ops, which)
		steps = append(steps, timed...)
	}
	p := newPart(steps...)
	p.launching = launching
	j.parts = append(j.parts, known{first, which, due, p})
	return p
}

// time works out the steps of operators, and what the host takes for them.
func (j *Job) time(ops []workload.Operator, which selection) ([]step, launching) {
	var steps []step
	var seconds float64
	classes := make(work, workload.NumClasses)
	queue := newQueue(&j.Training, &j.Roofline)
	flush := func() {
		if seconds > 0 {
			steps = append(steps, step{do: stepCompute, duration: sim.FromSeconds(seconds), work: classes})
			seconds, classes = 0, make(work, workload.NumClasses)
		}
	}
	for i := range ops {
		op := &ops[i]
		if !which.wants(op) {
			continue
		}
		if queue.waits(op) {
			flush()
			steps = queue.drain(steps)
		}
		switch {
		case op.Class == workload.Communication:
			flush()
			queue.launch(op, 0)
			s := step{do: stepExchange, transfer: transfer{kind: kindOf(op.Group), op: op.Collective, bytes: op.Bytes}}
			if op.Beside && i+1 < len(ops) && which.wants(&ops[i+1]) {
				s.do, s.copied = stepBeside, op.Copied
			}
			steps = append(steps, s)
		default:
			took := j.Roofline.Time(*op)
			queue.launch(op, took)
			seconds += took
			classes[op.Class] += took
			if n := len(steps); n > 0 && steps[n-1].do == stepBeside {
				flush() // what comes next waits for both
			}
		}
	}
	flush()
	steps = queue.drain(steps)
	return steps, queue.all
}

// extends says whether a computation that follows steps is one with the last of
// them: if nothing lies between and that one has no collective beside it.
func extends(steps []step) bool {
	n := len(steps)
	return n > 0 && steps[n-1].do == stepCompute && (n == 1 || steps[n-2].do != stepBeside)
}

// ComputeByClass is how many seconds of an iteration the mean rank computes in
// each class of operators, the optimizer's step left out, at the pace that it has but
// with nothing beside it; with jitter in the mean of all iterations. Communication that runs beside it slows it down by Interference, so that in all
// Last.Compute is longer by Interference times Last.Overlapped.
func (j *Job) ComputeByClass() [workload.NumClasses]float64 {
	var mean [workload.NumClasses]float64
	add := func(steps []step, share float64) {
		for i := range steps {
			for c, seconds := range steps[i].work {
				mean[c] += share * seconds
			}
		}
	}
	ranks := 0
	for _, g := range j.gangs {
		ranks += len(g.ranks)
	}
	for _, g := range j.gangs {
		share := g.pace.mean(j.ran) * float64(len(g.ranks)) / float64(ranks)
		for _, a := range g.programs[0].actions {
			add(g.passSteps(a), share)
		}
	}
	return mean
}
