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
	// rate is that of a hop on an idle network, in B/s, wire what it would be without
	// headers and copies.
	rate, wire float64
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
	// NetworkSteps are those of them that go between hosts.
	NetworkSteps int

	library []cost // what the software adds, by protocol; none on bare accelerators
	tuned   tuned
	rounds  []round
	sides   []side
}

// Planner lays operations over the routes of one topology.
type Planner struct {
	// Messages says that plans will be carried out message by message, by
	// Everywhere: what cannot be is an error, and left out of Plans.
	Messages bool
	// Own are algorithms beside those of the package. It must be set before anything is
	// planned.
	Own map[Algorithm]Own

	topology *topology.Topology
	count    []float64 // hops on each link in the phase that is being built
	way      topology.Way
	path     []topology.LinkID
	longest  pass       // message of the round laid last, or way around one of its rings
	sent     []send     // messages that follow each other, of a pipeline or a ring
	hops     []sim.Time // latency of each
	crossing []sim.Time // 1 for each between hosts
	budget   int        // links that the messages of the plan may still cross

	keeps, laying bool // see KeepPlans
	kept          []kept
}

// send is a message from one rank to another, by number.
type send struct{ from, to int32 }

// NewPlanner gives a planner for a topology.
func NewPlanner(t *topology.Topology) *Planner {
	return &Planner{topology: t, count: make([]float64, len(t.Links))}
}

// Plan lays an operation over groups of ranks, which must be distinct
// accelerators and the same number in each. Several groups perform it side by
// side as one activity, at the pace of the slowest. The algorithm must not be
// Auto; see Plans. An error says what the algorithm cannot do.
func (p *Planner) Plan(op Op, a Algorithm, groups ...[]topology.NodeID) (*Plan, error) {
	n := len(groups[0])
	plan := &Plan{Op: op, Algorithm: a, Ranks: groups[0]}
	all := make([][]round, len(groups)) // of each group
	for i, ranks := range groups {
		rs, err := p.rounds(op, a, ranks)
		if err != nil {
			return nil, err
		}
		if all[i] = rs; len(rs) != len(all[0]) {
			return nil, fmt.Errorf("%s of %s takes %d rounds for some ranks and %d for others that perform it beside them", a, op, len(all[0]), len(rs))
		}
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
		var longest pass
		for g, ranks := range groups {
			way, err := p.layRound(&phase, op, a, all[g][i], ranks)
			if err == nil && p.budget < 0 {
				err = fmt.Errorf("%s of %s over %d ranks crosses more than %d links in all here, too many to plan; another algorithm may cross fewer",
					a, op, n*len(groups), MaxHops)
			}
			if err != nil {
				p.close(&phase)
				return nil, err
			}
			longest = longest.later(way)
		}
		p.close(&phase)
		phase.Latency = longest.latency
		plan.Phases = append(plan.Phases, phase)
		plan.Steps += longest.steps
		plan.NetworkSteps += longest.network
	}
	p.price(plan)
	p.keep(plan, func() (*Plan, error) { return p.Plan(op, a, groups...) })
	return plan, nil
}

// rounds gives the rounds of an algorithm over ranks of the topology.
func (p *Planner) rounds(op Op, a Algorithm, ranks []topology.NodeID) ([]round, error) {
	n := len(ranks)
	if n == 1 {
		return nil, nil
	}
	if own := p.Own[a]; own != nil {
		return own.rounds(op, a, p.Hosts(ranks))
	}
	switch a {
	case Ring:
		return rounds(op, a, n, p.rings(ranks))
	case Tree:
		return treeRounds(op, p.layout(ranks))
	case Hierarchical:
		if p.topology.Bare() {
			return dimensionRounds(op, p.topology, ranks)
		}
		return hierarchicalRounds(op, p.layout(ranks))
	case NVLS, SHARP:
		return switchedRounds(op, a)
	}
	return rounds(op, a, n, nil)
}

// layRound lays a round of one group, and gives its longest chain of messages.
func (p *Planner) layRound(phase *Phase, op Op, a Algorithm, r round, ranks []topology.NodeID) (pass, error) {
	if r.switched {
		return p.layReduction(phase, op, a, p.layout(ranks), ranks)
	}
	p.lay(phase, r, ranks)
	switch {
	case p.budget < 0:
		return pass{}, nil
	case r.chain:
		return p.longestChain(r, ranks), nil
	}
	return p.longest, nil
}

// pass is messages that follow each other: their latency, how many they are, and how
// many of them go between hosts.
type pass struct {
	latency        sim.Time
	steps, network int
}

// then is one pass after another.
func (a pass) then(b pass) pass {
	return pass{a.latency.After(b.latency), a.steps + b.steps, a.network + b.network}
}

// later is the longer of two passes: by latency, then by steps.
func (a pass) later(b pass) pass {
	if b.latency > a.latency || b.latency == a.latency && b.steps > a.steps {
		return b
	}
	return a
}

// between says whether a message goes from one host to another.
func (p *Planner) between(from, to topology.NodeID) bool {
	return p.topology.Server(from) != p.topology.Server(to)
}

// longestAround is the longest way of a chunk around a ring that has been laid.
func (p *Planner) longestAround(r round, ranks []topology.NodeID) pass {
	p.crossing = p.crossing[:0]
	for _, s := range p.sent {
		var one sim.Time
		if p.between(ranks[s.from], ranks[s.to]) {
			one = 1
		}
		p.crossing = append(p.crossing, one)
	}
	return pass{longestWay(p.hops, r.repeat), r.repeat, int(longestWay(p.crossing, r.repeat))}
}

// longestChain is the longest way of a chunk through a pipeline that has been laid.
func (p *Planner) longestChain(r round, ranks []topology.NodeID) pass {
	lane := len(p.hops) / r.lanes
	at := make([]pass, len(ranks))
	var longest pass
	for i, s := range p.sent {
		if i%lane == 0 {
			clear(at)
		}
		hop := pass{p.hops[i], 1, 0}
		if p.between(ranks[s.from], ranks[s.to]) {
			hop.network = 1
		}
		at[s.to] = at[s.to].later(at[s.from].then(hop))
		longest = longest.later(at[s.to])
	}
	return longest
}

// Sends lays a message from each of some accelerators to its partner, all at
// once.
func (p *Planner) Sends(from, to []topology.NodeID) *Plan {
	p.budget = MaxHops
	plan := &Plan{Op: SendRecv, Algorithm: Direct, Ranks: from, Steps: 1}
	phase := Phase{Share: 1}
	send := round{share: 1, repeat: 1, sends: func(yield func(int, int) bool) { yield(0, 1) }}
	sides := make([]side, len(from))
	for i := range from {
		sides[i] = side{[]topology.NodeID{from[i], to[i]}, []round{send}}
		p.lay(&phase, send, sides[i].ranks)
		phase.Latency = max(phase.Latency, p.longest.latency)
		if p.between(from[i], to[i]) {
			plan.NetworkSteps = 1
		}
	}
	p.close(&phase)
	plan.Phases, plan.sides = []Phase{phase}, sides
	p.price(plan)
	p.keep(plan, func() (*Plan, error) { return p.Sends(from, to), nil })
	return plan
}

// price gives a plan what the library of its hosts adds.
func (p *Planner) price(plan *Plan) {
	if p.topology.Bare() {
		return
	}
	h := p.topology.Servers[p.topology.Server(plan.Ranks[0])].Spec
	share, copied := 1.0, 0.0
	switch plan.Algorithm {
	case Tree:
		share = treeEfficiency
	case NVLS, SHARP:
		share = h.NVLSEfficiency / h.ScaleUpEfficiency
		if plan.NetworkSteps > 0 {
			share *= nvlsTreeEfficiency
		}
	}
	switch plan.Op {
	case AllGather, ReduceScatter, AllToAll:
		copied = 1 / float64(len(plan.Ranks))
	}
	plan.library = plan.costs(h, p.loss(plan, share), copied)
}

// loss is the time a plan loses, for each second of its bytes, because its algorithm
// reaches only a share of the rate of the links inside hosts, all of it where the
// share is 0.
func (p *Planner) loss(plan *Plan, share float64) float64 {
	full := plan.drain(1)
	if share == 0 || full == 0 {
		return 0
	}
	var slow float64
	for i := range plan.Phases {
		f := &plan.Phases[i]
		rate := f.rate
		for k, l := range f.Links {
			if p.scaleUp(l) {
				rate = min(rate, share*p.topology.Links[l].Payload/f.Counts[k])
			}
		}
		slow += f.Share / rate
	}
	return slow/full - 1
}

// scaleUp says whether a link is inside a host and does not lead to a NIC.
func (p *Planner) scaleUp(l topology.LinkID) bool {
	t := p.topology
	inside := func(n topology.NodeID) bool { return int(n) < t.Accelerators() }
	nic := func(n topology.NodeID) bool { return !inside(n) && int(n) < t.Accelerators()+t.NICs() }
	link := &t.Links[l]
	return inside(link.From) && !nic(link.To) || inside(link.To) && !nic(link.From)
}

// drain is the time of an operation's bytes on an idle network, in seconds.
func (p *Plan) drain(size float64) float64 {
	var t float64
	for i := range p.Phases {
		t += p.Phases[i].Share * size / p.Phases[i].rate
	}
	return t
}

// Bound is the time in seconds below which the plan's bytes cannot be moved: that of
// its links at the rate of the wire, with no latency and no software.
func (p *Plan) Bound(size float64) float64 {
	var t float64
	for i := range p.Phases {
		t += p.Phases[i].Share * size / p.Phases[i].wire
	}
	return t
}

// Plans are the ways to perform one operation over the same ranks.
type Plans []*Plan

// manyMessages is the number of messages from which on Plans leaves Direct out.
const manyMessages = 1 << 20

// Plans lays an operation over groups of ranks by every algorithm that Auto chooses
// from. On bare accelerators these are ring, halving-doubling, direct and
// hierarchical; direct is left out where it takes more than a million messages,
// unless nothing else can do it. On hosts they are those of NCCL's tuner.
func (p *Planner) Plans(op Op, groups ...[]topology.NodeID) (Plans, error) {
	var all Plans
	var failed error
	n := len(groups[0])
	algorithms := []Algorithm{Ring, HalvingDoubling, Direct, Hierarchical}
	if !p.topology.Bare() {
		algorithms = p.choices(op, groups[0])
	}
	for _, a := range algorithms {
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

// choices are the algorithms that NCCL's tuner has for an operation on such ranks:
// rings for all but all-to-all, trees between hosts and NVLS where switches reduce for
// all-reduce, PAT where every rank has a host of its own, and peer to peer for what
// is sent. RCCL's rings over a mesh use all its links at once; direct stands for them.
// SHARP is for who asks: whether the switches of a fabric are set up for it no scenario
// says.
func (p *Planner) choices(op Op, ranks []topology.NodeID) []Algorithm {
	h := p.topology.Servers[p.topology.Server(ranks[0])].Spec
	hosts, inFirst := 0, 0 // and the ranks of the first
	for i, r := range ranks {
		if i == 0 || p.between(ranks[i-1], r) {
			hosts++
		}
		if hosts == 1 {
			inFirst++
		}
	}
	all := []Algorithm{Ring}
	switch op {
	case AllToAll, SendRecv:
		return []Algorithm{Direct}
	case AllReduce:
		if hosts > 1 {
			all = append(all, Tree)
		}
		if reduces(h) && inFirst > 1 {
			all = append(all, NVLS)
		}
	case AllGather, ReduceScatter:
		if hosts == len(ranks) {
			all = append(all, PAT)
		}
	}
	if h.ScaleUp == topology.ScaleUpMesh || p.Messages { // which has a form for all
		all = append(all, Direct)
	}
	return all
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

// lay counts the hops of a round of one group on each link. longest is left with its
// longest message or, of one that is repeated, its longest way around a ring; and of a
// pipeline sent and hops with all messages and the latency of each.
func (p *Planner) lay(f *Phase, r round, ranks []topology.NodeID) {
	p.sent, p.hops, p.longest = p.sent[:0], p.hops[:0], pass{steps: 1}
	messages := 0 // that are kept
	switch {
	case r.chain:
		messages = 2 * r.lanes * len(ranks)
	case r.repeat > 1:
		messages, p.longest = r.ring, pass{}
	}
	p.sent, p.hops = slices.Grow(p.sent, messages), slices.Grow(p.hops, messages) // rather than by doubling
	for from, to := range r.sends {
		latency := p.message(f, ranks[from], ranks[to], 1)
		if p.budget < 0 {
			return
		}
		if messages > 0 {
			p.sent, p.hops = append(p.sent, send{int32(from), int32(to)}), append(p.hops, latency)
		}
		if r.repeat > 1 {
			if len(p.sent) == r.ring {
				p.longest = p.longest.later(p.longestAround(r, ranks))
				p.sent, p.hops = p.sent[:0], p.hops[:0]
			}
			continue
		}
		p.longest.latency = max(p.longest.latency, latency)
		if p.longest.network == 0 && p.between(ranks[from], ranks[to]) {
			p.longest.network = 1
		}
	}
}

// message lays messages on what they cross under the topology's routing, and gives
// their latency.
func (p *Planner) message(f *Phase, from, to topology.NodeID, messages float64) sim.Time {
	p.topology.Way(from, to, 0, p.count, &p.way)
	p.budget -= len(p.way.Links)
	for i, l := range p.way.Links {
		p.load(f, l, messages*p.way.Share(i))
	}
	return p.way.Latency
}

// route is one path of a message, until the next is asked for.
func (p *Planner) route(from, to topology.NodeID) []topology.LinkID {
	p.path = p.topology.Route(from, to, 0, p.path[:0])
	p.budget -= len(p.path)
	return p.path
}

func (p *Planner) latency(path []topology.LinkID) (sum sim.Time) {
	for _, l := range path {
		sum += p.topology.Links[l].Latency
	}
	return sum
}

// load adds hops to a link of a phase.
func (p *Planner) load(f *Phase, l topology.LinkID, hops float64) {
	if p.count[l] == 0 {
		f.Links = append(f.Links, l)
	}
	p.count[l] += hops
}

// close gives a phase the hops that lay has counted. Links come in their order,
// so that the network walks through its state of them from front to back.
func (p *Planner) close(f *Phase) {
	p.order(f.Links)
	f.Counts = make([]float64, len(f.Links))
	f.rate, f.wire = math.Inf(1), math.Inf(1)
	for i, l := range f.Links {
		f.Counts[i] = p.count[l]
		f.rate = min(f.rate, p.topology.Links[l].Payload/f.Counts[i])
		f.wire = min(f.wire, p.topology.Links[l].Capacity/f.Counts[i])
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
	return circle.Times(int64(hops / n)).After(longest)
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

// layout finds the hosts of ranks, each of which is its own on bare accelerators.
func (p *Planner) layout(ranks []topology.NodeID) layout {
	var l layout
	for _, ring := range p.rings(ranks) {
		var chains [][]int
		for i, r := range ring {
			if i == 0 || p.topology.Bare() || p.between(ranks[ring[i-1]], ranks[r]) {
				chains = append(chains, nil)
			}
			chains[len(chains)-1] = append(chains[len(chains)-1], r)
		}
		l.channels = append(l.channels, chains)
	}
	for _, chain := range l.channels[0] {
		l.hosts = append(l.hosts, slices.Sorted(slices.Values(chain)))
	}
	return l
}

// Message is one transfer of the exploded form.
type Message struct {
	From, To int     // ranks
	Share    float64 // bytes per byte of the collective's size
	After    []int   // earlier messages, by number, that must have arrived
	Behind   []int   // those of the same queue that must have left
}

// Explode calls yield for every message, numbered from 0 in the order of the
// calls. A message waits for all that its sender received in earlier rounds; of
// a round that repeats, for that of its ring in the repetition before. In
// halving-doubling it also waits for what its sender has sent. It leaves behind
// the message before in its queue; see queues. After and Behind are valid during
// the call only. What is not Expandable has no exploded form.
func (p *Plan) Explode(yield func(Message)) error {
	if !p.Expandable() {
		return fmt.Errorf("%s by %s is a pipeline or sums in switches and cannot be expanded; direct can", p.Op, p.Algorithm)
	}
	n := len(p.Ranks)
	received := make([][]int, n) // numbers of the messages to wait for, by receiver and ring
	next := make([][]int, n)
	number := 0
	var q queues
	for _, r := range p.rounds {
		q.enter(r)
		for range r.repeat {
			ring, sent, i := 0, 0, 0 // rings do not wait for each other
			for from, to := range r.sends {
				if sent == n && r.repeat > 1 {
					ring, sent = ring+n, 0
					if len(next) == ring {
						received, next = append(received, make([][]int, n)...), append(next, make([][]int, n)...)
					}
				}
				yield(Message{From: from, To: to, Share: r.share, After: received[ring+from], Behind: q.join(i, number)})
				next[ring+to] = append(next[ring+to], number)
				if p.Algorithm == HalvingDoubling { // whose ranks do one exchange at a time
					next[from] = append(next[from], number)
				}
				number, sent, i = number+1, sent+1, i+1
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

// Expandable says whether there is an exploded form: pipelines and sums in switches
// have none.
func (p *Plan) Expandable() bool {
	return !slices.ContainsFunc(p.rounds, func(r round) bool { return r.chain || r.switched })
}

// Messages is the number of messages of an operation over n ranks in its
// exploded form, and about how many others they wait for in all; 0 for a
// pipeline, which has none. An error says what the algorithm cannot do. Auto can
// do all.
func Messages(op Op, a Algorithm, n int) (messages, waits int, err error) {
	switch a {
	case Auto:
		a = Ring
		if op == AllToAll {
			a = Direct
		}
	case Tree:
		_, err = treeRounds(op, layout{hosts: [][]int{{0}}, channels: [][][]int{{{0}}}})
		return 0, 0, err
	case Hierarchical: // over several dimensions it has hardly more than over one
		switch {
		case op == AllToAll:
			a = Direct
		case scatters(op):
			a = Ring
		default:
			return 0, 0, unsupported(op, a, AllReduce, AllGather, ReduceScatter, AllToAll)
		}
	case NVLS, SHARP:
		_, err = switchedRounds(op, a)
		return 0, 0, err
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	rs, err := rounds(op, a, n, [][]int{order})
	if err != nil {
		return 0, 0, err
	}
	messages, waits = count(rs, n)
	return messages, waits, nil
}

// count is what Messages gives of rounds.
func count(rs []round, n int) (messages, waits int) {
	for _, r := range rs {
		if r.chain {
			return 0, 0
		}
		sends := 0
		for range r.sends {
			sends++
		}
		waits += sends * max(messages/n, r.repeat-1)
		messages += sends * r.repeat
	}
	return messages, waits
}
