package packet

import (
	"math"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// signalSize is the bytes of an acknowledgement and of a trimmed packet.
const signalSize = 64

// timeout is how long, beside a few round trips, a RoCE sender waits for the
// acknowledgement of its last packet before it sends again from the first that is
// missing. Only the loss of a last packet needs it.
const timeout = sim.Millisecond

// message is what is known of a network.Message under way.
type message struct {
	id          network.ID
	routes      [][]topology.LinkID
	packets     int64
	payload     float64 // of a full packet
	last        int64   // bytes of the last
	lastPayload float64
	back        sim.Time // of a signal from the receiver to the sender

	next     int64 // number of the packet to send next
	expected int64 // number of the packet that the receiver waits for; of NDP, how many it has
	asked    int64 // number that the receiver has asked for again, -1: none
	flying   int32 // packets under way
	pending  int32 // events
	nextIn   int32 // message in the ring of its link
	ready    bool  // in that ring
	done     bool

	dcqcn dcqcn
	ndp   ndp
}

// Send has a message's first packet leave as soon as its first link is free.
func (f *Fabric) Send(s *network.Message) {
	var n int32
	if last := len(f.idle) - 1; last >= 0 {
		n = f.idle[last]
		f.idle = f.idle[:last]
	} else {
		n = int32(len(f.messages))
		f.messages = append(f.messages, message{})
	}
	m := &f.messages[n]
	packets := max(1, math.Ceil(s.Bytes/float64(f.MTU)))
	rest := s.Bytes - (packets-1)*float64(f.MTU)
	*m = message{
		id: s.ID, routes: append(m.routes[:0], s.Route), packets: int64(packets), payload: float64(f.MTU),
		last: int64(math.Ceil(rest)), lastPayload: rest, asked: -1, ndp: ndp{lost: m.ndp.lost[:0], order: m.ndp.order[:0]},
	}
	for _, l := range s.Route {
		m.back += f.ports[l].latency + sim.Time(math.Round(signalSize*f.nominal(l)))
	}
	now := f.engine.Now()
	if f.Transport == NDP {
		f.spray(m, s.From, s.To)
	}
	if f.DCQCN {
		m.dcqcn.begin(1/f.nominal(s.Route[0]), now)
	}
	f.enter(n, now)
}

// mayEmit says whether a message has a packet that it may send.
func (f *Fabric) mayEmit(m *message) bool {
	if f.Transport == NDP {
		return m.mayPull()
	}
	return m.next < m.packets
}

// enter puts a message into the ring of its first link, if it may send.
func (f *Fabric) enter(n int32, now sim.Time) {
	m := &f.messages[n]
	if m.ready || !f.mayEmit(m) {
		return
	}
	l := m.routes[0][0]
	p := &f.ports[l]
	m.ready = true
	if p.ready == 0 {
		m.nextIn = n
	} else {
		last := &f.messages[p.ready]
		m.nextIn, last.nextIn = last.nextIn, n
	}
	p.ready = n
	f.start(l, now)
	f.waits(l, p, now)
}

// emit makes the next packet of the message whose turn it is at a link. The message
// then stands last in the ring, or leaves it.
func (f *Fabric) emit(l topology.LinkID, p *port) int32 {
	now := f.engine.Now()
	n := f.messages[p.ready].nextIn
	m := &f.messages[n]
	taken := f.take()
	k := &f.packets[taken]
	*k = packet{message: n}
	m.flying++
	if f.Transport == NDP {
		k.number, k.route = f.draw(m)
	} else {
		k.number = m.next
		m.next++
	}
	leaves := !f.mayEmit(m)
	if f.DCQCN && !leaves {
		size := f.size(k)
		if gap := m.dcqcn.sent(size, now); gap > sim.Time(float64(size)*p.perByte) {
			leaves = true
			m.pending++
			f.schedule(now.After(gap), argBegin, n)
		}
	}
	if !leaves {
		p.ready = n
		return taken
	}
	m.ready = false
	if p.ready == n {
		p.ready = 0
	} else {
		f.messages[p.ready].nextIn = m.nextIn
	}
	if f.Transport == RoCE && !f.PFC && m.next == m.packets {
		m.pending++
		f.schedule(now.After(timeout).After(4*m.back), argTimeout, n)
	}
	return taken
}

// deliver gives a packet that has come over its last link to its message's receiver.
func (f *Fabric) deliver(arrived int32, l topology.LinkID, now sim.Time) {
	k := f.packets[arrived]
	n := k.message
	m := &f.messages[n]
	if f.DCQCN && k.marked && m.dcqcn.notify(now) {
		f.answer(n, argNotified, now)
	}
	switch {
	case f.Transport == NDP:
		f.receive(n, l, &k, now)
	case k.number == m.expected:
		m.expected++
		m.asked = -1
	case k.number > m.expected && m.asked != m.expected:
		m.asked = m.expected
		f.answer(n, argLost, now)
	}
	if m.expected == m.packets && !m.done {
		m.done = true
		if f.AwaitAcknowledge {
			f.answer(n, argAcked, now)
		} else {
			f.observer.Ended(m.id, now)
		}
	}
	f.drop(arrived)
}

// answer sends a signal from a message's receiver to its sender.
func (f *Fabric) answer(n int32, kind uint64, now sim.Time) {
	m := &f.messages[n]
	m.pending++
	f.schedule(now.After(m.back), kind, n)
}

// signal is a message's sender's reaction to an event.
func (f *Fabric) signal(n int32, kind uint64, now sim.Time) {
	m := &f.messages[n]
	m.pending--
	switch kind {
	case argNotified:
		m.dcqcn.cut(now)
	case argLost:
		if f.Transport == NDP {
			m.ndp.heard++
		} else {
			m.next = min(m.next, m.expected)
		}
		f.enter(n, now)
	case argTimeout:
		if !m.done && m.next == m.packets {
			m.next = m.expected
			f.enter(n, now)
		}
	case argAcked:
		f.observer.Ended(m.id, now)
	case argGranted:
		m.ndp.credit++
		f.enter(n, now)
	default: // argBegin
		f.enter(n, now)
	}
	f.retire(n)
}

// retire forgets a message of which nothing is left.
func (f *Fabric) retire(n int32) {
	m := &f.messages[n]
	if m.done && m.flying == 0 && m.pending == 0 && !m.ready {
		f.idle = append(f.idle, n)
	}
}
