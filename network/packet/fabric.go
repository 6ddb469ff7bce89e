package packet

import (
	"math"
	"math/rand/v2"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Stats is what has happened to the packets of a fabric so far.
type Stats struct {
	Sent    uint64 // by all links together, resent ones included
	Marked  uint64
	Lost    uint64 // for want of buffer
	Trimmed uint64 // cut down to their header
	Pauses  uint64 // frames that told a link to stop
}

// Fabric carries messages over the links of a topology. It is a network.Carrier. Use
// New.
type Fabric struct {
	Options

	engine   *sim.Engine
	actor    sim.Actor
	observer network.Observer
	topology *topology.Topology
	random   *rand.Rand
	stats    Stats

	ports    []port
	nodes    []node
	packets  []packet // 0 is none
	free     int32    // first packet to use again
	messages []message
	idle     []int32 // messages to use again

	path []topology.LinkID // a route that is looked at
}

// port is one link: what waits for it at its near end, what is on it, and what came
// over it and is still at its far end.
type port struct {
	perByte float64 // ticks that a byte takes; +Inf while it is down
	lag     float64 // ticks by which the rounded times of its packets have fallen behind
	latency sim.Time

	queue   list  // to be forwarded
	headers list  // of NDP: trimmed packets, which go first
	before  int8  // headers sent since the last other packet
	wire    list  // on their way, in order
	queued  int64 // bytes in queue, what is being sent included
	sending int32 // packet; 0: none
	began   sim.Time

	ready   int32 // last of the ring of messages that begin here and may send; 0: none
	turn    bool  // a message's, if something is to be forwarded as well
	waiting bool  // something waits while the link is in use

	paused bool // by the node at its far end

	near, far int32 // nodes
	held      int64 // bytes at the far end that came over it
	pausing   bool  // the far end has told it to stop

	puller puller // of NDP
}

// node is what the packets at one place share.
type node struct {
	used int64 // bytes
	over int32 // the node that it has become part of, while nodes are joined; else itself
}

// packet is one, or one that is to be used again.
type packet struct {
	number  int64 // of its message
	message int32
	next    int32 // in the list that it is in
	hop     int32 // of its route
	route   int32
	marked  bool
	trimmed bool
}

// list is a queue of packets, linked by next.
type list struct{ head, tail int32 }

func (f *Fabric) push(q *list, n int32) {
	f.packets[n].next = 0
	if q.head == 0 {
		q.head = n
	} else {
		f.packets[q.tail].next = n
	}
	q.tail = n
}

func (f *Fabric) pop(q *list) int32 {
	n := q.head
	q.head = f.packets[n].next
	return n
}

// What a fabric's events are about, in the high bits of their argument; the rest is
// a link or a message.
const (
	argSent     uint64 = iota << 56 // a packet has left
	argArrived                      // the first packet on the wire has arrived
	argPause                        // a pause frame has come to the near end of a link
	argResume                       // so has one that lets it go on
	argBegin                        // a message may send again
	argNotified                     // a message's sender has heard of a mark
	argLost                         // a message's sender has been asked for a lost packet
	argTimeout                      // a message's sender has heard nothing for long
	argAcked                        // a message's sender has the last acknowledgement
	argPull                         // a receiver may pull again
	argGranted                      // a message's sender has got a pull
	argKind     = 0xff << 56
)

// New gives a fabric over the links of a topology, at their payload rates. The
// options must be valid.
func New(engine *sim.Engine, t *topology.Topology, o Options, observer network.Observer) *Fabric {
	f := &Fabric{
		Options: o, engine: engine, observer: observer, topology: t,
		random:   sim.Stream(o.Seed, "network/packet"),
		ports:    make([]port, len(t.Links)),
		packets:  make([]packet, 1),
		messages: make([]message, 1),
	}
	f.actor = engine.Register(f)
	nodes := 0
	for i := range t.Links {
		l := &t.Links[i]
		p := &f.ports[i]
		p.latency = l.Latency
		p.perByte = perByte(l.Payload)
		if l.From == topology.None { // ends of its own, until Join
			p.near, p.far = int32(nodes), int32(nodes+1)
			nodes += 2
			continue
		}
		p.near, p.far = int32(l.From), int32(l.To)
		nodes = max(nodes, int(l.From)+1, int(l.To)+1)
	}
	if o.Transport == NDP { // which trims instead
		f.PFC, f.DCQCN = false, false
	}
	f.nodes = make([]node, nodes)
	for i := range f.nodes {
		f.nodes[i].over = int32(i)
	}
	return f
}

func perByte(rate float64) float64 {
	if rate == 0 {
		return math.Inf(1)
	}
	return float64(sim.Second) / rate
}

// Join tells a fabric of bare links that a route exists: where one link follows
// another, the end of the first is the beginning of the second. Links that are
// joined in this way to others, over any number of routes, share the buffer there.
// It is to be called for all routes before anything is sent.
func (f *Fabric) Join(route []topology.LinkID) {
	for i := 1; i < len(route); i++ {
		a, b := &f.ports[route[i-1]], &f.ports[route[i]]
		a.far, b.near = f.whole(a.far), f.whole(b.near)
		f.nodes[b.near].over = a.far
	}
}

// whole is the node that one has become part of.
func (f *Fabric) whole(n int32) int32 {
	for f.nodes[n].over != n {
		f.nodes[n].over = f.nodes[f.nodes[n].over].over
		n = f.nodes[n].over
	}
	return n
}

// Stats is what has happened to the packets so far.
func (f *Fabric) Stats() Stats { return f.stats }

// nominal is the ticks that a byte takes on a link as it was built, be it down now.
func (f *Fabric) nominal(l topology.LinkID) float64 { return perByte(f.topology.Links[l].Payload) }

// SetRate changes the payload rate of a link, in B/s, for packets that it has not
// begun to send. 0 stops it.
func (f *Fabric) SetRate(l topology.LinkID, rate float64) {
	f.ports[l].perByte = perByte(rate)
	f.start(l, f.engine.Now())
}

// Handle is the fabric's reaction to its own events.
func (f *Fabric) Handle(now sim.Time, arg uint64) {
	n := int32(arg & (1<<32 - 1))
	switch l := topology.LinkID(n); arg & argKind {
	case argSent:
		f.sent(l, now)
	case argArrived:
		f.arrived(l, now)
	case argPause:
		f.ports[l].paused = true
	case argResume:
		f.ports[l].paused = false
		f.start(l, now)
	case argPull:
		f.pull(l, now)
	default:
		f.signal(n, arg&argKind, now)
	}
}

func (f *Fabric) schedule(at sim.Time, kind uint64, n int32) {
	f.engine.Schedule(at, f.actor, kind|uint64(n))
}

// start has a link send the next packet, if it may.
func (f *Fabric) start(l topology.LinkID, now sim.Time) {
	p := &f.ports[l]
	if p.sending != 0 || p.paused || math.IsInf(p.perByte, 1) {
		return
	}
	n := f.next(l, p)
	if n == 0 {
		return
	}
	p.sending, p.began = n, now
	exact := float64(f.size(&f.packets[n]))*p.perByte + p.lag
	ticks := math.Floor(exact + 0.5)
	p.lag = exact - ticks
	f.schedule(now.After(sim.Time(ticks)), argSent, int32(l))
	f.waits(l, p, now)
}

// next takes the packet that a link is to send, 0 if there is none.
func (f *Fabric) next(l topology.LinkID, p *port) int32 {
	switch {
	case p.headers.head != 0 && (p.before < headersFirst || p.queue.head == 0):
		p.before = min(p.before+1, headersFirst)
		return f.pop(&p.headers)
	case p.queue.head != 0 && (p.ready == 0 || !p.turn):
		p.turn, p.before = true, 0
		return f.pop(&p.queue)
	case p.ready != 0:
		p.turn = false
		return f.emit(l, p)
	}
	return 0
}

// waits tells the observer if packets have begun to wait for a link, or have stopped.
func (f *Fabric) waits(l topology.LinkID, p *port, now sim.Time) {
	if waiting := p.queue.head != 0 || p.ready != 0; waiting != p.waiting {
		p.waiting = waiting
		f.observer.Waiting(l, waiting, now)
	}
}

// size is the bytes of a packet on the wire.
func (f *Fabric) size(k *packet) int64 {
	if k.trimmed {
		return signalSize
	}
	m := &f.messages[k.message]
	if k.number == m.packets-1 {
		return m.last + f.Header
	}
	return f.MTU + f.Header
}

// sent puts a packet on the wire, out of the node that it was in.
func (f *Fabric) sent(l topology.LinkID, now sim.Time) {
	p := &f.ports[l]
	n := p.sending
	k := &f.packets[n]
	m := &f.messages[k.message]
	p.sending = 0
	f.stats.Sent++
	payload := m.payload
	switch {
	case k.trimmed:
		payload = 0
	case k.number == m.packets-1:
		payload = m.lastPayload
	}
	f.observer.Sent(l, payload, p.began, now)
	if k.hop == 0 && k.number == m.packets-1 && !m.done {
		f.observer.Left(m.id, now)
	}
	if k.hop > 0 {
		size := f.size(k)
		if !k.trimmed {
			p.queued -= size
		}
		f.release(m.routes[k.route][k.hop-1], size, now)
	}
	f.push(&p.wire, n)
	f.schedule(now.After(p.latency), argArrived, int32(l))
	f.start(l, now)
}

// arrived takes the first packet off the wire: to its receiver, or into the queue
// of its next link.
func (f *Fabric) arrived(l topology.LinkID, now sim.Time) {
	p := &f.ports[l]
	n := f.pop(&p.wire)
	k := &f.packets[n]
	route := f.messages[k.message].routes[k.route]
	k.hop++
	if int(k.hop) == len(route) {
		f.deliver(n, l, now)
		return
	}
	f.forward(n, l, route[k.hop], now)
}

// take gives a packet to use.
func (f *Fabric) take() int32 {
	if n := f.free; n != 0 {
		f.free = f.packets[n].next
		return n
	}
	f.packets = append(f.packets, packet{})
	return int32(len(f.packets) - 1)
}

// drop gives a packet back.
func (f *Fabric) drop(n int32) {
	k := &f.packets[n]
	m := k.message
	f.messages[m].flying--
	k.next, f.free = f.free, n
	f.retire(m)
}
