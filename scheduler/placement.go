package scheduler

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Placement is a rule that chooses hosts for a job.
type Placement uint8

// The rules. Each names what it prefers among the hosts that have what a job
// wants; hosts that are as good go by their number, the lowest first.
const (
	// Pack keeps whole hosts free: accelerators that are shared already, then
	// free ones of hosts in use, then hosts that are not in use.
	Pack Placement = iota
	// Spread takes the host with most free.
	Spread
	// Topology takes the host with least free; what no host holds goes to the
	// smallest neighbourhood that does: rack, rail group, pod, cluster.
	Topology
	// Random takes any, by a seeded draw.
	Random
	// BestFit takes the host that will have least left, accelerators and CPUs
	// counted as shares of the largest host.
	BestFit
	// DotProduct takes the host whose free resources have the smallest product
	// with the demand (after Grandl et al., "Multi-Resource Packing for Cluster
	// Schedulers", SIGCOMM 2014).
	DotProduct
	// Fragmentation takes the host where the fragments that typical jobs cannot
	// use grow least (Weng et al., "Beware of Fragmentation: Scheduling
	// GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC
	// 2023).
	Fragmentation
)

var placementNames = [...]string{"pack", "spread", "topology", "random", "best-fit", "dot-product", "fragmentation"}

func (p Placement) String() string { return placementNames[p] }

// ParsePlacement is the rule of a name.
func ParsePlacement(name string) (Placement, error) {
	if i := slices.Index(placementNames[:], name); i >= 0 {
		return Placement(i), nil
	}
	return 0, fmt.Errorf("unknown placement %q; there are %q", name, placementNames)
}

// Whole is one accelerator, in thousandths.
const Whole = 1000

// Host is what a host has.
type Host struct {
	Accelerators int
	Type         uint8   // of its accelerators, a number below [MaxTypes]
	Speed        float64 // of its accelerators; 0 is 1, what durations are given for

	CPU    int64 // thousandths of a core
	Memory int64 // bytes

	// Near are the neighbourhoods that the host is in, from the narrowest: its
	// rack, the group of hosts on the same rails, its pod. Hosts with the same
	// number are neighbours; -1 is none.
	Near [3]int32
	Site int32 // data centre that it is in, of several
}

// MaxTypes bounds the types of accelerators in one cluster.
const MaxTypes = 64

// Request is what a job wants of hosts.
type Request struct {
	Count int   // accelerators, all at once
	Milli int32 // thousandths of each; 0 is [Whole]

	// CPU in thousandths of a core and Memory in bytes, for all of the job: a
	// job on several hosts takes of each in proportion to its accelerators.
	CPU, Memory int64

	Types  uint64 // the accelerators it runs on, bit t for type t; 0 is any
	Apart  int32  // no two jobs of one number, 0 excepted, share a host
	Speeds int32  // place in Placing.Speeds, from 1, of how fast it runs; 0: as the hosts say
	Site   int32  // number of the data centre that all of it must be in, from 1; 0 is any

	Tenant int32 // whose it is, where there is an [Isolation]
}

// Share is a job's part of one host.
type Share struct {
	Host         int32
	Accelerators []int32 // of the host, counted from 0
}

// Placer places jobs on hosts by one rule. It has no clock; where jobs go is a
// function of the hosts, the request and, for [Random], the draws.
//
// A job that one host can hold goes to one host, which the rule chooses. One
// that no host holds takes most from the hosts with most free and so touches
// the fewest ([Spread]: one accelerator at a time, each from the host with most
// free; [Random]: hosts in random order), all of one type, the fastest first.
// If Consolidate is set it waits rather than use more hosts than it must: whole
// hosts, and the rest on that with most free (Hu et al., "Characterization and
// Prediction of Deep Learning Workloads in Large-Scale GPU Datacenters", SC 2021,
// whose simulator does so).
type Placer struct {
	Placing
	hosts   []host
	vacant  []vacancy                         // of each host
	largest struct{ accelerators, cpu int64 } // of a host, in thousandths
	widest  int                               // accelerators of a host
	types   []uint8                           // in order of speed
	mean    Speeds                            // of the accelerators of each
	memory  memory
	fence   *fence // nil: nothing is forbidden
	scratch []int32
	refused map[Request]struct{} // found no room, and nobody has left since
}

// Placing is how a [Placer] goes about it.
type Placing struct {
	Rule        Placement
	Consolidate bool
	Typical     []Typical  // what jobs want, for Fragmentation
	Speeds      []Speeds   // of jobs that some types suit better than others do
	Random      *rand.Rand // for Random
	Isolation   *Isolation // nil: all tenants may share all
}

// Speeds are how fast a job runs on each type of accelerator, in place of [Host].Speed;
// 0 is as the host says.
type Speeds [MaxTypes]float64

// host is a host, and what of its accelerators nobody has.
type host struct {
	Host
	free  []int32 // thousandths of each
	apart []int32 // the Apart of each job on it
}

// vacancy is what of a host nobody has, as far as it decides whether a job fits:
// small, since each decision looks at that of every host.
type vacancy struct {
	cpu, memory int64
	idle        int64  // thousandths of accelerators, all together
	types       uint64 // bit of the type; 0 without accelerators
	whole, most int32  // accelerators of which all is free; thousandths free of one
}

// count brings what is derived from the free parts up to date.
func (v *vacancy) count(free []int32) {
	v.idle, v.most, v.whole = 0, 0, 0
	for _, f := range free {
		v.idle += int64(f)
		v.most = max(v.most, f)
		if f == Whole {
			v.whole++
		}
	}
}

// NewPlacer is a placer over hosts that nobody has anything of.
func NewPlacer(hosts []Host, how Placing) *Placer {
	p := &Placer{Placing: how, hosts: make([]host, len(hosts)), vacant: make([]vacancy, len(hosts)), refused: map[Request]struct{}{}}
	var speed Speeds
	var count [MaxTypes]float64
	for i, h := range hosts {
		h.Speed = cmp.Or(h.Speed, 1)
		p.hosts[i] = host{Host: h, free: slices.Repeat([]int32{Whole}, h.Accelerators)}
		p.vacant[i] = vacancy{cpu: h.CPU, memory: h.Memory}
		p.vacant[i].count(p.hosts[i].free)
		p.widest = max(p.widest, h.Accelerators)
		p.largest.accelerators = max(p.largest.accelerators, int64(h.Accelerators)*Whole)
		p.largest.cpu = max(p.largest.cpu, h.CPU)
		if h.Accelerators == 0 {
			continue
		}
		p.vacant[i].types = 1 << h.Type
		if speed[h.Type] == 0 {
			p.types = append(p.types, h.Type)
		}
		speed[h.Type] = max(speed[h.Type], h.Speed)
		count[h.Type] += float64(h.Accelerators)
		p.mean[h.Type] += float64(float64(h.Accelerators) / count[h.Type] * (h.Speed - p.mean[h.Type]))
	}
	if how.Isolation != nil {
		p.fence = newFence(how.Isolation)
	}
	p.types = fastest(p.types, &speed)
	return p
}

// fastest are types in the order of their speeds.
func fastest(types []uint8, speed *Speeds) []uint8 {
	types = slices.Clone(types)
	slices.SortFunc(types, func(a, b uint8) int {
		return cmp.Or(cmp.Compare(speed[b], speed[a]), cmp.Compare(a, b))
	})
	return types
}

// Place says where a job would go, nil if it has to wait. It changes nothing but
// the state of the draws.
func (p *Placer) Place(r Request) []Share {
	r.Milli = cmp.Or(r.Milli, Whole)
	if _, known := p.refused[r]; known {
		return nil
	}
	if host := p.one(r); host >= 0 {
		return []Share{{host, p.pick(int(host), r)}}
	}
	shares := p.gang(r)
	if shares == nil {
		p.refused[r] = struct{}{}
	}
	return shares
}

// gang is the shares of several hosts for a job that no host holds.
func (p *Placer) gang(r Request) []Share {
	if r.Count <= 1 {
		return nil
	}
	types := p.types
	if r.Speeds > 0 {
		speed := p.SpeedsOf(Request{Speeds: r.Speeds})
		types = fastest(types, &speed)
	}
	for _, t := range types {
		if r.Types != 0 && r.Types>>t&1 == 0 {
			continue
		}
		of := r
		of.Types = 1 << t
		arrange := p.arrange
		if p.fence != nil && p.fence.guards() {
			arrange = p.apart
		}
		if counts := arrange(of); counts != nil {
			return p.shares(of, counts)
		}
	}
	return nil
}

// arrange is how many accelerators of which hosts a gang gets.
func (p *Placer) arrange(r Request) []part {
	switch {
	case p.Consolidate:
		return p.consolidated(r)
	case p.Rule == Topology:
		return p.near(r)
	}
	return p.split(r, p.usable(r, nil))
}

// Holds reports whether these shares are free for a job.
func (p *Placer) Holds(r Request, shares []Share) bool {
	r.Milli = cmp.Or(r.Milli, Whole)
	if p.fence != nil {
		p.fence.try(p.fence.spans(shares), anyZone)
		defer p.fence.try(onHost, anyZone)
	}
	for _, s := range shares {
		v := &p.vacant[s.Host]
		if p.fence != nil && !p.fence.admits(s.Host, r.Tenant) {
			return false
		}
		if cpu, bytes := r.part(len(s.Accelerators)); cpu > v.cpu || bytes > v.memory {
			return false
		}
		for _, a := range s.Accelerators {
			if p.hosts[s.Host].free[a] < r.Milli {
				return false
			}
		}
	}
	return true
}

// Take gives a job the shares that Place found.
func (p *Placer) Take(r Request, shares []Share) { p.account(r, shares, -1) }

// Give returns them.
func (p *Placer) Give(r Request, shares []Share) {
	clear(p.refused)
	p.account(r, shares, 1)
}

func (p *Placer) account(r Request, shares []Share, sign int64) {
	r.Milli = cmp.Or(r.Milli, Whole)
	if p.fence != nil {
		p.fence.account(r, shares, sign < 0)
	}
	for _, s := range shares {
		h, v := &p.hosts[s.Host], &p.vacant[s.Host]
		for _, a := range s.Accelerators {
			h.free[a] += int32(sign) * r.Milli
		}
		v.count(h.free)
		cpu, bytes := r.part(len(s.Accelerators))
		v.cpu += sign * cpu
		v.memory += sign * bytes
		if r.Apart != 0 {
			if sign < 0 {
				h.apart = append(h.apart, r.Apart)
			} else if i := slices.Index(h.apart, r.Apart); i >= 0 {
				h.apart = slices.Delete(h.apart, i, i+1)
			}
		}
		p.memory.forget(s.Host)
	}
}

// Speed is the rate at which a job on these shares advances: that of its
// slowest accelerator.
func (p *Placer) Speed(r Request, shares []Share) float64 {
	slowest := math.Inf(1)
	for _, s := range shares {
		speed := p.hosts[s.Host].Speed
		if r.Speeds > 0 {
			speed = cmp.Or(p.Speeds[r.Speeds-1][p.hosts[s.Host].Type], speed)
		}
		slowest = min(slowest, speed)
	}
	return slowest
}

// SpeedsOf are those of a job on each type, in the mean over its accelerators; 0 on those
// that it does not want.
func (p *Placer) SpeedsOf(r Request) Speeds {
	all := p.mean
	for t := range all {
		switch {
		case r.Types != 0 && r.Types>>t&1 == 0:
			all[t] = 0
		case r.Speeds > 0 && all[t] > 0:
			all[t] = cmp.Or(p.Speeds[r.Speeds-1][t], all[t])
		}
	}
	return all
}

// part is the CPU and memory that n of the job's accelerators bring along.
func (r Request) part(n int) (cpu, bytes int64) {
	if n == r.Count {
		return r.CPU, r.Memory
	}
	share := func(all int64) int64 { return int64(float64(all)*float64(n)/float64(r.Count) + 0.5) }
	return share(r.CPU), share(r.Memory)
}

// room is how many of the accelerators a job wants a host can give it.
func (p *Placer) room(i int, r Request) int {
	h, v := &p.hosts[i], &p.vacant[i]
	if r.Site != 0 && h.Site != r.Site-1 || r.Types != 0 && r.Types&v.types == 0 || r.Apart != 0 && slices.Contains(h.apart, r.Apart) ||
		p.fence != nil && !p.fence.admits(int32(i), r.Tenant) {
		return 0
	}
	n := 0
	for _, free := range h.free {
		if free >= r.Milli {
			n++
		}
	}
	n = min(n, r.Count)
	for n > 0 {
		if cpu, bytes := r.part(n); cpu <= v.cpu && bytes <= v.memory {
			break
		}
		n--
	}
	return n
}

// holds reports whether all of a job fits on a host.
func (p *Placer) holds(i int, r *Request) bool {
	v := &p.vacant[i]
	if r.CPU > v.cpu || r.Memory > v.memory || r.Site != 0 && p.hosts[i].Site != r.Site-1 {
		return false
	}
	if r.Apart != 0 && slices.Contains(p.hosts[i].apart, r.Apart) || p.fence != nil && !p.fence.admits(int32(i), r.Tenant) {
		return false
	}
	switch {
	case r.Count == 0:
		return true
	case r.Types != 0 && r.Types&v.types == 0:
		return false
	case r.Milli == Whole:
		return int(v.whole) >= r.Count
	case r.Count == 1:
		return v.most >= r.Milli
	}
	return p.room(i, *r) == r.Count
}

// one is the host that the rule chooses for all of a job, -1 if none holds it.
func (p *Placer) one(r Request) int32 {
	if r.Count > p.widest {
		return -1
	}
	best, bestScore, n := int32(-1), 0, 0
	var known []int8 // scores of the hosts
	if p.Rule == Fragmentation {
		known = p.memory.scores(r, len(p.hosts))
	}
	for i := range p.vacant {
		if !p.holds(i, &r) {
			continue
		}
		if p.Rule == Random {
			if n++; p.Random.IntN(n) == 0 {
				best = int32(i)
			}
			continue
		}
		if score := p.score(i, &r, known); best < 0 || score > bestScore {
			best, bestScore = int32(i), score
		}
	}
	return best
}

// pick is the accelerators of a host that a job gets: whole ones in order, a
// part of one that has least more than it needs.
func (p *Placer) pick(i int, r Request) []int32 {
	h := &p.hosts[i]
	if r.Count == 0 {
		return nil
	}
	if r.Count == 1 && r.Milli < Whole {
		switch p.Rule {
		case Fragmentation:
			_, a := p.descend(i, &r)
			return []int32{a}
		case Random:
			n, chosen := 0, int32(0)
			for a, free := range h.free {
				if free >= r.Milli {
					if n++; p.Random.IntN(n) == 0 {
						chosen = int32(a)
					}
				}
			}
			return []int32{chosen}
		}
	}
	return h.tightest(r.Count, r.Milli)
}

// tightest is n accelerators with enough free, those with least first.
func (h *host) tightest(n int, milli int32) []int32 {
	chosen := make([]int32, 0, len(h.free))
	for a, free := range h.free {
		if free >= milli {
			chosen = append(chosen, int32(a))
		}
	}
	slices.SortStableFunc(chosen, func(a, b int32) int { return cmp.Compare(h.free[a], h.free[b]) })
	chosen = slices.Clip(chosen[:n])
	slices.Sort(chosen)
	return chosen
}

// Allocated is the share of all accelerators that jobs have.
func (p *Placer) Allocated() float64 { return p.allocated(func(*host) bool { return true }) }

// AllocatedAt is the same of the accelerators of a data centre.
func (p *Placer) AllocatedAt(site int) float64 {
	return p.allocated(func(h *host) bool { return h.Site == int32(site) })
}

func (p *Placer) allocated(of func(*host) bool) float64 {
	var idle, all int64
	for i := range p.hosts {
		if of(&p.hosts[i]) {
			idle += p.vacant[i].idle
			all += int64(p.hosts[i].Accelerators) * Whole
		}
	}
	if all == 0 {
		return 0
	}
	return float64(all-idle) / float64(all)
}
