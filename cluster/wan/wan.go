// Package wan is the sites of a running cluster: which of them are lost, and what is sent
// from one to another.
//
// # Model
//
// Sites are joined at their gateways by the cables of a wide-area network. What is sent goes
// from gateway to gateway by the fewest cables, ways that are as short taking equal parts,
// and shares them max-min with all else that crosses them. On idle cables n bytes take
//
//	latency + n / (rate of the ways together)
//
// What lies between the storage of a site and its gateway is taken to be faster.
//
// A site that is lost sends and takes nothing: its links are cut until it is back. What was
// on its way to it or from it, and has no way around it, stays where it is, and what is left
// goes on when there is a way again. The bytes in a cable when it is cut are few, and are not
// sent again.
//
// Left out: protocols. A connection is taken to fill its cable, as many streams side by side
// do; a single TCP stream over a long one need not.
package wan

import (
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// WAN is the sites of a cluster and what is on its way between them. Use New.
type WAN struct {
	// Settle, if set, is called before anybody learns whether a site is lost, and has all
	// losses of the instant happen.
	Settle func()
	Losses []int64 // of each site, how often it was lost

	c         *cluster.Cluster
	actor     sim.Actor
	lost      []bool
	since     []sim.Time // it is lost
	down      []sim.Time // it was, but for that
	shipments []shipment
	free      []int32
	watchers  []func(site int, lost bool)
	way       topology.Way
}

// Shipment names what is on its way. The zero value is none.
type Shipment = int64

// shipment is bytes on their way from one site to another.
type shipment struct {
	from, to int
	left     float64 // bytes, when it was last sent
	owner    network.Owner
	actor    sim.Actor
	arg      uint64
	links    []topology.LinkID
	transfer network.ID // unsent: it waits for a way
	used     uint32     // how often its place has been used
	under    bool       // it is on its way, or waits for one
}

const unsent network.ID = -1

// New gives the sites of a cluster, all of which are there. The cluster's network must be a
// fluid.
func New(c *cluster.Cluster) *WAN {
	n := len(c.Topology.SiteNames())
	w := &WAN{c: c, lost: make([]bool, n), since: make([]sim.Time, n), down: make([]sim.Time, n), Losses: make([]int64, n)}
	w.actor = c.Engine.Register(w)
	c.Engine.Watch(w)
	return w
}

// Count is how many sites there are.
func (w *WAN) Count() int { return len(w.lost) }

// SiteOf is the site of an accelerator.
func (w *WAN) SiteOf(a topology.NodeID) int { return w.c.Topology.SiteOf(a) }

// Lost says whether a site is lost.
func (w *WAN) Lost(site int) bool {
	if w.Settle != nil {
		w.Settle()
	}
	return w.lost[site]
}

// DownBy is for how long a site was lost until an instant.
func (w *WAN) DownBy(site int, now sim.Time) sim.Time {
	if w.lost[site] {
		return w.down[site] + now - w.since[site]
	}
	return w.down[site]
}

// Watch has somebody told when a site is lost, and when it is back.
func (w *WAN) Watch(told func(site int, lost bool)) { w.watchers = append(w.watchers, told) }

// Lose takes a site away, until Restore.
func (w *WAN) Lose(site int) {
	w.lost[site], w.since[site] = true, w.c.Engine.Now()
	w.Losses[site]++
	links := w.c.Topology.SiteLinks(site)
	cut := make(map[topology.LinkID]bool, len(links))
	for _, l := range links {
		cut[l] = true
	}
	for i := range w.shipments {
		s := &w.shipments[i]
		if !s.under || s.transfer == unsent || w.came(s) {
			continue
		}
		if slices.ContainsFunc(s.links, func(l topology.LinkID) bool { return cut[l] }) {
			s.left, s.transfer = w.c.Network.Recall(s.transfer), unsent
			w.try(i)
		}
	}
	for _, l := range links {
		w.c.Network.Cut(l)
	}
	w.tell(site)
}

// Restore brings a site back.
func (w *WAN) Restore(site int) {
	w.lost[site] = false
	w.down[site] += w.c.Engine.Now() - w.since[site]
	for _, l := range w.c.Topology.SiteLinks(site) {
		w.c.Network.Mend(l)
	}
	for i := range w.shipments {
		if s := &w.shipments[i]; s.under && s.transfer == unsent {
			w.try(i)
		}
	}
	w.tell(site)
}

func (w *WAN) tell(site int) {
	for _, told := range w.watchers {
		told(site, w.lost[site])
	}
}

// Send sends bytes from one site to another, and has an actor handle an argument when they
// have come.
func (w *WAN) Send(from, to int, bytes float64, owner network.Owner, actor sim.Actor, arg uint64) Shipment {
	if n := len(w.free); n == 0 {
		w.free = append(w.free, int32(len(w.shipments)))
		w.shipments = append(w.shipments, shipment{})
	}
	last := len(w.free) - 1
	n := int(w.free[last])
	w.free = w.free[:last]
	s := &w.shipments[n]
	*s = shipment{from: from, to: to, left: bytes, owner: owner, actor: actor, arg: arg, transfer: unsent, used: s.used + 1, under: true}
	w.try(n)
	return Shipment(s.used)<<32 | Shipment(n)
}

// try sends what is left of a shipment, if there is a way.
func (w *WAN) try(n int) {
	s := &w.shipments[n]
	if w.lost[s.from] || w.lost[s.to] || !w.c.Topology.Between(s.from, s.to, w.lost, &w.way) {
		return
	}
	t := network.Transfer{
		Bytes: s.left, Latency: w.way.Latency, Owner: s.owner, Notify: true, Actor: w.actor, Arg: uint64(s.used)<<32 | uint64(n),
	}
	s.links = slices.Clone(w.way.Links)
	t.Links = s.links
	if w.way.Shares != nil {
		t.Counts = slices.Clone(w.way.Shares)
	}
	s.transfer = w.c.Network.Add(&t)
}

// Withdraw takes back a shipment, unless it has come: nobody is told of it any more.
func (w *WAN) Withdraw(id Shipment) {
	n := int(uint32(id))
	s := &w.shipments[n]
	if s.used != uint32(id>>32) {
		return
	}
	switch {
	case s.transfer == unsent:
	case w.came(s):
		w.c.Network.Forget(s.transfer)
	default:
		w.c.Network.Recall(s.transfer)
	}
	w.end(n)
}

// came says whether a shipment has come, at this instant, and has not been handed over yet.
func (w *WAN) came(s *shipment) bool {
	_, _, ended := w.c.Network.Times(s.transfer)
	return ended
}

func (w *WAN) end(n int) {
	s := &w.shipments[n]
	s.under, s.links, s.transfer = false, nil, unsent
	s.used++
	w.free = append(w.free, int32(n))
}

// Handle is called when a transfer has ended.
func (w *WAN) Handle(now sim.Time, arg uint64) {
	n := int(uint32(arg))
	s := &w.shipments[n]
	if s.used != uint32(arg>>32) { // it was taken back at this instant
		return
	}
	w.c.Network.Forget(s.transfer)
	w.c.Engine.Schedule(now, s.actor, s.arg)
	w.end(n)
}

// Takes is for how long bytes are on their way from one site to another where nothing else
// is, sim.Never if there is no way.
func (w *WAN) Takes(from, to int, bytes float64) sim.Time {
	if from == to {
		return 0
	}
	if w.lost[from] || w.lost[to] || !w.c.Topology.Between(from, to, w.lost, &w.way) {
		return sim.Never
	}
	rate := math.Inf(1)
	for i, l := range w.way.Links {
		rate = min(rate, w.c.Topology.Links[l].Payload/w.way.Share(i))
	}
	return w.way.Latency.After(sim.FromSeconds(bytes / rate))
}

// Latency is that of the way between two sites while none is lost: there is one, or the
// topology would not have been built.
func (w *WAN) Latency(from, to int) sim.Time {
	if from == to {
		return 0
	}
	w.c.Topology.Between(from, to, nil, &w.way)
	return w.way.Latency
}

// Waiting says what waits for a site, for a report of a deadlock.
func (w *WAN) Waiting() (all []sim.Wait) {
	names := w.c.Topology.SiteNames()
	for i := range w.shipments {
		if s := &w.shipments[i]; s.under && s.transfer == unsent {
			all = append(all, sim.Wait{Who: "what is sent from " + names[s.from] + " to " + names[s.to], For: fmt.Sprintf("a way: %d bytes are left", int64(s.left))})
		}
	}
	return all
}
