package scheduler

import (
	"cmp"
	"slices"
)

// Sharing is what two tenants may be forbidden to share, as a set.
type Sharing uint8

// What jobs share that are near each other.
const (
	// ShareHost is a host: its CPUs, its memory, the links within it.
	ShareHost Sharing = 1 << iota
	// ShareRack is a leaf switch, and so a host, too.
	ShareRack
	// ShareLink is a cable that messages between the accelerators of a job may take, and
	// a host, too.
	ShareLink
)

// Isolation is which tenants must not share what, and which hosts are whose own.
// Tenants count from 1; 0 is nobody, whom nothing is forbidden.
//
// The cables that a job may use are those of its hosts, if it has several; the up-links
// of their leaves, to whichever spine, if these are several; and the same of pods. That
// holds for shortest paths on leaves and spines and in fat trees, whatever the routing
// chooses among them.
type Isolation struct {
	Names []string // of tenants
	// Forbids is what each tenant shares with no other: of two tenants, what either
	// forbids neither gets. Any of it includes the host.
	Forbids []Sharing
	// Owner is the tenant whose own a host is: nobody else runs there, and it nowhere
	// else.
	Owner []int32
	// Leaf is the leaf switch that each host joins, Pod the pod of a fat tree; -1 is none.
	Leaf, Pod []int32
	// Strays says that hosts of one leaf may reach each other by its up-links, as on
	// rails that a message cannot change within a host.
	Strays bool
}

// reach is how far the hosts of a job lie apart.
type reach uint8

const (
	onHost reach = iota
	onLeaf
	onPod
	anywhere
)

// bar is what closes a host to a job, the least first.
type bar uint8

const (
	unbarred bar = iota
	sharedLink
	sharedRack
	sharedHost
	notOwn
)

// fence keeps an Isolation: which tenants are where.
type fence struct {
	*Isolation
	owns                []bool // tenants with hosts of their own
	hosts, leaves, pods []zone
	lifted              bar // this one, and those that are less, do not count

	// Of the placement that is being tried: how far it goes, and the leaf or pod that it
	// stays within.
	reach reach
	zone  int32
}

// anyZone is no leaf and no pod in particular.
const anyZone = -1

// try has a placement be tried that goes so far.
func (f *fence) try(r reach, zone int32) { f.reach, f.zone = r, zone }

// zone is a host, a leaf or a pod: the tenants of the jobs that have something of it, and
// of those whose messages may leave it, each as often as it has such jobs.
type zone struct{ inside, leaving []int32 }

func newFence(i *Isolation) *fence {
	f := &fence{Isolation: i, zone: anyZone, owns: make([]bool, slices.Max(i.Owner)+1), hosts: make([]zone, len(i.Owner))}
	for _, t := range i.Owner {
		f.owns[t] = t != 0
	}
	f.leaves, f.pods = make([]zone, slices.Max(i.Leaf)+1), make([]zone, slices.Max(i.Pod)+1)
	return f
}

// zones are those that a host is in, nil where it is in none.
func (f *fence) zones(host int32) (leaf, pod *zone) {
	if l := f.Leaf[host]; l >= 0 {
		leaf = &f.leaves[l]
	}
	if p := f.Pod[host]; p >= 0 {
		pod = &f.pods[p]
	}
	return leaf, pod
}

// guards reports whether anybody's cables are only his.
func (f *fence) guards() bool {
	return slices.ContainsFunc(f.Forbids, func(s Sharing) bool { return s&ShareLink != 0 })
}

// exits says whether a job of such reach uses the up-links of its leaves, and of its
// pods.
func (f *fence) exits(r reach) (leaf, pod bool) {
	return r >= onPod || r == onLeaf && f.Strays, r == anywhere
}

// bars is what closes a host to a tenant, and whose job or host is in its way.
func (f *fence) bars(host, t int32) (bar, int32) {
	if t == 0 {
		return unbarred, 0
	}
	if owner := f.Owner[host]; f.lifted < notOwn && owner != t && (owner != 0 || int(t) < len(f.owns) && f.owns[t]) {
		return notOwn, owner
	}
	if other := f.meets(f.hosts[host].inside, t, ShareHost|ShareRack|ShareLink); f.lifted < sharedHost && other != 0 {
		return sharedHost, other
	}
	leaf, pod := f.zones(host)
	if leaf != nil && f.lifted < sharedRack {
		if other := f.meets(leaf.inside, t, ShareRack); other != 0 {
			return sharedRack, other
		}
	}
	if f.lifted < sharedLink {
		outOfLeaf, outOfPod := f.exits(f.reach)
		for _, z := range []struct {
			*zone
			left bool
		}{{leaf, outOfLeaf}, {pod, outOfPod}} {
			if z.zone == nil || !z.left {
				continue
			}
			if other := f.meets(z.leaving, t, ShareLink); other != 0 {
				return sharedLink, other
			}
		}
	}
	return unbarred, 0
}

// meets is a tenant among those of a zone with whom another must not share it, 0 if there
// is none.
func (f *fence) meets(tenants []int32, tenant int32, what Sharing) int32 {
	for _, t := range tenants {
		if t != tenant && (f.Forbids[t]|f.Forbids[tenant])&what != 0 {
			return t
		}
	}
	return 0
}

// admits reports whether a host is open to a tenant, and where its job has to stay.
func (f *fence) admits(host, tenant int32) bool {
	if f.zone != anyZone && (f.reach == onLeaf && f.Leaf[host] != f.zone || f.reach == onPod && f.Pod[host] != f.zone) {
		return false
	}
	b, _ := f.bars(host, tenant)
	return b == unbarred
}

// spans is the reach of a job on these hosts.
func (f *fence) spans(shares []Share) reach {
	if len(shares) < 2 {
		return onHost
	}
	r := onLeaf
	for _, s := range shares[1:] {
		first := shares[0].Host
		if p := f.Pod[first]; p < 0 && f.Leaf[s.Host] != f.Leaf[first] || f.Pod[s.Host] != p {
			return anywhere
		}
		if f.Leaf[first] < 0 || f.Leaf[s.Host] != f.Leaf[first] {
			r = onPod
		}
	}
	return r
}

// account notes that a job comes to its shares, or leaves them.
func (f *fence) account(r Request, shares []Share, comes bool) {
	if r.Tenant == 0 {
		return
	}
	note := func(all *[]int32) {
		if comes {
			*all = append(*all, r.Tenant)
			return
		}
		i := slices.Index(*all, r.Tenant)
		*all = slices.Delete(*all, i, i+1)
	}
	outOfLeaf, outOfPod := f.exits(f.spans(shares))
	for _, s := range shares {
		note(&f.hosts[s.Host].inside)
		leaf, pod := f.zones(s.Host)
		if leaf != nil {
			note(&leaf.inside)
			if outOfLeaf {
				note(&leaf.leaving)
			}
		}
		if pod != nil && outOfPod {
			note(&pod.leaving)
		}
	}
}

// apart has a job that no host holds go to the smallest part of the cluster that has room
// for it, as long as the cables that it may use there are nobody's with whom it must not
// share them: a leaf, a pod, all.
func (p *Placer) apart(r Request) []part {
	f := p.fence
	defer f.try(onHost, anyZone)
	for _, within := range []struct {
		reach reach
		zones []int32 // of each host
	}{{onLeaf, f.Leaf}, {onPod, f.Pod}} {
		f.try(within.reach, anyZone)
		for _, z := range p.roomy(r, within.zones) {
			f.try(within.reach, z)
			if parts := p.arrange(r); parts != nil {
				return parts
			}
		}
	}
	f.try(anywhere, anyZone)
	return p.arrange(r)
}

// roomy is the zones that have room for all of a job, those with least first.
func (p *Placer) roomy(r Request, of []int32) []int32 {
	room := make([]int, slices.Max(of)+1)
	var all []int32
	for i, z := range of {
		if z < 0 {
			continue
		}
		before := room[z]
		if room[z] += p.room(i, r); before < r.Count && room[z] >= r.Count {
			all = append(all, z)
		}
	}
	slices.SortFunc(all, func(a, b int32) int { return cmp.Or(cmp.Compare(room[a], room[b]), cmp.Compare(a, b)) })
	return all
}

// Refusal is why a job that has to wait does not get what is free: the reason without
// which it would, and the tenant who is in its way, or whose own a host is. It is empty if
// that is not for isolation.
func (p *Placer) Refusal(r Request) (reason Reason, tenant int32) {
	f := p.fence
	if f == nil || r.Tenant == 0 {
		return "", 0
	}
	rule := p.Rule
	p.Rule = Pack // draws nothing: being asked changes nothing
	defer func() {
		p.Rule, f.lifted = rule, unbarred
		f.try(onHost, anyZone)
	}()
	r.Milli = cmp.Or(r.Milli, Whole)
	for f.lifted = unbarred; f.lifted <= notOwn; f.lifted++ {
		if p.one(r) < 0 && p.gang(r) == nil {
			continue
		}
		if f.lifted == unbarred {
			return "", 0
		}
		why := f.lifted
		f.lifted--
		f.try(anywhere, anyZone)
		for i := range p.hosts {
			if b, other := f.bars(int32(i), r.Tenant); b == why {
				return barReasons[b], other
			}
		}
		return barReasons[why], 0
	}
	return "", 0
}

var barReasons = [...]Reason{sharedLink: SharedLink, sharedRack: SharedRack, sharedHost: SharedHost, notOwn: NotOwn}
