package serving

import (
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// Sites are the data centres that accelerators lie in; package wan has them.
type Sites interface {
	Count() int
	SiteOf(a topology.NodeID) int
	Lost(site int) bool
	// Latency is one way between gateways.
	Latency(from, to int) sim.Time
	// Watch has somebody told when a site is lost, and when it is back.
	Watch(told func(site int, lost bool))
}

// Geography is where clients and replicas are, in data centres far from each other.
//
// As a request comes, a router of all sites chooses one, as global load balancers do, and
// the site's own router a replica of it. A site is passed over whose replicas have Limit
// requests each, unless all have. Request and tokens cross the access network of the client
// and, from the site that it is near to the one that answers, the cables between, whose
// latency they meet once each way. Their bytes are few, and wait for nobody.
//
// When a site is lost its requests are noticed to be so after Takeover; until then new ones
// are sent there, too. Then all go to other sites, are computed again there, and their
// clients get the tokens that they had not had. What a second loss strikes before has come out
// of neither until it has its next token.
type Geography struct {
	Sites    Sites
	Home     []int32    // site that the client of each request is near
	Access   []sim.Time // one way between clients near a site and its gateway
	Rule     scheduler.SiteRule
	Limit    int // requests of a replica
	Takeover sim.Time
	Price    func(site int, at sim.Time) float64 // of energy
	Carbon   func(site int, at sim.Time) float64 // intensity of it
	Bytes    float64                             // of a token on the way

	// Answered are the requests of clients near each site that each site has answered, and
	// Crossed the bytes from site to site.
	Answered [][]int64
	Crossed  [][]float64
	// Failovers are the losses of sites that had requests.
	Failovers []Failover

	latency [][]sim.Time      // one way between gateways
	site    []int             // of each replica
	under   []int             // requests that each site has
	at      []int32           // site that each request is at or goes to; -1: none
	noticed []sim.Time        // when the latest loss of each site is
	latest  []int32           // failover of that, from 1; 0: it had no requests
	moved   map[int32][]int32 // failovers that a request has not come out of, from 1
	order   []scheduler.Site
	there   []int   // replicas of each site that take requests, for a moment
	few     []int32 // those of one, for a moment
}

// Failover is a site that was lost with requests, and how these came back.
type Failover struct {
	Site     int
	At       sim.Time
	Requests int      // that it had
	Left     int      // of them, those that have no token since
	Resumed  sim.Time // when the latest of them had its next token
}

// begin takes the map.
func (g *Geography) begin(f *Fleet) {
	n := g.Sites.Count()
	g.site = make([]int, f.Replicas)
	for i, each := 0, f.Ranks(); i < f.Replicas; i++ {
		g.site[i] = g.Sites.SiteOf(f.c.Jobs[f.job].Accelerators[i*each])
	}
	g.latency, g.Answered, g.Crossed = make([][]sim.Time, n), make([][]int64, n), make([][]float64, n)
	for a := range n {
		g.latency[a], g.Answered[a], g.Crossed[a] = make([]sim.Time, n), make([]int64, n), make([]float64, n)
		for b := range n {
			g.latency[a][b] = g.Sites.Latency(a, b)
		}
	}
	g.under, g.there, g.noticed, g.latest = make([]int, n), make([]int, n), make([]sim.Time, n), make([]int32, n)
	g.at, g.moved = make([]int32, len(f.Requests)), map[int32][]int32{}
	for i := range g.at {
		g.at[i] = -1
	}
	g.Sites.Watch(func(site int, lost bool) {
		if lost {
			g.noticed[site], g.latest[site] = f.c.Engine.Now().After(g.Takeover), 0
		}
	})
}

// way is one way between the client of a request and a site.
func (g *Geography) way(request, site int) sim.Time {
	home := g.Home[request]
	return g.Access[home].After(g.latency[home][site])
}

// open are the replicas of a site that take requests.
func (g *Geography) open(f *Fleet, site int) []int32 {
	g.few = g.few[:0]
	for _, r := range f.open {
		if g.site[r] == site {
			g.few = append(g.few, r)
		}
	}
	return g.few
}

// choose is the site of a request, -1 if none takes any. O(sites + replicas).
func (g *Geography) choose(f *Fleet, request int) int {
	g.order = g.order[:0]
	clear(g.there)
	for _, r := range f.open {
		g.there[g.site[r]]++
	}
	for site, there := range g.there {
		if lost := g.Sites.Lost(site); lost && f.now >= g.noticed[site] || !lost && there == 0 {
			continue
		}
		x := scheduler.Site{Number: site, Latency: units.Duration(g.latency[g.Home[request]][site]), Load: float64(g.under[site]) / float64(max(1, there))}
		switch g.Rule {
		case scheduler.CheapestSite:
			x.Price = g.Price(site, f.now)
		case scheduler.GreenestSite:
			x.Carbon = g.Carbon(site, f.now)
		}
		g.order = append(g.order, x)
	}
	if len(g.order) == 0 {
		return -1
	}
	g.Rule.Order(g.order)
	for _, x := range g.order {
		if x.Load < float64(g.Limit) {
			return x.Number
		}
	}
	scheduler.LeastLoadedSite.Order(g.order)
	return g.order[0].Number
}

// dispatch sends a request to a site, from its client or from the site that has no replica
// for it any more.
func (g *Geography) dispatch(f *Fleet, s *scheduler.Sequence, from int) {
	site := g.choose(f, int(s.Request))
	if site < 0 {
		f.Level.waiting++
		f.held = append(f.held, s)
		return
	}
	home := int(g.Home[s.Request])
	delay := g.way(int(s.Request), site)
	if from >= 0 {
		delay, home = g.latency[from][site], from
	}
	g.Crossed[home][site] += g.Bytes * float64(f.Requests[s.Request].Input)
	g.assign(s, site)
	if delay == 0 {
		g.reach(f, s)
		return
	}
	f.c.Engine.Schedule(f.now.After(delay), f.actor, argReach|uint64(s.Request))
}

// assign notes which site a request is at, or goes to; -1 is none.
func (g *Geography) assign(s *scheduler.Sequence, site int) {
	if was := g.at[s.Request]; was >= 0 {
		g.under[was]--
	}
	if g.at[s.Request] = int32(site); site >= 0 {
		g.under[site]++
	}
}

// reach is a request that comes to its site.
func (g *Geography) reach(f *Fleet, s *scheduler.Sequence) {
	site := int(g.at[s.Request])
	if g.Sites.Lost(site) {
		g.leave(f, s, site)
		return
	}
	if there := g.open(f, site); len(there) > 0 {
		f.Level.waiting++
		f.give(&f.Pool, s, there)
		return
	}
	g.assign(s, -1)
	g.dispatch(f, s, site)
}

// leave has a request go to another site than one that is lost, once that is noticed.
func (g *Geography) leave(f *Fleet, s *scheduler.Sequence, site int) {
	g.assign(s, -1)
	f.c.Engine.Schedule(max(f.now, g.noticed[site]), f.actor, argDispatch|uint64(s.Request))
}

// evicted has a request go on elsewhere that has lost its replica: at its site if that has
// others.
func (g *Geography) evicted(f *Fleet, s *scheduler.Sequence) {
	site := int(g.at[s.Request])
	if !g.Sites.Lost(site) {
		g.reach(f, s)
		return
	}
	if g.latest[site] == 0 {
		g.Failovers = append(g.Failovers, Failover{Site: site, At: g.noticed[site] - g.Takeover, Resumed: -1})
		g.latest[site] = int32(len(g.Failovers))
	}
	n := g.latest[site]
	g.Failovers[n-1].Requests++
	g.Failovers[n-1].Left++
	g.moved[s.Request] = append(g.moved[s.Request], n)
	g.leave(f, s, site)
}

// back is when what a site sends now comes to the client of a request, which has
// some tokens with it.
func (g *Geography) back(f *Fleet, request, tokens int) sim.Time {
	site, home := int(g.at[request]), int(g.Home[request])
	g.Crossed[site][home] += g.Bytes * float64(tokens)
	at := f.now.After(g.way(request, site))
	if len(g.moved) > 0 {
		for _, n := range g.moved[int32(request)] {
			x := &g.Failovers[n-1]
			x.Left--
			x.Resumed = max(x.Resumed, at)
		}
		delete(g.moved, int32(request))
	}
	return at
}

// answer has the last token of a request come to its client.
func (g *Geography) answer(f *Fleet, s *scheduler.Sequence, at sim.Time) {
	g.Answered[g.Home[s.Request]][g.at[s.Request]]++
	g.assign(s, -1)
	f.c.Engine.Schedule(at, f.actor, argAnswer|uint64(s.Request))
}

// settle counts the bytes that have crossed on the cables between sites.
func (g *Geography) settle(f *Fleet) {
	for from := range g.Crossed {
		for to, bytes := range g.Crossed[from] {
			var w topology.Way
			if bytes > 0 && from != to && f.c.Topology.Between(from, to, nil, &w) {
				f.c.Network.Credit(&network.Footprint{Links: w.Links, Counts: w.Shares}, bytes, 0)
			}
		}
	}
}
