package scheduler

// score says how well a host that holds a job suits it, in whole numbers, as
// Kubernetes' scheduling framework has them: 0 to 100 for the rules that come
// from there. That hosts tie, and then go by their number, is part of what the
// rules do. known are the scores of [Fragmentation] for jobs of this kind.
func (p *Placer) score(i int, r *Request, known []int8) int {
	v := &p.vacant[i]
	switch p.Rule {
	case Pack:
		return p.pack(i, r)
	case Spread:
		return int(v.idle)
	case Topology:
		return -int(v.idle)
	case BestFit:
		left := p.ratio(v.idle-int64(r.Count)*int64(r.Milli), v.cpu-r.CPU)
		return int((1 - (left[0]*0.5 + left[1]*0.5)) * 100)
	case DotProduct:
		have, want := p.ratio(v.idle, v.cpu), p.ratio(int64(r.Count)*int64(r.Milli), r.CPU)
		return int(100 * (1 - (have[0]*want[0]+have[1]*want[1])/2))
	case Fragmentation:
		if known[i] < 0 {
			score, _ := p.descend(i, r)
			known[i] = int8(score)
		}
		return int(known[i])
	}
	panic("scheduler: a placement without a score")
}

// ratio is CPUs and accelerators as shares of those of the largest host.
func (p *Placer) ratio(accelerators, cpu int64) [2]float64 {
	var v [2]float64
	if p.largest.cpu > 0 {
		v[0] = float64(cpu) / float64(p.largest.cpu)
	}
	if p.largest.accelerators > 0 {
		v[1] = float64(accelerators) / float64(p.largest.accelerators)
	}
	return v
}

// pack is the score of [Pack] by the rule of the FGD paper's baseline: shared
// accelerators by how little is left of them, 50 to 100; free ones of a host in
// use, 33 to 50; free ones of a free host, up to 33, small hosts first.
func (p *Placer) pack(i int, r *Request) int {
	if r.Count == 0 {
		return 0
	}
	h := &p.hosts[i]
	n := h.Accelerators
	if int(p.vacant[i].whole) == n {
		return max(100/3-n, min(n, 100/3))
	}
	fresh, left := 0, 0
	for _, a := range h.tightest(r.Count, r.Milli) {
		if h.free[a] == Whole {
			fresh++
		}
		left += int(h.free[a]) * 100 / Whole
	}
	if fresh > 0 {
		return max(100/2-fresh, 100/3)
	}
	return max(100-left/10, 100/2)
}
