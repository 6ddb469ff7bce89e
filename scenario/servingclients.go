package scenario

import (
	"slices"

	"github.com/railyard/railyard/units"
)

// Client is one [[workload.serving.client]]: clients who are near a site.
type Client struct {
	Header
	Site    Key[string]         `key:"site" required:"true" doc:"site that they are near"`
	Share   Key[float64]        `key:"share" default:"1" positive:"true" min:"0" max:"1e9" doc:"with rate or concurrency, their part of the requests, to the parts of the others"`
	Latency Key[units.Duration] `key:"latency" default:"\"10ms\"" most:"1m" doc:"one way between them and the gateway of the site, the access network's part: half of the 20 ms or so that clients measure to a nearby data centre (recalled)"`
}

// SiteRouting is what a [[workload.serving]] with clients says of the choice among sites.
type SiteRouting struct {
	Client []Client         `key:"client" doc:"where clients are, with several sites; requests and answers then take their time on the way. With accelerators a number an equal part of the replicas lies at each site, if they divide so"`
	Rule   Key[string]      `key:"site_router" default:"\"nearest\"" enum:"nearest load price carbon" doc:"which site a request goes to, before router chooses a replica there: nearest, the one with the least latency; load, the fewest requests for each replica; price, carbon, the lowest price, or carbon intensity, of energy at the time. Sites whose replicas have site_limit requests each are passed over, unless all have"`
	Limit  Key[int64]       `key:"site_limit" min:"1" max:"65536" doc:"requests of a replica up to which its site is chosen; its largest batch where left out"`
	Token  Key[units.Bytes] `key:"token_size" default:"\"4B\"" doc:"bytes of a token on the way: about four characters of English text (OpenAI's rule of thumb, recalled)"`
}

// checkClients judges where clients are.
func (w *Serving) checkClients(s *Scenario, b *binder) {
	c := &w.SiteRouting
	for _, k := range []struct {
		name string
		set  bool
		at   Position
	}{{"site_router", c.Rule.Set, c.Rule.Pos}, {"site_limit", c.Limit.Set, c.Limit.Pos}, {"token_size", c.Token.Set, c.Token.Pos}} {
		if k.set && c.Client == nil {
			b.faultf(k.at, w.Path+"."+k.name, "belongs to clients, and there is no [[workload.serving.client]]")
		}
	}
	if c.Client == nil {
		return
	}
	if w.Disaggregate != nil {
		b.faultf(w.Disaggregate.At, w.Disaggregate.Path, "has replicas of two sorts, and [[workload.serving.client]] routes to those of one")
		return
	}
	seen := map[string]bool{}
	for i := range c.Client {
		k := &c.Client[i]
		if k.Site.Set && s.Topology != nil && s.Topology.siteKey(b, k.Path+".site", k.Site.Value, k.Site.Pos) && seen[k.Site.Value] {
			b.faultf(k.Site.Pos, k.Path+".site", "%q is there twice", k.Site.Value)
		}
		seen[k.Site.Value] = true
		if k.Share.Set && w.Requests.Set {
			b.faultf(k.Share.Pos, k.Path+".share", "belongs to rate or concurrency")
		}
	}
	if c.Rule.Value == "carbon" && s.Topology != nil {
		s.Topology.wantCarbon(b, w.Path+".site_router", c.Rule.Pos)
	}
	if len(c.Client) > 1 && w.Requests.Set && w.Format.Value != "csv" {
		b.faultf(c.Client[1].At, c.Client[1].Path, "a trace of format %s does not say where its requests come from", w.Format.Value)
	}
}

// Dealt says whether the accelerators of a [[workload.serving]] lie at all sites in equal
// parts: it has clients, and does not say which accelerators it takes.
func (w *Serving) Dealt() bool {
	return w.Client != nil && w.Accelerators.Value.List == nil && (w.Accelerators.Set || w.Replicas.Set || w.Autoscale != nil && w.Autoscale.Max.Set)
}

// DealtToSites says whether any is.
func (s *Scenario) DealtToSites() bool {
	return len(s.Topology.Site) > 1 && slices.ContainsFunc(s.Workload.Serving, func(w Serving) bool { return w.Dealt() })
}

// clientColumn is the column that says which clients send a request, -1 where there is only
// one sort of them. It reports false if it cannot be.
func (w *Serving) clientColumn(r *rows, file string) (column int, ok bool) {
	column = r.column("site")
	switch at := (Position{file, 1, 1}); {
	case column < 0 && len(w.Client) > 1:
		r.add(at.Faultf("site", "there are several clients, and no column site says which of them send a request"))
	case column >= 0 && len(w.Client) == 0:
		r.add(at.Faultf("site", "there is a column site, and no [[workload.serving.client]] at any"))
	default:
		return column, true
	}
	return column, false
}

// clientOf is the number of the clients whose request a row is.
func (w *Serving) clientOf(r *rows, column int) int {
	if column < 0 {
		return 0
	}
	for i := range w.Client {
		if w.Client[i].Site.Value == r.text(column) {
			return i
		}
	}
	r.faultf(column, "there is no [[workload.serving.client]] at %q", shown(r.text(column)))
	return 0
}
