package scheduler

import (
	"cmp"
	"math"
	"slices"
)

// Typical is a demand that jobs come with, and how many do.
type Typical struct {
	Request Request
	Jobs    int64
}

// popular is the share of jobs whose demands are typical; what the rest want is
// each too rare to keep room for.
const popular = 0.95

// TypicalOf counts the demands of a workload, the most frequent first, until
// they are those of 95 % of the jobs. Memory does not count.
func TypicalOf(workload []Request) []Typical {
	count := map[Request]int64{}
	for _, r := range workload {
		count[r.kind()]++
	}
	all := make([]Typical, 0, len(count))
	for r, n := range count {
		all = append(all, Typical{r, n})
	}
	slices.SortFunc(all, func(a, b Typical) int {
		return -cmp.Or(cmp.Compare(a.Jobs, b.Jobs),
			cmp.Compare(a.Request.CPU, b.Request.CPU), cmp.Compare(a.Request.Milli, b.Request.Milli),
			cmp.Compare(a.Request.Count, b.Request.Count), cmp.Compare(a.Request.Types, b.Request.Types))
	})
	var jobs int64
	for i, t := range all {
		if float64(jobs) >= popular*float64(len(workload)) {
			return all[:i]
		}
		jobs += t.Jobs
	}
	return all
}

// kind is a request without what fragments do not depend on.
func (r Request) kind() Request {
	r.Memory, r.Apart, r.Tenant, r.Milli = 0, 0, 0, cmp.Or(r.Milli, Whole)
	if r.Count == 0 {
		r.Milli, r.Types = 0, 0
	}
	return r
}

// fragments is what of a host's free accelerators typical jobs could not use, in
// thousandths of an accelerator, summed over the jobs: all that is free, where a
// job does not fit or wants no accelerator; where it fits, the accelerators with
// less free than it wants. Divided by the jobs it is F of the paper's equation 2;
// as a sum it is a whole number.
func fragments(v *vacancy, free []int32, typical []Typical) (f, jobs int64) {
	for i := range typical {
		t := &typical[i]
		jobs += t.Jobs
		lost := v.idle
		if r := &t.Request; r.Count > 0 && r.CPU <= v.cpu && (r.Types == 0 || r.Types&v.types != 0) {
			n, small := int(v.whole), v.idle-int64(v.whole)*Whole
			if r.Milli < Whole {
				n, small = 0, 0
				for _, f := range free {
					if f >= r.Milli {
						n++
					} else {
						small += int64(f)
					}
				}
			}
			if n >= r.Count {
				lost = small
			}
		}
		f += t.Jobs * lost
	}
	return f, jobs
}

// descend is the score of a host for a job, and of a part of an accelerator the
// one that scores best: the fall of the host's mean fragments, in accelerators,
// through a sigmoid into whole numbers from 0 to 100, as in the authors'
// scheduler. No change is 50.
func (p *Placer) descend(i int, r *Request) (score int, accelerator int32) {
	h := &p.hosts[i]
	before, jobs := fragments(&p.vacant[i], h.free, p.Typical)
	after, free := p.vacant[i], append(p.scratch[:0], h.free...)
	p.scratch = free
	after.cpu -= r.CPU
	rate := func() int {
		after.count(free)
		f, _ := fragments(&after, free, p.Typical)
		return sigmoid(float64(before-f) / (float64(max(jobs, 1)) * Whole))
	}
	if r.Count != 1 || r.Milli == Whole {
		for _, a := range h.tightest(r.Count, r.Milli) {
			free[a] -= r.Milli
		}
		return rate(), 0
	}
	score = -1
	for a, f := range h.free {
		if f < r.Milli {
			continue
		}
		free[a] = f - r.Milli
		if s := rate(); s > score {
			score, accelerator = s, int32(a)
		}
		free[a] = f
	}
	return score, accelerator
}

func sigmoid(x float64) int { return int(100 / (1 + math.Exp(-x))) }

// memory keeps scores until their host changes: a placement changes one host of
// thousands, and demands repeat.
type memory struct {
	kinds map[Request]int
	known [][]int8 // of a kind and a host; less than 0 is not known
}

func (m *memory) forget(host int32) {
	for _, scores := range m.known {
		scores[host] = -1
	}
}

// scores are those of a job's kind for each host.
func (m *memory) scores(r Request, hosts int) []int8 {
	k, ok := m.kinds[r.kind()]
	if !ok {
		if m.kinds == nil {
			m.kinds = map[Request]int{}
		}
		k = len(m.known)
		m.kinds[r.kind()] = k
		m.known = append(m.known, slices.Repeat([]int8{-1}, hosts))
	}
	return m.known[k]
}

// Fragmented is the share of what is free that typical jobs could not use.
func (p *Placer) Fragmented() float64 {
	var f, jobs, idle int64
	for i := range p.hosts {
		if p.vacant[i].idle < 0 { // taken whole while jobs are on it: nothing of it is free
			continue
		}
		var of int64
		of, jobs = fragments(&p.vacant[i], p.hosts[i].free, p.Typical)
		f += of
		idle += p.vacant[i].idle
	}
	if idle == 0 || jobs == 0 {
		return 0
	}
	return float64(f) / float64(jobs) / float64(idle)
}
