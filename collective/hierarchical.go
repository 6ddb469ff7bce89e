package collective

import "fmt"

// hierarchicalRounds uses the links inside hosts first and those between hosts for
// what only they can do: an all-reduce is a reduce-scatter inside every host, an
// all-reduce of each shard along its rail, that is over the ranks of one number in
// their hosts, and an all-gather inside. An all-to-all sends along the rail all that
// is for a host, which its ranks then hand on (DeepEP's dispatch and combine;
// DeepSeek-V3, arXiv:2412.19437, section 3.2.2).
func hierarchicalRounds(op Op, l layout) ([]round, error) {
	per, hosts := len(l.hosts[0]), len(l.hosts)
	for _, h := range l.hosts {
		if len(h) != per {
			return nil, fmt.Errorf("hierarchical takes as many ranks in every host, not %d in one and %d in another", per, len(h))
		}
	}
	inside := func(yield func(from, to int) bool) {
		for _, h := range l.hosts {
			for i, r := range h {
				if !yield(r, h[(i+1)%per]) {
					return
				}
			}
		}
	}
	between := func(yield func(from, to int) bool) {
		for i := range per {
			for h := range l.hosts {
				if !yield(l.hosts[h][i], l.hosts[(h+1)%hosts][i]) {
					return
				}
			}
		}
	}
	var all []round
	add := func(share float64, repeat, ring int, sends func(func(from, to int) bool)) {
		if repeat > 0 {
			all = append(all, round{share: share, repeat: repeat, ring: ring, sends: sends})
		}
	}
	shard, rest := 1/float64(per), 1/float64(per*hosts)
	switch op {
	case AllReduce:
		add(shard, per-1, per, inside)
		add(rest, 2*(hosts-1), hosts, between)
		add(shard, per-1, per, inside)
	case AllGather:
		add(rest, hosts-1, hosts, between)
		add(shard, per-1, per, inside)
	case ReduceScatter:
		add(shard, per-1, per, inside)
		add(rest, hosts-1, hosts, between)
	case AllToAll:
		exchange := func(groups int, member func(group, i int) int, size int) func(func(from, to int) bool) {
			return func(yield func(from, to int) bool) {
				for g := range groups {
					for i := range size {
						for d := 1; d < size; d++ {
							if !yield(member(g, i), member(g, (i+d)%size)) {
								return
							}
						}
					}
				}
			}
		}
		if hosts > 1 {
			add(rest*float64(per), 1, 0, exchange(per, func(i, h int) int { return l.hosts[h][i] }, hosts))
		}
		if per > 1 {
			add(rest*float64(hosts), 1, 0, exchange(hosts, func(h, i int) int { return l.hosts[h][i] }, per))
		}
	default:
		return nil, unsupported(op, Hierarchical, AllReduce, AllGather, ReduceScatter, AllToAll)
	}
	return all, nil
}
