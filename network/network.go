package network

import (
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// ID names a transfer of one network.
type ID int32

// Owner names who a transfer belongs to when contention is accounted: a job or
// a collective. Transfers without one (NoOwner) are each their own.
type Owner int32

// NoOwner marks a transfer that is its own owner.
const NoOwner Owner = -1

// Transfer is bytes that move over links: along a route from one place to
// another or, with Counts, one phase of a collective as a single activity.
type Transfer struct {
	// Start is the earliest time at which it becomes eligible; the time of Add
	// if that is later.
	Start sim.Time
	// After are the transfers that must end first.
	After []ID
	// Behind are the transfers that must have left first: its bytes wait until their last
	// has drained, while its own latency passes. Messages of one queue pair go one behind
	// the other.
	Behind []ID
	// Bytes drain over every hop. 0 is legal: it ends after its latency.
	Bytes float64
	// Latency passes between eligibility and the first byte.
	Latency sim.Time
	// Links are the links used, each once. Counts, if given, says how many hops
	// of the phase cross each of them; each hop then moves Bytes, all at one
	// rate. Both are kept, not copied, and may be shared by many transfers.
	Links  []topology.LinkID
	Counts []float64
	// Footprint, if set, stands in place of Links and Counts, for a phase that
	// is launched again and again; see Bundle.
	Footprint *Footprint
	// Route, if set, stands in place of Links, Counts and Latency: it is called
	// when the transfer becomes eligible, with the number of hops of transfers on
	// each link, in a network whose topology's routing looks at them.
	Route func(load []float64) (links []topology.LinkID, counts []float64, latency sim.Time)
	// Weight is the share of a bottleneck relative to other transfers; 0 is 1.
	Weight float64
	Owner  Owner
	// Actor, if Notify is set, handles Arg at the instant of the end.
	Notify bool
	Actor  sim.Actor
	Arg    uint64
	// Forget lets the ID be used again as soon as the transfer has ended. A
	// transfer that is to be asked for its times keeps its ID.
	Forget bool
	// Connection, if its ends differ, is what it is sent between, for whoever looks for
	// other ways: Reroute (see KeepConnections) and a Carrier.
	Connection Connection
}

// transfer is what is known of a Transfer once it is added.
type transfer struct {
	links     []topology.LinkID
	counts    []float64
	footprint *Footprint // nil: none

	bytes   float64
	weight  float64
	start   sim.Time
	latency sim.Time

	from, to topology.NodeID

	eligible sim.Time // valid once waiting is 0
	finish   sim.Time // valid once ended

	waiting    int32 // transfers in After that have not ended
	dependents int32 // first in edges, -1: none
	behind     int32 // transfers in Behind that have not left
	followers  int32 // first in edges of those behind it, -1: none
	slot       int32 // while draining, else -1
	owner      Owner
	arg        uint64
	actor      sim.Actor
	notify     bool
	forget     bool
	ready      bool // but for those that it is behind
	left       bool // its sender has nothing more of it
	ended      bool
	departed   bool // is among the loads; see loads
}

// edge is one dependent or follower of a transfer, in a list.
type edge struct {
	to   ID
	next int32
}

// Network carries transfers over the links of a topology in the virtual time of
// an engine. Use New.
type Network struct {
	// Name, if set, names a transfer in messages.
	Name func(ID) string

	engine  *sim.Engine
	actor   sim.Actor
	timer   sim.Timer // armed at the earliest finish
	timerAt sim.Time

	transfers []transfer
	freeIDs   []ID
	edges     []edge
	freeEdges int32 // first edge to use again, -1: none
	unended   int

	topology  *topology.Topology
	solver    solver
	finishes  tournament
	arrivals  []int32           // slots that began to drain at this instant
	resized   []topology.LinkID // links whose payload rate changed
	repairing bool              // a repair is deferred to the end of this instant

	accounts accounts
	bundles  bundles
	loads    loads
	shipping *shipping // nil: a fluid

	connections []Connection // of transfers, by ID; nil: not kept
	throttles   map[topology.LinkID]*throttle
}

// What a network's events are about, in the two high bits of their argument.
const (
	argBegin  uint64 = iota << 62 // a transfer's latency has passed
	argFinish                     // the earliest finish has come
	argRepair                     // all changes of the instant are known
	argDepart                     // a transfer starts whose way depends on the load
	argMask   = 3 << 62
)

// New gives a network over the links of a topology. seriesBins is how many
// intervals of time the utilization of each link is kept for: 0 keeps none.
func New(engine *sim.Engine, t *topology.Topology, seriesBins int) *Network {
	n := &Network{engine: engine, timerAt: sim.Never, topology: t, freeEdges: -1}
	n.actor = engine.Register(n)
	n.timer = engine.NewTimer(n.actor, argFinish)
	n.solver.init(t)
	n.loads.init(t)
	n.accounts.init(&n.solver, len(t.Links), seriesBins)
	engine.Watch(n)
	return n
}

// Add adds a transfer. Its dependencies must have been added before.
func (n *Network) Add(t *Transfer) ID {
	links, counts := t.Links, t.Counts
	if t.Footprint != nil {
		links, counts = t.Footprint.Links, t.Footprint.Counts
	}
	if !(t.Bytes >= 0) || math.IsInf(t.Bytes, 1) || !(t.Weight >= 0) || math.IsInf(t.Weight, 1) || t.Latency < 0 || (counts != nil && len(counts) != len(links)) {
		panic(fmt.Sprintf("network: transfer of %v bytes, weight %v, latency %v over %d links with %d counts",
			t.Bytes, t.Weight, t.Latency, len(links), len(counts)))
	}
	if n.shipping != nil {
		if counts != nil {
			panic("network: a transfer with counts has no route to be shipped by")
		}
		n.shipping.carrier.Join(links)
	}
	var id ID
	if last := len(n.freeIDs) - 1; last >= 0 {
		id = n.freeIDs[last]
		n.freeIDs = n.freeIDs[:last]
	} else {
		id = ID(len(n.transfers))
		n.transfers = append(n.transfers, transfer{})
	}
	weight := t.Weight
	if weight == 0 {
		weight = 1
	}
	n.transfers[id] = transfer{
		links: links, counts: counts, footprint: t.Footprint, bytes: t.Bytes, weight: weight,
		start: t.Start, latency: t.Latency, from: t.Connection.From, to: t.Connection.To, dependents: -1, followers: -1, slot: -1,
		owner: t.Owner, arg: t.Arg, actor: t.Actor, notify: t.Notify, forget: t.Forget,
	}
	n.unended++
	if n.connections != nil {
		for int(id) >= len(n.connections) {
			n.connections = append(n.connections, Connection{})
		}
		n.connections[id] = t.Connection
	}
	waiting, behind := int32(0), int32(0)
	for _, d := range t.After {
		if before := &n.transfers[d]; !before.ended {
			n.tie(&before.dependents, id)
			waiting++
		}
	}
	for _, d := range t.Behind {
		if before := &n.transfers[d]; !before.left {
			n.tie(&before.followers, id)
			behind++
		}
	}
	n.transfers[id].waiting, n.transfers[id].behind = waiting, behind
	if t.Route != nil {
		n.loads.routes[id] = t.Route
	}
	if waiting == 0 {
		n.release(id)
	}
	return id
}

// tie adds a transfer to a list of edges.
func (n *Network) tie(list *int32, to ID) {
	e := n.freeEdges
	if e >= 0 {
		n.freeEdges = n.edges[e].next
	} else {
		e = int32(len(n.edges))
		n.edges = append(n.edges, edge{})
	}
	n.edges[e] = edge{to: to, next: *list}
	*list = e
}

// untie empties a list of edges, and calls yield for each transfer that was in it.
func (n *Network) untie(list *int32, yield func(ID)) {
	for e := *list; e >= 0; {
		done := &n.edges[e]
		to := done.to
		e, done.next, n.freeEdges = done.next, n.freeEdges, e
		yield(to)
	}
	*list = -1
}

// release makes a transfer eligible, now or at its start.
func (n *Network) release(id ID) {
	t := &n.transfers[id]
	t.eligible = max(t.start, n.engine.Now())
	if n.loads.on != nil {
		n.engine.Schedule(t.eligible, n.actor, argDepart|uint64(id))
		return
	}
	latency := t.latency
	if n.shipping != nil && t.bytes > 0 {
		latency = n.shipping.before(t)
	}
	n.engine.Schedule(t.eligible.After(latency), n.actor, argBegin|uint64(id))
}

// Times gives when a transfer became eligible and when it ended; ended is false
// while it has not.
func (n *Network) Times(id ID) (eligible, finish sim.Time, ended bool) {
	t := &n.transfers[id]
	return t.eligible, t.finish, t.ended
}

// Handle is the network's reaction to its own events.
func (n *Network) Handle(now sim.Time, arg uint64) {
	switch arg & argMask {
	case argBegin:
		id := ID(arg &^ argMask)
		switch t := &n.transfers[id]; {
		case t.behind > 0:
			t.ready = true
		case t.bytes == 0 || len(t.links) == 0:
			n.end(id, now)
		case n.shipping != nil:
			n.shipping.send(id, t, now)
		default:
			n.begin(id, now)
		}
	case argDepart:
		id := ID(arg &^ argMask)
		t := &n.transfers[id]
		if t.behind > 0 { // it finds its way when it is its turn
			t.ready = true
			return
		}
		n.loads.depart(id, t)
		n.engine.Schedule(max(now, t.eligible.After(t.latency)), n.actor, argBegin|uint64(id))
	case argFinish:
		n.timerAt = sim.Never
		for {
			slot, at := n.finishes.first(n.solver.flows)
			if at > now {
				break
			}
			id := n.solver.flows[slot].id
			n.finishes.remove(slot)
			n.leave(slot, now)
			n.end(id, now)
		}
		n.deferRepair()
	case argRepair:
		n.repairing = false
		n.repair(now)
	}
}

func (n *Network) deferRepair() {
	if !n.repairing {
		n.repairing = true
		n.engine.Defer(n.actor, argRepair)
	}
}

// begin lets a transfer share bandwidth.
func (n *Network) begin(id ID, now sim.Time) {
	t := &n.transfers[id]
	if f := t.footprint; f != nil && f.network == n {
		t.links, t.counts = f.links, f.counts
	}
	if n.bundles.any() {
		n.separate(t.links)
	}
	t.slot = n.solver.attach(id, t, now)
	n.arrivals = append(n.arrivals, t.slot)
	n.accounts.joined(t.links, t.owner, now)
	n.deferRepair()
}

// leave takes a drained transfer off its links.
func (n *Network) leave(slot int32, now sim.Time) {
	f := &n.solver.flows[slot]
	t, links, counts := &n.transfers[f.id], f.links, f.counts
	n.solver.detach(slot)
	n.accounts.left(links, counts, t.owner, t.bytes, now)
	t.slot = -1
}

// leftSender gives those behind a transfer their turn.
func (n *Network) leftSender(id ID, now sim.Time) {
	t := &n.transfers[id]
	t.left = true
	n.untie(&t.followers, func(to ID) {
		f := &n.transfers[to]
		f.behind--
		if !f.ready || f.behind > 0 {
			return
		}
		f.ready = false
		next := argBegin
		if n.loads.on != nil {
			next = argDepart
		}
		n.engine.Schedule(now, n.actor, next|uint64(to))
	})
}

// end tells everyone who waits for a transfer.
func (n *Network) end(id ID, now sim.Time) {
	t := &n.transfers[id]
	t.ended, t.finish = true, now
	n.unended--
	if t.notify {
		n.engine.Schedule(now, t.actor, t.arg)
	}
	n.leftSender(id, now)
	n.untie(&t.dependents, func(to ID) {
		d := &n.transfers[to]
		if d.waiting--; d.waiting == 0 {
			n.release(to)
		}
	})
	n.loads.arrive(t)
	t.links, t.counts, t.footprint = nil, nil, nil
	if t.forget {
		n.freeIDs = append(n.freeIDs, id)
	}
}

// repair computes the rates after all changes of one instant, and the finishes
// of the transfers whose rate changed.
func (n *Network) repair(now sim.Time) {
	s := &n.solver
	s.solve(n.arrivals, n.resized)
	n.accounts.settled(s.touched, n.arrivals, now)
	n.arrivals, n.resized = n.arrivals[:0], n.resized[:0]
	for _, slot := range s.changed {
		f := &s.flows[slot]
		f.remaining = max(0, f.remaining-f.rate*(now-f.since).Seconds())
		rate := f.level * f.weight
		f.slowed = rate < f.rate
		f.rate, f.since = rate, now
		if !f.slowed {
			n.finishes.set(slot, f.finish())
		}
	}
	s.settle()
	if _, next := n.finishes.first(s.flows); next != n.timerAt {
		n.timerAt = next
		n.engine.Arm(n.timer, next)
	}
}

// Isolate has every transfer drain as if it were alone on the network, so that
// its time is a closed form: latency + bytes / the least of capacity/count on its
// links. Links then carry more than their capacity where transfers meet; they
// still count as contended. It must be called before the engine runs.
func (n *Network) Isolate() { n.solver.isolated = true }

// Isolated says whether Isolate was called.
func (n *Network) Isolated() bool { return n.solver.isolated }

// SetPayload changes the rate that programs get of a link, from now on. 0 stops
// what is on it.
func (n *Network) SetPayload(l topology.LinkID, payload float64) {
	if !(payload >= 0) || math.IsInf(payload, 1) {
		panic(fmt.Sprintf("network: a payload rate of %v", payload))
	}
	c := n.throttle(l)
	if c.payload = payload; c.cuts == 0 {
		n.setPayload(l, payload)
	}
}

func (n *Network) setPayload(l topology.LinkID, payload float64) {
	if n.shipping != nil {
		n.shipping.carrier.SetRate(l, payload)
		return
	}
	if n.bundles.holds(l) != 0 {
		n.single(l)
	}
	n.solver.setLimit(l, payload)
	n.resized = append(n.resized, l)
	n.deferRepair()
}

// Rate is the present rate of a transfer, of each hop, in B/s. It is settled
// once all events of an instant have been handled.
func (n *Network) Rate(id ID) float64 {
	if s := n.transfers[id].slot; s >= 0 {
		return n.solver.flows[s].rate
	}
	return 0
}

// Idle says whether no transfer is on its way or waiting.
func (n *Network) Idle() bool { return n.unended == 0 }

// Waiting says which transfers can no longer end, for a deadlock report.
func (n *Network) Waiting() []sim.Wait {
	if n.unended == 0 {
		return nil
	}
	var waits []sim.Wait
	for id := range n.transfers {
		t := &n.transfers[id]
		wait := sim.Wait{Who: fmt.Sprintf("transfer %d", id)}
		if n.Name != nil {
			wait.Who = n.Name(ID(id))
		}
		switch {
		case t.ended:
			continue
		case t.slot >= 0:
			l := n.solver.flows[t.slot].bottleneck()
			if int(l) >= len(n.topology.Links) { // the first of those alike
				l = topology.LinkID(slices.Index(n.bundles.of, l))
			}
			wait.For = "bandwidth on link " + n.topology.LinkName(l)
			if rate := n.solver.flows[t.slot].rate; rate > 0 {
				wait.For += fmt.Sprintf(", at whose rate, %.3g B/s, it ends after the clock does, at %v", rate, sim.Never-1)
			}
		case t.behind > 0 && t.waiting == 0:
			wait.For = fmt.Sprintf("%d transfers ahead of it that have not left", t.behind)
		case n.shipping != nil && t.waiting == 0:
			wait.For = "links that are paused or down"
		case t.waiting == 0:
			wait.For = fmt.Sprintf("a beginning or an end after that of the clock, at %v", sim.Never-1)
		default:
			wait.For = fmt.Sprintf("%d transfers that have not ended", t.waiting)
		}
		waits = append(waits, wait)
	}
	return waits
}
