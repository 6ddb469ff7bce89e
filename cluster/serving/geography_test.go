package serving

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload/serving"
)

// line is sites in a row, an accelerator each, 100 ms apart. Some of them are lost for a time,
// each once.
type line struct {
	sites  int
	losses []siteLoss
	now    func() sim.Time
	told   []func(int, bool)
}

type siteLoss struct {
	site       int
	from, till sim.Time
	was        bool
}

func (l *line) Count() int                    { return l.sites }
func (l *line) SiteOf(a topology.NodeID) int  { return int(a) % l.sites }
func (l *line) Watch(told func(int, bool))    { l.told = append(l.told, told) }
func (l *line) Latency(from, to int) sim.Time { return sim.Time(max(from-to, to-from)) * second / 10 }

func (l *line) Lost(site int) bool {
	lost := false
	for i := range l.losses {
		x := &l.losses[i]
		is := l.now() >= x.from && l.now() < x.till
		if is != x.was {
			x.was = is
			for _, told := range l.told {
				told(x.site, is)
			}
		}
		lost = lost || is && site == x.site
	}
	return lost
}

// scattered is a fleet of a replica at each site of a line.
func scattered(l *line, rule scheduler.SiteRule, homes []int32, requests []serving.Request) *Fleet {
	f := &Fleet{
		Pool: Pool{Replicas: l.sites, Tensor: 1, Stages: 1, Batching: mixed(), Costs: flat(1)}, Requests: requests,
		Geography: &Geography{
			Sites: l, Home: homes, Access: make([]sim.Time, l.sites), Rule: rule, Limit: 8, Takeover: 3 * second, Bytes: 4,
			Price: func(site int, _ sim.Time) float64 { return float64(l.sites - site) },
		},
	}
	l.now = func() sim.Time { return f.now }
	f.Failures = func(a []topology.NodeID) Failures {
		all := &fails{}
		for _, x := range l.losses {
			if l.SiteOf(a[0]) == x.site {
				*all = append(*all, [2]sim.Time{x.from, x.till})
			}
		}
		return all
	}
	return f
}

type fails [][2]sim.Time

func (f *fails) Next() (at, until sim.Time) {
	if len(*f) == 0 {
		return sim.Never, sim.Never
	}
	next := (*f)[0]
	*f = (*f)[1:]
	return next[0], next[1]
}

// A step takes 1 s and an answer two. At the nearest site a request meets the access network
// twice, at the farthest of three, which is the cheapest, 200 ms more each way; its 10 tokens
// of 4 bytes go there and 2 come back.
func TestDistance(t *testing.T) {
	for _, c := range []struct {
		rule   scheduler.SiteRule
		first  float64
		site   int
		across float64
	}{{scheduler.NearestSite, 1.06, 0, 8}, {scheduler.CheapestSite, 1.46, 2, 8}} {
		l := &line{sites: 3}
		f := scattered(l, c.rule, []int32{0}, []serving.Request{{Input: 10, Output: 2}})
		f.Geography.Access[0] = 3 * second / 100
		fleetOf(t, f)
		o, g := f.Outcomes[0], f.Geography
		if math.Abs(o.First.Seconds()-c.first) > 1e-9 || math.Abs(o.Finish.Seconds()-c.first-1) > 1e-9 || int(o.Replica) != c.site {
			t.Errorf("%v: first token at %v, the last at %v, of replica %d; want %v s and a second later of %d", c.rule, o.First, o.Finish, o.Replica, c.first, c.site)
		}
		if g.Answered[0][c.site] != 1 || c.site > 0 && (g.Crossed[0][c.site] != 40 || g.Crossed[c.site][0] != c.across) {
			t.Errorf("%v: %v answered, %v bytes", c.rule, g.Answered, g.Crossed)
		}
	}
}

// Of nine requests at once eight go to the nearest site, whose replica takes no more, and one
// to the next.
func TestSiteLimit(t *testing.T) {
	l := &line{sites: 2}
	f := scattered(l, scheduler.NearestSite, make([]int32, 9), make([]serving.Request, 9))
	for i := range f.Requests {
		f.Requests[i] = serving.Request{Input: 10, Output: 2}
	}
	fleetOf(t, f)
	if a := f.Geography.Answered[0]; a[0] != 8 || a[1] != 1 {
		t.Errorf("the sites answered %v", a)
	}
}

// Site 0 is lost at 2.5 s, in the third step of an answer of four. That is noticed at 5.5 s:
// the request goes to site 1, 100 ms away, where the prompt and the two tokens that had come
// are computed in a step that gives the third: it comes at 5.5 + 0.1 + 1 + 0.1 s, and the
// fourth a second later. A request that comes at 3 s waits as long, one at 6 s does not.
func TestSiteLost(t *testing.T) {
	l := &line{sites: 2, losses: []siteLoss{{site: 0, from: 5 * second / 2, till: 1000 * second}}}
	f := scattered(l, scheduler.NearestSite, make([]int32, 3), []serving.Request{
		{Input: 10, Output: 4}, {Arrival: 3, Input: 10, Output: 1}, {Arrival: 6.65, Input: 10, Output: 1},
	})
	fleetOf(t, f)
	for i, want := range []struct{ first, finish float64 }{{1, 7.7}, {6.7, 6.7}, {8.7, 8.7}} {
		o := f.Outcomes[i]
		if math.Abs(o.First.Seconds()-want.first) > 1e-9 || math.Abs(o.Finish.Seconds()-want.finish) > 1e-9 || o.Replica != 1 {
			t.Errorf("request %d: %+v, want %+v", i, o, want)
		}
	}
	if x := f.Geography.Failovers; len(x) != 1 || x[0] != (Failover{0, 5 * second / 2, 1, 0, sim.FromSeconds(6.7)}) {
		t.Errorf("failovers %+v", x)
	}
}

// Two sites of two replicas each are lost at once, after 2.5 s: each is one failover, of both
// requests that it had. They go to the third at 5.5 s, 200 and 100 ms away, where each has its
// third token in a step of 1 s; the step that the latter are in begins first.
func TestTwoSitesLost(t *testing.T) {
	at := 5 * second / 2
	l := &line{sites: 3, losses: []siteLoss{{site: 0, from: at, till: 1000 * second}, {site: 1, from: at, till: 1000 * second}}}
	f := scattered(l, scheduler.NearestSite, []int32{0, 1, 0, 1}, slices.Repeat([]serving.Request{{Input: 10, Output: 4}}, 4))
	f.Replicas, f.Routing = 6, scheduler.LeastLoaded
	fleetOf(t, f)
	// Each of the third site's replicas has one of either; a step is under way as the others
	// come, and gives them their turn at 6.6 s.
	want := []Failover{{0, at, 2, 0, sim.FromSeconds(7.6 + 0.2)}, {1, at, 2, 0, sim.FromSeconds(6.6 + 0.1)}}
	if got := f.Geography.Failovers; !slices.Equal(got, want) {
		t.Errorf("failovers %+v, want %+v", got, want)
	}
}

// A request whose site is lost at 2.5 s comes to the next at 5.6 s. That is lost, too, at 6 s,
// before the step ends: it goes on at 9 s to the third, 200 ms away, and has its third token
// at 9.2 + 1 + 0.2 s. That is the end of both failovers.
func TestSiteLostOnTheWay(t *testing.T) {
	l := &line{sites: 3, losses: []siteLoss{{site: 0, from: 5 * second / 2, till: 1000 * second}, {site: 1, from: 6 * second, till: 1000 * second}}}
	f := scattered(l, scheduler.NearestSite, []int32{0}, []serving.Request{{Input: 10, Output: 4}})
	fleetOf(t, f)
	resumed := sim.FromSeconds(10.4)
	want := []Failover{{0, 5 * second / 2, 1, 0, resumed}, {1, 6 * second, 1, 0, resumed}}
	if got := f.Geography.Failovers; !slices.Equal(got, want) {
		t.Errorf("failovers %+v, want %+v", got, want)
	}
	if o := f.Outcomes[0]; o.Finish != sim.FromSeconds(11.4) {
		t.Errorf("it ends at %v s, want 11.4", o.Finish.Seconds())
	}
}

// Whatever is lost when, each request is answered once: all of its tokens come, none twice,
// and no site is left with any.
func TestNoRequestIsLostWithItsSite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "sites")
		l := &line{sites: n}
		for site := range n {
			if rapid.Bool().Draw(t, "lost") {
				from := sim.Time(rapid.IntRange(0, 400).Draw(t, "from")) * second / 20
				l.losses = append(l.losses, siteLoss{site: site, from: from, till: from + sim.Time(rapid.IntRange(1, 400).Draw(t, "for"))*second/20})
			}
		}
		var requests []serving.Request
		var homes []int32
		at, tokens := 0.0, int64(0)
		for range rapid.IntRange(1, 40).Draw(t, "requests") {
			at += float64(rapid.IntRange(0, 30).Draw(t, "gap")) / 20
			r := serving.Request{Arrival: at, Input: rapid.IntRange(1, 100).Draw(t, "input"), Output: rapid.IntRange(1, 8).Draw(t, "output")}
			requests, homes = append(requests, r), append(homes, rapid.Int32Range(0, int32(n)-1).Draw(t, "home"))
			tokens += int64(r.Output)
		}
		rule := rapid.SampledFrom([]scheduler.SiteRule{scheduler.NearestSite, scheduler.LeastLoadedSite, scheduler.CheapestSite}).Draw(t, "rule")
		f := scattered(l, rule, homes, requests)
		f.Geography.Limit = rapid.IntRange(1, 8).Draw(t, "limit")
		f.Geography.Takeover = sim.Time(rapid.IntRange(0, 100).Draw(t, "takeover")) * second / 20
		if rapid.Bool().Draw(t, "closed loop") {
			f.Concurrency = rapid.IntRange(1, 8).Draw(t, "clients")
		}
		fleetOf(t, f)
		for i := range f.Outcomes {
			if o := &f.Outcomes[i]; o.Status() != "finished" || o.First < o.Arrival || o.Finish < o.First {
				t.Fatalf("request %d: %+v", i, o)
			}
		}
		if got := f.Gaps.total + int64(len(requests)); got != tokens {
			t.Fatalf("%d tokens came, of %d", got, tokens)
		}
		g, answered := f.Geography, int64(0)
		for home := range g.Answered {
			for site := range g.Answered[home] {
				answered += g.Answered[home][site]
			}
		}
		for site, under := range g.under {
			if under != 0 {
				t.Fatalf("site %d still has %d requests", site, under)
			}
		}
		of := map[int]bool{}
		for _, x := range g.Failovers {
			if x.Left != 0 || x.Resumed < x.At || of[x.Site] || !slices.ContainsFunc(l.losses, func(y siteLoss) bool { return y.site == x.Site && y.from == x.At }) {
				t.Fatalf("%+v of %+v", x, l.losses)
			}
			of[x.Site] = true
		}
		if answered != int64(len(requests)) || f.Level.waiting != 0 || f.Level.running != 0 {
			t.Fatalf("%d of %d answered, %d wait, %d run", answered, len(requests), f.Level.waiting, f.Level.running)
		}
	})
}
