package topology

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/sim"
)

// SiteNames are the names of the sites, nil where there is but one network.
func (t *Topology) SiteNames() []string { return t.siteNames }

// SiteOf is the number of an accelerator's site, 0 where there is but one network.
func (t *Topology) SiteOf(a NodeID) int {
	if t.siteNames == nil {
		return 0
	}
	return t.siteOf(t.Server(a))
}

// SiteOfServer is the same of a host, which may have no accelerators.
func (t *Topology) SiteOfServer(server int) int {
	if t.siteNames == nil {
		return 0
	}
	return t.siteOf(server)
}

// WANLinks are the links between sites, both directions of a cable after each other, and
// cables in the order in which they were given.
func (t *Topology) WANLinks() (first, last LinkID) {
	r, ok := t.router.(*siteRouter)
	if !ok {
		return 0, 0
	}
	return r.wan, r.end
}

// SiteLinks are the links of a site, those of its WAN cables included.
func (t *Topology) SiteLinks(site int) (all []LinkID) {
	r := t.router.(*siteRouter)
	gateway := r.firstGateway + NodeID(site)
	last := r.wan
	if site+1 < len(r.parts) {
		last = r.parts[site+1].links
	}
	for l := r.parts[site].links; l < min(last, r.gateways); l++ {
		all = append(all, l)
	}
	for l := r.gateways; l < r.end; l++ {
		if k := &t.Links[l]; k.From == gateway || k.To == gateway {
			all = append(all, l)
		}
	}
	return all
}

// SitePortRate is the sum of the rates of the ports of a site's switches, in B/s.
func (t *Topology) SitePortRate(site int) (sum float64) {
	host := t.hosts()
	r := t.router.(*siteRouter)
	first := NodeID(t.accelerators + t.nics)
	last := r.firstGateway // of the site's switches, but for its gateway
	from := r.parts[site].global(NodeID(r.parts[site].topology.accelerators + r.parts[site].topology.nics))
	if site+1 < len(r.parts) {
		next := &r.parts[site+1]
		last = next.global(NodeID(next.topology.accelerators + next.topology.nics))
	}
	for _, l := range t.SiteLinks(site) {
		to := t.Links[l].To
		if to >= first && host[to] == outside && (to >= from && to < last || to == r.firstGateway+NodeID(site)) {
			sum += t.Links[l].Capacity
		}
	}
	return sum
}

// Between finds what bytes cross from the gateway of one site to that of another: the
// fewest WAN cables, ways that are as short in equal parts, around sites that are lost;
// nil is none. It reports false if no way is left.
func (t *Topology) Between(from, to int, lost []bool, w *Way) bool {
	w.restart(len(t.Links))
	r := t.router.(*siteRouter)
	is := func(l *Link) (a, b int, up bool) {
		a, b = int(l.From-r.firstGateway), int(l.To-r.firstGateway)
		return a, b, lost == nil || !lost[a] && !lost[b]
	}
	distance := slices.Repeat([]int{-1}, len(r.parts))
	distance[to] = 0
	for queue := []int{to}; len(queue) > 0; queue = queue[1:] {
		for i := range t.Links[r.wan:r.end] {
			if a, b, up := is(&t.Links[int(r.wan)+i]); up && b == queue[0] && distance[a] < 0 {
				distance[a] = distance[b] + 1
				queue = append(queue, a)
			}
		}
	}
	if distance[from] < 0 {
		return false
	}
	sites := make([]int, 0, len(distance))
	for s, d := range distance {
		if d > 0 && d <= distance[from] {
			sites = append(sites, s)
		}
	}
	slices.SortStableFunc(sites, func(a, b int) int { return cmp.Compare(distance[b], distance[a]) })
	share, before := make([]float64, len(distance)), make([]sim.Time, len(distance)) // part that comes to each, and latency of the longest way
	share[from] = 1
	for _, s := range sites {
		if share[s] == 0 {
			continue
		}
		var on []LinkID
		for l := r.wan; l < r.end; l++ {
			if a, b, up := is(&t.Links[l]); up && a == s && distance[b] == distance[s]-1 {
				on = append(on, l)
			}
		}
		for _, l := range on {
			_, b, _ := is(&t.Links[l])
			w.add(l, share[s]/float64(len(on)))
			share[b] += share[s] / float64(len(on))
			before[b] = max(before[b], before[s]+t.Links[l].Latency)
		}
	}
	w.Latency = before[to]
	w.scale(1)
	return true
}
