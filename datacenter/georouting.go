package datacenter

import (
	"math"
	"math/cmplx"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	demand "github.com/railyard/railyard/workload/serving"
)

// addGeography has the requests of a fleet come from clients near sites.
func (b *builder) addGeography(w *scenario.Serving, f *serving.Fleet) {
	if w.Client == nil || b.sites == nil {
		return
	}
	g := &serving.Geography{
		Sites: b.sites.WAN, Limit: f.Batching.MaxBatch * f.Stages, Takeover: sim.Time(b.scenario.Topology.Takeover.Value),
		Price: b.sites.price, Carbon: b.sites.emits, Bytes: float64(w.SiteRouting.Token.Value),
		Access: make([]sim.Time, len(b.sites.names)), Home: make([]int32, len(f.Requests)),
	}
	g.Rule, _ = scheduler.ParseSiteRule(w.SiteRouting.Rule.Value) // an enum of the schema
	if w.SiteRouting.Limit.Set {
		g.Limit = int(w.SiteRouting.Limit.Value)
	}
	near := make([]int32, len(w.Client))
	for i := range w.Client {
		near[i] = int32(b.sites.number(w.Client[i].Site.Value))
		g.Access[near[i]] = sim.Time(w.Client[i].Latency.Value)
	}
	for i := range f.Requests {
		g.Home[i] = near[f.Requests[i].Client]
	}
	f.Geography = g
}

// dealReplicas has the replicas of a fleet with clients, of so many accelerators each, lie at
// all sites that have any, if they can be dealt out evenly.
func (b *builder) dealReplicas(w *scenario.Serving, j *cluster.Job, each int) {
	if !w.Dealt() || b.sites == nil || b.hosting == nil {
		return
	}
	room := make([]int, len(b.sites.names))
	for i := range b.topology.Servers {
		s := &b.topology.Servers[i]
		room[b.topology.SiteOfServer(i)] += s.Spec.Accelerators
	}
	var sites []int
	least := j.Count
	for n, there := range room {
		if there > 0 {
			sites, least = append(sites, n), min(least, there)
		}
	}
	if j.Count%(each*len(sites)) == 0 && j.Count/len(sites) <= least {
		j.Sites, j.Piece = sites, each
	}
}

// clocks are the shares of clients and by how many seconds their clocks are ahead.
type clocks struct{ shares, ahead []float64 }

func (b *builder) clocks(w *scenario.Serving) (c clocks) {
	for i := range w.Client {
		c.shares = append(c.shares, w.Client[i].Share.Value)
		ahead := 0.0
		for _, s := range b.scenario.Topology.Site {
			if s.Name.Value == w.Client[i].Site.Value {
				ahead = s.UTCOffset.Value * secondsPerHour
			}
		}
		c.ahead = append(c.ahead, ahead)
	}
	return c
}

// together makes the rate of all clients of a demand whose rate goes up and down by the
// clocks of each. Cosines of one period add up to one: of clients with shares s, which add
// up to 1, and clocks ahead by o,
//
//	sum s cos(w (t + o - peak)) = A cos(w (t - peak) + phi),  A exp(i phi) = sum s exp(i w o)
func (c clocks) together(d *demand.Demand) {
	var sum complex128
	whole := 0.0
	for i, s := range c.shares {
		sum += complex(s, 0) * cmplx.Exp(complex(0, 2*math.Pi*c.ahead[i]/d.Period))
		whole += s
	}
	if whole == 0 {
		return
	}
	size, phi := cmplx.Polar(sum / complex(whole, 0))
	d.Swing *= size
	d.Peak -= phi / (2 * math.Pi) * d.Period
}

// deal draws the clients of requests, of a demand as it is for each by its own clock.
func (c clocks) deal(d *demand.Demand, all []demand.Request, random func() float64) {
	rates := make([]float64, len(c.shares))
	for i := range all {
		whole := 0.0
		for k, s := range c.shares {
			rates[k] = s
			if d.Process == demand.Diurnal {
				rates[k] *= 1 + d.Swing*math.Cos(2*math.Pi*(all[i].Arrival+c.ahead[k]-d.Peak)/d.Period)
			}
			whole += rates[k]
		}
		k := 0
		for u := whole * random(); k < len(rates)-1 && u >= rates[k]; k++ {
			u -= rates[k]
		}
		all[i].Client = k
	}
}
