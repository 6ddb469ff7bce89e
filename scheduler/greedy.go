package scheduler

import (
	"math"

	"github.com/railyard/railyard/units"
)

// order ranks a job when it begins to wait.
type order func(r *record) rank

func byArrival(r *record) rank { return rank{seq: r.seq} }

func byEstimate(r *record) rank { return rank{lo: uint64(r.left()), seq: r.seq} }

// byPriority puts a higher priority first: its order is that of the numbers turned
// round, negative ones included.
func byPriority(r *record) rank { return rank{lo: ^(uint64(r.Priority) ^ 1<<63), seq: r.seq} }

// greedy starts jobs in their order and lets them run to their end. A strict one
// stops at the first for which there is no room, any other goes on to those that
// fit.
type greedy struct {
	order   order
	strict  bool
	waiting waiting
	refused []entry // that the machine cannot place
}

func (g *greedy) arrive(q *Queue, job int32) {
	r := &q.jobs[job]
	g.waiting.push(r.size(), entry{g.order(r), job})
}

func (g *greedy) finish(*Queue, int32) {}

func (g *greedy) decide(q *Queue, m Machine) {
	reason := First
	if !g.strict {
		reason = Fits
	}
	for g.waiting.count > 0 {
		most := int32(q.free)
		if g.strict {
			most = math.MaxInt32
		}
		c := g.waiting.best(most)
		if c == none {
			break
		}
		if int(g.waiting.sizes[c]) > q.free {
			break
		}
		if q.start(g.waiting.first(c).job, m, because(reason)) {
			g.waiting.pop(c)
			continue
		}
		if g.strict {
			break
		}
		g.refused = append(g.refused, g.waiting.pop(c))
	}
	for _, e := range g.refused {
		g.waiting.push(q.jobs[e.job].size(), e)
	}
	g.refused = g.refused[:0]
}

func (g *greedy) wake() units.Duration { return Never }
