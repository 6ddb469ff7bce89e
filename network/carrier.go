package network

import (
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Carrier carries messages over links in place of the fluid; package packet has one.
type Carrier interface {
	// Join tells of a route that a message will take. All of bare links, which
	// have no ends, are told before anything is sent.
	Join(route []topology.LinkID)
	// Send sends a message now.
	Send(m *Message)
	// SetRate changes the payload rate of a link, in B/s.
	SetRate(l topology.LinkID, rate float64)
}

// Message is bytes for a Carrier, which keeps Route.
type Message struct {
	ID    ID
	Bytes float64 // above 0
	Route []topology.LinkID
	// From and To, if they differ, are where it may take other shortest paths than
	// Route.
	From, To topology.NodeID
}

// Observer is told by a Carrier what happens to messages and on links.
type Observer interface {
	// Sent is called when so many bytes of payload have left over a link, which
	// they kept busy from an instant until now.
	Sent(l topology.LinkID, payload float64, from, now sim.Time)
	// Waiting is called when something begins to wait for a link, or no longer does.
	Waiting(l topology.LinkID, waiting bool, now sim.Time)
	// Left is called when the last byte of a message has left its sender, unless Ended is
	// at the same time.
	Left(id ID, now sim.Time)
	// Ended is called when a message has.
	Ended(id ID, now sim.Time)
}

// shipping is a network whose transfers are messages of a Carrier. What they do is
// put into the same accounts as what a fluid does.
type shipping struct {
	n       *Network
	carrier Carrier
	waiting []bool // links for which something waits
	unowned [][]ID // transfers without an owner on each link
}

// Ship has transfers carried by what build gives, not by the fluid. They must then
// have a route: Links in order, and no Counts. Weights have no meaning. A link is
// contended while something waits for it and two or more owners have transfers on
// it. It must be called before anything is added.
func (n *Network) Ship(build func(Observer) Carrier) {
	links := len(n.topology.Links)
	n.shipping = &shipping{n: n, waiting: make([]bool, links), unowned: make([][]ID, links)}
	n.shipping.carrier = build(n.shipping)
	n.loads = loads{} // what is carried has its route
}

// Ships says whether Ship was called.
func (n *Network) Ships() bool { return n.shipping != nil }

// before is the part of a transfer's latency that is not its links'.
func (s *shipping) before(t *transfer) sim.Time {
	latency := t.latency
	for _, l := range t.links {
		latency -= s.n.topology.Links[l].Latency
	}
	return max(0, latency)
}

func (s *shipping) send(id ID, t *transfer, now sim.Time) {
	for _, l := range t.links {
		if t.owner == NoOwner {
			s.unowned[l] = append(s.unowned[l], id)
		} else {
			s.n.accounts.enter(l, t.owner, now)
		}
		s.contend(l, now)
	}
	s.carrier.Send(&Message{ID: id, Bytes: t.bytes, Route: t.links, From: t.from, To: t.to})
}

func (s *shipping) Sent(l topology.LinkID, payload float64, from, now sim.Time) {
	a := &s.n.accounts
	a.links[l].bytes += payload
	a.links[l].busy += now - from
	if a.series.bins > 0 && now > from {
		a.series.links[l].carried.Add(from, now, payload/(now-from).Seconds(), a.series.bins)
	}
}

func (s *shipping) Waiting(l topology.LinkID, waiting bool, now sim.Time) {
	s.waiting[l] = waiting
	s.contend(l, now)
}

func (s *shipping) Left(id ID, now sim.Time) { s.n.leftSender(id, now) }

func (s *shipping) Ended(id ID, now sim.Time) {
	t := &s.n.transfers[id]
	for _, l := range t.links {
		if t.owner == NoOwner {
			on := s.unowned[l]
			i := slices.Index(on, id)
			s.unowned[l] = slices.Delete(on, i, i+1)
		} else {
			s.n.accounts.leave(l, t.owner, now)
		}
		s.contend(l, now)
	}
	s.n.end(id, now)
}

// contend brings a link's contended time up to date.
func (s *shipping) contend(l topology.LinkID, now sim.Time) {
	a := &s.n.accounts
	k := &a.links[l]
	contended := s.waiting[l] && len(a.owners[l])+len(s.unowned[l]) > 1
	switch {
	case contended && !k.contendedSince.lasts():
		k.contendedSince.begin(now)
	case !contended && k.contendedSince.lasts():
		k.contended += k.contendedSince.end(now)
	}
	if contended && len(s.unowned[l]) > 0 {
		s.crowd(l)
	}
}

// crowd notes the transfers without owners on a link if they are more than ever.
func (s *shipping) crowd(l topology.LinkID) {
	crowds := s.n.accounts.crowds
	size := int32(len(s.unowned[l]))
	if crowds[l] == nil {
		crowds[l] = &crowd{}
	}
	if c := crowds[l]; size > c.size {
		c.size = size
		copy(c.named[:], s.unowned[l])
	}
}
