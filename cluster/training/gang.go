package training

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// gang is ranks of one stage that do the same at the same time.
type gang struct {
	j        *Job
	number   int
	program  *program    // that is on
	programs [2]*program // of an iteration and, if there are any, of an evaluation
	ranks    []int
	together int // micro-batches whose gradients are summed over the replicas at once
	ledger   *cluster.Ledger
	pace     pace
	groups   [numDimensions]*group
	next     neighbour // the stage after
	previous neighbour

	parts Iteration // of the iteration that is on
	cause int32     // activity of the trace whose end has brought it to where it is
	doing int32     // that of the computation that is on

	// What comes: the rest of the schedule, and what is to be done after the last
	// pass.
	action  int
	closing closing

	// The pass that is on.
	passing  bool
	passFrom sim.Time
	pass     workload.Action
	beneath  workload.Action // the one that it is woven with, if it is
	steps    []step
	at       int

	// Messages that have been sent to the gang, by pass, chunk and micro-batch.
	inbox [2][]letter

	// What it waits for, and since when.
	wait  wait
	since sim.Time

	// The computation that is on.
	computing bool
	timer     sim.Timer // also of a wait for the host
	left      sim.Time  // work at changed
	changed   sim.Time
	begun     sim.Time // of the computation
	launching sim.Time // since when the host launches what is under way

	// The pass that is on as one, and whether passes can be.
	whole  *whole
	prices []price // of parts that passes are made of
	apart  bool

	// Collectives that are on beside it: the one before the present computation,
	// and the first of the data stream.
	beside   bool
	copied   bool // it slows nothing
	streamed bool
	stream   []item
	held     []transfer // gradients that are to wait until the passes are over
	draining bool       // no pass begins before the data stream is empty
	sending  int        // messages on their way

	// Gathering of parameters under ZeRO 3, in the order of the steps.
	gathered, used int // complete, and steps gone by
	requested      int
	look           cursor // where to look for the next step to request
}

// neighbour is the gang before or after in the pipeline, and the way there.
type neighbour struct {
	to   *gang
	plan *collective.Plan
}

// letter is a message to a gang.
type letter struct {
	launched, arrived sim.Time // -1: not yet
}

// message is one on its way.
type message struct {
	to, from *gang
	bytes    float64
	letter   *letter
	activity int32 // in the trace
}

// item is a collective of the data stream; the last of a step's has its ticket.
type item struct {
	transfer transfer
	ticket   bool
}

// cursor is a step of the schedule.
type cursor struct{ action, step int }

type wait uint8

const (
	nothing     wait = iota
	forExchange      // a collective that holds the pass up
	forBeside        // the one beside the computation that has ended
	forGather        // parameters
	forMessage       // activations or gradients
	forSend          // of the last pass's result
	forStream        // everything in the data stream
	forLaunch        // the host
	forOthers        // the end of the iteration
)

type closing uint8

const (
	running   closing = iota
	summing           // gradients
	tying             // those of a table that two stages share
	stepping          // the optimizer
	gathering         // parameters
	ended
)

func (j *Job) newGang(programs [2]*program, ranks []int, nodes []topology.NodeID) *gang {
	own := make([]topology.NodeID, len(ranks))
	for i, r := range ranks {
		own[i] = nodes[r]
	}
	g := &gang{j: j, number: len(j.gangs), program: programs[0], programs: programs, ranks: ranks, together: j.Training.SummedTogether(), ledger: j.ledger(own), pace: j.pace(ranks[0])}
	g.timer = j.c.Engine.NewTimer(j.actor, argComputed|uint64(g.number))
	if g.lastChunk() > 0 { // else nothing is sent
		for pass := range g.inbox {
			g.inbox[pass] = make([]letter, len(g.program.chunks)*j.micros)
		}
	}
	j.gangs = append(j.gangs, g)
	return g
}

// start makes a gang ready for an iteration or an evaluation.
func (g *gang) start(p *program) {
	g.program = p
	g.parts = Iteration{}
	g.pace.draw()
	g.action, g.closing, g.draining = 0, running, false
	g.gathered, g.used, g.requested, g.look = 0, 0, 0, cursor{}
	g.wait, g.cause = nothing, none
	for pass := range g.inbox {
		for i := range g.inbox[pass] {
			g.inbox[pass][i] = letter{-1, -1}
		}
	}
}

// advance does all that can be done now.
func (g *gang) advance(now sim.Time) {
	for g.wait == nothing && !g.computing {
		switch {
		case g.passing && g.at < len(g.steps):
			g.step(now)
		case g.passing:
			g.endPass(now)
		default:
			g.pick(now)
		}
	}
}

// await makes the gang wait, and counts it as exposed communication when it ends.
func (g *gang) await(w wait, now sim.Time) { g.wait, g.since = w, now }

// resume ends a wait for an activity. It was for communication of a kind from an
// instant on, if exposed.
func (g *gang) resume(kind Kind, activity int32, from, now sim.Time) {
	g.wait, g.cause = nothing, activity
	g.expose(kind, max(from, g.since), now)
	g.advance(now)
}

// expose notes that the gang waits for communication from one instant to another,
// if that is later.
func (g *gang) expose(kind Kind, from, to sim.Time) {
	if to > from {
		g.parts.Exposed[kind] += to - from
		g.ledger.AddExposed(from, to)
	}
}

// step begins the next step of the pass.
func (g *gang) step(now sim.Time) {
	s := &g.steps[g.at]
	switch s.do {
	case stepCompute:
		g.doing = g.j.Trace.compute(g, s)
		g.compute(s.duration, now)
	case stepExchange:
		g.await(forExchange, now)
		g.groups[s.transfer.dimension()].join(s.transfer, g, g.cause)
	case stepBeside:
		g.beside, g.copied = true, s.copied
		g.groups[s.transfer.dimension()].join(s.transfer, g, g.cause)
	case stepGather:
		g.request(g.used + 1)
		if g.gathered <= g.used {
			g.await(forGather, now)
			return
		}
		g.used++
		if g.j.Prefetch {
			g.request(g.used + 1)
		}
	case stepReduce:
		if g.j.Overlap {
			g.enqueue(s.transfers, false)
		} else {
			g.held = append(g.held, s.transfers...)
		}
	case stepLaunch:
		g.launching = now
	case stepLaunched:
		g.launched(s, now)
	}
	g.at++
}

// request has the parameters of so many steps gathered, as far as there are any.
func (g *gang) request(steps int) {
	for g.requested < steps {
		if g.look.action == len(g.program.actions) {
			return
		}
		all := g.passSteps(g.program.actions[g.look.action])
		if g.look.step == len(all) {
			g.look = cursor{action: g.look.action + 1}
			continue
		}
		if s := &all[g.look.step]; s.do == stepGather {
			g.requested++
			g.enqueue(s.transfers, true)
		}
		g.look.step++
	}
}

// passSteps are the steps of a pass.
func (g *gang) passSteps(a workload.Action) []step { return g.passOf(a).joined() }

// passOf is what a pass of the schedule does.
func (g *gang) passOf(a workload.Action) *pass {
	c := &g.program.chunks[a.Chunk]
	accumulate, reduce := variant(int(a.Micro), g.together)
	switch a.Pass {
	case workload.ForwardPass:
		return &c.forward
	case workload.BackwardPass:
		return &c.back[accumulate][reduce]
	}
	return &c.weight[accumulate][reduce]
}

// enqueue adds collectives to the data stream.
func (g *gang) enqueue(all []transfer, ticket bool) {
	for i, t := range all {
		g.stream = append(g.stream, item{t, ticket && i == len(all)-1})
	}
	if ticket && len(all) == 0 {
		g.gathered++ // everything is there already
	}
	g.flow(g.cause)
}

// flow starts the next collective of the data stream, after an activity.
func (g *gang) flow(after int32) {
	if g.streamed || len(g.stream) == 0 {
		return
	}
	g.disturb(func() { g.streamed = true })
	t := g.stream[0].transfer
	g.groups[t.dimension()].join(t, g, after)
}

// exchanged is called when a collective of a group has ended, which is an activity
// of the trace.
func (g *gang) exchanged(by *group, activity int32, now sim.Time) {
	if d := g.dimensionOf(by); d == overReplicas || d == overExpertReplicas || d == overIslands {
		g.disturb(func() { g.streamed = false })
		done := g.stream[0]
		g.stream = g.stream[1:]
		if done.ticket {
			g.gathered++
		}
		g.flow(activity)
		switch {
		case g.wait == forGather && g.gathered > g.used:
			g.resume(Parameters, activity, 0, now)
		case g.wait == forStream && len(g.stream) == 0:
			g.resume(done.transfer.kind, activity, 0, now)
		}
		return
	}
	switch {
	case g.wait == forExchange:
		kind := Pipeline // the table's gradients
		if g.closing == running {
			kind = g.steps[g.at-1].transfer.kind
		}
		g.resume(kind, activity, 0, now)
	default:
		g.disturb(func() { g.beside = false })
		if g.wait == forBeside {
			g.resume(g.steps[g.at-2].transfer.kind, activity, 0, now)
		}
	}
}

func (g *gang) dimensionOf(by *group) dimension {
	for d, group := range g.groups {
		if group == by {
			return dimension(d)
		}
	}
	panic("training: a collective of a group that the gang is not in")
}

// compute keeps the ranks busy with so much work.
func (g *gang) compute(work, now sim.Time) {
	g.computing, g.left, g.changed, g.begun = true, g.pace.of(work), now, now
	g.ledger.Begin(now)
	g.j.c.Engine.Arm(g.timer, now.After(g.duration()))
}

// duration is what the work left takes at the present pace.
func (g *gang) duration() sim.Time {
	if g.disturbed() {
		return sim.Time(float64(g.left)/g.j.beside + 0.5)
	}
	return g.left
}

// disturbed says whether communication beside the computation slows it down.
func (g *gang) disturbed() bool { return g.beside && !g.copied || g.streamed }

// disturb changes what runs beside the computation, which then goes on at another
// pace.
func (g *gang) disturb(change func()) {
	was := g.disturbed()
	if !g.computing {
		change()
		return
	}
	now := g.j.c.Engine.Now()
	g.settle(now, was)
	change()
	if g.disturbed() != was && g.j.beside < 1 {
		g.j.c.Engine.Arm(g.timer, now.After(g.duration()))
	}
}

// settle accounts for the computation since its pace changed last.
func (g *gang) settle(now sim.Time, disturbed bool) {
	took := now - g.changed
	if disturbed {
		g.left -= sim.Time(float64(took)*g.j.beside + 0.5)
		g.parts.Overlapped += took
		g.ledger.Overlapped += took
	} else {
		g.left -= took
	}
	g.left = max(g.left, 0)
	g.changed = now
	if g.closing == stepping {
		g.parts.Optimizer += took
	} else {
		g.parts.Compute += took
	}
}

// computed is called when the computation has ended.
func (g *gang) computed(now sim.Time) {
	if g.whole != nil {
		g.ran(now)
		return
	}
	if g.wait == forLaunch {
		g.hasLaunched(now)
		return
	}
	g.settle(now, g.disturbed())
	g.computing = false
	g.ledger.End(now)
	g.observeCompute(now)
	g.j.Trace.end(g.doing, now)
	g.cause = g.doing
	if g.beside {
		g.await(forBeside, now)
		return
	}
	g.advance(now)
}

// pick begins the next pass, or what comes after the last.
func (g *gang) pick(now sim.Time) {
	p := g.program
	if g.sending > 0 && !g.j.SendOverlap {
		g.await(forSend, now)
		return
	}
	if g.action == len(p.actions) {
		g.close(now)
		return
	}
	a := p.actions[g.action]
	switch {
	case g.draining && len(g.stream) > 0:
		g.await(forStream, now)
		return
	case !g.ready():
		g.await(forMessage, now)
		return
	}
	g.draining = false
	g.action++
	g.passing, g.passFrom, g.pass, g.at, g.steps = true, now, a, 0, nil
	pass := g.passOf(a)
	if a.Woven {
		g.beneath = p.actions[g.action]
		g.action++
		pass = g.weave(a, g.beneath)
	}
	if w := g.wholeOf(pass); w != nil {
		g.run(w, now)
		return
	}
	g.steps = pass.joined()
}

// letterFor is the message that a pass needs, nil if it needs none.
func (g *gang) letterFor(a workload.Action) *letter {
	c := g.program.chunks[a.Chunk].number
	if a.Pass == workload.ForwardPass && c == 0 || a.Pass == workload.BackwardPass && c == g.lastChunk() || a.Pass == workload.WeightPass {
		return nil
	}
	return &g.inbox[a.Pass][int(a.Chunk)*g.j.micros+int(a.Micro)]
}

func (g *gang) lastChunk() int { return g.j.Training.Pipeline*g.j.Training.VirtualStages - 1 }

// ready says whether the messages are there that come next in the schedule.
func (g *gang) ready() bool {
	for _, a := range g.program.actions[g.action:] {
		if l := g.letterFor(a); l != nil && l.arrived < 0 {
			return false
		}
		if !a.Woven {
			break
		}
	}
	return true
}

// endPass sends on what the pass has made.
func (g *gang) endPass(now sim.Time) {
	g.passing = false
	g.observePass(now)
	g.sendMade(g.pass, now)
	if g.pass.Woven {
		g.sendMade(g.beneath, now)
	}
	if len(g.held) > 0 && g.j.Training.Zero >= 2 {
		g.release()
		g.draining = true
	}
}

// made is what a pass sends on: to whom, for which of their chunks, and how much,
// 0 if it sends nothing.
func (g *gang) made(by workload.Action) (to neighbour, chunk int, bytes float64) {
	c := &g.program.chunks[by.Chunk]
	switch {
	case by.Pass == workload.ForwardPass && c.number < g.lastChunk():
		return g.next, (c.number + 1) / g.j.Training.Pipeline, c.message
	case by.Pass == workload.BackwardPass && c.number > 0:
		return g.previous, (c.number - 1) / g.j.Training.Pipeline, c.message
	}
	return neighbour{}, 0, 0
}

// release lets the gradients go that were held back.
func (g *gang) release() {
	g.enqueue(g.held, false)
	g.held = g.held[:0]
}

// letter is the message in which what a pass has made goes to a chunk of a neighbour.
func (n neighbour) letter(by workload.Action, chunk int) *letter {
	return &n.to.inbox[by.Pass][chunk*n.to.j.micros+int(by.Micro)]
}

// sendMade launches the message with what a pass has made, if others need it.
func (g *gang) sendMade(by workload.Action, now sim.Time) {
	j := g.j
	n, chunk, bytes := g.made(by)
	if bytes == 0 {
		return
	}
	l := n.letter(by, chunk)
	l.launched = now
	if n.to == g {
		l.arrived = now
		return
	}
	m := message{to: n.to, from: g, bytes: bytes, letter: l, activity: j.Trace.send(g, n.to)}
	var id int32
	if last := len(j.idle) - 1; last >= 0 {
		id = j.idle[last]
		j.idle = j.idle[:last]
		j.messages[id] = m
	} else {
		id = int32(len(j.messages))
		j.messages = append(j.messages, m)
	}
	j.c.Launch(cluster.Collective{
		Plan: n.plan, Size: bytes, Owner: j.c.Jobs[j.job].Owner, Actor: j.actor, Arg: argArrived | uint64(id), Known: j.known,
	})
	g.sending++
}

// arrived is called when a message has.
func (j *Job) arrived(id int32, now sim.Time) {
	m := j.messages[id]
	j.idle = append(j.idle, id)
	m.letter.arrived = now
	j.Trace.end(m.activity, now)
	j.observeMessage(&m)
	if m.from.sending--; m.from.wait == forSend && m.from.sending == 0 {
		m.from.resume(Pipeline, m.activity, 0, now)
	}
	if g := m.to; g.wait == forMessage && g.ready() {
		g.resume(Pipeline, m.activity, m.letter.launched, now)
	}
}

// close follows the last pass: gradients are summed, the optimizer steps, and
// parameters are gathered.
func (g *gang) close(now sim.Time) {
	g.closing++
	switch g.closing {
	case summing:
		g.held = append(g.held, g.program.outer...)
		g.release()
		if len(g.stream) > 0 {
			g.await(forStream, now)
		}
	case tying:
		if t := g.program.tied; t.bytes > 0 {
			g.await(forExchange, now)
			g.groups[t.dimension()].join(t, g, g.cause)
		}
	case stepping:
		g.doing = g.j.Trace.update(g)
		g.compute(g.program.optimizer, now)
	case gathering:
		g.enqueue(g.program.gather, false)
		if len(g.stream) > 0 {
			g.await(forStream, now)
		}
	case ended:
		g.await(forOthers, now)
		g.j.finished(g, now)
	}
}
