package training

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload"
)

// modules is how much longer a kernel takes the host that modules of Transformer Engine
// launch, as Megatron-LM has them, than one of PyTorch's own: 99.66 against 37.08 us for
// the same product in the forward pass of a Linear (NVIDIA/TransformerEngine issue 2053,
// GB200; 90.53 against 33.17 us on GH200).
const modules = 2.7

// Kernels are launched by the host, which takes HostLaunch of the accelerator for each
// and does not wait for them: it runs ahead, and the accelerator works off a queue. Work
// that takes the accelerator longer than the host is then as long as the accelerator
// takes, other work as long as the host does. What a captured graph holds is launched at
// once ([workload.Training.CUDAGraphs]).
//
// The host is not ahead where it has waited: for the counts of tokens that experts get,
// which it must know before it launches what is done to them, and, as simplified here, at
// the beginning of each pass and of each layer of a pass in which it waits. A stretch from
// one of these instants to the next takes what the host or the accelerator takes, whichever
// is more; what the accelerator waits for meanwhile, such as an exchange, the host has for
// launching. With the lead that it has at the beginning of a layer in truth, a stretch would
// be shorter only where the host bounds it and not the one before.
//
// Where the accelerator takes longer by its computation alone nothing is kept of all this.
type queue struct {
	each   float64 // seconds of the host for a kernel; 0: it is always far ahead
	graphs string

	from         int // step at which the stretch begins
	host, device float64
	captured     bool // the latest operator is in a graph that has been launched

	all launching
}

// launching is seconds of the host and of the accelerator, and whether the host waits
// meanwhile.
type launching struct {
	host, device float64
	waits        bool
}

func newQueue(t *workload.Training, r *cluster.Roofline) queue {
	if t.CUDAGraphs == workload.GraphsFull {
		return queue{}
	}
	q := queue{each: r.Accelerator.HostLaunch.Seconds(), graphs: t.CUDAGraphs}
	if t.Framework == workload.FrameworkMegatron && t.Model.Family == workload.FamilyTransformer {
		q.each *= modules
	}
	return q
}

// LayerSeconds is how long the operators of a layer take a rank of a training, which has its
// defaults, one way: what the accelerator or the host needs, exchanges left out.
func LayerSeconds(t workload.Training, r cluster.Roofline, ops []workload.Operator) float64 {
	q := newQueue(&t, &r)
	for i := range ops {
		q.launch(&ops[i], r.Time(ops[i]))
	}
	return max(q.host, q.device)
}

// launch counts an operator, which takes the accelerator so many seconds.
func (q *queue) launch(op *workload.Operator, device float64) {
	q.device += device
	kernels := op.Kernels()
	captured := q.graphs == workload.GraphsPartial && !op.Dynamic
	if captured {
		if kernels = 1; q.captured {
			kernels = 0
		}
	}
	q.captured = captured
	q.host += float64(kernels) * q.each
}

// waits says whether the host waits before an operator, so that a stretch ends.
func (q *queue) waits(op *workload.Operator) bool {
	waits := op.Counted && q.each > 0
	q.all.waits = q.all.waits || waits
	return waits
}

// drain ends a stretch, of which the last step has been added.
func (q *queue) drain(steps []step) []step {
	q.all.host += q.host
	q.all.device += q.device
	if q.host > q.device {
		steps = slices.Insert(steps, q.from, step{do: stepLaunch})
		steps = append(steps, step{do: stepLaunched, duration: sim.FromSeconds(q.host)})
	}
	q.from, q.host, q.device, q.captured = len(steps), 0, 0, false
	return steps
}

// runAhead has the host launch a pass in which it waits for nothing as one stretch.
func (p *pass) runAhead() {
	var host, device float64
	behind := false // in one of the layers
	for _, r := range p.runs {
		if r.launching.waits {
			return
		}
		host += float64(r.times) * r.launching.host
		device += float64(r.times) * r.launching.device
		behind = behind || r.launching.host > r.launching.device
	}
	if !behind {
		return
	}
	for i := range p.runs {
		p.runs[i].part = p.runs[i].part.unqueued()
	}
	if host > device {
		p.host = sim.FromSeconds(host)
	}
}

// unqueued is the part without waiting for the host.
func (p *part) unqueued() *part {
	steps, host := unqueued(p.steps)
	if host == 0 {
		return p
	}
	if p.ahead == nil {
		p.ahead = newPart(steps...)
	}
	return p.ahead
}

// launched waits until the host has launched what is before the step, since which
// nothing is ahead.
func (g *gang) launched(s *step, now sim.Time) {
	if due := g.launching + s.duration; due > now {
		g.doing = g.j.Trace.launch(g)
		g.await(forLaunch, now)
		g.j.c.Engine.Arm(g.timer, due)
	}
}

// hasLaunched is called when it has.
func (g *gang) hasLaunched(now sim.Time) {
	g.j.Trace.end(g.doing, now)
	g.wait, g.cause = nothing, g.doing
	g.parts.Launch += now - g.since
	g.advance(now)
}

// unqueued are steps without those of the host, and what it takes for them.
func unqueued(all []step) (steps []step, host sim.Time) {
	if !slices.ContainsFunc(all, func(s step) bool { return s.do == stepLaunched }) {
		return all, 0
	}
	for _, s := range all {
		switch {
		case s.do == stepLaunched:
			host += s.duration
		case s.do == stepLaunch:
		case s.do == stepCompute && extends(steps):
			last := &steps[len(steps)-1]
			last.work = slices.Clone(last.work)
			last.duration += s.duration
			last.work.add(s.work)
		default:
			steps = append(steps, s)
		}
	}
	return steps, host
}
