package collective

import (
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Phase is one activity of the coupled form.
type Phase struct {
	// Share is the bytes that each hop moves, per byte of the collective's size.
	Share float64
	// Latency is that of the longest chain of messages in the phase.
	Latency sim.Time
	// Footprint is the links used and the hops that cross each.
	network.Footprint
	// rate is that of a hop on an idle network, in B/s.
	rate float64
}

// Drain is how long the bytes of a collective of a size take on an idle network.
func (p *Phase) Drain(size float64) sim.Time { return sim.FromSeconds(p.Share * size / p.rate) }

// Plan is an operation over given ranks by one algorithm, for any size.
type Plan struct {
	Op        Op
	Algorithm Algorithm
	Ranks     []topology.NodeID
	Phases    []Phase
	Steps     int // messages that follow each other

	// Overhead is the software's: what starting costs, and each step. Ramp is the
	// most that filling the channels' pipelines adds to it; see Launch.
	Overhead, Ramp sim.Time

	rounds []round
	sides  []side
}

// Planner lays operations over the routes of one topology.
type Planner struct {
	// Messages says that plans will be carried out message by message, by
	// Everywhere: what cannot be is an error, and left out of Plans.
	Messages bool

	topology *topology.Topology
	count    []int32 // hops on each link in the phase that is being built
	path     []topology.LinkID
	hops     []sim.Time // latency of each message of the phase built last
	budget   int        // links that the messages of the plan may still cross
}

// NewPlanner gives a planner for a topology.
func NewPlanner(t *topology.Topology) *Planner {
	return &Planner{topology: t, count: make([]int32, len(t.Links))}
}

// Plan lays an operation over groups of ranks, which must be distinct
// accelerators and the same number in each. Several groups perform it side by
// side as one activity, at the pace of the slowest. The algorithm must not be
// Auto; see Plans. An error says what the algorithm cannot do.
func (p *Planner) Plan(op Op, a Algorithm, groups ...[]topology.NodeID) (*Plan, error) {
	n := len(groups[0])
	plan := &Plan{Op: op, Algorithm: a, Ranks: groups[0]}
	all, rings := make([][]round, len(groups)), make([]int, len(groups)) // of each group
	for i, ranks := range groups {
		order := p.rings(ranks)
		rs, err := rounds(op, a, n, order)
		if err != nil {
			return nil, err
		}
		all[i], rings[i] = rs, len(order)
		plan.sides = append(plan.sides, side{ranks, rs})
	}
	if p.Messages {
		if err := plan.checkMessages(); err != nil {
			return nil, err
		}
	}
	plan.rounds = all[0]
	p.budget = MaxHops
	for i, r := range plan.rounds {
		phase := Phase{Share: r.share * float64(r.repeat)}
		for g, ranks := range groups {
			p.lay(&phase, all[g][i], ranks)
			if p.budget < 0 {
				p.close(&phase)
				return nil, fmt.Errorf("%s of %s over %d ranks crosses more than %d links in all here, too many to plan; another algorithm may cross fewer",
					a, op, n*len(groups), MaxHops)
			}
			latency := slices.Max(p.hops)
			switch {
			case r.repeat > 1:
				for c := range rings[g] {
					latency = max(latency, longestWay(p.hops[c*n:(c+1)*n], r.repeat))
				}
			case r.chain:
				latency = 0
				for _, hop := range p.hops {
					latency += hop
				}
			}
			phase.Latency = max(phase.Latency, latency)
		}
		p.close(&phase)
		plan.Phases = append(plan.Phases, phase)
		plan.Steps += r.repeat
		if r.chain {
			plan.Steps += n - 2
		}
	}
	plan.Overhead, plan.Ramp = p.overhead(groups[0][0], plan.Steps)
	return plan, nil
}

// Sends lays a message from each of some accelerators to its partner, all at
// once.
func (p *Planner) Sends(from, to []topology.NodeID) *Plan {
	p.budget = MaxHops
	phase := Phase{Share: 1}
	send := round{share: 1, repeat: 1, sends: func(yield func(int, int) bool) { yield(0, 1) }}
	sides := make([]side, len(from))
	for i := range from {
		sides[i] = side{[]topology.NodeID{from[i], to[i]}, []round{send}}
		p.lay(&phase, send, sides[i].ranks)
		phase.Latency = max(phase.Latency, p.hops[0])
	}
	p.close(&phase)
	plan := &Plan{Op: SendRecv, Algorithm: Direct, Ranks: from, Phases: []Phase{phase}, Steps: 1, sides: sides}
	plan.Overhead, plan.Ramp = p.overhead(from[0], 1)
	return plan
}

// overhead is the software's, of an operation of so many steps.
func (p *Planner) overhead(rank topology.NodeID, steps int) (overhead, ramp sim.Time) {
	if p.topology.Bare() {
		return 0, 0
	}
	h := p.topology.Servers[p.topology.Server(rank)].Spec
	return sim.Time(h.CollectiveOverhead) + sim.Time(steps)*sim.Time(h.StepOverhead), sim.Time(h.RampOverhead)
}

// rampShare is how much of the time of its bytes a collective loses to the ramp
// until it has lost all of it. In nccl-tests of all-reduce on 8 A100 of 1, 16 and
// 64 MiB (reference/collectives: aic-a100) what is left of the time after the
// bytes at their final rate and the steps is 3, 58 and 50 us: the low-latency
// protocols of small messages move them at 0.7 of the rate, until the bulk
// protocol, which starts slower, is the better one.
const rampShare = 0.43

// Launch is the time before the first byte of an operation of a size.
func (p *Plan) Launch(size float64) sim.Time {
	if p.Ramp == 0 {
		return p.Overhead
	}
	return p.Overhead + min(p.Ramp, sim.FromSeconds(rampShare*p.drain(size)))
}

// drain is the time of an operation's bytes on an idle network, in seconds.
func (p *Plan) drain(size float64) float64 {
	var t float64
	for i := range p.Phases {
		t += p.Phases[i].Share * size / p.Phases[i].rate
	}
	return t
}

// Plans are the ways to perform one operation over the same ranks.
type Plans []*Plan

// manyMessages is the number of messages from which on Plans leaves Direct out.
const manyMessages = 1 << 20

// Plans lays an operation over groups of ranks by every algorithm that can
// perform it, in the order ring, halving-doubling, direct: what Auto chooses from.
// Direct is left out where it takes more than a million messages, unless nothing
// else can do it.
func (p *Planner) Plans(op Op, groups ...[]topology.NodeID) (Plans, error) {
	var all Plans
	var failed error
	n := len(groups[0])
	for _, a := range []Algorithm{Ring, HalvingDoubling, Direct} {
		if a == Direct && n*n*len(groups) > manyMessages && op != AllToAll {
			continue
		}
		plan, err := p.Plan(op, a, groups...)
		if err != nil {
			failed = err
			continue
		}
		all = append(all, plan)
	}
	if all == nil {
		return nil, failed
	}
	return all, nil
}

// Fastest is the plan that is predicted to be the fastest for a size on an idle
// network, of equals the first.
func (p Plans) Fastest(size float64) *Plan {
	best := p[0]
	for _, plan := range p[1:] {
		if plan.Predict(size) < best.Predict(size) {
			best = plan
		}
	}
	return best
}

// Predict is the time in seconds that the plan takes on an idle network.
func (p *Plan) Predict(size float64) float64 {
	t := p.Launch(size).Seconds() + p.drain(size)
	for i := range p.Phases {
		t += p.Phases[i].Latency.Seconds()
	}
	return t
}

// Time is what Predict gives, as a simulation of the plan on an idle network has it:
// each of its parts in whole ticks.
func (p *Plan) Time(size float64) sim.Time {
	t := p.Launch(size)
	for i := range p.Phases {
		t += p.Phases[i].Latency + p.Phases[i].Drain(size)
	}
	return t
}

// Footprints are those of the phases.
func (p *Plan) Footprints() []*network.Footprint {
	all := make([]*network.Footprint, len(p.Phases))
	for i := range p.Phases {
		all[i] = &p.Phases[i].Footprint
	}
	return all
}

// lay counts the hops of a round of one group on each link; hops is left with the
// latency of each message.
func (p *Planner) lay(f *Phase, r round, ranks []topology.NodeID) {
	p.hops = p.hops[:0]
	for from, to := range r.sends {
		p.path = p.topology.Route(ranks[from], ranks[to], 0, p.path[:0])
		if p.budget -= len(p.path); p.budget < 0 {
			return
		}
		var latency sim.Time
		for _, l := range p.path {
			latency += p.topology.Links[l].Latency
			if p.count[l] == 0 {
				f.Links = append(f.Links, l)
			}
			p.count[l]++
		}
		p.hops = append(p.hops, latency)
	}
}

// close gives a phase the hops that lay has counted. Links come in their order,
// so that the network walks through its state of them from front to back.
func (p *Planner) close(f *Phase) {
	p.order(f.Links)
	f.Counts = make([]float64, len(f.Links))
	f.rate = math.Inf(1)
	for i, l := range f.Links {
		f.Counts[i] = float64(p.count[l])
		f.rate = min(f.rate, p.topology.Links[l].Payload/f.Counts[i])
		p.count[l] = 0
	}
}

// order sorts the links that have a count: by looking at all of the topology if
// they are a good part of it.
func (p *Planner) order(links []topology.LinkID) {
	if len(links) < len(p.count)/8 {
		slices.Sort(links)
		return
	}
	n := 0
	for l, count := range p.count {
		if count > 0 {
			links[n] = topology.LinkID(l)
			n++
		}
	}
}

// longestWay is the greatest latency of so many hops in a row around a ring: the
// way of the chunk that is last to arrive.
func longestWay(ring []sim.Time, hops int) sim.Time {
	n := len(ring)
	var circle, way sim.Time
	for i, hop := range ring {
		circle += hop
		if i < hops%n {
			way += hop
		}
	}
	longest := way
	for i, hop := range ring {
		way += ring[(i+hops)%n] - hop
		longest = max(longest, way)
	}
	return sim.Time(hops/n)*circle + longest
}

// rings gives the orders in which rings pass the ranks. There is one, rank
// order, unless the ranks span hosts: then there are as many as a host has
// NICs, or ranks if they are fewer, and ring c starts its way through each host at the accelerators of the
// c-th part, so that it enters there, and leaves before.
func (p *Planner) rings(ranks []topology.NodeID) [][]int {
	t := p.topology
	n := len(ranks)
	channels := 1
	if !t.Bare() {
		here := t.Server(ranks[0])
		if slices.ContainsFunc(ranks, func(r topology.NodeID) bool { return t.Server(r) != here }) {
			// More rings than ranks in a host would be the same rings again.
			channels = min(t.Servers[here].Spec.NICs, mostInHost(t, ranks))
		}
	}
	order := make([][]int, channels)
	for c := range order {
		order[c] = make([]int, 0, n)
	}
	for first := 0; first < n; {
		last := first + 1
		for channels > 1 && last < n && t.Server(ranks[last]) == t.Server(ranks[first]) {
			last++
		}
		inHost := last - first
		for c := range order {
			start := (c*inHost + channels - 1) / channels // the first of NIC c's
			for i := range inHost {
				order[c] = append(order[c], first+(start+i)%inHost)
			}
		}
		first = last
	}
	return order
}

// mostInHost is the most ranks that follow each other in one host.
func mostInHost(t *topology.Topology, ranks []topology.NodeID) int {
	most, run := 0, 0
	for i, r := range ranks {
		if i > 0 && t.Server(r) != t.Server(ranks[i-1]) {
			run = 0
		}
		run++
		most = max(most, run)
	}
	return most
}

// Message is one transfer of the exploded form.
type Message struct {
	From, To int     // ranks
	Share    float64 // bytes per byte of the collective's size
	After    []int   // earlier messages, by number, that must have arrived
}

// Explode calls yield for every message, numbered from 0 in the order of the
// calls. A message waits for all that its sender received in earlier rounds; of
// a round that repeats, for that of its ring in the repetition before. In
// halving-doubling it also waits for what its sender has sent. After is valid
// during the call only. A pipelined chain has no exploded form.
func (p *Plan) Explode(yield func(Message)) error {
	for _, r := range p.rounds {
		if r.chain {
			return fmt.Errorf("%s over a ring is a pipeline and cannot be expanded; direct can", p.Op)
		}
	}
	n := len(p.Ranks)
	received := make([][]int, n) // numbers of the messages to wait for, by receiver and ring
	next := make([][]int, n)
	number := 0
	for _, r := range p.rounds {
		for range r.repeat {
			ring, sent := 0, 0 // rings do not wait for each other
			for from, to := range r.sends {
				if sent == n && r.repeat > 1 {
					ring, sent = ring+n, 0
					if len(next) == ring {
						received, next = append(received, make([][]int, n)...), append(next, make([][]int, n)...)
					}
				}
				yield(Message{From: from, To: to, Share: r.share, After: received[ring+from]})
				next[ring+to] = append(next[ring+to], number)
				if p.Algorithm == HalvingDoubling { // whose ranks do one exchange at a time
					next[from] = append(next[from], number)
				}
				number, sent = number+1, sent+1
			}
			for i := range next {
				switch {
				case len(next[i]) == 0:
				case r.repeat > 1:
					received[i], next[i] = next[i], received[i][:0]
				default:
					received[i], next[i] = append(received[i], next[i]...), next[i][:0]
				}
			}
		}
	}
	return nil
}

// Messages is the number of messages of an operation over n ranks in its
// exploded form, and about how many others they wait for in all; 0 for a
// pipeline, which has none. An error says what the algorithm cannot do. Auto can
// do all.
func Messages(op Op, a Algorithm, n int) (messages, waits int, err error) {
	if a == Auto {
		a = Ring
		if op == AllToAll {
			a = Direct
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	rs, err := rounds(op, a, n, [][]int{order})
	if err != nil {
		return 0, 0, err
	}
	for _, r := range rs {
		if r.chain {
			return 0, 0, nil
		}
		sends := 0
		for range r.sends {
			sends++
		}
		waits += sends * max(messages/n, r.repeat-1)
		messages += sends * r.repeat
	}
	return messages, waits, nil
}
