package scheduler

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/railyard/railyard/units"
)

// SiteRule is a rule that chooses among data centres: for a job, where it is placed, and for
// a request, which answers it, as the global load balancers of a cloud do.
type SiteRule uint8

// The rules. What they name comes first, of equals the nearest, then the site with the
// lowest number.
const (
	// NearestSite is the one with the least latency to a request's client.
	NearestSite SiteRule = iota
	// LeastLoadedSite has the least in use of what it has.
	LeastLoadedSite
	// SiteWithData has what a job reads, or the least of it to fetch, by time on the way.
	SiteWithData
	// CheapestSite has the lowest price of energy at the time.
	CheapestSite
	// GreenestSite has the lowest carbon intensity at the time.
	GreenestSite
)

var siteRuleNames = [...]string{"nearest", "load", "data", "price", "carbon"}

// String is the name as a scenario writes it.
func (r SiteRule) String() string { return siteRuleNames[r] }

// ParseSiteRule finds a rule by its name.
func ParseSiteRule(name string) (SiteRule, error) {
	if i := slices.Index(siteRuleNames[:], name); i >= 0 {
		return SiteRule(i), nil
	}
	return 0, fmt.Errorf("unknown rule %q; there are %q", name, siteRuleNames)
}

// Site is what a choice among sites goes by.
type Site struct {
	Number  int
	Latency units.Duration // from the client
	Load    float64        // what is in use, of what there is
	Fetch   units.Duration // until what is read would be there
	Price   float64        // of energy
	Carbon  float64        // intensity of it
}

// Order puts sites in the order in which the rule prefers them.
func (r SiteRule) Order(sites []Site) {
	slices.SortStableFunc(sites, func(a, b Site) int {
		first := 0
		switch r {
		case LeastLoadedSite:
			first = cmp.Compare(a.Load, b.Load)
		case SiteWithData:
			first = cmp.Compare(a.Fetch, b.Fetch)
		case CheapestSite:
			first = cmp.Compare(a.Price, b.Price)
		case GreenestSite:
			first = cmp.Compare(a.Carbon, b.Carbon)
		}
		return cmp.Or(first, cmp.Compare(a.Latency, b.Latency), cmp.Compare(a.Number, b.Number))
	})
}
