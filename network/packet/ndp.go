package packet

import (
	"math"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// NDP, as Handley et al. 2017 have it: a sender sends its first window unasked, at
// line rate. From then on the receiver decides: for every packet or header that
// arrives it owes the sender one pull, and it hands out the pulls of all its messages
// in turn, at the pace at which the slowest link on the way can take full packets. A packet that finds
// its queue full is cut down to its header, which overtakes; so the receiver soon
// knows what to ask for again, and nothing waits for a timeout. Left out: that a
// switch may cut the last packet of its queue instead of the arriving one, and
// headers being returned to their sender, since the queue of headers is not bounded.

// headersFirst is how many headers a link sends for one full packet, if both wait: so
// that headers alone cannot fill it (Handley et al., section 3).
const headersFirst = 10

// ndp is what NDP keeps of a message.
type ndp struct {
	credit int64    // packets that the sender may send
	owed   int64    // pulls that the receiver is to send
	given  int64    // of the packets and of what was cut, those sent unasked or pulled for
	cut    int64    // packets that arrived as headers
	pace   sim.Time // of a full packet over the slowest link of the route

	lost  []int64 // their numbers, in the order in which they arrived
	heard int     // of these, those that the sender knows of
	again int     // of these, those sent again

	nextIn  int32   // message in the ring of its puller
	order   []int32 // of the routes, in the present round
	ordinal int     // of the next packet in it
}

// puller is where the pulls for what comes over one link are paced.
type puller struct {
	ring  int32    // last of the messages that are owed pulls; 0: none
	at    sim.Time // earliest time of the next
	armed bool
}

// spray finds the shortest paths that a message may take, and lets its first window
// go. They leave and arrive by the links that its own route does. Paths are found by
// their labels; a new one is looked for until five times as many labels have been tried
// as paths were found, which leaves one of a hundred out.
func (f *Fabric) spray(m *message, from, to topology.NodeID) {
	if from != to {
		first, last := m.routes[0][0], m.routes[0][len(m.routes[0])-1]
		limit := int(min(int64(f.Paths), m.packets))
		for label := 0; len(m.routes) < limit && label < 5*len(m.routes)+16; label++ {
			f.path = f.topology.Route(from, to, uint64(label), f.path[:0])
			known := slices.ContainsFunc(m.routes, func(r []topology.LinkID) bool { return slices.Equal(r, f.path) })
			if !known && f.path[0] == first && f.path[len(f.path)-1] == last {
				m.routes = append(m.routes, slices.Clone(f.path))
			}
		}
	}
	trip := m.back
	for _, l := range m.routes[0] {
		took := sim.Time(math.Round(float64(f.MTU+f.Header) * f.nominal(l)))
		trip += f.ports[l].latency + took
		m.ndp.pace = max(m.ndp.pace, took)
	}
	window := f.Window
	if window == 0 {
		window = int64(trip/max(m.ndp.pace, 1)) + 1
	}
	m.ndp.credit = min(window, m.packets)
	m.ndp.given = m.ndp.credit
}

// mayPull says whether the sender has been given leave for a packet and has one.
func (m *message) mayPull() bool {
	return m.ndp.credit > 0 && (m.ndp.again < m.ndp.heard || m.next < m.packets)
}

// draw takes the packet to send next, what was lost first, and its route: every
// round of packets takes all routes, in a random order.
func (f *Fabric) draw(m *message) (number int64, route int32) {
	d := &m.ndp
	d.credit--
	if d.again < d.heard {
		number = d.lost[d.again]
		d.again++
	} else {
		number = m.next
		m.next++
	}
	if d.ordinal == len(d.order) {
		d.ordinal = 0
		for i := len(d.order); i < len(m.routes); i++ {
			d.order = append(d.order, int32(i))
		}
		f.random.Shuffle(len(d.order), func(i, j int) { d.order[i], d.order[j] = d.order[j], d.order[i] })
	}
	d.ordinal++
	return number, d.order[d.ordinal-1]
}

// trim cuts a packet down to its header.
func (f *Fabric) trim(k *packet) int64 {
	k.trimmed = true
	f.stats.Trimmed++
	return signalSize
}

// receive takes a packet or its header, and notes the pull that it gives rise to
// unless the message needs no more.
func (f *Fabric) receive(n int32, l topology.LinkID, k *packet, now sim.Time) {
	m := &f.messages[n]
	d := &m.ndp
	if k.trimmed {
		d.cut++
		d.lost = append(d.lost, k.number)
		f.answer(n, argLost, now)
	} else {
		m.expected++
	}
	if d.given == m.packets+d.cut {
		return
	}
	d.given++
	p := &f.ports[l].puller
	if d.owed++; d.owed == 1 {
		if p.ring == 0 {
			d.nextIn = n
		} else {
			last := &f.messages[p.ring].ndp
			d.nextIn, last.nextIn = last.nextIn, n
		}
		p.ring = n
	}
	f.arm(l, p, now)
}

func (f *Fabric) arm(l topology.LinkID, p *puller, now sim.Time) {
	if !p.armed && p.ring != 0 {
		p.armed = true
		f.schedule(max(now, p.at), argPull, int32(l))
	}
}

// pull sends the pull of the message whose turn it is.
func (f *Fabric) pull(l topology.LinkID, now sim.Time) {
	p := &f.ports[l].puller
	n := f.messages[p.ring].ndp.nextIn
	d := &f.messages[n].ndp
	f.answer(n, argGranted, now)
	switch d.owed--; {
	case d.owed > 0:
		p.ring = n
	case p.ring == n:
		p.ring = 0
	default:
		f.messages[p.ring].ndp.nextIn = d.nextIn
	}
	p.armed = false
	p.at = now.After(d.pace)
	f.arm(l, p, now)
}
