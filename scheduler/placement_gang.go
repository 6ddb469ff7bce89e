package scheduler

import (
	"cmp"
	"slices"
)

// part is how many accelerators of a host a job gets.
type part struct {
	host  int32
	count int
}

// usable is the hosts that have something for a job, most first, of those that
// pass the filter.
func (p *Placer) usable(r Request, pass func(*host) bool) []part {
	var hosts []part
	for i := range p.hosts {
		h := &p.hosts[i]
		if h.Accelerators == 0 || pass != nil && !pass(h) {
			continue
		}
		if n := p.room(i, r); n > 0 {
			hosts = append(hosts, part{int32(i), n})
		}
	}
	slices.SortStableFunc(hosts, func(a, b part) int { return cmp.Compare(b.count, a.count) })
	return hosts
}

// split takes a job's accelerators from hosts in the order of the rule, nil if
// they are not enough.
func (p *Placer) split(r Request, hosts []part) []part {
	room := 0
	for _, h := range hosts {
		room += h.count
	}
	if room < r.Count {
		return nil
	}
	if p.Rule == Spread {
		return spread(r.Count, hosts)
	}
	if p.Rule == Random {
		p.Random.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	}
	for i, want := 0, r.Count; ; i++ {
		hosts[i].count = min(hosts[i].count, want)
		if want -= hosts[i].count; want == 0 {
			return hosts[:i+1]
		}
	}
}

// spread takes the accelerators one at a time from the host with most left, of
// several that with the lowest number. As hosts are in the order of what they have,
// it lowers the first of them to the level of the next.
func spread(want int, hosts []part) []part {
	taken := make([]part, len(hosts))
	level := hosts[0].count
	for n := 0; ; {
		for n < len(hosts) && hosts[n].count == level {
			taken[n].host = hosts[n].host
			n++
		}
		slices.SortFunc(taken[:n], func(a, b part) int { return cmp.Compare(a.host, b.host) })
		for i := range n {
			taken[i].count++
			if want--; want == 0 {
				return slices.DeleteFunc(taken, func(t part) bool { return t.count == 0 })
			}
		}
		level--
	}
}

// near splits a job within the smallest neighbourhood that holds it, the one
// with least room among those of a size.
func (p *Placer) near(r Request) []part {
	for level := range len(Host{}.Near) {
		room := map[int32]int{}
		for i := range p.hosts {
			if h := &p.hosts[i]; h.Accelerators > 0 && h.Near[level] >= 0 {
				room[h.Near[level]] += p.room(i, r)
			}
		}
		best, least := int32(-1), 0
		for i := range p.hosts { // in the order of hosts, not of the map
			at := p.hosts[i].Near[level]
			if n := room[at]; at >= 0 && n >= r.Count && (best < 0 || n < least) {
				best, least = at, n
			}
		}
		if best >= 0 {
			return p.split(r, p.usable(r, func(h *host) bool { return h.Near[level] == best }))
		}
	}
	return p.split(r, p.usable(r, nil))
}

// consolidated takes whole hosts, and the rest from the host with most free
// after them; nil if there are not as many.
func (p *Placer) consolidated(r Request) []part {
	size := 0
	for i := range p.hosts {
		if h := &p.hosts[i]; r.Types>>h.Type&1 == 1 {
			size = max(size, h.Accelerators)
		}
	}
	whole, rest := r.Count/size, r.Count%size
	if whole == 0 {
		return nil
	}
	hosts := p.usable(r, nil)
	need := whole
	if rest > 0 {
		need++
	}
	if len(hosts) < need || hosts[whole-1].count < size || hosts[need-1].count < rest {
		return nil
	}
	hosts = hosts[:need]
	if rest > 0 {
		hosts[whole].count = rest
	}
	return hosts
}

// shares picks the accelerators of each part, hosts in order.
func (p *Placer) shares(r Request, parts []part) []Share {
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.host, b.host) })
	shares := make([]Share, len(parts))
	for i, t := range parts {
		shares[i] = Share{t.host, p.hosts[t.host].tightest(t.count, r.Milli)}
	}
	return shares
}
